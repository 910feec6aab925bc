"""Function nodes, block matrices and inverses: proved, refuted with a counterexample that verifies, or undecided; never wrongly."""

import pytest
from sympy import (
    Abs,
    BlockDiagMatrix,
    BlockMatrix,
    Function,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerProduct,
    Lambda,
    MatrixSymbol,
    Max,
    OneMatrix,
    Sum,
    Symbol,
    Trace,
    ZeroMatrix,
    exp,
    log,
    sqrt,
    symbols,
)

import symbolic_circuits as sc
from symbolic_circuits.errors import LawError, UnsupportedNodeError
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum

n, m, d = symbols("n m d", integer=True, positive=True)
i, j = symbols("i j", integer=True, nonnegative=True)
c = Symbol("c", positive=True)
x_ = Symbol("x_")
S, A, B, P = (MatrixSymbol(name, n, n) for name in "SABP")
X, Y, W = MatrixSymbol("X", n, d), MatrixSymbol("Y", n, d), MatrixSymbol("W", d, d)
F = {(a, b): MatrixSymbol(f"F_{a}{b}", p, q) for a, p in enumerate((n, m)) for b, q in enumerate((n, m))}
G = {(a, b): MatrixSymbol(f"G_{a}{b}", p, q) for a, p in enumerate((n, m)) for b, q in enumerate((n, m))}
f = Function("f")


def relu(matrix):
    return matrix.applyfunc(sc.relu)


def block(parts):
    return BlockMatrix([[parts[0, 0], parts[0, 1]], [parts[1, 0], parts[1, 1]]])


PRODUCT = {(a, b): F[a, 0] * G[0, b] + F[a, 1] * G[1, b] for a in (0, 1) for b in (0, 1)}
CROSSED = PRODUCT | {(0, 1): F[0, 0] * G[0, 1] + F[0, 1] * F[1, 1]}
U, V = MatrixSymbol("U", d, n), MatrixSymbol("V", d, m)
u, v = MatrixSymbol("u", n, 1), MatrixSymbol("v", m, 1)
bias = MatrixSymbol("bias", d, 1)
SWAP = BlockMatrix([[ZeroMatrix(n, n), Identity(n)], [Identity(n), ZeroMatrix(n, n)]])
Z = MatrixSymbol("Z", n + m, d)

TRUE = [
    ("relu(S + S^T) is symmetric", relu(S + S.T), relu(S + S.T).T, {}),
    ("relu of a symmetric matrix", relu(S), relu(S).T, {S: "symmetric"}),
    ("relu of relu", relu(relu(S) + A).T, relu(A.T + relu(S.T)), {}),
    ("argument in normal form", relu((A + B) * X), relu(A * X + B * X), {}),
    ("argument under a law", relu(A.T * A * X), relu(X), {A: "orthonormal_columns"}),
    ("argument with a definition", relu(A * X), relu(B * P * X), {A: B * P}),
    ("an axis that the argument does not have", relu(X * OneMatrix(d, d)), relu(X * OneMatrix(d, 1)) * OneMatrix(1, d), {}),
    ("rows of a softmax", sc.softmax(A * B + S), sc.softmax(S + A * B), {}),
    ("a polynomial of entries", S.applyfunc(Lambda(x_, x_**2 + 3 * x_)), HadamardProduct(S, S) + 3 * S, {}),
    ("max", S.applyfunc(Lambda(x_, Max(x_, 0))), relu(S), {}),
    ("exp of entries", exp(S[i, j] + A[i, j]), exp(A[i, j] + S[i, j]), {}),
    ("f of a trace", f(Trace(A * B)), f(Trace(B * A)), {}),
    ("sum of f", Sum(f(S[i, j]), (i, 0, n - 1), (j, 0, n - 1)), Sum(f(S[j, i]), (i, 0, n - 1), (j, 0, n - 1)), {}),
    ("norms", 1 / sqrt(Trace(A * A.T)), 1 / sqrt(Trace(A.T * A)), {}),
    ("product of blocks", block(F) * block(G), block(PRODUCT), {}),
    ("transpose of blocks", block(F).T, BlockMatrix([[F[0, 0].T, F[1, 0].T], [F[0, 1].T, F[1, 1].T]]), {}),
    ("trace of blocks", Trace(block(F)), Trace(F[0, 0]) + Trace(F[1, 1]), {}),
    ("equal parts that are exchanged", SWAP * SWAP, Identity(2 * n), {}),
    ("concatenated heads (B3)", BlockMatrix([[U, V]]) * BlockMatrix([[u], [v]]), U * u + V * v, {}),
    ("a bias as a column (C9)", BlockMatrix([[U, bias]]) * BlockMatrix([[u], [Identity(1)]]), U * u + bias, {}),
    ("diagonal blocks", BlockDiagMatrix(A, W) * BlockDiagMatrix(B, W), BlockDiagMatrix(A * B, W**2), {}),
    ("an identity of n + m", Identity(n + m) * Z, Z, {}),
    ("size n + m", Trace(Identity(n + m)) * A, (n + m) * A, {}),
    ("inverse", Inverse(A) * A * X, X, {}),
    ("inverse of a product", Inverse(A * B), Inverse(B) * Inverse(A), {}),
    ("inverse of a transpose", Inverse(A.T), Inverse(A).T, {}),
    ("inverse of a Kronecker product", KroneckerProduct(A, W).I * KroneckerProduct(A, W), Identity(n * d), {}),
    ("negative powers", A**-2 * A**3, A, {}),
    ("inverse of an orthonormal matrix", Inverse(A), A.T, {A: "orthonormal_columns"}),
]
FALSE = [
    ("relu is no symmetric matrix", relu(S), relu(S).T, {}),
    ("relu is not linear", relu(S + A), relu(S) + relu(A), {}),
    ("softmax of rows and columns", sc.softmax(S.T), sc.softmax(S).T, {}),
    ("softmax of other scores", sc.softmax(A * B), sc.softmax(B * A), {}),
    ("exp of another entry", exp(S[i, j]), exp(S[j, i]), {}),
    ("log of another trace", log(Trace(A.T * A)), log(Trace(B.T * B)), {}),
    ("Abs", Abs(Trace(A)), Trace(A), {}),
    ("product of blocks, one wrong", block(F) * block(G), block(CROSSED), {}),
    ("blocks do not commute", block(F) * block(G), block(G) * block(F), {}),
    ("equal parts that are exchanged", SWAP * SWAP, SWAP, {}),
    ("size n + m", Trace(Identity(n + m)) * A, (n + d) * A, {}),
    ("inverse in the wrong place", Inverse(A) * B, B * Inverse(A), {}),
    ("inverse of a product", Inverse(A * B), Inverse(A) * Inverse(B), {}),
]


@pytest.mark.parametrize(("name", "lhs", "rhs", "given"), TRUE, ids=[case[0] for case in TRUE])
def test_proved(name, lhs, rhs, given) -> None:
    assert sc.prove(lhs, rhs, given).verdict == "proved"


@pytest.mark.parametrize(("name", "lhs", "rhs", "given"), FALSE, ids=[case[0] for case in FALSE])
def test_refuted(name, lhs, rhs, given) -> None:
    verdict = sc.prove(lhs, rhs, given)
    assert verdict.verdict == "refuted" and verdict.witness.verify()
    assert sc.explanation(verdict).startswith("refuted at")


@pytest.mark.parametrize(
    ("lhs", "rhs", "word"),
    [
        (relu(2 * S), 2 * relu(S), "relu"),  # true, but nothing is assumed of relu
        (exp(S[i, j]) * exp(A[i, j]), exp(S[i, j] + A[i, j]), "exp"),
        (f(Trace(A)), f(Trace(B)), "undefined f"),
    ],
)
def test_undecided_names_the_function(lhs, rhs, word: str) -> None:
    verdict = sc.prove(lhs, rhs)
    assert verdict.verdict == "undecided" and word in verdict.reason


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        (relu(BlockMatrix([[U, V]])), "of a block matrix"),
        (Inverse(A + B), "the inverse of A \\+ B"),
        (exp(S[i, j]) + Max(Trace(A), Trace(B)), r"is not max\(x, 0\)"),
    ],
)
def test_what_is_refused(expr, message: str) -> None:
    with pytest.raises(UnsupportedNodeError, match=message):
        sc.prove(expr, expr)


def test_a_witness_with_a_function_is_enclosed() -> None:
    witness = sc.prove(sc.softmax(S.T), sc.softmax(S).T).witness
    assert witness.verify() and witness.lhs != witness.rhs


def test_rows_of_a_family_are_its_rows() -> None:
    h, H = Symbol("h", integer=True, nonnegative=True), Symbol("H", integer=True, positive=True)
    scores = MatrixFamily("F", H, n, n)
    total = MatrixSum(sc.softmax(scores[h] + scores[h].T), (h, 0, H - 1))
    assert sc.prove(total, total).verdict == "proved"
    assert sc.prove(total, total.T).verdict == "refuted"
    assert sc.prove(sc.softmax(relu(A + B)), sc.softmax(relu(B + A))).verdict == "proved"


def test_a_law_of_a_function_is_refused() -> None:
    with pytest.raises(LawError, match="has a function on its left side"):
        sc.prove(A, B, given=[sc.Rewrite("relu", relu(A) * B, B)])
