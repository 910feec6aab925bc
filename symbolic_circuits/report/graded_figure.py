"""Sums of terms by grade as a picture: the norm of each grade and the remainder after it, and the loss of the grades so far."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.errors import BudgetError, OutputError, ShapeError
from symbolic_circuits.numeric.graded import GradedSums
from symbolic_circuits.report.figures import COLOURS, import_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_graded"]

MAX_GRADES = 5000


def draw_graded(result: GradedSums, axes: "Sequence[Axes] | None" = None) -> "tuple[Axes, ...]":
    """Draw norms and remainders on a logarithmic scale and, where the result has losses, the loss by grade beside them.

    Parameters
    ----------
    axes : as many as there are panels, 1 or 2; new ones by default

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        There are more grades than a picture can show.
    ShapeError
        The axes are not as many as the panels.
    """
    panels = 1 if result.losses is None else 2
    if len(result.grades) > MAX_GRADES:
        raise BudgetError(f"a picture of {len(result.grades):,} grades was asked for; the limit is {MAX_GRADES:,}")
    if not result.grades:
        raise OutputError(f"there is no grade to draw: {result.summary()}")
    figure = import_matplotlib()
    if axes is None:
        axes = figure.Figure(figsize=(5.2 * panels, 3.6), layout="constrained").subplots(1, panels, squeeze=False)[0]
    if len(axes) != panels:
        raise ShapeError(f"the result takes {panels} axes; got {len(axes)}")
    draw_norms(result, axes[0])
    if panels == 2:
        draw_losses(result, axes[1])
    for ax in axes:
        ax.set_xlabel(result.by)
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.spines[["top", "right"]].set_visible(False)
    return tuple(axes)


def draw_norms(result: GradedSums, ax: "Axes") -> None:
    """Bars for the norm of each grade, a line for what is left after it; zeros have no place on this scale."""
    size = float(np.linalg.norm(result.total)) or 1.0
    norms, remainders = result.norms / size, np.asarray(result.remainders, dtype=float)
    ax.bar(result.grades, np.where(norms > 0, norms, np.nan), color=COLOURS["input"], label="norm of the grade")
    ax.plot(
        result.grades, np.where(remainders > 0, remainders, np.nan), "o-", ms=3, color=COLOURS["head"], label="remainder after it"
    )
    ax.set_yscale("log")
    ax.set_ylabel("relative to the norm of the total")
    words = f"cancellation {result.cancellation:.3g}"
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=8, title=words, title_fontsize=8)


def draw_losses(result: GradedSums, ax: "Axes") -> None:
    """The loss of the grades so far, and that of all terms."""
    ax.plot(result.grades, result.losses, "o-", ms=3, color=COLOURS["bilinear"], label="grades so far")
    ax.axhline(result.loss, color=COLOURS["stream"], ls="--", lw=1, label="all terms")
    ax.set_ylabel("loss (nats)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=8)
