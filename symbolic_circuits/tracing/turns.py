r"""Turns of a loop over an axis of symbolic size: in each a place of the axis is a symbol of its own.

A place is what ``range(H)`` and ``enumerate`` give in such a loop. It indexes axes of that size, and ``h*k : (h+1)*k`` cuts the chunks
of an axis of size H k; it is no number.
"""

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sympy import Expr, Integer, S, Symbol

from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.sizes import as_size_expr

__all__ = ["Loop", "Place", "Turn"]

NUMBERS = count()


@dataclass(eq=False)
class Loop:
    """A loop that runs, or has run."""

    size: Expr
    line: int
    number: int = field(default_factory=NUMBERS.__next__)
    over: bool = False

    def __str__(self) -> str:
        return f"the loop over the axis of size {self.size} in line {self.line}"


@dataclass(frozen=True)
class Turn:
    """One turn of a loop."""

    loop: Loop
    number: int

    @property
    def symbol(self) -> Symbol:
        """The place on the axis."""
        return Symbol(f"turn{self.number}of{self.loop.number}", integer=True, nonnegative=True)


@dataclass(frozen=True, eq=False)
class Place:
    """unit * (place + shift) in a turn."""

    turn: Turn
    shift: int = 0
    unit: Expr = S.One

    def along(self, size: Expr) -> Expr:
        """The index along an axis of a size."""
        if self.shift or self.unit != 1:
            raise refuse(f"an index that is not the place itself in {self.turn.loop}")
        if size != self.turn.loop.size:
            raise refuse(f"the place in {self.turn.loop} stands along an axis of size {size}")
        return self.turn.symbol

    def at_unit(self) -> "Place":
        """The place itself."""
        return Place(self.turn)

    def chunk(self, stop: "Place", size: Expr) -> tuple[Expr, Expr]:
        """The sizes that the axis splits into, for a slice from here to there."""
        fits = self.turn == stop.turn and self.unit == stop.unit and (self.shift, stop.shift) == (0, 1)
        if not fits or (self.turn.loop.size * self.unit - size).expand() != 0:
            raise refuse(
                f"a slice in {self.turn.loop} is h*k:(h+1)*k along an axis of size {self.turn.loop.size}*k; this one is of size {size}"
            )
        return self.turn.loop.size, self.unit

    def __mul__(self, other: Any) -> "Place":
        size = as_size_expr(other)
        if size is None:
            raise self.no_number(f"* {other!r}")
        return Place(self.turn, self.shift, self.unit * size)

    def __add__(self, other: Any) -> "Place":
        size = as_size_expr(other)
        steps = None if size is None else size / self.unit
        if not isinstance(steps, Integer):
            raise self.no_number(f"+ {other!r}")
        return Place(self.turn, self.shift + int(steps), self.unit)

    __rmul__, __radd__ = __mul__, __add__

    def no_number(self, what: str) -> Exception:
        """The error of code that takes a place for a number."""
        return refuse(f"the place in {self.turn.loop} is used as a number ({what}); it can only index axes of that size")

    def __eq__(self, other: object) -> bool:
        raise self.no_number("==")

    def __lt__(self, other: object) -> bool:
        raise self.no_number("<, >")

    __le__ = __gt__ = __ge__ = __ne__ = __lt__

    def __hash__(self) -> int:
        raise self.no_number("as a key")

    def __index__(self) -> int:
        raise self.no_number("as an index of a list, or int()")

    __int__ = __index__

    def __bool__(self) -> bool:
        raise self.no_number("if")

    def __float__(self) -> float:
        raise self.no_number("float()")

    def __sub__(self, other: object) -> None:
        raise self.no_number("-")

    __rsub__ = __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __truediv__ = __rtruediv__ = __pow__ = __rpow__ = __neg__ = (
        __sub__
    )
