"""Which nonterminals generate a term: those with a production of its component whose inputs generate its inputs; and who passes them by.

In a product of a grammar and an automaton several productions of one nonterminal have the same component; the subterms say which
one a term belongs to.
"""

from functools import cached_property

from symbolic_circuits.expansion.grammar import Component, Grammar, Production
from symbolic_circuits.expansion.term import Term

__all__ = ["Membership", "fits", "is_before"]

KINDS = (
    "input",
    "position",
    "one",
    "norm",
    "normbias",
    "attn",
    "gated",
    "bilinear",
    "bias",
    "scores",
)  # in the order of one block


class Membership:
    """The nonterminals of terms, for one grammar."""

    def __init__(self, grammar: Grammar) -> None:
        self.grammar = grammar

    @cached_property
    def uses(self) -> dict[Component, list[tuple[int, Production]]]:
        """The productions of each component, with their nonterminals."""
        found: dict[Component, list[tuple[int, Production]]] = {}
        for k, rules in enumerate(self.grammar.nonterminals):
            for production in rules:
                if production.component is not None:
                    found.setdefault(production.component, []).append((k, production))
        return found

    @cached_property
    def passed_to(self) -> list[frozenset[int]]:
        """For each nonterminal, itself and those that its terms are passed to, directly or not."""
        onward: list[set[int]] = [{k} for k in range(len(self.grammar.nonterminals))]
        for k in range(len(onward) - 1, -1, -1):
            for production in self.grammar.nonterminals[k]:
                if production.component is None:
                    onward[production.inputs[0]] |= onward[k]
        return [frozenset(found) for found in onward]

    def of(self, term: Term, known: dict[int, frozenset[int]]) -> frozenset[int]:
        """The nonterminals that generate a term; ``known`` has those of subterms, by identity."""
        if id(term) not in known:
            inputs = [self.of(x, known) for x in term.inputs]
            own = (k for k, production in self.uses.get(term.component, ()) if fits(production, inputs))
            known[id(term)] = frozenset().union(*(self.passed_to[k] for k in own))
        return known[id(term)]


def fits(production: Production, inputs: list[frozenset[int]]) -> bool:
    """Whether terms of these nonterminals are inputs of a production, in this order or, where it has none, in the other."""
    if len(production.inputs) != len(inputs):
        return False
    straight = all(k in found for k, found in zip(production.inputs, inputs, strict=True))
    return straight or (
        production.twice and all(k in found for k, found in zip(production.inputs, reversed(inputs), strict=True))
    )


def is_before(x: Term, y: Term) -> bool:
    """Whether a term comes before another in the enumeration of all terms: by component, then by its inputs, slowest first."""
    waiting = [(x, y)]
    while waiting:
        a, b = waiting.pop()
        if a is b:
            continue
        if a.component != b.component:
            return rank_of(a.component) < rank_of(b.component)
        pairs = list(zip(a.inputs, b.inputs, strict=True))
        waiting += pairs if a.component.is_tied else reversed(pairs)
    return False


def rank_of(component: Component) -> tuple[int, int, int]:
    """The place of a component among all: leaves in order, then by block and head, the bias of a block last."""
    return component.layer, KINDS.index(component.kind), component.head or 0
