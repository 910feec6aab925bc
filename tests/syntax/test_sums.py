"""Sums bind their symbols: they are not free, not replaced, and make way for what is put in."""

import numpy as np
import pytest
from nodes import ARRAYS, A, F, H, X, d, g, h, n, s, u
from sympy import MatAdd, MatrixSymbol, Symbol, latex

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.syntax.arrays import Row, array_shape
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

HEADS = MatrixSum(A[h] * X * F[h].T, (h, 0, H - 1))
ROW = IndexSum(A[0][s, u] * Row(X, u), (u, 0, n - 1))


def test_printed():
    assert str(HEADS) == "sum[h=0..H - 1] A[h]*X*W_OV[h].T"
    assert latex(HEADS) == r"\sum_{h} A^{h} X \left(W_{OV}^{h}\right)^{T}"
    assert str(ROW) == "sum[u=0..n - 1] A[0][s, u]*X[u,:]"


def test_parts():
    assert (HEADS.shape, HEADS.body, HEADS.bound_symbols) == ((n, d), A[h] * X * F[h].T, [h])
    assert array_shape(ROW) == ROW.shape == (d,)
    assert HEADS.free_symbols == {A, F, X, H}
    assert {s, X, A} <= ROW.free_symbols
    assert u not in ROW.free_symbols


def test_a_sum_without_limits_is_its_body():
    assert MatrixSum(X) == X


def test_doit():
    assert HEADS.doit() == HEADS
    assert MatrixSum(A[h], (h, 0, 2)).doit() == A[0] + A[1] + A[2]
    assert MatrixSum(A[h], (h, 1, 1)).doit() == A[1]
    assert (
        MatrixSum(A[h] * A[g], (h, 0, 1), (g, 0, 1)).doit() == MatAdd(A[0] * A[0], A[0] * A[1], A[1] * A[0], A[1] * A[1]).doit()
    )
    assert IndexSum(A[0][s, u] * Row(X, u), (u, 0, 1)).doit() == A[0][s, 0] * Row(X, 0) + A[0][s, 1] * Row(X, 1)
    assert HEADS.subs(H, 2).doit() == A.subs(H, 2)[0] * X * F.subs(H, 2)[0].T + A.subs(H, 2)[1] * X * F.subs(H, 2)[1].T


def test_bound_symbols_are_not_replaced():
    assert HEADS.subs(h, 0) == HEADS
    assert ROW.subs(u, 0) == ROW
    assert ROW.subs(s, 1) == IndexSum(A[0][1, u] * Row(X, u), (u, 0, n - 1))


def test_bound_symbols_are_not_captured():
    """s := u is row u, not the diagonal."""
    row = ROW.subs(s, u)
    assert u in row.free_symbols
    f = sc.lambdify([*ARRAYS, u], row)
    for k in range(3):
        np.testing.assert_allclose(f(*ARRAYS.values(), k), ARRAYS[A][0][k] @ ARRAYS[X])
    moved = MatrixSum(A[h] * X, (h, 0, H - 1)).subs(X, A[h] * X)
    np.testing.assert_allclose(sc.lambdify([*ARRAYS, h], moved)(*ARRAYS.values(), 1), ARRAYS[A].sum(0) @ ARRAYS[A][1] @ ARRAYS[X])


def test_ends_are_replaced():
    k = Symbol("k", integer=True, positive=True)
    assert HEADS.subs(H, k).limits[0][2] == k - 1
    assert MatrixSum(A[h] * X, (h, 0, k)).subs(k, 1).doit() == A[0] * X + A[1] * X


def test_a_bound_symbol_in_the_end_of_its_own_sum_is_free_there():
    sum_to_h = MatrixSum(A[h], (h, 0, h))
    assert h in sum_to_h.free_symbols
    assert sum_to_h.subs(h, 1).doit() == A[0] + A[1]


def test_transposes_and_entries():
    np.testing.assert_allclose(
        sc.lambdify(list(ARRAYS), HEADS.T.doit())(*ARRAYS.values()), sc.lambdify(list(ARRAYS), HEADS)(*ARRAYS.values()).T
    )
    assert MatrixSum(A[h], (h, 0, 1))[0, 1] == A[0][0, 1] + A[1][0, 1]
    assert MatrixSum(A[h] * X, (h, 0, 1)).shape == (n, d)


def test_bad_limits():
    for limit in ((h, 0), (0, 0, 1), (h,)):
        with pytest.raises(ValueError, match="a limit is"):
            MatrixSum(A[h], limit)
    with pytest.raises(ValueError, match="bind different symbols"):
        MatrixSum(A[h], (h, 0, 1), (h, 0, 1))
    MatrixSum(A[h] * A[g], (h, 0, 1), (g, 0, 1))


def test_sums_that_are_too_long_to_write_out():
    with pytest.raises(BudgetError, match="a sum of 100001 terms was asked to be written out; the limit is 100000"):
        MatrixSum(A[h], (h, 0, 100_000)).doit()
    with pytest.raises(NotImplementedError, match="symbolic ends"):
        HEADS[0, 0].doit()
    assert MatrixSum(MatrixSymbol("Y", 2, 2), (h, 0, 3)).doit() == 4 * MatrixSymbol("Y", 2, 2)
