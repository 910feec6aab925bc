"""Graphs as SVG, drawn in layers from left to right with :func:`symbolic_circuits.report.figures.layered_positions`.

Colours are classes of the page's style, so that a picture is light or dark with the page.
"""

from collections.abc import Callable, Mapping

import networkx

from symbolic_circuits.report.figures import layered_positions
from symbolic_circuits.report.page.markup import Markup, element

__all__ = ["picture"]

ACROSS, DOWN = 62.0, 76.0  # pixels for a unit of the layout
HEIGHT, LETTER, PADDING = 26.0, 7.3, 20.0  # of a box
MARGIN = 8.0
LINE = ("input", "stream", "output")


def picture(
    graph: networkx.DiGraph, title: str, notes: Mapping[str, str] | None = None, length: Callable[[str], int] = len
) -> Markup:
    """A graph as SVG.

    Parameters
    ----------
    graph : of a model or a term
    title : what it is, for who does not see it
    notes : words under a node
    length : of a label in letters

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> picture(sc.path_expansion("attn(2)")[1].graph, "a term").count("<rect")
    3
    """
    notes = notes or {}
    labels = {node: label_of(node, kind) for node, kind in graph.nodes(data="kind")}
    widths = {node: max(length(labels[node]), len(notes.get(node, ""))) * LETTER + PADDING for node in graph}
    places = {node: (x * ACROSS, -y * DOWN) for node, (x, y) in layered_positions(graph).items()}
    left = min(x - widths[node] / 2 for node, (x, _) in places.items()) - MARGIN
    top = min(y for _, y in places.values()) - HEIGHT / 2 - MARGIN
    places = {node: (x - left, y - top) for node, (x, y) in places.items()}
    right = max(x + widths[node] / 2 for node, (x, _) in places.items()) + MARGIN
    bottom = max(y + (HEIGHT if node in notes else HEIGHT / 2) for node, (_, y) in places.items()) + MARGIN
    drawn = [edge(graph, before, after, places, widths) for before, after in graph.edges]
    drawn += [box(labels[node], kind, places[node], widths[node], notes.get(node)) for node, kind in graph.nodes(data="kind")]
    size = {"width": f"{right:.0f}", "height": f"{bottom:.0f}", "viewBox": f"0 0 {right:.0f} {bottom:.0f}"}
    return element("svg", element("title", title), *drawn, **size, class_="graph", role="img", aria_label=title)


def label_of(node: str, kind: str) -> str:
    """What stands in the box of a node."""
    if kind == "stream":
        return f"X{node.split('.')[-1]}"
    return node.split(".")[-1] if kind == "side" else node.split(":")[-1]


def edge(graph: networkx.DiGraph, before: str, after: str, places: Mapping, widths: Mapping) -> Markup:
    """A curve from the right of one box to the left of another."""
    (x, y), (u, v) = places[before], places[after]
    x, u = x + widths[before] / 2, u - widths[after] / 2
    is_stream = all(graph.nodes[node]["kind"] in LINE for node in (before, after))
    bend = max(12.0, (u - x) / 2)
    path = (
        f"M{x:.0f} {y:.0f}H{u:.0f}"
        if y == v
        else f"M{x:.0f} {y:.0f}C{x + bend:.0f} {y:.0f} {u - bend:.0f} {v:.0f} {u:.0f} {v:.0f}"
    )
    return element("path", d=path, class_="edge main" if is_stream else "edge")


def box(label: str, kind: str, place: tuple[float, float], width: float, note: str | None) -> Markup:
    """A node, with words under it where there are some."""
    x, y = place
    rect = {
        "x": f"{x - width / 2:.0f}",
        "y": f"{y - HEIGHT / 2:.0f}",
        "width": f"{width:.0f}",
        "height": f"{HEIGHT:.0f}",
        "rx": "7",
    }
    below = element("text", note, x=f"{x:.0f}", y=f"{y + HEIGHT / 2 + 12:.0f}", class_="note") if note else None
    text = subscripted(label) if kind == "stream" else (label,)
    return element(
        "g", element("rect", **rect), element("text", *text, x=f"{x:.0f}", y=f"{y + 4:.0f}"), below, class_=f"node {kind}"
    )


def subscripted(label: str) -> tuple[object, ...]:
    """X with its number below the line."""
    return label[0], element("tspan", label[1:], dy="3", class_="sub")
