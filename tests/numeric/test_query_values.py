"""Values of the terms of a query: those of the same terms in the whole expansion, and their sum without listing them."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError, TermError, TokensError
from symbolic_circuits.numeric.evaluate import contributions, output_values
from symbolic_circuits.numeric.streams import Streams

MODELS = ["attn(2) bilinear(tied)", "(attn(1) bilinear(tied))*2", "(attn(2) bilinear)*2", "attn(2)|bilinear bilinear"]
QUERIES = ["attn.0[0]", "not attn.0[0]", "attn.0[0] and bilinear.*", "bilinear.* = 1", "attn.* >= 9"]


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    model = sc.Transformer.parse(request.param)
    frozen = sc.freeze(sc.Weights.random(model, n=4, seed=1), [0, 1, 2, 1])
    expansion = sc.path_expansion(model)
    outputs = dict(zip(expansion, output_values(expansion, frozen), strict=True))
    return expansion, frozen, outputs


@pytest.mark.parametrize("query", QUERIES)
def test_terms_have_the_values_that_they_have_among_all(case, query):
    expansion, frozen, outputs = case
    chosen = expansion.where(query)
    expected = [outputs[term] for term in chosen]
    values = output_values(chosen, frozen)
    assert values.shape[0] == len(expected)
    for value, number, other in zip(values, contributions(chosen, frozen, position=-1, direction=1), expected, strict=True):
        np.testing.assert_allclose(value, other, atol=1e-12)
        np.testing.assert_allclose(number, other[-1, 1], atol=1e-12)


@pytest.mark.parametrize("query", QUERIES)
def test_the_total_is_the_sum_of_the_terms(case, query):
    expansion, frozen, outputs = case
    chosen = expansion.where(query)
    expected = sum((outputs[term] for term in chosen), np.zeros_like(next(iter(outputs.values()))))
    np.testing.assert_allclose(sc.total(chosen, frozen), expected, atol=1e-10)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_and_its_complement_make_the_whole(case, query):
    expansion, frozen, _ = case
    parts = [sc.total(expansion.where(text), frozen) for text in (query, f"not ({query})")]
    np.testing.assert_allclose(parts[0] + parts[1], frozen.forward().output, atol=1e-10)


def test_the_terms_of_a_query_are_not_checked_against_the_forward_pass():
    weights = sc.Weights.example()
    expansion = sc.path_expansion(weights.model)
    with pytest.raises(TermError, match="not all terms"):
        sc.check(expansion.where("attn.0[0]"), weights, [3, 4, 31])
    assert sc.check(expansion, weights, [3, 4, 31]).agrees


def test_a_model_by_its_text_and_a_direction_that_is_none():
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    expansion = sc.path_expansion("attn(2) bilinear")
    np.testing.assert_array_equal(sc.total("attn(2) bilinear", weights, [1, 2]), sc.total(expansion, weights, [1, 2]))
    frozen = sc.freeze(weights, [1, 2])
    assert sc.readout(frozen, direction=[1] * 11).position == 1
    with pytest.raises(TokensError, match="real numbers"):
        sc.readout(frozen, direction=["a"] * 11)
    with pytest.raises(NotationError, match="SymPy symbols"):
        expansion.count_by("order", "z")


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.0, 1.2])
def test_rounding_in_deep_models_is_no_difference(gain):
    """Of what cancels inside a model nothing is seen in its output; at gain 0.8 few digits are left, beyond that none."""
    weights = sc.Weights.random("bilinear*9", d=6, V=5, m=8, seed=3)
    arrays = {name: gain * array if name.endswith("W_out") else array for name, array in weights.arrays.items()}
    weights = sc.Weights(weights.model, arrays)
    sums, found = sc.graded("bilinear*9", weights, [0, 1, 2, 3]), sc.ablate("bilinear*9", "order <= 40", weights, [0, 1, 2, 3])
    assert sums.verdict == ("agrees" if gain < 0.8 else "undecided")
    assert found.verdict in ("agrees", "undecided")
    assert gain > 0.5 or found.verdict == "agrees"


def test_a_sum_that_is_wrong_differs(monkeypatch):
    weights = sc.Weights.random("(attn(2) bilinear)*2", seed=0)
    expansion = sc.path_expansion("(attn(2) bilinear)*2")
    assert sc.ablate(expansion, "attn.0[1]", weights, [1, 2, 3]).verdict == "agrees"
    right = Streams.head
    monkeypatch.setattr(Streams, "head", lambda self, component, x: right(self, component, x) * (1 + 1e-4))
    assert sc.ablate(expansion, "attn.0[1]", weights, [1, 2, 3]).verdict == "differs"
