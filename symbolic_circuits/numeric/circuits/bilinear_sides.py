r"""What a bilinear layer $B_{ijk} = \sum_p (W_{out})_{ip} (W_1)_{pj} (W_2)_{pk}$ reads and writes; the tensor is never formed.

With $P = W_{out}$, $L = W_1$, $R = W_2$ and $M = P^T P$, all Gram matrices are products through the hidden width:

| axis | $G = F^T F$ | |
| --- | --- | --- |
| output | $P (L L^T \odot R R^T) P^T$ | $\sum_{jk} B_{ijk} B_{i'jk}$ |
| left | $L^T (M \odot R R^T) L$ | $\sum_{ik} B_{ijk} B_{ij'k}$ |
| right | $R^T (M \odot L L^T) R$ | $\sum_{ij} B_{ijk} B_{ijk'}$ |

and $\|B\|^2 = \sum_{pq} (P^T P \odot L L^T \odot R R^T)_{pq}$. Of the symmetric part $S_{ijk} = (B_{ijk} + B_{ikj}) / 2$, which is all that a layer
with one input shows, the Gram matrices are

| axis | |
| --- | --- |
| output | $\frac12 P (L L^T \odot R R^T + L R^T \odot R L^T) P^T$ |
| input | $\frac14 (L^T (M \odot R R^T) L + L^T (M \odot R L^T) R + R^T (M \odot L R^T) L + R^T (M \odot L L^T) R)$ |
"""

from functools import cached_property

import numpy as np

from symbolic_circuits.numeric.circuits.components import BilinearArrays
from symbolic_circuits.numeric.circuits.sides import RESOLUTION, Side, at_unit_norm, at_unit_size

__all__ = ["BilinearSides", "reduced"]


class BilinearSides:
    """What one bilinear layer reads and writes; where it is tied, or its symmetric part is meant, left and right are one ``input``."""

    def __init__(self, name: str, arrays: BilinearArrays, *, tied: bool, symmetric: bool) -> None:
        self.name, self.is_tied, self.is_mixed = name, tied, symmetric and not tied
        self.L, self.R, self.P = map(at_unit_size, arrays)

    @property
    def has_one_input(self) -> bool:
        """Whether left and right are not told apart."""
        return self.is_tied or self.is_mixed

    @cached_property
    def LL(self) -> np.ndarray:
        """L L^T (m, m)."""
        return self.L @ self.L.T

    @cached_property
    def RR(self) -> np.ndarray:
        """R R^T (m, m)."""
        return self.LL if self.is_tied else self.R @ self.R.T

    @cached_property
    def LR(self) -> np.ndarray:
        """L R^T (m, m)."""
        return self.LL if self.is_tied else self.L @ self.R.T

    @cached_property
    def M(self) -> np.ndarray:
        """P^T P (m, m)."""
        return self.P.T @ self.P

    @cached_property
    def least(self) -> float:
        """The norm of the tensor that is rounding: hidden units cancel, and squares are what is computed."""
        return float(RESOLUTION * np.vdot(np.abs(self.M), np.abs(self.LL) * np.abs(self.RR))) ** 0.5

    def readers(self) -> Side:
        """The left and the right input, or the one input."""
        if self.is_mixed:
            core = np.block([[self.M * self.RR, self.M * self.LR.T], [self.M * self.LR, self.M * self.LL]])
            factors = [reduced(np.concatenate([self.L, self.R]), core)]
        else:
            factors = [reduced(self.L, self.M * self.RR)]
            factors += [] if self.is_tied else [reduced(self.R, self.M * self.LL)]
        ports = ("input",) if self.has_one_input else ("left", "right")
        return Side(tuple(f"{self.name}.{port}" for port in ports), at_unit_norm(np.stack(factors), self.least))

    def writers(self) -> Side:
        """The output."""
        return Side((self.name,), at_unit_norm(reduced(self.P.T, self.hidden_gram())[None], self.least))

    def hidden_gram(self) -> np.ndarray:
        """The inner products of the forms that the hidden units compute, (m, m); twice that where the symmetric part is meant."""
        gram = self.LL * self.RR
        return gram + self.LR * self.LR.T if self.is_mixed else gram


def reduced(F: np.ndarray, core: np.ndarray) -> np.ndarray:
    r"""A factor T (r, d), r = min(m, d), with $T^T T = F^T C F$ for F (m, d) and a positive semidefinite C (m, m).

    With F = Q R and $Q^T C Q = V \operatorname{diag}(l) V^T$, it is $T = \operatorname{diag}(\sqrt l) V^T R$: what F does not read, T does not.

    >>> T = reduced(np.eye(2), np.array([[4.0, 0.0], [0.0, 1.0]]))
    >>> (T.T @ T).round(9).tolist()
    [[4.0, 0.0], [0.0, 1.0]]
    """
    Q, R = np.linalg.qr(F)
    values, vectors = np.linalg.eigh(Q.T @ core @ Q)
    return np.sqrt(np.maximum(values, 0))[:, None] * (vectors.T @ R)
