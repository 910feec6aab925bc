"""An axis has a size: a positive integer, or a positive integer symbol such as ``n``; sizes agree or are known to differ.

| letter | meaning |
| --- | --- |
| n, d, V | positions, residual width, vocabulary |
| e, m, H | head width, hidden width of a bilinear layer, heads of an attention block |
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeAlias

import sympy

from symbolic_circuits.errors import ShapeError, SpecError

__all__ = ["Size", "as_size", "known_to_differ", "require_same_size", "size_symbol", "substitute_size"]

Size: TypeAlias = int | sympy.Symbol

NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,7}(_[A-Za-z0-9]{1,7})?\Z")


def size_symbol(name: str) -> sympy.Symbol:
    """The positive integer symbol called ``name``: a letter, then letters or digits, at most one subscript after ``_``.

    >>> size_symbol("n").is_positive, size_symbol("H_1").is_integer
    (True, True)
    """
    if not NAME.match(name) or name == "no":
        raise SpecError(
            f"a size is named by letters and digits with at most one subscript, of up to 8 and 7 characters, like n or H_1; got {name!r}"
        )
    return sympy.Symbol(name, integer=True, positive=True)


def as_size(value: object, what: str) -> Size:
    """``value`` as a size: an int of at least 1, or a symbol known to be a positive integer; ``what`` names it in errors.

    >>> as_size(3, "n"), as_size("d", "d"), as_size(sympy.Integer(4), "m")
    (3, d, 4)
    """
    if isinstance(value, str):
        return size_symbol(value)
    if isinstance(value, sympy.Symbol):
        if value != size_symbol(value.name):  # the name reaches LaTeX and code
            raise SpecError(f"{what} is the symbol {value}, which is not declared with integer=True, positive=True and no more")
        return value
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise SpecError(f"{what} must be a positive integer or a positive integer symbol; got {value!r}")
    number = value.__index__()
    if number < 1:
        raise SpecError(f"{what} must be at least 1; got {number}")
    return number


def substitute_size(size: Size, values: Mapping[sympy.Symbol, Size]) -> Size:
    """``size`` with its symbol replaced where ``values`` has it."""
    return values.get(size, size) if isinstance(size, sympy.Symbol) else size


def known_to_differ(left: object, right: object) -> bool:
    """Whether two size expressions cannot be equal: their difference is a nonzero number.

    >>> n, d = size_symbol("n"), size_symbol("d")
    >>> known_to_differ(n, d), known_to_differ(n, n + 1), known_to_differ(2, 3)
    (False, True, True)
    """
    difference = sympy.sympify(left, strict=True) - sympy.sympify(right, strict=True)
    return difference.is_zero is False or (difference.is_number and difference != 0)


def require_same_size(left: object, left_source: Callable[[], str], right: object, right_source: Callable[[], str]) -> None:
    """Raise ShapeError, naming both sources, when the two sizes are known to differ; the sources are only asked for then."""
    if left != right and known_to_differ(left, right):
        raise ShapeError(f"{left_source()} has size {left}, but {right_source()} has size {right}")
