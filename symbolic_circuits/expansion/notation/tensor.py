r"""Tensor notation: the output at position s as a vector, x ._12 B ._21 y for a layer, sum_u A_{su} W_OV ._21 x_u for a head.

A value maps a position to the vector there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sympy import Add, Expr, Symbol

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.index import LETTERS, output_indices
from symbolic_circuits.expansion.notation.writer import Notation, fresh_index
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.sums import IndexSum

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["TensorNotation"]

Vector: TypeAlias = Callable[[Symbol], Expr]


class TensorNotation(Notation[Vector]):
    """Arrays of shape (V',) with the free index s."""

    name = "tensor"

    def write(self, term: "Term") -> Expr:
        self.positions = 0
        return super().write(term)

    def new_position(self) -> Symbol:
        """A new position to sum over."""
        symbol = fresh_index(LETTERS["position"], self.positions, self.size_names)
        self.positions += 1
        return symbol

    def input(self, component: Component) -> Vector:
        source, W_E = self.tensors.source, self.tensors.W_E
        if not self.model.embedding:
            return lambda s: Row(source, s)
        return lambda s: TensorDot(W_E, 2, Row(source, s), 1)

    def head(self, component: Component, x: Vector) -> Vector:
        pattern, circuit = self.head_tensors(component)

        def vector(s: Symbol) -> Expr:
            u = self.new_position()
            return IndexSum(pattern[s, u] * TensorDot(circuit, 2, x(u), 1), (u, 0, self.model.n - 1))

        return vector

    def bilinear(self, component: Component, x: Vector, y: Vector) -> Vector:
        B = self.layer(component).B
        return lambda s: TensorDot(TensorDot(x(s), 1, B, 2), 2, y(s), 1)

    def output(self, value: Vector) -> Expr:
        vector = value(output_indices(self.model)[0])
        return TensorDot(self.tensors.W_U, 2, vector, 1) if self.model.unembedding else vector

    def sum_over_heads(self, expr: Expr, limits: list[tuple[Symbol, Expr, Expr]]) -> Expr:
        return IndexSum(expr, *limits)

    def total(self, summands: list[Expr]) -> Expr:
        return Add(*summands)
