r"""Kronecker deltas that show: an index that only the output of a contraction has, more than once, is an identity matrix.

.. math:: \text{contract}(\texttt{"c,b->cbc"}, \mathbf 1, x) = \text{contract}(\texttt{"cd,b->cbd"}, I, x)
"""

from itertools import count
from string import ascii_lowercase

from sympy import Identity
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import OneArray

from symbolic_circuits.syntax.contract import Contracted, contract
from symbolic_circuits.syntax.subscripts import Lists

__all__ = ["with_deltas"]


def with_deltas(expr: Basic) -> Basic:
    """The expression with identity matrices in its contractions in place of repeated output labels.

    >>> from sympy import MatrixSymbol, symbols
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> X = MatrixSymbol("X", n, d)
    >>> with_deltas(contract("ab,c->cabc", X, OneArray(n)))
    contract('ab,cd->cabd', X, I)
    """
    if isinstance(expr, Contracted):
        return delta(expr)
    args = tuple(with_deltas(arg) if isinstance(arg, Basic) else arg for arg in expr.args)
    return expr.func(*args) if args != expr.args else expr


def delta(expr: Contracted) -> Basic:
    """A contraction with its vectors of ones that stand for repeated output labels made identities."""
    lists, operands = list(expr.lists), list(expr.operands)
    for k, operand in enumerate(operands):
        label = lists[k][0][0] if isinstance(operand, OneArray) and len(lists[k]) == 1 and len(lists[k][0]) == 1 else None
        if [one for axis in lists[-1] for one in axis].count(label) > 1:
            other = unused(tuple(lists))
            operands[k] = Identity(operand.shape[0])
            lists[k] = ((label,), (other,))
            lists[-1] = with_second(lists[-1], label, other)
    return contract(lists, *operands) if lists != list(expr.lists) else expr


def unused(lists: Lists) -> str:
    """A label that no operand has."""
    used = {label for part in lists for axis in part for label in axis}
    options = (*(letter for letter in ascii_lowercase if len(max(used, key=len)) == 1), *(f"k{k}" for k in range(len(used) + 1)))
    return next(option for option in options if option not in used)


def with_second(output: tuple[tuple[str, ...], ...], label: str, other: str) -> tuple[tuple[str, ...], ...]:
    """The output with the second occurrence of a label called otherwise."""
    seen = count()
    return tuple(tuple(other if one == label and next(seen) == 1 else one for one in axis) for axis in output)
