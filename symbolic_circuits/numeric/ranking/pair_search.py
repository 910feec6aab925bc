r"""The largest values of a bilinear form over all pairs of two lists, without computing all of them.

With weights p on positions and a direction u on the stream, a pair is worth $\sum_s p_s u \cdot B(x_s, y_s) = \langle l_x, r_y \rangle$, where
the singular values of $W_1^T \operatorname{diag}(W_{out}^T u) W_2 = U S V^T$ are shared evenly: $l_x = \sqrt{p_s} S^{1/2} U^T x_s$ and
$r_y = \sqrt{p_s} S^{1/2} V^T y_s$, all positions in one vector. Pairs whose $|l_x| |r_y|$ is too small are passed over: with both lists sorted by
norm, whole blocks of them (the threshold algorithm of Fagin, Lotem and Naor 2003).
"""

from collections.abc import Callable

import numpy as np

from symbolic_circuits.numeric.ranking.chains import PairFamily
from symbolic_circuits.numeric.ranking.incumbents import Incumbents
from symbolic_circuits.numeric.ranking.lengths import finite, lengths
from symbolic_circuits.numeric.ranking.spectral import output_bound, scaled
from symbolic_circuits.numeric.ranking.term_lists import TermList

__all__ = ["search_norms", "search_pairs"]

BLOCK = 2**21  # pairs at a time
ROUNDING = 1 + 1e-12


def search_pairs(
    family: PairFamily,
    probe: np.ndarray,
    u: np.ndarray,
    left: TermList,
    right: TermList,
    best: Incumbents,
    key: tuple[int, ...],
    stop: Callable[[int], bool],
) -> tuple[int, float]:
    """Offer the pairs to ``best`` that may belong there; the number evaluated, and a bound on those that a stop left out.

    Parameters
    ----------
    probe : (n,) weights of positions
    u : (d,) direction on the stream
    key : what the keys of the pairs begin with; the numbers of the inputs follow
    stop : whether to end, given the number of values computed so far
    """
    x, y = sides(family, probe, u, left, right)
    norms_x, norms_y = lengths(x), lengths(y)
    rows, columns = np.argsort(-norms_x, kind="stable"), np.argsort(-norms_y, kind="stable")
    x, norms_x, y, norms_y = x[rows], norms_x[rows] * family.factor * ROUNDING, y[columns], norms_y[columns]
    start, evaluated = 0, 0
    while start < len(x) and len(y):
        largest = finite(norms_x[start] * norms_y[0])
        if largest <= best.threshold:
            return evaluated, 0.0
        if stop(evaluated):
            return evaluated, float(largest)
        width = int(np.searchsorted(-norms_y * norms_x[start], -best.threshold)) or 1
        end = start + max(1, min(len(x) - start, (BLOCK if start else BLOCK // 8) // width))
        values = x[start:end] @ y[:width].T
        offer_block(family, values, rows[start:end], columns[:width], best, key)
        evaluated += values.size
        start = end
    return evaluated, 0.0


def offer_block(
    family: PairFamily, values: np.ndarray, rows: np.ndarray, columns: np.ndarray, best: Incumbents, key: tuple[int, ...]
) -> None:
    """Offer a block of values; of unordered pairs only i <= j, which count twice where they differ."""
    limit = best.threshold / family.factor
    i, j = np.nonzero((values > limit) | (values < -limit))
    found, i, j = values[i, j], rows[i], columns[j]
    if family.production.unordered:
        once = i <= j
        found, i, j = found[once], i[once], j[once]
        found = np.where(i == j, 1, 2) * found
    else:
        found = family.factor * found
    best.offer(found, [np.broadcast_to(np.array(key, dtype=np.int64), (len(found), len(key))), i, j])


def sides(family: PairFamily, probe: np.ndarray, u: np.ndarray, left: TermList, right: TermList) -> tuple[np.ndarray, np.ndarray]:
    """l of every term of the left list and r of every term of the right one, as rows."""
    at = np.flatnonzero(probe)
    weights = np.sqrt(np.abs(probe[at]))
    (W_1, one), (W_2, two), (hidden, size) = scaled(family.W_1), scaled(family.W_2), scaled(finite(family.pulled_back(u)))
    U, S, V = np.linalg.svd((W_1.T * hidden) @ W_2)
    rank = min(*family.W_1.shape, *family.W_2.shape)
    root = np.sqrt(S[:rank]) * np.sqrt(one) * np.sqrt(two) * np.sqrt(size)
    x = left.at_positions(at) @ (U[:, :rank] * root) * weights[:, None]
    y = right.at_positions(at) @ (V[:rank].T * root) * (weights * np.sign(probe[at]))[:, None]
    return x.reshape(len(x), -1), y.reshape(len(y), -1)


def search_norms(
    family: PairFamily,
    probe: np.ndarray,
    u: np.ndarray,
    left: TermList,
    right: TermList,
    best: Incumbents,
    key: tuple[int, ...],
    stop: Callable[[int], bool],
) -> tuple[int, float]:
    r"""The same for norms, $|\sum_s p_s u B(x_s, y_s)|$ with u of shape (q, d), by $\sigma \sum_s |p_s| |x_s| |y_s|$."""
    at = np.flatnonzero(probe)
    weights, W = np.sqrt(np.abs(probe[at])), family.pulled_back(u)
    sigma = output_bound(W, family.W_1, family.W_2)
    x, y = left.at_positions(at), right.at_positions(at)
    hidden_x, hidden_y = x @ family.W_1.T * probe[at][:, None], y @ family.W_2.T
    sizes_x = lengths(x) * weights * (sigma * family.factor * ROUNDING)
    sizes_y = lengths(y) * weights
    rows = np.argsort(-lengths(sizes_x), kind="stable")
    evaluated, step = 0, max(1, BLOCK // max(1, len(y)))
    for start in range(0, len(rows), step):
        chosen = rows[start : start + step]
        bounds = finite(sizes_x[chosen] @ sizes_y.T)
        if stop(evaluated):
            rest = lengths(sizes_x[chosen[0]]) * lengths(sizes_y).max(initial=0.0)
            return evaluated, float(rest)
        i, j = np.nonzero(bounds > best.threshold)
        order = np.argsort(-bounds[i, j], kind="stable")
        pairs = np.stack([chosen[i[order]], j[order]])
        evaluated += offer_norms(family, pairs, bounds[i[order], j[order]], hidden_x, hidden_y, W, best, key)
    return evaluated, 0.0


def offer_norms(
    family: PairFamily,
    pairs: np.ndarray,
    bounds: np.ndarray,
    hidden_x: np.ndarray,
    hidden_y: np.ndarray,
    W: np.ndarray,
    best: Incumbents,
    key: tuple[int, ...],
) -> int:
    """Offer the norms of pairs (2, N), by falling bound; the number evaluated."""
    if family.production.unordered:
        once = pairs[0] <= pairs[1]
        pairs, bounds = pairs[:, once], bounds[once]
    size, evaluated = max(1, BLOCK // hidden_x[0].size), 0
    for start in range(0, len(bounds), size):
        if bounds[start] <= best.threshold:
            break
        i, j = pairs[:, start : start + size]
        factor = np.where(i == j, 1, 2) if family.production.unordered else family.factor
        found = factor * lengths(np.einsum("xsm,xsm->xm", hidden_x[i], hidden_y[j]) @ W.T)
        best.offer(found, [np.broadcast_to(np.array(key, dtype=np.int64), (len(found), len(key))), i, j])
        evaluated += len(found)
    return evaluated
