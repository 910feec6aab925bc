r"""Definitions: a tensor replaced by what it stands for, and products folded into a third-order tensor B."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr, HadamardProduct, Identity, KroneckerProduct, MatMul, MatrixSymbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.bilinear import ApplyBilinear

__all__ = ["FoldIntoB", "FoldLayer", "Substitute"]


@dataclass(frozen=True, slots=True)
class Substitute(Rule):
    r"""A tensor is replaced by its definition, or by what was derived for it before.

    .. math:: X_1 = X_0 + \sum_h A^h X_0 (W_{OV}^h)^\top

    Read backwards it names an expression.
    """

    symbol: Expr
    value: Expr

    name: ClassVar[str] = "substitute"
    formula: ClassVar[str] = r"x := y"
    needs: ClassVar[str] = "the tensor that is substituted"

    def apply(self, expr: Basic) -> Basic:
        if expr != self.symbol:
            raise refused(self, expr)
        return self.value

    @property
    def reason(self) -> Reason:
        return ("substitute ", self.symbol)

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.symbol,)


@dataclass(frozen=True, slots=True)
class FoldLayer(Rule):
    r"""A bilinear layer at every position is its third-order tensor applied to the columns.

    .. math:: (\mathrm{Id} \otimes W_{out})\bigl((\mathrm{Id} \otimes W_1) x \odot (\mathrm{Id} \otimes W_2) y\bigr) = B(x, y),
        \qquad B_{ijk} = \sum_p (W_{out})_{ip} (W_1)_{pj} (W_2)_{pk}

    For one position the products are :math:`W_1 x` and :math:`W_2 y` themselves.

    References
    ----------
    Sharkey 2023, arXiv 2305.03452: the bilinear layer as a third-order tensor.
    """

    B: ArraySymbol
    W_1: MatrixSymbol
    W_2: MatrixSymbol
    W_out: MatrixSymbol | None = None  # None: the identity

    name: ClassVar[str] = "fold into B"
    formula: ClassVar[str] = r"W_{\mathrm{out}}(W_1 x \odot W_2 y) = B(x, y)"
    needs: ClassVar[str] = "the layer that B is the tensor of, at columns"

    def apply(self, expr: Basic) -> Basic:
        hidden = expr if self.W_out is None else argument_of(expr, self.W_out)
        if not isinstance(hidden, HadamardProduct) or len(hidden.args) != 2:
            raise refused(self, expr)
        for left, right in (hidden.args, hidden.args[::-1]):  # SymPy orders the factors by name
            x, y = argument_of(left, self.W_1), argument_of(right, self.W_2)
            if x is not None and y is not None and x.cols == y.cols == 1:
                return ApplyBilinear(self.B, x, y)
        raise refused(self, expr)

    @property
    def reason(self) -> Reason:
        return ("definition of ", self.B)

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.B,)


@dataclass(frozen=True, slots=True)
class FoldIntoB(Rule):
    r"""An output matrix, and matrices on the two inputs such as an embedding, are folded into B.

    .. math:: (\mathrm{Id} \otimes P)\, B\bigl((\mathrm{Id} \otimes E) x, (\mathrm{Id} \otimes F) y\bigr) = \tilde B(x, y),
        \qquad \tilde B_{ajk} = \sum_{ibc} P_{ai} B_{ibc} E_{bj} F_{ck}

    Only matrices fold in: an unembedding does not distribute over an elementwise product.
    """

    folded: ArraySymbol
    B: ArraySymbol
    output: Expr | None = None
    left: Expr | None = None
    right: Expr | None = None

    name: ClassVar[str] = "fold a matrix into B"
    formula: ClassVar[str] = r"P \, B(E x, F y) = \tilde{B}(x, y)"
    needs: ClassVar[str] = "the layer B at columns, with the matrices that are folded in front and on its inputs"

    def apply(self, expr: Basic) -> Basic:
        inner = expr if self.output is None else argument_of(expr, self.output)
        if not isinstance(inner, ApplyBilinear) or inner.args[0] != self.B:
            raise refused(self, expr)
        x = inner.args[1] if self.left is None else argument_of(inner.args[1], self.left)
        y = inner.args[2] if self.right is None else argument_of(inner.args[2], self.right)
        if x is None or y is None:
            raise refused(self, expr)
        return ApplyBilinear(self.folded, x, y)

    @property
    def reason(self) -> Reason:
        return ("definition of ", self.folded)

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.folded,)


def argument_of(expr: Expr, matrix: Expr) -> Expr | None:
    """The column x of ``W x`` or ``(Id (x) W) x``; None where it is something else."""
    if not isinstance(expr, MatMul) or len(expr.args) < 2:
        return None
    first, *rest = expr.args
    if isinstance(first, KroneckerProduct) and len(first.args) == 2 and isinstance(first.args[0], Identity):
        first = first.args[1]
    if first != matrix:
        return None
    return rest[0] if len(rest) == 1 else MatMul(*rest)
