r"""The score of a head with biases, in four parts: $q \cdot k = x^T W_{QK}\, y + (W_Q^T R\, b_K) \cdot x + (W_K^T R^T b_Q) \cdot y + b_Q^T R\, b_K$.

| letter | meaning | shape |
| --- | --- | --- |
| x, y | streams at the query and at the key, behind the norm (its scale and mean, not its weights) | d |
| W_Q, W_K; b_Q, b_K | with the gains and biases of the norm inside | e x d; e |
| R | rotation by the offset of rotary positions; I without | e x e |

Softmax does not see the parts without y: they are one number for each query (B46).
"""

from typing import NamedTuple

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.numeric.circuits.components import pairs_of, require_block
from symbolic_circuits.numeric.circuits.low_rank import LowRank
from symbolic_circuits.numeric.circuits.ov_qk import qk_circuit
from symbolic_circuits.numeric.circuits.rotary import turned_keys
from symbolic_circuits.numeric.readers import offset as offset_of
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention

__all__ = ["QKParts", "qk_parts"]


@displayed
class QKParts(NamedTuple):
    """The parts of a score, without the factor 1 / sqrt(e), for any number of queries and keys at once; made by :func:`qk_parts`.

    Examples
    --------
    >>> weights = Weights.random("attn(1, b_Q, b_K)", d=8, V=5, seed=0)
    >>> parts, x = qk_parts(weights, 0, 0), np.eye(3, 8)
    >>> q, k = (x @ weights.arrays[f"attn.0.W_{name}"][0].T + weights.arrays[f"attn.0.b_{name}"][0] for name in "QK")
    >>> bool(np.allclose(parts(x, x), q @ k.T))
    True
    """

    interaction: LowRank  # (d, d)
    query: np.ndarray  # (d,): of the query alone, dotted with x
    key: np.ndarray  # (d,): of the key alone, dotted with y
    constant: float

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Scores (s, t) of streams x (s, d) at queries and y (t, d) at keys."""
        return x @ self.interaction.apply(y.T) + (x @ self.query)[:, None] + y @ self.key + self.constant


def qk_parts(weights: Weights, layer: int, head: int, *, offset: int | None = None, which: int | None = None) -> QKParts:
    """The parts of a head's scores; those of biases are zero where there are none.

    What a shortformer adds to queries and keys behind the norm is no part of it.

    Parameters
    ----------
    weights, layer, head : numbers of an attention block and of a head in it
    offset, which : as in :func:`qk_circuit`

    Raises
    ------
    TermError, SpecError
        See :func:`qk_circuit`.

    Examples
    --------
    >>> parts = qk_parts(Weights.random("attn(2, b_Q)", d=8, V=5, seed=0), 0, 1)
    >>> bool(parts.query.any()), bool(parts.key.any()), parts.constant
    (False, True, 0.0)
    """
    interaction = qk_circuit(weights, layer, head, full=False, offset=offset, which=which)
    suffix = "" if pairs_of(require_block(weights.model, layer, Attention)) == (None,) else which
    b_Q, b_K = (bias(weights, f"attn.{layer}.W_{letter}{suffix}", head) for letter in "QK")
    W_Q, (turned_K, turned_b) = (
        interaction.factors[0].T,
        (interaction.factors[1], turned_keys(weights, b_K[:, None], offset)[:, 0]),
    )
    return QKParts(interaction, turned_b @ W_Q, b_Q @ turned_K, float(b_Q @ turned_b))


def bias(weights: Weights, name: str, head: int) -> np.ndarray:
    """The constant part (e,) of the queries or keys of a head."""
    found = offset_of(weights, name)
    return np.zeros(weights.arrays[name].shape[1]) if found is None else found[head]
