r"""Certified search for the largest terms: bounds once, then passes over suffixes, narrow ones first, the last one over all.

What a narrow pass leaves out, a wider one takes up; when a pass leaves nothing out whose bound exceeds the smallest value listed, the
ranking is closed. A search that is stopped gives the largest bound of what it left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.chains import Chains
from symbolic_circuits.numeric.ranking.ground import Ground, Prepared
from symbolic_circuits.numeric.ranking.incumbents import Incumbents
from symbolic_circuits.numeric.ranking.lengths import finite, lengths
from symbolic_circuits.numeric.ranking.prefix_bounds import PrefixBounds
from symbolic_circuits.numeric.ranking.rounding_bounds import UNDERFLOW
from symbolic_circuits.numeric.ranking.suffix_search import SuffixSearch
from symbolic_circuits.numeric.ranking.suffixes import STRIDE

__all__ = ["MAX_VALUES", "Found", "Limits", "margin_at", "margin_of", "search", "term_of"]

WIDTHS: tuple[tuple[int | None, int], ...] = ((256, 64), (2048, 512), (16384, 4096), (None, 2**62))  # suffixes, terms of a list
WIDEST = 65_536  # suffixes, where all of them would not close the ranking
MAX_VALUES = 500_000_000  # about a minute
BELOW = 1 - 1e-9  # a pass finds again what the last one found


@dataclass(frozen=True, slots=True)
class Limits:
    """When a search ends although it is not closed."""

    seconds: float | None = None
    max_values: int = MAX_VALUES  # values and bounds
    max_bytes: int = MAX_BYTES  # for lists of terms


@dataclass(slots=True)
class Found:
    """What a search found."""

    values: dict[Term, float] = field(default_factory=dict)  # falling absolute values
    bound: float = 0.0  # on the values of all other terms, before rounding
    margin: float = 0.0  # how far rounding may move a value
    evaluated: int = 0
    bounded: int = 0
    is_closed: bool = False  # whether nothing was left out whose bound exceeds the smallest value
    stopped: str | None = None  # the limit that ended the search before it was closed

    def smallest(self, top: int) -> float:
        """The smallest of ``top`` values; 0 where there are fewer."""
        return min(self.values.values()) if len(self.values) == top else 0.0

    def merge(self, values: dict[Term, float], top: int) -> None:
        """Take in what a pass found."""
        joined = sorted((self.values | values).items(), key=lambda item: -item[1])
        self.values = dict(joined[:top])


def search(
    expansion: PathExpansion,
    frozen: Frozen,
    root: np.ndarray,
    position: int,
    top: int,
    *,
    rounding: float,
    limits: Limits,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    r"""The terms with the largest $|R x_s|$ at a position s, R being one direction (1, d) or several (q, d), known up to ``rounding``."""
    probe = np.zeros(frozen.positions)
    probe[position] = 1
    ground, found = Ground(expansion, frozen, root, probe, limits.max_bytes), Found()
    deadline = None if limits.seconds is None else time.monotonic() + limits.seconds

    def stop(work: int) -> bool:
        if found.evaluated and deadline is not None and time.monotonic() > deadline:  # not before the first pass is done
            found.stopped = "time"
        elif found.evaluated + found.bounded + work > limits.max_values:
            found.stopped = f"{limits.max_values:,} values and bounds"
        return found.stopped is not None

    for done, (width, list_width) in enumerate(WIDTHS, start=1):
        pairs = (limits.max_values - found.evaluated - found.bounded) // 4
        prepared = ground.prepared(list_width, found.smallest(top) * BELOW, sharp=done > 1, pairs=pairs)
        found.evaluated, found.bounded = found.evaluated + prepared.evaluated, found.bounded + prepared.bounded
        if width is None and prepared.dropped > found.smallest(top):
            width = WIDEST  # the lists leave out so much that nothing is gained by all suffixes
        best = Incumbents(top, found.smallest(top) * BELOW)
        one = SuffixSearch(prepared, root, probe, best, width=width, stop=stop)
        one.run()
        found.merge({term_of(key, ground.chains, prepared): value for key, value in best.values.items()}, top)
        found.evaluated += one.evaluated
        found.bounded += one.bounded
        found.margin = max(found.margin, margin_of(prepared.bounds, root, rounding, position))
        dropped = max(one.dropped, prepared.dropped)
        found.bound = max(dropped, found.smallest(top))
        found.is_closed = dropped <= found.smallest(top)
        if progress is not None:
            progress(done, len(WIDTHS))
        if found.is_closed or stop(0):
            break
    if found.is_closed:
        found.stopped = None
    elif found.stopped is None:
        found.stopped = "lists of terms that bilinear layers read had to be cut"
    return found


def margin_of(bounds: PrefixBounds, root: np.ndarray, rounding: float, position: int) -> float:
    """A bound on the rounding error of a value, to first order; ``rounding`` is that of the root itself."""
    largest = max(float(nu.max(initial=0.0)) for nu in bounds.nu)
    return margin_at(root, rounding, bounds.nu[-1][:, position].max(), bounds.err[-1][position], largest)


def margin_at(root: np.ndarray, rounding: float, nu: float, err: float, largest: float) -> float:
    """The same for a stream of norm ``nu`` that is known up to ``err``, no stream before it being longer than ``largest``."""
    size, epsilon = lengths(root, axes=2), np.finfo(float).eps
    ends = UNDERFLOW * (1 + size) * (1 + largest)
    return float(finite(size * err + (size * epsilon * root.shape[1] + rounding) * nu + ends))


def term_of(key: tuple[int, ...], chains: Chains, prepared: Prepared) -> Term:
    """The term that a key stands for: heads from the output on, a pair family and its inputs, or -1 and a leaf."""
    *path, number, i, j = key
    codes = [divmod(code, STRIDE) for code in path if code >= 0]
    readings = [chains.readings[k] for k in (-1, *(chains.heads[family].source for family, _ in codes))]
    if number < 0:
        term = readings[-1].leaves[i].term
    else:
        left, right = chains.pairs[number].sides(prepared.lists)
        term = chains.pairs[number].term(lambda: left.term(i), lambda: right.term(j))
        term = readings[-1].pairs[number].around(term)
    for (family, place), reading in reversed(list(zip(codes, readings, strict=False))):
        term = reading.heads[family].around(Term(chains.heads[family].components[place], (term,)))
    return term
