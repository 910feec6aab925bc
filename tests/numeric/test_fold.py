"""Folded weights against the forward pass of the weights they come from; terms of both; what does not fold says why."""

from collections.abc import Callable

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.folds.biases import fold_biases
from symbolic_circuits.numeric.folds.norms import fold_norms
from symbolic_circuits.numeric.folds.scales import fold_scales
from symbolic_circuits.spec import Attention

NORMED = {
    "[layer_norm, gains] attn(2) bilinear": "[layer_norm, b_U] attn(2, b_Q, b_K, b_V) bilinear(b_1, b_2)",
    "[rms_norm, gains] attn(2, b_V) bilinear(tied, b_1)": "[rms_norm] attn(2, b_V) bilinear(tied, b_1)",
    "[layer_norm, gains, b_U, learned] attn(2, bias, output_scale) bilinear(bias)": "[layer_norm, learned, b_U] attn(2, bias, output_scale) "
    "bilinear(bias)",
    "[layer_norm, gains, rotary] attn(2, bilinear)|bilinear(silu) bilinear(gelu, b_2)": "[layer_norm, rotary, b_U] "
    "attn(2, b_Q, b_K, b_V, bilinear)|bilinear(b_1, b_2, silu) bilinear(b_1, b_2, gelu)",
    "[layer_norm, gains, no final_norm] attn(1, linear) bilinear(tied, b_out)": "[layer_norm, no final_norm] "
    "attn(1, b_Q, b_K, b_V, linear) bilinear(tied, b_1, b_out)",
    "[rms_norm, gains, post_norm] attn(2)": "[rms_norm, post_norm] attn(2)",
    "[layer_norm, gains, post_norm] attn(2) bilinear(relu, no residual)": "[layer_norm, post_norm, b_U] attn(2, b_Q, b_K, b_V) "
    "bilinear(no residual, b_1, b_2, relu)",
    "[shortformer, layer_norm, gains] attn(2) bilinear": "[layer_norm, shortformer, b_U] attn(2, b_Q, b_K, b_V) bilinear(b_1, b_2)",
    "[layer_norm] attn(2)": "[layer_norm] attn(2)",
}
CENTRED = {
    "[layer_norm, gains] attn(2, b_O) bilinear(b_out)": "[rms_norm, b_U] attn(2, bias) bilinear(bias)",
    "[layer_norm, learned] attn(2) bilinear(no out, tied)": "[rms_norm, learned] attn(2) bilinear(m=d, tied)",
    "[layer_norm, shortformer] attn(2) bilinear(no out, relu, b_out)|bilinear": "[rms_norm, shortformer] attn(2) "
    "bilinear(m=d, b_out, relu)|bilinear",
    "[layer_norm, rotary] bilinear(no residual) attn(1, bilinear, b_O, no residual)": "[rms_norm, rotary] bilinear(no residual) "
    "attn(1, no residual, b_O, bilinear)",
}
BIASED = {
    "attn(2, bias) bilinear(bias)": "[d=7] attn(3, e=2) bilinear(m=6)",
    "[b_U] attn(2) bilinear(b_1)": "[d=7] attn(2, e=2) bilinear",
    "attn(2, b_V)|bilinear(tied, b_1, b_out) bilinear(tied)": "[d=7] attn(2, e=2)|bilinear(m=6, tied) bilinear(tied)",
    "attn(2, linear, b_Q, b_V)": "[d=7] attn(2, e=2, linear)",
    "[learned] attn(1, b_O, output_scale) bilinear(no out, b_2)": "[d=7, learned] attn(2, e=2, output_scale) bilinear(no out)",
    "[rotary] attn(1, bilinear, b_Q, b_K) bilinear(no out, bias)": "[d=7, rotary] attn(1, e=2, bilinear) bilinear(m=7)",
}
DROPPED = {
    "attn(2, b_O, output_scale, no residual) bilinear(relu, b_out, no residual)": "[d=7] attn(3, e=2, no residual, output_scale) "
    "bilinear(m=6, no residual, relu)",
    "[learned] attn(1, b_V, no residual)": "[d=7, learned] attn(2, e=2, no residual)",
    "bilinear(no out, no residual, b_1) bilinear(no out, silu, bias)": "[d=7] bilinear(no out, no residual) bilinear(m=7, silu)",
    "(attn(2)|bilinear(tied))[no residual] bilinear(b_2)": "[d=7] (attn(2, e=2)|bilinear(m=6, tied))[no residual] bilinear",
    "[shortformer, b_U] attn(2) bilinear(gelu_tanh, bias)": "[d=7, shortformer] attn(2, e=2) bilinear(m=6, gelu_tanh)",
}
TOKENS = [1, 2, 3, 0, 6]


def weights_of(model: str, seed: int = 1) -> sc.Weights:
    return sc.Weights.random(model, d=6, e=2, m=5, V=7, seed=seed)


def logits(weights: sc.Weights) -> np.ndarray:
    return sc.freeze(weights, TOKENS).forward().output


def assert_same(fold: Callable, model: str, expected: str) -> None:
    for seed in range(3):
        weights = weights_of(model, seed)
        folded = fold(weights)
        assert folded.model == sc.Transformer.parse(expected)
        assert np.allclose(logits(folded), logits(weights), rtol=0, atol=1e-12)
        frozen = sc.freeze(folded, TOKENS)
        assert np.allclose(sc.total(sc.path_expansion(folded.model), frozen), logits(weights), rtol=0, atol=1e-12)


# tables


@pytest.mark.parametrize("model", NORMED)
def test_norms_without_weights_of_their_own(model: str) -> None:
    assert_same(fold_norms, model, NORMED[model])


@pytest.mark.parametrize("model", CENTRED)
def test_layer_norm_becomes_rms_norm(model: str) -> None:
    assert_same(lambda weights: fold_norms(weights, centre=True), model, CENTRED[model])
    folded = fold_norms(weights_of(model), centre=True)
    for stream in sc.freeze(folded, TOKENS).forward().streams:
        assert np.allclose(stream.mean(-1), 0)


@pytest.mark.parametrize("model", BIASED | DROPPED)
def test_biases_in_a_wider_stream(model: str) -> None:
    assert_same(fold_biases, model, (BIASED | DROPPED)[model])
    for stream in sc.freeze(fold_biases(weights_of(model)), TOKENS).forward().streams[:-1]:
        assert np.allclose(stream[:, -1], 1, rtol=0, atol=1e-14)


def test_residual_inputs_get_a_last_entry_of_one() -> None:
    weights = weights_of("[no embed, no unembed] attn(2, bias) bilinear(no out, bias)")
    x = np.random.default_rng(0).standard_normal((4, 6))
    wide = sc.freeze(fold_biases(weights), np.column_stack([x, np.ones(4)])).forward().output
    assert np.allclose(wide, np.column_stack([sc.freeze(weights, x).forward().output, np.ones(4)]), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "model", ["attn(2, output_scale)", "[rms_norm] attn(2, bias, output_scale) bilinear attn(1, linear, output_scale)"]
)
def test_output_scales_inside_what_writes(model: str) -> None:
    folded = fold_scales(weights_of(model))
    assert folded.model == sc.Transformer.parse(model.replace(", output_scale", ""))
    assert np.allclose(logits(folded), logits(weights_of(model)), rtol=0, atol=1e-12)


# laws


@pytest.mark.parametrize("fold", [fold_norms, fold_biases, fold_scales])
def test_folding_twice_is_folding_once(fold: Callable) -> None:
    model = "attn(2, bias, output_scale) bilinear(bias)" if fold is not fold_norms else "[layer_norm, gains] attn(2) bilinear"
    once = fold(weights_of(model))
    again = fold(once)
    assert again.model == once.model and all(np.array_equal(again.arrays[name], once.arrays[name]) for name in once.arrays)


def image(term: Term) -> str:
    """The term of the wider model that a term is part of: the constant is a coordinate of the embedding, b_O a head, b_out a hidden unit."""
    component = term.component
    if component.kind in ("input", "one"):
        return "embed"
    if component.kind == "bias":
        attention = isinstance(component.spec, Attention)
        return (
            f"attn.{component.layer}[{component.spec.heads}](embed)" if attention else f"bilinear.{component.layer}(embed, embed)"
        )
    return f"{component.name}({', '.join(map(image, term.inputs))})" if term.inputs else component.name


@pytest.mark.parametrize(
    "model", [*BIASED, "[b_U] bilinear(bias) bilinear(tied, b_1)", "attn(2, bias) attn(1, b_V) bilinear(b_2)"]
)
def test_terms_add_up_to_terms_of_the_wider_model(model: str) -> None:
    weights = weights_of(model)
    folded = fold_biases(weights)
    narrow, wide = sc.path_expansion(weights.model), sc.path_expansion(folded.model)
    values, whole = output_values(narrow, sc.freeze(weights, TOKENS)), output_values(wide, sc.freeze(folded, TOKENS))
    sums = np.zeros_like(whole)
    for term, value in zip(narrow, values, strict=True):
        sums[wide.index(wide.parse(image(term)))] += value
    assert np.allclose(sums, whole, rtol=0, atol=1e-12)


def test_gains_move_from_norms_to_readers_term_by_term() -> None:
    """Without biases of norms every term keeps its value: the folded expansion is the same, with other letters."""
    weights = weights_of("[rms_norm, gains] attn(2, b_V) bilinear(b_1)")
    both = [output_values(sc.path_expansion(w.model), sc.freeze(w, TOKENS)) for w in (weights, fold_norms(weights))]
    assert np.allclose(*both, rtol=0, atol=1e-12)


def test_a_bias_behind_the_product_of_a_gated_layer_cannot_hold_that_of_a_norm() -> None:
    """phi(W_1 z) . (W_2 z) with z = x + b needs b_1 and b_2; W_out (W_2 b) added behind the product is another function."""
    weights = weights_of("[layer_norm, gains] bilinear(silu)")
    right = fold_norms(weights)
    arrays = dict(right.arrays)
    inside = arrays.pop("bilinear.0.b_2")
    arrays["bilinear.0.b_out"] = arrays["bilinear.0.W_out"] @ inside
    wrong = sc.Weights("[layer_norm, b_U] bilinear(b_1, b_out, silu)", arrays)
    assert np.allclose(logits(right), logits(weights)) and abs(logits(wrong) - logits(weights)).max() > 1e-2


# errors


@pytest.mark.parametrize(
    ("model", "centre", "valid", "words"),
    [
        (
            "[layer_norm, gains, no unembed] attn(2)",
            False,
            "[layer_norm, gains, no unembed, no final_norm] attn(2)",
            "no unembedding: its output",
        ),
        (
            "[rms_norm, gains, post_norm] attn(2)*2",
            False,
            "[rms_norm, gains, post_norm] attn(2)",
            r"keeps the stream .*at block 1",
        ),
        (
            "[shortformer, rms_norm, gains] attn(2)*2",
            False,
            "[shortformer, rms_norm, gains] attn(2) bilinear",
            "W_pos behind the gains",
        ),
        ("[rms_norm] attn(2)", True, "[layer_norm] attn(2)", "has no LayerNorm"),
        ("[layer_norm, no final_norm] attn(2)", True, "[layer_norm] attn(2)", "reads the last stream without a norm"),
        ("[layer_norm, post_norm] attn(2)", True, "[layer_norm] attn(2)", "read the embedding without a norm"),
        ("[layer_norm, no embed] attn(2)", True, "[layer_norm] attn(2)", "its input comes with its mean"),
    ],
)
def test_norms_that_do_not_fold(model: str, centre: bool, valid: str, words: str) -> None:
    assert not fold_norms(weights_of(valid), centre=centre).model.gains
    with pytest.raises(SpecError, match=words):
        fold_norms(weights_of(model), centre=centre)


def test_positions_behind_equal_gains_fold() -> None:
    weights = weights_of("[shortformer, rms_norm, gains] attn(2)*2")
    equal = sc.Weights(weights.model, dict(weights.arrays) | {"norm.1.w": weights.arrays["norm.0.w"]})
    assert np.allclose(logits(fold_norms(equal)), logits(equal), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("model", "valid", "words"),
    [
        ("[rms_norm] attn(2, b_V)", "attn(2, b_V)", "count it in the mean square"),
        ("attn(2, linear, b_O)", "attn(2, b_O)", r"b_O of attn\.0 .* only where rows of A sum to one .* scores are 'linear'"),
        ("attn(2, linear, frozen, b_O)", "attn(2, linear, frozen, b_V)", r"A 1 varies with the input"),
        ("attn(2, bilinear, no residual) bilinear(b_1)", "attn(2, no residual) bilinear(b_1)", "nothing carries the constant"),
    ],
)
def test_biases_that_do_not_fold(model: str, valid: str, words: str) -> None:
    assert not fold_biases(weights_of(valid)).model.has_constant
    with pytest.raises(SpecError, match=words):
        fold_biases(weights_of(model))


def test_a_scale_of_zero_carries_no_constant() -> None:
    weights = weights_of("attn(2, output_scale, no residual) bilinear(b_1)")
    assert np.allclose(logits(fold_biases(weights)), logits(weights))
    with pytest.raises(SpecError, match="output scale 0"):
        fold_biases(sc.Weights(weights.model, dict(weights.arrays) | {"attn.0.scale": np.array(0.0)}))
