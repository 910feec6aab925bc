"""What became of one task of many: its value, or why there is none; and the values of all of them in the order of their inputs."""

import reprlib
from collections.abc import Iterable
from dataclasses import dataclass

from symbolic_circuits.errors import TaskError

__all__ = ["Outcome", "in_order", "in_short"]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The value of a task, or its error.

    Examples
    --------
    >>> print(Outcome(0, [3, 4], value=7))
    task 0, [3, 4]: done
    >>> print(Outcome(1, [5], error=ValueError("no such token")))
    task 1, [5]: ValueError: no such token
    """

    index: int  # of the input, from 0
    item: object  # the input itself
    value: object = None
    error: BaseException | None = None  # WorkerError where a worker ended, NotStartedError where it was not begun

    @property
    def is_done(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    def __str__(self) -> str:
        found = "done" if self.error is None else f"{type(self.error).__name__}: {self.error}"
        return f"task {self.index}, {in_short(self.item)}: {found}"


def in_order(outcomes: Iterable[Outcome]) -> list:
    """The values of all tasks in the order of their inputs, whatever the order in which they were completed.

    Raises
    ------
    TaskError
        A task has no value; its ``outcomes`` has those of all tasks, in that order, so that the values found are not lost.

    Examples
    --------
    >>> in_order([Outcome(1, "b", 20), Outcome(0, "a", 10)])
    [10, 20]
    """
    found = sorted(outcomes, key=lambda outcome: outcome.index)
    failed = [outcome for outcome in found if not outcome.is_done]
    if failed:
        error = TaskError(f"{len(failed):,} of {len(found):,} tasks were not done; the first is {failed[0]}")
        error.outcomes = tuple(found)
        raise error from failed[0].error
    return [outcome.value for outcome in found]


def in_short(item: object) -> str:
    """An input in a few words, on one line.

    >>> in_short([3, 4, 31])
    '[3, 4, 31]'
    """
    return " ".join(reprlib.repr(item).split())
