r"""Names and words that a page, a formula or a terminal shows and does not obey.

A notebook reads HTML twice: the browser for tags, MathJax for what stands between dollars or after a backslash. Both are closed off.
"""

import html

__all__ = ["html_text", "math_text", "one_line"]

APART = {"$": "<span>$</span>", "\\": "<span>\\</span>"}  # MathJax finds no formula across an element
MATH = {c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"{\backslash}", "^": r"{\wedge}", "~": r"{\sim}", " ": r"\ ", "-": r"\text{-}"}
BARE = "().[]"


def one_line(text: object) -> str:
    r"""The text with every character that is not printable, an end of line too, as its number.

    >>> one_line("a\x1b[31m\u202eb")
    'a<U+001B>[31m<U+202E>b'
    """
    return "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in str(text))


def html_text(text: object) -> str:
    """Text for a page: no tag, no attribute, no formula.

    >>> html_text("<b>$x$</b>")
    '&lt;b&gt;<span>$</span>x<span>$</span>&lt;/b&gt;'
    """
    return "".join(APART.get(c, c) for c in html.escape(one_line(text)))


def math_text(text: object, font: str = "mathrm") -> str:
    r"""Words inside a formula, read alike by LaTeX and by MathJax, which does not know LaTeX's escapes inside ``\text``.

    >>> print(math_text("attn.0[1] $", "mathtt"))
    \mathtt{attn.0[1]\ \$}
    """
    return f"\\{font}{{{''.join(map(math_character, one_line(text)))}}}"


def math_character(c: str) -> str:
    """A character in a formula, with no space of an operator around it."""
    if c in MATH:
        return MATH[c]
    if c.isascii() and (c.isalnum() or c in BARE):
        return c
    return f"{{{c}}}" if c.isascii() and c not in "'\"`" else rf"\text{{{c}}}"
