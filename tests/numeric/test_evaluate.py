"""All terms at once against terms one by one, probes against whole sequences, and budgets."""

import numpy as np
import pytest
from evaluation import term_value
from hypothesis import given
from strategies import frozen_models

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, TokensError
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.streams import Streams

CASES = [
    "attn(2) bilinear",
    "attn(3)*3",
    "attn(2) bilinear attn(1) bilinear(tied) attn(2)",
    "bilinear(no residual) attn(2, no residual) bilinear(tied)",
    "((attn(2)|bilinear)[no residual])*2",
    "[no embed, no unembed] attn(2)|bilinear(no out)",
]


def frozen_model(model: str, n: int = 4) -> Frozen:
    weights, generator = sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=1), np.random.default_rng(2)
    return sc.freeze(weights, generator.integers(0, 7, n) if weights.model.embedding else generator.standard_normal((n, 5)))


@pytest.mark.parametrize("model", CASES)
def test_every_term_has_the_value_of_its_definition(model: str) -> None:
    frozen, expansion = frozen_model(model), sc.path_expansion(model)
    values = sc.output_values(expansion, frozen)
    assert values.shape[0] == expansion.number_of_terms
    for k, term in enumerate(expansion[:200]):
        assert np.allclose(values[k], term_value(term, frozen), rtol=1e-12, atol=1e-14), str(term)


@given(frozen_models())
def test_terms_add_up_on_every_architecture(frozen: Frozen) -> None:
    values = sc.output_values(sc.path_expansion(frozen.model), frozen)
    assert np.allclose(values.sum(0), frozen.forward().output, rtol=1e-9, atol=1e-9 * np.abs(values).sum())


@given(frozen_models())
def test_streams_are_the_forward_pass_and_fold_to_terms(frozen: Frozen) -> None:
    expansion, algebra = sc.path_expansion(frozen.model), Streams(frozen)
    assert np.allclose(sc.interpret(expansion, algebra), frozen.forward().streams[-1], rtol=1e-9, atol=1e-9)
    term = expansion[-1]
    unembed = frozen.arrays["W_U"].T if frozen.model.unembedding else np.eye(frozen.x0.shape[1])
    assert np.allclose(fold(term, algebra) @ unembed, term_value(term, frozen), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("model", CASES)
def test_single_positions_and_directions_agree_with_whole_outputs(model: str) -> None:
    frozen, expansion = frozen_model(model), sc.path_expansion(model)
    values = sc.output_values(expansion, frozen)
    assert np.allclose(sc.output_values(expansion, frozen, [-1, 1]), values[:, [-1, 1]], rtol=1e-12, atol=1e-14)
    assert np.allclose(sc.contributions(expansion, frozen, position=2, direction=3), values[:, 2, 3], rtol=1e-10, atol=1e-14)
    direction = np.random.default_rng(0).standard_normal(values.shape[-1])
    along = sc.contributions(expansion, frozen, direction=direction)
    assert np.allclose(along, values[:, -1] @ direction, rtol=1e-10, atol=1e-13)


def test_short_sequences_take_the_other_route() -> None:
    frozen, expansion = frozen_model("attn(3)*3", n=2), sc.path_expansion("attn(3)*3")
    values = sc.output_values(expansion, frozen)
    assert np.allclose(sc.contributions(expansion, frozen, position=0, direction=1), values[:, 0, 1], rtol=1e-12)


def test_margins_are_contributions_to_the_answer() -> None:
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    expansion = sc.path_expansion(weights.model)
    tokens, targets = [[1, 2, 3], [4, 5, 6]], [7, 8]
    expected = np.zeros(12)
    for sequence, target in zip(tokens, targets, strict=True):
        last = sc.output_values(expansion, sc.freeze(weights, sequence))[:, -1]
        expected += (last[:, target] - last.mean(-1)) / 2
    assert np.allclose(sc.margins(expansion, weights, tokens, targets), expected, rtol=1e-12)
    with pytest.raises(TokensError, match=r"one target a sequence; got \(1,\) for 2 sequences"):
        sc.margins(expansion, weights, tokens, [7])
    with pytest.raises(TokensError, match=r"target 11 is outside range\(11\)"):
        sc.margins(expansion, weights, tokens, [7, 11])


def test_more_terms_than_memory_is_an_error_before_it_is_spent() -> None:
    frozen = frozen_model("(attn(4) bilinear)*3")
    sc.output_values(sc.path_expansion("attn(2)"), frozen_model("attn(2)"))
    with pytest.raises(BudgetError, match=r"the 12,825,675,750 terms of .* the limit is 2,147,483,648: ask for fewer positions"):
        sc.output_values(sc.path_expansion("(attn(4) bilinear)*3"), frozen)


@pytest.mark.parametrize(
    ("position", "direction", "message"),
    [
        (4, 0, "position 4 is outside a sequence of 4"),
        (-5, 0, "position -5 is outside"),
        (0, 7, r"token 7 is outside range\(7\)"),
        (0, np.zeros(6), r"a direction on the output has shape \(7,\); got \(6,\)"),
    ],
)
def test_places_that_are_not_there(position: int, direction: object, message: str) -> None:
    frozen, expansion = frozen_model("attn(2) bilinear"), sc.path_expansion("attn(2) bilinear")
    sc.contributions(expansion, frozen, position=3, direction=6)
    with pytest.raises(TokensError, match=message):
        sc.contributions(expansion, frozen, position=position, direction=direction)
