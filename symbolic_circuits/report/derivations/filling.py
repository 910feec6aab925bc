"""Summands filled into rows of a page; one that is wider than a row is broken between its factors and after its commas.

Printers put BREAK where a formula may be broken, and ON and OFF around a part that is marked, which may run over several rows.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

__all__ = ["BREAK", "OFF", "ON", "Row", "filled", "shown_marks", "signed", "without_inner_breaks"]

BREAK, ON, OFF = "\ue000", "\ue001", "\ue002"
DELIMITER = re.compile(r"\\left\b|\\right\b|\\[{}]|[{}()\[\]\ue000]|[^\\{}()\[\]\ue000]+|\\", re.DOTALL)
MARKED = re.compile(f"{ON}([^{ON}{OFF}]*){OFF}")
COMMA = re.compile(rf"(?<!\\),(\s|\\,|{OFF})*\Z")
SHORTEST = 0.45  # of a row that is broken earlier than it must be, at a bracket farther out


class Row(NamedTuple):
    """A row of a formula."""

    indent: int  # 0: after the sign of equality; 1: goes on with a summand; 2: goes on within a summand
    text: str


def signed(text: str, is_first: bool) -> str:
    """A summand with its sign."""
    if is_first:
        return text
    bare = text.removeprefix(ON)
    before = text[: len(text) - len(bare)]
    return f"- {before}{bare[1:].lstrip()}" if bare.startswith("-") else f"+ {text}"


def filled(summands: Sequence[str], room: float, width: Callable[[str], float], indents: Sequence[float]) -> list[Row]:
    """Rows of at most ``room``, where that is possible; the width of a row is the sum of those of its pieces.

    >>> filled(["a b", "c", f"d(eeee,{BREAK} ffff)"], 8, len, (0, 2, 3))
    [Row(indent=0, text='a b + c'), Row(indent=1, text='+ d(eeee,'), Row(indent=2, text='ffff)')]
    """
    rows: list[Row] = []
    current, used = [], 0.0
    for number, summand in enumerate(summands):
        text = signed(summand, number == 0)
        size = sum(map(width, text.split(BREAK)))
        if current and used + width(" ") + size <= room - indents[min(len(rows), 1)]:
            current, used = [*current, text], used + width(" ") + size
            continue
        if current:
            rows.append(Row(min(len(rows), 1), " ".join(current)))
        current, used = [text], size
        if size > room - indents[min(len(rows), 1)]:
            rows += broken(text, room, width, indents, min(len(rows), 1))
            current, used = [], 0.0
    if current:
        rows.append(Row(min(len(rows), 1), " ".join(current)))
    return [Row(indent, text.replace(BREAK, "")) for indent, text in rows]


def broken(text: str, room: float, width: Callable[[str], float], indents: Sequence[float], indent: int) -> list[Row]:
    """One wide summand over several rows."""
    pieces, rows = with_depths(text), []
    while pieces:
        space = room - indents[indent]
        taken = number_taken([(width(piece), cost) for piece, cost in pieces], space)
        rows.append(Row(indent, "".join(piece for piece, _ in pieces[:taken]).strip()))
        pieces, indent = pieces[taken:], 2
    return rows


def number_taken(pieces: Sequence[tuple[float, int]], space: float) -> int:
    """How many pieces a row takes: those that fit, up to where it is least bad to break, if that leaves it not too empty."""
    fitting, total = [], 0.0
    for number, (size, cost) in enumerate(pieces, start=1):
        total += size
        if total > space:
            break
        fitting.append((number, cost, total))
    if len(fitting) == len(pieces):
        return len(pieces)
    candidates = [found for found in fitting if found[2] >= SHORTEST * space] or fitting[-1:] or [(1, 0, 0.0)]
    lowest = min(cost for _, cost, _ in candidates)
    return max(number for number, cost, _ in candidates if cost == lowest)


def shown_marks(rows: Sequence[Row], mark: Callable[[str], str]) -> list[Row]:
    """The rows with their marked parts marked, each row for itself.

    >>> shown_marks([Row(0, f"A {ON}B"), Row(2, f"C{OFF} D")], "[{}]".format)
    [Row(indent=0, text='A [B]'), Row(indent=2, text='[C] D')]
    """
    is_open, out = False, []
    for indent, text in rows:
        text = f"{ON}{text}" if is_open else text
        is_open = text.count(ON) > text.count(OFF)
        text = f"{text}{OFF}" if is_open else text
        out.append(Row(indent, MARKED.sub(lambda found: mark(found[1].strip()) + " " * found[1].endswith(" "), text)))
    return out


def with_depths(text: str) -> list[tuple[str, int]]:
    """The pieces between places where a text may be broken, each with how bad it is to break it at its end.

    That is twice the number of open brackets, and one more where it is not after a comma or before a sign.
    """
    depth, out = 0, []
    pieces = text.split(BREAK)
    for piece, following in zip(pieces, [*pieces[1:], ""], strict=True):
        depth += sum(piece.count(c) for c in "([") - sum(piece.count(c) for c in ")]")
        is_natural = COMMA.search(piece) or following.startswith(("+ ", "- "))
        out.append((piece, 2 * depth + (not is_natural)))
    return out


def without_inner_breaks(latex: str) -> str:
    r"""LaTeX without breaks in places where a row cannot end: in braces, and between ``\left`` and ``\right``."""
    if BREAK not in latex:
        return latex
    depth, out = 0, []
    for token in DELIMITER.findall(latex):
        depth += {"{": 1, r"\left": 1, "}": -1, r"\right": -1}.get(token, 0)
        if token != BREAK or depth == 0:
            out.append(token)
    return "".join(out)
