r"""LaTeX text -> tokens with places; braces, brackets and environments are balanced, macros without code are expanded.

Scripts are one token: its value is the tuple of tokens in it. What only concerns layout (spaces, sizes of brackets) has no token.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from symbolic_circuits.latex.commands import (
    ACCENTS,
    ALIASES,
    ARGUMENTS,
    BRACKETS,
    DECORATIONS,
    DOTS,
    FONTS,
    FUNCTIONS,
    GREEK,
    LAYOUT,
    LAYOUT_WITH_ARGUMENT,
    OPERATIONS,
    RELATIONS,
    REMARKS,
    UNCHECKED,
)
from symbolic_circuits.latex.groups import CLOSERS, PAIRS, balanced, closing, shown, skip_option
from symbolic_circuits.latex.macros import Macro, expanded, read_macro
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.taking import accent, decorated, environment, function, remark, word

__all__ = ["Token", "tokens_of"]

MAX_TOKENS = 60_000
MAX_TEXT = 200_000
MAX_DEPTH = 40
MAX_EXPANSIONS = 1000
MAX_NESTED = 30  # macros within macros
COMMAND = re.compile(r"\\([A-Za-z]+\*?|.)", re.DOTALL)
NUMBER = re.compile(r"[0-9]{1,400}(?:\.[0-9]{1,50})?")
SIMPLE = {
    "+": "PLUS",
    "-": "MINUS",
    "−": "MINUS",
    "*": "TIMES",
    "/": "SLASH",
    ",": "COMMA",
    ";": "SEMI",
    "&": "AMP",
    "|": "BAR",
    "⊗": "OTIMES",
    "⊙": "ODOT",
    "∘": "ODOT",
    "·": "CDOT",
    "×": "TIMES",
}
SPACES = {",", ";", ":", "!", " ", ">", "/", "\n", "\t"}  # after a backslash


class Token(NamedTuple):
    """A token: its kind, what it says, and where it stands."""

    kind: str
    value: object
    span: Span


def tokens_of(source: Source, macros: Mapping[str, Macro] | None = None) -> list[Token]:
    r"""The tokens of a text.

    Raises
    ------
    LatexError
        A command is unknown, a bracket has no partner, the text is too long or nested too deeply.

    Examples
    --------
    >>> [(t.kind, t.value) for t in tokens_of(Source(r"2 \hat W"))]
    [('NUMBER', Fraction(2, 1)), ('NAME', 'What')]
    """
    if len(source.text) > MAX_TEXT:
        raise source.error(f"a formula of {len(source.text)} characters; the limit is {MAX_TEXT}", Span(0, 1))
    scanner = Scanner(source, dict(macros or {}))
    scanner.scan(source.text, None, 0)
    scanner.finish()
    return scanner.out


class Scanner:
    """Reads a text from left to right; ``stack`` has the brackets that are open."""

    def __init__(self, source: Source, macros: dict[str, Macro]) -> None:
        self.source, self.macros = source, macros
        self.out: list[Token] = []
        self.stack: list[tuple[str, Span]] = []
        self.count = 0
        self.expansions = 0

    # ---- places and output
    def put(self, kind: str, value: object, span: Span) -> None:
        """Add a token."""
        self.count += 1
        if self.count > MAX_TOKENS:
            raise self.source.error(f"a formula of more than {MAX_TOKENS} symbols", span)
        self.out.append(Token(kind, value, span))

    def open(self, bracket: str, kind: str, span: Span) -> None:
        """A bracket opens."""
        if len(self.stack) >= MAX_DEPTH:
            raise self.source.error(f"brackets are nested more than {MAX_DEPTH} deep", span)
        self.stack.append((bracket, span))
        self.put(kind, bracket, span)

    def close(self, bracket: str, kind: str, span: Span) -> None:
        """A bracket closes: the one that opened last."""
        expected = CLOSERS.get(bracket, bracket)
        if not self.stack:
            raise self.source.error(f"{shown(bracket)} closes nothing: no {shown(expected)} is open", span)
        opened, where = self.stack.pop()
        if opened != expected:
            line, column = self.source.position(where.start)
            raise self.source.error(
                f"{shown(bracket)} closes {shown(opened)} of line {line}, column {column}; expected {closing(opened)}",
                span,
            )
        self.put(kind, bracket, span)

    def finish(self) -> None:
        """Nothing may be open at the end."""
        if self.stack:
            opened, where = self.stack[-1]
            raise self.source.error(f"{shown(opened)} is never closed; expected {closing(opened)}", where)

    # ---- scanning
    def scan(self, text: str, at: Span | None, depth: int) -> None:
        """All of a text; ``at`` is the place of a macro that it comes from."""
        if depth > MAX_NESTED:
            raise self.source.error("macros that use each other without end", at or Span(0, 1))
        k = 0
        while k < len(text):
            k = self.step(text, k, at, depth)

    def step(self, text: str, k: int, at: Span | None, depth: int) -> int:
        """One token from position k; the position after it."""
        c = text[k]
        if c.isspace() or c == "~":
            return k + 1
        if c == "%":
            end = text.find("\n", k)
            return len(text) if end < 0 else end + 1
        if c == "\\":
            return self.command(text, k, at, depth)
        here = at or Span(k, k + 1)
        if c.isascii() and c.isalpha():
            self.put("NAME", c, here)
        elif c.isascii() and c.isdigit():
            found = NUMBER.match(text, k)
            self.put("NUMBER", Fraction(found.group()), at or Span(k, found.end()))
            return found.end()
        elif c in "_^":
            return self.script(text, k, at, depth)
        elif c == "'":
            self.put("PRIME", "'", here)
        elif c == ":" and text[k + 1 : k + 2] == "=":
            self.put("RELATION", ":=", at or Span(k, k + 2))
            return k + 2
        elif c in "=≠":
            self.put("RELATION", "=" if c == "=" else "!=", here)
        elif c in "([":
            self.open(c, "OPEN", here)
        elif c in ")]":
            self.close(c, "CLOSE", here)
        elif c == "{":
            self.open("{", "LBRACE", here)
        elif c == "}":
            self.close("}", "RBRACE", here)
        elif c in SIMPLE:
            self.put(SIMPLE[c], c, here)
        elif c in "<>":
            self.put("UNCHECKED", c, here)
        elif c == ".":
            self.put("DOT", c, here)
        elif c == ":":
            self.put("COLON", c, here)
        else:
            raise self.source.error(f"the character {c!r} has no meaning here", here)
        return k + 1

    def command(self, text: str, k: int, at: Span | None, depth: int) -> int:
        """A command, with what it takes along."""
        found = COMMAND.match(text, k)
        if found is None:
            raise self.source.error("a backslash at the end of the text", at or Span(k, k + 1))
        name, end = found.group(1), found.end()
        here = at or Span(k, end)
        if name in self.macros:
            self.expansions += 1
            if self.expansions > MAX_EXPANSIONS:
                raise self.source.error(f"more than {MAX_EXPANSIONS} macros in a formula", here)
            body, end = expanded(self.macros[name], text, end, self.source, here)
            self.scan(body, at or Span(k, end), depth + 1)
            return end
        bare = name.rstrip("*")
        if name in SPACES or bare in LAYOUT:
            if bare in ("left", "right", "middle", "big", "bigl", "bigr") and text[end : end + 1] == ".":
                return end + 1
            if bare in ("quad", "qquad", "hfill", "hfil"):
                self.put("QUAD", name, here)
            return end
        if name == "\\":
            self.put("ROWSEP", name, here)
            return skip_option(text, end)
        if bare in ("newcommand", "renewcommand", "providecommand", "DeclareMathOperator", "def"):
            macro, end = read_macro(text, k, self.source)
            self.macros[macro.name] = macro
            return end
        if self.sign(name, here):
            return end
        return self.with_arguments(text, name, k, end, at, depth)

    def sign(self, name: str, here: Span) -> bool:
        """Put the token of a command that is one sign; whether it is one."""
        if name in GREEK:
            self.put("NAME", name, here)
        elif name in UNCHECKED:
            self.put("UNCHECKED", name, here)
        elif name in OPERATIONS:
            self.put(OPERATIONS[name], name, here)
        elif name in RELATIONS:
            self.put("RELATION", RELATIONS[name], here)
        elif name in ("{", "}"):
            (self.open if name == "{" else self.close)("\\" + name, "OPEN" if name == "{" else "CLOSE", here)
        elif name in BRACKETS or name in ("|", "Vert"):
            self.bracket(BRACKETS.get(name, "||"), here)
        else:
            return False
        return True

    def with_arguments(self, text: str, name: str, k: int, end: int, at: Span | None, depth: int) -> int:
        """A command that takes something along; the position behind all of it."""
        here, bare = at or Span(k, end), name.rstrip("*")
        if name == "not" and text[end:].lstrip()[:1] == "=":
            end = text.index("=", end) + 1
            self.put("RELATION", "!=", at or Span(k, end))
        elif name in FUNCTIONS or name in ALIASES or name.startswith("operatorname"):
            end = function(self, text, name, end, here)
        elif name in ACCENTS:
            end = accent(self, text, name, k, end, at, depth)
        elif name in FONTS:
            end = word(self, text, name, k, end, at)
        elif name in ARGUMENTS:
            kind, count = ARGUMENTS[name]
            if name == "sqrt" and text[end:].lstrip()[:1] == "[":
                raise self.source.error("roots are square roots here", here)
            if kind:
                self.put(kind, name, here)
            for _ in range(count):
                end = self.argument(text, end, at, depth, here)
        elif bare in REMARKS or bare in ("tag", "label"):
            end = remark(self, text, bare, k, end, at)
        elif name in LAYOUT_WITH_ARGUMENT:
            for _ in range(LAYOUT_WITH_ARGUMENT[name]):
                _, end = balanced(text, end, self.source, here)
        elif name in ("begin", "end"):
            end = environment(self, text, name, k, end, at)
        elif name in DECORATIONS:
            end = decorated(self, text, name, end, at, depth, here)
        elif name in DOTS:
            raise self.source.error("dots stand for something: write it out, or as a sum or product over an index", here)
        else:
            raise self.source.error(f"the command \\{name} is unknown; define it with \\newcommand, or leave it out", here)
        return end

    def argument(self, text: str, k: int, at: Span | None, depth: int, here: Span) -> int:
        """One argument as a group: braces, or a single digit, letter or command."""
        while k < len(text) and text[k].isspace():
            k += 1
        if k >= len(text) or text[k] in "})]&=":
            raise self.source.error("an argument is missing; expected a group in braces", here)
        if text[k] == "{":
            _, end = balanced(text, k, self.source, here)
            self.open("{", "LBRACE", at or Span(k, k + 1))
            level, inner = len(self.stack), k + 1
            while inner < end - 1:
                inner = self.step(text, inner, at, depth)
            if len(self.stack) != level:
                opened, where = self.stack[-1]
                raise self.source.error(f"{shown(opened)} is never closed in its group", where)
            self.close("}", "RBRACE", at or Span(end - 1, end))
            return end
        self.open("{", "LBRACE", at or Span(k, k + 1))
        level = len(self.stack)
        if text[k].isascii() and text[k].isdigit():  # \\frac12 is a half, x_12 is x_1 2
            self.put("NUMBER", Fraction(text[k]), at or Span(k, k + 1))
            end = k + 1
        else:
            end = self.step(text, k, at, depth)
        if len(self.stack) != level:
            raise self.source.error("an argument is a single symbol or a group in braces", here)
        self.close("}", "RBRACE", at or Span(max(k, end - 1), end))
        return end

    def script(self, text: str, k: int, at: Span | None, depth: int) -> int:
        """A subscript or superscript; its tokens are its value."""
        end = k + 1
        while end < len(text) and text[end].isspace():
            end += 1
        if end >= len(text):
            raise self.source.error("a script is missing; expected a symbol or a group in braces", at or Span(k, k + 1))
        outer, self.out = self.out, []
        if text[end] in "_^'":
            self.out = outer
            raise self.source.error("a script is missing; expected a symbol or a group in braces", at or Span(k, k + 1))
        digits = re.compile("[0-9]{2,}").match(text, end)
        if digits:
            self.out = outer
            raise self.source.error(
                f"only the first digit is the script; write {text[k]}{{{digits.group()}}}, or a blank behind it",
                at or Span(k, digits.end()),
            )
        end = self.argument(text, end, at, depth, at or Span(k, k + 1))
        self.out = self.out[1:-1]
        inside, self.out = tuple(self.out), outer
        kind = "SUB" if text[k] == "_" else "SUP"
        self.put(kind, inside, at or Span(k, end))
        return end

    def bracket(self, bracket: str, here: Span) -> None:
        """Angle brackets and norms; the same sign opens and closes a norm."""
        if bracket == "||":
            is_open = not (self.stack and self.stack[-1][0] == "||")
            (self.open if is_open else self.close)("||", "NORM_OPEN" if is_open else "NORM_CLOSE", here)
        elif bracket in ("<", ">"):
            (self.open if bracket == "<" else self.close)(bracket, "ANGLE_OPEN" if bracket == "<" else "ANGLE_CLOSE", here)
        else:
            is_open = bracket in PAIRS
            (self.open if is_open else self.close)(bracket, "OPEN" if is_open else "CLOSE", here)
