"""``S = S'``: random rewrites of a statement that keep its truth, true or false.

Each takes a random generator and a statement and returns the statement rewritten, or None where there is nothing to rewrite. Those on
a term return the terms that replace it. Each is reversible: a false statement stays false.
"""

from dataclasses import replace
from fractions import Fraction
from random import Random

from soundness_folding import NUMBERS, fold, fold_side, unfold
from soundness_places import Replaced, Rewrite, ends, index_at, laws, on_term, rewired, shuffled, with_factor, without
from soundness_statement import Statement, Term, declared, fresh, merged, sizes_of

__all__ = ["REWRITES", "rewritten"]

MOST_TERMS, MOST_FACTORS, MOST_INDICES = 12, 12, 26


def rewritten(rng: Random, statement: Statement, steps: int) -> Statement:
    """The statement after a chain of random rewrites."""
    for _ in range(steps):
        new = rng.choice(REWRITES)(rng, statement)
        if new is not None and is_small(new):
            statement = new
    return statement


def is_small(statement: Statement) -> bool:
    """Whether a rewritten statement is still one that a person could have written."""
    sides = [statement.lhs, statement.rhs, *statement.defs.values()]
    return all(len(side) <= MOST_TERMS for side in sides) and all(
        len(term.factors) <= MOST_FACTORS and fresh(term) <= MOST_INDICES for side in sides for term in side
    )


# --- order and names -----------------------------------------------------------------------------------------------------------


@on_term
def permute_factors(rng: Random, statement: Statement, term: Term) -> Replaced:
    """Factors commute."""
    return statement, [term._replace(factors=shuffled(rng, term.factors))]


def permute_terms(rng: Random, statement: Statement) -> Statement:
    """Terms commute."""
    return replace(statement, lhs=shuffled(rng, statement.lhs), rhs=shuffled(rng, statement.rhs))


@on_term
def exchange_axes(rng: Random, statement: Statement, term: Term) -> Replaced:
    """``S_ij = S_ji``, ``A_ij = -A_ji`` where declared."""
    found = [
        (k, a, b, sign)
        for k, (name, ports) in enumerate(term.factors)
        for a in range(len(ports))
        for b in range(a + 1, len(ports))
        for law, sign in (("symmetric", 1), ("antisymmetric", -1))
        if statement.law(name, f"{law}({a},{b})")
    ]
    if not found:
        return None
    k, a, b, sign = rng.choice(found)
    name, ports = term.factors[k]
    swapped = list(ports)
    swapped[a], swapped[b] = ports[b], ports[a]
    return statement, [term._replace(factors=term.factors[:k] + ((name, tuple(swapped)),) + term.factors[k + 1 :]).times(sign)]


def transpose_outputs(rng: Random, statement: Statement) -> Statement | None:
    """The same permutation of the output axes on both sides."""
    order = len((statement.lhs + statement.rhs + (Term(Fraction(1), (), ()),))[0].output)
    p = shuffled(rng, range(order))
    sides = {s: tuple(t._replace(output=tuple(t.output[k] for k in p)) for t in getattr(statement, s)) for s in ("lhs", "rhs")}
    return replace(statement, **sides) if order > 1 else None


# --- coefficients and sides ----------------------------------------------------------------------------------------------------


@on_term
def split_term(rng: Random, statement: Statement, term: Term) -> Replaced:
    """``c T = a T + (c - a) T``."""
    part = rng.choice(NUMBERS)
    return statement, [term._replace(coefficient=part), term._replace(coefficient=term.coefficient - part)]


def move_term(rng: Random, statement: Statement) -> Statement | None:
    """``a + b = c`` iff ``a = c - b``."""
    if not statement.places():
        return None
    side, k = rng.choice(statement.places())
    term, other = statement.at((side, k)), "rhs" if side == "lhs" else "lhs"
    statement = statement.put((side, k), [])
    return replace(statement, **{other: (*getattr(statement, other), term.times(-1))})


def scale_sides(rng: Random, statement: Statement) -> Statement:
    """``a = b`` iff ``c a = c b``."""
    number = rng.choice(NUMBERS)
    return replace(statement, **{s: tuple(t.times(number) for t in getattr(statement, s)) for s in ("lhs", "rhs")})


def add_and_subtract(rng: Random, statement: Statement) -> Statement | None:
    """``a = b`` iff ``a + T - T' = b``, where T' is T with its factors in another order; or T is added on both sides."""
    if not statement.places():
        return None
    term = statement.at(rng.choice(statement.places())).times(rng.choice(NUMBERS))
    output = shuffled(rng, term.output) if len({sizes_of(statement, term)[i] for i in term.output}) == 1 else term.output
    term = term._replace(output=output)
    again = term._replace(factors=shuffled(rng, term.factors))
    side = rng.choice(["lhs", "rhs"])
    new = replace(statement, **{side: (*getattr(statement, side), term)})
    other = rng.choice(["lhs", "rhs"])
    return replace(new, **{other: (*getattr(new, other), again.times(-1 if other == side else 1))})


def add_vanishing(rng: Random, statement: Statement) -> Statement | None:
    """``a = b`` iff ``a + T = b`` where T holds ``A_ii..`` of an antisymmetric A."""
    found = [
        (term, ports[a], ports[b])
        for term in statement.lhs + statement.rhs
        for name, ports in term.factors
        for a in range(len(ports))
        for b in range(a + 1, len(ports))
        if statement.law(name, f"antisymmetric({a},{b})")
    ]
    if not found:
        return None
    term, i, j = rng.choice(found)
    return replace(statement, rhs=(*statement.rhs, merged(term, i, j).times(rng.choice(NUMBERS))))


def contract_sides(rng: Random, statement: Statement) -> Statement | None:
    """``a = b`` iff ``sum_i Z_i.. a_i = sum_i Z_i.. b_i`` for a new tensor Z; it may have an output of its own, or only that."""
    every = statement.lhs + statement.rhs
    if not every or (name := f"Z_{len(statement.shapes)}") in statement.shapes:
        return None
    sizes = [sizes_of(statement, every[0])[i] for i in every[0].output]
    at = rng.choice([None, *range(len(sizes))])
    new = rng.choice([s for shape in statement.shapes.values() for s in shape] or ["n"]) if rng.random() < 0.5 else None
    shape = tuple(size for size in (None if at is None else sizes[at], new) if size is not None)

    def contracted(term: Term) -> Term:
        kept = term.output if at is None else term.output[:at] + term.output[at + 1 :]
        own = () if new is None else (fresh(term),)
        ports = (() if at is None else (term.output[at],)) + own
        return with_factor(rng, term, name, ports)._replace(output=kept + own)

    sides = {side: tuple(map(contracted, getattr(statement, side))) for side in ("lhs", "rhs")}
    return replace(statement, shapes=statement.shapes | {name: shape}, **sides)


# --- identities, copies, ones --------------------------------------------------------------------------------------------------


@on_term
def insert_identity(rng: Random, statement: Statement, term: Term) -> Replaced:
    """``T_i = sum_j Id_ij T_j`` at one end of an index."""
    if not ends(term):
        return None
    end, new = rng.choice(ends(term)), fresh(term)
    index = index_at(term, end)
    size = sizes_of(statement, term)[index]
    statement, name = declared(statement, rng.choice(["identity", "identity", "copy"]), (size, size))
    return statement, [with_factor(rng, rewired(term, end, new), name, shuffled(rng, (index, new)))]


@on_term
def insert_copy(rng: Random, statement: Statement, term: Term) -> Replaced:
    """The ends of an index distributed over the three legs of a copy tensor."""
    sizes = sizes_of(statement, term)
    if not sizes:
        return None
    index = rng.choice(list(sizes))
    legs = (index, fresh(term), fresh(term) + 1)
    new = term
    for end in ends(term):
        if index_at(term, end) == index:
            new = rewired(new, end, rng.choice(legs))
    statement, name = declared(statement, "copy", (sizes[index],) * 3)
    return statement, [with_factor(rng, new, name, shuffled(rng, legs))]


@on_term
def remove_delta(rng: Random, statement: Statement, term: Term) -> Replaced:
    """``sum_j Id_ij T_j = T_i``; ones where the index has no other end."""
    found = [k for k in laws(statement, term, "identity", "copy") if term.factors[k][1]]
    if not found:
        return None
    k = rng.choice(found)
    ports = term.factors[k][1]
    size = sizes_of(statement, term)[ports[0]]
    term = without(term, [k])
    for i in ports[1:]:
        term = merged(term, i, ports[0])
    if ports[0] in sizes_of(statement, term):
        return statement, [term]
    statement, name = declared(statement, "ones", (size,))
    return statement, [with_factor(rng, term, name, ports[:1])]


@on_term
def insert_ones(rng: Random, statement: Statement, term: Term) -> Replaced:
    """``T = 1 T`` at indices that are there."""
    sizes = sizes_of(statement, term)
    ports = tuple(rng.choice(list(sizes)) for _ in range(rng.choice([0, 1, 1, 2]))) if sizes else ()
    statement, name = declared(statement, "ones", tuple(sizes[i] for i in ports))
    return statement, [with_factor(rng, term, name, ports)]


@on_term
def remove_ones(rng: Random, statement: Statement, term: Term) -> Replaced:
    """``1 T = T`` where the indices of 1 have another end."""
    for k in laws(statement, term, "ones"):
        rest = without(term, [k])
        if rest.factors and set(term.factors[k][1]) <= set(sizes_of(statement, rest)):
            return statement, [rest]
    return None


def size_two_ways(rng: Random, statement: Statement) -> Statement | None:
    """``a = b`` iff ``a + tr(Id) T = b + (1 . 1) T``."""
    if not any(statement.shapes.values()) or not statement.places():
        return None
    term = statement.at(rng.choice(statement.places())).times(rng.choice(NUMBERS))
    size, i = rng.choice([s for shape in statement.shapes.values() for s in shape]), fresh(term)
    statement, ones = declared(statement, "ones", (size,))
    statement, delta = declared(statement, "identity", (size, size))
    left, right = with_factor(rng, term, delta, (i, i)), with_factor(rng, term, ones, (i,))
    return replace(statement, lhs=(*statement.lhs, left), rhs=(*statement.rhs, right))


REWRITES: list[Rewrite] = [
    permute_factors,
    permute_factors,  # twice: more often
    permute_terms,
    exchange_axes,
    exchange_axes,
    transpose_outputs,
    split_term,
    move_term,
    move_term,
    scale_sides,
    add_and_subtract,
    add_vanishing,
    insert_identity,
    insert_identity,
    insert_copy,
    remove_delta,
    insert_ones,
    remove_ones,
    size_two_ways,
    contract_sides,
    fold,
    fold,
    fold_side,
    unfold,
    unfold,
]
