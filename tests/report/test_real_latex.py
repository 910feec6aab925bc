"""LaTeX, articles, graphs and words of real transformers against golden files; what is printed has the meaning that is computed."""

import re

import numpy as np
import pytest
from golden import check_golden
from hypothesis import given, settings
from real_evaluation import real_value
from requirements import require
from strategies import freeze_real, real_transformers
from sympy import MatrixSymbol
from test_latex import assert_clean, compiled, plain_lines

import symbolic_circuits as sc
from symbolic_circuits.derivation.matrices import equations
from symbolic_circuits.errors import NotationError
from symbolic_circuits.report.classes import Definition, definitions, meaning, path_class_rows
from symbolic_circuits.report.graph_files import graph_bytes
from symbolic_circuits.report.model_equations import is_plain

MODELS = {
    "real_biases": "[b_U] attn(2, b_V, b_O, output_scale) bilinear(b_1, b_2)",
    "real_norms": "[layer_norm, gains, learned, no final_norm] attn(2) bilinear(silu, b_2)",
    "real_scores": "[rms_norm, no embed, no unembed, post_norm] attn(H, linear)",
}
MEANINGS = [  # text, number of the path class, meaning
    ("[rms_norm] attn(2)", 0, "direct path"),
    ("[rms_norm] attn(2)*2", 3, "virtual head, block 1 after 0"),
    ("attn(2, b_V)", 2, "head of block 0, its bias"),
    ("attn(2, b_O)", 2, "bias of block 0"),
    ("bilinear(b_1, b_out)", 2, "bilinear layer 0: bias with token"),
    ("bilinear(b_1, b_out)", 3, "bias of layer 0"),
    ("[learned] attn(1)", 1, "position"),
    ("[learned] attn(1)", 3, "head of block 0, reading position"),
    ("[layer_norm, gains] attn(1)", 2, "head of block 0, reading bias of norm 0"),
    ("[layer_norm, gains] attn(1)", 3, "bias of norm 1"),
    ("[b_U]", 1, "bias of the output"),
    ("attn(2) bilinear(silu)", 3, "layer 1 with gates, reading head of block 0"),
    ("attn(2, linear)", 1, "head of block 0: query token, key token, value token"),
    ("attn(2, bilinear, b_Q)", 2, "head of block 0: query token and bias, key token and token, value token"),
]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("notation", ["operator", "matrix", "index", "tensor"])
def test_closed_forms(name, notation):
    expansion = sc.path_expansion(MODELS[name])
    lines = [sc.to_latex(expansion, notation), "", "% plain", *plain_lines(expansion, notation)]
    check_golden(f"closed_form_{name}_{notation}.tex", "\n".join(lines) + "\n")


@pytest.mark.parametrize("name", MODELS)
def test_articles(name):
    check_golden(f"article_{name}.tex", sc.article(sc.path_expansion(MODELS[name])))


@pytest.mark.parametrize("name", MODELS)
def test_graphs(name):
    model = sc.Transformer.parse(MODELS[name])
    model = model.subs({"H": 2}) if model.has_symbolic_heads else model
    check_golden(f"model_{name}.dot", graph_bytes(sc.model_graph(model), ".dot").decode())
    check_golden(f"term_{name}.dot", graph_bytes(sc.path_expansion(model)[-1].graph, ".dot").decode())


def test_scores_in_latex():
    check_golden("scores.tex", sc.to_latex(sc.scores("attn(H)*2", 1)) + "\n")


@pytest.mark.latex
@pytest.mark.parametrize(
    "text",
    [
        *MODELS.values(),
        "[rotary, b_U] attn(1, linear, b_Q, b_K)",
        "[layer_norm, gains, b_U, learned] attn(2, bias) bilinear(bias)",
    ],
)
def test_articles_compile(text, tmp_path):
    require("latex")
    assert_clean(compiled(sc.article(sc.path_expansion(text)), tmp_path))


@settings(max_examples=20, deadline=None)
@given(real_transformers(max_blocks=2, max_terms=60))
def test_latex_has_one_superscript_a_letter(model):
    """x^{a}^{b} does not compile, and neither does x^{a}_{s}^{b}."""
    for term in sc.path_expansion(model)[:6]:
        for notation in ("operator", "matrix") if model.positions != "rotary" else ("index", "tensor"):
            latex = sc.to_latex(term, notation)
            assert not re.search(r"\^\{[^{}]*\}(_\{[^{}]*\})?\^", latex)
            assert "DiagMatrix" not in latex and "alpha" not in latex.replace(r"\alpha", "")


@pytest.mark.parametrize(("text", "k", "words"), MEANINGS)
def test_meanings(text, k, words):
    assert meaning(sc.path_expansion(text).path_classes()[k]) == words


@settings(max_examples=40, deadline=None)
@given(real_transformers(max_blocks=2, max_terms=200))
def test_meanings_tell_classes_apart_and_count_all_terms(model):
    expansion = sc.path_expansion(model)
    rows = path_class_rows(expansion, "index", 2000)
    assert sum(row.count for row in rows) == expansion.number_of_terms
    assert all(row.meaning for row in rows)


@pytest.mark.parametrize(
    "text",
    [
        "[no unembed, rms_norm] attn(2, b_V) bilinear(b_1)",
        "[no unembed] bilinear(silu, b_2)*2",
        "[no unembed, learned] attn(2, output_scale) bilinear(tied, b_1)",
    ],
)
def test_short_definitions_add_up_to_the_output(text):
    """Columns c_k replaced by what they stand for, one after the other: the operators of the classes."""
    frozen = freeze_real(text)
    values: dict[MatrixSymbol, object] = {}
    total = 0
    part: Definition
    for part in definitions(sc.path_expansion(text), 500):
        values[part.name] = part.value.xreplace(values)
        total = total + (real_value(values[part.name], "operator", frozen) if part.is_class else 0)
    np.testing.assert_allclose(total, frozen.forward().output, atol=1e-12)


def test_columns_do_not_show_queries():
    with pytest.raises(
        NotationError, match="has queries and keys among its inputs, which columns do not show: use a closed form"
    ):
        list(definitions(sc.path_expansion("attn(1, linear)"), 500))
    list(definitions(sc.path_expansion("attn(1, linear, frozen)"), 500))


def test_an_article_is_of_an_output():
    with pytest.raises(
        NotationError, match=r"an article is about the output of a model; scores.0\[0\] is an expansion of scores"
    ):
        sc.article(sc.scores("attn(1)", 0))
    sc.article(sc.path_expansion("attn(1)"))


def test_equations_of_a_model():
    expansion = sc.path_expansion("[shortformer, rms_norm, b_U] attn(1, linear)")
    assert {str(name): str(value) for name, value in equations(expansion)} == {
        "X_0": "t*W_E.T",
        "N_0": "DiagMatrix(r_0)*X_0",
        "X_1": "sum[h=0..0] 1/sqrt(e)*(HadamardProduct(M, (N_0 + W_pos)*W_QK[h]*(N_0 + W_pos).T))*N_0*W_OV[h].T + X_0",
        "N_1": "DiagMatrix(r_1)*X_1",
        "T": "N_1*W_U.T + 1*b_U.T",
    }


def test_plain_models_are_described_as_before():
    assert is_plain(sc.Transformer.parse("attn(2) bilinear(tied, no out)"))
    for text in (
        "[rms_norm]",
        "[learned]",
        "attn(1, b_O)",
        "attn(1, linear, frozen)",
        "attn(1, no score_scale)",
        "bilinear(relu)",
    ):
        assert not is_plain(sc.Transformer.parse(text))
