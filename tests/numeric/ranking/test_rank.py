"""Rankings by search against the values of all terms: lists, bounds and margins, on every kind of model, query and readout."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import frozen_models

import symbolic_circuits as sc
from symbolic_circuits.errors import (
    BudgetError,
    CertificateError,
    NotationError,
    SpecError,
    TermError,
    TermIndexError,
    TokensError,
    WeightsError,
)
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.numeric.evaluate import contributions, output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking import search, suffix_search
from symbolic_circuits.numeric.ranking.rank import rank
from symbolic_circuits.numeric.streams import Streams

MODELS = [
    "attn(2) bilinear",
    "attn(3)*3",
    "attn(2) bilinear(tied) attn(2) bilinear(tied)",
    "attn(2)|bilinear bilinear attn(2)",
    "attn(2) bilinear attn(2)*3",
    "bilinear*3",
    "bilinear(tied)*3",
    "[no embed, no unembed] attn(2)|bilinear(no out) bilinear",
    "bilinear(no residual) attn(2, no residual) bilinear(tied) attn(2)",
    "((attn(2)|bilinear)[no residual])*2",
    "bilinear attn(2)*3",
    "[no unembed] attn(1)",
]
QUERIES = [None, "attn", "not attn.0", "order <= 3", "bilinear = 1 or attn.*[0] >= 2", "height >= 2 and not bilinear >> output"]
READOUTS = [{"token": 3}, {"token": 0, "against": 1}, {"direction": [1.0, -2.0, 0.0, 0.5, 1.0]}, {}]


def frozen_at(model: str, *, n: int = 4, e: int = 2, seed: int = 0, signed: bool = False) -> Frozen:
    """Random weights with five coordinates and tokens; with signs, patterns that no softmax gives."""
    weights = sc.Weights.random(model, d=5, V=5, e=e, m=5, seed=seed)
    generator = np.random.default_rng(seed)
    source = generator.integers(0, 5, n) if weights.model.embedding else generator.standard_normal((n, 5))
    frozen = sc.freeze(weights, source)
    if not signed:
        return frozen
    patterns = {block: A * np.sign(generator.standard_normal(A.shape)) for block, A in frozen.patterns.items()}
    return Frozen(frozen.model, frozen.arrays, patterns, frozen.source)


def values_of(expansion: sc.PathExpansion, frozen: Frozen, wanted: dict, position: int) -> np.ndarray:
    """What is ranked of every term, by the outputs of all of them."""
    outputs = output_values(expansion, frozen, [position])[:, 0]
    if not wanted:
        return np.linalg.norm(outputs, axis=1)
    vector = np.zeros(5)
    vector[wanted.get("token", 0)] = 1
    if "against" in wanted:
        vector[wanted["against"]] -= 1
    return outputs @ np.asarray(wanted.get("direction", vector))


def require_right(found: sc.Ranking, expansion: sc.PathExpansion, values: np.ndarray) -> None:
    """The certificate holds; where it is closed the list is the top; every value is that of its term."""
    listed = [expansion.index(term) for term, _ in found]
    assert len(set(listed)) == len(listed)
    np.testing.assert_allclose([value for _, value in found], values[listed], rtol=1e-9, atol=found.margin)
    sizes = np.abs(values)
    rest = np.delete(sizes, listed)
    assert rest.max(initial=0.0) <= found.bound
    if found.is_certified:
        assert rest.max(initial=0.0) <= found.smallest + 3 * found.margin


# tables


def test_the_trained_example():
    weights = sc.Weights.example()
    start = time.perf_counter()
    found = rank(sc.path_expansion(weights.model), weights, [3, 4, 31], token=7, top=3)
    assert time.perf_counter() - start < 5  # the benchmark has the real limit
    assert [str(term) for term, _ in found] == [
        "bilinear.1(attn.0[0](embed), attn.0[1](embed))",
        "bilinear.1(attn.0[1](embed), attn.0[0](embed))",
        "bilinear.1(attn.0[1](embed), attn.0[1](embed))",
    ]
    assert found.is_certified and found.what == "logit 7 at position 2" and found.evaluated == 12
    np.testing.assert_allclose(
        found.total, sc.freeze(weights, [3, 4, 31]).forward().output[2, 7], rtol=1e-6
    )  # the weights are float32


@pytest.mark.parametrize("method", ["every", "search"])
def test_more_than_there_are(method):
    frozen = frozen_at("attn(2) bilinear")
    found = rank("attn(2) bilinear", frozen, token=1, top=50, method=method)
    assert len(found) == 12 and found.is_certified
    assert "all 12 terms are listed" in str(found)
    np.testing.assert_allclose(sum(value for _, value in found), found.total)


def test_a_query_without_terms_is_no_error():
    frozen = frozen_at("attn(2)")
    for method in ("every", "search"):
        found = rank(sc.path_expansion("attn(2)").where("attn >= 2"), frozen, token=1, method=method)
        assert len(found) == 0 and found.is_certified and found.total == 0
        assert "no term to rank" in found.summary()


def test_terms_that_vanish_are_not_listed():
    frozen = frozen_at("attn(2)")
    patterns = {0: frozen.patterns[0] * np.array([1.0, 0.0])[:, None, None]}
    found = rank("attn(2)", Frozen(frozen.model, frozen.arrays, patterns, frozen.source), token=1, method="search")
    assert sorted(str(term) for term, _ in found) == ["attn.0[0](embed)", "embed"]
    assert found.is_certified and found.bound <= 2 * found.margin


# laws: search and bounds


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("wanted", READOUTS)
def test_search_finds_what_evaluating_every_term_finds(model, wanted):
    for seed, query in enumerate(QUERIES):
        frozen = frozen_at(model, seed=seed, signed=seed % 2 == 1, e=(1, 2, 7)[seed % 3])
        try:
            expansion = sc.path_expansion(model) if query is None else sc.path_expansion(model).where(query)
        except TermError:  # the model has no such component
            continue
        values = values_of(expansion, frozen, wanted, -1) if not expansion.is_empty else np.zeros(0)
        for top in (1, 5):
            found = rank(expansion, frozen, **wanted, top=top, method="search")
            assert found.is_certified
            require_right(found, expansion, values)
            require_right(rank(expansion, frozen, **wanted, top=top, method="every"), expansion, values)


@given(frozen_models(max_terms=400), st.integers(0, 2), st.booleans())
@settings(max_examples=40)
def test_search_on_any_model(frozen, top, norms):
    expansion = sc.path_expansion(frozen.model)
    wanted = {} if norms else {"token": 0}
    every = rank(expansion, frozen, **wanted, top=expansion.number_of_terms, method="every")
    found = rank(expansion, frozen, **wanted, top=top + 1, method="search")
    assert found.is_certified
    sizes = [abs(value) for _, value in every]
    np.testing.assert_allclose([abs(v) for _, v in found], sizes[: len(found)], rtol=1e-9, atol=3 * found.margin)
    assert all(size <= found.bound for size in sizes[len(found) :])


@pytest.mark.parametrize("max_bytes", [4_000, 20_000, 100_000])
@pytest.mark.parametrize("model", ["attn(2) bilinear*2 attn(2)", "bilinear(tied)*3 attn(2)", "(attn(2) bilinear)*2"])
def test_lists_that_do_not_fit_are_bounded(model, max_bytes):
    closed = 0
    for seed in range(4):
        frozen = frozen_at(model, seed=seed)
        expansion = sc.path_expansion(model)
        for wanted in ({"token": 2}, {}):
            found = rank(expansion, frozen, **wanted, top=4, method="search", max_bytes=max_bytes)
            require_right(found, expansion, values_of(expansion, frozen, wanted, -1))
            closed += found.is_certified
    assert closed >= 4 or max_bytes < 100_000


def test_a_search_that_is_stopped_says_what_it_knows():
    frozen = frozen_at("attn(4)*6", n=6, e=4)
    arrays = {name: 3 * array if name.endswith("W_V") else array for name, array in frozen.arrays.items()}
    frozen, expansion = Frozen(frozen.model, arrays, frozen.patterns, frozen.source), sc.path_expansion("attn(4)*6")
    values = contributions(expansion, frozen, direction=2)
    for limit, words in (({"seconds": 1e-9}, "time"), ({"max_values": 500}, "500 values and bounds")):
        found = rank(expansion, frozen, token=2, top=400, method="search", **limit)
        assert not found.is_certified and found.stopped == words
        require_right(found, expansion, values)
        assert f"not closed ({words})" in found.summary()


def test_most_terms_are_not_evaluated():
    for model, sizes in (
        ("attn(12)*4", {"d": 64, "e": 8}),
        ("attn(4) bilinear attn(4) bilinear", {"d": 64, "e": 16, "m": 256}),
    ):
        weights = sc.Weights.random(model, **sizes, V=50, seed=0)
        frozen = sc.freeze(weights, np.random.default_rng(0).integers(0, 50, 32))
        expansion = sc.path_expansion(model)
        found = rank(expansion, frozen, token=3, top=20, method="search")
        assert found.is_certified and found.evaluated <= 0.2 * expansion.number_of_terms
        require_right(found, expansion, contributions(expansion, frozen, direction=3))


def test_bounds_that_are_too_small_are_found_out(monkeypatch):
    """The comparison with all values has teeth: with bounds that are a twentieth of the right ones, terms are missed."""
    frozen = frozen_at("attn(3)*4", n=6, e=3)
    expansion = sc.path_expansion("attn(3)*4")
    values = contributions(expansion, frozen, direction=2)
    require_right(rank(expansion, frozen, token=2, top=10, method="search"), expansion, values)
    monkeypatch.setattr(suffix_search, "ROUNDING", 0.05)
    with pytest.raises(AssertionError):
        require_right(rank(expansion, frozen, token=2, top=10, method="search"), expansion, values)


def test_a_value_that_is_not_that_of_its_term_is_an_error(monkeypatch):
    frozen = frozen_at("attn(2) bilinear")
    right = search.term_of
    monkeypatch.setattr(search, "term_of", lambda key, chains, prepared: right((*key[:-3], -1, -1, -1), chains, prepared))
    with pytest.raises(CertificateError, match="was found with the value"):
        rank("attn(2) bilinear", frozen, token=2, method="search")


def test_the_margin_covers_rounding():
    for seed, model in enumerate(MODELS):
        frozen = frozen_at(model, seed=seed)
        expansion = sc.path_expansion(model)
        found = rank(expansion, frozen, token=2, method="search", top=10_000)
        longer = frozen.astype(np.longdouble)
        root = longer.arrays["W_U"][2] if frozen.model.unembedding else np.eye(5, dtype=np.longdouble)[2]
        for term, value in found:
            exact = root @ fold(term, Streams(longer))[-1]
            assert abs(float(exact - np.longdouble(value))) <= found.margin
        assert found.margin < 1e-9


def test_the_order_is_determined():
    frozen = frozen_at("attn(3)*3")
    lists = [[str(t) for t, _ in rank("attn(3)*3", frozen, token=1, method=m)] for m in ("search", "search", "every")]
    assert lists[0] == lists[1] == lists[2]


def test_float32_weights_are_ranked_in_float64():
    weights = sc.Weights.random("attn(2) bilinear", n=3, seed=0)
    found = rank("attn(2) bilinear", weights.astype(np.float32), [1, 2, 3], token=1)
    np.testing.assert_allclose(found.total, sc.total(sc.path_expansion("attn(2) bilinear"), weights, [1, 2, 3])[-1, 1], rtol=1e-5)


# errors


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"top": 0}, TermIndexError, "from 1 to 100,000; got 0"),
        ({"top": True}, TermIndexError, "got True"),
        ({"top": 10**9}, TermIndexError, "got 1000000000"),
        ({"method": "guess"}, NotationError, "one of auto, every, search; got 'guess'"),
        ({"seconds": 0}, NotationError, "time limit above 0"),
        ({"max_values": 0}, NotationError, "number of values above 0"),
        ({"token": 11}, TokensError, "outside range"),
        ({"token": 1, "direction": [1.0] * 11}, TokensError, "give one of them"),
        ({"against": 1, "token": None}, TokensError, "give one of them"),
        ({"token": None, "direction": [1.0]}, TokensError, "has shape"),
        ({"position": 3}, TokensError, "outside a sequence of 3"),
    ],
)
def test_requests_that_make_no_sense(wrong, error, words):
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    right = {"token": 1, "top": 2}
    assert len(rank("attn(2) bilinear", weights, [0, 1, 2], **right)) == 2
    with pytest.raises(error, match=words):
        rank("attn(2) bilinear", weights, [0, 1, 2], **(right | wrong))


def test_weights_of_another_model_and_heads_that_are_symbols():
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    with pytest.raises(SpecError, match="the expansion is of"):
        rank("attn(3)", weights, [0, 1], token=1)
    with pytest.raises(SpecError, match="cannot be listed"):
        rank("attn(H) bilinear", weights, [0, 1], token=1)


def test_activations_that_overflow():
    weights = sc.Weights.random("bilinear*4", seed=0)
    assert len(rank("bilinear*4", weights, [0, 1], token=1, top=3)) == 3
    arrays = {name: array * 1e60 for name, array in weights.arrays.items()}
    with pytest.raises(WeightsError, match="not finite after"):
        rank("bilinear*4", sc.Weights(weights.model, arrays), [0, 1], token=1, top=3)


def test_memory_for_not_even_one_term():
    frozen = frozen_at("bilinear*2")
    assert rank("bilinear*2", frozen, token=1, method="search", max_bytes=100_000).terms
    with pytest.raises(BudgetError, match="that is the limit"):
        rank("bilinear*2", frozen, token=1, method="search", max_bytes=10)
