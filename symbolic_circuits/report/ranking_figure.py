"""Rankings and explanations as pictures: bars of the largest terms with the bound on all others, shares, a histogram of sizes."""

from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, OutputError
from symbolic_circuits.numeric.ranking.explanation import Explanation
from symbolic_circuits.numeric.ranking.local_complexity import LocalComplexity
from symbolic_circuits.numeric.ranking.ranking import Ranking
from symbolic_circuits.report.figure_style import PLAIN, StyleLike, colour, figure_style, foreground, import_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_explanation", "draw_local_complexity", "draw_ranking"]

MAX_BARS = 60
MAX_BESIDE = 24  # bars beside a curve
MAX_POINTS = 20_000
MAX_BINS = 5000
MAX_LABEL = 80  # characters of a term's name


def draw_ranking(ranking: Ranking, ax: "Axes | None" = None, *, style: StyleLike | None = None) -> "Axes":
    """Bars for the values of the terms listed, the largest on top; grey what no other term exceeds.

    Parameters
    ----------
    ax : where to draw; new ones by default
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        There are more terms than a picture can show.
    OutputError
        There is no term to draw.
    NotationError
        There is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> ax = draw_ranking(sc.rank(weights.model, weights, [3, 4, 31], token=7, top=3))
    >>> type(ax).__name__
    'Axes'
    """
    require_drawable(ranking, MAX_BARS, "bars")
    names = [shortened(str(term)) for term, _ in ranking]
    values = np.array([value for _, value in ranking])
    with figure_style(style):
        ax = ax or bars_axes(names)
        ax.barh(range(len(names)), values, color=[colour("input") if value >= 0 else colour("head") for value in values])
        if ranking.bound and len(ranking) < ranking.expansion.number_of_terms:
            low = -ranking.bound if (values < 0).any() else 0.0
            label = f"no other of {in_words(ranking.expansion.number_of_terms)} terms exceeds {ranking.bound:.3g}"
            ax.axvspan(low, ranking.bound, color=colour("stream"), alpha=0.3, lw=0, zorder=0, label=label)
            ax.legend(loc="lower left", bbox_to_anchor=(0, 1))
        label_bars(ax, names, f"contribution to {ranking.what}")
    return ax


def draw_explanation(
    found: Explanation, axes: "tuple[Axes, Axes] | None" = None, *, style: StyleLike | None = None
) -> "tuple[Axes, Axes]":
    """Bars for the terms of the explanation, and beside them the share of the total that so many of them add up to.

    Parameters
    ----------
    axes : where to draw, two; new ones by default
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError, BudgetError, OutputError, NotationError
        As :func:`draw_ranking`; of more than 24 terms the largest are bars.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> len(draw_explanation(sc.explain(weights.model, weights, [3, 4, 31], token=7)))
    2
    """
    require_drawable(found, MAX_POINTS, "points")
    rows = found.rows()
    largest = sorted(sorted(rows, key=lambda row: -abs(row["value"]))[:MAX_BESIDE], key=lambda row: row["rank"])
    names = [shortened(row["term"]) for row in largest]
    with figure_style(style):
        left, right = axes or beside_each_other(names)
        draw_terms(found, largest, names, left)
        draw_shares(found, right)
    return left, right


def beside_each_other(names: list[str]) -> "tuple[Axes, Axes]":
    """New axes for bars with room for the names, and for a curve."""
    width = 3.4 + 0.065 * max(map(len, names))
    figure = import_matplotlib().Figure(figsize=(width + 4.2, bars_height(names)), layout="constrained")
    return tuple(figure.subplots(1, 2, width_ratios=[width, 4.2]))


def draw_terms(found: Explanation, largest: list[dict], names: list[str], ax: "Axes") -> None:
    """Bars for the largest terms."""
    values = [row["value"] for row in largest]
    colours = [colour("input") if value * found.total >= 0 else colour("head") for value in values]
    ax.barh(range(len(names)), values, color=colours)
    more = f", {len(names)} largest of {len(found):,} terms" if len(found) > len(names) else ""
    label_bars(ax, names, f"contribution to {found.what}" + ("" if found.is_number else ", along the total") + more)


def draw_shares(found: Explanation, ax: "Axes") -> None:
    """The share of the total that the first k terms add up to, with the band that is asked for."""
    shares = [0.0, *(row["so_far"] for row in found.rows())]
    ax.axhspan(found.fraction, 2 - found.fraction, color=colour("bilinear"), alpha=0.25, lw=0, label="asked for")
    ax.axhline(1, color=colour("stream"), ls="--", lw=1, label="all terms")
    ax.plot(range(len(shares)), shares, "o-", ms=3 if len(shares) < 100 else 0, color=colour("input"), label="terms so far")
    ax.set_xlabel("terms")
    ax.set_ylabel("share of the total" if found.is_number else "share, along the total")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, handlelength=1.4)


def draw_local_complexity(found: LocalComplexity, ax: "Axes | None" = None, *, style: StyleLike | None = None) -> "Axes":
    """Bars for the number of inputs of each size; lighter where the size is not proved to be the minimum.

    Parameters
    ----------
    ax : where to draw; new ones by default
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    OutputError
        No input is explained.
    BudgetError
        There are more sizes than a picture can show.
    NotationError
        There is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> ax = draw_local_complexity(sc.local_complexity(weights.model, weights, [[3, 4, 31]]))
    >>> ax.get_ylabel()
    'inputs'
    """
    if not found.histogram:
        raise OutputError(f"there is no histogram to draw: {found.summary()}")
    if len(found.histogram) > MAX_BINS:
        raise BudgetError(f"a picture of {len(found.histogram):,} bars was asked for; the limit is {MAX_BINS:,}")
    with figure_style(style):
        ax = ax or import_matplotlib().Figure(figsize=(5.2, 3.6), layout="constrained").subplots()
        draw_histogram(found, ax)
        ax.set_xlabel(f"terms that explain {100 * found.fraction:g} %")
        ax.set_ylabel("inputs")
        for axis in (ax.xaxis, ax.yaxis):
            axis.get_major_locator().set_params(integer=True)
    return ax


def draw_histogram(found: LocalComplexity, ax: "Axes") -> None:
    """Bars for the inputs of each size, those proved below."""
    rows = found.rows()
    sizes, proved = [row["terms"] for row in rows], np.array([row["minimum"] for row in rows])
    others = np.array([row["inputs"] for row in rows]) - proved
    ax.bar(sizes, proved, color=colour("input"), label="minimum, proved" if proved.any() else None)
    if others.any():
        ax.bar(sizes, others, bottom=proved, color=colour("input"), alpha=0.4, label="found, perhaps not the fewest")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    ax.set_title(f"{found.reading}, {len(found.inputs):,} inputs", loc="left", pad=22 if others.any() else 8, **PLAIN)


def require_drawable(found: Ranking | Explanation, limit: int, what: str) -> None:
    """Raise unless there is something to draw, and not too much."""
    if not len(found):
        raise OutputError(f"there is no term to draw: {found.summary()}")
    if len(found) > limit:
        raise BudgetError(f"a picture of {len(found):,} {what} was asked for; the limit is {limit:,}")


def shortened(name: str, most: int = MAX_LABEL) -> str:
    """A name that fits beside a bar.

    >>> shortened("attn.0[1](embed)"), len(shortened("x" * 200))
    ('attn.0[1](embed)', 80)
    """
    return name if len(name) <= most else f"{name[: most // 2]}…{name[len(name) - most // 2 + 1 :]}"


def bars_height(names: list[str]) -> float:
    """Inches for so many bars."""
    return max(2.4, 1.1 + 0.24 * len(names))


def bars_axes(names: list[str]) -> "Axes":
    """New axes with room for the names."""
    width = 4.6 + 0.065 * max(map(len, names))
    return import_matplotlib().Figure(figsize=(width, bars_height(names)), layout="constrained").subplots()


def label_bars(ax: "Axes", names: list[str], what: str) -> None:
    """Names beside the bars, the first on top."""
    ax.set_yticks(range(len(names)), names, fontsize=8, **PLAIN)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.axvline(0, color=foreground(), lw=0.8)
    ax.set_xlabel(what, **PLAIN)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
