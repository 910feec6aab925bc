"""``T -> T'``: rewriting one random term of a statement, and the parts that rewrites are made of."""

from collections.abc import Callable, Sequence
from random import Random

from soundness_statement import Statement, Term

__all__ = ["Replaced", "Rewrite", "ends", "index_at", "laws", "on_term", "rewired", "shuffled", "with_factor", "without"]

Rewrite = Callable[[Random, Statement], Statement | None]
Replaced = tuple[Statement, Sequence[Term]] | None


def on_term(rule: Callable[[Random, Statement, Term], Replaced]) -> Rewrite:
    """A rewrite of a random term, more often on the right."""

    def rewrite(rng: Random, statement: Statement) -> Statement | None:
        places = statement.places() + [("rhs", k) for k in range(len(statement.rhs))] * 2
        if not places:
            return None
        place = rng.choice(places)
        replaced = rule(rng, statement, statement.at(place))
        return None if replaced is None else replaced[0].put(place, replaced[1])

    rewrite.__name__ = rule.__name__
    return rewrite


def shuffled(rng: Random, items: Sequence) -> tuple:
    """In random order."""
    return tuple(rng.sample(list(items), len(items)))


def laws(statement: Statement, term: Term, *names: str) -> list[int]:
    """Positions of the factors with one of these laws."""
    return [k for k, (name, _) in enumerate(term.factors) if any(statement.law(name, law) for law in names)]


def with_factor(rng: Random, term: Term, name: str, ports: tuple[int, ...]) -> Term:
    """The term with another factor somewhere."""
    at = rng.randint(0, len(term.factors))
    return term._replace(factors=term.factors[:at] + ((name, ports),) + term.factors[at:])


def without(term: Term, positions: Sequence[int]) -> Term:
    """The term without some factors."""
    return term._replace(factors=tuple(f for k, f in enumerate(term.factors) if k not in positions))


def ends(term: Term) -> list[tuple[int, int]]:
    """Factor (the outputs are number -1) and port of each index end."""
    return [(k, a) for k, (_, ports) in enumerate(term.factors) for a in range(len(ports))] + [
        (-1, a) for a in range(len(term.output))
    ]


def index_at(term: Term, end: tuple[int, int]) -> int:
    """The index at an end."""
    return term.output[end[1]] if end[0] < 0 else term.factors[end[0]][1][end[1]]


def rewired(term: Term, end: tuple[int, int], index: int) -> Term:
    """The term with another index at an end."""
    k, a = end
    if k < 0:
        return term._replace(output=term.output[:a] + (index,) + term.output[a + 1 :])
    name, ports = term.factors[k]
    return term._replace(factors=term.factors[:k] + ((name, ports[:a] + (index,) + ports[a + 1 :]),) + term.factors[k + 1 :])
