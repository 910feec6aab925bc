r"""Brackets around LaTeX: of a size larger than those inside, and around factors that would read as part of what is before them."""

import re
from collections.abc import Sequence
from itertools import pairwise

from sympy import Expr, MatMul
from sympy.printing.precedence import PRECEDENCE

from symbolic_circuits.report.derivations.filling import BREAK, OFF, ON
from symbolic_circuits.report.plain import binding

__all__ = ["apart", "strength", "wrapped"]

STARTS = re.compile(rf"[{ON}{OFF}{BREAK}]*([0-9]|\\t?frac(?![A-Za-z]))")
ENDS = re.compile(rf"([0-9]|\\t?frac\{{[0-9]+\}}\{{[0-9]+\}})[{ON}{OFF}{BREAK}]*\Z")
SIZES = ("", r"\big", r"\Big", r"\bigg")


def apart(texts: Sequence[str]) -> list[str]:
    """Factors side by side, brackets around one that starts with a sign, or with a number after another one."""
    clash = [bool(ENDS.search(a) and STARTS.match(b)) or b.lstrip(ON).startswith("-") for a, b in pairwise(texts)]
    return [texts[0], *(wrapped(text) if is_second else text for text, is_second in zip(texts[1:], clash, strict=True))]


def wrapped(latex: str) -> str:
    r"""Brackets a size larger than those inside, and larger than a line around sums."""
    inside = max((size for size in range(1, 4) if rf"{SIZES[size]}l(" in latex), default=0 if "(" in latex else -1)
    tall = re.search(r"(?<!\\textstyle)\\(sum|frac)(?![A-Za-z])", latex)
    size = min(max(inside + 1, 2), 3) if tall else min(inside + 1, 2)
    if SIZES[size] == "":
        return f"({latex})"
    return rf"{SIZES[size]}l({latex}{SIZES[size]}r)"


def strength(expr: Expr) -> int:
    """How tightly the outermost operation binds; SymPy would work out the sign of a product of matrices factor by factor."""
    if not isinstance(expr, MatMul):
        return binding(expr)
    return PRECEDENCE["Add"] if expr.args[0].is_Number and expr.args[0].is_negative else PRECEDENCE["Mul"]
