"""B(x, y)_{si} = sum_{jk} B_{ijk} x_{sj} y_{sk} at every position: the copy tensor on positions, not an inner product (A15)."""

import numpy as np
import pytest
import sympy
from nodes import ARRAYS, NUMBERS, B, P, X, d, m, n
from sympy import KroneckerProduct, MatrixSymbol
from sympy.tensor.array.expressions import ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.vec import Vec

x, p, b = (ARRAYS[t] for t in (X, P, B))


def at(node):
    """The value of a node."""
    return sc.lambdify([*ARRAYS, *NUMBERS], node)(*ARRAYS.values(), *NUMBERS.values())


def test_shape_and_text():
    node = ApplyBilinear(B, Vec(X), Vec(X * P))
    assert node.shape == (n * d, 1)
    assert node.positions == n
    assert str(node) == "B(vec(X), vec(X*P))"
    assert ApplyBilinear(ArraySymbol("C", (m, d, d)), Vec(X), Vec(X)).shape == (n * m, 1)


def test_left_and_right_are_told_apart():
    """B(x, y) != B(y, x) (A9)."""
    one, other = ApplyBilinear(B, Vec(X), Vec(X * P)), ApplyBilinear(B, Vec(X * P), Vec(X))
    assert one != other
    np.testing.assert_allclose(at(other), np.einsum("ijk,sj,sk->si", b, x @ p, x).reshape(-1, 1))
    assert not np.allclose(at(one), at(other))


def test_linear_in_each_input():
    y, z = Vec(X), KroneckerProduct(sympy.Identity(n), P) * Vec(X)
    total = at(ApplyBilinear(B, y, y)) + at(ApplyBilinear(B, y, z))
    np.testing.assert_allclose(at(ApplyBilinear(B, y, y + z)), total)
    np.testing.assert_allclose(at(ApplyBilinear(B, 2 * y, 3 * z)), 6 * at(ApplyBilinear(B, y, z)))


def test_positions_do_not_mix():
    assert not np.allclose(at(ApplyBilinear(B, Vec(X), Vec(X))), np.einsum("ijk,sj,uk->si", b, x, x).reshape(-1, 1))


def test_layers_nest():
    inner = ApplyBilinear(B, Vec(X), Vec(X))
    value = np.einsum("ijk,sj,sk->si", b, x, x)
    np.testing.assert_allclose(at(ApplyBilinear(B, inner, Vec(X))), np.einsum("ijk,sj,sk->si", b, value, x).reshape(-1, 1))


def test_what_is_not_a_bilinear_layer():
    with pytest.raises(ShapeError, match="a tensor of order 3; P has order 2"):
        ApplyBilinear(P, Vec(X), Vec(X))
    with pytest.raises(ShapeError, match="the right input of B must be a column; got Y"):
        ApplyBilinear(B, Vec(X), MatrixSymbol("Y", n, 2))
    with pytest.raises(ShapeError, match="the left input of B must be a column"):
        ApplyBilinear(B, sympy.Symbol("x"), Vec(X))
    C, y, z = ArraySymbol("C", (2, 2, 2)), MatrixSymbol("y", 6, 1), MatrixSymbol("z", 8, 1)
    with pytest.raises(ShapeError, match="has size 3, but the right one has size 4"):
        ApplyBilinear(C, y, z)
    assert ApplyBilinear(C, y, y).shape == (6, 1)
    with pytest.raises(NotImplementedError, match="index notation"):
        ApplyBilinear(B, Vec(X), Vec(X))[0, 0]


def test_an_input_that_is_no_whole_number_of_positions():
    C, y = ArraySymbol("C", (2, 2, 2)), MatrixSymbol("y", 5, 1)
    with pytest.raises(ShapeError, match="position"):
        ApplyBilinear(C, y, y)
