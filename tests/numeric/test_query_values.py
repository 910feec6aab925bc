"""Values of the terms of a query: those of the same terms in the whole expansion, and their sum without listing them."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import TermError
from symbolic_circuits.numeric.evaluate import contributions, output_values

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
