r"""Commands that take something along: named functions, accents, upright words, environments, braces under formulas, remarks."""

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from symbolic_circuits.latex.commands import (
    ACCENTS,
    ALIASES,
    ENVIRONMENTS,
    FUNCTIONS,
    MATRICES,
)
from symbolic_circuits.latex.groups import balanced, skip_option
from symbolic_circuits.latex.source import Span

if TYPE_CHECKING:
    from symbolic_circuits.latex.scanner import Scanner

__all__ = ["accent", "decorated", "environment", "function", "remark", "word"]

COMMAND = re.compile(r"\\([A-Za-z]+\*?|.)", re.DOTALL)


def function(scanner: "Scanner", text: str, name: str, end: int, here: Span) -> int:
    """A named function."""
    if name.startswith("operatorname"):
        inside, end = balanced(text, end, scanner.source, here)
        name = re.sub(r"\\(?:mathrm|text)\s*|[{}\s\\,]", "", inside)
    if name in ("Id", "id", "I"):
        scanner.put("IDENTITY", name, here)
    elif ALIASES.get(name, name) in FUNCTIONS:
        scanner.put("FUNCTION", ALIASES.get(name, name), here)
    elif re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
        scanner.put("NAME", name, here)
    else:
        raise scanner.source.error(f"{name!r} is not the name of a function", here)
    return end


def accent(scanner: "Scanner", text: str, name: str, k: int, end: int, at: Span | None, depth: int) -> int:
    """A letter with an accent: one name."""
    here = at or Span(k, end)
    start = len(scanner.out)
    end = scanner.argument(text, end, at, depth, here)
    inside = scanner.out[start + 1 : -1]
    if name == "vec" and not (len(inside) == 1 and inside[0].kind == "NAME"):
        raise scanner.source.error("\\vec is an accent of one letter; row by row is \\operatorname{vec}", here)
    if name in ("overline", "bar") and not inside:
        raise scanner.source.error(f"\\{name} has nothing under it", here)
    if not inside or inside[0].kind != "NAME" or any(token.kind not in ("SUB", "SUP", "PRIME") for token in inside[1:]):
        raise scanner.source.error(f"\\{name} stands over one name", here)
    del scanner.out[start:]
    scanner.count -= 2
    scanner.put("NAME", f"{inside[0].value}{ACCENTS[name]}", at or Span(k, end))
    scanner.out += inside[1:]
    return end


def word(scanner: "Scanner", text: str, font: str, k: int, end: int, at: Span | None) -> int:
    """An upright, bold ... word or letter."""
    here = at or Span(k, end)
    while text[end : end + 1].isspace():
        end += 1
    if text[end : end + 1] == "{":
        inside, end = balanced(text, end, scanner.source, here)
    elif text[end : end + 1] == "\\":
        found = COMMAND.match(text, end)
        inside, end = found.group() if found else "", found.end() if found else end + 1
    else:
        inside, end = text[end : end + 1], end + 1
    word = re.sub(r"[\\\s]", "", inside)
    here = at or Span(k, end)
    if word == "1" and font in ("mathbf", "mathbb", "boldsymbol", "bm"):
        scanner.put("ONES", word, here)
    elif word == "0" and font in ("mathbf", "mathbb", "boldsymbol", "bm"):
        scanner.put("NUMBER", Fraction(0), here)
    elif word in ("Id", "id") or (word in ("I", "1") and font in ("mathbf", "mathbb", "mathrm", "boldsymbol", "bm")):
        scanner.put("IDENTITY", word, here)
    elif word == "T" and font in ("mathsf", "mathrm", "mathit", "mathtt", "textsf"):
        scanner.put("TOP", word, here)
    elif re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", word):
        in_function = font in ("mathrm", "textrm", "mathsf", "mathit") and ALIASES.get(word, word) in FUNCTIONS
        scanner.put(
            "FUNCTION" if in_function else "NAME",
            ALIASES.get(word, word) if in_function else word,
            here,
        )
    elif re.fullmatch(r"[0-9]+", word):
        scanner.put("NUMBER", Fraction(word), here)
    else:
        raise scanner.source.error(f"\\{font} sets a word of letters; got {inside[:30]!r}", here)
    return end


def environment(scanner: "Scanner", text: str, name: str, k: int, end: int, at: Span | None) -> int:
    """Begin or end of an environment; only matrices have tokens."""
    environment, end = balanced(text, end, scanner.source, at or Span(k, end))
    bare = environment.strip().rstrip("*")
    here = at or Span(k, end)
    if bare in MATRICES:
        if name == "begin":
            if bare == "array":
                _, end = balanced(text, end, scanner.source, here)
            scanner.open(bare, "BEGIN", here)
        else:
            scanner.close(bare, "END", here)
    elif bare in ENVIRONMENTS:
        if bare in ("alignedat", "alignat") and name == "begin":
            _, end = balanced(text, end, scanner.source, here)
        if any(opened not in ENVIRONMENTS for opened, _ in scanner.stack) and name == "begin":
            raise scanner.source.error(f"the environment {bare} inside brackets", here)
        if name == "begin":
            scanner.stack.append((bare, here))
            end = skip_option(text, end)
        else:
            scanner.close(bare, "LAYOUT", here)
            scanner.out.pop()
    else:
        raise scanner.source.error(f"the environment {bare} is unknown here", here)
    return end


def decorated(scanner: "Scanner", text: str, name: str, end: int, at: Span | None, depth: int, here: Span) -> int:
    """What is braced or boxed, without the decoration."""
    if name in ("underset", "overset"):
        _, end = balanced(text, end, scanner.source, here)
    end = scanner.argument(text, end, at, depth, here)
    if name in ("underbrace", "overbrace"):
        rest = text[end:].lstrip()
        if rest[:1] in ("_", "^"):
            start = end + text[end:].index(rest[0]) + 1
            while text[start : start + 1].isspace():
                start += 1
            if text[start : start + 1] == "{":
                _, end = balanced(text, start, scanner.source, here)
            else:
                end = start + 1
    return end


def remark(scanner: "Scanner", text: str, name: str, k: int, end: int, at: Span | None) -> int:
    r"""``\text``, ``\tag`` or ``\label``; a function may be set as text."""
    inside, end = balanced(text, end, scanner.source, at or Span(k, end))
    kind = {"tag": "TAG", "label": "LABEL"}.get(name, "TEXT")
    word = ALIASES.get(inside.strip(), inside.strip())
    if kind == "TEXT" and word in FUNCTIONS:
        kind, inside = "FUNCTION", word
    scanner.put(kind, inside, at or Span(k, end))
    return end
