"""Sums of terms by grade as a picture: the norm of each grade and the remainder after it, and the loss of the grades so far."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.errors import BudgetError, OutputError, ShapeError
from symbolic_circuits.numeric.graded import GradedSums
from symbolic_circuits.report.figure_style import StyleLike, colour, figure_style, import_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_graded"]

MAX_GRADES = 5000


def draw_graded(
    result: GradedSums, axes: "Sequence[Axes] | None" = None, *, style: StyleLike | None = None
) -> "tuple[Axes, ...]":
    """Draw norms and remainders on a logarithmic scale and, where the result has losses, the loss by grade beside them.

    Parameters
    ----------
    axes : as many as there are panels, 1 or 2; new ones by default
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        There are more grades than a picture can show.
    ShapeError
        The axes are not as many as the panels.
    OutputError, NotationError
        There is no grade; there is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> norms, loss = draw_graded(sc.graded(weights.model, weights, [3, 4, 31], positions=[-1], targets=[7]))
    >>> norms.get_xlabel(), loss.get_ylabel()
    ('order', 'loss (nats)')
    """
    panels = 1 if result.losses is None else 2
    if len(result.grades) > MAX_GRADES:
        raise BudgetError(f"a picture of {len(result.grades):,} grades was asked for; the limit is {MAX_GRADES:,}")
    if not result.grades:
        raise OutputError(f"there is no grade to draw: {result.summary()}")
    with figure_style(style):
        if axes is None:
            figure = import_matplotlib().Figure(figsize=(5.2 * panels, 3.6), layout="constrained")
            axes = figure.subplots(1, panels, squeeze=False)[0]
        if len(axes) != panels:
            raise ShapeError(f"the result takes {panels} axes; got {len(axes)}")
        draw_norms(result, axes[0])
        if panels == 2:
            draw_losses(result, axes[1])
        for ax in axes:
            ax.set_xlabel(result.by)
            ax.xaxis.get_major_locator().set_params(integer=True)
    return tuple(axes)


def draw_norms(result: GradedSums, ax: "Axes") -> None:
    """Bars for the norm of each grade, a line for what is left after it; zeros have no place on this scale."""
    size = float(np.linalg.norm(result.total)) or 1.0
    norms, remainders = result.norms / size, np.asarray(result.remainders, dtype=float)
    ax.bar(result.grades, np.where(norms > 0, norms, np.nan), color=colour("input"), label="norm of the grade")
    ax.plot(
        result.grades, np.where(remainders > 0, remainders, np.nan), "o-", ms=3, color=colour("head"), label="remainder after it"
    )
    ax.set_yscale("log")
    ax.set_ylabel("relative to the norm of the total")
    words = f"cancellation {result.cancellation:.3g}"
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, title=words, title_fontsize=8)


def draw_losses(result: GradedSums, ax: "Axes") -> None:
    """The loss of the grades so far, and that of all terms."""
    ax.plot(result.grades, result.losses, "o-", ms=3, color=colour("bilinear"), label="grades so far")
    ax.axhline(result.loss, color=colour("stream"), ls="--", lw=1, label="all terms")
    ax.set_ylabel("loss (nats)")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
