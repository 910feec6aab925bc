"""Derivations of real transformers on paper: golden files, letters in words, what is held fixed, documents that compile."""

import pytest
from golden import check_golden
from requirements import require
from test_latex import assert_clean, compiled

import symbolic_circuits as sc
from symbolic_circuits.report.derivations.introductions import stream_in_words
from symbolic_circuits.report.derivations.letters import held_fixed
from symbolic_circuits.report.derivations.markdown import to_markdown
from symbolic_circuits.report.derivations.setting import model_rows
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.text import to_text

DOCUMENT = Style(document=True)
GOLDEN = {
    "real_norms": ("[layer_norm, gains, learned] attn(2, b_V, output_scale)", "matrix"),
    "real_layer": ("[rms_norm, b_U] bilinear(bias)", "operator"),
    "real_scores": ("[rotary] attn(1, linear, b_Q)", "index"),
}
COMPILED = [
    ("[layer_norm, gains, learned, b_U] attn(1, bias) bilinear(bias)", "operator"),
    ("[rms_norm, post_norm] attn(2) bilinear(silu, b_2)", "tensor"),
    ("[rotary, b_U] attn(1, linear, bias)", "index"),
    ("[shortformer] attn(1, bilinear, output_scale)", "matrix"),
]
HELD = [
    ("attn(2) bilinear", "Attention patterns are held fixed"),
    ("[rms_norm] attn(2)", "Attention patterns and norm scales are held fixed"),
    ("[layer_norm] attn(2) bilinear(silu)", "Attention patterns, norm scales and gates are held fixed"),
    ("attn(2, linear)", "Nothing is held fixed"),
    ("[rms_norm] attn(2, linear)", "Norm scales are held fixed"),
    ("attn(2, linear, frozen)", "Attention patterns are held fixed"),
]


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_files(name):
    text, notation = GOLDEN[name]
    found = sc.derive(text, notation=notation)
    check_golden(f"derivation_{name}.txt", to_text(found, DOCUMENT))
    check_golden(f"derivation_{name}.md", to_markdown(found, DOCUMENT))
    check_golden(f"derivation_{name}.tex", sc.to_latex(found, DOCUMENT))


@pytest.mark.parametrize(("text", "words"), HELD)
def test_what_is_held_fixed(text, words):
    assert words in held_fixed(sc.Transformer.parse(text))


def test_every_letter_is_explained():
    """Each tensor of the closed form has a row of its own, with words and its shape."""
    text = "[layer_norm, gains, learned, b_U] attn(2, bias, output_scale) bilinear(bias) bilinear(relu, bias)"
    model = sc.Transformer.parse(text)
    letters = [str(getattr(s, "family", getattr(s, "name", s))) for row in model_rows(model) for s in row.symbols]
    for name in (
        "W_pos",
        "b_OV",
        "b_O",
        "alpha",
        "b_1^1",
        "b_2^1",
        "b_out^2",
        "W_L^1",
        "W_R^1",
        "b_B^1",
        "G^2",
        "r_0",
        "b_N_3",
        "C",
        "b_U",
    ):
        assert name in letters, name
    assert all(
        row.meaning and (row.shape or row.kind == "number" or row is model_rows(model)[0]) for row in model_rows(model)[1:]
    )
    shown = to_text(sc.derive("attn(2, b_V)"), DOCUMENT)
    assert "only where the rows of A^h add up to one" in " ".join(shown.split())


def test_letters_of_scores():
    shown = to_text(sc.derive(sc.scores("[shortformer] attn(2)", 0, 1), notation="matrix"), DOCUMENT)
    assert "(W_Q^h)ᵀ W_K^h" in shown
    assert "positions, added to what queries and keys read" in shown
    assert "The scores are" in shown
    assert "W_pos" not in to_text(sc.derive("[shortformer] attn(2)", notation="matrix"), DOCUMENT)


def test_streams_in_words():
    model = sc.Transformer.parse("[rms_norm, post_norm] attn(2)|bilinear(silu)")
    assert stream_in_words(model, "Y", 1) == "Attention (block 0) and a layer with gates (block 1) give"
    assert stream_in_words(model, "X", 1) == "The norm gives"
    assert stream_in_words(sc.Transformer.parse("[rms_norm, no unembed] attn(2)"), "N", 1) == "The output is"


def test_column_convention():
    shown = to_text(sc.derive("[rms_norm, learned] attn(2, b_V)", notation="matrix"), Style(convention="column", document=True))
    assert "N₀ = X₀ diag(r₀)" in shown
    assert "W_pos d × n positions, added to the embedding" in " ".join(shown.split())


@pytest.mark.latex
@pytest.mark.parametrize(("text", "notation"), COMPILED)
def test_articles_compile(text, notation, tmp_path):
    require("latex")
    expansion = sc.path_expansion(text)
    assert_clean(compiled(sc.article(expansion, derivation=sc.derive(expansion, notation=notation)), tmp_path))
