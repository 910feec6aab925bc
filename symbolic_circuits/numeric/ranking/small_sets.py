r"""Small sets of terms whose sum is near the total, $\|\sum_{i \in S} c_i - T\| \le r$, and how few terms there must be.

*Lower bound.* With u = T / |T|, the sum of such a set goes at least |T| - r along u. So k terms are needed where the k that go
furthest come to less, whatever the set; a term that is not known goes at most as far as the bound on it.

*Sets.* The k that go furthest, where their sum is near the total: then no set is smaller. Else, of at most 25 terms, the exact
minimum. Of more: one or two numbers, or the proof that none do; the first sum of the largest that is near; then smaller sets,
found by exchanging members, by adding what leaves the least (vectors), and exactly among 25 of the terms.
"""

import math
import time

import numpy as np

from symbolic_circuits.numeric.ranking.candidates import Candidates
from symbolic_circuits.numeric.ranking.subset import MAX_CANDIDATES, nearest_vectors, smallest_subset

__all__ = ["exchanged", "fewest", "grown", "small_set"]

EXCHANGES = 32  # of members for others, for one size of a set
SIZES = 24  # that are tried by exchanging
EXCHANGE = 2**27  # multiplications for an exchange of vectors
POOL_GROWTH = 8
POOLS = tuple(MAX_CANDIDATES * POOL_GROWTH**k for k in range(5))  # so many of the largest vectors
WORK = 2**32  # multiplications for a set that is grown term by term


def small_set(
    candidates: Candidates, total: np.ndarray, radius: float, deadline: float = math.inf
) -> tuple[np.ndarray | None, int]:
    """The numbers of the candidates of a set near the total, None where none was found; and a lower bound on the size of any.

    Parameters
    ----------
    total : (q,)
    radius : how near the sum must be, rounding included
    deadline : on the clock of ``time.perf_counter``, after which a set that was found is not made smaller
    """
    values, along, all_known = candidates.values, candidates.along, candidates.others == 0
    lower = fewest(along, candidates.bound, candidates.others, float(np.linalg.norm(total)) - radius)
    order = np.argsort(-along, kind="stable")
    if lower <= len(order) and np.linalg.norm(values[order[:lower]].sum(axis=0) - total) <= radius:
        return order[:lower], lower
    if all_known and len(values) <= MAX_CANDIDATES:
        found = smallest_subset(values, total, radius, range(lower, len(values) + 1))
        return (None, lower) if found is None else (np.array(found[0], dtype=int), len(found[0]))
    if all_known and len(total) == 1:  # up to two numbers are found where they are
        for size, nearest in ((1, nearest_one), (2, nearest_pair)):
            found = nearest(along, float(np.linalg.norm(total))) if lower <= size else None
            if found is not None and abs(values[found].sum() - total[0]) <= radius:
                return found, size
        lower = max(lower, 3)
    best = first_prefix(values, order, total, radius)
    return improved(best, candidates, total, radius, lower, deadline), lower


def improved(
    best: np.ndarray | None, candidates: Candidates, total: np.ndarray, radius: float, lower: int, deadline: float
) -> np.ndarray | None:
    """A set that is smaller than the best one so far, or the first that is found.

    Vectors are searched among the largest, in pools of several sizes: what is left of the total is otherwise made up of very many
    small ones, where a few large ones would do.
    """
    is_number = len(total) == 1
    order = np.argsort(-np.linalg.norm(candidates.values, axis=1), kind="stable")
    for pool in (len(order),) if is_number else [pool for pool in POOLS if pool < POOL_GROWTH * len(order)]:
        kept = np.sort(order[:pool])
        values, along = candidates.values[kept], candidates.along[kept]
        for smaller in (exchanged, within_shortlist) if is_number else (grown, exchanged_vectors, within_shortlist):
            sizes = range(lower, 1 + min(len(values), len(values) if best is None else len(best) - 1))
            if sizes and time.perf_counter() < deadline:
                found = smaller(values, along, total, radius, sizes, deadline)
                best = best if found is None else kept[found]
    return best


def fewest(along: np.ndarray, bound: float, others: int, needed: float) -> int:
    """The least k such that k terms may go as far as is needed; every term, where even they do not.

    Parameters
    ----------
    along : (m,) how far the known terms go
    bound, others : how far each of so many other terms goes at most

    Examples
    --------
    >>> import numpy as np
    >>> fewest(np.array([3.0, 1.0, -4.0, 2.0]), 0.0, 0, 4.5), fewest(np.array([3.0]), 0.5, 10**30, 10.0)
    (2, 15)
    """
    if needed <= 0:
        return 0
    gains = -np.sort(-along[along > 0])
    larger, smaller = gains[gains >= bound], gains[gains < bound]
    sums = np.cumsum(larger)
    if len(sums) and sums[-1] >= needed:
        return int(np.searchsorted(sums, needed)) + 1
    so_far = float(sums[-1]) if len(sums) else 0.0
    if others and bound > 0 and (needed - so_far) / bound <= others:
        return len(larger) + math.ceil((needed - so_far) / bound)
    sums = so_far + (others * bound if others else 0.0) + np.cumsum(smaller)
    return len(larger) + (others if bound > 0 else 0) + min(int(np.searchsorted(sums, needed)) + 1, len(smaller))


def nearest_one(numbers: np.ndarray, total: float) -> np.ndarray:
    """The place of the number nearest to a total."""
    return np.array([int(np.abs(numbers - total).argmin())])


def nearest_pair(numbers: np.ndarray, total: float) -> np.ndarray:
    """The places of the two numbers whose sum is nearest to a total.

    >>> import numpy as np
    >>> nearest_pair(np.array([8.0, 4.0, -3.0, 1.0]), 7.8).tolist()
    [0, 3]
    """
    order = np.argsort(numbers, kind="stable")
    rising, first = numbers[order], np.arange(len(numbers) - 1)
    places = np.searchsorted(rising, total - rising[:-1])
    pairs = np.clip(np.stack([places - 1, places]), first + 1, len(numbers) - 1)  # the partner is a later one
    distances = np.abs(rising[:-1] + rising[pairs] - total)
    side, i = np.unravel_index(int(distances.argmin()), distances.shape)
    return np.sort(order[[i, pairs[side, i]]])


def first_prefix(values: np.ndarray, order: np.ndarray, total: np.ndarray, radius: float) -> np.ndarray | None:
    """The fewest of the first terms of an order whose sum is near the total."""
    near = np.linalg.norm(np.cumsum(values[order], axis=0) - total, axis=1) <= radius
    return order[: int(near.argmax()) + 1] if near.any() else None


def exchanged(
    values: np.ndarray, along: np.ndarray, total: np.ndarray, radius: float, sizes: range, deadline: float
) -> np.ndarray | None:
    """A set of numbers of the first size that is found: the largest, with members exchanged until the sum is near enough.

    Each exchange takes the sum as near the total as one can.
    """
    order = np.argsort(along, kind="stable")  # rising
    sorted_along, size = along[order], float(np.linalg.norm(total))
    for k in sizes[:SIZES]:
        inside = np.zeros(len(order), dtype=bool)
        inside[len(order) - k :] = True
        for _ in range(EXCHANGES):
            over = float(sorted_along[inside].sum()) - size
            if abs(over) <= radius:
                return order[np.flatnonzero(inside)[::-1]]
            pair = best_exchange(sorted_along, inside, over)
            if pair is None or time.perf_counter() > deadline:
                break
            inside[list(pair)] = False, True
    return None


def best_exchange(along: np.ndarray, inside: np.ndarray, over: float) -> tuple[int, int] | None:
    """(member, other) whose exchange leaves a sum nearest to what is wanted; None where none comes nearer.

    Parameters
    ----------
    along : (m,) rising
    over : how far the sum is above what is wanted
    """
    members, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    if not len(members) or not len(others):
        return None
    places = np.searchsorted(along[others], along[members] - over)
    pairs = np.stack([np.maximum(places - 1, 0), np.minimum(places, len(others) - 1)])
    left = np.abs(over - along[members] + along[others][pairs])
    side, i = np.unravel_index(int(left.argmin()), left.shape)
    return (int(members[i]), int(others[pairs[side, i]])) if left[side, i] < abs(over) else None


def exchanged_vectors(
    values: np.ndarray, along: np.ndarray, total: np.ndarray, radius: float, sizes: range, deadline: float
) -> np.ndarray | None:
    """A set of vectors, its size by bisection: those added first, with members exchanged for what leaves less of the total."""
    order, best = added(values, total, 0.0, sizes[-1], deadline), None
    low, high = sizes.start, min(sizes.stop, len(order) + 1)
    while low < high and time.perf_counter() < deadline:
        size = (low + high) // 2
        found = settled(values, order[:size], total, radius, deadline)
        if found is None:
            low = size + 1
        else:
            best, high = found, size
    return best


def settled(values: np.ndarray, chosen: list[int], total: np.ndarray, radius: float, deadline: float) -> np.ndarray | None:
    """A set with members exchanged one at a time until the sum is near the total; None where no exchange brings it nearer."""
    inside = np.zeros(len(values), dtype=bool)
    inside[chosen] = True
    for _ in range(EXCHANGES):
        members, others = np.flatnonzero(inside), np.flatnonzero(~inside)
        left = total - values[members].sum(axis=0)
        size = float(np.linalg.norm(left))
        if size <= radius:
            return members
        if not len(members) or len(members) * others.size * values.shape[1] > EXCHANGE or time.perf_counter() > deadline:
            return None
        pair = nearest_vectors(values[members] + left, -values[others], size * (1 - 1e-9)) if len(others) else None
        if pair is None:
            return None
        inside[members[pair[1]]], inside[others[pair[2]]] = False, True
    return None


def grown(
    values: np.ndarray, along: np.ndarray, total: np.ndarray, radius: float, sizes: range, deadline: float
) -> np.ndarray | None:
    """A set of vectors: terms are added, each the one that leaves the least of the total, and those not needed taken out."""
    chosen = added(values, total, radius, sizes[-1], deadline)
    left = total - values[chosen].sum(axis=0)
    if np.linalg.norm(left) > radius:
        return None
    while len(chosen):
        without = np.linalg.norm(left + values[chosen], axis=1)
        k = int(without.argmin())
        if without[k] > radius:
            break
        left, chosen = left + values[chosen[k]], chosen[:k] + chosen[k + 1 :]
    return np.array(chosen, dtype=int)


def added(values: np.ndarray, total: np.ndarray, radius: float, most: int, deadline: float = math.inf) -> list[int]:
    """Terms in the order in which each leaves the least of the total, until that is near or there are enough."""
    costs = np.einsum("kq,kq->k", values, values)  # of term c: |left - c|^2 - |left|^2 = |c|^2 - 2 <left, c>
    left, chosen = total.copy(), []
    most = min(most, len(values), max(MAX_CANDIDATES, WORK // values.size))
    while len(chosen) < most and np.linalg.norm(left) > radius and time.perf_counter() < deadline:
        k = int((costs - 2 * (values @ left)).argmin())
        costs[k] = np.inf
        chosen.append(k)
        left = left - values[k]
    return chosen


def within_shortlist(
    values: np.ndarray, along: np.ndarray, total: np.ndarray, radius: float, sizes: range, deadline: float
) -> np.ndarray | None:
    """The smallest set among 25 terms: of numbers the largest, of vectors those that are added first."""
    if len(total) == 1:
        shortlist = np.argsort(-np.abs(along), kind="stable")[:MAX_CANDIDATES]
    else:
        shortlist = np.array(added(values, total, 0.0, MAX_CANDIDATES), dtype=int)
    found = smallest_subset(values[shortlist], total, radius, range(sizes.start, min(sizes.stop, len(shortlist) + 1)))
    return None if found is None else shortlist[list(found[0])]
