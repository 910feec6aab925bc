"""A sheet as lines of text: formulas with the signs of the field or in plain letters, columns under each other."""

from sympy.core.basic import Basic

from symbolic_circuits.report.display.inert import one_line
from symbolic_circuits.report.display.sheet import Cell, Formula, Name, Share, Sheet, alignment, clipped
from symbolic_circuits.report.plain import to_plain
from symbolic_circuits.report.unicode import to_unicode

__all__ = ["formula_text", "to_lines"]

WIDTH = 100  # of a formula in a table


def formula_text(expr: Basic, unicode: bool) -> str:
    """A formula in one line."""
    return to_unicode(expr) if unicode else to_plain(expr)


def to_lines(sheet: Sheet, *, unicode: bool = True) -> str:
    """Lines of text.

    >>> print(to_lines(Sheet("two terms", heads=("", "term"), rows=(("0", Name("embed")), ("1", Name("attn.0[0](embed)"))))))
    two terms
         term
      0  embed
      1  attn.0[0](embed)
    """
    lines = [one_line(sheet.title)]
    if sheet.formula is not None:
        lines.append(f"  {one_line(formula_text(sheet.formula, unicode))}")
    lines += table(sheet, unicode)
    lines += [f"  {one_line(note)}" for note in sheet.notes]
    return "\n".join([*lines, *([f"  see {', '.join(map(one_line, sheet.code))}"] if sheet.code else [])])


def table(sheet: Sheet, unicode: bool) -> list[str]:
    """The rows of a table, numbers at the right; a formula that is too long for a row is cut."""
    rows = [[one_line(cell_text(cell, unicode)) for cell in row] for row in sheet.rows]
    if not rows:
        return []
    put = [str.rjust if alignment([row[k] for row in sheet.rows]) == "right" else str.ljust for k in range(len(rows[0]))]
    rows = [list(map(one_line, sheet.heads)), *rows] if any(sheet.heads) else rows
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(p(c, w) for p, c, w in zip(put, row, widths, strict=True)).rstrip() for row in rows]


def cell_text(cell: Cell, unicode: bool) -> str:
    """A cell."""
    match cell:
        case Formula(expr):
            return clipped(formula_text(expr, unicode), WIDTH)
        case Name() | Share():
            return cell.text
    return cell
