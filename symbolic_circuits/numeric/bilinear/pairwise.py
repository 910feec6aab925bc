r"""The pairs of input features that an output feature depends on most, $z_a z_b\, w_{ab}$ with $w_{aa} = Q_{aa}$ and $w_{ab} = Q_{ab} + Q_{ba}$, exactly and
without all of them.

With $Q = V \operatorname{diag}(\lambda) V^T$ a pair is an inner product $l_a \cdot r_b$ of $l_a = |\lambda|^{1/2} V^T f_a$ and
$r_b = \pm|\lambda|^{1/2} V^T f_b$, so that pairs whose $|l_a| |r_b|$ is too small are passed over: with the features sorted by norm, whole
blocks of them (the threshold algorithm of Fagin, Lotem and Naor 2003).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import LawError, TermIndexError
from symbolic_circuits.numeric.bilinear.interaction import InteractionMatrix
from symbolic_circuits.numeric.ranking.incumbents import Incumbents
from symbolic_circuits.numeric.ranking.lengths import lengths

__all__ = ["FeaturePair", "PairwiseInteractions", "pairwise_interactions"]

BLOCK = 2**20  # pairs at a time
ROUNDING = 1 + 1e-12


class FeaturePair(NamedTuple):
    """Two input features, the first not after the second, and the weight of the product of their coefficients."""

    first: int
    second: int
    weight: float


@displayed
@dataclass(frozen=True, slots=True)
class PairwiseInteractions:
    """The largest pairs by |weight|; every other pair is at most ``rest``."""

    pairs: tuple[FeaturePair, ...]
    rest: float  # the least |weight| listed, which no other exceeds; 0 where all that are not zero are listed
    evaluated: int  # products computed
    number_of_pairs: int  # q (q + 1) / 2

    def __str__(self) -> str:
        lines = [f"{pair.weight:+.4g}  {pair.first} x {pair.second}" for pair in self.pairs]
        return "\n".join([*lines, f"every other pair of {self.number_of_pairs:,} is at most {self.rest:.4g}"])


def pairwise_interactions(Q: InteractionMatrix, *, top: int = 20) -> PairwiseInteractions:
    """The largest interactions between the features (or coordinates, or tokens) of an interaction matrix.

    Parameters
    ----------
    Q : symmetric, N x N, such as ``in_dictionary(...).interaction(a)`` or ``interaction_matrix(..., in_tokens=True)``
    top : how many pairs, at least 1

    Raises
    ------
    LawError, TermIndexError
        The matrix is not symmetric; ``top`` is not positive.

    Examples
    --------
    >>> found = pairwise_interactions(InteractionMatrix(np.array([[1.0, 3.0], [3.0, -7.0]])), top=2)
    >>> found.pairs
    (FeaturePair(first=1, second=1, weight=-7.0), FeaturePair(first=0, second=1, weight=6.0))
    """
    if not Q.is_symmetric:
        raise LawError(f"{Q.words} is not symmetric; what acts on pairs of features is .symmetrized()")
    if isinstance(top, bool) or not isinstance(top, int | np.integer) or top < 1:
        raise TermIndexError(f"at least one pair is asked for; got top={top}")
    best = Incumbents(int(top))
    evaluated = search(Q, best)
    found = [FeaturePair(i, j, weight_of(Q, i, j)) for i, j in best.values]
    found.sort(key=lambda pair: (-abs(pair.weight), pair[:2]))
    return PairwiseInteractions(tuple(found), best.threshold, evaluated, Q.size * (Q.size + 1) // 2)


def search(Q: InteractionMatrix, best: Incumbents) -> int:
    """Offer all pairs that may belong to the largest; the number of products computed."""
    left, right = sides(Q)
    norms = lengths(left)
    order = np.argsort(-norms, kind="stable")
    left, right, norms = left[order], right[order], norms[order] * ROUNDING
    start = evaluated = 0
    while start < len(left):
        if 2 * norms[start] ** 2 <= best.threshold:  # pairs are looked at once: the second has a norm at most that of the first
            break
        width = int(np.searchsorted(-norms * norms[start], -best.threshold / 2, side="right"))
        end = min(len(left), start + max(1, (BLOCK if start else BLOCK // 8) // max(1, width - start)))
        offer(left[start:end] @ right[start:width].T, order, start, best)
        evaluated += (end - start) * (width - start)
        start = end
    return evaluated


def offer(values: np.ndarray, order: np.ndarray, start: int, best: Incumbents) -> None:
    """Offer a block of products of features from ``start`` on; of two places the later one second, and twice where they differ."""
    i, j = np.nonzero(2 * np.abs(values) > best.threshold)
    values, once = values[i, j], i <= j
    i, j, values = i[once], j[once], np.where(i == j, 1, 2)[once] * values[once]
    first, second = order[start + i], order[start + j]
    best.offer(values, [np.minimum(first, second), np.maximum(first, second)])


def sides(Q: InteractionMatrix) -> tuple[np.ndarray, np.ndarray]:
    """l and r of every feature, as rows; their inner products are the entries of the matrix."""
    values, V = np.linalg.eigh(Q.core)
    left = (V if Q.basis is None else Q.basis @ V) * np.sqrt(np.abs(values))
    return left, left * np.sign(values)


def weight_of(Q: InteractionMatrix, i: int, j: int) -> float:
    """The weight of z_i z_j."""
    return float(Q.block([i], [j])[0, 0]) * (1 if i == j else 2)
