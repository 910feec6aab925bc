r"""Index notation: the entry (s, v) of the output as a sum over all other indices, B_{ijk} x_{sj} y_{sk} at position s.

| letter | runs over |
| --- | --- |
| s, u, r, q, ... | positions |
| i, j, k, l, ... | residual axis (b where it is the output's) |
| v, w, y, z, ... | vocabulary |
| p, a, c | hidden width of a layer, width of a head |

Scores have the entries (s, u).

A value maps a position and a residual index to the factors of the entry, and the indices that they are summed over.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from sympy import Add, Expr, Mul, Symbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.expansion.constant import ONE, One
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.matrix import scalars
from symbolic_circuits.expansion.notation.writer import Notation, fresh_index
from symbolic_circuits.expansion.tensors import HeadTensors, ScoreTensors
from symbolic_circuits.spec import Transformer
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["IndexNotation", "output_indices", "score_indices"]

Entry: TypeAlias = Callable[[Symbol, Symbol], list[Expr]]

LETTERS = {"position": "urq", "residual": "ijkl", "vocabulary": "wyz", "hidden": "p", "head": "ac"}


def output_indices(model: Transformer) -> tuple[Symbol, Symbol]:
    """The free indices of the output, which are not summed over: s, and v (b for a model without unembedding).

    A size of that name gets the letter: the index is then s_1.
    """
    taken = {symbol.name for symbol in model.symbolic_sizes}
    return fresh_index("s", 0, taken), fresh_index("v" if model.unembedding else "b", 0, taken)


def score_indices(model: Transformer) -> tuple[Symbol, Symbol]:
    """The free indices of scores: s of the query and u of the key."""
    taken = {symbol.name for symbol in model.symbolic_sizes}
    return fresh_index("s", 0, taken), fresh_index(LETTERS["position"], 0, taken)


class IndexNotation(Notation[Entry]):
    """Scalars with the free indices s and v (b without unembedding)."""

    name = "index"

    def write(self, term: "Term") -> Expr:
        self.counts = dict.fromkeys(LETTERS, 0) | {"position": term.component.kind == "scores"}
        self.limits: list[tuple[Symbol, int, Expr]] = []
        return super().write(term)

    def new(self, kind: str, size: Expr) -> Symbol:
        """A new summation index."""
        symbol = fresh_index(LETTERS[kind], self.counts[kind], self.size_names)
        self.counts[kind] += 1
        self.limits.append((symbol, 0, size - 1))
        return symbol

    def input(self, component: Component) -> Entry | One:
        tensors = self.tensors
        if component.kind == "one":
            return ONE
        if component.kind == "position":
            return lambda s, i: [tensors.W_pos[s, i]]
        if component.kind != "input":
            scale, bias = self.own_bias(component)
            return lambda s, i: [scale, bias[i, 0]]

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            if not self.model.embedding:
                return [tensors.source[s, i]]
            w = self.new("vocabulary", self.model.V)
            return [tensors.W_E[i, w], tensors.source[s, w]]

        return entry

    def read(self, x: Entry | One, weights: Expr | None, bias: Expr | None) -> Entry:
        """sum_j W_{ij} x_{sj}, or of the constant b_i."""
        if x is ONE:
            return lambda s, i: [bias[i, 0]]

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            j = self.new("residual", self.model.d)
            return [weights[i, j], *x(s, j)]

        return entry

    def head(self, component: Component, x: Entry | One) -> Entry:
        head = self.head_tensors(component)

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            u = self.new("position", self.model.n)
            return [*scalars(head.scale), head.A[s, u], *self.read(x, head.W_OV, head.b_OV)(u, i)]

        return entry

    def attention(self, component: Component, inputs: Sequence[Entry | One]) -> Entry:
        """M_{su} S_{su} in place of A_{su}."""
        head = self.head_tensors(component)

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            u = self.new("position", self.model.n)
            pattern = [self.tensors.mask[s, u], *self.products(head, inputs[:-1])(s, u)]
            return [*scalars(head.scale), *pattern, *self.read(inputs[-1], head.W_OV, head.b_OV)(u, i)]

        return entry

    def scores(self, component: Component, inputs: Sequence[Entry | One]) -> Entry:
        return self.products(self.head_tensors(component), inputs)

    def products(self, head: HeadTensors, inputs: Sequence[Entry | One]) -> Entry:
        """S_{su}, or the product of two such."""
        found = [self.product(scores, *inputs[2 * k : 2 * k + 2]) for k, scores in enumerate(head.scores)]
        return lambda s, u: [factor for product in found for factor in product(s, u)]

    def product(self, scores: ScoreTensors, x: Entry | One, y: Entry | One) -> Entry:
        """The product of the query at s and the key at u."""

        def entry(s: Symbol, u: Symbol) -> list[Expr]:
            if scores.W_QK is not None:
                i, j = self.new("residual", self.model.d), self.new("residual", self.model.d)
                return [scores.factor, scores.W_QK[i, j], *x(s, i), *y(u, j)]
            a = self.new("head", scores.W_Q.rows)
            query, key = self.read(x, scores.W_Q, scores.b_Q), self.read(y, scores.W_K, scores.b_K)
            query, key = (self.rotated(scores.R, z) for z in (query, key))
            return [scores.factor, *query(s, a), *key(u, a)]

        return entry

    def rotated(self, R: MatrixFamily | None, x: Entry) -> Entry:
        """sum_c (R_s)_{ac} x_{sc}; x itself without rotations."""
        if R is None:
            return x

        def entry(s: Symbol, a: Symbol) -> list[Expr]:
            c = self.new("head", R.shape[1])
            return [R[s][a, c], *x(s, c)]

        return entry

    def norm(self, component: Component, x: Entry) -> Entry:
        norm = self.tensors.norm(component.layer)
        centred = x if norm.C is None else self.read(x, norm.C, None)
        return lambda s, i: [norm.r[s, 0], *(() if norm.w is None else (norm.w[i, 0],)), *centred(s, i)]

    def gated(self, component: Component, x: Entry | One) -> Entry:
        layer = self.layer(component)

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            p = self.new("hidden", layer.G.cols)
            if x is ONE:
                return [layer.W_L[i, p], layer.G[s, p]]
            k = self.new("residual", self.model.d)
            return [ArrayElement(layer.B, (i, p, k)), layer.G[s, p], *x(s, k)]

        return entry

    def bilinear(self, component: Component, x: Entry | One, y: Entry | One) -> Entry:
        layer = self.layer(component)
        if x is ONE:
            return self.read(y, layer.W_R, layer.b_B)
        if y is ONE:
            return self.read(x, layer.W_L, None)

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            j, k = self.new("residual", self.model.d), self.new("residual", self.model.d)
            return [ArrayElement(layer.B, (i, j, k)), *x(s, j), *y(s, k)]

        return entry

    def output(self, value: Entry | One) -> Expr:
        s, v = output_indices(self.model)
        if value is ONE or self.model.unembedding:
            return self.summed(self.read(value, self.tensors.W_U, self.tensors.b_U)(s, v))
        return self.summed(value(s, v))

    def scores_output(self, value: Entry) -> Expr:
        return self.summed(value(*score_indices(self.model)))

    def summed(self, factors: list[Expr]) -> Expr:
        """The product of factors, summed over the indices that were made."""
        return IndexSum(Mul(*factors), *self.limits) if self.limits else Mul(*factors)

    def sum_over_heads(self, expr: Expr, limits: list[tuple[Symbol, Expr, Expr]]) -> Expr:
        return IndexSum(expr, *limits)

    def total(self, summands: list[Expr]) -> Expr:
        return Add(*summands)
