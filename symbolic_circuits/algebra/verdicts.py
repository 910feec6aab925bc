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
    """What is known about a statement lhs = rhs: one of the four classes below, by the word in ``verdict``. It is no boolean.

    Raises
    ------
    TypeError
        It is asked for its truth, as in ``if prove(...):``.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> found = sc.prove_latex("A B = B A", "A, B : n x n")
    >>> isinstance(found, sc.Verdict), found.verdict
    (True, 'refuted')
    >>> bool(found)
    Traceback (most recent call last):
    ...
    TypeError: a verdict is not a boolean: ask for .verdict (here 'refuted'), or use assert_identity in a test
    """

    verdict: ClassVar[str]
    statement: Statement

    def __bool__(self) -> bool:
        raise TypeError(f"a verdict is not a boolean: ask for .verdict (here {self.verdict!r}), or use assert_identity in a test")


@displayed
@dataclass(frozen=True, eq=False)
class Proved(Verdict):
    """lhs = rhs for all sizes that are symbols and all real tensors that satisfy the laws; ``certificate`` is the proof.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> found = sc.prove_latex(r"(A B)^\\top = B^\\top A^\\top", "A : n x m; B : m x n")
    >>> found.verdict, sc.check_certificate(found.certificate)
    ('proved', None)
    """

    verdict = "proved"
    form: NormalForm

    @cached_property
    def certificate(self) -> dict:
        """The proof as plain data, to be written as JSON and replayed by an independent checker."""
        return certificate_of(self.form)


@displayed
@dataclass(frozen=True, eq=False)
class Refuted(Verdict):
    """False: ``witness`` is a counterexample that satisfies the laws, in exact numbers and at the smallest sizes found.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> found = sc.prove_latex("A B = B A", "A, B : n x n")
    >>> found.verdict, found.witness.sizes, found.witness.verify()
    ('refuted', {'n': 2}, True)
    >>> print(found.diagnosis[0].words)
    exchange B (factor 0) and A (factor 1)
    """

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
    """True at the sizes asked for, and not shown for others (where it may be false).

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> found = sc.prove_latex("A B = B A", "A, B : n x n; at n = 1")
    >>> found.verdict, found.sizes, found.error_probability
    ('holds_at', {'n': 1}, None)
    """

    verdict = "holds_at"
    sizes: Mapping[str, int]  # size symbols and their values; axes that were declared with a number are not among them
    error_probability: float | None  # None: shown exactly


@displayed
@dataclass(frozen=True, eq=False)
class Undecided(Verdict):
    """Neither proved nor refuted; ``reason`` says why.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> found = sc.prove_latex(r"f(x + y) = f(x) + f(y)", "x, y : d; f : function")
    >>> found.verdict
    'undecided'
    """

    verdict = "undecided"
    residue: Polynomial | None  # what is left of lhs - rhs; None where it was too large to write out
    reason: str

    @cached_property
    def diagnosis(self) -> list[Edit]:
        """Single edits after which the statement is proved, the likeliest first; empty where there are none."""
        return diagnosis(self.statement) if self.residue is not None else []
