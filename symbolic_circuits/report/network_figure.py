"""The tensor-network diagram of a term: tensors as boxes, indices as lines between them, the legs of the output on the right."""

from collections import defaultdict
from typing import TYPE_CHECKING

import opt_einsum

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.report.figure_style import PLAIN, StyleLike, colour, figure_style, foreground, import_matplotlib, ink_on
from symbolic_circuits.report.network_layout import NetworkLayout, Point, network_layout
from symbolic_circuits.report.ranking_figure import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_network"]

MAX_NODES = 120  # of the term
STEP, ROW = 1.0, 1.0  # inches
KINDS = {  # letter -> whose colour
    **dict.fromkeys(("A", "W_OV", "b_OV", "b_O"), "head"),
    **dict.fromkeys(("M", "W_QK", "W_Q", "W_K", "W_Q1", "W_K1", "W_Q2", "W_K2", "b_Q", "b_K", "R"), "scores"),
    **dict.fromkeys(("W_1", "W_2", "W_out", "B", "G", "b_1", "b_2", "b_out"), "bilinear"),
    **dict.fromkeys(("r", "C", "w", "b"), "norm"),
}
MAX_TITLE = 90  # characters


def draw_network(term: Term, ax: "Axes | None" = None, *, style: StyleLike | None = None) -> "Axes":
    """Draw the tensor network of a term. Letters at the lines are those of ``term.to_einsum()``.

    Lines of positions are dashed and stand half a row above those of features. A dot is an index that more than two share; it is summed unless it is
    one of the output, whose legs end on the right. Numbers in front of the term are in the title.

    Parameters
    ----------
    ax : where to draw; new ones by default, of a size that fits
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError
        The term has more nodes than a picture can show.
    NotationError
        There is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> ax = draw_network(sc.path_expansion("attn(2)")[2])
    >>> [text.get_text() for text in ax.texts][:5]
    ['$A^{1}$', '$t$', '$W_{E}$', '$W_{OV}^{1}$', '$W_{U}$']
    """
    if term.nodes > MAX_NODES:
        raise BudgetError(f"a picture of a term of {term.nodes:,} nodes was asked for; the limit is {MAX_NODES}")
    with figure_style(style):
        layout = network_layout(term)
        xs, ys = zip(*(*layout.places.values(), *layout.dots.values(), *layout.ends.values()), strict=True)
        if ax is None:
            size = (max(5.0, (max(xs) - min(xs) + 1.4) * STEP), (max(ys) - min(ys) + 1.2) * ROW + 0.4)
            ax = import_matplotlib().Figure(figsize=size, layout="constrained").subplots()
        for number in range(len(layout.tensors)):
            add_tensor(ax, layout, number)
        for index in layout.indices:
            add_index(ax, layout, index)
        ax.set_title(title_of(term, layout), **PLAIN)
        ax.set_xlim(min(xs) - 0.6, max(xs) + 0.4)
        ax.set_ylim(min(ys) - 0.6, max(ys) + 0.6)
        ax.set_axis_off()
    return ax


def add_tensor(ax: "Axes", layout: NetworkLayout, number: int) -> None:
    """A box with the name of a tensor."""
    tensor = layout.tensors[number]
    kind = KINDS.get(tensor.letter, KINDS.get(tensor.letter.partition("_")[0], "input"))
    box = {"boxstyle": "round,pad=0.3", "fc": colour(kind), "ec": "none"}
    ax.text(
        *layout.places[number],
        f"${tensor.latex}$",
        ha="center",
        va="center",
        fontsize=9,
        color=ink_on(colour(kind)),
        bbox=box,
        zorder=3,
    )


def add_index(ax: "Axes", layout: NetworkLayout, index: int) -> None:
    """The lines of an index, and its letter."""
    users, dot, end = layout.users(index), layout.dots.get(index), layout.ends.get(index)
    ports = [layout.port(k, index) for k in users]
    ends = [point for point in (*ports, end) if point is not None]
    is_position = index in layout.positions
    lines = lines_of(ends, dot, is_position)
    for line in lines:
        add_line(ax, *line, is_position)
    if is_position:
        for k, port in zip(users, ports, strict=True):
            add_line(ax, layout.places[k], port, True)
    if dot is not None:
        ax.plot(*dot, "o", ms=4.5, color=ink_of(is_position), zorder=2.5)
    add_letter(ax, layout, index, lines)


def lines_of(ends: list[Point], dot: Point | None, is_position: bool) -> list[tuple[Point, Point]]:
    """Lines from one end to the other or from all to the dot; those of positions on one trunk, so that no line is drawn twice."""
    if dot is None:
        return [tuple(sorted(ends))]
    if not is_position:
        return [tuple(sorted((point, dot))) for point in ends]
    rows: dict[float, list[float]] = defaultdict(lambda: [dot[0]])
    for x, y in ends:
        rows[y].append(x)
    trunk = ((dot[0], min(*rows, dot[1])), (dot[0], max(*rows, dot[1])))
    return [*(((min(xs), y), (max(xs), y)) for y, xs in rows.items()), trunk]


def ink_of(is_position: bool) -> str:
    """The colour of a line."""
    return colour("position") if is_position else foreground()


def add_line(ax: "Axes", start: Point, end: Point, is_position: bool) -> None:
    """A line of features straight, one of positions across and then up or down."""
    corner = [(end[0], start[1])] if is_position else []
    xs, ys = zip(start, *corner, end, strict=True)
    ax.plot(xs, ys, ls="--" if is_position else "-", lw=1.3, color=ink_of(is_position), solid_joinstyle="round", zorder=1)


def add_letter(ax: "Axes", layout: NetworkLayout, index: int, lines: list[tuple[Point, Point]]) -> None:
    """The letter of an index, at the end of a leg, beside a dot or on the middle of its line."""
    letter, is_position = letters_of(layout)[index], index in layout.positions
    (x, y), (u, v) = lines[0]
    if index in layout.ends:
        (x, y), side = layout.ends[index], ("left", "center", 0.06, 0.0)
    elif index in layout.dots:
        (x, y), side = layout.dots[index], ("left", "top", 0.06, -0.06)
    elif x == u:
        y, side = (y + v) / 2, ("left", "center", 0.06, 0.0)
    else:
        x, y, side = 0.6 * x + 0.4 * u, y if is_position else 0.6 * y + 0.4 * v, ("center", "bottom", 0.0, 0.05)
    style = {"fontsize": 8, "color": ink_of(is_position), "style": "italic", "zorder": 2.6}
    ax.text(x + side[2], y + side[3], letter, ha=side[0], va=side[1], **style)


def letters_of(layout: NetworkLayout) -> dict[int, str]:
    """The letters of ``term.to_einsum()``."""
    every = dict.fromkeys([*(i for tensor in layout.tensors for i in tensor.indices), *layout.output])
    return {index: opt_einsum.get_symbol(k) for k, index in enumerate(every)}


def title_of(term: Term, layout: NetworkLayout) -> str:
    """The name of the term, and the numbers in front of it."""
    return " · ".join([*layout.scalars, shortened(str(term), MAX_TITLE)])
