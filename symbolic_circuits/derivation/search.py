"""Few steps from one expression to another: rules tried at every place, from both ends, until a tree of one side is one of the other."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sympy import preorder_traversal
from sympy.core.basic import Basic

from symbolic_circuits.derivation.alignment import alignment, key
from symbolic_circuits.derivation.moves import Moves
from symbolic_circuits.derivation.pieces import is_sum
from symbolic_circuits.derivation.places import part, places, replaced
from symbolic_circuits.derivation.rules.collect import CollectTerms
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.errors import SymbolicCircuitsError

__all__ = ["SILENT", "attempt", "few_steps", "size", "stage_of", "staged"]

MAX_TRIES = 800  # rules applied, both ends together
MAX_DEPTH = 3  # steps from either end
GROWTH = 2  # a tree may be so many times as large as the larger end, and some more
MORE = 30

STAGES = {
    "substitute": "definitions",
    "fold into B": "definitions",
    "fold a matrix into B": "definitions",
    "symmetric part": "definitions",
    "distribute": "multiply out",
    "scalars in front": "multiply out",
    "expand power": "multiply out",
    "write power": "multiply out",
    "transpose of a product": "transpose",
    "collect terms": "collect equal terms",
    "operator notation": "as operators",
    "index notation": "in indices",
    "index notation of a product": "in indices",
    "tensor notation": "in tensor notation",
    "apply law": "laws",
    "cancel by law": "laws",
    "cancel inverse": "simplify products",
    "fuse identity": "simplify products",
    "mixed product": "simplify products",
    "numbers in a Kronecker product": "simplify products",
    "product of blocks": "block by block",
    "elementwise product of blocks": "block by block",
    "transpose of a number": "numbers",
    "reorder numbers": "numbers",
    "claim": "what is left",
}
SILENT = ("reorder", "rename")  # belong to the main step before


def stage_of(rule: Rule) -> str:
    """The main step that a rule belongs to."""
    return STAGES.get(rule.name, rule.name)


def attempt(line: Basic, place: tuple[int, ...], rule: Rule) -> Step | None:
    """A step; None where the rule does not apply or SymPy cannot build the line."""
    try:
        after = replaced(line, place, rule.apply(part(line, place)))
        return Step(tuple(place), rule, line, after, stage=stage_of(rule))
    except (SymbolicCircuitsError, ValueError, TypeError, NotImplementedError, AttributeError):
        return None


def few_steps(left: Basic, right: Basic, moves: Moves, *, whole: bool = False, tries: int = MAX_TRIES) -> list[Step] | None:
    """The fewest steps that lead from one expression to another, the smallest lines among equals; None where none were found.

    Parameters
    ----------
    whole : whether no line between may be a sum, as the expressions are summands
    tries : how many rules are applied at most

    Examples
    --------
    >>> from sympy import MatrixSymbol, Trace, Transpose
    >>> A, B, C = (MatrixSymbol(name, 2, 2) for name in "ABC")
    >>> [step.rule.name for step in few_steps(Trace(A * (B + C)), Trace(B * A) + Trace(C * A), Moves())]
    ['distribute', 'distribute', 'cyclic trace', 'cyclic trace']
    """
    search = Search(moves, whole, tries, GROWTH * max(size(left), size(right)) + MORE)
    ends = (End.at(left), End.at(right))
    best = meeting(ends)
    depth = [0, 0]
    while best is None and search.tries > 0:
        side = min((0, 1), key=lambda k: (depth[k] > depth[1 - k], len(ends[k].newest)))
        if depth[side] == MAX_DEPTH or not ends[side].newest:
            side = 1 - side
        if depth[side] == MAX_DEPTH or not ends[side].newest:
            return None
        search.grow(ends[side], ends[1 - side])
        depth[side] += 1
        best = meeting(ends)
    return best


def size(expr: Basic) -> int:
    """The number of nodes of a tree."""
    return sum(1 for _ in preorder_traversal(expr))


@dataclass
class End:
    """What was reached from one end: trees by key, each with the step that led to it and the one before."""

    reached: dict[str, tuple[Basic, Step | None]]
    newest: list[Basic] = field(default_factory=list)

    @classmethod
    def at(cls, expr: Basic) -> "End":
        """Only the end itself."""
        return cls({key(expr): (expr, None)}, [expr])

    def steps_to(self, expr: Basic) -> list[Step]:
        """The steps from the end to a tree that was reached."""
        steps: list[Step] = []
        while (step := self.reached[key(expr)][1]) is not None:
            steps.append(step)
            expr = step.before
        return steps[::-1]


@dataclass
class Search:
    """What bounds a search."""

    moves: Moves
    whole: bool
    tries: int
    largest: int

    def grow(self, end: End, other: End) -> None:
        """One step more from one end, small trees first, until the other end is met or the tries are used up."""
        newest, end.newest = sorted(end.newest, key=size), []
        for expr in newest:
            for step in self.steps_from(expr):
                name = key(step.after)
                if name not in end.reached and size(step.after) <= self.largest and not (self.whole and is_sum(step.after)):
                    end.reached[name] = (step.after, step)
                    end.newest.append(step.after)
            if self.tries <= 0 or any(key(found) in other.reached for found in end.newest):
                return

    def steps_from(self, expr: Basic) -> Iterator[Step]:
        """What rules make of a tree."""
        for place, node in places(expr):
            rules = [CollectTerms()] if is_sum(node) else self.moves.all(node)
            for rule in rules:
                if self.tries <= 0:
                    return
                self.tries -= 1
                step = attempt(expr, place, rule)
                if step is not None:
                    yield step


def meeting(ends: tuple[End, End]) -> list[Step] | None:
    """The steps over the best of the trees that both ends reached."""
    found = []
    for name in ends[0].reached:
        if name in ends[1].reached:
            here, there = (end.reached[name][0] for end in ends)
            middle = alignment(here, there)
            if middle is not None:
                back = [step.reversed() for step in reversed(ends[1].steps_to(there))]
                found.append([*ends[0].steps_to(here), *staged(middle), *back])
    return min(found, key=lambda steps: (len(steps), sum(size(step.after) for step in steps)), default=None)


def staged(steps: list[Step]) -> list[Step]:
    """Steps with the stages of their rules."""
    return [Step(step.place, step.rule, step.before, step.after, step.backwards, stage_of(step.rule)) for step in steps]
