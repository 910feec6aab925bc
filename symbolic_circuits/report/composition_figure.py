"""Composition scores as a picture: a heat map, a row for what reads and a column for what writes."""

from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.errors import BudgetError, NotationError, OutputError
from symbolic_circuits.numeric.circuits.composition import ORDERS, Composition
from symbolic_circuits.report.figure_style import (
    PLAIN,
    StyleLike,
    colour_map,
    figure_style,
    foreground,
    import_matplotlib,
    ink_on,
)
from symbolic_circuits.report.ranking_figure import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_composition"]

MAX_CELLS = 4_000_000
LABELLED = 64  # writers, or readers, that are named one by one
WRITTEN = 144  # cells that have their number in them
CELL = 0.34  # inches
MAX_TITLE = 60
LABELS = {
    "score": "composition score",
    "excess": "score less the baseline",
    "deviations": "standard deviations of the squared score",
}


def draw_composition(
    found: Composition, ax: "Axes | None" = None, *, by: str = "score", style: StyleLike | None = None
) -> "Axes":
    """Draw how much of what each component writes each input of a later one reads; blank where it does not read it directly.

    Parameters
    ----------
    ax : where to draw; new ones by default
    by : "score", "excess" (over the baseline of random weights) or "deviations"
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    OutputError
        No component reads another.
    BudgetError
        There are more pairs than a picture can show.
    NotationError
        There is no such style, or nothing by that name to draw.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> ax = draw_composition(sc.composition(sc.Weights.random("attn(2) attn(2) bilinear", seed=0)))
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['attn.0[0]', 'attn.0[1]', 'attn.1[0]', 'attn.1[1]']
    """
    if by not in ORDERS:
        raise NotationError(f"pairs are drawn by {', '.join(map(repr, ORDERS))}; got {by!r}")
    if not found.reads.any():
        raise OutputError(f"there is no pair to draw: in {found.model!r} no component reads another")
    if found.scores.size > MAX_CELLS:
        raise BudgetError(f"a picture of {found.scores.size:,} pairs was asked for; the limit is {MAX_CELLS:,}")
    values = {"score": found.scores, "excess": found.excess, "deviations": found.deviations}[by]
    with figure_style(style):
        ax = ax or new_axes(found)
        draw_cells(np.where(found.reads, values, np.nan), by, ax)
        label_axis(ax.xaxis, found.writers, "writes", rotation=90)
        label_axis(ax.yaxis, found.readers, "reads")
        ax.set_title(f"{shortened(found.model, MAX_TITLE)}\nbaseline of random weights {found.baseline:.3g}", **PLAIN)
        ax.spines[:].set_visible(False)
    return ax


def new_axes(found: Composition) -> "Axes":
    """New axes with room for the names."""
    shown = [names if len(names) <= LABELLED else () for names in (found.writers, found.readers)]
    across, along = (0.075 * max(map(len, names), default=4) for names in shown)
    width, height = (min(9.0, max(2.0, CELL * len(names))) for names in (found.writers, found.readers))
    size = (max(width + along + 1.6, 4.2), height + across + 1.0)
    return import_matplotlib().Figure(figsize=size, layout="constrained").subplots()


def draw_cells(values: np.ndarray, by: str, ax: "Axes") -> None:
    """The values as colours, and as numbers where there is room."""
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 1.0
    least, name = (0.0, "Blues") if by == "score" else (-largest, "RdBu")
    image = ax.imshow(values, cmap=colour_map(name), vmin=least, vmax=largest or 1.0, aspect="auto", interpolation="nearest")
    ax.figure.colorbar(image, ax=ax, fraction=0.06, pad=0.02, label=LABELS[by])
    if values.size > WRITTEN:
        return
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ink = ink_on(image.cmap(image.norm(value))[:3])
            ax.text(column, row, f"{value:.2g}", ha="center", va="center", fontsize=7, color=ink)


def label_axis(axis: object, names: tuple[str, ...], what: str, rotation: float = 0) -> None:
    """Names of what writes or reads, a line between blocks; the number of them where there are too many."""
    count = f"{len(names):,} components" if what == "writes" else f"{len(names):,} inputs"
    axis.set_label_text(what if len(names) <= LABELLED else f"{what}: {count}")
    if len(names) <= LABELLED:
        axis.set_ticks(range(len(names)), names, rotation=rotation, fontsize=7, **PLAIN)
        axis.set_tick_params(length=0)
    blocks = [name.partition("[")[0].rpartition(".")[0] if name.count(".") > 1 else name.partition("[")[0] for name in names]
    line = axis.axes.axvline if what == "writes" else axis.axes.axhline
    for k in (k for k in range(1, len(names)) if blocks[k] != blocks[k - 1]):
        line(k - 0.5, color=foreground(), lw=0.4, alpha=0.5)
