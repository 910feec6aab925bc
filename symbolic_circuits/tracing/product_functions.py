r"""Products by NumPy's names: einsum, ``@``, tensordot, outer, kron, powers and inverses of matrices."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sympy import Inverse, Mul

from symbolic_circuits.tracing import joining, operations
from symbolic_circuits.tracing.coercion import as_value
from symbolic_circuits.tracing.einsums import einsum as einsum_of
from symbolic_circuits.tracing.einsums import labelled
from symbolic_circuits.tracing.operations import letters, normal_axes, reshaped
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.table import FUNCTIONS, function
from symbolic_circuits.tracing.values import Value

__all__: list[str] = []  # they are in the table


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
        raise refuse(
            f"tensordot of arrays of shapes {shown_shape(a.shape)} and {shown_shape(b.shape)} over axes {first} and {second}"
        )
    left, right = letters(a.order, "a"), letters(b.order, "b")
    for i, j in zip(first, second, strict=True):
        right[j] = left[i]
    output = [one for k, one in enumerate(left) if k not in first] + [one for k, one in enumerate(right) if k not in second]
    return labelled("tensordot", [a, b], [left, right], output)


@function()
def inner(a: Any, b: Any) -> Value:
    a, b = as_value(a), as_value(b)
    return tensordot(a, b, ([-1], [-1])) if a.order and b.order else operations.multiplied(a, b)


@function("outer", "ger")
def outer(a: Any, b: Any) -> Value:
    return tensordot(*(reshaped(as_value(one), (Mul(*as_value(one).shape),)) for one in (a, b)), 0)


@function("vdot")
def vdot(a: Any, b: Any) -> Value:
    return tensordot(*(reshaped(as_value(one), (Mul(*as_value(one).shape),)) for one in (a, b)), 1)


@function("vecdot")
def vecdot(a: Any, b: Any, axis: int = -1, dim: int | None = None) -> Value:
    return FUNCTIONS["sum"](operations.multiplied(as_value(a), as_value(b)), axis=axis if dim is None else dim)


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
