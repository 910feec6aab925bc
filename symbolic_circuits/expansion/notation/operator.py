r"""Operator notation: heads are A (x) W_OV, and (A2 (x) W2)(A1 (x) W1) = A2 A1 (x) W2 W1; bilinear layers are B(x, y).

With row-major vec, (A (x) W) vec(X) = vec(A X W^T), (x) being SymPy's KroneckerProduct. A model that is linear in its input (heads
and norms, but neither bilinear layers nor biases) is a sum of such operators on vec(t), and is written so; otherwise the terms are the
columns that they give.

| component | operator or column |
| --- | --- |
| norm | diag(r) (x) diag(w) C |
| bias | (Id (x) b) 1, with 1 the column of n ones |
| head at the constant | (A (x) b_OV) 1 |
| head, pattern expanded | f (M . (X W_QK Y^T)) (x) W_OV: its scores are in matrix notation |
| bilinear layer, right input the constant | Id (x) W_L |
| layer with gates | B(vec G, x) |
| scores | f (A (x) A') (t (x) t) vec(W_E^T W_OV^T W_QK W_OV' W_E) for paths of heads and norms, f vec(X W_QK Y^T) for others |
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from sympy import DiagMatrix, Expr, HadamardProduct, Identity, KroneckerProduct, MatMul, S

from symbolic_circuits.expansion.constant import ONE, One
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.matrix import (
    Factors,
    MatrixNotation,
    MatrixValued,
    apart,
    matrix_product,
    scalars,
    transposed,
)
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.spec import Bilinear, Transformer
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.vec import Vec

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["Operator", "OperatorNotation", "is_linear"]


def is_linear(model: Transformer) -> bool:
    """Whether the model is a linear operator on its input, given what is held fixed.

    >>> is_linear(Transformer.parse("[rms_norm] attn(2)")), is_linear(Transformer.parse("attn(2, b_O)"))
    (True, False)
    """
    specs = [spec for _, spec in model.numbered()]
    polynomial = any(isinstance(spec, Bilinear) or spec.is_polynomial for spec in specs)
    added = any(spec.biases for spec in specs) or model.output_bias or model.positions == "learned"
    return not (polynomial or added or (model.norm == "layer" and model.gains))


class Operator(NamedTuple):
    """number (product of positions (x) product of channels) argument; an empty product is the identity."""

    positions: Factors  # n x n, and numbers
    channels: Factors  # from the width of the argument to the width of the result
    argument: Expr  # a column, row-major over (position, channel)


class OperatorNotation(MatrixValued[Operator | One]):
    """Operators on vec(t), or columns of n V' entries."""

    name = "operator"

    def __init__(self, tensors: ModelTensors) -> None:
        super().__init__(tensors)
        self.matrices = ScoresInMatrices(tensors)

    @property
    def is_linear(self) -> bool:
        """Whether the model is a linear operator on its input."""
        return is_linear(self.model)

    def tree_value(self, term: "Term") -> Operator | One | Factors:
        """The value of a term; of scores in a layer, queries and keys are written as matrices."""
        component, inputs = term
        if component.kind == "attn" and len(inputs) > 1:
            self.matrices.head_symbols = self.head_symbols
            pairs = [self.matrices.tree_value(x) for x in inputs[:-1]]
            return self.attention(component, [*pairs, self.tree_value(inputs[-1])])
        if component.kind == "scores" and not (len(inputs) == 2 and all(map(is_path, inputs))):
            self.matrices.head_symbols = self.head_symbols
            return self.matrices.tree_value(term)
        return super().tree_value(term)

    def input(self, component: Component) -> Operator | One:
        if component.kind == "one":
            return ONE
        if component.kind == "position":
            return Operator((), (), Vec(self.tensors.W_pos))
        if component.kind == "input":
            return Operator((), (self.tensors.W_E,) if self.model.embedding else (), Vec(self.tensors.source))
        scale, bias = self.own_bias(component)
        return Operator(() if scale == S.One else (scale,), (bias,), self.tensors.ones)

    def read(self, x: Operator | One, weights: Expr | None, bias: Expr | None) -> Operator:
        """(Id (x) W) x, or of the constant (Id (x) b) 1."""
        return Operator((), (bias,), self.tensors.ones) if x is ONE else x._replace(channels=(weights, *x.channels))

    def head(self, component: Component, x: Operator | One) -> Operator:
        head = self.head_tensors(component)
        value = self.read(x, head.W_OV, head.b_OV)
        return value._replace(positions=(*scalars(head.scale), head.A, *value.positions))

    def attention(self, component: Component, inputs: Sequence[Factors | Operator | One]) -> Operator:
        """The scores behind a mask in place of A."""
        head = self.head_tensors(component)
        *numbers, scores = self.matrices.products(head.scores, inputs[:-1])
        pattern = HadamardProduct(self.tensors.mask, *(scores.args if isinstance(scores, HadamardProduct) else (scores,)))
        value = self.read(inputs[-1], head.W_OV, head.b_OV)
        return value._replace(positions=(*scalars(head.scale), *numbers, pattern, *value.positions))

    def scores(self, component: Component, inputs: Sequence[Operator | One]) -> Expr:
        """f (A (x) A') (X (x) Y) vec(W^T W_QK W') of a query (A (x) W) vec(X) and a key (A' (x) W') vec(Y)."""
        [scores] = self.head_tensors(component).scores
        query, key, middle = *inputs, (scores.W_QK,)
        if scores.W_QK is None:
            query, key = self.read(query, scores.W_Q, scores.b_Q), self.read(key, scores.W_K, scores.b_K)
            middle = () if scores.R is None else (self.matrices.rotated(scores.R, query.channels, key.channels),)
        numbers, positions = zip(*(apart(x.positions) for x in (query, key)), strict=True)
        factors = [Vec(matrix_product((*transposed(query.channels), *middle, *key.channels)))]
        factors.insert(0, KroneckerProduct(*(matrix_of(x.argument) for x in (query, key))))
        if any(positions):
            factors.insert(0, KroneckerProduct(*(matrix_product(x or (Identity(self.model.n),)) for x in positions)))
        return matrix_product((scores.factor, *sum(numbers, ()), *factors))

    def norm(self, component: Component, x: Operator) -> Operator:
        norm = self.tensors.norm(component.layer)
        width = (*(() if norm.w is None else (DiagMatrix(norm.w),)), *(() if norm.C is None else (norm.C,)))
        return Operator((DiagMatrix(norm.r), *x.positions), (*width, *x.channels), x.argument)

    def gated(self, component: Component, x: Operator | One) -> Operator:
        layer = self.layer(component)
        gates = Operator((), (), Vec(layer.G))
        return self.read(gates, layer.W_L, None) if x is ONE else self.pair(layer.B, gates, x)

    def bilinear(self, component: Component, x: Operator | One, y: Operator | One) -> Operator:
        layer = self.layer(component)
        if x is ONE:
            return self.read(y, layer.W_R, layer.b_B)
        return self.read(x, layer.W_L, None) if y is ONE else self.pair(layer.B, x, y)

    def pair(self, B: Expr, x: Operator, y: Operator) -> Operator:
        """B(x, y)."""
        return Operator((), (), ApplyBilinear(B, self.column(x), self.column(y)))

    def matrix(self, x: Operator) -> Expr:
        """The operator itself."""
        numbers, positions = apart(x.positions)
        n, d = Identity(self.model.n), Identity(self.model.d)
        operator = KroneckerProduct(matrix_product(positions or (n,)), matrix_product(x.channels or (d,)))
        return matrix_product((*numbers, operator))

    def column(self, x: Operator) -> Expr:
        """The operator applied to its argument."""
        if not (x.positions or x.channels):
            return x.argument
        operator = self.matrix(x)
        return MatMul(*(operator.args if isinstance(operator, MatMul) else (operator,)), x.argument)

    def output(self, value: Operator | One) -> Expr:
        if value is ONE or self.model.unembedding:
            value = self.read(value, self.tensors.W_U, self.tensors.b_U)
        return self.matrix(value) if self.is_linear else self.column(value)

    def scores_output(self, value: Expr | Factors) -> Expr:
        """A column of n n entries."""
        return self.matrices.scores_output(value) if isinstance(value, tuple) else value


def is_path(term: "Term") -> bool:
    """Whether a term is a path of heads and norms, or a leaf."""
    while len(term.inputs) == 1 and term.component.kind in ("attn", "norm"):
        term = term.inputs[0]
    return not term.inputs


def matrix_of(column: Expr) -> Expr:
    """The matrix of which a column is the vec; the constant is a column itself."""
    return column.matrix if isinstance(column, Vec) else column


class ScoresInMatrices(MatrixNotation):
    """Scores as matrices, their output the column of all entries."""

    name = "operator"

    def scores_output(self, value: Factors) -> Expr:
        numbers, matrices = apart(value)
        return matrix_product((*numbers, Vec(matrix_product(matrices))))
