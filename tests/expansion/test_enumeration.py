"""Number k, term k, and the k-th term of the iteration agree, for expansions of any size."""

import itertools
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, SpecError, TermError, TermIndexError
from symbolic_circuits.expansion.term import Term, subterms

BIG = [  # more terms than 10^34, than sys.maxsize; mixed; tied; without residual; in parallel
    "(attn(12) bilinear)*5",
    "(attn(4) bilinear(tied))*6",
    "(attn(3)|bilinear|bilinear(tied))*8",
    "attn(9)*40",
    "bilinear*7 (attn(3)|bilinear)[no residual] attn(2, no residual) bilinear(tied, no residual)",
]
MIDDLE = [
    "(attn(2) bilinear)*2 attn(3)",
    "(attn(4) bilinear(tied))*2",
    "bilinear*3 attn(2) bilinear(tied, no out)",
]  # beyond shared lists

ORDER = [  # text -> terms in order
    ("", ["embed"]),
    ("[no embed]", ["input"]),
    ("attn(2)", ["embed", "attn.0[0](embed)", "attn.0[1](embed)"]),
    ("attn(1)*2", ["embed", "attn.0[0](embed)", "attn.1[0](embed)", "attn.1[0](attn.0[0](embed))"]),
    ("attn(2, no residual)", ["attn.0[0](embed)", "attn.0[1](embed)"]),
    (
        "attn(1) bilinear",
        [
            "embed",
            "attn.0[0](embed)",
            "bilinear.1(embed, embed)",
            "bilinear.1(embed, attn.0[0](embed))",
            "bilinear.1(attn.0[0](embed), embed)",
            "bilinear.1(attn.0[0](embed), attn.0[0](embed))",
        ],
    ),
    (
        "attn(2, no residual) bilinear(tied, no residual)",
        [
            "bilinear.1(attn.0[0](embed), attn.0[0](embed))",
            "bilinear.1(attn.0[0](embed), attn.0[1](embed))",
            "bilinear.1(attn.0[1](embed), attn.0[1](embed))",
        ],
    ),
    ("attn(1)|bilinear", ["embed", "attn.0[0](embed)", "bilinear.1(embed, embed)"]),
]

numbers = st.one_of(st.none(), st.integers(-70, 70))
steps = st.one_of(st.none(), st.integers(-5, 5).filter(bool))


@pytest.mark.parametrize(("text", "names"), ORDER)
def test_order(text, names):
    assert list(map(str, sc.path_expansion(text))) == names


@given(transformers())
def test_index_item_and_iteration_agree(model):
    expansion = sc.path_expansion(model)
    listed = list(expansion)
    assert listed == [expansion[k] for k in range(len(listed))]
    assert [expansion.index(term) for term in listed] == list(range(len(listed)))
    assert listed == [expansion[k - len(listed)] for k in range(len(listed))]


@pytest.mark.parametrize("text", BIG)
@given(data=st.data())
def test_index_and_item_agree_for_large_expansions(text, data):
    expansion = sc.path_expansion(text)
    assert expansion.number_of_terms > 10**34 > sys.maxsize
    k = data.draw(st.one_of(st.integers(0, expansion.number_of_terms - 1), st.integers(0, 10**5)))
    assert expansion.index(expansion[k]) == k
    assert expansion[k - expansion.number_of_terms] == expansion[k]


@pytest.mark.parametrize("text", BIG + MIDDLE)
@given(data=st.data())
def test_iteration_may_start_anywhere(text, data):
    expansion = sc.path_expansion(text)
    k = data.draw(st.one_of(st.integers(0, expansion.number_of_terms - 1), st.integers(0, 10**4)))
    size = min(12, expansion.number_of_terms - k)
    assert list(itertools.islice(expansion.terms(k), 12)) == [expansion[k + j] for j in range(size)]
    assert expansion[k : k + 12] == tuple(expansion[k + j] for j in range(size))


@pytest.mark.parametrize("text", MIDDLE)
def test_all_terms_of_middle_expansions(text):
    expansion = sc.path_expansion(text)
    listed = list(expansion)
    assert len(listed) == expansion.number_of_terms == len(set(listed))
    for k in range(0, len(listed), 61):
        assert expansion[k] == listed[k]
        assert expansion.index(listed[k]) == k
        assert list(itertools.islice(expansion.terms(k), 3)) == listed[k : k + 3]


@given(transformers(), numbers, numbers, steps)
def test_slices_are_those_of_a_list(model, start, stop, step):
    expansion = sc.path_expansion(model)
    assert list(expansion[start:stop:step]) == list(expansion)[start:stop:step]


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-9, 9).filter(bool), st.booleans())
def test_slices_of_large_expansions(start, stop, step, from_end):
    expansion = sc.path_expansion(BIG[0])
    count = expansion.number_of_terms
    places = range(count)[count // 2 + start : count // 2 + stop : step]
    assert expansion[count // 2 + start : count // 2 + stop : step] == tuple(expansion[k] for k in places)
    ends = slice(start, None, step) if from_end else slice(None, stop, step)
    places = range(count)[ends]
    if -20 < (places.stop - places.start) / step < 200:
        assert expansion[ends] == tuple(expansion[k] for k in places)


@pytest.mark.parametrize(
    "wanted",
    [slice(None, None, 10**66), slice(None, None, -(10**66)), slice(-1, None), slice(5, 5), slice(5, 2), slice(10**99, None)],
)
def test_slices_that_stride_over_large_expansions(wanted):
    expansion = sc.path_expansion(BIG[0])
    assert expansion[wanted] == tuple(expansion[k] for k in range(expansion.number_of_terms)[wanted])


@given(transformers(), st.integers(0, 2**32))
def test_samples_are_terms_and_repeat(model, seed):
    expansion = sc.path_expansion(model)
    sample = expansion.sample(5, seed=seed)
    assert sample == expansion.sample(5, seed=seed)
    assert sample[:3] == expansion.sample(3, seed=seed)
    assert all(term in expansion for term in sample)


def test_samples_reach_every_term_and_large_expansions():
    expansion = sc.path_expansion("attn(2) bilinear")
    assert set(expansion.sample(400, seed=1)) == set(expansion)
    assert expansion.sample(12, seed=1) != expansion.sample(12, seed=2)
    assert all(term in sc.path_expansion(BIG[0]) for term in sc.path_expansion(BIG[0]).sample(3, seed=0))


@given(transformers())
def test_tied_inputs_may_be_given_in_either_order(model):
    """bilinear(x, y) and bilinear(y, x) have one number; without tied weights they have two."""
    expansion = sc.path_expansion(model)
    for k, term in enumerate(expansion):
        if len(term.inputs) == 2:
            swapped = Term(term.component, term.inputs[::-1])
            assert (expansion.index(swapped) == k) is (term.component.is_tied or swapped == term)


@given(transformers())
def test_subterms_precede(model):
    """A proper subterm that is itself a term of the expansion has a smaller number."""
    expansion = sc.path_expansion(model)
    for k, term in enumerate(expansion):
        assert all(expansion.index(s) < k for s in list(subterms(term))[1:] if s in expansion)


def test_an_expansion_is_true_and_has_no_length():
    assert sc.path_expansion(BIG[0])
    with pytest.raises(TypeError, match="len"):
        len(sc.path_expansion("attn(2)"))


@pytest.mark.parametrize("k", [12, -13, 10**30])
def test_numbers_beyond_the_count(k):
    expansion = sc.path_expansion("attn(2) bilinear")
    with pytest.raises(TermIndexError, match=f"term {k:,} was asked for, but 'attn\\(2\\) bilinear' has 12 terms"):
        expansion[k]
    with pytest.raises(IndexError):
        expansion[k]
    assert expansion[11] == expansion[-1]
    assert expansion[-12] == expansion[0]


@pytest.mark.parametrize("k", [1.0, "1", None, True])
def test_terms_are_numbered_by_integers(k):
    with pytest.raises(TypeError, match="numbered by integers"):
        sc.path_expansion("attn(2)")[k]
    assert str(sc.path_expansion("attn(2)")[1]) == "attn.0[0](embed)"


def test_slices_that_are_too_large():
    expansion = sc.path_expansion(BIG[0])
    with pytest.raises(BudgetError, match="the limit is 1,000,000: iterate over terms"):
        expansion[:1_000_001]
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        expansion[::0]
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        sc.path_expansion("attn(2)")[::0]
    assert len(expansion[:10]) == 10


@pytest.mark.parametrize(
    "use", [list, lambda e: e[0], lambda e: e[:2], lambda e: e.sample(1, seed=0), lambda e: e.index(e.path_classes()[0])]
)
def test_symbolic_heads_cannot_be_listed(use):
    with pytest.raises(SpecError, match="cannot be listed: the number of heads is a symbol"):
        use(sc.path_expansion("attn(H)"))
    list(sc.path_expansion("attn(H)").path_classes())


def test_terms_of_another_model_are_not_terms_here():
    here, there = sc.path_expansion("attn(2) bilinear"), sc.path_expansion("attn(3) bilinear")
    for term in there:
        assert term not in here
    with pytest.raises(TermError, match="is not a term of this expansion"):
        here.index(there[1])
    assert sc.path_expansion("attn(2) bilinear")[5] in here


def test_what_is_built_in_the_wrong_order_is_not_a_term():
    expansion = sc.path_expansion("attn(1) bilinear attn(1)")
    embed, head, later = (expansion.parse(name) for name in ("embed", "attn.0[0](embed)", "attn.2[0](embed)"))
    for wrong in (
        Term(head.component, (later,)),
        Term(later.component, (later,)),
        Term(expansion.components["bilinear.1"], (later, embed)),
    ):
        assert wrong not in expansion
        with pytest.raises(TermError, match="cannot stand there"):
            expansion.index(wrong)
    assert Term(later.component, (head,)) in expansion
    assert "embed" not in expansion
    for inputs in ((), (embed, embed)):
        with pytest.raises(TermError, match="has 1 inputs; got"):
            expansion.index(Term(head.component, inputs))
