r"""Summands that are multiples of each other become one: x + 2 x = 3 x, where being equal is decided by the normal form."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from sympy import Expr, Rational
from sympy.core.basic import Basic

from symbolic_circuits.algebra.polynomial import order_key
from symbolic_circuits.derivation.pieces import coefficient_of, is_sum, scaled, total
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.lowering import lower

__all__ = ["CollectTerms", "multiples"]


@dataclass(frozen=True, slots=True)
class CollectTerms(Rule):
    r"""Equal summands are collected, those that cancel vanish.

    .. math:: x + 2 x - y + y = 3 x

    The first of them stays as it is written.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Trace
    >>> A, B = MatrixSymbol("A", 2, 2), MatrixSymbol("B", 2, 2)
    >>> CollectTerms().apply(Trace(A * B) + 2 * Trace(B * A))
    3*Trace(B*A)
    """

    name: ClassVar[str] = "collect terms"
    formula: ClassVar[str] = r"x + x = 2 x"
    needs: ClassVar[str] = "a sum with two summands that are multiples of each other, or one that is zero"

    def apply(self, expr: Basic) -> Basic:
        if not is_sum(expr):
            raise refused(self, expr)
        groups = multiples(expr.args)
        if len(groups) == len(expr.args) and all(ratio for group in groups for _, ratio in group):
            raise refused(self, expr)
        return total([combined([expr.args[k] for k, _ in g], [r for _, r in g]) for g in groups if sum(r for _, r in g)], expr)

    @property
    def reason(self) -> Reason:
        return ("collect equal terms",)


def multiples(summands: Sequence[Expr]) -> list[list[tuple[int, Fraction]]]:
    """Groups of summands that are multiples of the first of each: (number, ratio), zero ones with ratio 0."""
    groups: dict[object, list[tuple[int, Fraction]]] = {}
    firsts: dict[object, Fraction] = {}
    for number, polynomial in enumerate(lower(*summands)):
        if polynomial.is_zero:
            groups.setdefault(("zero", number), []).append((number, Fraction(0)))
            continue
        terms = sorted(polynomial.terms.items(), key=lambda item: order_key(item[0]))
        lead = terms[0][1]
        key = polynomial.names, tuple((name, value / lead) for name, value in terms)
        first = firsts.setdefault(key, lead)
        groups.setdefault(key, []).append((number, lead / first))
    return list(groups.values())


def combined(equal: Sequence[Expr], ratios: Sequence[Fraction]) -> Expr:
    """The sum of multiples of the first."""
    if len(equal) == 1:
        return equal[0]
    coefficient, body = coefficient_of(equal[0])
    ratio = sum(ratios, Fraction(0))
    return scaled(coefficient * Rational(ratio.numerator, ratio.denominator), body)
