"""f(shared, item) for every item, in place or through an executor: one outcome an item, as they are completed.

| case | what becomes of it |
| --- | --- |
| f raises | the outcome has the error (its traceback as a note); the others go on |
| a worker ends, the executor goes on (dask) | at the end its tasks are tried again, each with no other; what ends a worker then is lost: WorkerError |
| a worker ends, and the executor with it (process pool) | what was in flight is lost: WorkerError; what was not begun: NotStartedError |
| the caller stops (KeyboardInterrupt, ``close``) | what is outstanding is cancelled |

Items are sent some at a time, so many that a submission takes from LEAST to TARGET seconds, and few submissions are outstanding at a time, so
that there may be millions of items. Every item is computed by itself: values are the same bit for bit in place and through any
executor, whatever is sent together, on processors of one kind with the same number of BLAS threads. Reductions belong in the order
of the items (:func:`symbolic_circuits.numeric.scaling.outcome.in_order`), not in that of completion.
"""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Executor, Future, wait
from dataclasses import replace
from typing import NamedTuple

from symbolic_circuits.errors import ExecutorError, NotStartedError, WorkerError
from symbolic_circuits.numeric.scaling.outcome import Outcome, in_short
from symbolic_circuits.numeric.scaling.shared import Shared, share
from symbolic_circuits.numeric.scaling.worker import attempt, run, unpacked

__all__ = ["outcomes"]

TARGET = 0.5  # seconds of work that are submitted at a time at most
LEAST = 0.05  # and at least, so that submitting costs little beside it (dask: several milliseconds)
WINDOW = 256  # submissions that are outstanding at most, where the number of workers is not known


def outcomes(
    function: Callable,
    items: Sequence,
    *,
    shared: tuple = (),
    executor: Executor | None = None,
    chunk: int | None = None,
    window: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """``function(*shared, item)`` for every item, as they are completed.

    Parameters
    ----------
    function : defined at the top level of a module (options by functools.partial) where the executor has processes
    shared : what all calls read; it is sent once a worker, or about so
    executor : any ``concurrent.futures.Executor``, such as a process pool or ``dask.distributed.Client(...).get_executor()``; in
        this process, one after the other, by default. It is not shut down
    chunk : items that are submitted together; by default as many as take up to half a second
    window : submissions that are outstanding at most; three a worker by default, or 256 where their number is not known
    progress : called with the number of outcomes and of items

    Raises
    ------
    ExecutorError
        This is no executor, or the function cannot be sent to another process.

    Examples
    --------
    >>> [outcome.value for outcome in outcomes(pow, [1, 2, 3], shared=(2,))]
    [2, 4, 8]
    """
    items = items if isinstance(items, Sequence) else list(items)
    for number, name in ((chunk, "chunk"), (window, "window")):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            raise ExecutorError(f"{name} is a number of submissions or items, at least 1; got {number!r}")
    if executor is None:
        found = in_place(function, shared, items)
    elif isinstance(executor, Executor):
        found = Dispatch(executor, share(function, shared, executor), items, chunk, window).run()
    else:
        hint = ": take client.get_executor()" if hasattr(executor, "get_executor") else ""
        raise ExecutorError(f"an executor is a concurrent.futures.Executor; got {type(executor).__name__}{hint}")
    return counted(found, len(items), progress)


def counted(found: Iterator[Outcome], total: int, progress: Callable[[int, int], None] | None) -> Iterator[Outcome]:
    """The outcomes, each reported."""
    try:
        for done, outcome in enumerate(found, start=1):
            if progress is not None:
                progress(done, total)
            yield outcome
    finally:
        found.close()


def in_place(function: Callable, shared: tuple, items: Sequence) -> Iterator[Outcome]:
    """One item after the other, here."""
    for index, item in enumerate(items):
        yield Outcome(index, item, *attempt(function, *shared, item))


class Batch(NamedTuple):
    """Items that are submitted together."""

    indices: range
    with_content: bool = False  # whether the shared data goes along
    is_alone: bool = False  # whether nothing else is outstanding


class Dispatch:
    """The submissions of one call: which are outstanding, which are next."""

    def __init__(self, executor: Executor, shared: Shared, items: Sequence, chunk: int | None, window: int | None) -> None:
        self.executor, self.shared, self.items, self.chunk = executor, shared, items, chunk
        workers = getattr(executor, "_max_workers", None)
        self.workers = workers or os.cpu_count() or 1  # a first guess where it is not known
        self.window = window or (3 * workers if workers else WINDOW)
        self.begun = 0  # items that were submitted once
        self.again: deque[Batch] = deque()
        self.suspects: deque[Batch] = deque()  # tried at the end, each with no other
        self.outstanding: dict[Future, Batch] = {}
        self.answers, self.computed, self.seconds = 0, 0, 0.0  # submissions and items that came back, and what they took
        self.end: Exception | None = None  # why nothing more can be submitted

    def run(self) -> Iterator[Outcome]:
        """The outcomes as they come."""
        try:
            while self.fill():
                done, _ = wait(self.outstanding, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=lambda future: self.outstanding[future].indices.start):
                    yield from self.settled(future)
            yield from self.not_started()
        finally:
            for future in self.outstanding:
                future.cancel()

    def fill(self) -> bool:
        """Submit what the window has room for; whether anything is outstanding. The window opens as answers come in."""
        while self.end is None and len(self.outstanding) < min(self.window, self.workers + 2 * self.answers):
            if self.again:
                self.submit(self.again.popleft())
            elif self.begun < len(self.items):
                self.submit(self.following())
            elif self.suspects and not self.outstanding:
                self.submit(self.suspects.popleft())
            else:
                break
        return bool(self.outstanding)

    def following(self) -> Batch:
        """The next items: what takes TARGET seconds, less near the end so that no worker is left without, but LEAST seconds."""
        left = len(self.items) - self.begun
        size = self.chunk or 1
        if self.chunk is None and self.computed:
            rate = self.computed / max(self.seconds, 1e-9)
            size = max(1, min(int(TARGET * rate), max(int(LEAST * rate), left // (2 * self.workers))))
        batch = Batch(range(self.begun, min(self.begun + size, len(self.items))))
        self.begun = batch.indices.stop
        return batch

    def submit(self, batch: Batch) -> None:
        """Hand items to the executor."""
        chosen = self.items[batch.indices.start : batch.indices.stop]
        try:
            future = self.executor.submit(run, replace(self.shared, is_sent=batch.with_content), chosen)
        except RuntimeError as error:  # broken, or shut down
            self.end = error
            self.again.appendleft(batch)
            return
        except Exception as error:  # an item that cannot be sent
            future = Future()
            future.set_exception(error)
        self.outstanding[future] = batch

    def settled(self, future: Future) -> Iterator[Outcome]:
        """The outcomes of a submission that came back; none where it has to be made again."""
        batch = self.outstanding[future]
        error = CancelledError("it was cancelled") if future.cancelled() else future.exception()
        if error is None and future.result() is None and batch.with_content:
            error = RuntimeError("the executor dropped what was sent")
        if error is not None:
            yield from self.lost(batch, error)
        elif future.result() is None:
            self.again.append(batch._replace(with_content=True))
        else:
            answer = future.result()
            self.answers, self.computed = self.answers + 1, self.computed + len(batch.indices)
            self.seconds += answer.seconds
            for index, found in zip(batch.indices, answer.found, strict=True):
                yield Outcome(index, self.items[index], *unpacked(found))
        del self.outstanding[future]

    def lost(self, batch: Batch, error: BaseException) -> Iterator[Outcome]:
        """What becomes of items whose submission failed as a whole."""
        if isinstance(error, BrokenExecutor):
            self.end = error
        elif not batch.is_alone:  # the executor goes on: find out which it was
            self.suspects.extend(Batch(range(index, index + 1), is_alone=True) for index in batch.indices)
            return
        others = sum(len(other.indices) for other in self.outstanding.values()) - 1
        company = f"with {others} others" if others else "by itself"
        for index in batch.indices:
            words = f"no answer for input {index}, {in_short(self.items[index])}, in flight {company}"
            reason = WorkerError(f"{words}: {type(error).__name__}: {error}")
            reason.__cause__ = error
            yield Outcome(index, self.items[index], error=reason)

    def not_started(self) -> Iterator[Outcome]:
        """What is left where the executor has ended."""
        waiting = [index for batch in (*self.again, *self.suspects) for index in batch.indices]
        for indices in (waiting, range(self.begun, len(self.items))):
            for index in indices:
                item = self.items[index]
                reason = NotStartedError(f"input {index}, {in_short(item)}, was not begun: {type(self.end).__name__}: {self.end}")
                yield Outcome(index, item, error=reason)
