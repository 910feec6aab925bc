"""The lowest and the highest grade of the terms of each nonterminal: heads add, bilinear layers add up or take the larger.

A grade is a number of components passed (order, heads, bilinears), of inputs (degree), or how deep they are nested (height).
Degrees grow like 2^L, so the range is what says, before any array is made, how many grades there are and what they take.
"""

from collections.abc import Sequence
from typing import TypeAlias

from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.counting import GRADINGS
from symbolic_circuits.expansion.grammar import BLOCKS, Component
from symbolic_circuits.expansion.interpret import Algebra

__all__ = ["HEIGHT", "GradeRanges", "grade_names", "step_of"]

HEIGHT = "height"

Range: TypeAlias = tuple[int, int] | None  # lowest and highest grade; None where there are no terms


def grade_names() -> tuple[str, ...]:
    """The gradings offered, by name."""
    return tuple(dict.fromkeys([*GRADINGS, HEIGHT]))


def step_of(by: str, kind: str) -> int:
    """How much a component of this kind adds to the grade: 0 or 1.

    >>> step_of("order", "attn"), step_of("order", "input"), step_of("degree", "input"), step_of("height", "bilinear")
    (1, 0, 1, 1)
    """
    if by not in grade_names():
        raise NotationError(f"terms are graded by {', '.join(grade_names())}; got {by!r}")
    return int(kind in (BLOCKS if by == HEIGHT else GRADINGS[by]))


class GradeRanges(Algebra[Range]):
    """(lowest, highest) grade of the terms.

    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> path_expansion("(attn(8) bilinear)*4").interpret(GradeRanges("order"))
    (0, 45)
    >>> path_expansion("bilinear(no residual)*3").interpret(GradeRanges("degree"))
    (8, 8)
    """

    def __init__(self, by: str) -> None:
        step_of(by, "input")  # an error where there is no such grading
        self.by = by

    def zero(self, component: Component) -> Range:
        return None

    def input(self, component: Component) -> Range:
        step = step_of(self.by, component.kind)
        return step, step

    def head(self, component: Component, x: Range) -> Range:
        step = step_of(self.by, component.kind)
        return None if x is None else (x[0] + step, x[1] + step)

    norm = gated = head

    def heads(self, component: Component, x: Range, copies: object) -> Range:
        return self.head(component, x)

    def bilinear(self, component: Component, x: Range, y: Range) -> Range:
        return self.attention(component, (x, y))

    def attention(self, component: Component, inputs: Sequence[Range]) -> Range:
        if None in inputs:
            return None
        step, join = step_of(self.by, component.kind), max if self.by == HEIGHT else sum
        return step + join(low for low, _ in inputs), step + join(high for _, high in inputs)

    scores = attention

    def attention_heads(self, component: Component, inputs: Sequence[Range], copies: object) -> Range:
        return self.attention(component, inputs)

    def add(self, values: Sequence[Range]) -> Range:
        there = [value for value in values if value is not None]
        return (min(low for low, _ in there), max(high for _, high in there)) if there else None

    def scale(self, factor: int, x: Range) -> Range:
        return x
