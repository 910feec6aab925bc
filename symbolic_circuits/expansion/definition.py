r"""A model as it is defined: $X_l = X_{l-1} + \sum_b b(X_{l-1})$ from step to step, read from the specification, nothing multiplied out.

It shares no code with the grammar, so that what is proved of terms is that they are the model's. Biases are what blocks read beside the
stream: x + 1 in place of x, of which a block's weights make W x + b.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import sympy

from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.spec import Attention, Bilinear, Transformer

__all__ = ["Definition"]

T = TypeVar("T")


@dataclass(frozen=True)
class Definition(Generic[T]):
    """The value of a model in an algebra that adds the constant to streams.

    >>> from symbolic_circuits.expansion.trees import Trees
    >>> len(Definition(Transformer.parse("attn(2) bilinear(b_1)"), Trees()).output())
    15
    """

    model: Transformer
    algebra: Algebra[T]
    left_open: frozenset[int] = frozenset()  # attention blocks whose heads are one component

    def output(self) -> T:
        """What W_U reads: the last stream, its norm, the constant for b_U."""
        *_, stream = self.streams()
        if self.model.has_final_norm:
            stream = self.normed(self.model.number_of_blocks, stream)
        return self.with_one(stream, self.model.output_bias)

    def scores(self, root: Component) -> T:
        """The scores of a head."""
        before = (
            stream for stream, step in zip(self.streams(), self.model.steps, strict=False) if root.layer in dict(step.blocks)
        )
        pairs = self.queries_and_keys(root.spec, self.read(root.layer, next(before)))
        return self.algebra.scores(root, pairs)

    def streams(self) -> Iterator[T]:
        """X_0, X_1, ..."""
        stream = self.leaf("input")
        if self.model.positions == "learned":
            stream = self.algebra.add([stream, self.leaf("position")])
        yield stream
        for step in self.model.steps:
            added = [self.block(index, spec, self.read(index, stream)) for index, spec in step.blocks]
            stream = self.algebra.add([stream, *added] if step.residual else added)
            if self.model.post_norm:
                stream = self.normed(max(index for index, _ in step.blocks), stream)
            yield stream

    def leaf(self, kind: str, number: int = -1) -> T:
        """A component without inputs."""
        return self.algebra.input(component_of(self.model, kind, number))

    def with_one(self, x: T, is_biased: bool) -> T:
        """x, or x + 1."""
        return self.algebra.add([x, self.leaf("one")]) if is_biased else x

    def normed(self, number: int, x: T) -> T:
        """A norm, its scales held fixed."""
        found = self.algebra.norm(component_of(self.model, "norm", number), x)
        return (
            self.algebra.add([found, self.leaf("normbias", number)]) if self.model.gains and self.model.norm == "layer" else found
        )

    def read(self, index: int, stream: T) -> T:
        """What a block reads."""
        return stream if self.model.norm is None or self.model.post_norm else self.normed(index, stream)

    def block(self, index: int, spec: Attention | Bilinear, x: T) -> T:
        """A block of what it reads."""
        value = self.attention(index, spec, x) if isinstance(spec, Attention) else self.layer(index, spec, x)
        own = {"b_O", "b_out"} & set(spec.biases)
        return self.algebra.add([value, self.leaf("bias", index)]) if own else value

    def layer(self, index: int, spec: Bilinear, x: T) -> T:
        """A bilinear layer, or one with gates that are held fixed."""
        left = self.with_one(x, "b_1" in spec.biases)
        right = left if spec.tied else self.with_one(x, "b_2" in spec.biases)
        if spec.gate is not None:
            return self.algebra.gated(component_of(self.model, "gated", index), right)
        return self.algebra.bilinear(component_of(self.model, "bilinear", index), left, right)

    def attention(self, index: int, spec: Attention, x: T) -> T:
        """The sum of the heads."""
        value = self.with_one(x, "b_V" in spec.biases)
        inputs = [*self.queries_and_keys(spec, x), value] if spec.is_polynomial else [value]
        if index in self.left_open or isinstance(spec.heads, sympy.Symbol):
            return self.head(component_of(self.model, "attn", index), inputs)
        return self.algebra.add([self.head(component_of(self.model, "attn", index, h), inputs) for h in range(spec.heads)])

    def head(self, component: Component, inputs: list[T]) -> T:
        """One head, or the sum of all of a block."""
        copies = 1 if component.layer in self.left_open else component.spec.heads
        if component.head is None:
            return (
                self.algebra.heads(component, inputs[0], copies)
                if len(inputs) == 1
                else self.algebra.attention_heads(component, inputs, copies)
            )
        return self.algebra.head(component, inputs[0]) if len(inputs) == 1 else self.algebra.attention(component, inputs)

    def queries_and_keys(self, spec: Attention, x: T) -> list[T]:
        """What queries and keys read, once or twice."""
        if self.model.positions == "shortformer":
            x = self.algebra.add([x, self.leaf("position")])
        pair = [self.with_one(x, "b_Q" in spec.biases), self.with_one(x, "b_K" in spec.biases)]
        return pair * 2 if spec.scores == "bilinear" else pair
