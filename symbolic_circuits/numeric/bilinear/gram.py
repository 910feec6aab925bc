r"""Inner products of layers from small matrices: $\langle B, B' \rangle = \sum_{rs} (P_r \cdot P'_s)(l_r \cdot l'_s)(r_r \cdot r'_s)$, no tensor formed.

| letter | meaning | shape |
| --- | --- | --- |
| P_r, l_r, r_r | column of W_out, rows of W_1 and W_2 of hidden unit r | outputs, d, d |
| symmetrised | (1/2) [(l_r . l'_s)(r_r . r'_s) + (l_r . r'_s)(r_r . l'_s)] in place of (l_r . l'_s)(r_r . r'_s) | |
"""

import numpy as np

from symbolic_circuits.errors import ShapeError
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, require_bytes

__all__ = ["pair_gram", "require_alike", "tensor_inner", "tensor_norm", "trace_vector"]

MAX_BYTES = 4 * 2**30  # of a matrix between hidden units


def pair_gram(a: BilinearLayer, b: BilinearLayer, *, symmetric: bool = True) -> np.ndarray:
    r"""The inner products (m, m') of the interaction matrices $l_r r_r^T$ of hidden units, or of their symmetric parts."""
    require_bytes((a.hidden, b.hidden), "the matrix of inner products of hidden units", MAX_BYTES)
    straight = (a.W_1 @ b.W_1.T) * (a.W_2 @ b.W_2.T)
    return (straight + (a.W_1 @ b.W_2.T) * (a.W_2 @ b.W_1.T)) / 2 if symmetric else straight


def tensor_inner(a: BilinearLayer, b: BilinearLayer, *, symmetric: bool = True) -> float:
    r"""$\sum_{ijk} B_{ijk} B'_{ijk}$, of the symmetrised tensors by default."""
    require_alike(a, b)
    return float(np.sum((a.W_out.T @ b.W_out) * pair_gram(a, b, symmetric=symmetric)))


def tensor_norm(a: BilinearLayer, *, symmetric: bool = True) -> float:
    """The Frobenius norm of the tensor, symmetrised by default."""
    return float(np.sqrt(max(0.0, tensor_inner(a, a, symmetric=symmetric))))


def trace_vector(a: BilinearLayer) -> np.ndarray:
    r"""$\sum_i B_{aii} = \sum_r P_{ar} (l_r \cdot r_r)$, shape (outputs,): the mean of the layer on standard normal inputs."""
    return a.W_out @ np.einsum("ri,ri->r", a.W_1, a.W_2)


def require_alike(a: BilinearLayer, b: BilinearLayer) -> None:
    """Raise ShapeError unless two layers have inputs of one width and outputs of one width."""
    for layer in (a, b):
        if not isinstance(layer, BilinearLayer):
            raise ShapeError(f"layers are compared as BilinearLayer (of sc.bilinear_layer); got {type(layer).__name__}")
    if (a.width, a.outputs) != (b.width, b.outputs):
        sizes = f"{a.width} to {a.outputs} and {b.width} to {b.outputs}"
        raise ShapeError(f"layers are compared on the same inputs and outputs; {a.name} and {b.name} have widths {sizes}")
