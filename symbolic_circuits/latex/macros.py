r"""Macros without code: ``\newcommand{\OV}[1]{W_{OV}^{#1}}``, an abbreviation with arguments #1 to #9."""

import re
from typing import NamedTuple

from symbolic_circuits.latex.source import Source, Span

__all__ = ["Macro", "expanded", "read_macro"]

MAX_BODY = 2000
MAX_EXPANDED = 20_000
HEAD = re.compile(
    r"\\(newcommand|renewcommand|providecommand|DeclareMathOperator|def)\*?\s*\{?\s*\\([A-Za-z]+)\s*\}?\s*(?:\[([0-9])\])?\s*((?:#[0-9])*)\s*"
)


class Macro(NamedTuple):
    """An abbreviation."""

    name: str
    arguments: int
    body: str


def read_macro(text: str, k: int, source: Source) -> tuple[Macro, int]:
    r"""The definition at position k, and the position behind it.

    >>> read_macro(r"\newcommand{\OV}[1]{W_{OV}^{#1}} x", 0, Source(""))
    (Macro(name='OV', arguments=1, body='W_{OV}^{#1}'), 32)
    """
    here = Span(k, k + 10)
    found = HEAD.match(text, k)
    if found is None:
        raise source.error("a macro is \\newcommand{\\name}[number of arguments]{text}", here)
    command, name, number, marks = found.groups()
    count = int(number or len(marks) // 2)
    body, end = group(text, found.end(), source, here)
    if len(body) > MAX_BODY:
        raise source.error(f"the macro \\{name} has {len(body)} characters; the limit is {MAX_BODY}", here)
    if any(int(digit) > count or digit == "0" for digit in re.findall(r"#([0-9])", body)):
        raise source.error(f"the macro \\{name} uses an argument that it does not have", here)
    if re.search(r"\\(?:def|newcommand|renewcommand|csname|input|include|catcode|write|let|expandafter)\b", body):
        raise source.error(f"the macro \\{name} has code in it; macros are abbreviations here", here)
    return Macro(name, count, rf"\operatorname{{{body}}}" if command == "DeclareMathOperator" else body), end


def expanded(macro: Macro, text: str, k: int, source: Source, here: Span) -> tuple[str, int]:
    """The text that a macro stands for, its arguments being read from position k."""
    arguments = []
    for _ in range(macro.arguments):
        while k < len(text) and text[k].isspace():
            k += 1
        if k >= len(text):
            raise source.error(f"\\{macro.name} takes {macro.arguments} arguments", here)
        if text[k] == "{":
            inside, k = group(text, k, source, here)
        else:
            found = re.compile(r"\\[A-Za-z]+|.", re.DOTALL).match(text, k)
            inside, k = found.group(), found.end()
        arguments.append(inside)
    body = re.sub(r"#([1-9])", lambda found: f"{{{arguments[int(found.group(1)) - 1]}}}", macro.body) if arguments else macro.body
    if len(body) > MAX_EXPANDED:
        raise source.error(f"\\{macro.name} becomes longer than {MAX_EXPANDED} characters", here)
    return f"{body} ", k


def group(text: str, k: int, source: Source, here: Span) -> tuple[str, int]:
    """The inside of the group at position k."""
    depth = 0
    for place in range(k, len(text)):
        escaped = text[place - 1 : place] == "\\" if place else False
        if text[place] == "{" and not escaped:
            depth += 1
        elif text[place] == "}" and not escaped:
            depth -= 1
        if depth == 0:
            if place == k:
                break
            return text[k + 1 : place], place + 1
    raise source.error("a group in braces was expected", here)
