r"""Symmetry of a bilinear layer: B(x, x) = B_s(x, x) with its symmetric part, and B(x, y) = B(y, x) where B is symmetric."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.bilinear import ApplyBilinear

__all__ = ["ExchangeInputs", "Symmetrise"]


@dataclass(frozen=True, slots=True)
class Symmetrise(Rule):
    r"""At equal inputs a layer is its symmetric part.

    .. math:: B(x, x) = B^s(x, x), \qquad B^s_{ijk} = \tfrac12 (B_{ijk} + B_{ikj})
    """

    B: ArraySymbol
    symmetric: ArraySymbol

    name: ClassVar[str] = "symmetrise B"
    formula: ClassVar[str] = r"B(x, x) = B^{s}(x, x)"
    needs: ClassVar[str] = "the layer at two equal inputs"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, ApplyBilinear) or expr.args[0] != self.B or expr.args[1] != expr.args[2]:
            raise refused(self, expr)
        return ApplyBilinear(self.symmetric, *expr.args[1:])

    @property
    def reason(self) -> Reason:
        return ("symmetrise ", self.B)

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.symmetric,)


@dataclass(frozen=True, slots=True)
class ExchangeInputs(Rule):
    r"""A layer with tied weights, or another one whose tensor is symmetric, does not tell its inputs apart.

    .. math:: B(x, y) = B(y, x)
    """

    B: ArraySymbol

    name: ClassVar[str] = "exchange inputs"
    formula: ClassVar[str] = r"B(x, y) = B(y, x)"
    needs: ClassVar[str] = "the layer whose tensor is symmetric in its inputs"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, ApplyBilinear) or expr.args[0] != self.B:
            raise refused(self, expr)
        return ApplyBilinear(self.B, expr.args[2], expr.args[1])

    @property
    def reason(self) -> Reason:
        return (self.B, " is symmetric")

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.B,)
