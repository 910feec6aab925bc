r"""How the sums of terms up to each order approach the output: the remainder $\|X - \sum_{i \le k} x_i\| / \|X\|$ as SVG, and a table."""

import math
from collections.abc import Sequence

from symbolic_circuits.counts import in_words
from symbolic_circuits.numeric.graded import GradedSums
from symbolic_circuits.report.page.markup import Markup, element, joined

__all__ = ["order_plot", "order_table"]

WIDTH, HEIGHT = 720, 250
LEFT, RIGHT, TOP, BOTTOM = 64, 16, 14, 40
LOWEST = 1e-17  # what is less is drawn here
TICKS = 7
SLACK = 0.05  # of a power of ten, by which a point may stand above the highest line
LABELS = 24  # orders that are labelled


def order_plot(found: GradedSums) -> Markup:
    """The remainder after each order, on a logarithmic scale.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> order_plot(sc.graded("attn(2) bilinear", sc.Weights.example(), [3, 4, 31])).count("<circle")
    4
    """
    rows = found.rows()
    values = [max(LOWEST, row["remainder"]) if math.isfinite(row["remainder"]) else 1.0 for row in rows]
    low, high = math.floor(math.log10(min(values))), max(0, math.ceil(math.log10(max(values)) - SLACK))
    low = min(low, high - 1)
    first, last = found.grades[0], max(found.grades[-1], found.grades[0] + 1)

    def across(order: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (order - first) / (last - first)

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(value)) / (high - low)

    points = [(across(grade), down(value)) for grade, value in zip(found.grades, values, strict=True)]
    line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    dots = [dot(row, point) for row, point in zip(rows, points, strict=True)]
    title = f"Remainder after each {found.by}, from {found.grades[0]} to {found.grades[-1]}"
    parts = [*grid_lines(low, high, down), *order_labels(found.grades, across), axis_names(found.by)]
    box = f"0 0 {WIDTH} {HEIGHT}"
    curve = element("path", d=line, class_="curve")
    return element("svg", element("title", title), *parts, curve, *dots, viewBox=box, class_="plot", role="img", aria_label=title)


def dot(row: dict, point: tuple[float, float]) -> Markup:
    """The mark of an order, with its numbers for a pointer."""
    words = f"{row['grade']}: remainder {row['remainder']:.2e}, {terms_of(row)} terms, share {row['share']:+.4f}"
    return element("circle", element("title", words), cx=f"{point[0]:.1f}", cy=f"{point[1]:.1f}", r="3.5", class_="dot")


def grid_lines(low: int, high: int, down: object) -> list[Markup]:
    """Lines at powers of ten."""
    step = max(1, math.ceil((high - low) / TICKS))
    lines = []
    for power in range(high, low - 1, -step):
        y = f"{down(10.0**power):.1f}"
        exponent = element("tspan", str(power).replace("-", "\u2212"), dy="-5", class_="sub")
        label = (element("tspan", "1"),) if power == 0 else (element("tspan", "10"), exponent)
        lines.append(element("line", x1=str(LEFT), x2=str(WIDTH - RIGHT), y1=y, y2=y, class_="grid"))
        lines.append(element("text", *label, x=str(LEFT - 8), y=f"{float(y) + 4:.1f}", class_="tick end"))
    return lines


def order_labels(grades: Sequence[int], across: object) -> list[Markup]:
    """Orders under the axis."""
    step = max(1, math.ceil(len(grades) / LABELS))
    y = str(HEIGHT - BOTTOM + 18)
    return [element("text", str(grade), x=f"{across(grade):.1f}", y=y, class_="tick middle") for grade in grades[::step]]


def axis_names(by: str) -> Markup:
    """What the axes are."""
    middle = str((LEFT + WIDTH - RIGHT) // 2)
    return joined(
        element("text", f"terms up to this {by}", x=middle, y=str(HEIGHT - 4), class_="axis middle"),
        element("text", "remainder", x="14", y=str((TOP + HEIGHT - BOTTOM) // 2), class_="axis turned middle"),
    )


def order_table(found: GradedSums, whole: str = "the output") -> Markup:
    """The numbers of the plot."""
    heads = (found.by, "terms", "norm", "share", "remainder")
    rows = []
    for row in found.rows():
        cells = (terms_of(row), f"{row['norm']:.3e}", f"{row['share']:+.4f}", f"{row['remainder']:.2e}")
        rows.append(
            element("tr", element("th", str(row["grade"]), scope="row"), *(element("td", c, class_="number") for c in cells))
        )
    caption = element(
        "caption",
        f"Terms of each {found.by}: how many, their sum, and what is left after them. Norms and shares are of {whole}.",
    )
    head = element(
        "thead",
        element(
            "tr", element("th", heads[0], scope="col"), *(element("th", name, scope="col", class_="number") for name in heads[1:])
        ),
    )
    return element("table", caption, head, element("tbody", *rows), class_="plain")


def terms_of(row: dict) -> str:
    """The number of terms of an order."""
    return "" if row["terms"] is None else in_words(row["terms"], 15)
