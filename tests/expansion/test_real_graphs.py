"""The paths to the output of the graph of a model without products are its terms, from every leaf; the graph of a term is its tree."""

import networkx
import pytest
from hypothesis import given, settings
from strategies import real_transformers

import symbolic_circuits as sc
from symbolic_circuits.expansion.term import subterms
from symbolic_circuits.report.graph_files import graph_bytes

LEAVES = ("input", "position", "one", "bias", "normbias")
ATTRIBUTES = {"kind", "layer", "head", "side", "shape", "latex"}
EDGES = [  # text -> edges
    (
        "[layer_norm, gains, b_U]",
        [
            ("embed", "stream.0"),
            ("norm.0", "unembed"),
            ("normbias.0", "unembed"),
            ("one", "unembed"),
            ("stream.0", "norm.0"),
        ],
    ),
    (
        "[no embed, no unembed, rms_norm, post_norm] bilinear(silu, b_2, b_out)",
        [
            ("bias.0", "norm.0"),
            ("gated.0", "norm.0"),
            ("input", "stream.0"),
            ("norm.0", "stream.1"),
            ("one", "gated.0"),
            ("stream.0", "gated.0"),
            ("stream.0", "norm.0"),
            ("stream.1", "output"),
        ],
    ),
    (
        "[no embed, no unembed, shortformer] attn(1, linear, b_K, no residual)",
        [
            ("attn.0[0]", "stream.1"),
            ("attn.0[0].key", "attn.0[0]"),
            ("attn.0[0].query", "attn.0[0]"),
            ("attn.0[0].value", "attn.0[0]"),
            ("input", "stream.0"),
            ("one", "attn.0[0].key"),
            ("position", "attn.0[0].key"),
            ("position", "attn.0[0].query"),
            ("stream.0", "attn.0[0].key"),
            ("stream.0", "attn.0[0].query"),
            ("stream.0", "attn.0[0].value"),
            ("stream.1", "output"),
        ],
    ),
]


def has_no_products(model):
    """Whether every component has one input."""
    return all(
        getattr(spec, "gate", None) or (isinstance(spec, sc.Attention) and not spec.is_polynomial) for _, spec in model.numbered()
    )


@pytest.mark.parametrize(("text", "edges"), EDGES)
def test_edges(text, edges):
    assert sorted(sc.model_graph(sc.Transformer.parse(text)).edges) == edges


@settings(deadline=None)
@given(real_transformers(max_terms=100).filter(has_no_products))
def test_paths_are_terms(model):
    """From every leaf, all paths of networkx, streams left out, against the enumeration."""
    graph = sc.model_graph(model)
    [output] = (node for node, data in graph.nodes(data=True) if data["kind"] == "output")
    leaves = [node for node, data in graph.nodes(data=True) if data["kind"] in LEAVES]
    paths = [path for leaf in leaves for path in networkx.all_simple_paths(graph, leaf, output)]
    shown = [[node for node in path[:-1] if graph.nodes[node]["kind"] != "stream"] for path in paths]
    terms = [[node.component.name for node in subterms(term)][::-1] for term in sc.path_expansion(model)]
    assert sorted(shown) == sorted(terms)


@settings(deadline=None)
@given(real_transformers())
def test_model_graphs(model):
    graph = sc.model_graph(model)
    assert networkx.is_directed_acyclic_graph(graph)
    assert networkx.number_weakly_connected_components(graph) == 1
    assert all(set(data) == ATTRIBUTES for _, data in graph.nodes(data=True))
    names = {component for component in sc.path_expansion(model).components if not component.startswith("stream")}
    assert names <= set(graph.nodes) and graph_bytes(graph, ".dot") and graph_bytes(graph, ".graphml")


@settings(max_examples=30, deadline=None)
@given(real_transformers(max_terms=30))
def test_term_graphs_are_trees(model):
    for term in sc.path_expansion(model):
        graph = term.graph
        assert networkx.is_tree(graph)
        components = [node.split(":", 1)[1] for node, data in graph.nodes(data=True) if data["kind"] not in ("side", "output")]
        assert components == [node.component.name for node in subterms(term)]
        assert [node for node in graph if not graph.out_degree(node)] == ["output"]


def test_scores_are_an_output_themselves():
    graph = sc.scores("attn(2)*2", 1)[5].graph
    assert [node for node in graph if not graph.out_degree(node)] == ["0:scores.1[0]"]
    assert list(graph.predecessors("0:scores.1[0]")) == ["0:scores.1[0].query", "0:scores.1[0].key"]
    assert graph.nodes["0:scores.1[0]"] == {
        "kind": "scores",
        "layer": 1,
        "head": 0,
        "side": "",
        "shape": "n x n",
        "latex": "W_{QK}^{1,0}",
    }
