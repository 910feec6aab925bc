r"""A sheet as HTML: a figure of its own, without script, links or classes; colours are those of the page, so that light and dark work.

A formula is text with small letters above and below, $W_{OV}^h$ as ``W<sub>OV</sub><sup>h</sup>``: it needs no library and shows in every
notebook, also in one that is not trusted.
"""

import re

from sympy.core.basic import Basic

from symbolic_circuits.report.display.inert import html_text
from symbolic_circuits.report.display.sheet import Cell, Formula, Name, Share, Sheet, alignment
from symbolic_circuits.report.display.text import formula_text

__all__ = ["formula_html", "to_html"]

LINE = "1px solid rgba(128,128,128,.35)"
HEAD = f"text-align:{{}};padding:.2em .8em .2em 0;border-bottom:{LINE};font-weight:600;background:transparent"
CELL = "text-align:{};padding:.15em .8em .15em 0;vertical-align:baseline;background:transparent;overflow-wrap:break-word"
MATH = "font-family:STIX Two Math,Cambria Math,Latin Modern Math,serif;font-size:1.06em;line-height:1.6"
BAR = "display:inline-block;height:.6em;width:{:.2f}em;margin-left:.5em;background:{}"
BAR_WIDTH = 5.0  # em
COLOURS = ("rgba(66,133,244,.75)", "rgba(219,109,40,.8)")  # of bars of positive and negative parts
BELOW = re.compile(r"_(?:\{([^{}]*)\}|([A-Za-z]+[0-9]*|[0-9]+))")
ABOVE = re.compile(r"\^(?:\{([^{}]*)\}|([A-Za-z]+[₀-₉]*|[0-9]+))")


def to_html(sheet: Sheet, *, typeset: bool = True, unicode: bool = True) -> str:
    """HTML of a sheet.

    Parameters
    ----------
    typeset : formulas have small letters above and below; else they are text in letters of one width
    unicode : formulas that are text may have the signs of the field, else ``(x)`` and ``sum_h``
    """
    parts = [f'<div style="font-weight:600;margin-bottom:.3em">{html_text(sheet.title)}</div>']
    if sheet.formula is not None:
        parts.append(f'<div style="margin:.3em 0">{formula_html(sheet.formula, typeset, unicode)}</div>')
    if sheet.rows:
        parts.append(table(sheet, typeset, unicode))
    parts += [f'<div style="opacity:.8">{html_text(note)}</div>' for note in sheet.notes]
    if sheet.code:
        parts.append(f'<div style="opacity:.8">see {", ".join(f"<code>{html_text(text)}</code>" for text in sheet.code)}</div>')
    return f'<div style="overflow-x:auto">{"".join(parts)}</div>'


def table(sheet: Sheet, typeset: bool, unicode: bool) -> str:
    """The table; numbers stand at the right."""
    sides = [alignment([row[k] for row in sheet.rows]) for k in range(len(sheet.heads))]
    heads = "".join(
        f'<th scope="col" style="{HEAD.format(side)}">{html_text(head)}</th>'
        for head, side in zip(sheet.heads, sides, strict=True)
    )
    lines = []
    for row in sheet.rows:
        cells = (
            f'<td style="{CELL.format(side)}">{cell_html(cell, typeset, unicode)}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        lines.append(f'<tr style="background:transparent">{"".join(cells)}</tr>')
    top = f"<thead><tr>{heads}</tr></thead>" if any(sheet.heads) else ""
    return f'<table style="border-collapse:collapse;margin:.3em 0">{top}<tbody>{"".join(lines)}</tbody></table>'


def cell_html(cell: Cell, typeset: bool, unicode: bool) -> str:
    """A cell."""
    match cell:
        case Name(text):
            return f"<code>{html_text(text)}</code>"
        case Formula(expr):
            return formula_html(expr, typeset, unicode)
        case Share():
            bar = BAR.format(BAR_WIDTH * cell.length, COLOURS[cell.part < 0])
            room = f"display:inline-block;width:{BAR_WIDTH + 0.5}em;text-align:left"
            return f'{html_text(cell.text)}<span aria-hidden="true" style="{room}"><span style="{bar}"></span></span>'
    return html_text(cell)


def formula_html(expr: Basic, typeset: bool = True, unicode: bool = True) -> str:
    """A formula.

    >>> import symbolic_circuits as sc
    >>> print(formula_html(sc.path_expansion("attn(H)").closed_form())[len(MATH) + 15 :])
    Id ⊗ W<sub>U</sub> W<sub>E</sub> + Σ<sub>h</sub> A<sup>h</sup> ⊗ W<sub>U</sub> W<sub>OV</sub><sup>h</sup> W<sub>E</sub></span>
    """
    if not typeset:
        return f"<code>{html_text(formula_text(expr, unicode))}</code>"
    text = html_text(formula_text(expr, True))
    for pattern, tag in ((BELOW, "sub"), (ABOVE, "sup")):
        text = pattern.sub(lambda found, tag=tag: f"<{tag}>{found[1] or found[2]}</{tag}>", text)
    return f'<span style="{MATH}">{text}</span>'
