"""Hypothesis strategies: models of every shape that a specification can express, and frozen weights for them.

| strategy | draws |
| --- | --- |
| ``transformers()`` | models with at most ``max_terms`` terms; symbolic or small sizes, and names that clash with indices |
| ``frozen_models()`` | such a model with random weights and its attention patterns at one input |
| ``real_transformers()`` | models with biases, norms, positions, scales, gates and attention without softmax |
"""

import numpy as np
from hypothesis import strategies as st

import symbolic_circuits as sc
from symbolic_circuits.axes import size_symbol
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.weights import layout
from symbolic_circuits.spec import Block

NUMBERS = {"n": 3, "d": 2, "V": 4, "e": 2, "m": 3, "s": 3, "u": 2, "i": 2, "h": 2, "k": 3, "H": 2, "H_1": 3, "z": 2}

HEADS = st.integers(1, 3)
SYMBOLIC_HEADS = st.sampled_from(["H", "H_1", "h"]).map(size_symbol)


def sizes(letter: str) -> st.SearchStrategy:
    """The symbol of that letter, mostly; a small number, 1 among them; or a symbol whose name an index would like to have."""
    others = st.one_of(st.integers(1, 3), st.sampled_from(["s", "u", "i", "k"]).map(size_symbol))
    return st.one_of(st.just(size_symbol(letter)), st.just(size_symbol(letter)), others)


@st.composite
def attentions(draw: st.DrawFn, heads: st.SearchStrategy = HEADS, *, residual: bool | None = None) -> sc.Attention:
    """An attention block."""
    return sc.Attention(draw(heads), draw(sizes("e")), draw(st.booleans()) if residual is None else residual)


@st.composite
def bilinears(draw: st.DrawFn, d: object, *, residual: bool | None = None) -> sc.Bilinear:
    """A bilinear layer of a model of width ``d``."""
    output = draw(st.booleans())
    m = draw(st.one_of(st.none(), sizes("m"))) if output else draw(st.sampled_from([None, d]))
    return sc.Bilinear(m, output, draw(st.booleans()), draw(st.booleans()) if residual is None else residual)


@st.composite
def items(draw: st.DrawFn, d: object, heads: st.SearchStrategy, bilinear: bool) -> Block | sc.Parallel:
    """One block, or several in parallel."""
    kinds = [lambda **keep: attentions(heads, **keep)] + [lambda **keep: bilinears(d, **keep)] * bilinear
    if draw(st.integers(0, 3)):
        return draw(draw(st.sampled_from(kinds))())
    members = [draw(draw(st.sampled_from(kinds))(residual=True)) for _ in range(draw(st.integers(2, 3)))]
    return sc.Parallel(tuple(members), draw(st.booleans()))


@st.composite
def transformers(
    draw: st.DrawFn, *, max_blocks: int = 3, max_terms: int | None = 60, symbolic_heads: bool = False, bilinear: bool = True
) -> sc.Transformer:
    """A model; ``max_terms`` bounds the number of its terms by leaving out last blocks."""
    heads = st.one_of(HEADS, SYMBOLIC_HEADS) if symbolic_heads else HEADS
    d = draw(sizes("d"))
    embedding, unembedding = draw(st.sampled_from([(True, True), (True, True), (True, False), (False, True), (False, False)]))
    V = draw(sizes("V")) if embedding or unembedding else size_symbol("V")
    blocks = draw(st.lists(items(d, heads, bilinear), max_size=max_blocks))
    model = sc.Transformer(tuple(blocks), draw(sizes("n")), d, V, embedding, unembedding)
    while max_terms is not None and not symbolic_heads and sc.path_expansion(model).number_of_terms > max_terms:
        blocks.pop()
        model = sc.Transformer(tuple(blocks), model.n, d, V, embedding, unembedding)
    return model


def with_numbers(model: sc.Transformer) -> sc.Transformer:
    """The model with a number for each symbolic number of heads."""
    symbols = {b.heads for _, b in model.numbered() if isinstance(b, sc.Attention) and not isinstance(b.heads, int)}
    return model.subs({symbol: NUMBERS[symbol.name] for symbol in symbols}) if symbols else model


def size_values(model: sc.Transformer) -> dict:
    """The number that stands for each size symbol of a model."""
    return {symbol: NUMBERS[symbol.name] for symbol in model.symbolic_sizes}


def freeze_at_random(model: sc.Transformer | str, seed: int = 0) -> Frozen:
    """Random weights of the sizes in NUMBERS, and random tokens or residual input."""
    model = sc.Transformer.parse(model) if isinstance(model, str) else model
    number = lambda size: size if isinstance(size, int) else NUMBERS[size.name]  # noqa: E731
    letters = {letter: NUMBERS[letter] for letter in ("d", "V", "e", "m")}
    weights = sc.Weights.random(model, **letters, sizes=NUMBERS, seed=seed)
    generator, n = np.random.default_rng(seed), number(model.n)
    source = generator.integers(number(model.V), size=n) if model.embedding else generator.standard_normal((n, number(model.d)))
    return sc.freeze(weights, source)


@st.composite
def frozen_models(draw: st.DrawFn, **bounds: object) -> Frozen:
    """A drawn model that has weights, at random ones, its attention patterns held fixed."""
    return freeze_at_random(draw(transformers(**bounds).filter(layout)), draw(st.integers(0, 2**16)))


# models with what trained ones have


def parts_of(*names: str) -> st.SearchStrategy:
    """Some of these names, often none."""
    return st.one_of(
        st.just(()), st.sets(st.sampled_from(names)).map(lambda found: tuple(name for name in names if name in found))
    )


@st.composite
def real_attentions(draw: st.DrawFn, *, residual: bool | None = None) -> sc.Attention:
    """Attention with biases, without softmax, with scales."""
    scores = draw(st.sampled_from(["softmax", "softmax", "linear", "bilinear"]))
    return sc.Attention(
        draw(st.integers(1, 2)),
        residual=draw(st.booleans()) if residual is None else residual,
        biases=draw(parts_of("b_Q", "b_K", "b_V", "b_O")),
        scores=scores,
        frozen=scores != "softmax" and draw(st.booleans()),
        score_scale=draw(st.booleans()),
        output_scale=draw(st.booleans()),
    )


@st.composite
def real_bilinears(draw: st.DrawFn, *, residual: bool | None = None) -> sc.Bilinear:
    """Bilinear layers with biases, and gated ones."""
    kind = draw(st.sampled_from(["plain", "tied", "gated"]))
    return sc.Bilinear(
        output=draw(st.booleans()),
        tied=kind == "tied",
        residual=draw(st.booleans()) if residual is None else residual,
        biases=draw(parts_of("b_1", "b_out") if kind == "tied" else parts_of("b_1", "b_2", "b_out")),
        gate=draw(st.sampled_from(["relu", "silu", "gelu", "gelu_tanh", "sigmoid"])) if kind == "gated" else None,
    )


@st.composite
def real_items(draw: st.DrawFn) -> Block | sc.Parallel:
    """One block, or two in parallel."""
    one = st.sampled_from([real_attentions, real_bilinears])
    if draw(st.integers(0, 3)):
        return draw(draw(one)())
    return sc.Parallel(tuple(draw(draw(one)(residual=True)) for _ in range(2)), draw(st.booleans()))


@st.composite
def real_transformers(draw: st.DrawFn, *, max_blocks: int = 3, max_terms: int | None = 400) -> sc.Transformer:
    """A model with biases, norms, positions, scales, gates and scores without softmax, each or none; its sizes are symbols."""
    norm = draw(st.sampled_from([None, "rms", "layer"]))
    embedding, unembedding = draw(st.sampled_from([(True, True), (True, True), (True, False), (False, True), (False, False)]))
    post_norm = norm is not None and draw(st.booleans())
    said = {
        "embedding": embedding,
        "unembedding": unembedding,
        "norm": norm,
        "gains": norm is not None and draw(st.booleans()),
        "post_norm": post_norm,
        "final_norm": norm is None or post_norm or draw(st.booleans()),
        "positions": draw(st.sampled_from([None, "learned", "shortformer", "rotary"])),
        "output_bias": unembedding and draw(st.booleans()),
    }
    blocks = draw(st.lists(real_items(), max_size=max_blocks))
    model = sc.Transformer(tuple(blocks), **said)
    while max_terms is not None and sc.path_expansion(model).number_of_terms > max_terms:
        blocks.pop()
        model = sc.Transformer(tuple(blocks), **said)
    return model


def real_weights(model: sc.Transformer | str, seed: int = 0) -> sc.Weights:
    """Small random weights."""
    return sc.Weights.random(model, d=4, e=3, m=5, V=6, n_ctx=5, seed=seed)


def freeze_real(model: sc.Transformer | str, seed: int = 0, n: int = 3) -> Frozen:
    """Such weights at random tokens, or at a random residual input."""
    weights, generator = real_weights(model, seed), np.random.default_rng(seed + 1)
    return sc.freeze(weights, generator.integers(0, 6, n) if weights.model.embedding else generator.standard_normal((n, 4)))
