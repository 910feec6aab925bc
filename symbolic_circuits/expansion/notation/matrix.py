r"""Matrix notation: heads A X W_OV^T, bilinear layers (X W_1^T . Y W_2^T) W_out^T, output X W_U^T; all of it plain SymPy.

A value is a tuple of matrices, the factors of a product.
"""

from collections.abc import Sequence
from typing import Generic, TypeVar

from sympy import Expr, HadamardProduct, Integer, MatAdd, MatMul, Symbol

from symbolic_circuits.axes import Size
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.writer import Notation
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["MatrixNotation", "MatrixValued", "matrix_multiple", "matrix_product"]

T = TypeVar("T")


def matrix_product(factors: tuple[Expr, ...]) -> Expr:
    """The product of one or more matrices, unevaluated."""
    return factors[0] if len(factors) == 1 else MatMul(*factors)


def matrix_multiple(coefficient: int, expr: Expr) -> Expr:
    """An integer multiple; SymPy's own ``*`` would turn X . X into an elementwise power."""
    return MatMul(Integer(coefficient), *(expr.args if isinstance(expr, MatMul) else (expr,)))


class MatrixValued(Notation[T], Generic[T]):
    """Notations whose expressions are matrices."""

    def sum_over_heads(self, expr: Expr, limits: list[tuple[Symbol, Expr, Expr]]) -> Expr:
        return MatrixSum(expr, *limits)

    def scaled(self, coefficient: int, expr: Expr) -> Expr:
        return matrix_multiple(coefficient, expr)

    def total(self, summands: list[Expr]) -> Expr:
        """In the order in which SymPy writes summands, so that evaluating the srepr gives the same sum."""
        return summands[0] if len(summands) == 1 else MatAdd(*MatAdd(*summands).as_ordered_terms())


class MatrixNotation(MatrixValued[tuple[Expr, ...]]):
    """n x V' matrices."""

    name = "matrix"

    def input(self, component: Component) -> tuple[Expr, ...]:
        source = self.tensors.source
        return (source, self.tensors.W_E.T) if self.model.embedding else (source,)

    def head(self, component: Component, x: tuple[Expr, ...]) -> tuple[Expr, ...]:
        pattern, circuit = self.head_tensors(component)
        return (pattern, *x, circuit.T)

    def bilinear(self, component: Component, x: tuple[Expr, ...], y: tuple[Expr, ...]) -> tuple[Expr, ...]:
        layer = self.layer(component)
        hidden = HadamardProduct(matrix_product((*x, layer.W_1.T)), matrix_product((*y, layer.W_2.T)))
        return (hidden,) if layer.W_out is None else (hidden, layer.W_out.T)

    def output(self, value: tuple[Expr, ...]) -> Expr:
        return matrix_product((*value, self.tensors.W_U.T) if self.model.unembedding else value)

    def heads(self, component: Component, x: tuple[Expr, ...], copies: Size) -> tuple[Expr, ...]:
        """The sum over all heads of a block, for the model as it stands."""
        pattern, circuit = self.head_tensors(component)
        _, symbol, count = self.head_symbols.pop()
        return (MatrixSum(matrix_product((pattern, *x, circuit.T)), (symbol, 0, count - 1)),)

    def add(self, values: Sequence[tuple[Expr, ...]]) -> tuple[Expr, ...]:
        """A sum that is not multiplied out."""
        return values[0] if len(values) == 1 else (MatAdd(*map(matrix_product, values)),)
