r"""Matrix notation: heads A X W_OV^T, bilinear layers (X W_1^T . Y W_2^T) W_out^T, output X W_U^T; all of it plain SymPy.

| component | value |
| --- | --- |
| bias | 1 b^T |
| head at the constant | A 1 b_OV^T |
| head, pattern expanded | f (M . (X W_QK Y^T)) Z W_OV^T, with f = 1 / sqrt(e) |
| bilinear layer, right input the constant | (X W_1^T . 1 b_2^T) W_out^T |
| layer with gates | (G . X W_2^T) W_out^T |
| norm | diag(r) X C diag(w) |

A value is a tuple of factors of a product: matrices, and numbers.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Generic, TypeAlias, TypeVar

from sympy import DiagMatrix, Expr, HadamardProduct, Integer, MatAdd, MatMul, Mul, S, Symbol

from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.constant import ONE, One, WithOne
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.writer import Notation
from symbolic_circuits.expansion.tensors import BilinearTensors, ScoreTensors
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["Factors", "MatrixNotation", "MatrixValued", "apart", "matrix_multiple", "matrix_product", "scalars", "transposed"]

T = TypeVar("T")

Factors: TypeAlias = tuple[Expr, ...]


def matrix_product(factors: Factors) -> Expr:
    """The product of one or more matrices, unevaluated; numbers come first."""
    numbers, matrices = apart(factors)
    number = Mul(*numbers)
    return matrices[0] if number == S.One and len(matrices) == 1 else MatMul(*(() if number == S.One else (number,)), *matrices)


def apart(factors: Factors) -> tuple[Factors, Factors]:
    """The numbers and the matrices among factors."""
    return tuple(x for x in factors if not x.is_Matrix), tuple(x for x in factors if x.is_Matrix)


def scalars(scale: Symbol | None) -> Factors:
    """A number of the model as factors."""
    return () if scale is None else (scale,)


def transposed(factors: Factors) -> Factors:
    """The factors of the transpose; diagonal matrices are symmetric."""
    numbers, matrices = apart(factors)
    return (*numbers, *(x if isinstance(x, DiagMatrix) else x.T for x in reversed(matrices)))


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


class MatrixNotation(MatrixValued[Factors]):
    """n x V' matrices."""

    name = "matrix"

    def input(self, component: Component) -> Factors | One:
        tensors = self.tensors
        if component.kind == "one":
            return ONE
        if component.kind == "position":
            return (tensors.W_pos,)
        if component.kind == "input":
            return (tensors.source, tensors.W_E.T) if self.model.embedding else (tensors.source,)
        scale, bias = self.own_bias(component)
        return (scale, tensors.ones, bias.T)

    def read(self, x: Factors | One, weights: Expr, bias: Expr | None) -> Factors:
        """X W^T, or of the constant 1 b^T."""
        return (self.tensors.ones, bias.T) if x is ONE else (*x, weights.T)

    def head(self, component: Component, x: Factors | One) -> Factors:
        head = self.head_tensors(component)
        return (*scalars(head.scale), head.A, *self.read(x, head.W_OV, head.b_OV))

    def attention(self, component: Component, inputs: Sequence[Factors | One]) -> Factors:
        """The scores behind a mask in place of A."""
        head = self.head_tensors(component)
        *factors, scores = self.products(head.scores, inputs[:-1])
        pattern = HadamardProduct(self.tensors.mask, *(scores.args if isinstance(scores, HadamardProduct) else (scores,)))
        return (*scalars(head.scale), *factors, pattern, *self.read(inputs[-1], head.W_OV, head.b_OV))

    def scores(self, component: Component, inputs: Sequence[Factors | One]) -> Factors:
        *numbers, product = self.products(self.head_tensors(component).scores, inputs)
        return (*numbers, *(product.args if isinstance(product, MatMul) else (product,)))

    def products(self, scores: Sequence[ScoreTensors], inputs: Sequence[Factors | One]) -> Factors:
        """Numbers, and the product of queries and keys; or the elementwise product of two such."""
        found = [self.product(s, *inputs[2 * k : 2 * k + 2]) for k, s in enumerate(scores)]
        numbers, matrices = zip(*(apart(factors) for factors in found), strict=True)
        products = [matrix_product(factors) for factors in matrices]
        return (*chain.from_iterable(numbers), products[0] if len(products) == 1 else HadamardProduct(*products))

    def product(self, scores: ScoreTensors, x: Factors | One, y: Factors | One) -> Factors:
        """Q K^T, the products of a query and a key."""
        if scores.W_QK is not None:
            return (scores.factor, *x, scores.W_QK, *transposed(y))
        query, key = self.read(x, scores.W_Q, scores.b_Q), self.read(y, scores.W_K, scores.b_K)
        found = (*query, *transposed(key)) if scores.R is None else (self.rotated(scores.R, query, key),)
        return (scores.factor, *found)

    def rotated(self, R: MatrixFamily, query: Factors, key: Factors) -> Expr:
        """The products of queries and keys that are rotated."""
        raise NotationError(
            f"{self.name} notation has no products of queries and keys at rotary positions: they take one matrix for every offset, "
            "W_QK(delta) = W_Q^T R(delta) W_K; use index or tensor notation, where positions are indices"
        )

    def norm(self, component: Component, x: Factors) -> Factors:
        norm = self.tensors.norm(component.layer)
        centering = () if norm.C is None else (norm.C,)
        return (DiagMatrix(norm.r), *x, *centering, *(() if norm.w is None else (DiagMatrix(norm.w),)))

    def gated(self, component: Component, x: Factors | One) -> Factors:
        layer = self.layer(component)
        return self.written(layer, HadamardProduct(layer.G, matrix_product(self.read(x, layer.W_2, layer.b_2))))

    def bilinear(self, component: Component, x: Factors | One, y: Factors | One) -> Factors:
        layer = self.layer(component)
        if x is ONE and y is ONE:
            return (self.tensors.ones, *self.written(layer, HadamardProduct(layer.b_1.T, layer.b_2.T)))
        left, right = self.read(x, layer.W_1, layer.b_1), self.read(y, layer.W_2, layer.b_2)
        return self.written(layer, HadamardProduct(matrix_product(left), matrix_product(right)))

    def written(self, layer: BilinearTensors, hidden: Expr) -> Factors:
        """What a layer writes: H W_out^T."""
        return (hidden,) if layer.W_out is None else (hidden, layer.W_out.T)

    def output(self, value: Factors | One | WithOne) -> Expr:
        if isinstance(value, WithOne):
            return MatAdd(self.output(value.stream), self.output(ONE))
        if value is ONE:
            return matrix_product((self.tensors.ones, self.tensors.b_U.T))
        return matrix_product((*value, self.tensors.W_U.T) if self.model.unembedding else value)

    def scores_output(self, value: Factors) -> Expr:
        return matrix_product(value)
