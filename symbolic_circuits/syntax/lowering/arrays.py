"""Lowering of sums over indices, elements, rows, inner products and SymPy's array expressions."""

from collections.abc import Iterable

from sympy import Sum
from sympy.tensor.array.expressions import ArrayContraction, ArrayDiagonal, PermuteDims
from sympy.tensor.array.expressions.array_expressions import ArrayElement
from sympy.tensor.indexed import Indexed

from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.lowering.context import Lowering, join, open_form
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__: list[str] = []


@open_form.register(MatrixSum)
@open_form.register(IndexSum)
@open_form.register(Sum)
def _sum(expr: Sum, lowering: Lowering) -> Open:
    return lowering.summed(expr.args[0], expr.args[1:])


@open_form.register(ArrayElement)
def _array_element(expr: ArrayElement, lowering: Lowering) -> Open:
    value = lowering.open(expr.name)
    for index in expr.indices:
        value = lowering.indexed(value, 0, index, expr)
    return value


@open_form.register(Indexed)
def _indexed(expr: Indexed, lowering: Lowering) -> Open:
    value = lowering.open_leaf(expr.base)
    for index in expr.indices:
        value = lowering.indexed(value, 0, index, expr)
    return value


@open_form.register(Row)
def _row(expr: Row, lowering: Lowering) -> Open:
    return lowering.indexed(lowering.open(expr.args[0]), 0, expr.args[1], expr)


@open_form.register(TensorDot)
def _tensor_dot(expr: TensorDot, lowering: Lowering) -> Open:
    left, right = lowering.open(expr.args[0]), lowering.open(expr.args[2])
    i = int(expr.args[1]) - 1
    return join(left.outer(right), i, len(left.axes) + int(expr.args[3]) - 1).summed(i)


@open_form.register(ArrayContraction)
def _array_contraction(expr: ArrayContraction, lowering: Lowering) -> Open:
    value, kept = joined_groups(lowering.open(expr.expr), expr.contraction_indices)
    return value.summed(*(kept.index(int(min(group))) for group in expr.contraction_indices))


@open_form.register(ArrayDiagonal)
def _array_diagonal(expr: ArrayDiagonal, lowering: Lowering) -> Open:
    value, kept = joined_groups(lowering.open(expr.expr), expr.diagonal_indices)
    first = [int(min(group)) for group in expr.diagonal_indices]
    return value.permuted([kept.index(axis) for axis in kept if axis not in first] + [kept.index(axis) for axis in first])


def joined_groups(value: Open, groups: Iterable[Iterable[int]]) -> tuple[Open, list[int]]:
    """The axes of each group made one, which stands at the first of them; and which axes are left."""
    kept = list(range(len(value.axes)))
    for group in groups:
        first, *others = sorted(map(int, group))
        for axis in others:
            value = join(value, kept.index(first), kept.index(axis))
            kept.remove(axis)
    return value, kept


@open_form.register(PermuteDims)
def _permute(expr: PermuteDims, lowering: Lowering) -> Open:
    return lowering.open(expr.expr).permuted([int(k) for k in expr.permutation.array_form])
