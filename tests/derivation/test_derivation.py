"""Derivations by hand: steps at places, definitions and lemmas, what is refused, and what replaying and proving notice."""

from dataclasses import replace

import pytest
from sympy import HadamardProduct, MatAdd, MatMul, MatrixSymbol, Symbol, Transpose

from symbolic_circuits import Derivation, Rewrite
from symbolic_circuits.derivation.rules import ApplyLaw, Claim, Distribute, MixedProduct, Substitute, TransposeProduct
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.errors import DerivationError

n, d = (Symbol(name, integer=True, positive=True) for name in "nd")
A, C, D, M = (MatrixSymbol(name, n, n) for name in "ACDM")
U = MatrixSymbol("U", n, d)
LINE = MatMul(A, MatAdd(C, D), Transpose(MatMul(A, C)))


def test_a_path_or_an_expression_says_where():
    by_path = Derivation.begin(LINE).then(TransposeProduct(), at=(2,))
    by_part = Derivation.begin(LINE).then(TransposeProduct(), at=Transpose(MatMul(A, C)))
    assert by_path == by_part
    assert by_path.result == MatMul(A, MatAdd(C, D), Transpose(C), Transpose(A))
    assert by_path.then(Distribute()).check().gaps == []


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (C, r"C occurs at \(1, 0\), \(2, 0, 1\): give the path"),
        (M, "M occurs nowhere in"),
        ((1, 7), "there is no place"),
        ("C", "a place is a path of argument numbers or an expression; got str"),
    ],
)
def test_places_that_are_not_clear(place, message):
    start = Derivation.begin(LINE, given={C: [D * M]})
    assert start.then(Substitute(C, D * M), at=(1, 0)).result == MatMul(A, MatAdd(D * M, D), Transpose(MatMul(A, C)))
    with pytest.raises(DerivationError, match=message):
        start.then(Substitute(C, D * M), at=place)


def test_what_a_rule_needs_and_what_is_there():
    with pytest.raises(
        DerivationError, match=r"at place \(1,\): mixed product does not apply: it needs a product with .* there is MatAdd C \+ D"
    ):
        Derivation.begin(LINE).then(MixedProduct(), at=(1,))


def test_definitions_must_be_given():
    with pytest.raises(DerivationError, match=r"refuted|is not defined as"):
        Derivation.begin(LINE).then(Substitute(A, C * D), at=(0,))
    with pytest.raises(DerivationError, match=r"is not proved|is not defined as"):
        Derivation.begin(LINE, given={A: C * D}).then(Substitute(A, D * C), at=(0,))
    assert Derivation.begin(LINE, given={A: C * D}).then(Substitute(A, C * D), at=(0,)).check()


def test_laws_must_be_given():
    line = U.T * U
    assert Derivation.begin(line, given={U: "orthonormal_columns"}).then(ApplyLaw(U, "orthonormal_columns")).check()
    with pytest.raises(DerivationError, match="is not proved"):
        Derivation.begin(line).then(ApplyLaw(U, "orthonormal_columns"))
    with pytest.raises(DerivationError, match="laws and definitions of tensors"):
        Derivation.begin(line, given=[Rewrite("projector", A * A, A)])


def test_lemmas():
    lemma = Derivation.begin(A * (C + D), name=M).then(Distribute())
    uses = Derivation.begin(M * A, lemmas=(lemma,)).then(Substitute(M, lemma.result), at=(0,)).then(Distribute())
    assert uses.check().result == MatAdd(MatMul(A, C, A), MatMul(A, D, A))
    assert [part.name for part in uses.parts()] == [M, None]
    with pytest.raises(DerivationError, match=r"no lemma says so|not proved"):
        Derivation.begin(M * A, lemmas=(lemma,)).then(Substitute(M, A * C), at=(0,))


def test_backwards():
    factored = Derivation.begin(MatAdd(MatMul(A, C), MatMul(A, D))).then(Distribute(), backwards=MatMul(A, MatAdd(C, D)))
    assert factored.check().result == MatMul(A, MatAdd(C, D))
    assert factored.steps[0].backwards and factored.steps[0].reversed().reversed() == factored.steps[0]
    with pytest.raises(DerivationError, match="read backwards, leads to"):
        Derivation.begin(MatAdd(MatMul(A, C), MatMul(A, D))).then(Distribute(), backwards=MatMul(A, MatAdd(C, C, D)))


def test_claims_are_gaps_and_are_proved():
    line = HadamardProduct(A, C)
    found = Derivation.begin(line).then(Claim(HadamardProduct(C, A)))
    assert found.gaps == [0] and found.check()
    with pytest.raises(DerivationError, match="step 0, claim, is not proved: refuted") as caught:
        Derivation.begin(line).then(Claim(A * C))
    assert caught.value.verdict.verdict == "refuted"


def test_lines_must_follow_on_each_other():
    good = Derivation.begin(LINE).then(Distribute())
    with pytest.raises(DerivationError, match="step 0 starts from"):
        replace(good, start=A)


def test_a_false_step_is_noticed():
    good = Derivation.begin(A * (C + D)).then(Distribute())
    [step] = good.steps
    for after in (
        MatAdd(MatMul(A, C), MatMul(D, A)),
        MatAdd(MatMul(A, D), MatMul(A, C)),
    ):  # false, and true but not what the rule gives
        with pytest.raises(DerivationError, match=r"step 0 does not replay: .* but the step has"):
            replace(good, steps=(replace(step, after=after),)).check()


def test_a_true_step_by_a_false_claim_is_noticed():
    wrong = Step((), Claim(A * C), C * A, A * C)
    broken = Derivation.begin(C * A).extended(wrong)
    broken.replay()  # a claim replays whatever it says
    assert broken.prove().verdict == "refuted"
    with pytest.raises(DerivationError, match="step 0, claim, is not proved: refuted"):
        broken.check()
