r"""What a formula says before it is known what its names mean: a tree of frozen nodes, each with its place.

Juxtaposition is a :class:`Product` of factors; which of them are functions, indices or labels is found out with the declarations.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from symbolic_circuits.latex.scanner import Token
from symbolic_circuits.latex.source import Span

__all__ = [
    "Angle",
    "Big",
    "Binary",
    "Fraction_",
    "Function",
    "Grid",
    "Group",
    "Identity",
    "Lambda",
    "Name",
    "Node",
    "Norm",
    "Number",
    "Ones",
    "Product",
    "Root",
    "Scripted",
    "Sum",
]

Script: TypeAlias = tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of a formula."""

    span: Span


@dataclass(frozen=True, slots=True)
class Number(Node):
    """An exact number."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A letter or word, with its accent and primes: ``W``, ``What``, ``xprime``."""

    text: str


@dataclass(frozen=True, slots=True)
class Identity(Node):
    """An identity matrix."""


@dataclass(frozen=True, slots=True)
class Ones(Node):
    """A vector of ones."""


@dataclass(frozen=True, slots=True)
class Function(Node):
    """A known function such as tr."""

    name: str


@dataclass(frozen=True, slots=True)
class Scripted(Node):
    """A node with a subscript and superscripts."""

    base: Node
    sub: Script
    sups: tuple[Script, ...]


@dataclass(frozen=True, slots=True)
class Group(Node):
    """Brackets; several parts are the arguments of a function."""

    parts: tuple[Node, ...]
    bracket: str


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """Terms with signs."""

    terms: tuple[tuple[int, Node], ...]


@dataclass(frozen=True, slots=True)
class Product(Node):
    """Factors side by side."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Binary(Node):
    r"""Parts joined by one operation: ``CDOT``, ``ODOT``, ``OTIMES``, ``DOT`` with axes (two parts), ``SLASH`` (two parts)."""

    operation: str
    parts: tuple[Node, ...]
    axes: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Big(Node):
    r"""A sum or product over indices, ``\sum_{j,k}``."""

    name: str
    sub: Script
    sup: Script
    body: Node


@dataclass(frozen=True, slots=True)
class Fraction_(Node):
    r"""``\frac``."""

    over: Node
    under: Node


@dataclass(frozen=True, slots=True)
class Root(Node):
    """A square root."""

    inside: Node


@dataclass(frozen=True, slots=True)
class Angle(Node):
    r"""``\langle a, b \rangle``."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Norm(Node):
    r"""``\|x\|``, to be squared."""

    inside: Node


@dataclass(frozen=True, slots=True)
class Grid(Node):
    """A matrix of blocks."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True, slots=True)
class Lambda(Node):
    r"""``( x \mapsto ... )``, a function of entries."""

    variable: str
    body: Node
