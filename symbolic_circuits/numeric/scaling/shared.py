"""What all tasks of a call read, sent to a process once: pickled it is its hash, with the content only where that is missing.

An executor has no broadcast. So a worker that does not know a hash answers that it does not, and is sent the content with the same
tasks again: about once a worker, however many tasks there are. Later calls on the same data find it there. Threads share the
object itself. The content comes from the process that submitted it, over the executor's own channel, which pickles anyway.
"""

import pickle
import uuid
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from threading import Lock

from symbolic_circuits.errors import ExecutorError

__all__ = ["Shared", "share"]

KEPT = 2  # contents that a process keeps, the latest ones
RECEIVED: dict[str, tuple] = {}  # hash -> content, in the process of a worker
LOCK = Lock()


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """A function and its first arguments."""

    work: tuple | None  # the function, then its arguments; None where they were pickled
    key: str = ""  # hash of the content
    content: bytes | None = None  # the work, pickled
    is_sent: bool = False  # whether the content goes along

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is the copy of another process."""
        return self.work is None

    def __reduce__(self) -> tuple:
        return Shared, (None, self.key, self.content if self.is_sent else None, self.is_sent)  # a scheduler may pass it on

    def __dask_tokenize__(self) -> str:
        return uuid.uuid4().hex  # no two submissions are one task, so that nothing is answered from a former one

    def here(self) -> tuple | None:
        """The function and its arguments; None where this process was not given them."""
        if self.work is not None:
            return self.work
        with LOCK:
            if self.key not in RECEIVED and self.content is None:
                return None
            RECEIVED[self.key] = RECEIVED.pop(self.key, None) or pickle.loads(self.content)
            while len(RECEIVED) > KEPT:
                del RECEIVED[next(iter(RECEIVED))]
            return RECEIVED[self.key]


def share(function: Callable, arguments: tuple, executor: Executor) -> Shared:
    """The work, ready for an executor.

    Raises
    ------
    ExecutorError
        A part of it cannot be pickled and the executor is not known to run in this process; the message names it.
    """
    work = (function, *arguments)
    if isinstance(executor, ThreadPoolExecutor):
        return Shared(work)
    try:
        content = pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        part = next(part for part in (*work, work) if not is_picklable(part))
        raise ExecutorError(
            f"{name_of(part)} cannot be sent to another process ({error}): give functions that are defined at the top level of a "
            f"module, with their options by functools.partial"
        ) from error
    return Shared(work, blake2b(content, digest_size=16).hexdigest(), content)


def is_picklable(part: object) -> bool:
    """Whether an object can be sent to another process."""
    try:
        pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL)
    except Exception:
        return False
    return True


def name_of(part: object) -> str:
    """A function by its module and name, other objects by their type.

    >>> name_of(partial(sorted, reverse=True)), name_of({})
    ('the function builtins.sorted', 'an object of type dict')
    """
    while isinstance(part, partial):
        part = part.func
    if callable(part) and hasattr(part, "__qualname__"):
        return f"the function {part.__module__}.{part.__qualname__}"
    return f"an object of type {type(part).__name__}"
