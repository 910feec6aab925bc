r"""A model as tensor networks: X_l, the residual stream after step l, defined by X_{l-1}; terms as networks of the weights.

| operation | network |
| --- | --- |
| input | t_{sv} (W_E)_{av}, or X_{sa} |
| position; bias | (W_pos)_{sa}; 1_s b_a, times alpha where the block has a scale |
| head h | A_{hsu} (W_OV)_{hab} x_{ub}; summed over h where the head is left open |
| head h, pattern expanded | the same with M_{su} S_{su}, or M_{su} S_{su} S'_{su}, for A_{hsu} |
| scores | S_{su} = (W_QK)_{hab} x_{sa} y_{ub} / sqrt(e); with rotations R_{sca} (W_Q)_{haj} x_{sj} and R_{ucb} (W_K)_{hbk} y_{uk}, joined at c |
| norm | r_s x_{sb} C_{ba} w_a |
| bilinear layer | (W_out)_{ip} (W_1)_{pj} (W_2)_{pk} x_{sj} y_{sk} |
| layer with gates | (W_out)_{ip} G_{sp} (W_2)_{pk} x_{sk} |
| output | (W_U)_{va} x_{sa} |

What reads the constant has its bias in place of W x: 1_s b_a.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from sympy import Expr, MatrixSymbol

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.scalar import number
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.axes import Size
from symbolic_circuits.expansion.constant import ONE, One, WithOne, separated
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.expansion.tensors import ModelTensors, ScoreTensors
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.lowering import Lowering

__all__ = ["Networks", "axis_of", "einsum"]


def axis_of(size: Size) -> Axis:
    """The axis of a size."""
    if isinstance(size, int) or size.is_Integer:
        return () if size == 1 else (int(size),)
    return (size.name,)


def einsum(subscripts: str, *values: Open) -> Open:
    """Axes of one letter are one, and summed where the output does not have it: the meaning of numpy.einsum."""
    inputs, output = subscripts.split("->")
    value, letters = reduce(Open.outer, values), list(inputs.replace(",", ""))
    while len(set(letters)) < len(letters):
        j = next(k for k, letter in enumerate(letters) if letter in letters[:k])
        value = value.identified(letters.index(letters[j]), j)
        letters.pop(j)
    value = value.summed(*(k for k, letter in enumerate(letters) if letter not in output))
    kept = [letter for letter in letters if letter in output]
    return value.permuted([kept.index(letter) for letter in output])


@dataclass
class Networks(Algebra[Open | One]):
    """Sums of networks of shape n x d."""

    tensors: ModelTensors

    def leaf(self, symbol: MatrixSymbol | MatrixFamily) -> Open:
        """The network of one tensor."""
        axes = [axis_of(size) for size in symbol.shape]
        return Open.of_tensor(Tensor(symbol.name, tuple(size for axis in axes for size in axis)), axes)

    def vector(self, symbol: MatrixSymbol) -> Open:
        """A column as an array of one axis."""
        return self.leaf(symbol).summed(1)

    def member(self, family: MatrixFamily, head: int | None) -> Open:
        """A matrix of a family; with a name for the head where it is left open."""
        value = self.leaf(family)
        if head is None:
            return value.with_name(0, "head") if value.axes[0] else value.summed(0)
        if not value.axes[0]:
            return value.summed(0)
        vector = Open.of_tensor(unit(head, value.axes[0][0]))
        return value.outer(vector).contracted(0, len(value.axes))

    def over_heads(self, component: Component, value: Open) -> Open:
        """The sum over heads where the head is left open."""
        if component.head is None and "head" in value.names:
            [size] = axis_of(component.spec.heads)
            value = value.sum_over_name("head", size)
        return value

    def scaled_by(self, factor: Expr | None, value: Open) -> Open:
        """A multiple by a scalar of the model."""
        return value if factor is None else Lowering().open(factor).outer(value)

    def constant(self, bias: Open) -> Open:
        """1_s b_a."""
        return Open.of_ones([axis_of(self.tensors.model.n)]).outer(bias)

    def read(self, x: Open | One, weights: Open, bias: Open | None) -> Open:
        """W x, or of the constant b."""
        return self.constant(bias.summed(1)) if x is ONE else einsum("sb,ab->sa", x, weights)

    def input(self, component: Component) -> Open | One:
        tensors = self.tensors
        if component.kind == "one":
            return ONE
        if component.kind == "position":
            return self.leaf(tensors.W_pos)
        if component.kind == "normbias":
            return self.constant(self.vector(tensors.norm(component.layer).b))
        if component.kind == "bias":
            scale, vector = tensors.own_bias(component.layer)
            return self.scaled_by(scale, self.constant(self.vector(vector)))
        source = self.leaf(tensors.source)
        if not tensors.model.embedding:
            return source
        return source.outer(self.leaf(tensors.W_E)).contracted(1, 3)

    def head(self, component: Component, x: Open | One) -> Open:
        return self.moved(component, self.member(self.tensors.block(component.layer).A, component.head), x)

    def moved(self, component: Component, pattern: Open, x: Open | One) -> Open:
        """A x W_OV^T, or A 1 b_OV^T, of one head or summed over heads."""
        block = self.tensors.block(component.layer)
        if x is ONE:
            value = einsum("su,ab->sa", pattern, self.member(block.b_OV, component.head))
        else:
            weights = self.member(block.W_OV, component.head)
            value = pattern.outer(weights).outer(x).contracted(1, 4).contracted(2, 3)  # s u, a b, u b
        return self.scaled_by(block.scale, self.over_heads(component, value))

    def heads(self, component: Component, x: Open | One, copies: Size) -> Open:
        return self.head(component, x)

    def attention(self, component: Component, inputs: Sequence[Open | One]) -> Open:
        *pairs, value = inputs
        pattern = einsum("su,su->su", self.leaf(self.tensors.mask), self.product(component, pairs))
        return self.moved(component, pattern, value)

    def attention_heads(self, component: Component, inputs: Sequence[Open | One], copies: Size) -> Open:
        return self.attention(component, inputs)

    def scores(self, component: Component, inputs: Sequence[Open | One]) -> Open:
        return self.over_heads(component, self.product(component, inputs))

    def product(self, component: Component, pairs: Sequence[Open | One]) -> Open:
        """S_{su}, or the product of two."""
        scores = self.tensors.block(component.layer).scores
        found = [self.score(component, s, *pairs[2 * k : 2 * k + 2]) for k, s in enumerate(scores)]
        return reduce(lambda x, y: einsum("su,su->su", x, y), found)

    def score(self, component: Component, scores: ScoreTensors, x: Open | One, y: Open | One) -> Open:
        """The product of a query and a key."""
        W_QK, W_Q, W_K, b_Q, b_K = (family and self.member(family, component.head) for family in scores.families)
        if W_QK is not None:
            value = einsum("sa,ab,ub->su", x, W_QK, y)
        else:
            query, key = self.read(x, W_Q, b_Q), self.read(y, W_K, b_K)
            if scores.R is not None:
                query, key = (einsum("sca,sa->sc", self.leaf(scores.R), z) for z in (query, key))
            value = einsum("sc,uc->su", query, key)
        return self.scaled_by(scores.factor, value)

    def norm(self, component: Component, x: Open) -> Open:
        norm = self.tensors.norm(component.layer)
        value = einsum("s,sa->sa", self.vector(norm.r), x)
        value = value if norm.C is None else einsum("sb,ba->sa", value, self.leaf(norm.C))
        return value if norm.w is None else einsum("sa,a->sa", value, self.vector(norm.w))

    def gated(self, component: Component, x: Open | One) -> Open:
        block = self.tensors.block(component.layer)
        right = self.read(x, self.leaf(block.W_2), block.b_2 and self.leaf(block.b_2))
        return self.written(component, einsum("sp,sp->sp", self.leaf(block.G), right))

    def bilinear(self, component: Component, x: Open | One, y: Open | One) -> Open:
        block = self.tensors.block(component.layer)
        left = self.read(x, self.leaf(block.W_1), block.b_1 and self.leaf(block.b_1))  # s p
        right = self.read(y, self.leaf(block.W_2), block.b_2 and self.leaf(block.b_2))
        return self.written(component, left.outer(right).identified(0, 2).identified(1, 2))

    def written(self, component: Component, hidden: Open) -> Open:
        """W_out of what a layer computes."""
        W_out = self.tensors.block(component.layer).W_out
        return hidden if W_out is None else hidden.outer(self.leaf(W_out)).contracted(1, 3)

    def add(self, values: Sequence[Open | One | WithOne]) -> Open | One | WithOne:
        streams, has_one = separated(values)
        if not streams:
            return ONE
        total = reduce(Open.plus, streams)
        return WithOne(total) if has_one else total

    def scale(self, factor: int, x: Open) -> Open:
        return x.scaled(number(factor))

    def output(self, x: Open | One | WithOne) -> Open:
        """The unembedding in front, and its bias."""
        if x is ONE:
            return self.constant(self.vector(self.tensors.b_U))
        if isinstance(x, WithOne):
            return self.output(x.stream).plus(self.output(ONE))
        W_U = self.tensors.W_U
        return x.outer(self.leaf(W_U)).contracted(1, 3) if isinstance(W_U, MatrixSymbol) else x
