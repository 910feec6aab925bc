r"""Definitions ``B_{ijk} := \ldots``, ``W_{OV}^h := W_O^h W_V^h``, ``g(x) := \ldots``, ``c := \operatorname{tr} A``.

On the left stands a name; its indices and label are those that are free on the right.
"""

from dataclasses import replace
from typing import NamedTuple

from sympy import MatrixSymbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.latex import tree
from symbolic_circuits.latex.atoms import Atom, atoms_of
from symbolic_circuits.latex.declared import (
    Abbreviation,
    Entry,
    Family,
    Key,
    Symbols,
    Tensor,
    family_symbol,
    shown_key,
    symbol_name,
    tensor_symbol,
)
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.entries import abstracted
from symbolic_circuits.latex.meaning import meaning
from symbolic_circuits.latex.sizes import Axis, Blocks, shape_text
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.summing import repeated_summed
from symbolic_circuits.latex.tree import Node
from symbolic_circuits.latex.values import Value, array_of
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["checked_new", "defined", "defined_key"]


class Left(NamedTuple):
    """The left side of a definition: a name, the parts of its scripts, the arguments of a function."""

    base: str
    below: tuple[Atom, ...]
    above: tuple[Atom, ...]
    arguments: tuple[str, ...] | None
    span: Span


def left_side(node: Node, source: Source) -> Left:
    """The parts of the left side."""
    arguments = None
    span = node.span
    if isinstance(node, tree.Product) and len(node.factors) == 2 and isinstance(node.factors[1], tree.Group):
        node, group = node.factors
        if not all(isinstance(part, tree.Name) for part in group.parts):
            raise source.error("the arguments of a function that is defined are names", group.span)
        arguments = tuple(part.text for part in group.parts)
        if len(set(arguments)) < len(arguments):
            raise source.error("the arguments of a function have different names", group.span)
    below: tuple[Atom, ...] = ()
    above: tuple[Atom, ...] = ()
    if isinstance(node, tree.Scripted):
        below = atoms_of(node.sub, source)
        above = tuple(atom for sup in node.sups for atom in atoms_of(sup, source))
        node = node.base
    while isinstance(node, tree.Group) and len(node.parts) == 1:
        node = node.parts[0]
    if not isinstance(node, tree.Name) or any(atom.is_action for atom in (*below, *above)):
        raise source.error("a name was expected on the left of :=, with indices, a label, or arguments", span)
    return Left(node.text, below, above, arguments, span)


def defined_key(node: Node, source: Source) -> Key:
    """The name on the left with all of its scripts, for messages about definitions that stand further down."""
    left = left_side(node, source)
    return Key(left.base, "".join(a.text for a in left.below), "".join(a.text for a in left.above))


def defined(node: Node, body: Node, symbols: Symbols, source: Source) -> Symbols:
    """What is declared after a definition.

    Raises
    ------
    LatexError
        The left side is no name, the name is declared with another shape or defined already, an index on one side is not on the other.
    """
    left = left_side(node, source)
    line, _ = source.position(left.span.start)
    if left.arguments is not None:
        key = Key(left.base, "".join(a.text for a in left.below), "".join(a.text for a in left.above))
        checked_new(key, symbols, source, left.span)
        return symbols.with_entry(Abbreviation(key, line, left.arguments, body, source, symbols))
    state = Elaboration(symbols, source)
    state.summed = frozenset(atom.text for atom in (*left.below, *left.above))
    value = repeated_summed(meaning(body, state), state)
    state.settle()
    return with_value(left, value, body, state, line)


def with_value(left: Left, value: Value, body: Node, state: Elaboration, line: int) -> Symbols:
    """The definition of a tensor, family or scalar."""
    symbols, source = state.symbols, state.source
    key, label, indices = split(left, value, state)
    of_blocks = any(isinstance(part, Blocks) for axis in value.axes for part in state.known(axis))  # put in where it is used
    if not indices and label is None and (not value.order or (of_blocks and key not in symbols.entries)):
        checked_new(key, symbols, source, left.span)
        return symbols.with_entry(Abbreviation(key, line, (), body, source, symbols))
    bound = [state.index(atom) for atom in ([label] if label else []) + list(indices)]
    whole = abstracted(value, bound, left.span, state) if bound else value
    axes = tuple(state.known(axis) for axis in whole.axes)
    for axis in axes:
        state.size(axis, left.span, f"an axis of {shown_key(key)}")
    entry, symbols = entry_for(key, label, left, axes, line, symbols, source)
    value = expression(whole, len(axes), state, left.span)
    if uses(value, entry.symbol, dict(symbols.definitions)):
        raise source.error(f"{entry.shown} is defined by itself: definitions are circular", left.span)
    return replace(symbols, definitions=(*symbols.definitions, (entry.symbol, value)))


def uses(value: Basic, symbol: Basic, definitions: dict[Basic, Basic]) -> bool:
    """Whether a symbol stands in an expression, or in the definitions of what stands there."""
    waiting, seen = [value], set()
    while waiting:
        for atom in waiting.pop().atoms(MatrixSymbol, ArraySymbol, MatrixFamily) - seen:
            seen.add(atom)
            waiting += [definitions[atom]] if atom in definitions else []
    return symbol in seen


def expression(value: Value, order: int, state: Elaboration, span: Span) -> Basic:
    """The expression of a definition: a column for a vector."""
    try:
        if order == 1 and value.form != "column":
            return contract([["i"], ["i", []]], array_of(value)())
        return value.build()
    except SymbolicCircuitsError as error:
        if getattr(error, "line", 0):
            raise
        raise state.error(str(error), span) from error
    except (ValueError, TypeError, NotImplementedError, ArithmeticError) as error:
        raise state.error(f"this has no expression: {error}", span) from error


def split(left: Left, value: Value, state: Elaboration) -> tuple[Key, Atom | None, tuple[Atom, ...]]:
    """Name, label and indices on the left: indices and label are free on the right."""

    def is_free(atom: Atom) -> bool:
        index = state.free.get(atom.text)
        return index is not None and index.symbol.name in value.indices

    cut = len(left.below)
    while cut and is_free(left.below[cut - 1]):
        cut -= 1
    label = left.above[-1] if left.above and is_free(left.above[-1]) else None
    names, indices = left.below[:cut], left.below[cut:]
    above = left.above[: len(left.above) - (label is not None)]
    used = [atom.text for atom in indices] + ([label.text] if label else [])
    free = {state.by_symbol[name].name for name in value.indices}
    if len(set(used)) < len(used):
        raise state.error("an index stands twice on the left of :=", left.span)
    if free - set(used):
        raise state.error(f"the index {min(free - set(used))} is free on the right of := and not an index on the left", left.span)
    return Key(left.base, "".join(a.text for a in names), "".join(a.text for a in above)), label, indices


def entry_for(
    key: Key, label: Atom | None, left: Left, axes: tuple[Axis, ...], line: int, symbols: Symbols, source: Source
) -> tuple[Entry, Symbols]:
    """The entry of the name: the one that is declared, or a new one."""
    kind = Family if label is not None else Tensor
    for entry in symbols.entries.get(key, ()):
        if isinstance(entry, kind) and any(symbol == entry.symbol for symbol, _ in symbols.definitions):
            raise source.error(f"{entry.shown} is defined twice", left.span)
        if isinstance(entry, kind):
            declared = (entry.heads, *entry.axes) if isinstance(entry, Family) else entry.axes
            if declared != axes:
                raise source.error(
                    f"{entry.shown} is declared as {shape_text(declared)}, and defined as {shape_text(axes)}", left.span
                )
            return entry, symbols
    checked_new(key, symbols, source, left.span)
    name = symbol_name(key)
    if label is not None:
        entry: Entry = Family(key, line, axes[1:], axes[0], "sup", label.text, family_symbol(name, axes[0], axes[1:]))
    else:
        entry = Tensor(key, line, axes, tensor_symbol(name, axes))
    return entry, symbols.with_entry(entry)


def checked_new(key: Key, symbols: Symbols, source: Source, span: Span) -> None:
    """Raise where a name is taken."""
    there = symbols.entries.get(key, ())
    if there:
        raise source.error(f"{shown_key(key)} is declared twice; first in line {there[0].line}", span)
    if not key.sup and (f"{key.base}_{key.sub}" if key.sub else key.base) in symbols.sizes:
        raise source.error(f"{shown_key(key)} is a size already", span)
    taken = symbols.taken().get(symbol_name(key))
    if taken is not None:
        raise source.error(f"{shown_key(key)} and {shown_key(taken)} cannot be told apart; rename one of them", span)
