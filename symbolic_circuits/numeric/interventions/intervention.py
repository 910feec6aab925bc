r"""What an intervention did: the output before and after, what was taken out and what was put in, and the change of a readout.

$\mathrm{after} = \sum_{y \notin Q} k(y) + \mathrm{put\ in}$, k being the values with the patterns, scales and gates of the intervened run. The terms
outside of Q and those of Q add up to the forward pass in which these are held; what is left of it is the remainder.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.queries.query import Query
from symbolic_circuits.numeric.checking import AGREES, DIFFERS, UNDECIDED
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.output_places import places
from symbolic_circuits.numeric.readout import Readout, readout

__all__ = ["Intervention"]

WORDS = {
    "zero": "nothing in their place",
    "mean": "their mean over {} other inputs in their place",
    "resample": "those of another input in their place",
}


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class Intervention:
    """What :func:`ablate` did; arrays are outputs, (n, V), or (n, d) without unembedding.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.ablate(weights.model, "heads = 2", weights, [3, 4, 31])
    >>> found.number_of_terms, found.after.shape, found.effect(token=7) < 0
    (4, (3, 32), True)
    """

    expansion: PathExpansion
    query: Query
    number_of_terms: int  # of the query
    by: str  # "zero", "mean" or "resample"
    patterns: str  # "frozen" or "recomputed"
    replace: str  # "terms" or "activations"
    inputs: int  # other inputs that something was put in from
    frozen: Frozen = field(repr=False)  # the run at the input at hand
    before: np.ndarray = field(repr=False)
    after: np.ndarray = field(repr=False)
    removed: np.ndarray = field(repr=False)  # the sum of the terms of the query, as they were
    put_in: np.ndarray = field(repr=False)
    attention: Mapping[int, np.ndarray] = field(repr=False)  # attention block -> patterns of the terms kept, (H, n, n)
    remainder: float  # of the forward pass with these patterns, when the terms kept and those of the query are taken away
    cancellation: float  # the norms of the two sums over that of the forward pass
    tolerance: float  # the remainder that rounding may explain
    scales: Mapping[int, np.ndarray] = field(default_factory=dict, repr=False)  # norm -> scales of the intervened run, (n,)
    gates: Mapping[int, np.ndarray] = field(default_factory=dict, repr=False)  # layer with a gate -> gates of that run, (n, m)

    @property
    def verdict(self) -> str:
        """Whether the terms add up: DIFFERS where rounding does not explain the remainder, UNDECIDED where the output vanishes."""
        if not np.isfinite(self.remainder) or self.tolerance >= 1:
            return UNDECIDED
        return DIFFERS if self.remainder > self.tolerance else AGREES

    def readout(
        self, position: int = -1, *, token: int | None = None, against: int | None = None, direction: object = None
    ) -> Readout:
        """A number of the output; see :func:`symbolic_circuits.numeric.readout.readout`."""
        return readout(self.frozen, position=position, token=token, against=against, direction=direction)

    def effect(
        self, position: int = -1, *, token: int | None = None, against: int | None = None, direction: object = None
    ) -> float:
        """How much a logit, a difference of two logits or the output along a direction changes: after less before.

        Raises
        ------
        TokensError
            A position, token or direction does not fit; or neither, or both, of token and direction are given.
        """
        wanted = self.readout(position, token=token, against=against, direction=direction)
        return wanted.of(self.after - self.before)

    def rows(self, position: int = -1, top: int | None = None) -> list[dict[str, int | float]]:
        """One row a token, largest change first: token, logit before, after, and the change."""
        (place,) = places(self.frozen, [position])
        before, after = self.before[place], self.after[place]
        order = np.argsort(-np.abs(after - before), kind="stable")[:top]
        return [
            {
                "token": int(k),
                "before": float(before[k]),
                "after": float(after[k]),
                "change": float(after[k] - before[k]),
            }
            for k in order
        ]

    def to_dict(self) -> dict:
        """Plain data: what was asked, both outputs, what was removed and put in."""
        return {
            "model": str(self.expansion.model),
            "query": str(self.query),
            "number_of_terms": self.number_of_terms,
            "by": self.by,
            "patterns": self.patterns,
            "replace": self.replace,
            "inputs": self.inputs,
            "verdict": self.verdict,
            "remainder": self.remainder,
            "tolerance": self.tolerance,
            "cancellation": self.cancellation,
            "before": self.before.tolist(),
            "after": self.after.tolist(),
            "removed": self.removed.tolist(),
            "put_in": self.put_in.tolist(),
        }

    def summary(self) -> str:
        """What was done to the output, in words."""
        if not self.number_of_terms:
            return "no term belongs to the query, so the output stays as it is"
        size, change = np.linalg.norm(self.before), np.linalg.norm(self.after - self.before)
        share = f"{change / size:.3g} of the norm of the output" if size else f"a norm of {change:.3g}"
        return f"the output changes by {share}; remainder of the terms against the forward pass {self.remainder:.2e}"

    def __str__(self) -> str:
        terms = f"{in_words(self.number_of_terms)} term{'' if self.number_of_terms == 1 else 's'}"
        replaced = "" if self.by == "zero" or self.replace == "terms" else ", put in as activations"
        return (
            f"{terms} of {str(self.expansion.model)!r} where {self.query}: {WORDS[self.by].format(self.inputs)}{replaced}, "
            f"patterns {self.patterns}\n  {self.summary()}"
        )
