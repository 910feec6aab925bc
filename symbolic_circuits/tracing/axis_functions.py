r"""Axes moved, split, merged, taken and read along a diagonal, by NumPy's names."""

from typing import Any

from sympy import ImmutableMatrix, Integer

from symbolic_circuits.tracing import indexing, operations
from symbolic_circuits.tracing.coercion import as_shape, as_value
from symbolic_circuits.tracing.contracting import contracted
from symbolic_circuits.tracing.einsums import labelled
from symbolic_circuits.tracing.operations import letters, normal_axes, permuted, reshaped
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.table import FUNCTIONS, function
from symbolic_circuits.tracing.values import Value

__all__: list[str] = []  # they are in the table


@function("transpose", view=True)
def transpose(a: Any, axes: Any = None) -> Value:
    a = as_value(a)
    return permuted(a, range(a.order)[::-1] if axes is None else full_order(a, axes, "transpose"))


def full_order(a: Value, axes: Any, what: str) -> tuple[int, ...]:
    """All axes in some order."""
    found = normal_axes(axes, a.order, what)
    if len(found) != a.order:
        raise refuse(f"{what}: {axes} is no order of the {a.order} axes of an array of shape {shown_shape(a.shape)}")
    return found


@function("matrix_transpose", "linalg.matrix_transpose", "adjoint", view=True)
def matrix_transpose(a: Any) -> Value:
    return swapaxes(a, -1, -2)


@function("swapaxes", "swapdims", view=True)
def swapaxes(a: Any, axis1: int, axis2: int) -> Value:
    a = as_value(a)
    i, j = normal_axes(axis1, a.order, "swapaxes")[0], normal_axes(axis2, a.order, "swapaxes")[0]
    order = list(range(a.order))
    order[i], order[j] = j, i
    return permuted(a, order)


@function("moveaxis", "movedim", view=True)
def moveaxis(a: Any, source: Any, destination: Any) -> Value:
    a = as_value(a)
    first, second = normal_axes(source, a.order, "moveaxis"), normal_axes(destination, a.order, "moveaxis")
    order = [k for k in range(a.order) if k not in first]
    for place, axis in sorted(zip(second, first, strict=True)):
        order.insert(place, axis)
    return permuted(a, order)


@function("reshape", view=True)
def reshape(a: Any, shape: Any) -> Value:
    return reshaped(as_value(a), as_shape(shape))


@function("ravel", view=True)
def ravel(a: Any) -> Value:
    return reshape(a, -1)


@function("expand_dims", "unsqueeze", view=True)
def expand_dims(a: Any, axis: Any = None, dim: Any = None) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    found, sizes = normal_axes(axes, a.order + len(axes), "expand_dims"), list(a.shape)
    for k in sorted(found):
        sizes.insert(k, Integer(1))
    return reshaped(a, sizes)


@function("squeeze", view=True)
def squeeze(a: Any, axis: Any = None, dim: Any = None) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    if axis is None and not all(isinstance(size, Integer) for size in a.shape):
        raise refuse(f"squeeze of an array of shape {shown_shape(a.shape)}, of which sizes may be 1: name the axis, axis=-1")
    axes = [k for k, size in enumerate(a.shape) if size == 1] if axis is None else normal_axes(axis, a.order, "squeeze")
    if any(a.shape[k] != 1 for k in axes):
        raise refuse(f"squeeze of axis {axis} of an array of shape {shown_shape(a.shape)}")
    return reshaped(a, [size for k, size in enumerate(a.shape) if k not in axes])


@function("broadcast_to", view=True)
def broadcast_to(a: Any, shape: Any) -> Value:
    a, shape = as_value(a), as_shape(shape)
    if operations.broadcast([a.shape, shape], "broadcast_to") != shape:
        raise refuse(f"broadcast_to: an array of shape {shown_shape(a.shape)} is not stretched to {shown_shape(shape)}")
    return operations.to_shape(a, shape)


@function("getitem", view=True)
def getitem(a: Any, key: Any) -> Value:
    return indexing.indexed(a, key)


@function("diagonal", view=True)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    return indexing.diagonal(on_diagonal(a, offset), axis1, axis2)


@function("linalg.diagonal", view=True)
def last_diagonal(a: Any, offset: int = 0) -> Value:
    return diagonal(a, offset, -2, -1)


@function("linalg.trace")
def last_trace(a: Any, offset: int = 0, dtype: Any = None) -> Value:
    return trace(a, offset, -2, -1)


@function("trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    a = on_diagonal(a, offset)
    first, second = normal_axes((axis1, axis2), a.order, "trace")
    if a.shape[first] != a.shape[second]:
        raise refuse(f"the trace over axes {first} and {second} of an array of shape {shown_shape(a.shape)}")
    names = letters(a.order)
    labels = [names[first] if k == second else one for k, one in enumerate(names)]
    return labelled("trace", [a], [labels], [one for k, one in enumerate(names) if k not in (first, second)])


@function("diag", view=True)
def diag(v: Any, k: int = 0) -> Value:
    v = on_diagonal(v, k)
    if v.order == 2:
        return indexing.diagonal(v, 0, 1)
    if v.order != 1:
        raise refuse(f"diag of an array of shape {shown_shape(v.shape)}")
    return contracted([(v, [("i",)])], [("i",), ("i",)], {"i": v.shape[0]})


def on_diagonal(a: Any, offset: int) -> Value:
    """The array; only the main diagonal is traced."""
    if offset:
        raise refuse(f"the diagonal with offset {offset}: only the main one is traced")
    return as_value(a)


@function("triu", "tril")
def triangle(m: Any, k: int = 0, name: str = "triu") -> Value:
    m = as_value(m)
    if m.order < 2 or not all(isinstance(size, Integer) for size in m.shape[-2:]):
        raise refuse(
            f"a triangular mask of an array of shape {shown_shape(m.shape)} has no expression for all sizes: pass it as an argument"
        )
    keep = (lambda i, j: int(bool(j - i >= k))) if name == "triu" else (lambda i, j: int(bool(j - i <= k)))
    mask = ImmutableMatrix(int(m.shape[-2]), int(m.shape[-1]), keep)
    return operations.multiplied(m, Value(mask, m.shape[-2:]))


FUNCTIONS["tril"] = lambda m, k=0: triangle(m, k, "tril")
