r"""The terms that a bilinear layer reads, as arrays: the stream $x_s$ of every term x at the positions s where it is read.

Where the terms are few enough all of them are there, computed with shared subterms (:mod:`symbolic_circuits.numeric.evaluate`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.grammar import Grammar
from symbolic_circuits.expansion.term import Term

__all__ = ["TermList", "orders_of_terms"]


@dataclass(frozen=True, slots=True, eq=False)
class TermList:
    """Terms of a nonterminal with their streams at some positions."""

    at: np.ndarray  # (P,) the positions
    values: np.ndarray  # (N, P, d)
    orders: np.ndarray  # (N,)
    term: Callable[[int], Term] | None  # number in this list -> term; None for gates, which are none

    def __len__(self) -> int:
        return len(self.values)

    def at_positions(self, positions: np.ndarray) -> np.ndarray:
        """The streams at some of its positions, (N, P', d)."""
        if np.array_equal(positions, self.at):
            return self.values
        return self.values[:, np.searchsorted(self.at, positions)]


def orders_of_terms(grammar: Grammar, counts: Sequence[int], nonterminal: int, known: dict[int, np.ndarray]) -> np.ndarray:
    """The order of every term of a nonterminal, as it is enumerated."""
    if nonterminal in known:
        return known[nonterminal]
    parts = [np.zeros(0, dtype=np.int64)]
    for production in grammar.nonterminals[nonterminal]:
        inputs = [orders_of_terms(grammar, counts, k, known) for k in production.inputs]
        if not inputs:
            parts.append(np.zeros(1, dtype=np.int64))
        elif len(inputs) == 1:
            parts.append(inputs[0] + (production.component is not None and production.component.is_block))
        else:
            pairs = 1 + inputs[0][:, None] + inputs[1][None, :]
            parts.append(pairs[np.tril_indices(len(pairs))] if production.unordered else pairs.ravel())
    known[nonterminal] = np.concatenate(parts)
    return known[nonterminal]
