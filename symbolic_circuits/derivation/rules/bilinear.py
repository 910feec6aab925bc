r"""A bilinear layer at sums, B(x + y, z) = B(x, z) + B(y, z), and its symmetry: B(x, x) = B_s(x, x), and B(x, y) = B(y, x)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.rules.distribute import Distribute, has_inner_sum
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.bilinear import ApplyBilinear

__all__ = ["Bilinearity", "ExchangeInputs", "Symmetrise"]


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
class Bilinearity(Rule):
    r"""A layer at sums is the sum over all pairs; sums over heads and numbers come out.

    .. math:: B(x + y, z) = B(x, z) + B(y, z), \qquad B\Bigl(\sum_h x_h, y\Bigr) = \sum_h B(x_h, y), \qquad B(2 x, y) = 2 B(x, y)

    It ends because every result is a sum of layers at what is no sum.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> B = ArraySymbol("B", (2, 2, 2))
    >>> x, y = MatrixSymbol("x", 6, 1), MatrixSymbol("y", 6, 1)
    >>> Bilinearity(B).apply(ApplyBilinear(B, x + y, x))
    B(x, x) + B(y, x)

    References
    ----------
    Sharkey 2023, arXiv 2305.03452: bilinear layers at sums of features.
    """

    B: ArraySymbol

    name: ClassVar[str] = "bilinearity"
    formula: ClassVar[str] = r"B(x + y, z) = B(x, z) + B(y, z)"
    needs: ClassVar[str] = "the layer with a sum as one of its inputs"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, ApplyBilinear) or expr.args[0] != self.B or not has_inner_sum(expr):
            raise refused(self, expr)
        return Distribute().apply(expr)

    @property
    def reason(self) -> Reason:
        return (self.B, " is bilinear")


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
