r"""The interaction matrix of a direction u of a layer's output: $u \cdot B(x, x) = x^T Q x$, $Q = W_1^T \operatorname{diag}(W_{out}^T u) W_2$.

| letter | meaning | shape |
| --- | --- | --- |
| u | direction on the output of the layer; W_U^T (e_a - e_b) for a difference of logits by the direct path | d |
| Q | interaction matrix; only its symmetric part acts on equal inputs | d x d |
| F | features of the input, or tokens (F = W_E^T), as rows; the matrix is then F Q F^T | N x d |

Of many features the matrix is kept as Y K Y^T, with Y (N x k) orthonormal from F = Y R and K = R Q R^T (k x k, k at most d).

References
----------
Pearce et al. 2024, Bilinear MLPs enable weight-based mechanistic interpretability (arXiv:2410.08417), equations 2 and 3.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import LawError, ShapeError, SpecError, TokensError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.bilinear.eigen import Eigen, eigen
from symbolic_circuits.numeric.bilinear.layer import (
    MAX_BYTES,
    BilinearLayer,
    bilinear_layer,
    layer_number,
    require_bytes,
    require_matrix,
)
from symbolic_circuits.numeric.circuits.ov_qk import require_ends, step_of, unembedding
from symbolic_circuits.numeric.weights import Weights

__all__ = ["InteractionMatrix", "interaction_matrix", "matrix_of"]


@displayed
@dataclass(frozen=True, eq=False)
class InteractionMatrix:
    """Q, or Y K Y^T where it is kept by factors; entry (i, j) is the weight of the product x_i x_j.

    Examples
    --------
    >>> Q = InteractionMatrix(np.array([[1.0, 2.0], [0.0, 1.0]]))
    >>> Q.is_symmetric, Q.symmetrized().to_array().tolist(), Q.of(np.array([1.0, 1.0])).tolist()
    (False, [[1.0, 1.0], [1.0, 1.0]], 4.0)
    """

    core: np.ndarray  # K (k, k)
    basis: np.ndarray | None = None  # Y (N, k), orthonormal columns; None: the identity
    words: str = "an interaction matrix"

    @property
    def size(self) -> int:
        """N, the number of coordinates, features or tokens."""
        return len(self.core if self.basis is None else self.basis)

    @property
    def is_symmetric(self) -> bool:
        """Whether the matrix equals its transpose, entry by entry."""
        return bool(np.array_equal(self.core, self.core.T))

    @property
    def norm(self) -> float:
        """The Frobenius norm."""
        return float(np.linalg.norm(self.core))

    def symmetrized(self) -> Self:
        r"""$(Q + Q^T) / 2$, which has the same values on equal inputs."""
        return replace(self, core=(self.core + self.core.T) / 2)

    def antisymmetric(self) -> Self:
        r"""$(Q - Q^T) / 2$, which vanishes on equal inputs."""
        return replace(self, core=(self.core - self.core.T) / 2)

    def of(self, x: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        """x^T Q y, or x^T Q x, of inputs (..., N)."""
        x, y = self.reduced(x), self.reduced(x if y is None else y)
        return np.einsum("...i,ij,...j->...", x, self.core, y)

    def block(self, rows: object, columns: object) -> np.ndarray:
        """The entries of some rows and columns, shape (rows, columns), without the rest of the matrix."""
        rows, columns = (self.require_places(places) for places in (rows, columns))
        if self.basis is None:
            return self.core[np.ix_(rows, columns)]
        return self.basis[rows] @ self.core @ self.basis[columns].T

    def to_array(self, *, max_bytes: int = MAX_BYTES) -> np.ndarray:
        """The whole matrix (N, N); BudgetError where it is too large."""
        require_bytes((self.size, self.size), self.words, max_bytes)
        return self.core.copy() if self.basis is None else self.basis @ self.core @ self.basis.T

    def eigen(self) -> Eigen:
        """Its spectrum, by falling absolute value, with orthonormal eigenvectors.

        Raises
        ------
        LawError
            The matrix is not symmetric: its own eigenvectors are neither real nor orthogonal.
        """
        if not self.is_symmetric:
            raise LawError(f"{self.words} is not symmetric; the spectrum of its quadratic form is that of .symmetrized()")
        return eigen(self.core, self.basis, self.words)

    def between(self, features: object) -> Self:
        """The matrix F Q F^T between features, the rows of F (N', N), kept by factors: an input is then F^T z.

        >>> Q = InteractionMatrix(np.eye(2)).between([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
        >>> (Q.to_array().round(9) + 0.0).tolist()
        [[1.0, 1.0, 0.0], [1.0, 2.0, 1.0], [0.0, 1.0, 1.0]]
        """
        F = require_matrix(features, "a dictionary of features", self.size)
        F = F if self.basis is None else F @ self.basis
        Y, R = np.linalg.qr(F)
        core = R @ self.core @ R.T
        core = (core + core.T) / 2 if self.is_symmetric else core
        return replace(self, core=core, basis=Y, words=f"{self.words}, between {len(F):,} features")

    def reduced(self, x: np.ndarray) -> np.ndarray:
        """Inputs (..., N) in the coordinates of the core."""
        x = np.asarray(x)
        if x.shape[-1:] != (self.size,):
            raise ShapeError(f"inputs of {self.words} have shape (..., {self.size}); got {x.shape}")
        return x if self.basis is None else x @ self.basis

    def require_places(self, places: object) -> np.ndarray:
        """Numbers of rows or columns."""
        places = np.atleast_1d(np.asarray(places))
        if places.ndim != 1 or places.dtype.kind not in "iu" or (places < 0).any() or (places >= self.size).any():
            raise ShapeError(f"rows and columns of {self.words} are integers of range({self.size})")
        return places


def interaction_matrix(
    weights: Weights,
    layer: int | str,
    direction: object = None,
    *,
    token: int | None = None,
    against: int | None = None,
    symmetric: bool = True,
    in_tokens: bool = False,
) -> InteractionMatrix:
    r"""Q of a direction, a logit or a difference of logits.

    Of a layer with biases it is the interaction, beside linear parts and constants (:func:`layer_parts`); norms are inside, their scales of each
    position left out.

    Parameters
    ----------
    layer : number or name of a bilinear layer
    direction : (d,) on the output of the layer, instead of tokens
    token, against : tokens of the output: the direction is the row of W_U, less the other one. This is the direct path from the layer to the
        logits; blocks behind the layer are not part of it
    symmetric : its symmetric part, which is all that acts on equal inputs; otherwise as it is, for left and right inputs that differ
    in_tokens : W_E^T Q W_E between tokens (V x V), kept by factors of rank at most d; the layer then reads embeddings

    Raises
    ------
    SpecError
        This is no bilinear layer; tokens are asked for of a model without (un)embedding.
    ShapeError, TokensError, WeightsError
        The direction has another shape or is not finite; both or neither of direction and token are given; a token is out of range.

    Examples
    --------
    >>> weights = Weights.example()
    >>> Q = interaction_matrix(weights, 1, token=7, against=8)
    >>> Q.core.shape, Q.words
    ((64, 64), 'bilinear.1 to logit 7 - logit 8')
    >>> interaction_matrix(weights, 1, token=7, in_tokens=True).size
    32
    """
    found = bilinear_layer(weights, layer)
    u, words = direction_of(weights, found, direction, token, against)
    Q = matrix_of(found, u, symmetric=symmetric, words=f"{found.name} to {words}")
    if not in_tokens:
        return Q
    if not weights.model.embedding:
        raise SpecError(f"{str(weights.model)!r} has no embedding, so that there are no interactions between tokens")
    (W_E,) = require_ends(weights, "in tokens", "W_E", layer=layer_number(weights.model, layer))
    return replace(Q.between(W_E.T), words=f"{Q.words}, between tokens")


def matrix_of(
    layer: BilinearLayer, u: np.ndarray, *, symmetric: bool = True, words: str = "an interaction matrix"
) -> InteractionMatrix:
    """Q of a direction u (outputs,) of a layer."""
    Q = (layer.W_1.T * (layer.W_out.T @ u)) @ layer.W_2
    return InteractionMatrix((Q + Q.T) / 2 if symmetric else Q, None, words)


def direction_of(
    weights: Weights, layer: BilinearLayer, direction: object, token: int | None, against: int | None
) -> tuple[np.ndarray, str]:
    """The direction on the output of the layer, shape (d,), and words for it."""
    if (direction is None) == (token is None) or (against is not None and token is None):
        raise TokensError("an output is a direction, a token, or a token against another: give one of them")
    if direction is not None:
        u = np.asarray(as_numpy(direction))
        if u.shape != (layer.outputs,):
            raise ShapeError(f"a direction on the output of {layer.name} has shape ({layer.outputs},); got {u.shape}")
        if u.dtype.kind not in "fiub" or not np.isfinite(u).all():
            raise WeightsError(f"a direction on the output of {layer.name} must hold finite real numbers; got dtype {u.dtype}")
        return u.astype(np.float64), "a direction"
    if not weights.model.unembedding:
        raise SpecError(f"{str(weights.model)!r} has no unembedding, so that there are no logits: give a direction")
    V, step = len(weights.arrays["W_U"]), step_of(weights.model, layer_number(weights.model, layer.name))
    for number in (token, against):
        whole = not isinstance(number, bool) and hasattr(number, "__index__")
        if number is not None and not (whole and 0 <= number < V):
            raise TokensError(f"token {number} is outside range({V})")
    u = unembedding(weights, step, [token])[0].astype(np.float64)
    if against is None:
        return u, f"logit {token}"
    return u - unembedding(weights, step, [against])[0], f"logit {token} - logit {against}"
