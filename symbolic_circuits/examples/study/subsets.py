"""The accuracy of every subset of the terms: the other terms left out, or their mean over all pairs in their place.

Subsets are numbered by bits: term i is in subset k where bit i of k is 1.
"""

import numpy as np

from symbolic_circuits.examples.addition import accuracy, all_pairs

__all__ = ["accuracies", "best_by_size", "members"]


def accuracies(logits: np.ndarray, means: bool = False) -> np.ndarray:
    """The accuracy of all 2^T subsets, shape (2^T,); exact, by running through them in the order of a Gray code.

    Parameters
    ----------
    logits : (P, T, V)
    means : terms that are not in the subset stand at their mean, rather than at zero
    """
    pairs, terms = all_pairs(), logits.shape[1]
    mean = logits.mean(axis=0) if means else np.zeros(logits.shape[1:])
    current = np.broadcast_to(mean.sum(axis=0), logits[:, 0].shape)
    found, subset = np.empty(2**terms), 0
    found[0] = accuracy(current, pairs)
    for step in range(1, 2**terms):
        place = (step & -step).bit_length() - 1  # the one bit that changes
        subset ^= 1 << place
        sign = 1 if subset >> place & 1 else -1
        current = current + sign * (logits[:, place] - mean[place])
        found[subset] = accuracy(current, pairs)
    return found


def members(terms: int) -> np.ndarray:
    """Whether each term is in each subset, bool (2^T, T).

    >>> members(2).tolist()
    [[False, False], [True, False], [False, True], [True, True]]
    """
    return (np.arange(2**terms)[:, None] >> np.arange(terms) & 1).astype(bool)


def best_by_size(found: np.ndarray) -> list[tuple[float, list[int]]]:
    """The highest accuracy of a subset of each size, and its terms."""
    inside = members(len(found).bit_length() - 1)
    sizes = inside.sum(axis=1)
    out = []
    for size in range(inside.shape[1] + 1):
        best = max(np.flatnonzero(sizes == size), key=lambda k: found[k])
        out.append((float(found[best]), np.flatnonzero(inside[best]).tolist()))
    return out
