r"""Where the tensors of a term stand in a picture: what acts on features in a tree from left to right, what acts on positions above it.

| word | meaning |
| --- | --- |
| spine | tensors with an axis of features, by the indices of features that they share: a tree, the output on the right |
| rail | tensors of positions alone, A^h, M and scales r, above the spine; A^h in the column of its W_OV^h |
| hung | gains w of norms: below the index that they are multiplied along |
| dot | an index of more than two tensors, or of two and the output |
| port | where the axis of positions of a tensor is: itself, above it, or below a scale |

x is -(tensors on the way to the output), y a row for every leaf and the mean of the rows for what reads them. A line of positions is as high as the
highest of the ports that write it, so that it runs above all of the spine that it passes.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field

import networkx

from symbolic_circuits.expansion.code import scalar_names, with_ones
from symbolic_circuits.expansion.notation.contracted import ContractedNotation
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.report.network_tensors import PATTERNS, Placed, placed
from symbolic_circuits.syntax.contraction import contraction

__all__ = ["NetworkLayout", "network_layout"]

Point = tuple[float, float]
MOVED = ("W_OV", "b_OV")  # what a pattern stands above
ABOVE = 0.36  # rows between a tensor and its port
BESIDE = 0.65  # columns between tensors and the dot of their index


@dataclass(frozen=True, slots=True)
class NetworkLayout:
    """Tensors, indices and their places; points are (columns, rows)."""

    tensors: tuple[Placed, ...]
    output: tuple[int, ...]
    scalars: tuple[str, ...]
    places: dict[int, Point] = field(default_factory=dict)  # of tensors, by number
    dots: dict[int, Point] = field(default_factory=dict)  # of indices
    ends: dict[int, Point] = field(default_factory=dict)  # of the legs of the output

    @property
    def positions(self) -> frozenset[int]:
        """The indices of positions."""
        return frozenset().union(*(tensor.positions for tensor in self.tensors))

    def users(self, index: int) -> list[int]:
        """The numbers of the tensors that have an index."""
        return [k for k, tensor in enumerate(self.tensors) if index in tensor.indices]

    @property
    def indices(self) -> list[int]:
        """The indices that are drawn: all but axes of one row, which only one tensor has."""
        every = dict.fromkeys(i for tensor in self.tensors for i in tensor.indices)
        return [i for i in every if len(self.users(i)) > 1 or i in self.output or i in self.positions]

    @property
    def trees(self) -> list[networkx.Graph]:
        """The spine: tensors, by number, and indices of features."""
        graph, positions = networkx.Graph(), self.positions
        for k, tensor in enumerate(self.tensors):
            if tensor.is_spine:
                graph.add_node(k)
                graph.add_edges_from((k, ("index", i)) for i in tensor.indices if i not in positions)
        return [graph.subgraph(part) for part in networkx.connected_components(graph)]

    def port(self, number: int, index: int) -> Point:
        """Where a tensor has an index."""
        (x, y), tensor = self.places[number], self.tensors[number]
        if tensor.letter == "r":
            return (x, y - ABOVE)
        return (x, y + ABOVE) if index in self.positions and not tensor.is_rail else (x, y)


def network_layout(term: Term) -> NetworkLayout:
    """The tensors of a term and where they stand.

    >>> import symbolic_circuits as sc
    >>> found = network_layout(sc.path_expansion("attn(2)")[2])
    >>> [(tensor.latex, found.places[k]) for k, tensor in enumerate(found.tensors)][:3]
    [('A^{1}', (-1.0, 0.36)), ('t', (-3.0, 0.0)), ('W_{E}', (-2.0, 0.0))]
    """
    network = with_ones(contraction(ContractedNotation(ModelTensors(term.component.model)).write(term)).network)
    found = NetworkLayout(tuple(map(placed, network.factors)), network.output, tuple(scalar_names(term)))
    place_spine(found)
    owner = owners(found)
    place_patterns(found, owner)
    place_scores(found, owner)
    place_dots(found)
    place_beside_dots(found)
    right = max(x for x, _ in (*found.places.values(), *found.dots.values()))
    for index in found.output:
        _, y = found.dots[index] if index in found.dots else found.port(found.users(index)[0], index)
        found.ends[index] = (right + 0.8, y)
    return found


def place_spine(layout: NetworkLayout) -> None:
    """Trees below each other: one for each product of a query and a key, and then that of the output."""
    row = 0
    for tree in sorted(layout.trees, key=lambda tree: any(("index", i) in tree for i in layout.output)):
        places, row = tree_places(tree, root_of(layout, tree), row)
        layout.places.update(places)


def root_of(layout: NetworkLayout, tree: networkx.Graph) -> Hashable:
    """The output where the tree has it, else where a query meets a key."""
    ends = [("index", i) for i in layout.output if ("index", i) in tree]
    meet = [k for k in tree if isinstance(k, int) and layout.tensors[k].letter == "W_QK"]
    return next(iter([*ends, *meet]), None) or next(in_order(networkx.center(tree)))


def tree_places(tree: networkx.Graph, root: Hashable, row: int) -> tuple[dict[int, Point], int]:
    """x by the number of tensors on the way to the root, y by the rows of the leaves; and the next free row."""
    directed = networkx.DiGraph([*networkx.dfs_edges(tree, root, sort_neighbors=in_order)])
    directed.add_node(root)
    depth, y = {root: int(isinstance(root, int))}, {}
    for before, after in networkx.dfs_edges(directed, root, sort_neighbors=in_order):
        depth[after] = depth[before] + isinstance(after, int)
    for node in networkx.dfs_postorder_nodes(directed, root, sort_neighbors=in_order):
        below = [y[after] for after in directed.successors(node) if after in y]
        if below:
            y[node] = (min(below) + max(below)) / 2
        elif isinstance(node, int):
            y[node], row = 0.0 - row, row + 1
    return {node: (1.0 - depth[node], y[node]) for node in tree if isinstance(node, int)}, row


def in_order(nodes: Sequence[Hashable]) -> Iterator[Hashable]:
    """Tensors and indices in the order of the term."""
    return iter(sorted(nodes, key=lambda node: (node, 0) if isinstance(node, int) else (node[1], 1)))


def owners(layout: NetworkLayout) -> dict[int, int]:
    """The mask of each tensor of a query or a key: a tree without the output belongs to the mask that is written last before it."""
    masks = [k for k, tensor in enumerate(layout.tensors) if tensor.letter == "M"]
    found: dict[int, int] = {}
    for tree in layout.trees:
        numbers = sorted(node for node in tree if isinstance(node, int))
        before = [mask for mask in masks if mask < numbers[0]]
        if before and not any(("index", i) in tree for i in layout.output):
            found |= dict.fromkeys(numbers, before[-1])
    return found


def place_patterns(layout: NetworkLayout, owner: dict[int, int]) -> None:
    """The columns of patterns: like brackets, each has what it moves between itself and its W_OV or b_OV, of keys the other way round."""
    waiting: list[int] = []
    for k, tensor in enumerate(layout.tensors):
        if tensor.letter not in (*PATTERNS, *MOVED):
            continue
        if waiting and is_pair(layout, waiting[-1], k, owner):
            pattern, moved = sorted((waiting.pop(), k), key=lambda number: layout.tensors[number].letter in MOVED)
            layout.places[pattern] = (layout.places[moved][0], ABOVE)
        else:
            waiting.append(k)
    rest = (k for k, tensor in enumerate(layout.tensors) if tensor.is_rail and k not in layout.places)
    layout.places.update((k, (0.0, ABOVE)) for k in rest)


def is_pair(layout: NetworkLayout, first: int, second: int, owner: dict[int, int]) -> bool:
    """Whether of two tensors one is a pattern and the other what it moves."""
    pattern, moved = sorted((first, second), key=lambda number: layout.tensors[number].letter in MOVED)
    a, b = layout.tensors[pattern], layout.tensors[moved]
    if a.letter == "M":
        return b.letter in MOVED and owner.get(moved) != pattern
    return a.letter in PATTERNS and b.letter in MOVED and a.which == b.which


def place_scores(layout: NetworkLayout, owner: dict[int, int]) -> None:
    """Products of queries and keys move to the left of the pattern that they make."""
    of_mask: dict[int, list[int]] = defaultdict(list)
    for k, mask in owner.items():
        of_mask[mask].append(k)
    for mask, numbers in of_mask.items():
        shift = layout.places[mask][0] - 1.0 - max(layout.places[k][0] for k in numbers)
        layout.places.update((k, (layout.places[k][0] + shift, layout.places[k][1])) for k in numbers)


def place_dots(layout: NetworkLayout) -> None:
    """Dots, and patterns as high as what they read: a pattern is placed once all that writes what it reads is."""
    waiting = [i for i in layout.indices if i in layout.positions]
    for index in layout.indices:
        if index not in layout.positions and is_shared(layout, index):
            layout.dots[index] = feature_dot(layout, index)
    patterns = [k for k, tensor in enumerate(layout.tensors) if tensor.letter in PATTERNS]
    unread = set(patterns)  # not placed yet
    while waiting:
        free = [i for i in waiting if not any(k in unread and not layout.tensors[k].reads(i) for k in layout.users(i))]
        for index in free or waiting[:1]:
            x, y = position_dot(layout, index)
            for k in layout.users(index):
                if layout.tensors[k].reads(index):
                    layout.places[k] = (layout.places[k][0], y)
                    unread.discard(k)
            if is_shared(layout, index):
                layout.dots[index] = (x, y)
            waiting.remove(index)


def is_shared(layout: NetworkLayout, index: int) -> bool:
    """Whether an index is no line from one to another: more than two meet, or one alone, summed over all positions."""
    ends = len(layout.users(index)) + (index in layout.output)
    return ends > 2 or (ends == 1 and index not in layout.output)


def feature_dot(layout: NetworkLayout, index: int) -> Point:
    """Between what writes an index and what reads it."""
    xs, ys = zip(*(layout.places[k] for k in layout.users(index) if k in layout.places), strict=True)
    left = [k for k, x in enumerate(xs) if x < max(xs)] or range(len(xs))
    return (max(xs[k] for k in left) + 0.5, (min(ys[k] for k in left) + max(ys[k] for k in left)) / 2)


def position_dot(layout: NetworkLayout, index: int) -> Point:
    """On the right of what writes an index, as high as the highest of it."""
    users = [k for k in layout.users(index) if layout.tensors[k].letter != "r"]
    writers = [layout.port(k, index) for k in users if not layout.tensors[k].reads(index)]
    if not writers:  # all positions are summed, or nothing but scales has the index
        x, _ = layout.port((users or layout.users(index))[0], index)
        return (x - BESIDE, spine_above(layout, x) + ABOVE)
    xs, ys = zip(*writers, strict=True)
    return (max(xs) + BESIDE, max(ys))


def spine_above(layout: NetworkLayout, column: float) -> float:
    """The highest row of a column."""
    return max((y for k, (x, y) in layout.places.items() if layout.tensors[k].is_spine and x == column), default=0.0)


def place_beside_dots(layout: NetworkLayout) -> None:
    """Scales of norms above the dot of their positions, one beside the other; gains below the dot of their features."""
    beside: dict[int, int] = defaultdict(int)
    for k, tensor in enumerate(layout.tensors):
        if tensor.letter not in ("r", "w"):
            continue
        index = tensor.indices[0]
        x, y = layout.dots.get(index, (0.0, ABOVE))
        layout.places[k] = (x + 0.6 * beside[index], y + (ABOVE if tensor.letter == "r" else -0.45))
        beside[index] += 1
