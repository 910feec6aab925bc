"""Ordered partitions of the vertices of a graph with labelled edges, refined until all vertices of a cell see the same.

Two vertices stay in one cell only if for every cell C and label l they have equally many edges labelled l into C. Cells are
kept in an order that depends on the graph and the initial colours alone, not on the numbering of the vertices, so that what
refinement yields may be compared between graphs. A *trace* records each split in that order.

Labels enter as 61-bit weights that are added up. A collision would make a partition coarser, for every numbering alike, and
never wrong: what is finally compared is the graph itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Self

__all__ = ["Goals", "Graph", "Partition", "mixed"]

Graph = Sequence[Sequence[tuple[int, int]]]  # of each vertex: (neighbour, weight of the label)

PRIME = 2**61 - 1


def mixed(value: int) -> int:
    """A fixed scrambling of an integer below 2^61."""
    value = (value * 0x9E3779B97F4A7C15 + 0x7F4A7C159E3779B9) % PRIME
    value ^= value >> 29
    return (value * 0xBF58476D1CE4E5B9) % PRIME


class Goals:
    """Traces that a refinement may match: the first leaf's, exactly, or the best leaf's, which it may also fall below."""

    __slots__ = ("best", "first")

    def __init__(self, first: list[int] | None, best: list[int] | None) -> None:
        self.first, self.best = first, best  # None: out of reach

    def reached(self, k: int, value: int) -> bool:
        """Whether a trace whose entry k is this value may still be of use."""
        if self.first is not None and (k >= len(self.first) or value != self.first[k]):
            self.first = None
        if self.best is not None and self.best is not BELOW:
            if k >= len(self.best) or value > self.best[k]:
                self.best = None
            elif value < self.best[k]:
                self.best = BELOW
        return self.first is not None or self.best is not None


BELOW: list[int] = []  # a trace that is already less than the best one


class Partition:
    """An ordered partition; cells are known by the place at which they start."""

    __slots__ = ("cell", "order", "place", "size")

    def __init__(self, order: list[int], place: list[int], cell: list[int], size: dict[int, int]) -> None:
        self.order = order  # vertices, cell after cell
        self.place = place  # of each vertex in the order
        self.cell = cell  # start of the cell of each vertex
        self.size = size  # of each cell, by its start

    @classmethod
    def by_colour(cls, colours: Sequence[int]) -> Self:
        """One cell a colour, in the order of the colours."""
        order = sorted(range(len(colours)), key=colours.__getitem__)
        place, cell, size = [0] * len(order), [0] * len(order), {}
        for k, vertex in enumerate(order):
            place[vertex] = k
            start = cell[order[k - 1]] if k and colours[order[k - 1]] == colours[vertex] else k
            cell[vertex] = start
            size[start] = size.get(start, 0) + 1
        return cls(order, place, cell, size)

    def copy(self) -> Self:
        """An independent copy."""
        return type(self)(self.order[:], self.place[:], self.cell[:], dict(self.size))

    def members(self, start: int) -> list[int]:
        """The vertices of a cell."""
        return self.order[start : start + self.size[start]]

    def is_discrete(self) -> bool:
        """Whether every cell is a single vertex."""
        return len(self.size) == len(self.order)

    def individualise(self, vertex: int) -> int:
        """Split a vertex off the front of its cell; the start of the new cell of one."""
        start = self.cell[vertex]
        first, here = self.order[start], self.place[vertex]
        self.order[start], self.order[here] = vertex, first
        self.place[vertex], self.place[first] = start, here
        count = self.size[start]
        self.size[start] = 1
        self.size[start + 1] = count - 1
        for other in self.order[start + 1 : start + count]:
            self.cell[other] = start + 1
        return start

    def refine(self, graph: Graph, waiting: list[int], goals: "Goals | None" = None) -> list[int] | None:
        """Refine by the cells waiting; the trace, or None as soon as the goals say that it is of no use."""
        queued, trace = set(waiting), []
        waiting = list(waiting)
        for start in waiting:  # grows while it is read
            queued.discard(start)
            sums: dict[int, int] = defaultdict(int)
            for vertex in self.members(start):
                for neighbour, weight in graph[vertex]:
                    sums[neighbour] += weight
            touched: dict[int, list[int]] = defaultdict(list)
            for vertex in sums:
                touched[self.cell[vertex]].append(vertex)
            for cell in sorted(touched):
                value = self.split(cell, touched[cell], sums, waiting, queued)
                trace.append(mixed((start * 1_000_003 + cell) ^ value))
                if goals is not None and not goals.reached(len(trace) - 1, trace[-1]):
                    return None
        return trace

    def split(self, cell: int, touched: list[int], sums: dict[int, int], waiting: list[int], queued: set[int]) -> int:
        """Split a cell by the sums of its vertices, smallest first; an invariant of what happened."""
        count = self.size[cell]
        groups: dict[int, list[int]] = defaultdict(list)
        for vertex in touched:
            groups[sums[vertex]].append(vertex)
        if len(touched) < count:
            groups[0] = [vertex for vertex in self.members(cell) if vertex not in sums]
        values = sorted(groups)
        if len(values) == 1:
            return values[0] % PRIME
        invariant, start, starts = 0, cell, []
        for value in values:
            group = groups[value]
            for k, vertex in enumerate(group, start=start):
                self.order[k], self.place[vertex], self.cell[vertex] = vertex, k, start
            self.size[start] = len(group)
            starts.append(start)
            invariant = mixed(invariant ^ (value % PRIME) ^ len(group))
            start += len(group)
        largest = None if cell in queued else max(starts, key=lambda s: (self.size[s], -s))
        for new in starts:
            if new != largest and new not in queued:
                waiting.append(new)
                queued.add(new)
        return invariant
