"""Values of array expressions whose tensors have been replaced by explicit matrices and arrays: what ``doit`` calls."""

from collections.abc import Iterable
from functools import reduce
from operator import add, mul

from sympy import Add, Expr, ImmutableDenseNDimArray, Integer, Mul
from sympy.core.basic import Basic
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions.array_expressions import ArrayElement

__all__ = ["explicit_array", "explicit_matrix", "total", "worked_out"]


def explicit_array(expr: Basic) -> NDimArray | None:
    """An explicit matrix or array, or a multiple or sum of such, as an array; None for anything symbolic."""
    if isinstance(expr, NDimArray):
        return expr
    if isinstance(expr, MatrixBase):
        return ImmutableDenseNDimArray(expr)
    if isinstance(expr, Mul):
        arrays = [array for array in map(explicit_array, expr.args) if array is not None]
        return arrays[0] * Mul(*(arg for arg in expr.args if explicit_array(arg) is None)) if len(arrays) == 1 else None
    if isinstance(expr, Add):
        arrays = [explicit_array(arg) for arg in expr.args]
        return reduce(add, arrays) if arrays and None not in arrays else None
    return None


def explicit_elements(expr: Expr) -> Expr:
    """The expression with the elements of explicit arrays read off."""
    known = {
        element: element.name[tuple(element.indices)]
        for element in expr.atoms(ArrayElement)
        if isinstance(element.name, NDimArray) and all(isinstance(index, Integer) for index in element.indices)
    }
    return expr.xreplace(known) if known else expr


def worked_out(expr: Basic, **hints: bool) -> Basic:
    """``doit``, also through products and sums that have explicit arrays in them, which SymPy's own refuse."""
    if not isinstance(expr, Mul | Add):
        return expr.doit(**hints)
    parts = [worked_out(arg, **hints) for arg in expr.args]
    if all(explicit_array(part) is None for part in parts):
        return explicit_elements(expr.func(*parts))
    if isinstance(expr, Add):
        return total(parts)
    arrays = [array for array in map(explicit_array, parts) if array is not None]
    return reduce(mul, [part for part in parts if explicit_array(part) is None], arrays[0])


def explicit_matrix(expr: Basic) -> MatrixBase | None:
    """A matrix expression without symbols as an explicit matrix; None for anything symbolic."""
    if isinstance(expr, MatrixBase) or not getattr(expr, "is_Matrix", False):
        return expr if isinstance(expr, MatrixBase) else None
    return None if expr.free_symbols else expr.as_explicit()


def total(summands: Iterable[Expr]) -> Expr:
    """The sum; of explicit arrays an explicit array."""
    summands = [explicit_elements(summand) for summand in summands]
    arrays = [explicit_array(summand) for summand in summands]
    return reduce(add, arrays) if arrays and None not in arrays else Add(*summands)
