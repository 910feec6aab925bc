r"""Which ends of a sum are evident: :math:`\sum_j A_{ij} x_j` runs over the columns of A, :math:`\sum_{k=0}^{3} \operatorname{tr} A` does not."""

from collections.abc import Iterator
from itertools import groupby

from sympy import Expr, Symbol, Tuple, expand
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.report.derivations.convention import Column
from symbolic_circuits.syntax.arrays import Row, array_shape
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["is_evident", "signs"]


def signs(total: MatrixSum | IndexSum) -> list[tuple[Tuple, ...]]:
    """The limits, those under one sign of summation together: evident ones in a row, each other one for itself.

    >>> from sympy import MatrixSymbol, Trace, symbols
    >>> A, i, k = MatrixSymbol("A", 2, 2), *symbols("i k", integer=True, nonnegative=True)
    >>> signs(IndexSum(A[i, i] * Trace(A), (i, 0, 1), (k, 0, 3)))
    [((i, 0, 1),), ((k, 0, 3),)]
    """
    keyed = [(-1 if is_evident(total.body, limit) else number, limit) for number, limit in enumerate(total.limits)]
    return [tuple(limit for _, limit in group) for _, group in groupby(keyed, key=lambda pair: pair[0])]


def is_evident(body: Expr, limit: Tuple) -> bool:
    """Whether the symbol is an index of the body, and runs over all there is of it."""
    symbol, low, high = limit
    return low == 0 and any(high == size - 1 or expand(high - size + 1) == 0 for size in sizes(body, symbol))


def sizes(node: Basic, symbol: Symbol) -> Iterator[Expr]:
    """The sizes of the axes that a symbol is an index of."""
    if isinstance(node, MatrixSum | IndexSum) and symbol in node.bound_symbols:
        return
    if isinstance(node, FamilyMember):
        axes = [(node.head, node.family.shape[0])]
    elif isinstance(node, Row):
        axes = [(node.args[1], node.args[0].cols if isinstance(node, Column) else node.args[0].rows)]
    elif isinstance(node, MatrixElement):
        axes = list(zip((node.i, node.j), node.parent.shape, strict=True))
    elif isinstance(node, ArrayElement):
        axes = list(zip(node.indices, array_shape(node.name), strict=False))
    else:
        axes = []
    yield from (size for index, size in axes if index == symbol)
    for arg in node.args:
        if isinstance(arg, Basic) and arg.args:
            yield from sizes(arg, symbol)
