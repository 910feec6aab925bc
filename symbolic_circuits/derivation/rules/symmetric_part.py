r"""The symmetric part of a third-order tensor at two inputs: B^s(x, y) = 1/2 B(x, y) + 1/2 B(y, x)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy import MatAdd, MatMul, Rational
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.bilinear import ApplyBilinear

__all__ = ["SymmetricPart"]


@dataclass(frozen=True, slots=True)
class SymmetricPart(Rule):
    r"""The symmetric part is half the sum of both orders of the inputs; at equal inputs the layer itself.

    .. math:: B^s(x, y) = \tfrac12 B(x, y) + \tfrac12 B(y, x), \qquad B^s(x, x) = B(x, x)

    It ends because the symmetric part occurs less often afterwards.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> B, S = ArraySymbol("B", (3, 3, 3)), ArraySymbol("S", (3, 3, 3))
    >>> x, y = MatrixSymbol("x", 3, 1), MatrixSymbol("y", 3, 1)
    >>> SymmetricPart(B, S).apply(ApplyBilinear(S, x, y))
    (1/2)*B(x, y) + (1/2)*B(y, x)
    """

    B: ArraySymbol
    symmetric: ArraySymbol

    name: ClassVar[str] = "symmetric part"
    formula: ClassVar[str] = r"B^{s}(x, y) = \tfrac12 B(x, y) + \tfrac12 B(y, x)"
    needs: ClassVar[str] = "the layer whose tensor is the symmetric part of B"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, ApplyBilinear) or expr.args[0] != self.symmetric:
            raise refused(self, expr)
        _, x, y = expr.args
        if x == y:
            return ApplyBilinear(self.B, x, y)
        half = Rational(1, 2)
        return MatAdd(*(MatMul(half, ApplyBilinear(self.B, *inputs)) for inputs in ((x, y), (y, x))))

    @property
    def reason(self) -> Reason:
        return (self.symmetric, " is the symmetric part of ", self.B)

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.symmetric,)
