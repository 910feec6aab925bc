"""Blocks of terms against the terms themselves: every interval of small expansions, and their values."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TermIndexError
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.scaling.block import block
from symbolic_circuits.numeric.scaling.outcome import in_order
from symbolic_circuits.numeric.scaling.over_terms import each_block

MODELS = ["attn(2) bilinear", "bilinear(tied)*2", "attn(1) bilinear(tied) attn(2)", "attn(2)|bilinear bilinear", "attn(3)*2"]


def is_tied(expansion: sc.PathExpansion) -> bool:
    return any(component.is_tied for component in expansion.components.values())


def case(model: str) -> tuple:
    weights = sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=1)
    return sc.path_expansion(model), weights, sc.freeze(weights, [3, 1, 4, 1])


# tables


@pytest.mark.parametrize("model", MODELS)
def test_every_interval_has_its_terms(model: str) -> None:
    expansion = sc.path_expansion(model)
    terms = list(expansion)
    for start in range(len(terms) + 1):
        for stop in range(start, len(terms) + 1, 1 if len(terms) < 20 else 5):
            part = block(expansion, start, stop)
            expected, found = terms[start:stop], list(part)
            if is_tied(expansion):
                expected, found = sorted(expected, key=expansion.index), sorted(found, key=expansion.index)
            assert found == expected and part.number_of_terms == stop - start
            assert [part.index(term) for term in part] == list(range(stop - start))


# laws


@given(transformers(max_terms=80), st.data())
def test_blocks_of_every_architecture_and_query(model: sc.Transformer, data: st.DataObject) -> None:
    expansion = sc.path_expansion(model)
    query = data.draw(st.sampled_from([None, "order <= 2", "not heads = 1", "height >= 1 or degree = 1"]))
    expansion = expansion if query is None else expansion.where(query)
    terms = list(expansion)
    start, stop = sorted(data.draw(st.integers(0, len(terms))) for _ in range(2))
    found = list(block(expansion, start, stop))
    assert len(found) == stop - start and set(found) == set(terms[start:stop])
    assert is_tied(expansion) or found == terms[start:stop]


def test_blocks_of_a_number_of_terms_that_cannot_be_listed() -> None:
    expansion = sc.path_expansion("(attn(12) bilinear)*5")
    count = expansion.number_of_terms
    start, stop = count // 3, 2 * count // 3
    part = block(expansion, start, stop)
    assert part.number_of_terms == stop - start
    for k in (0, 1, (stop - start) // 2, stop - start - 1):
        assert part[k] == expansion[start + k] and part.index(expansion[start + k]) == k
    assert len(part.grammar.nonterminals) < 5000


# squares


@pytest.mark.parametrize("model", MODELS)
def test_values_block_by_block(model: str) -> None:
    expansion, weights, frozen = case(model)
    every = sc.contributions(expansion, frozen, direction=3)
    parts = in_order(each_block(partial(sc.contributions, direction=3), expansion, frozen, size=4))
    assert [len(part) for part in parts[:-1]] == [4] * (len(parts) - 1)
    found = np.concatenate(parts)
    if is_tied(expansion):  # in an order of its own
        order = [expansion.index(term) for k in range(len(parts)) for term in block(expansion, 4 * k, 4 * k + len(parts[k]))]
        found = found[np.argsort(order)]
    np.testing.assert_allclose(found, every, atol=1e-13)
    totals = in_order(each_block(sc.total, expansion, weights, frozen.source, size=3))
    np.testing.assert_allclose(sum(totals), frozen.forward().output, atol=1e-12)
    sums = in_order(each_block(graded, expansion, weights, frozen.source, size=5))
    assert all(part.verdict == "agrees" for part in sums)
    whole = sum(part.streams.sum(axis=0) for part in sums)
    np.testing.assert_allclose(whole, frozen.forward().streams[-1], atol=1e-12)


def test_a_model_too_large_to_list_is_summed_in_blocks() -> None:
    expansion, _, frozen = case("(attn(4) bilinear)*4")
    totals = in_order(each_block(sc.total, expansion, frozen, size=-(-expansion.number_of_terms // 3)))
    assert len(totals) == 3 and all(np.abs(part).max() > 0 for part in totals)
    np.testing.assert_allclose(sum(totals), frozen.forward().output, rtol=1e-10, atol=1e-10)


def test_a_block_knows_what_it_is() -> None:
    expansion = sc.path_expansion("attn(2) bilinear")
    part = block(expansion, 2, 9)
    assert repr(part) == "block(path_expansion('attn(2) bilinear'), 2, 9)"
    assert list(part.where("bilinear")) == list(expansion)[3:9]
    assert block(expansion, 4, 4).is_empty and not list(block(expansion, 4, 4))
    assert list(each_block(sc.total, expansion.where("heads = 9"), case("attn(2) bilinear")[2], size=3)) == []


# errors


def test_errors_of_blocks() -> None:
    expansion, _, frozen = case("attn(2) bilinear")
    assert block(expansion, 0, 12).number_of_terms == 12
    for start, stop in ((0, 13), (-1, 2), (3, 2)):
        with pytest.raises(TermIndexError, match=f"terms {start} to {stop} were asked for.* has 12 terms"):
            block(expansion, start, stop)
    with pytest.raises(SpecError, match="may begin and end within a class"):
        block(expansion, 0, 12).closed_form()
    with pytest.raises(SpecError, match="the number of heads is a symbol"):
        block(sc.path_expansion("attn(H)"), 0, 1)
    assert len(list(each_block(sc.total, expansion, frozen, size=12))) == 1
    for size in (0, True, 1.5):
        with pytest.raises(BudgetError, match="blocks have 1 term or more"):
            each_block(sc.total, expansion, frozen, size=size)
    with pytest.raises(BudgetError, match="1,000,000 at most; got a size of 5"):
        each_block(sc.total, sc.path_expansion("(attn(12) bilinear)*4"), frozen, size=5)
