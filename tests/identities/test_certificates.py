"""Proofs of the prover replayed by the checker, which shares no code with it: every certificate passes, and speaks of what was asked."""

import json
from itertools import combinations
from random import Random

import pytest
from soundness import random_identity
from sympy import (
    Expr,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatrixSymbol,
    OneMatrix,
    Trace,
    ZeroMatrix,
    sqrt,
    symbols,
)
from sympy.tensor.array.expressions import ArraySymbol
from test_expansion import CASES

import symbolic_circuits as sc
from symbolic_circuits.algebra.certificate import certificate_of
from symbolic_circuits.algebra.laws import closed_laws, parse_law
from symbolic_circuits.algebra.normal_form import normal_form
from symbolic_circuits.errors import CertificateError, LawError
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.checker_laws import all_laws
from symbolic_circuits.identities.expansion import matches_statement
from symbolic_circuits.identities.files import parse_identity
from symbolic_circuits.identities.prove import prove, statement_of
from symbolic_circuits.identities.rewrite import Rewrite
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
s, u, h = symbols("s u h", integer=True, nonnegative=True)
A, B, C, M, N, P, Q, U, S, E, D, G, T = (
    MatrixSymbol(name, n, n) for name in ["A", "B", "C", "M", "N", "P", "Q", "U", "S", "E", "D", "G", "T"]
)
X, R, W, V = MatrixSymbol("X", n, d), MatrixSymbol("R", n, d), MatrixSymbol("W", d, d), MatrixSymbol("V", m, n)
x, y = MatrixSymbol("x", n, 1), MatrixSymbol("y", n, 1)
one = OneMatrix(n, 1)
K, F = ArraySymbol("K", (n, n, n)), MatrixFamily("F", H, n, n)

PROVED: list[tuple[Expr, Expr, object]] = [
    ((A + B) ** 3, A**3 + B**3 + A * A * B + A * B * A + B * A * A + A * B * B + B * A * B + B * B * A, ()),
    (A * B + A[0, 1] * B / sqrt(n), sqrt(n) / n * B * A[0, 1] + A * B, ()),
    (KroneckerProduct(A, W) * Vec(X), Vec(A * X * W.T), ()),
    (contract("ij,i,i->j", A, Row(Identity(n), 0), Row(Identity(n), 1)), contract("ij,i,i->j", B, *(Row(Identity(n), k) for k in (2, 3))), ()),
    (V.T * V * x, x, {V: "orthonormal_columns"}),
    (U * U.T * A * U.T * U, A, {U: "orthonormal_rows"}),
    (M * A * N * M * N, M * A * N, {M: "inverse(N)"}),
    (N * x, U.T * x, {U: ["inverse(N)", "orthonormal_columns"]}),
    (P * N * one, one, {P: ["inverse(N)", "row_stochastic"]}),
    (M * A, N * A, {P: ["inverse(M)", "inverse(N)"]}),
    (P * A * one - A * one, P * A * one - A * P * one, {P: "row_stochastic"}),
    (P.T * one, one, {P: ["row_stochastic", "orthonormal_columns"]}),
    (HadamardProduct(R, R), R, {R: "one_hot_rows"}),
    (Trace(R.T * R), Trace(OneMatrix(n, n)), {R: "one_hot_rows"}),
    (P * P.T * one, P.T * P * one, {P: "permutation"}),
    (HadamardProduct(P, P * Identity(n)), P, {P: "permutation"}),
    (D * A * D * D, D * A, {D: ["diagonal", "orthonormal_columns"]}),
    (HadamardProduct(D, A), HadamardProduct(A, HadamardProduct(D, Identity(n))), {D: "diagonal"}),
    (D * x, G.T * x, {D: ["diagonal", "row_stochastic"], G: "identity"}),
    (HadamardProduct(D * G, A), HadamardProduct(Identity(n), A), {D: ["diagonal", "inverse(G)"]}),
    (S * A.T * S, (S * A * S).T, {S: "symmetric(0,1)"}),
    (x.T * E * x, ZeroMatrix(1, 1), {E: "antisymmetric(0,1)"}),
    (Trace(E * S), Trace(E) + Trace(E**3), {E: "antisymmetric(0,1)", S: "symmetric(0,1)"}),
    (contract("ijk,j,k->i", K, contract("ij->i", A), contract("ij->j", A)), contract("kij,i,j->k", K, contract("ij->j", A), contract("ij->i", A)),
     {K: ["symmetric(0,1)", "symmetric(1,2)"]}),
    (MatrixSum(F[h] * one, (h, 0, H - 1)), H * one, {F: "row_stochastic"}),
    (IndexSum((F[h] * A * F[h].T)[s, u], (h, 0, H - 1)), IndexSum((F[h] * A.T * F[h].T)[u, s], (h, 0, H - 1)), ()),
    (T * x, (A + B) * (A + B) * x, {T: (A + B) * C, C: A + B}),
    (T * T.T, 4 * A * A.T, {T: 2 * M, M: A * N * U, N: "inverse(U)"}),
    (P**5 * x, P * x, [Rewrite("projector", P * P, P)]),
    (A * B * C * A * B, (C + B) * C * (C + B), [Rewrite("sum", A * B, C + B)]),
    (A * Q * B * x, 2 * n * x, [Rewrite("trace", Q * B, Trace(Identity(n)) * C), Rewrite("two", A * C, 2 * Identity(n))]),
]  # fmt: skip


def replayed(lhs: Expr, rhs: Expr, certificate: dict) -> None:
    """The certificate as it comes back from JSON passes, and speaks of these expressions."""
    certificate = json.loads(json.dumps(certificate))
    check_certificate(certificate)
    matches_statement(lhs, rhs, certificate)


@pytest.mark.parametrize("k", range(len(PROVED)), ids=[str(case[0])[:60] for case in PROVED])
def test_proofs_are_replayed(k: int) -> None:
    lhs, rhs, given = PROVED[k]
    verdict = prove(lhs, rhs, given)
    assert verdict.verdict == "proved"
    replayed(lhs, rhs, verdict.certificate)
    if verdict.certificate["classes"]:  # else both sides are zero term by term
        with pytest.raises(CertificateError):
            matches_statement(lhs, rhs + lhs, verdict.certificate)


@pytest.mark.parametrize("name", CASES)
def test_every_node_is_read_alike(name: str) -> None:
    expr, _ = CASES[name]
    replayed(expr, expr, certificate_of(normal_form(statement_of(expr, expr))))


@pytest.mark.parametrize("text", ["attn(2) bilinear", "attn(2) attn(2)", "bilinear bilinear", "attn(H) bilinear"])
def test_expansions_are_replayed(text: str) -> None:
    """The closed form of a model against the sum of its terms, and against the model unexpanded."""
    expansion = sc.path_expansion(sc.Transformer.parse(text))
    lhs, rhs = expansion.closed_form("matrix"), expansion.unexpanded()
    verdict = prove(lhs, rhs)
    assert verdict.verdict == "proved"
    replayed(lhs, rhs, verdict.certificate)


def test_random_identities_are_replayed() -> None:
    rng, proofs = Random(3), 0
    while proofs < 300:
        form = normal_form(parse_identity(random_identity(rng)[0]).statement)
        if form.is_zero:
            proofs += 1
            check_certificate(json.loads(json.dumps(certificate_of(form))))


KINDS = [
    "identity", "copy", "ones", "diagonal", "symmetric(0,1)", "antisymmetric(0,1)", "orthonormal_columns", "orthonormal_rows",
    "inverse(N)", "inverse(T)", "row_stochastic", "column_stochastic", "one_hot_rows", "one_hot_columns", "permutation",
    "exclusive_rows", "exclusive_columns",
]  # fmt: skip


@pytest.mark.parametrize("axes", [[["n"], ["n"]], [["n"], ["m"]], [["h"], ["n"], ["n"]], [["n", 2], ["n", 2]], [[], []]])
def test_what_the_prover_derives_follows(axes: list[list]) -> None:
    """Every law that the prover derives, from up to three laws of one tensor or of its inverse, is accepted by the checker."""
    tensors = {name: tuple(map(tuple, axes)) for name in "TNM"}
    count = 0
    for size in (1, 2, 3):
        for texts in combinations(KINDS, size):
            declared = [parse_law("T" if k < 2 else "N", text) for k, text in enumerate(texts)]
            try:
                closed = closed_laws(declared, tensors)
            except LawError:
                continue
            derived = [
                (law.tensor, str(law), tuple((p.tensor, str(p)) for p in why.premises))
                for law, why in closed.items()
                if why is not None
            ]
            all_laws([(law.tensor, str(law)) for law in declared], derived, tensors)
            count += len(derived)
    assert count > 20
