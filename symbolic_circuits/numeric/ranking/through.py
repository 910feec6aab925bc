r"""The norms that a term passes between two steps, as one linear map: $x_s \mapsto \rho_s G x_s$, their scales held fixed.

With $\rho_s$ the product of the scales and G that of the matrices diag(w), or diag(w) C with C = 1 - 1 1^T / d in a LayerNorm, a
functional $\sum_s p_s v \cdot x_s$ behind the norms is $\sum_s (p_s \rho_s) (v G) \cdot x_s$ before them: still of rank one.

| letter | meaning | shape |
| --- | --- | --- |
| rho | product of the scales; None for no norms | n |
| G | product of the matrices | width x width |
"""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.frozen import Frozen

__all__ = ["DIRECT", "Through", "turned_back"]


def turned_back(frozen: Frozen, number: int, W: np.ndarray) -> np.ndarray:
    """W G (..., width) for one norm: the transpose of what it does along the last axis.

    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.random("[layer_norm] attn(1)", d=3, V=3, e=2, seed=0)
    >>> turned_back(sc.freeze(weights, [0, 1]), 0, np.array([1.0, 0.0, 2.0]))
    array([ 0., -1.,  1.])
    """
    found = W * frozen.arrays[f"norm.{number}.w"]
    if frozen.model.norm == "layer":
        d = frozen.width - frozen.model.has_constant
        found[..., :d] -= found[..., :d].mean(axis=-1, keepdims=True)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Through:
    """Norms in a row, the one that is applied first standing first."""

    frozen: Frozen | None = None
    norms: tuple[Component, ...] = ()
    rho: np.ndarray | None = None
    gain: float = field(default=1.0)  # at least the spectral norm of G

    def then(self, frozen: Frozen, norm: Component) -> Self:
        """With one norm more, applied last."""
        scale = frozen.scales[norm.layer]
        largest = float(np.abs(frozen.arrays[f"norm.{norm.layer}.w"]).max(initial=0.0))
        rho = scale if self.rho is None else self.rho * scale
        return type(self)(frozen, (*self.norms, norm), rho, self.gain * largest)

    def turned(self, W: np.ndarray) -> np.ndarray:
        """W G, for functionals (..., width) behind the norms."""
        for norm in reversed(self.norms):
            W = turned_back(self.frozen, norm.layer, W)
        return W

    def written(self, W: np.ndarray) -> np.ndarray:
        """G W, for maps (..., width, r) into the stream before the norms."""
        if not self.norms:
            return W
        columns = np.swapaxes(W, -1, -2)
        for norm in self.norms:
            columns = self.frozen.gained(norm.layer, columns)
        return np.swapaxes(columns, -1, -2)

    def scaled(self, P: np.ndarray) -> np.ndarray:
        """P . rho, for weights of positions (..., n) behind the norms."""
        return P if self.rho is None else P * self.rho

    def sized(self, bounds: np.ndarray, at: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Bounds (..., positions) times the sizes of rho at these positions."""
        return bounds if self.rho is None else bounds * np.abs(self.rho[at])

    def around(self, term: Term) -> Term:
        """The norms of a term."""
        for norm in self.norms:
            term = Term(norm, (term,))
        return term


DIRECT = Through()  # no norms
