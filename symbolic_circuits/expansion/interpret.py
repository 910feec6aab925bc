"""An algebra says what leaves, heads, layers and add mean; interpreting an expansion in it evaluates the sum of all terms.

The sum of the terms of a nonterminal is the sum over its productions of the component applied to the sums of the inputs,
because heads are linear and bilinear layers bilinear: no term is listed. Numbers count the terms, polynomials count them
by order, arrays give the forward pass with frozen patterns, SymPy gives the formula.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import UnsupportedNodeError
from symbolic_circuits.expansion.grammar import Component, Grammar, Nonterminal, Production, component_of

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["Algebra", "applied", "fold", "interpret_grammar", "interpret_last", "last_uses"]

T = TypeVar("T")


class Algebra(ABC, Generic[T]):
    """What the operations of a model mean. ``add`` and ``scale`` make the values a module over the integers."""

    @abstractmethod
    def input(self, component: Component) -> T:
        """A leaf: the embedded tokens or the residual input, positions, the constant coordinate, a bias."""

    @abstractmethod
    def head(self, component: Component, x: T) -> T:
        """One head at x, its pattern held fixed: linear in x."""

    @abstractmethod
    def bilinear(self, component: Component, x: T, y: T) -> T:
        """A bilinear layer, x as its left input and y as its right one: linear in each."""

    def norm(self, component: Component, x: T) -> T:
        """A norm at x, its scales held fixed: linear in x."""
        raise UnsupportedNodeError(f"{type(self).__name__} has no rule for {component.name}")

    def gated(self, component: Component, x: T) -> T:
        """A gated layer at x, its gates held fixed: linear in x."""
        raise UnsupportedNodeError(f"{type(self).__name__} has no rule for {component.name}")

    def attention(self, component: Component, inputs: Sequence[T]) -> T:
        """One head whose pattern is a polynomial, at query, key and value (or two queries and keys): linear in each."""
        raise UnsupportedNodeError(f"{type(self).__name__} has no rule for {component.name} with {len(inputs)} inputs")

    def scores(self, component: Component, inputs: Sequence[T]) -> T:
        """The scores of a head at query and key (or two of each): linear in each."""
        raise UnsupportedNodeError(f"{type(self).__name__} has no rule for {component.name}")

    @abstractmethod
    def add(self, values: Sequence[T]) -> T:
        """The sum of one or more values."""

    def scale(self, factor: int, x: T) -> T:
        """An integer multiple."""
        return factor * x

    def zero(self, component: Component) -> T:
        """The sum of no terms; ``component`` is the input."""
        return self.scale(0, self.input(component))

    def square(self, component: Component, x: T) -> T:
        """The sum over unordered pairs of the terms of x, of a layer that does not tell its inputs apart.

        Pairs of two different terms count twice, so this is ``bilinear(x, x)``; an algebra that counts differs.
        """
        return self.bilinear(component, x, x)

    def heads(self, component: Component, x: T, copies: Size) -> T:
        """The sum of ``copies`` heads of one block, for algebras that can leave the number symbolic."""
        raise UnsupportedNodeError(f"{type(self).__name__} has no rule for {component.name} with {copies} heads")

    def attention_heads(self, component: Component, inputs: Sequence[T], copies: Size) -> T:
        """The same where patterns are polynomials."""
        raise UnsupportedNodeError(f"{type(self).__name__} has no rule for {component.name} with {copies} heads")


def interpret_grammar(grammar: Grammar, algebra: Algebra[T]) -> list[T]:
    """The value of each nonterminal, the last one being the sum of all terms."""
    values: list[T] = []
    for nonterminal in grammar.nonterminals:
        values.append(sum_of(nonterminal, values, grammar, algebra))
    return values


def interpret_last(grammar: Grammar, algebra: Algebra[T]) -> T:
    """The sum of all terms alone; a value is let go after its last use, so that few are held at a time."""
    values: list[T | None] = []
    uses = last_uses(grammar)
    for k, nonterminal in enumerate(grammar.nonterminals):
        values.append(sum_of(nonterminal, values, grammar, algebra))
        for done in {source for production in nonterminal for source in production.inputs if uses[source] == k}:
            values[done] = None
    return values[-1]


def last_uses(grammar: Grammar) -> list[int]:
    """The last nonterminal that reads each nonterminal; itself where none does."""
    uses = list(range(len(grammar.nonterminals)))
    for k, nonterminal in enumerate(grammar.nonterminals):
        for production in nonterminal:
            for source in production.inputs:
                uses[source] = k
    return uses


def sum_of(nonterminal: Nonterminal, values: Sequence[T], grammar: Grammar, algebra: Algebra[T]) -> T:
    """The value of one nonterminal, given those of earlier ones."""
    if not nonterminal:
        return algebra.zero(component_of(grammar.model, "input"))
    return algebra.add([value_of(production, values, algebra) for production in nonterminal])


def value_of(production: Production, values: Sequence[T], algebra: Algebra[T]) -> T:
    """The sum of the terms of one production, given the values of earlier nonterminals."""
    component, inputs = production.component, [values[k] for k in production.inputs]
    if component is None:
        return inputs[0]
    if component.kind != "bilinear":
        return applied(component, inputs, algebra, production.copies)
    if production.unordered:
        return algebra.square(component, inputs[0])
    value = algebra.bilinear(component, *inputs)
    return algebra.scale(2, value) if production.twice else value


def applied(component: Component, inputs: Sequence[T], algebra: Algebra[T], copies: Size = 1) -> T:
    """A component at values of its inputs."""
    if not inputs:
        return algebra.input(component)
    if component.kind == "bilinear":
        return algebra.bilinear(component, *inputs)
    if component.kind == "norm":
        return algebra.norm(component, inputs[0])
    if component.kind == "gated":
        return algebra.gated(component, inputs[0])
    if component.kind == "scores":
        return algebra.scores(component, inputs)
    if len(inputs) == 1:
        return algebra.head(component, inputs[0]) if component.head is not None else algebra.heads(component, inputs[0], copies)
    if component.head is None:
        return algebra.attention_heads(component, inputs, copies)
    return algebra.attention(component, inputs)


def fold(term: "Term", algebra: Algebra[T], known: dict[int, T] | None = None) -> T:
    """The value of one term; subterms that are the same object are evaluated once.

    A bilinear layer with tied weights and two different inputs contributes twice: the term stands for both orders.
    """
    known = {} if known is None else known
    if id(term) in known:
        return known[id(term)]
    component, inputs = term
    values = [fold(subterm, algebra, known) for subterm in inputs]
    value = applied(component, values, algebra)
    if component.is_tied and inputs[0] != inputs[1]:
        value = algebra.scale(2, value)
    known[id(term)] = value
    return value
