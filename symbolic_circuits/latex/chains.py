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
    for line in pieces(without_empty_groups(tokens), source):
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


def pieces(tokens: Sequence[Token], source: Source) -> list[list[Token]]:
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
            previous = next((token for token in reversed(out[-1]) if token.kind not in NO_MATTER), None) if out else None
            goes_on = k == 0 and bare and previous and (unfinished(previous) or goes_before(part, source))
            if out and (goes_on or not bare):
                out[-1] += part
            else:
                out.append(part)
    return out


def continues(token: Token) -> bool:
    """Whether a line that begins so goes on with the one before."""
    return token.kind in OPERATIONS or token.kind in ("RELATION", "UNCHECKED")


def goes_before(line: Sequence[Token], source: Source) -> bool:
    """Whether a line goes on with the one before; ``-A &= -B`` is an equation of its own."""
    place = next(k for k, token in enumerate(line) if token.kind not in NO_MATTER)
    relation = next((k for k, token in enumerate(line) if token.kind == "RELATION"), None)
    is_aligned = any(token.kind == "AMP" for token in line[:place])
    if line[place].kind not in ("PLUS", "MINUS") or relation is None or is_aligned:
        return continues(line[place])
    if any(token.kind == "AMP" for token in line[place:relation]):
        return False
    words = "does the line before go on here, or is this another equation? write & before what goes on, or before the ="
    raise source.error(words, line[place].span)


def unfinished(token: Token) -> bool:
    """Whether a line that ends so is not finished."""
    return token.kind in OPERATIONS or token.kind in ("RELATION", "UNCHECKED", "BIG")


def without_number(line: list[Token]) -> list[Token]:
    r"""A line without the number of an equation at its end, ``\qquad (1)``, or at its beginning, ``(1) \quad``."""
    if [token.kind for token in line[:4]] == ["OPEN", "NUMBER", "CLOSE", "QUAD"]:
        return line[4:]
    if len(line) < 4 or line[-1].kind != "CLOSE" or line[-3].kind != "OPEN" or line[-4].kind not in ("QUAD", "AMP"):
        return line
    is_number = line[-2].kind == "NUMBER" and isinstance(line[-2].value, Fraction)
    return line[:-4] if is_number else line


def parted(line: list[Token]) -> list[list[Token]]:
    """Parts of a line between commas, spaces or remarks that part equations: each side has a relation."""
    out: list[list[Token]] = [[]]
    relations = relations_in(line)
    related, last, depth = False, None, 0  # of the part that is being read: whether it has a relation, and its last token
    for k, token in enumerate(line):
        depth += (token.kind in DEEPER) - (token.kind in HIGHER)
        more = depth == 0 and related and bool(relations) and relations[-1] > k
        parts = more and token.kind in ("COMMA", "SEMI")
        wide = more and token.kind in ("QUAD", "AMP", "TEXT") and not unfinished(last) and begins_equation(line, k + 1)
        if not parts and not (wide and token.kind != "TEXT"):
            out[-1].append(token)
        if parts or wide:
            out.append([])
            related, last = False, None
        elif token.kind not in NO_MATTER:
            related, last = related or (depth == 0 and token.kind in ("RELATION", "UNCHECKED")), token
    return out


def begins_equation(line: Sequence[Token], k: int) -> bool:
    """Whether what stands from k on does not go on with what stands before it."""
    first = next((token for token in line[k:] if token.kind not in NO_MATTER), None)
    return first is not None and not continues(first)


def relations_in(tokens: Sequence[Token]) -> list[int]:
    """The places of relations outside of brackets."""
    found, depth = [], 0
    for k, token in enumerate(tokens):
        depth += (token.kind in DEEPER) - (token.kind in HIGHER)
        if depth == 0 and token.kind in ("RELATION", "UNCHECKED"):
            found.append(k)
    return found


def chain(line: Sequence[Token], source: Source) -> RawChain:
    """The sides and relations of one chain."""
    require_remarks_apart(line, source)
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


def require_remarks_apart(line: Sequence[Token], source: Source) -> None:
    r"""Raise where a remark would be read over between factors (``A = B \text{ for all } B``), or where it is a function's name."""
    previous, remark = None, None
    for k, token in enumerate(line):
        if token.kind == "TEXT":
            remark = token
            if str(token.value).isalpha() and k + 1 < len(line) and line[k + 1].kind == "OPEN":
                raise source.error(f"\\text is a remark: write the function as \\operatorname{{{token.value}}}", token.span)
        if token.kind in NO_MATTER | {"ROWSEP"}:
            continue
        if remark and previous and not asks_for_more(previous) and not goes_on_from(token):
            raise source.error(
                "a remark between factors: what follows it would be one more factor; write all of it in \\text", remark.span
            )
        previous, remark = token, None


def asks_for_more(token: Token) -> bool:
    """Whether a token asks for something behind it."""
    return token.kind in OPERATIONS | DEEPER | {"RELATION", "UNCHECKED", "COMMA", "SEMI", "BIG", "IN"}


def goes_on_from(token: Token) -> bool:
    """Whether a token goes on with what stands before it."""
    return token.kind in OPERATIONS | HIGHER | {"RELATION", "UNCHECKED", "COMMA", "SEMI", "DOT", "BAR"}


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
