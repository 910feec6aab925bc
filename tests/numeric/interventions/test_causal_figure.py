"""Pictures of causal graphs: which edges are drawn, in which colour, and what the title says."""

import networkx
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.numeric.interventions.causal_graph import causal_graph
from symbolic_circuits.report.causal_figure import draw_causal_graph
from symbolic_circuits.report.figure_style import COLOURS
from symbolic_circuits.report.figures import to_image

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def graph() -> networkx.DiGraph:
    weights = sc.Weights.random("attn(2) bilinear attn(2, no residual) bilinear", seed=0)
    return causal_graph(weights.model, weights, [1, 2, 3], token=4, against=5)


def arrows(ax) -> list:
    return [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None) is not None]


# tables


def test_edges_are_drawn_by_size_and_sign(graph: networkx.DiGraph) -> None:
    weights = [weight for _, _, weight in graph.edges(data="weight")]
    largest = max(map(abs, weights))
    for threshold in (0, 0.05, 0.5):
        drawn = arrows(draw_causal_graph(graph, threshold=threshold))
        strong = sorted((w for w in weights if abs(w) >= threshold * largest), key=abs)
        assert len(drawn) == len(strong)
        colours = [COLOURS["raises" if weight > 0 else "lowers"] for weight in strong]
        assert [to_hex(arrow) for arrow in drawn] == colours
        widths = [arrow.get_linewidth() for arrow in drawn]
        assert widths == sorted(widths)


def to_hex(arrow: object) -> str:
    from matplotlib.colors import to_hex as written

    return written(arrow.get_edgecolor())


def test_the_title_says_what_is_read_and_what_is_left_out(graph: networkx.DiGraph) -> None:
    title = draw_causal_graph(graph, threshold=0.5).get_title(loc="left")
    left_out = graph.number_of_edges() - len(arrows(draw_causal_graph(graph, threshold=0.5)))
    assert "logit 4 - logit 5 at position 2 = " in title and f"{left_out} edges below 50 % of the largest left out" in title
    assert "all edges drawn" in draw_causal_graph(graph, threshold=0).get_title(loc="left")


# laws


def test_the_same_bytes_every_time_and_axes_of_ones_own(graph: networkx.DiGraph) -> None:
    ax = draw_causal_graph(graph)
    assert to_image(ax.figure, ".svg") == to_image(draw_causal_graph(graph).figure, ".svg")
    assert draw_causal_graph(graph, ax) is ax


def test_a_model_without_blocks_and_a_readout_of_nothing() -> None:
    weights = sc.Weights.random("", seed=0)
    assert len(arrows(draw_causal_graph(causal_graph("", weights, [1, 2], token=3)))) == 1
    silent = networkx.create_empty_copy(causal_graph("", weights, [1, 2], token=3))
    assert arrows(draw_causal_graph(silent)) == []


# errors


def test_errors(graph: networkx.DiGraph) -> None:
    with pytest.raises(NotationError, match=r"a share from 0 up to 1; got 1\.5"):
        draw_causal_graph(graph, threshold=1.5)
    large = networkx.DiGraph()
    large.add_nodes_from((f"attn.0[{k}]", {"kind": "head", "layer": 0}) for k in range(401))
    with pytest.raises(BudgetError, match="401 nodes was asked for; the limit is 400"):
        draw_causal_graph(large)
