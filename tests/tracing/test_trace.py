"""Traced functions: the expression is the reference, and has the value that the function has on arrays of numbers."""

import functools
import math

import numpy as np
import opt_einsum
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    BlockMatrix,
    DiagMatrix,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatrixSymbol,
    OneMatrix,
    Rational,
    Symbol,
    Trace,
    sqrt,
    symbols,
)
from sympy.tensor.array.expressions import ArraySymbol, ZeroArray
from traced_cases import SHAPES, SIZES, numbers, parameters, traced_and_numbers
from traced_values import value

import symbolic_circuits as sc
from symbolic_circuits.algebra.verdicts import Proved, Refuted
from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.functions import softmax
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.tracing.trace import symbol_of, trace

n, d, m, H, k = symbols("n d m H k", integer=True, positive=True)
h = Symbol("h", integer=True, nonnegative=True)
A, X, Y, W, P = (MatrixSymbol(*one) for one in (("A", n, n), ("X", n, d), ("Y", n, d), ("W", d, d), ("P", m, d)))
x, y, b = MatrixSymbol("x", d, 1), MatrixSymbol("y", d, 1), MatrixSymbol("b", d, 1)
WH, AH, B = ArraySymbol("WH", (H, d, d)), ArraySymbol("AH", (H, n, n)), ArraySymbol("B", (d, d, d))
FH, GH = MatrixFamily("AH", H, n, n), MatrixFamily("WH", H, d, d)
C = np.array([[1, 2], [0, -3]])


def vector(column):
    """A column as an array of order 1."""
    return sc.contract([["i", []], ["i"]], column)


def heads_by_loop(X, AH, WH):
    out = X
    for A_h, W_h in zip(AH, WH, strict=True):
        out = out + A_h @ X @ W_h.T
    return out


def heads_by_range(X, AH, WH):
    out = np.zeros((X.shape[0], X.shape[1]))
    for j in range(AH.shape[0]):
        out += AH[j] @ X @ WH[j].T
    return X + out


def heads_enumerated(X, AH, WH):
    out = None
    for j, A_h in enumerate(AH):
        term = A_h @ X @ WH[j].T
        out = term if out is None else out + term
    return X + out


def pairs_of_heads(X, AH):
    out = 0
    for A_h in AH:
        for A_g in AH:
            out = out + A_h @ A_g @ X
    return out


def two_layers(X, AH, WH):
    out = X
    for A_h, W_h in zip(AH, WH, strict=True):
        out = out + A_h @ X @ W_h.T
    twice = out
    for A_h in AH:
        twice = twice + A_h @ out
    return twice


def multi_head(X, WQ, WK, WV, WO, heads):
    positions, width = X.shape[0], WQ.shape[0] // heads
    q, key, v = ((X @ M.T).reshape(positions, heads, width).transpose(1, 0, 2) for M in (WQ, WK, WV))
    pattern = rows(q @ key.transpose(0, 2, 1) / np.sqrt(width))
    return (pattern @ v).transpose(1, 0, 2).reshape(positions, heads * width) @ WO.T


def chunked(X, WV, width):
    out = 0
    for j in range(WV.shape[0] // width):
        W_j = WV[j * width : (j + 1) * width]
        out = out + X @ W_j.T @ W_j
    return out


def in_place(X):
    out = X @ X.T
    same = out
    out += 1
    return same


def scalars_added(X, Y):
    total = 0
    for one in (X, Y):
        total += (one * one).sum()
    other = np.zeros((2, 3), float).sum()
    return total + other


def helper(X, size):
    return X @ np.eye(size)


def calls_helper(X):
    return helper(X, X.shape[1])


def every_turn_the_same(X, AH):
    out = X
    for _ in AH:
        out = out + X
    return out


def len_(X):
    return X.shape[0]


def by_size(x):
    return x / math.sqrt(x.shape[0]) + x * x.shape[0] ** 0.5 + x.shape[0] // 1


def rows(S):
    """softmax of rows, of numbers too."""
    if isinstance(S, np.ndarray):
        return np.exp(S) / np.exp(S).sum(-1, keepdims=True)
    return sc.softmax(S)


ALL = sc.contract("hst,td,hed->se", AH, X, WH)
ONE = OneMatrix(n, 1)
UP, DOWN = sympy.Matrix([1, 0]), sympy.Matrix([0, 1])
TWO = {"X": "n x 2", "Y": "n x 2"}
X2, Y2 = X.subs(d, 2), Y.subs(d, 2)
CASES = {  # name -> function, reference (None: only the numbers), shapes that are not those of SHAPES
    "product": (lambda A, X, W: A @ X @ W.T, A * X * W.T),
    "einsum": (lambda X, WH: np.einsum("nd,hde->hne", X, WH), sc.contract("nd,hde->hne", X, WH)),
    "implicit": (lambda X, W: np.einsum("ij,kj", X, W), X * W.T),
    "ellipsis": (lambda AH, X: np.einsum("...st,td->...sd", AH, X), sc.contract("hst,td->hsd", AH, X)),
    "interleaved": (lambda X, W: np.einsum(X, [0, 1], W, [2, 1], [0, 2]), X * W.T),
    "diagonal": (lambda A: np.einsum("ii->i", A), sc.contract("ii->i", A)),
    "opt_einsum": (lambda A, X, W: opt_einsum.contract("st,td,ed->se", A, X, W), A * X * W.T),
    "batch": (lambda AH, X: AH @ X, sc.contract("hst,td->hsd", AH, X)),
    "batches": (lambda AH: np.matmul(AH, AH), sc.contract("hst,htu->hsu", AH, AH)),
    "row": (lambda x, W: x @ W, vector(W.T * x)),
    "column": (lambda W, x: W @ x, vector(W * x)),
    "inner product": (lambda x, y: x @ y, Trace(x.T * y)),
    "vdot": (lambda x, y: np.vdot(x, y), Trace(x.T * y)),
    "dot": (lambda W, x: np.dot(W, x), vector(W * x)),
    "dot of matrices": (lambda X, W: np.dot(X, W), X * W),
    "inner": (lambda x, y: np.inner(x, y), Trace(x.T * y)),
    "inner of matrices": (lambda X, W: np.inner(X, W), X * W.T),
    "outer": (lambda x, y: np.outer(x, y), x * y.T),
    "tensordot by number": (lambda B, x: np.tensordot(B, x, axes=1) @ x, sc.contract("ijk,j(),k()->i", B, x, x)),
    "tensordot by axes": (lambda X, Y: np.tensordot(X, Y, axes=([0], [0])), X.T * Y),
    "outer by tensordot": (lambda X, Y: np.tensordot(X, Y, axes=0).sum((0, 1)), None),
    "kron": (lambda A, W: np.kron(A, W), KroneckerProduct(A, W)),
    "transpose": (lambda X: X.transpose(), X.T),
    "transpose of three": (lambda AH: np.transpose(AH, (2, 0, 1)), sc.contract("hst->ths", AH)),
    "swapaxes": (lambda AH: AH.swapaxes(1, 2), sc.contract("hst->hts", AH)),
    "moveaxis": (lambda AH: np.moveaxis(AH, 0, -1), sc.contract("hst->sth", AH)),
    "T of three": (lambda AH: AH.T, sc.contract("hst->tsh", AH)),
    "flat": (lambda X: X.reshape(-1), sc.contract("sd->(sd)", X)),
    "ravel": (lambda X: np.ravel(X), sc.contract("sd->(sd)", X)),
    "split": (lambda Q, k: Q.reshape(Q.shape[0], -1, k), sc.contract("s(hk),hh->shk", MatrixSymbol("Q", n, H * k), Identity(H)), {"Q": "n x H*k"}),
    "vec": (lambda A, X, W: (A @ X @ W.T).reshape(-1, 1), KroneckerProduct(A, W) * sc.contract([["s", "d"], [["s", "d"], []]], X)),
    "new axes": (lambda X: X[:, None, :] * X[None, :, :], sc.contract("sd,td->std", X, X)),
    "expand and squeeze": (lambda X: np.expand_dims(X, 0).squeeze(0), X),
    "bias": (lambda X, b: X + b, X + ONE * b.T),
    "stretched": (lambda X, b: b - X * b, ONE * b.T - X * DiagMatrix(b)),
    "elementwise": (lambda X, Y: X * Y, HadamardProduct(X, Y)),
    "arithmetic": (lambda X, Y: np.multiply(np.square(X), 2) / 3 - np.negative(Y), Rational(2, 3) * HadamardProduct(X, X) + Y),
    "decimals": (lambda X: X**2 * 0.25, HadamardProduct(X, X) / 4),
    "arithmetic of three": (lambda AH: AH**2 - AH, sc.contract("hst,hst->hst", AH, AH) - sc.contract("hst->hst", AH)),
    "nothing left": (lambda AH: AH - AH, sc.contract("hst->hst", AH) - sc.contract("hst->hst", AH) + sc.contract("hst->hst", ZeroArray(H, n, n))),
    "sum": (lambda X: X.sum(axis=0), sc.contract("sd->d", X)),
    "sum of all": (lambda X: np.sum(X), sc.contract("sd->", X)),
    "keepdims": (lambda X: X.sum(1, keepdims=True) * X, HadamardProduct(X * OneMatrix(d, d), X)),
    "sum over heads": (lambda AH, X: np.sum(AH, axis=0) @ X, sc.contract("hst,td->sd", AH, X)),
    "mean": (lambda AH: np.mean(AH, axis=(0, 2)), sc.contract("hst->s", AH) / (H * n)),
    "centred": (lambda X: X - X.mean(axis=-1, keepdims=True), X * (Identity(d) - OneMatrix(d, d) / d)),
    "trace": (lambda A: np.trace(A) + A.trace(), 2 * Trace(A)),
    "traces": (lambda AH: np.trace(AH, axis1=1, axis2=2), sc.contract("htt->h", AH)),
    "diagonals": (lambda AH: np.diagonal(AH, axis1=1, axis2=2), sc.contract("htt->ht", AH)),
    "diag": (lambda x, W: np.diag(x) @ W, DiagMatrix(x) * W),
    "diag of a matrix": (lambda A: np.diag(A), sc.contract("ii->i", A)),
    "eye": (lambda X: X @ np.eye(X.shape[1]), X),
    "ones and zeros": (
        lambda X: np.identity(len_(X)) - np.ones((len_(X), len_(X))) @ np.zeros_like(X) @ np.ones_like(X).T,
        Identity(n),
    ),
    "concatenate parts of one size": (lambda X, Y: np.concatenate([X, Y], axis=0), KroneckerProduct(UP, X) + KroneckerProduct(DOWN, Y)),
    "blocks": (lambda X, P: np.concatenate([X, P]), BlockMatrix([[X], [P]])),
    "vstack": (lambda X, P: np.vstack((X, P)).T, BlockMatrix([[X.T, P.T]])),
    "part of blocks": (lambda X, P: np.concatenate([X, P])[: X.shape[0]], X),
    "blocks of vectors": (lambda x, P: np.concatenate([x, P[:, 0]]), None),
    "blocks of three": (lambda B, WH: np.concatenate([B, WH]), None),
    "numbers put together": (lambda X, Q: np.hstack([X, Q]), None, {"X": "n x 2", "Q": "n x 3"}),
    "stack": (lambda X, Y: np.stack([X, 2 * Y])[1], 2 * Y),
    "stack inside": (lambda X, Y: np.stack([X, Y], axis=1)[:, 0, :], X),
    "chunks of three": (lambda B: np.concatenate([B, B], axis=1), None),
    "first row": (lambda X: X[0], Row(X, 0)),
    "entry": (lambda A, X: A[0, 1] * X, A[0, 1] * X),
    "head": (lambda AH, X: AH[1] @ X, FH[1] * X),
    "last column": (lambda AH, X: (AH @ X)[..., 0], sc.contract("hst,t->hs", AH, Row(X.T, 0))),
    "slice of numbers": (lambda X: X[:, -2:] @ X[:, :2].T, None, {"X": "n x 3"}),
    "halves": (lambda X: np.split(X, 2, axis=1)[1], None, {"X": "n x 2*k"}),
    "softmax": (lambda A, X: rows(A) @ X, softmax(A) * X),
    "softmax of heads": (lambda AH, X: (rows(AH) @ X).sum(0), MatrixSum(softmax(FH[h]) * X, (h, 0, H - 1))),
    "relu": (lambda X: np.maximum(X, 0) @ np.maximum(0.0, X).T, X.applyfunc(sc.relu) * X.applyfunc(sc.relu).T),
    "relu of three": (lambda AH: np.maximum(AH, 0), None),
    "relu of a vector": (lambda x: np.maximum(x, 0), vector(x.applyfunc(sc.relu))),
    "exp": (lambda X: np.exp(X), X.applyfunc(sympy.exp)),
    "constants": (lambda X: X @ C + C[0], X2 * sympy.Matrix(C.tolist()) + ONE * sympy.Matrix([[1, 2]]), TWO),
    "constants first": (lambda X: C.T @ X.T - C[0, 1], sympy.Matrix(C.T.tolist()) * X2.T - 2 * OneMatrix(2, n), TWO),
    "inverse": (lambda W: np.linalg.inv(W) @ W, Identity(d)),
    "matrix power": (lambda W: np.linalg.matrix_power(W, 3), W * W * W),
    "multi_dot": (lambda A, X, W: np.linalg.multi_dot([A, X, W]), A * X * W),
    "chosen by constants": (lambda X, Y: np.where(np.array([True, False]), X, Y), X2 * DiagMatrix(UP) + Y2 * DiagMatrix(DOWN), TWO),
    "triangle": (lambda Q: np.tril(Q) @ Q, None, {"Q": "3 x 3"}),
    "loop": (heads_by_loop, X + ALL),
    "range": (heads_by_range, X + ALL),
    "enumerate": (heads_enumerated, X + ALL),
    "sum of a generator": (lambda X, AH: sum(A_h @ X for A_h in AH), MatrixSum(FH[h] * X, (h, 0, H - 1))),
    "double sum": (lambda X, AH: sum(A_h @ A_g @ X for A_h in AH for A_g in AH), sc.contract("hst,gtu,ud->sd", AH, AH, X)),
    "sum in a sum": (lambda AH, WH: sum(sum(np.trace(W) * A for W in WH) for A in AH), sc.contract("gaa,hst->st", WH, AH)),
    "sum of an array": (lambda X, AH: sum(AH) @ X, sc.contract("hst,td->sd", AH, X)),
    "loop in a loop": (pairs_of_heads, sc.contract("hst,gtu,ud->sd", AH, AH, X)),
    "every turn the same": (every_turn_the_same, (H + 1) * X),
    "two layers": (two_layers, None),
    "loop over numbers": (heads_by_loop, None, {"AH": "2 x n x n", "WH": "2 x d x d"}),
    "chunks in a loop": (chunked, None, {"X": "n x d", "WV": "H*k x d"}),
    "in place": (in_place, X * X.T + OneMatrix(n, n)),
    "scalars in place": (scalars_added, Trace(X * X.T) + Trace(Y * Y.T)),
    "helper": (calls_helper, X),
    "sizes": (by_size, vector(x / sqrt(d) + sqrt(d) * x + d * OneMatrix(d, 1))),
    "partial": (functools.partial(lambda X, scale: X * scale, scale=2.5), X * Rational(5, 2)),
    "multi-head attention": (multi_head, None, dict.fromkeys(("WQ", "WK", "WV"), "H*k x d") | {"WO": "d x H*k"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_cases(name: str):
    function, reference, *shapes = CASES[name]
    found, got, expected = traced_and_numbers(function, shapes[0] if shapes else {})
    assert got.shape == np.shape(expected) or (found.is_Matrix and got.size == np.size(expected))
    np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-12)
    if reference is not None:
        sc.assert_identity(found, reference)


# laws: random einsums


@st.composite
def einsums(draw: st.DrawFn) -> tuple[str, list[str]]:
    """An einsum of up to three arrays, and their shapes."""
    letter = st.sampled_from("abcd")
    inputs = [draw(st.lists(letter, min_size=1, max_size=3, unique=draw(st.booleans()))) for _ in range(draw(st.integers(1, 3)))]
    had = sorted({one for part in inputs for one in part})
    output = draw(st.lists(st.sampled_from(had), max_size=3, unique=True))
    text = ",".join(map("".join, inputs)) + "->" + "".join(output)
    size = {"a": "n", "b": "d", "c": "m", "d": "2"}
    return text, [" x ".join(size[one] for one in part) for part in inputs]


@settings(max_examples=60, deadline=None)
@given(einsums())
def test_random_einsums(case: tuple[str, list[str]]):
    text, parts = case
    shapes = {f"T{number}": shape for number, shape in enumerate(parts)}

    def function(**arrays):
        return np.einsum(text, *arrays.values())

    found = trace(function, **shapes)
    arrays = {name: numbers(shape, seed) for seed, (name, shape) in enumerate(shapes.items())}
    got, expected = value(found, arrays | SIZES), np.einsum(text, *arrays.values())
    np.testing.assert_allclose(np.reshape(got, np.shape(expected)), expected, rtol=1e-9, atol=1e-12)
    symbols_of = [symbol_of(name, shape, {}) for name, shape in shapes.items()]
    lists = [[[one] for one in part] + [[]] * (len(part) == 1) for part in text.split("->")[0].split(",")]
    plain = sc.contract([*lists, [[one] for one in text.split("->")[1]]], *(one.expr for one in symbols_of))
    sc.assert_identity(found, plain)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_random_axes(data: st.DataObject):
    """Axes split, merged and moved at random come out as in NumPy."""
    sizes = ["n", "H*k", "2", "d"][: data.draw(st.integers(2, 4))]
    steps = data.draw(st.lists(st.sampled_from(["split", "merge", "swap", "scale", "sum"]), min_size=1, max_size=5))
    choices = data.draw(st.lists(st.integers(0, 11), min_size=len(steps), max_size=len(steps)))

    def function(T, k):
        for step, choice in zip(steps, choices, strict=True):
            axis = choice % T.ndim
            if step == "split" and str(T.shape[axis]) in ("H*k", "10"):
                T = T.reshape(*T.shape[:axis], T.shape[axis] // k, k, *T.shape[axis + 1 :])
            elif step == "merge" and axis + 1 < T.ndim:
                T = T.reshape(*T.shape[:axis], T.shape[axis] * T.shape[axis + 1], *T.shape[axis + 2 :])
            elif step == "swap":
                T = T.swapaxes(axis, (choice // 2) % T.ndim)
            elif step == "scale":
                T = T * 0.5 - T.sum(axis, keepdims=True)
            elif step == "sum" and T.ndim > 1:
                T = T.sum(axis)
        return T

    _, got, expected = traced_and_numbers(function, {"T": " x ".join(sizes)})
    np.testing.assert_allclose(np.reshape(got, np.shape(expected)), expected, rtol=1e-9, atol=1e-12)


# near-misses


def two_bilinear(x, L1, R1, L2, R2):
    """Two bilinear layers, the first with a residual connection."""
    z = x + (L1 @ x) * (R1 @ x)
    return (L2 @ z) * (R2 @ z)


def two_bilinear_by_terms(x, L1, R1, L2, R2):
    """The same as four einsums."""
    first = "ij,j,ik,k->i"
    z = np.einsum(first, L1, x, R1, x)
    return (
        np.einsum(first, L2, x, R2, x)
        + np.einsum(first, L2, z, R2, x)
        + np.einsum(first, L2, x, R2, z)
        + np.einsum("ia,ab,b,ac,c,id,de,e,df,f->i", L2, L1, x, R1, x, R2, L1, x, R1, x)
    )


def without_cross_terms(x, L1, R1, L2, R2):
    """As published: the two cross terms are missing."""
    first = "ij,j,ik,k->i"
    z = np.einsum(first, L1, x, R1, x)
    return np.einsum(first, L2, x, R2, x) + np.einsum(first, L2, z, R2, z)


def wrong_pairs(x, L1, R1, L2, R2):
    """As published: left weights are paired with left ones, right with right."""
    first = "ij,j,ik,k->i"
    z = np.einsum(first, L1, x, R1, x)
    return (
        np.einsum(first, L2, x, R2, x)
        + np.einsum(first, L2, z, R2, x)
        + np.einsum(first, L2, x, R2, z)
        + np.einsum("ia,ab,b,ac,c,id,de,e,df,f->i", L2, L1, x, L1, x, R2, R1, x, R1, x)
    )


BILINEAR = {"x": "d", "L1": "d x d", "R1": "d x d", "L2": "m x d", "R2": "m x d"}


def test_published_two_bilinear_layers():
    model = trace(two_bilinear, **BILINEAR)
    sc.assert_identity(trace(two_bilinear_by_terms, **BILINEAR), model)
    for wrong in (without_cross_terms, wrong_pairs):
        assert isinstance(sc.prove(trace(wrong, **BILINEAR), model), Refuted)


NEAR_MISSES = [
    (lambda X, WH: np.einsum("nd,hde->hne", X, WH), lambda X, WH: np.einsum("nd,hed->hne", X, WH)),
    (lambda A, X, W: A @ X @ W.T, lambda A, X, W: A @ X @ W),
    (lambda A, X, W: A @ X @ W.T, lambda A, X, W: A.T @ X @ W.T),
    (lambda X, Y: (X + Y) ** 2, lambda X, Y: X**2 + X * Y + Y**2),
    (lambda x, W: x @ W, lambda x, W: W @ x),
    (lambda AH, X: (AH @ X).sum(0), lambda AH, X: AH[0] @ X),
    (heads_by_loop, lambda X, AH, WH: X + sum(AH) @ X @ sum(WH).T),
]


@pytest.mark.parametrize("case", range(len(NEAR_MISSES)))
def test_near_misses(case: int):
    right, wrong = (trace(function, **{name: SHAPES[name] for name in parameters(function)}) for function in NEAR_MISSES[case])
    sc.assert_identity(right, right)
    assert isinstance(sc.prove(right, wrong), Refuted)


def test_softmax_of_columns_is_not_that_of_rows():
    right, wrong = (trace(function, A="n x n") for function in (lambda A: rows(A), lambda A: rows(A.T).T))
    assert not isinstance(sc.prove(right, wrong), Proved)


def test_heads_split_off_in_another_order():
    """The axis H k cannot be H by k in one place and k by H in another."""
    right, wrong = (
        trace(function, Q="n x H*k", k=k)
        for function in (lambda Q, k: Q.reshape(Q.shape[0], -1, k).sum(1), lambda Q, k: Q.reshape(Q.shape[0], k, -1).sum(2))
    )
    with pytest.raises(ShapeError, match="split"):
        sc.prove(right, wrong)


# what arguments can be


def test_sympy_arguments():
    def attention(X, heads):
        return sum(A_h @ X for A_h in heads)

    family = MatrixFamily("A", 2, n, n)
    assert trace(attention, X=2 * X, heads=family) == 2 * family[0] * X + 2 * family[1] * X
    assert trace(lambda X, size: X.reshape(size, -1) / size, X="n x d", size=n) == X / n
    assert trace(lambda X, c: c * X, X="n x d", c="scalar") == Symbol("c", real=True) * X
    assert trace(lambda X, c: c * X, X="n x d", c=0.1) == X / 10


def test_nested_arguments_and_results():
    def function(weights, X):
        return X @ weights["W"], [W.T for W in weights["others"]]

    found = trace(function, weights={"W": "d x d", "others": ["d x m", "d x m"]}, X="n x d")
    assert found[0] == X * MatrixSymbol("weights_W", d, d) and [one.shape for one in found[1]] == [(m, d), (m, d)]


def test_arrays_of_one_key_are_different_arrays():
    def function(X, heads):
        return sum(X @ head["W"] for head in heads)

    first, second = (MatrixSymbol(f"heads_{k}_W", d, d) for k in range(2))
    assert trace(function, X="n x d", heads=[{"W": "d x d"}, {"W": "d x d"}]) == X * first + X * second
    with pytest.raises(ShapeError, match="two arguments are called a_b"):
        trace(lambda a_b, a: a_b + a["b"], a_b="d", a={"b": "d"})


def test_closure_and_method():
    weights = np.array([[1, 2], [3, 4]])

    class Layer:
        def __call__(self, X):
            return X @ weights

        def forward(self, X):
            return self(X) + np.eye(2)

    reference = MatrixSymbol("X", 2, 2) * sympy.Matrix(weights.tolist())
    assert trace(Layer().forward, X="2 x 2") - reference == sympy.eye(2).as_immutable()
    assert trace(Layer(), X="2 x 2") == reference


def test_globals_are_left_alone():
    before = (np.eye, range, sum)
    trace(calls_helper, X="n x d")
    assert (np.eye, range, sum) == before and isinstance(np.eye(2), np.ndarray)
