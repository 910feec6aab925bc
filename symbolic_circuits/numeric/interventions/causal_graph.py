r"""The components of a model as a graph: the weight of u -> v is what the terms in which v reads u directly add to a readout.

Without the edge, v reads $X - o_u$ instead of X, where o_u is the output of u: the weight is the readout less that of the model so
changed, patterns being frozen, and it is the sum of the terms of the query ``u >> v``. All edges into one stream are evaluated
together, as changes of the stream behind it (:mod:`symbolic_circuits.numeric.interventions.disturbance`).

| change of the output of v | |
| --- | --- |
| head | -A^v o_u W_OV^T |
| left, right input of a bilinear layer | -B(o_u, X), -B(X, o_u) |
| both of them | -B(o_u, X) - B(X, o_u) + B(o_u, o_u) |
| output | -o_u W_U^T |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import networkx
import numpy as np

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.graphs import add_component, add_output
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.disturbance import Disturbance
from symbolic_circuits.numeric.interventions.runs import finite_run, whole_expansion
from symbolic_circuits.numeric.readout import readout
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["OUTPUT", "causal_graph"]

OUTPUT = "output"
MAX_PASSES = 50_000  # forward passes; a limit on work
WEIGHT, LEFT, RIGHT = "weight", "left", "right"


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A stream: what it is the sum of, and what reads it."""

    number: int
    stream: np.ndarray  # (n, d)
    writers: tuple[Component, ...]  # whose outputs the stream is the sum of
    outputs: np.ndarray  # (writers, n, d)
    readers: tuple[Component, ...]  # none for the last stream, which the output reads


def levels(frozen: Frozen) -> Iterator[Level]:
    """The streams of a frozen model, each as a sum of outputs of components."""
    model, algebra, streams = frozen.model, Streams(frozen), finite_forward(frozen).streams
    writers, outputs = [component_of(model, "input")], [frozen.x0.astype(dtype_of(frozen))]
    for number, (stream, step) in enumerate(zip(streams[:-1], model.steps, strict=True)):
        readers = tuple(
            component_of(model, *place)
            for index, spec in step.blocks
            for place in (
                [("attn", index, h) for h in range(spec.heads)] if isinstance(spec, Attention) else [("bilinear", index)]
            )
        )
        yield Level(number, stream, tuple(writers), np.stack(outputs), readers)
        new = [
            algebra.head(reader, stream) if reader.kind == "attn" else algebra.bilinear(reader, stream, stream)
            for reader in readers
        ]
        writers, outputs = ([*writers, *readers], [*outputs, *new]) if step.residual else (list(readers), new)
    yield Level(len(streams) - 1, streams[-1], tuple(writers), np.stack(outputs), ())


def without_edges(level: Level, reader: Component, algebra: Streams) -> dict[str, np.ndarray]:
    """How the output of a reader changes without each of the edges into it: arrays (writers, n, d)."""
    if reader.kind == "attn":
        return {WEIGHT: -algebra.head(reader, level.outputs)}
    left = algebra.bilinear(reader, level.outputs, level.stream)
    right = left if reader.is_tied else algebra.bilinear(reader, level.stream, level.outputs)
    both = algebra.bilinear(reader, level.outputs, level.outputs) - left - right
    return {WEIGHT: both} if reader.is_tied else {WEIGHT: both, LEFT: -left, RIGHT: -right}


def causal_graph(
    expansion: PathExpansion | Transformer | str,
    weights: Weights,
    tokens: object,
    *,
    position: int = -1,
    token: int | None = None,
    against: int | None = None,
    direction: object = None,
    max_passes: int = MAX_PASSES,
    progress: Callable[[int, int], None] | None = None,
) -> networkx.DiGraph:
    """The components that read each other, and what the paths through each edge add to a readout; patterns are frozen.

    Nodes are the input, every head, every bilinear layer (named as in queries) and ``output``; there is an edge where one component
    reads another directly. ``weight`` of u -> v is the sum of the terms of the query ``u >> v``, read out; edges into an untied bilinear
    layer also have ``left`` and ``right``, for ``u >> v.left`` and ``u >> v.right`` (a term may be of both, so that these need
    not add up to the weight). ``effect`` of a node is the sum of the terms that pass it. Edges into ``output`` partition the terms, and
    their weights add up to the readout; ``remainder`` of the graph is what rounding leaves.

    Parameters
    ----------
    expansion : the path expansion of the weights' model, whole
    tokens : one sequence (n,), or the residual input (n, d) of a model without embedding
    position, token, against, direction : the readout; see :func:`symbolic_circuits.numeric.readout.readout`
    max_passes : limit on the work, in forward passes
    progress : called with the number of edges and nodes done and of all

    Raises
    ------
    SpecError, TermError, TokensError, WeightsError
        The weights are of another model, terms are left out, inputs or the readout do not fit, activations overflow.
    BudgetError
        The edges take more forward passes than the limit; raised before they are spent.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> graph = causal_graph(sc.path_expansion(weights.model), weights, [3, 4, 31], token=7, against=8)
    >>> list(graph.successors("attn.0[1]"))
    ['bilinear.1', 'output']
    >>> f"{graph.edges['attn.0[1]', 'bilinear.1']['weight']:.2f}", f"{graph.nodes['attn.0[1]']['effect']:.2f}"
    ('47.16', '47.03')
    """
    expansion = whole_expansion(expansion, weights)
    frozen = finite_run(weights, tokens, "the input at hand")
    wanted = readout(frozen, position=position, token=token, against=against, direction=direction)
    found, algebra = list(levels(frozen)), Streams(frozen)
    rest = Disturbance(frozen, [level.stream for level in found], wanted)
    report = budgeted(expansion, found, rest, max_passes, progress)
    graph = nodes_of(expansion)
    for level in found[:-1]:
        for reader in level.readers:
            changes = without_edges(level, reader, algebra)
            effects = {name: -rest.effects(level.number + 1, change) for name, change in changes.items()}
            add_edges(graph, level, reader.name, effects)
            report(len(level.writers))
    at_output = -rest.effects(len(found) - 1, -found[-1].outputs)
    add_edges(graph, found[-1], OUTPUT, {WEIGHT: at_output})
    add_node_effects(graph, found, rest, report)
    whole = wanted.of(frozen.forward().output)
    graph.nodes[OUTPUT]["effect"] = whole
    scale = max(abs(whole), float(np.abs(at_output).sum()))
    graph.graph |= {"readout": wanted.words, "position": wanted.position, "total": whole}
    graph.graph |= {"remainder": abs(whole - float(at_output.sum())) / scale if scale else 0.0}
    graph.graph |= {"forward_passes": rest.work / max(1, len(found) - 1)}
    return graph


def budgeted(
    expansion: PathExpansion, found: list[Level], rest: Disturbance, max_passes: int, progress: Callable[[int, int], None] | None
) -> Callable[[int], None]:
    """Raise BudgetError where the work exceeds the limit; else a function that reports progress."""
    steps, total = 0, 0
    for level in found:
        kinds = sum(3 if reader.kind == "bilinear" and not reader.is_tied else 1 for reader in level.readers)
        steps += (kinds * len(level.writers) + len(level.readers)) * rest.passes(level.number + 1)
        total += len(level.writers) * len(level.readers) + len(level.readers)
    passes = steps // max(1, len(found) - 1)
    if passes > max_passes:
        raise BudgetError(
            f"the causal graph of {str(expansion.model)!r} has {total:,} edges and nodes, which take {passes:,} forward passes; "
            f"the limit is {max_passes:,}"
        )
    done = 0

    def report(number: int) -> None:
        nonlocal done
        done += number
        if progress is not None:
            progress(done, total)

    return report


def nodes_of(expansion: PathExpansion) -> networkx.DiGraph:
    """The components in the order of the model, and the output."""
    graph = networkx.DiGraph(model=str(expansion.model))
    for component in expansion.components.values():
        add_component(graph, component, expansion.tensors)
    add_output(graph, expansion.model, OUTPUT)
    return graph


def add_edges(graph: networkx.DiGraph, level: Level, reader: str, effects: dict[str, np.ndarray]) -> None:
    """The edges into a reader, from what its stream is the sum of."""
    for k, writer in enumerate(level.writers):
        graph.add_edge(writer.name, reader, **{name: float(values[k]) for name, values in effects.items()})


def add_node_effects(graph: networkx.DiGraph, found: list[Level], rest: Disturbance, report: Callable[[int], None]) -> None:
    """What the terms through each component add to the readout: without them its output is missing in the stream behind it."""
    for level, behind in zip([None, *found[:-1]], found, strict=True):
        new = list(level.readers) if level is not None else list(behind.writers)
        outputs = np.stack([behind.outputs[behind.writers.index(component)] for component in new])
        for component, effect in zip(new, -rest.effects(behind.number, -outputs), strict=True):
            graph.nodes[component.name]["effect"] = float(effect)
        report(len(new) if level is not None else 0)
