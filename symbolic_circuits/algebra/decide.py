r"""Deciding a statement: its normal form proves it, a counterexample refutes it, fixed sizes may save it; else it stays undecided."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np

from symbolic_circuits.algebra.fixed import at_sizes, has_fixed_axes
from symbolic_circuits.algebra.functions import has_values
from symbolic_circuits.algebra.lawful import lawful_arrays
from symbolic_circuits.algebra.monomials import nonzero_entries
from symbolic_circuits.algebra.normal_form import normal_form
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.shared import agreement, difference_modulo, require_few_terms
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Refuted, Undecided, Verdict
from symbolic_circuits.algebra.witness import (
    Witness,
    completed,
    differ,
    find_witness,
    least_sizes,
    scalar_names,
    side_values,
    size_names,
    statement_functions,
)
from symbolic_circuits.errors import BudgetError, IdentityError

__all__ = ["decide"]

DECIDABLE = {"symmetric", "antisymmetric", "identity", "copy", "ones"}  # with these alone a residue always has a counterexample
TRIALS = 60
LARGEST = 4


def decide(statement: Statement, *, at: Mapping[str, int] | None = None, seed: int = 0) -> Verdict:
    """The verdict on a statement.

    Parameters
    ----------
    statement : sides, laws, definitions
    at : sizes at which it is claimed to hold; all by default
    seed : of the random tensors among which a counterexample that satisfies laws is looked for
    """
    try:
        require_few_terms(statement)
        form = normal_form(statement)
    except BudgetError as error:
        return compare_shared(statement, dict(at or {}), seed, str(error))
    if form.is_zero:
        return Proved(statement, form)
    try:
        return refute(statement, form.residue, dict(at or {}), seed)
    except BudgetError as error:
        return Undecided(statement, form.residue, str(error))


def refute(statement: Statement, residue: Polynomial, at: Mapping[str, int], seed: int) -> Verdict:
    """The verdict on a statement whose residue is not zero."""
    require_sizes(statement, at)
    unknown = set(at) - set(size_names(statement))
    if unknown:
        raise IdentityError(
            f"{sorted(unknown)[0]} is not a size of the identity; its sizes are {', '.join(size_names(statement))}"
        )
    nodes = statement_functions(statement)
    if not nodes and (at or has_fixed_axes(residue)) and vanishes_at(statement, residue, at):
        return HoldsAt(statement, at, None)
    unknown = sorted({node.function for node in nodes if not has_values(node)})
    if unknown:
        return Undecided(statement, residue, f"lhs - rhs is not zero for all functions; nothing is known of {', '.join(unknown)}")
    if not nodes and not statement.user_rules and {law.kind for law in statement.laws} <= DECIDABLE:
        return Refuted(statement, residue, find_witness(statement, residue, at))
    witness = lawful_witness(statement, at, seed)
    if witness is not None:
        return Refuted(statement, residue, witness)
    known = sorted({f"{law} of {law.tensor}" for law in statement.laws} | {node.function for node in nodes})
    known += [rule.name for rule in statement.user_rules]
    reason = f"lhs - rhs is not zero by the rules for {', '.join(known)}, and no counterexample that satisfies them was found"
    return Undecided(statement, residue, reason)


def require_sizes(statement: Statement, at: Mapping[str, int]) -> None:
    """Sizes are positive integers, large enough for the entries that the identity speaks of."""
    least = least_sizes(statement)
    for name, size in at.items():
        if not isinstance(size, int) or isinstance(size, bool) or size < 1:
            raise IdentityError(f"the size {name} is a positive integer; got {size!r}")
        if size < least.get(name, 1):
            raise IdentityError(
                f"the identity speaks of entry {least[name] - 1} along an axis of size {name}, which cannot be {size}"
            )


def vanishes_at(statement: Statement, residue: Polynomial, at: Mapping[str, int]) -> bool:
    """Whether what is left is zero at given sizes and fixed axes: entry by entry where no other size is left."""
    if set(size_names(statement)) <= set(at):
        return not nonzero_entries(residue, at)[0]
    return at_sizes(residue, at).is_zero


def compare_shared(statement: Statement, at: Mapping[str, int], seed: int, reason: str) -> Verdict:
    """The verdict on a statement that is too large to multiply out: true at some sizes with a stated probability, or refuted."""
    if statement_functions(statement) or statement.user_rules or not {law.kind for law in statement.laws} <= DECIDABLE:
        return Undecided(statement, None, reason)
    least = least_sizes(statement)
    sizes = {name: at.get(name, max(2 + k % 2, least.get(name, 1))) for k, name in enumerate(size_names(statement))}
    try:
        chance = agreement(statement, sizes, seed)
    except BudgetError as error:
        return Undecided(statement, None, f"{reason}; {error}")
    if chance is not None:
        return HoldsAt(statement, sizes, chance)
    found = difference_modulo(statement, sizes, seed)
    if found is None:
        return Undecided(statement, None, f"{reason}; the sides differ at {sizes} modulo one prime and agree modulo another")
    scalars = {name: Fraction(value) for name, value in found.point.scalars.items() if name not in sizes}
    values = ({(): Fraction(value)} for value in (found.lhs, found.rhs))
    witness = Witness(statement, sizes, scalars, found.point.arrays, found.entry, *values, False, found.prime)
    return Refuted(statement, None, witness)


def lawful_witness(statement: Statement, at: Mapping[str, int], seed: int) -> Witness | None:
    """A counterexample that satisfies the laws, at small sizes first; None where a number of trials found none."""
    if statement.user_rules:
        return None
    rng = Random(seed)
    names = size_names(statement)
    least = least_sizes(statement)
    for small in small_sizes([name for name in names if name not in at]):
        sizes = dict(at) | {name: size + least.get(name, 1) - 1 for name, size in small.items()}
        arrays = lawful_arrays(statement, sizes, rng)
        if arrays is None:
            continue
        scalars = {name: random_scalar(name in statement.signed, rng) for name in scalar_names(statement, names)}
        bare = Witness(statement, sizes, scalars, arrays, (), {}, {}, False)
        try:
            entry = first_difference(statement, bare)
        except (ArithmeticError, ValueError):
            continue  # outside of the domain of a function
        if entry is not None:
            return completed(statement, sizes, scalars, arrays, entry, False)
    return None


def random_scalar(signed: bool, rng: Random) -> int:
    """A number with roots of many orders; negative now and then where it may be."""
    return (rng.choice([-1, 1]) if signed else 1) * rng.randint(1, 5) ** 12


def first_difference(statement: Statement, witness: Witness) -> tuple[int, ...] | None:
    """An entry at which the sides differ."""
    left, right = (side_values(statement, side, witness) for side in (statement.lhs, statement.rhs))
    for monomial in sorted(set(left) | set(right)):
        one, other = (np.asarray(side.get(monomial, 0), dtype=object) for side in (left, right))
        one, other = np.broadcast_arrays(one, other)
        for place in np.ndindex(one.shape):
            if differ(one[place], other[place]):
                return place
    return None


def small_sizes(names: list[str]) -> Iterator[Mapping[str, int]]:
    """Sizes in order of their sum, several times each."""
    choices = sorted(product(range(1, LARGEST + 1), repeat=len(names)), key=lambda sizes: (sum(sizes), sizes))
    repeats = max(1, TRIALS // len(choices))
    for sizes in choices[:TRIALS]:
        for _ in range(repeats):
            yield dict(zip(names, sizes, strict=True))
