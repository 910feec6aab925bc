r"""Which indices of a product are the same: indices of axes that meet are united, composite ones split, held ones given a value.

This is the state in which :mod:`symbolic_circuits.syntax.contraction` walks a tree, adding factors.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from sympy import Expr, KroneckerDelta, S, Symbol, cancel
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.axes import known_to_differ
from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.family import FamilyMember

__all__ = ["Axis", "Builder"]

Axis: TypeAlias = tuple[int, ...]
INDEXING = (MatrixElement, ArrayElement, Row, FamilyMember)


@dataclass
class Builder:
    """Collects factors and which indices are the same, while the rules below walk a tree."""

    sizes: list[Expr] = field(default_factory=list)  # of each index
    parent: list[int] = field(default_factory=list)  # union-find: indices found equal
    parts: dict[int, Axis] = field(default_factory=dict)  # a composite index, split
    values: dict[int, Expr] = field(default_factory=dict)  # an index held at a value
    factors: list[tuple[Basic, tuple[int, ...]]] = field(default_factory=list)
    scope: dict[Symbol, int] = field(default_factory=dict)  # summation symbols
    coefficient: Expr = S.One

    def new(self, size: Expr) -> int:
        """A new index."""
        self.sizes.append(size)
        self.parent.append(len(self.parent))
        return len(self.parent) - 1

    def find(self, index: int) -> int:
        """The representative of the indices equal to this one."""
        while self.parent[index] != index:
            index = self.parent[index]
        return index

    def atoms(self, axis: Axis) -> Axis:
        """An axis in indices that are not split further; axes of size 1 vanish."""
        out: list[int] = []
        for index in map(self.find, axis):
            out += self.atoms(self.parts[index]) if index in self.parts else (index,)
        return tuple(out)

    def identify(self, left: Axis, right: Axis, where: Basic) -> None:
        """The two axes are one: by ordered refinement of both into the same parts.

        Sizes that are not known to differ may meet, as in SymPy; but an axis that is a product has one way to split.
        """
        a, b = list(self.atoms(left)), list(self.atoms(right))
        one_each = len(a) == len(b) == 1
        while a and b:
            i, j = a.pop(0), b.pop(0)
            if self.sizes[i] == self.sizes[j]:
                self.unite(i, j)
            elif not (self.refine(i, j, b) or self.refine(j, i, a)):
                if not one_each or known_to_differ(self.sizes[i], self.sizes[j]):
                    raise ShapeError(f"an axis of size {self.sizes[i]} meets an axis of size {self.sizes[j]} in {where}")
                self.unite(i, j)
        for index in a + b:  # what remains must be of size 1
            self.hold(index, S.Zero, where)

    def refine(self, small: int, big: int, rest: list[int]) -> bool:
        """Split an index whose size is a multiple of the other's; the second part is left to be identified."""
        quotient = cancel(self.sizes[big] / self.sizes[small])
        if not quotient.is_integer or quotient == 1:
            return False
        if self.sizes[small] == 1:
            self.hold(small, S.Zero, S.One)
            rest.insert(0, big)
            return True
        first, second = self.new(self.sizes[small]), self.new(quotient)
        self.parts[self.find(big)] = (first, second)
        self.unite(first, small)
        rest.insert(0, second)
        return True

    def roots(self) -> list[int]:
        """The indices that are neither equal to an earlier one, nor split, nor held."""
        return [i for i in range(len(self.parent)) if self.parent[i] == i and i not in self.parts and i not in self.values]

    def unite(self, i: int, j: int) -> None:
        """Two indices are one."""
        i, j = self.find(i), self.find(j)
        if i == j:
            return
        if i in self.values and j in self.values and self.values[i] != self.values[j]:
            self.coefficient *= KroneckerDelta(self.values[i], self.values[j])
        i, j = min(i, j), max(i, j)
        self.parent[j] = i
        for table in (self.parts, self.values):
            if j in table:
                table.setdefault(i, table.pop(j))

    def hold(self, index: int, value: Expr, where: Basic) -> None:
        """An index is held at a value; at 0 because its size is 1, or at an index that the expression is a function of."""
        index = self.find(index)
        if value == 0 and known_to_differ(self.sizes[index], 1) and not isinstance(where, INDEXING):
            raise ShapeError(f"an axis of size {self.sizes[index]} meets an axis of size 1 in {where}")
        if index in self.values and self.values[index] != value:
            self.coefficient *= KroneckerDelta(self.values[index], value)
        self.values[index] = value

    def bind(self, axis: Axis, value: Expr, where: Basic) -> None:
        """An axis is indexed: by a summation symbol, or by an expression free of them."""
        if value in self.scope:
            self.identify(axis, (self.scope[value],), where)
        elif value.free_symbols & self.scope.keys():
            raise UnsupportedNodeError(f"the index {value} of {where} is not a summation symbol by itself")
        else:
            atoms = self.atoms(axis)
            if len(atoms) != 1:
                raise UnsupportedNodeError(f"{where} is indexed by {value} along an axis that is a product")
            self.hold(atoms[0], value, where)

    def leaf(self, expr: Basic, shape: tuple[Expr, ...]) -> tuple[Axis, ...]:
        """A factor with new indices; an axis of size 1 has none."""
        indices = tuple(self.new(size) for size in shape)
        self.factors.append((expr, indices))
        return tuple((index,) for index in indices)

    def sum_over(self, limits: tuple, where: Basic) -> None:
        """Open the scope of summation symbols that run over whole axes."""
        for symbol, low, high in limits:
            if low != 0:
                raise UnsupportedNodeError(f"the sum over {symbol} starts at {low}, not 0, in {where}")
            self.scope[symbol] = self.new(high + 1)
