r"""Eigenvalues in one order, and how positive they are, $\sum_i \lambda_i / \sum_i |\lambda_i|$."""

import numpy as np

__all__ = ["by_size", "positivity"]


def by_size(eigenvalues: np.ndarray) -> np.ndarray:
    """Eigenvalues on the last axis in falling order of absolute value, complex; of a conjugate pair the upper one first."""
    found = np.asarray(eigenvalues, dtype=complex)
    size = np.abs(found)
    largest = size.max(axis=-1, keepdims=True, initial=0.0)
    size = (size / np.where(largest > 0, largest, 1)).round(12)  # a conjugate pair has one size
    return np.take_along_axis(found, np.lexsort((-found.imag, -found.real, -size), axis=-1), axis=-1)


def positivity(eigenvalues: np.ndarray) -> np.ndarray:
    r"""$\operatorname{Re} \sum_i \lambda_i / \sum_i |\lambda_i|$ over the last axis; nan where all vanish.

    >>> float(positivity(np.array([3.0, -1.0])))
    0.5
    """
    whole = np.abs(eigenvalues).sum(axis=-1)
    return np.where(whole > 0, np.real(eigenvalues).sum(axis=-1) / np.where(whole > 0, whole, 1), np.nan)[()]
