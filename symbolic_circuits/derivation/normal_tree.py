"""A normal form of trees by rules: multiplied out, products of one kind fused, definitions put in, equal summands collected."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sympy.core.basic import Basic

from symbolic_circuits.derivation.chain import innermost, stands
from symbolic_circuits.derivation.moves import Moves
from symbolic_circuits.derivation.pieces import is_sum
from symbolic_circuits.derivation.places import places
from symbolic_circuits.derivation.rules.collect import CollectTerms
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.search import attempt, stage_of
from symbolic_circuits.derivation.step import Step

__all__ = ["tidied"]

MAX_STEPS = 3000
PHASES = ("definitions", "block by block", "multiply out", "transpose", "fuse identity", "simplify products")  # one after another


@dataclass
class Tidying:
    """The steps so far."""

    line: Basic
    limit: int
    steps: list[Step] = field(default_factory=list)
    refused: set[tuple[Rule, Basic]] = field(default_factory=set)
    seen: set[Basic] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.seen.add(self.line)

    def everywhere(self, rules: Callable[[Basic], Iterable[Rule]]) -> bool:
        """Steps at all places, inner ones first, until no rule applies; whether there was one."""
        count = len(self.steps)
        while len(self.steps) < self.limit and self.swept(rules):
            pass
        return len(self.steps) > count

    def swept(self, rules: Callable[[Basic], Iterable[Rule]]) -> bool:
        """One pass from the last place to the first, so that a step does not move the places that are still to come."""
        count = len(self.steps)
        wanted = [(place, node, rule) for place, node in places(self.line) if (rule := self.applicable(node, rules)) is not None]
        for place, node, rule in innermost(wanted):
            if len(self.steps) < self.limit and stands(self.line, place, node):
                step = attempt(self.line, place, rule)
                if step is None or step.after in self.seen:  # two rules must not undo each other for ever
                    self.refused.add((rule, node))
                else:
                    self.add(step)
        return len(self.steps) > count

    def applicable(self, node: Basic, rules: Callable[[Basic], Iterable[Rule]]) -> Rule | None:
        """The first rule that applies to a node."""
        for rule in rules(node):
            if (rule, node) not in self.refused:
                if attempt(node, (), rule) is not None:
                    return rule
                self.refused.add((rule, node))
        return None

    def add(self, step: Step) -> None:
        """One step more."""
        self.line = step.after
        self.seen.add(step.after)
        self.steps.append(step)


def tidied(expr: Basic, moves: Moves, limit: int = MAX_STEPS) -> list[Step]:
    """The steps from an expression to its normal form, or the first of them.

    Definitions are put in first; then layers are folded and the expression is multiplied out, laws are applied, and summands that
    are multiples of each other are collected.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A, B = MatrixSymbol("A", 2, 2), MatrixSymbol("B", 2, 2)
    >>> [str(step.after) for step in tidied((A + B) ** 2, Moves())]
    ['(A + B)*(A + B)', 'A*A + A*B + B*A + B*B']
    """
    tidying = Tidying(expr, limit)
    folded = {tensor for fold in moves.folds for tensor in fold.defined}
    tidying.everywhere(lambda node: (rule for rule in moves.definitions if node == rule.symbol and rule.symbol not in folded))
    changed = True
    while changed and len(tidying.steps) < limit:
        changed = False
        for phase in PHASES:
            changed |= tidying.everywhere(partial(of_phase, moves, phase))
        changed |= tidying.everywhere(lambda node: (rule for rule in moves.spread(node) if stage_of(rule) not in PHASES))
        changed |= tidying.everywhere(moves.lawful)
        changed |= collected(tidying)
    return tidying.steps


def of_phase(moves: Moves, phase: str, node: Basic) -> Iterator[Rule]:
    """The rules of one phase: of one main step, or those of one name."""
    return (rule for rule in moves.spread(node) if phase in (rule.name, stage_of(rule)))


def collected(tidying: Tidying) -> bool:
    """Equal summands of the whole line are collected."""
    ready = is_sum(tidying.line) and len(tidying.steps) < tidying.limit
    step = attempt(tidying.line, (), CollectTerms()) if ready else None
    if step is None:
        return False
    tidying.add(step)
    return True
