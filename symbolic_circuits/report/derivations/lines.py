"""Which lines of a derivation are shown: every one, one a main step, or the first and the last."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import NamedTuple

from sympy.core.basic import Basic

from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.places import Place
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.report.derivations.marks import differing

__all__ = ["Shown", "changes", "of_result", "shown", "without_long"]


class Shown(NamedTuple):
    """A line, and the steps that lead to it from the line shown before."""

    expr: Basic
    steps: tuple[Step, ...]


def shown(derivation: Derivation, detail: str) -> list[Shown]:
    """The lines to be shown; the first has no steps."""
    first = Shown(derivation.start, ())
    if not derivation.steps:
        return [first]
    if detail == "result":
        return [first, Shown(derivation.result, derivation.steps)]
    return [first, *(Shown(steps[-1].after, steps) for steps in grouped(derivation.steps, detail))]


def of_result(derivation: Derivation) -> Derivation:
    """What is derived and the last line, without the lemmas that lead there; what is not named keeps its first line."""
    own = {lemma.name for lemma in derivation.lemmas} | {derivation.name}
    given = tuple(stated for stated in derivation.given if stated[0] not in own)
    if derivation.name is None:
        return replace(derivation, given=given, lemmas=())
    return Derivation(derivation.result, (), given, (), derivation.name, derivation.model)


def grouped(steps: Sequence[Step], detail: str) -> list[tuple[Step, ...]]:
    """Steps in a row that have a stage in common; a step without one, or every step, is alone."""
    keyed = [(step.stage if detail == "main" and step.stage else number, step) for number, step in enumerate(steps)]
    return [tuple(step for _, step in group) for _, group in groupby(keyed, key=lambda pair: pair[0])]


def without_long(lines: Sequence[Shown], is_long: Callable[[Basic], bool]) -> list[Shown]:
    """The lines without long ones between the first and the last; their steps join those of the next line that is shown."""
    kept, waiting = [lines[0]], ()
    for line in lines[1:]:
        steps = (*waiting, *line.steps)
        if line is not lines[-1] and is_long(line.expr):
            waiting = steps
        else:
            kept.append(Shown(line.expr, steps))
            waiting = ()
    return kept


def changes(lines: Sequence[Shown]) -> list[list[Place]]:
    """For each line the places that a step changes: the next one, or the one before where that is read backwards.

    A change of the whole line is not worth a mark.
    """
    found: list[list[Place]] = [[] for _ in lines]
    for number, (line, following) in enumerate(pairwise(lines)):
        if len(following.steps) == 1:
            (step,) = following.steps
            found[number + step.backwards].append(step.place)
        else:
            found[number] += differing(line.expr, following.expr)
    return [[place for place in places if place] for places in found]
