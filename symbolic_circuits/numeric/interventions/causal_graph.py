r"""The components of a model as a graph: the weight of u -> v is what the terms in which v reads u directly add to a readout.

Without the edge, v reads $X - o_u$ instead of X, where o_u is the output of u: the weight is the readout less that of the model so
changed, patterns being frozen, and it is the sum of the terms of the query ``u >> v``. All edges into one stream are evaluated
together, as changes of the stream behind it (:mod:`symbolic_circuits.numeric.interventions.disturbance`).

| change of the output of v | |
| --- | --- |
| head | -A^v o_u W_OV^T |
| gated layer, its gates G frozen | -W_out(G . W_2 o_u) |
| left, right input of a bilinear layer | -B(o_u, X), -B(X, o_u) |
| both of them | -B(o_u, X) - B(X, o_u) + B(o_u, o_u) |
| head whose pattern is a polynomial | likewise: without o_u in its query, key, value, or in all of them |
| output | -o_u W_U^T |

Where v reads a norm of X, X - o_u and o_u stand for their norms, the scales being frozen: a norm is no component. Positions, biases and the
constant 1, of which blocks make their inner biases, are components that nothing comes into.
"""

import math
from collections.abc import Callable, Sequence

import networkx
import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.graphs import add_component, add_output
from symbolic_circuits.expansion.queries.automaton import Automaton
from symbolic_circuits.expansion.queries.by_state import ByState
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.disturbance import Disturbance
from symbolic_circuits.numeric.interventions.runs import finite_run, whole_expansion
from symbolic_circuits.numeric.interventions.writers import Level, Writers, without_edges
from symbolic_circuits.numeric.readout import Readout, readout
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["OUTPUT", "causal_graph"]

OUTPUT = "output"
MAX_PASSES = 50_000  # forward passes; a limit on work
WEIGHT = "weight"
LEAF_PASSES = 4  # what the terms through a leaf take at most, in forward passes


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
    """The components that read each other, and what the paths through each edge add to a readout; patterns, scales and gates are frozen.

    Nodes are the input, every head, every layer (named as in queries) and ``output``, and where the model has them ``position``,
    ``one`` (the constant, of which blocks make the biases that they read with), ``bias.l`` and ``normbias.k``; a norm is no node.
    There is an edge where one component reads another directly, or through a norm. ``weight`` of u -> v is the sum of the terms of
    the query ``u >> v``, read out; edges into an untied bilinear layer also have ``left`` and ``right``, for ``u >> v.left`` and ``u >> v.right`` (a term may be of both, so that these need
    not add up to the weight), edges into a head whose pattern is a polynomial ``query``, ``key`` and ``value`` (``query1``, ... of bilinear
    scores). ``effect`` of a node is the sum of the terms that pass it. Edges into ``output`` partition the terms, and
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
    writers = Writers(frozen, finite_forward(frozen).streams)
    rest = Disturbance(frozen, writers.streams, wanted)
    report = budgeted(expansion, writers, rest, max_passes, progress)
    graph = nodes_of(expansion)
    for level in writers.levels():
        add_node_effects(graph, level, rest, report)
        for reading in level.readings:
            for reader in reading.readers:
                for rows in rest.pieces(len(reading.writers)):
                    changes = without_edges(reading, reader, rows)
                    effects = {name: -rest.effects(level.number + 1, writers.behind(level, x)) for name, x in changes.items()}
                    add_edges(graph, reading.writers[rows], reader.name, effects)
                report(len(reading.writers))
    last = writers.output(level)
    for rows in rest.pieces(len(last.writers)):
        add_edges(graph, last.writers[rows], OUTPUT, {WEIGHT: rest.at_output(last.inputs(rows)[0])})
    for leaf in writers.constants:
        graph.nodes[leaf.name]["effect"] = passing(expansion, frozen, leaf, wanted)
    graph.remove_nodes_from([name for name, number in [*graph.out_degree()] if not number and name != OUTPUT])  # in no term
    describe(graph, wanted, wanted.of(frozen.forward().output))
    graph.graph["forward_passes"] = rest.work / max(1, len(writers.streams) - 1) + LEAF_PASSES * len(writers.constants)
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
    number = sum(component.kind != "norm" for component in expansion.components.values())
    needed = number * frozen.x0.size * dtype_of(frozen).itemsize
    if needed > max_bytes:
        raise BudgetError(
            f"the outputs of the {number:,} components of {str(expansion.model)!r} at {frozen.positions:,} positions take "
            f"{in_words(needed)} bytes; the limit is {max_bytes:,}"
        )


def budgeted(
    expansion: PathExpansion, writers: Writers, rest: Disturbance, max_passes: int, progress: Callable[[int, int], None] | None
) -> Callable[[int], None]:
    """Raise BudgetError where the work exceeds the limit; else a function that reports progress."""
    steps, total = 0, 0
    for number, (sources, new, readers) in enumerate(writers.sizes()):
        kinds = sum(1 if len(reader.slots) == 1 or reader.is_tied else 1 + len(reader.slots) for reader, _ in readers)
        steps += (kinds * sources + len(readers)) * rest.passes(number + 1)
        total += sum(sources + more for _, more in readers) + new
    passes = steps // max(1, len(rest.steps)) + LEAF_PASSES * len(writers.constants)
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
        if component.kind != "norm":
            add_component(graph, component, expansion.tensors)
    add_output(graph, expansion.model, OUTPUT)
    return graph


def add_edges(graph: networkx.DiGraph, writers: Sequence[Component], reader: str, effects: dict[str, np.ndarray]) -> None:
    """The edges into a reader, from some of what its stream is the sum of."""
    for k, writer in enumerate(writers):
        graph.add_edge(writer.name, reader, **{name: float(values[k]) for name, values in effects.items()})


def add_node_effects(graph: networkx.DiGraph, level: Level, rest: Disturbance, report: Callable[[int], None]) -> None:
    """What the terms through each new writer of a stream add to the readout: without them its output is missing there."""
    writers, outputs = level.writers[level.new :], level.outputs[level.new :]
    for rows in rest.pieces(len(writers)):
        for writer, effect in zip(writers[rows], -rest.effects(level.number, -outputs[rows]), strict=True):
            graph.nodes[writer.name]["effect"] = float(effect)
    report(0 if level.number == 0 else len(writers))


class Passing(Automaton):
    """Whether a term has a component."""

    def __init__(self, component: Component) -> None:
        self.component = component

    def next(self, component: Component, states: tuple[bool, ...]) -> bool:
        return component == self.component or any(states)

    def accepts(self, state: bool) -> bool:
        return state


def passing(expansion: PathExpansion, frozen: Frozen, leaf: Component, wanted: Readout) -> float:
    """What the terms through a leaf that many blocks read add to the readout."""
    found = expansion.interpret(ByState(Streams(frozen), Passing(leaf)))
    return wanted.of(frozen.output(found[True])) if True in found else 0.0
