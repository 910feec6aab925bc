r"""Tensor notation: the output at position s as a vector, x ._12 B ._21 y for a layer, sum_u A_{su} W_OV ._21 x_u for a head.

A value maps a position to the vector there. Scores are the numbers x_s ._11 W_QK ._21 y_u.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sympy import Add, DiagMatrix, Expr, Mul, Symbol

from symbolic_circuits.expansion.constant import ONE, One
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.index import LETTERS, output_indices, score_indices
from symbolic_circuits.expansion.notation.writer import Notation, fresh_index
from symbolic_circuits.expansion.tensors import HeadTensors, ScoreTensors
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.sums import IndexSum

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["TensorNotation"]

Vector: TypeAlias = Callable[[Symbol], Expr]


def as_vector(column: Expr) -> Row:
    """A column as an array of one axis."""
    return Row(column.T, 0)


def pair(B: Expr, x: Vector, y: Vector) -> Vector:
    """x ._12 B ._21 y."""
    return lambda s: TensorDot(TensorDot(x(s), 1, B, 2), 2, y(s), 1)


class TensorNotation(Notation[Vector]):
    """Arrays of shape (V',) with the free index s; of scores, numbers with the free indices s and u."""

    name = "tensor"

    def write(self, term: "Term") -> Expr:
        self.positions = 1 if term.component.kind == "scores" else 0
        return super().write(term)

    def new_position(self) -> Symbol:
        """A new position to sum over."""
        symbol = fresh_index(LETTERS["position"], self.positions, self.size_names)
        self.positions += 1
        return symbol

    def input(self, component: Component) -> Vector | One:
        tensors = self.tensors
        if component.kind == "one":
            return ONE
        if component.kind == "position":
            return lambda s: Row(tensors.W_pos, s)
        if component.kind == "input":
            if not self.model.embedding:
                return lambda s: Row(tensors.source, s)
            return lambda s: TensorDot(tensors.W_E, 2, Row(tensors.source, s), 1)
        scale, bias = self.own_bias(component)
        return lambda s: scale * as_vector(bias)

    def read(self, x: Vector | One, weights: Expr | None, bias: Expr | None) -> Vector:
        """W ._21 x_s, or of the constant b."""
        return (lambda s: as_vector(bias)) if x is ONE else (lambda s: TensorDot(weights, 2, x(s), 1))

    def head(self, component: Component, x: Vector | One) -> Vector:
        head = self.head_tensors(component)
        return self.mixed(head, lambda s, u: head.A[s, u], x)

    def attention(self, component: Component, inputs: Sequence[Vector | One]) -> Vector:
        """M_{su} S_{su} in place of A_{su}."""
        head = self.head_tensors(component)
        scores = self.products(head, inputs[:-1])
        return self.mixed(head, lambda s, u: self.tensors.mask[s, u] * scores(s, u), inputs[-1])

    def mixed(self, head: HeadTensors, pattern: Callable[[Symbol, Symbol], Expr], x: Vector | One) -> Vector:
        """sum_u A_{su} W_OV ._21 x_u."""
        moved = self.read(x, head.W_OV, head.b_OV)

        def vector(s: Symbol) -> Expr:
            u = self.new_position()
            value = IndexSum(pattern(s, u) * moved(u), (u, 0, self.model.n - 1))
            return value if head.scale is None else head.scale * value

        return vector

    def scores(self, component: Component, inputs: Sequence[Vector | One]) -> Callable[[Symbol, Symbol], Expr]:
        return self.products(self.head_tensors(component), inputs)

    def products(self, head: HeadTensors, inputs: Sequence[Vector | One]) -> Callable[[Symbol, Symbol], Expr]:
        """S_{su}, or the product of two such."""
        found = [self.product(scores, *inputs[2 * k : 2 * k + 2]) for k, scores in enumerate(head.scores)]
        return lambda s, u: Mul(*(product(s, u) for product in found))

    def product(self, scores: ScoreTensors, x: Vector | One, y: Vector | One) -> Callable[[Symbol, Symbol], Expr]:
        """The product of the query at s and the key at u."""
        if scores.W_QK is not None:
            return lambda s, u: scores.factor * TensorDot(TensorDot(x(s), 1, scores.W_QK, 1), 1, y(u), 1)
        query, key = self.read(x, scores.W_Q, scores.b_Q), self.read(y, scores.W_K, scores.b_K)
        if scores.R is None:
            return lambda s, u: scores.factor * TensorDot(query(s), 1, key(u), 1)
        turned = lambda z, s: TensorDot(scores.R[s], 2, z(s), 1)  # noqa: E731
        return lambda s, u: scores.factor * TensorDot(turned(query, s), 1, turned(key, u), 1)

    def norm(self, component: Component, x: Vector) -> Vector:
        norm = self.tensors.norm(component.layer)
        value = x if norm.C is None else self.read(x, norm.C, None)
        gained = value if norm.w is None else self.read(value, DiagMatrix(norm.w), None)
        return lambda s: norm.r[s, 0] * gained(s)

    def gated(self, component: Component, x: Vector | One) -> Vector:
        """Linear in gates and in x, so that it reads as a bilinear layer does."""
        layer = self.layer(component)
        gates = lambda s: Row(layer.G, s)  # noqa: E731
        return self.read(gates, layer.W_L, None) if x is ONE else pair(layer.B, gates, x)

    def bilinear(self, component: Component, x: Vector | One, y: Vector | One) -> Vector:
        layer = self.layer(component)
        if x is ONE:
            return self.read(y, layer.W_R, layer.b_B)
        return self.read(x, layer.W_L, None) if y is ONE else pair(layer.B, x, y)

    def output(self, value: Vector | One) -> Expr:
        s = output_indices(self.model)[0]
        if value is ONE or self.model.unembedding:
            return self.read(value, self.tensors.W_U, self.tensors.b_U)(s)
        return value(s)

    def scores_output(self, value: Callable[[Symbol, Symbol], Expr]) -> Expr:
        return value(*score_indices(self.model))

    def sum_over_heads(self, expr: Expr, limits: list[tuple[Symbol, Expr, Expr]]) -> Expr:
        return IndexSum(expr, *limits)

    def total(self, summands: list[Expr]) -> Expr:
        return Add(*summands)
