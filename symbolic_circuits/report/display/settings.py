"""What ``sympy.init_printing`` says about mathematics: whether LaTeX is shown and between what, and whether text may be Unicode.

SymPy has no function that says it, so it is asked to show something small, and what comes back is looked at.
"""

from sympy import S, Symbol
from sympy.printing import pretty

__all__ = ["is_latex_on", "is_unicode_on", "latex_delimiters"]

PLAIN = (r"$\displaystyle ", "$")


def latex_delimiters() -> tuple[str, str] | None:
    r"""What SymPy puts before and after a formula; None where LaTeX is switched off.

    >>> latex_delimiters()
    ('$\\displaystyle ', '$')
    """
    found = S.One._repr_latex_()
    if found is None:
        return None
    before, one, after = found.partition("1")
    return (before, after) if one else PLAIN


def is_latex_on() -> bool:
    """Whether SymPy shows LaTeX."""
    return latex_delimiters() is not None


def is_unicode_on() -> bool:
    """Whether SymPy writes alpha as a Greek letter."""
    return pretty(Symbol("alpha")) != "alpha"
