"""Shapes as text: ``"n x d"`` is (n, d), ``"H x n*k"`` is (H, n k), ``"d + 1"`` one axis, ``""`` a scalar.

Axes are joined by x, × or ``\\times``; a size is a sum of products of names and numbers.
"""

import re
from collections.abc import Sequence

from sympy import Add, Expr, Integer, Mul

from symbolic_circuits.axes import as_size
from symbolic_circuits.errors import ShapeError, SymbolicCircuitsError

__all__ = ["parse_shape", "parse_size", "shown_shape"]

TIMES = re.compile(r"\s+x\s+|\s*×\s*|\s*\\times(?![A-Za-z])\s*")
MAX_AXES = 24


def parse_shape(text: str) -> tuple[Expr, ...]:
    """The sizes of the axes.

    Raises
    ------
    ShapeError
        A size is neither a name nor a number nor made of such by + and *.

    Examples
    --------
    >>> parse_shape("H x n*k x 3"), parse_shape("d"), parse_shape(""), parse_shape("d + 1")
    ((H, k*n, 3), (d,), (), (d + 1,))
    """
    if not isinstance(text, str):
        raise ShapeError(f"a shape is a text such as 'n x d'; got {text!r}")
    if not text.strip() or text.strip() == "scalar":
        return ()
    axes = TIMES.split(text.strip())
    if len(axes) > MAX_AXES:
        raise ShapeError(f"the shape {text[:60]!r} has {len(axes)} axes; the limit is {MAX_AXES}")
    return tuple(parse_size(axis, text) for axis in axes)


def parse_size(text: str, whole: str = "") -> Expr:
    """One size: ``"n*d"``, ``"d + 1"``.

    >>> parse_size("2*k"), parse_size("12")
    (2*k, 12)
    """
    return Add(*(Mul(*(atom(part, whole or text) for part in product.split("*"))) for product in text.split("+")))


def atom(text: str, whole: str) -> Expr:
    """A name or a number."""
    text = text.strip()
    try:
        if re.fullmatch(r"[0-9]{1,9}", text):
            return Integer(as_size(int(text), "a size"))
        return as_size(text, "a size")
    except SymbolicCircuitsError as error:
        raise ShapeError(f"in the shape {whole!r}: {error}; axes are joined by ' x ', as in 'n x d' or 'H x n*k x 3'") from None


def shown_shape(shape: Sequence[object]) -> str:
    """A shape for messages.

    >>> shown_shape(parse_shape("n x 2*k")), shown_shape(())
    ('(n, 2*k)', '()')
    """
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
