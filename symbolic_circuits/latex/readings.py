r"""The ways to read a name with scripts: ``W_{1j}`` is W_1 with an index, or W with two, by what is declared."""

from collections.abc import Sequence
from typing import NamedTuple

from sympy import MatrixSymbol

from symbolic_circuits.latex.actions import is_action
from symbolic_circuits.latex.atoms import Atom
from symbolic_circuits.latex.declared import Abbreviation, Entry, Family, Index, Key, OpaqueFunction, Scalar, Tensor
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.sizes import axis_text
from symbolic_circuits.latex.source import Span

__all__ = ["Reading", "chosen", "is_label", "readings"]


class Reading(NamedTuple):
    """One way to read a name with scripts."""

    entry: Entry
    label: Atom | None
    indices: tuple[Atom, ...]
    actions: tuple[Atom, ...]
    parts: int  # of the scripts that belong to the name

    @property
    def words(self) -> str:
        """The reading in words."""
        text = f"{self.entry.shown}"
        if isinstance(self.entry, Family):
            text += f" over {axis_text(self.entry.heads)}, of head {self.label.text},"
        if self.indices:
            text += f" with the {'indices' if len(self.indices) > 1 else 'index'} {', '.join(i.text for i in self.indices)}"
        return text + (f", then ^{{{' '.join(a.text for a in self.actions)}}}" if self.actions else "")


def readings(name: str, below: Sequence[Atom], above: Sequence[Atom], state: Elaboration) -> list[Reading]:
    """All ways to read a name with scripts that the declarations allow."""
    found = []
    for p in range(len(below) + 1):
        for q in range(len(above) + 1):
            key = Key(name, "".join(a.text for a in below[:p]), "".join(a.text for a in above[:q]))
            if any(atom.is_action for atom in (*below[:p], *above[:q])):
                continue
            for declared in state.symbols.entries.get(key, ()):
                reading = reading_of(declared, tuple(below[p:]), tuple(above[q:]), p + q, state)
                if reading is not None:
                    found.append(reading)
    return found


def reading_of(
    declared: Entry, below: tuple[Atom, ...], above: tuple[Atom, ...], parts: int, state: Elaboration
) -> Reading | None:
    """The reading of the rest of the scripts, or None where they do not fit."""
    label = None
    if isinstance(declared, Family):
        if declared.place == "sup":
            if not above or not is_label(above[0], declared, state):
                return None
            label, above = above[0], above[1:]
        else:
            if not below or not is_label(below[0], declared, state):
                return None
            label, below = below[0], below[1:]
    order = len(declared.axes) if isinstance(declared, Tensor | Family) else 0
    if isinstance(declared, Index | OpaqueFunction) or (below and isinstance(declared, Scalar)):
        return None
    if isinstance(declared, Abbreviation):
        if declared.parameters:
            return None
        order = len(below)
    if len(below) == 2 and order == 1 and isinstance(declared.symbol, MatrixSymbol) and below[1].text == "0":
        below = below[:1]  # SymPy prints the entries of a column as x_{i,0}
    if len(below) > order or not all(state.may_be_index(atom) for atom in below):
        return None
    if not all(is_action(atom) for atom in above):
        return None
    return Reading(declared, label, below, above, parts)


def is_label(atom: Atom, family: Family, state: Elaboration) -> bool:
    """Whether an atom can be the head of a family: a number, or an index whose range is not known to be another."""
    if atom.kind == "number":
        return atom.number.denominator == 1 and (atom.text == "0" or atom.text[0] != "0")
    if atom.kind != "word" or (not state.may_be_index(atom) and atom.text != family.label):
        return False
    index = state.lookup(atom.text)
    axis = index.axis if index is not None else state.declared_range(atom.text)
    if axis is None and atom.text == family.label:
        axis = family.heads
    return axis is None or state.sizes.agrees(axis, family.heads)


def chosen(found: list[Reading], span: Span, state: Elaboration) -> Reading:
    """The reading that counts: all of the subscript being the name, with the longest name; or the only one there is."""
    whole = [reading for reading in found if not reading.indices]
    longest = [reading for reading in whole if reading.parts == max(r.parts for r in whole)]
    options = longest or found
    if len(options) > 1:  # families of one letter are told apart by their labels
        same = [r for r in options if isinstance(r.entry, Family) and r.label is not None and r.label.text == r.entry.label]
        options = same if len(same) == 1 and len({r.entry.key for r in options}) == 1 else options
    if len(options) > 1:
        words = " or ".join(f"{reading.words} (declared in line {reading.entry.line})" for reading in options[:4])
        raise state.error(f"{state.source.slice(span)[:60]} can be read in several ways: {words}", span)
    return options[0]
