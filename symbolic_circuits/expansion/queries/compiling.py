r"""A query as a deterministic automaton: one state for each path and each count, and the truth of the whole once it is settled.

For a path of steps p_1, ..., p_k the state of a term is which prefixes p_1, ..., p_j some path from a leaf to the root of the term
has passed (and which of them end at the root, where the next step must follow directly): the subset construction, as bits.
For a count it is the count, up to where the answer is known. What is *settled* holds for every term around, because a path that
has passed has passed, and counts only grow; a state in which the query is settled is its truth value alone.
"""

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TypeAlias

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.counting import GRADINGS
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.queries.automaton import Automaton, State
from symbolic_circuits.expansion.queries.components import require_components
from symbolic_circuits.expansion.queries.query import And, Count, Not, Passes, Query, atoms
from symbolic_circuits.spec import Transformer

__all__ = ["CountAutomaton", "PathAutomaton", "QueryAutomaton", "compile_query"]

MAX_NESTING = 200

YES, NO = "yes", "no"  # states of what is settled; not True and False, which equal the states 1 and 0

Truth: TypeAlias = bool | None  # None: not settled
TRUTH = {YES: True, NO: False}


class Atom(Automaton):
    """An automaton whose state is YES or NO once it is settled."""

    @abstractmethod
    def step(self, component: Component, states: tuple[State, ...]) -> State:
        """delta, for states that are not settled."""

    def next(self, component: Component, states: tuple[State, ...]) -> State:
        for state in states:
            if state in (YES, NO):
                return state
        return self.step(component, states)


@dataclass(eq=False)
class PathAutomaton(Atom):
    """States are pairs of bit sets (prefixes that end at the root, prefixes passed); bit j stands for the first j + 1 steps."""

    query: Passes
    masks: dict[Component, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.full = 1 << (len(self.query.steps) - 1)
        direct = (False, *self.query.direct)
        self.after_root = sum(1 << j for j, close in enumerate(direct) if close)  # steps that follow directly
        self.after_any = sum(1 << j for j, close in enumerate(direct) if not close)
        self.kept = (self.after_root >> 1) | (self.full if self.query.ends else 0)  # where ending at the root matters

    def matching(self, component: Component) -> tuple[int, ...]:
        """The steps that a component matches, for each of its inputs (one set for a component without inputs)."""
        if component not in self.masks:
            slots = component.slots or (None,)
            found = [(1 << j, step) for j, step in enumerate(self.query.steps) if step.matches(component)]
            self.masks[component] = tuple(sum(bit for bit, step in found if step.enters(slot)) for slot in slots)
        return self.masks[component]

    def step(self, component: Component, states: tuple[tuple[int, int], ...]) -> State:
        if component.kind == "norm":  # no step of a path
            return states[0]
        masks, root, passed = self.matching(component), 0, 0
        if not states:
            root = masks[0] & 1
        for mask, (below, before) in zip(masks, states, strict=False):
            root |= mask & ((((before << 1) | 1) & self.after_any) | ((below << 1) & self.after_root))
            passed |= before
        passed |= root
        if passed & self.full and not self.query.ends:
            return YES
        return root & self.kept, passed

    def accepts(self, state: State) -> bool:
        return state == YES or (self.query.ends and bool(state[0] & self.full))


@dataclass(eq=False)
class CountAutomaton(Atom):
    """States are numbers, up to where the relation is settled."""

    query: Count
    amounts: dict[Component, int] = field(default_factory=dict)

    def amount(self, component: Component) -> int:
        """What a component adds."""
        if component not in self.amounts:
            what = self.query.what
            if what == "height":
                found = component.is_block
            else:
                is_step = component.kind != "norm"  # a norm is no step, so that * does not count it either
                found = component.kind in GRADINGS[what] if isinstance(what, str) else is_step and what.matches(component)
            self.amounts[component] = int(found)
        return self.amounts[component]

    def step(self, component: Component, states: tuple[int, ...]) -> State:
        below = max(states, default=0) if self.query.what == "height" else sum(states)
        number, wanted = below + self.amount(component), self.query.number
        if self.query.relation == ">=":
            return number if number < wanted else YES
        return number if number <= wanted else NO

    def accepts(self, state: State) -> bool:
        if state in (YES, NO):
            return TRUTH[state]
        return {"<=": True, ">=": False, "=": state == self.query.number}[self.query.relation]


@dataclass(eq=False)
class QueryAutomaton(Automaton):
    """States are the truth of the query where it is settled, else the states of its paths and counts."""

    parts: tuple[Atom, ...]
    truth: Callable[[tuple[Truth, ...]], Truth]

    def next(self, component: Component, states: tuple[State, ...]) -> State:
        for state in states:
            if state in (YES, NO):
                return state
        columns = zip(*states, strict=True) if states else ((),) * len(self.parts)
        found = tuple(part.next(component, column) for part, column in zip(self.parts, columns, strict=True))
        settled = self.truth(tuple(TRUTH.get(state) for state in found)) if YES in found or NO in found else None
        return found if settled is None else (YES if settled else NO)

    def accepts(self, state: State) -> bool:
        if state in (YES, NO):
            return TRUTH[state]
        return self.truth(tuple(part.accepts(s) for part, s in zip(self.parts, state, strict=True)))


def compile_query(query: Query, model: Transformer, root: Component | None = None) -> QueryAutomaton:
    """The automaton of a query over the terms of a model; ``root``: of the scores of a head.

    >>> from symbolic_circuits.expansion.queries.language import parse_query
    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> expansion = path_expansion("attn(2) bilinear")
    >>> automaton = compile_query(parse_query("attn.0[1] > bilinear.1.left"), expansion.model)
    >>> [str(term) for term in expansion if automaton.accepts(automaton.state(term))][0]
    'bilinear.1(attn.0[1](embed), embed)'
    """
    require_nesting(query)
    require_components(query, model, root)
    places = {atom: k for k, atom in enumerate(dict.fromkeys(atoms(query)))}
    parts = tuple(PathAutomaton(atom) if isinstance(atom, Passes) else CountAutomaton(atom) for atom in places)
    return QueryAutomaton(parts, cache(lambda values: truth_of(query, {atom: values[k] for atom, k in places.items()})))


def require_nesting(query: Query) -> None:
    """Raise BudgetError where a query is nested too deep to be followed."""
    waiting = [(query, 0)]
    while waiting:
        found, depth = waiting.pop()
        if depth > MAX_NESTING:
            raise BudgetError(f"a query is nested at most {MAX_NESTING} deep")
        waiting += [(part, depth + 1) for part in ((found.query,) if isinstance(found, Not) else getattr(found, "parts", ()))]


def truth_of(query: Query, values: dict[Query, Truth]) -> Truth:
    """The truth of a query, given that of its paths and counts, where that suffices (Kleene's three values)."""
    if query in values:
        return values[query]
    if isinstance(query, Not):
        inner = truth_of(query.query, values)
        return None if inner is None else not inner
    found = [truth_of(part, values) for part in query.parts]
    decisive = not isinstance(query, And)  # one true part decides an Or, one false part an And
    return decisive if decisive in found else (None if None in found else not decisive)
