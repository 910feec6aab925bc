r"""The constant: a column of ones, 1 a^T . 1 b^T = 1 (a . b)^T."""

from dataclasses import dataclass
from typing import ClassVar

from sympy import HadamardProduct, MatMul, OneMatrix
from sympy.core.basic import Basic

from symbolic_circuits.derivation.rules.products import product_of
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused

__all__ = ["RowsOfOnes"]


@dataclass(frozen=True, slots=True)
class RowsOfOnes(Rule):
    r"""Rows that are the same at every position are multiplied once.

    .. math:: \mathbf{1} a^\top \odot \mathbf{1} b^\top = \mathbf{1} \, (a^\top \odot b^\top)

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> a, b = MatrixSymbol("a", 2, 1), MatrixSymbol("b", 2, 1)
    >>> RowsOfOnes().apply(HadamardProduct(OneMatrix(3, 1) * a.T, OneMatrix(3, 1) * b.T)).args
    (1, HadamardProduct(a.T, b.T))
    """

    name: ClassVar[str] = "rows of ones"
    formula: ClassVar[str] = r"\mathbf{1} a^\top \odot \mathbf{1} b^\top = \mathbf{1} (a^\top \odot b^\top)"
    needs: ClassVar[str] = "the elementwise product of products of a column of ones with a row"

    def apply(self, expr: Basic) -> Basic:
        factors = expr.args if isinstance(expr, HadamardProduct) else ()
        if not factors or not all(is_constant(factor) for factor in factors):
            raise refused(self, expr)
        return MatMul(factors[0].args[0], HadamardProduct(*(product_of(factor.args[1:]) for factor in factors)))

    @property
    def reason(self) -> Reason:
        return ("equal rows are multiplied once",)


def is_constant(factor: Basic) -> bool:
    """Whether a matrix is a column of ones times a row."""
    return isinstance(factor, MatMul) and isinstance(factor.args[0], OneMatrix) and factor.args[0].cols == 1
