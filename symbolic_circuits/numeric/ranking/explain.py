r"""How few terms explain a prediction: the least |S| with $|\sum_{i \in S} c_i - T| \le (1 - f)|T|$, T the sum of all terms.

Nothing is enumerated where there are too many terms: the largest, with a bound on all others, give both a set and a lower bound.
"""

import math
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, TermIndexError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.matching import require_match, require_output
from symbolic_circuits.numeric.ranking.aim import Aim, aim_of
from symbolic_circuits.numeric.ranking.candidates import Candidates, all_candidates, largest_candidates
from symbolic_circuits.numeric.ranking.explanation import Explanation
from symbolic_circuits.numeric.ranking.held_fixed import held_fixed
from symbolic_circuits.numeric.ranking.rank import margin_of_all, read_at
from symbolic_circuits.numeric.ranking.ranking import VISIBLE, RankedTerm
from symbolic_circuits.numeric.ranking.small_sets import small_set
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["MAX_TERMS", "explain"]

MAX_TERMS = 2_000_000  # evaluated one by one; of more, the largest are searched for
MAX_SIZE = 16_384  # terms in an explanation
FIRST, GROWTH = 64, 4  # terms that are searched for at first, and how many times more in each further search


def explain(
    expansion: PathExpansion | Transformer | str,
    weights: Weights | Frozen,
    tokens: object = None,
    *,
    position: int = -1,
    token: int | None = None,
    against: int | None = None,
    direction: object = None,
    fraction: float = 0.9,
    seconds: float | None = None,
    max_terms: int = MAX_TERMS,
    progress: Callable[[int, int], None] | None = None,
) -> Explanation:
    """The fewest terms whose sum is within (1 - fraction) of the total; a set and a lower bound where the minimum is not known.

    The set is proved to be the minimum where there are at most 25 terms, and wherever the largest terms do; otherwise it is one
    that was found, and the lower bound holds for every set.

    Parameters
    ----------
    expansion : the path expansion of the model, or the terms of a query; the total is the sum of all of its terms
    weights, tokens : attention patterns are those of the forward pass on these tokens; or weights that are frozen already
    position : of the sequence, from the end where negative
    token, against : the logit of a token, or its difference to that of another
    direction : a vector on the last axis of the output, instead of tokens; without either the whole output vector is explained,
        in the Euclidean norm
    fraction : f, over 0 and at most 1
    seconds : after which no better set is looked for
    max_terms : expansions of more are not evaluated term by term, but ranked
    progress : called with what is done and all there is, where terms are ranked

    Raises
    ------
    TermIndexError
        The fraction, the seconds or the limit on terms are out of range.
    SpecError, TokensError, WeightsError
        The weights are of another model; position, token or direction do not fit; activations are not finite.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> found = explain(sc.path_expansion(weights.model), weights, [3, 4, 31], token=7, fraction=0.9)
    >>> print(found)
    logit 7 at position 2 of '[n=3, d=64, V=32] attn(2, e=32) bilinear(m=128)': +24.3379
      +22.4934  bilinear.1(attn.0[0](embed), attn.0[1](embed))
      1 of 12 terms explains 92.42 % of the total (90 % asked for): this is the minimum
    """
    start = time.perf_counter()
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    require_ranges(fraction, seconds, max_terms)
    frozen = held_fixed(weights, tokens)
    require_output(expansion, "an explanation")
    require_match(expansion, frozen.model, frozen.weights, frozen.positions)
    finite_forward(frozen)
    aim = aim_of(expansion, frozen, position=position, token=token, against=against, direction=direction)
    deadline = math.inf if seconds is None else start + seconds
    candidates = all_candidates(expansion, frozen, aim, max_terms)
    if candidates is None:
        return explained_by_largest(expansion, frozen, aim, fraction, start, deadline, progress)
    if aim.together <= VISIBLE * aim.size or expansion.is_empty:
        return explanation_of(expansion, aim, candidates, fraction, start, deadline)
    each = rounding_of_each(expansion, frozen, (position, token, against, direction))
    return explained_by_few(expansion, aim, candidates, each, fraction, start, deadline)


def rounding_of_each(expansion: PathExpansion, frozen: Frozen, read: tuple) -> float:
    """How far rounding may move the value of any one term; infinity where that takes more than the limits."""
    root, rounding, place, _ = read_at(frozen, *read)
    try:
        with np.errstate(all="ignore"):  # bounds may overflow
            found = margin_of_all(expansion, frozen, root, rounding, place, MAX_BYTES)
    except BudgetError:
        return math.inf
    return found if math.isfinite(found) else math.inf


def explained_by_few(
    expansion: PathExpansion, aim: Aim, candidates: Candidates, each: float, fraction: float, start: float, deadline: float
) -> Explanation:
    """An explanation of at most ``few`` terms, which round by as many times ``each``; of more and more, up to all together.

    Its lower bound holds for every set: it is no more than ``few``, and smaller sets round no further.
    """
    few, total = FIRST, candidates.rounding - aim.together
    while total + few * each < candidates.rounding:
        found = explanation_of(expansion, aim, replace(candidates, rounding=total + few * each), fraction, start, deadline)
        if found.is_explained and len(found) <= few:
            return found
        few *= GROWTH
    return explanation_of(expansion, aim, candidates, fraction, start, deadline)


def require_ranges(fraction: object, seconds: object, max_terms: object) -> None:
    """Raise unless the fraction is in (0, 1], the seconds are positive and the limit is a natural number."""
    if not is_real(fraction) or not 0 < fraction <= 1:
        raise TermIndexError(f"fraction is the part of the total to explain, over 0 and at most 1; got {fraction!r}")
    if seconds is not None and not (is_real(seconds) and seconds > 0):
        raise TermIndexError(f"seconds is a time, over 0; got {seconds!r}")
    if isinstance(max_terms, bool) or not hasattr(max_terms, "__index__") or max_terms < 0:
        raise TermIndexError(f"max_terms is how many terms may be evaluated one by one; got {max_terms!r}")


def is_real(number: object) -> bool:
    """Whether this is a number with a size, not a truth value."""
    return isinstance(number, int | float | np.integer | np.floating) and not isinstance(number, bool)


def explained_by_largest(
    expansion: PathExpansion,
    frozen: Frozen,
    aim: Aim,
    fraction: float,
    start: float,
    deadline: float,
    progress: Callable[[int, int], None] | None,
) -> Explanation:
    """An explanation among the largest terms, of which more and more are taken until they are enough or a budget ends."""
    top, lower = FIRST, 0
    while True:
        left = None if deadline == math.inf else max(deadline - time.perf_counter(), 1e-3)
        candidates = largest_candidates(expansion, frozen, aim, top, left, progress)
        found = explanation_of(expansion, aim, candidates, fraction, start, deadline)
        lower = max(lower, found.lower_bound)  # each holds for every set
        ended = top >= min(MAX_SIZE, expansion.number_of_terms) or time.perf_counter() > deadline
        if found.is_explained or is_cancelled(aim, candidates) or ended:
            return replace(found, lower_bound=lower)
        top = min(top * GROWTH, MAX_SIZE)


def is_cancelled(aim: Aim, candidates: Candidates) -> bool:
    """Whether rounding alone may account for the total."""
    return aim.size <= candidates.rounding


def explanation_of(
    expansion: PathExpansion, aim: Aim, candidates: Candidates, fraction: float, start: float, deadline: float
) -> Explanation:
    """The best set among the candidates, as an explanation."""
    chosen, lower, stopped = None, 0, None
    if expansion.is_empty:
        chosen = np.zeros(0, dtype=int)
    elif is_cancelled(aim, candidates):
        stopped = f"the total cancels, {aim.size:.3g} is no more than what rounding leaves ({candidates.rounding:.3g})"
    else:
        chosen, lower = small_set(candidates, aim.total, (1 - fraction) * aim.size + candidates.rounding, deadline)
        stopped = why_not(chosen, candidates)
    chosen = np.zeros(0, dtype=int) if chosen is None or stopped else chosen
    chosen = chosen[np.argsort(-candidates.along[chosen], kind="stable")]
    contributions = candidates.values[:, 0] if aim.is_number else candidates.along
    total = candidates.values[chosen].sum(axis=0)
    return Explanation(
        expansion=expansion,
        what=aim.words,
        is_number=aim.is_number,
        fraction=float(fraction),
        terms=tuple(RankedTerm(candidates.terms[int(k)], float(contributions[k])) for k in chosen),
        sum=float(contributions[chosen].sum()),
        total=float(aim.total[0]) if aim.is_number else aim.size,
        left=float(np.linalg.norm(total - aim.total)),
        lower_bound=lower,
        candidates=len(candidates.values),
        bound=candidates.bound,
        rounding=candidates.rounding,
        stopped=stopped,
        seconds=time.perf_counter() - start,
    )


def why_not(chosen: np.ndarray | None, candidates: Candidates) -> str | None:
    """Why there is no explanation to show; None where there is."""
    if chosen is not None and len(chosen) > MAX_SIZE:
        return f"the set found has {in_words(len(chosen))} terms, the limit is {MAX_SIZE:,}"
    if chosen is not None:
        return None
    if candidates.stopped:
        return f"{candidates.stopped} ended the search"
    return f"no set of the {in_words(len(candidates.values))} largest terms does"
