r"""A layer with equal branches, from any layer: $(l \cdot x)(r \cdot x) = \frac14 ((l + r) \cdot x)^2 - \frac14 ((l - r) \cdot x)^2$.

$W = [W_1 + W_2; W_1 - W_2]$ is left and right map at once, of twice the hidden width, and $\frac14 [W_{out}, -W_{out}]$ the output map. (One half in place of
one quarter, as code that is about has it, is twice the layer.)
"""

from dataclasses import replace

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.bilinear.layer import bilinear_layer, layer_number
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Bilinear, Parallel, Transformer

__all__ = ["polarised"]


def polarised(weights: Weights, layer: int | str) -> Weights:
    """The same model with one bilinear layer written as a layer of squares (``tied``), of twice its hidden width.

    Raises
    ------
    SpecError
        This is no bilinear layer, or its branches are equal already.

    Examples
    --------
    >>> polarised(Weights.example(), 1)
    <Weights of '[n=3, d=64, V=32] attn(2, e=32) bilinear(m=256, tied)': 53,248 parameters>
    """
    found, number = bilinear_layer(weights, layer), layer_number(weights.model, layer)
    spec = dict(weights.model.numbered())[number]
    if spec.tied:
        raise SpecError(f"bilinear.{number} of {str(weights.model)!r} is tied: it is a layer of squares already")
    dtype = weights.arrays[f"bilinear.{number}.W_1"].dtype
    arrays = {name: array for name, array in weights.arrays.items() if not name.startswith(f"bilinear.{number}.")}
    arrays[f"bilinear.{number}.W_1"] = np.vstack([found.W_1 + found.W_2, found.W_1 - found.W_2]).astype(dtype)
    arrays[f"bilinear.{number}.W_out"] = (np.hstack([found.W_out, -found.W_out]) / 4).astype(dtype)
    squares = replace(spec, m=2 * found.hidden, output=True, tied=True)
    return Weights(with_block(weights.model, number, squares), arrays)


def with_block(model: Transformer, number: int, block: Bilinear) -> Transformer:
    """The model with one of its blocks replaced."""
    items, index = [], 0
    for item in model.blocks:
        leaves = item.blocks if isinstance(item, Parallel) else (item,)
        changed = tuple(block if index + k == number else leaf for k, leaf in enumerate(leaves))
        items.append(replace(item, blocks=changed) if isinstance(item, Parallel) else changed[0])
        index += len(leaves)
    return replace(model, blocks=tuple(items))
