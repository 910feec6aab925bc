r"""A matrix $M = F_1 F_2 \cdots F_k$ as its factors, never multiplied out: what a narrow place between two of them lets one know of M.

| letter | meaning | shape |
| --- | --- | --- |
| M | the matrix | p x q |
| r | the smallest of all sizes in the chain | |
| G, K | the two halves, $M = G K$, apart at r | p x r, r x q |

The identities are proved in ``proofs/circuits-from-weights.md``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal, NamedTuple, Self

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import BudgetError, NotationError, ShapeError, TermIndexError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.circuits.eigenvalues import by_size, positivity

__all__ = ["Entry", "LowRank"]

MAX_BYTES = 2**30  # of an array that is asked for
BLOCK = 2**22  # entries that are looked at together
ORDERS = {"value": lambda x: x, "lowest": np.negative, "absolute": np.abs}


class Entry(NamedTuple):
    """An entry of a matrix, with its place."""

    row: int
    column: int
    value: float


@displayed
@dataclass(frozen=True, slots=True, eq=False, repr=False)
class LowRank:
    r"""The product $F_1 F_2 \cdots F_k$ of the factors.

    Parameters
    ----------
    factors : matrices whose sizes chain; kept as they are, half precision as float32
    name : what the matrix is, for people

    Raises
    ------
    ShapeError
        A factor is no matrix, or two neighbours do not fit.
    WeightsError
        Entries are not real, or not finite.

    Examples
    --------
    >>> M = LowRank((np.ones((1000, 2)), np.ones((2, 1000))))
    >>> M
    <1000 x 1000 = (1000 x 2)(2 x 1000)>
    >>> M.entry(3, 4), round(M.norm(), 6)
    (2.0, 2000.0)
    """

    factors: tuple[np.ndarray, ...]
    name: str = ""
    __array_ufunc__ = None  # arrays leave products with such a matrix to it: M @ x is a TypeError, and means apply

    def __post_init__(self) -> None:
        arrays = [np.asarray(as_numpy(factor)) for factor in self.factors]
        require_chain(arrays)
        object.__setattr__(self, "factors", tuple(map(at_least_single, arrays)))

    @property
    def shape(self) -> tuple[int, int]:
        """(p, q)."""
        return self.factors[0].shape[0], self.factors[-1].shape[1]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Every size of the chain, p first and q last."""
        return (*(factor.shape[0] for factor in self.factors), self.shape[1])

    @property
    def width(self) -> int:
        r"""r, the smallest size: $\operatorname{rank} M \le r$."""
        return min(self.sizes)

    @property
    def T(self) -> Self:
        r"""$M^T = F_k^T \cdots F_1^T$."""
        return type(self)(tuple(factor.T for factor in reversed(self.factors)), self.name and f"({self.name})^T")

    def __matmul__(self, other: Self) -> Self:
        """The product of two such matrices: the factors of both, in a row."""
        if not isinstance(other, LowRank):
            return NotImplemented
        return type(self)(self.factors + other.factors, f"{self.name} {other.name}".strip())

    def __repr__(self) -> str:
        chain = "".join(f"({p} x {q})" for p, q in (factor.shape for factor in self.factors))
        return f"<{self.name + ': ' if self.name else ''}{self.shape[0]} x {self.shape[1]} = {chain}>"

    def halves(self) -> tuple[np.ndarray, np.ndarray]:
        """G (p, r) and K (r, q) with M = G K, cut at the narrowest place; a half without factors is the identity."""
        cut = self.sizes.index(self.width)
        return product(self.factors[:cut], self.shape[0]), product(self.factors[cut:], self.shape[1])

    def apply(self, x: object) -> np.ndarray:
        """M x for a vector (q,) or columns (q, c), factor by factor."""
        x = np.asarray(as_numpy(x))
        if x.ndim not in (1, 2) or x.shape[0] != self.shape[1]:
            raise ShapeError(f"{self!r} acts on arrays of shape ({self.shape[1]},) or ({self.shape[1]}, c); got shape {x.shape}")
        return reduce(lambda y, factor: factor @ y, reversed(self.factors), x)

    def to_array(self, *, max_bytes: int = MAX_BYTES) -> np.ndarray:
        """M (p, q), multiplied out.

        Raises
        ------
        BudgetError
            It takes more memory than the limit; raised before it is spent.
        """
        needed = self.shape[0] * self.shape[1] * np.result_type(*self.factors).itemsize
        if needed > max_bytes:
            raise BudgetError(f"{self!r} multiplied out takes {needed:,} bytes; the limit is {max_bytes:,}")
        return product(self.factors, self.shape[0])

    def row(self, i: int) -> np.ndarray:
        """Row i, shape (q,)."""
        i = self.place(i, 0)
        return reduce(lambda y, factor: y @ factor, self.factors[1:], self.factors[0][i])

    def column(self, j: int) -> np.ndarray:
        """Column j, shape (p,)."""
        j = self.place(j, 1)
        return reduce(lambda y, factor: factor @ y, reversed(self.factors[:-1]), self.factors[-1][:, j])

    def entry(self, i: int, j: int) -> float:
        """M_ij."""
        i, j = self.place(i, 0), self.place(j, 1)
        if len(self.factors) == 1:
            return float(self.factors[0][i, j])
        left = reduce(lambda y, factor: y @ factor, self.factors[1:-1], self.factors[0][i])
        return float(left @ self.factors[-1][:, j])

    def diagonal(self) -> np.ndarray:
        r"""The entries $M_{ii} = \sum_a G_{ia} K_{ai}$ of a square matrix, shape (p,)."""
        self.require_square("the diagonal")
        left, right = self.halves()
        return np.einsum("ia,ai->i", left, right)

    def trace(self) -> float:
        r"""$\operatorname{tr} G K = \operatorname{tr} K G$ of a square matrix: the sum of its eigenvalues."""
        self.require_square("the trace")
        return float(np.trace(self.core()))

    def norm(self) -> float:
        r"""The Frobenius norm, $\|G K\|^2 = \operatorname{tr} (G^T G)(K K^T)$; by the triangles of :meth:`singular_values`."""
        return float(np.linalg.norm(self.triangle()))

    def singular_values(self) -> np.ndarray:
        r"""The r largest singular values, in falling order; all others vanish. With $G = Q R$, $K^T = Q' R'$ they are those of $R R'^T$."""
        return np.linalg.svd(self.triangle(), compute_uv=False)

    def svd(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        r"""U (p, r), s (r,), V^T (r, q) with $M = U \operatorname{diag}(s) V^T$ and orthonormal columns of U and V."""
        left, right = self.halves()
        (Q, R), (Q_2, R_2) = np.linalg.qr(left), np.linalg.qr(right.T)
        U, s, Vt = np.linalg.svd(R @ R_2.T)
        return Q @ U, s, Vt @ Q_2.T

    def eigenvalues(self) -> np.ndarray:
        r"""The r eigenvalues of a square matrix that may differ from zero, largest first, complex: those of $K G$, since $G K$ and $K G$
        share all but zeros.
        """
        self.require_square("eigenvalues")
        return by_size(np.linalg.eigvals(self.core()))

    def positivity(self) -> float:
        r"""$\sum_i \lambda_i / \sum_i |\lambda_i|$, between -1 and 1: the copying score of an OV circuit, the matching score of a QK circuit.

        It is nan where all eigenvalues vanish.
        """
        return positivity(self.eigenvalues())

    def largest(
        self,
        k: int = 10,
        *,
        row: int | None = None,
        column: int | None = None,
        by: Literal["value", "lowest", "absolute"] = "value",
    ) -> tuple[Entry, ...]:
        """The k largest entries, largest first, of a row, of a column or of all; of equal ones those that come first.

        Parameters
        ----------
        by : "value", "lowest" (the smallest values first) or "absolute"

        Examples
        --------
        >>> LowRank((np.array([[1.0], [2.0]]), np.array([[3.0, -5.0]]))).largest(1, by="absolute")
        (Entry(row=1, column=1, value=-10.0),)
        """
        require_choice(k, by)
        found: list[Entry] = []
        for first, block in self.blocks(row, column):
            size = ORDERS[by](block).ravel()
            chosen = top(size, k)
            places = zip(*np.unravel_index(chosen, block.shape), strict=True)
            entries = [Entry(first[0] + int(i), first[1] + int(j), float(block[i, j])) for i, j in places]
            found = sorted(found + entries, key=lambda entry: (-ORDERS[by](entry.value), entry.row, entry.column))[:k]
        return tuple(found)

    def blocks(self, row: int | None, column: int | None) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
        """Parts of the matrix with the place of their first entry: one entry, a row, a column, or all rows, some at a time."""
        if row is not None and column is not None:
            yield (self.place(row, 0), self.place(column, 1)), np.array([[self.entry(row, column)]])
        elif row is not None:
            yield (self.place(row, 0), 0), self.row(row)[None]
        elif column is not None:
            yield (0, self.place(column, 1)), self.column(column)[:, None]
        else:
            left, right = self.halves()
            step = max(1, BLOCK // self.shape[1])
            for start in range(0, self.shape[0], step):
                yield (start, 0), left[start : start + step] @ right

    def core(self) -> np.ndarray:
        """K G (r, r) of a square matrix: the chain turned, as a cycle, to begin and end at its narrowest place."""
        cut = self.sizes.index(self.width)
        return product(self.factors[cut:] + self.factors[:cut], self.width)

    def triangle(self) -> np.ndarray:
        r"""$R R'^T$, with the triangles of $G = Q R$ and $K^T = Q' R'$: M up to orthonormal columns on both sides."""
        left, right = self.halves()
        return np.linalg.qr(left, mode="r") @ np.linalg.qr(right.T, mode="r").T

    def place(self, index: int, axis: int) -> int:
        """An index, from the end where negative."""
        size, words = self.shape[axis], ("rows", "columns")[axis]
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TermIndexError(f"{words} of {self!r} are integers; got {index!r}")
        if not -size <= index < size:
            raise TermIndexError(f"{self!r} has {words} 0 to {size - 1}; got {index}")
        return index.__index__() % size

    def require_square(self, what: str) -> None:
        """Raise ShapeError where p is not q."""
        if self.shape[0] != self.shape[1]:
            raise ShapeError(f"{what} of a matrix that is not square: {self!r}")


def product(factors: Sequence[np.ndarray], size: int) -> np.ndarray:
    """The product, in the order that takes least work; the identity where there are no factors."""
    if len(factors) < 2:
        return factors[0] if factors else np.eye(size)
    return np.linalg.multi_dot(factors)


def top(size: np.ndarray, k: int) -> np.ndarray:
    """The places of the k largest numbers, with all that equal the last of them cut to the first places."""
    if len(size) <= k:
        return np.arange(len(size))
    least = np.partition(size, len(size) - k)[len(size) - k]
    above = np.flatnonzero(size > least)
    return np.concatenate([above, np.flatnonzero(size == least)[: k - len(above)]])


def at_least_single(array: np.ndarray) -> np.ndarray:
    """Integers as float64, half precision as float32."""
    return array.astype(np.result_type(array.dtype, np.float64 if array.dtype.kind in "iu" else np.float32), copy=False)


def require_chain(arrays: Sequence[np.ndarray]) -> None:
    """Raise unless these are finite real matrices, each as wide as the next one is high."""
    if not arrays:
        raise ShapeError("a product has at least one factor; got none")
    for k, array in enumerate(arrays):
        if array.ndim != 2 or 0 in array.shape:
            raise ShapeError(f"factor {k} must be a matrix; got shape {array.shape}")
        if array.dtype.kind not in "fiu":
            raise WeightsError(f"factor {k} must hold real numbers; got dtype {array.dtype}")
        if not np.isfinite(array).all():
            raise WeightsError(f"factor {k} has entries that are NaN or infinite")
        if k and arrays[k - 1].shape[1] != array.shape[0]:
            raise ShapeError(
                f"axis 1 of factor {k - 1} has size {arrays[k - 1].shape[1]}, but axis 0 of factor {k} has size {array.shape[0]}"
            )


def require_choice(k: int, by: str) -> None:
    """Raise unless k is a positive integer, and the order one of those that there are."""
    if isinstance(k, bool) or not hasattr(k, "__index__") or k < 1:
        raise TermIndexError(f"the number of entries must be a positive integer; got {k!r}")
    if by not in ORDERS:
        raise NotationError(f"entries are ordered by {', '.join(map(repr, ORDERS))}; got {by!r}")
