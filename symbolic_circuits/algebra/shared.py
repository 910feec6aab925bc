r"""Statements too large to multiply out: evaluated as they stand, definitions once each, modulo random primes at small sizes.

A difference that is a nonzero polynomial of degree D with integer coefficients below 2^c vanishes at uniformly drawn residues modulo
a random prime of b bits with probability at most (D + c) / 2^{b-1}: D / p by Schwartz (1980) and Zippel (1979), and the share
of those primes that divide a given coefficient. That says nothing about other sizes.
"""

from collections.abc import Iterable, Mapping
from math import log2, prod
from random import Random
from typing import NamedTuple

import numpy as np
import opt_einsum

from symbolic_circuits.algebra.lawful import diagonal_of_ones, symmetrised
from symbolic_circuits.algebra.open_terms import MAX_TERMS, Open, OpenTerm
from symbolic_circuits.algebra.scalar import Scalar
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.sums import is_sum
from symbolic_circuits.algebra.units import is_unit, place_of
from symbolic_circuits.algebra.values import size_of
from symbolic_circuits.errors import BudgetError

__all__ = [
    "Difference",
    "Point",
    "agreement",
    "definitions_in_order",
    "difference_modulo",
    "number_of_raw_terms",
    "require_few_terms",
    "sides_modulo",
]

DRAWS = 3
CAP = 10**12
SHORT = 28  # bits of a prime whose residues have products that fit a machine word
TRIES = 6


class Point(NamedTuple):
    """Tensors and scalars."""

    arrays: dict[str, np.ndarray]
    scalars: dict[str, int]


class Difference(NamedTuple):
    """A point at which the sides differ modulo a prime."""

    point: Point
    prime: int
    entry: tuple[int, ...]
    lhs: int
    rhs: int


def definitions_in_order(statement: Statement) -> list[str]:
    """Defined tensors, each after those that its definition uses."""
    order: list[str] = []

    def visit(name: str) -> None:
        if name in order or name not in statement.definitions:
            return
        for term in statement.definitions[name].terms:
            for tensor, _ in term.factors:
                visit(tensor.name)
        order.append(name)

    for name in statement.definitions:
        visit(name)
    return order


def number_of_raw_terms(statement: Statement) -> int:
    """How many terms multiplying out the definitions makes; counted up to CAP."""
    known: dict[str, int] = {}

    def number(terms: Iterable[OpenTerm]) -> int:
        return min(CAP, sum(prod(known.get(tensor.name, 1) for tensor, _ in term.factors) for term in terms))

    for name in definitions_in_order(statement):
        known[name] = number(statement.definitions[name].terms)
    return number(statement.lhs.terms) + number(statement.rhs.terms)


def require_few_terms(statement: Statement) -> None:
    """Raise BudgetError before a statement is multiplied out that is too large for it."""
    count = number_of_raw_terms(statement)
    if count > MAX_TERMS:
        shown = str(count) if count < CAP else f"more than {CAP:.0e}"
        raise BudgetError(f"multiplying out the definitions makes {shown} terms; the limit is {MAX_TERMS}")


def agreement(statement: Statement, sizes: Mapping[str, int], seed: int) -> float | None:
    """A bound on the probability that the sides agree by chance where they differ; None if they do differ at these sizes.

    Raises
    ------
    BudgetError
        The statement has parts that are not evaluated modulo primes: roots, negative powers.
    """
    if any(is_sum(size) for value in (statement.lhs, *statement.definitions.values()) for axis in value.axes for size in axis):
        raise BudgetError("blocks are not evaluated modulo primes")
    rng = Random(seed)
    degree, bits = degree_and_bits(statement)
    length = prime_length(degree, bits)
    chance = 1.0
    for _ in range(DRAWS):
        prime = random_prime(length, rng)
        left, right = sides_modulo(statement, sizes, drawn(statement, sizes, prime, rng), prime)
        if not np.array_equal(left, right):
            return None
        chance *= min(1.0, (degree + bits) / 2 ** (length - 1))
    return chance


def difference_modulo(statement: Statement, sizes: Mapping[str, int], seed: int) -> Difference | None:
    """Small numbers at which the sides differ modulo a prime, and so differ."""
    rng = Random(seed)
    prime = random_prime(prime_length(*degree_and_bits(statement)), rng)
    for small in (*[2] * TRIES, prime):
        point = drawn(statement, sizes, small, rng)
        left, right = sides_modulo(statement, sizes, point, prime)
        places = np.argwhere(np.asarray(left != right))
        if len(places):
            place = tuple(int(k) for k in places[0])
            return Difference(point, prime, place, int(left[place]), int(right[place]))
    return None


def prime_length(degree: float, bits: float) -> int:
    """Bits of the primes: 28, so that products fit a machine word, or as many as make agreement by chance unlikely.

    Of the primes with b bits less than 2^-(b-1) (bits of a coefficient) divide a given one, as there are more than 2^b / (2 b) of them.
    """
    needed = int(log2(degree + bits + 1)) + 1
    return SHORT if needed <= SHORT - 10 else needed + 40


def degree_and_bits(statement: Statement) -> tuple[float, float]:
    """Bounds on the degree of both sides and on the logarithm of the coefficients of their difference, denominators cleared."""
    known: dict[str, tuple[float, float]] = {}

    def bounds(terms: Iterable[OpenTerm]) -> tuple[float, float]:
        degree, bits = 0.0, 1.0
        for term in terms:
            inner = [known.get(tensor.name, (1.0, 0.0)) for tensor, _ in term.factors]
            degree = max(degree, sum(d for d, _ in inner) + sum(abs(int(e)) + 1 for _, e in term.scalar.monomial))
            own = abs(term.scalar.rational)
            bits += sum(b for _, b in inner) + log2(own.numerator + 1) + log2(own.denominator) + 2 * len(term.sizes) + 1
        return degree, bits

    for name in definitions_in_order(statement):
        known[name] = bounds(statement.definitions[name].terms)
    (left, a), (right, b) = bounds(statement.lhs.terms), bounds(statement.rhs.terms)
    return max(left, right), a + b


def drawn(statement: Statement, sizes: Mapping[str, int], below: int, rng: Random) -> Point:
    """Random tensors, and scalars that are not zero; everything below a number before exchanges are applied."""
    names = statement.used
    scalars = {name: rng.randrange(1, max(below, 3)) for name in scalar_generators(statement) if name not in sizes}
    return Point({name: random_array(statement, name, sizes, below, rng) for name in names}, scalars | dict(sizes))


def scalar_generators(statement: Statement) -> list[str]:
    """The names of scalars and sizes in front of terms."""
    sides = (statement.lhs, statement.rhs, *statement.definitions.values())
    return sorted(
        {str(name) for side in sides for term in side.terms for name, _ in term.scalar.monomial if isinstance(name, str)}
    )


def sides_modulo(statement: Statement, sizes: Mapping[str, int], point: Point, prime: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sides at a point modulo a prime; machine words where products fit them."""
    kind = np.int64 if prime < 2**SHORT else object
    arrays = {name: (array % prime).astype(kind) for name, array in point.arrays.items()}
    for name in definitions_in_order(statement):
        arrays[name] = total(statement.definitions[name], arrays, sizes, point.scalars, prime, kind)
    left, right = (total(side, arrays, sizes, point.scalars, prime, kind) for side in (statement.lhs, statement.rhs))
    return left, right


def random_array(statement: Statement, name: str, sizes: Mapping[str, int], below: int, rng: Random) -> np.ndarray:
    """A random tensor that satisfies its exchanges, or the one that a law determines."""
    shape = [size_of(size, sizes) for size in statement.tensors[name].shape]
    kinds = {law.kind for law in statement.laws if law.tensor == name}
    if kinds & {"identity", "copy"}:
        whole = [prod(size_of(size, sizes) for size in axis) for axis in statement.axes[name]]
        return diagonal_of_ones(whole).reshape(shape)
    if "ones" in kinds:
        return np.ones(shape, dtype=int).astype(object)
    out = np.array([rng.randrange(below) for _ in range(prod(shape))], dtype=object).reshape(shape)
    for group in statement.tensors[name].symmetric:
        out = symmetrised(out, group, anti=False)
    for group in statement.tensors[name].antisymmetric:
        out = symmetrised(out, group, anti=True)
    return out


def total(
    value: Open, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], scalars: Mapping[str, int], prime: int, kind: type
) -> np.ndarray:
    """The value of a sum modulo a prime."""
    shape = [size_of(size, sizes) for axis in value.axes for size in axis]
    out: np.ndarray | None = None
    for term in value.terms:
        found = np.asarray(contracted(term, arrays, sizes, prime, kind) * scalar_modulo(term.scalar, scalars, prime) % prime)
        out = found if out is None else np.asarray((out + found) % prime)
    return np.zeros(shape, dtype=kind) if out is None else out.astype(kind)


def scalar_modulo(scalar: Scalar, scalars: Mapping[str, int], prime: int) -> int:
    """A scalar modulo a prime."""
    out = scalar.rational.numerator * inverse(scalar.rational.denominator, prime)
    for name, exponent in scalar.monomial:
        if isinstance(name, int) or exponent.denominator != 1:
            raise BudgetError(f"the root {name}^({exponent}) is not evaluated modulo primes")
        out = out * pow(scalars[name], int(exponent), prime) % prime
    return out % prime


def inverse(value: int, prime: int) -> int:
    """The inverse of a denominator."""
    if value % prime == 0:
        raise BudgetError(f"the denominator {value} vanishes modulo {prime}")
    return pow(value, -1, prime)


def contracted(term: OpenTerm, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], prime: int, kind: type) -> np.ndarray:
    """One network modulo a prime, two factors at a time."""
    count = [size_of(size, sizes) for size in term.sizes]
    operands: list[tuple[np.ndarray, tuple[int, ...]]] = []
    for tensor, indices in term.factors:
        array = np.eye(count[indices[0]], dtype=int)[place_of(tensor)].astype(kind) if is_unit(tensor) else arrays[tensor.name]
        operands.append(merged(array.reshape([count[i] for i in indices]), indices))
    output = term.legs + tuple(index for _, index in term.named)
    present = {i for _, indices in operands for i in indices}
    operands += [(np.ones(count[i], dtype=int).astype(kind), (i,)) for i in dict.fromkeys(output) if i not in present]
    if not operands:
        return np.array(1, dtype=kind)
    order = path_of(operands, output)
    for step in order:
        chosen = [operands[k] for k in step]
        operands = [pair for k, pair in enumerate(operands) if k not in step]
        kept = set(output) | {i for _, indices in operands for i in indices}
        operands.append(joined(chosen, kept, prime))
    array, indices = operands[0]
    kept_order = tuple(dict.fromkeys(output))
    array = np.einsum(array, list(indices), list(kept_order))
    return spread(array, kept_order, output, count)


def path_of(operands: list[tuple[np.ndarray, tuple[int, ...]]], output: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The order in which factors are taken together."""
    if len(operands) == 1:
        return [(0,)]
    flat = [part for array, indices in operands for part in (array.shape, list(indices))]
    interleaved = [part if k % 2 else np.empty(part, dtype=np.int8) for k, part in enumerate(flat)]
    return list(opt_einsum.contract_path(*interleaved, list(dict.fromkeys(output)), optimize="greedy")[0])


def merged(array: np.ndarray, indices: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """Repeated indices of one factor taken once."""
    once = tuple(dict.fromkeys(indices))
    return (array, indices) if once == indices else (np.einsum(array, list(indices), list(once)), once)


def joined(pairs: list[tuple[np.ndarray, tuple[int, ...]]], kept: set[int], prime: int) -> tuple[np.ndarray, tuple[int, ...]]:
    """Factors multiplied, one summed index at a time so that sums of products stay small."""
    indices = tuple(dict.fromkeys(i for _, own in pairs for i in own))
    local = {index: k for k, index in enumerate(indices)}
    value: np.ndarray | None = None
    for array, own in pairs:
        order = sorted(range(len(own)), key=lambda k: local[own[k]])
        view = array.transpose(order).reshape([array.shape[own.index(i)] if i in own else 1 for i in indices])
        value = view % prime if value is None else value * view % prime
    out = tuple(i for i in indices if i in kept)
    gone = [k for k, i in enumerate(indices) if i not in kept]
    for k in reversed(gone):
        value = value.sum(axis=k) % prime
    return value, out


def spread(array: np.ndarray, indices: tuple[int, ...], output: tuple[int, ...], count: list[int]) -> np.ndarray:
    """Repeated output indices as diagonals."""
    if indices == output:
        return array
    out = np.zeros([count[i] for i in output], dtype=int).astype(array.dtype)
    for place in np.ndindex(array.shape):
        at = dict(zip(indices, place, strict=True))
        out[tuple(at[i] for i in output)] = array[place]
    return out


def random_prime(length: int, rng: Random) -> int:
    """A prime of so many bits, uniformly."""
    while True:
        value = rng.randrange(2 ** (length - 1) + 1, 2**length, 2)
        if is_prime(value):
            return value


def is_prime(value: int) -> bool:
    """Miller and Rabin's test, which decides below 3 * 10^24 with these bases; larger composites that pass it are not known.

    >>> [k for k in range(90, 110) if is_prime(k)]
    [97, 101, 103, 107, 109]
    """
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41)
    if value < 2 or any(value % p == 0 and value != p for p in bases):
        return False
    odd, twos = value - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    return all(
        base % value == 0 or pow(base, odd, value) == 1 or any(pow(base, odd << k, value) == value - 1 for k in range(twos))
        for base in bases
    )
