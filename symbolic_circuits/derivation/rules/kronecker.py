r"""Kronecker products with numbers: (q^T k) (x) v = v q^T k."""

from dataclasses import dataclass
from typing import ClassVar

from sympy import KroneckerProduct
from sympy.core.basic import Basic

from symbolic_circuits.derivation.rules.products import product_of
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused

__all__ = ["KroneckerNumbers"]


@dataclass(frozen=True, slots=True)
class KroneckerNumbers(Rule):
    r"""A Kronecker product with factors that are 1 x 1 matrices is a product, where the other factor is a row, a column or a number.

    .. math:: (q^\top k) \otimes (Q^\top K) = (q^\top k) (Q^\top K)

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> q, k, v = (MatrixSymbol(name, 3, 1) for name in "qkv")
    >>> KroneckerNumbers().apply(KroneckerProduct(q.T * k, v))
    v*q.T*k
    """

    name: ClassVar[str] = "numbers in a Kronecker product"
    formula: ClassVar[str] = r"(q^\top k) \otimes v = v \, q^\top k"
    needs: ClassVar[str] = "a Kronecker product of two matrices, one of them 1 x 1 and the other a row, a column or 1 x 1"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, KroneckerProduct) or len(expr.args) != 2:
            raise refused(self, expr)
        left, right = expr.args
        if left.shape == (1, 1) and right.rows == 1:
            return product_of([left, right])
        if left.shape == (1, 1) and right.cols == 1:
            return product_of([right, left])
        if right.shape == (1, 1) and left.cols == 1:
            return product_of([left, right])
        if right.shape == (1, 1) and left.rows == 1:
            return product_of([right, left])
        raise refused(self, expr)

    @property
    def reason(self) -> Reason:
        return ("a number as a factor",)
