r"""Sizes of symbolic axes as code uses them: ``n, d = X.shape``, ``d // H``, ``X.reshape(n, H, d // H)``, ``1 / d ** 0.5``.

A size that is a number is a Python int. What is not known of a symbol, such as whether n is 3, is an error, not an answer.
"""

from collections.abc import Callable
from fractions import Fraction
from numbers import Integral
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from sympy import Expr, Integer, Rational, cancel

from symbolic_circuits.axes import known_to_differ
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.values import exact

__all__ = ["Size", "as_size_expr", "is_whole", "size_of"]


RELATIONS = {"==": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}


def size_of(expr: Expr) -> "int | Size":
    """A size as code gets it.

    >>> from symbolic_circuits.tracing.shapes import parse_size
    >>> size_of(parse_size("3")) + 1, size_of(parse_size("n*k")) // size_of(parse_size("k"))
    (4, n)
    """
    return int(expr) if isinstance(expr, Integer) else Size(expr)


def is_whole(expr: Expr) -> bool:
    """Whether an expression in sizes is a positive integer whatever they are."""
    return bool(expr.is_integer and expr.is_positive)


def as_size_expr(size: Any) -> Expr | None:
    """A number or a size as an expression; None for anything else."""
    if isinstance(size, Size):
        return size.expr
    return Integer(int(size)) if isinstance(size, Integral) and not isinstance(size, bool) else None


class Size:
    """A size that is no number. Products, sums and divisions without remainder are sizes; other quotients are scalars."""

    __slots__ = ("expr",)
    to_scalar: Callable[[Expr], Any]  # set by the module of traced arrays, which knows scalars

    def __init__(self, expr: Expr) -> None:
        self.expr = expr

    def __repr__(self) -> str:
        return str(self.expr)

    __str__ = __repr__

    def __hash__(self) -> int:
        return hash(self.expr)

    def with_other(self, other: Any, operation: Callable[[Expr, Expr], Expr]) -> Any:
        """A sum or product, a size where it is one."""
        number = as_size_expr(other)
        if number is None:
            if not isinstance(other, float | Fraction):
                return NotImplemented
            number = exact(other)
        found = cancel(operation(self.expr, number))
        return size_of(found) if is_whole(found) or found == 0 else Size.to_scalar(found)

    def __add__(self, other: Any) -> Any:
        return self.with_other(other, lambda a, b: a + b)

    def __mul__(self, other: Any) -> Any:
        return self.with_other(other, lambda a, b: a * b)

    def __sub__(self, other: Any) -> Any:
        return self.with_other(other, lambda a, b: a - b)

    def __rsub__(self, other: Any) -> Any:
        return self.with_other(other, lambda a, b: b - a)

    def __truediv__(self, other: Any) -> Any:
        return self.with_other(other, lambda a, b: a / b)

    def __rtruediv__(self, other: Any) -> Any:
        return self.with_other(other, lambda a, b: b / a)

    __radd__, __rmul__ = __add__, __mul__

    def quotient(self, left: Expr, right: Expr) -> Expr:
        """left / right, known to be whole."""
        found = cancel(left / right)
        if not is_whole(found):
            raise refuse(f"whether {right} divides {left} is not known; declare the axis as a product, such as 'n x H*e'")
        return found

    def __floordiv__(self, other: Any) -> Any:
        number = as_size_expr(other)
        return NotImplemented if number is None else size_of(self.quotient(self.expr, number))

    def __rfloordiv__(self, other: Any) -> Any:
        number = as_size_expr(other)
        return NotImplemented if number is None else size_of(self.quotient(number, self.expr))

    def __mod__(self, other: Any) -> Any:
        number = as_size_expr(other)
        return NotImplemented if number is None else 0 * int(bool(self.quotient(self.expr, number)))

    def __divmod__(self, other: Any) -> Any:
        return self // other, self % other

    def __pow__(self, exponent: Any) -> Any:
        power = exact(exponent)
        if isinstance(power, Integer) and power > 0:
            return size_of(self.expr**power)
        return Size.to_scalar(self.expr ** Rational(power))

    def compared(self, other: Any, relation: str) -> bool:
        """What a comparison says for all sizes; an error where it depends on them."""
        number = as_size_expr(other)
        if number is None:
            number = exact(other)
        difference = (self.expr - number).expand()
        if difference.is_number:
            return bool(RELATIONS[relation](difference, 0))
        if relation in ("==", "!=") and known_to_differ(self.expr, number):
            return relation == "!="
        least = difference.subs(dict.fromkeys(difference.free_symbols, 1))  # sums and products grow with every size
        grows = all(term.as_coeff_Mul()[0] > 0 for term in difference.as_ordered_terms() if term.free_symbols)
        if grows and (least > 0 or (least == 0 and relation in (">=", "<"))):
            return relation in (">", ">=", "!=")
        raise refuse(f"a branch on whether {self} {relation} {number}: it is traced for all sizes; give a number for the size")

    def __eq__(self, other: Any) -> bool:
        if as_size_expr(other) is None and not isinstance(other, float | Fraction):
            return False
        return self.compared(other, "==")

    def __ne__(self, other: Any) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return self.compared(other, "<")

    def __le__(self, other: Any) -> bool:
        return self.compared(other, "<=")

    def __gt__(self, other: Any) -> bool:
        return self.compared(other, ">")

    def __ge__(self, other: Any) -> bool:
        return self.compared(other, ">=")

    def __bool__(self) -> bool:
        return True  # sizes are positive

    def __index__(self) -> int:
        raise refuse(
            f"the symbolic size {self} was asked for as a number; range({self}), np.zeros, np.eye and the like are traced where the "
            "function (or one of its module) calls them by its global names; else give a number for the size"
        )

    def __int__(self) -> int:
        return self.__index__()

    def __float__(self) -> float:
        raise refuse(f"the symbolic size {self} was asked for as a float; write {self} ** 0.5 for its root")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        scalars = [Size.to_scalar(one.expr) if isinstance(one, Size) else one for one in inputs]
        return getattr(ufunc, method)(*scalars, **kwargs)
