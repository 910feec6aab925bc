r"""A layer between features: $\tilde B_{abc} = \sum_{ijk} f^{out}_{ai} B_{ijk} f^{in}_{bj} f^{in}_{ck}$, kept by its three factors.

| letter | meaning | shape |
| --- | --- | --- |
| F_in | features of the input as rows: x = F_in^T z for coefficients z | q x d |
| F_out | directions in which the output is read, as rows | p x outputs |
| O, L, R | F_out W_out, W_1 F_in^T, W_2 F_in^T | p x m, m x q, m x q |

A dictionary F is inverted by its pseudo-inverse. $F^+ F = I$ holds where its rows span everything, and then nothing is lost; $F F^+ = I$ where
they are independent, and then they are dual to the columns of F^+. Both hold only for a basis.

References
----------
Pearce et al. 2024 (arXiv:2410.08417), section 4 and appendix K, whose equation 6 claims both.
"""

from dataclasses import dataclass, replace

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import TermIndexError
from symbolic_circuits.numeric.bilinear.gram import tensor_norm
from symbolic_circuits.numeric.bilinear.interaction import InteractionMatrix, matrix_of
from symbolic_circuits.numeric.bilinear.layer import (
    MAX_BYTES,
    BilinearLayer,
    bilinear_layer,
    require_bytes,
    require_matrix,
)
from symbolic_circuits.numeric.weights import Weights

__all__ = ["Dictionary", "FeatureTensor", "in_dictionary"]


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Features as the rows of F, with what can be inverted.

    Examples
    --------
    >>> tall = Dictionary(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    >>> tall.spans, tall.is_independent, Dictionary(np.array([[1.0, 0.0]])).spans
    (True, False, False)
    """

    features: np.ndarray  # F (q, d)

    @property
    def rank(self) -> int:
        """The number of independent features."""
        return int(np.linalg.matrix_rank(self.features))

    @property
    def spans(self) -> bool:
        """Whether F^+ F = I: every vector is a combination of the features."""
        return self.rank == self.features.shape[1]

    @property
    def is_independent(self) -> bool:
        """Whether F F^+ = I: coefficients are unique, and reading a feature off another gives nothing."""
        return self.rank == len(self.features)

    @property
    def inverse(self) -> np.ndarray:
        """F^+, shape (d, q)."""
        return np.linalg.pinv(self.features)

    def coefficients(self, x: np.ndarray) -> np.ndarray:
        """The shortest z with F^T z nearest to x, of vectors (..., d); shape (..., q)."""
        return x @ self.inverse

    def projected(self, rows: np.ndarray) -> np.ndarray:
        """Vectors (..., d) projected on the span of the features."""
        return (rows @ self.inverse) @ self.features


@displayed
@dataclass(frozen=True, eq=False)
class FeatureTensor:
    """A layer between two dictionaries; a dictionary that is None is the standard basis."""

    layer: BilinearLayer  # the layer in the original coordinates
    outputs: Dictionary | None  # rows of F_out
    inputs: Dictionary | None  # rows of F_in

    @property
    def between(self) -> BilinearLayer:
        """The layer from coefficients z to readings of the output: its maps are L, R and O."""
        layer = self.layer
        out = layer.W_out if self.outputs is None else self.outputs.features @ layer.W_out
        bias = layer.b_out if self.outputs is None or layer.b_out is None else self.outputs.features @ layer.b_out
        if self.inputs is None:
            return replace(layer, W_out=out, b_out=bias)
        F = self.inputs.features
        return BilinearLayer(layer.W_1 @ F.T, layer.W_2 @ F.T, out, f"{layer.name} between features", layer.b_1, layer.b_2, bias)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(p, q, q)."""
        p = self.layer.outputs if self.outputs is None else len(self.outputs.features)
        q = self.layer.width if self.inputs is None else len(self.inputs.features)
        return p, q, q

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Readings of the output (..., p) at coefficients (..., q)."""
        return self.between(z)

    def to_array(self, *, symmetric: bool = True, max_bytes: int = MAX_BYTES) -> np.ndarray:
        """The tensor (p, q, q), symmetrised in its inputs by default; BudgetError where it is too large."""
        require_bytes(self.shape, f"{self.layer.name} between features", max_bytes)
        return self.between.tensor(symmetric=symmetric, max_bytes=max_bytes)

    def interaction(self, output: int, *, symmetric: bool = True) -> InteractionMatrix:
        """The interaction matrix (q, q) of one output feature between input features, kept by factors."""
        if isinstance(output, bool) or not isinstance(output, int | np.integer) or not 0 <= output < self.shape[0]:
            raise TermIndexError(f"output feature {output} is outside range({self.shape[0]})")
        u = np.eye(self.layer.outputs)[output] if self.outputs is None else self.outputs.features[output]
        Q = matrix_of(self.layer, u, symmetric=symmetric, words=f"{self.layer.name} to output feature {output}")
        return Q if self.inputs is None else Q.between(self.inputs.features)

    def reconstructed(self) -> BilinearLayer:
        """The layer that the tensor between features still knows: inputs and outputs projected on the spans of their features."""
        layer = self.layer
        W_1, W_2 = (W if self.inputs is None else self.inputs.projected(W) for W in (layer.W_1, layer.W_2))
        out = layer.W_out if self.outputs is None else self.outputs.projected(layer.W_out.T).T
        bias = layer.b_out if self.outputs is None or layer.b_out is None else self.outputs.projected(layer.b_out)
        return BilinearLayer(W_1, W_2, out, f"{layer.name}, reconstructed", layer.b_1, layer.b_2, bias)

    def reconstruction_error(self) -> float:
        """The Frobenius norm of what the features miss of the symmetrised tensor, over that of the tensor; 0 where both span."""
        kept, layer = self.reconstructed(), self.layer
        missed = BilinearLayer(
            np.vstack([layer.W_1, kept.W_1]), np.vstack([layer.W_2, kept.W_2]), np.hstack([layer.W_out, -kept.W_out])
        )
        size = tensor_norm(layer)
        return tensor_norm(missed) / size if size else 0.0


def in_dictionary(
    weights: Weights | BilinearLayer, layer: int | str | None = None, *, outputs: object = None, inputs: object = None
) -> FeatureTensor:
    """A layer in given dictionaries.

    Parameters
    ----------
    weights, layer : weights and the number or name of a bilinear layer; or a layer
    outputs : (p, d) directions in which the output is read, as rows: encoder rows, or rows of W_U; coordinates by default
    inputs : (q, d) features that inputs are made of, as rows: decoder directions, or W_E^T; coordinates by default

    Raises
    ------
    SpecError, ShapeError, WeightsError
        This is no bilinear layer; a dictionary has another width, or entries that are not finite.

    Examples
    --------
    >>> weights = Weights.example()
    >>> tensor = in_dictionary(weights, 1, outputs=weights.arrays["W_U"], inputs=weights.arrays["W_E"].T)
    >>> tensor.shape, tensor.inputs.spans, tensor.inputs.is_independent
    ((32, 32, 32), False, True)
    """
    found = weights if isinstance(weights, BilinearLayer) else bilinear_layer(weights, layer)
    read = None if outputs is None else Dictionary(require_matrix(outputs, "the dictionary of outputs", found.outputs))
    made = None if inputs is None else Dictionary(require_matrix(inputs, "the dictionary of inputs", found.width))
    return FeatureTensor(found, read, made)
