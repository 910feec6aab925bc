"""A term is a tree with a name that parses back; its order, height, degree, heads, layers and coefficient are read off it."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, TermError
from symbolic_circuits.expansion.names import parse_term
from symbolic_circuits.expansion.term import Term, subterms

PROPERTIES = [  # text, name -> order, height, degree, heads, layers, coefficient
    ("", "embed", 0, 0, 1, (), (), 1),
    ("attn(2)*2", "attn.1[1](attn.0[0](embed))", 2, 2, 1, ((0, 0), (1, 1)), (0, 1), 1),
    ("attn(2) bilinear", "bilinear.1(embed, attn.0[1](embed))", 2, 2, 2, ((0, 1),), (0, 1), 1),
    ("attn(2) bilinear(tied)", "bilinear.1(embed, attn.0[1](embed))", 2, 2, 2, ((0, 1),), (0, 1), 2),
    ("attn(2) bilinear(tied)", "bilinear.1(attn.0[1](embed), attn.0[1](embed))", 3, 2, 2, ((0, 1),), (0, 1), 1),
    ("[no embed] bilinear*2", "bilinear.1(bilinear.0(input, input), input)", 2, 2, 3, (), (0, 1), 1),
    (
        "bilinear(tied)*3",
        "bilinear.2(bilinear.0(embed, embed), bilinear.1(embed, bilinear.0(embed, embed)))",
        4,
        3,
        5,
        (),
        (0, 1, 2),
        4,
    ),
]

BAD_NAMES = [  # name, message, valid twin
    ("", "at character 0", "embed"),
    ("embed)", "at character 5", "embed"),
    ("bilinear.1(embed, embed", "at character 23", "bilinear.1(embed, embed)"),
    ("bilinear.1(embed; embed)", "at character 16", "bilinear.1(embed, embed)"),
    ("embed()", "at character 6", "embed"),
    ("input", r"no component 'input' \(character 0\)", "embed"),
    (
        "attn.0[2](embed)",
        r"no component 'attn.0\[2\]' \(character 0\) in this expansion; it has embed, attn.0\[0\]",
        "attn.0[1](embed)",
    ),
    ("attn.0[*](embed)", "no component", "attn.0[0](embed)"),
    ("bilinear.1(embed, attn.7[0](embed))", r"\(character 18\)", "bilinear.1(embed, attn.0[0](embed))"),
    ("attn.0[0]", r"attn.0\[0\] takes 1 inputs; got 0 at character 0", "attn.0[0](embed)"),
    ("attn.0[0](embed, embed)", "takes 1 inputs; got 2", "attn.0[0](embed)"),
    ("bilinear.1(embed)", "bilinear.1 takes 2 inputs; got 1", "bilinear.1(embed, embed)"),
    ("embed(embed)", "embed takes 0 inputs; got 1", "embed"),
    ("attn.0[0](attn.0[1](embed))", "cannot stand there", "attn.0[0](embed)"),
    ("bilinear.1(bilinear.1(embed, embed), embed)", "cannot stand there", "bilinear.1(embed, embed)"),
    ("Attn.0[0](embed)", "at character 0", "attn.0[0](embed)"),
]


@pytest.mark.parametrize(("text", "name", "order", "height", "degree", "heads", "layers", "coefficient"), PROPERTIES)
def test_properties(text, name, order, height, degree, heads, layers, coefficient):
    term = sc.path_expansion(text).parse(name)
    found = (term.order, term.height, term.degree, term.heads, term.layers, term.coefficient)
    assert found == (order, height, degree, heads, layers, coefficient)
    assert str(term) == name
    assert repr(term) == f"<Term {name}>"


@given(transformers())
def test_names_parse_back(model):
    expansion = sc.path_expansion(model)
    names = [str(term) for term in expansion]
    assert len(set(names)) == len(names)
    assert [expansion.parse(name) for name in names] == list(expansion)
    assert [expansion.parse(f" {name} ".replace("(", "( ").replace(",", "\n,")) for name in names] == list(expansion)


@given(transformers(symbolic_heads=True, max_blocks=2))
def test_names_of_path_classes_parse_back(model):
    classes = sc.path_expansion(model).path_classes()
    assert [classes.parse(str(term)) for term in classes] == list(classes)


@given(st.integers(min_value=0))
def test_names_of_large_expansions_parse_back(k):
    expansion = sc.path_expansion("(attn(12) bilinear)*5")
    term = expansion[k % expansion.number_of_terms]
    assert expansion.parse(str(term)) == term


@given(transformers())
def test_a_tree_is_its_subterms(model):
    for term in sc.path_expansion(model):
        nodes = list(subterms(term))
        assert nodes[0] == term
        assert len(nodes) == term.order + term.degree
        assert term.degree <= 2**term.height
        assert term.height <= term.order
        assert sum(len(node.inputs) for node in nodes) == len(nodes) - 1
        assert term.degree == 1 + sum(len(node.inputs) == 2 for node in nodes)


@given(transformers())
def test_terms_survive_pickle_and_copy(model):
    terms = tuple(sc.path_expansion(model))
    for again in (pickle.loads(pickle.dumps(terms)), copy.deepcopy(terms)):
        assert again == terms
        assert [hash(t) for t in again] == [hash(t) for t in terms]
        assert all(t in sc.path_expansion(model) for t in again)


def test_terms_of_different_models_differ():
    """Same name, other model: the weights are others."""
    first, second = (sc.path_expansion(text).parse("attn.0[0](embed)") for text in ("attn(2)", "attn(2, e=3)"))
    assert str(first) == str(second)
    assert first != second
    assert sc.path_expansion("attn(2)")[1] == sc.path_expansion("attn(2)")[1]


def test_a_name_in_the_other_order_is_the_same_term_where_weights_are_tied():
    expansion = sc.path_expansion("attn(2) bilinear(tied)")
    left, right = "bilinear.1(attn.0[0](embed), embed)", "bilinear.1(embed, attn.0[0](embed))"
    assert expansion.parse(left) == expansion.parse(right)
    assert str(expansion.parse(left)) == right
    untied = sc.path_expansion("attn(2) bilinear")
    assert untied.parse(left) != untied.parse(right)


@pytest.mark.parametrize(("name", "message", "twin"), BAD_NAMES)
def test_bad_names(name, message, twin):
    expansion = sc.path_expansion("attn(2) bilinear")
    with pytest.raises(TermError, match=message):
        expansion.parse(name)
    assert expansion.parse(twin) in expansion


def test_absurd_names_stop():
    expansion = sc.path_expansion("attn(2)")
    with pytest.raises(BudgetError, match="at most 1,000,000 characters"):
        expansion.parse("embed" + " " * 1_000_000)
    assert expansion.parse("embed" + " " * 1000) == expansion[0]
    deep = "attn.0[0](" * 20_000 + "embed" + ")" * 20_000
    with pytest.raises(BudgetError, match="nested at most 256 deep; this one is 20000"):
        expansion.parse(deep)


@pytest.mark.parametrize("value", [None, 3, b"embed"])
def test_a_name_is_a_text(value):
    with pytest.raises(TypeError):
        parse_term(value, {})


def test_a_term_is_a_component_and_its_inputs():
    expansion = sc.path_expansion("attn(2)")
    assert Term(expansion.components["attn.0[1]"], (expansion[0],)) == expansion[2]
