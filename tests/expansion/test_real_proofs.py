"""The expanded form of a real transformer is the model: by trees, by networks with a certificate, and in every notation."""

import pytest
from hypothesis import given, settings
from strategies import real_transformers
from sympy import DiagMatrix, MatMul

import symbolic_circuits as sc
from symbolic_circuits.algebra.canonical import canonical
from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.expansion.constant import ONE
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.expansion.networks import Networks
from symbolic_circuits.expansion.proof import statement_of_expansion
from symbolic_circuits.expansion.trees import Trees
from symbolic_circuits.syntax.vec import Vec

MODELS = [
    "attn(2, b_V, b_O, output_scale) bilinear(bias)",
    "[b_U, rms_norm, gains] attn(2) bilinear(b_1)",
    "[layer_norm, gains, learned] attn(1, b_V)|bilinear(tied, b_1)",
    "[layer_norm, post_norm] attn(H, b_V) bilinear(silu, b_2, b_out)",
    "attn(1, linear)*2",
    "[rms_norm] attn(H, bilinear, b_Q)",
    "[shortformer, rms_norm, no final_norm] attn(1, linear, b_K)",
    "[no embed, no unembed] bilinear(no out, tied, b_1) bilinear(no out, relu, b_2)",
]
ROTARY = ["[rotary] attn(1, linear, b_Q, b_K)", "[rotary, rms_norm, b_U] attn(H, linear)"]
SCORES = [("attn(2)*2", 1), ("[layer_norm, gains] bilinear attn(2, b_Q, b_K)", 1), ("attn(H, b_V) attn(1, bilinear)", 1)]


@pytest.mark.parametrize("text", [*MODELS, *ROTARY])
def test_proved_with_a_certificate(text):
    verdict = sc.path_expansion(text).prove()
    assert verdict.verdict == "proved"
    sc.check_certificate(verdict.certificate)


@pytest.mark.parametrize("notation", ["matrix", "index", "tensor", "operator"])
@pytest.mark.parametrize("text", MODELS)
def test_closed_forms(text, notation):
    listed = "H" not in text and "attn" in text  # sums over heads and the heads by name are equal because there are so many
    assert sc.path_expansion(text).prove(notation).verdict in (("proved", "holds_at") if listed else ("proved",))


@pytest.mark.parametrize("notation", ["index", "tensor"])
@pytest.mark.parametrize("text", ROTARY)
def test_closed_forms_at_rotary_positions(text, notation):
    assert sc.path_expansion(text).prove(notation).verdict in ("proved", "holds_at")


@pytest.mark.parametrize(("text", "block"), SCORES)
def test_scores(text, block):
    expansion = sc.scores(text, block)
    verdict = expansion.prove()
    assert verdict.verdict == "proved"
    if not expansion.model.has_symbolic_heads:
        sc.check_certificate(verdict.certificate)
    for notation in ("matrix", "index", "tensor", "operator"):
        assert expansion.prove(notation).verdict in ("proved", "holds_at")


@settings(max_examples=25, deadline=None)
@given(real_transformers(max_terms=60, max_blocks=2))
def test_random_models(model):
    expansion = sc.path_expansion(model)
    verdict = expansion.prove()
    assert verdict.verdict == "proved"
    if expansion.number_of_terms <= 12:
        sc.check_certificate(verdict.certificate)


@settings(max_examples=15, deadline=None)
@given(real_transformers(max_terms=40, max_blocks=2))
def test_trees_are_canonical_forms(model):
    """Two terms have one tree exactly if they have one network."""
    expansion = sc.path_expansion(model)
    trees, networks, forms = Trees(), Networks(expansion.tensors), {}
    for term in list(expansion):
        [(tree, _)] = fold(term, trees).items()
        value = fold(term, networks)
        [network_term] = networks.output(value).terms
        assert (value is ONE) == (str(term) == "one")
        form = canonical(*network_term.network()).form
        assert forms.setdefault(tree, form) == form
    assert len(set(forms.values())) == len(forms)


@pytest.mark.parametrize(
    "text",
    [
        "[b_U] attn(1, b_V) bilinear(bias)",
        "[layer_norm, gains] attn(1, linear)",
        "[rotary] attn(1, linear, b_Q)",
        "bilinear(silu, b_2)",
    ],
)
def test_near_misses_are_refuted(text):
    """Each term left out, or counted twice, is noticed."""
    statement = statement_of_expansion(sc.path_expansion(text))
    other = lambda lhs: type(statement)(lhs, statement.rhs, statement.axes, (), statement.definitions)  # noqa: E731
    assert decide(other(statement.lhs)).verdict == "proved"
    terms = statement.lhs.terms
    for k in range(len(terms)):
        assert decide(other(Open(statement.lhs.axes, terms[:k] + terms[k + 1 :]))).verdict == "refuted"
    assert decide(other(Open(statement.lhs.axes, (*terms, terms[-1])))).verdict == "refuted"


def test_biases_stand_with_the_weights_of_the_other_side():
    """W_L is W_out diag(b_2) W_1; with W_2 in it the layer is another one."""
    expansion = sc.path_expansion("[no embed, no unembed] bilinear(b_2)")
    layer = expansion.tensors.block(0)
    closed, model, right = expansion.closed_form("operator"), Vec(expansion.unexpanded()), layer.definitions
    assert sc.prove(closed, model, given=right).verdict == "proved"
    wrong = right | {layer.W_L: MatMul(layer.W_out, DiagMatrix(layer.b_2), layer.W_2)}
    assert sc.prove(closed, model, given=wrong).verdict == "refuted"
