"""The terms of a query as sums of blocks inside products, nothing multiplied out: the product grammar in matrix notation."""

from collections.abc import Callable, Sequence

from sympy import Expr, MatAdd

from symbolic_circuits.axes import Size
from symbolic_circuits.expansion.constant import ONE, One, WithOne, separated
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.contracted import ContractedNotation
from symbolic_circuits.expansion.notation.matrix import Factors, matrix_multiple, matrix_product
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["FactoredNotation"]


class FactoredNotation(ContractedNotation):
    """Matrix notation in which sums can have integer multiples: pairs of different terms of a layer with tied weights."""

    def scale(self, factor: int, x: Factors) -> Factors:
        return (matrix_multiple(factor, matrix_product(x)),)

    def heads(self, component: Component, x: Factors | One, copies: Size) -> Factors:
        """The sum over all heads of a block, for the model as it stands."""
        return self.over_heads(lambda: self.head(component, x))

    def attention_heads(self, component: Component, inputs: Sequence[Factors | One], copies: Size) -> Factors:
        return self.over_heads(lambda: self.attention(component, inputs))

    def over_heads(self, one_head: Callable[[], Factors]) -> Factors:
        """The sum over a new head symbol."""
        value = matrix_product(one_head())
        _, symbol, count = self.head_symbols.pop()
        return (MatrixSum(value, (symbol, 0, count - 1)),)

    def add(self, values: Sequence[Factors | One | WithOne]) -> Factors | One | WithOne:
        """A sum that is not multiplied out."""
        streams, has_one = separated(values)
        if not streams:
            return ONE
        total = streams[0] if len(streams) == 1 else (MatAdd(*map(matrix_product, streams)),)
        return WithOne(total) if has_one else total

    def total_of(self, value: Factors | WithOne, root: Component | None) -> Expr:
        """The expression of the sum of all terms: of the output, or of scores."""
        return self.output(value) if root is None else self.scores_output(value)
