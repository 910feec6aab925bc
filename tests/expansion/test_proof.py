"""The expanded form is the model: for random architectures, by trees, by networks with a certificate, and in every notation."""

import pytest
from hypothesis import assume, given, settings
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.algebra.canonical import canonical
from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.expansion.networks import Networks
from symbolic_circuits.expansion.proof import statement_of_expansion
from symbolic_circuits.expansion.trees import Trees

MODELS = ["attn(2)", "attn(H)", "bilinear*3", "attn(2) bilinear", "attn(H) bilinear(tied)", "[no embed] attn(2)|bilinear(no out)"]


@pytest.mark.parametrize("model", [*MODELS, "attn(12)*3", "bilinear*4", "(attn(4) bilinear)*2"])
def test_proved(model: str) -> None:
    assert sc.path_expansion(model).prove().verdict == "proved"


@pytest.mark.parametrize("notation", ["matrix", "index", "tensor", "operator"])
@pytest.mark.parametrize("model", MODELS)
def test_closed_forms(model: str, notation: str) -> None:
    verdict = sc.path_expansion(model).prove(notation)
    listed = "H" not in model  # sums over two heads and the two heads by name are equal because there are two
    assert verdict.verdict == "proved" or (listed and verdict.verdict == "holds_at" and verdict.error_probability is None)


@settings(max_examples=40, deadline=None)
@given(transformers(max_terms=40))
def test_random_models(model: sc.Transformer) -> None:
    expansion = sc.path_expansion(model)
    verdict = expansion.prove()
    assert verdict.verdict == "proved"
    if expansion.number_of_terms <= 12:
        sc.check_certificate(verdict.certificate)


@settings(max_examples=40, deadline=None)
@given(transformers(max_terms=30))
def test_trees_are_canonical_forms(model: sc.Transformer) -> None:
    """Two terms have one tree exactly if they have one network; at width 1 weights are numbers, and more terms are equal."""
    assume(model.d != 1)
    expansion = sc.path_expansion(model)
    trees, networks, forms = Trees(), Networks(expansion.tensors), {}
    for term in list(expansion):
        [(tree, _)] = fold(term, trees).items()
        [network_term] = fold(term, networks).terms
        form = canonical(*network_term.network()).form
        assert forms.setdefault(tree, form) == form
    assert len(set(forms.values())) == len(forms)


def test_a_missing_term_is_noticed() -> None:
    expansion = sc.path_expansion("attn(2) bilinear")
    statement = statement_of_expansion(expansion)
    short = type(statement.lhs)(statement.lhs.axes, statement.lhs.terms[1:])
    assert decide(type(statement)(short, statement.rhs, statement.axes, (), statement.definitions)).verdict == "refuted"


def test_too_many_terms() -> None:
    verdict = sc.path_expansion("(attn(12) bilinear)*2").prove()
    assert verdict.verdict == "undecided" and "5,600,322 terms" in verdict.reason
