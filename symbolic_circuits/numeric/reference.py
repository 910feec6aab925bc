"""The plain forward pass of a model in NumPy: X_0 = t W_E^T, heads A^h X W_V^T W_O^T, bilinear layers, X_L W_U^T.

It follows the specification block by block and shares no code with the expansion, so that each can be checked against the
other. Attention is causal: A^h = softmax(mask(X W_Q^T W_K X^T / sqrt(e))).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.spec import Attention, Transformer

__all__ = ["Forward", "causal_softmax", "forward"]


@dataclass(frozen=True, slots=True, eq=False)
class Forward:
    """What a forward pass computes."""

    streams: tuple[np.ndarray, ...]  # the residual stream (n, d) before the first step and after each
    patterns: Mapping[int, np.ndarray]  # attention block -> (H, n, n), rows are destinations
    output: np.ndarray  # (n, V), or (n, d) without unembedding


def forward(
    model: Transformer,
    arrays: Mapping[str, np.ndarray],
    source: np.ndarray,
    *,
    patterns: Mapping[int, np.ndarray] | None = None,
    modulus: int | None = None,
    without: Sequence[int] = (),
) -> Forward:
    """The forward pass of one sequence.

    Parameters
    ----------
    model : the specification, with a known number of heads
    arrays : in the layout of ``Weights``: W_E (d, V), attn.0.W_Q (H, e, d), attn.0.W_O (H, d, e), bilinear.1.W_1 (m, d), ...
    source : tokens (n,) as integers; or the residual input (n, d) for a model without embedding
    patterns : attention patterns to use instead of computing them
    modulus : reduce by it after every step, for arrays of Python integers (dtype object); patterns must then be given
    without : numbers of blocks whose output is left out (an ablation)
    """
    x = arrays["W_E"].T[source] if model.embedding else source
    streams, found = [x], {}
    for step in model.steps:
        total = x if step.residual else np.zeros_like(x)
        for index, spec in step.blocks:
            if isinstance(spec, Attention):
                w = {letter: arrays[f"attn.{index}.W_{letter}"] for letter in "QKVO"}
                found[index] = patterns[index] if patterns is not None else causal_softmax(x, w["Q"], w["K"])
                out = sum(found[index][h] @ x @ w["V"][h].T @ w["O"][h].T for h in range(len(w["V"])))
            else:
                left = arrays[f"bilinear.{index}.W_1"]
                right = left if spec.tied else arrays[f"bilinear.{index}.W_2"]
                out = (x @ left.T) * (x @ right.T)
                out = out @ arrays[f"bilinear.{index}.W_out"].T if spec.output else out
            total = total if index in without else total + out
        x = total if modulus is None else total % modulus
        streams.append(x)
    output = x @ arrays["W_U"].T if model.unembedding else x
    return Forward(tuple(streams), found, output if modulus is None else output % modulus)


def causal_softmax(x: np.ndarray, W_Q: np.ndarray, W_K: np.ndarray) -> np.ndarray:
    """Attention patterns (H, n, n): row s is a distribution over the positions 0 to s."""
    query, key = x @ W_Q.transpose(0, 2, 1), x @ W_K.transpose(0, 2, 1)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(np.array(W_Q.shape[1], dtype=x.dtype))
    later = np.triu(np.ones(scores.shape[-2:], dtype=bool), 1)
    scores = np.where(later, -np.inf, scores - np.where(later, -np.inf, scores).max(-1, keepdims=True))
    weights = np.exp(scores)
    return weights / weights.sum(-1, keepdims=True)
