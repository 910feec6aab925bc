r"""What :func:`rank` gives: the largest terms, and a bound that no other term exceeds.

The *certificate* is the statement |value| <= bound for every term that is not listed; it is *closed* where the bound is no more than
the smallest value listed, up to the rounding margin: then the list is the top of the ranking, ties aside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.term import Term

__all__ = ["VISIBLE", "RankedTerm", "Ranking"]

VISIBLE = 1e-6  # rounding, relative to the values, that is worth a word


class RankedTerm(NamedTuple):
    """A term with its value."""

    term: Term
    value: float  # a contribution with its sign, or a norm


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The terms found largest in absolute value, in falling order, and what is known of all others.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.rank(weights.model, weights, [3, 4, 31], token=7, top=2)
    >>> len(found), found.is_certified, found.rows()[0]["number"]
    (2, True, 8)
    """

    expansion: PathExpansion
    what: str  # what is ranked, in words: "logit 3 at position 2", "norm of the output at position 2"
    terms: tuple[RankedTerm, ...]
    bound: float  # no other term has a larger absolute value; the margin is part of it
    margin: float  # how far rounding may have moved a value
    total: float  # the readout of the sum of all terms
    is_norm: bool  # norms are ranked, which do not add up
    top: int  # how many terms were asked for
    evaluated: int  # terms whose value was computed
    bounded: int  # parts of terms that were bounded, each standing for all terms that contain it; 0 where all were evaluated
    stopped: str | None = None  # the budget that ended the search; None where it ran to its end
    seconds: float = 0.0

    def __iter__(self) -> Iterator[RankedTerm]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def smallest(self) -> float:
        """The smallest absolute value listed; 0 where nothing is."""
        return abs(self.terms[-1].value) if self.terms else 0.0

    @property
    def is_certified(self) -> bool:
        """Whether no other term is larger than the smallest listed, up to rounding, and as many are listed as were asked for.

        Fewer are where there are no more, or where all others are zero.
        """
        if len(self.terms) == self.expansion.number_of_terms:
            return True
        is_full = len(self.terms) == self.top or self.stopped is None
        return is_full and self.bound <= self.smallest + 2 * self.margin

    def rows(self) -> list[dict[str, object]]:
        """One row a term: rank, term, number, order, value, and share of the total (norms have none)."""
        return [
            {
                "rank": k,
                "term": str(term),
                "number": self.expansion.index(term),
                "order": term.order,
                "height": term.height,
                "value": value,
                "share": None if self.is_norm or not self.total else value / self.total,
            }
            for k, (term, value) in enumerate(self.terms, start=1)
        ]

    def to_dict(self) -> dict:
        """Plain data."""
        return {
            "model": str(self.expansion.model),
            "query": None if self.expansion.query is None else str(self.expansion.query),
            "what": self.what,
            "number_of_terms": self.expansion.number_of_terms,
            "terms": self.rows(),
            "bound": self.bound,
            "margin": self.margin,
            "is_certified": self.is_certified,
            "total": self.total,
            "top": self.top,
            "evaluated": self.evaluated,
            "bounded": self.bounded,
            "stopped": self.stopped,
            "seconds": self.seconds,
        }

    def summary(self) -> str:
        """The certificate in words."""
        count = in_words(self.expansion.number_of_terms)
        if not self.terms:
            what = "has none" if self.expansion.is_empty else f"has {count}, all of them zero here"
            return f"there is no term to rank: {self.expansion.title} {what}"
        if len(self.terms) == self.expansion.number_of_terms:
            return f"all {count} terms are listed"
        known = f"no other of the {count} terms exceeds {self.bound:.6g}"
        closed = "certified" if self.is_certified else f"not closed ({self.stopped or 'values are too near to one another'})"
        coarse = f", up to rounding of {self.margin:.1g}" if self.margin > VISIBLE * self.smallest > 0 else ""
        return f"{closed}: {known}{coarse}; {in_words(self.evaluated)} evaluated"

    def __str__(self) -> str:
        lines = [f"{len(self.terms)} largest terms of {self.expansion.title} by {self.what}"]
        lines += [f"  {value:+.6g}  {term}" for term, value in self.terms]
        return "\n".join([*lines, f"  {self.summary()}"])
