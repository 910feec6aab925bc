"""The language of queries: what texts mean, what they are written as, and what is refused."""

import pickle

import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, TermError
from symbolic_circuits.expansion.queries.components import blocks_told_apart
from symbolic_circuits.expansion.queries.language import parse_query
from symbolic_circuits.expansion.queries.query import And, Count, Not, Or, Passes, Query, count, passes
from symbolic_circuits.expansion.queries.step import Step

HEAD, LEFT = Step("attn", (0,), (1,)), Step("bilinear", (1,), None, "left")
TEXTS = [  # text, query, as it is written back
    ("attn.0[1]", Passes((HEAD,)), "attn.0[1]"),
    ("attn", Passes((Step("attn"),)), "attn.*[*]"),
    ("attn.*", Passes((Step("attn"),)), "attn.*[*]"),
    ("attn.0", Passes((Step("attn", (0,)),)), "attn.0[*]"),
    ("attn.*[1]", Passes((Step("attn", None, (1,)),)), "attn.*[1]"),
    ("attn.0-2[1, 3]", Passes((Step("attn", (0, 1, 2), (1, 3)),)), "attn.0,1,2[1,3]"),
    ("bilinear.*", Passes((Step("bilinear"),)), "bilinear.*"),
    ("bilinear.left", Passes((Step("bilinear", None, None, "left"),)), "bilinear.*.left"),
    ("embed", Passes((Step("embed"),)), "embed"),
    ("*", Passes((Step("*"),)), "*"),
    ("attn.0[1]>bilinear.1.left", Passes((HEAD, LEFT), (False,)), "attn.0[1] > bilinear.1.left"),
    ("attn.0[1] >> bilinear.1.left", Passes((HEAD, LEFT), (True,)), "attn.0[1] >> bilinear.1.left"),
    ("attn.0[1] > bilinear.1.left >> output", Passes((HEAD, LEFT), (False,), True), "attn.0[1] > bilinear.1.left >> output"),
    ("attn.0[1] > output", Passes((HEAD,)), "attn.0[1]"),
    ("attn.0[1] <= 2", Count(HEAD, "<=", 2), "attn.0[1] <= 2"),
    ("attn.0[1] == 2", Count(HEAD, "=", 2), "attn.0[1] = 2"),
    ("order >= 3", Count("order", ">=", 3), "order >= 3"),
    ("attn.0[1] < 2", Count(HEAD, "<=", 1), "attn.0[1] <= 1"),
    ("attn.0[1]>2", Count(HEAD, ">=", 3), "attn.0[1] >= 3"),
    ("order < 1", Count("order", "<", 1), "order <= 0"),
    (
        "not order > 0 and attn > bilinear",
        parse_query("(not order >= 1) and (attn > bilinear)"),
        "not order >= 1 and attn.*[*] > bilinear.*",
    ),
    ("not not embed", Passes((Step("embed"),)), "embed"),
    ("not attn.0[1] > bilinear.1.left", Not(Passes((HEAD, LEFT), (False,))), "not attn.0[1] > bilinear.1.left"),
    (
        "embed or * and not attn.0[1]",
        Or((Passes((Step("embed"),)), And((Passes((Step("*"),)), Not(Passes((HEAD,))))))),
        "embed or * and not attn.0[1]",
    ),
    ("(embed or *) and embed", And((Or((Passes((Step("embed"),)), Passes((Step("*"),)))), Passes((Step("embed"),)))), None),
]
REFUSED = [  # text, message, valid twin
    ("", "expected .*a component .* at character 0", "embed"),
    ("attn.0[1] >", "expected a component .* at character 11", "attn.0[1] > bilinear.1"),
    ("attn >> 2", "compared by >, .* got >> at character 5", "attn > 2"),
    ("attn <", "expected a number at character 6", "attn < 1"),
    ("attn < 0", "numbers of a term are from 0, so that none has attn.* < 0, at character 0", "attn < 1"),
    ("attn > 1 > attn", "at character 9", "attn > attn"),
    ("attn.0[1", "at character 6", "attn.0[1]"),
    ("(attn", r'expected .*"\)".* at character 5', "(attn)"),
    ("attn and", "at character 8", "attn and embed"),
    ("attn & embed", "at character 5", "attn and embed"),
    ("frob", "a step is one of attn, .*got 'frob', at character 0", "embed"),
    ("attn.0[1] > frob.1", "got one for|a step is one of", "attn.0[1] > bilinear.1"),
    ("embed.0", "have numbers; got one for embed", "embed"),
    ("bilinear.1[0]", "heads are of attention", "bilinear.1"),
    ("attn.0.left", "left and a right input; got attn", "bilinear.1.left"),
    ("bilinear.1.up", "left and a right input; got bilinear and 'up'", "bilinear.1.right"),
    ("bilinear.1.left <= 2", "nodes are counted, not their inputs", "bilinear.1 <= 2"),
    ("output", "output stands at the end", "embed >> output"),
    ("embed > output > attn", "output stands at the end", "embed > attn"),
    ("order > attn", "order is a number of the term", "order >= 1"),
    ("attn.0[1-0]", "a range runs upwards", "attn.0[0-1]"),
    ("attn.0[a]", "numbers read like", "attn.0[0]"),
    ("attn.7[0]", r"no component attn.7\[0\] in .*; did you mean attn.0\[0\]\?", "attn.0[0]"),
    ("attn.0[2]", r"no component attn.0\[2\] in .*; did you mean attn.0\[1\]\? It has embed, attn.0\[0\]", "attn.0[1]"),
    ("attn.*[2]", r"no component attn.\*\[2\] in .*; did you mean attn.0\[1\]", "attn.*[1]"),
    ("not bilinear.0", "no component bilinear.0 in .*; did you mean bilinear.1", "not bilinear.1"),
    ("attn.1 <= 2", "no component attn.1 in .*; did you mean attn.0[?]", "attn.0 <= 2"),
    ("input", "no component input in .*; did you mean embed", "embed"),
]


@pytest.mark.parametrize(("text", "query", "written"), TEXTS)
def test_texts(text, query, written):
    assert parse_query(text) == query
    assert written is None or str(query) == written
    assert parse_query(str(query)) == query
    assert pickle.loads(pickle.dumps(query)) == query


def test_python_form():
    one, two = passes("attn.0[1]", "bilinear.1.left"), count("attn.*", at_most=2)
    assert one & ~two | two == parse_query("attn.0[1] > bilinear.1.left and not attn.* <= 2 or attn.* <= 2")
    assert count("attn.0", at_least=1, at_most=2) == parse_query("attn.0 >= 1 and attn.0 <= 2")
    assert count("order", exactly=3) == parse_query("order = 3")
    assert ~~one is one
    expansion = sc.path_expansion("attn(2) bilinear")
    assert expansion.where(one).number_of_terms == expansion.where("attn.0[1] > bilinear.1.left").number_of_terms
    assert repr(expansion.where(one)) == "path_expansion('attn(2) bilinear').where('attn.0[1] > bilinear.1.left')"
    with pytest.raises(TermError, match="at_least, at_most or exactly"):
        count("order")
    with pytest.raises(TermError, match="from 0; got = -1"):
        count("order", exactly=-1)
    with pytest.raises(TypeError, match="a text or a Query; got int"):
        expansion.where(3)
    with pytest.raises(TypeError):
        one & "attn"


@pytest.mark.parametrize("what", ["attn", "bilinear.1", "order", "height", "degree", "heads"])
def test_less_and_more_are_the_rest_of_at_least_and_at_most(what):
    expansion = sc.path_expansion("attn(2) bilinear attn(1)")
    for number in range(1, 5):
        less, more = (expansion.where(f"{what} {relation} {number}").number_of_terms for relation in "<>")
        same = expansion.where(f"{what} = {number}").number_of_terms
        assert less + same + more == expansion.number_of_terms
        assert less == sum(1 for term in expansion.where(f"not {what} >= {number}"))


@pytest.mark.parametrize(("text", "message", "valid"), REFUSED)
def test_refused(text, message, valid):
    expansion = sc.path_expansion("attn(2) bilinear")
    with pytest.raises(TermError, match=message):
        expansion.where(text)
    assert isinstance(expansion.where(valid).number_of_terms, int)


def test_inputs_of_tied_layers_are_not_told_apart():
    with pytest.raises(TermError, match=r"bilinear.1 of .* has tied weights, .*write bilinear.1"):
        sc.path_expansion("attn(2) bilinear(tied)").where("bilinear.*.left")
    assert sc.path_expansion("attn(2) bilinear").where("bilinear.*.left").number_of_terms == 9


def test_a_wildcard_names_nothing_that_could_be_missing():
    assert sc.path_expansion("attn(2)").where("bilinear.*").is_empty
    assert sc.path_expansion("attn(2) attn(3)").where("attn.*[2]").number_of_terms == 3


def test_without_embedding_the_input_is_called_input():
    assert sc.path_expansion("[no embed] attn(2)").where("input").number_of_terms == 3
    with pytest.raises(TermError, match="did you mean input"):
        sc.path_expansion("[no embed] attn(2)").where("embed")


def test_heads_that_are_told_apart():
    model = sc.Transformer.parse("attn(2)*2 attn(H)")
    for text, blocks in (
        ("attn.0[1] > attn.1", {0}),
        ("attn.*", set()),
        ("attn.0-1[0,1]", set()),
        ("attn.1[0] and attn.0[1]", {0, 1}),
    ):
        assert blocks_told_apart(parse_query(text), model) == blocks


def test_budgets():
    with pytest.raises(BudgetError, match="at most 20,000 characters"):
        parse_query("embed" + " " * 20_000)
    with pytest.raises(BudgetError, match="at most 100 deep; here 101"):
        parse_query("(" * 101 + "embed" + ")" * 101)
    with pytest.raises(BudgetError, match="at most 4,096 numbers"):
        parse_query("attn.0-99999")
    query: Query = passes("embed")
    for _ in range(300):
        query = ~(query & passes("*"))
    with pytest.raises(BudgetError, match="nested at most 200 deep"):
        sc.path_expansion("attn(2)").where(query)
    assert isinstance(parse_query("(" * 100 + "embed" + ")" * 100), Query)


def test_words_of_the_language_are_whole_words():
    assert parse_query("attn and(bilinear)or not(embed)") == parse_query("(attn and bilinear) or not embed")
    for text in ("attn andattn", "attn orbilinear", "attn and notattn"):
        with pytest.raises(TermError, match="character"):
            parse_query(text)
