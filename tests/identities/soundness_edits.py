"""``T_ij -> T_ji`` and the like: one small edit of a statement, which makes most true ones false.

``EDITS`` are those of the near-misses. ``plant_edit`` takes a true identity and makes it false by an edit that a diagnosis can undo
without a tensor that the statement lacks.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from random import Random
from typing import NamedTuple

from soundness_judge import judge, judging_cost
from soundness_places import ends, index_at, rewired, with_factor, without
from soundness_statement import Statement, Term, names_of, read, sizes_of, written

__all__ = ["EDITS", "EDIT_WEIGHTS", "SHARES", "Planted", "plant_edit"]

Edit = Callable[[Random, Statement, Term], Term | None]


def swap_ends(
    rng: Random, statement: Statement, term: Term, is_pair: Callable[[tuple[int, int], tuple[int, int]], bool]
) -> Term | None:
    """Two ends with different indices of one size exchanged."""
    sizes, every = sizes_of(statement, term), ends(term)
    pairs = [
        (e, f)
        for at, e in enumerate(every)
        for f in every[at + 1 :]
        if is_pair(e, f) and (i := index_at(term, e)) != (j := index_at(term, f)) and sizes[i] == sizes[j]
    ]
    if not pairs:
        return None
    e, f = rng.choice(pairs)
    return rewired(rewired(term, e, index_at(term, f)), f, index_at(term, e))


def transpose(rng: Random, statement: Statement, term: Term) -> Term | None:
    """Two axes of a factor exchanged."""
    return swap_ends(rng, statement, term, lambda e, f: e[0] == f[0] >= 0)


def swap_indices(rng: Random, statement: Statement, term: Term) -> Term | None:
    """An index of one factor exchanged with one of another."""
    return swap_ends(rng, statement, term, lambda e, f: e[0] != f[0] and e[0] >= 0 and f[0] >= 0)


def swap_outputs(rng: Random, statement: Statement, term: Term) -> Term | None:
    """Two output letters of one term exchanged."""
    return swap_ends(rng, statement, term, lambda e, f: e[0] == f[0] == -1)


def swap_names(rng: Random, statement: Statement, term: Term) -> Term | None:
    """Two factors of one shape exchange their names."""
    f, shapes = term.factors, statement.shapes
    number = range(len(f))
    pairs = [(a, b) for a in number for b in number if a < b and f[a][0] != f[b][0] and shapes[f[a][0]] == shapes[f[b][0]]]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    names = {a: f[b][0], b: f[a][0]}
    return term._replace(factors=tuple((names.get(k, name), ports) for k, (name, ports) in enumerate(f)))


def rename(rng: Random, statement: Statement, term: Term) -> Term | None:
    """Another tensor of the same shape that is on one of the sides."""
    names, shapes = sorted(names_of(statement)), statement.shapes
    found = [(k, n) for k, (name, _) in enumerate(term.factors) for n in names if n != name and shapes[n] == shapes[name]]
    if not found:
        return None
    k, name = rng.choice(found)
    return term._replace(factors=term.factors[:k] + ((name, term.factors[k][1]),) + term.factors[k + 1 :])


def rewire(rng: Random, statement: Statement, term: Term) -> Term | None:
    """Another index of the term at one end."""
    sizes = sizes_of(statement, term)
    found = [(e, i) for e in ends(term) for i in sizes if i != index_at(term, e) and sizes[i] == sizes[index_at(term, e)]]
    return valid(rewired(term, *rng.choice(found))) if found else None


def scale(rng: Random, statement: Statement, term: Term) -> Term:
    """Another coefficient."""
    return term.times(rng.choice([2, Fraction(1, 2), 3, 1 + 1 / term.coefficient if abs(term.coefficient) != 1 else 2]))


def negate(rng: Random, statement: Statement, term: Term) -> Term:
    """The other sign."""
    return term.times(-1)


def drop_factor(rng: Random, statement: Statement, term: Term) -> Term | None:
    """One factor less; its other indices are summed or free as before."""
    return valid(without(term, [rng.randrange(len(term.factors))]))


def duplicate_factor(rng: Random, statement: Statement, term: Term) -> Term:
    """A factor once more, at the same indices."""
    return with_factor(rng, term, *rng.choice(term.factors))


def drop_term(rng: Random, statement: Statement, term: Term) -> Term:
    """A term less."""
    return term.times(0)


def duplicate_term(rng: Random, statement: Statement, term: Term) -> Term:
    """A term once more."""
    return term.times(2)


def valid(term: Term) -> Term | None:
    """The term, where it has a factor and its outputs have an end at one."""
    return term if term.factors and set(term.output) <= {i for _, ports in term.factors for i in ports} else None


EDITS: dict[str, Edit] = {
    edit.__name__: edit
    for edit in (
        transpose,  # this and the next three change nothing at size 1
        swap_indices,
        swap_outputs,
        rewire,
        swap_names,
        rename,
        scale,
        negate,
        drop_factor,
        duplicate_factor,
        drop_term,
        duplicate_term,
    )
}


def edited(rng: Random, statement: Statement, edit: Edit) -> tuple[Statement, tuple[str, int]] | None:
    """The statement with a random term edited, and the place of that term."""
    places = [place for place in statement.places() if statement.at(place).coefficient]
    if not places:
        return None
    place = rng.choice(places)
    new = edit(rng, statement, statement.at(place))
    if new is None:
        return None
    copies = [new._replace(coefficient=statement.at(place).coefficient)] * 2 if edit is duplicate_term else [new]
    return statement.put(place, copies if new.coefficient else []), place


EDIT_WEIGHTS = [6, 6, 5, 6] + [2] * 8  # in the order of EDITS


# --- planted edits -------------------------------------------------------------------------------------------------------------

SHARES = {  # kind: weight
    "transpose": 4,
    "swap_names": 4,
    "swap_indices": 3,
    "factor": 3,
    "sign": 2,
    "drop_term": 2,
    "extra_term": 2,
    "unsymmetrised": 3,
}


class Planted(NamedTuple):
    """What was done to a true identity."""

    kind: str  # a key of SHARES
    side: str  # "lhs" or "rhs"
    position: int  # of the term in the side, before the edit
    true: dict  # the identity before the edit: a correction need not equal it, ``judge(correction)`` decides


def plant_edit(rng: Random, identity: dict, tries: int = 60) -> tuple[dict, Planted]:
    """A false identity, one edit away from a true one that says more than 0 = 0, and what the edit was.

    Neither has a tensor on its sides that the other lacks on its.

    Examples
    --------
    >>> identity = {"id": "product", "lhs": [[1, "ij,jk->ik", ["A", "B"]]], "rhs": [[1, "jk,ij->ik", ["B", "A"]]],
    ...             "shapes": {"A": ["n", "n"], "B": ["n", "n"]}}
    >>> false, planted = plant_edit(Random(1), identity)
    >>> judge(false), judge(planted.true), planted.kind in SHARES
    (False, True, True)
    """
    if judge({**identity, "rhs": []}):
        raise ValueError(f"Planting an edit in {identity.get('id')!r}: both sides are 0.")
    statement = read(identity)
    names = names_of(statement)
    for kind in rng.choices(list(SHARES), list(SHARES.values()), k=tries):
        done = planted_as(rng, statement, kind)
        if done is None or names_of(done[0]) != names:
            continue
        false = written(rng, done[0], f"{identity.get('id', '')}:{kind}")
        if judging_cost(false)[0] < 200_000 and not judge(false):
            return false, Planted(kind, *done[1], identity)
    raise ValueError(f"Planting an edit in {identity.get('id')!r}: none of {tries} tries made it false.")


def planted_as(rng: Random, statement: Statement, kind: str) -> tuple[Statement, tuple[str, int]] | None:
    """An edit of a kind."""
    if kind == "unsymmetrised":
        return unsymmetrise(rng, statement)
    if kind == "extra_term":
        source = statement.at(rng.choice([place for place in statement.places() if statement.at(place).coefficient]))
        edit = rng.choice([transpose, swap_names, swap_indices, scale])
        extra = edit(rng, statement, source)
        side = rng.choice(["lhs", "rhs"])
        terms = getattr(statement, side)
        return extra and (replace(statement, **{side: (*terms, extra)}), (side, len(terms)))
    if kind == "factor":
        return edited(rng, statement, lambda rng, _, term: term.times(rng.choice([2, Fraction(1, 2)])))
    return edited(rng, statement, EDITS["negate" if kind == "sign" else kind])


def unsymmetrise(rng: Random, statement: Statement) -> tuple[Statement, tuple[str, int]] | None:
    """``B`` for ``(B + B^T)/2``: two terms that differ in one transpose as one, or a defined half sum as its tensor."""
    defined = [
        (p, k, n) for p in statement.places() for k, (n, _) in enumerate(statement.at(p).factors) if is_half_sum(statement, n)
    ]
    pairs = [
        (p, q)
        for p in statement.places()
        for q in statement.places()
        if p < q and p[0] == q[0] and differ_in_one_transpose(statement.at(p), statement.at(q))
    ]
    if pairs and (rng.random() < 0.5 or not defined):
        p, q = rng.choice(pairs)
        doubled = statement.put(q, []).put(p, [statement.at(p).times(2)])
        return doubled, p
    if not defined:
        return None
    place, k, name = rng.choice(defined)
    term, (inner, _) = statement.at(place), statement.defs[name][0].factors[0]
    return statement.put(
        place, [term._replace(factors=term.factors[:k] + ((inner, term.factors[k][1]),) + term.factors[k + 1 :])]
    ), place


def is_half_sum(statement: Statement, name: str) -> bool:
    """Whether a definition is ``(B + B with two axes exchanged)/2`` with the axes of B in order in the first term."""
    body = statement.defs.get(name, ())
    return (
        len(body) == 2
        and all(term.coefficient == Fraction(1, 2) and len(term.factors) == 1 for term in body)
        and body[0].factors[0][0] == body[1].factors[0][0]
        and body[0].factors[0][1] == body[0].output
        and sorted(body[1].factors[0][1]) == sorted(body[1].output) == sorted(body[0].output)
    )


def differ_in_one_transpose(a: Term, b: Term) -> bool:
    """Whether two terms of one coefficient differ in two axes of one factor, as written."""
    target = renumbered(b)
    swapped = (
        rewired(rewired(a, (k, x), ports[y]), (k, y), ports[x])
        for k, (_, ports) in enumerate(a.factors)
        for x in range(len(ports))
        for y in range(x + 1, len(ports))
    )
    return a.coefficient == b.coefficient and renumbered(a) != target and any(renumbered(term) == target for term in swapped)


def renumbered(term: Term) -> Term:
    """The term with factors in the order of their names and indices in that of their first end."""
    factors = sorted(term.factors, key=lambda factor: factor[0])
    number = {i: k for k, i in enumerate(dict.fromkeys([*term.output, *(i for _, ports in factors for i in ports)]))}
    renamed = tuple((name, tuple(number[i] for i in ports)) for name, ports in factors)
    return Term(term.coefficient, renamed, tuple(number[i] for i in term.output))
