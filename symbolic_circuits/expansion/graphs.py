r"""The model and its terms as directed graphs, from the input to the output.

| kind of node | name in the model | meaning |
| --- | --- | --- |
| input | ``embed`` or ``input`` | X_0 |
| position, one | ``position``, ``one`` | positions; the constant that blocks with biases read, and the output with b_U |
| bias, normbias | ``bias.1``, ``normbias.1`` | the bias that a block or a norm adds |
| stream | ``stream.1`` | the residual stream before step 1, after step 0 |
| norm | ``norm.1`` | what block 1 reads; with norms after steps, what step of block 1 leaves |
| head | ``attn.0[1]`` | one head |
| side | ``bilinear.1.left``, ``attn.0[1].query`` | an input of a bilinear layer, or of a head whose pattern is expanded |
| bilinear, gated | ``bilinear.1``, ``gated.1`` | a bilinear layer, a layer with gates |
| scores | ``scores.1[0]`` | the scores of a head, of a term |
| output | ``unembed`` or ``output`` | the logits, or the stream after the last step |

Every node has the attributes kind, layer, head, side (empty text where they do not apply), shape and latex. In the graph of an
attention-only model the paths from input to output are the terms; the graph of a term has a node for each of its nodes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import networkx
import sympy

from symbolic_circuits.errors import BudgetError, SpecError
from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.spec import Attention, NumberedBlock, Step, Transformer
from symbolic_circuits.syntax.names import latex_name

if TYPE_CHECKING:
    from symbolic_circuits.expansion.term import Term

__all__ = ["model_graph", "path_terms", "term_graph"]

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
    return Drawing(model).graph


class Drawing:
    """The graph of a model, made step by step; ``readers`` are names of nodes that something reads together."""

    def __init__(self, model: Transformer) -> None:
        self.model, self.tensors = model, ModelTensors(model)
        self.graph = networkx.DiGraph(model=str(model))
        source = self.add("input")
        previous = add_stream(self.graph, 0, model)
        self.join([source, *([self.add("position")] if model.positions == "learned" else [])], previous)
        for number, step in enumerate(model.steps, start=1):
            previous = self.step(number, step, previous)
        last = self.normed(model.number_of_blocks, previous) if model.has_final_norm else [previous]
        self.join([*last, *([self.add("one")] if model.output_bias else [])], add_output(self.graph, model))

    def add(self, kind: str, layer: int = -1, head: int | None = None) -> str:
        """The node of a component; its name."""
        return add_component(self.graph, component_of(self.model, kind, layer, head), self.tensors)

    def join(self, sources: Sequence[str], target: str) -> None:
        """Edges to one node."""
        self.graph.add_edges_from((source, target) for source in sources)

    def step(self, number: int, step: Step, previous: str) -> str:
        """The stream after a step, and what lies between."""
        after = add_stream(self.graph, number, self.model)
        target = after
        if self.model.post_norm:
            target, *bias = self.normed(step.blocks[-1].index)
            self.join([target, *bias], after)
        if step.residual:
            self.graph.add_edge(previous, target)
        for block in step.blocks:
            reads_norm = self.model.norm is not None and not self.model.post_norm
            self.block(block, self.normed(block.index, previous) if reads_norm else [previous], target)
        return after

    def normed(self, number: int, source: str | None = None) -> list[str]:
        """A norm, of a node, and its bias."""
        name = self.add("norm", number)
        self.join([] if source is None else [source], name)
        return [name, *([self.add("normbias", number)] if self.tensors.norm(number).b is not None else [])]

    def block(self, block: NumberedBlock, sources: list[str], after: str) -> None:
        """The components of a block between what it reads and the node that it writes to."""
        index, spec = block
        if isinstance(spec, Attention):
            names = [self.head(component_of(self.model, "attn", index, head), sources) for head in range(spec.heads)]
        else:
            names = [self.layer(component_of(self.model, "bilinear" if spec.gate is None else "gated", index), sources)]
        own = "b_O" if isinstance(spec, Attention) else "b_out"
        for name in [*names, *([self.add("bias", index)] if own in spec.biases else [])]:
            self.graph.add_edge(name, after)

    def head(self, component: Component, sources: list[str]) -> str:
        """A head."""
        name = add_component(self.graph, component, self.tensors)
        biases, slots = component.spec.biases, component.slots
        if len(slots) == 1:
            self.join(self.with_constant(sources, "b_V" in biases), name)
            return name
        for slot in slots:
            aware = [self.add("position")] if self.model.positions == "shortformer" and slot != "value" else []
            read = self.with_constant([*sources, *aware], f"b_{slot[0].upper()}" in biases)
            self.join(read, add_side(self.graph, name, component, slot, self.tensors))
        return name

    def layer(self, component: Component, sources: list[str]) -> str:
        """A bilinear layer, or one with gates."""
        name, block = add_component(self.graph, component, self.tensors), self.tensors.block(component.layer)
        if component.kind == "gated":
            self.join(self.with_constant(sources, block.b_2 is not None), name)
            return name
        for side, bias in zip(component.slots, (block.b_1, block.b_2), strict=True):
            self.join(self.with_constant(sources, bias is not None), add_side(self.graph, name, component, side, self.tensors))
        return name

    def with_constant(self, sources: list[str], is_biased: bool) -> list[str]:
        """What a reader with a bias reads."""
        return [*sources, self.add("one")] if is_biased else sources


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


def add_side(graph: networkx.DiGraph, target: str, component: Component, side: str, tensors: ModelTensors) -> str:
    """One input of a bilinear layer, a head or scores, between what it reads and the component; its name."""
    block, name = tensors.block(component.layer), f"{target}.{side}"
    if component.kind == "bilinear":
        matrix = block.W_1 if side == "left" else block.W_2
        width, latex = matrix.rows, latex_name(matrix.name)
    else:
        label = block.A.name.partition("^")[2]
        width = component.spec.e
        latex = latex_name(f"W_{side[0].upper()}{side[-1] if side[-1].isdigit() else ''}{label and f'^{label}'}")
    head = "" if component.head is None else component.head
    add_node(graph, name, "side", (tensors.model.n, width), latex, layer=component.layer, head=head, side=side)
    graph.add_edge(name, target)
    return name


def add_component(graph: networkx.DiGraph, component: Component, tensors: ModelTensors, name: str = "") -> str:
    """A leaf, a norm, a head, a layer or scores."""
    model, kind, name = tensors.model, component.kind, name or component.name
    shape = (model.n, model.n if kind == "scores" else model.d)
    if kind in ("attn", "scores"):
        label = "*" if component.head is None else component.head
        shown = {"attn": "head", "scores": "scores"}[kind]
        return add_node(graph, name, shown, shape, head_latex(component, tensors), layer=component.layer, head=label)
    if component.layer < 0:
        latex = {"input": "W_E" if model.embedding else "X", "position": r"W_{\mathrm{pos}}", "one": "1"}[kind]
        return add_node(graph, name, kind, shape, latex)
    return add_node(graph, name, kind, shape, layer_latex(component, tensors), layer=component.layer)


def head_latex(component: Component, tensors: ModelTensors) -> str:
    """A (x) W_OV of a head, W_QK of scores."""
    block = tensors.block(component.layer)
    head = sympy.Symbol("h") if component.head is None else sympy.Integer(component.head)
    if component.kind == "attn":
        return rf"{sympy.latex(block.A[head])} \otimes {sympy.latex(block.W_OV[head])}"
    found = block.scores[0].at(head)
    return sympy.latex(found.W_QK) if found.W_QK is not None else sympy.latex(found.W_Q) + r"^{\top} " + sympy.latex(found.W_K)


def layer_latex(component: Component, tensors: ModelTensors) -> str:
    """The tensor of a bilinear layer or of one with gates, the scales of a norm, or a bias."""
    if component.kind in ("norm", "normbias"):
        norm = tensors.norm(component.layer)
        return latex_name((norm.r if component.kind == "norm" else norm.b).name)
    if component.kind == "bias":
        return latex_name(tensors.own_bias(component.layer)[1].name)
    return sympy.latex(tensors.block(component.layer).B)


def term_graph(term: "Term") -> networkx.DiGraph:
    """The tree of a term, from its inputs to the output; nodes are numbered in the order of its name. Scores are an output themselves.

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
    if term.component.kind != "scores":
        add_output(graph, tensors.model, "output")
    waiting, number = [(term, "output", None, "")], 0
    while waiting:
        node, target, reader, side = waiting.pop()
        if len(reader.slots if reader is not None else ()) > 1:
            target = add_side(graph, target, reader, side, tensors)
        name = add_component(graph, node.component, tensors, f"{number}:{node.component.name}")
        number += 1
        if target in graph:  # scores are an output themselves
            graph.add_edge(name, target)
        inputs = zip(node.inputs, node.component.slots, strict=True)
        waiting += [(x, name, node.component, slot) for x, slot in reversed(list(inputs))]
    return graph


def path_terms(graph: networkx.DiGraph) -> list[tuple[str, ...]]:
    """The heads on every path from input to output of an attention-only model's graph, by networkx's own enumeration.

    Where there are norms, they lie between and are left out; paths from positions and biases are not among these.

    >>> path_terms(model_graph(Transformer.parse("attn(2)")))
    [(), ('attn.0[0]',), ('attn.0[1]',)]
    """
    ends = {data["kind"]: node for node, data in graph.nodes(data=True) if data["kind"] in ("input", "output")}
    paths = networkx.all_simple_paths(graph, ends["input"], ends["output"])
    return [tuple(node for node in path if graph.nodes[node]["kind"] == "head") for path in paths]
