r"""Certified search for the largest terms: bounds once, then passes over suffixes, narrow ones first, the last one over all.

What a narrow pass leaves out, a wider one takes up; when a pass leaves nothing out whose bound exceeds the smallest value listed, the
ranking is closed. A search that is stopped gives the largest bound of what it left.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.membership import is_before
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.evaluate import Evaluator
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_ranges import GradeRanges
from symbolic_circuits.numeric.ranking.chains import Chains
from symbolic_circuits.numeric.ranking.incumbents import Incumbents
from symbolic_circuits.numeric.ranking.pair_outputs import PairOutputs, all_outputs
from symbolic_circuits.numeric.ranking.prefix_bounds import PrefixBounds
from symbolic_circuits.numeric.ranking.suffix_search import SuffixSearch
from symbolic_circuits.numeric.ranking.suffixes import STRIDE
from symbolic_circuits.numeric.ranking.term_lists import TermList, orders_of_terms

__all__ = ["Found", "search"]

WIDTHS = (256, 2048, 16384)
MAX_OUTPUTS = 2**22  # entries of all outputs of a layer with few pairs


@dataclass(slots=True)
class Found:
    """What a search found."""

    terms: list[Term]
    bound: float  # on the values of all other terms, before rounding
    margin: float  # how far rounding may move a value
    evaluated: int = 0
    bounded: int = 0
    stopped: bool = False


def search(
    expansion: PathExpansion, frozen: Frozen, root: np.ndarray, position: int, top: int, *, seconds: float | None, max_bytes: int
) -> Found:
    """The terms with the largest $|root \\, x_s|$ at a position s, root being one direction (1, d) or several (q, d)."""
    deadline = None if seconds is None else time.monotonic() + seconds
    chains, probe = Chains(expansion.grammar, frozen), np.zeros(frozen.positions)
    probe[position] = 1
    lists = term_lists(expansion, frozen, chains, probe, max_bytes)
    outputs = short_outputs(chains, lists)
    _, largest_order = expansion.interpret(GradeRanges("order"))
    bounds = PrefixBounds(chains, lists, outputs, largest_order)
    best, found = Incumbents(top), Found([], 0.0, margin_of(bounds, root, position))
    for width in (*WIDTHS, None):
        one = SuffixSearch(
            bounds, lists, outputs, root, probe, best, width=width, stop=lambda: deadline is not None and time.monotonic() > deadline
        )
        one.run()
        found.evaluated += one.evaluated
        found.bounded += one.bounded
        if one.dropped <= best.threshold or one.stop():
            break
    found.stopped = one.dropped > best.threshold
    found.bound = max(one.dropped, best.threshold)
    found.terms = [term_of(key, chains, lists) for key in best.values]
    return found


def margin_of(bounds: PrefixBounds, root: np.ndarray, position: int) -> float:
    """A bound on the rounding error of a value, to first order."""
    size, last = np.linalg.norm(root), len(bounds.nu) - 1
    epsilon = np.finfo(float).eps
    return float(size * (bounds.err[last][position] + epsilon * root.shape[1] * bounds.nu[last][:, position].max()))


def term_lists(
    expansion: PathExpansion, frozen: Frozen, chains: Chains, probe: np.ndarray, max_bytes: int
) -> dict[int, TermList]:
    """The terms of every nonterminal that a bilinear layer reads."""
    evaluator, needed, orders = Evaluator(expansion, frozen), chains.reach(probe), {}
    counts, found = expansion.counts, {}
    for k in sorted({source for family in chains.pairs for source in family.production.inputs}):
        at = np.flatnonzero(needed[k])
        values = evaluator.values(k, np.eye(frozen.positions)[at])
        found[k] = TermList(
            at, values, orders_of_terms(expansion.grammar, counts, k, orders), lambda i, k=k: expansion.enumeration.term(k, i)
        )
    return found


def short_outputs(chains: Chains, lists: dict[int, TermList]) -> dict[int, PairOutputs]:
    """All outputs of the layers with few pairs."""
    found = {}
    for family in chains.pairs:
        left, right = (lists[k] for k in family.production.inputs)
        if len(left) * len(right) * left.values[0].size <= MAX_OUTPUTS:
            found[family.number] = all_outputs(family, left, right)
    return found


def term_of(key: tuple[int, ...], chains: Chains, lists: dict[int, TermList]) -> Term:
    """The term that a key stands for: heads from the output on, a pair family or -1, and its inputs."""
    *path, number, i, j = key
    codes = [divmod(code, STRIDE) for code in path if code >= 0]
    if number < 0:
        last = chains.readings[chains.heads[codes[-1][0]].source if codes else -1]
        term = Term(last.input, ())
    else:
        production = chains.pairs[number].production
        x, y = (lists[k].term(n) for k, n in zip(production.inputs, (i, j), strict=True))
        term = Term(production.component, (y, x) if production.component.is_tied and is_before(y, x) else (x, y))
    for family, place in reversed(codes):
        term = Term(chains.heads[family].components[place], (term,))
    return term
