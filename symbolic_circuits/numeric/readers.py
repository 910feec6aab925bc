r"""What a block reads of the stream through its norm: $W \operatorname{diag}(w) C\, x$ beside the constant $W b + b_W$, the scale r of each position left out.

| letter | meaning | shape |
| --- | --- | --- |
| W, b_W | what reads: W_V, W_Q, W_K of a block, W_1, W_2 of a layer, or W_U; its bias | ... x d, ... |
| w, b | gains and biases of the norm before it | d |
| C | $I - \mathbf{1} \mathbf{1}^T / d$ for "layer", which takes the mean away; I for "rms" | d x d |

The value of a norm is $r_s\, w \odot C x_s + b$ with one number r_s a position, so that this is all of it that weights know (B39).
"""

import numpy as np

from symbolic_circuits.numeric.weights import Weights, norms_of
from symbolic_circuits.spec import Transformer

__all__ = ["bias_name", "centred", "norm_before", "offset", "passed", "reader", "scaled_output", "unscaled"]


def norm_before(model: Transformer, name: str) -> int | None:
    """The number of the norm that an array reads through; None where it reads the stream itself.

    >>> norm_before(Transformer.parse("[rms_norm] attn(2) bilinear"), "bilinear.1.W_2"), norm_before(Transformer.parse("bilinear"), "W_U")
    (1, None)
    """
    if model.norm is None or model.post_norm:
        return None
    if name == "W_U":
        return model.number_of_blocks if model.has_final_norm else None
    return int(name.split(".")[1])


def bias_name(name: str) -> str:
    """The name of the bias of an array: b_Q1 of W_Q1."""
    return name.replace("W_", "b_")


def centred(W: np.ndarray) -> np.ndarray:
    """W C (..., d): each row less its mean."""
    return W - W.mean(-1, keepdims=True)


def unscaled(weights: Weights, number: int, W: np.ndarray) -> np.ndarray:
    """W diag(w) C (..., d), for a norm by its number; W itself where that is the identity."""
    W = W * weights.arrays[f"norm.{number}.w"] if weights.model.gains else W
    return centred(W) if weights.model.norm == "layer" else W


def reader(weights: Weights, name: str) -> np.ndarray:
    """An array that reads, with the norm before it inside; the array itself where there is none.

    Examples
    --------
    >>> weights = Weights.random("[layer_norm] bilinear", d=4, m=3, V=5, seed=0)
    >>> bool(np.allclose(reader(weights, "bilinear.0.W_1").sum(1), 0)), bool(np.allclose(reader(weights, "W_U").sum(1), 0))
    (True, True)
    """
    number = norm_before(weights.model, name)
    return weights.arrays[name] if number is None else unscaled(weights, number, weights.arrays[name])


def offset(weights: Weights, name: str) -> np.ndarray | None:
    """The constant W b + b_W beside it; None where there is neither bias.

    >>> offset(Weights.random("bilinear", seed=0), "bilinear.0.W_1") is None
    True
    """
    found, number, model = weights.arrays.get(bias_name(name)), norm_before(weights.model, name), weights.model
    if number is None or not (model.gains and model.norm == "layer"):
        return found
    inner = weights.arrays[name] @ weights.arrays[f"norm.{number}.b"]
    return inner if found is None else inner + found


def scaled_output(weights: Weights, layer: int) -> np.ndarray:
    """W_O (H, d, e) of an attention block, times its output scale where it has one."""
    scale = weights.arrays.get(f"attn.{layer}.scale")
    W_O = weights.arrays[f"attn.{layer}.W_O"]
    return W_O if scale is None else W_O * scale


def passed(weights: Weights, W: np.ndarray, first: int, last: int) -> np.ndarray:
    """What becomes of writers W (d, ...) in a post-norm model between two steps: diag(w) C of the norms after steps first to last - 1.

    W itself where norms come before blocks, since they do not touch the stream.
    """
    model = weights.model
    if not model.post_norm:
        return W
    for number in norms_of(model)[first:last]:
        W = W - W.mean(0, keepdims=True) if model.norm == "layer" else W
        W = (W.T * weights.arrays[f"norm.{number}.w"]).T if model.gains else W
    return W
