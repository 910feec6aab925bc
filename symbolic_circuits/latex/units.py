r"""Identity matrices, ones and deltas, with sizes or indices in the subscript: ``I_d``, ``\mathbf{1}_n``, ``\delta_{ij}``."""

from itertools import pairwise

from sympy import Identity, Mul
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.latex import tree
from symbolic_circuits.latex.atoms import Atom
from symbolic_circuits.latex.declared import is_size
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.entries import entry
from symbolic_circuits.latex.meaning import (
    identity_of,
    meaning,
    ones_of,
)
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.values import Value, scalar

__all__ = ["delta", "sized"]


def delta(below: tuple[Atom, ...], span: Span, state: Elaboration) -> Value:
    """1 where all indices are equal, else 0."""
    found = []
    indices: dict[str, int] = {}
    for atom in below:
        if not state.may_be_index(atom):
            raise state.error(f"{atom.text} is no index of a delta: declare it with its range ({atom.text} in n)", atom.span)
    words = [atom for atom in below if atom.kind == "word"]
    if not words:
        raise state.error("a delta of numbers: at least one index was expected", span)
    axis = state.index(words[0]).axis
    for atom in below:
        place, names = state.place(atom, axis, "an index of the delta")
        found.append(place)
        for name in names:
            indices[name] = indices.get(name, 0) + 1

    def build() -> Basic:
        unit = Identity(state.size(axis, span, "this delta"))
        return Mul(*(MatrixElement(unit, a, b) for a, b in pairwise(found)))

    return scalar(build, span, indices)


def sized(node: tree.Node, below: tuple[Atom, ...], span: Span, state: Elaboration) -> Value:
    """An identity matrix or ones with a size in the subscript, or their entries."""
    ones = isinstance(node, tree.Ones)
    if not below:
        return meaning(node, state)
    numbers = [atom for atom in below if atom.kind == "number"]
    are_positions = any(atom.number < 1 or atom.number.denominator != 1 for atom in numbers) or (not ones and len(numbers) > 1)
    are_sizes = all(atom.text in state.symbols.sizes or atom.kind == "number" or atom.text == "x" for atom in below)
    if are_sizes and not are_positions:
        parts = [size_part(atom) for atom in below if atom.text not in ("x",)]
        if ones and len(below) == 3 and below[1].text in ("x", "star"):
            return ones_of(((parts[0],), (parts[1],)), span, state)
        return ones_of((tuple(parts),), span, state) if ones else identity_of(tuple(parts), span, state)
    if ones and len(below) == 3 and below[1].text == "star" and all(is_size(below[k].text) for k in (0, 2)):
        return ones_of(((below[0].text,), (below[2].text,)), span, state)
    if not ones and len(below) == 3 and below[1].text == "star" and below[0].text == below[2].text and is_size(below[0].text):
        return identity_of((below[0].text,), span, state)
    if not ones and len(below) == 2:
        return delta(below, span, state)
    if ones and len(below) == 1:
        return entry(meaning(node, state), below, span, state)
    raise state.error(f"{', '.join(atom.text for atom in below)} is no size that is declared", span)


def size_part(atom: Atom) -> str | int:
    """A size in a subscript."""
    return int(atom.number) if atom.kind == "number" else atom.text
