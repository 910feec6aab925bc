"""What the heads at ``=`` read: the score of every residue, and patterns made to order in the place of those of the model.

There are no positions, so that the weight of a depends on the tokens alone: softmax over the scores of a, b and ``=``.
"""

import numpy as np

from symbolic_circuits.examples.addition import MODULUS, all_pairs
from symbolic_circuits.numeric.weights import Weights

__all__ = ["made_to_order", "prefer_different", "scores", "values"]


def scores(weights: Weights, p: int = MODULUS) -> np.ndarray:
    """x_=^T W_QK^h x_u / sqrt(e) of every residue u, shape (2, p)."""
    x, w = weights.arrays["W_E"].T, weights.arrays
    query = np.einsum("hed,d->he", w["attn.0.W_Q"], x[p])
    return np.einsum("he,hef,uf->hu", query, w["attn.0.W_K"], x[:p]) / np.sqrt(query.shape[1])


def values(weights: Weights, p: int = MODULUS) -> np.ndarray:
    """W_OV^h x_u of every residue u, shape (2, p, d)."""
    w = weights.arrays
    return np.einsum("hde,hef,fu->hud", w["attn.0.W_O"], w["attn.0.W_V"], w["W_E"][:, :p])


def prefer_different(reads: np.ndarray) -> float:
    """The share of the pairs with a != b in which the operand that one head reads more is not that of the other."""
    a, b = all_pairs().T
    first = reads[a != b, :, 0] > reads[a != b, :, 1]
    return float((first[:, 0] != first[:, 1]).mean())


def made_to_order(reads: np.ndarray) -> dict[str, np.ndarray]:
    """Patterns (P, 2, 3) without weight on ``=``, by name: of the two operands each head reads a share w_h of the first.

    opposite: w_1 = 1 - w_0. same: w_1 = w_0. uniform: both 1/2. hard: 0 or 1. swapped: w_h and 1 - w_h exchanged.
    in order: head 0 reads the first operand, head 1 the second.
    """
    first, second = (reads[:, h, 0] / (reads[:, h, 0] + reads[:, h, 1]) for h in (0, 1))
    half, one = np.full_like(first, 0.5), np.ones_like(first)
    hard = [np.select([w > 0.5, w < 0.5], [1.0, 0.0], 0.5) for w in (first.round(9), second.round(9))]
    shares = {
        "opposite": (first, 1 - first),
        "same": (first, first),
        "uniform": (half, half),
        "hard": (hard[0], hard[1]),
        "swapped": (1 - first, 1 - second),
        "in order": (one, 1 - one),
    }
    return {name: np.stack([np.stack([w, 1 - w, 0 * w], axis=1) for w in pair], axis=1) for name, pair in shares.items()}
