"""Canonical labelling of a graph with coloured vertices and labelled edges: isomorphic graphs, and only those, get equal forms.

Refine; where a cell has several vertices, single each of them out in turn and refine on; at the leaves of this tree the
partition is discrete and the graph, its vertices numbered by it, is a word. The canonical form is the least word among the
leaves whose traces are least. Two leaves with one word show an automorphism, and automorphisms make whole branches
superfluous: of each orbit of a cell under those that fix the branch so far only one vertex is tried, and a branch shown to be
the image of an earlier one is left at once (McKay 1981; Junttila and Kaski 2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from symbolic_circuits.algebra.partition import BELOW, Goals, Graph, Partition, mixed
from symbolic_circuits.errors import BudgetError

__all__ = ["canonical_labelling"]

MAX_NODES = 200_000  # of the search tree


class Orbits:
    """Union-find of vertices that automorphisms map to each other; vertices not heard of are alone."""

    __slots__ = ("parent",)

    def __init__(self) -> None:
        self.parent: dict[int, int] = {}

    def find(self, vertex: int) -> int:
        """The representative of an orbit."""
        parent = self.parent
        while vertex in parent:
            above = parent[vertex]
            if above in parent:
                parent[vertex] = parent[above]
            vertex = above
        return vertex

    def learn(self, automorphisms: Sequence[dict[int, int]], known: int, fixed: Sequence[int]) -> int:
        """Join vertices by the automorphisms from number ``known`` on that fix some vertices; how many are known now."""
        for moved in automorphisms[known:]:
            if any(vertex in moved for vertex in fixed):
                continue
            for a, b in moved.items():
                a, b = self.find(a), self.find(b)
                if a != b:
                    self.parent[max(a, b)] = min(a, b)
        return len(automorphisms)


@dataclass(slots=True)
class Leaf:
    """A discrete partition that was reached."""

    path: list[int]  # vertices singled out
    traces: list[list[int]]  # one a level
    order: list[int]  # the vertices as the partition numbers them
    word: tuple  # the graph, so numbered


class Search:
    """The search tree of one graph."""

    def __init__(self, graph: Graph, colours: Sequence[int]) -> None:
        self.graph, self.colours = graph, colours
        self.first: Leaf | None = None
        self.best: Leaf | None = None
        self.automorphisms: list[dict[int, int]] = []  # vertex -> image, where they differ
        self.nodes = 0

    def run(self) -> list[int]:
        """The vertices in canonical order."""
        partition = Partition.by_colour(self.colours)
        trace = partition.refine(self.graph, list(partition.size))
        self.visit(partition, [], [trace])
        return self.best.order

    def visit(self, partition: Partition, path: list[int], traces: list[list[int]]) -> int:
        """Search below a node; the length of the path to return to (that of this node, unless a branch is superfluous)."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise BudgetError(
                f"canonical labelling of {len(self.graph)} vertices visited {self.nodes} nodes; the limit is {MAX_NODES}"
            )
        if partition.is_discrete():
            return self.leaf(partition, path, traces)
        start = max(partition.size, key=lambda s: (partition.size[s], -s))
        tried: list[int] = []
        orbits, known = Orbits(), 0
        for vertex in partition.members(start):
            known = orbits.learn(self.automorphisms, known, path)
            if orbits.find(vertex) in {orbits.find(other) for other in tried}:
                continue
            tried.append(vertex)
            child = partition.copy()
            trace = child.refine(self.graph, [child.individualise(vertex)], self.goals(traces))
            if trace is None or not self.promising([*traces, trace]):
                continue
            back = self.visit(child, [*path, vertex], [*traces, trace])
            if back < len(path):
                return back
        return len(path)

    def goals(self, traces: list[list[int]]) -> Goals | None:
        """What the next trace may match."""
        if self.first is None:
            return None
        depth = len(traces)
        on_first = traces == self.first.traces[:depth] and depth < len(self.first.traces)
        if traces < self.best.traces[:depth]:
            return Goals(self.first.traces[depth] if on_first else None, BELOW)
        on_best = traces == self.best.traces[:depth] and depth < len(self.best.traces)
        return Goals(self.first.traces[depth] if on_first else None, self.best.traces[depth] if on_best else None)

    def promising(self, traces: list[list[int]]) -> bool:
        """Whether a branch may hold a leaf like the first one (an automorphism), or a better one than the best."""
        if self.first is None:
            return True
        depth = len(traces)
        return traces == self.first.traces[:depth] or traces <= self.best.traces[:depth]

    def leaf(self, partition: Partition, path: list[int], traces: list[list[int]]) -> int:
        """Compare a leaf with the first and the best one."""
        leaf = Leaf(path, traces, partition.order[:], self.word(partition))
        if self.first is None:
            self.first = self.best = leaf
            return len(path)
        for known in (self.first, self.best):
            if known.traces == traces and known.word == leaf.word:
                self.automorphisms.append(mapping(known.order, leaf.order))
                return common(known.path, path)
        if (traces, leaf.word) < (self.best.traces, self.best.word):
            self.best = leaf
        return len(path)

    def word(self, partition: Partition) -> tuple:
        """The graph with its vertices numbered by a discrete partition."""
        place = partition.place
        return tuple(tuple(sorted((place[u], label) for u, label in self.graph[v])) for v in partition.order)


def mapping(source: Sequence[int], target: Sequence[int]) -> dict[int, int]:
    """The permutation that takes each vertex of one order to the vertex at its place in the other; fixed vertices left out."""
    return {a: b for a, b in zip(source, target, strict=True) if a != b}


def common(left: Sequence[int], right: Sequence[int]) -> int:
    """Length of the common start of two paths."""
    length = 0
    for a, b in zip(left, right, strict=False):
        if a != b:
            break
        length += 1
    return length


def canonical_labelling(graph: Graph, colours: Sequence[int]) -> tuple[list[int], tuple, list[dict[int, int]]]:
    """The vertices in an order that depends on the coloured graph alone up to automorphism, the word of the graph in that order,
    and automorphisms that generate all of them (vertex -> image, where they differ).

    Parameters
    ----------
    graph : of each vertex the pairs (neighbour, label), both ways, labels being integers from 0
    colours : of each vertex, an integer

    Examples
    --------
    >>> path = [[(1, 0)], [(0, 0), (2, 0)], [(1, 0)]]
    >>> order, word, automorphisms = canonical_labelling(path, [0, 0, 0])
    >>> order[-1], automorphisms
    (1, [{0: 2, 2: 0}])
    """
    weighted = [[(neighbour, mixed(label + 1)) for neighbour, label in edges] for edges in graph]
    search = Search(weighted, colours)
    return search.run(), search.best.word, search.automorphisms
