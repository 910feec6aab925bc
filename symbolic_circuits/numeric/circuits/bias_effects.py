r"""What biases add to the logits by themselves, by the direct path: $W_U \operatorname{diag}(w) C\, v$ for each constant v that a block writes.

| name | v |
| --- | --- |
| attn.l[h] | $s\, W_O (b_V + W_V b)$ of a head with softmax, whose rows sum to one: $A \mathbf{1} = \mathbf{1}$ |
| bilinear.l | $W_{out} ((b_1 + W_1 b) \odot (b_2 + W_2 b))$, the constant part of the layer (C10) |
| bias.l | $s\, b_O$, or b_out |
| norm.l | b of a norm that comes after step l, or of the last one (W_U b) |
| output | b_U |

With b the biases of the norm before the block. All but those of the last norm and b_U are multiplied by the scale of the norms behind them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.numeric.bilinear.parts import layer_parts
from symbolic_circuits.numeric.circuits.components import heads_arrays
from symbolic_circuits.numeric.circuits.ov_qk import unembedding
from symbolic_circuits.numeric.readers import offset, passed
from symbolic_circuits.numeric.weights import Weights, norms_of
from symbolic_circuits.spec import Attention, Block

__all__ = ["BiasEffects", "bias_effects"]


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class BiasEffects:
    """Effects (V,) on the logits, or (d,) on the stream of a model without unembedding, by name; made by :func:`bias_effects`.

    At a position where the norms behind block l have the scale r, the effects add up to r times the sum of the scaled ones and the
    sum of the constant ones; r = 1 in a model without norms.

    Examples
    --------
    >>> weights = Weights.random("attn(1, b_V)", d=8, V=5, seed=0)
    >>> found = bias_effects(weights)
    >>> written = weights.arrays["attn.0.W_O"][0] @ weights.arrays["attn.0.b_V"][0]
    >>> bool(np.allclose(found.scaled["attn.0[0]"], weights.arrays["W_U"] @ written)), found.constant
    (True, {})
    """

    scaled: dict[str, np.ndarray]  # multiplied by the scale of the norms behind, where there are some
    constant: dict[str, np.ndarray]  # as they are


def bias_effects(weights: Weights) -> BiasEffects:
    """The direct effect of every bias on the output; those that depend on the input are left out.

    Left out are b_V of heads without softmax, b_2 of layers with a gate, what a later block without residual drops, and
    everything that biases do through other blocks.

    Parameters
    ----------
    weights : of any model; one without biases has no effects

    Returns
    -------
    BiasEffects
        In units of the output: logits, or the stream of a model without unembedding.

    Examples
    --------
    >>> found = bias_effects(Weights.random("[b_U] attn(2, b_V) bilinear(bias)", d=8, V=5, seed=0))
    >>> list(found.scaled), list(found.constant)
    (['attn.0[0]', 'attn.0[1]', 'bilinear.1', 'bias.1'], ['output'])
    """
    model, arrays = weights.model, weights.arrays
    scaled: dict[str, np.ndarray] = {}
    constant: dict[str, np.ndarray] = {}
    first = max((number for number, step in enumerate(model.steps) if not step.residual), default=0)
    for number, step in list(enumerate(model.steps))[first:]:
        for block in step.blocks:
            scaled |= {name: read(weights, v, number) for name, v in written(weights, *block)}
    if model.gains and model.norm == "layer":
        for number, norm in list(enumerate(norms_of(model)))[first:] if model.post_norm else []:
            last = norm == norms_of(model)[-1]
            (constant if last else scaled)[f"norm.{norm}"] = read(weights, arrays[f"norm.{norm}.b"], number + 1)
        if model.has_final_norm:
            b = arrays[f"norm.{model.number_of_blocks}.b"]
            constant[f"norm.{model.number_of_blocks}"] = arrays["W_U"] @ b if model.unembedding else b
    return BiasEffects(scaled, constant | ({"output": arrays["b_U"]} if model.output_bias else {}))


def read(weights: Weights, v: np.ndarray, step: int) -> np.ndarray:
    """What the output reads of a vector (d,) that is written in a step."""
    model = weights.model
    if model.unembedding:
        return unembedding(weights, step) @ v
    if model.has_final_norm:
        v = v * 1.0
        v = v - v.mean() if model.norm == "layer" else v
        return v * weights.arrays[f"norm.{model.number_of_blocks}.w"] if model.gains else v
    return passed(weights, v[:, None], step, len(model.steps))[:, 0]


def written(weights: Weights, index: int, spec: Block) -> Iterator[tuple[str, np.ndarray]]:
    """The constants that a block writes."""
    arrays = weights.arrays
    if isinstance(spec, Attention):
        values = offset(weights, f"attn.{index}.W_V")
        if values is not None and spec.scores == "softmax":
            W_O = heads_arrays(weights, index).W_O
            yield from ((f"attn.{index}[{head}]", W_O[head] @ values[head]) for head in range(len(values)))
        if "b_O" in spec.biases:
            yield f"bias.{index}", arrays[f"attn.{index}.b_O"] * arrays.get(f"attn.{index}.scale", 1.0)
        return
    parts = layer_parts(weights, index) if spec.gate is None else None
    if parts is not None and parts.constant.any():
        yield f"bilinear.{index}", parts.constant
    if "b_out" in spec.biases:
        yield f"bias.{index}", arrays[f"bilinear.{index}.b_out"]
