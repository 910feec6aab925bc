r"""The intervened run, stream by stream: $\tilde R_l = \sum_{y \notin Q} k(y) + \sum_{y \in Q} p(y)$, and the patterns of the blocks that read it.

| letter | meaning |
| --- | --- |
| Q | the query; a term y of the stream R_l, which block l reads, is held against it as it is |
| k(y) | the value of y at the input at hand, with the patterns of the intervened run |
| s(y) | the value of y in the run of another input, with that run's own patterns; the mean over several such runs |
| p(y) | what stands in place of y |

Nothing is put in: p = 0. Whole *terms* are replaced: p(y) = s(y). *Activations* are replaced: for a term c(x), or c(x_1, x_2), of Q

- p(c(...)) = s(c(...)) where all terms of the component c are in Q: the output of c is overwritten;
- else p(c(...)) = c(...) at p(x) for an input x in Q, at s(x) for an input that alone puts the term into Q (whatever the other input is:
  what c reads of x is overwritten), at k(x) for an input that does neither, all with the patterns of the intervened run;
- else, where no single input puts the term into Q, p(c(...)) = s(c(...)).

For a head, a bilinear layer or an edge between two of them this is what a forward pass computes in which that output, or what one
reads of the other as a value, is overwritten. A query is a set of terms: where an edge, or a head, is all that another component reads,
all terms of that one are in Q, and its output is overwritten as well. Patterns of the intervened run are softmax(scores of $\tilde R_l$), or held fixed.

``a >> output`` holds only of terms that the output itself reads: no block sees that a term is missing there.

The sums of k, p and s over the terms of one state of the query's automaton are computed together: one pass, no term is listed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.queries.automaton import State
from symbolic_circuits.expansion.queries.compiling import TRUTH, PathAutomaton, QueryAutomaton, compile_query
from symbolic_circuits.expansion.queries.product import Move, reached
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.parts import Pairs, Parts, Side, Sums
from symbolic_circuits.numeric.reference import causal_softmax

__all__ = ["ACTIVATIONS", "TERMS", "IntervenedStream", "Levels", "is_of_stream"]

TERMS, ACTIVATIONS = "terms", "activations"


@dataclass(frozen=True, slots=True, eq=False)
class IntervenedStream:
    """The last stream of the intervened run; arrays are (n, d)."""

    kept: np.ndarray  # the terms outside of Q
    removed: np.ndarray  # the terms in Q, at the input at hand with the patterns of the intervened run
    put_in: np.ndarray
    patterns: Mapping[int, np.ndarray]  # attention block -> (H, n, n) of the intervened run


def is_of_stream(automaton: QueryAutomaton, state: State) -> bool:
    """Whether the terms of a state are in the query where a block reads them, so that none is at the output."""
    if state in TRUTH:
        return TRUTH[state]
    at_output = [isinstance(part, PathAutomaton) and part.query.ends for part in automaton.parts]
    return automaton.truth(
        tuple(not ends and part.accepts(s) for ends, part, s in zip(at_output, automaton.parts, state, strict=True))
    )


class Levels:
    """One intervention: the moves of the query's automaton, found before anything is evaluated.

    Raises
    ------
    TermError, BudgetError
        The query names a component that is not there, or takes too many states.
    """

    def __init__(self, expansion: PathExpansion, query: Query) -> None:
        self.expansion = expansion
        self.grammar = expansion.grammar
        self.automaton = compile_query(query, expansion.model)
        self.moves = reached(self.grammar, self.automaton)

    def require_bytes(self, frozen: Frozen, sources: int, max_bytes: int = MAX_BYTES) -> None:
        """Raise BudgetError where the values by state take more memory than the limit."""
        states = max(len({move.state for move in moves}) for moves in self.moves)
        widest = max([frozen.x0.shape[1], *(len(a) for name, a in frozen.arrays.items() if name.endswith(".W_1"))])
        patterns = sources * sum(pattern.size for pattern in frozen.patterns.values())
        needed = (4 * states * (2 + sources) * frozen.positions * widest + patterns) * dtype_of(frozen).itemsize
        if needed > max_bytes:
            raise BudgetError(
                f"{states:,} states of the query at {sources:,} other inputs take {in_words(needed)} bytes; "
                f"the limit is {max_bytes:,}: ask for a smaller batch"
            )

    def run(
        self, frozen: Frozen, sources: Sequence[Frozen], *, replace: str = TERMS, recomputed: bool = True
    ) -> IntervenedStream:
        """The intervened run at a frozen input, with what is put in from the runs of others (nothing where there are none)."""
        work = Run(self.automaton, frozen, sources, replace, recomputed)
        parts = work.first(self.moves[0])
        for rules, moves in zip(self.grammar.nonterminals[1:], self.moves[1:], strict=True):
            parts = work.after(parts, [rule.component for rule in rules], moves)
        accepted = np.array([self.automaton.accepts(state) for state in parts.states], dtype=bool)
        put_in = np.zeros_like(parts.stream)
        if parts.source is not None:
            fresh = parts.source[accepted & ~parts.inside].mean(axis=1)
            put_in = parts.mixed[accepted & parts.inside].sum(axis=0) + fresh.sum(axis=0)
        return IntervenedStream(parts.kept[~accepted].sum(axis=0), parts.kept[accepted].sum(axis=0), put_in, work.patterns)


class Run:
    """The pass itself, and the patterns found so far."""

    def __init__(
        self, automaton: QueryAutomaton, frozen: Frozen, sources: Sequence[Frozen], replace: str, recomputed: bool
    ) -> None:
        self.automaton, self.frozen, self.sources = automaton, frozen, list(sources)
        self.replace, self.recomputed = replace, recomputed
        self.patterns: dict[int, np.ndarray] = {}
        self.dtype = dtype_of(frozen)
        self.others = {k: np.stack([run.patterns[k] for run in self.sources]) for k in frozen.patterns} if self.sources else {}

    def first(self, moves: Sequence[Move]) -> Parts:
        """The stream before the first step."""
        inputs = np.stack([run.x0 for run in self.sources])[None].astype(self.dtype) if self.sources else None
        return self.parts(
            {moves[0].state: 0}, self.frozen.x0[None].astype(self.dtype), inputs, None if inputs is None else inputs.mean(axis=1)
        )

    def parts(self, states: dict[State, int], kept: np.ndarray, source: np.ndarray | None, put: np.ndarray | None) -> Parts:
        """What is kept outside of the query, and what is put in inside of it."""
        inside = self.inside_of(states)
        if source is None:
            put = np.zeros_like(kept)
        elif self.replace == TERMS:
            put = source.mean(axis=1)
        return Parts(states, inside, kept, np.where(inside[:, None, None], put, kept), source)

    def after(self, before: Parts, components: Sequence[Component | None], moves: Sequence[Move]) -> Parts:
        """The stream after a step whose productions have these components."""
        states = {state: k for k, state in enumerate(dict.fromkeys(move.state for move in moves))}
        sums = Sums.zeros(len(states), before)
        by_place: dict[int, list[Move]] = {}
        for move in moves:
            by_place.setdefault(move.place, []).append(move)
        for place, component in enumerate(components):
            mine = by_place[place]
            targets = [states[move.state] for move in mine]
            inputs = [[before.states[state] for state in move.inputs] for move in mine]
            all_inside = all(is_of_stream(self.automaton, move.state) for move in mine)
            if component is None:
                sums.add_linear(targets, [k for (k,) in inputs], before.kept, before.mixed, before.source)
            elif component.kind == "attn":
                self.add_head(sums, component, before, targets, [k for (k,) in inputs], all_inside)
            else:
                self.add_layer(sums, component, before, Pairs.of(targets, inputs, self.inside_of(states), all_inside))
        return self.parts(states, sums.kept, sums.source, sums.put)

    def inside_of(self, states: dict[State, int]) -> np.ndarray:
        """Whether the terms of each state are in Q where a block reads them."""
        return np.array([is_of_stream(self.automaton, state) for state in states], dtype=bool)

    def pattern(self, component: Component, before: Parts) -> np.ndarray:
        """The pattern of a head in the intervened run."""
        layer = component.layer
        if layer not in self.patterns:
            W_Q, W_K = (self.frozen.arrays[f"attn.{layer}.W_{letter}"] for letter in "QK")
            found = causal_softmax(before.stream, W_Q, W_K) if self.recomputed else self.frozen.patterns[layer]
            self.patterns[layer] = found
        return self.patterns[layer][component.head]

    def add_head(
        self, sums: Sums, component: Component, before: Parts, targets: list[int], inputs: list[int], all_inside: bool
    ) -> None:
        """A head, at the terms of each state."""
        name, h = f"attn.{component.layer}", component.head
        W_V, W_O = (self.frozen.arrays[f"{name}.W_{letter}"][h] for letter in "VO")
        pattern = self.pattern(component, before)
        kept = pattern @ (before.kept @ W_V.T) @ W_O.T
        if before.source is None:
            sums.add_linear(targets, inputs, kept, None, None)
            return
        source = self.others[component.layer][:, h] @ (before.source @ W_V.T) @ W_O.T
        read = before.entering(np.ones(len(before.states), dtype=bool))  # a head has one input, which alone decides
        put = source.mean(axis=1) if all_inside else pattern @ (read @ W_V.T) @ W_O.T
        sums.add_linear(targets, inputs, kept, put, source)

    def add_layer(self, sums: Sums, component: Component, before: Parts, pairs: Pairs) -> None:
        """A bilinear layer, at each pair of states; W_out once for each state of the result."""
        name, arrays = f"bilinear.{component.layer}", self.frozen.arrays
        W_1 = arrays[f"{name}.W_1"]
        sides = ((W_1, pairs.left), (W_1 if component.is_tied else arrays[f"{name}.W_2"], pairs.right))
        left, right = (Side.of(before, W, decisive) for W, decisive in sides)
        hidden = Sums.zeros(len(sums.kept), before, width=len(W_1))
        for target, (s, t) in zip(pairs.targets, pairs.inputs, strict=True):
            factor = 2 if component.is_tied and s != t else 1  # one move for both orders
            hidden.add_pair(target, factor, left, s, right, t, pairs.all_inside)
        sums.add_hidden(hidden, arrays.get(f"{name}.W_out"))
