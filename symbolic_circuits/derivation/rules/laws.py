r"""Laws of a tensor applied at a place, such as U^T U = Id; and a claim, which only the decision procedure shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr
from sympy.core.basic import Basic

from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.identities.prove import simplify_under

__all__ = ["ApplyLaw", "Claim"]


@dataclass(frozen=True, slots=True)
class ApplyLaw(Rule):
    r"""What is at the place is simplified under one law of one tensor.

    .. math:: U^\top U = \mathrm{Id}, \qquad S^\top = S, \qquad M M^{-1} = \mathrm{Id}

    Parameters
    ----------
    tensor : a matrix, an array or a family
    law : as of ``prove(given=...)``, such as ``"orthonormal_columns"`` or ``"symmetric"``

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> U, A = MatrixSymbol("U", 3, 2), MatrixSymbol("A", 2, 2)
    >>> ApplyLaw(U, "orthonormal_columns").apply(U.T * U * A)
    A
    """

    tensor: Basic
    law: str

    name: ClassVar[str] = "apply law"
    formula: ClassVar[str] = r"U^\top U = \mathrm{Id}"
    needs: ClassVar[str] = "an expression that the law makes simpler"

    def apply(self, expr: Basic) -> Basic:
        if not expr.has(self.tensor):
            raise refused(self, expr)
        try:
            plain, simple = simplify_under(expr), simplify_under(expr, {self.tensor: self.law})
        except SymbolicCircuitsError as error:
            raise refused(self, expr, f"{expr}: {error}") from error
        if simple in (plain, expr):
            raise refused(self, expr)
        return simple

    @property
    def reason(self) -> Reason:
        return (self.tensor, f" is {self.law.replace('_', ' ')}" if self.law else "")

    @property
    def defined(self) -> Iterable[Basic]:
        return (self.tensor,)


@dataclass(frozen=True, slots=True)
class Claim(Rule):
    """An equal expression, shown by the decision procedure alone: no rule says how one comes to it.

    Parameters
    ----------
    value : what is claimed
    using : tensors whose definitions or laws the proof needs, where they do not occur in the value, as in U^T U = Id
    """

    value: Expr
    using: tuple[Basic, ...] = ()

    name: ClassVar[str] = "claim"
    formula: ClassVar[str] = r"x = y"
    needs: ClassVar[str] = "an expression of the shape of what is claimed"

    def apply(self, expr: Basic) -> Basic:
        if tuple(getattr(expr, "shape", ())) != tuple(getattr(self.value, "shape", ())):
            raise refused(self, expr)
        return self.value

    @property
    def reason(self) -> Reason:
        return ("equal normal forms",)

    @property
    def defined(self) -> Iterable[Basic]:
        return (*self.value.free_symbols, *self.using)
