"""Swaps of terms between two inputs, against sums of term values and the law that what one gains the other loses."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError, SpecError, TermError, TokensError
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.interventions.ablate import ablate
from symbolic_circuits.numeric.interventions.patch import patch

MODEL = "attn(2) bilinear attn(1)"
CLEAN, SOURCE = [1, 2, 3, 4], [5, 2, 6, 4]


def weights_of(model: str = MODEL) -> sc.Weights:
    return sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=1)


# tables


@pytest.mark.parametrize("query", ["attn.0[1]", "attn.0[0] > bilinear.1.left", "not bilinear.1", "attn.2 >> output"])
def test_each_term_is_taken_from_one_of_the_runs(query: str) -> None:
    weights, expansion = weights_of(), sc.path_expansion(MODEL)
    chosen = expansion.where(query)
    mask = np.array([term in chosen for term in expansion])
    clean, source = (output_values(expansion, sc.freeze(weights, tokens)) for tokens in (CLEAN, SOURCE))
    found = patch(expansion, query, weights, CLEAN, SOURCE)
    assert_allclose(found.after, np.where(mask[:, None, None], source, clean).sum(0), atol=1e-12)
    assert_allclose(found.source_after, np.where(mask[:, None, None], clean, source).sum(0), atol=1e-12)
    assert_allclose(found.before, clean.sum(0), atol=1e-12)
    assert_allclose(found.source_before, source.sum(0), atol=1e-12)


# laws


@pytest.mark.parametrize("query", ["attn.0[1]", "order <= 2 and not attn.2"])
def test_what_one_output_gains_the_other_loses(query: str) -> None:
    found = patch(MODEL, query, weights_of(), CLEAN, SOURCE)
    assert_allclose(found.after + found.source_after, found.before + found.source_before, atol=1e-12)
    assert_allclose(found.clean.put_in, found.source.removed, atol=1e-12)
    anew = patch(MODEL, query, weights_of(), CLEAN, SOURCE, patterns="recomputed")
    assert not np.allclose(anew.after + anew.source_after, anew.before + anew.source_before, atol=1e-3)


def test_a_query_and_its_complement_exchange_the_roles_of_the_inputs() -> None:
    weights = weights_of()
    one, other = (patch(MODEL, query, weights, CLEAN, SOURCE) for query in ("attn.0[1]", "not attn.0[1]"))
    assert_allclose(one.after, other.source_after, atol=1e-12)
    assert np.isclose(one.share(token=3) + other.share(token=3), 1)
    back = patch(MODEL, "attn.0[1]", weights, SOURCE, CLEAN)
    assert np.array_equal(back.after, one.source_after) and np.array_equal(back.source_after, one.after)


# squares


@pytest.mark.parametrize("options", [{}, {"patterns": "recomputed"}, {"replace": "activations"}])
def test_each_direction_is_a_resampling(options: dict) -> None:
    weights = weights_of()
    found = patch(MODEL, "attn.0[1] >> bilinear.1", weights, CLEAN, SOURCE, **options)
    there = ablate(MODEL, "attn.0[1] >> bilinear.1", weights, CLEAN, by="resample", other=SOURCE, **options)
    back = ablate(MODEL, "attn.0[1] >> bilinear.1", weights, SOURCE, by="resample", other=CLEAN, **options)
    assert np.array_equal(found.after, there.after) and np.array_equal(found.source_after, back.after)
    assert found.effect(token=3, against=2) == there.effect(token=3, against=2)
    assert found.effect(1, direction=np.ones(7)) == there.effect(1, direction=np.ones(7))


def test_all_terms_carry_the_whole_difference_and_none_carries_nothing() -> None:
    everything = patch(MODEL, "*", weights_of(), CLEAN, SOURCE)
    assert_allclose(everything.after, everything.source_before, atol=1e-12)
    assert np.isclose(everything.share(token=2), 1)
    nothing = patch(MODEL, "attn.2 > attn.0", weights_of(), CLEAN, SOURCE)
    assert nothing.share(token=2) == 0 and "no term belongs to the query" in nothing.summary()
    assert np.isnan(patch(MODEL, "attn.0", weights_of(), CLEAN, CLEAN).share(token=2))


def test_words_and_plain_data() -> None:
    found = patch(MODEL, "attn.0[1]", weights_of(), CLEAN, SOURCE)
    assert "at the first input: the output changes by" in str(found) and "at the second:" in str(found)
    assert found.to_dict()["source"]["after"] == found.source_after.tolist()


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"query": "attn.9"}, TermError, r"did you mean attn\.2"),
        ({"source_tokens": [1, 2]}, TokensError, "the source has 2 positions, but the input at hand has 4"),
        ({"source_tokens": [1, 2, 3, 7]}, TokensError, "the source: token 7 at position 3"),
        ({"patterns": "cold"}, NotationError, "patterns is one of frozen, recomputed; got 'cold'"),
        ({"expansion": "attn(2)"}, SpecError, "but the weights are of"),
    ],
)
def test_errors(given: dict, error: type[Exception], message: str) -> None:
    asked = {"expansion": MODEL, "query": "attn.0", "weights": weights_of(), "tokens": CLEAN, "source_tokens": SOURCE}
    assert patch(**asked).clean.verdict == "agrees"
    with pytest.raises(error, match=message):
        patch(**(asked | given))
