"""A sheet: a title, a formula, a table, notes; what is shown of a result, whatever it is written in.

| cell | is |
| --- | --- |
| ``str`` | words or a number |
| ``Name`` | a name, in letters of one width |
| ``Formula`` | a SymPy expression, in the notation of the field |
| ``Share`` | a part of a whole in percent, with a bar where one can be drawn |
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sympy.core.basic import Basic

__all__ = ["Cell", "Formula", "Name", "Share", "Sheet", "clipped", "alignment", "number", "signed_shares"]

MAX_NAME = 160  # characters of a name that are shown


class Name(NamedTuple):
    """A name, as it is written in code."""

    text: str


class Formula(NamedTuple):
    """An expression."""

    expr: Basic


class Share(NamedTuple):
    """A part of a whole."""

    part: float
    largest: float  # the largest absolute value in the column, which has the longest bar

    @property
    def text(self) -> str:
        """The part in percent.

        >>> Share(0.25, 1.0).text
        '+25.0 %'
        """
        return f"{100 * self.part:+.1f} %" if np.isfinite(self.part) else ""

    @property
    def length(self) -> float:
        """The length of the bar, between 0 and 1."""
        known = np.isfinite(self.part) and np.isfinite(self.largest) and self.largest > 0
        return min(1.0, abs(self.part) / self.largest) if known else 0.0


Cell = str | Name | Formula | Share


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is shown of a result."""

    title: str
    formula: Basic | None = None
    heads: tuple[str, ...] = ()  # of the columns, "" for one without a head
    rows: tuple[tuple[Cell, ...], ...] = ()
    notes: tuple[str, ...] = ()
    code: tuple[str, ...] = ()  # what to call to see more
    text: Callable[[], str] | None = None  # the whole as text, where there is a better way to write it


def clipped(text: str, most: int = MAX_NAME) -> str:
    """A text, cut where it is long.

    >>> clipped("bilinear.1(embed, embed)", 12)
    'bilinear....'
    """
    return text if len(text) <= most else text[: most - 3] + "..."


def number(value: float) -> str:
    """A number with four digits, as a table shows it.

    >>> number(12.34567), number(1e-9)
    ('12.35', '1e-09')
    """
    return f"{value:.4g}"


def signed_shares(parts: Sequence[float]) -> list[Share]:
    """A column of shares."""
    known = [abs(part) for part in parts if np.isfinite(part)]
    return [Share(float(part), max(known, default=0.0)) for part in parts]


def alignment(cells: Sequence[Cell]) -> str:
    """Where the cells of a column stand.

    >>> alignment(["1", "-2.5e+03"]), alignment(["1", "many"])
    ('right', 'left')
    """
    return "right" if all(isinstance(c, Share) or (isinstance(c, str) and is_number(c)) for c in cells) else "left"


def is_number(text: str) -> bool:
    """Whether a cell is a number, or empty."""
    return not text or re.fullmatch(r"[+-]?[0-9][0-9,]*\.?[0-9]*(e[+-]?[0-9]+)?( %)?|[+-]?(nan|inf)", text) is not None
