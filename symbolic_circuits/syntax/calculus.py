"""Derivatives of matrix nodes: zero where nothing depends on the variable, refused otherwise, never a false zero."""

from sympy import MatrixExpr, MatrixSymbol, Symbol, ZeroMatrix
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.errors import UnsupportedNodeError

__all__ = ["no_derivative"]


def no_derivative(expr: MatrixExpr, variable: Basic) -> ZeroMatrix:
    """The derivative of a node by something that it does not depend on.

    Raises
    ------
    UnsupportedNodeError
        The node depends on the variable. SymPy would take some such derivatives to be zero.
    """
    parts = variable.atoms(Symbol, MatrixSymbol) | ({variable.parent} if isinstance(variable, MatrixElement) else {variable})
    if expr.has(*parts) or expr.free_symbols & {s for part in parts for s in part.free_symbols}:
        raise UnsupportedNodeError(
            f"{type(expr).__name__} has no derivative by {variable} here: differentiate its index notation"
        )
    return ZeroMatrix(*expr.shape)
