r"""Indexing by constants: X[0], X[:, None], W[h], W[..., 1:3], X[:, h*k:(h+1)*k]."""

from typing import Any

from sympy import BlockMatrix, Expr, Identity, ImmutableMatrix, Integer, MatrixExpr, Symbol, ZeroMatrix, cancel
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.tracing.contracting import contracted
from symbolic_circuits.tracing.operations import letters, normal_axes, reshaped, unit
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.sizes import as_size_expr, is_whole
from symbolic_circuits.tracing.turns import Place
from symbolic_circuits.tracing.values import Value

__all__ = ["diagonal", "indexed", "matmul_along", "taken"]


def indexed(value: Value, key: Any) -> Value:
    """``array[key]`` for numbers, slices, None and an ellipsis."""
    keys = list(key) if isinstance(key, tuple) else [key]
    keys = expanded(keys, value)
    axis = 0
    for one in keys:
        if one is None:
            value = reshaped(value, (*value.shape[:axis], Integer(1), *value.shape[axis:]))
            axis += 1
        elif isinstance(one, slice):
            value = sliced(value, axis, one)
            axis += 1
        else:
            value = taken(value, axis, one)
    return value


def expanded(keys: list[Any], value: Value) -> list[Any]:
    """The key with the axes that an ellipsis, or nothing, stands for as full slices."""
    for one in keys:
        if not (one is None or one is Ellipsis or isinstance(one, slice | Place) or is_number(one)):
            raise refuse(f"an index of type {type(one).__name__}: arrays are indexed by constant numbers, slices, None and ...")
    used = sum(1 for one in keys if one is not None and one is not Ellipsis)
    if used > value.order or sum(1 for one in keys if one is Ellipsis) > 1:
        raise refuse(f"{used} indices for an array of shape {shown_shape(value.shape)}")
    at = next((k for k, one in enumerate(keys) if one is Ellipsis), len(keys))
    return keys[:at] + [slice(None)] * (value.order - used) + keys[at + 1 :]


def is_number(one: Any) -> bool:
    """Whether an index is an integer."""
    return as_size_expr(one) is not None


def taken(value: Value, axis: int, place: Any) -> Value:
    """The array at a place along an axis."""
    size = value.shape[axis]
    at = place.along(size) if isinstance(place, Place) else position(place, size)
    rest = value.shape[:axis] + value.shape[axis + 1 :]
    if size == 1:
        return reshaped(value, rest)
    if isinstance(value.expr, MatrixFamily | ArraySymbol) and axis == 0 and value.order == 3:
        family = value.expr if isinstance(value.expr, MatrixFamily) else MatrixFamily(str(value.expr.name), *value.shape)
        return Value(family[at], rest)
    if isinstance(at, Integer):
        if isinstance(value.expr, NDimArray):
            found = value.expr[(slice(None),) * axis + (int(at),)]
            return Value(ImmutableMatrix(*found.shape, list(found)) if len(found.shape) == 2 else found, rest)
        if isinstance(value.expr, MatrixBase):
            found = value.expr.row(int(at)).T if axis == 0 else value.expr.col(int(at))
            return Value(found, rest) if rest else Value(value.expr[int(at), 0], rest)
    names = letters(value.order)
    operands = [(value, [(one,) for one in names]), (unit(size, at), [(names[axis],)])]
    return contracted(operands, [(one,) for k, one in enumerate(names) if k != axis], dict(zip(names, value.shape, strict=True)))


def position(place: Any, size: Expr) -> Expr:
    """A constant place, from 0."""
    at = as_size_expr(place)
    if not isinstance(at, Integer):
        raise refuse(f"the place {place} along an axis of size {size}: it is not known to be one of 0 to {size} - 1")
    if at < 0 and not isinstance(size, Integer):
        raise refuse(
            f"the place {place} along an axis of size {size} has no number; turn the axis around or give a number for the size"
        )
    if isinstance(size, Integer) and not -size <= at < size:
        raise refuse(f"the place {place} is outside of an axis of size {size}")
    return at % size if isinstance(size, Integer) else at


def sliced(value: Value, axis: int, bounds: slice) -> Value:
    """Places ``start:stop`` along an axis."""
    size = value.shape[axis]
    if bounds.start is None and bounds.stop is None and bounds.step is None:
        return value
    places = [one for one in (bounds.start, bounds.stop) if isinstance(one, Place)]
    if places:
        if len(places) < 2 or bounds.step is not None:
            raise refuse("a slice that depends on a loop is h*k:(h+1)*k")
        return taken(*split(value, axis, places[0].chunk(places[1], size)), places[0].at_unit())
    if isinstance(size, Integer) and all(one is None or isinstance(as_size_expr(one), Integer) for one in parts(bounds)):
        return chosen(value, axis, range(int(size))[slice(*(None if one is None else int(one) for one in parts(bounds)))])
    if bounds.step is not None and bounds.step != 1:
        raise refuse(f"a slice with a step along an axis of size {size}")
    start, stop = (bound(one, size, default) for one, default in ((bounds.start, Integer(0)), (bounds.stop, size)))
    width = cancel(stop - start)
    if start == 0 and width == size:
        return value
    count, first = cancel(size / width), cancel(start / width)
    if is_whole(count) and isinstance(first, Integer) and first >= 0 and not (count - first).is_nonpositive:
        return taken(*split(value, axis, (count, width)), int(first))
    return matmul_along(value, axis, selection(start, width, cancel(size - stop), size))


def parts(bounds: slice) -> tuple[Any, Any, Any]:
    """Start, stop and step."""
    return bounds.start, bounds.stop, bounds.step


def bound(one: Any, size: Expr, default: Expr) -> Expr:
    """An end of a slice along a symbolic axis."""
    if one is None:
        return default
    at = as_size_expr(one)
    if at is None:
        raise refuse(f"a slice along an axis of size {size} with the end {one!r}, which is no size")
    return at + size if at.is_negative else at


def split(value: Value, axis: int, sizes: tuple[Expr, Expr]) -> tuple[Value, int]:
    """An axis split in two."""
    return reshaped(value, (*value.shape[:axis], *sizes, *value.shape[axis + 1 :])), axis


def chosen(value: Value, axis: int, places: range) -> Value:
    """Places along an axis of fixed size."""
    size = int(value.shape[axis])
    if not places:
        raise refuse(f"a slice of an axis of size {size} without any place")
    return matmul_along(value, axis, ImmutableMatrix(size, len(places), lambda i, j: int(i == places[j])))


def selection(before: Expr, width: Expr, after: Expr, size: Expr) -> MatrixExpr:
    """The matrix of zeros and ones that takes a part of an axis that is a sum."""
    sizes = [before, width, after]
    if not all(one == 0 or isinstance(one, Symbol) or (isinstance(one, Integer) and one > 0) for one in sizes) or width == 0:
        raise refuse(
            f"the slice {before}:{before + width} along an axis of size {size}: it is no part of a sum or product of sizes"
        )
    return BlockMatrix([[Identity(width) if k == 1 else ZeroMatrix(one, width)] for k, one in enumerate(sizes) if one != 0])


def matmul_along(value: Value, axis: int, matrix: Any) -> Value:
    """A matrix (old, new) applied along an axis."""
    names, new = letters(value.order), "new"
    sizes = dict(zip(names, value.shape, strict=True)) | {
        new: Integer(matrix.shape[1]) if isinstance(matrix.shape[1], int) else matrix.shape[1]
    }
    shape = (value.shape[axis], sizes[new])
    operands = [(value, [(one,) for one in names]), (Value(matrix, shape), [(names[axis],), (new,)])]
    return contracted(operands, [(new,) if k == axis else (one,) for k, one in enumerate(names)], sizes)


def diagonal(value: Value, first: int, second: int) -> Value:
    """The diagonal of two axes, as the last axis."""
    first, second = normal_axes((first, second), value.order, "diagonal")
    if value.shape[first] != value.shape[second]:
        raise refuse(f"the diagonal of axes {first} and {second} of an array of shape {shown_shape(value.shape)}")
    names = letters(value.order)
    labels = [(names[first] if k == second else one,) for k, one in enumerate(names)]
    rest = [(one,) for k, one in enumerate(names) if k not in (first, second)]
    return contracted([(value, labels)], [*rest, (names[first],)], dict(zip(names, value.shape, strict=True)))
