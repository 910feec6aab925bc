r"""What :func:`explain` gives: a set S of terms with $|\sum_S c - T| \le (1 - f)|T|$, and how few terms any such set must have.

Where the two agree, the set is a *minimum*: proved, whatever the number of terms. Sums are compared up to rounding: no smaller
set explains the fraction even if rounding helps it, and a set that explains it only with such help says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.ranking.ranking import RankedTerm

__all__ = ["Explanation"]


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """The terms of S, from the one that goes furthest along the total; empty where none was found.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.explain(weights.model, weights, [3, 4, 31], token=7, fraction=0.9)
    >>> found.size, found.is_minimal, [str(term) for term, _ in found.terms]
    (1, True, ['bilinear.1(attn.0[0](embed), attn.0[1](embed))'])
    """

    expansion: PathExpansion
    what: str  # what is explained, in words: "logit 3 at position 2", "the output at position 2"
    is_number: bool  # a readout; else a vector, whose terms have values along the total
    fraction: float  # f
    terms: tuple[RankedTerm, ...]  # with contributions; of a vector, how far each goes along the total
    sum: float  # of the values
    total: float  # T, or the norm of the vector
    left: float  # |sum of S - T|
    lower_bound: int  # no explanation has fewer terms
    candidates: int  # terms whose values are known
    bound: float  # no other term goes further along the total
    rounding: float  # how far rounding may have moved a sum or the total
    stopped: str | None = None  # why no explanation was found; None where one was
    seconds: float = 0.0

    def __iter__(self) -> Iterator[RankedTerm]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    @property
    def size(self) -> int | None:
        """The number of terms, which is the local complexity where it is the minimum; None where no explanation was found."""
        return len(self.terms) if self.is_explained else None

    @property
    def is_explained(self) -> bool:
        """Whether the terms explain the fraction."""
        return self.stopped is None

    @property
    def is_minimal(self) -> bool:
        """Whether no explanation has fewer terms: proved."""
        return self.is_explained and len(self.terms) == self.lower_bound

    @property
    def is_up_to_rounding(self) -> bool:
        """Whether it takes rounding for these terms to explain the fraction: then that may be so or not."""
        return self.is_explained and self.left > (1 - self.fraction) * abs(self.total) - self.rounding

    @property
    def reached(self) -> float:
        """1 - |sum of S - T| / |T|, at least the fraction; nan where the total is zero."""
        return 1 - self.left / abs(self.total) if self.total else float("nan")

    def rows(self) -> list[dict[str, object]]:
        """One row a term: rank, term, order, height, value, its share of the total, and the share of the terms so far."""
        values = np.array([value for _, value in self.terms])
        shares = values / self.total if self.total else np.full(len(values), np.nan)
        return [
            {
                "rank": k + 1,
                "term": str(term),
                "order": term.order,
                "height": term.height,
                "value": value,
                "share": float(shares[k]),
                "so_far": float(so_far),
            }
            for k, ((term, value), so_far) in enumerate(zip(self.terms, np.cumsum(shares), strict=True))
        ]

    def to_dict(self) -> dict:
        """Plain data."""
        return {
            "model": str(self.expansion.model),
            "query": None if self.expansion.query is None else str(self.expansion.query),
            "what": self.what,
            "is_number": self.is_number,
            "fraction": self.fraction,
            "number_of_terms": self.expansion.number_of_terms,
            "terms": self.rows(),
            "size": self.size,
            "lower_bound": self.lower_bound,
            "is_explained": self.is_explained,
            "is_minimal": self.is_minimal,
            "is_up_to_rounding": self.is_up_to_rounding,
            "sum": self.sum,
            "total": self.total,
            "left": self.left,
            "reached": self.reached,
            "candidates": self.candidates,
            "bound": self.bound,
            "rounding": self.rounding,
            "stopped": self.stopped,
            "seconds": self.seconds,
        }

    def summary(self) -> str:
        """What is known, in words."""
        count = self.expansion.number_of_terms
        if not count:
            return f"there is no term to explain with ({self.expansion.title} has 0)"
        if not self.is_explained:
            return f"not explained: {self.stopped}; at least {in_words(self.lower_bound)} of {in_words(count)} terms are needed"
        how = "this is the minimum" if self.is_minimal else f"at least {in_words(self.lower_bound)} are needed"
        rounding = ", up to rounding" if self.is_up_to_rounding else ""
        verb = "explains" if len(self.terms) == 1 else "explain"
        of_all = f"{in_words(len(self.terms))} of {in_words(count)} terms"
        return f"{of_all} {verb} {100 * self.reached:.4g} % of the total ({100 * self.fraction:g} % asked for){rounding}: {how}"

    def __str__(self) -> str:
        lines = [f"{self.what} of {self.expansion.title}: {self.total:+.6g}"]
        lines += [f"  {value:+.6g}  {term}" for term, value in self.terms]
        return "\n".join([*lines, f"  {self.summary()}"])
