r"""The model and its terms as directed graphs, from the input to the output.

| kind of node | name in the model | meaning |
| --- | --- | --- |
| input | ``embed`` or ``input`` | X_0 |
| stream | ``stream.1`` | the residual stream before step 1, after step 0 |
| head | ``attn.0[1]`` | one head |
| side | ``bilinear.1.left`` | the left or right input of a bilinear layer |
| bilinear | ``bilinear.1`` | a bilinear layer |
| output | ``unembed`` or ``output`` | the logits, or the stream after the last step |

Every node has the attributes kind, layer, head, side (empty text where they do not apply), shape and latex. In the graph of an
attention-only model the paths from input to output are the terms; the graph of a term has a node for each of its nodes.
"""

from typing import TYPE_CHECKING

import networkx
import sympy

from symbolic_circuits.errors import BudgetError, SpecError
from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.spec import Attention, NumberedBlock, Transformer
from symbolic_circuits.syntax.names import latex_name

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["model_graph", "path_terms", "term_graph"]

SIDES = ("left", "right")
MAX_NODES = 100_000


def model_graph(model: Transformer | str) -> networkx.DiGraph:
    """The residual stream, the components that read it and write to it, and the two inputs of every bilinear layer.

    Examples
    --------
    >>> graph = model_graph(Transformer.parse("attn(2) bilinear"))
    >>> list(graph.successors("stream.1"))
    ['stream.2', 'bilinear.1.left', 'bilinear.1.right']
    >>> graph.nodes["attn.0[1]"]["kind"], graph.nodes["attn.0[1]"]["latex"]
    ('head', 'A^{1} \\\\otimes W_{OV}^{1}')
    """
    model = Transformer.parse(model) if isinstance(model, str) else model
    if model.has_symbolic_heads:
        raise SpecError(f"the graph of {str(model)!r} has a node for every head, but the number of heads is a symbol")
    graph = networkx.DiGraph(model=str(model))
    tensors = ModelTensors(model)
    source = add_component(graph, component_of(model, "input"), tensors)
    previous = add_stream(graph, 0, model)
    graph.add_edge(source, previous)
    for number, step in enumerate(model.steps, start=1):
        after = add_stream(graph, number, model)
        if step.residual:
            graph.add_edge(previous, after)
        for block in step.blocks:
            add_block(graph, block, previous, after, tensors)
        previous = after
    graph.add_edge(previous, add_output(graph, model))
    return graph


def add_node(graph: networkx.DiGraph, name: str, kind: str, shape: tuple, latex: str, **place: object) -> str:
    """A node with every attribute."""
    attributes = {"layer": "", "head": "", "side": ""} | place
    graph.add_node(name, kind=kind, shape=" x ".join(map(str, shape)), latex=latex, **attributes)
    return name


def add_stream(graph: networkx.DiGraph, number: int, model: Transformer) -> str:
    """The residual stream after so many steps."""
    return add_node(graph, f"stream.{number}", "stream", (model.n, model.d), f"X_{{{number}}}")


def add_output(graph: networkx.DiGraph, model: Transformer, name: str = "") -> str:
    """The end of the graph."""
    if model.unembedding:
        return add_node(graph, name or "unembed", "output", (model.n, model.V), "W_U")
    return add_node(graph, name or "output", "output", (model.n, model.d), "X")


def add_block(graph: networkx.DiGraph, block: NumberedBlock, before: str, after: str, tensors: ModelTensors) -> None:
    """The components of a block between two nodes of the stream."""
    model = tensors.model
    if isinstance(block.spec, Attention):
        for head in range(block.spec.heads):
            name = add_component(graph, component_of(model, "attn", block.index, head), tensors)
            graph.add_edge(before, name)
            graph.add_edge(name, after)
        return
    layer = add_component(graph, component_of(model, "bilinear", block.index), tensors)
    for side in SIDES:
        graph.add_edge(before, add_side(graph, f"{layer}.{side}", block.index, side, tensors))
        graph.add_edge(f"{layer}.{side}", layer)
    graph.add_edge(layer, after)


def add_side(graph: networkx.DiGraph, name: str, layer: int, side: str, tensors: ModelTensors) -> str:
    """One input of a bilinear layer."""
    matrix = tensors.block(layer).W_1 if side == "left" else tensors.block(layer).W_2
    return add_node(graph, name, "side", (tensors.model.n, matrix.rows), latex_name(matrix.name), layer=layer, side=side)


def add_component(graph: networkx.DiGraph, component: Component, tensors: ModelTensors, name: str = "") -> str:
    """An input, a head or a bilinear layer."""
    model, name = tensors.model, name or component.name
    shape = (model.n, model.d)
    if component.kind == "input":
        return add_node(graph, name, "input", shape, "W_E" if model.embedding else "X")
    block = tensors.block(component.layer)
    if component.kind == "attn":
        head = sympy.Symbol("h") if component.head is None else sympy.Integer(component.head)
        latex = rf"{sympy.latex(block.A[head])} \otimes {sympy.latex(block.W_OV[head])}"
        label = "*" if component.head is None else component.head
        return add_node(graph, name, "head", shape, latex, layer=component.layer, head=label)
    return add_node(graph, name, "bilinear", shape, sympy.latex(block.B), layer=component.layer)


def term_graph(term: "Term") -> networkx.DiGraph:
    """The tree of a term, from its inputs to the output; nodes are numbered in the order of its name.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> graph = sc.path_expansion("attn(2) bilinear")[7].graph
    >>> [data["kind"] for _, data in graph.nodes(data=True)]
    ['output', 'bilinear', 'side', 'head', 'input', 'side', 'head', 'input']
    """
    if term.nodes > MAX_NODES:
        raise BudgetError(f"the graph of a term of {term.nodes:,} nodes was asked for; the limit is {MAX_NODES:,}")
    tensors = ModelTensors(term.component.model)
    graph = networkx.DiGraph(model=str(tensors.model), term=str(term))
    add_output(graph, tensors.model, "output")
    waiting, number = [(term, "output", 0)], 0
    while waiting:
        node, target, which = waiting.pop()
        if graph.nodes[target]["kind"] == "bilinear":
            target = add_side(graph, f"{target}.{SIDES[which]}", graph.nodes[target]["layer"], SIDES[which], tensors)
            graph.add_edge(target, target.rsplit(".", 1)[0])
        name = add_component(graph, node.component, tensors, f"{number}:{node.component.name}")
        number += 1
        graph.add_edge(name, target)
        waiting += [(x, name, k) for k, x in reversed(list(enumerate(node.inputs)))]
    return graph


def path_terms(graph: networkx.DiGraph) -> list[tuple[str, ...]]:
    """The heads on every path from input to output of an attention-only model's graph, by networkx's own enumeration.

    >>> path_terms(model_graph(Transformer.parse("attn(2)")))
    [(), ('attn.0[0]',), ('attn.0[1]',)]
    """
    ends = {data["kind"]: node for node, data in graph.nodes(data=True) if data["kind"] in ("input", "output")}
    paths = networkx.all_simple_paths(graph, ends["input"], ends["output"])
    return [tuple(node for node in path if graph.nodes[node]["kind"] == "head") for path in paths]
