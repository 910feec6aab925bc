r"""Queries, keys and their products: $S_{st} = f \, (R_s W_Q x_s) \cdot (R_t W_K y_t)$, bilinear in the streams x and y.

| letter | meaning | shape |
| --- | --- | --- |
| x, y | streams that queries and keys read, the constant coordinate included | ... x n x width |
| W_Q, W_K | of one head, their biases in the last column | e x width |
| R_s | rotation of rotary positions; the identity without | e x e |
| f | 1 / sqrt(e), or 1 | |

The pattern of a head without softmax is S where t <= s and 0 elsewhere, or the product of two such (D17).
"""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.frozen import Frozen

__all__ = ["masked", "pattern_of", "product_of_scores", "reading", "rotated", "scores_of"]


def reading(frozen: Frozen, component: Component, letter: str, x: np.ndarray) -> np.ndarray:
    """Queries or keys of a head, (..., n, e); ``letter`` is Q or K, or Q1, K1, Q2, K2.

    Queries carry the factor f.
    """
    W = frozen.arrays[f"attn.{component.layer}.W_{letter}"][component.head]
    found = rotated(frozen, frozen.reduce(x @ W.T))
    return frozen.reduce(found * frozen.factor(component.layer)) if letter.startswith("Q") else found


def rotated(frozen: Frozen, x: np.ndarray) -> np.ndarray:
    """R_s x_s at every position, for (..., n, e)."""
    if frozen.turned is None:
        return x
    cosine, sine = frozen.turned
    pairs = cosine.shape[1]
    first, second, rest = x[..., :pairs], x[..., pairs : 2 * pairs], x[..., 2 * pairs :]
    reduce = frozen.reduce
    turned = (reduce(reduce(first * cosine) - reduce(second * sine)), reduce(reduce(second * cosine) + reduce(first * sine)))
    return library_of(x).concat([*turned, rest], axis=-1)


def scores_of(frozen: Frozen, component: Component, letters: tuple[str, str], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """S (..., n, n) of streams x and y."""
    query, key = reading(frozen, component, letters[0], x), reading(frozen, component, letters[1], y)
    return frozen.reduce(query @ library_of(key).matrix_transpose(key))


def pattern_of(frozen: Frozen, component: Component, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """The pattern (n, n) of a head without softmax, of its queries and keys: two streams, or four."""
    return masked(product_of_scores(frozen, component, inputs))


def product_of_scores(frozen: Frozen, component: Component, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """S (n, n) of a query and a key, or the product of two such."""
    if len(inputs) == 2:
        return scores_of(frozen, component, ("Q", "K"), *inputs)
    first = scores_of(frozen, component, ("Q1", "K1"), *inputs[:2])
    return frozen.reduce(first * scores_of(frozen, component, ("Q2", "K2"), *inputs[2:]))


def masked(scores: np.ndarray) -> np.ndarray:
    """Zero where the source comes after the destination."""
    return library_of(scores).tril(scores)
