"""vec(A X W^T) = (A (x) W) vec(X), row-major (B7)."""

import numpy as np
import pytest
import sympy
from nodes import ARRAYS, NUMBERS, A, P, X, d, n
from sympy import KroneckerProduct, Matrix, MatrixSymbol

import symbolic_circuits as sc
from symbolic_circuits.syntax.vec import Vec


def test_shape_and_text():
    assert Vec(X).shape == (n * d, 1)
    assert str(Vec(X)) == "vec(X)"
    assert Vec(X).matrix == X
    assert Vec(X * P) != Vec(X) != X


def test_latex_of_a_symbol_has_no_brackets():
    assert sympy.latex(Vec(X)) == r"\operatorname{vec} X"
    assert sympy.latex(Vec(X * P)) == r"\operatorname{vec}(X P)"


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (1, 3), (3, 1), (2, 3)])
def test_rows_under_one_another(rows, cols):
    matrix = Matrix(rows, cols, range(rows * cols))
    assert list(Vec(matrix).as_explicit()) == list(range(rows * cols))
    symbol = MatrixSymbol("Y", rows, cols)
    assert list(Vec(symbol).as_explicit()) == [symbol[i, j] for i in range(rows) for j in range(cols)]


def test_the_kronecker_law():
    left, right = Vec(A[0] * X * P.T), KroneckerProduct(A[0], P) * Vec(X)
    values = [sc.lambdify(list(ARRAYS), side)(*ARRAYS.values()) for side in (left, right)]
    np.testing.assert_allclose(*values)
    assert values[0].shape == (6, 1)


@pytest.mark.parametrize("wrong", [KroneckerProduct(A[0], P.T) * Vec(X), KroneckerProduct(A[0].T, P) * Vec(X)])
def test_near_misses_of_the_kronecker_law(wrong):
    f = [sc.lambdify(list(ARRAYS), side) for side in (Vec(A[0] * X * P.T), wrong)]
    assert not np.allclose(*(g(*ARRAYS.values()) for g in f))


def test_sizes_are_replaced():
    assert Vec(X).subs(NUMBERS, simultaneous=True).shape == (6, 1)


@pytest.mark.parametrize("value", [sympy.Symbol("x"), 3])
def test_vec_takes_a_matrix(value):
    with pytest.raises(TypeError, match="vec takes a matrix"):
        Vec(value)
    Vec(sympy.eye(2))
