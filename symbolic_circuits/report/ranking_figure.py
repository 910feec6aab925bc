"""Rankings and explanations as pictures: bars of the largest terms with the bound on all others, shares, a histogram of sizes."""

from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, OutputError
from symbolic_circuits.numeric.ranking.explanation import Explanation
from symbolic_circuits.numeric.ranking.local_complexity import LocalComplexity
from symbolic_circuits.numeric.ranking.ranking import Ranking
from symbolic_circuits.report.figures import COLOURS, import_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_explanation", "draw_local_complexity", "draw_ranking"]

MAX_BARS = 60
MAX_BESIDE = 24  # bars beside a curve
MAX_POINTS = 20_000
MAX_LABEL = 80  # characters of a term's name


def draw_ranking(ranking: Ranking, axes: "Axes | None" = None) -> "Axes":
    """Bars for the values of the terms listed, the largest on top; grey what no other term exceeds.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        There are more terms than a picture can show.
    OutputError
        There is no term to draw.

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
    ax = axes or bars_axes(names)
    ax.barh(range(len(names)), values, color=[COLOURS["input"] if value >= 0 else COLOURS["head"] for value in values])
    if ranking.bound:
        low = -ranking.bound if (values < 0).any() else 0.0
        label = f"no other of {in_words(ranking.expansion.number_of_terms)} terms exceeds {ranking.bound:.3g}"
        ax.axvspan(low, ranking.bound, color=COLOURS["stream"], alpha=0.3, lw=0, zorder=0, label=label)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=8)
    label_bars(ax, names, ranking.what)
    return ax


def draw_explanation(found: Explanation, axes: "tuple[Axes, Axes] | None" = None) -> "tuple[Axes, Axes]":
    """Bars for the terms of the explanation, and beside them the share of the total that so many of them add up to.

    Raises
    ------
    MissingExtraError, BudgetError, OutputError
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
    if axes is None:
        figure, height = import_matplotlib(), bars_height(names)
        width = 3.4 + 0.065 * max(map(len, names))
        axes = tuple(figure.Figure(figsize=(width + 4.2, height), layout="constrained").subplots(1, 2, width_ratios=[width, 4.2]))
    left, right = axes
    values = [row["value"] for row in largest]
    colours = [COLOURS["input"] if value * found.total >= 0 else COLOURS["head"] for value in values]
    left.barh(range(len(names)), values, color=colours)
    more = f", {len(names)} largest of {len(rows):,} terms" if len(rows) > len(names) else ""
    label_bars(left, names, found.what + ("" if found.is_number else ", along the total") + more)
    draw_shares(found, right)
    return left, right


def draw_shares(found: Explanation, ax: "Axes") -> None:
    """The share of the total that the first k terms add up to, with the band that is asked for."""
    shares = [0.0, *(row["so_far"] for row in found.rows())]
    ax.axhspan(found.fraction, 2 - found.fraction, color=COLOURS["bilinear"], alpha=0.25, lw=0, label="asked for")
    ax.axhline(1, color=COLOURS["stream"], ls="--", lw=1, label="all terms")
    ax.plot(range(len(shares)), shares, "o-", ms=3 if len(shares) < 100 else 0, color=COLOURS["input"], label="terms so far")
    ax.set_xlabel("terms")
    ax.set_ylabel("share of the total" if found.is_number else "share, along the total")
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=3, frameon=False, fontsize=8, handlelength=1.4)
    ax.spines[["top", "right"]].set_visible(False)


def draw_local_complexity(found: LocalComplexity, axes: "Axes | None" = None) -> "Axes":
    """Bars for the number of inputs of each size; lighter where the size is not proved to be the minimum.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    OutputError
        No input is explained.

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
    figure = import_matplotlib()
    ax = axes or figure.Figure(figsize=(5.2, 3.6), layout="constrained").subplots()
    rows = found.rows()
    sizes, proved = [row["terms"] for row in rows], np.array([row["minimum"] for row in rows])
    others = np.array([row["inputs"] for row in rows]) - proved
    ax.bar(sizes, proved, color=COLOURS["input"], label="minimum, proved" if proved.any() else None)
    if others.any():
        ax.bar(sizes, others, bottom=proved, color=COLOURS["input"], alpha=0.4, label="found, perhaps not the fewest")
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, fontsize=8)
    ax.set_xlabel(f"terms that explain {100 * found.fraction:g} %")
    ax.set_title(f"{found.reading}, {len(found.inputs):,} inputs", loc="left", fontsize=9, pad=22 if others.any() else 8)
    ax.set_ylabel("inputs")
    for axis in (ax.xaxis, ax.yaxis):
        axis.get_major_locator().set_params(integer=True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def require_drawable(found: Ranking | Explanation, limit: int, what: str) -> None:
    """Raise unless there is something to draw, and not too much."""
    if not len(found):
        raise OutputError(f"there is no term to draw: {found.summary()}")
    if len(found) > limit:
        raise BudgetError(f"a picture of {len(found):,} {what} was asked for; the limit is {limit:,}")


def shortened(name: str) -> str:
    """A name that fits beside a bar.

    >>> shortened("attn.0[1](embed)"), len(shortened("x" * 200))
    ('attn.0[1](embed)', 80)
    """
    return name if len(name) <= MAX_LABEL else f"{name[: MAX_LABEL // 2]}…{name[len(name) - MAX_LABEL // 2 + 1 :]}"


def bars_height(names: list[str]) -> float:
    """Inches for so many bars."""
    return max(2.4, 1.1 + 0.24 * len(names))


def bars_axes(names: list[str]) -> "Axes":
    """New axes with room for the names."""
    width = 4.6 + 0.065 * max(map(len, names))
    return import_matplotlib().Figure(figsize=(width, bars_height(names)), layout="constrained").subplots()


def label_bars(ax: "Axes", names: list[str], what: str) -> None:
    """Names beside the bars, the first on top."""
    ax.set_yticks(range(len(names)), names, fontsize=8)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.axvline(0, color="black", lw=0.8)
    ax.set_xlabel(what)
    ax.tick_params(axis="y", length=0)
    ax.spines[["top", "right", "left"]].set_visible(False)
