"""Each rule: what it makes of an example, that this is proved, that it refuses what it does not fit, and that a mutant is noticed."""

from dataclasses import fields, is_dataclass

import pytest
from sympy import (
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Symbol,
    Trace,
    Transpose,
)
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.derivation import rules
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.places import part
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.errors import BudgetError, DerivationError
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = (Symbol(name, integer=True, positive=True) for name in "ndmH")
h, g, s, v = (Symbol(name, integer=True, nonnegative=True) for name in "hgsv")
A, C, D = (MatrixSymbol(name, n, n) for name in "ACD")
X, Y = MatrixSymbol("X", n, d), MatrixSymbol("Y", n, d)
W, U = MatrixSymbol("W", d, d), MatrixSymbol("U", n, d)
x, y = MatrixSymbol("x", n * d, 1), MatrixSymbol("y", n * d, 1)
W_1, W_2, W_out = MatrixSymbol("W_1", m, d), MatrixSymbol("W_2", m, d), MatrixSymbol("W_out", d, m)
B, B_s = ArraySymbol("B", (d, d, d)), ArraySymbol("B_s", (d, d, d))
F = MatrixFamily("F", H, n, n)
F2 = MatrixFamily("F", 2, n, n)
LAYER = {B: sc.contract("ip,pj,pk->ijk", W_out, W_1, W_2)}
SYMMETRIC = {B_s: sc.contract("ijk->ijk", B) / 2 + sc.contract("ikj->ijk", B) / 2}
ID = Identity(n)


def layer(left, right):
    hidden = HadamardProduct(KroneckerProduct(ID, W_1) * left, KroneckerProduct(ID, W_2) * right)
    return MatMul(KroneckerProduct(ID, W_out), hidden)


EXAMPLES = [  # rule, expression, result, given, an expression that it refuses
    (rules.Distribute(), A * (C + 2 * D), MatAdd(MatMul(2, A, D), MatMul(A, C)), {}, A * C),
    (
        rules.Distribute(),
        ApplyBilinear(B, x + y, x),
        MatAdd(ApplyBilinear(B, x, x), ApplyBilinear(B, y, x)),
        {},
        ApplyBilinear(B, x, y),
    ),
    (rules.Distribute(), MatMul(A, MatrixSum(F[h], (h, 0, H - 1))), MatrixSum(A * F[h], (h, 0, H - 1)), {}, F[h]),
    (
        rules.Bilinearity(B),
        ApplyBilinear(B, x + y, MatMul(2, x)),
        MatAdd(MatMul(2, ApplyBilinear(B, x, x)), MatMul(2, ApplyBilinear(B, y, x))),
        {},
        A * (C + D),
    ),
    (rules.MixedProduct(), KroneckerProduct(A, W) * KroneckerProduct(C, W), KroneckerProduct(A * C, MatMul(W, W)), {}, A * C),
    (rules.FuseIdentity(), MatMul(ID, A), A, {}, A * C),
    (rules.InsertIdentity(1), A * C, MatMul(A, ID, C), {}, s),
    (rules.TransposeProduct(), Transpose(A * C), Transpose(C) * Transpose(A), {}, Transpose(A)),
    (rules.TransposeProduct(), Transpose(KroneckerProduct(A, W)), KroneckerProduct(A.T, W.T), {}, A * C),
    (rules.WritePower(), A**3, MatMul(A, A, A), {}, A),
    (rules.CyclicTrace(1), Trace(A * C * D), Trace(C * D * A), {}, Trace(A)),
    (rules.Rename(((h, g),)), MatrixSum(F[h], (h, 0, H - 1)), MatrixSum(F[g], (g, 0, H - 1)), {}, A),
    (rules.Reorder((1, 0)), HadamardProduct(X, Y), HadamardProduct(Y, X), {}, A * C),
    (rules.WriteOut(), MatrixSum(F2[h], (h, 0, 1)), F2[0] + F2[1], {}, MatrixSum(F[h], (h, 0, H - 1))),
    (
        rules.CollectHeads(MatrixSum(F2[h], (h, 0, 1))),
        MatAdd(F2[1], A, F2[0]),
        MatAdd(MatrixSum(F2[h], (h, 0, 1)), A),
        {},
        F2[0] + A,
    ),
    (rules.CollectTerms(), MatAdd(Transpose(A * C), C.T * A.T), MatMul(2, Transpose(A * C)), {}, A + C),
    (rules.Substitute(A, C * D), A, C * D, {A: C * D}, C),
    (rules.FoldLayer(B, W_1, W_2, W_out), layer(x, y), ApplyBilinear(B, x, y), LAYER, layer(x, y).args[1]),
    (
        rules.FoldIntoB(B_s, B, output=W),
        KroneckerProduct(ID, W) * ApplyBilinear(B, x, y),
        ApplyBilinear(B_s, x, y),
        {B_s: sc.contract("ai,ijk->ajk", W, B)},
        ApplyBilinear(B, x, y),
    ),
    (
        rules.FoldIntoB(B_s, B, left=W, right=W),
        ApplyBilinear(B, KroneckerProduct(ID, W) * x, KroneckerProduct(ID, W) * y),
        ApplyBilinear(B_s, x, y),
        {B_s: sc.contract("ibc,bj,ck->ijk", B, W, W)},
        ApplyBilinear(B, x, y),
    ),
    (rules.Symmetrise(B, B_s), ApplyBilinear(B, x, x), ApplyBilinear(B_s, x, x), SYMMETRIC, ApplyBilinear(B, x, y)),
    (rules.ExchangeInputs(B), ApplyBilinear(B, x, y), ApplyBilinear(B, y, x), {B: "symmetric(1,2)"}, x),
    (rules.ApplyLaw(U, "orthonormal_columns"), U.T * U * W, W, {U: "orthonormal_columns"}, U * U.T),
    (rules.Claim(Trace(C * A)), Trace(A * C), Trace(C * A), {}, A),
    (
        rules.ToIndex(),
        MatrixElement(A * X, s, v),
        IndexSum(
            A[s, Symbol("u", integer=True, nonnegative=True)] * X[Symbol("u", integer=True, nonnegative=True), v],
            (Symbol("u", integer=True, nonnegative=True), 0, n - 1),
        ),
        {},
        X[s, v],
    ),
    (
        rules.ToTensor(),
        Row(A * X * W.T, s),
        None,
        {},
        Row(X, s),
    ),
    (rules.ToOperator(X), Vec(A * X * W.T), KroneckerProduct(A, W) * Vec(X), {}, Vec(X)),
]


@pytest.mark.parametrize(("rule", "before", "after", "given", "other"), EXAMPLES, ids=lambda value: getattr(value, "name", ""))
def test_examples(rule, before, after, given, other):
    found = rule.apply(before)
    assert after is None or found == after
    assert Derivation.begin(before, given).then(rule).check().result == found
    with pytest.raises(DerivationError, match=f"{rule.name} does not apply: it needs"):
        rule.apply(other)


@pytest.mark.parametrize(("rule", "before", "after", "given", "other"), EXAMPLES, ids=lambda value: getattr(value, "name", ""))
def test_mutants_are_caught(rule, before, after, given, other, monkeypatch):
    """A rule that gives twice, or the transpose of, what it should is noticed at once, and when an old derivation replays."""
    good, kind = Derivation.begin(before, given).then(rule), type(rule)
    right = kind.apply
    monkeypatch.setattr(kind, "apply", lambda self, expr: 2 * right(self, expr))
    with pytest.raises(DerivationError, match="is not proved: refuted"):
        Derivation.begin(before, given).then(rule)
    if not isinstance(rule, rules.Claim):
        with pytest.raises(DerivationError, match="step 0 does not replay"):
            good.replay()


def test_every_rule_has_an_example_and_describes_itself():
    tried = {type(rule) for rule, *_ in EXAMPLES}
    described = [
        kind
        for kind in rules.RULES.values()
        if kind.__module__.rpartition(".")[2]
        in ("distribute", "products", "sums", "collect", "definitions", "bilinear", "laws", "notations")
    ]
    assert set(described) <= tried
    for kind in rules.RULES.values():
        assert kind.name and kind.formula and kind.needs and kind.__doc__ and is_dataclass(kind)
    assert len(rules.RULES) == len({kind.name for kind in rules.RULES.values()})
    for rule, *_ in EXAMPLES:
        again = type(rule)(**{field.name: getattr(rule, field.name) for field in fields(rule)})
        assert again == rule and rule.reason


def test_the_stated_rule_must_be_the_one_that_was_used():
    """Both lines are equal, so that a proof alone does not show it."""
    step = Step.forwards(A * (C + D), (), rules.Distribute())
    wrong = Step((), rules.TransposeProduct(), step.before, step.after)
    assert step.prove({}).verdict == "proved"
    with pytest.raises(DerivationError, match="transpose of a product does not apply"):
        wrong.replay()
    with pytest.raises(DerivationError, match="the step has"):
        Step((), rules.Distribute(), step.before, MatAdd(A * D, A * C)).replay()


def test_heads_that_come_out_of_two_arguments_get_two_symbols():
    found = rules.Distribute().apply(MatMul(MatrixSum(F[h], (h, 0, H - 1)), MatrixSum(F[h], (h, 0, H - 1))))
    assert found == MatrixSum(F[h] * F[g], (h, 0, H - 1), (g, 0, H - 1))
    kept = rules.Distribute().apply(MatMul(F[h], MatrixSum(F[h], (h, 0, H - 1))))
    assert kept == MatrixSum(F[h] * F[g], (g, 0, H - 1))


def test_renaming_does_not_capture():
    both = MatrixSum(F[h] * F[g], (h, 0, H - 1))
    with pytest.raises(DerivationError, match="not free in it"):
        rules.Rename(((h, g),)).apply(both)
    rules.Rename(((h, s),)).apply(both)


def test_multiplying_out_has_a_limit():
    many = MatAdd(*(MatrixSymbol(f"M_{k}", n, n) for k in range(12)))
    with pytest.raises(BudgetError, match="would make 248,832 summands; the limit is 50,000"):
        rules.Distribute().apply(MatMul(*[many] * 5))
    assert len(rules.Distribute().apply(MatMul(many, many)).args) == 144


def test_places():
    line = A * (C + D) * X
    assert part(line, (1, 0)) == C
    with pytest.raises(DerivationError, match=r"there is no place \(1, 5\).* has 2 arguments"):
        part(line, (1, 5))
