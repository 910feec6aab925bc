"""Activations overwritten in models of every shape, by a forward pass written by hand; what one set of terms cannot tell apart."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.testing import assert_allclose

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.numeric.interventions.ablate import ablate
from symbolic_circuits.numeric.reference import causal_softmax
from symbolic_circuits.spec import Attention

MODELS = (  # no component alone is all that another one reads
    "attn(2) bilinear attn(1)",
    "attn(2)|bilinear(tied) bilinear(no out)",
    "[no embed] (attn(2)|bilinear)[no residual] attn(2)|bilinear(tied) bilinear",
    "[no unembed] bilinear attn(2, no residual) bilinear(tied)",
    "[no embed, no unembed] bilinear(tied)|attn(1)|bilinear attn(2)",
)
BOTTLENECKS = (  # a query, and one with the same terms because a component reads nothing else
    ("attn(1, no residual) bilinear", "attn.0[0] >> bilinear.1.left", "bilinear.1"),
    ("attn(1, no residual)*2", "attn.0[0]", "attn.1[0]"),
    ("bilinear", "embed >> bilinear.0.right", "bilinear.0"),
)
Outputs = dict[str, np.ndarray]


def weights_of(model: str) -> sc.Weights:
    return sc.Weights.random(model, d=5, V=6, e=2, m=4, seed=3)


def inputs_of(weights: sc.Weights, number: int = 4) -> list[np.ndarray]:
    generator = np.random.default_rng(4)
    return list(generator.integers(0, 6, (number, 4)) if weights.model.embedding else generator.standard_normal((number, 4, 5)))


def by_hand(
    weights: sc.Weights, source: np.ndarray, over: Mapping[str, np.ndarray], patterns: Mapping | None
) -> tuple[np.ndarray, Outputs]:
    """The output with those of some components overwritten, and the outputs of all components."""
    a, model, found = weights.arrays, weights.model, {}
    x = a["W_E"].T[source] if model.embedding else source
    for step in model.steps:
        for k, spec in step.blocks:
            if isinstance(spec, Attention):
                A = causal_softmax(x, a[f"attn.{k}.W_Q"], a[f"attn.{k}.W_K"]) if patterns is None else patterns[k]
                for h in range(len(A)):
                    found[f"attn.{k}[{h}]"] = A[h] @ x @ a[f"attn.{k}.W_V"][h].T @ a[f"attn.{k}.W_O"][h].T
            else:
                W_1 = a[f"bilinear.{k}.W_1"]
                hidden = (x @ W_1.T) * (x @ a.get(f"bilinear.{k}.W_2", W_1).T)
                found[f"bilinear.{k}"] = hidden @ a[f"bilinear.{k}.W_out"].T if spec.output else hidden
        found |= {name: value for name, value in over.items() if name in found}
        new = [name for name in found if int(name.split(".")[1].split("[")[0]) in [k for k, _ in step.blocks]]
        x = sum((found[name] for name in new), x if step.residual else np.zeros_like(x))
    return (x @ a["W_U"].T if model.unembedding else x), found


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("is_frozen", [True, False])
def test_an_overwritten_component_is_a_forward_pass_by_hand(model: str, is_frozen: bool) -> None:
    weights = weights_of(model)
    here, *others = inputs_of(weights)
    patterns = sc.freeze(weights, here).patterns if is_frozen else None
    elsewhere = [by_hand(weights, x, {}, None)[1] for x in others]
    before, outputs = by_hand(weights, here, {}, None)
    for name in outputs:
        mean = np.mean([found[name] for found in elsewhere], axis=0)
        expected, _ = by_hand(weights, here, {name: mean}, patterns)
        options = {"patterns": "frozen" if is_frozen else "recomputed", "replace": "activations"}
        found = ablate(model, name, weights, here, by="mean", batch=others, **options)
        assert found.verdict == "agrees"
        assert_allclose(found.before, before, atol=1e-12)
        assert_allclose(found.after, expected, atol=1e-11, err_msg=name)
        assert not np.allclose(found.after, before, atol=1e-3)


@pytest.mark.parametrize(("model", "query", "same"), BOTTLENECKS)
@pytest.mark.parametrize("patterns", ["frozen", "recomputed"])
def test_what_reads_nothing_else_is_overwritten_as_well(model: str, query: str, same: str, patterns: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    here, *others = inputs_of(weights)
    assert set(expansion.where(query)) == set(expansion.where(same))
    options = {"by": "mean", "batch": others, "patterns": patterns, "replace": "activations"}
    found, other = (ablate(expansion, text, weights, here, **options) for text in (query, same))
    assert_allclose(found.after, other.after, atol=1e-12)


@pytest.mark.parametrize("model", MODELS)
def test_edges_of_the_causal_graph_are_effects_of_ablations(model: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    here = inputs_of(weights)[0]
    graph = sc.causal_graph(expansion, weights, here, position=1, token=4, against=0)
    for u, v, weight in graph.edges(data="weight"):
        effect = ablate(expansion, f"{u} >> {v}", weights, here).effect(1, token=4, against=0)
        assert weight == pytest.approx(-effect, abs=1e-11)
    missing = {(u, v) for u in graph for v in graph if u != "output" and v not in ("embed", "input")} - set(graph.edges)
    assert all(expansion.where(f"{u} >> {v}").is_empty for u, v in missing)


def test_streams_by_state_have_a_budget_with_frozen_patterns_too() -> None:
    weights = weights_of(MODELS[0])
    here = inputs_of(weights)[0]
    with pytest.raises(BudgetError, match=r"streams by state of the query take .* bytes; the limit is 100"):
        ablate(MODELS[0], "order <= 2", weights, here, max_bytes=100)
    assert ablate(MODELS[0], "order <= 2", weights, here, max_bytes=10_000).verdict == "agrees"
