"""Proofs with functions, inverses and blocks replayed by the checker: every certificate passes; changed ones and other readings do not."""

import json
from copy import deepcopy
from random import Random

import pytest
from sympy import (
    BlockDiagMatrix,
    BlockMatrix,
    DiagMatrix,
    Dummy,
    Expr,
    Function,
    HadamardPower,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerProduct,
    Lambda,
    MatPow,
    MatrixSymbol,
    Max,
    OneMatrix,
    Sum,
    Symbol,
    Trace,
    ZeroMatrix,
    exp,
    sqrt,
    symbols,
)

from symbolic_circuits.algebra.certificate import certificate_of
from symbolic_circuits.algebra.functions import FunctionTensor
from symbolic_circuits.algebra.normal_form import NormalForm, normal_form
from symbolic_circuits.errors import CertificateError
from symbolic_circuits.identities.checker import check_certificate
from symbolic_circuits.identities.expansion import matches_statement
from symbolic_circuits.identities.prove import prove, statement_of
from symbolic_circuits.identities.rewrite import Rewrite
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.functions import relu, softmax
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
s, u, h = symbols("s u h", integer=True, nonnegative=True)
c, t, f = Symbol("c", real=True), Dummy("t"), Function("f")
A, B, C, S, T, U, M = (MatrixSymbol(name, n, n) for name in "ABCSTUM")
X, W = MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
P, Q, R, Z = MatrixSymbol("P", n, m), MatrixSymbol("Q", m, n), MatrixSymbol("R", m, m), MatrixSymbol("Z", n + m, d)
x, F, one = MatrixSymbol("x", n, 1), MatrixFamily("F", H, n, n), OneMatrix(n, n)
root = Lambda(t, sqrt(t))
K = BlockMatrix([[A, P], [Q, R]])

PROVED: list[tuple[Expr, Expr, object]] = [
    # functions
    ((S + S.T).applyfunc(relu), (S + S.T).applyfunc(relu).T, ()),
    (S.applyfunc(f), S.applyfunc(f).T, {S: "symmetric(0,1)"}),
    (((S + S.T).applyfunc(relu) * C).applyfunc(f), ((S + S.T).applyfunc(relu).T * C).applyfunc(f), ()),
    (softmax(A * (B + C)), softmax(A * C + A * B), ()),
    (softmax(x * OneMatrix(1, n)) * x, softmax(x * OneMatrix(1, n)) * x, ()),
    ((x * OneMatrix(1, n)).applyfunc(relu) * A, DiagMatrix(x.applyfunc(relu)) * one * A, ()),
    ((x * OneMatrix(1, n)).applyfunc(exp) * one, n * (x * OneMatrix(1, n)).applyfunc(exp), ()),
    ((U.T * U * B).applyfunc(relu), B.applyfunc(relu), {U: "orthonormal_columns"}),
    ((U.T * U).applyfunc(f), (M * T).applyfunc(f), {U: "orthonormal_columns", M: "inverse(T)"}),
    ((T * B).applyfunc(relu) * C, (A.applyfunc(f) * B).applyfunc(relu) * C, {T: A.applyfunc(f)}),
    ((T * B).applyfunc(relu), (M * B + C * B).applyfunc(relu), {T: M + C, M: A.applyfunc(f) * A}),
    ((A * B * C).applyfunc(f), (C * C).applyfunc(f), [Rewrite("AB is C", A * B, C)]),
    ((A * B * C), A * B * C, [Rewrite("AB is f", A * B, C.applyfunc(f))]),
    (A.applyfunc(Lambda(t, relu(t) ** 2 + 3 * t)), HadamardPower(A.applyfunc(relu), 2) + 3 * A, ()),
    (A.applyfunc(Lambda(t, sqrt(t + 1))), (A + one).applyfunc(root), ()),
    (A.applyfunc(Lambda(t, Max(t, 0))), A.applyfunc(relu), ()),
    (sqrt(A[0, 0] + 2 * c) * Max(Trace(A), 0), relu(Trace(A)) * sqrt(2 * c + A[0, 0]), ()),
    (f(n * c) * A + f(2) * B, f(Trace(Identity(n)) * c) * A + B * f(2), ()),
    (f(A[s, u] + A[u, s]) * f(s_ := A[u, s]), f(s_) * f(A[u, s] + A[s, u]), ()),
    (Sum(f(A[s, u] * x[s, 0]), (s, 0, n - 1), (u, 0, n - 1)), Sum(f(x[u, 0] * A[u, s]), (s, 0, n - 1), (u, 0, n - 1)), ()),
    (MatrixSum((F[h] + F[h].T).applyfunc(f), (h, 0, H - 1)), MatrixSum((F[h] + F[h].T).applyfunc(f).T, (h, 0, H - 1)), ()),
    (IndexSum(f(Sum(A[s, u], (u, 0, n - 1))), (s, 0, n - 1)), IndexSum((A * OneMatrix(n, 1)).applyfunc(f)[s, 0], (s, 0, n - 1)), ()),
    (ZeroMatrix(n, n).applyfunc(f) * A, one * A * f(0), ()),
    (KroneckerProduct(A, W).applyfunc(f) * Vec(X), KroneckerProduct(A, W).applyfunc(f) * Vec(X), ()),
    (contract("ij,jk->ik", A, B).applyfunc(f), contract("jk,ij->ik", B, A).applyfunc(f), ()),
    (f(Function("g")(A[s, u]) + A[u, s]) * B, B * f(A[u, s] + Function("g")(A[s, u])), ()),
    # inverses
    (Inverse(A * B) * A * C, Inverse(B) * C, ()),
    (MatPow(A, -2, evaluate=False) * A * A * B, B, ()),
    (Inverse(2 * A) * A * B, B / 2, ()),
    (Inverse(A.T) * A.T * B, B, ()),
    (KroneckerProduct(A, W).inverse() * KroneckerProduct(A * B, W), KroneckerProduct(B, Identity(d)), ()),
    (Inverse(S) * A, Inverse(S).T * A, {S: "symmetric(0,1)"}),
    ((Inverse(A) * A * B).applyfunc(f), B.applyfunc(f), ()),
    # blocks
    (K * K, BlockMatrix([[A * A + P * Q, A * P + P * R], [Q * A + R * Q, Q * P + R * R]]), ()),
    (K * Z, K * Identity(n + m) * Z, ()),
    (Trace(K * K), Trace(A * A) + Trace(R * R) + 2 * Trace(P * Q), ()),
    (Trace(Identity(n + m)) * A, (n + m) * A, ()),
    (BlockDiagMatrix(A, R) * K, BlockMatrix([[A * A, A * P], [R * Q, R * R]]), ()),
    (BlockMatrix([[A], [B]]).T * BlockMatrix([[B], [A]]), A.T * B + B.T * A, ()),
    (BlockMatrix([[A, x], [x.T, OneMatrix(1, 1)]]) * BlockMatrix([[A], [x.T]]), BlockMatrix([[A * A + x * x.T], [x.T * A + x.T]]), ()),
    (Trace(Z * Z.T), Trace(Z.T * Z), ()),
    (BlockMatrix([[A.applyfunc(f)], [Q]]) * B, BlockMatrix([[A.applyfunc(f) * B], [Q * B]]), ()),
    (BlockMatrix([[A], [B]]).T * MatrixSymbol("Y", 2 * n, d), BlockMatrix([[A], [B]]).T * MatrixSymbol("Y", 2 * n, d), ()),
    # zero
    (MatrixSymbol("Y", 1, 1) * x.T, ZeroMatrix(1, n), {MatrixSymbol("Y", 1, 1): "antisymmetric(0,1)"}),
    (A * B * C, ZeroMatrix(n, n), [Rewrite("AB is zero", A * B, ZeroMatrix(n, n))]),
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
    with pytest.raises(CertificateError):
        matches_statement(lhs, 2 * rhs + lhs, verdict.certificate)


def test_names_of_nodes_are_short_and_new() -> None:
    """A tensor may be called as a node would be."""
    odd = MatrixSymbol("relu#1", n, n)
    certificate = prove(A.applyfunc(relu) * odd, A.applyfunc(relu) * odd).certificate
    assert [node["name"] for node in certificate["functions"]] == ["relu#0", "relu#2"]
    check_certificate(certificate)


# --- random identities ------------------------------------------------------------------------------------------------

GIVEN = {S: "symmetric(0,1)", U: "orthonormal_columns"}


class Pairs:
    """Random square matrices written in two ways; ``pair(depth)`` returns both."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.size = 0  # factors written so far

    def pair(self, depth: int) -> tuple[Expr, Expr]:
        """A matrix of up to so many operations on top of each other."""
        kinds = [self.leaf] if depth == 0 or self.size > 9 else [self.total, self.product, self.entries, self.rows, self.function]
        if depth and self.size <= 9:
            kinds += [self.function, self.cancelled, self.number, self.broadcast]
        return self.rng.choice(kinds)(depth - 1)

    def leaf(self, depth: int) -> tuple[Expr, Expr]:
        """One matrix; a symmetric one also transposed."""
        self.size += 1
        matrix = self.rng.choice([A, B, C, S, A.T, B.T, Identity(n), one])
        return (S, S.T) if matrix == S else (matrix, matrix)

    def total(self, depth: int) -> tuple[Expr, Expr]:
        """a + 2 b = b + a + b."""
        (a, a2), (b, b2) = self.pair(depth), self.pair(0)
        return a + 2 * b, b2 + a2 + b

    def product(self, depth: int) -> tuple[Expr, Expr]:
        """a b = (b^T a^T)^T; a (b + c) = a b + a c."""
        (a, a2), (b, b2), (e, e2) = self.pair(depth), self.pair(0), self.pair(0)
        return (a * b, (b2.T * a2.T).T) if self.rng.random() < 0.5 else (a * (b + e), a2 * e2 + a2 * b2)

    def entries(self, depth: int) -> tuple[Expr, Expr]:
        """The elementwise product commutes."""
        (a, a2), (b, b2) = self.pair(depth), self.pair(0)
        return contract("ij,ij->ij", a, b), HadamardProduct(b2, a2)

    def function(self, depth: int) -> tuple[Expr, Expr]:
        """f(a) = f(a^T)^T."""
        a, a2 = self.pair(depth)
        g = self.rng.choice([relu, f, exp, Function("g"), root])
        return (a.applyfunc(g), a2.T.applyfunc(g).T) if self.rng.random() < 0.7 else (a.applyfunc(g), a2.applyfunc(g))

    def rows(self, depth: int) -> tuple[Expr, Expr]:
        """The softmax of every row."""
        a, a2 = self.pair(depth)
        return softmax(a), softmax(a2)

    def cancelled(self, depth: int) -> tuple[Expr, Expr]:
        """U^T U a = a."""
        a, a2 = self.pair(depth)
        return U.T * U * a, a2

    def number(self, depth: int) -> tuple[Expr, Expr]:
        """f(tr(a b)) = f(tr(b a))."""
        (a, a2), (b, b2) = self.pair(0), self.pair(0)
        return f(Trace(a * b)) * a, f(Trace(b2 * a2)) * a2

    def broadcast(self, depth: int) -> tuple[Expr, Expr]:
        """f of a matrix whose rows are constant: f(x 1^T) a = diag(f(x)) 1 a."""
        a, a2 = self.pair(depth)
        g = self.rng.choice([relu, f])
        return (x * OneMatrix(1, n)).applyfunc(g) * a, DiagMatrix(x.applyfunc(g)) * one * a2


def test_random_identities_are_replayed() -> None:
    """Every certificate of a proof passes; nearly all identities are proved."""
    rng, tried, proved, nodes = Random(1), 0, 0, 0
    while proved < 500:
        lhs, rhs = Pairs(rng).pair(3)
        form = normal_form(statement_of(lhs, rhs, GIVEN))
        if not functions_of_statement(form):
            continue
        tried += 1
        if form.is_zero:
            proved += 1
            certificate = certificate_of(form)
            replayed(lhs, rhs, certificate)
            nodes += len(certificate["functions"])
    assert tried < 550
    assert nodes > 1500


def functions_of_statement(form: NormalForm) -> bool:
    """Whether there are function nodes in a statement."""
    sides = (form.statement.lhs, form.statement.rhs)
    return any(isinstance(tensor, FunctionTensor) for side in sides for term in side.terms for tensor, _ in term.factors)


# --- what is refused --------------------------------------------------------------------------------------------------


def test_changed_proofs_of_nodes_are_refused() -> None:
    """Nodes whose arguments differ are not made one by what the certificate of others says."""
    right = prove((A + B).applyfunc(f) * C, (B + A).T.applyfunc(f).T * C).certificate
    wrong = deepcopy(right)
    for node in wrong["functions"][1:]:
        node["argument"][0]["output"].reverse()
    with pytest.raises(CertificateError, match="which is to be undefined f#0: class"):
        check_certificate(wrong)
    for argument in (A + B.T, A - B, A + 2 * B, A, A + B + C, A + B + one):
        with pytest.raises(CertificateError, match="side lhs, term 0 of the expression"):
            matches_statement(argument.applyfunc(f) * C, (B + A).applyfunc(f) * C, right)
    for function in (relu, Function("g")):
        with pytest.raises(CertificateError, match="side lhs, term 0 of the expression"):
            matches_statement((A + B).applyfunc(function) * C, (B + A).applyfunc(f) * C, right)


def test_rows_are_no_entries() -> None:
    """softmax(S + S^T) is not its transpose, which relu(S + S^T) is: the same certificate with another function is refused."""
    entries, rows = (S + S.T).applyfunc(relu), softmax(S + S.T)
    text = json.dumps(prove(entries, contract("ij->ji", entries)).certificate).replace("relu", "softmax")
    check_certificate(json.loads(text))  # of some function of entries
    with pytest.raises(CertificateError, match="side lhs, term 0"):
        matches_statement(rows, rows.T, json.loads(text))
    changed = json.loads(text.replace('"rows": false', '"rows": true'))
    matches_statement(rows, rows.T, changed)
    with pytest.raises(CertificateError, match="keeps the leg that it runs along"):
        check_certificate(changed)


def test_the_last_leg_of_rows_is_that_of_the_row() -> None:
    """In sums over heads as well: softmax(F_h + F_h^T) is not its transpose."""
    lhs, rhs = (MatrixSum(softmax(F[h] + F[h].T), (h, 0, H - 1)), MatrixSum(softmax(F[h] + F[h].T).T, (h, 0, H - 1)))
    verdict = prove(lhs, rhs)
    if verdict.verdict == "proved":
        with pytest.raises(CertificateError):
            replayed(lhs, rhs, verdict.certificate)


def test_rows_of_a_family_are_replayed() -> None:
    lhs, rhs = (MatrixSum(softmax(F[h] * A + F[h] * B), (h, 0, H - 1)), MatrixSum(softmax(F[h] * (B + A)), (h, 0, H - 1)))
    replayed(lhs, rhs, prove(lhs, rhs).certificate)


def test_an_inverse_needs_its_law() -> None:
    lhs, rhs = A * B * Inverse(S), A * B * Inverse(S).T
    certificate = prove(lhs, rhs, {S: "symmetric(0,1)"}).certificate
    matches_statement(lhs, rhs, certificate)
    certificate["statement"]["laws"] = [["S", "symmetric(0,1)"]]
    with pytest.raises(CertificateError, match="does not say that it is the inverse of S"):
        matches_statement(lhs, rhs, certificate)


def test_blocks_are_told_apart() -> None:
    certificate = prove(K * K, K**2).certificate
    matches_statement(K * K, K**2, certificate)
    for other in (K * K.T, BlockMatrix([[A, P], [Q, 2 * R]]) * K, BlockDiagMatrix(A, R) * K):
        with pytest.raises(CertificateError):
            matches_statement(other, K**2, certificate)
