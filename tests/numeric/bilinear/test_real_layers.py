"""Layers with biases, norms and gates: parts against terms, similarity against exact quadrature, gauges against the forward pass."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import ShapeError, SpecError, TermError
from symbolic_circuits.numeric.bilinear.dictionary import in_dictionary
from symbolic_circuits.numeric.bilinear.gauge import all_changes
from symbolic_circuits.numeric.bilinear.gauge_report import gauge_report
from symbolic_circuits.numeric.bilinear.hosvd import hosvd
from symbolic_circuits.numeric.bilinear.interaction import interaction_matrix
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, bilinear_layer
from symbolic_circuits.numeric.bilinear.model_similarity import model_similarity
from symbolic_circuits.numeric.bilinear.parts import layer_parts
from symbolic_circuits.numeric.bilinear.polarised import polarised
from symbolic_circuits.numeric.bilinear.similarity import layer_similarity, weight_similarity
from symbolic_circuits.numeric.bilinear.towers import tower_weight_similarity
from symbolic_circuits.numeric.evaluate import output_values

TOKENS = np.array([1, 2, 3, 0, 6])


def weights_of(model: str, seed: int = 1, d: int = 6, V: int = 7) -> sc.Weights:
    return sc.Weights.random(model, d=d, e=2, m=5, V=V, seed=seed)


def logits(weights: sc.Weights) -> np.ndarray:
    return sc.freeze(weights, TOKENS).forward().output


def term_value(weights: sc.Weights, text: str) -> np.ndarray:
    expansion = sc.path_expansion(weights.model)
    return output_values(expansion, sc.freeze(weights, TOKENS))[expansion.index(expansion.parse(text))]


def normal_points(width: int) -> tuple[np.ndarray, np.ndarray]:
    """Points (p, width) and weights (p,) that integrate polynomials of degree up to 9 over a standard normal exactly."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(5)
    grids = np.meshgrid(*[np.arange(5)] * width, indexing="ij")
    places = np.stack([grid.ravel() for grid in grids], axis=1)
    return nodes[places], (weights / weights.sum())[places].prod(axis=1)


def of_inputs(weights: sc.Weights, x: np.ndarray) -> np.ndarray:
    """The model at vectors over the vocabulary, or at residual inputs, one a position."""
    arrays, model = dict(weights.arrays), weights.model
    if model.embedding:
        x, model = x @ arrays.pop("W_E").T, replace(model, embedding=False)
    return sc.freeze(sc.Weights(model, arrays), x).forward().output


# tables


@pytest.mark.parametrize("model", ["bilinear(bias)", "bilinear(b_1)", "bilinear(tied, b_1, b_out)", "bilinear(no out, b_2)"])
def test_parts_are_terms_and_add_up(model: str) -> None:
    weights = weights_of(model)
    layer, parts = bilinear_layer(weights, 0), layer_parts(weights, 0)
    x, W_U = weights.arrays["W_E"].T[TOKENS], weights.arrays["W_U"]
    both = layer_parts(layer)
    assert np.allclose(parts(x), layer(x)) and np.allclose(both(x), layer(x))
    assert np.allclose((x + layer(x)) @ W_U.T, logits(weights))
    assert np.allclose(parts.interaction(x) @ W_U.T, term_value(weights, "bilinear.0(embed, embed)"))
    tied = weights.model.blocks[0].tied
    if tied:
        assert np.allclose(x @ parts.linear.T @ W_U.T, term_value(weights, "bilinear.0(embed, one)"))
        return
    for side, text in ((parts.left, "bilinear.0(embed, one)"), (parts.right, "bilinear.0(one, embed)")):
        if side.any():
            assert np.allclose(x @ side.T @ W_U.T, term_value(weights, text))
    assert bool(parts.constant.any()) == ("b_1" in weights.model.blocks[0].biases and "b_2" in weights.model.blocks[0].biases)


def test_norms_are_inside_layers() -> None:
    weights = weights_of("[layer_norm, gains] bilinear(bias)")
    frozen, layer = sc.freeze(weights, TOKENS), bilinear_layer(weights, 0)
    x = frozen.scales[0][:, None] * weights.arrays["W_E"].T[TOKENS]
    stream = weights.arrays["W_E"].T[TOKENS] + layer(x)
    assert np.allclose(stream, frozen.forward().streams[-1], rtol=0, atol=1e-12)
    assert np.allclose(layer.W_1.sum(1), 0)
    B = frozen.scales[1][:, None] * (layer.without_biases()(x) @ interaction_ends(weights).T)
    assert np.allclose(B, term_value(weights, "norm.1(bilinear.0(norm.0(embed), norm.0(embed)))"), rtol=0, atol=1e-12)


def interaction_ends(weights: sc.Weights) -> np.ndarray:
    """W_U diag(w) C of the last norm."""
    scaled = weights.arrays["W_U"] * weights.arrays[f"norm.{weights.model.number_of_blocks}.w"]
    return scaled @ (np.eye(6) - 1 / 6)


def test_interaction_matrices_to_logits_and_between_tokens() -> None:
    weights = weights_of("[layer_norm, gains] attn(1) bilinear(b_1)")
    Q = interaction_matrix(weights, 1, token=3, against=5, in_tokens=True).to_array()
    layer, ends = bilinear_layer(weights, 1), interaction_ends(weights)
    expected = (
        weights.arrays["W_E"].T @ np.einsum("a,ajk->jk", ends[3] - ends[5], layer.tensor(symmetric=True)) @ weights.arrays["W_E"]
    )
    assert np.allclose(Q, expected)
    after = weights_of("[rms_norm, gains, post_norm] bilinear bilinear")
    Q = interaction_matrix(after, 1, token=3, in_tokens=True).to_array()
    w = [after.arrays[f"norm.{k}.w"] for k in (0, 1)]
    E = w[0][:, None] * after.arrays["W_E"]
    expected = E.T @ np.einsum("a,ajk->jk", after.arrays["W_U"][3] * w[1], bilinear_layer(after, 1).tensor(symmetric=True)) @ E
    assert np.allclose(Q, expected)


def test_decompositions_are_of_the_interaction() -> None:
    layer = bilinear_layer(weights_of("bilinear(bias)"), 0)
    bare = layer.without_biases()
    assert np.allclose(hosvd(layer).values, hosvd(bare).values) and layer.has_biases and not bare.has_biases
    x = np.random.default_rng(0).standard_normal((3, 6))
    assert np.allclose(hosvd(layer).truncated(5)(x), layer(x)) and not np.allclose(bare(x), layer(x))
    F = np.random.default_rng(1).standard_normal((6, 6))
    tensor = in_dictionary(layer, inputs=F, outputs=F)
    assert np.allclose(tensor(x), layer(x @ F) @ F.T) and np.allclose(tensor.reconstructed()(x), layer(x))
    assert np.allclose(layer.with_constant()(np.column_stack([x, np.ones(3)])), layer(x))


@pytest.mark.parametrize(
    "model",
    ["bilinear(bias)", "[rms_norm, gains] bilinear(b_2)", "bilinear(no out, b_1) attn(2)", "[layer_norm] bilinear(b_out)"],
)
def test_squares_keep_biases_and_norms(model: str) -> None:
    weights = weights_of(model)
    squares = polarised(weights, 0)
    assert squares.model.blocks[0].tied and np.allclose(logits(squares), logits(weights), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("one", "other"), [("bias", "bias"), ("b_1", "b_out"), ("bias", "")])
def test_similarity_of_layers_with_biases_is_the_expectation(one: str, other: str) -> None:
    a, b = (
        bilinear_layer(weights_of(f"bilinear({biases})" if biases else "bilinear", seed, d=3), 0)
        for seed, biases in enumerate((one, other))
    )
    x, p = normal_points(3)
    found = layer_similarity(a, b)
    for value, (f, g) in ((found.inner, (a, b)), (found.square_a, (a, a)), (found.square_b, (b, b))):
        assert np.isclose(value, p @ (f(x) * g(x)).sum(1), rtol=1e-12)
    assert np.isclose(layer_similarity(a, a).cosine, 1)
    expected = np.vdot(a.with_constant().tensor(symmetric=True), b.with_constant().tensor(symmetric=True))
    assert np.isclose(weight_similarity(a, b).inner, expected)


@pytest.mark.parametrize("ends", ["[no embed, no unembed] ", "", "[b_U] ", "[no embed, b_U] ", "[no unembed] "])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("bilinear(bias)", "bilinear"),
        ("bilinear(b_1)*2", "bilinear(tied, bias)"),
        ("bilinear(no out, b_2, no residual)", "bilinear(bias)|bilinear"),
    ],
)
def test_similarity_of_models_with_biases_is_the_expectation(ends: str, one: str, other: str) -> None:
    plain = ends.replace(", b_U", "").replace("[b_U] ", "")
    a, b = (weights_of(text, seed, d=3, V=3) for seed, text in enumerate((ends + one, plain + other)))
    found = model_similarity(a, b)
    x, p = normal_points(3)
    f, g = of_inputs(a, x), of_inputs(b, x)
    for value, product in ((found.inner, f * g), (found.square_a, f * f), (found.square_b, g * g)):
        assert np.isclose(value, p @ product.sum(1), rtol=1e-11)


GAUGED = [
    "attn(2, bias) bilinear(bias)",
    "[b_U] attn(2) bilinear(tied, b_1)",
    "[rms_norm] attn(2) bilinear",
    "[layer_norm] attn(2, b_V) bilinear(b_1, b_2)",
    "[layer_norm, gains, b_U, learned] attn(2, bias, output_scale) bilinear(bias)",
    "[rms_norm, gains, post_norm] attn(2) bilinear(tied, b_1, b_out)",
    "[rms_norm, post_norm] attn(2)|bilinear",
    "[rotary, rms_norm] attn(2, e=5, b_K) bilinear(relu, bias)",
    "[n=1, rotary] attn(2, bilinear, bias)",
    "[rotary, b_U] attn(2, linear, bias) bilinear(no out, b_1)",
    "[shortformer, layer_norm, gains] attn(2, bilinear) bilinear(silu, no out)",
    "[no embed, no unembed, layer_norm, gains] attn(2, b_V) bilinear(no out)",
    "[layer_norm, gains, post_norm] bilinear(no residual, sigmoid) attn(1)",
]


@pytest.mark.parametrize("model", GAUGED)
def test_every_change_is_as_claimed(model: str) -> None:
    for seed in range(3):
        report = gauge_report(weights_of(model, seed), seed=seed)
        assert report.as_claimed, str(report)
        assert {check.is_gauge for check in report.checks} == {True, False}


@pytest.mark.parametrize(
    ("model", "general", "orthogonal", "fixing"),
    [
        ("bilinear(b_1)", True, None, None),
        ("[rms_norm] bilinear", False, True, None),
        ("[rms_norm, gains] bilinear", False, False, None),
        ("[layer_norm] bilinear", False, False, True),
        ("[layer_norm, gains] bilinear", False, False, False),
        ("[layer_norm] bilinear(no out)", False, False, False),
        ("[rms_norm, post_norm] bilinear", False, True, None),
    ],
)
def test_which_bases_of_the_stream_norms_let_pass(
    model: str, general: bool, orthogonal: bool | None, fixing: bool | None
) -> None:
    checks = [
        check for check in gauge_report(weights_of(model)).checks if check.name == "stream" and "change of basis" in check.words
    ]
    found = {
        check.words.partition(" change of basis")[0] + (" fixing" if "fixes" in check.words else ""): check.verdict
        for check in checks
    }
    expected = {"an invertible": general, "an orthogonal": orthogonal, "an orthogonal fixing": fixing}
    assert found == {key: "unchanged" if value else "changed" for key, value in expected.items() if value is not None}


# laws


def test_changes_of_plain_models_are_those_they_were() -> None:
    """A model without any of these is changed in the same ways, in the same order."""
    words = [change.words for change in all_changes(weights_of("attn(2) bilinear"), 0)]
    assert len(words) == 15 and words[:4] == [
        "W_V -> M W_V, W_O -> W_O M^-1",
        "W_Q -> M W_Q, W_K -> M^-T W_K",
        "W_V -> M W_V alone",
        "W_Q -> M W_Q, W_K -> M^-1 W_K",
    ]


def test_biases_of_zero_change_no_similarity() -> None:
    plain = bilinear_layer(weights_of("bilinear"), 0)
    zero = replace(plain, b_1=np.zeros(5), b_2=np.zeros(5), b_out=np.zeros(6))
    assert np.isclose(layer_similarity(plain, zero).cosine, 1) and np.isclose(weight_similarity(plain, zero).cosine, 1)


# errors


@pytest.mark.parametrize(
    "ask",
    [
        lambda w: bilinear_layer(w, 0),
        lambda w: interaction_matrix(w, 0, token=1),
        lambda w: hosvd(w, 0),
        lambda w: in_dictionary(w, 0),
        lambda w: layer_parts(w, 0),
        lambda w: polarised(w, 0),
        lambda w: model_similarity(w, w),
    ],
)
def test_gated_layers_are_refused(ask: Callable) -> None:
    ask(weights_of("bilinear(b_1)"))
    with pytest.raises(SpecError, match=r"bilinear\.0 .*is gated"):
        ask(weights_of("bilinear(silu, b_1)"))


def test_models_that_are_no_polynomials() -> None:
    assert model_similarity(weights_of("bilinear(b_1)"), weights_of("bilinear", 2)).square_a > 0
    for model, words in (
        ("[rms_norm] bilinear", "has norms"),
        ("[learned] bilinear", "learned positions"),
        ("attn(1, linear)", "attn.0"),
    ):
        with pytest.raises(SpecError, match=words):
            model_similarity(weights_of(model), weights_of("bilinear"))
    tower = weights_of("bilinear(no residual)*2")
    assert np.isclose(tower_weight_similarity(tower, tower).cosine, 1)
    with pytest.raises(SpecError, match=r"has biases \(bilinear\.0, b_U\)"):
        biased = weights_of("[b_U] bilinear(no residual, b_1)")
        tower_weight_similarity(biased, biased)


def test_biases_of_another_size() -> None:
    assert BilinearLayer(np.eye(2), np.eye(2), np.eye(2), b_1=np.ones(2)).has_biases
    with pytest.raises(ShapeError, match=r"b_1 is a vector of shape \(2,\); got shape \(3,\)"):
        BilinearLayer(np.eye(2), np.eye(2), np.eye(2), b_1=np.ones(3))
    with pytest.raises((SpecError, TermError), match="is attention"):
        layer_parts(weights_of("attn(1) bilinear"), 0)
