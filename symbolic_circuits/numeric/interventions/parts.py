r"""The terms of a stream, summed by state of a query's automaton: sums of k, of what is put in, and of what a component reads anew.

The letters are those of :mod:`symbolic_circuits.numeric.interventions.levels`: k is the value of a term at the input at hand, s its
value in the runs of others, and Q the query.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The terms of one nonterminal, summed by state."""

    inside: np.ndarray  # (states,) whether the terms are in Q
    kept: np.ndarray  # (states, n, width) sums of k
    mixed: np.ndarray  # (states, n, width) sums of k outside of Q, of p in it
    fresh: np.ndarray | None  # (states, n, width) sums of s, norms at the end of a term as they are here; None: nothing is put in

    @property
    def stream(self) -> np.ndarray:
        """The intervened stream, shape (n, width)."""
        return self.mixed.sum(axis=0)

    def entering(self, decides: np.ndarray) -> np.ndarray:
        """What a component reads where it puts in: p in Q, s of states that alone put a term into Q, else k; (states, n, width)."""
        return np.where((decides & ~self.inside)[:, None, None], self.fresh, self.mixed)
