r"""The parts of subscripts and superscripts: words, numbers, and what a superscript does (transpose, invert, raise to a power)."""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from symbolic_circuits.latex.scanner import Token
from symbolic_circuits.latex.source import Source, Span

__all__ = ["Atom", "atoms_of"]

ACTIONS = {"top", "inverse", "inverse_top", "elementwise"}
MARKS = {"PLUS": "plus", "TIMES": "star", "PRIME": "prime"}
WORDS = {"NAME", "TEXT", "IDENTITY", "FUNCTION", "MARK"}


class Atom(NamedTuple):
    """One part of a script; ``text`` is how names are compared."""

    kind: str  # word, number, top, inverse, inverse_top, elementwise
    text: str
    span: Span
    number: Fraction | None = None
    from_one: bool = False  # a number that a sum from 1 put in: no position, which count from 0

    @property
    def is_action(self) -> bool:
        """Whether it can only be what is done to a value."""
        return self.kind in ACTIONS


def atoms_of(tokens: Sequence[Token], source: Source) -> tuple[Atom, ...]:
    r"""The parts of a script.

    >>> from symbolic_circuits.latex.scanner import tokens_of
    >>> source = Source(r"{h_2, 1 j}^\top")
    >>> [atom.text for atom in atoms_of(tokens_of(source)[1:-2], source)]
    ['h_2', '1', 'j']
    """
    out: list[Atom] = []
    k = 0
    while k < len(tokens):
        atom, k = next_atom(tokens, k, source)
        if atom is not None:
            out.append(atom)
    return tuple(out)


def next_atom(tokens: Sequence[Token], k: int, source: Source) -> tuple[Atom | None, int]:
    """The part at k, None for a comma or brace, and the position behind it."""
    token = tokens[k]
    if token.kind in ("COMMA", "LBRACE", "RBRACE", "SEMI"):
        return None, k + 1
    if token.kind in WORDS:
        return word(tokens, k, source)
    if token.kind in ("NUMBER", "ONES"):
        value = token.value if isinstance(token.value, Fraction) else Fraction(1)
        written = source.text[token.span.start : token.span.end]
        return Atom("number", written if written.isdecimal() else str(value), token.span, value), k + 1
    if token.kind == "TOP":
        return Atom("top", "T", token.span), k + 1
    if token.kind == "MINUS" and k + 1 < len(tokens):
        following = tokens[k + 1]
        span = token.span.to(following.span)
        if following.kind == "TOP" or (following.kind == "NAME" and following.value == "T"):
            return Atom("inverse_top", "-T", span), k + 2
        if following.kind == "NUMBER":
            return Atom("inverse", f"-{following.value}", span, following.value), k + 2
    if token.kind == "ODOT":
        found = [t for t in tokens[k + 1 :] if t.kind not in ("LBRACE", "RBRACE")]
        if len(found) == 1 and found[0].kind == "NUMBER":
            return Atom("elementwise", f"o{found[0].value}", token.span.to(found[0].span), found[0].value), len(tokens)
        if not found:
            return Atom("elementwise", "o", token.span), k + 1
    if token.kind in MARKS:
        return Atom("word", MARKS[token.kind], token.span), k + 1
    if token.kind == "OPEN":
        return bracketed(tokens, k, source)
    raise source.error("a script has names, indices, numbers, a transpose or an inverse; this is something else", token.span)


def word(tokens: Sequence[Token], k: int, source: Source) -> tuple[Atom, int]:
    """A word with its own subscript and primes: ``h_2``, ``i'``."""
    text, span = "".join(str(tokens[k].value).split()), tokens[k].span
    k += 1
    while k < len(tokens) and tokens[k].kind in ("SUB", "PRIME"):
        if tokens[k].kind == "PRIME":
            text += "prime"
        else:
            text += "_" + "".join(atom.text for atom in atoms_of(tokens[k].value, source))
        span = span.to(tokens[k].span)
        k += 1
    return Atom("word", text, span), k


def bracketed(tokens: Sequence[Token], k: int, source: Source) -> tuple[Atom, int]:
    """A part in brackets, ``W^{(1)}``."""
    end = next((place for place in range(k + 1, len(tokens)) if tokens[place].kind == "CLOSE"), None)
    if end is None:
        raise source.error("a bracket in a script is never closed", tokens[k].span)
    inside = atoms_of(tokens[k + 1 : end], source)
    if not inside or any(atom.is_action for atom in inside):
        raise source.error("brackets in a script have a name or number in them", tokens[k].span)
    return Atom("word", f"({','.join(atom.text for atom in inside)})", tokens[k].span.to(tokens[end].span)), end + 1
