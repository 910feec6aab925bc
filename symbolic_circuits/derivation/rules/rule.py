"""A rule: a named pure function from an expression to an equal one, with words and a formula that say what it does."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from sympy.core.basic import Basic

from symbolic_circuits.errors import DerivationError

__all__ = ["Reason", "Rule", "refused"]

Reason = tuple[str | Basic, ...]  # text and formulas in turn


class Rule(ABC):
    """What a step does at its place.

    Rules are frozen data: two with equal parameters are equal, and the same rule at the same expression gives the same result.
    """

    name: ClassVar[str]  # in files and messages
    formula: ClassVar[str]  # the identity in LaTeX
    needs: ClassVar[str]  # what must be at the place

    @abstractmethod
    def apply(self, expr: Basic) -> Basic:
        """The expression that stands in the place afterwards.

        Raises
        ------
        DerivationError
            The rule does not apply: the message has what it needs and what is there.
        """

    @property
    @abstractmethod
    def reason(self) -> Reason:
        """What was done, in words."""

    @property
    def defined(self) -> Iterable[Basic]:
        """Tensors whose definitions or laws the rule uses."""
        return ()


class Refused(DerivationError):
    """A rule does not apply; the message is made when it is read, as printing an expression takes longer than trying a rule on it."""

    def __init__(self, rule: Rule, expr: Basic, found: str = "") -> None:
        super().__init__(rule, expr, found)
        self.rule, self.expr, self.found = rule, expr, found

    def __str__(self) -> str:
        there = self.found or f"{type(self.expr).__name__} {self.expr}"
        shown = there if len(there) <= 400 else f"{there[:400]} ..."
        return f"{self.rule.name} does not apply: it needs {self.rule.needs}; there is {shown}"


def refused(rule: Rule, expr: Basic, found: str = "") -> DerivationError:
    """The error of a rule that does not apply."""
    return Refused(rule, expr, found)
