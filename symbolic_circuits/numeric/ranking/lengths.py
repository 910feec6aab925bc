r"""Euclidean norms $\sqrt{\sum_i x_i^2}$ of vectors and matrices at any scale, and the refusal of bounds that overflow.

Squares of numbers below 1e-162 are zero and those above 1e154 infinite; such rows are divided by their largest entry first.
A bound that has become zero, or no number, would leave out terms without a word.
"""

import numpy as np

from symbolic_circuits.errors import WeightsError

__all__ = ["finite", "lengths"]

SMALL, LARGE = 1e-140, 1e140


def lengths(x: np.ndarray, axes: int = 1) -> np.ndarray:
    """Norms over the last axis, or over the last two of them (Frobenius).

    >>> import numpy as np
    >>> [f"{length:.3g}" for length in lengths(np.array([[3.0, 4.0], [3e-200, 4e-200], [3e200, 4e200]]))]
    ['5', '5e-200', '5e+200']
    """
    letters = "ij"[:axes]
    found = np.asarray(np.sqrt(np.einsum(f"...{letters},...{letters}->...", x, x)))
    extreme = ~((found > SMALL) & (found < LARGE))
    if extreme.any():
        rows = x[extreme]
        rows = rows.reshape(len(rows), int(np.prod(rows.shape[1:])))
        size = np.abs(rows).max(axis=1, initial=0.0)
        rows = rows / np.where(size > 0, size, 1)[:, None]
        found[extreme] = size * np.sqrt(np.einsum("xi,xi->x", rows, rows))
    return found


def finite(bounds: np.ndarray) -> np.ndarray:
    """The bounds as they are.

    Raises
    ------
    WeightsError
        One is not finite.
    """
    if not np.isfinite(bounds).all():
        raise WeightsError("bounds on the terms are not finite, so that nothing can be certified: scale the weights down")
    return bounds
