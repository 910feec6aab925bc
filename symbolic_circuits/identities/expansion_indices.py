r"""Structured indices: the index of an axis is a tuple of variables, and equations between indices are solved as in Prolog.

An index of an axis of size n d is one variable, until an equation with the pair (a, i) of an index of a Kronecker product binds it to
these parts. An axis of size 1 has the empty tuple. An identity matrix is an equation between its two indices, no factor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from sympy import Expr, Integer, Mul

from symbolic_circuits.errors import ShapeError
from symbolic_circuits.identities.checker_data import Scalar

__all__ = ["Bindings", "Entry", "Index", "Variable"]


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """An index variable."""

    size: Expr
    number: int  # in the order in which variables were made


Index: TypeAlias = tuple[Variable, ...]  # of one axis


class Entry(NamedTuple):
    """scalar * sum over some indices of a product of entries of tensors, under equations between indices."""

    scalar: Scalar
    factors: tuple[tuple[str, tuple[Index, ...]], ...] = ()
    equations: tuple[tuple[Index, Index], ...] = ()
    summed: tuple[Index, ...] = ()
    names: tuple[tuple[str, Index], ...] = ()  # open index variables, such as s in X_{s a}


@dataclass
class Bindings:
    """What variables are bound to: another variable, or parts of their own."""

    parts: dict[Variable, Index] = field(default_factory=dict)

    def resolve(self, index: Index) -> Index:
        """The variables of an index that are not bound."""
        out, waiting = [], list(reversed(index))
        while waiting:
            variable = waiting.pop()
            if variable in self.parts:
                waiting += reversed(self.parts[variable])
            else:
                out.append(variable)
        return tuple(out)

    def unify(self, left: Index, right: Index) -> None:
        """Make two indices one, splitting variables into parts where the other index has parts.

        Raises
        ------
        ShapeError
            Their sizes differ, or are split in two ways.
        """
        shown = f"an axis of size {show(self.resolve(left))} meets an axis of size {show(self.resolve(right))}"
        a, b = self.resolve(left), self.resolve(right)
        while a and b:
            if a[0] is b[0]:
                taken = (1, 1)
            elif a[0].size == b[0].size:
                older, newer = sorted((a[0], b[0]), key=lambda variable: variable.number)
                self.parts[newer] = (older,)
                taken = (1, 1)
            elif count := prefix(a[0].size, b):
                self.parts[a[0]] = b[:count]
                taken = (1, count)
            elif count := prefix(b[0].size, a):
                self.parts[b[0]] = a[:count]
                taken = (count, 1)
            else:
                raise ShapeError(shown)
            a, b = self.resolve(a[taken[0] :]), self.resolve(b[taken[1] :])
        if a or b:
            raise ShapeError(shown)


def prefix(size: Expr, index: Sequence[Variable]) -> int:
    """How many variables from the left have this product of sizes; 0 where none do."""
    return next((count for count in range(2, len(index) + 1) if Mul(*(v.size for v in index[:count])) == size), 0)


def show(index: Index) -> str:
    """Sizes for an error message."""
    return " * ".join(str(variable.size) for variable in index) or str(Integer(1))
