"""Sums by grade of models with biases, norms, gates and scores without softmax: against term values, exactly modulo a prime and in floats."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from requirements import require
from strategies import freeze_real, real_transformers, real_weights

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, WeightsError
from symbolic_circuits.numeric import graded_series
from symbolic_circuits.numeric.activations import last_stream
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.checking import check_exactly
from symbolic_circuits.numeric.evaluate import stream_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_counts import GradeCounts
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.graded_streams import graded_streams
from symbolic_circuits.numeric.rounding import carried_rounding
from symbolic_circuits.numeric.running_errors import RunningErrors
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.summands import boxes
from symbolic_circuits.numeric.weights import layout

GRADES = {
    "order": lambda term: term.order,
    "height": lambda term: term.height,
    "degree": lambda term: term.degree,
    "heads": lambda term: kinds(term).count("attn"),
    "bilinears": lambda term: kinds(term).count("bilinear"),
}
MODELS = [
    "attn(2, bias) bilinear(bias)",
    "[b_U] attn(2) bilinear(b_1)",
    "attn(2, b_V)|bilinear(tied, b_1)",
    "[rms_norm] attn(2) bilinear",
    "[layer_norm, gains, b_U, learned] attn(2, bias, output_scale) bilinear(bias)",
    "[rms_norm, gains, post_norm] attn(2) bilinear(tied, b_1, b_out)",
    "[layer_norm, gains, post_norm] attn(2, b_V)|bilinear(b_2) bilinear",
    "bilinear(silu)*2",
    "[rotary, rms_norm] attn(2) bilinear(relu, bias)",
    "attn(1, linear)*2",
    "attn(1, bilinear, bias)",
    "attn(2, bilinear) bilinear(no residual)",
    "[rotary, b_U] attn(2, linear, bias) bilinear(no out, b_1)",
    "[shortformer, rms_norm] attn(2, bilinear) bilinear",
    "[shortformer] attn(1, linear, b_Q, b_V) attn(2, linear, no residual)",
    "[no embed, no unembed, layer_norm, gains] attn(2, b_V) bilinear(no out)",
    "attn(2, linear, frozen) bilinear(gelu, b_2)",
    "[no unembed] bilinear(no out, tied, b_1)",
    "[learned] attn(2, linear, no score_scale)",
]
QUERIES = ["attn", "bilinear > attn", "attn.*[0]", "not attn", "bilinear"]


def kinds(term: sc.Term) -> list[str]:
    """The kind of every node of a term as a tree."""
    return [term.component.kind, *(kind for x in term.inputs for kind in kinds(x))]


def exactly(model: str | sc.Transformer, seed: int = 0) -> Frozen:
    """Random residues in place of weights, patterns, scales and gates."""
    return check_exactly(sc.path_expansion(model), seed=seed)[1]


def sums_of_terms(expansion: sc.PathExpansion, frozen: Frozen, by: str) -> dict[int, np.ndarray]:
    """Grade -> sum of the values of its terms, one by one."""
    sums: dict[int, np.ndarray] = {}
    for term, value in zip(expansion, stream_values(expansion, frozen), strict=True):
        grade = GRADES[by](term)
        sums[grade] = frozen.reduce(sums.get(grade, 0) + value)
    return sums


def opened(frozen: Frozen) -> sc.PathExpansion:
    return sc.path_expansion(frozen.model)


def same(series: object, sums: dict[int, np.ndarray]) -> bool:
    """Whether a series has these sums, residues."""
    found = {series.first + k: series.array[:, k] for k in range(series.array.shape[1])}
    zero = np.zeros(series.array[:, 0].shape) if found else 0
    return all(np.array_equal(x, sums.get(k, zero)) for k, x in found.items()) and found.keys() >= sums.keys()


# tables


def test_boxes_cover_what_is_asked_for() -> None:
    assert boxes([(1, 3, 5), (1, 3, 6), (2, 3, 5), (2, 3, 6)]) == [((1, 2), (3,), (5, 6))]
    assert boxes([(1, 1), (1, 1)]) == [((1,), (1,)), ((1,), (1,))]  # asked for twice
    for keys in ([(1, 1), (1, 2), (2, 2)], [(1, 2), (2, 1)], [(1, 1, 1), (1, 2, 1), (2, 1, 1), (2, 2, 2)]):
        covered = [key for box in boxes(keys) for key in product_of(box)]
        assert Counter(covered) == Counter(keys)


def product_of(box: tuple) -> list[tuple]:
    return [()] if not box else [(x, *rest) for x in box[0] for rest in product_of(box[1:])]


@pytest.mark.parametrize("by", GRADES)
@pytest.mark.parametrize("model", MODELS)
def test_every_grade_is_the_sum_of_its_terms_modulo_a_prime(model: str, by: str) -> None:
    frozen = exactly(model)
    expansion = opened(frozen)
    sums = sums_of_terms(expansion, frozen, by)
    series = graded_streams(expansion, frozen, by)
    assert (series.first, series.stop) == (min(sums), max(sums) + 1) and same(series, sums)
    for up_to in (0, 2, 3):
        cut = graded_streams(expansion, frozen, by, up_to=up_to)
        assert same(cut, {k: x for k, x in sums.items() if k <= up_to}) and cut.stop <= max(up_to + 1, cut.first)


@pytest.mark.parametrize("by", GRADES)
@pytest.mark.parametrize("model", MODELS)
def test_what_is_reported(model: str, by: str) -> None:
    frozen = freeze_real(model)
    expansion = opened(frozen)
    sums, d = graded(expansion, frozen, by=by), 4
    counts = Counter(map(GRADES[by], expansion))
    assert sums.terms == tuple(counts[k] for k in sums.grades) and sum(sums.terms) == expansion.number_of_terms
    assert sums.verdict == "agrees" and sums.remainder < 1e-13 and sums.is_complete
    assert sums.streams.shape == (len(sums.grades), 3, d) and np.isclose(sums.shares.sum(), 1)
    by_terms = sums_of_terms(expansion, frozen, by)
    for k, stream in zip(sums.grades, sums.streams, strict=True):
        np.testing.assert_allclose(stream, by_terms[k][:, :d] if k in by_terms else 0 * stream, rtol=1e-10, atol=1e-12)
    if frozen.model.unembedding:
        np.testing.assert_allclose(sums.logits.sum(0), frozen.forward().output, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("model", MODELS[:7] + MODELS[9:14])
def test_parts_of_an_expansion(model: str, query: str) -> None:
    frozen = exactly(model, seed=3)
    parts = [opened(frozen).where(text) for text in (query, f"not ({query})")]
    for part in parts:
        for by in ("order", "height"):
            assert same(graded_streams(part, frozen, by), sums_of_terms(part, frozen, by))
    whole = sum(sc.total(part, frozen) for part in parts) % frozen.modulus
    assert np.array_equal(whole, frozen.forward().output)


# laws


@settings(max_examples=60)
@given(real_transformers(max_terms=300).filter(layout), st.integers(0, 2**16), st.sampled_from(list(GRADES)), st.integers(0, 6))
def test_grades_are_exact_modulo_a_prime(model: sc.Transformer, seed: int, by: str, up_to: int) -> None:
    frozen = exactly(model, seed)
    sums = sums_of_terms(opened(frozen), frozen, by)
    assert same(graded_streams(opened(frozen), frozen, by), sums)
    cut = graded_streams(opened(frozen), frozen, by, up_to=up_to)
    assert same(cut, {k: x for k, x in sums.items() if k <= up_to}) and cut.stop <= max(up_to + 1, cut.first)
    assert opened(frozen).interpret(GradeCounts(by, 10**6)) == Counter(map(GRADES[by], opened(frozen)))


@settings(max_examples=40)
@given(real_transformers(max_terms=10**9).filter(layout), st.integers(0, 2**16), st.sampled_from(list(GRADES)))
def test_grades_add_up_on_every_architecture(model: sc.Transformer, seed: int, by: str) -> None:
    frozen = freeze_real(model, seed)
    sums = graded(opened(frozen), frozen, by=by, up_to=40)
    assert sums.verdict == "agrees" or not sums.is_complete or sums.tolerance >= 1
    total = last_stream(frozen)
    np.testing.assert_allclose(frozen.output(total), frozen.forward().output, rtol=1e-12, atol=1e-13)


@settings(max_examples=25)
@given(real_transformers(max_terms=10**4).filter(layout), st.sampled_from(list(GRADES)), st.sampled_from([None, 0, 3]))
def test_tensors(model: sc.Transformer, by: str, up_to: int | None) -> None:
    require("torch")
    frozen = freeze_real(model)
    there = frozen.to_torch()
    assert np.allclose(as_numpy(sc.total(opened(frozen), there)), sc.total(opened(frozen), frozen), rtol=1e-11, atol=1e-11)
    found, expected = (graded_streams(opened(frozen), f, by, up_to=up_to) for f in (there, frozen))
    assert (found.first, found.stop) == (expected.first, expected.stop)
    scale = max(1.0, float(np.abs(expected.array).max(initial=0)))
    np.testing.assert_allclose(as_numpy(found.array), expected.array, rtol=1e-11, atol=1e-12 * scale)
    if up_to is None:
        assert graded(opened(frozen), there, by=by).verdict == graded(opened(frozen), frozen, by=by).verdict


@settings(max_examples=40)
@given(real_transformers(max_terms=300).filter(layout), st.integers(0, 2**16))
def test_errors_carried_along_bound_those_in_single_precision(model: sc.Transformer, seed: int) -> None:
    single = freeze_real(model, seed).astype(np.float32)
    single = replace(single, rotation=single.turned)  # the same numbers in both
    double, expansion = single.astype(np.float64), opened(single)
    assume(np.isfinite(single.forward().output).all())
    with np.errstate(all="ignore"):
        bound = expansion.interpret(RunningErrors(single))
        found, right = (expansion.interpret(Streams(f)).astype(np.float64) for f in (single, double))
        terms, exact = (stream_values(expansion, f).astype(np.float64) for f in (single, double))
    assert (np.linalg.norm(found - right, axis=1) <= bound.e * (1 + 1e-3) + 1e-30).all()
    assert (np.linalg.norm(exact, axis=2).sum(axis=0) <= bound.S * (1 + 1e-3)).all()
    assert (np.linalg.norm(terms - exact, axis=2).sum(axis=0) <= bound.E * (1 + 1e-3) + 1e-30).all()
    assert carried_rounding([expansion], single, range(3), 1.0) >= 0


# squares


@pytest.mark.parametrize(
    "model", ["[rotary] attn(3, linear, bias)*2", "[rms_norm] attn(3, bilinear, b_K)", "bilinear(relu, bias)*2"]
)
def test_pieces_change_nothing(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = freeze_real(model)
    whole = {by: graded_streams(opened(frozen), frozen, by).array for by in GRADES}
    monkeypatch.setattr(graded_series, "CHUNK", 1)
    for by, array in whole.items():
        np.testing.assert_allclose(graded_streams(opened(frozen), frozen, by).array, array, rtol=1e-12, atol=1e-13)


def test_a_layer_with_biases_is_one_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interaction, linear parts and constant at the stream plus the constant; all heads with their bias at once."""
    import symbolic_circuits.numeric.graded_streams as module

    called, right = [], module.product_by_sum
    monkeypatch.setattr(module, "product_by_sum", lambda *given: called.append(1) or right(*given))
    for model in ("bilinear(bias)", "bilinear(tied, bias)", "bilinear", "[b_U] bilinear(tied)"):
        called.clear()
        graded_streams(sc.path_expansion(model), freeze_real(model))
        assert len(called) == 1


def test_the_bias_of_the_output_is_in_the_logits() -> None:
    frozen = freeze_real("[b_U] attn(1)")
    sums = graded("[b_U] attn(1)", frozen, by="degree")
    assert sums.grades == (0, 1) and not sums.streams[0].any() and np.allclose(sums.logits[0], frozen.weights["b_U"])
    assert sums.total.shape == (3, 4) and np.isclose(sums.remainders[0], 1)
    losses = graded("[b_U] attn(1)", frozen, targets=[1, 2, 3])
    assert np.isclose(losses.loss, losses.losses[-1])
    alone = graded(sc.path_expansion("[b_U] attn(1)").where("one"), frozen)
    assert alone.verdict == "undecided" and np.allclose(alone.logits, frozen.weights["b_U"])


def test_single_precision() -> None:
    frozen = freeze_real("[layer_norm, gains] attn(2, linear, bias) bilinear(silu)").astype(np.float32)
    sums = graded(opened(frozen), frozen)
    assert sums.streams.dtype == np.float32 and sums.verdict == "agrees" and 1e-9 < sums.tolerance < 1e-1


# errors


def test_memory_is_refused_before_it_is_spent() -> None:
    frozen = freeze_real("attn(1, linear)*2", n=3)
    assert graded("attn(1, linear)*2", frozen).verdict == "agrees"
    with pytest.raises(BudgetError, match=r"grades by order of 'attn\(1, linear\)\*2' at 3 positions .* the limit is 10,000"):
        graded("attn(1, linear)*2", frozen, max_bytes=10_000)
    long = freeze_real("attn(1, linear)", n=5)
    assert graded("attn(1, linear)", long, max_bytes=2**26).verdict == "agrees"


def test_activations_that_overflow_are_named() -> None:
    weights = real_weights("[no unembed] attn(1, linear)*5")
    assert graded(weights.model, weights, [1, 2], up_to=3).verdict == "agrees"
    huge = sc.Weights(weights.model, {name: array * 1e20 for name, array in weights.arrays.items()})
    with pytest.raises(WeightsError, match=r"'\[no unembed\] attn\(1, linear\)\*5' are not finite after attn\.\d"):
        graded(weights.model, huge, [1, 2], up_to=3)
