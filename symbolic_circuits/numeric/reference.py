"""The plain forward pass of a model in NumPy: X_0 = t W_E^T, heads A^h X W_V^T W_O^T, bilinear layers, X_L W_U^T.

It follows the specification block by block and shares no code with the expansion, so that each can be checked against the
other. Attention is causal: A^h = softmax(mask(X W_Q^T W_K X^T / sqrt(e))), or without the softmax; W_O, W_out and W_U come with their
biases where the model has them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import erf, sqrt

import numpy as np

from symbolic_circuits.spec import Attention, Bilinear, Step, Transformer

__all__ = ["ACTIVATIONS", "Forward", "HeldFixed", "angles", "causal_softmax", "forward", "forward_scores"]


def sigmoid(x: np.ndarray) -> np.ndarray:
    """1 / (1 + e^-x), without overflow."""
    return np.exp(-np.logaddexp(0, -x))


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x * sigmoid(x),
    "gelu": lambda x: x * (1 + np.vectorize(erf, otypes=[float])(x / sqrt(2)).astype(x.dtype)) / 2,
    "gelu_tanh": lambda x: x * (1 + np.tanh(sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2,
    "sigmoid": sigmoid,
}


@dataclass(frozen=True, slots=True, eq=False)
class HeldFixed:
    """What a forward pass takes as given instead of computing it; None computes."""

    patterns: Mapping[int, np.ndarray] | None = None  # attention block -> (H, n, n)
    scales: Mapping[int, np.ndarray] | None = None  # norm -> (n,): 1 / root mean square (of x, or of x less its mean)
    gates: Mapping[int, np.ndarray] | None = None  # gated layer -> (n, m)
    factors: Mapping[int, object] | None = None  # attention block -> what products of queries and keys are multiplied by
    rotation: tuple[np.ndarray, np.ndarray] | None = None  # cosines and sines (n, pairs) of rotary positions


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What a forward pass computes."""

    streams: tuple[np.ndarray, ...]  # the residual stream (n, d) before the first step and after each
    patterns: Mapping[int, np.ndarray]  # attention block -> (H, n, n), rows are destinations
    output: np.ndarray  # (n, V), or (n, d) without unembedding
    scales: Mapping[int, np.ndarray] = field(default_factory=dict)  # norm -> (n,)
    gates: Mapping[int, np.ndarray] = field(default_factory=dict)  # gated layer -> (n, m)


def forward(
    model: Transformer,
    arrays: Mapping[str, np.ndarray],
    source: np.ndarray,
    *,
    held: HeldFixed | None = None,
    modulus: int | None = None,
    without: Sequence[int] = (),
) -> Forward:
    """The forward pass of one sequence.

    Parameters
    ----------
    model : the specification, with a known number of heads
    arrays : in the layout of ``Weights``: W_E (d, V), attn.0.W_Q (H, e, d), attn.0.W_O (H, d, e), bilinear.1.W_1 (m, d), ...
    source : tokens (n,) as integers; or the residual input (n, d) for a model without embedding
    held : attention patterns, scales of norms and gates to use instead of computing them
    modulus : reduce by it after every step, for arrays of Python integers (dtype object); everything held must then be given
    without : numbers of blocks whose output is left out (an ablation)
    """
    run = Run(model, arrays, held or HeldFixed(), modulus)
    streams = [run.embedded(source)]
    for step in model.steps:
        streams.append(run.after(step, streams[-1], without))
    last = run.norm(model.number_of_blocks, streams[-1]) if model.has_final_norm else streams[-1]
    output = last @ arrays["W_U"].T if model.unembedding else last
    output = output + arrays["b_U"] if model.output_bias else output
    return Forward(tuple(streams), run.patterns, run.reduced(output), run.scales, run.gates)


def forward_scores(
    model: Transformer,
    arrays: Mapping[str, np.ndarray],
    source: np.ndarray,
    layer: int,
    head: int,
    *,
    held: HeldFixed | None = None,
    modulus: int | None = None,
) -> np.ndarray:
    """The scores (n, n) of one head, before mask and softmax: scaled products of queries and keys; of two pairs, their product."""
    run = Run(model, arrays, held or HeldFixed(), modulus)
    x = run.embedded(source)
    for step in model.steps:
        spec = dict(step.blocks).get(layer)
        if spec is not None:
            found = run.products(layer, spec, x if model.post_norm else run.norm(layer, x))
            return run.reduced(found[head])
        x = run.after(step, x)
    raise KeyError(layer)


class Run:
    """The parts of one forward pass."""

    def __init__(self, model: Transformer, arrays: Mapping[str, np.ndarray], held: HeldFixed, modulus: int | None) -> None:
        self.model, self.arrays, self.held, self.modulus = model, arrays, held, modulus
        self.patterns: dict[int, np.ndarray] = {}
        self.scales: dict[int, np.ndarray] = {}
        self.gates: dict[int, np.ndarray] = {}

    def reduced(self, x: np.ndarray) -> np.ndarray:
        return x if self.modulus is None else x % self.modulus

    def embedded(self, source: np.ndarray) -> np.ndarray:
        """X_0."""
        x = self.arrays["W_E"].T[source] if self.model.embedding else source
        return self.reduced(x + self.arrays["W_pos"][: len(x)] if self.model.positions == "learned" else x)

    def after(self, step: Step, x: np.ndarray, without: Sequence[int] = ()) -> np.ndarray:
        """The stream after a step."""
        total = x if step.residual else np.zeros_like(x)
        for index, spec in step.blocks:
            out = self.block(index, spec, x if self.model.post_norm else self.norm(index, x))
            total = total if index in without else total + out
        total = self.reduced(total)
        return self.norm(step.blocks[-1].index, total) if self.model.post_norm else total

    def norm(self, number: int, x: np.ndarray) -> np.ndarray:
        """Norm ``number`` of a stream; the stream itself where the model has no norms."""
        if self.model.norm is None:
            return x
        if self.model.norm == "layer":
            x = x - (
                x.mean(-1, keepdims=True)
                if self.modulus is None
                else x.sum(-1, keepdims=True) * pow(x.shape[-1], -1, self.modulus)
            )
        if self.held.scales is None:
            self.scales[number] = (np.mean(x * x, axis=-1) + self.arrays["norm.eps"]) ** -0.5
        else:
            self.scales[number] = self.held.scales[number]
        x = x * self.scales[number][:, None]
        if self.model.gains:
            x = x * self.arrays[f"norm.{number}.w"]
            x = x + self.arrays[f"norm.{number}.b"] if self.model.norm == "layer" else x
        return self.reduced(x)

    def block(self, index: int, spec: Attention | Bilinear, x: np.ndarray) -> np.ndarray:
        return self.attention(index, spec, x) if isinstance(spec, Attention) else self.layer(index, spec, x)

    def affine(self, name: str, letter: str, x: np.ndarray) -> np.ndarray:
        """W x + b, the bias where there is one; (H, n, e) for the weights (H, e, d) of heads."""
        W, b = self.arrays[f"{name}.W_{letter}"], self.arrays.get(f"{name}.b_{letter}")
        out = x @ np.swapaxes(W, -1, -2)
        return out if b is None else out + b[..., None, :]

    def attention(self, index: int, spec: Attention, x: np.ndarray) -> np.ndarray:
        name = f"attn.{index}"
        if self.held.patterns is None or index not in self.held.patterns:
            self.patterns[index] = self.pattern(index, spec, x)
        else:
            self.patterns[index] = self.held.patterns[index]
        values = self.affine(name, "V", x)
        out = sum(A @ v @ W_O.T for A, v, W_O in zip(self.patterns[index], values, self.arrays[f"{name}.W_O"], strict=True))
        out = out + self.arrays[f"{name}.b_O"] if "b_O" in spec.biases else out
        return out * self.arrays[f"{name}.scale"] if spec.output_scale else out

    def pattern(self, index: int, spec: Attention, x: np.ndarray) -> np.ndarray:
        """A (H, n, n) of an attention block at x."""
        products, earlier = self.products(index, spec, x), np.tri(len(x), dtype=bool)
        if spec.scores == "softmax":
            return softmax(np.where(earlier, products, -np.inf))
        return self.reduced(products * earlier)

    def products(self, index: int, spec: Attention, x: np.ndarray) -> np.ndarray:
        """The scores (H, n, n); of two pairs of queries and keys, their product."""
        aware = x + self.arrays["W_pos"][: len(x)] if self.model.positions == "shortformer" else x
        if spec.scores != "bilinear":
            return self.scores(index, spec, aware, "")
        return self.scores(index, spec, aware, "1") * self.scores(index, spec, aware, "2")

    def scores(self, index: int, spec: Attention, x: np.ndarray, pair: str) -> np.ndarray:
        """Products of queries and keys (H, n, n), scaled."""
        query, key = (self.rotated(self.affine(f"attn.{index}", letter + pair, x)) for letter in "QK")
        products = query @ np.swapaxes(key, -1, -2)
        if self.held.factors is not None:
            return products * self.held.factors[index]
        return products / np.sqrt(np.array(query.shape[-1], dtype=x.dtype)) if spec.score_scale else products

    def rotated(self, x: np.ndarray) -> np.ndarray:
        """Queries or keys (H, n, e), coordinates k and k + pairs turned by the angle of position s and frequency k."""
        if self.model.positions != "rotary":
            return x
        cosine, sine = self.held.rotation or angles(self.arrays["rotary.inv_freq"], x.shape[1])
        pairs = cosine.shape[1]
        first, second, rest = x[..., :pairs], x[..., pairs : 2 * pairs], x[..., 2 * pairs :]
        return np.concatenate([first * cosine - second * sine, second * cosine + first * sine, rest], axis=-1)

    def layer(self, index: int, spec: Bilinear, x: np.ndarray) -> np.ndarray:
        name = f"bilinear.{index}"
        left = None if spec.gate and self.held.gates is not None else self.affine(name, "1", x)
        if spec.gate is not None:
            self.gates[index] = self.held.gates[index] if left is None else ACTIVATIONS[spec.gate](left)
            left = self.gates[index]
        hidden = left * (left if spec.tied else self.affine(name, "2", x))
        out = hidden @ self.arrays[f"{name}.W_out"].T if spec.output else hidden
        return out + self.arrays[f"{name}.b_out"] if "b_out" in spec.biases else out


def angles(frequencies: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Cosines and sines of position times frequency, (n, pairs)."""
    turned = np.arange(n, dtype=frequencies.dtype)[:, None] * frequencies
    return np.cos(turned), np.sin(turned)


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows as distributions."""
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def causal_softmax(x: np.ndarray, W_Q: np.ndarray, W_K: np.ndarray) -> np.ndarray:
    """Attention patterns (H, n, n): row s is a distribution over the positions 0 to s."""
    query, key = x @ W_Q.transpose(0, 2, 1), x @ W_K.transpose(0, 2, 1)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.array(W_Q.shape[1], dtype=x.dtype))
    return softmax(np.where(np.tri(len(x), dtype=bool), scores, -np.inf))
