"""Local complexity of batches: every input as explained by itself, predictions of the forward pass, errors with their input."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import OutputError, SpecError, TaskError, TermIndexError, TokensError
from symbolic_circuits.examples.addition import held_out_pairs, sequences
from symbolic_circuits.numeric.ranking.explain import explain
from symbolic_circuits.numeric.ranking.local_complexity import local_complexity
from symbolic_circuits.numeric.ranking.predictions import predicted, runner_up
from symbolic_circuits.report.ranking_figure import draw_local_complexity

MODEL = "attn(2) bilinear"


def weights_of(model: str = MODEL) -> sc.Weights:
    return sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=1)


BATCH = [[0, 1, 2], [3, 4, 5, 6], [1, 1], [6]]

# tables


@pytest.mark.parametrize(
    ("fraction", "histogram"),
    [
        (0.5, {1: 135, 2: 57}),
        (0.9, {1: 17, 2: 93, 3: 63, 4: 13, 5: 5, 6: 1}),
        (0.99, {1: 2, 2: 26, 3: 66, 4: 59, 5: 23, 6: 15, 7: 1}),
    ],
)
def test_the_example(fraction: float, histogram: dict) -> None:
    weights = sc.Weights.example()
    found = local_complexity(sc.path_expansion(weights.model), weights, sequences(held_out_pairs()), fraction=fraction)
    assert found.histogram == histogram and found.is_minimal and found.is_explained
    assert "for 192 of 192 inputs, all proved to be the minimum" in str(found)


@pytest.mark.parametrize(
    ("given", "reading"),
    [
        ({}, "the prediction less the runner-up at position -1"),
        ({"against": None, "position": 0}, "the prediction at position 0"),
        ({"token": 3}, "logit 3 less the runner-up at position -1"),
        ({"token": [1, 2, 3, 4], "against": 0}, "a token of its own less logit 0 at position -1"),
        ({"token": None}, "the output at position -1"),
    ],
)
def test_every_input_is_explained_as_by_itself(given: dict, reading: str) -> None:
    weights, expansion, done = weights_of(), sc.path_expansion(MODEL), []
    found = local_complexity(expansion, weights, BATCH, **given, fraction=0.8, progress=lambda *counts: done.append(counts))
    assert found.reading == reading and done == [(1, 4), (2, 4), (3, 4), (4, 4)]
    for k, tokens in enumerate(BATCH):
        logits = sc.freeze(weights, tokens).forward().output[given.get("position", -1)]
        token, against = given.get("token", "prediction"), given.get("against", "runner-up")
        token = int(np.argsort(-logits)[0]) if token == "prediction" else token[k] if isinstance(token, list) else token
        if against == "runner-up":
            against = None if token is None else next(int(t) for t in np.argsort(-logits) if t != token)
        alone = explain(
            expansion, weights, tokens, token=token, against=against, position=given.get("position", -1), fraction=0.8
        )
        assert found.inputs[k].number == k and found.inputs[k].what == alone.what
        assert (found.sizes[k], found.inputs[k].lower_bound) == (alone.size, alone.lower_bound)
        assert found.inputs[k].total == alone.total and found.inputs[k].reached == alone.reached


# laws


def test_the_result_does_not_depend_on_the_executor() -> None:
    weights, expansion = weights_of(), sc.path_expansion(MODEL)
    with ThreadPoolExecutor(2) as executor:
        through = local_complexity(expansion, weights, BATCH, executor=executor)
    assert through.inputs == local_complexity(expansion, weights, BATCH).inputs


def test_more_of_the_prediction_takes_more_terms() -> None:
    weights, expansion = weights_of("attn(2)*2"), sc.path_expansion("attn(2)*2")
    sizes = [local_complexity(expansion, weights, BATCH, fraction=f).sizes for f in (0.2, 0.5, 0.8, 0.95)]
    assert all(less <= more for row, after in itertools.pairwise(sizes) for less, more in zip(row, after, strict=True))


# squares


def test_inputs_that_cancel_are_left_out_of_the_histogram() -> None:
    """One head that takes away all of the stream of the first position, where it attends to nothing else."""
    weights = sc.Weights.random("attn(1)", d=4, V=5, e=4, seed=0)
    arrays = dict(weights.arrays) | {"attn.0.W_V": np.eye(4)[None], "attn.0.W_O": -np.eye(4)[None]}
    taken = sc.Weights(weights.model, arrays)
    found = local_complexity("attn(1)", taken, [[1], [1, 2], [3]], token=2, against=None)
    assert found.unexplained == (0, 2) and found.sizes[0] is None and sum(found.histogram.values()) == 1
    assert not found.is_explained and not found.is_minimal and "2 are not explained" in found.summary()
    nothing = local_complexity("attn(1)", taken, [[1], [3]], token=2, against=None)
    assert nothing.rows() == [] and nothing.summary() == "none of 2 inputs is explained"
    with pytest.raises(OutputError, match="no histogram to draw"):
        draw_local_complexity(nothing)


def test_residual_inputs_of_a_model_without_unembedding() -> None:
    weights = weights_of("[no embed, no unembed] attn(2)")
    batch = np.random.default_rng(0).standard_normal((3, 4, 5))
    found = local_complexity("[no embed, no unembed] attn(2)", weights, batch, token=None)
    assert found.is_minimal and len(found.sizes) == 3
    with pytest.raises(SpecError, match=r"predicts no token: token=None explains its output"):
        local_complexity("[no embed, no unembed] attn(2)", weights, batch)
    with pytest.raises(SpecError, match="has no unembedding, so that it predicts no token"):
        predicted(sc.freeze(weights, batch[0]))


def test_predictions() -> None:
    frozen = sc.freeze(weights_of(), [1, 2])
    order = np.argsort(-frozen.forward().output[-1])
    assert predicted(frozen) == order[0] and runner_up(frozen, int(order[0])) == order[1]
    assert runner_up(frozen, int(order[3])) == order[0]
    with pytest.raises(TokensError, match=r"token 7 has no runner-up in range\(7\)"):
        runner_up(frozen, 7)


def test_plain_data_and_picture() -> None:
    pytest.importorskip("matplotlib")
    found = local_complexity("attn(3)*3", weights_of("attn(3)*3"), [[0, 1, 2], [3, 4, 5]], token=None, fraction=0.5)
    data = found.to_dict()
    assert [row["inputs"] for row in data["histogram"]] == list(found.histogram.values())
    assert data["inputs"][1]["size"] == found.sizes[1] and sum(row["minimum"] for row in data["histogram"]) <= 2
    ax = draw_local_complexity(found)
    assert ax.get_xlabel() == "terms that explain 50 %" and sum(patch.get_height() for patch in ax.patches) == 2


# errors


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"batch": []}, TokensError, "the batch has no input"),
        ({"batch": [[1], [7]]}, TokensError, "input 1 of the batch: token 7 at position 0"),
        ({"batch": [[1, 2], [3]], "position": 1}, TokensError, "input 1 of the batch: position 1 is outside a sequence of 1"),
        ({"batch": [1, 2, 3]}, TokensError, "input 0 of the batch: tokens are a sequence"),
        ({"token": [1, 2]}, TokensError, "one for each of 4 inputs; got shape"),
        ({"token": 0.5}, TokensError, "of float64"),
        ({"token": 7}, TokensError, r"token 7 is outside range\(7\)"),
        ({"token": "runner-up"}, TokensError, "or 'prediction'; got 'runner-up'"),
        ({"against": "prediction"}, TokensError, "or 'runner-up'; got 'prediction'"),
        ({"token": None, "against": 2}, TokensError, "give token too"),
        ({"fraction": 2}, TermIndexError, "at most 1; got 2"),
        ({"expansion": "attn(2)"}, SpecError, "but the weights are of"),
    ],
)
def test_errors(given: dict, error: type[Exception], message: str) -> None:
    asked = {"expansion": MODEL, "weights": weights_of(), "batch": BATCH}
    assert local_complexity(**asked).is_explained
    with pytest.raises(error, match=message):
        local_complexity(**(asked | given))


def test_an_input_whose_activations_overflow_is_reported_and_the_others_are_kept() -> None:
    weights = weights_of("bilinear*5")
    columns = np.where(np.arange(7) == 6, 1e80, 1.0)
    huge = sc.Weights(weights.model, dict(weights.arrays) | {"W_E": weights.arrays["W_E"] * columns})
    with pytest.raises(TaskError, match=r"1 of 3 tasks were not done.*not finite after bilinear\.") as caught:
        local_complexity("bilinear*5", huge, [[1, 2], [6], [3]])
    assert [outcome.is_done for outcome in caught.value.outcomes] == [True, False, True]
