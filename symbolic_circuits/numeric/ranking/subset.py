r"""The fewest of at most 25 numbers or vectors whose sum is near a total, exactly: $\min |S|$ with $\|\sum_S c_i - T\| \le r$.

Every set of k is a set of a among the first half and one of k - a among the second (Horowitz and Sahni 1974): of 25 candidates
the halves have 2^12 and 2^13 sets. For numbers the nearest partner of a sum is found in the sorted sums of the other half: all
2^25 sets are seen in 2^12 look-ups a size. For vectors the squares of the distances of all pairs are one matrix product.
"""

import numpy as np

from symbolic_circuits.errors import BudgetError

__all__ = ["MAX_CANDIDATES", "smallest_subset"]

MAX_CANDIDATES = 25
PAIRS = 2**17  # pairs of half sums whose distances are held at once


def smallest_subset(
    values: np.ndarray, total: np.ndarray, radius: float, sizes: range | None = None
) -> tuple[tuple[int, ...], float] | None:
    """The fewest rows of ``values`` whose sum is within ``radius`` of ``total``, and how near; None where no set is.

    Of all sets of the least size it is the nearest to the total.

    Parameters
    ----------
    values, total : (m, q) and (q,); m at most 25
    sizes : those that are tried, in order; 0 to m by default

    Raises
    ------
    BudgetError
        There are more candidates than can be searched.

    Examples
    --------
    >>> import numpy as np
    >>> smallest_subset(np.array([[5.0], [4.0], [-3.0], [2.0]]), np.array([6.0]), 0.5)
    ((1, 3), 0.0)
    """
    if len(values) > MAX_CANDIDATES:
        raise BudgetError(f"the smallest set among {len(values)} candidates was asked for; the limit is {MAX_CANDIDATES}")
    values, total = in_few_coordinates(values, total)
    half = len(values) // 2
    first, second = sums_by_size(values[:half]), sums_by_size(values[half:])
    nearest = nearest_numbers if len(total) == 1 else nearest_vectors
    for size in range(len(values) + 1) if sizes is None else sizes:
        best = None
        for a in range(max(0, size - len(second) + 1), min(size, half) + 1):
            (left, left_sets), (right, right_sets) = first[a], second[size - a]
            found = nearest(left - total, right, radius if best is None else min(radius, best[0]))
            if found is not None and (best is None or found[0] < best[0]):
                distance, i, j = found
                best = distance, int(left_sets[i]) | int(right_sets[j]) << half
        if best is not None and best[0] <= radius:
            return tuple(i for i in range(len(values)) if best[1] >> i & 1), best[0]
    return None


def in_few_coordinates(values: np.ndarray, total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same distances in at most m + 1 coordinates: those of the triangle of a QR decomposition."""
    if values.shape[1] <= len(values) + 1:
        return values, total
    triangle = np.linalg.qr(np.vstack([values, total]).T, mode="r")
    return triangle[:, :-1].T, triangle[:, -1]


def sums_by_size(values: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each k the sums of all sets of k rows, (sets, q), and the sets as bits, (sets,)."""
    sums = np.zeros((1, values.shape[1]))
    for value in values:
        sums = np.concatenate([sums, sums + value])
    sets = np.arange(len(sums))
    sizes = np.bitwise_count(sets) if hasattr(np, "bitwise_count") else sum(sets >> i & 1 for i in range(len(values)))
    return [(sums[chosen], sets[chosen]) for chosen in (np.flatnonzero(sizes == k) for k in range(len(values) + 1))]


def nearest_numbers(left: np.ndarray, right: np.ndarray, radius: float) -> tuple[float, int, int]:
    """The least |x + y| of numbers x and y with their places: the partner of x is beside -x among the y in order."""
    order = np.argsort(right[:, 0], kind="stable")
    x, y = left[:, 0], right[order, 0]
    places = np.searchsorted(y, -x)
    pairs = np.stack([np.maximum(places - 1, 0), np.minimum(places, len(y) - 1)])
    distances = np.abs(x + y[pairs])
    side, i = np.unravel_index(int(distances.argmin()), distances.shape)
    return float(distances[side, i]), int(i), int(order[pairs[side, i]])


def nearest_vectors(left: np.ndarray, right: np.ndarray, radius: float) -> tuple[float, int, int] | None:
    """The least |x + y| of vectors x and y with their places, None where it is over the radius.

    |x + y|^2 = |x|^2 + 2 <x, y> + |y|^2 sorts out most pairs; where that loses digits, the sum itself is taken.
    """
    squares, others = (np.einsum("iq,iq->i", side, side) for side in (left, right))
    lost = 64 * np.finfo(np.float64).eps * left.shape[1] * (squares.max() + others.max())
    best = None
    step = max(1, PAIRS // len(right))
    for start in range(0, len(left), step):
        limit = radius if best is None else best[0]
        part = left[start : start + step]
        near = squares[start : start + step, None] + 2 * (part @ right.T) + others
        i, j = np.nonzero(near <= limit**2 + lost)
        if not len(i):
            continue
        distances = np.linalg.norm(part[i] + right[j], axis=1)
        k = int(distances.argmin())
        if distances[k] <= limit and (best is None or distances[k] < best[0]):
            best = float(distances[k]), start + int(i[k]), int(j[k])
    return best
