r"""Bounds on the rounding errors of what heads, layers and norms make of terms of norm nu that are known up to err, first order in epsilon.

A head takes err to $\|W_{OV}\| |A| err$ and adds what its own products round; so does a norm, with the mean of d numbers in a LayerNorm.
"""

import numpy as np

from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.chains import HeadFamily, PairFamily
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.spectral import norm_bound

__all__ = ["UNDERFLOW", "epsilon_of", "head_errors", "norm_errors", "product_errors"]

UNDERFLOW = 1e-300  # what a product may lose where numbers end


def epsilon_of(frozen: Frozen) -> float:
    """What a number rounds by."""
    return float(np.finfo(frozen.x0.dtype if frozen.x0.dtype.kind == "f" else float).eps)


def head_errors(frozen: Frozen, family: HeadFamily, nu: np.ndarray, err: np.ndarray) -> np.ndarray:
    """The largest of the heads of a family, (n,)."""
    layer, chosen = family.components[0].layer, [component.head for component in family.components]
    size = np.ones(len(chosen))
    for letter in "VO":
        size = size * lengths(frozen.arrays[f"attn.{layer}.W_{letter}"][chosen], axes=2)
    steps = epsilon_of(frozen) * (frozen.positions + frozen.x0.shape[1] + family.width) * size
    gain = norm_bound(family.W_O) * norm_bound(family.W_V)
    found = np.abs(family.A) @ (gain[:, None] * err + steps[:, None] * nu)[:, :, None]
    return found[:, :, 0].max(axis=0) + UNDERFLOW * (1 + size.max())


def norm_errors(frozen: Frozen, number: int, nu: np.ndarray, err: np.ndarray) -> np.ndarray:
    """Of what a norm makes of terms, (n,)."""
    size = np.abs(frozen.scales[number]) * float(np.abs(frozen.arrays[f"norm.{number}.w"]).max(initial=0.0))
    steps = 4 + (frozen.width if frozen.model.norm == "layer" else 0)
    return size * (err + epsilon_of(frozen) * steps * nu) + UNDERFLOW * (1 + size)


def product_errors(family: PairFamily, nu_left: np.ndarray, nu_right: np.ndarray) -> np.ndarray:
    """What a layer rounds by itself, its inputs being exact, (n,)."""
    epsilon, (m, d) = np.finfo(family.W_1.dtype).eps, family.W_2.shape
    rows, wide = lengths(family.W_1).max(), lengths(family.W_2, axes=2)
    size = family.factor * rows * wide * (1.0 if family.W_out is None else lengths(family.W_out, axes=2))
    return epsilon * (m + 2 * d) * size * nu_left * nu_right + UNDERFLOW * (1 + size)
