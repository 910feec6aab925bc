"""What a hostile review of real transformers found, in expansions, code and the text form."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from real_evaluation import code_value, real_einsum_value
from strategies import freeze_real

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.errors import SpecError, SpecSyntaxError, TokensError
from symbolic_circuits.expansion.proof import prove_expansion


def named(frozen, code):
    """The result of code whose parameters are operands under other names, taken by the name in front of the first ``_``."""
    scope: dict = {}
    exec(code, scope)
    function = scope["path_expansion"]
    tensors = sc.named_operands(frozen)
    sizes = {str(size): np.array(value) for size, value in frozen_sizes(frozen).items()}
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return function(*(sizes[name.rpartition("_")[0]] if name.endswith("_0") else tensors[name] for name in names))


def frozen_sizes(frozen):
    """The numbers of the sizes."""
    return {symbol: array for symbol, array in sc.operands(frozen).items() if symbol in frozen.model.symbolic_sizes}


@pytest.mark.parametrize("e", [1, 2, 3, 4, 8, 12])
@pytest.mark.parametrize("scores", ["linear", "bilinear"])
def test_code_divides_by_the_root_of_a_head_width(e, scores):
    """1 / sqrt(3) is sqrt(3) / 3 in SymPy, of which the third was once written 1_3, which is 13 in Python."""
    frozen = freeze_real(f"[no embed] attn(1, e={e}, {scores}, output_scale)")
    for expansion in (sc.path_expansion(frozen.model), sc.scores(frozen.model, 0)):
        expected = sc.output_values(expansion, frozen).sum(axis=0)
        np.testing.assert_allclose(code_value(expansion.to_code(), frozen), expected, atol=1e-11)


@pytest.mark.parametrize("name", ["out", "np", "ones", "lambda", "M", "t", "W_OV"])
def test_code_of_a_size_that_has_a_taken_name(name):
    model = f"[b_U] attn(1, linear, e={name}, b_O)"
    frozen = sc.freeze(sc.Weights.random(model, sizes={name: 3}, seed=0), [1, 2, 3])
    expansion = sc.path_expansion(model)
    values = sc.output_values(expansion, frozen)
    np.testing.assert_allclose(named(frozen, expansion.to_code()), values.sum(axis=0), atol=1e-12)
    for term, value in zip(expansion, values, strict=True):
        np.testing.assert_allclose(real_einsum_value(term, frozen), value, atol=1e-12)


@pytest.mark.parametrize("text", ["[n=t] attn(2)", "[V=W_E] attn(2)", "[d=W_E] bilinear", "bilinear(m=W_1)", "[no embed, n=X]"])
def test_operands_of_einsums_are_tensors_where_a_size_has_their_name(text):
    model = sc.Transformer.parse(text)
    sizes = {str(size): 3 for size in model.symbolic_sizes if str(size) not in "ndVem"}
    weights = sc.Weights.random(model, sizes=sizes, seed=0)
    frozen = sc.freeze(weights, [1, 2, 0] if model.embedding else np.ones((3, 16)))
    for term, value in zip(sc.path_expansion(model), sc.output_values(sc.path_expansion(model), frozen), strict=True):
        np.testing.assert_allclose(real_einsum_value(term, frozen), value, atol=1e-12)


@pytest.mark.parametrize("text", ["rms_norm", "layer_norm", "rms_norm, learned", "layer_norm, shortformer"])
def test_a_model_of_one_norm(text):
    """No array but those of positions says how wide the stream is."""
    weights = sc.Weights.random(f"[no embed, no unembed, {text}]", seed=0)
    x = np.random.default_rng(0).standard_normal((3, 16))
    frozen = sc.freeze(weights, x)
    y = x + weights.arrays["W_pos"][:3] if "learned" in text else x
    y = y - y.mean(axis=1, keepdims=True) if "layer" in text else y
    expected = y / np.sqrt((y**2).mean(axis=1, keepdims=True) + 1e-5)
    for found in (sc.total(sc.path_expansion(weights.model), frozen), frozen.forward().output):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert sc.check(sc.path_expansion(weights.model), weights, tokens=x).agrees


def test_random_weights_turn_no_more_coordinates_than_a_head_of_a_named_width_has():
    weights = sc.Weights.random("[rotary] attn(1, e=k)", e=8, sizes={"k": 2}, seed=0)
    assert len(weights.arrays["rotary.inv_freq"]) == 1


def test_as_many_positions_as_the_size_of_that_name():
    weights = sc.Weights.random("[n=m] bilinear", m=3, seed=0)
    sc.freeze(weights, [1, 2, 3])
    with pytest.raises(TokensError, match="n=3 positions; got 4"):
        sc.freeze(weights, [1, 2, 3, 4])


@pytest.mark.parametrize(
    ("valid", "invalid", "words"),
    [
        ("attn(2, linear)", "attn(2, linear, bilinear)", "'bilinear' of attn at character 16 cannot stand beside 'linear'"),
        ("bilinear(relu)", "bilinear(relu, silu)", "'silu' of bilinear at character 15 cannot stand beside 'relu'"),
        ("[learned]", "[learned, rotary]", "'rotary' of model at character 10 cannot stand beside 'learned'"),
        ("attn(2, b_Q, b_V)", "attn(2, b_Q, b_V, bias)", "'bias' of attn at character 18 cannot stand beside 'b_Q' and 'b_V'"),
        ("attn(2, b_Q)", "attn(2, b_Q, b_Q)", "'b_Q' of attn is given twice, again at character 13"),
    ],
)
def test_options_that_contradict_each_other(valid, invalid, words):
    sc.Transformer.parse(valid)
    with pytest.raises(SpecSyntaxError, match=words):
        sc.Transformer.parse(invalid)


def test_biases_are_names():
    assert sc.Attention(biases=None) == sc.Attention(biases=False) == sc.Attention(biases=())
    with pytest.raises(SpecError, match="biases of an attention block are names in a sequence, or True for all of them; got 5"):
        sc.Attention(biases=5)


@pytest.mark.parametrize(
    "text", ["[d=2] attn(2, b_V)", "[d=3] attn(1, linear, e=2, b_V)", "[n=3, d=2, no embed] attn(3, e=4, bilinear)"]
)
@pytest.mark.parametrize("suffix", ["tex", "md", "txt"])
def test_documents_of_models_of_given_sizes(text, suffix, tmp_path):
    """The factors of W_O b_V, W_O W_V and W_Q^T W_K have shapes of their own, which known sizes tell apart."""
    result = CliRunner().invoke(main, ["derive", text, "-o", str(tmp_path / f"model.{suffix}")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("text", ["[learned] attn(2)", "[shortformer] attn(2)", "[n=m, no embed] bilinear"])
def test_random_inputs_are_no_longer_than_the_weights_allow(text, tmp_path):
    sc.Weights.random(text, n_ctx=3, m=3, seed=0).save(tmp_path / "weights.npz")
    result = CliRunner().invoke(main, ["check", "--weights", str(tmp_path / "weights.npz")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "args",
    [
        ["derive"],
        ["derive", "--steps"],
        ["derive", "-o", "{}/model.tex"],
        ["report", "-o", "{}/model.html"],
        ["terms", "--classes"],
        ["terms", "--classes", "--scores", "0[0]"],
    ],
)
@pytest.mark.parametrize("text", ["[rotary] attn(1, linear)", "[rotary] attn(H, linear)", "[rotary] attn(1)"])
def test_commands_without_a_notation_take_one_that_the_model_has(args, text, tmp_path):
    command, *options = (part.format(tmp_path) for part in args)
    result = CliRunner().invoke(main, [command, text, *options])
    assert result.exit_code == 0, result.output


WRONG = [
    "attn(2) bilinear",
    "[b_U, learned] attn(1, b_V, b_O) bilinear(tied, b_1, b_out)",
    "[layer_norm, gains, post_norm] attn(2)|bilinear(silu, b_2)",
    "[shortformer] attn(1, linear, b_Q)",
    "[rms_norm] attn(H) bilinear(b_1)",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_proved_is_that_terms_are_those_of_the_model(text):
    """An expansion that lacks a production, or has one twice, is of its own grammar, but not of the model."""
    right = sc.path_expansion(text)
    right = right.path_classes() if right.model.has_symbolic_heads else right
    assert right.prove().verdict == "proved"
    for k, rules in enumerate(right.grammar.nonterminals):
        for j, rule in enumerate(rules if len(rules) > 1 else ()):
            for changed in (rules[:j] + rules[j + 1 :], (*rules, rule)):
                nonterminals = (*right.grammar.nonterminals[:k], changed, *right.grammar.nonterminals[k + 1 :])
                wrong = sc.PathExpansion(replace(right.grammar, nonterminals=nonterminals))
                assert prove_expansion(wrong).verdict == "refuted"
