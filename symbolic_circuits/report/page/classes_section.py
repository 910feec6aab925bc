"""The path classes of an expansion with too many terms to list: how many terms each has, what they contribute together."""

from collections.abc import Sequence

from symbolic_circuits.counts import in_words
from symbolic_circuits.report.page.classes import ClassSum
from symbolic_circuits.report.page.markup import Markup, element, joined
from symbolic_circuits.report.page.templates import formula

__all__ = ["bar", "classes_section", "percent"]

FORMULAS = 60  # classes whose formulas are shown
BAR = 120  # pixels
NUMBERS = dict.fromkeys(("terms", "together", "of total"), "number")


def classes_section(sums: Sequence[ClassSum], shown: Sequence[str], total: float | None, notation: str) -> Markup:
    """A table of the classes, those that contribute most first.

    Parameters
    ----------
    sums : the classes
    shown : the names of classes that terms are listed of, by number
    total : of all terms; None where there are no weights
    """
    rows = sorted(sums, key=lambda found: -abs(found.value or 0.0))
    largest = max((abs(found.value) for found in rows if found.value is not None), default=0.0)
    numbers = {name: k for k, name in enumerate(shown)}
    heads = ["path class", "terms", *(["together", "of total", ""] if total is not None else []), "listed"]
    head = element("thead", element("tr", *(element("th", name, scope="col", class_=NUMBERS.get(name)) for name in heads)))
    body = [row(found, numbers.get(str(found.term)), total, largest, notation, k < FORMULAS) for k, found in enumerate(rows)]
    caption = element("caption", f"{len(rows):,} path classes: terms that differ in the numbers of their heads only")
    table = element("table", caption, head, element("tbody", *body), class_="plain classes")
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label="Path classes")


def row(found: ClassSum, number: int | None, total: float | None, largest: float, notation: str, with_formula: bool) -> Markup:
    """A class."""
    name = element("code", str(found.term))
    cells = [
        element(
            "th", name, element("div", formula(found.term, notation), class_="formula") if with_formula else None, scope="row"
        ),
        element("td", in_words(found.count, 24), class_="number"),
    ]
    if total is not None:
        share = element("td", percent(found.value, total), class_="number")
        cells += [
            element("td", with_minus(f"{found.value:+.4g}"), class_="number"),
            share,
            element("td", bar(found.value, largest)),
        ]
    button = element("button", "show", type="button", data_class=str(number), aria_label=f"Show the listed terms of {found.term}")
    return element("tr", *cells, element("td", button if number is not None else "\u2013"))


def percent(value: float, total: float) -> str:
    """A part of a total.

    >>> percent(1.0, 8.0), percent(1.0, 5e3), percent(1.0, 0.0)
    ('+12.5 %', '+0.02 %', '')
    """
    if not total:
        return ""
    part = 100 * value / total
    return with_minus(f"{part:+.2g} %" if 0 < abs(part) < 0.05 else f"{part:+.1f} %")


def with_minus(number: str) -> str:
    """A number with a sign as long as the plus."""
    return number.replace("-", "\u2212")


def bar(value: float, largest: float) -> Markup:
    """A bar to the right of a line where a value adds, to the left where it takes away."""
    middle = BAR / 2
    width = middle * abs(value) / largest if largest else 0.0
    start = middle if value >= 0 else middle - width
    rect = element(
        "rect", x=f"{start:.1f}", y="3", width=f"{width:.1f}", height="8", rx="2", class_="adds" if value >= 0 else "takes"
    )
    line = element("line", x1=str(middle), x2=str(middle), y1="0", y2="14", class_="zero")
    return joined(
        element("svg", rect, line, viewBox=f"0 0 {BAR} 14", width=str(BAR), height="14", class_="bar", aria_hidden="true")
    )
