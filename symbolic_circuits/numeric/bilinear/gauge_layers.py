r"""Changes of a layer: scales, order and basis of hidden units, exchange of branches; with a gate only what the gate lets pass.

$\phi(\alpha z) = \alpha \phi(z)$ for relu and positive scales only, so that behind another gate nothing scales $W_1$; W_2 and W_out still share
their scales. A gate tells its branch from the other one.
"""

from collections.abc import Iterator

import numpy as np

from symbolic_circuits.numeric.bilinear.changes import Arrays, Change, derangement, is_felt, random_invertible, scaled_rows
from symbolic_circuits.numeric.readers import bias_name
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Bilinear

__all__ = ["of_layer"]


def of_layer(weights: Weights, index: int, spec: Bilinear, generator: np.random.Generator) -> Iterator[Change]:
    """Scales, exchange of branches, order and basis of hidden units."""
    W_1, W_2, W_out = (f"bilinear.{index}.W_{k}" for k in ("1", "2", "out"))
    m, name = len(weights.arrays[W_1]), f"bilinear.{index}"
    alpha, beta = (generator.uniform(0.5, 2.0, m) * generator.choice([-1.0, 1.0], m) for _ in "ab")
    yield from of_scales(name, spec, alpha, beta) if spec.gate is None else of_gated_scales(name, spec, alpha, beta)
    if not spec.tied and ("b_1" in spec.biases) == ("b_2" in spec.biases):
        words = f"exchange of W_1 and W_2{', one of them behind the gate' if spec.gate else ''}"
        yield Change(name, words, spec.gate is None, lambda w: exchanged(w, W_1, W_2))
    if is_felt(weights.model, index):
        yield Change(name, "W_1 -> 2 W_1 alone", False, lambda w: {W_1: 2 * w[W_1]})
    if m > 1:
        yield from of_hidden_order(name, (W_1,) if spec.tied else (W_1, W_2), W_out if spec.output else None, m, generator)


def of_scales(name: str, spec: Bilinear, alpha: np.ndarray, beta: np.ndarray) -> Iterator[Change]:
    """Scales of hidden units in a layer without gate."""
    W_1, W_2, W_out = (f"{name}.W_{k}" for k in ("1", "2", "out"))
    both = {W_1: alpha} if spec.tied else {W_1: alpha, W_2: beta if spec.output else 1 / alpha}
    product = alpha**2 if spec.tied else alpha * both[W_2]
    if spec.output or not spec.tied:
        words = scales_in_words(spec)
        yield Change(name, words, True, lambda w: scaled_rows(w, both) | ({W_out: w[W_out] / product} if spec.output else {}))


def scales_in_words(spec: Bilinear) -> str:
    """What is scaled by what."""
    if spec.tied:
        return "W_1 -> alpha W_1, W_out -> W_out alpha^-2"
    last = ", W_out -> W_out (alpha beta)^-1" if spec.output else ""
    return f"W_1 -> alpha W_1, W_2 -> {'beta' if spec.output else 'alpha^-1'} W_2{last}"


def of_gated_scales(name: str, spec: Bilinear, alpha: np.ndarray, beta: np.ndarray) -> Iterator[Change]:
    """Scales of the linear branch and the output; of the gate for relu, by positive numbers."""
    W_1, W_2, W_out = (f"{name}.W_{k}" for k in ("1", "2", "out"))
    if spec.output:
        words = "W_2 -> beta W_2, W_out -> W_out beta^-1"
        yield Change(name, words, True, lambda w: scaled_rows(w, {W_2: beta}) | {W_out: w[W_out] / beta})
    size = np.abs(alpha)
    words = f"W_1 -> |alpha| W_1, W_2 -> W_2 |alpha|^-1, behind the gate {spec.gate}"
    yield Change(name, words, spec.gate == "relu", lambda w: scaled_rows(w, {W_1: size, W_2: 1 / size}))


def exchanged(arrays: Arrays, one: str, other: str) -> Arrays:
    """Two matrices exchanged, and their biases."""
    found = {one: arrays[other], other: arrays[one]}
    biases = bias_name(one), bias_name(other)
    return found | ({biases[0]: arrays[biases[1]], biases[1]: arrays[biases[0]]} if biases[0] in arrays else {})


def of_hidden_order(
    name: str, inputs: tuple[str, ...], W_out: str | None, m: int, generator: np.random.Generator
) -> Iterator[Change]:
    """A permutation of hidden units, and a change of their basis, which does not commute with the elementwise product."""
    pi, M = derangement(m, generator), random_invertible(m, generator)
    inverse = np.linalg.inv(M)
    if W_out is None:
        words = "a permutation of W_1 and W_2, with no W_out to undo it"
        yield Change(name, words, False, lambda w: permuted(w, inputs, pi))
        return
    words = "a permutation of the hidden units"
    yield Change(name, words, True, lambda w: permuted(w, inputs, pi) | {W_out: w[W_out][:, pi]})
    words = "W_1 -> M W_1, W_2 -> M W_2, W_out -> W_out M^-1: a basis of the hidden units"
    yield Change(name, words, False, lambda w: {W: M @ w[W] for W in inputs} | {W_out: w[W_out] @ inverse})
    if len(inputs) > 1:
        words = "a permutation of W_1 and W_out, not of W_2"
        yield Change(name, words, False, lambda w: permuted(w, inputs[:1], pi) | {W_out: w[W_out][:, pi]})


def permuted(arrays: Arrays, inputs: tuple[str, ...], pi: np.ndarray) -> Arrays:
    """Matrices with their rows in another order, and their biases."""
    names = [key for name in inputs for key in (name, bias_name(name)) if key in arrays]
    return {key: arrays[key][pi] for key in names}
