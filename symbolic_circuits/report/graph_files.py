"""Graphs of models and terms as DOT, GraphML, JSON (networkx node-link), SVG and PNG."""

import io
import json
from collections.abc import Callable

import networkx

from symbolic_circuits.errors import NotationError
from symbolic_circuits.report.figures import draw_graph, to_image

__all__ = ["FORMATS", "graph_bytes", "to_dot"]

SHAPES = {"input": "ellipse", "output": "ellipse", "stream": "point", "head": "box", "bilinear": "box", "side": "plain"}
SHAPES |= {
    "gated": "box",
    "scores": "box",
    "norm": "box",
    "position": "ellipse",
    "one": "ellipse",
    "bias": "ellipse",
    "normbias": "ellipse",
}


def graph_bytes(graph: networkx.DiGraph, suffix: str) -> bytes:
    """The content of a file for a graph, by its suffix: .dot, .graphml, .json, .svg or .png.

    Raises
    ------
    NotationError
        There is no such format.
    MissingExtraError
        A picture was asked for and matplotlib is not installed.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> graph_bytes(sc.model_graph(sc.Transformer.parse("attn(1)")), ".json")[:20]
    b'{"directed": true, "'
    """
    if suffix not in FORMATS:
        raise NotationError(f"graphs are written as {', '.join(FORMATS)}; got {suffix!r}")
    return FORMATS[suffix](graph)


def quoted(text: object) -> str:
    """A DOT string."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") + '"'


def to_dot(graph: networkx.DiGraph) -> str:
    """The graph in the DOT language of Graphviz, inputs on the left.

    >>> import symbolic_circuits as sc
    >>> print(to_dot(sc.model_graph(sc.Transformer.parse("attn(1)"))).splitlines()[2])
      "embed" [label="embed", shape="ellipse", kind="input", layer="", head="", side="", tensor="W_E", size="n x d"];
    """
    lines = ["digraph {", "  rankdir=LR;"]
    for node, data in graph.nodes(data=True):
        label = "" if data["kind"] == "stream" else str(node).split(":")[-1]
        fields = {
            "label": label,
            "shape": SHAPES[data["kind"]],
            "kind": data["kind"],
            "layer": data["layer"],
            "head": data["head"],
        }
        fields |= {"side": data["side"], "tensor": data["latex"], "size": data["shape"]}
        lines.append(f"  {quoted(node)} [{', '.join(f'{key}={quoted(value)}' for key, value in fields.items())}];")
    lines += [f"  {quoted(a)} -> {quoted(b)};" for a, b in graph.edges]
    return "\n".join([*lines, "}", ""])


def to_graphml(graph: networkx.DiGraph) -> bytes:
    """GraphML; every attribute is a text, because a column has one type."""
    texts = networkx.DiGraph(**graph.graph)
    texts.add_nodes_from((node, {key: str(value) for key, value in data.items()}) for node, data in graph.nodes(data=True))
    texts.add_edges_from(graph.edges)
    stream = io.BytesIO()
    networkx.write_graphml_xml(texts, stream)
    return stream.getvalue()


def to_json(graph: networkx.DiGraph) -> bytes:
    """The node-link form that ``networkx.node_link_graph`` reads."""
    return json.dumps(networkx.node_link_data(graph, edges="edges")).encode()


def picture(suffix: str) -> Callable[[networkx.DiGraph], bytes]:
    """A writer of pictures."""
    return lambda graph: to_image(draw_graph(graph).figure, suffix)


FORMATS: dict[str, Callable[[networkx.DiGraph], bytes]] = {
    ".dot": lambda graph: to_dot(graph).encode(),
    ".graphml": to_graphml,
    ".json": to_json,
    ".svg": picture(".svg"),
    ".png": picture(".png"),
}
