"""The paths from input to output of an attention-only model's graph are its terms; the graph of a term is its tree."""

import networkx
import pytest
from hypothesis import given
from strategies import transformers

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError
from symbolic_circuits.expansion.graphs import path_terms, term_graph
from symbolic_circuits.expansion.term import subterms

EDGES = [  # text -> edges
    ("", [("embed", "stream.0"), ("stream.0", "unembed")]),
    ("[no embed, no unembed]", [("input", "stream.0"), ("stream.0", "output")]),
    (
        "attn(1, no residual)",
        [("embed", "stream.0"), ("stream.0", "attn.0[0]"), ("attn.0[0]", "stream.1"), ("stream.1", "unembed")],
    ),
    (
        "bilinear",
        [
            ("embed", "stream.0"),
            ("stream.0", "stream.1"),
            ("stream.0", "bilinear.0.left"),
            ("stream.0", "bilinear.0.right"),
            ("bilinear.0.left", "bilinear.0"),
            ("bilinear.0.right", "bilinear.0"),
            ("bilinear.0", "stream.1"),
            ("stream.1", "unembed"),
        ],
    ),
]
ATTRIBUTES = {"kind", "layer", "head", "side", "shape", "latex"}


@pytest.mark.parametrize(("text", "edges"), EDGES)
def test_edges(text, edges):
    assert sorted(sc.model_graph(sc.Transformer.parse(text)).edges) == sorted(edges)


def test_shapes_and_labels():
    graph = sc.model_graph(sc.Transformer.parse("attn(2) bilinear(m=7)"))
    assert graph.nodes["bilinear.1.left"] == {
        "kind": "side",
        "layer": 1,
        "head": "",
        "side": "left",
        "shape": "n x 7",
        "latex": "W_{1}",
    }
    assert graph.nodes["attn.0[0]"]["head"] == 0
    assert graph.nodes["unembed"]["shape"] == "n x V"
    assert graph.nodes["stream.2"]["latex"] == "X_{2}"


@given(transformers(bilinear=False, max_terms=100))
def test_paths_are_terms(model):
    """all_simple_paths, by networkx, against the enumeration; in both, each once."""
    terms = [tuple(str(node.component.name) for node in subterms(term) if node.inputs)[::-1] for term in sc.path_expansion(model)]
    paths = path_terms(sc.model_graph(model))
    assert sorted(paths) == sorted(terms)
    assert len(set(paths)) == len(paths)


@given(transformers())
def test_model_graphs(model):
    graph = sc.model_graph(model)
    assert networkx.is_directed_acyclic_graph(graph)
    assert all(set(data) == ATTRIBUTES for _, data in graph.nodes(data=True))
    kinds = [data["kind"] for _, data in graph.nodes(data=True)]
    assert kinds.count("stream") == len(model.steps) + 1
    assert kinds.count("bilinear") * 2 == kinds.count("side")
    heads = sum(block.spec.heads for block in model.numbered() if isinstance(block.spec, sc.Attention))
    assert kinds.count("head") == heads
    assert kinds.count("input") == kinds.count("output") == 1
    assert networkx.number_weakly_connected_components(graph) == 1
    assert list(graph.nodes) == list(sc.model_graph(model).nodes)


@given(transformers(max_terms=30))
def test_term_graphs_are_trees(model):
    for term in sc.path_expansion(model):
        graph = term.graph
        assert networkx.is_tree(graph)
        assert [node for node in graph if not graph.out_degree(node)] == ["output"]
        assert sum(1 for node in graph if not graph.in_degree(node)) == term.degree
        components = [node.split(":", 1)[1] for node, data in graph.nodes(data=True) if data["kind"] not in ("side", "output")]
        assert components == [node.component.name for node in subterms(term)]
        assert all(set(data) == ATTRIBUTES for _, data in graph.nodes(data=True))
        assert graph.graph["term"] == str(term)


def test_left_and_right_inputs_are_told_apart():
    expansion = sc.path_expansion("attn(1) bilinear")
    for name, side in (("bilinear.1(embed, attn.0[0](embed))", "right"), ("bilinear.1(attn.0[0](embed), embed)", "left")):
        graph = term_graph(expansion.parse(name))
        head = next(node for node, data in graph.nodes(data=True) if data["kind"] == "head")
        (target,) = graph.successors(head)
        assert graph.nodes[target]["side"] == side


@given(transformers(max_terms=30))
def test_graphs_can_be_written_as_graphml(model):
    assert "graphml" in "".join(networkx.generate_graphml(sc.model_graph(model)))
    assert "graphml" in "".join(networkx.generate_graphml(sc.path_expansion(model)[-1].graph))


def test_path_classes_have_graphs():
    graph = sc.path_expansion("attn(H)").path_classes()[1].graph
    assert [data["head"] for _, data in graph.nodes(data=True) if data["kind"] == "head"] == ["*"]


def test_a_graph_needs_a_number_of_heads():
    with pytest.raises(SpecError, match="a node for every head, but the number of heads is a symbol"):
        sc.model_graph(sc.Transformer.parse("attn(H)"))
    sc.model_graph(sc.Transformer.parse("attn(H)").subs({"H": 2}))
