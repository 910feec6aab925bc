r"""The spectrum of a quadratic form, $x^T Q x = \sum_i \lambda_i (v_i \cdot x)^2$, largest $|\lambda|$ first, and what is lost by keeping r of them.

$\|Q - \sum_{i \le r} \lambda_i v_i v_i^T\|_F^2 = \sum_{i > r} \lambda_i^2$. Eigenvectors are rows; the sign of each is fixed by its largest entry,
which is positive. Vectors of equal eigenvalues are determined only up to a rotation among themselves (``Eigen.clusters``).
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import ShapeError, TermIndexError

__all__ = ["Eigen", "eigen", "effective_rank", "with_fixed_signs"]

SAME = 1e-9  # relative to the largest: eigenvalues, or entries, that rounding does not tell apart


@displayed
@dataclass(frozen=True, eq=False)
class Eigen:
    """Eigenvalues and eigenvectors; those that are not listed have the eigenvalue 0.

    Examples
    --------
    >>> found = eigen(np.array([[0.0, 0.5], [0.5, 0.0]]))
    >>> found.values.round(3).tolist(), found.vectors.round(3).tolist()
    ([0.5, -0.5], [[0.707, 0.707], [0.707, -0.707]])
    >>> found.activations(np.array([1.0, 1.0])).round(3).tolist()
    [1.0, -0.0]
    """

    values: np.ndarray  # (k,) by falling absolute value
    vectors: np.ndarray  # (k, N) orthonormal rows
    words: str = "a quadratic form"

    @property
    def effective_rank(self) -> float:
        r"""$(\sum |\lambda|)^2 / \sum \lambda^2$; see :func:`effective_rank`."""
        return effective_rank(self.values)

    @property
    def clusters(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of equal eigenvalues, in groups; only a group of one has an eigenvector that is unique up to its sign."""
        order = np.argsort(-self.values, kind="stable")
        size = np.abs(self.values).max(initial=0.0)
        groups: list[list[int]] = []
        for k in order.tolist():
            near = groups and abs(self.values[groups[-1][-1]] - self.values[k]) <= SAME * size
            groups[-1].append(k) if near else groups.append([k])
        return tuple(sorted(tuple(sorted(group)) for group in groups))

    def activations(self, x: np.ndarray) -> np.ndarray:
        r"""$\lambda_i (v_i \cdot x)^2$ of inputs (..., N), shape (..., k); their sum over i is the quadratic form."""
        x = np.asarray(x)
        if x.shape[-1:] != self.vectors.shape[1:]:
            raise ShapeError(f"inputs of {self.words} have shape (..., {self.vectors.shape[1]}); got {x.shape}")
        return self.values * (x @ self.vectors.T) ** 2

    def truncated(self, r: int) -> "Eigen":
        """The r largest of them by absolute value."""
        return Eigen(self.values[: self.require(r)], self.vectors[:r], f"{self.words}, rank {r}")

    def truncation_error(self, r: int) -> float:
        r"""$\sqrt{\sum_{i > r} \lambda_i^2}$, the Frobenius norm of what the r largest leave out: the least that any matrix of rank r does."""
        return float(np.linalg.norm(self.values[self.require(r) :]))

    def require(self, r: int) -> int:
        """Raise TermIndexError unless there are so many."""
        if isinstance(r, bool) or not isinstance(r, int | np.integer) or not 0 <= r <= len(self.values):
            raise TermIndexError(f"{self.words} has {len(self.values)} eigenvalues; {r} were to be kept")
        return int(r)


def eigen(Q: np.ndarray, basis: np.ndarray | None = None, words: str = "a quadratic form") -> Eigen:
    """The spectrum of Y Q Y^T for a symmetric Q (k, k) and a basis Y (N, k) of orthonormal columns, the identity by default."""
    values, columns = np.linalg.eigh((Q + Q.T) / 2)
    order = falling(values)
    columns = columns[:, order]
    return Eigen(values[order], with_fixed_signs((columns if basis is None else basis @ columns).T), words)


def falling(values: np.ndarray) -> np.ndarray:
    """The order by falling absolute value; of two that rounding does not tell apart, a positive one first."""
    order = np.argsort(-np.abs(values), kind="stable")
    sizes = np.abs(values[order])
    run = np.concatenate([[0], np.cumsum(sizes[:-1] - sizes[1:] > SAME * sizes[0])]) if len(values) else order
    return order[np.lexsort((-values[order], run))]


def with_fixed_signs(rows: np.ndarray) -> np.ndarray:
    """Vectors (k, N), each times the sign that makes its largest entry (the first of those of its size) positive."""
    sizes = np.abs(rows)
    at = (sizes >= (1 - SAME) * sizes.max(axis=1, keepdims=True, initial=0.0)).argmax(axis=1)
    return rows * np.where(np.take_along_axis(rows, at[:, None], 1) < 0, -1.0, 1.0)


def effective_rank(values: np.ndarray) -> float:
    r"""$(L_1 / L_2)^2$ of a spectrum: k for k equal values of any signs, between 1 and the rank; 0 where all vanish.

    >>> effective_rank(np.array([2.0, -2.0, 2.0, 0.0]))
    3.0
    """
    size = np.abs(values).max(initial=0.0)
    if size == 0:
        return 0.0
    scaled = np.abs(values) / size
    return float(scaled.sum() ** 2 / (scaled**2).sum())
