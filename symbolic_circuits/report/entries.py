r"""A contraction by index lists as the sum of products of entries that it stands for: ip,pj -> ij is sum_p P_{ip} Q_{pj} at i, j."""

from sympy import Expr, Mul, Symbol
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement, MatrixExpr
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum

__all__ = ["entry", "in_entries"]


def in_entries(contraction: Contracted) -> tuple[Expr, tuple[Symbol, ...]] | None:
    """The entry of a contraction and the indices that it is an entry at; None where an axis has several indices or one repeats.

    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.contract import contract
    >>> n = symbols("n", integer=True, positive=True)
    >>> in_entries(contract("ij,kj->ik", MatrixSymbol("P", n, n), MatrixSymbol("Q", n, n)))
    (sum[j=0..n - 1] P[i, j]*Q[k, j], (i, k))
    """
    if any(len(axis) != 1 for part in contraction.lists for axis in part):
        return None
    symbols = {label: Symbol(label, integer=True, nonnegative=True) for label in contraction.sizes}
    *inputs, output = [[symbols[axis[0]] for axis in part] for part in contraction.lists]
    factors = [entry(operand, indices) for operand, indices in zip(contraction.operands, inputs, strict=True)]
    if None in factors or len(set(output)) != len(output):
        return None
    limits = [(symbols[label], 0, contraction.sizes[label] - 1) for label in contraction.summed]
    body = Mul(*factors)
    return IndexSum(body, *limits) if limits else body, tuple(output)


def entry(tensor: Basic, indices: list[Symbol] | tuple[Symbol, ...]) -> Expr | None:
    """An entry of a tensor; None where it has no name for one."""
    if isinstance(tensor, MatrixFamily):
        return MatrixElement(FamilyMember(tensor, indices[0]), *indices[1:])
    if isinstance(tensor, ArraySymbol):
        return ArrayElement(tensor, tuple(indices))
    if isinstance(tensor, MatrixExpr):
        return MatrixElement(tensor, *indices)
    return tensor if not indices and isinstance(tensor, Expr) else None
