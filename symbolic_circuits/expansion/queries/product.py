r"""Grammar times automaton: the terms of nonterminal k with state s are those of nonterminal (k, s); the last one keeps what is accepted.

States are found forwards, as they are reached. They are merged backwards: two states of a nonterminal are one if every way to go
on from them ends alike (Myhill and Nerode), and dropped if no way is accepted. Unordered pairs of terms with two different states are
ordered pairs that count twice, one term for both orders; pairs of terms with one state stay unordered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import combinations_with_replacement
from itertools import product as combinations
from math import prod
from typing import NamedTuple, TypeAlias

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.grammar import Grammar, Production
from symbolic_circuits.expansion.queries.automaton import Automaton, State

__all__ = ["MAX_MOVES", "largest_step", "product"]

MAX_MOVES = 1_000_000
FORESEEN = 64  # from this part of the limit on, it is asked whether the rest exceeds it

Merged: TypeAlias = list[dict[State, int]]  # for each nonterminal: state -> number of its class; dropped states are left out


class Move(NamedTuple):
    """One production of a grammar, with states for its inputs and the state that they give."""

    place: int  # of the production in its nonterminal
    inputs: tuple[State, ...]
    state: State


def product(grammar: Grammar, automaton: Automaton) -> Grammar:
    """The grammar of the terms that an automaton accepts; a grammar without productions where there are none.

    Raises
    ------
    BudgetError
        The product is too large; the message has the number of states and the limit.

    Examples
    --------
    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> from symbolic_circuits.expansion.queries.automaton import Height
    >>> expansion = path_expansion("attn(2) bilinear")
    >>> product(expansion.grammar, Height()) == expansion.grammar  # that accepts all, and merging undoes the rest
    True
    """
    moves = reached(grammar, automaton)
    classes = merged(grammar, automaton, moves)
    if not classes[-1]:
        return replace(grammar, nonterminals=((),), streams=())
    numbers: list[list[int]] = []  # for each nonterminal and class: the new nonterminal
    nonterminals: list[tuple[Production, ...]] = []
    for k, rules in enumerate(grammar.nonterminals):
        size = max(classes[k].values(), default=-1) + 1
        numbers.append(list(range(len(nonterminals), len(nonterminals) + size)))
        built: list[dict[Production, None]] = [{} for _ in range(size)]
        for move in moves[k]:
            if move.state in classes[k]:
                built[classes[k][move.state]][built_from(rules[move.place], move, classes, numbers)] = None
        nonterminals += map(tuple, built)
    return replace(grammar, nonterminals=tuple(nonterminals), streams=())


def built_from(production: Production, move: Move, classes: Merged, numbers: list[list[int]]) -> Production:
    """The production of the product that a move stands for."""
    inputs = [numbers[k][classes[k][s]] for k, s in zip(production.inputs, move.inputs, strict=True)]
    if not production.unordered:
        return replace(production, inputs=tuple(inputs))
    if inputs[0] == inputs[1]:
        return replace(production, inputs=tuple(inputs))
    return replace(production, inputs=tuple(sorted(inputs)), unordered=False, twice=True)


def reached(grammar: Grammar, automaton: Automaton) -> list[list[Move]]:
    """All moves of each nonterminal, from states that terms have."""
    states: list[list[State]] = []
    moves: list[list[Move]] = []
    total = 0
    for rules in grammar.nonterminals:
        found: list[Move] = []
        for place, production in enumerate(rules):
            total += number_of_choices(production, [len(found) for found in states])
            require_moves(total, grammar, states)
            component = production.component
            for inputs in choices(production, states):
                found.append(Move(place, inputs, inputs[0] if component is None else automaton.next(component, inputs)))
        moves.append(found)
        states.append(list(dict.fromkeys(move.state for move in found)))
        if total > MAX_MOVES // FORESEEN:
            require_moves(total + moves_to_come(grammar, states), grammar, states)
    return moves


def require_moves(number: int, grammar: Grammar, states: list[list[State]]) -> None:
    """Raise BudgetError where there are more moves than the limit."""
    if number > MAX_MOVES:
        raise BudgetError(
            f"the query has {max(map(len, states)):,} states at step {len(states) - 1} of {len(grammar.nonterminals) - 1}, which "
            f"takes over {MAX_MOVES:,} transitions; that is the limit: ask for smaller counts, or for less at once"
        )


def moves_to_come(grammar: Grammar, states: list[list[State]]) -> int:
    """The least number of moves of the nonterminals that have no states yet: what a stream passes on keeps its states."""
    sizes, number = [len(found) for found in states], 0
    for rules in grammar.nonterminals[len(states) :]:
        number += sum(number_of_choices(production, sizes) for production in rules)
        sizes.append(max((sizes[p.inputs[0]] for p in rules if p.component is None), default=1))
    return number


def number_of_choices(production: Production, numbers: list[int]) -> int:
    """How many choices of states a production has, for so many states of each nonterminal."""
    sizes = [numbers[k] for k in production.inputs]
    return sizes[0] * (sizes[0] + 1) // 2 if production.unordered else prod(sizes)


def choices(production: Production, states: list[list[State]]) -> Iterable[tuple[State, ...]]:
    """States for the inputs of a production, in each order in which its terms are made."""
    if production.unordered:
        return combinations_with_replacement(states[production.inputs[0]], 2)
    return combinations(*(states[k] for k in production.inputs))


def merged(grammar: Grammar, automaton: Automaton, moves: list[list[Move]]) -> Merged:
    """The classes of states that lead to acceptance alike, numbered as they are reached."""
    ways: list[dict[State, set]] = [{} for _ in grammar.nonterminals]  # state -> ways to go on from it
    classes: Merged = [{} for _ in grammar.nonterminals]
    last = len(grammar.nonterminals) - 1
    classes[last] = {move.state: 0 for move in moves[last] if automaton.accepts(move.state)}
    for k in range(last, -1, -1):
        if k < last:
            classes[k] = numbered(ways[k], moves[k])
        for move in moves[k]:
            if move.state in classes[k]:
                target = (k, move.place, classes[k][move.state])
                for source, state, way in ways_on(grammar.nonterminals[k][move.place], move, target):
                    ways[source].setdefault(state, set()).add(way)
    return classes


def ways_on(production: Production, move: Move, target: tuple) -> Iterator[tuple[int, State, tuple]]:
    """(nonterminal, state, way) for each input of a move: the production, the other inputs, and where it leads."""
    for k, (source, state) in enumerate(zip(production.inputs, move.inputs, strict=True)):
        others = (*move.inputs[:k], *move.inputs[k + 1 :])
        yield source, state, (target, not production.unordered and k, others)


def numbered(ways: dict[State, set], moves: list[Move]) -> dict[State, int]:
    """States with the same ways to go on get one number; states without any are left out."""
    known: dict[frozenset, int] = {}
    found = (state for state in dict.fromkeys(move.state for move in moves) if state in ways)
    return {state: known.setdefault(frozenset(ways[state]), len(known)) for state in found}


def largest_step(grammar: Grammar, automaton: Automaton) -> int:
    """The largest number of states that one nonterminal has after merging."""
    return max(max(found.values(), default=-1) + 1 for found in merged(grammar, automaton, reached(grammar, automaton)))
