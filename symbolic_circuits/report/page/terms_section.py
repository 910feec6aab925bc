"""The table of terms as it is before a browser fills it: filters, heads of columns, the place of the term that is chosen."""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from symbolic_circuits.report.page.markup import Markup, element, joined

__all__ = ["data_block", "terms_section"]

COLUMNS = (  # key, head, classes; what is sorted by first
    ("number", "#", "c-number number"),
    ("term", "term", "c-term"),
    ("order", "order", "c-order number"),
    ("height", "height", "c-height number"),
    ("left", "left input", "c-left"),
    ("right", "right input", "c-right"),
    ("value", "contribution", "c-value"),
)

PIECES = re.compile(r"(\D+)(\d*)")


def data_block(data: dict[str, object]) -> Markup:
    r"""Plain data that a browser reads and does not run.

    >>> print(data_block({"name": "</script>"}))
    <script type="application/json" id="data">{"name":"\u003c/script>"}</script>
    """
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)  # ASCII: all else is escaped already
    return Markup(f'<script type="application/json" id="data">{text.replace("<", chr(92) + "u003c")}</script>')


def terms_section(data: dict[str, object], words: str, what: str | None, sides: tuple[str, str]) -> Markup:
    """The section of the terms.

    Parameters
    ----------
    data : the columns of the rows
    words : which terms these are
    what : is read as the contribution; None where there are no numbers
    sides : names of the two inputs
    """
    named = dict(zip(("left", "right"), sides, strict=True))
    shown = [column for column in COLUMNS if column[0] != "value" or what is not None]
    heads = [head(key, named.get(key, name), classes) for key, name, classes in shown]
    table = element(
        "table",
        element("caption", f"Terms: {words}", class_="hidden"),
        element("thead", element("tr", *heads, role="row", aria_rowindex="1"), role="rowgroup"),
        element("tbody", id="rows", role="rowgroup"),
        id="grid",
        role="grid",
        tabindex="0",
        aria_rowcount=str(len(data["name"]) + 1),
        aria_describedby="keys",
    )
    return joined(
        element("p", f"Shown: {words}.", f" Contribution: {what}." if what else ""),
        filters(data, what is not None, named),
        element("p", id="status", role="status", class_="status"),
        element("div", table, class_="viewport", id="viewport"),
        element(
            "p",
            "Arrow keys move between rows, Enter shows a term below; the heads of the columns sort.",
            id="keys",
            class_="note",
        ),
        element("div", id="detail", class_="detail", role="region", aria_label="The term that is chosen"),
        element("p", id="said", class_="hidden", role="status"),
        element("noscript", element("p", "The table of terms, its filters and its diagrams need JavaScript.", class_="note")),
    )


def head(key: str, name: str, classes: str) -> Markup:
    """The head of a column, a button that sorts."""
    button = element("button", name, element("span", class_="arrow", aria_hidden="true"), type="button", data_sort=key)
    return element("th", button, scope="col", role="columnheader", class_=classes, aria_sort="none")


def filters(data: dict[str, object], has_values: bool, named: dict[str, str]) -> Markup:
    """What is looked for, and what rows are kept."""
    orders = sorted(set(data["order"]))
    used = sorted({k for parts in data["parts"] for k in parts})
    sides = {side: sorted(set(data[side]) - {-1}) for side in ("left", "right")}
    names, classes = data["components"], data["classes"]
    fields = [
        field(
            "search",
            "search",
            element("input", type="search", id="search", placeholder="attn.0[1](embed)", spellcheck="false", autocomplete="off"),
        ),
        chooser("order", "order", [(str(k), str(k)) for k in orders]),
        chooser("part", "component", choices(names, used)),
        *(chooser(side, named[side], choices(names, sides[side])) for side in sides if sides[side]),
        chooser("class", "path class", [(str(k), name) for k, name in enumerate(classes)]) if len(classes) > 1 else None,
    ]
    if has_values:
        signs = [("+", "adds"), ("-", "takes away")]
        least = element("input", type="number", id="least", min="0", step="any", placeholder="0", inputmode="decimal")
        fields += [chooser("sign", "sign", signs), field("least", "at least, %", least)]
    fields.append(element("button", "Clear", type="button", id="clear"))
    return element("div", *fields, class_="filters", role="search", aria_label="Filter the terms")


def choices(names: Sequence[str], numbers: Iterable[int]) -> list[tuple[str, str]]:
    """Components in the order of their numbers, the heads of a block after all of them together.

    >>> choices(["attn.0[10]", "embed", "attn.0[9]"], [0, 1, 2])
    [('2,0', 'attn.0[*]'), ('2', 'attn.0[9]'), ('0', 'attn.0[10]'), ('1', 'embed')]
    """
    found: list[tuple[str, str]] = []
    for block, members in groupby(sorted(numbers, key=lambda k: in_order(names[k])), lambda k: names[k].partition("[")[0]):
        each = [(str(k), names[k]) for k in members]
        found += [(",".join(value for value, _ in each), f"{block}[*]"), *each] if len(each) > 1 else each
    return found


def in_order(name: str) -> list[tuple[str, int]]:
    """Names by their letters, then by their numbers."""
    return [(letters, int(digits or 0)) for letters, digits in PIECES.findall(name)]


def field(key: str, label: str, control: Markup) -> Markup:
    """A control under its label."""
    return element("label", element("span", label), control, for_=key, class_=f"field f-{key}")


def chooser(key: str, label: str, options: Sequence[tuple[str, str]]) -> Markup:
    """A choice of one, or of any."""
    choices = [element("option", "any", value=""), *(element("option", name, value=value) for value, name in options)]
    return field(key, label, element("select", *choices, id=key))
