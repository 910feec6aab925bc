"""Which terms a page shows one by one, with what each contributes: all where they are few, else the largest.

Up to FEW terms are evaluated one by one; of more, the largest are searched for some seconds, with a bound on all others.
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.ranking.rank import rank
from symbolic_circuits.report.page.reading import Reading

__all__ = ["MAX_ROWS", "Listing", "listing"]

MAX_ROWS = 1000
FEW = 200_000
SEARCHED = 100  # terms that a search is asked for


@dataclass(frozen=True, slots=True)
class Listing:
    """The terms shown, with their numbers."""

    terms: tuple[Term, ...]
    numbers: tuple[int, ...]
    values: tuple[float, ...] | None  # contributions; None where there are no weights
    is_complete: bool
    words: str  # which of all terms these are


def listing(expansion: PathExpansion, reading: Reading | None, seconds: float) -> Listing:
    """The terms that are shown; of an expansion whose heads are symbols, its path classes.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> listing(sc.path_expansion("attn(2)"), None, 1.0).words
    'all 3 terms'
    >>> listing(sc.path_expansion("attn(H)"), None, 1.0).words
    'all 2 path classes'
    """
    count = expansion.number_of_terms
    if not isinstance(count, int):
        return first(expansion.path_classes(), "path classes")
    if reading is None or not count:
        return first(expansion, "terms")
    if count <= FEW:
        return evaluated(expansion, reading)
    if expansion.grammar.root is not None:  # nothing searches scores
        return first(expansion, "terms, too many to evaluate all")
    return searched(expansion, reading, seconds)


def first(expansion: PathExpansion, what: str) -> Listing:
    """The first terms in the order of the expansion."""
    count = expansion.number_of_terms
    terms = expansion[:MAX_ROWS] if count else ()
    words = all_of(count, what) if count <= MAX_ROWS else f"the first {MAX_ROWS:,} of {in_words(count)} {what}"
    return Listing(terms, tuple(range(len(terms))), None, count <= MAX_ROWS, words)


def all_of(count: int, what: str) -> str:
    """Words for all terms.

    >>> all_of(3, "terms"), all_of(0, "terms")
    ('all 3 terms', 'no terms')
    """
    return f"all {in_words(count)} {what}" if count else f"no {what}"


def evaluated(expansion: PathExpansion, reading: Reading) -> Listing:
    """All terms in order, or the largest, of the values of all."""
    values, count = reading.of_terms(expansion), expansion.number_of_terms
    if count <= MAX_ROWS:
        return Listing(expansion[:], tuple(range(count)), tuple(values.tolist()), True, all_of(count, "terms"))
    largest = np.argsort(-np.abs(values), kind="stable")[:MAX_ROWS].tolist()
    words = f"the {MAX_ROWS:,} terms of {in_words(count)} with the largest contribution; each of them was evaluated"
    return Listing(tuple(expansion[k] for k in largest), tuple(largest), tuple(values[largest].tolist()), False, words)


def searched(expansion: PathExpansion, reading: Reading, seconds: float) -> Listing:
    """The largest terms that a search finds."""
    readout = reading.readout
    found = rank(expansion, reading.frozen, position=readout.position, direction=readout.direction, top=SEARCHED, seconds=seconds)
    terms = tuple(term for term, _ in found)
    numbers = tuple(map(expansion.index, terms))
    what = "the largest terms" if found.is_certified else "large terms, found by a search that did not end"
    return Listing(terms, numbers, tuple(value for _, value in found), False, f"{len(terms):,} {what}; {found.summary()}")
