r"""What a search stands on: the terms that bilinear layers read, as lists, and the bounds on everything else.

Where all those terms fit into memory the lists are complete. Else they are the terms that matter most, as many as wanted, with a bound
on every complete term that contains one that is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import isqrt

import numpy as np

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.evaluate import Evaluator
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_ranges import GradeRanges
from symbolic_circuits.numeric.ranking.chains import Chains
from symbolic_circuits.numeric.ranking.kept_lists import KeptLists
from symbolic_circuits.numeric.ranking.outside_bounds import outside_bounds
from symbolic_circuits.numeric.ranking.pair_outputs import PairOutputs, all_outputs
from symbolic_circuits.numeric.ranking.prefix_bounds import MAX_WORK, PrefixBounds
from symbolic_circuits.numeric.ranking.term_lists import TermList, orders_of_terms

__all__ = ["Ground", "Prepared"]

MAX_OUTPUTS = 2**22  # entries of all outputs of a layer with few pairs
COARSE = 5e8  # work for bounds that a first pass makes do with
SHARE = 8  # one list takes at most this part of the memory allowed


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Lists by nonterminal, all outputs of layers with few pairs, and the bounds that go with them."""

    lists: Mapping[int, TermList]
    outputs: Mapping[int, PairOutputs]
    bounds: PrefixBounds
    dropped: float = 0.0  # a bound on the complete terms with a part that the lists leave out
    evaluated: int = 0
    bounded: int = 0


class Ground:
    """Lists and bounds for one expansion, one frozen model and one readout.

    Parameters
    ----------
    root : (q, d) functionals on the stream
    probe : (n,) weights of positions
    max_bytes : limit on the memory for lists
    work : limit on the work for bounds, which get coarser
    """

    def __init__(
        self,
        expansion: PathExpansion,
        frozen: Frozen,
        root: np.ndarray,
        probe: np.ndarray,
        max_bytes: int,
        work: float = MAX_WORK,
    ) -> None:
        self.expansion, self.frozen, self.root, self.probe, self.max_bytes = expansion, frozen, root, probe, max_bytes
        self.work = work
        self.chains = Chains(expansion.grammar, frozen)
        self.needed = self.chains.reach(probe)
        self.largest_order = expansion.interpret(GradeRanges("order"))[1]

    @cached_property
    def sources(self) -> list[int]:
        """The nonterminals that bilinear layers read."""
        return sorted({source for family in self.chains.pairs for source in family.inputs})

    def bytes_of(self, k: int, terms: int) -> int:
        """Memory for so many terms of a nonterminal."""
        return terms * int(self.needed[k].sum()) * self.frozen.x0.shape[1] * 8

    def fits(self, k: int) -> bool:
        """Whether a complete list of a nonterminal takes its share of the memory, or less."""
        return self.bytes_of(k, self.expansion.counts[k]) * SHARE <= self.max_bytes

    @cached_property
    def is_complete(self) -> bool:
        """Whether every list can be complete."""
        return all(map(self.fits, self.sources))

    @cached_property
    def widest(self) -> int:
        """The most terms that a list keeps where not all lists are complete."""
        number = max(self.sources) + 1
        width = self.max_bytes // (2 * number * max(self.bytes_of(k, 1) for k in range(number)) or 1)
        if not width:
            raise BudgetError(
                f"one term of each step of {self.expansion.title} takes over {self.max_bytes:,} bytes; that is the limit (max_bytes)"
            )
        return width

    @cached_property
    def complete_lists(self) -> dict[int, TermList]:
        """The lists of all terms, of the nonterminals that fit: those that bilinear layers read, or all below the last of them."""
        wanted = self.sources if self.is_complete else range(max(self.sources) + 1)
        evaluator, identity, orders = Evaluator(self.expansion, self.frozen), np.eye(self.frozen.positions), {}
        grammar, counts, found = self.expansion.grammar, self.expansion.counts, {}
        for k in filter(self.fits, wanted):
            at = np.flatnonzero(self.needed[k])
            values = evaluator.values(k, identity if len(at) == len(identity) else identity[at])
            numbers = orders_of_terms(grammar, counts, k, orders)
            found[k] = TermList(at, values, numbers, lambda i, k=k: self.expansion.enumeration.term(k, i))
        return found

    def outputs(self, lists: Mapping[int, TermList]) -> dict[int, PairOutputs]:
        """All outputs of the layers with few pairs."""
        found = {}
        for family in self.chains.pairs:
            left, right = family.sides(lists)
            entries = len(left) * len(right) * int(self.needed[family.nonterminal].sum()) * self.frozen.x0.shape[1]
            if entries <= MAX_OUTPUTS:
                found[family.number] = all_outputs(family, left, right, np.flatnonzero(self.needed[family.nonterminal]))
        return found

    @cached_property
    def whole(self) -> Prepared:
        """Complete lists, and bounds on what is not listed."""
        lists = self.complete_lists
        outputs = self.outputs(lists) if self.is_complete else {}
        return Prepared(lists, outputs, PrefixBounds(self.chains, lists, outputs, self.largest_order, min(self.work, COARSE)))

    @cached_property
    def sharp(self) -> Prepared:
        """The same with sharper bounds."""
        lists, outputs = self.whole.lists, self.whole.outputs
        return Prepared(lists, outputs, PrefixBounds(self.chains, lists, outputs, self.largest_order, self.work))

    @cached_property
    def outside(self) -> list[np.ndarray]:
        """O of every nonterminal."""
        return outside_bounds(self.sharp.bounds, self.root, self.probe)

    def prepared(self, width: int, threshold: float, *, sharp: bool, pairs: int) -> Prepared:
        """The lists at a width, terms that cannot exceed the threshold left out, and the bounds that go with them.

        Lists that are not complete are kept short enough that bilinear layers have at most so many ``pairs`` of them.
        """
        if self.is_complete:
            return self.sharp if sharp else self.whole
        width = max(1, min(width, isqrt(max(0, pairs) // len(self.chains.pairs))))
        kept = KeptLists(
            self.chains,
            self.complete_lists,
            self.outside,
            self.whole.bounds.sigma,
            self.needed,
            min(width, self.widest),
            threshold,
        )
        outputs = self.outputs(kept.lists)
        bounds = PrefixBounds(self.chains, kept.lists, outputs, self.largest_order, self.work if sharp else COARSE)
        return Prepared(kept.lists, outputs, bounds, kept.dropped, kept.evaluated, kept.bounded)
