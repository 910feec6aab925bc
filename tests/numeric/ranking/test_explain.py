"""The fewest terms that explain a prediction: against all subsets one by one, models whose terms are known, and term values."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TermIndexError, TokensError, WeightsError
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking import explain as module
from symbolic_circuits.numeric.ranking.candidates import Candidates
from symbolic_circuits.numeric.ranking.explain import explain
from symbolic_circuits.numeric.ranking.rank import rank
from symbolic_circuits.numeric.ranking.small_sets import (
    exchanged,
    exchanged_vectors,
    fewest,
    grown,
    small_set,
    within_shortlist,
)
from symbolic_circuits.numeric.ranking.subset import nearest_vectors, smallest_subset
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.ranking_figure import draw_explanation, draw_ranking

MODELS = ["attn(2) bilinear", "attn(2)*2", "bilinear(tied)*2", "attn(2)|bilinear", "[no embed, no unembed] attn(1) bilinear"]
FRACTIONS = [0.3, 0.6, 0.9, 0.99, 1.0]


def frozen_of(model: str, seed: int = 1, **sizes: int) -> Frozen:
    weights = sc.Weights.random(model, **({"d": 5, "V": 7, "e": 2, "m": 6} | sizes), seed=seed)
    generator = np.random.default_rng(seed)
    width = weights.model.embedding and weights.size(weights.model.V)
    return sc.freeze(weights, generator.integers(0, width, 4) if width else generator.standard_normal((4, 5)))


def by_all_subsets(values: np.ndarray, fraction: float) -> int:
    """The least size of a set of rows that explains their sum, by trying all sets; rounding is let in."""
    total, slack = values.sum(axis=0), 1e-11 * np.linalg.norm(values, axis=1).sum()
    radius = (1 - fraction) * np.linalg.norm(total) + slack
    for size in range(len(values) + 1):
        for chosen in itertools.combinations(range(len(values)), size):
            if np.linalg.norm(values[list(chosen)].sum(axis=0) - total) <= radius:
                return size
    raise AssertionError("all terms explain themselves")


def taking(share: float) -> Frozen:
    """A model whose only head takes away a share of the stream: its terms are x and -share x."""
    weights = sc.Weights.random("attn(1)", d=4, V=5, e=4, seed=0)
    arrays = dict(weights.arrays) | {"attn.0.W_V": np.eye(4)[None], "attn.0.W_O": -share * np.eye(4)[None]}
    return sc.freeze(sc.Weights(weights.model, arrays), [2])


def candidates_of(values: np.ndarray) -> Candidates:
    total = values.sum(axis=0)
    along = values @ (total / np.linalg.norm(total))
    return Candidates((), values, along, 0, 0.0, 1e-12 * np.abs(values).sum())


# tables


@pytest.mark.parametrize("fraction", FRACTIONS)
@pytest.mark.parametrize("readout", [{"token": 2}, {"token": 2, "against": 4}, {"direction": [1.0, -2, 0, 0, 3]}, {}])
@pytest.mark.parametrize("model", MODELS)
def test_the_minimum_is_that_of_all_subsets(model: str, readout: dict, fraction: float) -> None:
    frozen, expansion = frozen_of(model), sc.path_expansion(model)
    outputs = output_values(expansion, frozen, [-1])[:, 0]
    if "direction" in readout and outputs.shape[1] == 7:
        readout = {"direction": [*readout["direction"], 0.0, 1.0]}
    values = outputs
    if readout:
        u = np.zeros(outputs.shape[1])
        u[readout.get("token", 0)], u[readout.get("against", 0)] = 1, -1 if "against" in readout else 0
        u[2] = 1 if "token" in readout else 0
        values = (outputs @ (np.array(readout["direction"]) if "direction" in readout else u))[:, None]
    found = explain(expansion, frozen, **readout, fraction=fraction)
    assert len(values) <= 12 and found.candidates == len(values) == expansion.number_of_terms
    assert found.is_minimal and found.size == found.lower_bound == by_all_subsets(values, fraction)
    chosen = [expansion.index(term) for term, _ in found]
    assert len(set(chosen)) == found.size
    left = np.linalg.norm(values[chosen].sum(axis=0) - values.sum(axis=0))
    assert np.isclose(found.left, left, atol=1e-12) and np.isclose(abs(found.total), np.linalg.norm(values.sum(axis=0)))
    assert left <= (1 - fraction) * abs(found.total) + found.rounding and found.reached >= fraction - 1e-9


@pytest.mark.parametrize(
    ("share", "fraction", "size", "words"),
    [
        (0.9, 0.9, 2, "2 of 2 terms explain 100 %"),  # x is ten times the total
        (0.05, 0.9, 1, "1 of 2 terms explains 94.74 % of the total (90 % asked for): this is the minimum"),
        (0.05, 0.96, 2, "this is the minimum"),
        (-1 / 9, 0.9, 1, "90 % of the total (90 % asked for), up to rounding"),  # x is nine tenths, exactly
        (-1 / 9, 0.9001, 2, "this is the minimum"),
        (-1 / 9, 0.8999, 1, "(89.99 % asked for): this is the minimum"),
        (0.0, 1.0, 1, "1 of 2 terms explains 100 % of the total (100 % asked for), up to rounding"),
    ],
)
def test_two_terms_of_one_direction(share: float, fraction: float, size: int, words: str) -> None:
    for readout in ({"token": 1}, {"token": 1, "against": 3}, {}):
        found = explain("attn(1)", taking(share), **readout, fraction=fraction)
        assert found.size == size and found.is_minimal and words in found.summary()
        assert found.is_up_to_rounding == ("rounding" in words) or fraction == 1 or size == 2


def test_terms_that_cancel_are_no_fraction_of_anything() -> None:
    found = explain("attn(1)", taking(1.0), token=1)
    assert found.size is None and not found.is_explained and not found.is_minimal and len(found) == 0
    assert "not explained: the total cancels" in found.summary() and "at least 0 of 2 terms" in found.summary()
    assert explain("attn(1)", taking(1 - 1e-9), token=1).size == 2
    nothing = explain("attn(1)", taking(1.0))
    assert not nothing.is_explained and (nothing.total == 0 or nothing.reached < 1)


@pytest.mark.parametrize(
    ("along", "bound", "others", "needed", "expected"),
    [
        ([5.0, 3.0, -2.0], 0.0, 0, 0.0, 0),
        ([5.0, 3.0, -2.0], 0.0, 0, 5.0, 1),
        ([5.0, 3.0, -2.0], 0.0, 0, 5.1, 2),
        ([5.0, 3.0, -2.0], 0.0, 0, 9.0, 2),
        ([5.0, 3.0], 1.0, 10, 9.5, 4),
        ([5.0, 3.0], 4.0, 10, 9.5, 3),  # others may be larger than those that are known
        ([5.0, 3.0], 4.0, 1, 11.0, 3),
        ([], 0.5, 13**12, 100.0, 200),
        ([1.0], 1e-300, 10**40, 2.0, 1 + 10**40),
        ([1.0], 0.0, 10**40, 2.0, 1),
    ],
)
def test_lower_bounds(along: list, bound: float, others: int, needed: float, expected: int) -> None:
    assert fewest(np.array(along), bound, others, needed) == expected


# laws


@settings(max_examples=60)
@given(st.integers(0, 9), st.sampled_from([1, 2, 12]), st.integers(0, 2**16), st.floats(0, 2), st.booleans())
def test_the_smallest_subset_is_that_of_all_subsets(m: int, q: int, seed: int, radius: float, integers: bool) -> None:
    generator = np.random.default_rng(seed)
    values = generator.integers(-3, 4, (m, q)).astype(float) if integers else generator.standard_normal((m, q))
    total = generator.integers(-3, 4, q).astype(float)
    found = smallest_subset(values, total, radius)
    distances = {
        chosen: float(np.linalg.norm(values[list(chosen)].sum(axis=0) - total))
        for size in range(m + 1)
        for chosen in itertools.combinations(range(m), size)
    }
    within = [chosen for chosen, distance in distances.items() if distance <= radius * (1 + 1e-12) + 1e-12]
    if found is None:
        assert all(distances[chosen] > radius * (1 - 1e-12) - 1e-12 for chosen in within)
        return
    chosen, distance = found
    assert distance <= radius and math.isclose(distance, distances[chosen], abs_tol=1e-9)
    assert len(chosen) == min(map(len, within)) or distances[min(within, key=len)] > radius * (1 - 1e-12) - 1e-12
    assert all(distance <= other + 1e-9 for other_set, other in distances.items() if len(other_set) == len(chosen))


def test_distances_that_lose_digits_as_squares_are_taken_of_sums() -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_normal((14, 3)) * 10.0 ** generator.integers(0, 7, (14, 1))
    chosen = [0, 3, 5, 8, 13]
    found = smallest_subset(values, values[chosen].sum(axis=0), 1e-8)
    assert found is not None and found[0] == tuple(chosen)
    assert nearest_vectors(np.ones((3, 2)), np.zeros((2, 2)), 1.0) is None


@settings(max_examples=60)
@given(st.integers(2, 9), st.sampled_from([1, 3]), st.integers(0, 2**16), st.sampled_from([0.5, 0.8, 0.95]))
def test_sets_that_are_searched_for_are_near_and_not_below_the_minimum(m: int, q: int, seed: int, fraction: float) -> None:
    values = np.random.default_rng(seed).standard_normal((m, q))
    known = candidates_of(values)
    total, size = values.sum(axis=0), float(np.linalg.norm(values.sum(axis=0)))
    along = known.along
    radius, least = (1 - fraction) * size + known.rounding, by_all_subsets(values, fraction)
    assert fewest(along, 0.0, 0, size - radius) <= least
    for search in (exchanged if q == 1 else exchanged_vectors, grown, within_shortlist):
        found = search(values, along, total, radius, range(m + 1), math.inf)
        if found is not None:
            assert len(set(found.tolist())) == len(found) >= least
            assert np.linalg.norm(values[found].sum(axis=0) - total) <= radius * (1 + 1e-12)
    assert len(within_shortlist(values, along, total, radius, range(m + 1), math.inf)) == least


@settings(max_examples=40)
@given(st.integers(26, 60), st.integers(0, 2**16), st.sampled_from([0.5, 0.9, 0.99]), st.booleans())
def test_many_numbers(m: int, seed: int, fraction: float, heavy: bool) -> None:
    """One and two of them exactly: what is claimed to be the minimum has no smaller set, by trying all sets of up to two."""
    generator = np.random.default_rng(seed)
    values = (generator.standard_cauchy((m, 1)) if heavy else generator.standard_normal((m, 1))) + 0.2
    known, total = candidates_of(values), values.sum(axis=0)
    radius = (1 - fraction) * abs(total[0]) + known.rounding
    chosen, lower = small_set(known, total, radius)
    assert len(chosen) >= lower and abs(values[chosen].sum() - total[0]) <= radius * (1 + 1e-12)
    pairs = np.abs(values + values.T - total)[np.triu_indices(m, 1)].min() <= radius * (1 - 1e-12)
    single = np.abs(values - total).min() <= radius * (1 - 1e-12)
    assert len(chosen) == 1 if single else len(chosen) == 2 if pairs else lower >= 3


def test_a_set_that_is_planted_among_many_vectors_is_found() -> None:
    generator = np.random.default_rng(3)
    large, small = generator.standard_normal((4, 8)), 1e-3 * generator.standard_normal((200, 8))
    values = np.concatenate([small, large])[generator.permutation(204)]
    known, total = candidates_of(values), values.sum(axis=0)
    chosen, lower = small_set(known, total, 0.05 * float(np.linalg.norm(total)))
    assert lower <= len(chosen) <= 4


def test_a_few_large_vectors_are_not_lost_among_many_small_ones() -> None:
    generator = np.random.default_rng(5)
    values = np.concatenate([1e-4 * generator.standard_normal((100, 6)), generator.standard_normal((12, 6))])
    values = values[generator.permutation(112)]
    known, total = candidates_of(values), values.sum(axis=0)
    radius = 0.1 * float(np.linalg.norm(total))
    chosen, lower = small_set(known, total, radius)
    large = np.flatnonzero(np.linalg.norm(values, axis=1) > 0.1)
    least = by_all_subsets(values[large], 0.9)  # the small ones add up to a thousandth
    assert lower <= len(chosen) <= least <= 12
    assert np.linalg.norm(values[chosen].sum(axis=0) - total) <= radius


def test_the_sum_is_of_all_terms_whatever_their_number() -> None:
    frozen, expansion = frozen_of("attn(3)*3"), sc.path_expansion("attn(3)*3")
    output = frozen.forward().output[-1]
    values = output_values(expansion, frozen, [-1])[:, 0]
    for fraction in (0.4, 0.7):
        number, vector = explain(expansion, frozen, token=3, fraction=fraction), explain(expansion, frozen, fraction=fraction)
        assert np.isclose(number.total, output[3]) and np.isclose(vector.total, np.linalg.norm(output))
        for found, part in ((number, values[:, [3]]), (vector, values)):
            chosen = [expansion.index(term) for term, _ in found]
            left = np.linalg.norm(part[chosen].sum(axis=0) - part.sum(axis=0))
            assert left <= (1 - fraction) * abs(found.total) * (1 + 1e-12) and np.isclose(left, found.left)
            assert 0 < found.lower_bound <= found.size <= 64
    assert np.isclose(sum(value for _, value in number), number.sum)


# squares


@pytest.mark.parametrize("readout", [{"token": 3}, {"token": 3, "against": 1}, {}])
def test_ranked_terms_explain_as_those_evaluated_one_by_one(readout: dict) -> None:
    frozen, expansion = frozen_of("attn(4)*3"), sc.path_expansion("attn(4)*3")
    for fraction in (0.5, 0.9):
        every, largest = (explain(expansion, frozen, **readout, fraction=fraction, max_terms=limit) for limit in (10**6, 0))
        assert every.candidates == 125 and largest.candidates in (64, 125) and largest.bound >= 0
        assert np.isclose(every.total, largest.total) and largest.is_explained
        assert max(every.lower_bound, largest.lower_bound) <= min(every.size, largest.size)
        if every.is_minimal and largest.is_minimal:
            assert every.size == largest.size


def test_the_largest_terms_are_taken_until_they_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen, expansion, asked = frozen_of("attn(4)*3"), sc.path_expansion("attn(4)*3"), []
    right = module.largest_candidates
    monkeypatch.setattr(module, "FIRST", 1)
    monkeypatch.setattr(module, "largest_candidates", lambda *given: asked.append(given[3]) or right(*given))
    found = explain(expansion, frozen, token=3, fraction=0.99, max_terms=0)
    assert asked == [4**k for k in range(len(asked))] and len(asked) > 1 and found.is_explained
    monkeypatch.setattr(module, "MAX_SIZE", 2)
    short = explain(expansion, frozen, fraction=0.99, max_terms=0)
    assert not short.is_explained and short.lower_bound >= 1 and "not explained: no set of the 2 largest" in short.summary()


def test_a_query_is_explained_by_its_own_terms() -> None:
    frozen = frozen_of("(attn(2) bilinear)*2")
    part = sc.path_expansion("(attn(2) bilinear)*2").where("attn.0[1]")
    found = explain(part, frozen, token=3, fraction=0.8)
    assert np.isclose(found.total, sc.total(part, frozen)[-1, 3])
    assert found.is_explained and all("attn.0[1]" in str(term) for term, _ in found)
    none = explain(part.where("not attn.0[1]"), frozen, token=3)
    assert none.size == 0 and none.is_minimal and none.rows() == [] and "there is no term to explain with" in str(none)


def test_float32_weights_are_explained_in_double_precision() -> None:
    frozen = frozen_of("attn(2) bilinear")
    double, single = (explain("attn(2) bilinear", frozen.astype(kind), token=2) for kind in (np.float64, np.float32))
    assert double.size == single.size and single.rounding < 1e-10
    np.testing.assert_allclose(single.total, double.total, rtol=1e-5)


def test_an_explanation_is_small_where_its_time_ends() -> None:
    frozen = frozen_of("(attn(2) bilinear)*2")
    short, long = (explain("(attn(2) bilinear)*2", frozen, fraction=0.8, seconds=s) for s in (1e-9, None))
    assert short.is_explained and short.size >= long.size >= long.lower_bound == short.lower_bound


def test_plain_data() -> None:
    weights = sc.Weights.example()
    found = explain(sc.path_expansion(weights.model), weights, [0, 2, 31], token=2, against=20)
    data, rows = found.to_dict(), found.rows()
    assert data["terms"] == rows and data["size"] == 3 and data["is_minimal"] and data["stopped"] is None
    assert [row["rank"] for row in rows] == [1, 2, 3] and np.isclose(rows[-1]["so_far"], found.sum / found.total)
    assert str(found).startswith("logit 2 - logit 20 at position 2 of ") and "3 of 12 terms explain" in str(found)


def test_pictures() -> None:
    pytest.importorskip("matplotlib")
    frozen, expansion = frozen_of("attn(4)*3"), sc.path_expansion("attn(4)*3")
    found = explain(expansion, frozen, fraction=0.99)
    bars, curve = draw_explanation(found)
    assert len(bars.patches) == min(24, found.size) and len(curve.lines[-1].get_xdata()) == found.size + 1
    assert curve.lines[-1].get_ydata()[-1] == found.rows()[-1]["so_far"] and "along the total" in bars.get_xlabel()
    assert b"<svg" in to_image(bars.figure, ".svg")
    ax = draw_ranking(rank(expansion, frozen, token=3, top=5))
    assert len(ax.patches) == 6 and "no other of 125 terms exceeds" in ax.get_legend().get_texts()[0].get_text()
    with pytest.raises(BudgetError, match="a picture of 100 bars was asked for; the limit is 60"):
        draw_ranking(rank(expansion, frozen, token=3, top=100))


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"fraction": 0}, TermIndexError, "over 0 and at most 1; got 0"),
        ({"fraction": 1.01}, TermIndexError, "over 0 and at most 1; got 1.01"),
        ({"fraction": float("nan")}, TermIndexError, "at most 1; got nan"),
        ({"fraction": True}, TermIndexError, "at most 1; got True"),
        ({"fraction": "half"}, TermIndexError, "at most 1; got 'half'"),
        ({"seconds": 0}, TermIndexError, "seconds is a time, over 0; got 0"),
        ({"max_terms": -1}, TermIndexError, "one by one; got -1"),
        ({"token": 7}, TokensError, r"token 7 is outside range\(7\)"),
        ({"token": None, "against": 3}, TokensError, "a token against another"),
        ({"direction": [1.0]}, TokensError, "a readout is a token"),
        ({"token": None, "direction": [1.0]}, TokensError, "got shape"),
        ({"position": 4}, TokensError, "position 4 is outside a sequence of 4"),
        ({"tokens": [1, 2]}, TokensError, "have their tokens already"),
        ({"expansion": "attn(3) bilinear"}, SpecError, "but the weights are of"),
        ({"expansion": "attn(H) bilinear"}, SpecError, "cannot be listed: the number of heads is a symbol"),
    ],
)
def test_errors(given: dict, error: type[Exception], message: str) -> None:
    asked = {"expansion": "attn(2) bilinear", "weights": frozen_of("attn(2) bilinear"), "token": 3}
    assert explain(**asked).is_explained
    with pytest.raises(error, match=message):
        explain(**(asked | given))


def test_activations_that_overflow_are_named() -> None:
    weights = sc.Weights.random("bilinear*5", d=5, V=7, m=6, seed=1)
    assert explain("bilinear*5", weights, [1, 2], token=3).is_explained
    huge = sc.Weights(weights.model, {name: array * 1e60 for name, array in weights.arrays.items()})
    with pytest.raises(WeightsError, match=r"not finite after bilinear\.1"):
        explain("bilinear*5", huge, [1, 2], token=3)


def test_values_modulo_a_prime_have_no_size() -> None:
    frozen = frozen_of("attn(1)")
    integers = Frozen(frozen.model, frozen.arrays, frozen.patterns, frozen.source, 101)
    with pytest.raises(SpecError, match="values modulo 101 have no size"):
        explain("attn(1)", integers, token=3)


def test_the_exact_search_has_a_limit() -> None:
    values = np.arange(26.0)[:, None]
    assert smallest_subset(values[:25], np.array([24.0]), 0.1) == ((24,), 0.0)
    with pytest.raises(BudgetError, match="26 candidates was asked for; the limit is 25"):
        smallest_subset(values, np.array([24.0]), 0.1)
