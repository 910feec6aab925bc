"""Models whose components are small enough to be multiplied out: what they write and read, as whole tensors."""

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.spec import Attention

MODELS = (
    "attn(2)*3",
    "attn(2) bilinear attn(3)|bilinear(tied) bilinear(no out)",
    "bilinear*3",
    "bilinear(m=3) attn(2, e=7) bilinear(tied)*2 attn(1)",
    "attn(2) attn(1, no residual) bilinear attn(1)",
    "[no embed, no unembed] (attn(2)|bilinear)[no residual] attn(1)|bilinear",
)


def weights_of(model: object, seed: int = 1) -> sc.Weights:
    return sc.Weights.random(model, d=6, V=7, e=3, m=8, seed=seed)


def tensors_of(weights: sc.Weights, symmetric: bool) -> dict[str, np.ndarray]:
    """What every component writes, (d, ...) with the written axis first, and what is read: the tensors themselves, by name."""
    found = {}
    for index, spec in weights.model.numbered():
        if isinstance(spec, Attention):
            arrays = {letter: weights.arrays[f"attn.{index}.W_{letter}"] for letter in "QKVO"}
            for head in range(len(arrays["Q"])):
                name = f"attn.{index}[{head}]"
                W_Q, W_K, W_V, W_O = (arrays[letter][head] for letter in "QKVO")
                found[name] = found[f"{name}.value"] = W_O @ W_V
                found[f"{name}.key"], found[f"{name}.query"] = W_Q.T @ W_K, W_K.T @ W_Q
        else:
            B = tensor_of(weights, index, spec)
            B = (B + B.transpose(0, 2, 1)) / 2 if symmetric else B
            found |= dict.fromkeys([f"bilinear.{index}{port}" for port in ("", ".left", ".right", ".input")], B)
    return found


def tensor_of(weights: sc.Weights, index: int, spec: sc.Bilinear) -> np.ndarray:
    W_1 = weights.arrays[f"bilinear.{index}.W_1"]
    W_2 = weights.arrays.get(f"bilinear.{index}.W_2", W_1)
    W_out = weights.arrays.get(f"bilinear.{index}.W_out", np.eye(W_1.shape[1]))
    return np.einsum("ip,pj,pk->ijk", W_out, W_1, W_2)
