r"""A layer with equal branches, from any layer: $(l \cdot x)(r \cdot x) = \frac14 ((l + r) \cdot x)^2 - \frac14 ((l - r) \cdot x)^2$.

$W = [W_1 + W_2; W_1 - W_2]$ is left and right map at once, of twice the hidden width, and $\frac14 [W_{out}, -W_{out}]$ the output map. (One half in place of
one quarter, as code that is about has it, is twice the layer.) Biases go the same way: $[b_1 + b_2; b_1 - b_2]$ inside, b_out as it is.
"""

from dataclasses import replace

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.bilinear.layer import layer_number, require_bilinear
from symbolic_circuits.numeric.folds.models import with_blocks
from symbolic_circuits.numeric.weights import Weights

__all__ = ["polarised"]


def polarised(weights: Weights, layer: int | str) -> Weights:
    """The same model with one bilinear layer written as a layer of squares (``tied``), of twice its hidden width.

    Raises
    ------
    SpecError
        This is no bilinear layer, it has a gate, or its branches are equal already.

    Examples
    --------
    >>> polarised(Weights.example(), 1)
    <Weights of '[n=3, d=64, V=32] attn(2, e=32) bilinear(m=256, tied)': 53,248 parameters>
    """
    require_bilinear(weights, layer)
    number = layer_number(weights.model, layer)
    spec, name = dict(weights.model.numbered())[number], f"bilinear.{number}"
    if spec.tied:
        raise SpecError(f"{name} of {str(weights.model)!r} is tied: it is a layer of squares already")
    W_1, W_2, dtype = weights.arrays[f"{name}.W_1"], weights.arrays[f"{name}.W_2"], weights.arrays[f"{name}.W_1"].dtype
    out = weights.arrays.get(f"{name}.W_out", np.eye(len(W_1), dtype=dtype)).astype(np.float64)
    arrays = {key: array for key, array in weights.arrays.items() if not key.startswith(f"{name}.")}
    arrays[f"{name}.W_1"] = sum_and_difference(W_1, W_2).astype(dtype)
    arrays[f"{name}.W_out"] = (np.hstack([out, -out]) / 4).astype(dtype)
    biases = tuple(bias for bias in ("b_1", "b_out") if bias in spec.biases or (bias == "b_1" and "b_2" in spec.biases))
    if "b_1" in biases:
        b_1, b_2 = (weights.arrays.get(f"{name}.{bias}", np.zeros(len(W_1), dtype)) for bias in ("b_1", "b_2"))
        arrays[f"{name}.b_1"] = sum_and_difference(b_1, b_2).astype(dtype)
    if "b_out" in biases:
        arrays[f"{name}.b_out"] = weights.arrays[f"{name}.b_out"]
    squares = replace(spec, m=2 * len(W_1), output=True, tied=True, biases=biases)
    return Weights(with_blocks(weights.model, {number: squares}), arrays)


def sum_and_difference(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """[left + right; left - right]."""
    left, right = left.astype(np.float64), right.astype(np.float64)
    return np.concatenate([left + right, left - right])
