"""What came of the checks of a document: one result a claim, in the order of the document.

| status | what |
| --- | --- |
| ``ok`` | ``=`` is proved, or ``!=`` is refuted by a counterexample |
| ``failed`` | anything else: the other verdict, undecided, not readable |
| ``tested`` | the test that the document points to exists |
| ``not checked`` | listed, with the author's reason |
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from symbolic_circuits.display import displayed

__all__ = ["Check", "Pending", "Report", "Result", "failure_text", "is_as_claimed", "named"]

STATUSES = ("ok", "failed", "tested", "not checked")


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of a claim."""

    id: str  # of the item: A7, A7[2], line-120
    statement: str  # the id that the document gives: A7; empty where it gives none
    line: int
    relation: str  # =, !=; otherwise what kind of item it is
    source: str  # the author's own text
    status: str
    verdict: str  # proved, refuted, holds_at, undecided; error; otherwise empty
    words: str  # one line
    explanation: str = ""  # of a failure, in several lines

    @property
    def is_ok(self) -> bool:
        """Whether it is as claimed."""
        return self.status != "failed"

    def to_data(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Any) -> "Result":
        """From plain data; ValueError where it is damaged."""
        types = {name: int if name == "line" else str for name in cls.__slots__}
        if not isinstance(data, Mapping) or set(data) != set(types):
            raise ValueError("not the fields of a result")
        if not all(type(data[name]) is kind for name, kind in types.items()) or data["status"] not in STATUSES:
            raise ValueError("not the values of a result")
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Pending:
    """A claim that is read, but not yet decided."""

    id: str
    statement: str
    line: int
    relation: str
    source: str
    decide: Callable[["Pending"], Result]

    def settled(self, status: str, verdict: str, words: str, explanation: str = "") -> Result:
        """The result of the claim."""
        return Result(self.id, self.statement, self.line, self.relation, self.source, status, verdict, words, explanation)


Check = Result | Pending


@displayed
@dataclass(frozen=True, slots=True)
class Report:
    """The results of a document."""

    name: str  # the path as it was given
    title: str
    results: tuple[Result, ...]

    @property
    def is_ok(self) -> bool:
        """Whether every check is as claimed."""
        return all(result.is_ok for result in self.results)

    @property
    def counts(self) -> dict[str, int]:
        """Results by what they are: proved, refuted (as claimed), failed, tested, not checked."""
        found = Counter(
            ("refuted" if result.relation == "!=" else "proved") if result.status == "ok" else result.status
            for result in self.results
        )
        return {name: found[name] for name in ("proved", "refuted", "failed", "tested", "not checked")}

    @property
    def statements(self) -> tuple[str, ...]:
        """The ids that the document gives, each once."""
        return tuple(dict.fromkeys(result.statement for result in self.results if result.statement))


def is_as_claimed(relation: str, verdict: str, error_probability: float | None = None) -> bool:
    """Whether a verdict is what a relation claims; a probability is no proof.

    >>> is_as_claimed("=", "proved"), is_as_claimed("!=", "proved"), is_as_claimed("=", "holds_at", 1e-9)
    (True, False, False)
    """
    if relation == "!=":
        return verdict == "refuted"
    return verdict == "proved" or (verdict == "holds_at" and error_probability is None)


def failure_text(name: str, result: Result) -> str:
    """What there is to say of a result that is not as claimed: where, the author's own text, what was found.

    >>> failure = Result("A7", "A7", 12, "=", "A B = B A", "failed", "refuted", "counterexample at n = 2", "refuted at n = 2")
    >>> print(failure_text("proofs/heads.md", failure))
    proofs/heads.md:12: A7: counterexample at n = 2
      A B = B A
      refuted at n = 2
    """
    lines = [
        line for line in (*result.source.splitlines(), *result.explanation.splitlines()) if line.strip() not in ("", result.words)
    ]
    return "\n".join([f"{name}:{result.line}: {result.id}: {result.words}", *(f"  {line}" for line in lines)])


def named(checks: list[Check]) -> list[Check]:
    """Checks with the names of their items: an id that several share is numbered; ``line-120`` where there is none.

    >>> [check.id for check in named([Result("", "A7", k, "=", "", "ok", "proved", "") for k in (3, 4)])]
    ['A7[1]', 'A7[2]']
    """
    ids = [check.statement or f"line-{check.line}" for check in checks]
    counts, seen, out = Counter(ids), Counter(), []
    for check, id in zip(checks, ids, strict=True):
        seen[id] += 1
        out.append(replace(check, id=f"{id}[{seen[id]}]" if counts[id] > 1 else id))
    return out
