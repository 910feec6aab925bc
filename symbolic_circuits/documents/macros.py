r"""Macros in a document: ``\newcommand{\OV}{W_{OV}}`` and its kin, up to the end of their body."""

import re

__all__ = ["COMMAND", "end_of_group", "end_of_macro", "is_macros", "split_macros"]

COMMAND = r"\\(?:newcommand|renewcommand|providecommand|DeclareMathOperator|def)(?![A-Za-z])"
HEAD = re.compile(
    COMMAND + r"\*?\s*(?:\{\s*\\[A-Za-z]+\s*\}|\\[A-Za-z]+)\s*(?:\[[0-9]\]\s*)?(?:\[[^\]\n]{0,200}\]\s*)?(?:#[0-9])*\s*(?=\{)"
)
BRACE = re.compile(r"\\.|%[^\n]*|[{}]", re.DOTALL)
MAX_BODY = 2000


def end_of_macro(text: str, start: int) -> int | None:
    r"""The end of the macro that starts at an offset; None where it is none that can be read.

    >>> end_of_macro(r"\newcommand{\OV}{W_{OV}} x", 0)
    24
    """
    found = HEAD.match(text, start)
    return end_of_group(text, found.end()) if found else None


def end_of_group(text: str, start: int) -> int | None:
    """The end of the group in braces that starts at an offset."""
    depth = 0
    for found in BRACE.finditer(text, start, start + MAX_BODY):
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return found.end()
    return None


def is_macros(text: str) -> bool:
    r"""Whether a text consists of macros.

    >>> is_macros(r"\def\x{y} \newcommand{\OV}{W}"), is_macros(r"\def\x{y} A = B"), is_macros("")
    (True, False, False)
    """
    at, end = 0, len(text.rstrip())
    while at < end:
        found = end_of_macro(text, at)
        if found is None:
            return False
        at = found + len(text[found:]) - len(text[found:].lstrip())
    return end > 0


def split_macros(text: str, line: int) -> list[tuple[str, int]]:
    r"""Each macro of a text that consists of them, with its line.

    >>> split_macros("\\def\\x{y}\n\\def\\z{w}", 7)
    [('\\def\\x{y}', 7), ('\\def\\z{w}', 8)]
    """
    out, at = [], 0
    while (start := text.find("\\", at)) >= 0 and (end := end_of_macro(text, start)) is not None:
        out.append((text[start:end], line + text.count("\n", 0, start)))
        at = end
    return out
