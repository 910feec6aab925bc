"""Lowering of sums over indices, elements, rows, inner products and SymPy's array expressions."""

from sympy import Sum
from sympy.tensor.array.expressions import ArrayContraction, ArrayDiagonal, PermuteDims
from sympy.tensor.array.expressions.array_expressions import ArrayElement
from sympy.tensor.indexed import Indexed

from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.errors import UnsupportedNodeError
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
    if expr.base.shape is None:
        raise UnsupportedNodeError(f"{expr.base} is indexed but has no shape: IndexedBase(name, shape=(...))")
    value = lowering.tensor(str(expr.base.label), expr.base.shape)
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
    value, groups = lowering.open(expr.expr), expr.contraction_indices
    for group in groups:
        for axis in sorted(map(int, group))[1:]:
            value = diagonal_keeping(value, int(min(group)), axis)
    gone = {int(axis) for group in groups for axis in group}
    return drop(value, {int(min(group)) for group in groups}, gone)


@open_form.register(ArrayDiagonal)
def _array_diagonal(expr: ArrayDiagonal, lowering: Lowering) -> Open:
    value, groups = lowering.open(expr.expr), expr.diagonal_indices
    for group in groups:
        for axis in sorted(map(int, group))[1:]:
            value = diagonal_keeping(value, int(min(group)), axis)
    gone = {int(axis) for group in groups for axis in group}
    kept = [k for k in range(len(value.axes)) if k not in gone]
    value = value.permuted(
        [*kept, *(int(min(group)) for group in groups), *(int(a) for g in groups for a in sorted(map(int, g))[1:])]
    )
    return take(value, len(kept) + len(groups))


def diagonal_keeping(value: Open, i: int, j: int) -> Open:
    """Axes i and j made one index, both still there."""
    joined = join(value, i, j)
    axis = joined.axes[i]
    doubled = join(joined.outer(Open.of_identity(axis)), i, len(joined.axes))  # axis i, and a copy of it at the end
    order = list(range(len(doubled.axes) - 1))
    order.insert(j, len(doubled.axes) - 1)
    return doubled.permuted(order)


def drop(value: Open, summed: set[int], gone: set[int]) -> Open:
    """Sum over one axis of each group; the others of the group are that same index and go with it."""
    spans = value.spans()
    places = {p for k in gone for p in spans[k]}
    closed = lambda term: term._replace(legs=tuple(x for k, x in enumerate(term.legs) if k not in places)).closed()  # noqa: E731
    return value.mapped(closed, [axis for k, axis in enumerate(value.axes) if k not in gone])


def take(value: Open, count: int) -> Open:
    """The first axes; the others are indices that these have as well."""
    places = [p for span in value.spans()[:count] for p in span]
    return value.mapped(lambda term: term._replace(legs=tuple(term.legs[p] for p in places)), value.axes[:count])


@open_form.register(PermuteDims)
def _permute(expr: PermuteDims, lowering: Lowering) -> Open:
    return lowering.open(expr.expr).permuted([int(k) for k in expr.permutation.array_form])
