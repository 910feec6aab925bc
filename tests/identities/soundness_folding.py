"""``D_ij := c A_ik B_kj``: definitions folded and unfolded at random, which keeps the truth of a statement."""

from dataclasses import replace
from fractions import Fraction
from random import Random

from soundness_places import Replaced, ends, index_at, on_term, rewired, with_factor, without
from soundness_statement import Statement, Term, fresh, merged, sizes_of

__all__ = ["NUMBERS", "fold", "fold_side", "unfold"]

NUMBERS = [Fraction(1, 2), Fraction(-1), Fraction(2), Fraction(3), Fraction(-2, 3), Fraction(5, 2), Fraction(-7)]


@on_term
def fold(rng: Random, statement: Statement, term: Term) -> Replaced:
    """Some factors as a new definition, whose outputs are the indices with an end elsewhere; one may be an output twice."""
    chosen = rng.sample(range(len(term.factors)), rng.randint(1, min(4, len(term.factors))))
    part, sizes = [term.factors[k] for k in chosen], sizes_of(statement, term)
    rest = without(term, chosen)
    inside, outside = {i for _, ports in part for i in ports}, {i for _, ports in rest.factors for i in ports} | set(rest.output)
    boundary = rng.sample(sorted(inside & outside), len(inside & outside))
    if len(boundary) > 4:
        return None
    call = list(boundary)
    if boundary and len(boundary) < 4 and rng.random() < 0.2:
        twice = rng.choice(boundary)
        boundary.append(twice)
        call.append(fresh(term))
        moved = [e for e in ends(rest) if index_at(rest, e) == twice and rng.random() < 0.5]
        for end in moved:
            rest = rewired(rest, end, fresh(term))
    number = rng.choice(NUMBERS + [Fraction(1)] * 5)
    name = new_name(statement)
    body = Term(1 / number, tuple(part), tuple(boundary))
    statement = define(statement, name, tuple(sizes[i] for i in boundary), (body,))
    return statement, [with_factor(rng, rest, name, tuple(call)).times(number)]


def fold_side(rng: Random, statement: Statement) -> Statement | None:
    """Some terms of a side as a new definition, applied once."""
    side = rng.choice(["lhs", "rhs"])
    terms = getattr(statement, side)
    if len(terms) < 2 or len(terms[0].output) > 4:
        return None
    chosen = rng.sample(range(len(terms)), rng.randint(2, len(terms)))
    sizes = sizes_of(statement, terms[0])
    name, outputs = new_name(statement), tuple(range(len(terms[0].output)))
    body = tuple(terms[k] for k in chosen)
    statement = define(statement, name, tuple(sizes[i] for i in terms[0].output), body)
    rest = [t for k, t in enumerate(terms) if k not in chosen]
    return replace(statement, **{side: (*rest, Term(Fraction(1), ((name, outputs),), outputs))})


@on_term
def unfold(rng: Random, statement: Statement, term: Term) -> Replaced:
    """A definition expanded: products distribute over its terms."""
    found = [k for k, (name, _) in enumerate(term.factors) if name in statement.defs]
    return (statement, expand(statement, term, rng.choice(found))) if found else None


def expand(statement: Statement, term: Term, k: int) -> list[Term]:
    """The term with its k-th factor, a defined one, replaced."""
    name, ports = term.factors[k]
    result = []
    for body in statement.defs[name]:
        shift = fresh(term)
        inner = tuple((f, tuple(i + shift for i in inner_ports)) for f, inner_ports in body.factors)
        new = term._replace(factors=term.factors[:k] + inner + term.factors[k + 1 :]).times(body.coefficient)
        call = list(ports)
        for position, i in enumerate(body.output):
            new = merged(new, i + shift, call[position])
            # the index of a repeated output now has another name
            for later in range(position + 1, len(call)):
                if body.output[later] == i:
                    new = merged(new, call[later], call[position])
                    call = [call[position] if c == call[later] else c for c in call]
        result.append(new)
    return result


def new_name(statement: Statement) -> str:
    """A name that no tensor has."""
    return next(f"D_{k}" for k in range(1000) if f"D_{k}" not in statement.shapes)


def define(statement: Statement, name: str, sizes: tuple[str, ...], body: tuple[Term, ...]) -> Statement:
    """The statement with another definition."""
    return replace(statement, shapes=statement.shapes | {name: sizes}, defs=statement.defs | {name: body})
