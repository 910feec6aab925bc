r"""Local complexity over a batch: of each prediction the least number of terms that explain a fraction of it, as a histogram.

Where the minimum of an input is not known, what counts is the size of the set that was found, and its lower bound beside it.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.frozen import freeze
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.ranking.explain import MAX_TERMS, explain, require_ranges
from symbolic_circuits.numeric.ranking.predictions import PREDICTION, RUNNER_UP, predicted, runner_up
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["Complexity", "LocalComplexity", "local_complexity"]


class Complexity(NamedTuple):
    """How few terms explain one prediction."""

    number: int  # of the input in the batch
    what: str  # what is explained, in words
    size: int | None  # terms of the explanation; None where none was found
    lower_bound: int  # no explanation has fewer
    is_minimal: bool
    is_up_to_rounding: bool
    total: float
    reached: float
    stopped: str | None  # why there is none


@dataclass(frozen=True, slots=True, eq=False)
class LocalComplexity:
    """The local complexity of every input of a batch, in its order."""

    expansion: PathExpansion
    fraction: float
    inputs: tuple[Complexity, ...]
    seconds: float = 0.0

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """The size of each explanation; None where none was found."""
        return tuple(found.size for found in self.inputs)

    @property
    def histogram(self) -> dict[int, int]:
        """Size -> number of inputs, by rising size; inputs that are not explained are left out."""
        return dict(sorted(Counter(size for size in self.sizes if size is not None).items()))

    @property
    def unexplained(self) -> tuple[int, ...]:
        """The numbers of the inputs for which no explanation was found."""
        return tuple(found.number for found in self.inputs if found.size is None)

    @property
    def is_minimal(self) -> bool:
        """Whether every size is the minimum, proved."""
        return all(found.is_minimal for found in self.inputs)

    def rows(self) -> list[dict[str, object]]:
        """One row a size: terms, inputs, share of the inputs, and how many of the sizes are proved to be the minimum."""
        proved = Counter(found.size for found in self.inputs if found.is_minimal)
        return [
            {"terms": size, "inputs": count, "share": count / len(self.inputs), "minimum": proved[size]}
            for size, count in self.histogram.items()
        ]

    def to_dict(self) -> dict:
        """Plain data: the histogram, and every input."""
        return {
            "model": str(self.expansion.model),
            "query": None if self.expansion.query is None else str(self.expansion.query),
            "fraction": self.fraction,
            "number_of_terms": self.expansion.number_of_terms,
            "histogram": self.rows(),
            "unexplained": list(self.unexplained),
            "is_minimal": self.is_minimal,
            "inputs": [found._asdict() for found in self.inputs],
            "seconds": self.seconds,
        }

    def summary(self) -> str:
        """Median, range and what is proved, in words."""
        sizes = [size for size in self.sizes if size is not None]
        missing = f"; {in_words(len(self.unexplained))} are not explained" if self.unexplained else ""
        if not sizes:
            return f"none of {in_words(len(self.inputs))} inputs is explained"
        proved = sum(found.is_minimal for found in self.inputs)
        known = "all proved to be the minimum" if proved == len(sizes) else f"{in_words(proved)} proved to be the minimum"
        return (
            f"{min(sizes)} to {in_words(max(sizes))} terms, median {np.median(sizes):g}, mean {np.mean(sizes):.3g}, for "
            f"{in_words(len(sizes))} of {in_words(len(self.inputs))} inputs, {known}{missing}"
        )

    def __str__(self) -> str:
        head = f"terms that explain {100 * self.fraction:g} % of a prediction of {self.expansion.title}"
        lines = [f"  {size} terms: {count} inputs" for size, count in self.histogram.items()]
        return "\n".join([head, *lines, f"  {self.summary()}"])


class Case(NamedTuple):
    """One input, with what is explained of it."""

    number: int
    tokens: np.ndarray
    token: int | str | None
    against: int | str | None


def local_complexity(
    expansion: PathExpansion | Transformer | str,
    weights: Weights,
    batch: Sequence[object],
    *,
    position: int = -1,
    token: int | str | Sequence[int] | None = PREDICTION,
    against: int | str | Sequence[int] | None = RUNNER_UP,
    fraction: float = 0.9,
    seconds: float | None = None,
    max_terms: int = MAX_TERMS,
    progress: Callable[[int, int], None] | None = None,
) -> LocalComplexity:
    """How few terms explain each prediction of a batch; see :func:`explain`.

    Parameters
    ----------
    batch : sequences (n,), perhaps of several lengths; or residual inputs (n, d) of a model without embedding
    token, against : of each input the logit of a token less that of another: a token for all inputs, or one for each. By default
        that of the model's own prediction less that of its runner-up, which does not depend on what is added to all logits alike;
        None for both explains the output vector
    fraction, seconds, max_terms : as of :func:`explain`, for each input
    progress : called with the number of inputs done and of all

    Raises
    ------
    TokensError
        There is no input, or one does not fit; the message has its number. Or there is not one token an input.
    SpecError, WeightsError, TermIndexError
        As :func:`explain`.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = local_complexity(sc.path_expansion(weights.model), weights, [[3, 4, 31], [7, 7, 31]])
    >>> found.sizes, found.histogram, found.is_minimal
    ((3, 2), {2: 1, 3: 1}, True)
    """
    start = time.perf_counter()
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    require_match(expansion, weights.model, weights.arrays, None)
    require_ranges(fraction, seconds, max_terms)
    cases = cases_of(weights, batch, token, against)
    found = []
    for case in cases:
        found.append(
            complexity_of(case, expansion, weights, position=position, fraction=fraction, seconds=seconds, max_terms=max_terms)
        )
        if progress is not None:
            progress(len(found), len(cases))
    return LocalComplexity(expansion, float(fraction), tuple(found), time.perf_counter() - start)


def cases_of(weights: Weights, batch: Sequence[object], token: object, against: object) -> list[Case]:
    """The inputs, checked, each with its tokens."""
    sources = []
    for number, sequence in enumerate(batch):
        try:
            sources.append(weights.source(sequence))
        except TokensError as error:
            raise TokensError(f"input {number} of the batch: {error}") from error
    if not sources:
        raise TokensError("the batch has no input")
    tokens, others = (one_each(value, len(sources), name) for value, name in ((token, "token"), (against, "against")))
    return [Case(*parts) for parts in zip(range(len(sources)), sources, tokens, others, strict=True)]


def one_each(value: object, inputs: int, name: str) -> list:
    """A token for every input."""
    words = {"token": PREDICTION, "against": RUNNER_UP}
    if isinstance(value, str) and value != words[name]:
        raise TokensError(f"{name} is a token, one for each input, or {words[name]!r}; got {value!r}")
    if value is None or np.ndim(value) == 0:
        return [value] * inputs
    values = np.asarray(value)
    if values.shape != (inputs,) or values.dtype.kind not in "iu":
        raise TokensError(f"{name} is one token, or one for each of {inputs} inputs; got shape {values.shape} of {values.dtype}")
    return [int(token) for token in values]


def complexity_of(
    case: Case,
    expansion: PathExpansion,
    weights: Weights,
    *,
    position: int,
    fraction: float,
    seconds: float | None,
    max_terms: int,
) -> Complexity:
    """How few terms explain one prediction."""
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = freeze(weights, case.tokens)
        token = predicted(frozen, position) if case.token == PREDICTION else case.token
        against = runner_up(frozen, token, position) if case.against == RUNNER_UP and token is not None else case.against
    found = explain(
        expansion,
        frozen,
        position=position,
        token=token,
        against=None if token is None and against == RUNNER_UP else against,
        fraction=fraction,
        seconds=seconds,
        max_terms=max_terms,
    )
    return Complexity(
        number=case.number,
        what=found.what,
        size=found.size,
        lower_bound=found.lower_bound,
        is_minimal=found.is_minimal,
        is_up_to_rounding=found.is_up_to_rounding,
        total=found.total,
        reached=found.reached,
        stopped=found.stopped,
    )
