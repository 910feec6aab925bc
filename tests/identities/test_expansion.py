"""The naive expansion against NumPy and against statements: every node has its value, and a near-miss is never a match."""

from copy import deepcopy
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    Adjoint,
    BlockMatrix,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    Dummy,
    Function,
    HadamardPower,
    HadamardProduct,
    Identity,
    IndexedBase,
    Inverse,
    KroneckerDelta,
    KroneckerProduct,
    Lambda,
    Matrix,
    MatrixSymbol,
    Max,
    OneMatrix,
    Rational,
    Sum,
    Symbol,
    Trace,
    ZeroMatrix,
    besselj,
    sqrt,
    symbols,
)
from sympy.tensor.array import ImmutableDenseNDimArray
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.errors import CertificateError, ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.expansion import evaluate, matches_statement, raw_terms
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
s, u, h = symbols("s u h", integer=True, nonnegative=True)
c, t, phi = Symbol("c", real=True), Dummy("t"), Function("f")
A, P, X, Y, W = (
    MatrixSymbol(name, *shape) for name, shape in zip("APXYW", [(n, n), (n, n), (n, d), (n, d), (d, d)], strict=True)
)
M, Z = MatrixSymbol("M", m, d), MatrixSymbol("Z", n * d, 1)
x, y = MatrixSymbol("x", d, 1), MatrixSymbol("y", n, 1)
B, C = ArraySymbol("B", (d, d, d)), ArraySymbol("C", (m, d, n))
F, G = MatrixFamily("F", H, n, n), IndexedBase("G", shape=(n, d))

SIZES = {"n": 3, "d": 2, "m": 4, "H": 2, "c": 5}
SHAPES = {
    "A": "nn",
    "P": "nn",
    "X": "nd",
    "Y": "nd",
    "W": "dd",
    "M": "md",
    "x": "d",
    "y": "n",
    "B": "ddd",
    "C": "mdn",
    "F": "Hnn",
    "G": "nd",
}
generator = np.random.default_rng(7)
V = {name: generator.integers(-4, 5, [SIZES[k] for k in shape]).astype(object) for name, shape in SHAPES.items()}
V["Z"] = generator.integers(-4, 5, 6).astype(object)
a, p, xx, yy, w, mm, xv, yv, b, cc, f, g, z = (V[k] for k in ["A", "P", "X", "Y", "W", "M", "x", "y", "B", "C", "F", "G", "Z"])
one = np.ones
half = Fraction(1, 2)

CASES = {
    "product": (A * X * W.T, a @ xx @ w.T),
    "sum": (A * X - 2 * P * X + X, a @ xx - 2 * p @ xx + xx),
    "product of sums": ((A + P) * (X - Y) * W, (a + p) @ (xx - yy) @ w),
    "scalars": (c * n * A / 2, 15 * half * a),
    "power of a scalar": ((c + 2) ** 2 * d**-1 * A, 49 * half * a),
    "product of roots": (sqrt(d) * sqrt(8) * Matrix([[1]]), [[4]]),
    "matrix power": ((A + P) ** 3, (a + p) @ (a + p) @ (a + p)),
    "power zero": (A**0, np.eye(3, dtype=int)),
    "adjoint": (Adjoint(A * P) * X, (a @ p).T @ xx),
    "trace": (Trace(A * P) * Trace(A), np.trace(a @ p) * np.trace(a)),
    "square of a trace": (Trace(A) ** 2, np.trace(a) ** 2),
    "trace of an identity": (Trace(Identity(n)) * A, 3 * a),
    "trace of ones": (Trace(OneMatrix(n, n) * OneMatrix(n, n)) * X, 9 * xx),
    "trace of a product of identities": (Trace((Identity(n) + A) * (Identity(n) + A)), np.trace(np.eye(3, dtype=int) + a @ a + 2 * a)),
    "zero": (A * ZeroMatrix(n, d) + X, xx),
    "nothing": (ZeroMatrix(n, d), 0 * xx),
    "ones": (A * OneMatrix(n, m), a @ one((3, 4), int)),
    "hadamard": (HadamardProduct(A, P + A, A.T), a * (p + a) * a.T),
    "hadamard power": (HadamardPower(A * X, 3), (a @ xx) ** 3),
    "hadamard of products": (HadamardProduct(X * W, Y) * x, (xx @ w * yy) @ xv[:, None]),
    "kronecker": (KroneckerProduct(A, M), np.kron(a, mm)),
    "kronecker of three": (KroneckerProduct(A, x, M), np.kron(np.kron(a, xv[:, None]), mm)),
    "mixed product": (KroneckerProduct(A, W) * KroneckerProduct(P, W.T), np.kron(a @ p, w @ w.T)),
    "nested kronecker": (KroneckerProduct(A, KroneckerProduct(W, M)), np.kron(a, np.kron(w, mm))),
    "kronecker and vec": (KroneckerProduct(A, W) * Vec(X), (a @ xx @ w.T).reshape(-1, 1)),
    "kronecker and a long vector": (KroneckerProduct(A, W) * Z + Z, (np.kron(a, w) @ z + z)[:, None]),
    "a long vector, never split": (Z * Z.T, np.outer(z, z)),
    "trace of a long identity": (Trace(Identity(n * d)) * W, 6 * w),
    "trace of a split identity": (Trace(KroneckerProduct(A, W) * Identity(n * d)), np.trace(np.kron(a, w))),
    "diag of a column": (DiagMatrix(x) * W, np.diag(xv) @ w),
    "diag of a row": (DiagMatrix(x.T) * W, np.diag(xv) @ w),
    "diagonal part": (DiagonalMatrix(A * P) * X, np.diag(np.diag(a @ p)) @ xx),
    "diagonal": (DiagonalOf(A * P), np.diag(a @ p)[:, None]),
    "element": (A[0, 1] * A[0, 1] - (A * P)[1, 0] * P[2, 2], a[0, 1] ** 2 - (a @ p)[1, 0] * p[2, 2]),
    "elements of an identity": (Identity(n)[0, 1] + 3 * Identity(n)[2, 2], 3),
    "explicit matrix": (Matrix([[1, c], [0, -2]]) * MatrixSymbol("W", 2, 2), np.array([[1, 5], [0, -2]]) @ w),
    "explicit array": (TensorDot(ImmutableDenseNDimArray([3, 4]), 1, MatrixSymbol("W", 2, 2), 2), w @ np.array([3, 4])),
    "delta": (IndexSum(KroneckerDelta(s, u, (0, n - 1)) * A[s, u], (s, 0, n - 1), (u, 0, n - 1)), np.trace(a)),
    "sum of sympy": (Sum(A[s, u] * P[u, s], (s, 0, n - 1), (u, 0, n - 1)), np.trace(a @ p)),
    "sum of squares": (Sum(A[s, s] ** 2, (s, 0, n - 1)), (np.diag(a) ** 2).sum()),
    "sum of one": (Sum(1, (s, 0, n - 1), (u, 0, d - 1)) * A, 6 * a),
    "nested sums": (IndexSum(X[s, 0] * Sum(A[s, u], (u, 0, n - 1)), (s, 0, n - 1)), xx[:, 0] @ a.sum(1)),
    "a symbol bound twice": (Sum(A[s, s] * Sum(P[s, s], (s, 0, n - 1)), (s, 0, n - 1)), np.trace(a) * np.trace(p)),
    "indexed": (Sum(G[s, 0] * G[s, 1], (s, 0, n - 1)), g[:, 0] @ g[:, 1]),
    "array element": (ArrayElement(B, (0, 1, 1)), b[0, 1, 1]),
    "member": (F[1] * X - F[0] * X, (f[1] - f[0]) @ xx),
    "matrix sum": (MatrixSum(F[h] * X * W, (h, 0, H - 1)), f.sum(0) @ xx @ w),
    "rows": (TensorDot(TensorDot(Row(X, 1), 1, B, 2), 2, Row(Y, 2), 1), np.einsum("ijk,j,k->i", b, xx[1], yy[2])),
    "inner product of tensors": (TensorDot(B, 2, C, 2), np.einsum("ijk,ajn->ikan", b, cc)),
    "multiple of an array": (2 * c * C - n * C, 7 * cc),
    "bilinear": (ApplyBilinear(B, Vec(X), Vec(Y * W)), np.einsum("ijk,sj,sk->si", b, xx, yy @ w).reshape(-1, 1)),
    "bilinear of long vectors": (ApplyBilinear(B, Z, Z), np.einsum("ijk,sj,sk->si", b, z.reshape(3, 2), z.reshape(3, 2)).reshape(-1, 1)),
    "array product": (ArrayTensorProduct(A, X), np.einsum("ab,cd->abcd", a, xx)),
    "array contraction": (ArrayContraction(ArrayTensorProduct(A, X), (1, 2)), a @ xx),
    "contraction of three": (ArrayContraction(ArrayTensorProduct(A, P, X), (1, 2, 4)), np.einsum("ab,bc,bd->acd", a, p, xx)),
    "contraction of one axis": (ArrayContraction(ArrayTensorProduct(A, X), (0,), (1, 2)), np.einsum("ab,bc->c", a, xx)),
    "array trace": (ArrayContraction(A, (0, 1)), np.trace(a)),
    "array diagonal": (ArrayDiagonal(ArrayTensorProduct(A, X), (0, 2)), np.einsum("ab,ac->bca", a, xx)),
    "diagonal of three": (ArrayDiagonal(ArrayTensorProduct(A, P, X), (1, 2, 4)), np.einsum("ab,bc,bd->acdb", a, p, xx)),
    "two diagonals": (ArrayDiagonal(ArrayTensorProduct(A, P), (0, 2), (1, 3)), a * p),
    "permuted": (PermuteDims(C, (2, 0, 1)), cc.transpose(2, 0, 1)),
    "permuted twice": (PermuteDims(ArrayAdd(B, PermuteDims(B, (0, 2, 1))), (1, 2, 0)), (b + b.transpose(0, 2, 1)).transpose(1, 2, 0)),
    "array ones": (ArrayTensorProduct(OneArray(n), x), one((3, 1, 1), int) * xv[:, None]),
    "array zero": (ArrayAdd(C, ZeroArray(m, d, n)), cc),
    "contract": (contract("ijk,kl,jm->mil", C, A, W), np.einsum("ijk,kl,jm->mil", cc, a, w)),
    "contract to a diagonal": (contract("ij,i->jii", X, Row(A, 0)), np.einsum("ij,i,ik->jik", xx, a[0], np.eye(3, dtype=int))),
    "contract to a product axis": (contract("ij,jk->(ik)()", A, X), (a @ xx).reshape(-1, 1)),
    "contract a family": (contract("hij,jk->ik", F, X), f.sum(0) @ xx),
    "reshaped": (Reshape(A * X, (n * d,)), (a @ xx).reshape(-1)),
    "reshaped and split": (Reshape(Z, (n, d)), z.reshape(3, 2)),
    "reshaped twice": (Reshape(Reshape(C, (m, d * n)), (m * d, n)), cc.reshape(8, 3)),
    "rational": (Rational(-3, 2) * X, -3 * half * xx),
}  # fmt: skip


def array_of(expr, shape: tuple[int, ...]) -> np.ndarray:
    """The value of an expression, which has no radical."""
    [terms] = raw_terms(expr)
    found = evaluate(terms, V, SIZES)
    assert all(set(place) == {()} for place in found.values())
    flat = np.zeros(shape, dtype=object).reshape(-1)
    lengths = [size if isinstance(size, int) else SIZES[size] for t in terms[:1] for size in (t.sizes[i] for i in t.output)]
    for at, place in found.items():
        flat[np.ravel_multi_index(at, lengths) if at else 0] = place[()]
    return flat.reshape(shape)


@pytest.mark.parametrize("name", CASES)
def test_value(name: str) -> None:
    expr, expected = CASES[name]
    expected = np.asarray(expected, dtype=object)
    assert np.array_equal(array_of(expr, expected.shape), expected)


def test_open_indices() -> None:
    [terms] = raw_terms((A * X)[s, u] + X[s, u] * Trace(P))
    found = evaluate(terms, V, SIZES)
    expected = a @ xx + xx * np.trace(p)
    assert all(found.get((i, j), {}).get((), 0) == expected[i, j] for i, j in product(range(3), range(2)))
    assert {name for term in terms for name, _ in term.names} == {"s", "u"}


def test_radicals_stay() -> None:
    [terms] = raw_terms(sqrt(d) * A / sqrt(6) + A)
    assert evaluate(terms, V, SIZES)[0, 0] == {(): a[0, 0], (("3", half),): Fraction(a[0, 0], 3)}


@pytest.mark.parametrize(
    ("expr", "factors"),
    [
        ((A + P) * (X + Y), [["A", "X"], ["A", "Y"], ["P", "X"], ["P", "Y"]]),
        (Trace((A + Identity(n)) * P), [["P"], ["A", "P"]]),  # SymPy puts the identity first
        (HadamardPower(A, 2) * X, [["A", "A", "X"]]),
        (A[0, 1], [["A", "unit 0", "unit 1"]]),
        (ZeroMatrix(n, n), []),
    ],
)
def test_order_of_terms_and_factors(expr, factors: list[list[str]]) -> None:
    [terms] = raw_terms(expr)
    assert [[name for name, _ in term.factors] for term in terms] == factors


def test_axes_split_alike() -> None:
    left, right = raw_terms(Z + Vec(X), KroneckerProduct(A, W) * Z)
    assert {term.sizes[i] for term in left + right for i in term.output} == {"n", "d"}
    [[term]] = raw_terms(Z)
    assert term.sizes == ("d", "n")  # an axis that is split nowhere, by the factors of its size
    with pytest.raises(ShapeError, match=r"meets an axis of size"):
        raw_terms(KroneckerProduct(A, W) * Z, KroneckerProduct(W, A) * Z)


@pytest.mark.parametrize(
    ("expr", "error", "message"),
    [
        (besselj(2, c) * A, UnsupportedNodeError, "besselj.* has 2 arguments"),
        (Max(A[0, 0], 1), UnsupportedNodeError, "is not max"),
        (A.applyfunc(Lambda(t, 2**t)), UnsupportedNodeError, "Pow has no rule for its entries as a function"),
        (BlockMatrix([[A], [P]]).as_explicit, UnsupportedNodeError, "method has no rule"),
        (BlockMatrix([[A, P]]).T.applyfunc(phi), UnsupportedNodeError, "of a block matrix"),
        (MatrixSymbol("N", n + 2 * d, 1), UnsupportedNodeError, r"a part of the size 2\*d \+ n|a part of the size"),
        (BlockMatrix([[A], [MatrixSymbol("N", 2 * d, n)]]), UnsupportedNodeError, r"a block has the size 2\*d"),
        (Inverse(A + P), UnsupportedNodeError, "the inverse of A . P is not one"),
        (MatrixSymbol("A ^-1", n, n), UnsupportedNodeError, "means something else"),
        (KroneckerDelta(s, u), UnsupportedNodeError, "does not say how far"),
        (IndexSum(A[s, u + 1], (u, 0, n - 1)), UnsupportedNodeError, r"u \+ 1 stands as an index"),
        (Sum(A[u, u], (u, 1, n - 1)), UnsupportedNodeError, "starts at 1"),
        (Sum(u * A[u, u], (u, 0, n - 1)), UnsupportedNodeError, "is a summation index or not real"),
        (Sum(A[u, u], (u, 0, d - 1)), ShapeError, "an axis of size n meets an axis of size d|of size d meets"),
        (A[s, u] + P[s, h], ShapeError, "the open index [hu] is not in every term"),
        (c**d * A, UnsupportedNodeError, "the exponent of .* is not a rational number"),
        (A * MatrixSymbol("A", n, d), ShapeError, "two tensors are called A"),
        (Symbol("n") * A, UnsupportedNodeError, "two different symbols are called n"),
        (Symbol("2", positive=True) * A, UnsupportedNodeError, "like a number"),
        (MatrixSymbol("unit 1", n, 1), UnsupportedNodeError, "means something else"),
    ],
)
def test_what_has_no_expansion(expr, error, message: str) -> None:
    raw_terms(A)
    with pytest.raises(error, match=message):
        raw_terms(expr)


# --- statements -------------------------------------------------------------------------------------------------------


def certificate_of(lhs, rhs, tensors: dict[str, list[list]]) -> dict:
    """A certificate without a proof, whose statement is these expressions as they expand."""

    def data(term) -> dict:
        return {
            "coefficient": [str(term.scalar.rational), {name: str(e) for name, e in term.scalar.powers}],
            "factors": [[name, list(indices)] for name, indices in term.factors],
            "sizes": list(term.sizes),
            "output": list(term.output),
            "names": [list(pair) for pair in term.names],
        }

    sides = [[data(term) for term in side] for side in raw_terms(lhs, rhs)]
    statement = {"lhs": sides[0], "rhs": sides[1], "tensors": tensors, "definitions": {}, "laws": [], "rules": []}
    empty: dict = {key: [] for key in ("derived", "terms", "classes", "vanishing")}
    return {"format": "symbolic_circuits certificate", "version": 1, "statement": statement} | empty


SQUARE, TALL = [["n"], ["n"]], [["n"], ["d"]]
LHS, RHS = (A + P) * A * X + Trace(A) * X, A * A * X + P * A * X + 2 * X
TENSORS = {"A": SQUARE, "P": SQUARE, "X": TALL}


def test_a_statement_matches_in_any_order() -> None:
    certificate = certificate_of(LHS, RHS, TENSORS)
    matches_statement(LHS, RHS, certificate)
    statement = certificate["statement"]
    for term in statement["lhs"]:
        term["factors"].reverse()
        term["sizes"].reverse()
        last = len(term["sizes"]) - 1
        term["factors"] = [[name, [last - i for i in indices]] for name, indices in term["factors"]]
        term["output"] = [last - i for i in term["output"]]
    statement["lhs"].reverse()
    matches_statement(LHS, RHS, certificate)
    with pytest.raises(CertificateError, match="side lhs, term"):
        matches_statement(RHS, LHS, certificate)


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ((A + P) * A.T * X + Trace(A) * X, "side lhs, term"),
        ((P + A) * P * X + Trace(A) * X, "side lhs, term"),
        ((A + P) * A * X + 2 * Trace(A) * X, "side lhs, term"),
        ((A + P) * A * X, "of the statement: no term of the expression is equal"),
        ((A + P) * A * X + Trace(A) * X + X, "of the expression"),
        (((A + P) * A * X + Trace(A) * X).subs(X, MatrixSymbol("X", n, m)), "the tensor X"),
    ],
)
def test_near_misses_do_not_match(expr, message: str) -> None:
    certificate = certificate_of(LHS, RHS, TENSORS)
    right = RHS.subs(X, MatrixSymbol("X", n, m)) if expr.shape[1] == m else RHS
    with pytest.raises(CertificateError, match=message):
        matches_statement(expr, right, certificate)


def test_an_index_that_nothing_uses_is_a_factor_of_its_size() -> None:
    lhs, rhs = Trace(Identity(n * d)) * Z, n * d * Z
    certificate = certificate_of(lhs, rhs, {"Z": [["d", "n"], []]})
    matches_statement(lhs, rhs, certificate)
    certificate["statement"]["lhs"][0].update(sizes=["d", "n", "n", "d"], coefficient=["1", {}])
    matches_statement(lhs, rhs, certificate)
    certificate["statement"]["lhs"][0].update(sizes=["d", "n", "n"], coefficient=["1", {}])
    with pytest.raises(CertificateError, match="side lhs, term 0 of the expression"):
        matches_statement(lhs, rhs, certificate)


def test_many_equal_factors_are_compared_within_the_budget() -> None:
    lhs = Trace(A**12) + Trace(A**6) ** 2
    certificate = certificate_of(lhs, lhs, {"A": SQUARE})
    matches_statement(lhs, lhs, certificate)
    with pytest.raises(CertificateError, match="side rhs"):
        matches_statement(lhs, Trace(A**12) + Trace(A**7) * Trace(A**5), certificate)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["A", "P", "A.T", "A + P", "A o P"]), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_a_changed_statement_does_not_match(parts: list[str], random) -> None:
    """Any exchange of two index places of a term changes its value somewhere, or gives a match that is one."""
    factors = {"A": A, "P": P, "A.T": A.T, "A + P": A + P, "A o P": HadamardProduct(A, P)}
    expr = X.T
    for part in parts:
        expr = expr * factors[part]
    certificate = certificate_of(expr, expr, TENSORS)
    changed = deepcopy(certificate)
    term = random.choice(changed["statement"]["lhs"])
    name, indices = random.choice([factor for factor in term["factors"] if factor[0] != "X"])
    indices.reverse()
    [terms] = raw_terms(expr)
    before = evaluate(terms, V, SIZES)
    after = evaluate([as_term(data) for data in changed["statement"]["lhs"]], V, SIZES)
    try:
        matches_statement(expr, expr, changed)
    except CertificateError:
        return
    assert before == after, name


def as_term(data: dict):
    """A term of a statement as raw terms are."""
    [[sample]] = raw_terms(A)
    return sample._replace(
        scalar=sample.scalar._replace(rational=Fraction(data["coefficient"][0])),
        factors=tuple((name, tuple(indices)) for name, indices in data["factors"]),
        sizes=tuple(data["sizes"]),
        output=tuple(data["output"]),
    )
