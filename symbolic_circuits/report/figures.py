"""Pictures with matplotlib (extra ``report``), returned as Axes: graphs drawn in layers from the input to the output."""

import io
from collections import defaultdict
from typing import TYPE_CHECKING

import networkx

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.report.figure_style import PLAIN, StyleLike, colour, figure_style, foreground, import_matplotlib, ink_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch

__all__ = ["draw_graph", "to_image"]

MAX_NODES = 1500
LEAVES = ("input", "position", "one", "bias", "normbias")
STEP = 1.9  # inches between layers
ROW = 0.5  # inches between rows


def layered_positions(graph: networkx.DiGraph) -> dict[str, tuple[float, float]]:
    """x is the longest way from an input, y keeps a node near those that it reads and the layers apart."""
    depth: dict[str, int] = {}
    for node in networkx.topological_sort(graph):
        depth[node] = 1 + max((depth[before] for before in graph.predecessors(node)), default=-1)
    for node in reversed(list(networkx.topological_sort(graph))):  # inputs move up to where they are read
        if graph.nodes[node]["kind"] in LEAVES and graph.out_degree(node):
            depth[node] = min(depth[after] for after in graph.successors(node)) - 1
    layers: dict[int, list[str]] = defaultdict(list)
    for node in graph:
        layers[depth[node]].append(node)
    tree = all(graph.out_degree(node) <= 1 for node in graph)
    return tree_positions(graph, depth) if tree else stream_positions(graph, layers)


def tree_positions(graph: networkx.DiGraph, depth: dict[str, int]) -> dict[str, tuple[float, float]]:
    """Leaves on rows of their own, every other node at the mean of what it reads."""
    y: dict[str, float] = {}
    rows = 0
    root = next(node for node in graph if graph.out_degree(node) == 0)
    for node in networkx.dfs_postorder_nodes(graph.reverse(copy=False), root):
        sources = list(graph.predecessors(node))
        if sources:
            y[node] = sum(y[source] for source in sources) / len(sources)
        else:
            y[node], rows = -float(rows), rows + 1
    return {node: (depth[node] * STEP, y[node] * ROW * 1.4) for node in graph}


def stream_positions(graph: networkx.DiGraph, layers: dict[int, list[str]]) -> dict[str, tuple[float, float]]:
    """The residual stream on a straight line, components in rows below it."""
    positions: dict[str, tuple[float, float]] = {}
    for layer, nodes in sorted(layers.items()):
        on_line = [node for node in nodes if graph.nodes[node]["kind"] in ("input", "output", "stream")]
        others = [node for node in nodes if node not in on_line]
        positions |= dict.fromkeys(on_line, (layer * STEP, 0.0))
        positions |= {node: (layer * STEP, -(k + 1.5) * ROW) for k, node in enumerate(others)}
        for node in (node for node in others if graph.nodes[node]["kind"] == "bilinear"):
            sides = [positions[side][1] for side in graph.predecessors(node)]
            positions[node] = (layer * STEP, sum(sides) / len(sides))
    return positions


def draw_graph(graph: networkx.DiGraph, ax: "Axes | None" = None, *, style: StyleLike | None = None) -> "Axes":
    """Draw a model graph or a term graph from left to right.

    Parameters
    ----------
    ax : where to draw; new ones by default, of a size that fits
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        The graph has more nodes than a picture can show.
    NotationError
        There is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> ax = draw_graph(sc.path_expansion("attn(2) bilinear")[7].graph)
    >>> [text.get_text() for text in ax.texts if text.get_text()][:3]
    ['output', 'bilinear.1', 'bilinear.1.left']
    """
    if len(graph) > MAX_NODES:
        raise BudgetError(
            f"a picture of {len(graph)} nodes was asked for; the limit is {MAX_NODES}: write .dot or .graphml instead"
        )
    with figure_style(style):
        positions = layered_positions(graph)
        xs, ys = zip(*positions.values(), strict=True)
        if ax is None:
            size = (max(xs) - min(xs) + 2.2, max(ys) - min(ys) + 1.4)
            ax = import_matplotlib().Figure(figsize=size, layout="constrained").subplots()
        boxes = {node: add_label(ax, node, data, positions[node]) for node, data in graph.nodes(data=True)}
        for before, after in graph.edges:
            add_arrow(ax, (positions[before], positions[after]), (boxes[before], boxes[after]))
        ax.set_xlim(min(xs) - 0.8, max(xs) + 0.8)
        ax.set_ylim(min(ys) - 0.5, max(ys) + 0.7)
        ax.set_axis_off()
    return ax


def add_arrow(ax: "Axes", ends: tuple, boxes: tuple) -> None:
    """An edge from one label to another."""
    patches = {"patchA": boxes[0], "patchB": boxes[1], "shrinkA": 1, "shrinkB": 1}
    ax.annotate("", ends[1], ends[0], arrowprops={"arrowstyle": "-|>", "color": foreground(), "alpha": 0.67, "lw": 0.9} | patches)


def add_label(ax: "Axes", node: str, data: dict, position: tuple[float, float]) -> "FancyBboxPatch":
    """A node as text in a box, returned for arrows to end at."""
    number, fill = node.rpartition(".")[2], colour(data["kind"])
    is_stream = data["kind"] == "stream" and number.isdecimal()
    label = f"$X_{{{number}}}$" if is_stream else node.split(":")[-1]
    ink, plain = "black" if is_stream else ink_on(fill), {} if is_stream else PLAIN
    box = {"boxstyle": "round,pad=0.25", "fc": fill, "ec": "none"}
    return ax.text(
        *position, label, ha="center", va="center", fontsize=8, color=ink, bbox=box, zorder=3, **plain
    ).get_bbox_patch()


def to_image(figure: "Figure", suffix: str) -> bytes:
    """A figure as SVG or PNG, the same bytes every time."""
    import_matplotlib()
    from matplotlib import rc_context

    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": "symbolic_circuits", "svg.fonttype": "path"}):
        figure.savefig(stream, format=suffix[1:], dpi=150, metadata={"Date": None} if suffix == ".svg" else None)
    return stream.getvalue()
