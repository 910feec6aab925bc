"""Brackets and groups in LaTeX text: which closes which, and what stands in braces."""

import re

from symbolic_circuits.latex.source import Source, Span

__all__ = ["CLOSERS", "PAIRS", "balanced", "closing", "shown", "skip_option"]

PAIRS = {"(": ")", "[": "]", "\\{": "\\}", "<": ">", "||": "||", "{": "}"}
CLOSERS = {close: open_ for open_, close in PAIRS.items()}


def balanced(text: str, k: int, source: Source, here: Span) -> tuple[str, int]:
    """The inside of a group in braces that starts at k (after blanks), and the position behind it."""
    while k < len(text) and text[k].isspace():
        k += 1
    if text[k : k + 1] != "{":
        raise source.error("an argument is missing; expected a group in braces", here)
    depth = 0
    for place in range(k, len(text)):
        c = text[place]
        if c == "{" and text[place - 1 : place] != "\\":
            depth += 1
        elif c == "}" and text[place - 1 : place] != "\\":
            depth -= 1
            if depth == 0:
                return text[k + 1 : place], place + 1
    raise source.error("{ is never closed; expected }", here)


def skip_option(text: str, k: int) -> int:
    r"""The position after an option such as the [2pt] of a line break."""
    found = re.match(r"\s*\[[0-9a-z.\s\\-]{1,20}\]", text[k : k + 40])
    return k + found.end() if found else k


def closing(opened: str) -> str:
    """What closes a bracket or environment, for messages."""
    return f"\\end{{{opened}}}" if opened.isalpha() else shown(PAIRS.get(opened, opened))


def shown(bracket: str) -> str:
    """A bracket for messages."""
    return {"<": "\\langle", ">": "\\rangle", "||": "\\|"}.get(
        bracket, bracket if not bracket.isalpha() else f"the environment {bracket}"
    )
