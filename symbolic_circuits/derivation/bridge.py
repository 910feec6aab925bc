"""From one sum to another that is equal: summands matched by what they are equal to, each led to its partner, then reordered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sympy.core.basic import Basic

from symbolic_circuits.derivation.alignment import alignment, key
from symbolic_circuits.derivation.moves import Moves
from symbolic_circuits.derivation.pieces import is_sum, summands
from symbolic_circuits.derivation.places import inner_arguments, replaced
from symbolic_circuits.derivation.rules.collect import multiples
from symbolic_circuits.derivation.rules.contractions import AsContraction
from symbolic_circuits.derivation.rules.laws import Claim
from symbolic_circuits.derivation.search import attempt, few_steps, stage_of, staged
from symbolic_circuits.derivation.step import Step, is_exact
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.identities.prove import prove

__all__ = ["Bridge", "joined"]

TRIES = 200
MAX_DEPTH = 12
MAX_PAIRS = 400  # of summands that are compared one by one


@dataclass(frozen=True)
class Bridge:
    """What the steps may use."""

    moves: Moves
    given: dict[Any, list[Any]]  # the laws and definitions that are needed

    def between(self, left: Basic, right: Basic) -> list[Step]:
        """The steps from one expression, a sum or not, to another."""
        found = alignment(left, right)
        if found is not None:
            return staged(found)
        pairs = self.partners(summands(left), summands(right)) if is_sum(left) and is_sum(right) else None
        return self.across(left, right, whole=False) if pairs is None else self.by_summands(left, right, pairs)

    def by_summands(self, left: Basic, right: Basic, pairs: list[tuple[Basic, Basic]]) -> list[Step]:
        """Each summand led to its partner, then the order."""
        steps: list[Step] = []
        line = left
        for mine, partner in pairs:
            lifted = lifted_steps(line, self.across(mine, partner, whole=True)) or lifted_steps(line, self.claim(mine, partner))
            if lifted is None:
                return self.claim(left, right)
            steps += lifted
            line = lifted[-1].after
        ends = alignment(line, right)
        if ends is None:
            return self.claim(left, right)
        return [*steps, *staged(ends)]

    def partners(self, left: Sequence[Basic], right: Sequence[Basic]) -> list[tuple[Basic, Basic]] | None:
        """The summands of two sums in pairs of equal ones, those without a difference left out; None where they do not pair up."""
        free: dict[str, list[Basic]] = {}
        for summand in right:
            free.setdefault(key(summand), []).append(summand)
        waiting = [summand for summand in left if not (alike := free.get(key(summand))) or alike.pop(0) is None]
        others = [summand for alike in free.values() for summand in alike]
        pairs = []
        for matched in (self.by_normal_form, self.by_proof):
            found = matched(waiting, others)
            pairs += found
            waiting = [summand for summand in waiting if all(summand is not pair[0] for pair in found)]
            others = [summand for summand in others if all(summand is not pair[1] for pair in found)]
        return None if waiting or others else pairs

    @staticmethod
    def by_normal_form(left: list[Basic], right: list[Basic]) -> list[tuple[Basic, Basic]]:
        """Pairs that are equal without laws."""
        try:
            groups = multiples([*left, *right]) if left and right else []
        except SymbolicCircuitsError:
            return []
        count, found = len(left), []
        for group in groups:
            mine = [(number, ratio) for number, ratio in group if number < count]
            theirs = [(number - count, ratio) for number, ratio in group if number >= count]
            for number, ratio in mine:
                other = next((pair for pair in theirs if pair[1] == ratio), None)
                if other is not None:
                    theirs.remove(other)
                    found.append((left[number], right[other[0]]))
        return found

    def by_proof(self, left: list[Basic], right: list[Basic]) -> list[tuple[Basic, Basic]]:
        """Pairs that are equal under the laws and definitions."""
        found, free = [], list(right)
        if len(left) * len(right) > MAX_PAIRS:
            return []
        for summand in left:
            other = next((other for other in free if self.equal(summand, other)), None)
            if other is not None:
                free = [summand for summand in free if summand is not other]
                found.append((summand, other))
        return found

    def equal(self, left: Basic, right: Basic) -> bool:
        """Whether the decision procedure says so."""
        try:
            return is_exact(prove(left, right, self.given))
        except (SymbolicCircuitsError, ValueError, TypeError):
            return False

    def across(self, left: Basic, right: Basic, whole: bool, depth: int = 0) -> list[Step]:
        """The steps from one expression to one that is equal: few of them, or in one argument, or over indices, or a claim."""
        if left == right:
            return []
        found = few_steps(left, right, self.moves, whole=whole, tries=TRIES if depth < 2 else TRIES // 4)
        if found is not None:
            return found
        if depth < MAX_DEPTH:
            inner = self.inside(left, right, depth)
            if inner is not None:
                return inner
        over = over_contraction(left, right)
        return self.claim(left, right) if over is None else over

    def inside(self, left: Basic, right: Basic, depth: int) -> list[Step] | None:
        """The steps in arguments, where two nodes of one kind have arguments that are equal one by one."""
        if left.func != right.func or len(left.args) != len(right.args):
            return None
        places = set(inner_arguments(left))
        differ = [number for number, (a, b) in enumerate(zip(left.args, right.args, strict=True)) if a != b]
        if not differ or not set(differ) <= places or not all(self.equal(left.args[k], right.args[k]) for k in differ):
            return None
        steps: list[Step] = []
        line = left
        for number in differ:
            for step in self.across(left.args[number], right.args[number], whole=True, depth=depth + 1):
                if number >= len(line.args) or line.args[number] != step.before:
                    return None
                lifted = joined(line, number, step)
                if lifted is None:
                    return None
                steps.append(lifted)
                line = lifted.after
        return steps if line == right else None

    def claim(self, left: Basic, right: Basic) -> list[Step]:
        """A gap: what only the decision procedure shows."""
        rule = Claim(right, tuple(self.given))
        return [Step.forwards(left, (), rule, stage_of(rule))]


def over_contraction(left: Basic, right: Basic) -> list[Step] | None:
    """Both written as one sum over indices, where that is the same."""
    here, there = (attempt(side, (), AsContraction()) for side in (left, right))
    ends = [side if step is None else step.after for side, step in ((left, here), (right, there))]
    if (here is None and there is None) or ends[0] != ends[1]:
        return None
    return [step for step in (here, there and there.reversed()) if step is not None]


def lifted_steps(line: Basic, steps: list[Step]) -> list[Step] | None:
    """Steps of one summand as steps of the sum."""
    lifted: list[Step] = []
    for step in steps:
        if step.before not in line.args:
            return None
        found = joined(line, line.args.index(step.before), step)
        if found is None:
            return None
        lifted.append(found)
        line = found.after
    return lifted


def joined(line: Basic, number: int, step: Step) -> Step | None:
    """A step of an argument of a line as a step of the line; None where the line cannot be built so.

    SymPy orders sums and products of scalars itself, so that what the step makes may stand elsewhere.
    """
    there = replaced(line, (number,), step.after) if step.backwards else line
    if there.func != line.func or step.source not in there.args:
        return None
    here = number if not step.backwards else there.args.index(step.source)
    found = attempt(there, (here, *step.place), step.rule)
    if found is None:
        return None
    found = replace(found, stage=step.stage)
    found = found.reversed() if step.backwards else found
    return found if found.before == line else None
