r"""How the terms of a query's states make those of the next nonterminal, and which states alone put a term into the query Q.

A *flow* is one production with states for its inputs: it says which terms go where. The flows of one component are a *group*: a head
reads the stream and, where it has a bias, the constant. An input *decides* where every term of the component that has it in that slot is in
Q, whatever its other inputs are; and a component is all of Q where every one of its terms is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.grammar import Component, Grammar, Production
from symbolic_circuits.expansion.queries.automaton import State
from symbolic_circuits.expansion.queries.compiling import TRUTH, PathAutomaton, QueryAutomaton
from symbolic_circuits.expansion.queries.product import Move, reached

__all__ = ["Flow", "Group", "Wires", "is_of_stream", "wiring"]


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """The terms of one production, by the states of its inputs."""

    sources: tuple[int, ...]  # nonterminals of the inputs
    targets: list[int]  # places of states of the result
    places: list[tuple[int, ...]]  # places of states of the inputs
    factors: list[int]  # 2 where one move stands for both orders of its inputs


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The flows of one component."""

    component: Component | None  # None: terms that pass by
    flows: list[Flow]
    all_inside: bool  # whether all terms of the component are in Q
    decides: list[dict[int, np.ndarray]]  # for each slot: nonterminal -> (states,) bool


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """One nonterminal."""

    states: dict[State, int]  # state -> its place
    inside: np.ndarray  # (states,) whether the terms are in Q where a block reads them
    groups: list[Group]
    last_use: int  # the last nonterminal that reads this one


def is_of_stream(automaton: QueryAutomaton, state: State) -> bool:
    """Whether the terms of a state are in the query where a block reads them, so that none is at the output."""
    if state in TRUTH:
        return TRUTH[state]
    at_output = [isinstance(part, PathAutomaton) and part.query.ends for part in automaton.parts]
    return automaton.truth(
        tuple(not ends and part.accepts(s) for ends, part, s in zip(at_output, automaton.parts, state, strict=True))
    )


def wiring(grammar: Grammar, automaton: QueryAutomaton) -> list[Wires]:
    """The wires of every nonterminal, in order.

    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> from symbolic_circuits.expansion.queries.compiling import compile_query
    >>> from symbolic_circuits.expansion.queries.language import parse_query
    >>> grammar = path_expansion("[rms_norm] attn(2, b_V)").grammar
    >>> found = wiring(grammar, compile_query(parse_query("attn.0[1]"), grammar.model))
    >>> [(group.component and group.component.name, group.all_inside) for group in found[3].groups]
    [(None, False), ('attn.0[0]', False), ('attn.0[1]', True)]
    """
    found: list[Wires] = []
    last = {source: k for k, rules in enumerate(grammar.nonterminals) for production in rules for source in production.inputs}
    for k, (rules, moves) in enumerate(zip(grammar.nonterminals, reached(grammar, automaton), strict=True)):
        states = {state: place for place, state in enumerate(dict.fromkeys(move.state for move in moves))}
        inside = np.array([is_of_stream(automaton, state) for state in states], dtype=bool)
        groups = [group_of(component, flows, inside, found) for component, flows in gathered(rules, moves, states, found)]
        found.append(Wires(states, inside, groups, last.get(k, len(grammar.nonterminals))))
    return found


def gathered(
    rules: Sequence[Production], moves: Sequence[Move], states: dict[State, int], before: list[Wires]
) -> list[tuple[Component | None, list[Flow]]]:
    """The flows of each component, in the order of the productions; what passes by is not joined."""
    by_place: list[list[Move]] = [[] for _ in rules]
    for move in moves:
        by_place[move.place].append(move)
    found: list[tuple[Component | None, list[Flow]]] = []
    for production, mine in zip(rules, by_place, strict=True):
        component = production.component
        if component is None or not found or found[-1][0] != component:
            found.append((component, []))
        found[-1][1].append(flow_of(production, mine, states, before))
    return found


def flow_of(production: Production, moves: Sequence[Move], states: dict[State, int], before: list[Wires]) -> Flow:
    """The flow of a production."""
    sources = production.inputs
    places = [tuple(before[k].states[state] for k, state in zip(sources, move.inputs, strict=True)) for move in moves]
    both = [production.twice or (production.unordered and len(set(chosen)) > 1) for chosen in places]
    return Flow(sources, [states[move.state] for move in moves], places, [1 + orders for orders in both])


def group_of(component: Component | None, flows: list[Flow], inside: np.ndarray, before: list[Wires]) -> Group:
    """The group of a component, and which of its inputs decide."""
    slots = len(flows[0].sources)
    decides = [{k: np.ones(len(before[k].states), dtype=bool) for flow in flows for k in flow.sources} for _ in range(slots)]
    if component is not None and component.is_tied:
        decides = [decides[0]] * slots  # which slot an input comes into is not told apart
    for flow in flows:
        for target, chosen in zip(flow.targets, flow.places, strict=True):
            for slot, (source, place) in enumerate(zip(flow.sources, chosen, strict=True)):
                decides[slot][source][place] &= inside[target]
    return Group(component, flows, all(inside[target] for flow in flows for target in flow.targets), decides)
