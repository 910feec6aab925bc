r"""A deterministic bottom-up tree automaton: state(c(x, y)) = delta(c, state(x), state(y)); a set of states accepts.

States are hashable values. The terms of one nonterminal that have one state are again the terms of a nonterminal, so a grammar
times an automaton is a grammar (:mod:`symbolic_circuits.expansion.queries.product`).
"""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import TypeAlias

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.term import Term

__all__ = ["Automaton", "Height", "State"]

State: TypeAlias = Hashable


class Automaton(ABC):
    """Transitions and accepting states; delta is symmetric at layers that do not tell their inputs apart."""

    @abstractmethod
    def next(self, component: Component, states: tuple[State, ...]) -> State:
        """delta: the state of a component applied to terms with these states (none for the input)."""

    @abstractmethod
    def accepts(self, state: State) -> bool:
        """Whether terms with this state belong to the set."""

    def state(self, term: Term, known: dict[int, State] | None = None) -> State:
        """The state of one term; subterms that are the same object are visited once."""
        known = {} if known is None else known
        if id(term) not in known:
            known[id(term)] = self.next(term.component, tuple(self.state(x, known) for x in term.inputs))
        return known[id(term)]


class Height(Automaton):
    """The state is the largest number of heads and bilinear layers on a path of the term (its nesting depth).

    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> Height().state(path_expansion("bilinear*2").parse("bilinear.1(embed, bilinear.0(embed, embed))"))
    2
    """

    def next(self, component: Component, states: tuple[int, ...]) -> int:
        return component.is_block + max(states, default=0)

    def accepts(self, state: int) -> bool:
        return True
