r"""A model without biases, of width d + 1: the stream is (x, 1), and $W x + b = (W, b)(x, 1)$ wherever something reads (C9).

| bias | becomes |
| --- | --- |
| b_Q, b_K, b_V; b_1, b_2; b_U | one more column of the matrix |
| b_out | one more hidden unit, which reads the constant: $b_{out} \cdot 1 \cdot 1$; behind a gate $\frac{1}{\phi(1)} b_{out}\, \phi(1)$ |
| b_O | one more head, whose queries and keys vanish: $A \mathbf{1} b_O^T = \mathbf{1} b_O^T$, for rows of A that sum to one |
| the constant | one more row of W_E, of ones; nothing else writes it where the stream is kept, and the same unit or head where it is dropped |

What norms make of it is no constant: $r_s \cdot 1$, and it would count in the mean square. So models with norms are refused; with scales
held fixed (``freeze``) the constant is carried beside the stream instead.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.folds.models import with_blocks
from symbolic_circuits.numeric.reference import ACTIVATIONS
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear, Block, NumberedBlock, Transformer

__all__ = ["fold_biases", "has_biases"]

Arrays = dict[str, np.ndarray]


class Folded(NamedTuple):
    """A block without biases."""

    spec: Block
    arrays: Arrays


def fold_biases(weights: Weights) -> Weights:
    """The same function without biases, one wider; a model without biases is returned as it is.

    Without embedding inputs are then (x, 1), and without unembedding so is the output.

    Raises
    ------
    SpecError
        The model has norms; or b_O, or the constant behind a dropped stream, would have to pass attention whose rows do not sum to one.

    Examples
    --------
    >>> folded = fold_biases(Weights.random("attn(2, b_V, b_O) bilinear(b_1, b_out)", d=8, V=5, seed=0))
    >>> folded.model
    Transformer.parse('[d=9] attn(3, e=4) bilinear(m=25)')
    """
    model = weights.model
    if not has_biases(model):
        return weights
    if model.norm is not None:
        raise SpecError(
            f"{str(model)!r} has norms, which make of a constant coordinate no constant, and count it in the mean square: biases fold into a "
            "wider model without norms only; freeze(weights, tokens) carries the constant beside the stream"
        )
    arrays: Arrays = {name: array for name, array in weights.arrays.items() if name.startswith("rotary.")}
    arrays |= ends(weights)
    blocks: dict[int, Block] = {}
    for step in model.steps:
        carrier = None if step.residual else carrier_of(model, step.blocks)
        for block in step.blocks:
            blocks[block.index], found = folded_block(weights, block, constant=block.index == carrier)
            arrays |= found
    return Weights(with_blocks(model, blocks, d=weights.size(model.d) + 1, output_bias=False), arrays)


def has_biases(model: Transformer) -> bool:
    """Whether there is a bias anywhere, those of norms left aside."""
    return model.output_bias or any(spec.biases for _, spec in model.numbered())


def ends(weights: Weights) -> Arrays:
    """W_E, W_pos and W_U of the wider stream."""
    found, arrays = {}, weights.arrays
    if "W_E" in arrays:
        found["W_E"] = np.concatenate([arrays["W_E"], np.ones_like(arrays["W_E"][:1])])
    if "W_pos" in arrays:
        found["W_pos"] = column(arrays["W_pos"], None)
    if "W_U" in arrays:
        found["W_U"] = column(arrays["W_U"], arrays.get("b_U"))
    return found


def carrier_of(model: Transformer, blocks: tuple[NumberedBlock, ...]) -> int:
    """The block that writes the constant where the stream is dropped: a layer, else attention with rows that sum to one."""
    layers = [index for index, spec in blocks if isinstance(spec, Bilinear)]
    heads = [index for index, spec in blocks if isinstance(spec, Attention) and spec.scores == "softmax"]
    if not layers + heads:
        raise SpecError(
            f"attn.{blocks[0].index} of {str(model)!r} drops the stream, and rows of its patterns do not sum to one (scores are "
            f"{blocks[0].spec.scores!r}), so that nothing carries the constant: keep the residual, or use softmax"
        )
    return (layers + heads)[0]


def folded_block(weights: Weights, block: NumberedBlock, *, constant: bool) -> Folded:
    """One block; ``constant``: it also writes 1 into the last coordinate."""
    return (folded_attention if isinstance(block.spec, Attention) else folded_layer)(weights, block, constant=constant)


def folded_attention(weights: Weights, block: NumberedBlock, *, constant: bool) -> Folded:
    """Columns for what reads; one more head where there is b_O, or the constant is to be written."""
    spec, name = block.spec, f"attn.{block.index}"
    arrays = weights.arrays
    readers = [key for key in arrays if key.startswith(f"{name}.W_") and key != f"{name}.W_O"]
    found = {key: column(arrays[key], arrays.get(key.replace(".W_", ".b_"))) for key in readers}
    found[f"{name}.W_O"] = row(arrays[f"{name}.W_O"])
    if spec.output_scale:
        found[f"{name}.scale"] = arrays[f"{name}.scale"]
    heads, e, _ = arrays[f"{name}.W_V"].shape
    if "b_O" in spec.biases or constant:
        require_stochastic(weights.model, block)
        found = with_constant_head(found, name, writes(weights, block, constant=constant))
        heads += 1
    return Folded(replace(spec, heads=heads, e=e, biases=()), found)


def require_stochastic(model: Transformer, block: NumberedBlock) -> None:
    """Raise SpecError unless rows of the patterns sum to one."""
    if block.spec.scores != "softmax":
        raise SpecError(
            f"b_O of attn.{block.index} in {str(model)!r} can be folded into a head only where rows of A sum to one (A 1 = 1): scores are "
            f"{block.spec.scores!r}, so that A 1 varies with the input; expansions keep b_O as a leaf of its own (bias.{block.index})"
        )


def writes(weights: Weights, block: NumberedBlock, *, constant: bool) -> np.ndarray:
    """What the further head writes, (d + 1,): b_O, and 1 over the output scale where it carries the constant."""
    name = f"attn.{block.index}"
    bias = weights.arrays.get(f"{name}.b_O", np.zeros_like(weights.arrays[f"{name}.W_O"][0, :, 0]))
    scale = weights.arrays.get(f"{name}.scale", np.ones((), bias.dtype))
    if constant and scale == 0:
        raise SpecError(
            f"{name} of {str(weights.model)!r} drops the stream and has output scale 0: nothing carries the constant behind it"
        )
    return np.append(bias, 1 / scale if constant else 0).astype(bias.dtype)


def with_constant_head(arrays: Arrays, name: str, written: np.ndarray) -> Arrays:
    """One more head: no queries and keys; its one value is the constant coordinate, and it writes that times ``written``."""
    found = {}
    for key, array in arrays.items():
        extra = np.zeros_like(array[:1]) if key.startswith(f"{name}.W_") else None
        if key == f"{name}.W_V":
            extra[0, 0, -1] = 1
        if key == f"{name}.W_O":
            extra[0, :, 0] = written
        found[key] = array if extra is None else np.concatenate([array, extra])
    return found


def folded_layer(weights: Weights, block: NumberedBlock, *, constant: bool) -> Folded:
    """Columns for what reads; one more hidden unit where there is b_out, or no W_out, or the constant is to be written."""
    spec, name, arrays = block.spec, f"bilinear.{block.index}", weights.arrays
    sides = ("1",) if spec.tied else ("1", "2")
    inner = {k: column(arrays[f"{name}.W_{k}"], arrays.get(f"{name}.b_{k}")) for k in sides}
    m, width = inner["1"].shape
    bias = arrays.get(f"{name}.b_out")
    if spec.output and bias is None and not constant:
        return Folded(replace(spec, biases=()), named(name, inner) | {f"{name}.W_out": row(arrays[f"{name}.W_out"])})
    out = arrays[f"{name}.W_out"] if spec.output else np.eye(m, dtype=inner["1"].dtype)
    reads = np.zeros_like(inner["1"][:1])
    output = spec.output or bias is not None
    reads[0, -1] = 1 if output or constant else 0
    inner = {k: np.concatenate([W, side * reads]) for k, side, W in sided(inner, spec)}
    if not output:
        return Folded(replace(spec, biases=()), named(name, inner))
    written = np.append(np.zeros(width - 1) if bias is None else bias, float(constant)).astype(out.dtype)
    found = named(name, inner) | {f"{name}.W_out": np.concatenate([row(out), written[:, None]], axis=1)}
    return Folded(replace(spec, output=True, m=m + 1, biases=()), found)


def sided(inner: Arrays, spec: Bilinear) -> Iterator[tuple[str, float, np.ndarray]]:
    """Each side with what its further unit is multiplied by: the right one undoes the gate of 1."""
    for k, W in inner.items():
        yield k, 1 / float(ACTIVATIONS[spec.gate](np.ones(1))[0]) if spec.gate and k == "2" else 1.0, W


def named(name: str, inner: Arrays) -> Arrays:
    """W_1 and W_2 by their names."""
    return {f"{name}.W_{k}": W for k, W in inner.items()}


def column(W: np.ndarray, b: np.ndarray | None) -> np.ndarray:
    """(W, b), or (W, 0)."""
    return np.concatenate([W, np.zeros_like(W[..., :1]) if b is None else b[..., None]], axis=-1)


def row(W: np.ndarray) -> np.ndarray:
    """One more row of zeros."""
    return np.concatenate([W, np.zeros_like(W[..., :1, :])], axis=-2)
