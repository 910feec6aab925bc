r"""Text that a terminal prints and does not obey: characters that are not printable are written as escapes, lines stay lines."""

__all__ = ["inert"]


def inert(text: object) -> str:
    r"""The text with every control character (and what else is not printable) as its escape.

    >>> print(inert("\x1b[31mred.svg"))
    \x1b[31mred.svg
    """
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode("ascii") for c in str(text))
