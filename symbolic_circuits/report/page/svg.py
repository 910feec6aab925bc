"""Graphs as SVG, drawn in layers from left to right with :func:`symbolic_circuits.report.figures.layered_positions`.

A *drawing* is plain data, boxes and edges in pixels: written as SVG here, or by a browser from JSON. Colours are classes of the
page's style, so that a picture is light or dark with the page.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import networkx

from symbolic_circuits.report.figures import layered_positions
from symbolic_circuits.report.page.markup import Markup, element

__all__ = ["Drawing", "drawing", "picture"]

ACROSS, DOWN = 62.0, 76.0  # pixels for a unit of the layout
HEIGHT, LETTER, PADDING = 26, 7.3, 20.0  # of a box
MARGIN = 8.0
LINE = ("input", "stream", "output")


class Box(NamedTuple):
    """A node: its middle and its width."""

    label: str
    kind: str
    x: int
    y: int
    width: int
    note: str = ""


class Drawing(NamedTuple):
    """Boxes, and edges between their numbers."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]


def drawing(
    graph: networkx.DiGraph, notes: Mapping[str, tuple[str, str]] | None = None, length: Callable[[str], int] = len
) -> Drawing:
    """A graph in pixels.

    Parameters
    ----------
    graph : of a model or a term
    notes : label of a node in place of its own, and words under it
    length : of a label in letters

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> found = drawing(sc.path_expansion("attn(2)")[1].graph)
    >>> [box.label for box in found.boxes], found.edges
    (['output', 'attn.0[0]', 'embed'], ((1, 0), (2, 1)))
    """
    notes = notes or {}
    named = {node: notes.get(node, (label_of(node, kind), "")) for node, kind in graph.nodes(data="kind")}
    widths = {node: max(length(label), len(note)) * LETTER + PADDING for node, (label, note) in named.items()}
    places = {node: (x * ACROSS, -y * DOWN) for node, (x, y) in layered_positions(graph).items()}
    left = min(x - widths[node] / 2 for node, (x, _) in places.items()) - MARGIN
    top = min(y for _, y in places.values()) - HEIGHT / 2 - MARGIN
    right = max(x + widths[node] / 2 for node, (x, _) in places.items()) + MARGIN
    bottom = max(y + (HEIGHT if node in notes else HEIGHT / 2) for node, (_, y) in places.items()) + MARGIN
    boxes = tuple(
        Box(named[node][0], kind, round(x - left), round(y - top), round(widths[node]), named[node][1])
        for (node, kind), (x, y) in zip(graph.nodes(data="kind"), map(places.get, graph), strict=True)
    )
    numbers = {node: k for k, node in enumerate(graph)}
    edges = tuple((numbers[before], numbers[after]) for before, after in graph.edges)
    return Drawing(round(right - left), round(bottom - top), boxes, edges)


def label_of(node: str, kind: str) -> str:
    """What stands in the box of a node."""
    if kind == "stream":
        return f"X{node.split('.')[-1]}"
    return node.split(".")[-1] if kind == "side" else node.split(":")[-1]


def picture(drawn: Drawing, title: str) -> Markup:
    """A drawing as SVG, with a title for who does not see it.

    >>> import symbolic_circuits as sc
    >>> picture(drawing(sc.path_expansion("attn(2)")[1].graph), "a term").count("<rect")
    3
    """
    parts = [edge(drawn.boxes[before], drawn.boxes[after]) for before, after in drawn.edges]
    parts += map(box, drawn.boxes)
    size = {"width": drawn.width, "height": drawn.height, "viewBox": f"0 0 {drawn.width} {drawn.height}"}
    return element("svg", element("title", title), *parts, **size, class_="graph", role="img", aria_label=title)


def edge(before: Box, after: Box) -> Markup:
    """A curve from the right of one box to the left of another."""
    x, u = before.x + before.width // 2, after.x - after.width // 2
    bend = max(12, (u - x) // 2)
    curve = f"C{x + bend} {before.y} {u - bend} {after.y} {u} {after.y}"
    is_stream = before.kind in LINE and after.kind in LINE
    path = f"M{x} {before.y}" + (f"H{u}" if before.y == after.y else curve)
    return element("path", d=path, class_="edge main" if is_stream else "edge")


def box(node: Box) -> Markup:
    """A node, with words under it where there are some."""
    size = {"x": node.x - node.width // 2, "y": node.y - HEIGHT // 2, "width": node.width, "height": HEIGHT, "rx": 7}
    below = element("text", node.note, x=node.x, y=node.y + HEIGHT // 2 + 12, class_="note") if node.note else None
    text = subscripted(node.label) if node.kind == "stream" else (node.label,)
    return element(
        "g", element("rect", **size), element("text", *text, x=node.x, y=node.y + 4), below, class_=f"node {node.kind}"
    )


def subscripted(label: str) -> tuple[object, ...]:
    """X with its number below the line."""
    return label[0], element("tspan", label[1:], dy="3", class_="sub")
