"""The constant coordinate: biases as one more column of the weights that read the stream, (x, 1) -> W x + b (C9), and scales inside W_O.

| array | folded | shape |
| --- | --- | --- |
| W_V, W_Q, W_K; W_1, W_2; W_U | (W, b), or (W, 0) without the bias | ... x (d + 1) |
| W_O, W_out | s W_O and a row of zeros: nothing writes the constant | (d + 1) x ... |
| norm.k.w | (w, 0), w = 1 without gains | d + 1 |

So whoever computes with heads and bilinear layers needs no rule for biases: the leaf ``one`` is (0, 1), every other leaf (x, 0). A
model in which nothing reads the constant keeps the width d.
"""

from collections.abc import Mapping

import numpy as np

from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.weights import norms_of
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["folded"]


def folded(
    model: Transformer, arrays: Mapping[str, np.ndarray], stream: np.ndarray, modulus: int | None = None
) -> Mapping[str, np.ndarray]:
    """The arrays with biases and scales inside; the same mapping where there are none. ``stream`` (n, width) is one that blocks read."""
    out = dict(arrays)
    for index, spec in model.numbered():
        if isinstance(spec, Attention):
            out |= attention(f"attn.{index}", spec, arrays, model, modulus)
        else:
            out |= layer(f"bilinear.{index}", spec, arrays, model)
    for number in norms_of(model):
        out[f"norm.{number}.w"] = gain(arrays, number, model, stream)
    if model.has_constant and model.unembedding:
        out["W_U"] = with_column(arrays["W_U"], arrays.get("b_U"))
    return out if out.keys() != arrays.keys() or any(out[name] is not arrays[name] for name in out) else arrays


def attention(
    name: str, spec: Attention, arrays: Mapping[str, np.ndarray], model: Transformer, modulus: int | None
) -> dict[str, np.ndarray]:
    """The arrays of an attention block that change."""
    W_O = arrays[f"{name}.W_O"]
    if spec.output_scale:
        W_O = W_O * arrays[f"{name}.scale"]
        W_O = W_O if modulus is None else W_O % modulus
    out = {f"{name}.W_O": W_O} if spec.output_scale else {}
    if not model.has_constant:
        return out
    readers = [key for key in arrays if key.startswith(f"{name}.W_") and key != f"{name}.W_O"]
    out |= {key: with_column(arrays[key], arrays.get(key.replace(".W_", ".b_"))) for key in readers}
    return out | {f"{name}.W_O": with_row(W_O)}


def layer(name: str, spec: Bilinear, arrays: Mapping[str, np.ndarray], model: Transformer) -> dict[str, np.ndarray]:
    """The arrays of a layer that change; without W_out it is W_1 and W_2 that write nothing into the constant."""
    if not model.has_constant:
        return {}
    sides = ("1",) if spec.tied else ("1", "2")
    out = {f"{name}.W_{k}": with_column(arrays[f"{name}.W_{k}"], arrays.get(f"{name}.b_{k}")) for k in sides}
    if spec.output:
        return out | {f"{name}.W_out": with_row(arrays[f"{name}.W_out"])}
    return {key: with_row(array) for key, array in out.items()}


def gain(arrays: Mapping[str, np.ndarray], number: int, model: Transformer, stream: np.ndarray) -> np.ndarray:
    """w of a norm; ones of the kind that a stream is made of where norms have none."""
    if model.gains:
        w = arrays[f"norm.{number}.w"]
        return with_column(w) if model.has_constant else w
    ones = library_of(stream).ones_like(stream[0])
    return with_column(ones[:-1]) if model.has_constant else ones


def with_column(W: np.ndarray, b: np.ndarray | None = None) -> np.ndarray:
    """(W, b): one more entry on the last axis, 0 where there is no b."""
    library = library_of(W)
    column = library.zeros_like(W[..., :1]) if b is None else b[..., None]
    return library.concat([W, column], axis=-1)


def with_row(W: np.ndarray) -> np.ndarray:
    """One more row of zeros: on the last axis but one."""
    library = library_of(W)
    return library.concat([W, library.zeros_like(W[..., :1, :])], axis=-2)
