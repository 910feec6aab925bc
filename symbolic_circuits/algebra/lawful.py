r"""Random rational tensors that satisfy laws, for counterexamples: orthonormal ones by Cayley's transform and reflections, inverses exact.

Every tensor that is made is checked against its laws; where none of a few tries satisfies them there is none at these sizes as
far as is known here (orthonormal columns of a wide matrix, or a combination of laws that no construction below is for).
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from math import prod
from random import Random

import numpy as np

from symbolic_circuits.algebra.laws import Law
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.values import size_of
from symbolic_circuits.errors import BudgetError

__all__ = ["diagonal_of_ones", "lawful_arrays", "require_room", "satisfies"]

TRIES = 8
MAX_ENTRIES = 20_000


def lawful_arrays(
    statement: Statement, sizes: Mapping[str, int], rng: Random, names: Sequence[str] | None = None
) -> dict[str, np.ndarray] | None:
    """An array for every tensor that is used and not defined (or for those named), one axis for each leg; None where none was found.

    Tensors that are determined by another (an inverse, a transpose) are made after it.
    """
    arrays: dict[str, np.ndarray] = {}
    names = statement.used if names is None else list(names)
    require_room(statement, sizes)
    laws = {name: [law for law in statement.closed_laws if law.tensor == name] for name in names}
    for name in names:
        shape = [prod(size_of(size, sizes) for size in axis) for axis in statement.axes[name]]
        for _ in range(TRIES):
            found = random_tensor(shape, laws[name], arrays, rng)
            if found is not None and all(satisfies(found, law, arrays) for law in laws[name]):
                arrays[name] = found
                break
        else:
            return None
    return {name: array.reshape([size_of(s, sizes) for s in statement.tensors[name].shape]) for name, array in arrays.items()}


def require_room(statement: Statement, sizes: Mapping[str, int]) -> None:
    """Raise BudgetError before arrays are made that are too large for a counterexample to be read."""
    for name in statement.used:
        count = prod(size_of(size, sizes) for size in statement.tensors[name].shape)
        if count > MAX_ENTRIES:
            raise BudgetError(f"a counterexample would have an array {name} of {count:,} entries; the limit is {MAX_ENTRIES:,}")


def satisfies(array: np.ndarray, law: Law, others: Mapping[str, np.ndarray]) -> bool:
    """Whether a tensor satisfies a law; one about another tensor that is not made yet counts as satisfied."""
    if law.kind in ("symmetric", "antisymmetric"):
        first, *rest = law.axes
        sign = 1 if law.kind == "symmetric" else -1
        return all(np.array_equal(array, sign * array.swapaxes(first, axis)) for axis in rest)
    if law.kind in ("identity", "copy", "ones"):
        return np.array_equal(array, np.ones_like(array) if law.kind == "ones" else diagonal_of_ones(array.shape))
    if law.kind == "diagonal":
        return not (array * (1 - diagonal_of_ones(array.shape))).any()
    if law.kind == "row_stochastic":
        return bool(np.all(array.sum(axis=-1) == 1))
    if law.kind == "exclusive_rows":
        return bool(np.all(array * array == array)) and bool(np.all((array != 0).sum(axis=-1) <= 1))
    if law.kind in ("permutation", "one_hot_rows", "one_hot_columns"):
        return True  # its parts are laws of their own
    turned = array.swapaxes(-1, -2)
    if law.kind in ("column_stochastic", "exclusive_columns"):
        return satisfies(turned, Law(law.tensor, law.kind.replace("column", "row")), others)
    if law.kind in ("orthonormal_columns", "orthonormal_rows"):
        product = turned @ array if law.kind == "orthonormal_columns" else array @ turned
        return bool((product == identity(product.shape[-1])).all())
    if law.kind == "signs":
        return bool((array @ array == identity(array.shape[-1])).all())
    other = array if law.other == law.tensor else others.get(law.other)
    if other is None:
        return True
    if law.kind == "inverse":
        return bool((array @ other == identity(array.shape[-1])).all())
    return np.array_equal(array, other.swapaxes(-1, -2) if law.kind == "transpose" else other)


def identity(size: int) -> np.ndarray:
    """An identity matrix of integers."""
    return np.eye(size, dtype=int).astype(object)


def diagonal_of_ones(shape: Sequence[int]) -> np.ndarray:
    """1 where all indices are equal."""
    if not shape:
        return np.array(1, dtype=object)
    grid = np.indices(shape)
    return (grid == grid[:1]).all(axis=0).astype(int).astype(object)


def random_tensor(shape: Sequence[int], laws: Iterable[Law], others: Mapping[str, np.ndarray], rng: Random) -> np.ndarray | None:
    """A tensor that may satisfy the laws."""
    laws = list(laws)
    kinds = {law.kind for law in laws}
    for law in laws:
        if law.kind in ("transpose", "equal") and law.other in others:
            other = others[law.other]
            return other.swapaxes(-1, -2) if law.kind == "transpose" else other
        if law.kind == "inverse" and law.other in others:
            return each_matrix(others[law.other], inverted)
    if kinds & {"identity", "copy"}:
        return diagonal_of_ones(shape)
    if "ones" in kinds:
        return np.ones(shape, dtype=int).astype(object)
    if kinds & MATRIX_KINDS:
        wide = len(shape) == 1
        rows, columns = (1, *shape) if wide else shape[-2:]
        order = len(shape)
        flags = kinds | {
            f"{law.kind} matrix"
            for law in laws
            if law.kind in ("symmetric", "antisymmetric") and {order - 2, order - 1} <= set(law.axes)
        }
        flags |= {"involution" for law in laws if law.kind == "inverse" and law.other == law.tensor}
        made = [random_matrix(rows, columns, flags, rng) for _ in range(prod(shape[:-2]) if not wide else 1)]
        if any(matrix is None for matrix in made):
            return None
        return np.array(made, dtype=object).reshape(shape)
    out = integers(shape, rng)
    if "diagonal" in kinds:
        out = out * diagonal_of_ones(shape)
    for law in laws:
        if law.kind in ("symmetric", "antisymmetric"):
            out = symmetrised(out, law.axes, law.kind == "antisymmetric")
    return out


MATRIX_KINDS = {
    "row_stochastic", "column_stochastic", "exclusive_rows", "exclusive_columns", "orthonormal_columns", "orthonormal_rows", "inverse",
    "signs",
}  # fmt: skip


def integers(shape: Sequence[int], rng: Random) -> np.ndarray:
    """Small random integers."""
    return np.array([rng.randint(-2, 3) for _ in range(prod(shape))], dtype=object).reshape(shape)


def symmetrised(array: np.ndarray, axes: Sequence[int], anti: bool) -> np.ndarray:
    """The sum over all orders of some axes, with signs for an antisymmetric one."""
    out = np.zeros_like(array)
    for order in permutations(range(len(axes))):
        moved = list(range(array.ndim))
        for k, place in enumerate(order):
            moved[axes[k]] = axes[place]
        sign = (-1) ** (anti * sum(a > b for k, b in enumerate(order) for a in order[:k]))
        out = out + sign * array.transpose(moved)
    return out


def each_matrix(array: np.ndarray, function: object) -> np.ndarray | None:
    """A function of the matrices in the last two axes."""
    matrices = [function(matrix) for matrix in array.reshape(-1, *array.shape[-2:])]
    return None if any(m is None for m in matrices) else np.array(matrices, dtype=object).reshape(array.shape)


def inverted(matrix: np.ndarray) -> np.ndarray | None:
    """The exact inverse by elimination; None of a singular matrix."""
    size = len(matrix)
    rows = [[Fraction(x) for x in row] + [Fraction(int(i == k)) for i in range(size)] for k, row in enumerate(matrix)]
    for k in range(size):
        pivot = next((i for i in range(k, size) if rows[i][k]), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(size):
            if i != k and rows[i][k]:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return np.array([row[size:] for row in rows], dtype=object).reshape(size, size)


def random_matrix(rows: int, columns: int, flags: set[str], rng: Random) -> np.ndarray | None:
    """A matrix that may satisfy some laws: the most special construction that they call for."""
    symmetric, square = "symmetric matrix" in flags, rows == columns
    orthonormal = flags & {"orthonormal_columns", "orthonormal_rows", "signs"}
    if "diagonal" in flags:
        values = [rng.choice([-1, 1]) if orthonormal else rng.choice([-2, -1, 1, 2, 3]) for _ in range(rows)]
        return np.diag(np.array(values, dtype=object)) if square else None
    if flags & {"exclusive_rows", "exclusive_columns"}:
        return zeros_and_ones(rows, columns, flags, rng)
    if orthonormal and flags & {"row_stochastic", "column_stochastic"}:
        return reflection(rows, rng, zero_sum=True) if square else None
    if (orthonormal and symmetric) or "involution" in flags:
        return rng.choice([-1, 1]) * reflection(rows, rng) if square else None
    if orthonormal:
        return orthonormal_matrix(rows, columns, "antisymmetric matrix" in flags, rng)
    if {"row_stochastic", "column_stochastic"} <= flags:
        return doubly_stochastic(rows, symmetric, rng) if square else None
    if flags & {"row_stochastic", "column_stochastic"}:
        by_rows = "row_stochastic" in flags
        out = np.array([[Fraction(rng.randint(0, 3) + (i == j)) for j in range(columns)] for i in range(rows)], dtype=object)
        sums = out.sum(axis=1 if by_rows else 0, keepdims=True)
        return None if not all(sums.ravel()) else out / sums
    out = integers((rows, columns), rng)
    if symmetric:
        out = out + out.T
    if "antisymmetric matrix" in flags:
        out = out - out.T
    return out if "inverse" not in flags or (square and inverted(out) is not None) else None


def zeros_and_ones(rows: int, columns: int, flags: set[str], rng: Random) -> np.ndarray | None:
    """At most, or exactly, one 1 in every row, in every column, or both."""
    by_rows, by_columns = "exclusive_rows" in flags, "exclusive_columns" in flags
    out = np.zeros((rows, columns), dtype=int).astype(object)
    if not by_rows:
        turned = zeros_and_ones(columns, rows, {f.replace("column", "row") for f in flags if "column" in f}, rng)
        return None if turned is None else turned.T
    if not by_columns:
        for i in range(rows):
            out[i, rng.randrange(columns)] = 1 if "row_stochastic" in flags else rng.choice([0, 1, 1])
        return out
    places = rng.sample(range(columns), min(rows, columns))
    chosen = rng.sample(range(rows), min(rows, columns))
    if "symmetric matrix" in flags:
        places = list(range(rows))
        for i, j in zip(*[iter(rng.sample(range(rows), rows))] * 2, strict=False):
            if rng.random() < 0.7:
                places[i], places[j] = j, i
        chosen = list(range(rows))
    for i, j in zip(chosen, places, strict=True):
        out[i, j] = 1
    return out


def reflection(size: int, rng: Random, *, zero_sum: bool = False) -> np.ndarray:
    """I - 2 v v^T / (v.v); it keeps the vector of ones where v sums to zero."""
    vector = np.array([rng.randint(-2, 2) for _ in range(size)], dtype=object)
    if zero_sum:
        vector = vector * size - vector.sum()
    norm = sum(x * x for x in vector)
    return identity(size) if not norm else identity(size) - np.outer(vector, vector) * Fraction(2, int(norm))


def orthonormal_matrix(rows: int, columns: int, anti: bool, rng: Random) -> np.ndarray | None:
    """Columns (or rows, of a wide matrix) of a Cayley transform (I - S)(I + S)^{-1} with signs: both components of O(n)."""
    size = max(rows, columns)
    skew = np.array([[Fraction(rng.randint(-2, 2)) for _ in range(size)] for _ in range(size)], dtype=object)
    skew = skew - skew.T
    inverse = inverted(identity(size) + skew)
    full = (identity(size) - skew) @ inverse
    if anti:
        if size % 2:
            return None
        turn = np.kron(identity(size // 2), np.array([[0, 1], [-1, 0]], dtype=object))
        return full @ turn @ full.T
    signs = np.array([rng.choice([-1, 1]) for _ in range(size)], dtype=object)
    return (full * signs)[:rows, :columns]


def doubly_stochastic(size: int, symmetric: bool, rng: Random) -> np.ndarray:
    """A mean of permutations, and of their transposes where it is to be symmetric."""
    weights = [Fraction(rng.randint(1, 3)) for _ in range(3)]
    total = np.zeros((size, size), dtype=int).astype(object)
    for weight in weights:
        order = rng.sample(range(size), size)
        permutation = identity(size)[order]
        total = total + weight * (permutation + permutation.T if symmetric else 2 * permutation)
    return total / (2 * sum(weights))
