r"""A series of streams, $x = \sum_k z^k x_k$, as one array (n, grades, width), and the grades that products of series have.

By sum, $x_i$ and $y_j$ make grade i + j; by height, max(i, j). Everything above a highest grade is cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.numeric.grade_ranges import HEIGHT

__all__ = ["CHUNK", "Graded", "by_rows", "cut_inputs", "heads_of", "pieces", "span"]

CHUNK = 3 * 2**20  # bytes of hidden activations that a layer holds at a time


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """A series: the sums of the terms of consecutive grades."""

    first: int  # grade of array[:, 0]
    array: np.ndarray  # (n, grades, d), one wider where something reads the constant coordinate

    @property
    def stop(self) -> int:
        """One more than the last grade."""
        return self.first + self.array.shape[1]

    @property
    def is_empty(self) -> bool:
        """Whether there are no grades."""
        return not self.array.shape[1]

    def below(self, stop: int) -> "Graded":
        """The grades below ``stop``."""
        return self if self.stop <= stop else Graded(self.first, self.array[:, : max(0, stop - self.first)])


def span(by: str, grades: Sequence[tuple[int, int]], limit: int | None = None) -> tuple[int, int]:
    """First grade and end of a product of series with these, below ``limit``.

    >>> span("order", [(1, 3), (0, 4)]), span("height", [(1, 3), (0, 4)]), span("order", [(1, 3), (0, 4)], 3)
    ((1, 6), (1, 4), (1, 3))
    """
    first = (max if by == HEIGHT else sum)(low for low, _ in grades)
    stop = max(high for _, high in grades) if by == HEIGHT else 1 + sum(high - 1 for _, high in grades)
    return first, stop if limit is None else max(first, min(stop, limit))


def cut_inputs(by: str, inputs: Sequence[Graded], limit: int | None) -> list[Graded]:
    """What of the factors matters below a limit; one object is cut to one."""
    if limit is None:
        return list(inputs)
    others = 0 if by == HEIGHT else sum(x.first for x in inputs)
    found: dict[int, Graded] = {}
    return [found.setdefault(id(x), x.below(limit if by == HEIGHT else limit - others + x.first)) for x in inputs]


def heads_of(array: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    """The members of a family over heads, as they lie where all of them are chosen."""
    return array if chosen == list(range(len(array))) else array[list(chosen)]


def by_rows(array: np.ndarray, W: np.ndarray) -> np.ndarray:
    """W at every vector of an array (n, grades, d), as one product."""
    n, g, d = array.shape
    return (array.reshape(n * g, d) @ W.T).reshape(n, g, len(W))


def pieces(n: int, bytes_each: int) -> list[slice]:
    """Positions in pieces that keep to CHUNK, a piece being one position at least."""
    size = max(1, CHUNK // max(1, bytes_each))
    return [slice(start, start + size) for start in range(0, n, size)]
