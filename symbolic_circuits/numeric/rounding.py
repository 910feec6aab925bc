r"""The relative difference of two sums of the same terms that rounding may explain.

At first $c \, \epsilon \, k D \kappa$: k is the number of steps of the model, its norms included, $\kappa$ the sum of the norms of the parts over the
norm of their sum (the cancellation), and D the largest number of leaves of a term, because a relative error of them becomes D times as large
in a product of D.
Sums may also cancel inside the model, of which the output shows nothing: errors carried along with the sums know it.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.checking import ROUNDING
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_ranges import GradeRanges
from symbolic_circuits.numeric.running_errors import RunningErrors
from symbolic_circuits.numeric.weights import norms_of

__all__ = ["carried_rounding", "relative_rounding"]


def relative_rounding(expansion: PathExpansion, dtype: np.dtype, cancellation: float) -> float:
    """What rounding may explain, relative to the norm of the sum, where little cancels inside the model.

    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> one, many = (relative_rounding(path_expansion(model), np.float64, 1.0) for model in ("attn(2)*4", "bilinear*4"))
    >>> round(many / one)
    16
    """
    model, leaves = expansion.model, expansion.interpret(LeafRanges("degree"))
    steps = 2 + model.number_of_blocks + len(norms_of(model))
    return float(ROUNDING * steps * (1 if leaves is None else leaves[1]) * np.finfo(dtype).eps * max(cancellation, 1.0))


class LeafRanges(GradeRanges):
    """The lowest and the highest number of leaves of a term, whatever they are."""

    def input(self, component: Component) -> tuple[int, int]:
        return 1, 1


def carried_rounding(expansions: Iterable[PathExpansion], frozen: Frozen, positions: Sequence[int], size: float) -> float:
    """A bound, to first order, on the rounding of the sums of the terms of all these expansions, over ``size``.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.random("attn(2) bilinear*3", seed=0), [1, 2, 3])
    >>> carried_rounding([sc.path_expansion("attn(2) bilinear*3")], frozen, range(3), 1.0) < 1e-9
    True
    """
    with np.errstate(all="ignore"):
        errors = [np.linalg.norm(part.interpret(RunningErrors(frozen)).e[list(positions)]) for part in expansions]
        found = float(sum(errors) / size)
    return found if np.isfinite(found) else float("inf")
