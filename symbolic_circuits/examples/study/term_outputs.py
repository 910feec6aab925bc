r"""The logits of every term at ``=`` for every pair (a, b), and what sums of some of them answer: $L_{abc} = \sum_i L^{(i)}_{abc}$.

| letter | meaning | shape |
| --- | --- | --- |
| P | pairs (a, b), here all 961 | |
| T | terms of the path expansion, here 12 | |
| A^h_= | what head h at ``=`` reads: weights of a, b and ``=`` | P x 2 x 3 |
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from symbolic_circuits.examples.addition import accuracy, all_pairs, held_out_pairs, sequences
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.evaluate import output_values
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.weights import Weights

__all__ = ["TermOutputs", "example_in_doubles", "is_held_out", "is_unseen", "runs"]


def example_in_doubles() -> Weights:
    """The shipped weights, their float32 entries as float64."""
    weights = Weights.example()
    return Weights(weights.model, {name: array.astype(float) for name, array in weights.arrays.items()})


def runs(weights: Weights) -> list[Frozen]:
    """The run of every pair, patterns held fixed."""
    return [freeze(weights, tokens) for tokens in sequences(all_pairs())]


def is_held_out() -> np.ndarray:
    """Whether a pair was left out of the training, shape (P,)."""
    held = set(map(tuple, held_out_pairs().tolist()))
    return np.array([tuple(pair) in held for pair in all_pairs().tolist()])


def is_unseen() -> np.ndarray:
    """Whether neither (a, b) nor (b, a) was trained on, shape (P,).

    >>> int(is_held_out().sum()), int(is_unseen().sum())
    (192, 49)
    """
    held = set(map(tuple, held_out_pairs().tolist()))
    return np.array([(a, b) in held and (b, a) in held for a, b in all_pairs().tolist()])


@dataclass(frozen=True, slots=True, eq=False)
class TermOutputs:
    """What every term adds to the logits."""

    expansion: PathExpansion
    logits: np.ndarray  # (P, T, V) at "="
    reads: np.ndarray  # (P, 2, 3) A^h_=

    @classmethod
    def of(cls, frozen: Sequence[Frozen], reads: np.ndarray | None = None) -> "TermOutputs":
        """Of the runs of all pairs, perhaps with other patterns at ``=``.

        >>> found = TermOutputs.of(runs(example_in_doubles()))
        >>> found.logits.shape, round(found.accuracy(), 3)
        ((961, 12, 32), 0.999)
        """
        if reads is not None:
            frozen = [with_reads(run, read) for run, read in zip(frozen, reads, strict=True)]
        expansion = path_expansion(frozen[0].model)
        logits = np.array([output_values(expansion, run, [-1])[:, 0] for run in frozen])
        return cls(expansion, logits, np.array([run.patterns[0][:, -1] for run in frozen]))

    def places(self, query: str) -> list[int]:
        """The places of the terms of a query in the expansion."""
        return [self.expansion.index(term) for term in self.expansion.where(query)]

    def total(self, query: str | None = None) -> np.ndarray:
        """The sum of the terms of a query, or of all; shape (P, V)."""
        return self.logits.sum(axis=1) if query is None else self.logits[:, self.places(query)].sum(axis=1)

    def with_means(self, query: str) -> np.ndarray:
        """The logits with the terms of a query replaced by their mean over all pairs."""
        removed = self.total(query)
        return self.total() - removed + removed.mean(axis=0)

    def accuracy(self, logits: np.ndarray | None = None, among: np.ndarray | None = None) -> float:
        """The share of the pairs, or of some of them, that logits answer right; the whole model by default."""
        logits = self.total() if logits is None else logits
        chosen = slice(None) if among is None else among
        return accuracy(logits[chosen], all_pairs()[chosen])


def with_reads(run: Frozen, read: np.ndarray) -> Frozen:
    """A run in which the heads at ``=`` read with other weights (2, 3)."""
    patterns = run.patterns[0].copy()
    patterns[:, -1] = read
    return replace(run, patterns={0: patterns})
