"""Writing a polynomial in a notation: what it looks like, that lowering it gives the polynomial back, and what has no form."""

import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import transformers, with_numbers
from sympy import (
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    HadamardPower,
    HadamardProduct,
    Identity,
    IndexedBase,
    Integer,
    KroneckerProduct,
    MatAdd,
    Matrix,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Symbol,
    Trace,
    ZeroMatrix,
    sqrt,
    symbols,
)
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
)

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError, ShapeError
from symbolic_circuits.numeric.matching import without_sizes
from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.express import NOTATIONS, Symbols, express, write
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.lowering import lower
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, H = symbols("n d H", integer=True, positive=True)
s, u, h, i, j, k = symbols("s u h i j k", integer=True, nonnegative=True)
c = Symbol("c", real=True)
A, P, X, Y, W = (MatrixSymbol(a, *z) for a, z in zip("APXYW", [(n, n), (n, n), (n, d), (n, d), (d, d)], strict=True))
x, M, Z = MatrixSymbol("x", d, 1), MatrixSymbol("M", 2, d), MatrixSymbol("Z", n * d, 1)
E, N = MatrixSymbol("E", 2, 2), MatrixSymbol("N", n * d, n * d)
B, T = ArraySymbol("B", (d, d, d)), ArraySymbol("T", (n,))
F, G = MatrixFamily("F", H, n, n), IndexedBase("G", shape=(n, d))

TABLE = [  # notation, expression, what is written
    ("matrix", 2 * A * X + A * X - X, "3*A*X - X"),
    ("matrix", (A + P) * X * W.T, "A*X*W.T + P*X*W.T"),
    ("matrix", Trace(A * P) * A.T, "Trace(A*P)*A.T"),
    ("matrix", HadamardProduct(A * X, Y) * W, "(HadamardProduct(Y, A*X))*W"),
    ("matrix", HadamardPower(A, 2), "HadamardProduct(A, A)"),
    ("matrix", DiagMatrix(x) * W, "DiagMatrix(x)*W"),
    ("matrix", DiagonalMatrix(A) * X, "DiagMatrix(DiagonalOf(A))*X"),
    ("matrix", KroneckerProduct(A, W) * KroneckerProduct(P, W), "KroneckerProduct(A*P, W*W)"),
    ("matrix", KroneckerProduct(A, W) * Vec(X), "vec(A*X*W.T)"),
    ("matrix", Z + Vec(X), "Z + vec(X)"),
    ("matrix", X * OneMatrix(d, 1), "X*1"),
    ("matrix", MatrixSum(F[h] * X, (h, 0, H - 1)) / sqrt(d), "1/sqrt(d)*(sum[g=0..H - 1] F[g]*X)"),
    ("matrix", (A * X)[s, 0], "(A*X)[s, 0]"),
    ("matrix", x.T * W * x, "Trace(x.T*W.T*x)*I"),
    ("matrix", A - A, "0"),
    ("index", A * X, "sum[u=0..n - 1] A[s, u]*X[u, i]"),
    ("index", Trace(A * P), "sum[s=0..n - 1, u=0..n - 1] A[s, u]*P[u, s]"),
    ("index", A[s, u] * X[u, 0], "A[s, u]*X[u, 0]"),
    ("index", Identity(n), "KroneckerDelta(s, u, (0, n - 1))"),
    ("index", OneMatrix(n, d) + X, "OneArray(d)[i]*OneArray(n)[s] + X[s, i]"),
    ("tensor", TensorDot(W, 2, Row(X, s), 1), "W ._21 X[s,:]"),
    ("tensor", contract("ijk,j,k->i", B, Row(X, s), Row(Y, s)), "X[s,:] ._12 B ._21 Y[s,:]"),
    ("tensor", IndexSum(A[s, u] * Row(X, u), (u, 0, n - 1)), "X ._11 A[s,:]"),
    ("tensor", Trace(A), "sum[s=0..n - 1] A[s, s]"),
    ("array", A * X, "ArrayContraction(ArrayTensorProduct(A, X), (1, 2))"),
    ("array", X.T, "PermuteDims(X, (0 1))"),
    ("array", DiagonalOf(A), "PermuteDims(ArrayDiagonal(ArrayTensorProduct(A, OneArray(1)), (0, 1)), (0 1))"),
    ("einsum", 2 * A * X * W.T, "2*contract('ab,cd,bd->ac', A, W, X)"),
    ("einsum", Identity(n), "contract('a->aa', OneArray(n))"),
    ("einsum", KroneckerProduct(A, W), "contract('ab,cd->(ac)(bd)', A, W)"),
    ("einsum", X, "X"),
]

EXPRESSIONS = [
    *(expr for _, expr, _ in TABLE),
    c * A + Rational(1, 2) * P - A / n + sqrt(2) * sqrt(n) * A,
    A**3 + Identity(n),
    HadamardProduct(X * W, Y) * x,
    KroneckerProduct(A, W, P),
    KroneckerProduct(A, x),
    KroneckerProduct(A, W) * Z,
    KroneckerProduct(W, A),
    Z * Z.T,
    Vec(X) * Vec(Y).T,
    ApplyBilinear(B, Vec(X), Vec(Y)),
    F[1] * X - F[0] * X,
    F[h] * X,
    Row(X, s) * c,
    A[0, 1] * A[0, 1] - A[1, 0] * P[2, 2],
    Identity(n)[s, u] * A[u, 0],
    Matrix([[A[0, 0], 2], [c, 0]]),
    G[s, 0] * G[s, 1],
    ArrayTensorProduct(OneArray(n), x),
    ArrayContraction(ArrayTensorProduct(A, P, X), (1, 2, 4)),
    ArrayAdd(B, PermuteDims(B, (0, 2, 1))),
    Reshape(X, (n * d,)),
    Reshape(Reshape(Z, (n, d)), (n, d, 1)),
    KroneckerProduct(E, M) + MatrixSymbol("Q", 4, 2 * d),
    KroneckerProduct(E, E) * MatrixSymbol("R", 4, 4),
    KroneckerProduct(A, W) * N * N - N,
    Trace(N * N) * Z,
    Trace(N),
    Identity(n * d) + KroneckerProduct(A, W),
    OneMatrix(n * d, 1) + Z,
    Trace(A * P * A.T * A),
    Trace(HadamardProduct(A, P) * A.T),
    Trace(OneMatrix(n, n) * A),
    M * W + OneMatrix(2, d),
    contract("ii,ij->ij", A, A),
    contract("i->iii", T),
    contract("hst,hts->", F, F),
    contract("hst->hts", F),
    contract("i,i,i->", T, T, T),
    Integer(3) * c,
]


def entry(expr, indices):
    """The entry of an array at index symbols, as lowering reads it."""
    labels = [f"o{axis}" if size != 1 else [] for axis, size in enumerate(array_shape(expr))]
    sizes = [size for size in array_shape(expr) if size != 1]
    held = [[label] for label in labels if label]
    return contract([labels, *held, []], expr, *(Row(Identity(z), q) for z, q in zip(sizes, indices, strict=True)))


def require_round_trip(expr, notation: str) -> bool:
    """Lowering what is written gives the polynomial of the expression; False where there is no form."""
    order = sum(size != 1 for size in array_shape(expr))
    indices = symbols(f"y_0:{order}", integer=True, nonnegative=True) if notation == "index" else ()
    try:
        written = express(expr, notation, indices=indices)
    except NotationError as error:
        assert f"in {notation} notation" in str(error)
        return False
    (again,) = lower(written)
    (expected,) = lower(entry(expr, indices) if notation == "index" else expr)
    assert again == expected, f"{expr} became {written}"
    assert express(written, notation, indices=()) is not None
    return True


@pytest.mark.parametrize(("notation", "expr", "text"), TABLE, ids=[f"{row[0]}: {row[1]}" for row in TABLE])
def test_table(notation: str, expr, text: str) -> None:
    assert str(express(expr, notation)) == text


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("expr", EXPRESSIONS, ids=[str(expr)[:50] for expr in EXPRESSIONS])
def test_lowering_what_is_written_is_the_identity(expr, notation: str) -> None:
    composite = any(len(axis) > 1 for axis in lower(expr)[0].axes)
    if notation == "index" and composite:
        try:
            assert not array_shape(express(expr, "index"))
        except NotationError as error:
            assert "is a product that is split" in str(error)
        return
    found = require_round_trip(expr, notation)
    assert found or notation in ("matrix", "tensor", "index")
    assert found or notation != "index" or expr.has(Z, N)


SIZES = st.sampled_from([n, d, n, d, Integer(2)])
LEAVES = [A, X, W, x, M, A, X, W, B, F, G, T]
COEFFICIENTS = [Integer(1), Integer(2), Rational(-1, 2), c, sqrt(d), 1 / n]


@st.composite
def networks(draw: st.DrawFn, sizes: list, leaves: list):
    """A contraction of up to five leaves with output of these sizes: indices shared, repeated, isolated, held and open."""
    shared: list = []  # the size of each index

    def index(size, new: float) -> int:
        known = [place for place, other in enumerate(shared) if other == size]
        if known and draw(st.integers(0, 9)) >= 10 * new:
            return draw(st.sampled_from(known))
        shared.append(size)
        return len(shared) - 1

    operands = draw(st.lists(st.sampled_from(leaves), max_size=5))
    lists = [[index(size, 0.5) if size != 1 else [] for size in array_shape(operand)] for operand in operands]
    output = [index(size, 0.2) for size in sizes]
    used = [place for labels in lists for place in labels if place != []]
    for place in dict.fromkeys(output):
        if place not in used:
            operands, lists = [*operands, OneArray(shared[place])], [*lists, [place]]
    for value in draw(st.lists(st.sampled_from([Integer(0), Integer(1)]), max_size=1)) if used else ():
        place = draw(st.sampled_from(used))
        operands, lists = [*operands, Row(Identity(shared[place]), value)], [*lists, [place]]
    expr = contract([*lists, output], *operands) if operands else contract(",->", 1, 1)
    coefficient = draw(st.sampled_from(COEFFICIENTS))
    return expr if coefficient == 1 else coefficient * expr


@st.composite
def sums(draw: st.DrawFn):
    """One network or two."""
    sizes = draw(st.lists(SIZES, max_size=3))
    leaves = draw(st.sampled_from([LEAVES, LEAVES[:8]]))
    terms = [draw(networks(sizes, leaves)) for _ in range(draw(st.integers(1, 2)))]
    if len(terms) == 1:
        return terms[0]
    return MatAdd(*terms) if len(sizes) == 2 else terms[0] + terms[1]


@settings(max_examples=80)
@given(sums())
def test_random_networks(expr) -> None:
    for notation in NOTATIONS:
        found = require_round_trip(expr, notation)
        assert found or notation in ("matrix", "tensor")


@settings(max_examples=40)
@given(sums(), st.sampled_from([s, u, Symbol("q", integer=True, nonnegative=True)]))
def test_open_names(expr, name: Symbol) -> None:
    shape = array_shape(expr)
    if not shape:
        return
    labels = [f"o{axis}" for axis in range(len(shape))]
    opened = contract([labels, [labels[0]], labels[1:]], expr, Row(Identity(shape[0]), name))
    for notation in NOTATIONS:
        found = require_round_trip(opened, notation)
        assert found or notation in ("matrix", "tensor")


@settings(max_examples=10)
@given(transformers(max_terms=8))
def test_path_expansions(model: sc.Transformer) -> None:
    expansion = sc.path_expansion(without_sizes(with_numbers(model)))
    for position in range(expansion.number_of_terms):
        term = expansion[position]
        assert require_round_trip(term.expr("matrix"), "matrix")
        assert require_round_trip(term.expr("matrix"), "einsum")
        assert require_round_trip(term.expr("index"), "matrix") or term.expr("index").has(ArraySymbol)
        for notation in ("index", "tensor", "array", "einsum"):
            assert require_round_trip(term.expr("tensor"), notation)


def test_operators_of_a_model() -> None:
    expansion = sc.path_expansion("attn(2) bilinear")
    for position in range(expansion.number_of_terms):
        term = expansion[position]
        for notation in ("array", "einsum"):
            assert require_round_trip(term.expr("operator"), notation)
    assert str(express(expansion[1].expr("operator"), "matrix")) == "vec(A[0]*t*W_E.T*W_OV[0].T*W_U.T)"
    assert require_round_trip(sc.path_expansion("attn(2)").closed_form("operator"), "matrix")
    assert require_round_trip(expansion.closed_form("matrix"), "matrix")


def test_order_and_residues() -> None:
    left, right = lower(A * P * X + X, P * A * X + c * X)
    residue = left.minus(right)
    assert str(write(residue, Symbols.of(A, P, X, c), "matrix")) == "(-c)*X + A*P*X - P*A*X + X"
    with pytest.raises(NotationError, match="no symbol is given for the tensor P of shape n x n; there is none of that name"):
        write(residue, Symbols.of(A, X, c), "matrix")
    with pytest.raises(NotationError, match="no symbol is given for the size or scalar c; there are"):
        write(residue, Symbols.of(A, P, X), "matrix")


def test_index_symbols_are_fresh() -> None:
    t, r = symbols("t r", integer=True, nonnegative=True)
    body = A[s, t] * P[t, r] * X[r, u]
    written = express(IndexSum(body, (t, 0, n - 1), (r, 0, n - 1)), "index")
    assert written.free_symbols == body.free_symbols - {t, r} | {n}
    S = MatrixSymbol("s", n, n)  # a tensor may have the name that an index would like to have
    size = symbols("u", integer=True, positive=True)
    Q = MatrixSymbol("Q", n, size)
    shown = express(S * Q, "index")
    names = [symbol.name for symbol in [*shown.free_symbols, *shown.bound_symbols]]
    assert sorted(names) == ["Q", "i", "n", "r", "s", "t"] and S in shown.free_symbols
    assert express(A * X, "index", indices=(u, i)) == IndexSum(A[u, s] * X[s, i], (s, 0, n - 1))


def test_zero_and_numbers() -> None:
    assert express(A - A, "matrix") == ZeroMatrix(n, n)
    assert express(Trace(A) - Trace(A), "index") == 0
    assert express(Trace(Identity(n)) + c, "einsum") == n + c
    for notation in NOTATIONS:
        (zero,) = lower(express(X - X, notation))
        assert zero.is_zero


def test_nothing_of_sympy_is_deprecated() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for notation in NOTATIONS:
            express(A * X + X, notation)
            express(Trace(A) + c, notation)


@pytest.mark.parametrize(
    ("expr", "notation", "message", "valid"),
    [
        (Row(X, s), "matrix", r"the term X\[s,:\] cannot be written in matrix notation: it has 1 axes", X),
        (contract("ijk,k->ij", B, T.xreplace({n: d})), "matrix", "B of 3 axes is an array, not a matrix", W),
        (contract("ab,bc,ca,ad,bd,cd->", *[A] * 6), "matrix", "have three neighbours each or more", Trace(A**3)),
        (contract("ij,j->ij", A, Row(A, 0)), "matrix", "a row or column of A alone|held at 0", A * A[0, 0]),
        (contract("ab,cd->(ac)(db)", A, W), "matrix", "rows and columns are in different orders", KroneckerProduct(A, W)),
        (contract("ab,bc->(abc)()", A, X), "matrix", "three neighbours|are connected", Vec(A * X)),
        (contract("hst->hs", F), "matrix", "the head of a family is an axis of it", contract("hst->st", F)),
        (KroneckerProduct(A, W) * Z, "matrix", "axis 0 of Z is a product that is split", Z),
        (HadamardProduct(A, P), "tensor", "it is an outer product of 2 arrays", A * P),
        (Vec(X), "tensor", "an axis of it is a product that is split", X),
        (KroneckerProduct(A, W) * Z, "index", "axis 0 of Z is a product that is split", Vec(X)),
        (A, "operator", "there is no notation 'operator'; there are 'matrix', 'index', 'tensor', 'array', 'einsum'", None),
    ],
)
def test_what_has_no_form(expr, notation: str, message: str, valid) -> None:
    if valid is not None:
        express(valid, notation)
    with pytest.raises(NotationError, match=message):
        express(expr, notation)


def test_wrong_number_of_indices() -> None:
    express(A, "index", indices=(s, u))
    with pytest.raises(ShapeError, match="the expression has axes of sizes"):
        express(A, "index", indices=(s,))
