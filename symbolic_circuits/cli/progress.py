"""A progress bar on standard error for work that takes more than two seconds."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

__all__ = ["progress_bar"]

DELAY = 2.0  # seconds before a bar appears


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[int, int], None]]:
    """A function of (done, total) that draws a bar once the work has taken two seconds; nothing where stderr is no terminal."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, total: None
        return

    bar = Progress(console=Console(stderr=True), transient=True)
    start, task = time.monotonic(), None

    def report(done: int, total: int) -> None:
        nonlocal task
        if task is None and time.monotonic() - start > DELAY:
            bar.start()
            task = bar.add_task(description, total=total)
        if task is not None:
            bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if task is not None:
            bar.stop()
