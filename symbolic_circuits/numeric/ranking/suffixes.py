r"""Suffixes of terms: chains of heads from the output down, each a rank-one functional $x \mapsto \sum_s p_s v \cdot W_V^h x_s$ on what its last head h reads.

A head h' below makes of (p, v) the functional $(p A^{h'}, v M_{h h'})$; a bound on all terms that continue it is
$|v M_{h h'}| \max_j \sum_s (p A^{h'})_s \beta^{h'}_j(s)$. For norms v is a matrix with as many rows as the functional has values.

| letter | meaning | shape |
| --- | --- | --- |
| P | weights of positions | N x n |
| V | functionals on the space of the last head | N x q x r |
| path | heads from the output on, as family times STRIDE plus place in the family; -1 where there is none | N x depth |
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from symbolic_circuits.numeric.ranking.lengths import lengths

__all__ = ["STRIDE", "Suffixes", "compressed", "extended", "sizes_of"]

STRIDE = 2**20  # more than the heads of any family


@dataclass(frozen=True, slots=True, eq=False)
class Suffixes:
    """Suffixes whose last heads are of one family."""

    place: np.ndarray  # (N,) of the last head in its family
    P: np.ndarray  # (N, n)
    V: np.ndarray  # (N, q, r)
    path: np.ndarray  # (N, depth)
    bound: np.ndarray  # (N,) on all terms with this suffix
    rest: np.ndarray  # (N,) the same without the term that ends at the input right after it

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, rows: np.ndarray) -> Self:
        return type(self)(self.place[rows], self.P[rows], self.V[rows], self.path[rows], self.bound[rows], self.rest[rows])

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Several as one; functionals with fewer values than others get zeros for the rest, which leaves their norms as they are."""
        if len(parts) == 1:
            return parts[0]
        most = max(part.V.shape[1] for part in parts)
        V = np.concatenate([np.pad(part.V, ((0, 0), (0, most - part.V.shape[1]), (0, 0))) for part in parts])
        place, P, path, bound, rest = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("place", "P", "path", "bound", "rest")
        )
        return cls(place, P, V, path, bound, rest)

    def by_place(self) -> Iterator[tuple[int, np.ndarray]]:
        """The rows of each last head."""
        order = np.argsort(self.place, kind="stable")
        places, starts = np.unique(self.place[order], return_index=True)
        yield from zip(map(int, places), np.split(order, starts[1:]), strict=True)


def extended(path: np.ndarray, number: int, place: int) -> np.ndarray:
    """Paths (N, depth) with one head more."""
    path = path.copy()
    path[np.arange(len(path)), (path >= 0).sum(axis=1)] = number * STRIDE + place
    return path


def sizes_of(V: np.ndarray) -> np.ndarray:
    """Upper bounds of the spectral norms of functionals (..., q, r): Frobenius norms, exact for q = 1."""
    return lengths(V, axes=2)


def compressed(V: np.ndarray) -> np.ndarray:
    """Functionals (N, q, r) with the same norms at every vector and at most r rows: the triangles of QR decompositions.

    A square root of V^T V would lose half of the digits where V takes some vectors to much less than others.
    """
    return V if V.shape[1] <= V.shape[2] else np.linalg.qr(V, mode="r")
