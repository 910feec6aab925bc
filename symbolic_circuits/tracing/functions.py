r"""Sums, functions of entries, and arrays made or put together, by NumPy's names.

Keywords that only say how to compute (``optimize``, ``dtype=float``) are read over. ``out=``, and what the table does not have, is an error.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import sympy
from sympy import Function, Integer, Mul
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray

from symbolic_circuits.syntax.functions import relu as relu_of
from symbolic_circuits.tracing import indexing, joining, operations
from symbolic_circuits.tracing.coercion import as_value, require_real
from symbolic_circuits.tracing.contracting import zero
from symbolic_circuits.tracing.operations import normal_axes, reshaped
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.sizes import size_of
from symbolic_circuits.tracing.table import FUNCTIONS, function
from symbolic_circuits.tracing.values import Value

__all__ = ["opaque"]

# sums


@function("sum")
def total(a: Any, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    real_entries("sum", keepdims, dtype)
    axes = range(a.order) if axis is None else normal_axes(axis, a.order, "sum")
    return operations.summed(a, tuple(axes), keepdims or keepdim)


@function()
def mean(a: Any, axis: Any = None, keepdims: bool = False, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
    a, axis = as_value(a), axis if dim is None else dim
    real_entries("mean", keepdims, dtype)
    axes = tuple(range(a.order)) if axis is None else normal_axes(axis, a.order, "mean")
    found = operations.summed(a, axes, keepdims or keepdim)
    return operations.times(found, 1 / Mul(*(a.shape[k] for k in axes)))


def real_entries(what: str, keepdims: Any, dtype: Any) -> None:
    """NumPy's third argument by position is a dtype, PyTorch's keepdim; entries are not cut off."""
    if not isinstance(keepdims, int | None):
        raise refuse(f"{what} with the third argument {keepdims!r}: write dtype=... or keepdims=...")
    if dtype is not None:
        require_real(what, dtype)


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


@function("multiply.outer")
def multiply_outer(a: Any, b: Any) -> Value:
    a, b = as_value(a), as_value(b)
    return operations.multiplied(reshaped(a, (*a.shape, *[Integer(1)] * b.order)), b)


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
    mask = constant_mask(as_value(condition))
    others = operations.added(operations.ones(()), operations.times(mask, Integer(-1)))
    return operations.added(operations.multiplied(mask, as_value(a)), operations.multiplied(others, as_value(b)))


def constant_mask(condition: Value) -> Value:
    """Ones where entries that are numbers are not zero."""
    if not isinstance(condition.expr, MatrixBase | NDimArray):
        raise refuse("where: its condition is no array of numbers; pass zeros and ones as an argument and multiply")
    return Value(condition.expr.applyfunc(lambda entry: Integer(entry != 0)), condition.shape)


def opaque(name: str) -> Callable[[Any], Value]:
    """A function of entries of which nothing is known but its name; SymPy's where it has it."""
    found = relu_of if name == "relu" else getattr(sympy, name) if name in SYMPY else Function(name)

    def apply(a: Any, **kwargs: Any) -> Value:
        if kwargs.get("approximate", "none") != "none":
            raise refuse(f"{name} with approximate={kwargs['approximate']!r}")
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
        return [indexing.sliced(a, axis, slice(x, y)) for x, y in pairwise(ends)]
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
