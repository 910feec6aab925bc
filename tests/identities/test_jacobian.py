"""Jacobians against SymPy's derivatives entry by entry at small sizes; Euler's and other identities proved, near-misses refuted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    BlockMatrix,
    DiagMatrix,
    Expr,
    HadamardProduct,
    Identity,
    IndexedBase,
    KroneckerProduct,
    Matrix,
    MatrixExpr,
    MatrixSymbol,
    Symbol,
    Trace,
    ZeroMatrix,
    diff,
    exp,
    expand,
    sqrt,
    symbols,
)
from sympy.tensor.array.expressions import ArraySymbol, ZeroArray

import symbolic_circuits as sc
from symbolic_circuits.errors import IdentityError, LawError, NotationError, ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.jacobian import jacobian
from symbolic_circuits.syntax.arrays import Row, array_shape
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
h, s, a = symbols("h s a", integer=True, nonnegative=True)
c = Symbol("c", positive=True)
NUMBERS = {n: 3, d: 2, m: 3, H: 2}
A, C, W = (MatrixSymbol(name, d, d) for name in "ACW")
P, X = MatrixSymbol("P", n, n), MatrixSymbol("X", n, d)
x, y = MatrixSymbol("x", d, 1), MatrixSymbol("y", d, 1)
W_1, W_2, W_o = MatrixSymbol("W_1", m, d), MatrixSymbol("W_2", m, d), MatrixSymbol("W_o", d, m)
B = ArraySymbol("B", (d, d, d))
F, G = MatrixFamily("F", H, n, n), MatrixFamily("G", H, d, d)
z = IndexedBase("z", shape=(d,))
I_d = Identity(d)

bilinear = lambda v, w: sc.contract("ijk,j(),k()->i()", B, v, w)  # noqa: E731
layer = lambda v: W_o * HadamardProduct(W_1 * v, W_2 * v)  # noqa: E731
heads = MatrixSum(F[h] * X * G[h].T, (h, 0, H - 1))
proved = lambda left, right, given=(): sc.prove(left, right, given).verdict == "proved"  # noqa: E731


# ---- against SymPy, entry by entry ----


def numbers(shape: tuple) -> tuple[int, ...]:
    return tuple(int(size.subs(NUMBERS)) for size in shape)


def entries(leaves: list) -> list[np.ndarray]:
    """An array of symbols for each tensor."""
    arrays = []
    for leaf in leaves:
        shape = numbers(getattr(leaf, "shape", ()))
        flat = [Symbol(f"{leaf}_{k}") for k in range(int(np.prod(shape)))]
        arrays.append(np.array(flat, dtype=object).reshape(shape) if shape else c)
    return arrays


def value(leaves: list, expr: Expr, arrays: list) -> np.ndarray:
    if isinstance(expr, ZeroArray):
        return np.zeros(numbers(expr.shape), dtype=object)
    sizes = list(NUMBERS)
    found = sc.lambdify([*sizes, *leaves], expr)(*NUMBERS.values(), *arrays)
    return np.broadcast_to(np.asarray(found, dtype=object), numbers(array_shape(expr)))


def agrees(expr: Expr, tensor: object, leaves: list) -> bool:
    """Whether the Jacobian is what SymPy's derivatives of entries are, axes of size 1 apart."""
    arrays = entries(leaves)
    by = np.asarray(arrays[leaves.index(tensor)], dtype=object)
    function = value(leaves, expr, arrays)
    expected = [diff(entry, variable) for entry in function.ravel() for variable in by.ravel()]
    found = value(leaves, jacobian(expr, tensor), arrays).ravel()
    return len(found) == len(expected) and all(expand(f - e) == 0 for f, e in zip(found, expected, strict=True))


CASES = {
    "linear": (A * C * x, x),
    "by the matrix": (A * C * x, A),
    "bilinear layer": (layer(x), x),
    "bilinear layer by a weight": (layer(x), W_1),
    "bilinear tensor": (bilinear(x, x), x),
    "by the bilinear tensor": (bilinear(x, x), B),
    "layer of a layer": (bilinear(layer(x), x), x),
    "attention head": (P * X * W.T, X),
    "attention pattern": (P * X * W.T, P),
    "scores": (X * A * X.T, X),
    "a column as vec": (KroneckerProduct(P, W) * Vec(X), X),
    "trace": (Trace(A * C * A.T) * Trace(A), A),
    "elementwise": (HadamardProduct(A, A.T, C), A),
    "diagonal": (DiagMatrix(A * x) * A, x),
    "scalar": (c**3 * A * x - c * x, c),
    "family": (heads, F),
    "one by one": (x.T * A * x, x),
    "array": (sc.contract("ij,jk,k()->ijk", A, C, x), A),
}


@pytest.mark.parametrize("case", CASES)
def test_entries(case: str) -> None:
    expr, tensor = CASES[case]
    assert agrees(expr, tensor, [A, C, W, P, X, x, W_1, W_2, W_o, B, F, G, c])


LEAVES = st.sampled_from([A, A.T, C, C.T, I_d])


def combined(inner: st.SearchStrategy) -> st.SearchStrategy:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] + 2 * p[1]),
        pairs.map(lambda p: HadamardProduct(*p)),
        pairs.map(lambda p: Trace(p[0]) * p[1]),
        inner.map(lambda e: e.T),
    )


@settings(max_examples=20)
@given(st.recursive(LEAVES, combined, max_leaves=4))
def test_random_expressions(expr: MatrixExpr) -> None:
    assert agrees(expr, A, [A, C])


@settings(max_examples=15)
@given(st.recursive(LEAVES, combined, max_leaves=3), st.recursive(LEAVES, combined, max_leaves=3))
def test_it_is_linear(left: MatrixExpr, right: MatrixExpr) -> None:
    by = lambda expr: sc.contract("abcd->(ab)(cd)", jacobian(expr, A))  # noqa: E731
    assert proved(by(left + 3 * right), by(left) + 3 * by(right))


def test_inverses() -> None:
    """At a rational point: the derivative of an inverse in every entry."""
    square = Matrix(2, 2, symbols("a:4"))
    point = dict(zip(square, (2, 1, -1, 3), strict=True))
    other = Matrix([[1, 2], [0, 5]])
    expected = [diff(entry, v).subs(point) for entry in square.inv() * other * square.inv() for v in square]
    found = sc.lambdify([d, A, C], jacobian(A.I * C * A.I, A))(2, np.array(square.subs(point), float), np.array(other, float))
    assert np.allclose(np.array(expected, float), found.ravel())
    assert proved(jacobian(Trace(A.I * C), A), -(A.I * C * A.I).T)
    assert not proved(jacobian(Trace(A.I * C), A), -A.I * C * A.I)


def test_scalars() -> None:
    assert jacobian(x / c, c) == -x / c**2
    assert jacobian(sqrt(c) * Trace(A), c) == Trace(A) / (2 * sqrt(c))


def test_an_indexed_base() -> None:
    assert proved(jacobian(sc.contract("i,ij,j->", z, A, z), z), sc.contract("ij,j->i", A + A.T, z))
    assert not proved(jacobian(sc.contract("i,ij,j->", z, A, z), z), 2 * sc.contract("ij,j->i", A, z))


# ---- identities ----


@pytest.mark.parametrize("g", [layer, lambda v: bilinear(v, v), lambda v: layer(v) - bilinear(A * v, v)])
def test_d33_homogeneity_and_euler(g) -> None:
    J = jacobian(g(x), x)
    assert J.shape == (d, d)
    assert proved(g(c * x), c**2 * g(x))
    assert proved(J * x, 2 * g(x))
    assert proved(g(x + y), g(x) + J * y + g(y))
    assert sc.prove(g(c * x), c * g(x)).verdict == "refuted"
    assert sc.prove(J * x, g(x)).verdict == "refuted"
    assert sc.prove(J.T * x, 2 * g(x)).verdict == "refuted"
    assert sc.prove(g(x + y), g(x) + g(y)).verdict == "refuted"
    assert sc.prove(g(x + y), g(x) + J * y).verdict == "refuted"


def test_a_bilinear_layer() -> None:
    J = jacobian(layer(x), x)
    assert proved(J, W_o * (DiagMatrix(W_1 * x) * W_2 + DiagMatrix(W_2 * x) * W_1))
    assert sc.prove(J, W_o * DiagMatrix(W_1 * x) * W_2).verdict == "refuted"
    assert sc.prove(J, 2 * W_o * DiagMatrix(W_1 * x) * W_2).verdict == "refuted"  # true where W_1 = W_2 only
    tied = W_o * HadamardProduct(W_1 * x, W_1 * x)
    assert proved(jacobian(tied, x), 2 * W_o * DiagMatrix(W_1 * x) * W_1)
    slots = sc.contract("ijk,k()->ij", B, x) + sc.contract("ijk,j()->ik", B, x)
    assert proved(jacobian(bilinear(x, x), x), slots)
    assert proved(jacobian(bilinear(x, x), x, {B: "symmetric(1,2)"}), 2 * sc.contract("ijk,k()->ij", B, x), {B: "symmetric(1,2)"})
    assert sc.prove(jacobian(bilinear(x, x), x), 2 * sc.contract("ijk,k()->ij", B, x)).verdict == "refuted"


def test_chain_rule() -> None:
    inner = layer(x)
    outer = jacobian(bilinear(y, y), y)
    assert proved(jacobian(bilinear(inner, inner), x), outer.subs(y, inner) * jacobian(inner, x))


# ---- shapes, laws, definitions, families, functions ----


@pytest.mark.parametrize(
    ("expr", "tensor", "shape"),
    [
        (W_1 * x, x, (m, d)),
        (x.T * A * x, x, (1, d)),
        (Trace(x.T * A * x), x, (d, 1)),
        (A * x, c, (d, 1)),
        (x.T, x, (d, d)),
        (X * W, X, (n, d, n, d)),
        (X * x, X, (n, n, d)),
        (Trace(A), c, ()),
        (MatrixSymbol("q", 1, 1) ** 2, MatrixSymbol("q", 1, 1), (1, 1)),
        (bilinear(x, x), B, (d, d, d, d)),
    ],
)
def test_shapes(expr: Expr, tensor: object, shape: tuple) -> None:
    assert array_shape(jacobian(expr, tensor)) == shape


def test_it_is_zero_where_the_tensor_is_not() -> None:
    assert jacobian(A * x, y) == ZeroMatrix(d, d)
    assert jacobian(Trace(A), c) == 0
    assert array_shape(jacobian(A * x, X)) == (d, n, d)


def test_laws_simplify_and_do_not_constrain() -> None:
    assert jacobian(Trace(A * C), A, {A: "symmetric"}) == C.T
    assert jacobian(Trace(A * A), A, {A: "symmetric"}) == 2 * A
    assert jacobian(W_o * W_1 * x, x, {W_1: "orthonormal_columns", W_o: "orthonormal_rows"}) == W_o * W_1
    assert jacobian(W_1.T * W_1 * x, x, {W_1: "orthonormal_columns"}) == I_d
    assert proved(jacobian(Trace(C * W), A, {A: "inverse(C)"}), -(C * W * C).T)  # C is the inverse of A by a law
    assert jacobian(Trace(C * W), A) == ZeroMatrix(d, d)


def test_definitions() -> None:
    definition = {B: sc.contract("ip,pj,pk->ijk", W_o, W_1, W_2)}
    kept, expanded = (jacobian(bilinear(x, x), tensor, definition) for tensor in (x, W_1))
    assert kept.has(B) and not expanded.has(B)
    assert proved(expanded, jacobian(layer(x), W_1))
    assert proved(kept, jacobian(layer(x), x), definition)
    assert proved(jacobian(A * x, C, {A: W * y * x.T, W: C * C}), jacobian(C * C * y * x.T * x, C))
    with pytest.raises(IdentityError, match="A is defined"):
        jacobian(A * x, A, {A: C * C})


def test_families() -> None:
    whole, member, first = (jacobian(heads, tensor) for tensor in (F, F[h], F[0]))
    assert array_shape(whole) == (n, d, H, n, n)
    assert array_shape(member) == array_shape(first) == (n, d, n, n)
    assert proved(member, jacobian(P * X * G[h].T, P))
    assert proved(first, jacobian(P * X * G[0].T, P))
    assert not proved(first, jacobian(P * X * G[1].T, P))
    assert proved(jacobian(Trace(F[0] * P), F[1]), ZeroMatrix(n, n))
    assert jacobian(Trace(F[0] * P), F[0]) == P.T


def test_functions_of_other_tensors_are_constants() -> None:
    assert proved(jacobian(sc.softmax(C) * A * x, x), sc.softmax(C) * A)
    assert jacobian(exp(c) * A * x / sqrt(Trace(y.T * y)), x) == exp(c) / sqrt(Trace(y.T * y)) * A
    assert jacobian(C * x, x, {C: sc.softmax(A) * W, W: y * y.T}) == C
    bound = MatrixSum(sc.softmax(F[h]) * X, (h, 0, H - 1))  # one function for each head: no symbol stands for it
    with pytest.raises(NotationError, match="no symbol is given for the tensor softmax"):
        jacobian(bound, X)
    with pytest.raises(UnsupportedNodeError, match="the function softmax depends on X"):
        jacobian(sc.softmax(X * A * X.T) * X, X)
    with pytest.raises(UnsupportedNodeError, match="the function relu depends on A, C"):
        jacobian((C * x).applyfunc(sc.relu), A, {C: A * A})
    with pytest.raises(UnsupportedNodeError, match="the function power -1/2 depends on x"):
        jacobian(x / sqrt(Trace(x.T * x)), x)


def test_notations() -> None:
    for notation in ("matrix", "index", "einsum", "array"):
        assert jacobian(A * x, x, notation=notation) != 0
    with pytest.raises(NotationError, match="no notation 'words'"):
        jacobian(A * x, x, notation="words")
    with pytest.raises(NotationError, match="cannot be written in matrix notation"):
        jacobian(bilinear(x, x), x, notation="matrix")
    assert proved(jacobian((P * X)[s, a], X), sc.contract("u,b->ub", Row(P, s), Row(I_d, a)))


# ---- errors, each with a valid twin ----


@pytest.mark.parametrize(
    ("expr", "tensor", "given", "error", "message"),
    [
        (A * x, A * x, (), UnsupportedNodeError, "by, or integrated over, a tensor: .* got MatMul"),
        (A * x, x[0, 0], (), UnsupportedNodeError, "got MatrixElement"),
        (A * x, IndexedBase("q"), (), UnsupportedNodeError, "q has no shape"),
        (A * x, d, (), IdentityError, "d is the size of an axis"),
        (A * x, MatrixSymbol("x", n, 1), (), ShapeError, "two tensors are called x: one is d x 1, the other n x 1"),
        (MatrixSymbol("Z", n + m, d) * x, MatrixSymbol("Z", n + m, d), (), UnsupportedNodeError, "Z has an axis of blocks"),
        (BlockMatrix([[A * x], [C * x]]), x, (), UnsupportedNodeError, "has an axis of blocks: take one block"),
        (A * x, x, {A: "orthogonal"}, LawError, "the law 'orthogonal'"),
    ],
)
def test_errors(expr: Expr, tensor: object, given: object, error: type, message: str) -> None:
    assert jacobian(A * x, x, {A: "symmetric"}) == A
    with pytest.raises(error, match=message):
        jacobian(expr, tensor, given)
