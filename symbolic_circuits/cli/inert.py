r"""Text that a terminal prints and does not obey: characters that are not printable are written as escapes, lines stay lines."""

import io
import sys

__all__ = ["inert", "inert_line", "keep_what_has_no_code"]


def inert(text: object) -> str:
    r"""The text with every control character (and what else is not printable) as its escape.

    >>> print(inert("\x1b[31mred.svg"))
    \x1b[31mred.svg
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in str(text))


def inert_line(text: object) -> str:
    r"""The same with ends of lines as escapes: a name that has one makes no line of its own.

    >>> print(inert_line("a\nwrote b"))
    a\nwrote b
    """
    return inert(text).replace("\n", "\\n")


def keep_what_has_no_code() -> None:
    r"""Characters that standard output has no code for are written as escapes, ``\u2297``, where Python would stop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
