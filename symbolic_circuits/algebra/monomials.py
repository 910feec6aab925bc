r"""A polynomial at given sizes, entry by entry: the monomials in the tensors' entries that every entry of its value consists of.

Entries that an exchange of axes maps to each other are one variable. Nothing is sampled: the polynomial is zero at these sizes
exactly if no monomial is left, and a monomial whose set of entries is smallest gives a counterexample with as few entries.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import chain
from math import lcm, prod
from typing import NamedTuple

import numpy as np

from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import Monomial, Scalar, number, power, times
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import is_unit, place_of
from symbolic_circuits.errors import BudgetError

__all__ = ["Entries", "count_of_monomials", "monomials_at", "nonzero_entries", "output_bounds"]

AT_ONCE = 40_000
MAX_MONOMIALS = 400_000
MAX_ENTRIES = 4_096
MAX_WORK = 20_000_000  # products written out to find an entry that is not zero

Entries = Mapping[tuple[int, tuple[int, ...]], Mapping[Monomial, Fraction]]  # (output entry, variables) -> coefficient


class Variables(NamedTuple):
    """Numbers of the entries of all tensors, one tensor after the other."""

    start: dict[str, int]
    shapes: dict[str, tuple[int, ...]]

    def place(self, variable: int) -> tuple[str, tuple[int, ...]]:
        """The tensor and the place of an entry."""
        name = max((start, name) for name, start in self.start.items() if start <= variable)[1]
        return name, tuple(int(k) for k in np.unravel_index(variable - self.start[name], self.shapes[name]))


def count_of_monomials(polynomial: Polynomial, sizes: Mapping[str, int]) -> int:
    """How many products :func:`monomials_at` writes out."""
    return sum(prod(at(size, sizes) for size in key[0][2]) for key in polynomial.terms)


def at(size: SizeName, sizes: Mapping[str, int]) -> int:
    """The number that a size stands for."""
    return size if isinstance(size, int) else sizes[size]


def variables_of(polynomial: Polynomial, sizes: Mapping[str, int]) -> Variables:
    """Numbers for the entries of the tensors of a polynomial."""
    start: dict[str, int] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    used = 0
    tensors = {tensor.name: tensor for (factors, _, _), _ in polynomial.terms for tensor, _ in factors if not is_unit(tensor)}
    for name, tensor in sorted(tensors.items()):
        start[name], shapes[name] = used, tuple(at(size, sizes) for size in tensor.shape)
        used += prod(shapes[name])
    return Variables(start, shapes)


def nonzero_entries(polynomial: Polynomial, sizes: Mapping[str, int]) -> tuple[Entries, Variables]:
    """The monomials of some output entries that are not zero; none where the polynomial is zero at these sizes.

    All entries at once where they are few, else one after the other until one is not zero.
    """
    if count_of_monomials(polynomial, sizes) <= AT_ONCE:
        return monomials_at(polynomial, sizes)
    bounds = output_bounds(polynomial, sizes)
    count = prod(bounds)
    each = count_of_monomials(polynomial, sizes) // count
    if each > MAX_MONOMIALS:
        raise BudgetError(f"writing out {each} products for each entry at sizes {dict(sizes)}; the limit is {MAX_MONOMIALS}")
    tries = max(1, min(MAX_ENTRIES, MAX_WORK // max(each, 1)))
    first = tuple(min(k, size - 1) for k, size in enumerate(bounds))  # one whose indices differ
    for place in chain([first], (place_at(k, bounds) for k in range(min(tries - 1, count)))):
        entries, variables = monomials_at(polynomial, sizes, place)
        if entries:
            return entries, variables
    if count > tries - 1:
        raise BudgetError(f"the first {tries - 1} of {count} entries agree at sizes {dict(sizes)}; more take too long")
    return {}, variables_of(polynomial, sizes)


def monomials_at(
    polynomial: Polynomial, sizes: Mapping[str, int], place: tuple[int, ...] | None = None
) -> tuple[Entries, Variables]:
    """The monomials that do not cancel, and what their variables stand for.

    Parameters
    ----------
    polynomial : without function nodes
    sizes : of each size symbol
    place : of the one output entry that is wanted; all by default

    Raises
    ------
    BudgetError
        There are too many to write out.
    """
    count = count_of_monomials(polynomial, sizes) // (prod(output_bounds(polynomial, sizes)) if place else 1)
    if count > MAX_MONOMIALS:
        raise BudgetError(f"writing out {count} products at sizes {dict(sizes)}; the limit is {MAX_MONOMIALS}")
    variables = variables_of(polynomial, sizes)
    scalars = [scalar_at(Scalar(coefficient, key[1]), sizes) for key, coefficient in polynomial.terms.items()]
    shared = lcm(*(scalar.rational.denominator for scalar in scalars))
    monomials = sorted({scalar.monomial for scalar in scalars}, key=str)
    width = max((len(factors) for (factors, _, _), _ in polynomial.terms), default=0)
    bounds = output_bounds(polynomial, sizes)
    rows, weights = [], []
    for ((factors, output, index_sizes), _), scalar in zip(polynomial.terms, scalars, strict=True):
        table, signs = products(factors, output, [at(size, sizes) for size in index_sizes], variables, bounds, place)
        padding = np.full((len(table), 1 + width - table.shape[1] + 1), -1, dtype=np.int64)
        padding[:, :1] = monomials.index(scalar.monomial)
        rows.append(np.hstack([padding, table[:, 1:], table[:, :1]]))
        weights.append(signs.astype(object) * int(scalar.rational * shared))
    entries: dict[tuple[int, tuple[int, ...]], dict[Monomial, Fraction]] = {}
    for row, total in collected(rows, weights):
        body = tuple(v for v in row[1:-1] if v >= 0)
        entries.setdefault((row[-1], body), {})[monomials[row[0]]] = Fraction(int(total), shared)
    return entries, variables


def collected(rows: list[np.ndarray], weights: list[np.ndarray]) -> Iterator[tuple[list[int], int]]:
    """Equal rows with the sum of their weights, where it is not zero."""
    if not rows:
        return
    table, weight = np.vstack(rows), np.concatenate(weights)
    if not len(table):
        return
    order = np.lexsort(table.T[::-1])
    table, weight = table[order], weight[order]
    starts = np.flatnonzero(np.concatenate([[True], (table[1:] != table[:-1]).any(axis=1)]))
    small = max(map(abs, weight.tolist())) * len(weight) < 2**62
    totals = np.add.reduceat(weight.astype(np.int64) if small else weight, starts)
    kept = totals != 0
    yield from zip(table[starts[kept]].tolist(), totals[kept].tolist(), strict=True)


def output_bounds(polynomial: Polynomial, sizes: Mapping[str, int]) -> list[int]:
    """The number of places of each output leg; of the largest part along an axis that is a sum."""
    shapes = [[at(key[0][2][index], sizes) for index in key[0][1]] for key in polynomial.terms]
    return [max(column) for column in zip(*shapes, strict=True)]


def scalar_at(scalar: Scalar, sizes: Mapping[str, int]) -> Scalar:
    """A scalar with sizes replaced by numbers."""
    out = Scalar(scalar.rational, ())
    for name, exponent in scalar.monomial:
        known = isinstance(name, str) and name in sizes
        out = times(out, power(number(sizes[name]), exponent) if known else Scalar(Fraction(1), ((name, exponent),)))
    return out


def products(
    factors: tuple[tuple[Tensor, tuple[int, ...]], ...],
    output: tuple[int, ...],
    sizes: list[int],
    variables: Variables,
    bounds: list[int],
    place: tuple[int, ...] | None,
) -> tuple[np.ndarray, np.ndarray]:
    """All products that a network sums, one a row: output entry, sorted variables; and the sign of each."""
    held = dict(zip(output, place, strict=True)) if place else {}
    if place and (any(held[i] != k for i, k in zip(output, place, strict=True)) or any(k >= sizes[i] for i, k in held.items())):
        return np.zeros((0, 1), dtype=np.int64), np.zeros(0, dtype=np.int64)
    free = [1 if i in held else size for i, size in enumerate(sizes)]
    grid = all_places(free)
    for index, value in held.items():
        grid[index] = value
    signs = np.ones(grid.shape[1], dtype=np.int64)
    for tensor, (index, *_) in ((t, i) for t, i in factors if is_unit(t)):
        kept = grid[index] == place_of(tensor)
        grid, signs = grid[:, kept], signs[kept]
    columns = []
    for tensor, indices in factors:
        if is_unit(tensor):
            continue
        values = grid[list(indices)]
        for group in tensor.symmetric:
            values[list(group)] = np.sort(values[list(group)], axis=0)
        for group in tensor.antisymmetric:
            inside = values[list(group)]
            for a in range(len(group)):
                for b in range(a):
                    signs = signs * np.sign(inside[a] - inside[b])
            values[list(group)] = np.sort(inside, axis=0)
        columns.append(variables.start[tensor.name] + flat(values, variables.shapes[tensor.name]))
    out = flat(grid[list(output)], bounds) if output else np.zeros(grid.shape[1], dtype=np.int64)
    body = np.sort(np.array(columns, dtype=np.int64).reshape(len(columns), grid.shape[1]), axis=0)
    return np.vstack([out[None], body]).T, signs


def place_at(number: int, bounds: list[int]) -> tuple[int, ...]:
    """The entry of that number, the last index fastest."""
    out = []
    for size in reversed(bounds):
        number, here = divmod(number, size)
        out.append(here)
    return tuple(reversed(out))


def all_places(sizes: list[int]) -> np.ndarray:
    """Every tuple of places, one a column, the last index fastest; also of more indices than an array can have axes."""
    count = prod(sizes)
    grid, stride = np.zeros((len(sizes), count), dtype=np.int64), count
    for index, size in enumerate(sizes):
        stride //= size
        grid[index] = np.arange(count) // stride % size
    return grid


def flat(places: np.ndarray, shape: list[int] | tuple[int, ...]) -> np.ndarray:
    """Row-major numbers of places."""
    out = np.zeros(places.shape[1], dtype=np.int64)
    for row, size in zip(places, shape, strict=True):
        out = out * size + row
    return out
