r"""Verdicts on a statement: proved, refuted, true at the sizes asked for only, or undecided. None of them is a boolean.

| verdict | says |
| --- | --- |
| ``Proved`` | lhs = rhs for all sizes that are symbols and all real tensors that satisfy the laws; has a certificate |
| ``Refuted`` | a counterexample satisfies the laws |
| ``HoldsAt`` | true at the sizes asked for: exactly, or with an error probability; not shown for other sizes |
| ``Undecided`` | what is left of lhs - rhs, and why nothing more is known |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from symbolic_circuits.algebra.certificate import certificate_of
from symbolic_circuits.algebra.diagnosis import Edit, diagnosis
from symbolic_circuits.algebra.normal_form import NormalForm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.witness import Witness
from symbolic_circuits.display import displayed

__all__ = ["HoldsAt", "Proved", "Refuted", "Undecided", "Verdict"]


@dataclass(frozen=True, eq=False)
class Verdict:
    """What is known about a statement."""

    verdict: ClassVar[str]
    statement: Statement

    def __bool__(self) -> bool:
        raise TypeError(f"a verdict is not a boolean: ask for .verdict (here {self.verdict!r}), or use assert_identity in a test")


@displayed
@dataclass(frozen=True, eq=False)
class Proved(Verdict):
    """True for all sizes and all real tensors that satisfy the laws."""

    verdict = "proved"
    form: NormalForm

    @cached_property
    def certificate(self) -> dict:
        """The proof as plain data, to be written as JSON and replayed by an independent checker."""
        return certificate_of(self.form)


@displayed
@dataclass(frozen=True, eq=False)
class Refuted(Verdict):
    """False, with a counterexample."""

    verdict = "refuted"
    residue: Polynomial | None  # lhs - rhs, collected; None where it was too large to write out
    witness: Witness

    @cached_property
    def diagnosis(self) -> list[Edit]:
        """Single edits after which the statement is proved, the likeliest first; empty where there are none."""
        return diagnosis(self.statement) if self.residue is not None else []


@displayed
@dataclass(frozen=True, eq=False)
class HoldsAt(Verdict):
    """True at the sizes asked for."""

    verdict = "holds_at"
    sizes: Mapping[str, int]  # size symbols and their values; axes that were declared with a number are not among them
    error_probability: float | None  # None: shown exactly


@displayed
@dataclass(frozen=True, eq=False)
class Undecided(Verdict):
    """Neither proved nor refuted."""

    verdict = "undecided"
    residue: Polynomial | None  # what is left of lhs - rhs; None where it was too large to write out
    reason: str

    @cached_property
    def diagnosis(self) -> list[Edit]:
        """Single edits after which the statement is proved, the likeliest first; empty where there are none."""
        return diagnosis(self.statement) if self.residue is not None else []
