r"""A model as tensor networks: X_l, the residual stream after step l, defined by X_{l-1}; terms as networks of the weights.

| operation | network |
| --- | --- |
| input | t_{sv} (W_E)_{av}, or X_{sa} |
| head h | A_{hsu} (W_OV)_{hab} x_{ub}; summed over h where the head is left open |
| bilinear layer | (W_out)_{ip} (W_1)_{pj} (W_2)_{pk} x_{sj} y_{sk} |
| output | (W_U)_{va} x_{sa} |
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from sympy import MatrixSymbol

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.scalar import number
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.axes import Size
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["Networks", "axis_of"]


def axis_of(size: Size) -> Axis:
    """The axis of a size."""
    if isinstance(size, int) or size.is_Integer:
        return () if size == 1 else (int(size),)
    return (size.name,)


@dataclass
class Networks(Algebra[Open]):
    """Sums of networks of shape n x d."""

    tensors: ModelTensors

    def leaf(self, symbol: MatrixSymbol | MatrixFamily) -> Open:
        """The network of one tensor."""
        axes = [axis_of(size) for size in symbol.shape]
        return Open.of_tensor(Tensor(symbol.name, tuple(size for axis in axes for size in axis)), axes)

    def member(self, family: MatrixFamily, head: int | None) -> Open:
        """A matrix of a family; with a name for the head where it is left open."""
        value = self.leaf(family)
        if head is None:
            return value.with_name(0, "head") if value.axes[0] else value.summed(0)
        if not value.axes[0]:
            return value.summed(0)
        vector = Open.of_tensor(unit(head, value.axes[0][0]))
        return value.outer(vector).contracted(0, len(value.axes))

    def input(self, component: Component) -> Open:
        source = self.leaf(self.tensors.source)
        if not self.tensors.model.embedding:
            return source
        return source.outer(self.leaf(self.tensors.W_E)).contracted(1, 3)

    def head(self, component: Component, x: Open) -> Open:
        block = self.tensors.block(component.layer)
        pattern, weights = (self.member(family, component.head) for family in (block.A, block.W_OV))
        value = pattern.outer(weights).outer(x).contracted(1, 4).contracted(2, 3)  # s u, a b, u b
        if component.head is None and "head" in value.names:
            [size] = axis_of(component.spec.heads)
            value = value.sum_over_name("head", size)
        return value

    def heads(self, component: Component, x: Open, copies: Size) -> Open:
        return self.head(component, x)

    def bilinear(self, component: Component, x: Open, y: Open) -> Open:
        block = self.tensors.block(component.layer)
        left = x.outer(self.leaf(block.W_1)).contracted(1, 3)  # s p
        right = y.outer(self.leaf(block.W_2)).contracted(1, 3)
        value = left.outer(right).identified(0, 2).identified(1, 2)
        if block.W_out is None:
            return value
        return value.outer(self.leaf(block.W_out)).contracted(1, 3)

    def add(self, values: Sequence[Open]) -> Open:
        return reduce(Open.plus, values)

    def scale(self, factor: int, x: Open) -> Open:
        return x.scaled(number(factor))

    def output(self, x: Open) -> Open:
        """The unembedding in front."""
        W_U = self.tensors.W_U
        return x.outer(self.leaf(W_U)).contracted(1, 3) if isinstance(W_U, MatrixSymbol) else x
