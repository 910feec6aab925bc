r"""Arrays put together: stack, concatenate, Kronecker products."""

from collections.abc import Sequence
from functools import reduce

from sympy import Add, BlockMatrix, Expr, Identity, ImmutableMatrix, Integer, MatrixExpr, ZeroMatrix, cancel

from symbolic_circuits.tracing.contracting import contracted
from symbolic_circuits.tracing.indexing import matmul_along
from symbolic_circuits.tracing.operations import added, letters, normal_axes, reshaped
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.values import Value

__all__ = ["concatenated", "kron", "stacked"]


def stacked(values: Sequence[Value], axis: int) -> Value:
    """Arrays of one shape along a new axis."""
    shapes = list(dict.fromkeys(value.shape for value in values))
    if len(shapes) != 1:
        raise refuse(f"stack of arrays of shapes {', '.join(map(shown_shape, shapes)) or 'none'}: they must be one")
    (axis,) = normal_axes(axis, len(shapes[0]) + 1, "stack")
    terms = [at_place(value, place, len(values), axis) for place, value in enumerate(values)]
    return reduce(added, terms)


def at_place(value: Value, place: int, count: int, axis: int) -> Value:
    """The array at a place of a new axis, zero elsewhere."""
    if count == 1:
        return reshaped(value, (*value.shape[:axis], Integer(1), *value.shape[axis:]))
    names = letters(value.order)
    unit = Value(ImmutableMatrix(count, 1, lambda i, _: int(i == place)), (Integer(count),))
    output = [(one,) for one in names]
    output.insert(axis, ("new",))
    sizes = dict(zip(names, value.shape, strict=True)) | {"new": Integer(count)}
    return contracted([(value, [(one,) for one in names]), (unit, [("new",)])], output, sizes)


def concatenated(values: Sequence[Value], axis: int) -> Value:
    """Arrays along an axis that is there: blocks where sizes are symbols."""
    if not values:
        raise refuse("concatenate of no arrays")
    (axis,) = normal_axes(axis, values[0].order, "concatenate")
    rests = list(dict.fromkeys(value.shape[:axis] + value.shape[axis + 1 :] for value in values))
    if len(rests) != 1:
        raise refuse(f"concatenate along axis {axis} of arrays of shapes {', '.join(shown_shape(v.shape) for v in values)}")
    if len(values) == 1:
        return values[0]
    sizes = [value.shape[axis] for value in values]
    if len(set(sizes)) == 1:  # one axis of parts of one size is a product
        shape = values[0].shape
        return reshaped(stacked(values, axis), (*shape[:axis], cancel(len(values) * sizes[0]), *shape[axis + 1 :]))
    numeric = all(isinstance(size, Integer) for size in sizes)
    if values[0].order < 3 and not numeric and all(isinstance(value.expr, MatrixExpr) for value in values):
        blocks = [[value.expr for value in values]] if axis == 1 else [[value.expr] for value in values]
        return Value(BlockMatrix(blocks), (*values[0].shape[:axis], Add(*sizes), *values[0].shape[axis + 1 :]))
    terms = [matmul_along(value, axis, embedding(k, sizes, numeric)) for k, value in enumerate(values)]
    return reduce(added, terms)


def embedding(k: int, sizes: Sequence[Expr], numeric: bool) -> MatrixExpr | ImmutableMatrix:
    """The matrix of zeros and ones that puts part k in its place."""
    if numeric:
        before = int(sum(sizes[:k]))
        return ImmutableMatrix(int(sizes[k]), int(sum(sizes)), lambda i, j: int(j == before + i))
    return BlockMatrix([[Identity(size) if i == k else ZeroMatrix(sizes[k], size) for i, size in enumerate(sizes)]])


def kron(left: Value, right: Value) -> Value:
    """The Kronecker product of arrays of one order."""
    if left.order != right.order or not left.order:
        raise refuse(f"kron of arrays of shapes {shown_shape(left.shape)} and {shown_shape(right.shape)}; they need as many axes")
    a, b = letters(left.order, "a"), letters(right.order, "b")
    sizes = dict(zip([*a, *b], [*left.shape, *right.shape], strict=True))
    operands = [(left, [(one,) for one in a]), (right, [(one,) for one in b])]
    return contracted(operands, list(zip(a, b, strict=True)), sizes)
