"""The text form of a model: ``parse(str(model)) == model``, the shortest text, and errors that name the position."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, SpecSyntaxError, SymbolicCircuitsError
from symbolic_circuits.spec_text import MAX_BLOCKS, MAX_CHARACTERS

A, B = sc.Attention(2), sc.Bilinear()

MODELS = [  # text -> model
    ("", sc.Transformer()),
    (" \n\t", sc.Transformer()),
    ("[] attn(2)", sc.Transformer([A])),
    ("attn(2) bilinear", sc.Transformer([A, B])),
    ("attn(2)bilinear", sc.Transformer([A, B])),
    ("attn ( 2 )\nbilinear", sc.Transformer([A, B])),
    ("attn(H)", sc.Transformer([sc.Attention("H")])),
    ("attn(2, e=16, no residual)", sc.Transformer([sc.Attention(2, 16, residual=False)])),
    ("attn(2, residual)", sc.Transformer([A])),
    ("bilinear(m=128, tied, no out, no residual)", None),
    ("[d=128] bilinear(m=128, tied, no out, no residual)", sc.Transformer([sc.Bilinear(128, False, True, False)], d=128)),
    ("(attn(2) bilinear)*3", sc.Transformer([A, B] * 3)),
    ("((attn(2) bilinear)*2 bilinear)*2", sc.Transformer([A, B, A, B, B] * 2)),
    ("bilinear (attn(2) bilinear)*2", sc.Transformer([B, A, B, A, B])),
    ("attn(2)*2 bilinear*2", sc.Transformer([A, A, B, B])),
    ("attn(2)|bilinear", sc.Transformer([sc.Parallel((A, B))])),
    ("attn(2)|bilinear attn(2)", sc.Transformer([sc.Parallel((A, B)), A])),
    ("attn(2) bilinear|attn(2)", sc.Transformer([A, sc.Parallel((B, A))])),
    ("(attn(2)|bilinear)*2", sc.Transformer([sc.Parallel((A, B))] * 2)),
    ("(attn(2)|bilinear)[no residual]", sc.Transformer([sc.Parallel((A, B), residual=False)])),
    ("((attn(2)|bilinear)[no residual])*2", sc.Transformer([sc.Parallel((A, B), residual=False)] * 2)),
    ("[no embed, d=64] attn(2)", sc.Transformer([A], d=64, embedding=False)),
    ("[n=3, d=D, V=50, no unembed]", sc.Transformer(n=3, d="D", V=50, unembedding=False)),
]

SHORTEST = [  # text -> str(model)
    ("attn(2) attn(2)", "attn(2)*2"),
    ("attn(2) bilinear attn(2) bilinear attn(2)", "(attn(2) bilinear)*2 attn(2)"),
    ("attn(2)|bilinear attn(2)|bilinear", "(attn(2)|bilinear)*2"),
    ("(attn(2)|bilinear)[no residual]*2", "((attn(2)|bilinear)[no residual])*2"),
    ("[unembed, embed, d=d] bilinear(m=m, out)", "bilinear"),
    ("bilinear(no residual, no out, tied)", "bilinear(no out, tied, no residual)"),
    ("[V=9, no unembed, n=3]", "[n=3, V=9, no unembed]"),
]

ERRORS = [  # text, position, the valid twin
    ("attn", 4, "attn(2)"),
    ("attn(", 5, "attn(2)"),
    ("attn()", 5, "attn(1)"),
    ("attn(2", 6, "attn(2)"),
    ("attn(2))", 7, "attn(2)"),
    ("attn(2) bilinaer", 8, "attn(2) bilinear"),
    ("attn(2) ?", 8, "attn(2)"),
    ("attn(-2)", 5, "attn(2)"),
    ("attn(2.5)", 6, "attn(2)"),
    ("attn(2)|", 8, "attn(2)|bilinear"),
    ("|bilinear", 0, "bilinear"),
    ("bilinear()", 9, "bilinear"),
    ("bilinear*", 9, "bilinear*2"),
    ("bilinear*k", 9, "bilinear*3"),
    ("bilinear [d=3]", 9, "[d=3] bilinear"),
    ("[d=3", 4, "[d=3]"),
    ("[d=]", 3, "[d=3]"),
    ("attn(12345678901)", 14, "attn(123456789)"),
    ("attn(2, e)", 8, "attn(2, e=3)"),
    ("attn(2, tied)", 8, "bilinear(tied)"),
    ("attn(2, no e)", 11, "attn(2, no residual)"),
    ("bilinear(out=3)", 9, "bilinear(m=3)"),
    ("[m=3] bilinear", 1, "bilinear(m=3)"),
    ("[no residual] bilinear", 4, "bilinear(no residual)"),
    ("[d=3, d=3]", 6, "[d=3, n=3]"),
    ("[no embed, embed]", 11, "[no embed, unembed]"),
    ("bilinear (tied)", 10, "bilinear(tied)"),
    ("bilinear(attn(2))", 13, "bilinear (attn(2))"),
    ("attn(0)", 5, "attn(1)"),
    ("[d=0]", 3, "[d=1]"),
    ("(attn(1)|attn(1))[tied]", 18, "(attn(1)|attn(1))[no residual]"),
]

UNPLACED = [  # text, message, the valid twin
    ("bilinear*0", "k of at least 1; got 0", "bilinear*1"),
    ("(attn(1) attn(1))|attn(1)", "each side of | is a single block; got 2 blocks", "attn(1)|attn(1)"),
    ("()|attn(1)", "got 0 blocks", "(attn(2))|attn(1)"),
    ("(attn(1)|attn(1))|attn(1)", "write a|b|c without parentheses", "attn(1)|attn(1)|attn(1)"),
    ("(attn(1) attn(1))[no residual]", "apply to parallel blocks only", "(attn(1)|attn(1))[no residual]"),
    ("(attn(1))[no residual]", "apply to parallel blocks only", "attn(1, no residual)"),
    ("attn(2, no residual)|bilinear", "no residual of its own", "(attn(2)|bilinear)[no residual]"),
    ("[no embed, no unembed, V=3]", "neither embedding nor unembedding", "[no embed, V=3]"),
    ("bilinear(m=3, no out)", "m must equal d; got m=3 and d=d", "[d=3] bilinear(m=3, no out)"),
]

FRAGMENTS = [
    "attn(2)",
    "attn(H",
    "bilinear",
    "(",
    ")",
    "*2",
    "*0",
    "|",
    "[",
    "]",
    "no",
    "residual",
    "d=3",
    ",",
    "=",
    " ",
    "tied",
    "[no embed]",
    "é",
    "\0",
]


@pytest.mark.parametrize(("text", "model"), [row for row in MODELS if row[1] is not None])
def test_parse(text, model):
    assert sc.Transformer.parse(text) == model


@pytest.mark.parametrize(("text", "shortest"), SHORTEST)
def test_shortest_text(text, shortest):
    assert str(sc.Transformer.parse(text)) == shortest
    assert str(sc.Transformer.parse(shortest)) == shortest


@given(transformers(max_blocks=8, max_terms=None, symbolic_heads=True))
def test_round_trip(model):
    assert sc.Transformer.parse(str(model)) == model
    assert str(sc.Transformer.parse(str(model))) == str(model)
    assert eval(repr(model), {"Transformer": sc.Transformer}) == model


@given(st.lists(st.sampled_from([A, B, sc.Parallel((A, B)), sc.Parallel((A, B), False), sc.Attention("H")]), max_size=20))
def test_round_trip_of_repetitions(blocks):
    model = sc.Transformer(blocks)
    assert sc.Transformer.parse(str(model)) == model
    assert len(str(model)) <= len(" ".join(str(sc.Transformer([block])) for block in blocks)) + 4 * len(blocks)


@given(transformers(symbolic_heads=True))
def test_space_does_not_matter(model):
    assert sc.Transformer.parse(re.sub(r"([()\[\],=|*])", r" \1\n", str(model)).replace("bilinear (", "bilinear(")) == model


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=8).map("".join))
def test_any_text_is_a_model_or_a_named_error(text):
    try:
        model = sc.Transformer.parse(text)
    except SymbolicCircuitsError as error:
        assert str(error)
    else:
        assert sc.Transformer.parse(str(model)) == model


@pytest.mark.parametrize(("text", "position", "twin"), ERRORS)
def test_errors_name_the_position(text, position, twin):
    with pytest.raises(SpecSyntaxError, match=rf"at character {position}\b"):
        sc.Transformer.parse(text)
    sc.Transformer.parse(twin)


@pytest.mark.parametrize(("text", "message", "twin"), UNPLACED)
def test_contradictions(text, message, twin):
    with pytest.raises(SpecError, match=re.escape(message)):
        sc.Transformer.parse(text)
    sc.Transformer.parse(twin)


def test_an_error_shows_the_place_and_what_was_expected():
    with pytest.raises(SpecSyntaxError) as caught:
        sc.Transformer.parse("attn(2) bilinear(m 3)")
    first, shown, caret = str(caught.value).split("\n")
    assert '"="' in first
    assert shown[caret.index("^")] == "3"


def test_the_caret_of_a_long_text_stays_under_the_place():
    with pytest.raises(SpecSyntaxError) as caught:
        sc.Transformer.parse("attn(2) " * 50 + "! " + "attn(2) " * 50)
    _, shown, caret = str(caught.value).split("\n")
    assert shown[caret.index("^")] == "!"


def test_options_offered_are_listed():
    with pytest.raises(SpecSyntaxError, match=re.escape("it has m=..., no out, tied, no residual")):
        sc.Transformer.parse("bilinear(e=3)")


def test_budgets():
    assert sc.Transformer.parse(f"attn(1)*{MAX_BLOCKS}").number_of_blocks == MAX_BLOCKS
    with pytest.raises(BudgetError, match="at most 256 blocks"):
        sc.Transformer.parse(f"attn(1)*{MAX_BLOCKS + 1}")
    with pytest.raises(BudgetError, match="at most 256 blocks"):
        sc.Transformer.parse("((attn(1)*100)*100)*100")
    with pytest.raises(BudgetError, match="at most 256 blocks"):
        sc.Transformer.parse("(attn(1)|attn(1))*129")
    sc.Transformer.parse(" " * MAX_CHARACTERS)
    with pytest.raises(BudgetError, match="at most 100000 characters"):
        sc.Transformer.parse(" " * (MAX_CHARACTERS + 1))


@pytest.mark.parametrize("text", ["(" * 20_000, "()" * 20_000, "(" * 20_000 + ")" * 20_000])
def test_deep_and_empty_groups_end_in_a_model_or_a_named_error(text):
    try:
        assert sc.Transformer.parse(text) == sc.Transformer()
    except SymbolicCircuitsError as error:
        assert str(error)


@pytest.mark.parametrize("value", [None, 3, b"attn(2)"])
def test_a_model_text_is_a_str(value):
    with pytest.raises(SpecSyntaxError, match=f"is a str; got {type(value).__name__}"):
        sc.Transformer.parse(value)


REAL = [  # what trained models have: text, its shortest form
    ("attn(2, bias)", "attn(2, bias)"),
    ("attn(2, b_V, b_Q)", "attn(2, b_Q, b_V)"),
    ("attn(2, b_Q, b_K, b_V, b_O)", "attn(2, bias)"),
    ("attn(2, linear, frozen, no score_scale, output_scale)", "attn(2, linear, frozen, no score_scale, output_scale)"),
    ("attn(2, score_scale)", "attn(2)"),
    ("bilinear(silu, bias)", "bilinear(bias, silu)"),
    ("bilinear(tied, bias)", "bilinear(tied, b_1, b_out)"),
    ("[b_U, rotary, gains, rms_norm] attn(2)", "[rms_norm, gains, rotary, b_U] attn(2)"),
    ("[layer_norm, post_norm]", "[layer_norm, post_norm]"),
    ("[rms_norm, no final_norm, d=4] bilinear", "[d=4, rms_norm, no final_norm] bilinear"),
    ("(attn(1, bilinear)|bilinear(gelu))*2", "(attn(1, bilinear)|bilinear(gelu))*2"),
]


@pytest.mark.parametrize(("text", "shortest"), REAL)
def test_real_models(text, shortest):
    model = sc.Transformer.parse(text)
    assert str(model) == shortest
    assert sc.Transformer.parse(shortest) == model


@pytest.mark.parametrize(
    ("text", "message", "valid"),
    [
        ("attn(2, silu)", "attn has no option 'silu'.*b_Q, b_K, b_V, b_O, linear, bilinear", "bilinear(silu)"),
        ("attn(2, no linear)", "no option 'linear' of that form", "attn(2, linear)"),
        ("attn(2, b_Q, b_Q)", "'b_Q' of attn is given twice", "attn(2, b_Q, b_K)"),
        ("attn(2, bias, b_Q)", "'b_Q' of attn at character 14 cannot stand beside 'bias'", "attn(2, bias)"),
        ("[rms_norm, layer_norm]", "'layer_norm' of model at character 11 cannot stand beside 'rms_norm'", "[layer_norm]"),
        ("[gains]", "gains is said of norms, but the model has none", "[rms_norm, gains]"),
        ("[rms_norm, post_norm, no final_norm]", "final_norm says nothing", "[rms_norm, post_norm]"),
        ("[no unembed, b_U]", "no output bias b_U", "[b_U]"),
        ("attn(2, frozen)", "held fixed anyway", "attn(2, linear, frozen)"),
        ("bilinear(tied, silu)", "tells its two sides apart", "bilinear(silu)"),
        ("bilinear(tied, b_2)", "one bias inside, b_1", "bilinear(tied, b_1)"),
    ],
)
def test_real_models_refused(text, message, valid):
    with pytest.raises(SpecError, match=message):
        sc.Transformer.parse(text)
    assert str(sc.Transformer.parse(valid)) == valid
