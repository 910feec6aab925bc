"""The parts of a line that the next step changes: the place of a step, or the smallest sub-trees in which two lines differ.

A part is marked by identity: the line is copied along the path to it, so that the marked node is one object that occurs once.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sympy import MatMul
from sympy.core.basic import Basic

from symbolic_circuits.derivation.pieces import is_sum, summands
from symbolic_circuits.derivation.places import Place, inner_arguments

__all__ = ["Marks", "copied", "differing", "marked"]

OWN = frozenset({"_args", "_mhash", "__weakref__", "__dict__"})


class Marks:
    """Nodes, kept alive, that are marked by identity."""

    def __init__(self) -> None:
        self.nodes: dict[int, Basic] = {}

    def add(self, node: Basic) -> None:
        """Mark an object."""
        self.nodes[id(node)] = node

    def __contains__(self, node: object) -> bool:
        return self.nodes.get(id(node)) is node


def copied(node: Basic, args: Sequence[Basic]) -> Basic:
    """A new object of the same class with other arguments, nothing evaluated, sorted or checked: to be printed only."""
    new = Basic.__new__(type(node), *args)
    slots = {slot for cls in type(node).__mro__ for slot in as_names(getattr(cls, "__slots__", ()))}
    for slot in sorted(slots - OWN):
        if hasattr(node, slot):
            setattr(new, slot, getattr(node, slot))
    if hasattr(node, "__dict__"):
        new.__dict__.update(node.__dict__)
    return new


def as_names(slots: str | Iterable[str]) -> tuple[str, ...]:
    """Slots as a class states them, one alone or several."""
    return (slots,) if isinstance(slots, str) else tuple(slots)


def marked(expr: Basic, places: Iterable[Place], marks: Marks) -> Basic:
    """A copy of an expression to be printed; what is at the places is marked, outermost places only.

    >>> from sympy import MatrixSymbol
    >>> A = MatrixSymbol("A", 2, 2)
    >>> marks = Marks()
    >>> copy = marked(A * A + A, [(1, 0)], marks)
    >>> copy == A * A + A, copy.args[1].args[0] in marks, copy.args[1].args[1] in marks
    (True, True, False)
    """
    places = list(places)
    if () in places:
        new = copied(expr, expr.args)
        marks.add(new)
        return new
    below: dict[int, list[Place]] = {}
    for first, *rest in places:
        below.setdefault(first, []).append(tuple(rest))
    if not below:
        return expr
    return copied(expr, [marked(arg, below[k], marks) if k in below else arg for k, arg in enumerate(expr.args)])


def differing(before: Basic, after: Basic, place: Place = ()) -> Iterator[Place]:
    """The places of ``before`` whose smallest sub-trees differ from ``after``.

    >>> from sympy import MatrixSymbol
    >>> A, B, C, D = (MatrixSymbol(name, 2, 2) for name in "ABCD")
    >>> list(differing(A * B + C * A * B, A * B + C * D * B))
    [(1, 1)]
    """
    if before == after:
        return
    if is_sum(before):
        yield from differing_summands(before, after, place)
        return
    if isinstance(before, MatMul) and isinstance(after, MatMul) and len(before.args) != len(after.args):
        yield from changed_factors(before.args, after.args, place)
        return
    inner = set(inner_arguments(before)) if before.args else set()
    changed = [k for k, (a, b) in enumerate(zip(before.args, after.args, strict=False)) if a != b]
    if before.func != after.func or len(before.args) != len(after.args) or not inner.issuperset(changed):
        yield place
        return
    for k in changed:
        yield from differing(before.args[k], after.args[k], (*place, k))


def changed_factors(before: Sequence[Basic], after: Sequence[Basic], place: Place) -> Iterator[Place]:
    """The factors between those at both ends that two products have in common."""
    start, end = common(before, after), common(before[::-1], after[::-1])
    if start + end >= len(before) or start + end == 0:
        yield place
    else:
        yield from ((*place, number) for number in range(start, len(before) - end))


def common(left: Sequence[Basic], right: Sequence[Basic]) -> int:
    """How many factors agree from the start."""
    return next((k for k, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))


def differing_summands(before: Basic, after: Basic, place: Place) -> Iterator[Place]:
    """Of a sum, the summands that the other does not have."""
    others = Counter(summands(after))
    gone = []
    for number, summand in enumerate(before.args):
        if others[summand]:
            others[summand] -= 1
        else:
            gone.append(number)
    rest = list(others.elements())
    if len(gone) == len(rest):
        for number, other in zip(gone, rest, strict=True):
            yield from differing(before.args[number], other, (*place, number))
    elif len(gone) == len(before.args):
        yield place
    else:
        yield from ((*place, number) for number in gone)
