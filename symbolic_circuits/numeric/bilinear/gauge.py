r"""Changes of weights that leave a model the same function, and some that look as if they did: each with the law that it rests on.

| letter | meaning | shape |
| --- | --- | --- |
| M | a random invertible matrix, an orthogonal one times scales between 1/2 and 2 | of the wire that it is on |
| alpha, beta | random scales of hidden units, of both signs | m |
| pi | a random permutation, not the identity | m, H or d |

A change is a function of arrays; on the residual stream M also acts on inputs and outputs that are in its coordinates.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Bilinear

__all__ = ["Change", "all_changes", "random_invertible"]

Arrays = dict[str, np.ndarray]


class Change(NamedTuple):
    """A change of weights, and what is claimed of it."""

    name: str  # of the block, or "stream"
    words: str
    is_gauge: bool  # whether the model is claimed to stay the same function
    apply: Callable[[Arrays], Arrays]  # all arrays -> those that are new
    stream: np.ndarray | None = None  # M of a change of the residual basis, for inputs and outputs in its coordinates


def all_changes(weights: Weights, seed: int) -> Iterator[Change]:
    """Every change of a model, block by block and last of the residual stream; the same for the same seed."""
    generator = np.random.default_rng(seed)
    for index, spec in weights.model.numbered():
        changes = of_attention if isinstance(spec, Attention) else of_bilinear
        yield from changes(weights, index, spec, generator)
    yield from of_stream(weights, generator)


def random_invertible(size: int, generator: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix times a diagonal one with entries between 1/2 and 2."""
    Q, _ = np.linalg.qr(generator.standard_normal((size, size)))
    return Q * generator.uniform(0.5, 2.0, size)


def derangement(size: int, generator: np.random.Generator) -> np.ndarray:
    """A permutation that leaves nothing in place: a cycle through all, in random order."""
    order = generator.permutation(size)
    found = np.empty(size, dtype=int)
    found[order] = np.roll(order, 1)
    return found


def of_attention(weights: Weights, index: int, spec: Attention, generator: np.random.Generator) -> Iterator[Change]:
    """Values and outputs, queries and keys, order of heads."""
    W_Q, W_K, W_V, W_O = names = tuple(f"attn.{index}.W_{letter}" for letter in "QKVO")
    heads, e, _ = weights.arrays[W_V].shape
    M = np.stack([random_invertible(e, generator) for _ in range(heads)])
    inverse, name = np.linalg.inv(M), f"attn.{index}"
    across = inverse.transpose(0, 2, 1)
    yield Change(name, "W_V -> M W_V, W_O -> W_O M^-1", True, lambda w: {W_V: M @ w[W_V], W_O: w[W_O] @ inverse})
    yield Change(name, "W_Q -> M W_Q, W_K -> M^-T W_K", True, lambda w: {W_Q: M @ w[W_Q], W_K: across @ w[W_K]})
    yield Change(name, "W_V -> M W_V alone", False, lambda w: {W_V: M @ w[W_V]})
    if e > 1 and weights.model.n != 1:  # M^-1 = M^-T for a width of 1, and one position has one pattern
        yield Change(name, "W_Q -> M W_Q, W_K -> M^-1 W_K", False, lambda w: {W_Q: M @ w[W_Q], W_K: inverse @ w[W_K]})
    if heads > 1:
        pi = derangement(heads, generator)
        yield Change(name, "a permutation of the heads", True, lambda w: {key: w[key][pi] for key in names})
        yield Change(name, "a permutation of W_O of the heads alone", False, lambda w: {W_O: w[W_O][pi]})


def of_bilinear(weights: Weights, index: int, spec: Bilinear, generator: np.random.Generator) -> Iterator[Change]:
    """Scales, order and basis of hidden units, exchange of branches."""
    W_1, W_2, W_out = (f"bilinear.{index}.W_{k}" for k in ("1", "2", "out"))
    m, name = len(weights.arrays[W_1]), f"bilinear.{index}"
    alpha, beta = (generator.uniform(0.5, 2.0, m) * generator.choice([-1.0, 1.0], m) for _ in "ab")
    inputs = (W_1,) if spec.tied else (W_1, W_2)
    both = {W_1: alpha} if spec.tied else {W_1: alpha, W_2: beta if spec.output else 1 / alpha}
    product = alpha**2 if spec.tied else alpha * both[W_2]
    if spec.output or not spec.tied:
        words = scales_in_words(spec)
        yield Change(name, words, True, lambda w: scaled_rows(w, both) | ({W_out: w[W_out] / product} if spec.output else {}))
    if not spec.tied:
        yield Change(name, "exchange of W_1 and W_2", True, lambda w: {W_1: w[W_2], W_2: w[W_1]})
    yield Change(name, "W_1 -> 2 W_1 alone", False, lambda w: {W_1: 2 * w[W_1]})
    if m > 1:
        yield from of_hidden_order(name, inputs, W_out if spec.output else None, m, generator)


def scales_in_words(spec: Bilinear) -> str:
    """What is scaled by what."""
    if spec.tied:
        return "W_1 -> alpha W_1, W_out -> W_out alpha^-2"
    last = ", W_out -> W_out (alpha beta)^-1" if spec.output else ""
    return f"W_1 -> alpha W_1, W_2 -> {'beta' if spec.output else 'alpha^-1'} W_2{last}"


def of_hidden_order(
    name: str, inputs: tuple[str, ...], W_out: str | None, m: int, generator: np.random.Generator
) -> Iterator[Change]:
    """A permutation of hidden units, and a change of their basis, which does not commute with the elementwise product."""
    pi, M = derangement(m, generator), random_invertible(m, generator)
    inverse = np.linalg.inv(M)
    if W_out is None:
        yield Change(
            name, "a permutation of W_1 and W_2, with no W_out to undo it", False, lambda w: {W: w[W][pi] for W in inputs}
        )
        return
    yield Change(
        name, "a permutation of the hidden units", True, lambda w: {W: w[W][pi] for W in inputs} | {W_out: w[W_out][:, pi]}
    )
    words = "W_1 -> M W_1, W_2 -> M W_2, W_out -> W_out M^-1: a basis of the hidden units"
    yield Change(name, words, False, lambda w: {W: M @ w[W] for W in inputs} | {W_out: w[W_out] @ inverse})
    if len(inputs) > 1:
        words = "a permutation of W_1 and W_out, not of W_2"
        yield Change(name, words, False, lambda w: {inputs[0]: w[inputs[0]][pi], W_out: w[W_out][:, pi]})


def scaled_rows(arrays: Arrays, scales: dict[str, np.ndarray]) -> Arrays:
    """Matrices with their rows scaled."""
    return {name: arrays[name] * scale[:, None] for name, scale in scales.items()}


def of_stream(weights: Weights, generator: np.random.Generator) -> Iterator[Change]:
    """A basis of the residual stream, with everything that reads or writes it; only a permutation where a layer has no output matrix."""
    model, d = weights.model, stream_width(weights)
    if d is None or d < 2:
        return
    M, pi = random_invertible(d, generator), derangement(d, generator)
    bare = [f"bilinear.{k}" for k, spec in model.numbered() if isinstance(spec, Bilinear) and not spec.output]
    ends = "" if model.embedding and model.unembedding else " and the input or output in its coordinates"
    words = f"an invertible change of basis, all that reads or writes the stream{ends}"
    words += f"; {', '.join(bare)} has no output matrix" if bare else ""
    yield Change("stream", words, not bare, lambda w: rebased(weights, w, M), M)
    P = np.eye(d)[pi]
    yield Change("stream", f"a permutation of its coordinates{ends}", True, lambda w: rebased(weights, w, P), P)
    reads = "W_U" if model.unembedding else next((name for name in weights.arrays if name[-3:] in ("W_1", "W_V")), None)
    if reads is not None and weights.arrays[reads].any():
        inverse = np.linalg.inv(M)
        yield Change("stream", f"{reads} -> {reads} M^-1 alone", False, lambda w: {reads: w[reads] @ inverse})


def stream_width(weights: Weights) -> int | None:
    """d, where the weights say it."""
    d = weights.model.d
    return d if isinstance(d, int) else weights.sizes.get(d)


def rebased(weights: Weights, arrays: Arrays, M: np.ndarray) -> Arrays:
    """All arrays in the basis in which the stream is M x; a layer without output matrix writes what its two maps write."""
    inverse, found = np.linalg.inv(M), {}
    bare = [k for k, spec in weights.model.numbered() if isinstance(spec, Bilinear) and not spec.output]
    for name, array in arrays.items():
        letter = name.rsplit(".", 1)[-1]
        found[name] = M @ array if letter in ("W_E", "W_O", "W_out") else array @ inverse
        if letter in ("W_1", "W_2") and int(name.split(".")[1]) in bare:
            found[name] = M @ found[name]
    return found
