r"""Functions of arrays by NumPy's names and signatures, on values; most names of PyTorch and of methods are among them.

Keywords that only say how to compute (``optimize``, ``dtype=float``) are read over. ``out=``, and what the table does not have, is an error.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import sympy
from sympy import Function, ImmutableMatrix, Integer, Inverse, Mul

from symbolic_circuits.syntax.functions import relu as relu_of
from symbolic_circuits.tracing import indexing, joining, operations
from symbolic_circuits.tracing.coercion import as_shape, as_value
from symbolic_circuits.tracing.contracting import contracted, zero
from symbolic_circuits.tracing.einsums import einsum as einsum_of
from symbolic_circuits.tracing.einsums import labelled
from symbolic_circuits.tracing.operations import letters, normal_axes, permuted, reshaped
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.sizes import size_of
from symbolic_circuits.tracing.values import Value

__all__ = ["FUNCTIONS", "is_zero_number", "opaque"]

FUNCTIONS: dict[str, Callable] = {}


def function(*names: str, view: bool = False) -> Callable[[Callable], Callable]:
    """Enter a function into the table; ``view`` says that NumPy may return an array that shares its entries."""

    def enter(body: Callable) -> Callable:
        body.may_be_view = view  # type: ignore[attr-defined]
        FUNCTIONS.update(dict.fromkeys(names or (body.__name__,), body))
        return body

    return enter


# products


@function(view=True)
def einsum(*operands: Any, optimize: Any = None) -> Value:
    return einsum_of(*(as_value(one) if not isinstance(one, str | list | tuple) else one for one in operands))


@function()
def matmul(a: Any, b: Any) -> Value:
    a, b = as_value(a), as_value(b)
    if not a.order or not b.order:
        raise refuse(f"@ of arrays of shapes {shown_shape(a.shape)} and {shown_shape(b.shape)}: a scalar is multiplied with *")
    left = ["..."] * (a.order > 1) + ["i"] * (a.order > 1) + ["j"]
    right = ["..."] * (b.order > 1) + ["j"] + ["k"] * (b.order > 1)
    output = ["..."] * (max(a.order, b.order) > 1) + ["i"] * (a.order > 1) + ["k"] * (b.order > 1)
    if a.shape[-1] != b.shape[-2 if b.order > 1 else 0]:
        raise refuse(f"@ of arrays of shapes {shown_shape(a.shape)} and {shown_shape(b.shape)}")
    return labelled("@", [a, b], [left, right], output)


@function()
def dot(a: Any, b: Any) -> Value:
    a, b = as_value(a), as_value(b)
    if not a.order or not b.order:
        return operations.multiplied(a, b)
    return tensordot(a, b, ([a.order - 1], [max(b.order - 2, 0)]))


@function()
def tensordot(a: Any, b: Any, axes: Any = 2, dims: Any = None) -> Value:
    a, b, axes = as_value(a), as_value(b), axes if dims is None else dims
    if isinstance(axes, tuple | list):
        first, second = (normal_axes(one, value.order, "tensordot") for one, value in zip(axes, (a, b), strict=True))
    else:
        first, second = tuple(range(a.order - int(axes), a.order)), tuple(range(int(axes)))
    if [a.shape[k] for k in first] != [b.shape[k] for k in second]:
        raise refuse(f"tensordot of arrays of shapes {shown_shape(a.shape)} and {shown_shape(b.shape)} over axes {first} and {second}")
    left, right = letters(a.order, "a"), letters(b.order, "b")
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    output = [one for k, one in enumerate(left) if k not in first] + [one for k, one in enumerate(right) if k not in second]
    return labelled("tensordot", [a, b], [left, right], output)


@function()
def inner(a: Any, b: Any) -> Value:
    a, b = as_value(a), as_value(b)
    return tensordot(a, b, ([-1], [-1])) if a.order and b.order else operations.multiplied(a, b)


@function("outer", "ger", "multiply.outer")
def outer(a: Any, b: Any) -> Value:
    return tensordot(*(reshaped(as_value(one), (Mul(*as_value(one).shape),)) for one in (a, b)), 0)


@function("vdot")
def vdot(a: Any, b: Any) -> Value:
    return tensordot(*(reshaped(as_value(one), (Mul(*as_value(one).shape),)) for one in (a, b)), 1)


@function("vecdot")
def vecdot(a: Any, b: Any, axis: int = -1, dim: int | None = None) -> Value:
    return total(operations.multiplied(as_value(a), as_value(b)), axis=axis if dim is None else dim)


@function()
def kron(a: Any, b: Any) -> Value:
    return joining.kron(as_value(a), as_value(b))


@function("linalg.matrix_power", "matrix_power")
def matrix_power(a: Any, n: int) -> Value:
    a = as_value(a)
    if a.order != 2 or a.shape[0] != a.shape[1] or not 0 <= int(n) <= 16:
        raise refuse(f"matrix_power({shown_shape(a.shape)}, {n}): a square matrix and a power from 0 to 16 are traced")
    return reduce(matmul, [a] * int(n)) if n else operations.identity(a.shape[0])


@function("linalg.multi_dot", "chain_matmul")
def multi_dot(arrays: Sequence[Any]) -> Value:
    return reduce(matmul, map(as_value, arrays))


@function("linalg.inv", "inverse", "linalg_inv", "inv")
def inv(a: Any) -> Value:
    a = as_value(a)
    if a.order != 2 or a.shape[0] != a.shape[1]:
        raise refuse(f"the inverse of an array of shape {shown_shape(a.shape)}: a square matrix is traced")
    return Value(Inverse(a.expr), a.shape)


# axes


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


@function("diagonal", "linalg.diagonal", view=True)
def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    return indexing.diagonal(on_diagonal(a, offset), axis1, axis2)


@function("trace", "linalg.trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Value:
    a = on_diagonal(a, offset)
    first, second = normal_axes((axis1, axis2), a.order, "trace")
    if a.shape[first] != a.shape[second]:
        raise refuse(f"the trace over axes {first} and {second} of an array of shape {shown_shape(a.shape)}")
    names = letters(a.order)
    labels = [names[first] if k == second else one for k, one in enumerate(names)]
    return labelled("trace", [a], [labels], [one for k, one in enumerate(names) if k not in (first, second)])


@function("diag", "diagflat")
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
        raise refuse(f"a triangular mask of an array of shape {shown_shape(m.shape)} has no expression for all sizes: pass it as an argument")
    keep = (lambda i, j: int(bool(j - i >= k))) if name == "triu" else (lambda i, j: int(bool(j - i <= k)))
    mask = ImmutableMatrix(int(m.shape[-2]), int(m.shape[-1]), keep)
    return operations.multiplied(m, Value(mask, m.shape[-2:]))


FUNCTIONS["tril"] = lambda m, k=0: triangle(m, k, "tril")


# sums


@function("sum")
def total(a: Any, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    axes = range(a.order) if axis is None else normal_axes(axis, a.order, "sum")
    return operations.summed(a, tuple(axes), keepdims or keepdim)


@function()
def mean(a: Any, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    axes = tuple(range(a.order)) if axis is None else normal_axes(axis, a.order, "mean")
    found = operations.summed(a, axes, keepdims or keepdim)
    return operations.times(found, 1 / Mul(*(a.shape[k] for k in axes)))


# entry by entry


@function("add")
def add(a: Any, b: Any, alpha: Any = 1) -> Value:
    return operations.added(as_value(a), operations.multiplied(as_value(b), as_value(alpha)) if alpha != 1 else as_value(b))


@function("subtract", "sub")
def subtract(a: Any, b: Any) -> Value:
    return operations.added(as_value(a), operations.times(as_value(b), Integer(-1)))


@function("multiply", "mul")
def multiply(a: Any, b: Any) -> Value:
    return operations.multiplied(as_value(a), as_value(b))


@function("divide", "true_divide", "div")
def divide(a: Any, b: Any) -> Value:
    return operations.divided(as_value(a), as_value(b))


@function("negative", "neg")
def negative(a: Any) -> Value:
    return operations.times(as_value(a), Integer(-1))


@function("positive", "ascontiguousarray", view=True)
def positive(a: Any) -> Value:
    return as_value(a)


@function("copy", "clone", "flatten")
def copy(a: Any) -> Value:
    return as_value(a)


FUNCTIONS["flatten"] = lambda a: reshaped(as_value(a), (Integer(-1),))


@function("square")
def square(a: Any) -> Value:
    return operations.power(as_value(a), 2)


@function("power", "pow", "float_power")
def power(a: Any, exponent: Any) -> Value:
    exponent = as_value(exponent)
    if exponent.order or not exponent.expr.is_Rational:
        raise refuse("a power whose exponent is no constant")
    return operations.power(as_value(a), exponent.expr)


@function("maximum", "fmax")
def maximum(a: Any, b: Any) -> Value:
    a, b = as_value(a), as_value(b)
    if a.expr == 0 and not a.order:
        a, b = b, a
    if b.order or b.expr != 0:
        raise refuse("a maximum of two arrays: only max(x, 0) is traced")
    return operations.entrywise(a, relu_of)


def is_zero_number(item: Any) -> bool:
    """Whether it is the number 0."""
    return item is not None and not isinstance(item, Value) and item == 0


@function("clip", "clamp", "clamp_min")
def clip(a: Any, min: Any = None, max: Any = None) -> Value:
    if not is_zero_number(min) or max is not None:
        raise refuse(f"clip to [{min}, {max}]: only clip(x, 0, None) = max(x, 0) is traced")
    return operations.entrywise(as_value(a), relu_of)


@function("where")
def where(condition: Any, a: Any, b: Any) -> Value:
    mask = as_value(condition)
    others = operations.added(operations.ones(()), operations.times(mask, Integer(-1)))
    return operations.added(operations.multiplied(mask, as_value(a)), operations.multiplied(others, as_value(b)))


def opaque(name: str) -> Callable[[Any], Value]:
    """A function of entries of which nothing is known but its name; SymPy's where it has it."""
    found = relu_of if name == "relu" else getattr(sympy, name) if name in SYMPY else Function(name)

    def apply(a: Any, **kwargs: Any) -> Value:
        if kwargs.get("inplace"):
            raise refuse(f"{name} in place")
        return operations.entrywise(as_value(a), found)

    return apply


SYMPY = ("exp", "log", "tanh", "sin", "cos", "sqrt")
FUNCTIONS |= {name: opaque(name) for name in (*SYMPY, "relu", "sigmoid", "gelu", "silu", "erf")}


@function("softmax")
def softmax(a: Any, axis: Any = -1, dim: Any = None) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    if axis is None:
        raise refuse("softmax over all entries at once: name an axis")
    return operations.rowwise("softmax", a, axis)


# made anew


@function("zeros_like")
def zeros_like(a: Any) -> Value:
    return zero(as_value(a).shape)


@function("ones_like")
def ones_like(a: Any) -> Value:
    return operations.ones(as_value(a).shape)


@function("full_like")
def full_like(a: Any, fill_value: Any) -> Value:
    return operations.multiplied(operations.ones(as_value(a).shape), as_value(fill_value))


# put together


@function("concatenate", "concat", "cat")
def concatenate(arrays: Sequence[Any], axis: Any = 0, dim: Any = None) -> Value:
    axis = axis if dim is None else dim
    values = [as_value(one) for one in arrays]
    return joining.concatenated([reshaped(one, (Integer(-1),)) for one in values] if axis is None else values, axis or 0)


@function()
def stack(arrays: Sequence[Any], axis: int = 0, dim: int | None = None) -> Value:
    return joining.stacked([as_value(one) for one in arrays], axis if dim is None else dim)


@function("hstack")
def hstack(tup: Sequence[Any]) -> Value:
    values = [as_value(one) for one in tup]
    return joining.concatenated(values, 0 if values and values[0].order == 1 else 1)


@function("vstack")
def vstack(tup: Sequence[Any]) -> Value:
    values = [as_value(one) for one in tup]
    return joining.concatenated([reshaped(v, (Integer(1), *v.shape)) if v.order == 1 else v for v in values], 0)


@function("column_stack")
def column_stack(tup: Sequence[Any]) -> Value:
    values = [as_value(one) for one in tup]
    return joining.concatenated([reshaped(v, (*v.shape, Integer(1))) if v.order == 1 else v for v in values], 1)


@function("split", view=True)
def split(a: Any, indices_or_sections: Any, axis: int = 0) -> list[Value]:
    a = as_value(a)
    (axis,) = normal_axes(axis, a.order, "split")
    if isinstance(indices_or_sections, tuple | list):
        ends = [0, *indices_or_sections, size_of(a.shape[axis])]
        return [indexing.sliced(a, axis, slice(x, y)) for x, y in zip(ends, ends[1:], strict=False)]
    count = int(indices_or_sections)
    width = size_of(a.shape[axis]) // count
    if not isinstance(width, int) or width * count == a.shape[axis]:
        return [indexing.sliced(a, axis, slice(k * width, (k + 1) * width)) for k in range(count)]
    raise refuse(f"split of an axis of size {a.shape[axis]} into {count} equal parts")


FUNCTIONS |= {
    "shape": lambda a: tuple(map(size_of, as_value(a).shape)),
    "ndim": lambda a: as_value(a).order,
    "size": lambda a, axis=None: size_of(Mul(*as_value(a).shape) if axis is None else as_value(a).shape[axis]),
}
