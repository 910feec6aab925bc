r"""Scalar factors: f(a x) = a f(x) for what is linear, a numbers or symbol; and powers of sums of scalars, (x + y)^2 multiplied out."""

from dataclasses import dataclass
from typing import ClassVar

from sympy import Add, Expr, Integer, MatMul, Mul, Pow, S, expand_multinomial
from sympy.core.basic import Basic

from symbolic_circuits.derivation.pieces import linear_arguments, scaled
from symbolic_circuits.derivation.places import rebuilt
from symbolic_circuits.derivation.rules.products import split_scalars
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["ExpandPower", "PullScalars"]

MAX_POWER = 8


@dataclass(frozen=True, slots=True)
class PullScalars(Rule):
    r"""Scalars in arguments in which a node is linear are put in front of it, as one.

    .. math:: A (a B) = a A B, \qquad a X \odot b Y = a b \, (X \odot Y), \qquad B(a x, y) = a B(x, y)

    It ends because scalars move outwards.

    Examples
    --------
    >>> from sympy import HadamardProduct, MatrixSymbol, Symbol
    >>> a, X, Y = Symbol("a"), MatrixSymbol("X", 2, 2), MatrixSymbol("Y", 2, 2)
    >>> PullScalars().apply(HadamardProduct(a * X, a * Y)).args
    (a**2, HadamardProduct(X, Y))
    """

    name: ClassVar[str] = "scalars in front"
    formula: ClassVar[str] = r"f(a x) = a f(x)"
    needs: ClassVar[str] = (
        "a product, or another operation that is linear in an argument, with a scalar factor that is not in front"
    )

    def apply(self, expr: Basic) -> Basic:
        front, args = S.One, list(expr.args)
        if isinstance(expr, MatMul):
            scalars, args = split_scalars(expr)
            front = Mul(*scalars)
            numbers = range(len(args))
        else:
            numbers = linear_arguments(expr)
        bound = {limit[0] for limit in expr.limits} if isinstance(expr, MatrixSum | IndexSum) else set()
        for number in numbers:
            factor, args[number] = taken_out(args[number], bound)
            front *= factor
        if front == 1 and len(args) == len(expr.args):
            raise refused(self, expr)
        found = scaled(front, rebuilt(expr, args))
        if found == expr:
            raise refused(self, expr)
        return found

    @property
    def reason(self) -> Reason:
        return ("scalars in front",)


def taken_out(arg: Expr, bound: set[Basic]) -> tuple[Expr, Expr]:
    """The scalars of a product of matrices that do not depend on bound symbols, and the product without them."""
    if not isinstance(arg, MatMul):
        return S.One, arg
    scalars, matrices = split_scalars(arg)
    kept = [factor for factor in scalars if factor.free_symbols & bound]
    if not matrices or len(kept) == len(scalars):
        return S.One, arg
    factor = Mul(*(scalar for scalar in scalars if not scalar.free_symbols & bound))
    rest = (*kept, *matrices)
    return factor, MatMul(*rest) if len(rest) > 1 else rest[0]


@dataclass(frozen=True, slots=True)
class ExpandPower(Rule):
    r"""A power of a sum of scalars as a sum of products.

    .. math:: (x + y)^2 = x^2 + 2 x y + y^2

    Examples
    --------
    >>> from sympy import symbols
    >>> x, y = symbols("x y")
    >>> ExpandPower().apply((x + y) ** 2)
    x**2 + 2*x*y + y**2
    """

    name: ClassVar[str] = "expand power"
    formula: ClassVar[str] = r"(x + y)^2 = x^2 + 2 x y + y^2"
    needs: ClassVar[str] = f"a power of a sum of scalars with an exponent from 2 to {MAX_POWER}"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, Pow) or not isinstance(expr.base, Add) or not isinstance(expr.exp, Integer):
            raise refused(self, expr)
        if not 2 <= expr.exp <= MAX_POWER:
            raise refused(self, expr)
        return expand_multinomial(expr, deep=False)

    @property
    def reason(self) -> Reason:
        return ("multiply the power out",)
