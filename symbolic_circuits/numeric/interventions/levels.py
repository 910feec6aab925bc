r"""The intervened run, stream by stream: $\tilde R_l = \sum_{y \notin Q} k(y) + \sum_{y \in Q} p(y)$, and what the blocks that read it hold fixed.

| letter | meaning |
| --- | --- |
| Q | the query; a term y of the stream R_l, which block l reads, is held against it as it is |
| k(y) | the value of y at the input at hand, with the patterns, scales and gates of the intervened run |
| s(y) | the value of y in the run of another input, with all that this run holds; the mean over several such runs |
| p(y) | what stands in place of y |

Nothing is put in: p = 0. Whole *terms* are replaced: p(y) = s(y). *Activations* are replaced: for a term c(x), or c(x_1, x_2, ...), of Q

- p(c(...)) = s(c(...)) where all terms of the component c are in Q: the output of c is overwritten;
- else p(c(...)) = c(...) at p(x) for an input x in Q, at s(x) for an input that alone puts the term into Q (whatever the other inputs are:
  what c reads of x is overwritten), at k(x) for an input that does neither, all with what the intervened run holds;
- else, where no single input puts the term into Q, p(c(...)) = s(c(...)).

For a head, a layer or an edge between two of them this is what a forward pass computes in which that output, or what one
reads of the other as a value, is overwritten. A query is a set of terms: where an edge, or a head, is all that another component reads,
all terms of that one are in Q, and its output is overwritten as well.

The intervened run holds fixed, or computes of $\tilde R_l$: patterns of attention, scales of norms and gates of layers
(:mod:`symbolic_circuits.numeric.interventions.held`). Patterns of heads without softmax are polynomials in the stream, parts of the value: an edge into a
query or a key is an edge as any other. A norm is no step of a path and no component that a query overwrites: the norm of p(x) stands in place
of the norm of x, and what c reads of x through a norm is the norm, as the intervened run has it, of s(x).

``a >> output`` holds only of terms that the output itself reads: no block, and no norm, sees that a term is missing there.

The sums of k, p and s over the terms of one state of the query's automaton are computed together: one pass, no term is listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.compiling import compile_query
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.held import Intervened, linear
from symbolic_circuits.numeric.interventions.parts import Parts
from symbolic_circuits.numeric.interventions.products import Product, joined
from symbolic_circuits.numeric.interventions.source_values import SourceValues, is_computed
from symbolic_circuits.numeric.interventions.wiring import Group, Wires, is_of_stream, wiring

__all__ = ["ACTIVATIONS", "TERMS", "IntervenedStream", "Levels", "is_of_stream"]

TERMS, ACTIVATIONS = "terms", "activations"


@dataclass(frozen=True, slots=True, eq=False)
class IntervenedStream:
    """What the output reads in the intervened run; arrays are (n, width)."""

    kept: np.ndarray  # the terms outside of Q
    removed: np.ndarray  # the terms in Q, at the input at hand with what the intervened run holds
    put_in: np.ndarray
    frozen: Frozen  # the input at hand with patterns, scales and gates of the intervened run

    @property
    def patterns(self) -> Mapping[int, np.ndarray]:
        """Attention block -> (H, n, n) of the intervened run."""
        return self.frozen.patterns


class Levels:
    """One intervention: the moves of the query's automaton, found before anything is evaluated.

    Raises
    ------
    TermError, BudgetError
        The query names a component that is not there, or takes too many states.
    """

    def __init__(self, expansion: PathExpansion, query: Query) -> None:
        self.expansion = expansion
        self.automaton = compile_query(query, expansion.model)
        self.wires = wiring(expansion.grammar, self.automaton)
        self.accepted = np.array([self.automaton.accepts(state) for state in self.wires[-1].states], dtype=bool)

    def require_bytes(self, frozen: Frozen, sources: int, max_bytes: int = MAX_BYTES) -> None:
        """Raise BudgetError where the values by state take more memory than the limit."""
        states = max(len(node.states) for node in self.wires)
        widest = max([frozen.x0.shape[1], *(len(a) for name, a in frozen.arrays.items() if name.endswith(".W_1"))])
        patterns = sources * sum(pattern.size for pattern in frozen.patterns.values())
        live = 3 + max(sum(node.last_use > k for node in self.wires[:k]) for k in range(1, len(self.wires) + 1))
        needed = (live * states * (2 + sources) * frozen.positions * widest + patterns) * dtype_of(frozen).itemsize
        if needed > max_bytes:
            raise BudgetError(
                f"{states:,} states of the query at {sources:,} other inputs take {in_words(needed)} bytes; "
                f"the limit is {max_bytes:,}: ask for a smaller batch"
            )

    def source_values(self, sources: Sequence[Frozen], *, replace: str = TERMS) -> SourceValues | None:
        """What is put in, from the runs of other inputs; None where there are none."""
        if not sources:
            return None
        by_component = replace == ACTIVATIONS and self.expansion.model.norm is not None
        return SourceValues(self.wires, sources, activations=replace == ACTIVATIONS, by_component=by_component)

    def run(
        self, frozen: Frozen, sources: Sequence[Frozen] | SourceValues | None, *, replace: str = TERMS, recomputed: bool = True
    ) -> IntervenedStream:
        """The intervened run at a frozen input, with what is put in from the runs of others (nothing where there are none)."""
        values = sources if isinstance(sources, SourceValues | None) else self.source_values(sources, replace=replace)
        work = Run(self.wires, frozen, values, replace, recomputed)
        parts, accepted = work.last(), self.accepted
        put_in = np.zeros_like(parts.stream)
        if parts.fresh is not None:
            put_in = parts.mixed[accepted & parts.inside].sum(axis=0) + parts.fresh[accepted & ~parts.inside].sum(axis=0)
        kept, removed = (parts.kept[chosen].sum(axis=0) for chosen in (~accepted, accepted))
        return IntervenedStream(kept, removed, put_in, work.held.frozen())


@dataclass(slots=True, eq=False)
class Sums:
    """Sums under way, by state; None where they are not asked for."""

    kept: np.ndarray
    put: np.ndarray | None
    fresh: np.ndarray | None


class Run:
    """The pass itself."""

    def __init__(
        self, wires: Sequence[Wires], frozen: Frozen, values: SourceValues | None, replace: str, recomputed: bool
    ) -> None:
        self.wires, self.frozen, self.values = wires, frozen, values
        self.puts = values is not None and replace == ACTIVATIONS
        self.held = Intervened(frozen, recomputed)
        self.dtype = dtype_of(frozen)
        self.live: dict[int, Parts] = {}

    def last(self) -> Parts:
        """What the output reads."""
        for k, node in enumerate(self.wires):
            self.live[k] = self.node(k, node)
            self.live = {source: parts for source, parts in self.live.items() if self.wires[source].last_use > k}
        return self.live[len(self.wires) - 1]

    def node(self, k: int, node: Wires) -> Parts:
        """The terms of one nonterminal."""
        kept = np.zeros((len(node.states), *self.frozen.x0.shape), dtype=self.dtype)
        follows = self.puts and self.values.by_component
        sums = Sums(kept, np.zeros_like(kept) if self.puts else None, np.zeros_like(kept) if follows else None)
        for g, group in enumerate(node.groups):
            self.add(sums, (k, g), group)
        fresh = None if self.values is None else (sums.fresh if follows else self.values.fresh[k])
        put = sums.put if self.puts else (np.zeros_like(kept) if fresh is None else fresh)
        return Parts(node.inside, kept, np.where(node.inside[:, None, None], put, kept), fresh)

    def add(self, sums: Sums, key: tuple[int, int], group: Group) -> None:
        """The terms of one component."""
        component, first = group.component, group.flows[0]
        if component is None or component.kind == "norm":
            self.add_through(sums, group)
            return
        if not first.sources:
            self.add_leaf(sums, key, group)
        elif len(first.sources) > 1:
            self.add_product(sums, key, group)
        else:
            self.add_linear(sums, key, group)
        if sums.fresh is not None:
            sums.fresh += self.values.means[key]

    def add_through(self, sums: Sums, group: Group) -> None:
        """Terms that pass by, or through a norm: nothing is overwritten on the way."""
        (flow,) = group.flows
        before = self.live[flow.sources[0]]
        given = (before.kept, before.mixed, before.fresh)
        if group.component is not None:
            r = self.held.of(group.component, before.stream)
            given = tuple(None if x is None else linear(self.frozen, group.component, r, x) for x in given)
        for mine, theirs in zip((sums.kept, sums.put, sums.fresh), given, strict=True):
            if mine is not None:
                for target, (place,) in zip(flow.targets, flow.places, strict=True):
                    mine[target] += theirs[place]

    def add_leaf(self, sums: Sums, key: tuple[int, int], group: Group) -> None:
        """A component without inputs."""
        target = group.flows[0].targets[0]
        sums.kept[target] += self.frozen.leaf(group.component)
        if sums.put is not None:
            sums.put += self.values.means[key]

    def add_linear(self, sums: Sums, key: tuple[int, int], group: Group) -> None:
        """A head or a gated layer, at the terms of each state."""
        component, decides = group.component, group.decides[0]
        held = self.held.of(component, self.live[group.flows[0].sources[0]].stream)
        for number, flow in enumerate(group.flows):
            before = self.live[flow.sources[0]]
            given = [(sums.kept, linear(self.frozen, component, held, before.kept))]
            if sums.put is not None and group.all_inside:
                given.append((sums.put, self.values.overwritten[key][number]))
            elif sums.put is not None:
                read = before.entering(decides[flow.sources[0]])
                given.append((sums.put, linear(self.frozen, component, held, read)))
            for mine, theirs in given:
                for target, (place,) in zip(flow.targets, flow.places, strict=True):
                    mine[target] += theirs[place]

    def add_product(self, sums: Sums, key: tuple[int, int], group: Group) -> None:
        """A component with several inputs, at each choice of states; its last weights once for each state of the result."""
        product = Product(self.frozen, group.component)
        hidden = np.zeros((len(sums.kept), len(self.frozen.x0), product.width), dtype=self.dtype)
        for target, value, _ in joined(product, group, lambda slot, source: self.live[source].kept):
            hidden[target] += value
        sums.kept += product.written(hidden)
        if sums.put is None:
            return
        hidden = self.values.overwritten[key].copy()

        def read(slot: int, source: int) -> np.ndarray:
            return self.live[source].entering(group.decides[slot][source])

        for target, value, _ in joined(product, group, read, wanted=lambda choice: is_computed(group, choice, self.wires)):
            hidden[target] += value
        sums.put += product.written(hidden)
