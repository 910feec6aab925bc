"""Weights of edges against totals of the queries that they stand for, sums of term values, and forward passes without an edge."""

import runpy
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TermError, TokensError, WeightsError
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.numeric.interventions.causal_graph import causal_graph
from symbolic_circuits.numeric.weights import layout

holds = runpy.run_path(str(Path(__file__).parents[2] / "expansion" / "queries" / "random_queries.py"))["holds"]
MODELS = (
    "attn(2) bilinear",
    "attn(3)*3",
    "bilinear(tied)*3",
    "attn(2)|bilinear attn(2)",
    "attn(2, no residual) bilinear(tied) bilinear(no residual) attn(1)",
    "(attn(1) bilinear)*2 attn(2)",
    "[no embed, no unembed] attn(2) bilinear(no out) attn(1)",
)


def case(model: str) -> tuple[sc.PathExpansion, sc.Weights, np.ndarray]:
    weights = sc.Weights.random(model, d=4, V=6, e=2, m=5, seed=3)
    generator = np.random.default_rng(4)
    tokens = generator.integers(0, 6, 3) if weights.model.embedding else generator.standard_normal((3, 4))
    return sc.path_expansion(weights.model), weights, tokens


def queries_of(graph: networkx.DiGraph) -> dict[str, float]:
    """The query of every edge, side and node, with its value in the graph."""
    found = {node: data["effect"] for node, data in graph.nodes(data=True) if node != "output"}
    for u, v, data in graph.edges(data=True):
        found |= {f"{u} >> {v}" + ("" if name == "weight" else f".{name}"): value for name, value in data.items()}
    return found


# tables


@pytest.mark.parametrize("model", MODELS)
def test_weights_are_totals_of_queries(model: str) -> None:
    expansion, weights, tokens = case(model)
    graph = causal_graph(expansion, weights, tokens, position=1, token=3, against=2)
    for query, value in queries_of(graph).items():
        out = sc.total(expansion.where(query), weights, tokens)[1]
        assert np.isclose(value, out[3] - out[2], rtol=1e-9, atol=1e-11), query


@pytest.mark.parametrize("model", [m for m in MODELS if sc.path_expansion(m).number_of_terms < 200])
def test_weights_are_sums_of_terms(model: str) -> None:
    expansion, weights, tokens = case(model)
    width = 6 if weights.model.unembedding else 4
    u = np.linspace(-1, 2, width)
    values = contributions(expansion, sc.freeze(weights, tokens), direction=u)
    terms = list(expansion)
    for query, value in queries_of(causal_graph(expansion, weights, tokens, direction=u)).items():
        chosen = [holds(sc.parse_query(query), term) for term in terms]
        assert np.isclose(value, values[chosen].sum(), rtol=1e-9, atol=1e-11), query


@pytest.mark.parametrize("model", MODELS)
def test_there_is_an_edge_where_one_component_reads_another(model: str) -> None:
    expansion, weights, tokens = case(model)
    graph = causal_graph(expansion, weights, tokens, token=0)
    assert set(graph) == {*expansion.components, "output"} and networkx.is_directed_acyclic_graph(graph)
    for u in expansion.components:
        for v in graph:
            assert graph.has_edge(u, v) == (not expansion.where(f"{u} >> {v}").is_empty)
    sides = {frozenset(data) for _, v, data in graph.edges(data=True) if "bilinear" in v}
    assert sides <= {frozenset({"weight", "left", "right"}), frozenset({"weight"})}
    assert all({"kind", "layer", "head", "side", "shape", "latex", "effect"} <= set(data) for _, data in graph.nodes(data=True))


# laws


@settings(max_examples=20)
@given(transformers(max_terms=None).filter(layout), st.integers(0, 2**16))
def test_edges_into_the_output_add_up_to_the_readout(model: sc.Transformer, seed: int) -> None:
    numbers = {"s": 3, "u": 2, "i": 2, "k": 3}
    weights = sc.Weights.random(model, d=2, V=4, e=2, m=3, sizes=numbers, seed=seed)
    n = model.n if isinstance(model.n, int) else 3
    d = weights.size(model.d)
    generator = np.random.default_rng(seed)
    tokens = generator.integers(weights.size(model.V), size=n) if model.embedding else generator.standard_normal((n, d))
    graph = causal_graph(model, weights, tokens, token=0)
    added = sum(data["weight"] for _, _, data in graph.in_edges("output", data=True))
    total = sc.freeze(weights, tokens).forward().output[-1, 0]
    assert np.isclose(graph.graph["total"], total) and np.isclose(added, total, rtol=1e-9, atol=1e-9)
    assert graph.graph["remainder"] < 1e-12
    source = "embed" if model.embedding else "input"
    assert np.isclose(graph.nodes[source]["effect"], total, rtol=1e-9, atol=1e-9)


def test_small_effects_keep_their_digits() -> None:
    """A head whose output is tiny: differences of whole outputs would have lost it."""
    expansion, weights, tokens = case("attn(2) bilinear*2")
    scaled = weights.arrays["attn.0.W_O"] * np.array([1, 1e-14])[:, None, None]
    small = sc.Weights(weights.model, dict(weights.arrays) | {"attn.0.W_O": scaled})
    graph = causal_graph(expansion, small, tokens, token=1)
    for query in ("attn.0[1]", "attn.0[1] >> bilinear.1"):
        expected = sc.total(expansion.where(query), small, tokens)[-1, 1]
        assert np.isclose(queries_of(graph)[query], expected, rtol=1e-9, atol=0) and abs(expected) < 1e-12


# squares


def test_the_weight_is_what_the_readout_loses_without_the_edge() -> None:
    _, weights, tokens = case("attn(2) bilinear attn(1)")
    a, frozen = weights.arrays, sc.freeze(weights, tokens)
    (A, last), x = (frozen.patterns[k] for k in (0, 2)), frozen.x0
    heads = [A[h] @ x @ a["attn.0.W_V"][h].T @ a["attn.0.W_O"][h].T for h in (0, 1)]

    def output(left: np.ndarray, right: np.ndarray) -> float:
        y = x + sum(heads) + ((left @ a["bilinear.1.W_1"].T) * (right @ a["bilinear.1.W_2"].T)) @ a["bilinear.1.W_out"].T
        return float(((y + last[0] @ y @ a["attn.2.W_V"][0].T @ a["attn.2.W_O"][0].T) @ a["W_U"].T)[-1, 5])

    whole, without = x + sum(heads), x + heads[0]
    data = causal_graph("attn(2) bilinear attn(1)", weights, tokens, token=5).edges["attn.0[1]", "bilinear.1"]
    everything = output(whole, whole)
    assert np.isclose(data["weight"], everything - output(without, without))
    assert np.isclose(data["left"], everything - output(without, whole))
    assert np.isclose(data["right"], everything - output(whole, without))


def test_work_is_counted_and_progress_reported() -> None:
    expansion, weights, tokens = case("(attn(2) bilinear)*3")
    seen = []
    graph = causal_graph(expansion, weights, tokens, token=1, progress=lambda *pair: seen.append(pair))
    edges = graph.number_of_edges() - graph.in_degree("output")
    assert seen[-1] == (edges + len(graph) - 2,) * 2 and seen == sorted(seen)
    assert 0 < graph.graph["forward_passes"] < 2 * edges
    linear = causal_graph("attn(3)*4", *case("attn(3)*4")[1:], token=1)
    assert linear.graph["forward_passes"] == 0


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbolic_circuits.numeric.interventions.disturbance as module

    given = case("(attn(2) bilinear)*2")
    whole = queries_of(causal_graph(*given, token=1))
    monkeypatch.setattr(module, "CHUNK", 1)
    assert_allclose(list(queries_of(causal_graph(*given, token=1)).values()), list(whole.values()), rtol=1e-12)


def test_float32() -> None:
    expansion, weights, tokens = case("attn(2) bilinear attn(1)")
    double, single = (causal_graph(expansion, w, tokens, token=1) for w in (weights, weights.astype(np.float32)))
    assert_allclose(list(queries_of(single).values()), list(queries_of(double).values()), rtol=1e-3, atol=1e-4)


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"expansion": "attn(3)"}, SpecError, "but the weights are of"),
        ({"expansion": sc.path_expansion("attn(2) bilinear*2").where("attn.0")}, TermError, "as a whole"),
        ({"token": 6}, TokensError, r"token 6 is outside range\(6\)"),
        ({"token": None}, TokensError, "a readout is a token"),
        ({"position": 3}, TokensError, "position 3 is outside"),
        ({"tokens": [1, 7]}, TokensError, "token 7 at position 1"),
        ({"max_passes": 1}, BudgetError, "13 edges and nodes, which take 6 forward passes; the limit is 1"),
        ({"max_bytes": 99}, BudgetError, "outputs of the 5 components .* at 3 positions take 480 bytes; the limit is 99"),
    ],
)
def test_errors(given: dict, error: type[Exception], message: str) -> None:
    expansion, weights, tokens = case("attn(2) bilinear*2")
    asked = {"expansion": expansion, "weights": weights, "tokens": tokens, "token": 3}
    assert causal_graph(**asked).graph["remainder"] < 1e-12
    with pytest.raises(error, match=message):
        causal_graph(**(asked | given))


def test_activations_that_overflow_are_named() -> None:
    expansion, weights, tokens = case("bilinear*5")
    assert causal_graph(expansion, weights, tokens, token=1).graph["remainder"] < 1e-12
    huge = sc.Weights(weights.model, {name: array * 1e60 for name, array in weights.arrays.items()})
    with pytest.raises(WeightsError, match=r"not finite after bilinear\.1"):
        causal_graph(expansion, huge, tokens, token=1)
