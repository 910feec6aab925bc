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

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import networkx
import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.graphs import add_component, add_output
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.disturbance import Disturbance
from symbolic_circuits.numeric.interventions.runs import finite_run, whole_expansion
from symbolic_circuits.numeric.readout import Readout, readout
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, NumberedBlock, Transformer

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
    """The streams of a frozen model, each as a sum of outputs of components; one array holds the outputs for all streams."""
    model, algebra, streams = frozen.model, Streams(frozen), finite_forward(frozen).streams
    components = [component_of(model, "input")]
    outputs = np.empty((number_of_components(model), *frozen.x0.shape), dtype=dtype_of(frozen))
    outputs[0] = frozen.x0
    first = 0  # before it, nothing is in the stream any more
    for number, (stream, step) in enumerate(zip(streams[:-1], model.steps, strict=True)):
        readers = [reader for block in step.blocks for reader in components_of(model, block)]
        stop = len(components)
        yield Level(number, stream, tuple(components[first:]), outputs[first:stop], tuple(readers))
        for k, reader in enumerate(readers, start=stop):
            outputs[k] = algebra.head(reader, stream) if reader.kind == "attn" else algebra.bilinear(reader, stream, stream)
        components += readers
        first = first if step.residual else stop
    yield Level(len(streams) - 1, streams[-1], tuple(components[first:]), outputs[first:], ())


def components_of(model: Transformer, block: NumberedBlock) -> list[Component]:
    """The heads of a block, or its bilinear layer."""
    if isinstance(block.spec, Attention):
        return [component_of(model, "attn", block.index, head) for head in range(block.spec.heads)]
    return [component_of(model, "bilinear", block.index)]


def number_of_components(model: Transformer) -> int:
    """The input, the heads and the bilinear layers."""
    return 1 + sum(spec.heads if isinstance(spec, Attention) else 1 for _, spec in model.numbered())


def without_edges(level: Level, reader: Component, rows: slice, algebra: Streams) -> dict[str, np.ndarray]:
    """How the output of a reader changes without each of the edges from some writers: arrays (writers, n, d)."""
    outputs = level.outputs[rows]
    if reader.kind == "attn":
        return {WEIGHT: -algebra.head(reader, outputs)}
    left = algebra.bilinear(reader, outputs, level.stream)
    right = left if reader.is_tied else algebra.bilinear(reader, level.stream, outputs)
    both = algebra.bilinear(reader, outputs, outputs) - left - right
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
    max_bytes: int = MAX_BYTES,
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
    max_passes, max_bytes : limits on the work, in forward passes, and on the memory for outputs of components
    progress : called with the number of edges and nodes done and of all

    Raises
    ------
    SpecError, TermError, TokensError, WeightsError
        The weights are of another model, terms are left out, inputs or the readout do not fit, activations overflow.
    BudgetError
        The edges take more forward passes, or the components more memory, than the limit; raised before it is spent.

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
    require_bytes(expansion, frozen, max_bytes)
    found, algebra = list(levels(frozen)), Streams(frozen)
    rest = Disturbance(frozen, [level.stream for level in found], wanted)
    report = budgeted(expansion, found, rest, max_passes, progress)
    graph = nodes_of(expansion)
    for level in found[:-1]:
        for reader in level.readers:
            for rows in rest.pieces(len(level.writers)):
                changes = without_edges(level, reader, rows, algebra)
                effects = {name: -rest.effects(level.number + 1, change) for name, change in changes.items()}
                add_edges(graph, level.writers[rows], reader.name, effects)
            report(len(level.writers))
    for rows in rest.pieces(len(found[-1].writers)):
        effects = -rest.effects(len(found) - 1, -found[-1].outputs[rows])
        add_edges(graph, found[-1].writers[rows], OUTPUT, {WEIGHT: effects})
    add_node_effects(graph, found, rest, report)
    describe(graph, wanted, wanted.of(frozen.forward().output))
    graph.graph["forward_passes"] = rest.work / max(1, len(found) - 1)
    return graph


def describe(graph: networkx.DiGraph, wanted: Readout, total: float) -> None:
    """What is read, and what is left of it when the edges into the output are taken away, over the sum of their sizes."""
    weights = [weight for _, _, weight in graph.in_edges(OUTPUT, data=WEIGHT)]
    scale = max(abs(total), math.fsum(map(abs, weights)))
    remainder = abs(total - math.fsum(weights)) / scale if scale else 0.0
    graph.nodes[OUTPUT]["effect"] = total
    graph.graph |= {"readout": wanted.words, "position": wanted.position, "total": total, "remainder": remainder}


def require_bytes(expansion: PathExpansion, frozen: Frozen, max_bytes: int) -> None:
    """Raise BudgetError where the outputs of all components take more memory than the limit."""
    number = number_of_components(frozen.model)
    needed = number * frozen.x0.size * dtype_of(frozen).itemsize
    if needed > max_bytes:
        raise BudgetError(
            f"the outputs of the {number:,} components of {str(expansion.model)!r} at {frozen.positions:,} positions take "
            f"{in_words(needed)} bytes; the limit is {max_bytes:,}"
        )


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


def add_edges(graph: networkx.DiGraph, writers: Sequence[Component], reader: str, effects: dict[str, np.ndarray]) -> None:
    """The edges into a reader, from some of what its stream is the sum of."""
    for k, writer in enumerate(writers):
        graph.add_edge(writer.name, reader, **{name: float(values[k]) for name, values in effects.items()})


def add_node_effects(graph: networkx.DiGraph, found: list[Level], rest: Disturbance, report: Callable[[int], None]) -> None:
    """What the terms through each component add to the readout: without them its output is missing in the stream behind it."""
    for before, level in zip([None, *found[:-1]], found, strict=True):
        new = len(level.writers) if before is None else len(before.readers)  # the last writers
        writers, outputs = level.writers[-new:], level.outputs[-new:]
        for rows in rest.pieces(new):
            for writer, effect in zip(writers[rows], -rest.effects(level.number, -outputs[rows]), strict=True):
                graph.nodes[writer.name]["effect"] = float(effect)
        report(0 if before is None else new)
