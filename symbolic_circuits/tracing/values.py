"""The value of a traced array: a SymPy expression and the sizes of its axes; and what code may mix with it: numbers and arrays.

A scalar is an Expr, an array of order 1 is kept as the column that it fills, one of order 2 is a matrix, of higher order an array
expression. A float is the decimal that Python writes for it: 0.1 is 1/10.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from numbers import Integral
from typing import Any

import numpy
from sympy import Expr, ImmutableMatrix, Integer, MatrixExpr, Rational
from sympy.core.basic import Basic
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import ImmutableDenseNDimArray, NDimArray

from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contract import Contracted, contract
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.tracing.refusing import refuse

__all__ = ["Value", "constant", "exact", "from_sympy", "scalar"]

MAX_ENTRIES = 4096


@dataclass(frozen=True, slots=True)
class Value:
    """An expression in the form in which the operations build on it."""

    expr: Basic  # a scalar; a matrix, that of one column for order 1; an array expression
    shape: tuple[Expr, ...]  # the sizes of the axes

    @property
    def order(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def exported(self) -> Basic:
        """The expression; an array of order 1 as such."""
        if self.order != 1:
            return self.expr
        expr = self.expr
        if isinstance(expr, Contracted):
            *inputs, (axis, rest) = expr.lists
            if not rest:
                return contract([*inputs, (axis,)], *expr.operands)
        return contract([["i", []], ["i"]], expr)


def scalar(expr: Expr) -> Value:
    """A number."""
    return Value(expr, ())


def exact(number: Any) -> Rational:
    """A Python or NumPy number as it is written.

    >>> exact(0.1), exact(Fraction(1, 3)), exact(True), exact(2)
    (1/10, 1/3, 1, 2)
    """
    if isinstance(number, numpy.generic | numpy.ndarray):
        number = number.item()
    if isinstance(number, Integral):  # bool, too
        return Integer(int(number))
    if isinstance(number, Fraction):
        return Rational(number.numerator, number.denominator)
    if isinstance(number, float | Decimal):
        if not isfinite(number):
            raise refuse(f"{number} is not a number that an expression can have; pass a mask as an argument of the function")
        return Rational(str(number))
    raise refuse(f"{type(number).__name__} is not a number that an expression can have: {str(number)[:60]}")


def constant(array: numpy.ndarray) -> Value:
    """An explicit array, entry by entry."""
    if array.size > MAX_ENTRIES:
        raise refuse(f"a constant array of {array.size} entries; up to {MAX_ENTRIES} are written out: pass it as an argument")
    if array.dtype.kind not in "biufO":
        raise refuse(f"a constant array of dtype {array.dtype}; entries are real numbers")
    shape = tuple(map(Integer, array.shape))
    if not all(array.shape):
        raise refuse(f"a constant array of shape {array.shape}, which has no entries")
    entries = [exact(entry) for entry in array.ravel().tolist()]
    if not shape:
        return scalar(entries[0])
    if len(shape) < 3:
        return Value(ImmutableMatrix(array.shape[0], array.shape[1] if len(shape) == 2 else 1, entries), shape)
    return Value(ImmutableDenseNDimArray(entries, array.shape), shape)


def from_sympy(expr: Basic) -> Value:
    """A SymPy object as an array."""
    if isinstance(expr, MatrixFamily):
        return Value(expr, tuple(expr.shape))
    if isinstance(expr, MatrixBase):
        expr = ImmutableMatrix(expr)
    try:
        shape = array_shape(expr)
    except (SymbolicCircuitsError, TypeError) as error:
        raise refuse(f"{str(expr)[:60]} is not an array expression: {error}") from error
    if len(shape) == 1:
        return Value(contract([["i"], ["i", []]], expr), shape)
    if len(shape) == 2 and not isinstance(expr, MatrixExpr | MatrixBase):
        return Value(contract("ij->ij", expr), shape)
    if isinstance(expr, NDimArray) and not isinstance(expr, ImmutableDenseNDimArray):
        expr = ImmutableDenseNDimArray(expr)
    return Value(expr, shape)
