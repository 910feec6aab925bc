"""Models with biases, norms, positions, scales, gates and scores without softmax: counts, indices, names, values, totals, queries, checks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import require
from strategies import freeze_real, real_transformers, real_weights

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError, TermError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.checking import check_exactly
from symbolic_circuits.numeric.evaluate import contributions, output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.margins import margins
from symbolic_circuits.numeric.weights import layout

COUNTS = {  # by hand: every slot that has a bias reads the stream or the constant; b_O, b_out, b_U and the biases of norms are leaves
    "[b_U] attn(2)": 1 + 2 + 1,
    "attn(2, b_V)": 1 + 2 * 2,
    "attn(2, bias)": 1 + 2 * 2 + 1,
    "bilinear(b_1)": 1 + 2,
    "bilinear(bias)": 1 + 4 + 1,
    "bilinear(tied, b_1)": 1 + 1 + 1 + 1,
    "attn(1) bilinear(tied, bias)": 2 + 3 + 2 + 1 + 1,
    "bilinear(silu, bias)": 1 + 2 + 1,
    "bilinear(silu)*2": 4,
    "attn(1, linear)": 1 + 1,
    "attn(1, linear)*2": 2 + 2**3,
    "attn(1, bilinear, b_Q, b_K)": 1 + 2**4,
    "attn(1, linear, frozen, b_Q)": 2,
    "[learned] attn(1)": 4,
    "[shortformer] attn(1, linear)": 1 + 2 * 2,
    "[rms_norm, gains] attn(1)": 2,
    "[layer_norm, gains] attn(1)": 1 + 2 + 1,  # what the head reads has a bias, and so has what the output reads
    "[layer_norm, gains, post_norm] attn(1)": 3,
    "[layer_norm, gains, no final_norm] attn(1)": 3,
}
QUERIES = ["attn", "bilinear", "attn.*[0]", "order >= 2", "height <= 1", "degree == 1", "attn > attn", "bilinear > attn"]


def expansion_of(frozen: Frozen) -> sc.PathExpansion:
    return sc.path_expansion(frozen.model)


# tables


@pytest.mark.parametrize(("model", "count"), COUNTS.items())
def test_number_of_terms(model: str, count: int) -> None:
    assert sc.path_expansion(model).number_of_terms == count == len(list(sc.path_expansion(model)))


def test_values_of_the_parts_of_an_affine_layer() -> None:
    """Interaction, left-linear, right-linear and constant part (C9, C10), and biases through attention, from explicit arrays."""
    frozen = freeze_real("[no unembed] attn(1, bias, no residual, output_scale) bilinear(bias, no residual)")
    w, A = frozen.weights, frozen.patterns[0][0]
    x, s, ones = w["W_E"].T[frozen.source], w["attn.0.scale"], np.ones((3, 1))
    mixed = s * A @ x @ w["attn.0.W_V"][0].T @ w["attn.0.W_O"][0].T
    through = s * ones * (w["attn.0.W_O"][0] @ w["attn.0.b_V"][0])  # A is row-stochastic
    streams = {"attn.0[0](embed)": mixed, "attn.0[0](one)": through, "bias.0": s * ones * w["attn.0.b_O"]}
    left = {name: y @ w["bilinear.1.W_1"].T for name, y in streams.items()} | {"one": ones * w["bilinear.1.b_1"]}
    right = {name: y @ w["bilinear.1.W_2"].T for name, y in streams.items()} | {"one": ones * w["bilinear.1.b_2"]}
    expected = {f"bilinear.1({a}, {b})": (p * q) @ w["bilinear.1.W_out"].T for a, p in left.items() for b, q in right.items()}
    expected["bias.1"] = ones * w["bilinear.1.b_out"]
    values = {str(term): x for term, x in zip(expansion_of(frozen), output_values(expansion_of(frozen), frozen), strict=True)}
    assert values.keys() == expected.keys()
    for name, value in values.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-12, atol=1e-14)


def test_values_of_a_polynomial_head() -> None:
    """sum_{t <= s} (q_s . k_t) / sqrt(e) W_O W_V x_t for every choice of query, key and value (D17)."""
    frozen = freeze_real("[no unembed, learned] attn(1, linear, no residual)")
    w = frozen.weights
    leaves = {"embed": w["W_E"].T[frozen.source], "position": w["W_pos"][:3]}
    for term, value in zip(expansion_of(frozen), output_values(expansion_of(frozen), frozen), strict=True):
        query, key, x = (leaves[str(part)] for part in term.inputs)
        scores = np.tril(query @ w["attn.0.W_Q"][0].T @ w["attn.0.W_K"][0] @ key.T) / np.sqrt(3)
        np.testing.assert_allclose(value, scores @ x @ (w["attn.0.W_O"][0] @ w["attn.0.W_V"][0]).T, rtol=1e-12, atol=1e-14)


# laws


@settings(max_examples=80)
@given(real_transformers(max_terms=200))
def test_text_counts_indices_and_names(model: sc.Transformer) -> None:
    assert sc.Transformer.parse(str(model)) == model
    expansion = sc.path_expansion(model)
    terms, k = list(expansion), expansion.number_of_terms
    assert len(terms) == k == len(set(terms)) and [expansion.index(term) for term in terms] == list(range(k))
    for term in terms[:: max(1, k // 20)]:
        assert expansion.parse(str(term)) == term == expansion[expansion.index(term)]
    for by in ("order", "degree", "heads", "bilinears"):
        assert expansion.count_by(by).subs("z", 1) == k
    assert all(expansion.index(term) < k for term in expansion.sample(5, seed=0))


@settings(max_examples=100)
@given(real_transformers(max_terms=10**9).filter(layout), st.integers(0, 2**16))
def test_a_total_is_the_forward_pass(model: sc.Transformer, seed: int) -> None:
    frozen = freeze_real(model, seed)
    output, scale = frozen.forward().output, 1 + np.abs(frozen.forward().output).max()
    np.testing.assert_allclose(sc.total(sc.path_expansion(model), frozen), output, rtol=1e-9, atol=1e-11 * scale)


@settings(max_examples=40)
@given(real_transformers(max_terms=200).filter(layout), st.integers(0, 2**16))
def test_terms_add_up_in_floats_and_exactly(model: sc.Transformer, seed: int) -> None:
    weights, frozen = real_weights(model, seed), freeze_real(model, seed)
    report = sc.check(sc.path_expansion(model), weights, frozen.source, seed=seed)
    assert report.exact.differing == 0 and report.verdict == "agrees"
    _, residues = check_exactly(sc.path_expansion(model), seed=seed)
    assert np.array_equal(sc.total(expansion_of(residues), residues), residues.forward().output)


@settings(max_examples=40)
@given(real_transformers(max_terms=10**4).filter(layout), st.sampled_from(QUERIES), st.integers(0, 2**16))
def test_a_query_and_the_rest_add_up(model: sc.Transformer, query: str, seed: int) -> None:
    expansion, frozen = sc.path_expansion(model), freeze_real(model, seed)
    try:
        chosen = expansion.where(query)
    except TermError:  # there is no such component
        return
    rest = expansion.where(f"not ({query})")
    assert chosen.number_of_terms + rest.number_of_terms == expansion.number_of_terms
    whole, parts = frozen.forward().output, [sc.total(part, frozen) for part in (chosen, rest)]
    np.testing.assert_allclose(sum(parts), whole, rtol=1e-9, atol=1e-10 * (1 + sum(np.abs(part).max() for part in parts)))


@settings(max_examples=25)
@given(real_transformers(max_terms=10**4).filter(layout), st.integers(0, 2**16))
def test_tensors(model: sc.Transformer, seed: int) -> None:
    require("torch")
    frozen = freeze_real(model, seed)
    there = frozen.to_torch()
    found, expected = sc.total(sc.path_expansion(model), there), sc.total(sc.path_expansion(model), frozen)
    assert there.is_torch and str(found.dtype) == "torch.float64"
    np.testing.assert_allclose(as_numpy(found), expected, rtol=1e-11, atol=1e-12 * (1 + np.abs(expected).max()))
    np.testing.assert_allclose(as_numpy(there.forward().output), frozen.forward().output, rtol=1e-12)


# squares


@pytest.mark.parametrize(
    "model", ["[rms_norm, b_U] attn(2, bias) bilinear(bias)", "[layer_norm, gains, learned] attn(2, linear)"]
)
def test_margins_add_up(model: str) -> None:
    weights, sequences, targets = real_weights(model), np.array([[1, 2, 3], [4, 0, 5]]), [2, 5]
    outputs = [sc.freeze(weights, sequence).forward().output[-1] for sequence in sequences]
    expected = np.mean([output[target] - output.mean() for output, target in zip(outputs, targets, strict=True)])
    assert np.isclose(margins(sc.path_expansion(model), weights, sequences, targets).sum(), expected)


@pytest.mark.parametrize(
    "model", ["[layer_norm, gains, b_U] attn(2, bilinear, b_V) bilinear(silu, bias)", "[rms_norm, post_norm] attn(2)*2"]
)
def test_contributions_are_what_values_say(model: str) -> None:
    frozen = freeze_real(model)
    values = output_values(expansion_of(frozen), frozen)
    for position in (-1, 1):
        np.testing.assert_allclose(
            contributions(expansion_of(frozen), frozen, position=position, direction=3), values[:, position, 3], atol=1e-12
        )


def test_a_fixed_point_of_freezing() -> None:
    """What is held fixed is what the forward pass makes of these tokens: with it the outputs are the same."""
    for model in ("[layer_norm, gains] attn(2, bias) bilinear(silu)", "[rms_norm, post_norm, rotary] attn(2, bilinear, frozen)"):
        weights = real_weights(model)
        frozen = sc.freeze(weights, [1, 2, 3])
        assert np.array_equal(frozen.forward().output, sc.freeze(weights, [1, 2, 3]).forward().output)
        shorter = sc.freeze(weights, [1, 2]).forward().output
        np.testing.assert_allclose(frozen.forward().output[:2], shorter, rtol=1e-12)  # causal


# errors


def test_what_is_not_held_fixed_is_named() -> None:
    frozen = freeze_real("[rms_norm] attn(1) bilinear(silu)")
    held = {"scales": frozen.scales, "gates": frozen.gates}
    assert Frozen(frozen.model, frozen.weights, frozen.patterns, frozen.source, **held).positions == 3
    for name, missing in (("scales", r"norm\.0, norm\.1, norm\.2"), ("gates", r"gated\.1")):
        with pytest.raises(WeightsError, match=f"{name} are held fixed, but those of {missing}"):
            Frozen(frozen.model, frozen.weights, frozen.patterns, frozen.source, **(held | {name: {}}))
    with pytest.raises(WeightsError, match=r"patterns are held fixed, but those of attn\.0"):
        Frozen(frozen.model, frozen.weights, {}, frozen.source, **held)


def test_an_expansion_of_another_model() -> None:
    frozen = freeze_real("[rms_norm] attn(1)")
    assert sc.total("[rms_norm] attn(1)", frozen).shape == (3, 6)
    for other in ("attn(1)", "[layer_norm] attn(1)", "[rms_norm] attn(1, b_V)", "[rms_norm] attn(1, linear)"):
        with pytest.raises(SpecError, match=r"the expansion is of .*, but the weights are of"):
            sc.total(other, frozen)
