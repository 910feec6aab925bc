r"""A query is a set of terms: those with a path through given components, those with so many of them; not, and, or.

| class | set of terms |
| --- | --- |
| ``Passes(steps)`` | some path from a leaf to the root passes these steps in this order |
| ``Count(what, relation, number)`` | the number of nodes that match a step (or the order, height, ... of the term) is related to a number |
| ``Not(q)``, ``And(parts)``, ``Or(parts)`` | complement, intersection, union; also ``~q``, ``q & r``, ``q \| r`` |

:func:`symbolic_circuits.expansion.queries.language.parse_query` reads the same from a text, and ``str`` writes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from symbolic_circuits.errors import TermError
from symbolic_circuits.expansion.queries.step import Step

__all__ = ["MEASURES", "RELATIONS", "And", "Count", "Not", "Or", "Passes", "Query", "atoms", "count", "passes"]

MEASURES = ("order", "height", "degree", "heads", "bilinears")  # numbers that a term has
RELATIONS = ("<=", ">=", "=")
STRICT = {"<": ("<=", -1), ">": (">=", 1)}  # of whole numbers: < k is <= k - 1


class Query:
    """A set of terms of any model that has the components named.

    >>> q = passes("attn.0[1]", "bilinear.1.left") & ~passes("attn.0[0]")
    >>> print(q)
    attn.0[1] > bilinear.1.left and not attn.0[0]
    """

    __slots__ = ()

    def __and__(self, other: "Query") -> "Query":
        return And(parts_of(And, self) + parts_of(And, other)) if isinstance(other, Query) else NotImplemented

    def __or__(self, other: "Query") -> "Query":
        return Or(parts_of(Or, self) + parts_of(Or, other)) if isinstance(other, Query) else NotImplemented

    def __invert__(self) -> "Query":
        return self.query if isinstance(self, Not) else Not(self)


@dataclass(frozen=True, slots=True)
class Passes(Query):
    """Some path of the term from a leaf to the root passes the steps in order, each a node of its own."""

    steps: tuple[Step, ...]
    direct: tuple[bool, ...] = ()  # for each step but the first: the node right after the one before
    ends: bool = False  # the last step is the root of the term: it is read by the output itself

    def __post_init__(self) -> None:
        if not self.steps or len(self.direct) != len(self.steps) - 1:
            raise TermError(f"a path of k steps, k at least 1, has k - 1 arrows; got {len(self.steps)} and {len(self.direct)}")

    def __str__(self) -> str:
        arrows = ("", *(" >> " if direct else " > " for direct in self.direct))
        return "".join(f"{a}{s}" for a, s in zip(arrows, self.steps, strict=True)) + (" >> output" if self.ends else "")


@dataclass(frozen=True, slots=True)
class Count(Query):
    """A number of the term is at most, at least or exactly so much; less or more is written so, ``< 3`` as ``<= 2``.

    >>> print(Count("order", "<", 3))
    order <= 2
    """

    what: Step | str  # the nodes that match a step, or one of MEASURES
    relation: str  # "<=", ">=" or "=", made of "<" or ">" where these are given
    number: int

    def __post_init__(self) -> None:
        if isinstance(self.what, str) and self.what not in MEASURES:
            raise TermError(f"terms have {', '.join(MEASURES)}; got {self.what!r}")
        if isinstance(self.what, Step) and self.what.side is not None:
            raise TermError(f"nodes are counted, not their inputs: count {self.what.kind}, not {self.what}")
        if self.relation not in (*RELATIONS, *STRICT) or not isinstance(self.number, int) or self.number < 0:
            raise TermError(f"a count is <=, >=, <, > or = a number from 0; got {self.relation} {self.number}")
        if (self.relation, self.number) == ("<", 0):
            raise TermError(f"numbers of a term are from 0, so that none has {self.what} < 0")
        relation, more = STRICT.get(self.relation, (self.relation, 0))
        object.__setattr__(self, "relation", relation)
        object.__setattr__(self, "number", self.number + more)

    def __str__(self) -> str:
        return f"{self.what} {self.relation} {self.number}"


@dataclass(frozen=True, slots=True)
class Not(Query):
    """The terms that are not of a query."""

    query: Query

    def __str__(self) -> str:
        return f"not ({self.query})" if isinstance(self.query, And | Or) else f"not {self.query}"


@dataclass(frozen=True, slots=True)
class And(Query):
    """The terms of all queries."""

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, Or | And) else str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Or(Query):
    """The terms of any of the queries."""

    parts: tuple[Query, ...]

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


def parts_of(kind: type, query: Query) -> tuple[Query, ...]:
    """The parts of an And (or Or); another query is its own one part."""
    return query.parts if isinstance(query, kind) else (query,)


def atoms(query: Query) -> Iterator[Passes | Count]:
    """The paths and counts that a query is made of, from left to right."""
    waiting = [query]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Not):
            waiting.append(found.query)
        elif isinstance(found, And | Or):
            waiting.extend(reversed(found.parts))
        else:
            yield found


def passes(*steps: str | Step) -> Query:
    """The terms with a path through the steps, in order, other components between them or not.

    >>> print(passes("attn.*[1]", "bilinear.1.left"))
    attn.*[1] > bilinear.1.left
    """
    found = tuple(Step.parse(step) if isinstance(step, str) else step for step in steps)
    return Passes(found, (False,) * (len(found) - 1))


def count(what: str | Step, *, at_least: int | None = None, at_most: int | None = None, exactly: int | None = None) -> Query:
    """The terms with so many nodes that match a step, or of such an order, height, degree, or number of heads or bilinears.

    >>> print(count("attn.*", at_least=1, at_most=2))
    attn.*[*] >= 1 and attn.*[*] <= 2
    """
    counted = Step.parse(what) if isinstance(what, str) and what not in MEASURES else what
    wanted = ((">=", at_least), ("<=", at_most), ("=", exactly))
    found = tuple(Count(counted, relation, number) for relation, number in wanted if number is not None)
    if not found:
        raise TermError(f"counting {counted} takes at_least, at_most or exactly")
    return found[0] if len(found) == 1 else And(found)
