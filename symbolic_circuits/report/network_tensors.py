"""What the picture of a tensor network needs to know of a tensor: its name, and which of its indices are positions."""

from dataclasses import dataclass

import sympy

from symbolic_circuits.algebra.network import Factor
from symbolic_circuits.expansion.code import ONES
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["PATTERNS", "Placed", "letter_of", "placed"]

ON_POSITIONS = {
    "A": (0, 1),
    "M": (0, 1),
    "r": (0,),
    ONES: (0,),
    "t": (0,),
    "X": (0,),
    "W_pos": (0,),
    "R": (0,),
    "G": (0,),
}  # axes
PATTERNS = ("A", "M")  # axis 1 is where they read
RAILS = ("A", "M", "r", ONES)


@dataclass(frozen=True, slots=True)
class Placed:
    """A tensor in the picture."""

    letter: str  # "A", "W_OV", "r": without block and head
    latex: str
    indices: tuple[int, ...]
    positions: frozenset[int]  # those of its indices that are positions

    @property
    def is_rail(self) -> bool:
        """Whether it acts on positions alone."""
        return self.letter in RAILS

    @property
    def is_spine(self) -> bool:
        """Whether it has a place in a tree of features."""
        return not self.is_rail and self.letter != "w"

    @property
    def which(self) -> str:
        """Block and head, as LaTeX."""
        return self.latex.partition("^")[2]

    def reads(self, index: int) -> bool:
        """Whether an index is the source of a pattern."""
        return self.letter in PATTERNS and self.indices[1] == index


def placed(factor: Factor) -> Placed:
    """What a picture needs to know of a factor."""
    if factor.operand == ONES:
        return Placed(ONES, "1", factor.indices, frozenset(factor.indices))
    expr, head = factor.operand.expr, factor.operand.fixed[0]
    is_member = isinstance(expr, MatrixFamily) and head is not None
    letter = letter_of(expr.name)
    positions = frozenset(factor.indices[axis] for axis in ON_POSITIONS.get(letter, ()))
    return Placed(letter, sympy.latex(expr[head] if is_member else expr), factor.indices, positions)


def letter_of(name: str) -> str:
    """The name without its block.

    >>> [letter_of(name) for name in ("W_OV^2", "r_0", "W_1^0", "A", "W_pos", "G_1")]
    ['W_OV', 'r', 'W_1', 'A', 'W_pos', 'G']
    """
    name = name.partition("^")[0]
    first = name.partition("_")[0]
    return first if first in (*ON_POSITIONS, "w") else name
