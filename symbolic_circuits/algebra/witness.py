r"""Counterexamples: sizes and tensors at which the two sides of a statement differ, exactly.

Without laws other than exchanges of axes a nonzero residue always has one. Sizes are found one after the other, in alphabetical order:
the least value at which the residue is not zero whatever the later sizes are. A term with the most indices, k of them of that
size, has at size k a monomial that no other term makes, so that the search ends. Then a monomial with the fewest entries is set
to small numbers, everything else to zero.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, product
from math import lcm, prod
from typing import Any

import numpy as np
from mpmath import iv

from symbolic_circuits.algebra.fixed import at_sizes
from symbolic_circuits.algebra.functions import FunctionTensor, applied, functions_of, is_exact
from symbolic_circuits.algebra.lawful import diagonal_of_ones, require_room, satisfies
from symbolic_circuits.algebra.monomials import Entries, count_of_monomials, monomials_at, nonzero_entries, output_bounds
from symbolic_circuits.algebra.open_terms import OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import Monomial, Scalar
from symbolic_circuits.algebra.shared import Point, definitions_in_order, number_of_raw_terms, sides_modulo
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.sums import is_sum, parts_of
from symbolic_circuits.algebra.tensor import SizeName, exchanges
from symbolic_circuits.algebra.units import is_unit, place_of
from symbolic_circuits.algebra.values import contracted, scalar_value, size_of
from symbolic_circuits.algebra.witness_code import code_of_witness
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError

__all__ = ["Witness", "find_witness", "side_values"]

MANY = 2_000  # terms beyond which definitions are evaluated once each instead of multiplied out
QUICK = 4_096  # products written out without a second thought
LARGEST = 64  # no size above this is tried

Sum = dict[Monomial, Fraction]  # a number: rationals times radicals


@displayed
@dataclass(frozen=True, eq=False)
class Witness:
    """A counterexample.

    ``verify()`` evaluates both sides again, from the statement as it was given, in exact arithmetic.
    """

    statement: Statement
    sizes: Mapping[str, int]
    scalars: Mapping[str, Fraction]
    arrays: Mapping[str, np.ndarray]  # of rationals; one axis for every axis of the tensor
    entry: tuple[int, ...]  # where the two sides differ
    lhs: Sum
    rhs: Sum
    minimal: bool  # whether no smaller sizes have a counterexample
    modulus: int | None = None  # the sides were evaluated modulo this prime, as the numbers themselves are too long

    def verify(self) -> bool:
        """Whether the sides differ at this entry, and the tensors satisfy the laws."""
        if self.modulus is not None:
            numbers = dict(self.sizes) | {name: int(value) for name, value in self.scalars.items()}
            point = Point({name: array.astype(object) for name, array in self.arrays.items()}, numbers)
            left, right = sides_modulo(self.statement, self.sizes, point, self.modulus)
            return bool(left[self.entry] != right[self.entry])
        left, right = (side_values(self.statement, side, self) for side in (self.statement.lhs, self.statement.rhs))
        found, other = at_entry(left, self.entry), at_entry(right, self.entry)
        as_stated = all(not differ(a, b) for a, b in [*pairs(found, self.lhs), *pairs(other, self.rhs)])
        differs = as_stated and any(differ(a, b) for a, b in pairs(found, other))
        whole = {name: array.reshape(shape_at(self.statement.axes[name], self.sizes)) for name, array in self.arrays.items()}
        return differs and all(
            satisfies(whole[law.tensor], law, whole) for law in self.statement.closed_laws if law.tensor in whole
        )

    def to_code(self) -> str:
        """A test function for pytest that shows the difference in NumPy, exactly."""
        return code_of_witness(self)


def shape_at(axes: Sequence[tuple], sizes: Mapping[str, int]) -> list[int]:
    """The size of each axis."""
    return [prod(size_of(size, sizes) for size in axis) for axis in axes]


def at_entry(values: Mapping[Monomial, np.ndarray], entry: tuple[int, ...]) -> Sum:
    """One entry of a value."""
    found = {monomial: array[entry[: array.ndim]] for monomial, array in values.items()}  # a side that is 0 has no open names
    exact = {monomial: Fraction(value) if isinstance(value, int | Fraction) else value for monomial, value in found.items()}
    return {monomial: value for monomial, value in exact.items() if not isinstance(value, Fraction) or value}


def pairs(left: Sum, right: Sum) -> list[tuple[Any, Any]]:
    """Coefficients of the same radical on both sides."""
    return [(left.get(monomial, Fraction(0)), right.get(monomial, Fraction(0))) for monomial in sorted({*left, *right}, key=str)]


def side_values(statement: Statement, side: object, witness: Witness) -> dict[Monomial, np.ndarray]:
    """One side of a statement at the sizes and tensors of a witness, definitions included."""
    out: dict[Monomial, np.ndarray] = {}
    numbers = {name: Fraction(size) for name, size in witness.sizes.items()} | dict(witness.scalars)
    shape = [largest(size, witness.sizes) for axis in side.axes for size in axis]
    large = number_of_raw_terms(statement) > MANY
    terms = list(side.terms if large else statement.expanded(side.terms))
    enclosed = not all(map(is_exact, statement_functions(statement)))
    arrays = {name: to_intervals(array) for name, array in witness.arrays.items()} if enclosed else dict(witness.arrays)
    if large:
        add_definitions(statement, arrays, witness, numbers)
    add_functions(statement, terms, arrays, witness, numbers)
    for term in terms:
        value = term_value(term, arrays, witness.sizes)
        scalar = scalar_value(term.scalar, numbers)
        value = value * (interval(scalar) if enclosed else scalar.rational)
        monomial = () if enclosed else scalar.monomial
        names = [size_of(term.sizes[index], witness.sizes) for _, index in term.named]
        entries = padded(np.asarray(value, dtype=object), [*shape, *names])
        out[monomial] = np.asarray(out[monomial] + entries, dtype=object) if monomial in out else entries
    return out or {(): np.zeros(shape, dtype=int).astype(object)}


def add_definitions(
    statement: Statement, arrays: dict[str, np.ndarray], witness: Witness, numbers: Mapping[str, Fraction]
) -> None:
    """Add the values of defined tensors, each evaluated once."""
    enclosed = not all(map(is_exact, statement_functions(statement)))
    for name in definitions_in_order(statement):
        total = 0
        for term in statement.definitions[name].terms:
            scalar = scalar_value(term.scalar, numbers)
            if scalar.monomial and not enclosed:
                raise BudgetError(f"the definition of {name} has a root in front; there are too many terms to multiply it out")
            add_functions(statement, [term], arrays, witness, numbers)
            total = total + term_value(term, arrays, witness.sizes) * (interval(scalar) if enclosed else scalar.rational)
        shape = [size_of(size, witness.sizes) for axis in statement.axes[name] for size in axis]
        arrays[name] = np.asarray(np.asarray(total, dtype=object) + np.zeros(shape, dtype=int), dtype=object)


def add_functions(
    statement: Statement,
    terms: Iterable[OpenTerm],
    arrays: dict[str, np.ndarray],
    witness: Witness,
    numbers: Mapping[str, Fraction],
) -> None:
    """Add the values of the function nodes in some terms to the arrays; radicals in their arguments are enclosed."""
    enclosed = not all(map(is_exact, statement_functions(statement)))
    for node in (tensor for term in terms for tensor, _ in term.factors if isinstance(tensor, FunctionTensor)):
        if node.name in arrays:
            continue
        inner = list(statement.expanded(node.argument.terms))
        add_functions(statement, inner, arrays, witness, numbers)
        total = np.zeros([size_of(size, witness.sizes) for size in node.shape], dtype=int).astype(object)
        for term in inner:
            scalar = scalar_value(term.scalar, numbers)
            if scalar.monomial and not enclosed:
                raise ValueError("a function of a root has no exact value")
            total = total + term_value(term, arrays, witness.sizes) * (interval(scalar) if enclosed else scalar.rational)
        arrays[node.name] = applied(node, np.asarray(total, dtype=object))


def statement_functions(statement: Statement) -> list[FunctionTensor]:
    """The function nodes of a statement."""
    sides = (statement.lhs, statement.rhs, *statement.definitions.values())
    return [node for side in sides for node in functions_of(side.terms)]


def interval(scalar: Scalar) -> Any:
    """A number as an interval."""
    out = iv.mpf(scalar.rational.numerator) / scalar.rational.denominator
    for base, exponent in scalar.monomial:
        out = out * iv.exp(iv.log(iv.mpf(base)) * exponent.numerator / exponent.denominator)
    return out


def to_intervals(array: np.ndarray) -> np.ndarray:
    """Rational entries as intervals."""
    out = np.empty(array.shape, dtype=object)
    for place in np.ndindex(array.shape):
        value = Fraction(array[place])
        out[place] = iv.mpf(value.numerator) / value.denominator
    return out


def differ(left: Any, right: Any) -> bool:
    """Whether two numbers are different; of intervals, whether they are disjoint."""
    difference = left - right
    return bool(difference != 0) if isinstance(difference, int | Fraction) else bool(difference.a > 0 or difference.b < 0)


def largest(size: SizeName, sizes: Mapping[str, int]) -> int:
    """The number of places of a leg; of the largest part along an axis that is a sum."""
    return max(size_of(part, sizes) for part in parts_of(size)) if is_sum(size) else size_of(size, sizes)


def padded(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """An array with zeros after its end, so that parts of different size can be added."""
    if array.shape == tuple(shape):
        return array
    out = np.zeros(shape, dtype=int).astype(object)
    out[tuple(map(slice, array.shape))] = array
    return out


def term_value(term: OpenTerm, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int]) -> np.ndarray:
    """The array of one term, without its scalar."""
    output = term.legs + tuple(index for _, index in term.named)
    return contracted(term.factors, output, [size_of(size, sizes) for size in term.sizes], arrays)


def find_witness(statement: Statement, residue: Polynomial, at: Mapping[str, int]) -> Witness:
    """The counterexample, at given sizes or any, to a statement whose residue is not zero; exchanges of axes are its only laws.

    Raises
    ------
    BudgetError
        Deciding whether smaller sizes agree takes too many terms.
    """
    names = size_names(statement)
    sizes, least = dict(at), least_sizes(statement)
    minimal = True
    for name in [name for name in names if name not in at]:
        for value in range(least.get(name, 1), least.get(name, 1) + LARGEST):
            rest = {n: least.get(n, 1) for n in names if n not in sizes and n != name}
            found = differs(residue, sizes | {name: value}, rest)
            minimal &= found is not None
            if found:
                sizes[name] = value
                break
        else:
            raise BudgetError(f"no counterexample was found with {name} below {LARGEST}")
    entries, variables = nonzero_entries(residue, sizes)
    chosen, (entry, _) = values_of_entries(entries)
    require_room(statement, sizes)
    arrays = {name: blank(statement, name, sizes) for name in statement.used}
    for variable, value in chosen.items():
        name, place = variables.place(variable)
        fill(statement, arrays, name, place, value)
    coefficients = summed(entries, entry, chosen)
    scalars = {name: Fraction(1) for name in scalar_names(statement, names)}
    scalars |= values_of_scalars(coefficients)
    place = tuple(int(k) for k in np.unravel_index(entry, output_bounds(residue, sizes)))
    return completed(statement, sizes, scalars, arrays, place, minimal)


def completed(
    statement: Statement,
    sizes: Mapping[str, int],
    scalars: Mapping[str, Fraction],
    arrays: Mapping[str, np.ndarray],
    entry: tuple[int, ...],
    minimal: bool,
) -> Witness:
    """A witness with the values of both sides."""
    bare = Witness(statement, dict(sizes), dict(scalars), dict(arrays), entry, {}, {}, minimal)
    left, right = (at_entry(side_values(statement, side, bare), entry) for side in (statement.lhs, statement.rhs))
    return Witness(statement, dict(sizes), dict(scalars), dict(arrays), entry, left, right, minimal)


def size_names(statement: Statement) -> list[str]:
    """The size symbols of a statement, in alphabetical order."""
    found = {size for axes in statement.axes.values() for axis in axes for size in axis}
    for side in (statement.lhs, statement.rhs, *statement.definitions.values()):
        found |= {part for axis in side.axes for size in axis for part in (parts_of(size) if is_sum(size) else (size,))}
        found |= {size for term in side.terms for size in term.sizes}
    for term in all_terms(statement):
        found |= {name for name, _ in term.scalar.monomial if name in statement.size_symbols}
    return sorted(size for size in found if isinstance(size, str))


def all_terms(statement: Statement) -> list[OpenTerm]:
    """The terms of both sides, of definitions and of the arguments of functions."""
    terms = [term for side in (statement.lhs, statement.rhs, *statement.definitions.values()) for term in side.terms]
    return terms + [term for node in functions_of(tuple(terms)) for term in node.argument.terms]


def scalar_names(statement: Statement, sizes: Sequence[str]) -> list[str]:
    """The scalar symbols of a statement."""
    terms = all_terms(statement)
    return sorted({n for term in terms for n, _ in term.scalar.monomial if isinstance(n, str) and n not in sizes})


def least_sizes(statement: Statement) -> dict[str, int]:
    """The least value of sizes that have an entry such as A[0, 3] held along them."""
    least: dict[str, int] = {}
    for tensor in (tensor for term in all_terms(statement) for tensor, _ in term.factors):
        if is_unit(tensor) and isinstance(tensor.shape[0], str):
            least[tensor.shape[0]] = max(least.get(tensor.shape[0], 1), place_of(tensor) + 1)
    return least


def differs(residue: Polynomial, sizes: Mapping[str, int], rest: Mapping[str, int]) -> bool | None:
    """Whether the residue is nonzero at these sizes for some values of the other sizes, of which the least are given.

    None where that is too much work.
    """
    for more in (0, 1, 2) if rest else (0,):
        trial = dict(sizes) | {name: least + more for name, least in rest.items()}
        if count_of_monomials(residue, trial) <= QUICK:
            if monomials_at(residue, trial)[0]:
                return True
            if not rest:
                return False
    try:
        if not rest:
            return bool(nonzero_entries(residue, sizes)[0])
        return not at_sizes(residue, dict(sizes)).is_zero
    except BudgetError:
        return None


def blank(statement: Statement, name: str, sizes: Mapping[str, int]) -> np.ndarray:
    """A tensor of zeros, one axis for each leg; one that a law determines as it is."""
    shape = [size_of(size, sizes) for size in statement.tensors[name].shape]
    kinds = {law.kind for law in statement.laws if law.tensor == name}
    if "ones" in kinds:
        return np.ones(shape, dtype=int).astype(object)
    if kinds & {"identity", "copy"}:
        return diagonal_of_ones(shape_at(statement.axes[name], sizes)).reshape(shape)
    return np.zeros(shape, dtype=int).astype(object)


def fill(statement: Statement, arrays: Mapping[str, np.ndarray], name: str, place: tuple[int, ...], value: int) -> None:
    """Set an entry, and those that the tensor's exchanges map to it."""
    for order, sign in exchanges(statement.tensors[name], 50_000):
        arrays[name][tuple(place[k] for k in order)] = sign * value


def values_of_entries(entries: Entries) -> tuple[dict[int, int], tuple[int, tuple[int, ...]]]:
    """Small numbers for the fewest variables that make some output entry nonzero."""
    key = min(entries, key=lambda k: (len({v for v in k[1] if v >= 0}), len(k[1]), k))
    entry, variables = key
    support = sorted(set(variables))
    inside = set(support)
    relevant = [(body, value) for (out, body), value in entries.items() if out == entry and inside.issuperset(body)]
    for numbers in small_numbers(len(support)):
        chosen = dict(zip(support, numbers, strict=True))
        total: Sum = {}
        for body, value in relevant:
            weight = 1
            for variable in body:
                weight *= chosen[variable]
            for monomial, coefficient in value.items():
                total[monomial] = total.get(monomial, Fraction(0)) + coefficient * weight
        if any(total.values()):
            return chosen, key
    raise AssertionError("a nonzero polynomial has a nonzero value")


def small_numbers(length: int) -> Iterator[tuple[int, ...]]:
    """Tuples of nonzero integers, ones first."""
    for largest in count(1):
        choices = [*range(1, largest + 1), *range(-1, -largest - 1, -1)]
        for numbers in product(choices, repeat=length):
            if max(map(abs, numbers), default=largest) == largest:
                yield numbers
        if not length:
            return


def summed(entries: Entries, entry: int, chosen: Mapping[int, int]) -> Sum:
    """The value of an output entry, a sum over monomials in scalars and radicals, everything else zero."""
    total: Sum = {}
    for (out, body), value in entries.items():
        if out == entry and set(body) <= set(chosen):
            weight = 1
            for variable in body:
                weight *= chosen[variable]
            for monomial, coefficient in value.items():
                total[monomial] = total.get(monomial, Fraction(0)) + coefficient * weight
    return {monomial: value for monomial, value in total.items() if value}


def values_of_scalars(total: Mapping[Monomial, Fraction]) -> dict[str, Fraction]:
    """Small positive numbers for scalar symbols that keep a sum of monomials from vanishing."""
    exponents = [(name, e) for monomial in total for name, e in monomial if isinstance(name, str)]
    names = sorted({name for name, _ in exponents})
    root = lcm(*(e.denominator for _, e in exponents)) if exponents else 1
    for numbers in small_numbers(len(names)):
        if min(numbers, default=1) < 0:  # symbols may stand for sizes, or for numbers under roots
            continue
        chosen = {name: Fraction(value) ** root for name, value in zip(names, numbers, strict=True)}
        out: Sum = {}
        for monomial, coefficient in total.items():
            scalar = scalar_value(Scalar(coefficient, monomial), chosen)
            out[scalar.monomial] = out.get(scalar.monomial, Fraction(0)) + scalar.rational
        if any(out.values()):
            return chosen
    raise AssertionError("a nonzero sum of monomials has a nonzero value")
