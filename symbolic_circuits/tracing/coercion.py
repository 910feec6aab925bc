"""What stands for an array, a size or a shape among the arguments of a call."""

from fractions import Fraction
from numbers import Number
from typing import Any

import numpy
from sympy import Expr
from sympy.core.basic import Basic

from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.sizes import Size, as_size_expr
from symbolic_circuits.tracing.values import Value, exact, from_sympy, scalar

__all__ = ["as_shape", "as_value", "require_real"]


def as_value(item: Any) -> Value:
    """A value; numbers and sizes as scalars.

    >>> as_value(0.5)
    Value(expr=1/2, shape=())
    """
    if isinstance(item, Value):
        return item
    if isinstance(item, Size):
        return scalar(item.expr)
    if isinstance(item, Basic):
        return from_sympy(item)
    if isinstance(item, Number | Fraction | numpy.generic):
        return scalar(exact(item))
    if isinstance(item, tuple | list):
        raise refuse("a list where an array is expected: use np.stack")
    raise refuse(f"{type(item).__name__} is no array: {str(item)[:60]}")


def as_shape(shape: Any) -> tuple[Expr, ...]:
    """The sizes of a shape; -1 stays."""
    sizes = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    found = [as_size_expr(size) for size in sizes]
    for size, expr in zip(sizes, found, strict=True):
        if expr is None or expr == 0 or (expr.is_negative and expr != -1):
            raise refuse(f"{size!r} is no size of an axis")
    return tuple(found)


def require_real(what: str, dtype: Any) -> None:
    """Refuse a type of entries that cuts them off."""
    name = getattr(dtype, "__name__", str(dtype)).split(".")[-1]
    if not name.startswith(("float", "double", "f8", "f4", "bfloat16")):
        raise refuse(f"{what}({name}): entries are real numbers")
