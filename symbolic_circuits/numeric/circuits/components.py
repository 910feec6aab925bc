"""The arrays of a head or of a bilinear layer, found by the number of its block; what is not there is an error that says what is.

| letter | shape of a head | | letter | shape of a bilinear layer |
| --- | --- | --- | --- | --- |
| W_Q, W_K, W_V | (e, d) | | W_1, W_2 | (m, d) |
| W_O | (d, e) | | W_out | (d, m) |
"""

from typing import NamedTuple

import numpy as np

from symbolic_circuits.errors import TermError
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Block, Transformer

__all__ = ["BilinearArrays", "HeadArrays", "bilinear_arrays", "head_arrays", "heads_arrays", "require_block"]


class HeadArrays(NamedTuple):
    """The projections of a head; or of all heads of a block, with an axis of heads in front."""

    W_Q: np.ndarray
    W_K: np.ndarray
    W_V: np.ndarray
    W_O: np.ndarray


class BilinearArrays(NamedTuple):
    """The matrices of a bilinear layer; W_2 is W_1 where they are tied, W_out the identity where there is none."""

    W_1: np.ndarray
    W_2: np.ndarray
    W_out: np.ndarray


def head_arrays(weights: Weights, layer: int, head: int) -> HeadArrays:
    """The arrays of one head.

    Raises
    ------
    TermError
        There is no such block, it is a bilinear layer, or it has no such head.
    """
    block = heads_arrays(weights, layer)
    heads = len(block.W_Q)
    if isinstance(head, bool) or not hasattr(head, "__index__") or not 0 <= head < heads:
        raise TermError(f"attn.{layer} of {str(weights.model)!r} has heads 0 to {heads - 1}; got {head!r}")
    return HeadArrays(*(array[head] for array in block))


def heads_arrays(weights: Weights, layer: int) -> HeadArrays:
    """The arrays of all heads of an attention block, (H, e, d) and (H, d, e)."""
    require_block(weights.model, layer, Attention)
    return HeadArrays(*(weights.arrays[f"attn.{layer}.W_{letter}"] for letter in "QKVO"))


def bilinear_arrays(weights: Weights, layer: int) -> BilinearArrays:
    """The arrays of one bilinear layer.

    Raises
    ------
    TermError
        There is no such block, or it is an attention block.
    """
    spec = require_block(weights.model, layer, Bilinear)
    W_1 = weights.arrays[f"bilinear.{layer}.W_1"]
    W_2 = W_1 if spec.tied else weights.arrays[f"bilinear.{layer}.W_2"]
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
