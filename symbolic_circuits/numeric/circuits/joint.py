r"""How much a bilinear layer makes of two components together: $\|B(W \cdot, W' \cdot)\| / (\|B\| \|W\| \|W'\|)$, W read on the left and W' on the right.

With $G = W W^T$ and $G' = W' W'^T$ the square of the numerator is, through the hidden width,

$$\sum_{p,q} (P^T P)_{pq} (L G L^T)_{pq} (R G' R^T)_{pq},$$

and for the symmetric part of B it is $\frac14 \sum_{p,q} (P^T P)_{pq}$ times

$$(L G L^T)_{pq} (R G' R^T)_{pq} + (R G R^T)_{pq} (L G' L^T)_{pq} + 2 (L G R^T)_{pq} (R G' L^T)_{pq}.$$

Letters as in :mod:`symbolic_circuits.numeric.circuits.bilinear_sides`. All pairs together are one matrix product, some rows p at a time.
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.errors import TermIndexError
from symbolic_circuits.numeric.circuits.baseline import expected_square
from symbolic_circuits.numeric.circuits.bilinear_sides import BilinearSides
from symbolic_circuits.numeric.circuits.components import bilinear_arrays, require_block
from symbolic_circuits.numeric.circuits.composition import passed_on, sources_of, written_by
from symbolic_circuits.numeric.circuits.ov_qk import step_of
from symbolic_circuits.numeric.circuits.sides import Side
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Bilinear

__all__ = ["JointComposition", "joint_composition"]

ENTRIES = 2**24  # of Gram matrices that are held at once


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class JointComposition:
    """What :func:`joint_composition` found.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.joint_composition(weights, 1)
    >>> found.writers, found.scores.shape
    (('attn.0[0]', 'attn.0[1]'), (2, 2))
    """

    model: str
    layer: str  # "bilinear.1"
    symmetric: bool  # whether left and right are one input: then the scores are a symmetric matrix
    writers: tuple[str, ...]  # the components that the layer reads directly
    scores: np.ndarray  # (writers, writers): read on the left, read on the right
    baseline: float  # 1 / d: the root mean square where what both write is turned at random, one apart from the other

    def rows(self) -> list[dict[str, str | float]]:
        """One row a pair: left, right, score, excess; where left and right are one, each pair once."""
        out = []
        for a, left in enumerate(self.writers):
            for b in range(a if self.symmetric else 0, len(self.writers)):
                score = float(self.scores[a, b])
                out.append({"left": left, "right": self.writers[b], "score": score, "excess": score - self.baseline})
        return out

    def largest(self, k: int = 10) -> list[dict[str, str | float]]:
        """The k rows with the largest scores; of equal ones those that come first, and none that are nan."""
        if isinstance(k, bool) or not hasattr(k, "__index__") or k < 1:
            raise TermIndexError(f"the number of pairs must be a positive integer; got {k!r}")
        return sorted((row for row in self.rows() if not np.isnan(row["score"])), key=lambda row: -row["score"])[:k]

    def to_dict(self) -> dict:
        """Plain data."""
        named = {"model": self.model, "layer": self.layer, "symmetric": self.symmetric, "baseline": self.baseline}
        return named | {"writers": list(self.writers), "rows": self.rows()}


def joint_composition(weights: Weights, layer: int, *, symmetric: bool = False, ends: bool = False) -> JointComposition:
    """The scores of all pairs of components that a bilinear layer reads directly, one on its left and one on its right.

    Parameters
    ----------
    layer : the number of the bilinear layer
    symmetric : whether its symmetric part is taken, and that of the bilinear layers before it; tied layers are their own
    ends : whether the embedding and learned positions are among the components

    Raises
    ------
    TermError
        There is no such block, or it is an attention block.
    SpecError
        The layer has a gate.

    Examples
    --------
    >>> found = joint_composition(Weights.example(), 1)
    >>> found.writers, found.scores.round(3).tolist()
    (('attn.0[0]', 'attn.0[1]'), [[0.104, 0.111], [0.115, 0.099]])
    """
    model = weights.model
    spec = require_block(model, layer, Bilinear)
    read = BilinearSides("", bilinear_arrays(weights, layer), tied=spec.tied, symmetric=symmetric)
    writers = reaching(weights, layer, symmetric=symmetric, ends=ends)
    factors = [factor for side in writers for factor in side.factors]
    scores = np.sqrt(np.maximum(squares(read, factors), 0) / squared_norm(read))
    names = tuple(name for side in writers for name in side.names)
    return JointComposition(
        str(model), f"bilinear.{layer}", read.has_one_input, names, scores, expected_square(weights.size(model.d))
    )


def reaching(weights: Weights, layer: int, *, symmetric: bool, ends: bool) -> list[Side]:
    """What blocks write that a block reads directly: those since the stream was last dropped, behind the norms that follow."""
    found = sources_of(weights) if ends else []
    for number, step in enumerate(weights.model.steps[: step_of(weights.model, layer)]):
        found = found if step.residual else []
        written = [written_by(weights, block, symmetric=symmetric) for block in step.blocks]
        found = passed_on(weights, found + written, number)
    return found


def squares(read: BilinearSides, factors: list[np.ndarray]) -> np.ndarray:
    r"""The squared numerators of all pairs of factors F (r, d), with $G = F^T F$, shape (factors, factors)."""
    number, m = len(factors), len(read.L)
    if not number:
        return np.zeros((0, 0))
    left = [read.L @ F.T for F in factors]
    right = left if read.is_tied else [read.R @ F.T for F in factors]
    out, step = np.zeros((number, number)), max(1, ENTRIES // (number * m))
    for start in range(0, m, step):
        rows = slice(start, start + step)
        M = read.M[rows, start:].copy()
        M[:, step:] *= 2  # (p, q) stands for (q, p), where every Gram matrix is transposed
        LL = grams(left, left, rows)
        RR = LL if read.is_tied else grams(right, right, rows)
        both = LL @ (RR * M.ravel()).T
        if read.is_mixed:
            crossed = grams(left, right, rows) @ (grams(right, left, rows) * M.ravel()).T
            both = (both + both.T + crossed + crossed.T) / 4
        out += both
    return out


def grams(left: list[np.ndarray], right: list[np.ndarray], rows: slice) -> np.ndarray:
    """Rows p of $X_w Y_w^T$ for every w, from the first of these as column on, flattened."""
    return np.array([(X[rows] @ Y[rows.start :].T).ravel() for X, Y in zip(left, right, strict=True)])


def squared_norm(read: BilinearSides) -> float:
    r"""$\|B\|^2$, or that of its symmetric part; nan where it vanishes."""
    square = float(np.vdot(read.M, read.hidden_gram())) / (2 if read.is_mixed else 1)
    return square if square > read.least**2 else np.nan
