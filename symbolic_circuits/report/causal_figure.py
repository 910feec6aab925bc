r"""A causal graph as a picture: components from left to right, an edge as wide as |weight| and coloured by sign, weak edges left out."""

from collections import defaultdict
from typing import TYPE_CHECKING

import networkx

from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.report.figure_style import COLOURS, PLAIN, StyleLike, colour, figure_style, import_matplotlib
from symbolic_circuits.report.figures import add_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_causal_graph"]

MAX_NODES = 400
THRESHOLD = 0.05  # of the largest |weight|
STEP, ROW = 1.9, 0.8  # inches between columns and rows
WIDEST, THINNEST = 4.5, 0.6  # points
BEND, FLATTEST, HIGHEST = 0.75, 0.12, 3.0  # of edges that pass columns by: how far they bend, at least, at most in inches
LABELLED = 12  # the strongest edges have their weight written on them


def draw_causal_graph(
    graph: networkx.DiGraph, ax: "Axes | None" = None, *, threshold: float = THRESHOLD, style: StyleLike | None = None
) -> "Axes":
    """Draw a causal graph from the input to the output.

    Parameters
    ----------
    ax : where to draw; new ones by default
    threshold : edges below this share of the largest |weight| are left out, which the title says
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        The graph has more nodes than a picture can show.
    NotationError
        The threshold is no share, or there is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> graph = sc.causal_graph(weights.model, weights, [3, 4, 31], token=7)
    >>> type(draw_causal_graph(graph)).__name__
    'Axes'
    """
    if len(graph) > MAX_NODES:
        raise BudgetError(f"a picture of {len(graph)} nodes was asked for; the limit is {MAX_NODES}: write .json instead")
    if not 0 <= threshold < 1:
        raise NotationError(f"the threshold is a share from 0 up to 1; got {threshold}")
    with figure_style(style):
        return draw_edges(graph, ax, threshold)


def draw_edges(graph: networkx.DiGraph, ax: "Axes | None", threshold: float) -> "Axes":
    """Components, and the edges that are strong enough, the strongest last."""
    positions = columns(graph)
    largest = max((abs(weight) for _, _, weight in graph.edges(data="weight")), default=0.0)
    strong = [(u, v, weight) for u, v, weight in graph.edges(data="weight") if weight and abs(weight) >= threshold * largest]
    across, along = limits(positions, strong)
    if ax is None:
        size = (max(across[1] - across[0], 5.5), along[1] - along[0] + 0.5)
        ax = import_matplotlib().Figure(figsize=size, layout="constrained").subplots()
    boxes = {node: add_label(ax, node, data, positions[node]) for node, data in graph.nodes(data=True)}
    strong.sort(key=lambda edge: abs(edge[2]))
    for k, (u, v, weight) in enumerate(strong):
        label = f"{weight:+.3g}" if k >= len(strong) - LABELLED else ""
        draw_edge(ax, positions[u], positions[v], (boxes[u], boxes[v]), weight, abs(weight) / largest, label)
    fade(boxes, graph, {node for u, v, _ in strong for node in (u, v)})
    ax.set_title(title_of(graph, len(strong), threshold), loc="left", **PLAIN)
    ax.set_xlim(*across)
    ax.set_ylim(*along)
    ax.set_aspect("equal")
    ax.set_axis_off()
    return ax


def columns(graph: networkx.DiGraph) -> dict[str, tuple[float, float]]:
    """A column for each block, in the order of the model, its heads below each other around the middle."""
    places: dict[object, list[str]] = defaultdict(list)
    for node, data in graph.nodes(data=True):
        places[data["kind"] if data["layer"] == "" else data["layer"]].append(node)
    return {
        node: (k * STEP, ((len(nodes) - 1) / 2 - row) * ROW)
        for k, nodes in enumerate(places.values())
        for row, node in enumerate(nodes)
    }


def limits(positions: dict[str, tuple[float, float]], edges: list[tuple]) -> tuple[tuple[float, float], tuple[float, float]]:
    """The part of the plane that has nodes and bent edges."""
    xs, ys = map(list, zip(*positions.values(), strict=True))
    ys += [middle_of(positions[u], positions[v])[1] for u, v, _ in edges]
    return (min(xs) - 0.8, max(xs) + 0.8), (min(ys) - 0.5, max(ys) + 0.4)


def bend_of(start: tuple[float, float], end: tuple[float, float]) -> float:
    """How far the control point of an edge is from its straight line: upwards from the upper half, downwards from the lower one."""
    (x, y), (u, v) = start, end
    return (1 if y + v >= 0 else -1) * height(u - x, v - y)


def middle_of(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """The middle of an edge."""
    (x, y), (u, v) = start, end
    bend, length = bend_of(start, end), ((u - x) ** 2 + (v - y) ** 2) ** 0.5
    return (x + u) / 2 - bend * (v - y) / length / 2, (y + v) / 2 + bend * (u - x) / length / 2


def height(span: float, drop: float) -> float:
    """How far an edge is bent, by how far it goes across and up or down; not at all between neighbours."""
    if span < 1.5 * STEP:
        return 0.0
    return min(HIGHEST, BEND * span / STEP) * max(FLATTEST, 1 - abs(drop) / (2 * ROW))


def draw_edge(
    ax: "Axes",
    start: tuple[float, float],
    end: tuple[float, float],
    boxes: tuple,
    weight: float,
    share: float,
    label: str,
) -> None:
    """One edge, bent upwards from the upper half and downwards from the lower one where it passes columns by."""
    ink = colour("raises" if weight > 0 else "lowers")
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    style = {
        "arrowstyle": "-|>,head_length=0.6,head_width=0.3",
        "joinstyle": "miter",
        "color": ink,
        "lw": max(THINNEST, WIDEST * share),
        "alpha": 0.35 + 0.6 * share,
        "connectionstyle": f"arc3,rad={-bend_of(start, end) / length:.4f}",  # to the right
        "mutation_scale": 8 + 6 * share,
        "patchA": boxes[0],
        "patchB": boxes[1],
        "shrinkA": 1,
        "shrinkB": 1,
    }
    ax.annotate("", end, start, arrowprops=style, zorder=1 + share)
    if label:
        box = {"boxstyle": "round,pad=0.1", "fc": ax.get_facecolor(), "ec": "none", "alpha": 0.8}
        ax.text(*middle_of(start, end), label, ha="center", va="center", fontsize=7, color=ink, bbox=box, zorder=2.5)


def fade(boxes: dict, graph: networkx.DiGraph, used: set[str]) -> None:
    """Components without a strong edge stay in the background."""
    for node in graph:
        if node not in used:
            boxes[node].set_alpha(0.3)


def title_of(graph: networkx.DiGraph, drawn: int, threshold: float) -> str:
    """The readout and what is left out."""
    words = f"{graph.graph.get('readout', 'readout')} = {graph.graph.get('total', float('nan')):.4g}"
    left_out = graph.number_of_edges() - drawn
    rest = f"{left_out} edge{'' if left_out == 1 else 's'} below {100 * threshold:g} % of the largest left out"
    signs = "; blue raises it, red lowers it" if colour("raises") == COLOURS["raises"] else ""
    return f"{words}{signs}\n{rest if left_out else 'all edges drawn'}"
