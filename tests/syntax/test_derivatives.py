"""Nodes never have a false zero for a derivative, and lambdified functions refuse arrays of another shape."""

import numpy as np
import pytest
from sympy import Symbol, ZeroMatrix

import symbolic_circuits as sc
from symbolic_circuits.errors import CodeError, ShapeError, UnsupportedNodeError

EXPANSION = sc.path_expansion("attn(2)")
CLOSED = EXPANSION.closed_form("matrix").args
SUM = next(part for part in CLOSED if type(part).__name__ == "MatrixSum")
A = EXPANSION.tensors.block(0).A


def test_a_derivative_by_something_else_is_zero() -> None:
    assert SUM.diff(Symbol("c")) == ZeroMatrix(*SUM.shape)


@pytest.mark.parametrize("variable", [A[0][0, 0], EXPANSION.tensors.W_E[0, 0]])
def test_a_derivative_that_is_not_zero_is_refused(variable) -> None:
    with pytest.raises(UnsupportedNodeError, match="differentiate its index notation"):
        SUM.diff(variable)


def function():
    symbols = [A, EXPANSION.tensors.block(0).W_OV, EXPANSION.tensors.W_E, EXPANSION.tensors.W_U, EXPANSION.tensors.source]
    shapes = [(2, 5, 5), (2, 3, 3), (3, 7), (7, 3), (5, 7)]
    return symbols, shapes, sc.lambdify(symbols, EXPANSION.closed_form("matrix"))


@pytest.mark.parametrize(
    ("which", "shape", "message"),
    [
        (0, (5, 5, 5), r"axis 0 of A has size 2; got an array of shape \(5, 5, 5\)"),
        (0, (1, 5, 5), "axis 0 of A has size 2"),
        (2, (4, 7), "axis 0 of W_E has size d = 3"),
        (4, (7,), "t has 2 axes"),
    ],
)
def test_arrays_of_another_shape(which: int, shape: tuple, message: str) -> None:
    symbols, shapes, f = function()
    assert f(*map(np.ones, shapes)).shape == (5, 7)
    shapes[which] = shape
    with pytest.raises(ShapeError, match=message):
        f(*map(np.ones, shapes))
    with pytest.raises(CodeError, match="takes 5 arguments"):
        f(1)
    with pytest.raises(CodeError, match="given twice"):
        sc.lambdify([*symbols, A], EXPANSION.closed_form("matrix"))
