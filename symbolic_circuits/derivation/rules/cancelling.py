r"""Neighbouring factors whose product is the identity: M M^{-1} = Id, and U^T U = Id by a law of U."""

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr, Identity, MatMul, MatPow, Trace, Transpose
from sympy.core.basic import Basic

from symbolic_circuits.derivation.rules.products import product_of, split_scalars
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused

__all__ = ["CancelInverse", "CancelPair"]


@dataclass(frozen=True, slots=True)
class Cancelling(Rule):
    """What the rules of this module share: pairs of neighbours go, one after another."""

    @abstractmethod
    def cancel(self, left: Expr, right: Expr) -> bool:
        """Whether the product of two matrices is the identity."""

    def apply(self, expr: Basic) -> Basic:
        if isinstance(expr, Trace):
            return self.around(expr)
        if not isinstance(expr, MatMul):
            raise refused(self, expr)
        kept: list[Expr] = []
        for factor in expr.args:
            if kept and self.cancel(kept[-1], factor):
                kept.pop()
            else:
                kept.append(factor)
        if len(kept) == len(expr.args):
            raise refused(self, expr)
        return product_of([*kept, Identity(expr.cols)])

    def around(self, trace: Trace) -> Trace:
        """In a trace the last factor is a neighbour of the first."""
        scalars, kept = split_scalars(trace.arg) if isinstance(trace.arg, MatMul) else ([], [])
        count = len(kept)
        while len(kept) > 2 and self.cancel(kept[-1], kept[0]):
            kept = kept[1:-1]
        if len(kept) == count:
            raise refused(self, trace)
        return Trace(product_of([*scalars, *kept]))


@dataclass(frozen=True, slots=True)
class CancelInverse(Cancelling):
    r"""A matrix next to its inverse.

    .. math:: A M M^{-1} B = A B, \qquad \operatorname{tr}(M A M^{-1}) = \operatorname{tr} A

    Examples
    --------
    >>> from sympy import MatMul, MatrixSymbol
    >>> A, M = MatrixSymbol("A", 2, 2), MatrixSymbol("M", 2, 2)
    >>> CancelInverse().apply(MatMul(A, M, M.I))
    A
    """

    name: ClassVar[str] = "cancel inverse"
    formula: ClassVar[str] = r"M M^{-1} = \mathrm{Id}"
    needs: ClassVar[str] = "a product with a matrix next to its inverse, or a trace of one between them"

    def cancel(self, left: Expr, right: Expr) -> bool:
        return is_inverse(left, right) or is_inverse(right, left)

    @property
    def reason(self) -> Reason:
        return ("cancel the inverse",)


def is_inverse(inverse: Expr, matrix: Expr) -> bool:
    """Whether the one is written as the inverse of the other."""
    return isinstance(inverse, MatPow) and inverse.args[1] == -1 and inverse.args[0] == matrix


@dataclass(frozen=True, slots=True)
class CancelPair(Cancelling):
    r"""Two neighbours whose product is the identity by a law.

    .. math:: A U^\top U B = A B, \qquad A M N B = A B

    Parameters
    ----------
    tensor : the matrix that satisfies the law
    law : ``"orthonormal_columns"``, ``"orthonormal_rows"``, ``"permutation"`` or ``"inverse(N)"``

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> U, A = MatrixSymbol("U", 3, 2), MatrixSymbol("A", 2, 2)
    >>> CancelPair(U, "orthonormal_columns").apply(A * U.T * U * A)
    A*A
    """

    tensor: Expr
    law: str

    name: ClassVar[str] = "cancel by law"
    formula: ClassVar[str] = r"U^\top U = \mathrm{Id}"
    needs: ClassVar[str] = "a product with neighbours whose product is the identity by the law"

    def cancel(self, left: Expr, right: Expr) -> bool:
        kind, _, other = self.law.replace(" ", "").rstrip(")").partition("(")
        square = self.tensor.rows == self.tensor.cols
        turned = Transpose(self.tensor)
        if kind == "inverse":
            names = {str(self.tensor), other}
            return other != "" and {str(left), str(right)} == names
        both = square and kind in ("orthonormal_columns", "orthonormal_rows", "permutation")
        columns = both or kind in ("orthonormal_columns", "permutation")
        rows = both or kind == "orthonormal_rows"
        return (columns and (left, right) == (turned, self.tensor)) or (rows and (left, right) == (self.tensor, turned))

    @property
    def reason(self) -> Reason:
        return (self.tensor, f" {words_of(self.law)}")

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.tensor,)


def words_of(law: str) -> str:
    """A law as the end of a sentence: "has orthonormal columns", "has the inverse N", "is symmetric"."""
    kind, _, other = law.rstrip(") ").partition("(")
    words = kind.strip().replace("_", " ")
    if kind == "inverse":
        return f"has the inverse {other.strip()}"
    if kind == "permutation":
        return "is a permutation"
    return f"has {words}" if words.endswith(("rows", "columns")) else f"is {words}"
