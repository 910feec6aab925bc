"""The statements of a ``symbols`` block: they end with a line or a semicolon outside of brackets; # and % begin comments."""

import re
from collections.abc import Iterator

from symbolic_circuits.latex.source import Source

__all__ = ["MACROS", "statements_of"]

OPEN_END = re.compile(r"(?:[=+,(\-]|:=|\\(?:odot|otimes|cdot|circ|quad|left|bigl|\\))\s*\Z")
MACROS = ("\\newcommand", "\\renewcommand", "\\providecommand", "\\DeclareMathOperator", "\\def")


def statements_of(text: str, line: int) -> Iterator[Source]:
    """The statements of a block: they end with a line or a semicolon outside of brackets."""
    start, depth, k = 0, 0, 0
    source = Source(text, line)
    comment_free = without_comments(text)
    while k <= len(comment_free):
        c = comment_free[k] if k < len(comment_free) else "\n"
        if c in "{(":
            depth += 1
        elif c in "})":
            depth = max(0, depth - 1)
        ends = c == "\n" and not (k < len(comment_free) and (depth or OPEN_END.search(comment_free[start:k])))
        if (c == ";" and depth == 0) or ends:
            piece = comment_free[start:k]
            stripped = piece.strip()
            if stripped:
                at = start + len(piece) - len(piece.lstrip())
                yield Source(stripped, *source.position(at))
            start, depth = k + 1, 0
        k += 1


def without_comments(text: str) -> str:
    """The text with blanks for comments, so that places stay what they are."""
    out = []
    for line in text.split("\n"):
        mark = "%" if line.lstrip().startswith(MACROS) else "#%"
        cut = next((k for k, c in enumerate(line) if c in mark and (k == 0 or line[k - 1] != "\\")), len(line))
        out.append(line[:cut] + " " * (len(line) - cut))
    return "\n".join(out)
