r"""The terms with the largest contribution to a logit or a direction, or with the largest norm, and a bound on all others."""

import time
from collections.abc import Callable

import numpy as np

from symbolic_circuits.errors import TermIndexError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.activations import finite_forward
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.ranking.ranking import RankedTerm, Ranking
from symbolic_circuits.numeric.readout import Readout, readout
from symbolic_circuits.numeric.total import total
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["rank"]


def rank(
    expansion: PathExpansion | Transformer | str,
    weights: Weights | Frozen,
    tokens: object = None,
    *,
    position: int = -1,
    token: int | None = None,
    against: int | None = None,
    direction: object = None,
    top: int = 20,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Ranking:
    """The terms with the largest absolute contribution to a readout, or with the largest norm, and a certificate for all others."""
    start = time.perf_counter()
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    if isinstance(top, bool) or not hasattr(top, "__index__") or top < 1:
        raise TermIndexError(f"top is how many terms are wanted, at least 1; got {top!r}")
    frozen = weights if isinstance(weights, Frozen) else freeze(weights, tokens)
    require_match(expansion, frozen.model, frozen.arrays, frozen.positions)
    finite_forward(frozen)
    wanted = readout(frozen, position=position, token=token, against=against, direction=direction)
    values = contributions(expansion, frozen, position=wanted.position, direction=wanted.direction)
    order = np.argsort(-np.abs(values), kind="stable")
    listed = tuple(RankedTerm(expansion[int(k)], float(values[k])) for k in order[:top])
    bound = float(abs(values[order[top]])) if len(order) > top else 0.0
    return Ranking(
        expansion=expansion,
        what=wanted.words,
        terms=listed,
        bound=bound,
        margin=0.0,
        total=readout_of_terms(expansion, frozen, wanted),
        evaluated=len(values),
        bounded=0,
        seconds=time.perf_counter() - start,
    )


def readout_of_terms(expansion: PathExpansion, frozen: Frozen, wanted: Readout) -> float:
    """The readout of the sum of all terms."""
    return wanted.of(total(expansion, frozen))
