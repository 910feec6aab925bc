"""A derivation as it grows: rules applied at a place, or wherever they are wanted, inner places first."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sympy.core.basic import Basic

from symbolic_circuits.derivation.pieces import is_sum, summands
from symbolic_circuits.derivation.places import Place, part, places
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.step import Step

__all__ = ["Chain"]


@dataclass
class Chain:
    """The lines so far."""

    line: Basic
    steps: list[Step] = field(default_factory=list)

    def at(self, place: Place, rule: Rule, stage: str) -> None:
        """One step."""
        step = Step.forwards(self.line, place, rule, stage)
        self.steps.append(step)
        self.line = step.after

    def everywhere(self, rule_for: Callable[[Basic], Rule | None], stage: str) -> None:
        """Steps at every place for which there is a rule, until there is none."""
        while self.swept(rule_for, stage):
            pass

    def each_summand(self, rule_for: Callable[[Basic], tuple[Place, Rule] | None], stage: str) -> None:
        """At most one step in every summand of the line, which sums of scalars keep in an order of their own."""
        for summand in summands(self.line):
            found = rule_for(summand)
            if found is not None:
                place, rule = found
                self.at((*self.place_of(summand), *place), rule, stage)

    def place_of(self, summand: Basic) -> Place:
        """Where a summand of the line is."""
        return (self.line.args.index(summand),) if is_sum(self.line) else ()

    def swept(self, rule_for: Callable[[Basic], Rule | None], stage: str) -> bool:
        """One pass from the last place to the first, so that a step does not move the places that are still to come."""
        wanted = [(place, node, rule) for place, node in places(self.line) if (rule := rule_for(node)) is not None]
        made = False
        for place, node, rule in innermost(wanted):
            if stands(self.line, place, node):
                self.at(place, rule, stage)
                made = True
        return made


def innermost(wanted: list[tuple[Place, Basic, Rule]]) -> list[tuple[Place, Basic, Rule]]:
    """The places that hold no other one of the list, the last first."""
    out: list[tuple[Place, Basic, Rule]] = []
    for place, node, rule in wanted:  # an inner place comes before the one that holds it
        if not out or out[-1][0][: len(place)] != place:
            out.append((place, node, rule))
    return out[::-1]


def stands(line: Basic, place: Place, node: Basic) -> bool:
    """Whether a node is still at its place."""
    for number in place[:-1] if place else ():
        if number >= len(line.args):
            return False
        line = line.args[number]
    if not place:
        return line == node
    return place[-1] < len(line.args) and part(line, place[-1:]) == node
