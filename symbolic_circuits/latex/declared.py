r"""What names stand for: tensors, families over heads, scalars, indices, functions, definitions; laws and hypotheses on them.

A name is a letter or word with the parts of its subscript and superscript, ``W_{OV}`` and ``W_{\mathrm{OV}}`` being ``("W", "OV", "")``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sympy import Expr, MatrixSymbol, Symbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.axes import size_symbol
from symbolic_circuits.identities.rewrite import Rewrite
from symbolic_circuits.latex.macros import Macro
from symbolic_circuits.latex.sizes import Axis, size_expr
from symbolic_circuits.latex.source import Source
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = [
    "Abbreviation",
    "Entry",
    "Family",
    "Index",
    "Key",
    "Law",
    "OpaqueFunction",
    "Scalar",
    "Symbols",
    "Tensor",
    "shown_key",
    "symbol_name",
]


class Key(NamedTuple):
    """A name: letter or word, what its subscript says, what its superscript says."""

    base: str
    sub: str = ""
    sup: str = ""


@dataclass(frozen=True)
class Entry:
    """Something declared."""

    key: Key
    line: int

    @property
    def shown(self) -> str:
        """The name for messages."""
        return shown_key(self.key)


@dataclass(frozen=True)
class Tensor(Entry):
    """A tensor of order 1 or more."""

    axes: tuple[Axis, ...]
    symbol: Basic  # MatrixSymbol for orders 1 (a column) and 2, ArraySymbol beyond


@dataclass(frozen=True)
class Family(Entry):
    """Tensors of one shape indexed by a label, which stands in the superscript or at the end of the subscript."""

    axes: tuple[Axis, ...]  # of a member
    heads: Axis
    place: str  # "sup" or "sub"
    label: str
    symbol: Basic  # MatrixFamily for members of order 1 and 2, ArraySymbol with the heads first beyond


@dataclass(frozen=True)
class Scalar(Entry):
    """A real number."""

    symbol: Symbol


@dataclass(frozen=True)
class Index(Entry):
    """An index or label with its range."""

    range: Axis


@dataclass(frozen=True)
class OpaqueFunction(Entry):
    """A function of entries of which nothing is known."""


@dataclass(frozen=True)
class Abbreviation(Entry):
    """A definition that is put in where it is used: of a function, or of a scalar."""

    parameters: tuple[str, ...]
    body: Any  # a node
    source: Source
    symbols: "Symbols"  # those in force where it was defined


class Law(NamedTuple):
    """A law of a tensor or family."""

    symbol: Basic
    text: str


@dataclass(frozen=True)
class Symbols:
    """All that is declared."""

    entries: Mapping[Key, tuple[Entry, ...]] = field(default_factory=dict)
    sizes: frozenset[str] = frozenset()
    laws: tuple[Law, ...] = ()
    definitions: tuple[tuple[Basic, Expr], ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    macros: Mapping[str, Macro] = field(default_factory=dict)
    at: Mapping[str, int] = field(default_factory=dict)
    rows: bool = False  # vectors are rows in products: x W
    einstein: bool = False
    vec_columns: bool = False
    later: frozenset[Key] = frozenset()  # defined further down in the block that is being read

    def with_entry(self, entry: Entry) -> "Symbols":
        """With one more entry."""
        return replace(self, entries={**self.entries, entry.key: (*self.entries.get(entry.key, ()), entry)})

    def names(self) -> list[str]:
        """All names, for suggestions."""
        return sorted({entry.shown for entries in self.entries.values() for entry in entries} | self.sizes)

    def taken(self) -> dict[str, Key]:
        """The names of SymPy's symbols that are in use."""
        found = {}
        for entries in self.entries.values():
            for entry in entries:
                symbol = getattr(entry, "symbol", None)
                if symbol is not None:
                    found[str(getattr(symbol, "name", symbol))] = entry.key
        return found


def shown_key(key: Key) -> str:
    r"""A name as LaTeX.

    >>> shown_key(Key("W", "OV", "1"))
    'W_{OV}^{1}'
    """
    return key.base + (f"_{{{key.sub}}}" if key.sub else "") + (f"^{{{key.sup}}}" if key.sup else "")


def symbol_name(key: Key) -> str:
    """The name of the symbol in SymPy.

    >>> symbol_name(Key("W", "OV", "(1)"))
    'W_OV^1'
    """
    below, above = (re.sub(r"[^A-Za-z0-9]", "", part) for part in (key.sub, key.sup))
    return key.base + (f"_{below}" if below else "") + (f"^{above}" if above else "")


def tensor_symbol(name: str, axes: tuple[Axis, ...]) -> Basic:
    """The SymPy symbol of a tensor."""
    sizes = [size_expr(axis) for axis in axes]
    if len(sizes) <= 2:
        return MatrixSymbol(name, *(sizes if len(sizes) == 2 else [*sizes, 1]))
    return ArraySymbol(name, tuple(sizes))


def family_symbol(name: str, heads: Axis, axes: tuple[Axis, ...]) -> Basic:
    """The SymPy symbol of a family."""
    sizes = [size_expr(axis) for axis in axes]
    if len(sizes) <= 2:
        return MatrixFamily(name, size_expr(heads), *(sizes if len(sizes) == 2 else [*sizes, 1]))
    return ArraySymbol(name, (size_expr(heads), *sizes))


def is_size(name: str) -> bool:
    """Whether a word can name a size."""
    try:
        size_symbol(name)
    except ValueError:
        return False
    return True
