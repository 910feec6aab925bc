r"""Tokens -> chains of equations: ``A = B = C`` is a chain with two claims, lines that begin with a relation or an operation go on.

An alignment mark or line break outside of brackets only says where lines are broken. ``\tag`` and ``\label`` name a chain, ``\text``
is a remark, and so is a number in brackets behind ``\qquad`` at the end of a line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from symbolic_circuits.latex.scanner import Token
from symbolic_circuits.latex.source import Source, Span

__all__ = ["RawChain", "raw_chains"]

OPERATIONS = {"PLUS", "MINUS", "CDOT", "TIMES", "ODOT", "OTIMES", "SLASH"}
NO_MATTER = {"TEXT", "TAG", "LABEL", "AMP", "QUAD"}
DEEPER = {"OPEN", "LBRACE", "BEGIN", "ANGLE_OPEN", "NORM_OPEN"}
HIGHER = {"CLOSE", "RBRACE", "END", "ANGLE_CLOSE", "NORM_CLOSE"}


@dataclass(frozen=True)
class RawChain:
    """The sides of a chain as tokens, and the relations between them."""

    sides: tuple[tuple[Token, ...], ...]
    relations: tuple[Token, ...]
    tag: str | None
    remarks: tuple[str, ...]
    span: Span


def raw_chains(tokens: Sequence[Token], source: Source) -> list[RawChain]:
    """The chains of a text.

    Raises
    ------
    LatexError
        An equation has no relation, a side is empty, or a relation is one that cannot be checked.
    """
    chains = []
    for line in pieces(without_empty_groups(tokens)):
        if any(token.kind not in NO_MATTER | {"COMMA", "SEMI", "DOT"} for token in line):
            chains.append(chain(line, source))
        elif chains and any(token.kind in ("TAG", "LABEL", "TEXT") for token in line):
            chains[-1] = with_remarks(chains[-1], line)
    return chains


def without_empty_groups(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without ``{}``, which is there for its spacing."""
    out: list[Token] = []
    for k, token in enumerate(tokens):
        scripted = k + 1 < len(tokens) and tokens[k + 1].kind in ("SUB", "SUP")
        if token.kind == "RBRACE" and out and out[-1].kind == "LBRACE" and not scripted and not needs_group(out[:-1]):
            out.pop()
        else:
            out.append(token)
    return out


def needs_group(before: Sequence[Token]) -> bool:
    """Whether what stands before a group takes it as its argument."""
    return bool(before) and before[-1].kind in ("FRAC", "SQRT", "RBRACE")


def pieces(tokens: Sequence[Token]) -> list[list[Token]]:
    """One list of tokens a chain: lines that go on are joined, commas between equations part."""
    lines: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        depth += (token.kind in DEEPER) - (token.kind in HIGHER)
        if depth == 0 and token.kind == "ROWSEP":
            lines.append([])
        else:
            lines[-1].append(token)
    out: list[list[Token]] = []
    for line in map(without_number, lines):
        for k, part in enumerate(parted(line)):
            bare = [token for token in part if token.kind not in NO_MATTER]
            previous = [token for token in out[-1] if token.kind not in NO_MATTER] if out else []
            goes_on = k == 0 and bare and previous and (continues(bare[0]) or unfinished(previous[-1]))
            if out and (goes_on or not bare):
                out[-1] += part
            else:
                out.append(part)
    return out


def continues(token: Token) -> bool:
    """Whether a line that begins so goes on with the one before."""
    return token.kind in OPERATIONS or token.kind in ("RELATION", "UNCHECKED")


def unfinished(token: Token) -> bool:
    """Whether a line that ends so is not finished."""
    return token.kind in OPERATIONS or token.kind in ("RELATION", "UNCHECKED", "BIG")


def without_number(line: list[Token]) -> list[Token]:
    r"""A line without the number of an equation at its end, ``\qquad (1)``."""
    if len(line) < 4 or line[-1].kind != "CLOSE" or line[-3].kind != "OPEN" or line[-4].kind != "QUAD":
        return line
    is_number = line[-2].kind == "NUMBER" and isinstance(line[-2].value, Fraction)
    return line[:-4] if is_number else line


def parted(line: list[Token]) -> list[list[Token]]:
    """Parts of a line between commas that part equations: each side of the comma has a relation."""
    out: list[list[Token]] = [[]]
    depth = 0
    for k, token in enumerate(line):
        depth += (token.kind in DEEPER) - (token.kind in HIGHER)
        parts = depth == 0 and token.kind in ("COMMA", "SEMI") and has_relation(out[-1]) and has_relation(line[k + 1 :])
        quad = depth == 0 and token.kind == "QUAD" and has_relation(out[-1]) and next_is_equation(line[k + 1 :])
        if parts or quad:
            out.append([])
        else:
            out[-1].append(token)
    return out


def next_is_equation(rest: Sequence[Token]) -> bool:
    """Whether what follows a wide space begins a new equation."""
    bare = [token for token in rest if token.kind not in NO_MATTER]
    return bool(bare) and not continues(bare[0]) and has_relation(bare)


def has_relation(tokens: Sequence[Token]) -> bool:
    """Whether there is a relation outside of brackets."""
    depth = 0
    for token in tokens:
        depth += (token.kind in DEEPER) - (token.kind in HIGHER)
        if depth == 0 and token.kind in ("RELATION", "UNCHECKED"):
            return True
    return False


def chain(line: Sequence[Token], source: Source) -> RawChain:
    """The sides and relations of one chain."""
    bare = without_alignment(line)
    while bare and bare[-1].kind in ("COMMA", "SEMI", "DOT"):
        bare.pop()
    sides: list[list[Token]] = [[]]
    relations: list[Token] = []
    depth = 0
    for token in bare:
        depth += (token.kind in DEEPER) - (token.kind in HIGHER)
        if token.kind in ("UNCHECKED", "DOT", "COLON", "IN", "TOP", "MARK", "CUP", "UNKNOWN") or (
            token.kind == "COMMA" and depth == 0
        ):
            name = str(token.value)
            shown = f"\\{name}" if name.isalpha() and len(name) > 1 else name
            raise source.error(f"{shown} cannot be read here; an equation is read with =, \\neq or :=", token.span)
        if token.kind == "RELATION" and depth:
            raise source.error("a relation inside brackets", token.span)
        if token.kind == "RELATION":
            relations.append(token)
            sides.append([])
        else:
            sides[-1].append(token)
    span = bare[0].span.to(bare[-1].span) if bare else Span(0, 1)
    for relation, side in zip(relations, sides, strict=False):
        if not side:
            raise source.error("an equation has two sides; there is nothing on the left", relation.span)
    if relations and not sides[-1]:
        raise source.error("an equation has two sides; there is nothing on the right", relations[-1].span)
    tag, remarks = said(line)
    return RawChain(tuple(map(tuple, sides)), tuple(relations), tag, remarks, span)


def without_alignment(line: Sequence[Token]) -> list[Token]:
    """The tokens without alignment marks, spaces and remarks outside of matrices."""
    out, matrices = [], 0
    for token in line:
        matrices += (token.kind == "BEGIN") - (token.kind == "END")
        if token.kind in ("TEXT", "TAG", "LABEL", "QUAD") or (token.kind in ("AMP", "ROWSEP") and not matrices):
            continue
        out.append(token)
    return out


def said(line: Sequence[Token]) -> tuple[str | None, tuple[str, ...]]:
    """The tag or label of a line, and its remarks."""
    tags = [str(token.value) for token in line if token.kind == "TAG"] or [
        str(token.value) for token in line if token.kind == "LABEL"
    ]
    return (tags[0] if tags else None), tuple(str(token.value) for token in line if token.kind == "TEXT")


def with_remarks(chain: RawChain, line: Sequence[Token]) -> RawChain:
    """The chain with what stands behind it."""
    tag, remarks = said(line)
    return RawChain(chain.sides, chain.relations, chain.tag or tag, (*chain.remarks, *remarks), chain.span)
