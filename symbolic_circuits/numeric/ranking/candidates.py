r"""The terms that an explanation may choose from, with their values, and a bound on how far any other term goes along the total.

Where the terms can be evaluated one by one, all of them are candidates and nothing is left to bound. Beyond that the candidates
are the largest terms along the total u = T / |T|, as :func:`rank` finds them: |<c, u>| <= bound for every other term c.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.evaluate import contributions, stream_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.aim import Aim
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.rank import rank
from symbolic_circuits.numeric.streams import Streams

__all__ = ["Candidates", "all_candidates", "largest_candidates"]

MAX_ENTRIES = 2**25  # numbers in the vectors of all terms


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Terms with their values."""

    terms: Sequence[Term] | PathExpansion  # term number k, made when it is asked for
    values: np.ndarray  # (m, q)
    along: np.ndarray  # (m,) how far each goes along the total
    others: int  # terms that are no candidates
    bound: float  # none of them goes further along the total
    rounding: float  # how far rounding may have moved a sum of values, or the total
    stopped: str | None = None  # the budget that ended the search for them


def all_candidates(expansion: PathExpansion, frozen: Frozen, aim: Aim, max_terms: int) -> Candidates | None:
    """Every term with its value, or None where they are too many."""
    count = expansion.number_of_terms
    if count > max_terms or (not aim.is_number and count * max(aim.matrix.shape) > MAX_ENTRIES):
        return None
    try:
        values = values_of_all(expansion, frozen, aim)
    except BudgetError:
        return None  # their inputs are too many
    return Candidates(expansion, values, aim.along(values), 0, 0.0, rounding_of(values, aim) + aim.together)


def values_of_all(expansion: PathExpansion, frozen: Frozen, aim: Aim) -> np.ndarray:
    """The value (q,) of every term."""
    if not aim.is_number:
        return aim.of(stream_values(expansion, frozen, [aim.position])[:, 0])
    sign = 1 if aim.total[0] >= 0 else -1
    found = contributions(expansion, frozen, position=aim.position, direction=aim.direction)
    return sign * np.asarray(found, dtype=np.float64)[:, None]


def largest_candidates(
    expansion: PathExpansion,
    frozen: Frozen,
    aim: Aim,
    top: int,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Candidates:
    """The terms that go furthest along the total or against it, and a bound for all others."""
    ranking = rank(
        expansion,
        frozen,
        position=aim.position,
        direction=aim.direction,
        top=min(top, expansion.number_of_terms),
        seconds=seconds,
        progress=progress,
    )
    terms, along = tuple(term for term, _ in ranking), np.array([value for _, value in ranking])
    if aim.is_number:
        values = along[:, None] * (1 if aim.total[0] >= 0 else -1)
    else:
        values = np.array([aim.of(fold(term, Streams(frozen))[aim.position]) for term in terms]).reshape(
            len(terms), len(aim.matrix)
        )
    others = expansion.number_of_terms - len(terms)
    rounding = rounding_of(values, aim) + len(terms) * ranking.margin
    return Candidates(terms, values, along, others, ranking.bound if others else 0.0, rounding, ranking.stopped)


def rounding_of(values: np.ndarray, aim: Aim) -> float:
    """How far rounding may move the total, and a sum of values by its additions."""
    sizes = float(lengths(values).sum())
    additions = float(np.finfo(np.float64).eps * np.sqrt(len(values)))
    return aim.rounding + aim.precision * (aim.scale + sizes) + additions * sizes
