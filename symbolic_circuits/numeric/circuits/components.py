r"""The arrays of a head or of a layer, found by the number of its block, as they act on the stream; what is not there is an error that says what is.

| letter | of a head | shape | | of a layer | shape |
| --- | --- | --- | --- | --- | --- |
| W_Q, W_K, W_V | what it reads with | (e, d) | | W_1, W_2 | (m, d) |
| W_O | what it writes with, times the output scale | (d, e) | | W_out | (d, m) |

Where norms come first, what reads has the norm inside, $W \operatorname{diag}(w) C$ (:mod:`symbolic_circuits.numeric.readers`): its scale of
each position is left out, and so are biases, which have functions of their own (:mod:`symbolic_circuits.numeric.circuits.biases`).
"""

from typing import NamedTuple

import numpy as np

from symbolic_circuits.errors import SpecError, TermError
from symbolic_circuits.numeric.readers import reader, scaled_output
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Block, Transformer

__all__ = [
    "BilinearArrays",
    "HeadArrays",
    "bilinear_arrays",
    "gated_arrays",
    "head_arrays",
    "heads_arrays",
    "pairs_of",
    "require_block",
    "require_no_gate",
    "require_pair",
]


class HeadArrays(NamedTuple):
    """The projections of a head; or of all heads of a block, with an axis of heads in front."""

    W_Q: np.ndarray
    W_K: np.ndarray
    W_V: np.ndarray
    W_O: np.ndarray


class BilinearArrays(NamedTuple):
    """The matrices of a layer; W_2 is W_1 where they are tied, W_out the identity where there is none."""

    W_1: np.ndarray
    W_2: np.ndarray
    W_out: np.ndarray


def head_arrays(weights: Weights, layer: int, head: int, which: int | None = None) -> HeadArrays:
    """The arrays of one head; ``which`` of its pairs of queries and keys (1 or 2), where its scores are products of two.

    Raises
    ------
    TermError
        There is no such block, it is a bilinear layer, or it has no such head or pair.
    """
    block = heads_arrays(weights, layer, which)
    heads = len(block.W_Q)
    if isinstance(head, bool) or not hasattr(head, "__index__") or not 0 <= head < heads:
        raise TermError(f"attn.{layer} of {str(weights.model)!r} has heads 0 to {heads - 1}; got {head!r}")
    return HeadArrays(*(array[head] for array in block))


def heads_arrays(weights: Weights, layer: int, which: int | None = None) -> HeadArrays:
    """The arrays of all heads of an attention block, (H, e, d) and (H, d, e); of the first pair, where there are two and none is named."""
    spec = require_block(weights.model, layer, Attention)
    suffix = (which or 1) if spec.scores == "bilinear" else ""
    if which is not None:
        require_pair(weights.model, layer, which)
    names = (f"attn.{layer}.W_{letter}" for letter in (f"Q{suffix}", f"K{suffix}", "V"))
    return HeadArrays(*(reader(weights, name) for name in names), scaled_output(weights, layer))


def pairs_of(spec: Attention) -> tuple[int | None, ...]:
    """The pairs of queries and keys of a block: None, or 1 and 2."""
    return (1, 2) if spec.scores == "bilinear" else (None,)


def require_pair(model: Transformer, layer: int, which: int | None) -> None:
    """Raise TermError unless that says which queries and keys of a block are meant, and no more."""
    spec = require_block(model, layer, Attention)
    if which in pairs_of(spec) and not isinstance(which, bool):
        return
    if spec.scores == "bilinear":
        raise TermError(
            f"scores of attn.{layer} of {str(model)!r} are products of two, (q1.k1)(q2.k2): which=1 or which=2; got {which!r}"
        )
    raise TermError(
        f"attn.{layer} of {str(model)!r} has one pair of queries and keys (scores are {spec.scores!r}), not two; got which={which!r}"
    )


def bilinear_arrays(weights: Weights, layer: int) -> BilinearArrays:
    """The arrays of one bilinear layer.

    Raises
    ------
    TermError
        There is no such block, or it is an attention block.
    SpecError
        The layer has a gate.
    """
    spec = require_block(weights.model, layer, Bilinear)
    require_no_gate(weights.model, layer, spec)
    return gated_arrays(weights, layer)


def require_no_gate(model: Transformer, layer: int, spec: Bilinear) -> None:
    """Raise SpecError where a layer has a gate."""
    if spec.gate is not None:
        raise SpecError(
            f"bilinear.{layer} of {str(model)!r} is gated ({spec.gate}): it is no bilinear form, and has no tensor that weights know; with "
            f"gates held fixed it is the matrix W_out diag(G) W_2, G = freeze(weights, tokens).gates[{layer}][position]"
        )


def gated_arrays(weights: Weights, layer: int) -> BilinearArrays:
    """The matrices of a layer, with or without gate."""
    spec = require_block(weights.model, layer, Bilinear)
    W_1 = reader(weights, f"bilinear.{layer}.W_1")
    W_2 = W_1 if spec.tied else reader(weights, f"bilinear.{layer}.W_2")
    W_out = weights.arrays[f"bilinear.{layer}.W_out"] if spec.output else np.eye(W_1.shape[1], dtype=W_1.dtype)
    return BilinearArrays(W_1, W_2, W_out)


def require_block(model: Transformer, layer: int, kind: type[Block]) -> Block:
    """The block of that number, of that kind; else a TermError that says which there are."""
    blocks = dict(model.numbered())
    wanted = "attention blocks" if kind is Attention else "bilinear layers"
    have = [name_of(k, spec) for k, spec in blocks.items() if isinstance(spec, kind)]
    there = f"its {wanted} are {', '.join(have)}" if have else f"it has no {wanted}"
    if isinstance(layer, bool) or not hasattr(layer, "__index__") or layer not in blocks:
        raise TermError(f"there is no block {layer!r} in {str(model)!r}; {there}")
    if not isinstance(blocks[layer], kind):
        raise TermError(f"block {layer} of {str(model)!r} is {name_of(layer, blocks[layer])}; {there}")
    return blocks[layer]


def name_of(index: int, spec: Block) -> str:
    """``attn.0`` or ``bilinear.1``."""
    return f"{'attn' if isinstance(spec, Attention) else 'bilinear'}.{index}"
