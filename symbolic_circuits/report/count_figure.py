"""Numbers of terms by grade as a picture: bars on a logarithmic scale, for counts of any size."""

from math import log10
from typing import TYPE_CHECKING

from sympy import Poly, Symbol

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, OutputError, SpecError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.report.figure_style import PLAIN, StyleLike, colour, figure_style, import_matplotlib
from symbolic_circuits.report.ranking_figure import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_counts"]

MAX_GRADES = 2000
DIGITS, MAX_TITLE = 40, 60  # of the title


def draw_counts(
    expansion: PathExpansion, by: str = "order", ax: "Axes | None" = None, *, style: StyleLike | None = None
) -> "Axes":
    """Draw how many terms there are of each grade.

    Parameters
    ----------
    by : "order", "height", "degree", "heads" or "bilinears"
    ax : where to draw; new ones by default
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    OutputError, SpecError, BudgetError, NotationError
        There is no term; the numbers are polynomials in symbolic numbers of heads; there are too many grades for a picture;
        there is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> ax = draw_counts(sc.path_expansion("(attn(12) bilinear)*4"))
    >>> ax.get_xlabel(), len(ax.patches)
    ('order', 46)
    """
    if not isinstance(expansion.number_of_terms, int):
        raise SpecError(f"the numbers of terms of {expansion.title} depend on symbols: a picture needs numbers of heads")
    if expansion.is_empty:
        raise OutputError(f"there is no term to draw: {expansion.title} has none")
    z = Symbol("z")
    counts = {grade: int(count) for (grade,), count in Poly(expansion.count_by(by, z), z).terms()}
    if len(counts) > MAX_GRADES:
        raise BudgetError(f"a picture of {len(counts):,} grades was asked for; the limit is {MAX_GRADES:,}")
    with figure_style(style):
        ax = ax or import_matplotlib().Figure(figsize=(5.2, 3.4), layout="constrained").subplots()
        draw_bars(counts, ax)
        ax.set_xlabel(by)
        ax.set_ylabel("terms")
        number = expansion.number_of_terms
        words = f"{in_words(number, DIGITS)} {'term' if number == 1 else 'terms'}"
        ax.set_title(f"{words}\n{shortened(expansion.title, MAX_TITLE)}", **PLAIN)
    return ax


def draw_bars(counts: dict[int, int], ax: "Axes") -> None:
    """A bar for each grade, as high as the logarithm of its number of terms."""
    heights = [log10(count) for count in counts.values()]  # exact integers: beyond the range of floats as they are
    base = -0.02 * max(1.0, max(heights))  # so that a single term is seen
    ax.bar(list(counts), [height - base for height in heights], bottom=base, color=colour("input"))
    ax.yaxis.set_major_formatter(lambda power, _: f"$10^{{{power:g}}}$" if power >= 0 else "")
    ax.yaxis.get_major_locator().set_params(integer=True)
    ax.xaxis.get_major_locator().set_params(integer=True)
    if len(counts) == 1:  # one bar has no width of its own
        ax.set_xticks(list(counts))
        ax.set_xlim(min(counts) - 2, min(counts) + 2)
    if ax.get_ylim()[1] < 1:  # else a scale with one number, or none
        ax.set_ylim(top=1)
