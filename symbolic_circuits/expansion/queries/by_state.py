r"""An algebra graded by an automaton: the value is {state: sum of the terms with that state}, in one pass and without listing any.

The same product as that of a grammar and an automaton, taken in the values: a head maps each part, a bilinear layer each pair of
parts. By nesting depth, say, the number of terms or their sum comes apart into one for each depth.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product
from typing import Generic

from symbolic_circuits.axes import Size
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra, T
from symbolic_circuits.expansion.queries.automaton import Automaton, State

__all__ = ["ByState"]


class ByState(Algebra[dict[State, T]], Generic[T]):
    """Values of another algebra, apart by the states of an automaton.

    >>> from symbolic_circuits.expansion.counting import Counting
    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> from symbolic_circuits.expansion.queries.automaton import Height
    >>> path_expansion("bilinear*3").interpret(ByState(Counting(), Height()))
    {0: 1, 1: 3, 2: 11, 3: 27}
    """

    def __init__(self, algebra: Algebra[T], automaton: Automaton) -> None:
        self.algebra, self.automaton = algebra, automaton

    def collected(self, parts: Iterable[tuple[State, T]]) -> dict[State, T]:
        """The sum of the parts of each state."""
        found: dict[State, list[T]] = {}
        for state, value in parts:
            found.setdefault(state, []).append(value)
        return {state: values[0] if len(values) == 1 else self.algebra.add(values) for state, values in found.items()}

    def zero(self, component: Component) -> dict[State, T]:
        return {}

    def input(self, component: Component) -> dict[State, T]:
        return {self.automaton.next(component, ()): self.algebra.input(component)}

    def head(self, component: Component, x: dict[State, T]) -> dict[State, T]:
        step = self.automaton.next
        return self.collected((step(component, (s,)), self.algebra.head(component, v)) for s, v in x.items())

    def heads(self, component: Component, x: dict[State, T], copies: Size) -> dict[State, T]:
        step = self.automaton.next
        return self.collected((step(component, (s,)), self.algebra.heads(component, v, copies)) for s, v in x.items())

    def norm(self, component: Component, x: dict[State, T]) -> dict[State, T]:
        step = self.automaton.next
        return self.collected((step(component, (s,)), self.algebra.norm(component, v)) for s, v in x.items())

    def gated(self, component: Component, x: dict[State, T]) -> dict[State, T]:
        step = self.automaton.next
        return self.collected((step(component, (s,)), self.algebra.gated(component, v)) for s, v in x.items())

    def attention(self, component: Component, inputs: Sequence[dict[State, T]]) -> dict[State, T]:
        return self.collected(
            (self.automaton.next(component, states), self.algebra.attention(component, values))
            for states, values in self.choices(inputs)
        )

    def scores(self, component: Component, inputs: Sequence[dict[State, T]]) -> dict[State, T]:
        return self.collected(
            (self.automaton.next(component, states), self.algebra.scores(component, values))
            for states, values in self.choices(inputs)
        )

    def attention_heads(self, component: Component, inputs: Sequence[dict[State, T]], copies: Size) -> dict[State, T]:
        return self.collected(
            (self.automaton.next(component, states), self.algebra.attention_heads(component, values, copies))
            for states, values in self.choices(inputs)
        )

    @staticmethod
    def choices(inputs: Sequence[dict[State, T]]) -> Iterator[tuple[tuple[State, ...], tuple[T, ...]]]:
        """States and values of the inputs, in every combination."""
        return (tuple(zip(*chosen, strict=True)) for chosen in product(*(x.items() for x in inputs)))

    def bilinear(self, component: Component, x: dict[State, T], y: dict[State, T]) -> dict[State, T]:
        step, apply = self.automaton.next, self.algebra.bilinear
        return self.collected((step(component, (s, t)), apply(component, v, w)) for s, v in x.items() for t, w in y.items())

    def square(self, component: Component, x: dict[State, T]) -> dict[State, T]:
        """Pairs of one state are unordered pairs of the algebra; pairs of two states count twice."""
        step, algebra = self.automaton.next, self.algebra
        same = [(step(component, (s, s)), algebra.square(component, v)) for s, v in x.items()]
        mixed = [
            (step(component, (s, t)), algebra.scale(2, algebra.bilinear(component, v, w)))
            for (s, v), (t, w) in combinations(x.items(), 2)
        ]
        return self.collected(same + mixed)

    def add(self, values: Sequence[dict[State, T]]) -> dict[State, T]:
        return self.collected(part for value in values for part in value.items())

    def scale(self, factor: int, x: dict[State, T]) -> dict[State, T]:
        return {state: self.algebra.scale(factor, value) for state, value in x.items()}
