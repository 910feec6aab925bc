"""The check agrees on every architecture, and sees every kind of mistake: a lost term, a wrong grammar, wrong weights."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Grammar
from symbolic_circuits.numeric import checking
from symbolic_circuits.numeric.checking import PRIME, check_exactly


def test_the_prime_is_prime_and_small_enough() -> None:
    assert all(PRIME % k for k in range(2, int(PRIME**0.5) + 1))
    assert 128 * (PRIME - 1) ** 2 < 2**63


@settings(max_examples=60)
@given(transformers())
def test_exact_on_every_architecture(model: sc.Transformer) -> None:
    assert check_exactly(sc.path_expansion(model), seed=5)[0].verdict == "agrees"


def test_shares_add_up_to_one_and_norms_are_those_of_the_outputs() -> None:
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    report = sc.check(sc.path_expansion(weights.model), weights, [[1, 2, 3], [3, 2, 1]])
    values = [sc.output_values(report.expansion, sc.freeze(weights, t)) for t in ([1, 2, 3], [3, 2, 1])]
    assert report.agrees and report.parts_at is None
    assert report.shares.sum() == pytest.approx(1)
    assert report.norms[3] == pytest.approx(np.sqrt(sum(np.sum(v[3] ** 2) for v in values) / 2))


def without_production(expansion: PathExpansion, level: int, place: int) -> PathExpansion:
    """The expansion of a grammar that lost one production."""
    rules = list(expansion.grammar.nonterminals)
    rules[level] = tuple(p for k, p in enumerate(rules[level]) if k != place)
    return PathExpansion(Grammar(expansion.model, tuple(rules)))


@pytest.mark.parametrize(
    ("level", "place", "step"),
    [(1, 0, "attn.0"), (1, 2, "attn.0"), (2, 0, "bilinear.1"), (2, 1, "bilinear.1"), (3, 1, r"attn.2\|bilinear.3")],
)
def test_a_lost_production_is_found_at_its_block(level: int, place: int, step: str) -> None:
    weights = sc.Weights.random("attn(2) bilinear attn(1)|bilinear", seed=0)
    expansion = sc.path_expansion(weights.model)
    assert sc.check(expansion, weights, [1, 2, 3]).agrees
    report = sc.check(without_production(expansion, level, place), weights, [1, 2, 3])
    assert not (
        report.agrees
        or report.float64.verdict == "agrees"
        or report.float32.verdict == "agrees"
        or report.exact.verdict == "agrees"
    )
    assert report.parts_at is not None and step.replace("\\", "") in report.parts_at
    assert "DO NOT add up" in str(report)


def test_ordered_pairs_of_a_tied_layer_would_be_counted_twice() -> None:
    weights = sc.Weights.random("attn(1) bilinear(tied)", seed=0)
    expansion = sc.path_expansion(weights.model)
    rules = list(expansion.grammar.nonterminals)
    rules[2] = tuple(replace(p, unordered=False) for p in rules[2])
    wrong = PathExpansion(Grammar(expansion.model, tuple(rules)))
    assert wrong.number_of_terms == 6 and expansion.number_of_terms == 5
    assert sc.check(wrong, weights, [1, 2]).agrees  # ordered pairs without the factor 2 are the same sum
    rules[2] = tuple(replace(p, unordered=True) if p.component and p.component.kind == "bilinear" else p for p in rules[2])
    assert sc.check(PathExpansion(Grammar(expansion.model, tuple(rules))), weights, [1, 2]).agrees
    untied = sc.path_expansion("attn(1) bilinear")
    rules = list(untied.grammar.nonterminals)
    rules[2] = tuple(replace(p, unordered=bool(p.component)) for p in rules[2])
    free = sc.Weights.random("attn(1) bilinear", seed=0)
    assert not sc.check(PathExpansion(Grammar(untied.model, tuple(rules))), free, [1, 2]).agrees


def test_wrong_arithmetic_is_seen(monkeypatch) -> None:
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    expansion = sc.path_expansion(weights.model)
    right = checking.output_values
    monkeypatch.setattr(checking, "output_values", lambda e, f, p=None: right(e, f, p) * (1 + (f.modulus is not None)))
    report = sc.check(expansion, weights, [1, 2, 3])
    assert report.float64.verdict == "agrees" and report.exact.verdict != "agrees" and not report.agrees
    monkeypatch.setattr(checking, "output_values", lambda e, f, p=None: right(e, f, p) * (1 + 1e-9 * (f.modulus is None)))
    report = sc.check(expansion, weights, [1, 2, 3])
    assert report.float64.verdict != "agrees" and report.float32.verdict == "agrees"


def test_inputs_that_do_not_fit() -> None:
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    assert sc.check("attn(2) bilinear", weights, [1, 2]).agrees
    with pytest.raises(SpecError, match=r"the expansion is of 'attn\(2\)', but the weights are of 'attn\(2\) bilinear'"):
        sc.check("attn(2)", weights, [1, 2])
    with pytest.raises(BudgetError, match="would evaluate 12 terms one by one; the limit is 11"):
        sc.check("attn(2) bilinear", weights, [1, 2], limit=11)
    with pytest.raises(TokensError, match="one sequence or several"):
        sc.check("attn(2) bilinear", weights, [[[1]]])
