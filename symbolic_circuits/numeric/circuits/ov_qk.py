r"""The two circuits of a head: what it moves, $W_U W_O W_V W_E$, and what it matches, $W_E^T W_Q^T W_K W_E$; or both without the tokens.

| | between tokens (full) | in the stream | rows | columns |
| --- | --- | --- | --- | --- |
| OV | $W_U W_O W_V W_E$ (V x V) | $W_O W_V$ (d x d) | what is predicted | what is attended to |
| QK | $W_E^T W_Q^T W_K W_E$ (V x V) | $W_Q^T W_K$ (d x d) | the query | the key |

With norms, both ends and both readers have them inside: $W_U \operatorname{diag}(w_f) C$ and $W_V \operatorname{diag}(w) C$, where the norm comes first. The
scale of each position is left out, and biases (:func:`symbolic_circuits.numeric.circuits.biases.qk_parts`). W_O carries the output scale. With
rotary positions there is one QK circuit for each offset, $W_Q^T R(t - s) W_K$; with scores (q1.k1)(q2.k2) there are two. Tokens are embeddings W_E
without learned positions: those are ``W_pos`` of the circuit in the stream.

References
----------
Elhage et al. 2021, A Mathematical Framework for Transformer Circuits, "Splitting attention head terms into circuits".
"""

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.circuits.components import head_arrays, require_pair
from symbolic_circuits.numeric.circuits.low_rank import LowRank
from symbolic_circuits.numeric.circuits.rotary import turned_keys
from symbolic_circuits.numeric.readers import passed, unscaled
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["ov_circuit", "qk_circuit", "require_ends", "step_of", "unembedding"]


def ov_circuit(weights: Weights, layer: int, head: int, *, full: bool = True) -> LowRank:
    r"""$W_U W_O W_V W_E$ of a head (V x V), or $W_{OV} = W_O W_V$ (d x d) where not full; of rank e at most, never multiplied out.

    Entry (a, b) is what attending to token b adds to the logit of token a, per attention (and per scale of the norms).

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
    W_E, W_U = require_ends(weights, "OV", "W_E", "W_U", layer=layer)
    return LowRank((W_U, arrays.W_O, arrays.W_V, W_E), name)


def qk_circuit(
    weights: Weights, layer: int, head: int, *, full: bool = True, offset: int | None = None, which: int | None = None
) -> LowRank:
    r"""$W_E^T W_Q^T W_K W_E$ of a head (V x V), or $W_{QK} = W_Q^T W_K$ (d x d) where not full; of rank e at most, never multiplied out.

    Entry (a, b) is the score of query token a with key token b, without the factor $1/\sqrt e$.

    Parameters
    ----------
    offset : of a model with rotary positions: the position of the key less that of the query, for $W_Q^T R(\text{offset}) W_K$
    which : 1 or 2 where scores are (q1.k1)(q2.k2): the pair

    Raises
    ------
    TermError
        There is no such block, head or pair, or the block is a bilinear layer.
    SpecError
        The full circuit of a model without embedding; rotary positions without an offset, or the other way round.

    Examples
    --------
    >>> qk_circuit(Weights.example(), 0, 1, full=False)
    <QK of attn.0[1]: 64 x 64 = (64 x 32)(32 x 64)>
    >>> rotary = Weights.random("[rotary] attn(2, bilinear)", seed=0)
    >>> qk_circuit(rotary, 0, 1, full=False, offset=-1, which=2)
    <QK 2 of attn.0[1] at offset -1: 16 x 16 = (16 x 4)(4 x 16)>
    """
    arrays = head_arrays(weights, layer, head)
    require_pair(weights.model, layer, which)
    arrays = arrays if which is None else head_arrays(weights, layer, head, which)
    W_K = turned_keys(weights, arrays.W_K, offset)
    name = f"QK{'' if which is None else f' {which}'} of attn.{layer}[{head}]{'' if offset is None else f' at offset {offset}'}"
    if not full:
        return LowRank((arrays.W_Q.T, W_K), name)
    (W_E,) = require_ends(weights, "QK", "W_E", layer=layer)
    return LowRank((W_E.T, arrays.W_Q.T, W_K, W_E), name)


def require_ends(weights: Weights, what: str, *names: str, layer: int) -> tuple[np.ndarray, ...]:
    """W_E or W_U as the block of that number sees them, behind the norms between; or a SpecError that says which is not there."""
    model: Transformer = weights.model
    words = {"W_E": "embedding W_E", "W_U": "unembedding W_U"}
    missing = [words[name] for name in names if name not in weights.arrays]
    if missing:
        raise SpecError(
            f"a full {what} circuit needs the {' and the '.join(missing)}, which {str(model)!r} lacks: give full=False"
        )
    step = step_of(model, layer)
    seen = {"W_E": lambda: passed(weights, weights.arrays["W_E"], 0, step), "W_U": lambda: unembedding(weights, step)}
    return tuple(seen[name]() for name in names)


def unembedding(weights: Weights, step: int, rows: object = slice(None)) -> np.ndarray:
    """W_U, or rows of it, as what is written in a step is read by it: the norms behind, or the last one, inside."""
    W_U, model = weights.arrays["W_U"][rows], weights.model
    if model.has_final_norm:
        return unscaled(weights, model.number_of_blocks, W_U)
    if not model.post_norm:
        return W_U
    return W_U @ passed(weights, np.eye(W_U.shape[1], dtype=W_U.dtype), step, len(model.steps))


def step_of(model: Transformer, layer: int) -> int:
    """The number of the step that a block belongs to."""
    return next(number for number, step in enumerate(model.steps) for block in step.blocks if block.index == layer)
