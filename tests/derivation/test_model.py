"""Derivations of models: every architecture, every notation; they replay, are proved, end in the closed form, and mutants are caught."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import transformers
from sympy import KroneckerProduct, MatAdd, MatMul

import symbolic_circuits as sc
from symbolic_circuits.derivation.rules import Bilinearity, FoldLayer, MixedProduct
from symbolic_circuits.derivation.step import is_exact
from symbolic_circuits.errors import BudgetError, DerivationError, NotationError

NOTATIONS = ["operator", "matrix", "index", "tensor"]
MODELS = [
    "",
    "attn(H)",
    "attn(2) attn(3)",
    "attn(H) bilinear",
    "bilinear(tied)*2",
    "bilinear(no residual) attn(2, no residual) bilinear",
    "[no embed, no unembed] attn(2)|bilinear(tied, no out)",
    "[n=s, d=u] attn(h) bilinear",
    "[n=1] attn(2) bilinear(no out)",
    "attn(1) bilinear(no out, tied, no residual)*2",
    "[n=4, d=6, V=8] attn(2) bilinear",
    "[n=4, d=4] attn(2)|bilinear(tied)",
    "[n=128, d=512, V=1000] attn(H) bilinear(m=2048)",
]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("text", MODELS)
def test_models(text, notation):
    found = sc.derive(text, notation=notation)
    assert found.check().result == sc.path_expansion(text).closed_form(notation)
    assert all(not part.gaps for part in found.parts())


@settings(max_examples=50)
@given(transformers(symbolic_heads=True), st.sampled_from(NOTATIONS))
def test_every_architecture(model, notation):
    expansion = sc.path_expansion(model)
    if expansion.path_classes().number_of_terms > 30:
        return
    found = sc.derive(expansion, notation=notation)
    found.replay()
    assert found.result == expansion.closed_form(notation) or model.d == 1  # where more terms are equal, and are collected
    assert is_exact(found.prove())


def test_the_first_lines_are_the_model():
    """The definitions of the streams, put into each other, are the model as it stands."""
    expansion = sc.path_expansion("attn(2) bilinear attn(1)|bilinear")
    found = sc.derive(expansion, notation="matrix")
    streams = {part.name: part.start for part in found.parts()}
    value = found.name
    for _ in streams:
        value = value.xreplace(streams)
    verdict = sc.prove(value, expansion.unexpanded())
    assert verdict.verdict == "proved"


@pytest.mark.parametrize("kind", [Bilinearity, MixedProduct, FoldLayer])
def test_mutants_are_caught(kind, monkeypatch):
    good, right = sc.derive("attn(H) bilinear"), kind.apply
    monkeypatch.setattr(kind, "apply", lambda self, expr: 2 * right(self, expr))
    with pytest.raises(DerivationError, match="does not replay"):
        good.replay()
    mutant = {Bilinearity: "attn(H) bilinear", MixedProduct: "attn(H)", FoldLayer: "bilinear"}[kind]
    with pytest.raises(DerivationError, match="is not proved: refuted"):
        sc.derive(mutant).check()


def test_another_target():
    [first, second] = sc.derive("attn(H)").result.args
    model = sc.path_expansion("attn(H)")
    n, tensors = model.tensors.source.rows, model.tensors
    factored = MatMul(
        KroneckerProduct(sc.derive("attn(H)").start.args[0].args[0], tensors.W_U),
        sc.derive("attn(H)").start.args[1],
        sc.derive("attn(H)").start.args[2],
    )
    assert sc.derive("attn(H)", factored).check().result == factored
    swapped = MatAdd(second, first)
    assert sc.derive("attn(H)", swapped).check().result == swapped
    with pytest.raises(DerivationError, match="there is no derivation") as caught:
        sc.derive("attn(H)", first)
    assert caught.value.verdict.verdict == "refuted"
    with pytest.raises(DerivationError, match="in no notation"):
        sc.derive("attn(H)", tensors.W_E)
    assert n == model.model.n


def test_what_cannot_be_asked_for():
    with pytest.raises(NotationError, match="no notation 'prose'"):
        sc.derive("attn(H)", notation="prose")
    with pytest.raises(DerivationError, match="the target is 'closed form' or an expression"):
        sc.derive("attn(H)", "closed")
    with pytest.raises(BudgetError, match="the limit is 20,000"):
        sc.derive("(attn(1) bilinear)*3")
    expression = sc.path_expansion("attn(H)").closed_form()
    with pytest.raises(DerivationError, match="leads to an expression"):
        sc.derive(expression)
    with pytest.raises(DerivationError, match="not for a derivation between two expressions"):
        sc.derive(expression, expression, notation="matrix")


def test_the_same_steps_under_every_hash_seed():
    code = (
        "import symbolic_circuits as sc, json; from symbolic_circuits.derivation.files import derivation_data as data;"
        "print([json.dumps(data(sc.derive('attn(2)|bilinear(tied) attn(H)', notation=x))) for x in ('operator', 'index')])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONHASHSEED": seed}, check=True
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
