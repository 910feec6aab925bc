r"""The output directions of a layer that matter most: $B = \sum_i \sigma_i\, u^{(i)} \otimes q^{(i)}$, the SVD of B flattened to outputs x pairs of inputs.

The $u^{(i)}$ are orthonormal, and so are the interaction matrices $q^{(i)}$ (d x d, symmetric where B is) in the Frobenius norm, so that
$\|B\|_F^2 = \sum_i \sigma_i^2$ and r components leave out $\sum_{i > r} \sigma_i^2$. Of a symmetric B one of each pair of inputs is kept, times
$\sqrt 2$ off the diagonal. Where that is large, the Gram matrix $W_{out} G W_{out}^T$, with G (m x m) between hidden units, stands for it;
singular values below its square root of rounding are then not known.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import TermIndexError
from symbolic_circuits.numeric.bilinear.eigen import effective_rank, with_fixed_signs
from symbolic_circuits.numeric.bilinear.gram import pair_gram, tensor_norm
from symbolic_circuits.numeric.bilinear.interaction import InteractionMatrix, matrix_of
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, bilinear_layer
from symbolic_circuits.numeric.weights import Weights

__all__ = ["Hosvd", "flattened", "hosvd"]

MAX_ENTRIES = 2**22  # of the flattened tensor; beyond, Gram matrices


class Component(NamedTuple):
    """One component of a decomposition."""

    value: float  # sigma
    output: np.ndarray  # (outputs,) unit vector u
    interaction: InteractionMatrix  # q, Frobenius norm 1


@displayed
@dataclass(frozen=True, eq=False)
class Hosvd:
    """Singular values and output directions; interaction matrices are made when they are asked for."""

    layer: BilinearLayer
    values: np.ndarray  # (k,) singular values, falling: those kept
    outputs: np.ndarray  # (k, outputs) orthonormal rows u; the largest entry of each is positive
    dropped: float  # Frobenius norm of what the components left out make
    norm: float  # Frobenius norm of the tensor, from the weights
    floor: float  # singular values below it are rounding
    symmetric: bool

    def __len__(self) -> int:
        return len(self.values)

    @property
    def effective_rank(self) -> float:
        r"""$(\sum \sigma)^2 / \sum \sigma^2$ of the components kept."""
        return effective_rank(self.values)

    def component(self, i: int) -> Component:
        r"""The singular value, the output direction, and the interaction matrix $u^{(i)} \cdot B / \sigma_i$.

        Raises
        ------
        TermIndexError
            There is no such component, or its singular value is rounding.
        """
        if not 0 <= i < len(self) or self.values[i] <= self.floor:
            known = int(np.count_nonzero(self.values > self.floor))
            raise TermIndexError(f"component {i} of {self.layer.name}: {known} components have singular values above rounding")
        words = f"component {i} of {self.layer.name}"
        Q = matrix_of(self.layer, self.outputs[i] / self.values[i], symmetric=self.symmetric, words=words)
        return Component(float(self.values[i]), self.outputs[i], Q)

    def error(self, r: int) -> float:
        r"""$\|B - \sum_{i \le r} \sigma_i u^{(i)} \otimes q^{(i)}\|_F$."""
        if not 0 <= r <= len(self):
            raise TermIndexError(f"{len(self)} components were kept; the error of {r} was asked for")
        return float(np.hypot(np.linalg.norm(self.values[r:]), self.dropped))

    def truncated(self, r: int) -> BilinearLayer:
        r"""The layer of r components: its outputs projected on their directions, $\sum_{i \le r} u^{(i)} u^{(i)T} W_{out}$, b_out as it was."""
        self.error(r)
        kept = self.outputs[:r]
        return replace(self.layer, W_out=kept.T @ (kept @ self.layer.W_out), name=f"{self.layer.name}, {r} components")


def hosvd(
    weights: Weights | BilinearLayer,
    layer: int | str | None = None,
    *,
    max_rank: int | None = None,
    symmetric: bool = True,
    max_entries: int = MAX_ENTRIES,
) -> Hosvd:
    """The decomposition of a layer's tensor by output directions.

    Parameters
    ----------
    weights, layer : weights and the number or name of a bilinear layer; or a layer
    max_rank : how many components are kept; all by default, at most as many as outputs and hidden units
    symmetric : of the tensor symmetrised in its inputs, which is the same function
    max_entries : of the flattened tensor; where it is larger, Gram matrices are used

    Raises
    ------
    SpecError, TermIndexError
        This is no bilinear layer; the rank is negative.

    Examples
    --------
    >>> found = hosvd(Weights.example(), "bilinear.1")
    >>> len(found), bool(abs((found.values**2).sum() - found.norm**2) < 1e-9 * found.norm**2)
    (64, True)
    >>> found.component(0).interaction.is_symmetric
    True
    """
    found = weights if isinstance(weights, BilinearLayer) else bilinear_layer(weights, layer)
    if max_rank is not None and (isinstance(max_rank, bool) or max_rank < 0):
        raise TermIndexError(f"the rank is at least 0; got {max_rank}")
    small = found.outputs * pairs(found.width, symmetric) <= max_entries
    values, outputs, floor = by_svd(found, symmetric) if small else by_gram(found, symmetric)
    rank = min(found.outputs, found.hidden)
    kept = rank if max_rank is None else min(max_rank, rank)
    rows = with_fixed_signs(outputs[:kept])
    norm = tensor_norm(found, symmetric=symmetric)
    return Hosvd(found, values[:kept], rows, float(np.linalg.norm(values[kept:rank])), norm, floor, symmetric)


def pairs(d: int, symmetric: bool) -> int:
    """The number of columns of the flattened tensor."""
    return d * (d + 1) // 2 if symmetric else d * d


def flattened(layer: BilinearLayer, *, symmetric: bool = True) -> np.ndarray:
    r"""B as a matrix of outputs and pairs; of a symmetric one (outputs, d (d + 1) / 2), off the diagonal times $\sqrt 2$, of the same norm.

    >>> layer = BilinearLayer(np.array([[1.0, 2.0]]), np.array([[1.0, 2.0]]), np.eye(1))
    >>> bool(np.isclose(np.linalg.norm(flattened(layer)), 5.0)), flattened(layer).shape
    (True, (1, 3))
    """
    if not symmetric:
        return layer.tensor().reshape(layer.outputs, -1)
    i, j = np.triu_indices(layer.width)
    products = (layer.W_1[:, i] * layer.W_2[:, j] + layer.W_1[:, j] * layer.W_2[:, i]) / 2
    return layer.W_out @ (products * np.where(i == j, 1.0, np.sqrt(2.0)))


def by_svd(layer: BilinearLayer, symmetric: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Singular values, output directions as rows, and the size of rounding."""
    U, values, _ = np.linalg.svd(flattened(layer, symmetric=symmetric), full_matrices=False)
    return values, U.T, 1e-13 * float(values.max(initial=0.0))


def by_gram(layer: BilinearLayer, symmetric: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """The same from the Gram matrix of the outputs: roots of eigenvalues, with half of the digits."""
    squares, U = np.linalg.eigh(layer.W_out @ pair_gram(layer, layer, symmetric=symmetric) @ layer.W_out.T)
    values = np.sqrt(np.maximum(squares[::-1], 0.0))
    return values, U[:, ::-1].T, 1e-7 * float(values.max(initial=0.0))
