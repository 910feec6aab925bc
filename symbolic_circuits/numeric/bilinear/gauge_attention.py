r"""Changes of an attention block: bases inside heads, $(W_O M^{-1})(M W_V)$ and $(M W_Q)^T (M^{-T} W_K)$, the order of heads, and what biases leave open.

| what | is a gauge |
| --- | --- |
| any M between queries and keys | unless positions are rotary, which turn pairs of coordinates: then only turns and scales of pairs |
| c added to b_K | behind softmax, which does not see what is the same for all keys; not where rotary positions turn c |
| c moved from b_V to b_O | behind softmax, whose rows sum to one; not of scores that are products |
"""

from collections.abc import Iterator

import numpy as np

from symbolic_circuits.numeric.bilinear.changes import Arrays, Change, derangement, is_felt, moved, random_invertible
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention

__all__ = ["of_attention"]


def of_attention(weights: Weights, index: int, spec: Attention, generator: np.random.Generator) -> Iterator[Change]:
    """Values and outputs, queries and keys, order of heads, biases, the output scale."""
    name = f"attn.{index}"
    W_V, W_O = f"{name}.W_V", f"{name}.W_O"
    heads, e, _ = weights.arrays[W_V].shape
    M = np.stack([random_invertible(e, generator) for _ in range(heads)])
    inverse = np.linalg.inv(M)
    yield Change(name, "W_V -> M W_V, W_O -> W_O M^-1", True, lambda w: moved(w, W_V, M) | {W_O: w[W_O] @ inverse})
    pairs = ("1", "2") if spec.scores == "bilinear" else ("",)
    kept = [change for pair in pairs for change in of_scores(weights, name, pair, M)]
    yield from kept[:1]
    if is_felt(weights.model, index):
        yield Change(name, "W_V -> M W_V alone", False, lambda w: {W_V: M @ w[W_V]})
    yield from kept[1:]
    if heads > 1:
        pi = derangement(heads, generator)
        names = [key for key, array in weights.arrays.items() if key.startswith(f"{name}.") and len(array.shape) > 1]
        yield Change(name, "a permutation of the heads", True, lambda w: {key: w[key][pi] for key in names})
        yield Change(name, "a permutation of W_O of the heads alone", False, lambda w: {W_O: w[W_O][pi]})
    if weights.model.positions == "rotary":
        yield from of_turns(weights, name, pairs, generator)
    if spec.scores == "bilinear":
        yield from of_two_scores(name)
    yield from of_biases(weights, index, spec, generator)
    if spec.output_scale:
        yield Change(name, "W_O -> 2 W_O, b_O -> 2 b_O, scale -> scale / 2", True, lambda w: rescaled(w, name))


def of_scores(weights: Weights, name: str, pair: str, M: np.ndarray) -> Iterator[Change]:
    """Queries and keys: M, and its inverse transposed; the inverse alone is not enough."""
    W_Q, W_K, model = f"{name}.W_Q{pair}", f"{name}.W_K{pair}", weights.model
    inverse = np.linalg.inv(M)
    across = inverse.transpose(0, 2, 1)
    free = model.positions != "rotary" or model.n == 1
    words = f"W_Q{pair} -> M W_Q{pair}, W_K{pair} -> M^-"
    turned = "" if free else ", which rotary positions do not let pass"
    yield Change(name, f"{words}T W_K{pair}{turned}", free, lambda w: moved(w, W_Q, M) | moved(w, W_K, across))
    if M.shape[1] > 1 and model.n != 1:  # M^-1 = M^-T for a width of 1, and one position has one pattern
        yield Change(name, f"{words}1 W_K{pair}", False, lambda w: moved(w, W_Q, M) | moved(w, W_K, inverse))


def of_turns(weights: Weights, name: str, pairs: tuple[str, ...], generator: np.random.Generator) -> Iterator[Change]:
    """Turns and scales of every pair of coordinates that rotary positions turn, and any basis of the rest."""
    heads, e, _ = weights.arrays[f"{name}.W_V"].shape
    T = np.stack([turn(e, len(weights.arrays["rotary.inv_freq"]), generator) for _ in range(heads)])
    across = np.linalg.inv(T).transpose(0, 2, 1)
    for pair in pairs:
        W_Q, W_K = f"{name}.W_Q{pair}", f"{name}.W_K{pair}"
        words = f"W_Q{pair} -> T W_Q{pair}, W_K{pair} -> T^-T W_K{pair}, T turns and scales pairs of coordinates"
        yield Change(name, words, True, lambda w, q=W_Q, k=W_K: moved(w, q, T) | moved(w, k, across))


def turn(e: int, pairs: int, generator: np.random.Generator) -> np.ndarray:
    """A matrix (e, e) that commutes with rotary positions."""
    T = np.zeros((e, e))
    first, second = np.arange(pairs), np.arange(pairs, 2 * pairs)
    cosine, sine = generator.uniform(0.5, 2, pairs), generator.uniform(0.5, 2, pairs)
    T[first, first] = T[second, second] = cosine
    T[first, second], T[second, first] = -sine, sine
    T[2 * pairs :, 2 * pairs :] = random_invertible(e - 2 * pairs, generator)
    return T


def of_two_scores(name: str) -> Iterator[Change]:
    """Scores that are products of two: their order, and a factor between them."""
    letters = ("W_Q", "W_K", "b_Q", "b_K")
    sides = [(f"{name}.{letter}1", f"{name}.{letter}2") for letter in letters]
    swap = lambda w: {to: w[of] for a, b in sides if a in w for to, of in ((a, b), (b, a))}  # noqa: E731
    yield Change(name, "exchange of the two scores", True, swap)
    W_Q1, W_Q2 = sides[0]
    yield Change(name, "exchange of W_Q1 and W_Q2 alone", False, lambda w: {W_Q1: w[W_Q2], W_Q2: w[W_Q1]})


def of_biases(weights: Weights, index: int, spec: Attention, generator: np.random.Generator) -> Iterator[Change]:
    """What softmax does not see of b_K, and what b_V and b_O share."""
    model, name, softmax = weights.model, f"attn.{index}", spec.scores == "softmax"
    for b_K in [key for key in weights.arrays if key.startswith(f"{name}.b_K")]:
        c = generator.standard_normal(weights.arrays[b_K].shape)
        unseen = softmax and (model.positions != "rotary" or model.n == 1)
        words = f"{b_K.rpartition('.')[2]} -> {b_K.rpartition('.')[2]} + c"
        yield Change(name, words, unseen, lambda w, b=b_K, c=c: {b: w[b] + c})
    if {"b_V", "b_O"} <= set(spec.biases):
        b_V, b_O, W_O = f"{name}.b_V", f"{name}.b_O", f"{name}.W_O"
        c = generator.standard_normal(weights.arrays[b_V].shape)
        words = "b_V -> b_V + c, b_O -> b_O - W_O c"
        yield Change(name, words, softmax, lambda w: {b_V: w[b_V] + c, b_O: w[b_O] - np.einsum("hde,he->d", w[W_O], c)})


def rescaled(arrays: Arrays, name: str) -> Arrays:
    """A factor between the output scale and what it scales."""
    doubled = {key: 2 * arrays[key] for key in (f"{name}.W_O", f"{name}.b_O") if key in arrays}
    return doubled | {f"{name}.scale": arrays[f"{name}.scale"] / 2}
