r"""Eigenvalues and singular values of the OV or QK circuits of all heads, each from an e x e matrix; nothing of size V x V, or d x d a head.

| circuit | eigenvalues of | singular values of |
| --- | --- | --- |
| OV | $W_V (W_E W_U) W_O$ | $(R_U W_O)(W_V R_E^T)$ |
| QK | $W_K (W_E W_E^T) W_Q^T$ | $(R_E W_Q^T)(W_K R_E^T)$ |

$W_E W_U$ and $W_E W_E^T$ are d x d and shared by all heads, as are the triangles of $W_U = Q R_U$ and $W_E^T = Q' R_E$. In the stream
(not full) they are the identity. All in double precision. With norms these are the matrices that have them inside
(:mod:`symbolic_circuits.numeric.circuits.ov_qk`); where norms come after, the ends differ from block to block.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import NotationError, TermError
from symbolic_circuits.numeric.circuits.components import HeadArrays, heads_arrays, pairs_of, require_pair
from symbolic_circuits.numeric.circuits.eigenvalues import by_size, positivity
from symbolic_circuits.numeric.circuits.ov_qk import require_ends
from symbolic_circuits.numeric.circuits.rotary import turned_keys
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention

__all__ = ["CircuitSpectra", "circuit_spectra"]

ROWS = 4096  # tokens that are taken to double precision together
CIRCUITS = ("OV", "QK")


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class CircuitSpectra:
    """What :func:`circuit_spectra` found; one item a head, in the order of the model.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.circuit_spectra(weights, "QK")
    >>> found.heads, [f"{value:.2f}" for value in found.positivity]
    (('attn.0[0]', 'attn.0[1]'), ['-1.00', '-1.00'])
    """

    model: str
    circuit: str  # "OV" or "QK"
    full: bool  # between tokens, else in the stream
    heads: tuple[str, ...]  # their names
    eigenvalues: tuple[np.ndarray, ...]  # (e,) complex, largest first; all others of the circuit vanish
    singular_values: tuple[np.ndarray, ...]  # (e,) in falling order

    @property
    def positivity(self) -> np.ndarray:
        r"""$\sum_i \lambda_i / \sum_i |\lambda_i|$ of every head: copying of OV, matching of QK circuits; nan where all vanish."""
        return np.array([positivity(found) for found in self.eigenvalues])

    @property
    def norms(self) -> np.ndarray:
        """The Frobenius norm of every circuit."""
        return np.array([np.linalg.norm(found) for found in self.singular_values])

    @property
    def traces(self) -> np.ndarray:
        """The sum of the eigenvalues of every circuit: of its diagonal."""
        return np.array([found.sum().real for found in self.eigenvalues])

    @property
    def effective_ranks(self) -> np.ndarray:
        r"""$(\sum_i \sigma_i)^2 / \sum_i \sigma_i^2$ of every circuit, between 1 and e; nan where all vanish."""
        sums, norms = np.array([found.sum() for found in self.singular_values]), self.norms
        return np.where(norms > 0, sums / np.where(norms > 0, norms, 1), np.nan) ** 2

    def rows(self) -> list[dict[str, str | float]]:
        """One row a head: head, positivity, trace, norm, effective rank."""
        columns = zip(self.heads, self.positivity, self.traces, self.norms, self.effective_ranks, strict=True)
        names = ("positivity", "trace", "norm", "effective_rank")
        return [{"head": head} | dict(zip(names, map(float, numbers), strict=True)) for head, *numbers in columns]

    def to_dict(self) -> dict:
        """Plain data; an eigenvalue is a pair [real part, imaginary part]."""
        return {
            "model": self.model,
            "circuit": self.circuit,
            "full": self.full,
            "rows": self.rows(),
            "eigenvalues": [[[float(x.real), float(x.imag)] for x in found] for found in self.eigenvalues],
            "singular_values": [found.tolist() for found in self.singular_values],
        }


def circuit_spectra(
    weights: Weights,
    circuit: Literal["OV", "QK"] = "OV",
    *,
    full: bool = True,
    offset: int | None = None,
    which: int | None = None,
) -> CircuitSpectra:
    r"""Eigenvalues and singular values of $W_U W_{OV} W_E$ or $W_E^T W_{QK} W_E$ of every head; of $W_{OV}$ or $W_{QK}$ where not full.

    Parameters
    ----------
    offset, which : of QK circuits, as in :func:`qk_circuit`: the offset of rotary positions; the pair of queries and keys of blocks with two

    Raises
    ------
    NotationError
        There is no such circuit.
    TermError
        The model has no heads, or not that pair of queries and keys.
    SpecError
        Full circuits of a model without embedding or, for OV, without unembedding; an offset that is missing or out of place.

    Examples
    --------
    >>> found = circuit_spectra(Weights.example(), "QK")
    >>> found.heads, [f"{x:.3f}" for x in found.positivity]
    (('attn.0[0]', 'attn.0[1]'), ['-1.000', '-1.000'])
    """
    if circuit not in CIRCUITS:
        raise NotationError(f"a head has the circuits {' and '.join(map(repr, CIRCUITS))}; got {circuit!r}")
    layers = [index for index, spec in weights.model.numbered() if isinstance(spec, Attention)]
    if not layers:
        raise TermError(f"{str(weights.model)!r} has no heads, so it has no {circuit} circuits")
    require_places(weights, circuit, layers, which, offset)
    shared = ends(weights, circuit, layers[0]) if full else (None, None, None)
    heads, eigenvalues, singular_values = [], [], []
    for layer in layers:
        between, left, right = ends(weights, circuit, layer) if full and weights.model.post_norm else shared
        pair = which if which in pairs_of(dict(weights.model.numbered())[layer]) else None
        write, read = sides(heads_arrays(weights, layer, pair), circuit)
        read = turned_keys(weights, read, offset) if circuit == "QK" else read
        heads += [f"attn.{layer}[{head}]" for head in range(len(write))]
        core = (read if between is None else read @ between) @ write
        eigenvalues += list(by_size(np.linalg.eigvals(core)))
        R, R_2 = triangles(write, left), triangles(read.transpose(0, 2, 1), right)
        singular_values += list(np.linalg.svd(R @ R_2.transpose(0, 2, 1), compute_uv=False))
    return CircuitSpectra(str(weights.model), circuit, full, tuple(heads), tuple(eigenvalues), tuple(singular_values))


def require_places(weights: Weights, circuit: str, layers: list[int], which: int | None, offset: int | None) -> None:
    """Raise TermError where the pair of queries and keys is missing or of no block; of OV circuits there is none."""
    model = weights.model
    blocks = dict(model.numbered())
    if circuit == "OV":
        if which is not None or offset is not None:
            raise TermError(f"OV circuits have no queries and keys; got which={which!r}, offset={offset!r}")
        return
    twice = [layer for layer in layers if blocks[layer].scores == "bilinear"]
    for layer in twice or (layers[:1] if which is not None else []):
        require_pair(model, layer, which)


def sides(arrays: HeadArrays, circuit: str) -> tuple[np.ndarray, np.ndarray]:
    """The two factors of the circuits of a block in the stream, (H, d, e) and (H, e, d): W_O and W_V, or W_Q^T and W_K."""
    arrays = HeadArrays(*(array.astype(np.float64, copy=False) for array in arrays))
    return (arrays.W_O, arrays.W_V) if circuit == "OV" else (arrays.W_Q.transpose(0, 2, 1), arrays.W_K)


def ends(weights: Weights, circuit: str, layer: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What full circuits share, d x d each: the product of the two ends, and the triangle of each end."""
    if circuit == "QK":
        (W_E,) = require_ends(weights, "QK", "W_E", layer=layer)
        triangle = triangle_over_tokens(lambda rows: W_E[:, rows].T, W_E.shape[1])
        return product_over_tokens(W_E, W_E.T), triangle, triangle
    W_E, W_U = require_ends(weights, "OV", "W_E", "W_U", layer=layer)
    left = triangle_over_tokens(lambda rows: W_U[rows], len(W_U))
    return product_over_tokens(W_E, W_U), left, triangle_over_tokens(lambda rows: W_E[:, rows].T, len(W_U))


def some_tokens(V: int) -> Iterator[slice]:
    """All tokens, some at a time."""
    return (slice(start, start + ROWS) for start in range(0, V, ROWS))


def product_over_tokens(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A B for A (d, V) and B (V, d), in double precision without a copy of either."""
    return sum(A[:, rows].astype(np.float64, copy=False) @ B[rows].astype(np.float64, copy=False) for rows in some_tokens(len(B)))


def triangle_over_tokens(part: Callable[[slice], np.ndarray], V: int) -> np.ndarray:
    """R of M = Q R for M (V, d), given some rows at a time: R of a stack is that of the triangle so far and what follows."""
    R = None
    for rows in some_tokens(V):
        block = part(rows).astype(np.float64, copy=False)
        R = np.linalg.qr(block if R is None else np.concatenate([R, block]), mode="r")
    return R


def triangles(factors: np.ndarray, end: np.ndarray | None) -> np.ndarray:
    """R of (end F) = Q R for every F (d, e) of a stack."""
    return np.linalg.qr(factors if end is None else end @ factors, mode="r")
