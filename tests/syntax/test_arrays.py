"""U ._{jk} V sums over axis j of U and axis k of V: the remaining axes of U first, then those of V (A3 to A9)."""

import numpy as np
import pytest
from nodes import ARRAYS, B, P, W, X, d, m, n, s
from sympy import MatrixSymbol, Symbol
from sympy.tensor.array.expressions import ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape

x, w, p, b = (ARRAYS[t] for t in (X, W, P, B))

PRODUCTS = [  # node -> printed, shape, value (A4)
    (TensorDot(Row(X, 0), 1, Row(X, 1), 1), "X[0,:] ._11 X[1,:]", (), x[0] @ x[1]),
    (TensorDot(W, 2, Row(X, 1), 1), "W ._21 X[1,:]", (m,), w @ x[1]),
    (TensorDot(X, 2, P, 1), "X ._21 P", (n, d), x @ p),
    (TensorDot(P, 1, P, 1), "P ._11 P", (d, d), p.T @ p),
    (TensorDot(X, 2, W, 2), "X ._22 W", (n, m), x @ w.T),
    (TensorDot(Row(X, 0), 1, B, 2), "X[0,:] ._12 B", (d, d), np.einsum("j,ijk->ik", x[0], b)),
    (TensorDot(B, 2, Row(X, 0), 1), "B ._21 X[0,:]", (d, d), np.einsum("ijk,j->ik", b, x[0])),
    (TensorDot(B, 1, W, 2), "B ._12 W", (d, d, m), np.einsum("ijk,mi->jkm", b, w)),
    (TensorDot(W, 2, B, 1), "W ._21 B", (m, d, d), np.einsum("mi,ijk->mjk", w, b)),
]


def at(node):
    """The value of a node."""
    return sc.lambdify(list(ARRAYS), node)(*ARRAYS.values())


@pytest.mark.parametrize(("node", "printed", "shape", "expected"), PRODUCTS)
def test_products(node, printed, shape, expected):
    assert str(node) == printed
    assert tuple(node.shape) == array_shape(node) == shape
    np.testing.assert_allclose(at(node), expected)


def test_axis_numbers_shift_after_a_contraction():
    """._21 in x ._12 B ._21 y is axis 2 of the result, axis 3 of B (A5, A8, A9)."""
    left, right = Row(X, 0), Row(X, 1)
    both = TensorDot(TensorDot(left, 1, B, 2), 2, right, 1)
    np.testing.assert_allclose(at(both), np.einsum("ijk,j,k->i", b, x[0], x[1]))
    assert not np.allclose(at(both), np.einsum("ijk,k,j->i", b, x[0], x[1]))
    assert str(both) == "X[0,:] ._12 B ._21 X[1,:]"
    assert str(TensorDot(W, 2, TensorDot(P, 2, left, 1), 1)) == "W ._21 (P ._21 X[0,:])"


def test_the_two_orders_differ_by_a_transposition():
    """(U ._jk V) and (V ._kj U) (A5)."""
    np.testing.assert_allclose(at(TensorDot(X, 2, W, 2)), at(TensorDot(W, 2, X, 2)).T)
    assert TensorDot(X, 2, W, 2) != TensorDot(W, 2, X, 2)


def test_shapes_of_sums_and_multiples():
    c = Symbol("c")
    assert array_shape(2 * Row(X, s) + c * Row(X, 0)) == (d,)
    assert array_shape(c) == array_shape(X[0, 0]) == array_shape(c * X[0, 0]) == ()
    assert array_shape(TensorDot(P, 2, Row(X, s) + Row(X, 0), 1)) == (d,)


def test_rows():
    assert (str(Row(X, s)), Row(X, s).shape) == ("X[s,:]", (d,))
    assert Row(X, s).subs(s, 1) == Row(X, 1)
    np.testing.assert_allclose(at(Row(X * P, 1)), (x @ p)[1])


@pytest.mark.parametrize("axis", [0, 3, -1, Symbol("j"), 1.5])
def test_axes_that_are_not_there(axis):
    for make in (lambda k: TensorDot(P, k, P, 1), lambda k: TensorDot(P, 1, P, k)):
        with pytest.raises(ShapeError, match="P has axes 1 to 2; the inner product asks for axis"):
            make(axis)
        make(2)


def test_axes_that_differ_in_size():
    U, V = MatrixSymbol("U", 2, 3), MatrixSymbol("V", 2, 3)
    with pytest.raises(ShapeError, match="axis 2 of U has size 3, but axis 1 of V has size 2"):
        TensorDot(U, 2, V, 1)
    assert TensorDot(U, 2, V, 2).shape == (2, 2)
    assert TensorDot(X, 1, X, 2).shape == (d, n)


def test_arrays_that_do_not_add_or_multiply():
    Y, Z = ArraySymbol("Y", (2,)), ArraySymbol("Z", (3,))
    with pytest.raises(ShapeError, match=r"has size 2, but axis 1 of Z has size 3|has size 3, but axis 1 of Y has size 2"):
        array_shape(Y + Z)
    with pytest.raises(ShapeError, match="axes, but"):
        array_shape(Row(X, 0) + ArraySymbol("C", (d, d)))
    with pytest.raises(ShapeError, match="multiplies 2 arrays: write how with TensorDot"):
        array_shape(Row(X, 0) * Row(X, 1))
    with pytest.raises(TypeError, match="str is not an array expression"):
        array_shape("X")
    assert array_shape(2 * Y) == (2,)


@pytest.mark.parametrize("index", [5, -1, 0.5])
def test_rows_that_are_not_there(index):
    Y = MatrixSymbol("Y", 5, 2)
    with pytest.raises(ShapeError, match="Y has rows 0 to 5 - 1; got row"):
        Row(Y, index)
    with pytest.raises(TypeError, match="a row is taken of a matrix; got Symbol"):
        Row(Symbol("x"), 0)
    assert Row(Y, 4).shape == (2,)
