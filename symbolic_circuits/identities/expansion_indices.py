r"""Structured indices: the index of an axis is a tuple of variables, and equations between indices are solved as in Prolog.

An index of an axis of size n d is one variable, until an equation with the pair (a, i) of an index of a Kronecker product binds it to
these parts. An axis of size 1 has the empty tuple. An identity matrix is an equation between its two indices, no factor.

An index of an axis of size n + m, along which blocks are stacked, is bound to a pair as well: a variable that is held at the number of
the block, and the place in that block.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Self, TypeAlias

from sympy import Add, Expr, Integer, Mul

from symbolic_circuits.errors import ShapeError
from symbolic_circuits.identities.checker_data import Scalar

__all__ = ["Apart", "Bindings", "Entry", "Index", "Opaque", "Part", "Variable"]


class Apart(Exception):
    """A term is zero: an index is held in two blocks."""


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """An index variable."""

    size: Expr
    number: int  # in the order in which variables were made


Index: TypeAlias = tuple[Variable, ...]  # of one axis


class Part(NamedTuple):
    """Which block of an axis of blocks."""

    number: int
    sizes: tuple[Expr, ...]  # of all blocks


class Entry(NamedTuple):
    """scalar * sum over some indices of a product of entries of tensors, under equations between indices."""

    scalar: Scalar
    factors: tuple[tuple[str, tuple[Index, ...]], ...] = ()
    equations: tuple[tuple[Index, Index], ...] = ()
    summed: tuple[Index, ...] = ()
    names: tuple[tuple[str, Index], ...] = ()  # open index variables, such as s in X_{s a}
    held: tuple[tuple[Variable, Part], ...] = ()  # variables that say which block


class Opaque(NamedTuple):
    """A function of an expression, of which nothing is known."""

    function: str
    rows: bool  # of whole rows along the last leg
    legs: tuple[Index, ...]
    argument: tuple[Entry, ...]


@dataclass
class Bindings:
    """What variables are bound to: another variable, or parts of their own."""

    parts: dict[Variable, Index] = field(default_factory=dict)
    held: dict[Variable, Part] = field(default_factory=dict)  # variables that say which block; the place in it comes next

    def copy(self) -> Self:
        """The same, to be changed on its own."""
        return Bindings(dict(self.parts), dict(self.held))

    def resolve(self, index: Index) -> Index:
        """The variables of an index that are not bound."""
        out, waiting = [], list(reversed(index))
        while waiting:
            variable = waiting.pop()
            if variable in self.parts:
                waiting += reversed(self.parts[variable])
            else:
                out.append(variable)
        return tuple(out)

    def unify(self, left: Index, right: Index) -> None:
        """Make two indices one, splitting variables into parts where the other index has parts.

        Raises
        ------
        ShapeError
            Their sizes differ, or are split in two ways.
        Apart
            They are held in two blocks.
        """
        shown = f"an axis of size {show(self.resolve(left))} meets an axis of size {show(self.resolve(right))}"
        a, b = self.resolve(left), self.resolve(right)
        while a and b:
            if a[0] is b[0]:
                taken = (1, 1)
            elif self.is_stacked(a[0], b[0]):
                self.parts[a[0]] = b[:2]
                taken = (1, 2)
            elif self.is_stacked(b[0], a[0]):
                self.parts[b[0]] = a[:2]
                taken = (2, 1)
            elif a[0].size == b[0].size:
                self.bind(*sorted((a[0], b[0]), key=lambda variable: variable.number), shown)
                taken = (1, 1)
            elif count := prefix(a[0].size, b):
                self.parts[a[0]] = b[:count]
                taken = (1, count)
            elif count := prefix(b[0].size, a):
                self.parts[b[0]] = a[:count]
                taken = (count, 1)
            else:
                raise ShapeError(shown)
            a, b = self.resolve(a[taken[0] :]), self.resolve(b[taken[1] :])
        if a or b:
            raise ShapeError(shown)

    def is_stacked(self, whole: Variable, held: Variable) -> bool:
        """Whether an index runs along all the blocks of which another variable says which."""
        return whole not in self.held and held in self.held and Add(*self.held[held].sizes) == whole.size

    def bind(self, older: Variable, newer: Variable, shown: str) -> None:
        """Call a variable by another one of its size."""
        if newer in self.held:
            part = self.held.setdefault(older, self.held[newer])
            if part.sizes != self.held[newer].sizes:
                raise ShapeError(shown)
            if part != self.held[newer]:
                raise Apart
        self.parts[newer] = (older,)

    def shape(self, index: Index) -> tuple[Expr | tuple[Expr, ...], ...]:
        """The sizes that an index runs over; all of them where it is held in a block."""
        out, rest = [], iter(self.resolve(index))
        for variable in rest:
            out.append(self.held[variable].sizes if variable in self.held else variable.size)
            if variable in self.held:
                next(rest)
        return tuple(out)


def prefix(size: Expr, index: Sequence[Variable]) -> int:
    """How many variables from the left have this product of sizes; 0 where none do."""
    return next((count for count in range(2, len(index) + 1) if Mul(*(v.size for v in index[:count])) == size), 0)


def show(index: Index) -> str:
    """Sizes for an error message."""
    return " * ".join(str(variable.size) for variable in index) or str(Integer(1))
