r"""Names as they are declared: ``A, W_{OV}, \hat W, x'``, and ``W_OV`` for ``W_{OV}``."""

import re

from symbolic_circuits.latex.atoms import Atom, atoms_of
from symbolic_circuits.latex.declared import (
    Key,
    Symbols,
)
from symbolic_circuits.latex.grammar import parse
from symbolic_circuits.latex.scanner import tokens_of
from symbolic_circuits.latex.shapes import split_commas
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.tree import Group, Name, Node, Scripted

__all__ = ["names_of"]

PLAIN = re.compile(r"([A-Za-z][A-Za-z0-9]*)(?:_([A-Za-z0-9]+))?('*)\Z")


def names_of(text: str, statement: Source, symbols: Symbols) -> list[tuple[Key, tuple[Atom, ...], tuple[Atom, ...], Span]]:
    """Names separated by commas: name, parts of its subscript and superscript, place."""
    out = []
    offset = 0
    for piece in split_commas(text):
        name = piece.strip()
        at = offset + piece.find(name) if name else offset
        offset += len(piece) + 1
        span = Span(at, at + max(1, len(name)))
        plain = PLAIN.match(name)
        if plain:
            out.append((Key(plain.group(1) + "prime" * len(plain.group(3)), plain.group(2) or ""), (), (), span))
            if plain.group(2):
                atoms = tuple(Atom("word", part, span) for part in plain.group(2))
                out[-1] = (out[-1][0], atoms if len(atoms) == 1 else (Atom("word", plain.group(2), span),), (), span)
            continue
        source = Source(" " * at + name, statement.line, statement.column)
        tokens = tokens_of(source, symbols.macros)
        if not tokens:
            raise statement.error("a name was expected", span)
        out.append((*parts_of(parse(tokens, source), source), span))
    return out


def parts_of(node: Node, source: Source) -> tuple[Key, tuple[Atom, ...], tuple[Atom, ...]]:
    """Name and scripts of a node that is declared."""
    below: tuple[Atom, ...] = ()
    above: tuple[Atom, ...] = ()
    span = node.span
    if isinstance(node, Scripted):
        below = atoms_of(node.sub, source)
        above = tuple(atom for sup in node.sups for atom in atoms_of(sup, source))
        node = node.base
    while isinstance(node, Group) and len(node.parts) == 1 and node.bracket == "{":
        node = node.parts[0]
    if not isinstance(node, Name) or any(atom.is_action for atom in (*below, *above)) or any(atom.text == "T" for atom in above):
        raise source.error("a name is a letter or word with scripts; a transpose, power or product has no declaration", span)
    return Key(node.text, "".join(a.text for a in below), "".join(a.text for a in above)), below, above
