r"""Operator notation: heads are A (x) W_OV, and (A2 (x) W2)(A1 (x) W1) = A2 A1 (x) W2 W1; bilinear layers are B(x, y).

With row-major vec, (A (x) W) vec(X) = vec(A X W^T), (x) being SymPy's KroneckerProduct. A model without bilinear layers is a
sum of such operators on vec(t), and is written so; otherwise the terms are the columns that they give.
"""

from typing import NamedTuple

from sympy import Expr, Identity, KroneckerProduct, MatMul

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.matrix import MatrixValued, matrix_product
from symbolic_circuits.spec import Bilinear
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.vec import Vec

__all__ = ["OperatorNotation"]


class Operator(NamedTuple):
    """(product of positions (x) product of channels) argument; an empty product is the identity."""

    positions: tuple[Expr, ...]  # n x n
    channels: tuple[Expr, ...]  # from the width of the argument to the width of the result
    argument: Expr  # a column, row-major over (position, channel)


class OperatorNotation(MatrixValued[Operator]):
    """Operators on vec(t), or columns of n V' entries."""

    name = "operator"

    @property
    def is_linear(self) -> bool:
        """Whether the model is a linear operator on its input."""
        return not any(isinstance(spec, Bilinear) for _, spec in self.model.numbered())

    def input(self, component: Component) -> Operator:
        return Operator((), (self.tensors.W_E,) if self.model.embedding else (), Vec(self.tensors.source))

    def head(self, component: Component, x: Operator) -> Operator:
        pattern, circuit = self.head_tensors(component)
        return Operator((pattern, *x.positions), (circuit, *x.channels), x.argument)

    def bilinear(self, component: Component, x: Operator, y: Operator) -> Operator:
        return Operator((), (), ApplyBilinear(self.layer(component).B, self.column(x), self.column(y)))

    def matrix(self, x: Operator) -> Expr:
        """The operator itself."""
        n, d = Identity(self.model.n), Identity(self.model.d)
        return KroneckerProduct(matrix_product(x.positions or (n,)), matrix_product(x.channels or (d,)))

    def column(self, x: Operator) -> Expr:
        """The operator applied to its argument."""
        return MatMul(self.matrix(x), x.argument) if x.positions or x.channels else x.argument

    def output(self, value: Operator) -> Expr:
        if self.model.unembedding:
            value = value._replace(channels=(self.tensors.W_U, *value.channels))
        return self.matrix(value) if self.is_linear else self.column(value)
