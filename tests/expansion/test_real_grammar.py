"""Terms of biases, norms, positions, gates and attention without softmax: counts by formula, names, numbers and queries."""

import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import TermError

COUNTS = [  # model, number of terms by the recursion of its blocks
    ("attn(3, b_V)", 1 + 3 + 3),
    ("attn(3, b_O)", 1 + 3 + 1),
    ("attn(3, bias)", 1 + 3 + 3 + 1),
    ("attn(3, b_Q, b_K)", 1 + 3),  # what softmax reads is held fixed
    ("bilinear(b_1)", 1 + 1 + 1),
    ("bilinear(b_1, b_2)", 1 + 4),
    ("bilinear(bias)", 1 + 4 + 1),
    ("bilinear(bias, no residual)", 4 + 1),
    ("bilinear(tied, b_1)", 1 + 1 + 1 + 1),
    ("bilinear(tied, bias)*2", 5 + (5 * 6 // 2 + 5 + 1 + 1)),
    ("bilinear(silu)", 2),
    ("bilinear(silu, bias)", 1 + 1 + 1 + 1),
    ("[b_U] bilinear", 2 + 1),
    ("[learned] bilinear", 2 + 4),
    ("[shortformer] attn(2)", 1 + 2),
    ("[rms_norm] attn(2) bilinear", 3 + 9),
    ("[layer_norm] bilinear*2", 6),
    ("[layer_norm, gains] bilinear", (1 + 2**2) + 1),
    ("[layer_norm, gains, no final_norm] bilinear", 1 + 2**2),
    ("[layer_norm, gains, post_norm] bilinear*2", (3 + 3**2) + 1),
    ("[rms_norm, gains] bilinear", 2),
    ("attn(2, b_V)|bilinear(b_2)", 1 + 4 + 2),
    ("[layer_norm, gains] attn(2)|bilinear", (1 + 2 * 2 + 2 * 2) + 1),
    ("attn(1, linear)", 1 + 1),
    ("attn(1, linear)*3", 1010),  # E8
    ("attn(1, bilinear)*2", 34),
    ("attn(1, bilinear)*3", 45435458),
    ("attn(2, linear, bias)", 1 + 2 * 8 + 1),
    ("attn(1, bilinear, b_Q)", 1 + 4),
    ("[shortformer] attn(1, linear)", 1 + 4),
    ("attn(2, linear, frozen)*2", 9),
    ("attn(2, output_scale) bilinear", 12),
]


@pytest.mark.parametrize(("text", "number"), COUNTS)
def test_number_of_terms(text, number):
    expansion = sc.path_expansion(text)
    assert expansion.number_of_terms == number
    if number < 3000:
        terms = list(expansion)
        assert len(set(terms)) == number
        assert [expansion.index(term) for term in terms] == list(range(number))
        assert [expansion.parse(str(term)) for term in terms] == terms
        for by in ("order", "height", "degree", "heads", "bilinears"):
            z = sc.path_expansion(text).count_by(by).as_poly(*(list(expansion.count_by(by).free_symbols) or [sc_symbol()]))
            found = {}
            for term in terms:
                grade = grade_of(term, by)
                found[grade] = found.get(grade, 0) + 1
            assert {k: int(c) for (k,), c in z.terms() if c} == found


def sc_symbol():
    from sympy import Symbol

    return Symbol("z")


def grade_of(term, by):
    if by in ("order", "height", "degree"):
        return getattr(term, by)
    kind = {"heads": "attn", "bilinears": "bilinear"}[by]
    return str(term).count(f"{kind}.")


def test_symbolic_heads():
    assert str(sc.path_expansion("attn(H, linear, b_V)").number_of_terms) == "2*H + 1"
    assert str(sc.path_expansion("[b_U] attn(H, bias)").number_of_terms) == "2*H + 3"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("bilinear(bias)", ["embed", "bilinear.0(embed, embed)", "bilinear.0(embed, one)", "bilinear.0(one, embed)",
                            "bilinear.0(one, one)", "bias.0"]),
        ("[b_U] attn(1, b_V)", ["embed", "attn.0[0](embed)", "attn.0[0](one)", "one"]),
        ("[layer_norm, gains, no final_norm] attn(1)", ["embed", "attn.0[0](norm.0(embed))", "attn.0[0](normbias.0)"]),
        ("[learned, rms_norm] attn(1)", ["norm.1(embed)", "norm.1(position)", "norm.1(attn.0[0](norm.0(embed)))",
                                         "norm.1(attn.0[0](norm.0(position)))"]),
        ("[no embed] attn(1, linear)", ["input", "attn.0[0](input, input, input)"]),
        ("[shortformer] attn(1, linear, no residual)",
         [f"attn.0[0]({q}, {k}, embed)" for q in ("embed", "position") for k in ("embed", "position")]),
        ("bilinear(relu, b_2)", ["embed", "gated.0(embed)", "gated.0(one)"]),
    ],
)  # fmt: skip
def test_names(text, names):
    assert [str(term) for term in sc.path_expansion(text)] == names


QUERIES = [  # model, query, terms by a look at their names
    ("bilinear(bias)", "one > bilinear.0.left", lambda name: "(one, " in name),
    ("bilinear(bias)*2", "bias.0", lambda name: "bias.0" in name),
    ("attn(2, b_V) bilinear(b_1)", "one", lambda name: "one" in name),
    ("[rms_norm] attn(2) bilinear", "attn.0[1] >> bilinear.1.left", lambda name: name.startswith("norm.2(bilinear.1(norm.1(attn.0[1]")),
    ("[rms_norm] attn(2) bilinear", "bilinear >> output", lambda name: name.startswith("norm.2(bilinear")),
    ("attn(1, linear)*2", "attn.0 >> attn.1[0].query", lambda name: name.startswith("attn.1[0](attn.0")),
    ("attn(1, linear)*2", "attn.0 >> attn.1[0].value", lambda name: name.startswith("attn.1[0](") and name.endswith("embed))")),
    ("attn(1, bilinear) attn(1, linear)", "embed >> attn.0.query2", lambda name: "attn.0[0](" in name),
    ("[learned] bilinear", "position", lambda name: "position" in name),
    ("bilinear(silu, b_2)*2", "gated.0 >> gated.1", lambda name: "gated.1(gated.0" in name),
    ("bilinear(bias)*2", "degree = 0", lambda name: "embed" not in name),
]  # fmt: skip


@pytest.mark.parametrize(("text", "query", "chosen"), QUERIES)
def test_queries(text, query, chosen):
    expansion = sc.path_expansion(text)
    expected = {str(term) for term in expansion if chosen(str(term))}
    found = {str(term) for term in expansion.where(query)}
    assert found == expected and expected
    assert expansion.where(f"not ({query})").number_of_terms == expansion.number_of_terms - len(expected)


@pytest.mark.parametrize(
    ("text", "query", "message", "valid"),
    [
        ("attn(2)", "one", "no component one", "embed"),
        ("attn(2)", "position", "no component position", "embed"),
        ("attn(2) bilinear", "gated.1", "no component gated.1", "bilinear.1"),
        ("bilinear(relu)", "bilinear.0", "no component bilinear.0.*gated.0", "gated.0"),
        ("attn(2)", "attn.0.query", "have the inputs value", "attn.0.value"),
        ("attn(2, linear)", "attn.0.query2", "have the inputs query, key, value", "attn.0.query"),
        ("attn(2) attn(2)", "attn.0 > scores.query", "come from scores", "attn.0 > attn.1"),
        ("bilinear(b_1)", "bias.0", "no component bias.0", "one"),
    ],
)
def test_refused(text, query, message, valid):
    expansion = sc.path_expansion(text)
    with pytest.raises(TermError, match=message):
        expansion.where(query)
    assert expansion.where(valid).number_of_terms


def test_plain_models_keep_their_grammar():
    grammar = sc.path_expansion("(attn(2) bilinear)*2").grammar
    assert grammar.streams == (0, 1, 2, 3, 4) == tuple(range(len(grammar.nonterminals)))
