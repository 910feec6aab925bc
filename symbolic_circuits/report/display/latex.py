r"""A sheet as one formula of LaTeX: its formula, or its table as an array, which both LaTeX and MathJax set."""

from sympy.core.basic import Basic

from symbolic_circuits.report.display.inert import math_text, one_line
from symbolic_circuits.report.display.sheet import Cell, Formula, Name, Share, Sheet, alignment
from symbolic_circuits.report.field_latex import FieldLatexPrinter

__all__ = ["to_math"]


def to_math(sheet: Sheet) -> str | None:
    r"""The formula, else the table; None where there is neither.

    >>> print(to_math(Sheet("one term", heads=("", "term"), rows=(("0", Name("embed")),))))
    \begin{array}{rl}
     & \mathrm{term} \\
    \hline
    \mathrm{0} & \mathtt{embed} \\
    \end{array}
    """
    if sheet.formula is not None:
        return formula_math(sheet.formula)
    if not sheet.rows:
        return None
    sides = "".join(alignment([row[k] for row in sheet.rows])[0] for k in range(len(sheet.heads)))
    lines = [rf"\begin{{array}}{{{sides}}}"]
    if any(sheet.heads):
        lines += [" & ".join(math_text(head) if head else "" for head in sheet.heads) + r" \\", r"\hline"]
    lines += [" & ".join(map(cell_math, row)) + r" \\" for row in sheet.rows]
    return "\n".join([*lines, r"\end{array}"])


def formula_math(expr: Basic) -> str:
    """A formula; the printer is made anew, so that it has the settings of SymPy as they are now."""
    return one_line(FieldLatexPrinter().doprint(expr))


def cell_math(cell: Cell) -> str:
    """A cell."""
    match cell:
        case Name(text):
            return math_text(text, "mathtt")
        case Formula(expr):
            return rf"\displaystyle {formula_math(expr)}"
        case Share():
            return math_text(cell.text)
    return math_text(cell) if cell else ""
