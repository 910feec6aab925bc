r"""The two circuits of a head: what it moves, $W_U W_O W_V W_E$, and what it matches, $W_E^T W_Q^T W_K W_E$; or both without the tokens.

| | between tokens (full) | in the stream | rows | columns |
| --- | --- | --- | --- | --- |
| OV | $W_U W_O W_V W_E$ (V x V) | $W_O W_V$ (d x d) | what is predicted | what is attended to |
| QK | $W_E^T W_Q^T W_K W_E$ (V x V) | $W_Q^T W_K$ (d x d) | the query | the key |

References
----------
Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, "Splitting attention head terms into circuits".
"""

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.circuits.components import head_arrays
from symbolic_circuits.numeric.circuits.low_rank import LowRank
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["ov_circuit", "qk_circuit", "require_ends"]


def ov_circuit(weights: Weights, layer: int, head: int, *, full: bool = True) -> LowRank:
    r"""$W_U W_O W_V W_E$ of a head (V x V), or $W_{OV} = W_O W_V$ (d x d) where not full; of rank e at most, never multiplied out.

    Entry (a, b) is what attending to token b adds to the logit of token a, per attention.

    Raises
    ------
    TermError
        There is no such block or head, or the block is a bilinear layer.
    SpecError
        The full circuit of a model without embedding or unembedding.

    Examples
    --------
    >>> circuit = ov_circuit(Weights.example(), 0, 1)
    >>> circuit
    <OV of attn.0[1]: 32 x 32 = (32 x 64)(64 x 32)(32 x 64)(64 x 32)>
    >>> f"{circuit.positivity():.2f}", circuit.largest(1, column=5)[0].row
    ('0.57', 30)
    """
    arrays = head_arrays(weights, layer, head)
    name = f"OV of attn.{layer}[{head}]"
    if not full:
        return LowRank((arrays.W_O, arrays.W_V), name)
    W_E, W_U = require_ends(weights, "OV", "W_E", "W_U")
    return LowRank((W_U, arrays.W_O, arrays.W_V, W_E), name)


def qk_circuit(weights: Weights, layer: int, head: int, *, full: bool = True) -> LowRank:
    r"""$W_E^T W_Q^T W_K W_E$ of a head (V x V), or $W_{QK} = W_Q^T W_K$ (d x d) where not full; of rank e at most, never multiplied out.

    Entry (a, b) is the score of query token a with key token b, without the factor $1/\sqrt e$.

    Raises
    ------
    TermError
        There is no such block or head, or the block is a bilinear layer.
    SpecError
        The full circuit of a model without embedding.

    Examples
    --------
    >>> qk_circuit(Weights.example(), 0, 1, full=False)
    <QK of attn.0[1]: 64 x 64 = (64 x 32)(32 x 64)>
    """
    arrays = head_arrays(weights, layer, head)
    name = f"QK of attn.{layer}[{head}]"
    if not full:
        return LowRank((arrays.W_Q.T, arrays.W_K), name)
    (W_E,) = require_ends(weights, "QK", "W_E")
    return LowRank((W_E.T, arrays.W_Q.T, arrays.W_K, W_E), name)


def require_ends(weights: Weights, what: str, *names: str) -> tuple[np.ndarray, ...]:
    """W_E or W_U, or a SpecError that says which is not there and what to ask for."""
    model: Transformer = weights.model
    words = {"W_E": "embedding W_E", "W_U": "unembedding W_U"}
    missing = [words[name] for name in names if name not in weights.arrays]
    if missing:
        raise SpecError(
            f"a full {what} circuit needs the {' and the '.join(missing)}, which {str(model)!r} lacks: give full=False"
        )
    return tuple(weights.arrays[name] for name in names)
