"""Sums by grade against sums of term values (in floats and exactly modulo a prime), the rerun algorithm, and the forward pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import frozen_models, transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import (
    BudgetError,
    NotationError,
    ShapeError,
    SpecError,
    TermIndexError,
    TokensError,
    WeightsError,
)
from symbolic_circuits.numeric.checking import EXACT_SIZES, PRIME
from symbolic_circuits.numeric.evaluate import stream_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_counts import GradeCounts
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.graded_streams import graded_streams
from symbolic_circuits.numeric.weights import layout
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.graded_figure import draw_graded
from symbolic_circuits.spec import Attention

GRADES = {
    "order": lambda term: term.order,
    "height": lambda term: term.height,
    "degree": lambda term: term.degree,
    "heads": lambda term: kinds(term).count("attn"),
    "bilinears": lambda term: kinds(term).count("bilinear"),
}
CASES = [
    "attn(2) bilinear",
    "attn(3)*3",
    "attn(2) bilinear attn(1) bilinear(tied) attn(2)",
    "bilinear(no residual) attn(2, no residual) bilinear(tied)",
    "((attn(2)|bilinear)[no residual])*2",
    "[no embed, no unembed] attn(2)|bilinear(no out)",
    "bilinear*3",
    "[no unembed]",
]


def kinds(term: sc.Term) -> list[str]:
    """The kind of every node of a term as a tree."""
    return [term.component.kind, *(kind for x in term.inputs for kind in kinds(x))]


def weights_of(model: str) -> sc.Weights:
    return sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=1)


def tokens_of(weights: sc.Weights, n: int = 4) -> np.ndarray:
    generator = np.random.default_rng(2)
    return generator.integers(0, 7, n) if weights.model.embedding else generator.standard_normal((n, 5))


def by_brute_force(frozen: Frozen, by: str) -> dict[int, np.ndarray]:
    """Grade -> sum of the values of its terms, one by one."""
    expansion, sums = sc.path_expansion(frozen.model), {}
    for term, value in zip(expansion, stream_values(expansion, frozen), strict=True):
        grade = GRADES[by](term)
        sums[grade] = frozen.reduce(sums.get(grade, 0) + value)
    return sums


def exactly(model: sc.Transformer, seed: int) -> Frozen:
    """Small integers modulo a prime in place of weights and patterns."""
    generator = np.random.default_rng(seed)
    letters = {name: value for name, value in EXACT_SIZES.items() if name in map(str, model.symbolic_sizes)}
    others = {str(size): 2 for size in model.symbolic_sizes if str(size) not in letters}
    number = lambda size: size if isinstance(size, int) else (letters | others)[str(size)]  # noqa: E731
    n, draw = number(model.n), lambda shape: generator.integers(0, PRIME, tuple(map(number, shape)))
    arrays = {name: draw(shape) for name, shape in layout(model).items()}
    patterns = {k: draw((spec.heads, n, n)) for k, spec in model.numbered() if isinstance(spec, Attention)}
    source = generator.integers(0, number(model.V), n) if model.embedding else draw((n, model.d))
    return Frozen(model, arrays, patterns, source, PRIME)


# tables


@pytest.mark.parametrize("by", GRADES)
@pytest.mark.parametrize("model", CASES)
def test_every_grade_is_the_sum_of_its_terms(model: str, by: str) -> None:
    weights, expansion = weights_of(model), sc.path_expansion(model)
    tokens = tokens_of(weights)
    sums, terms = graded(expansion, weights, tokens, by=by), by_brute_force(sc.freeze(weights, tokens), by)
    assert sums.grades == tuple(range(min(terms), max(terms) + 1)) and sums.is_complete and sums.verdict == "agrees"
    counted = [GRADES[by](term) for term in expansion]
    for k, grade in enumerate(sums.grades):
        assert np.allclose(sums.streams[k], terms.get(grade, 0), rtol=1e-11, atol=1e-13)
        assert sums.terms[k] == counted.count(grade)
    if weights.model.unembedding:
        assert np.allclose(sums.logits.sum(0), sc.freeze(weights, tokens).forward().output, rtol=1e-11, atol=1e-12)
    assert sums.remainder < 1e-13 and np.isclose(sums.shares.sum(), 1)
    assert np.isclose(sums.cancellation, sums.norms.sum() / np.linalg.norm(sums.total))


@pytest.mark.parametrize(
    ("model", "by", "expected"),
    [
        ("bilinear*3", "order", (1, 3, 6, 9, 10, 8, 4, 1)),
        ("bilinear*3", "height", (1, 3, 11, 27)),
        ("bilinear*3", "degree", (1, 3, 6, 9, 10, 8, 4, 1)),
        ("bilinear(tied)*2", "degree", (1, 2, 1, 1)),
        ("attn(8)*2", "order", (1, 16, 64)),
        ("attn(8)*2", "height", (1, 16, 64)),
    ],
)
def test_terms_of_each_grade_are_counted(model: str, by: str, expected: tuple[int, ...]) -> None:
    weights = sc.Weights.random(model, d=2, V=3, e=1, m=2, seed=0)
    assert graded(sc.path_expansion(model), weights, [1, 2], by=by).terms == expected


def test_grade_counts_are_the_coefficients_of_the_generating_function() -> None:
    for model in ("(attn(3) bilinear(tied))*2", "bilinear|attn(2) bilinear"):
        expansion = sc.path_expansion(model)
        for by in ("order", "degree", "heads", "bilinears"):
            expected = {degree: int(c) for (degree,), c in expansion.count_by(by).as_poly().terms()}
            assert expansion.interpret(GradeCounts(by, 10**6)) == expected
            assert expansion.interpret(GradeCounts(by, 2)) == {k: c for k, c in expected.items() if k <= 2}


# laws


@settings(max_examples=40)
@given(transformers(max_terms=200).filter(layout), st.integers(0, 2**16), st.sampled_from(list(GRADES)), st.integers(0, 6))
def test_grades_are_exact_modulo_a_prime(model: sc.Transformer, seed: int, by: str, up_to: int) -> None:
    frozen = exactly(model, seed)
    terms = by_brute_force(frozen, by)
    series = graded_streams(sc.path_expansion(model), frozen, by)
    cut = graded_streams(sc.path_expansion(model), frozen, by, up_to=up_to)
    assert (series.first, series.stop) == (min(terms), max(terms) + 1)
    assert cut.array.shape[1] == max(0, min(up_to, max(terms)) - min(terms) + 1)
    for k in range(series.first, series.stop):
        assert np.array_equal(series.array[:, k - series.first], np.broadcast_to(terms.get(k, 0), frozen.x0.shape))
        if k <= up_to:
            assert np.array_equal(cut.array[:, k - cut.first], series.array[:, k - series.first])
    total = frozen.reduce(series.array.sum(axis=1)).astype(object)
    assert np.array_equal(total, frozen.forward().streams[-1])


@settings(max_examples=30)
@given(frozen_models(max_terms=None), st.sampled_from(list(GRADES)))
def test_grades_add_up_on_every_architecture(frozen: Frozen, by: str) -> None:
    series = graded_streams(sc.path_expansion(frozen.model), frozen, by).array
    assert np.allclose(series.sum(axis=1), frozen.forward().streams[-1], rtol=1e-9, atol=1e-9 * max(1, np.abs(series).sum()))


@pytest.mark.parametrize("model", ["attn(2)*3", "attn(2) bilinear attn(1) bilinear", "(attn(2)|bilinear)*2", "bilinear(tied)*3"])
def test_runs_of_the_ablation_algorithm_are_sums_by_height(model: str) -> None:
    """Saved patterns; the first run adds zero in place of every block, each later run what the blocks gave in the run before."""
    weights = weights_of(model)
    frozen = sc.freeze(weights, tokens_of(weights))
    sums = graded(sc.path_expansion(model), weights, frozen.source, by="height")
    arrays, recorded = weights.arrays, {}
    for run in range(len(sums.grades) + 2):
        x, outputs = arrays["W_E"].T[frozen.source], {}
        for step in weights.model.steps:
            added = np.zeros_like(x)
            for index, spec in step.blocks:
                if isinstance(spec, Attention):
                    V, O = arrays[f"attn.{index}.W_V"], arrays[f"attn.{index}.W_O"]  # noqa: E741
                    outputs[index] = sum(frozen.patterns[index][h] @ x @ V[h].T @ O[h].T for h in range(spec.heads))
                else:
                    left = arrays[f"bilinear.{index}.W_1"]
                    right = left if spec.tied else arrays[f"bilinear.{index}.W_2"]
                    outputs[index] = ((x @ left.T) * (x @ right.T)) @ arrays[f"bilinear.{index}.W_out"].T
                added = added + recorded.get(index, 0)
            x = x + added
        np.testing.assert_allclose(x, sums.streams[: run + 1].sum(0), rtol=1e-10, atol=1e-12)
        recorded = outputs
    assert len(sums.grades) == 1 + len(weights.model.steps)


def test_order_is_height_where_there_is_only_attention() -> None:
    weights = weights_of("attn(3)*3")
    tokens, expansion = tokens_of(weights), sc.path_expansion(weights.model)
    by_order, by_height = (graded(expansion, weights, tokens, by=by) for by in ("order", "height"))
    assert by_order.terms == by_height.terms
    assert np.allclose(by_order.streams, by_height.streams, rtol=1e-13)


# squares


def test_a_part_of_the_grades_positions_and_logits() -> None:
    weights, model = weights_of("(attn(2) bilinear)*2"), "(attn(2) bilinear)*2"
    tokens, expansion = tokens_of(weights), sc.path_expansion(model)
    whole = graded(expansion, weights, tokens, targets=[1, 2, 3, 4])
    part = graded(expansion, weights, tokens, up_to=4, positions=[-1, 1], logits=[6, 2], targets=[4, 2])
    assert part.grades == (0, 1, 2, 3, 4) and not part.is_complete and part.verdict == "agrees"
    assert part.positions == (3, 1) and part.logits_of == (6, 2)
    assert np.allclose(part.logits, whole.logits[:5, [3, 1]][:, :, [6, 2]], rtol=1e-12)
    left = whole.total[[3, 1]] - whole.streams[:5, [3, 1]].sum(0)
    assert np.isclose(part.remainder, np.linalg.norm(left) / np.linalg.norm(whole.total[[3, 1]]))
    assert "grades 5 to 9 are left out" in part.summary()
    output = sc.freeze(weights, tokens).forward().output
    expected = [np.log(np.exp(row).sum()) - row[target] for row, target in zip(output, [1, 2, 3, 4], strict=True)]
    assert np.isclose(whole.loss, np.mean(expected)) and np.isclose(whole.losses[-1], whole.loss)
    assert part.rows()[2]["loss"] == part.losses[2] and "loss" not in graded(expansion, weights, tokens).rows()[0]


def test_more_grades_than_there_are_is_all_there_is() -> None:
    weights = weights_of("attn(2) bilinear")
    sums = graded("attn(2) bilinear", weights, [1, 2], up_to=10**30)
    assert sums.grades == (0, 1, 2, 3) and sums.is_complete
    assert "that is all there is, by order 0 to 3" in sums.summary() and "was asked for" in str(sums)


def test_no_grade_up_to_the_lowest() -> None:
    weights = weights_of("bilinear(no residual)*2")
    sums = graded("bilinear(no residual)*2", weights, [1, 2], by="degree", up_to=3)
    assert sums.grades == () and sums.remainder == 1 and sums.rows() == [] and "grades 4 to 4 are left out" in str(sums)


def test_an_expansion_that_is_a_part_is_compared_with_the_sum_of_its_terms() -> None:
    weights, whole = weights_of("attn(2) bilinear"), sc.path_expansion("attn(2) bilinear")
    rules = whole.grammar.nonterminals
    part = sc.PathExpansion(type(whole.grammar)(whole.model, (*rules[:2], rules[2][1:])))  # terms through the bilinear layer
    sums = graded(part, weights, [1, 2, 3])
    assert sums.grades == (1, 2, 3) and sums.terms == (1, 4, 4) and sums.verdict == "agrees" and "ungraded" in sums.total_of
    none = sc.PathExpansion(type(whole.grammar)(whole.model, (*rules[:2], ())))
    nothing = graded(none, weights, [1, 2, 3])
    assert nothing.grades == () and "there are no terms" in str(nothing)


def test_cancellation_is_seen() -> None:
    """One head that takes away 0.999 of the stream, or all of it."""
    weights = sc.Weights.random("attn(1)", d=4, V=5, e=4, seed=0)
    taken = lambda share: dict(weights.arrays) | {"attn.0.W_V": np.eye(4)[None], "attn.0.W_O": -share * np.eye(4)[None]}  # noqa: E731
    most = graded("attn(1)", sc.Weights(weights.model, taken(0.999)), [2])
    assert np.isclose(most.cancellation, 1999) and np.allclose(most.shares, [1000, -999]) and most.verdict == "agrees"
    everything = graded("attn(1)", sc.Weights(weights.model, taken(1.0)), [2])
    assert np.isnan(everything.cancellation) and everything.verdict == "undecided"


def test_float32_and_integer_residual_input() -> None:
    weights = weights_of("[no embed] attn(2) bilinear")
    x = np.arange(15).reshape(3, 5) % 4
    sums = graded("[no embed] attn(2) bilinear", weights, x)
    assert sums.streams.dtype == np.float64 and sums.remainder < 1e-14
    single = graded("[no embed] attn(2) bilinear", weights.astype(np.float32), x.astype(np.float32))
    assert single.streams.dtype == np.float32 and 0 < single.remainder < single.tolerance < 1e-2


def test_an_error_in_the_grades_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbolic_circuits.numeric.graded_streams as module

    weights = weights_of("attn(2) bilinear")
    assert graded("attn(2) bilinear", weights, [1, 2]).verdict == "agrees"
    right = module.product_by_sum
    monkeypatch.setattr(module, "product_by_sum", lambda *given: right(*given) * (1 + 1e-10))
    assert graded("attn(2) bilinear", weights, [1, 2]).verdict == "differs"


def test_progress_and_plain_data() -> None:
    weights, seen = weights_of("(attn(2) bilinear)*2"), []
    sums = graded("(attn(2) bilinear)*2", weights, [1, 2], progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen) and seen[-1][0] == seen[-1][1]
    data = sums.to_dict()
    assert data["rows"] == sums.rows() and data["cancellation"] == sums.cancellation and len(data["logits"]) == 10


def test_pictures() -> None:
    pytest.importorskip("matplotlib")
    weights = weights_of("attn(2) bilinear")
    (ax,) = draw_graded(graded("attn(2) bilinear", weights, [1, 2]))
    assert ax.get_xlabel() == "order" and ax.get_yscale() == "log" and len(ax.patches) == 4
    both = draw_graded(graded("attn(2) bilinear", weights, [1, 2], targets=[3, 4], by="height"))
    assert len(both) == 2 and b"<svg" in to_image(both[0].figure, ".svg")
    with pytest.raises(ShapeError, match="takes 1 axes; got 2"):
        draw_graded(graded("attn(2) bilinear", weights, [1, 2]), both)


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"by": "size"}, NotationError, "graded by order, .*height; got 'size'"),
        ({"up_to": -1}, TermIndexError, "grades begin with 0; got up_to=-1"),
        ({"up_to": 1.5}, TypeError, "an integer; got 1.5"),
        ({"positions": [3]}, TokensError, "position 3 is outside a sequence of 3 positions"),
        ({"positions": []}, TokensError, "no positions are asked for"),
        ({"logits": [7]}, TokensError, r"tokens in range\(7\); got 7"),
        ({"logits": [0.5]}, TokensError, r"tokens in range\(7\); got 0.5"),
        ({"targets": [1]}, TokensError, "one target a position; got 1 for 3"),
        ({"max_bytes": 1000}, BudgetError, "the limit is 1,000"),
        ({"tokens": [1, 9]}, TokensError, "token 9 at position 1"),
        ({"expansion": "attn(3) bilinear"}, SpecError, "but the weights are of"),
        ({"expansion": "attn(H) bilinear"}, SpecError, "but the weights are of"),
    ],
)
def test_errors(given: dict, error: type[Exception], message: str) -> None:
    asked = {"expansion": "attn(2) bilinear", "weights": weights_of("attn(2) bilinear"), "tokens": [1, 2, 3]}
    assert graded(**asked).verdict == "agrees"
    with pytest.raises(error, match=message):
        graded(**(asked | given))


def test_logits_need_an_unembedding() -> None:
    weights = weights_of("[no unembed] attn(2)")
    assert graded("[no unembed] attn(2)", weights, [1, 2]).logits is None
    with pytest.raises(SpecError, match=r"targets are of tokens, but .* has no unembedding"):
        graded("[no unembed] attn(2)", weights, [1, 2], targets=[1, 2])


def test_activations_that_overflow_are_named() -> None:
    weights = weights_of("bilinear*5")
    huge = sc.Weights(weights.model, {name: array * 1e60 for name, array in weights.arrays.items()})
    with pytest.raises(WeightsError, match=r"not finite after bilinear\.1"):
        graded("bilinear*5", huge, [1, 2])


def test_the_budget_is_checked_before_memory_is_spent() -> None:
    weights = sc.Weights.random("bilinear*60", d=2, V=3, m=2, seed=0)
    small = sc.Weights(weights.model, {name: array * 1e-2 for name, array in weights.arrays.items()})
    with pytest.raises(BudgetError, match=r"1,152,921,504,606,846,976 grades .* the limit is 2,147,483,648"):
        graded("bilinear*60", small, [1, 2])
    sums = graded("bilinear*60", small, [1, 2], up_to=3)
    assert sums.terms[:3] == (1, 60, 60 * 59) and sums.remainder < 1e-6


def test_terms_are_not_counted_where_there_are_very_many_grades() -> None:
    weights = sc.Weights.random("bilinear*12", d=2, V=3, m=2, seed=0)
    small = sc.Weights(weights.model, {name: array * 0.3 for name, array in weights.arrays.items()})
    sums = graded("bilinear*12", small, [1, 2], by="degree")
    assert len(sums.grades) == 4096 and sums.terms is None and sums.rows()[0]["terms"] is None and sums.verdict == "agrees"
