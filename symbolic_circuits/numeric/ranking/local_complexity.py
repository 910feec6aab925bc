r"""Local complexity over a batch: of each prediction the least number of terms that explain a fraction of it, as a histogram.

Where the minimum of an input is not known, what counts is the size of the set that was found, and its lower bound beside it.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import SpecError, TokensError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.frozen import freeze
from symbolic_circuits.numeric.matching import require_match, require_output
from symbolic_circuits.numeric.ranking.explain import MAX_TERMS, explain, require_ranges
from symbolic_circuits.numeric.ranking.predictions import PREDICTION, RUNNER_UP, predicted, runner_up
from symbolic_circuits.numeric.scaling.outcome import in_order
from symbolic_circuits.numeric.scaling.tasks import outcomes
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


@displayed
@dataclass(frozen=True, slots=True, eq=False)
class LocalComplexity:
    """The local complexity of every input of a batch, in its order.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = sc.local_complexity(weights.model, weights, [[3, 4, 31], [30, 5, 31]])
    >>> sum(found.histogram.values())
    2
    """

    expansion: PathExpansion
    reading: str  # what is explained, in words: "the prediction less the runner-up"
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
    def is_explained(self) -> bool:
        """Whether there is an explanation for every input."""
        return not self.unexplained

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
            "reading": self.reading,
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
        head = f"terms of {self.expansion.title} that explain {100 * self.fraction:g} % of {self.reading}"
        lines = [f"  {size} term{'s'[size == 1 :]}: {count} input{'s'[count == 1 :]}" for size, count in self.histogram.items()]
        return "\n".join([head, *lines, f"  {self.summary()}"])


class Case(NamedTuple):
    """One input, with what is explained of it."""

    number: int
    tokens: np.ndarray
    token: int | str | None
    against: int | str | None

    def __repr__(self) -> str:  # what messages show
        return f"input {self.number}"


class Options(NamedTuple):
    """What is the same for all inputs; see :func:`explain`."""

    position: int
    fraction: float
    seconds: float | None
    max_terms: int


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
    executor: Executor | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> LocalComplexity:
    """How few terms explain each prediction of a batch; see :func:`explain`.

    Parameters
    ----------
    batch : sequences (n,), perhaps of several lengths; or residual inputs (n, d) of a model without embedding
    token, against : of each input the logit of a token less that of another: a token for all inputs, or one for each. By default
        that of the model's own prediction less that of its runner-up, which does not depend on what is added to all logits alike;
        token=None explains the output vector
    fraction, seconds, max_terms : as of :func:`explain`, for each input
    executor : any ``concurrent.futures.Executor``, which takes inputs one by one; in place by default, with the same result
    progress : called with the number of inputs done and of all

    Raises
    ------
    TokensError
        There is no input, or one does not fit; the message has its number. Or there is not one token an input.
    SpecError, TermIndexError
        The weights are of another model, or one without unembedding, which predicts nothing; the fraction is out of range.
    TaskError
        Activations are not finite, or a worker ended; the message has the first input, ``outcomes`` what was found for all.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = local_complexity(sc.path_expansion(weights.model), weights, [[0, 2, 31], [2, 6, 31]])
    >>> found.sizes, found.histogram, found.is_minimal
    ((3, 1), {1: 1, 3: 1}, True)
    """
    start = time.perf_counter()
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    require_output(expansion, "local complexity")
    require_match(expansion, weights.model, weights.arrays, None)
    require_ranges(fraction, seconds, max_terms)
    against = None if token is None and isinstance(against, str) else against
    cases = cases_of(weights, batch, token, against, position)
    options = Options(position, fraction, seconds, max_terms)
    shared = (expansion, weights, options)
    found = in_order(outcomes(complexity_of, cases, shared=shared, executor=executor, progress=progress))
    return LocalComplexity(
        expansion=expansion,
        reading=reading_of(token, against, position),
        fraction=float(fraction),
        inputs=tuple(found),
        seconds=time.perf_counter() - start,
    )


def reading_of(token: object, against: object, position: int) -> str:
    """What is explained of every input, in words.

    >>> reading_of("prediction", "runner-up", -1), reading_of([3, 4], 5, 2)
    ('the prediction less the runner-up at position -1', 'a token of its own less logit 5 at position 2')
    """
    words = [
        f"the {value}" if isinstance(value, str) else f"logit {int(value)}" if np.ndim(value) == 0 else "a token of its own"
        for value in (token, against)
        if value is not None
    ]
    return f"{' less '.join(words) or 'the output'} at position {position}"


def cases_of(weights: Weights, batch: Sequence[object], token: object, against: object, position: int) -> list[Case]:
    """The inputs, checked, each with its tokens."""
    sources = []
    for number, sequence in enumerate(batch):
        try:
            sources.append(weights.source(sequence))
            if not hasattr(position, "__index__") or not -len(sources[-1]) <= position < len(sources[-1]):
                raise TokensError(f"position {position} is outside a sequence of {len(sources[-1])} positions")
        except TokensError as error:
            raise TokensError(f"input {number} of the batch: {error}") from error
    if not sources:
        raise TokensError("the batch has no input")
    if not weights.model.unembedding and any(isinstance(value, str) for value in (token, against)):
        raise SpecError(f"{str(weights.model)!r} has no unembedding and predicts no token: token=None explains its output")
    if token is None and against is not None:
        raise TokensError("against is a token whose logit is subtracted from that of another: give token too")
    tokens, others = (one_each(weights, value, len(sources), name) for value, name in ((token, "token"), (against, "against")))
    return [Case(*parts) for parts in zip(range(len(sources)), sources, tokens, others, strict=True)]


def one_each(weights: Weights, value: object, inputs: int, name: str) -> list:
    """A token for every input."""
    word = {"token": PREDICTION, "against": RUNNER_UP}[name]
    if isinstance(value, str) and value != word:
        raise TokensError(f"{name} is a token, one for each input, or {word!r}; got {value!r}")
    if value is None or isinstance(value, str):
        return [value] * inputs
    values = np.asarray(value)
    if values.shape not in ((), (inputs,)) or values.dtype.kind not in "iu":
        raise TokensError(f"{name} is one token, or one for each of {inputs} inputs; got shape {values.shape} of {values.dtype}")
    width = len(weights.arrays["W_U"]) if weights.model.unembedding else weights.size(weights.model.d)
    if ((values < 0) | (values >= width)).any():
        raise TokensError(f"{name} {values[(values < 0) | (values >= width)].flat[0]} is outside range({width})")
    return [int(token) for token in np.broadcast_to(values, inputs)]


def complexity_of(expansion: PathExpansion, weights: Weights, options: Options, case: Case) -> Complexity:
    """How few terms explain one prediction."""
    position = options.position
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = freeze(weights, case.tokens)
        token = predicted(frozen, position) if case.token == PREDICTION else case.token
        against = runner_up(frozen, token, position) if case.against == RUNNER_UP else case.against
    found = explain(expansion, frozen, token=token, against=against, **options._asdict())
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
