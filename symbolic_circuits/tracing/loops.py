r"""Loops over an axis of symbolic size: out_0 + sum_h f(h) where the body adds f(h) to ``out`` in every turn.

Such a loop runs twice, with places h_1 and h_2 that are symbols of their own. Before the second turn every array that the first one has
changed becomes a new symbol S, as after any number of turns. When the loop ends, every array that a name of the running function
holds is one of these, or the loop is refused:

- an *accumulator*: it was v_0, the first turn made it v_0 + f(h_1), the second S + f(h_2). So every turn adds f of its place, whatever the
  state is, and it becomes v_0 + sum_h f(h). This is checked as written, and otherwise by the normal form.
- made in the second turn from its place: it has no value after the loop, and using it is an error.
- the same after every turn.

A product over heads has S W_2 after the second turn, an overwritten name W_2, a running sum S + T + W_2 with another symbol T: neither is
S + f(h_2). Whatever else a turn could pass on to the next (a number that counts, a list that grows) is refused, so that all turns are
alike. Containers and attributes of objects are seen; what no name of the function shows (globals, iterators that are advanced by hand)
is not.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator
from numbers import Number
from types import FrameType
from typing import Any

import numpy
from sympy import Add, Expr, MatAdd, MatrixSymbol, S, Symbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.algebra.verdicts import Proved
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.identities.prove import prove
from symbolic_circuits.syntax.express.product import summed
from symbolic_circuits.syntax.express.symbols import fresh_indices
from symbolic_circuits.tracing.contracting import zero
from symbolic_circuits.tracing.operations import added, times
from symbolic_circuits.tracing.refusing import LIBRARIES, refuse
from symbolic_circuits.tracing.sizes import Size
from symbolic_circuits.tracing.tracer import Tracer
from symbolic_circuits.tracing.turns import Loop, Place, Turn
from symbolic_circuits.tracing.values import Value

__all__ = ["TURNS", "State", "closed", "made_opaque", "state_of"]

TURNS = 2
MAX_DEPTH = 6  # of containers and objects in one another
State = dict[str, Any]


def state_of(frame: FrameType) -> State:
    """What the names of a frame hold; what can change in place is copied."""
    return {name: snapshot(value) for name, value in frame.f_locals.items()}


def snapshot(value: Any, depth: int = 0) -> Any:
    """A value as it is now; of an object what its attributes hold."""
    if isinstance(value, Tracer):
        return value, value.value, value.turns
    if isinstance(value, list | set | tuple | frozenset | deque) and depth < MAX_DEPTH:
        return type(value).__name__, len(value), tuple(snapshot(one, depth + 1) for one in value)
    if isinstance(value, numpy.ndarray) and value.size < 1000:
        return "ndarray", value.size, (value.tobytes(),)
    if isinstance(value, dict) and len(value) < 1000 and depth < MAX_DEPTH:
        return "dict", len(value), tuple((key, snapshot(one, depth + 1)) for key, one in value.items())
    if has_attributes(value) and depth < MAX_DEPTH:
        return f"object {id(value)}", len(vars(value)), tuple((k, snapshot(one, depth + 1)) for k, one in vars(value).items())
    return value


def has_attributes(value: Any) -> bool:
    """Whether it is an object of a class of the user's code, whose attributes a turn could change."""
    library = type(value).__module__.split(".")[0]
    return not callable(value) and isinstance(getattr(value, "__dict__", None), dict) and library not in LIBRARIES


def arrays_in(found: Any) -> Iterator[tuple]:
    """The snapshots of traced arrays in a snapshot."""
    if is_array(found):
        yield found
    elif isinstance(found, tuple):
        for one in found:
            yield from arrays_in(one)


def is_array(found: Any) -> bool:
    """Whether a snapshot is one of a traced array."""
    return isinstance(found, tuple) and len(found) == 3 and isinstance(found[0], Tracer)


def made_opaque(loop: Loop, before: State, after: State) -> dict[int, Value]:
    """Put a symbol in the place of every array that the first turn has changed."""
    symbols: dict[int, Value] = {}
    known = {id(tracer): value for tracer, value, _ in arrays_in(tuple(before.values()))}
    for name, found in after.items():
        if not is_array(found) or not changes(before.get(name), found):
            continue
        tracer = found[0]
        if known.get(id(tracer)) == found[1]:
            continue  # an array from before the loop under one more name
        if id(tracer) not in symbols and not any(turn.loop.over for turn in tracer.turns):
            symbols[id(tracer)] = state_symbol(f"state{len(symbols)}of{loop.number}", found[1].shape)
            tracer.value, tracer.turns = symbols[id(tracer)], tracer.turns | {Turn(loop, 0)}
    return symbols


def state_symbol(name: str, shape: tuple[Expr, ...]) -> Value:
    """An array of which nothing is known."""
    if not shape:
        return Value(Symbol(name, real=True), shape)
    if len(shape) < 3:
        return Value(MatrixSymbol(name, shape[0], shape[1] if len(shape) == 2 else S.One), shape)
    return Value(ArraySymbol(name, shape), shape)


def changes(before: Any, after: Any) -> bool:
    """Whether an array is not what it was."""
    return not (is_array(before) and before[1] == after[1])


def closed(loop: Loop, states: list[State], opaque: dict[int, Value]) -> None:
    """Give accumulators their value after the loop; refuse what is passed on from turn to turn in another way."""
    last, done = states[-1], set()
    for name in last:
        found = [state.get(name) for state in states]
        if not is_array(last[name]):
            require_alike(loop, name, found)
            continue
        tracer, value, turns = last[name]
        own = {turn.number for turn in turns if turn.loop is loop}
        if id(tracer) in done or any(turn.loop.over for turn in turns) or own == {TURNS - 1}:
            continue
        if not own and is_array(found[1]) and found[1][1] == value:
            continue  # what it was before, or the same in every turn
        state = opaque.get(id(found[1][0])) if is_array(found[1]) else None
        total = None if state is None else accumulated(loop, found, state)
        if total is None:
            raise refuse(
                f"{loop} is no sum: no turn adds the same to {name}, which goes from one turn to the next; {shown(found)}"
            )
        done.add(id(tracer))
        tracer.value, tracer.turns = total, frozenset(turn for turn in turns if turn.loop is not loop)
    loop.over = True


def shown(found: list[Any]) -> str:
    """The first values of a name."""
    texts = [f"after turn {k}: {str(one[1].expr)[:80]}" for k, one in enumerate(found) if k and is_array(one)]
    text = re.sub(r"turn(\d)of\d+", lambda one: f"h{int(one[1]) + 1}", "; ".join(texts))
    return re.sub(r"state(\d+)of\d+", lambda one: f"S{one[1]}", text)


def require_alike(loop: Loop, name: str, found: list[Any]) -> None:
    """What is no array must not tell one turn from another."""
    first, *others = found[1:]
    if not all(same(first, other, loop, turn) for turn, other in enumerate(others, start=1)):
        what = "counts" if isinstance(first, Number) else "changes"
        raise refuse(
            f"{loop} {what} in {name}, which passes something on from turn to turn; only sums over a symbolic axis are traced"
        )


def same(left: Any, right: Any, loop: Loop, turn: int) -> bool:
    """Whether the snapshot after turn 0 and that after a later one are alike."""
    if left is right or (isinstance(left, Place) and isinstance(right, Place)):
        return True
    if is_array(left) and is_array(right):
        made = [{one.number for one in found[2] if one.loop is loop} for found in (left, right)]
        return (left[0] is right[0] and left[1] == right[1]) or made == [{0}, {turn}]
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(same(a, b, loop, turn) for a, b in zip(left, right, strict=True))
    if isinstance(left, Size) and isinstance(right, Size):
        return left.expr == right.expr
    if isinstance(left, Number | str | bytes | None) and isinstance(right, Number | str | bytes | None):
        return type(left) is type(right) and left == right
    return callable(left) and callable(right) and type(left) is type(right)  # made anew in every turn


def accumulated(loop: Loop, found: list[Any], state: Value) -> Value | None:
    """v_0 + sum_h f(h) where the turns made v_0 to v_0 + f(h_1) and ``state`` to state + f(h_2); None otherwise."""
    first, second = found[1][1], found[2][1]
    shape = state.shape
    start = found[0][1] if is_array(found[0]) else zero(shape) if found[0] is None else number(found[0], shape)
    if start is None or second.shape != shape or start.shape not in (shape, ()):
        return None
    body = increment(added(start, zero(shape)), first, state, second, [Turn(loop, k).symbol for k in range(TURNS)])
    if body is None:
        return None
    (index,) = fresh_indices([loop.size], frozenset(map(str, body.expr.atoms(Symbol) | body.expr.free_symbols)))
    total = summed(body.expr.xreplace({Turn(loop, 0).symbol: index}), [(index, loop.size)])
    return added(start, Value(total, shape))


def number(found: Any, shape: tuple[Expr, ...]) -> Value | None:
    """A sum that starts with a number."""
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    from_zero = zero(shape)
    return from_zero if found == 0 else None


def increment(start: Value, first: Value, state: Value, second: Value, symbols: list[Symbol]) -> Value | None:
    """f(h_1), if both turns add f of their place."""
    back = {symbols[1]: symbols[0]}
    parts = difference(start, first), difference(state, second)
    if None not in parts and Counter(parts[0]) == Counter(part.xreplace(back) for part in parts[1]):
        return reduced(parts[0], start.shape)
    step, again = (added(after, times(before, -1)) for before, after in ((start, first), (state, second)))
    if Counter(summands(step.expr)) == Counter(part.xreplace(back) for part in summands(again.expr)):
        return step
    try:
        return step if isinstance(prove(again.exported().xreplace(back), step.exported()), Proved) else None
    except SymbolicCircuitsError:
        return None


def summands(expr: Basic) -> tuple[Basic, ...]:
    """The terms of a sum."""
    return expr.args if isinstance(expr, Add | MatAdd) else (expr,)


def difference(before: Value, after: Value) -> list[Basic] | None:
    """The terms that a turn adds to those that were there; None if some of these are gone."""
    if before.expr == zero(before.shape).expr:
        return list(summands(after.expr))
    left = Counter(summands(after.expr))
    left.subtract(Counter(summands(before.expr)))
    return None if min(left.values()) < 0 else list(left.elements())


def reduced(parts: list[Basic], shape: tuple[Expr, ...]) -> Value:
    """The sum of terms."""
    total = zero(shape)
    for part in parts:
        total = added(total, Value(part, shape))
    return total
