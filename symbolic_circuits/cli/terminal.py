"""What people read in a terminal: lines broken at words, long names folded; plain lines in a pipe."""

import os
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence

import click
from rich.console import Console
from rich.text import Text

from symbolic_circuits.cli.inert import inert

__all__ = ["cell", "console", "folded", "headed", "is_terminal", "room", "say", "shows_signs"]

PIPE_WIDTH = 10_000  # lines are not folded where a program reads them
NARROWEST = 20
SIGNS = "⊗⊙Σᵀ₀⁰"
PLAIN_TERMINALS = ("dumb", "linux")  # without glyphs for them


def is_terminal() -> bool:
    """Whether standard output is a terminal; it may be closed."""
    return sys.stdout is not None and sys.stdout.isatty()


def room() -> int:
    """The characters of a line."""
    return max(NARROWEST, Console().width) if is_terminal() else PIPE_WIDTH


def console() -> Console:
    """A console as wide as there is room; colours are off where NO_COLOR is set, and in a pipe."""
    return Console(highlight=False, width=room())


def say(text: str = "", *, err: bool = False) -> None:
    """Print lines that are text from elsewhere too: inert, and in a terminal broken at words, what goes on further to the right."""
    click.echo("\n".join(map(wrapped, inert(text).split("\n"))) if is_terminal() and not err else inert(text), err=err)


def wrapped(line: str, width: int | None = None) -> str:
    """A line on several, where there is no room for it.

    >>> print(wrapped("  remainder 3e-07 of the forward pass", 24))
      remainder 3e-07 of
        the forward pass
    """
    width = width or room()
    if len(line) <= width:
        return line
    start = " " * (len(line) - len(line.lstrip()))
    after = start + "  "
    return "\n".join(textwrap.wrap(line, width, subsequent_indent=after, break_long_words=False, break_on_hyphens=False))


def shows_signs() -> bool:
    """Whether standard output is a terminal that has the signs of the field."""
    if not is_terminal() or os.environ.get("TERM") in PLAIN_TERMINALS:
        return False
    try:
        SIGNS.encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def cell(text: str, width: int | None = None) -> Text:
    """A cell of a table: text as it is, no markup; folded where it is wider."""
    return Text("\n".join(folded(inert(text), width)) if width else inert(text))


def folded(text: str, width: int) -> list[str]:
    """Lines of a name or a formula, broken at spaces; what is longer than a line after a bracket, and what is longer still anywhere.

    >>> folded("bilinear.1(attn.0[1](embed), attn.0[0](embed))", 30)
    ['bilinear.1(attn.0[1](embed),', 'attn.0[0](embed))']
    """
    lines = [""]
    for piece in pieces(text, width):
        if len(lines[-1]) + len(piece.rstrip()) > width and lines[-1]:
            lines.append("")
        lines[-1] += piece
    return [line.rstrip() for line in lines]


def pieces(text: str, width: int) -> Iterator[str]:
    """The parts that are kept together, each with the spaces after it."""
    for word in re.findall(r"\s*\S+\s*", text):
        for part in [word] if len(word.rstrip()) <= width else re.findall(r"[^(]*(?:\(\s*|$)", word):
            yield from (
                (part[start : start + width] for start in range(0, len(part), width)) if len(part.rstrip()) > width else [part]
            )


def headed(head: str, cells: Sequence[int]) -> str:
    """A head on several lines where it is wider than the cells below it, of these widths.

    >>> headed("share of answer's margin", [5, 6])
    "share of\\nanswer's\\nmargin"
    """
    width = max([*cells, *map(len, head.split()), 1])
    return "\n".join(textwrap.wrap(head, width, break_long_words=False, break_on_hyphens=False)) or head
