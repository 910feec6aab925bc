"""Formulas on the command line: with the signs of the field where the terminal can show them, in letters in a pipe."""

from sympy.core.basic import Basic

from symbolic_circuits.cli.terminal import shows_signs
from symbolic_circuits.report.plain import to_plain
from symbolic_circuits.report.unicode import to_unicode

__all__ = ["formula"]


def formula(expr: Basic) -> str:
    """An expression in one line.

    >>> import symbolic_circuits as sc
    >>> print(formula(sc.path_expansion("attn(H)").closed_form()))
    Id (x) W_U W_E + sum_h A^h (x) W_U W_OV^h W_E
    """
    return to_unicode(expr) if shows_signs() else to_plain(expr)
