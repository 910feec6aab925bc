"""Graphs as files: golden DOT, forms that networkx reads back, pictures that are pictures, the same bytes each time."""

import io
import json

import networkx
import pytest
from golden import check_golden

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.report.graph_files import graph_bytes, to_dot

MODEL = sc.Transformer.parse("attn(2) bilinear|attn(1)")


def test_dot() -> None:
    check_golden("model.dot", to_dot(sc.model_graph(MODEL)))
    check_golden("term.dot", to_dot(sc.path_expansion(MODEL)[8].graph))


def test_json_and_graphml_read_back() -> None:
    graph = sc.model_graph(MODEL)
    from_json = networkx.node_link_graph(json.loads(graph_bytes(graph, ".json")), edges="edges")
    assert dict(from_json.nodes(data=True)) == dict(graph.nodes(data=True)) and set(from_json.edges) == set(graph.edges)
    from_xml = networkx.read_graphml(io.BytesIO(graph_bytes(graph, ".graphml")))
    assert set(from_xml.edges) == set(graph.edges)
    assert {n: d["latex"] for n, d in from_xml.nodes(data=True)} == {n: d["latex"] for n, d in graph.nodes(data=True)}


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_pictures(suffix: str, start: bytes) -> None:
    for graph in (sc.model_graph(MODEL), sc.path_expansion(MODEL)[10].graph, sc.model_graph(sc.Transformer.parse(""))):
        data = graph_bytes(graph, suffix)
        assert data.startswith(start) and data == graph_bytes(graph, suffix)


def test_labels_do_not_overlap() -> None:
    for graph in (
        sc.model_graph(sc.Transformer.parse("attn(8)|bilinear|attn(2) bilinear")),
        sc.path_expansion("(attn(2) bilinear)*2")[-1].graph,
    ):
        ax = sc.draw_graph(graph)
        ax.figure.canvas.draw()
        boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
        assert len(boxes) == len(graph)
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_other_formats_and_sizes() -> None:
    graph_bytes(sc.model_graph(MODEL), ".dot")
    with pytest.raises(NotationError, match=r"graphs are written as .dot, .graphml, .json, .svg, .png; got '.gif'"):
        graph_bytes(sc.model_graph(MODEL), ".gif")
    with pytest.raises(BudgetError, match=r"a picture of 2003 nodes was asked for; the limit is 1500"):
        sc.draw_graph(sc.model_graph(sc.Transformer.parse("attn(1999)")))
