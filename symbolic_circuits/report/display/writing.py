"""A sheet as HTML, as LaTeX and as text; what ``sympy.init_printing`` says about mathematics holds for all three."""

from collections.abc import Collection

from symbolic_circuits.report.display.html import to_html
from symbolic_circuits.report.display.latex import to_math
from symbolic_circuits.report.display.settings import is_latex_on, is_unicode_on, latex_delimiters
from symbolic_circuits.report.display.sheet import Sheet
from symbolic_circuits.report.display.text import to_lines

__all__ = ["bundle_of", "html_of", "latex_of", "text_of"]


def html_of(sheet: Sheet) -> str:
    """HTML; formulas are text where LaTeX is switched off."""
    return to_html(sheet, typeset=is_latex_on(), unicode=is_unicode_on())


def latex_of(sheet: Sheet) -> str | None:
    """LaTeX between the delimiters that SymPy has; None where it is switched off or there is nothing to set."""
    delimiters = latex_delimiters()
    found = to_math(sheet) if delimiters else None
    return found and f"{delimiters[0]}{found}{delimiters[1]}"


def text_of(sheet: Sheet) -> str:
    """Lines of text."""
    unicode = is_unicode_on()
    return sheet.text() if sheet.text is not None and unicode else to_lines(sheet, unicode=unicode)


WRITERS = {"text/plain": text_of, "text/html": html_of, "text/latex": latex_of}


def bundle_of(sheet: Sheet, include: Collection[str] | None = None, exclude: Collection[str] | None = None) -> dict[str, str]:
    """The forms that are wanted, by MIME type."""
    wanted = [kind for kind in WRITERS if (not include or kind in include) and not (exclude and kind in exclude)]
    found = {kind: WRITERS[kind](sheet) for kind in wanted}
    return {kind: text for kind, text in found.items() if text is not None}
