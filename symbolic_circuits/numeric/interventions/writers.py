r"""The streams of a frozen model, each as a sum of outputs of components: $X_l = \sum_u o_u$, and who reads which of them.

With norms after the steps o_u is the norm of what u gave, once for each step in between; the scales being frozen it is linear, and biases of
norms are writers of their own. A leaf that blocks read beside the stream (the constant 1, the bias of a norm before a block, positions that only
queries and keys read) is a writer of what they read, and of no stream.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.interpret import applied
from symbolic_circuits.numeric.folding import with_column
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.products import Product
from symbolic_circuits.numeric.interventions.readings import Readings, components_of
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.spec import NumberedBlock, Step

__all__ = ["Level", "Reading", "Writers", "without_edges"]

WEIGHT = "weight"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What the components of one block, or the output, read."""

    block: NumberedBlock | None
    readers: tuple[Component, ...]  # none: the output
    writers: tuple[Component, ...]  # of the stream, then leaves that are read beside it
    outputs: np.ndarray  # (writers of the stream, n, width)
    constants: tuple[Component, ...]
    at: tuple[np.ndarray, ...]  # what each input reads in all, (n, width)
    around: Readings

    def inputs(self, rows: slice) -> list[np.ndarray]:
        """What each input reads of some writers, (rows, n, width)."""
        start, stop, _ = rows.indices(len(self.writers))
        number = len(self.outputs)
        constants = self.constants[max(0, start - number) : max(0, stop - number)]
        if self.block is None:
            return [self.around.at_output(self.outputs[start:stop], constants)]
        return self.around.written(self.block, self.outputs[start:stop], constants)


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """A stream: what it is the sum of, and what reads it."""

    number: int
    step: Step | None  # that reads it; None: the output
    writers: tuple[Component, ...]  # whose outputs the stream is the sum of
    outputs: np.ndarray  # (writers, n, width)
    new: int  # the first writer that the last step brought
    readings: tuple[Reading, ...]


class Writers:
    """The streams of a frozen model, one after the other; one array holds the outputs for all of them.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.random("[rms_norm] attn(2, bias) bilinear", seed=0), [1, 2])
    >>> found = Writers(frozen, frozen.forward().streams)
    >>> [[writer.name for writer in level.writers] for level in found.levels()][1]
    ['embed', 'attn.0[0]', 'attn.0[1]', 'bias.0']
    """

    def __init__(self, frozen: Frozen, streams: Sequence[np.ndarray]) -> None:
        self.frozen, self.model, self.around = frozen, frozen.model, Readings(frozen)
        self.streams = [with_column(x) for x in streams] if self.model.has_constant else list(streams)
        blocks = [*self.model.numbered(), None]
        self.constants = list(dict.fromkeys(leaf for block in blocks for leaf in self.around.constants(block)))

    def first(self) -> list[Component]:
        """The writers of the stream before the first step."""
        kinds = ["input", "position"] if self.model.positions == "learned" else ["input"]
        return [component_of(self.model, kind) for kind in kinds]

    def brought(self, step: Step) -> list[Component]:
        """The components that a step adds to the stream: of each block, then its own bias; last the bias of a norm behind them."""
        found = []
        for block in step.blocks:
            own = {"b_O", "b_out"} & set(block.spec.biases)
            found += components_of(self.model, block) + ([component_of(self.model, "bias", block.index)] if own else [])
        if self.model.post_norm and self.around.has_norm_biases:
            found.append(component_of(self.model, "normbias", step.blocks[-1].index))
        return found

    def sizes(self) -> Iterator[tuple[int, int, list[tuple[Component, int]]]]:
        """For each step: writers of its stream, components that it brings, and its readers with what they read beside the stream."""
        number = len(self.first())
        for step in self.model.steps:
            new = self.brought(step)
            readers = [
                (reader, len(self.around.constants(block)))
                for block in step.blocks
                for reader in components_of(self.model, block)
            ]
            yield number, len(new), readers
            number = (number if step.residual else 0) + len(new)

    def levels(self) -> Iterator[Level]:
        """The streams; the outputs of one are valid until the next is asked for."""
        components, algebra = self.first(), Streams(self.frozen)
        total = len(components) + sum(len(self.brought(step)) for step in self.model.steps)
        outputs = np.empty((total, *self.frozen.x0.shape), dtype=dtype_of(self.frozen))
        for k, component in enumerate(components):
            outputs[k] = self.frozen.leaf(component)
        first, new = 0, 0  # before the first, nothing is in the stream any more
        for number, (stream, step) in enumerate(zip(self.streams[:-1], self.model.steps, strict=True)):
            stop, mine = len(components), outputs[first : len(components)]
            readings = tuple(self.reading(block, stream, components[first:], mine) for block in step.blocks)
            yield Level(number, step, tuple(components[first:]), mine, new - first, readings)
            brought = self.brought(step)
            inputs = {reader: reading.at for reading in readings for reader in reading.readers}
            for k, component in enumerate(brought, start=stop):
                outputs[k] = applied(component, inputs.get(component, ()), algebra)
            components += brought
            first, new = (first if step.residual else stop), stop
            self.pass_norm(step, outputs[first : len(components)], brought)
        yield Level(len(self.streams) - 1, None, tuple(components[first:]), outputs[first:], new - first, ())

    def pass_norm(self, step: Step, outputs: np.ndarray, brought: Sequence[Component]) -> None:
        """The outputs behind the norm after a step, in place; its own bias stays as it is."""
        if not self.model.post_norm:
            return
        stop = len(outputs) - (brought[-1].kind == "normbias")
        for k in range(stop):
            outputs[k] = self.around.behind(step, outputs[k])

    def reading(self, block: NumberedBlock, stream: np.ndarray, components: Sequence[Component], outputs: np.ndarray) -> Reading:
        """What a block reads of a stream."""
        constants = tuple(self.around.constants(block))
        readers = tuple(components_of(self.model, block))
        at = tuple(self.around.read(block, stream))
        return Reading(block, readers, (*components, *constants), outputs, constants, at, self.around)

    def behind(self, level: Level, change: np.ndarray) -> np.ndarray:
        """A change of what a component gives as a change of the next stream."""
        return self.around.behind(level.step, change)

    def output(self, level: Level) -> Reading:
        """What the output reads of the last stream."""
        constants = tuple(self.around.constants(None))
        return Reading(None, (), (*level.writers, *constants), level.outputs, constants, (), self.around)


def without_edges(reading: Reading, reader: Component, rows: slice) -> dict[str, np.ndarray]:
    """How the output of a reader changes without each of the edges from some writers: arrays (writers, n, width), by input and in all."""
    algebra, outputs = reading.around.streams, reading.inputs(rows)
    if len(reader.slots) == 1:
        return {WEIGHT: -applied(reader, outputs, algebra)}
    if reader.kind == "bilinear":
        (stream, _), (outputs, _) = reading.at, outputs
        left = algebra.bilinear(reader, outputs, stream)
        right = left if reader.is_tied else algebra.bilinear(reader, stream, outputs)
        both = algebra.bilinear(reader, outputs, outputs) - left - right
        return {WEIGHT: both} if reader.is_tied else {WEIGHT: both, "left": -left, "right": -right}
    product, found = Product(reading.around.frozen, reader), {}
    found[WEIGHT] = product.change(reading.at, [-x for x in outputs])
    for slot, name in enumerate(reader.slots):
        inputs = [outputs[slot] if k == slot else x for k, x in enumerate(reading.at)]
        found[name] = -product.at(inputs)
    return found
