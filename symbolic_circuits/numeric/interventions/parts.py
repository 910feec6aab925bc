r"""The terms of a stream, summed by state of a query's automaton: sums of k, of what is put in, and of s, and what a layer makes of them.

The letters are those of :mod:`symbolic_circuits.numeric.interventions.levels`: k is the value of a term at the input at hand, s its
value in the runs of others, and Q the query.
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.queries.automaton import State

__all__ = ["Pairs", "Parts", "Side", "Sums"]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The terms of one stream, summed by state."""

    states: dict[State, int]  # state -> its place on the first axis
    inside: np.ndarray  # (states,) whether the terms are in Q
    kept: np.ndarray  # (states, n, d) sums of k
    mixed: np.ndarray  # (states, n, d) sums of k outside of Q, of p in it
    source: np.ndarray | None  # (states, inputs, n, d) sums of s; None where nothing is put in

    @property
    def stream(self) -> np.ndarray:
        """The intervened stream, shape (n, d)."""
        return self.mixed.sum(axis=0)

    def entering(self, decisive: np.ndarray) -> np.ndarray:
        """What a component reads where it puts in: p in Q, s of states that alone put a term into Q, else k; (states, n, d)."""
        return np.where((decisive & ~self.inside)[:, None, None], self.source.mean(axis=1), self.mixed)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """The pairs of states that a bilinear layer takes, and which states alone put a pair into Q, as its left or its right input."""

    targets: list[int]
    inputs: list[list[int]]
    left: np.ndarray  # (states,) bool
    right: np.ndarray
    all_inside: bool  # every pair is in Q

    @classmethod
    def of(cls, targets: list[int], inputs: list[list[int]], inside: np.ndarray, all_inside: bool) -> "Pairs":
        """Pairs are unordered where only one order of two states is listed; then left and right are one."""
        number = 1 + max(max(pair) for pair in inputs)
        left, right = np.ones((2, number), dtype=bool)
        for target, (s, t) in zip(targets, inputs, strict=True):
            left[s] &= inside[target]
            right[t] &= inside[target]
        if len(inputs) < number**2:
            left = right = left & right
        return cls(targets, inputs, left, right, all_inside)


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One input of a bilinear layer by state, behind W_1 or W_2."""

    kept: np.ndarray  # (states, n, m)
    read: np.ndarray | None  # (states, n, m) where something is put in
    source: np.ndarray | None  # (states, inputs, n, m)
    overwritten: np.ndarray  # (states,) whether what is read is not k

    @classmethod
    def of(cls, before: Parts, W: np.ndarray, decisive: np.ndarray) -> "Side":
        """The input of a layer whose terms a state alone may put into Q."""
        kept, overwritten = before.kept @ W.T, before.inside | decisive
        if before.source is None:
            return cls(kept, None, None, overwritten)
        return cls(kept, before.entering(decisive) @ W.T, before.source @ W.T, overwritten)


@dataclass(slots=True, eq=False)
class Sums:
    """Sums under way, by state: k, s and what is put in where activations are replaced."""

    kept: np.ndarray
    put: np.ndarray | None
    source: np.ndarray | None

    @classmethod
    def zeros(cls, states: int, before: Parts, width: int | None = None) -> "Sums":
        """Sums of nothing."""

        def empty(like: np.ndarray) -> np.ndarray:
            return np.zeros((states, *like.shape[1:-1], width or like.shape[-1]), dtype=like.dtype)

        source = before.source
        return cls(empty(before.kept), None if source is None else empty(before.kept), None if source is None else empty(source))

    def add_linear(
        self, targets: list[int], inputs: list[int], kept: np.ndarray, put: np.ndarray | None, source: np.ndarray | None
    ) -> None:
        """Values of a component (or of no component) by the state of its input, added where they go."""
        for mine, theirs in ((self.kept, kept), (self.put, put), (self.source, source)):
            if mine is not None:
                for target, k in zip(targets, inputs, strict=True):
                    mine[target] += theirs[k]

    def add_pair(self, target: int, factor: int, left: Side, s: int, right: Side, t: int, all_inside: bool) -> None:
        """The hidden activations of a pair of states."""
        self.kept[target] += factor * (left.kept[s] * right.kept[t])
        if self.source is None:
            return
        fresh = factor * (left.source[s] * right.source[t])
        self.source[target] += fresh
        computed = not all_inside and (left.overwritten[s] or right.overwritten[t])
        self.put[target] += factor * (left.read[s] * right.read[t]) if computed else fresh.mean(axis=0)

    def add_hidden(self, hidden: "Sums", W_out: np.ndarray | None) -> None:
        """The output of a bilinear layer, of its hidden activations."""
        for mine, theirs in ((self.kept, hidden.kept), (self.put, hidden.put), (self.source, hidden.source)):
            if mine is not None:
                mine += theirs if W_out is None else theirs @ W_out.T
