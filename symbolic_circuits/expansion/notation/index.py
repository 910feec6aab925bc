r"""Index notation: the entry (s, v) of the output as a sum over all other indices, B_{ijk} x_{sj} y_{sk} at position s.

| letter | runs over |
| --- | --- |
| s, u, r, q, ... | positions |
| i, j, k, l, ... | residual axis (b where it is the output's) |
| v, w, y, z, ... | vocabulary |

A value maps a position and a residual index to the factors of the entry, and the indices that they are summed over.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from sympy import Add, Expr, Mul, Symbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.writer import Notation, fresh_index
from symbolic_circuits.spec import Transformer
from symbolic_circuits.syntax.sums import IndexSum

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["IndexNotation", "output_indices"]

Entry: TypeAlias = Callable[[Symbol, Symbol], list[Expr]]

LETTERS = {"position": "urq", "residual": "ijkl", "vocabulary": "wyz"}


def output_indices(model: Transformer) -> tuple[Symbol, Symbol]:
    """The free indices of the output, which are not summed over: s, and v (b for a model without unembedding).

    A size of that name gets the letter: the index is then s_1.
    """
    taken = {symbol.name for symbol in model.symbolic_sizes}
    return fresh_index("s", 0, taken), fresh_index("v" if model.unembedding else "b", 0, taken)


class IndexNotation(Notation[Entry]):
    """Scalars with the free indices s and v (b without unembedding)."""

    name = "index"

    def write(self, term: "Term") -> Expr:
        self.counts = {"position": 0, "residual": 0, "vocabulary": 0}
        self.limits: list[tuple[Symbol, int, Expr]] = []
        return super().write(term)

    def new(self, kind: str, size: Expr) -> Symbol:
        """A new summation index."""
        symbol = fresh_index(LETTERS[kind], self.counts[kind], self.size_names)
        self.counts[kind] += 1
        self.limits.append((symbol, 0, size - 1))
        return symbol

    def input(self, component: Component) -> Entry:
        source, W_E = self.tensors.source, self.tensors.W_E

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            if not self.model.embedding:
                return [source[s, i]]
            w = self.new("vocabulary", self.model.V)
            return [W_E[i, w], source[s, w]]

        return entry

    def head(self, component: Component, x: Entry) -> Entry:
        pattern, circuit = self.head_tensors(component)

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            u, j = self.new("position", self.model.n), self.new("residual", self.model.d)
            return [pattern[s, u], circuit[i, j], *x(u, j)]

        return entry

    def bilinear(self, component: Component, x: Entry, y: Entry) -> Entry:
        B = self.layer(component).B

        def entry(s: Symbol, i: Symbol) -> list[Expr]:
            j, k = self.new("residual", self.model.d), self.new("residual", self.model.d)
            return [ArrayElement(B, (i, j, k)), *x(s, j), *y(s, k)]

        return entry

    def output(self, value: Entry) -> Expr:
        s, v = output_indices(self.model)
        if self.model.unembedding:
            i = self.new("residual", self.model.d)
            factors = [self.tensors.W_U[v, i], *value(s, i)]
        else:
            factors = value(s, v)
        return IndexSum(Mul(*factors), *self.limits) if self.limits else Mul(*factors)

    def sum_over_heads(self, expr: Expr, limits: list[tuple[Symbol, Expr, Expr]]) -> Expr:
        return IndexSum(expr, *limits)

    def total(self, summands: list[Expr]) -> Expr:
        return Add(*summands)
