"""What a worker does: f(shared, item) for some items, each by itself, so that no value depends on which items come together."""

import pickle
import time
import traceback
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from symbolic_circuits.numeric.scaling.shared import Shared

__all__ = ["Answer", "Found", "attempt", "run", "unpacked"]

Found: TypeAlias = tuple[object, BaseException | None]  # value and error


class Answer(NamedTuple):
    """What came of some items."""

    seconds: float
    found: list[Found | bytes]  # bytes where they come from another process


def run(shared: Shared, items: Sequence) -> Answer | None:
    """The values of some items; None where this process was not given the shared data."""
    try:
        work = shared.here()
    except Exception as error:  # the function's module is not there, say
        return Answer(0.0, [packed((None, error))] * len(items))
    if work is None:
        return None
    start = time.perf_counter()
    found = [attempt(*work, item) for item in items]
    seconds = time.perf_counter() - start
    return Answer(seconds, [packed(each) for each in found] if shared.is_elsewhere else found)


def attempt(function: Callable, *arguments: object) -> Found:
    """The value, or what was raised."""
    try:
        return function(*arguments), None
    except (Exception, SystemExit) as error:
        return None, error


def packed(found: Found) -> bytes:
    """A value or an error as bytes that can be read where they go to; an error keeps its traceback as a note."""
    value, error = found
    if error is not None:
        error.add_note("".join(traceback.format_exception(error)))
    try:
        data = pickle.dumps((value, error), protocol=pickle.HIGHEST_PROTOCOL)
        if error is not None:
            pickle.loads(data)  # classes of errors that need more than a message cannot be read back
        return data
    except Exception as reason:
        return pickle.dumps((None, in_words(error, reason)))


def in_words(error: BaseException | None, reason: Exception) -> RuntimeError:
    """An error that stands for one that cannot be sent, or for a value that cannot."""
    if error is None:
        return RuntimeError(f"the value cannot be sent back: {type(reason).__name__}: {reason}")
    out = RuntimeError(f"{type(error).__name__}: {error}")
    for note in getattr(error, "__notes__", ()):
        out.add_note(note)
    return out


def unpacked(found: Found | bytes) -> Found:
    """What :func:`packed` was given."""
    try:
        return pickle.loads(found) if isinstance(found, bytes) else found
    except Exception as reason:
        return None, RuntimeError(f"the value cannot be read: {type(reason).__name__}: {reason}")
