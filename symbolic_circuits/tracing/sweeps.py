r"""Iteration over an axis of symbolic size, and what ``range``, ``zip``, ``enumerate`` and ``sum`` are in a traced function.

Only a for statement, and the sum of a generator, can be such an iteration: their turns show in the names of a function, so that
:mod:`symbolic_circuits.tracing.loops` can say what they add up to. A list of all turns would have a length that is no number.
"""

import builtins
import dis
from collections.abc import Callable, Iterator
from functools import lru_cache
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType, FrameType
from typing import Any

from sympy import Expr

from symbolic_circuits.tracing.indexing import taken
from symbolic_circuits.tracing.loops import TURNS, State, closed, made_opaque, state_of
from symbolic_circuits.tracing.refusing import refuse, user_frame
from symbolic_circuits.tracing.sizes import Size, as_size_expr, size_of
from symbolic_circuits.tracing.tracer import Tracer
from symbolic_circuits.tracing.turns import Loop, Place, Turn
from symbolic_circuits.tracing.values import Value

__all__ = ["Sweep", "traced_enumerate", "traced_range", "traced_sum", "traced_zip"]


class Sweep:
    """The iteration over an axis of symbolic size: what a turn gives for its place."""

    def __init__(self, size: Expr, item: Callable[[Turn], Any]) -> None:
        self.size, self.item = size, item

    def __iter__(self) -> "Run":
        return Run(self)

    def __len__(self) -> int:
        raise refuse(f"len() of an iteration over an axis of symbolic size {self.size}")

    def __reversed__(self) -> Iterator:
        raise refuse(f"reversed() over an axis of symbolic size {self.size}")


class Run:
    """A sweep that runs."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.states: list[State] = []  # before each turn
        self.opaque: dict[int, Value] = {}  # id of an array -> the symbol that it is in the second turn
        self.frame: FrameType | None = None
        self.loop: Loop | None = None

    def __iter__(self) -> "Run":
        return self

    def __next__(self) -> Any:
        frame = self.looping_frame()
        if self.loop is None:
            self.frame, self.loop = frame, Loop(self.sweep.size, frame.f_lineno)
        elif frame is not self.frame:
            raise refuse(f"{self.loop} goes on in another place")
        self.states.append(state_of(frame))
        if len(self.states) == TURNS:
            self.opaque = made_opaque(self.loop, *self.states)
        if len(self.states) > TURNS:
            closed(self.loop, self.states, self.opaque)
            self.frame = None
            raise StopIteration
        return self.sweep.item(Turn(self.loop, len(self.states) - 1))

    def looping_frame(self) -> FrameType:
        """The frame whose names hold what the loop computes: a for statement's, or that of the sum of a generator."""
        frame = user_frame()
        what = f"an iteration over an axis of symbolic size {self.sweep.size}"
        if frame is None or not is_for(frame.f_code, frame.f_lasti):
            raise refuse(
                f"{what} that is no for loop (list(), *, tuple unpacking, a list comprehension): give a number for the size, add up "
                "in a for loop or with sum(... for ...), or use np.einsum"
            )
        if frame.f_code.co_name == "<genexpr>":
            outer = frame.f_back
            if outer is None or outer.f_code is not traced_sum.__code__:
                raise refuse(f"{what} in a generator that is not summed by sum()")
            return outer
        code = frame.f_code
        plain = code.co_name in ("<lambda>", "<module>") or not code.co_name.startswith("<")
        if code.co_flags & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR) or not plain:
            raise refuse(f"{what} in {code.co_name}, whose turns are counted elsewhere; write a for loop, or sum(... for ...)")
        return frame


@lru_cache(maxsize=256)
def instructions(code: CodeType) -> dict[int, tuple[str, str]]:
    """Place of an instruction -> its name, and that of the one before."""
    found, before = {}, ""
    for one in dis.get_instructions(code):
        if one.opname not in ("EXTENDED_ARG", "CACHE"):
            found[one.offset] = (one.opname, before)
            before = one.opname
    return found


def is_for(code: CodeType, place: int) -> bool:
    """Whether the instruction is that of a for statement, or of a generator expression."""
    name, before = instructions(code).get(place, ("", ""))
    return name == "FOR_ITER" and (before == "GET_ITER" or code.co_name == "<genexpr>")


# what range, zip, enumerate and sum are in a traced function


def sweep_of(tracer: Tracer) -> Sweep:
    """The iteration over the first axis of an array."""

    def item(turn: Turn) -> Tracer:
        return Tracer(taken(tracer.value, 0, Place(turn)), tracer.turns | {turn}, is_view=True)

    return Sweep(tracer.value.shape[0], item)


def traced_range(*bounds: Any) -> Any:
    """``range``, over a symbolic size as well."""
    bounds = tuple(size_of(one.expr) if isinstance(one, Size) else one for one in bounds)  # X.size may be a number
    if not any(isinstance(one, Size | Place) for one in bounds):
        return builtins.range(*bounds)
    if len(bounds) == 2 and not isinstance(bounds[0], Size) and bounds[0] == 0:
        bounds = bounds[1:]
    size = as_size_expr(bounds[0]) if len(bounds) == 1 else None
    if size is None:
        raise refuse(f"range{bounds}: over a symbolic size it is range(size)")
    return Sweep(size, Place)


def as_sweep(item: Any) -> Any:
    """The sweep over something of symbolic size; the thing itself if it has none."""
    if isinstance(item, Tracer) and item.value.order and not isinstance(item.shape[0], int):
        return sweep_of(item)
    return item


def traced_zip(*iterables: Any, strict: bool = False) -> Any:
    """``zip``, over axes of one symbolic size as well."""
    found = list(map(as_sweep, iterables))
    sizes = list(dict.fromkeys(one.size for one in found if isinstance(one, Sweep)))
    if not sizes:
        return builtins.zip(*iterables, strict=strict)
    if len(sizes) > 1 or not all(isinstance(one, Sweep) for one in found):
        others = [type(one).__name__ for one in found if not isinstance(one, Sweep)]
        raise refuse(
            f"zip of axes of sizes {', '.join(map(str, sizes))}{' and of ' + ', '.join(others) if others else ''}: they must be one"
        )
    return Sweep(sizes[0], lambda turn: tuple(one.item(turn) for one in found))


def traced_enumerate(iterable: Any, start: int = 0) -> Any:
    """``enumerate``, over a symbolic axis as well."""
    found = as_sweep(iterable)
    if not isinstance(found, Sweep):
        return builtins.enumerate(iterable, start)
    if start:
        raise refuse(f"enumerate over an axis of symbolic size {found.size} that starts at {start}")
    return Sweep(found.size, lambda turn: (Place(turn), found.item(turn)))


def traced_sum(iterable: Any, /, start: Any = 0) -> Any:
    """``sum``, over a symbolic axis as well."""
    total = start
    if isinstance(as_sweep(iterable), Sweep):
        return (
            start + Tracer.numpy_call("sum", (iterable,), {"axis": 0})
            if isinstance(iterable, Tracer)
            else sum_of(iterable, start)
        )
    for item in iterable:
        total = total + item
    return total


def sum_of(sweep: Sweep, start: Any) -> Any:
    """The sum of a range or zip has no meaning as an array."""
    raise refuse(f"sum() of a range or zip over an axis of symbolic size {sweep.size}")


Tracer.sweep = staticmethod(sweep_of)
