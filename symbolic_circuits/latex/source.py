"""A place in a text: offset -> line and column, and errors that show the line with a caret under the place."""

from dataclasses import dataclass
from typing import NamedTuple

from symbolic_circuits.errors import LatexError

__all__ = ["Source", "Span"]

WIDTH = 100  # of the shown part of a line


class Span(NamedTuple):
    """From ``start`` up to, without, ``end``."""

    start: int
    end: int

    def to(self, other: "Span") -> "Span":
        """The smallest span that has both."""
        return Span(min(self.start, other.start), max(self.end, other.end))


@dataclass(frozen=True)
class Source:
    """A text and where its first character stands in the file.

    >>> Source("A B", line=7, column=3).position(2)
    (7, 5)
    """

    text: str
    line: int = 1
    column: int = 1

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, from 1."""
        before = self.text[:offset]
        breaks = before.count("\n")
        column = offset - (before.rfind("\n") + 1)
        return self.line + breaks, column + (1 if breaks else self.column)

    def slice(self, span: Span) -> str:
        """The text of a span, on one line."""
        return " ".join(self.text[span.start : span.end].split())

    def error(self, message: str, span: Span) -> LatexError:
        """An error that shows the place."""
        start = max(0, min(span.start, len(self.text)))
        line, column = self.position(start)
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", start)
        shown, place = self.text[first : len(self.text) if last < 0 else last].replace("\t", " "), start - first
        if len(shown) > WIDTH:
            cut = max(0, min(place - WIDTH // 2, len(shown) - WIDTH))
            shown, place = shown[cut : cut + WIDTH], place - cut
        shown = "".join(c if c.isprintable() else "?" for c in shown)
        width = max(1, min(span.end - span.start, len(shown) - place))
        error = LatexError(f"line {line}, column {column}: {message}\n  {shown}\n  {' ' * place}{'^' * width}")
        error.line, error.column = line, column
        return error
