"""The picture of a model: every head where there are few, else one box for the heads of a block, with their number."""

from symbolic_circuits.expansion.graphs import model_graph
from symbolic_circuits.report.page.heads import with_heads
from symbolic_circuits.report.page.markup import Markup, element
from symbolic_circuits.report.page.svg import drawing, picture
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["model_picture"]

MAX_HEADS = 6  # of a block that are drawn one by one
MAX_NODES = 600


def model_picture(model: Transformer) -> Markup:
    """A model as SVG; words where it has too many parts to be seen.

    Examples
    --------
    >>> model_picture(Transformer.parse("attn(12) bilinear")).count('class="node head"')
    1
    """
    graph = model_graph(with_few_heads(model))
    if len(graph) > MAX_NODES:
        words = f"The graph of this model has {len(graph):,} nodes; {MAX_NODES:,} are drawn here at most: "
        return element("p", words, element("code", "symbolic-circuits graph"), " writes it to a file.", class_="note")
    notes = {
        node: (f"attn.{index}[*]", f"{spec.heads} heads")
        for index, spec in model.numbered()
        if isinstance(spec, Attention) and is_collapsed(spec)
        for node, data in graph.nodes(data=True)
        if data["kind"] == "head" and data["layer"] == index
    }
    return picture(drawing(graph, notes), f"Graph of the model {model}")


def is_collapsed(spec: Attention) -> bool:
    """Whether one box stands for all heads of a block."""
    return not isinstance(spec.heads, int) or spec.heads > MAX_HEADS


def with_few_heads(model: Transformer) -> Transformer:
    """The model with one head in each block of many."""
    return with_heads(model, lambda spec: 1 if is_collapsed(spec) else spec.heads)
