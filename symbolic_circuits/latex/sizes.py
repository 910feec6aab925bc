r"""Axes whose sizes may not be known yet, and their unification: Id in ``(\mathrm{Id} \otimes W)(A \otimes \mathrm{Id})`` takes n x n and d x d.

An axis is a product of parts, ``()`` being of size 1; a part is a size by name, a number, an unknown, or a sum of axes (blocks).
"""

from collections.abc import Iterable
from math import prod
from typing import NamedTuple, TypeAlias

from sympy import Add, Expr, Integer, Mul

from symbolic_circuits.axes import size_symbol

__all__ = ["Axis", "Blocks", "Mismatch", "Sizes", "Unknown", "axis_text", "shape_text", "size_expr", "unknowns"]


class Unknown:
    """A size that is to be found; ``what`` says of what. If it ``is_free`` it may be any size where nothing says which."""

    __slots__ = ("is_free", "what")

    def __init__(self, what: str, *, is_free: bool = False) -> None:
        self.what, self.is_free = what, is_free


class Blocks(NamedTuple):
    """A sum of sizes, along which blocks stand."""

    parts: tuple["Axis", ...]


Part: TypeAlias = str | int | Unknown | Blocks
Axis: TypeAlias = tuple[Part, ...]


class Mismatch(Exception):
    """Two sizes are known to differ."""

    def __init__(self, left: Axis, right: Axis) -> None:
        super().__init__()
        self.left, self.right = left, right


class Sizes:
    """What is known of unknown sizes; equations that cannot be solved yet wait.

    >>> sizes, unknown = Sizes(), Unknown("Id")
    >>> sizes.unify((unknown, "d"), ("n", "d"))
    >>> sizes.known((unknown, "e"))
    ('n', 'e')
    """

    def __init__(self) -> None:
        self.bound: dict[Unknown, Axis] = {}
        self.waiting: list[tuple[Axis, Axis, object]] = []

    def known(self, axis: Axis) -> Axis:
        """The axis with what is known put in."""
        out: list[Part] = []
        for part in axis:
            if isinstance(part, Unknown):
                out += self.known(self.bound[part]) if part in self.bound else (part,)
            elif isinstance(part, Blocks):
                inner = tuple(self.known(axis) for axis in part.parts)
                out += inner[0] if len(inner) == 1 else (Blocks(inner),)
            elif part != 1:
                out.append(part)
        return tuple(out)

    def unify(self, left: Axis, right: Axis, mark: object = None) -> None:
        """The two are equal from now on; ``mark`` is kept for a report.

        Raises
        ------
        Mismatch
            They are known to differ.
        """
        if not self.solved(left, right):
            self.waiting.append((left, right, mark))

    def solved(self, left: Axis, right: Axis) -> bool:
        """Make two axes equal if it is clear how."""
        a, b = self.known(left), self.known(right)
        while a and b and a[0] == b[0]:
            a, b = a[1:], b[1:]
        while a and b and a[-1] == b[-1]:
            a, b = a[:-1], b[:-1]
        if not a and not b:
            return True
        for one, other in ((a, b), (b, a)):
            if len(one) == 1 and isinstance(one[0], Unknown):
                if occurs(one[0], other):
                    raise Mismatch(left, right)
                self.bound[one[0]] = other
                return True
        if len(a) == len(b) and any(isinstance(part, Unknown) for part in a + b):
            found = [self.solved((x,), (y,)) for x, y in zip(a, b, strict=True)]
            return all(found)
        if len(a) == len(b) == 1 and isinstance(a[0], Blocks) and isinstance(b[0], Blocks) and len(a[0].parts) == len(b[0].parts):
            found = [self.solved(x, y) for x, y in zip(a[0].parts, b[0].parts, strict=True)]
            return all(found)
        if unknowns(a) or unknowns(b):
            return False
        numbers = all(isinstance(part, int) for part in a + b)
        in_another_order = not numbers and a != b and sorted(map(str, a)) == sorted(map(str, b))
        if in_another_order or size_expr(a) != size_expr(b):  # n*d and d*n are as many entries, but not the same ones
            raise Mismatch(self.known(left), self.known(right))
        return True

    def settle(self) -> None:
        """Try again what waits, until nothing more is found.

        Raises
        ------
        Mismatch
            With ``mark`` in its attribute of that name.
        """
        before = -1
        while before != len(self.bound):
            before = len(self.bound)
            waiting, self.waiting = self.waiting, []
            for left, right, mark in waiting:
                try:
                    self.unify(left, right, mark)
                except Mismatch as error:
                    error.mark = mark
                    raise

    def agrees(self, left: Axis, right: Axis) -> bool:
        """Whether two axes could be equal; nothing is bound."""
        bound, waiting = dict(self.bound), list(self.waiting)
        try:
            self.unify(left, right)
        except Mismatch:
            return False
        finally:
            self.bound, self.waiting = bound, waiting
        return True


def unknowns(axis: Axis) -> list[Unknown]:
    """The unknown sizes in an axis."""
    found = []
    for part in axis:
        if isinstance(part, Unknown):
            found.append(part)
        elif isinstance(part, Blocks):
            found += [unknown for inner in part.parts for unknown in unknowns(inner)]
    return found


def occurs(unknown: Unknown, axis: Axis) -> bool:
    """Whether an unknown stands in an axis."""
    return unknown in unknowns(axis)


def size_expr(axis: Axis) -> Expr:
    """The size of a known axis.

    >>> size_expr(("n", "d")), size_expr((Blocks((("d",), ())),))
    (d*n, d + 1)
    """
    if all(isinstance(part, int) for part in axis):
        return Integer(prod(axis))
    return Mul(*(part_expr(part) for part in axis))


def part_expr(part: Part) -> Expr:
    """The size of a part."""
    if isinstance(part, int):
        return Integer(part)
    if isinstance(part, Blocks):
        return Add(*map(size_expr, part.parts))
    return size_symbol(part)


def axis_text(axis: Axis) -> str:
    """An axis for messages; unknown sizes are ``?``.

    >>> axis_text(("n", "d")), axis_text(())
    ('n*d', '1')
    """
    return "*".join(part_text(part) for part in axis) or "1"


def part_text(part: Part) -> str:
    """A part for messages."""
    if isinstance(part, Unknown):
        return "?"
    return f"({' + '.join(map(axis_text, part.parts))})" if isinstance(part, Blocks) else str(part)


def shape_text(axes: Iterable[Axis]) -> str:
    """A shape for messages.

    >>> shape_text([("n",), ("d",)]), shape_text([])
    ('n x d', 'a scalar')
    """
    return " x ".join(map(axis_text, axes)) or "a scalar"
