"""Lowering against NumPy: the polynomial of every node has the node's value, equal trees have one polynomial, near-misses do not."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from strategies import transformers, with_numbers
from sympy import (
    Adjoint,
    Determinant,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    HadamardPower,
    HadamardProduct,
    Identity,
    IndexedBase,
    KroneckerDelta,
    KroneckerProduct,
    Matrix,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Sum,
    Symbol,
    Trace,
    ZeroMatrix,
    sqrt,
    symbols,
)
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
)

import symbolic_circuits as sc
from symbolic_circuits.algebra.fixed import at_sizes, split_fixed
from symbolic_circuits.algebra.values import value
from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.numeric.matching import without_sizes
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.lowering import lower
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, H = symbols("n d H", integer=True, positive=True)
s, u, h = symbols("s u h", integer=True, nonnegative=True)
c = Symbol("c", real=True)
A, X, W, P, Y = (
    MatrixSymbol(name, *shape) for name, shape in zip("AXWPY", [(n, n), (n, d), (d, d), (n, n), (n, d)], strict=True)
)
x, y = MatrixSymbol("x", d, 1), MatrixSymbol("y", d, 1)
B = ArraySymbol("B", (d, d, d))
F = MatrixFamily("F", H, n, n)
G = IndexedBase("G", shape=(n, d))
SIZES = {"n": 3, "d": 2, "H": 2}

generator = np.random.default_rng(0)
SHAPES = {
    "A": (3, 3),
    "X": (3, 2),
    "W": (2, 2),
    "P": (3, 3),
    "Y": (3, 2),
    "x": (2, 1),
    "y": (2, 1),
    "B": (2, 2, 2),
    "F": (2, 3, 3),
}
V = {name: generator.integers(-4, 5, shape).astype(object) for name, shape in SHAPES.items()} | {"G": None}
V["G"] = generator.integers(-4, 5, (3, 2)).astype(object)
a, xx, w, p, yy, b, f, g = (V[k] for k in ("A", "X", "W", "P", "Y", "B", "F", "G"))
cv, dv = V["x"], V["y"]

CASES = [
    (A * X * W.T, a @ xx @ w.T),
    (A * X + 2 * P * X - X, a @ xx + 2 * p @ xx - xx),
    (c * A + Rational(1, 2) * P, 5 * a + p * Fraction(1, 2)),
    (A**3, a @ a @ a),
    (A**0, np.eye(3, dtype=int)),
    (Adjoint(A) * P, a.T @ p),
    (Trace(A * P), np.trace(a @ p)),
    (Trace(A) * P, np.trace(a) * p),
    (Trace(Identity(n)) * A, 3 * a),
    (A * ZeroMatrix(n, n) + P, p),
    (A * OneMatrix(n, d), a @ np.ones((3, 2), dtype=int)),
    (HadamardProduct(A, P, A.T), a * p * a.T),
    (HadamardPower(A, 3), a**3),
    (HadamardProduct(X * W, Y) * x, (xx @ w * yy) @ cv),
    (KroneckerProduct(A, W), np.kron(a, w)),
    (KroneckerProduct(A, W) * KroneckerProduct(P, W.T), np.kron(a @ p, w @ w.T)),
    (KroneckerProduct(A, W, P), np.kron(np.kron(a, w), p)),
    (KroneckerProduct(A, W) * Vec(X), (a @ xx @ w.T).reshape(-1, 1)),
    (DiagMatrix(x) * W, np.diag(cv[:, 0]) @ w),
    (DiagMatrix(x.T) * W, np.diag(cv[:, 0]) @ w),
    (DiagonalMatrix(A) * P, np.diag(np.diag(a)) @ p),
    (DiagonalOf(A), np.diag(a).reshape(-1, 1)),
    (ApplyBilinear(B, Vec(X), Vec(Y)), np.einsum("ijk,sj,sk->si", b, xx, yy).reshape(-1, 1)),
    (MatrixSum(F[h] * X, (h, 0, H - 1)), f.sum(0) @ xx),
    (F[1] * X - F[0] * X, (f[1] - f[0]) @ xx),
    (TensorDot(TensorDot(Row(X, 1), 1, B, 2), 2, Row(Y, 2), 1), np.einsum("ijk,j,k->i", b, xx[1], yy[2])),
    (IndexSum(A[1, u] * X[u, 0], (u, 0, n - 1)), (a @ xx)[1, 0]),
    (Sum(A[s, u] * P[u, s], (s, 0, n - 1), (u, 0, n - 1)), np.trace(a @ p)),
    (Sum(A[s, s] ** 2, (s, 0, n - 1)), (np.diag(a) ** 2).sum()),
    (Sum(G[s, 0] * G[s, 1], (s, 0, n - 1)), g[:, 0] @ g[:, 1]),
    (Sum(1, (s, 0, n - 1)) * A, 3 * a),
    (A[0, 1] * A[0, 1] - A[1, 0] * P[2, 2], a[0, 1] ** 2 - a[1, 0] * p[2, 2]),
    (Identity(n)[0, 1] + Identity(n)[2, 2], 1),
    (ArrayContraction(ArrayTensorProduct(A, X), (1, 2)), a @ xx),
    (ArrayContraction(ArrayTensorProduct(A, P, X), (1, 2, 4)), np.einsum("ab,bc,bd->acd", a, p, xx)),
    (ArrayContraction(A, (0, 1)), np.trace(a)),
    (ArrayDiagonal(A, (0, 1)), np.diag(a)),
    (ArrayDiagonal(ArrayTensorProduct(A, X), (0, 2)), np.einsum("ab,ac->bca", a, xx)),
    (ArrayDiagonal(ArrayTensorProduct(A, P, X), (1, 2, 4)), np.einsum("ab,bc,bd->acdb", a, p, xx)),
    (PermuteDims(B, (2, 0, 1)), b.transpose(2, 0, 1)),
    (ArrayAdd(B, PermuteDims(B, (0, 2, 1))), b + b.transpose(0, 2, 1)),
    (ArrayTensorProduct(OneArray(n), x), np.ones((3, 1, 1), dtype=int) * cv),
]


def values(expr) -> np.ndarray:
    """The value of the polynomial of an expression at the arrays above."""
    (polynomial,) = lower(expr)
    found = value(polynomial, V, SIZES, {"c": Fraction(5)})
    assert set(found) <= {()}
    return found.get((), np.zeros((), dtype=object))


@pytest.mark.parametrize("k", range(len(CASES)), ids=[str(case[0])[:60] for case in CASES])
def test_value(k: int) -> None:
    expr, expected = CASES[k]
    assert np.array_equal(values(expr).ravel(), np.asarray(expected, dtype=object).ravel())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Trace(A * P), Trace(P * A)),
        ((A + P) * X, A * X + P * X),
        ((A * P).T, P.T * A.T),
        (2 * A, A + A),
        (Trace(Identity(n)) * A, n * A),
        (HadamardProduct(A * X, A * X), HadamardPower(A * X, 2)),
        (KroneckerProduct(A, W) * KroneckerProduct(P, W), KroneckerProduct(A * P, W * W)),
        (KroneckerProduct(A, W) * Vec(X), Vec(A * X * W.T)),
        (sqrt(d) * sqrt(d) * A, d * A),
        (A / sqrt(d), sqrt(d) * A / d),
        (Trace(A * P * A.T), Trace(P * A.T * A)),
        (IndexSum(A[s, u] * P[u, s], (s, 0, n - 1), (u, 0, n - 1)), Trace(A * P)),
        (HadamardProduct(A, Identity(n)), DiagonalMatrix(A)),
        (Identity(n)[0, 0] * A, A),
        (IndexSum(Identity(n)[s, u] * X[u, h], (u, 0, n - 1)), X[s, h]),
    ],
)
def test_equal(left, right) -> None:
    one, other = lower(left, right)
    assert one == other


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (A, A.T),
        (A * P, P * A),
        (Trace(A * P), Trace(A * P.T)),
        (HadamardProduct(A, P) * X, HadamardProduct(A * X, P * X)),
        (KroneckerProduct(A, P), KroneckerProduct(P, A)),
        (KroneckerProduct(A, W) * Vec(X), Vec(A * X * W)),
        (KroneckerProduct(A, W) + KroneckerProduct(P, W.T), KroneckerProduct(A + P, W + W.T)),
        (sqrt(d) * A, d * A),
        (A[0, 1], A[1, 0]),
        (Trace(A) ** 2, Trace(A**2)),
        (IndexSum(A[s, u] * P[s, u], (s, 0, n - 1), (u, 0, n - 1)), Trace(A * P)),
        (n * A, d * A),
        (MatrixSum(F[h], (h, 0, H - 1)), F[0]),
    ],
)
def test_not_equal(left, right) -> None:
    one, other = lower(left, right)
    assert one != other


def test_composite_axes_split_where_they_meet() -> None:
    Z = MatrixSymbol("Z", n * d, 1)
    one, other = lower(KroneckerProduct(A, W) * Z + Vec(X), Vec(X) + KroneckerProduct(A, W) * Z)
    assert one == other and one.axes == (("n", "d"), ())
    with pytest.raises(ShapeError, match=r"an axis of size d\*n meets an axis of size n\*d"):
        lower(KroneckerProduct(A, W) * Z, KroneckerProduct(W, A) * Z)
    M = MatrixSymbol("M", n * d, n * d)
    assert len(set(map(len, (p.terms for p in lower(M * M, M * M.T))))) == 1


@pytest.mark.parametrize("size", [1, 2, 3])
def test_cayley_hamilton_holds_at_size_two_and_below(size: int) -> None:
    identity = A * A - Trace(A) * A + (Trace(A) ** 2 - Trace(A * A)) / 2 * Identity(n)
    (polynomial,) = lower(identity)
    assert not polynomial.is_zero and at_sizes(polynomial, {"n": size}).is_zero == (size <= 2)


@pytest.mark.parametrize("count", [2, 3])
def test_gram_determinants_vanish_below_their_size(count: int) -> None:
    vectors = [MatrixSymbol(f"v{k}", d, 1) for k in range(count)]
    gram = Matrix(count, count, lambda i, j: Trace(vectors[i].T * vectors[j]))
    (polynomial,) = lower(gram.det().expand())
    assert [at_sizes(polynomial, {"d": k}).is_zero for k in range(1, count + 1)] == [True] * (count - 1) + [False]


@given(transformers(max_terms=20))
def test_expansion_and_closed_form_are_one_polynomial(model: sc.Transformer) -> None:
    expansion = sc.path_expansion(without_sizes(with_numbers(model)))
    tied = any(isinstance(spec, sc.Bilinear) and spec.tied for _, spec in expansion.model.numbered())
    for notation in (
        ("matrix",) if tied else ("operator", "matrix", "index", "tensor")
    ):  # B of a tied layer is not known symmetric
        listed, closed = lower(expansion.expr(notation), expansion.closed_form(notation))
        assert split_fixed(listed) == split_fixed(closed)


@given(transformers(max_terms=20))
def test_the_expansion_is_the_model_for_all_sizes(model: sc.Transformer) -> None:
    expansion = sc.path_expansion(without_sizes(with_numbers(model)))
    expanded, unexpanded = lower(expansion.expr("matrix"), expansion.unexpanded())
    assert split_fixed(expanded) == split_fixed(unexpanded)
    if expansion.number_of_terms > 1:
        (partial,) = lower(expansion[0].expr("matrix"))
        assert split_fixed(partial) != split_fixed(unexpanded)


@pytest.mark.parametrize(
    ("expr", "error", "message"),
    [
        (Determinant(A), UnsupportedNodeError, "Determinant has no rule for lowering"),
        ((A + P).inverse(), UnsupportedNodeError, "the inverse of A \\+ P is not"),
        (A ** Rational(1, 2), UnsupportedNodeError, "the matrix power"),
        (KroneckerDelta(s, u), UnsupportedNodeError, "does not say how far"),
        (IndexSum(A[s, u + 1], (u, 0, n - 1)), UnsupportedNodeError, r"indexed by u \+ 1"),
        (Sum(A[u, u], (u, 1, n - 1)), UnsupportedNodeError, "starts at 1"),
        (Sum(A[u, u], (u, 0, d - 1)), ShapeError, "has d values, but the index runs along an axis of size n"),
        (A[s, u] + P[s, h], ShapeError, "the free index h is not in every term"),
        (c**s * A, UnsupportedNodeError, "is not a rational number"),
    ],
)
def test_what_cannot_be_lowered(expr, error, message: str) -> None:
    lower(A)
    with pytest.raises(error, match=message):
        lower(expr)
