"""Models of every feature, and forward passes of them written by hand, in which outputs of components can be overwritten."""

from collections.abc import Mapping
from math import erf, sqrt

import numpy as np

import symbolic_circuits as sc
from symbolic_circuits.spec import Attention

MODELS = (
    "attn(2, bias) bilinear(bias)",
    "[b_U] attn(2) bilinear(b_1)",
    "attn(2, b_V)|bilinear(tied, b_1) attn(1)",
    "[rms_norm] attn(2) bilinear attn(1)",
    "[layer_norm, gains, b_U, learned] attn(2, bias, output_scale) bilinear(b_2, b_out)",
    "[rms_norm, gains, post_norm] attn(2) bilinear(tied, b_1, b_out)",
    "[layer_norm, gains, post_norm] attn(1, b_V)|bilinear(b_2) attn(1)",
    "bilinear(silu)*2 attn(2)",
    "[rotary, rms_norm] attn(2, b_Q, b_K) bilinear(relu, bias) attn(1)",
    "attn(1, linear)*2",
    "attn(2, bilinear, b_K, b_V)",
    "[rotary, b_U] attn(1, linear, b_Q) bilinear(no out, b_1)",
    "[shortformer, rms_norm] attn(2) bilinear attn(1)",
    "[shortformer] attn(1, linear) attn(1)",
    "[no embed, no unembed, layer_norm, gains] attn(2, b_V) bilinear(no out) attn(1)",
    "attn(2, linear, frozen) bilinear(gelu, b_2) attn(1, bilinear, frozen, bias)",
    "[no unembed] attn(1) bilinear(no out, tied, b_1)",
    "[learned, layer_norm, no final_norm] bilinear attn(2, no score_scale)",
    "[rms_norm, gains] (attn(2)|bilinear(silu, b_1))[no residual] attn(1, bias)",
    "[layer_norm, post_norm, b_U] bilinear(sigmoid, no out, b_2) attn(2)",
)
WAYS = {"zero": 0, "resample": 1, "mean": 3}
Outputs = dict[str, np.ndarray]


def weights_of(model: str, seed: int = 1) -> sc.Weights:
    return sc.Weights.random(model, d=4, V=6, e=2, m=5, n_ctx=7, seed=seed)


def inputs_of(weights: sc.Weights, number: int, seed: int = 2, n: int = 3) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    if weights.model.embedding:
        return list(generator.integers(0, 6, (number, n)))
    return list(generator.standard_normal((number, n, 4)))


def options(by: str, others: list[np.ndarray]) -> dict:
    return {"zero": {}, "resample": {"other": others[0]} if others else {}, "mean": {"batch": others}}[by] | {"by": by}


def gate(name: str, x: float) -> float:
    """An activation at a number."""
    return {
        "relu": lambda: max(x, 0.0),
        "silu": lambda: x / (1 + np.exp(-x)),
        "sigmoid": lambda: 1 / (1 + np.exp(-x)),
        "gelu": lambda: x * (1 + erf(x / sqrt(2))) / 2,
    }[name]()


def gates(weights: sc.Weights, k: int, activation: str, x: np.ndarray) -> np.ndarray:
    """gate(W_1 x + b_1), entry by entry."""
    W, b = weights.arrays[f"bilinear.{k}.W_1"], weights.arrays.get(f"bilinear.{k}.b_1", 0.0)
    return np.array([[gate(activation, v) for v in row] for row in x @ W.T + b])


def scale(weights: sc.Weights, x: np.ndarray) -> np.ndarray:
    """1 / root mean square of each position, of x less its mean in a LayerNorm."""
    x = x - x.mean(1, keepdims=True) if weights.model.norm == "layer" else x
    return np.array([1 / sqrt(row @ row / len(row) + weights.arrays["norm.eps"]) for row in x])


def turned(weights: sc.Weights, x: np.ndarray) -> np.ndarray:
    """Queries or keys (n, e) under rotary positions, pair by pair as complex numbers."""
    if weights.model.positions != "rotary":
        return x
    frequencies, x = weights.arrays["rotary.inv_freq"], x.copy()
    pairs = len(frequencies)
    for s in range(len(x)):
        z = (x[s, :pairs] + 1j * x[s, pairs : 2 * pairs]) * np.exp(1j * s * frequencies)
        x[s, :pairs], x[s, pairs : 2 * pairs] = z.real, z.imag
    return x


def pattern(weights: sc.Weights, k: int, spec: Attention, x: np.ndarray) -> np.ndarray:
    """The patterns (H, n, n) of a block at what it reads, position by position."""
    a, n = weights.arrays, len(x)
    x = x + a["W_pos"][:n] if weights.model.positions == "shortformer" else x
    out = np.zeros((spec.heads, n, n))
    for h in range(spec.heads):
        scores = np.ones((n, n))
        for pair in ("1", "2") if spec.scores == "bilinear" else ("",):
            q, key = (
                turned(
                    weights,
                    x @ a[f"attn.{k}.W_{w}{pair}"][h].T + (a[f"attn.{k}.b_{w}{pair}"][h] if f"b_{w}" in spec.biases else 0),
                )
                for w in "QK"
            )
            scores = scores * (q @ key.T) / (sqrt(q.shape[1]) if spec.score_scale else 1)
        for s in range(n):
            row = scores[s, : s + 1]
            out[h, s, : s + 1] = np.exp(row) / np.exp(row).sum() if spec.scores == "softmax" else row
    return out


def normed(weights: sc.Weights, number: int, x: np.ndarray, r: np.ndarray) -> np.ndarray:
    """A norm of x with given scales."""
    a, model = weights.arrays, weights.model
    x = r[:, None] * (x - x.mean(1, keepdims=True) if model.norm == "layer" else x)
    x = x * a[f"norm.{number}.w"] if model.gains else x
    return x + a[f"norm.{number}.b"] if model.gains and model.norm == "layer" else x


def by_hand(
    weights: sc.Weights, source: np.ndarray, over: Mapping[str, np.ndarray] | None = None, held: sc.Weights | None = None
) -> tuple[np.ndarray, Outputs]:
    """The output with those of some components overwritten, and the outputs of all heads and layers; ``held``: a frozen run."""
    a, model, found, over = weights.arrays, weights.model, {}, over or {}

    def norm(number: int, x: np.ndarray) -> np.ndarray:
        return normed(weights, number, x, scale(weights, x) if held is None else held.scales[number]) if model.norm else x

    x = a["W_E"].T[source] if model.embedding else source
    x = x + a["W_pos"][: len(x)] if model.positions == "learned" else x
    for step in model.steps:
        total = x if step.residual else np.zeros_like(x)
        for k, spec in step.blocks:
            y, new = (x if model.post_norm else norm(k, x)), {}
            own = a.get(f"attn.{k}.b_O", a.get(f"bilinear.{k}.b_out", np.zeros(y.shape[1])))
            if isinstance(spec, Attention):
                factor = a.get(f"attn.{k}.scale", 1.0)
                A = pattern(weights, k, spec, y) if held is None or spec.is_polynomial else held.patterns[k]
                for h in range(spec.heads):
                    values = y @ a[f"attn.{k}.W_V"][h].T + (a[f"attn.{k}.b_V"][h] if "b_V" in spec.biases else 0)
                    new[f"attn.{k}[{h}]"] = factor * (A[h] @ values) @ a[f"attn.{k}.W_O"][h].T
                own = own * factor
            else:
                sides = [y @ a[f"bilinear.{k}.W_{w}"].T + a.get(f"bilinear.{k}.b_{w}", 0.0) for w in ("1" if spec.tied else "12")]
                if spec.gate:
                    sides[0] = gates(weights, k, spec.gate, y) if held is None else held.gates[k]
                hidden = sides[0] * sides[-1]
                new[f"{'gated' if spec.gate else 'bilinear'}.{k}"] = (
                    hidden @ a[f"bilinear.{k}.W_out"].T if spec.output else hidden
                )
            new |= {name: value for name, value in over.items() if name in new}
            found |= new
            total = total + sum(new.values()) + own
        x = norm(step.blocks[-1].index, total) if model.post_norm else total
    x = norm(model.number_of_blocks, x) if model.has_final_norm else x
    out = x @ a["W_U"].T if model.unembedding else x
    return (out + a["b_U"] if model.output_bias else out), found
