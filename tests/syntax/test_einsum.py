"""Expressions as NumPy functions: the value of products, sums, identities, transposes and explicit matrices is that of NumPy."""

import numpy as np
import pytest
import sympy
from nodes import ARRAYS, NUMBERS, A, F, H, P, W, X, d, h, m, n, s
from sympy import (
    HadamardPower,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    Matrix,
    MatrixSymbol,
    OneMatrix,
    Sum,
    Symbol,
    Trace,
    ZeroMatrix,
)
from sympy.tensor.array.expressions import ArraySymbol, OneArray

import symbolic_circuits as sc
from symbolic_circuits.errors import CodeError
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.einsum import EinsumPrinter, contract, group_axes
from symbolic_circuits.syntax.sums import MatrixSum

a, f, x, w, p, _ = ARRAYS.values()
c = Symbol("c")
i = Symbol("i", integer=True, nonnegative=True)

VALUES = [  # expression -> value at c = 3, s = 2
    (X, x),
    (X.T, x.T),
    (X * P + 2 * X, x @ p + 2 * x),
    (X - X * P, x - x @ p),
    (c * X, 3 * x),
    ((X + X * P) * P.T, (x + x @ p) @ p.T),
    (P**2 * P.T, p @ p @ p.T),
    (X.T * X + Identity(d), x.T @ x + np.eye(2)),
    (X * (Identity(d) + P), x @ (np.eye(2) + p)),
    (HadamardProduct(X, X * P), x * (x @ p)),
    (HadamardPower(X, 2), x**2),
    (KroneckerProduct(A[0], P + Identity(d)), np.kron(a[0], p + np.eye(2))),
    (KroneckerProduct(Identity(n), P) * KroneckerProduct(A[1], Identity(d)), np.kron(a[1], p)),
    (Trace(P * P.T), np.trace(p @ p.T)),
    (MatrixSum(A[h] * X, (h, 0, H - 1)) * P, a.sum(0) @ x @ p),
    (A[0] * X * F[1].T, a[0] @ x @ f[1].T),
    (X * Matrix([[1, 2], [3, 4]]), x @ np.array([[1, 2], [3, 4]])),
    (Row(X, s) + c * Row(X, 0), x[2] + 3 * x[0]),
    (Sum(X[s, i] * P[i, 0], (i, 0, d - 1)), x[2] @ p[:, 0]),
    (X[0, 1] + X[1, 0] ** 2, x[0, 1] + x[1, 0] ** 2),
    (Trace(P) * X, np.trace(p) * x),
    (ZeroMatrix(n, d) + X, x),
    (X * OneMatrix(d, d), x @ np.ones((2, 2))),
]


@pytest.mark.parametrize(("expr", "expected"), VALUES, ids=lambda v: str(v)[:60] if isinstance(v, sympy.Basic) else "")
def test_values(expr, expected):
    args = [*ARRAYS, *NUMBERS, c, s]
    found = sc.lambdify(args, expr)(*ARRAYS.values(), *NUMBERS.values(), 3, 2)
    np.testing.assert_allclose(found, expected)


def test_code():
    printer = EinsumPrinter({"fully_qualified_modules": False})
    assert printer.doprint(X * P * P.T) == "contract('ab,bc,dc->ad', X, P, P)"
    assert printer.doprint(X + X * P) == "(contract('ab,bc->ac', X, P) + X)"


def test_contract_and_group_axes():
    np.testing.assert_allclose(contract("ab,cb->ac", x, w), x @ w.T)
    array = np.arange(24).reshape(2, 3, 4)
    assert group_axes(array, (2, 1)).shape == (6, 4)
    assert group_axes(array, (3, 0)).shape == (24, 1)
    assert group_axes(np.array(3), (0, 0)).shape == (1, 1)


def test_exact_integers_stay_integers():
    Y = MatrixSymbol("Y", 2, 2)
    found = sc.lambdify([Y], Y * Y.T)(np.array([[1, 2], [3, 4]]))
    assert found.dtype.kind == "i"
    assert found.tolist() == [[5, 11], [11, 25]]


def test_names_that_become_one_identifier():
    """W_1^2 and W_1_2 are two tensors."""
    one, other = MatrixSymbol("W_1^2", d, d), MatrixSymbol("W_1_2", d, d)
    np.testing.assert_allclose(sc.lambdify([one, other], one * other.T)(p, p + 1), p @ (p + 1).T)


@pytest.mark.parametrize("name", ["contract", "group_axes", "numpy", "reshape", "eye", "lambda", "sum"])
def test_names_that_python_or_the_printer_uses(name):
    Y = MatrixSymbol(name, d, d)
    np.testing.assert_allclose(sc.lambdify([Y, P], Y * P + KroneckerProduct(Identity(1), Y))(p, p), p @ p + p)


def test_arguments_of_no_use_are_welcome():
    np.testing.assert_allclose(sc.lambdify([W, X, ArraySymbol("B", (d, d, d)), m], X)(w, x, None, 4), x)


def test_vectors_of_ones():
    T = ArraySymbol("T", (m, d, d))
    b = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    np.testing.assert_allclose(sc.lambdify([T], sc.contract("ijk,j->ik", T, OneArray(d)))(b), b.sum(axis=1))


def test_sizes_called_like_names_of_python():
    e = sympy.Symbol("e", integer=True, positive=True)
    Y = MatrixSymbol("Y", n, e)
    y = np.ones((2, 3))
    np.testing.assert_allclose(sc.lambdify([Y, e], e * Y * Y.T)(y, 3), 3 * y @ y.T)


def test_what_is_missing_is_named():
    with pytest.raises(CodeError, match="the expression uses P, not among the arguments X"):
        sc.lambdify([X], X * P)
    with pytest.raises(CodeError, match="uses c"):
        sc.lambdify([X], c * X)
    sc.lambdify([X, c], c * X)


def test_what_cannot_be_written():
    with pytest.raises(CodeError, match=r"cannot write .* as an einsum"):
        sc.lambdify(list(ARRAYS), MatrixSum((A[h] + A[0]) * X, (h, 0, H - 1)))
    sc.lambdify(list(ARRAYS), MatrixSum(A[h] * X, (h, 0, H - 1)))
