"""What is known while SymPy trees are lowered: how composite axes split, and what summation symbols are called.

An axis whose size is a product, such as n d, is known by its place until it meets a Kronecker product; then everything is lowered
again with the parts that it met. An axis that would split in two ways is an error.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import singledispatch

from sympy import Expr, Integer, Symbol
from sympy.core.basic import Basic

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.errors import BudgetError, ShapeError, UnsupportedNodeError

__all__ = ["Lowering", "SplitNeeded", "join", "open_form", "plus"]

MAX_SPLITS = 1000


class SplitNeeded(Exception):
    """An axis whose size is a product met these parts."""

    def __init__(self, token: str, parts: Axis) -> None:
        super().__init__(token, parts)
        self.token, self.parts = token, parts


@dataclass
class Lowering:
    """What is known while trees are lowered: how composite axes split, and what summation symbols are called.

    Expressions that are to be compared are lowered by one Lowering, so that a composite axis splits alike in all of them.
    """

    splits: dict[str, Axis] = field(default_factory=dict)  # token of a composite axis -> its parts
    scope: dict[Symbol, str] = field(default_factory=dict)
    used: int = 0  # summation symbols named so far

    def polynomials(self, *exprs: Expr) -> list[Polynomial]:
        """The polynomials of expressions, composite axes split alike in all of them."""
        for _ in range(MAX_SPLITS):
            try:
                return [Polynomial.collect(self.open(expr)) for expr in exprs]
            except SplitNeeded as found:
                if found.token in self.splits:
                    raise ShapeError(
                        f"the axis {found.token} splits into {self.splits[found.token]} and into {found.parts}"
                    ) from None
                self.splits[found.token] = found.parts
        raise BudgetError(f"composite axes were split {MAX_SPLITS} times without an end")

    def open(self, expr: object) -> Open:
        """The open networks of an expression."""
        return open_form(expr, self)

    def axis(self, size: object, where: str) -> Axis:
        """An axis of a leaf; one whose size is a product is known by its place until it meets its parts."""
        size = size if isinstance(size, Basic) else Integer(size)
        if isinstance(size, Integer):
            return () if size == 1 else (int(size),)
        if isinstance(size, Symbol):
            return (size.name,)
        token = f"{size} at {where}"
        if token not in self.splits:
            return (token,)
        return tuple(part for size_part in self.splits[token] for part in self.resolved(size_part))

    def resolved(self, size: SizeName) -> Axis:
        """The parts of a part."""
        return tuple(p for part in self.splits[size] for p in self.resolved(part)) if size in self.splits else (size,)

    def tensor(self, name: str, shape: Iterable[object]) -> Open:
        """A leaf with these sizes."""
        axes = [self.axis(size, f"axis {k} of {name}") for k, size in enumerate(shape)]
        return Open.of_tensor(Tensor(name, tuple(size for axis in axes for size in axis)), axes)

    def indexed(self, value: Open, axis: int, index: object, where: Basic) -> Open:
        """An axis indexed by a summation symbol, another symbol, or a number; one of size 1 has nothing to index."""
        if not value.axes[axis]:
            return value.summed(axis)
        if index in self.scope:
            return value.with_name(axis, self.scope[index])
        if isinstance(index, Symbol):
            return value.with_name(axis, index.name)
        if isinstance(index, Integer):
            vector = Open.of_tensor(unit(int(index), value.axes[axis][0]))
            return join(value.outer(vector), axis, len(value.axes)).summed(axis)
        raise UnsupportedNodeError(f"{where} is indexed by {index}, which is neither a symbol nor a number")

    def summed(self, body: Expr, limits: Sequence[tuple]) -> Open:
        """A sum over whole ranges of index symbols."""
        outer = dict(self.scope)
        names = []
        for symbol, low, high in limits:
            if low != 0:
                raise UnsupportedNodeError(f"the sum over {symbol} starts at {low}; sums run from 0 over a whole axis")
            self.used += 1
            self.scope[symbol] = f"#{self.used}"
            names.append((self.scope[symbol], self.axis(high + 1, f"the range of {symbol}")))
        value = self.open(body)
        self.scope = outer
        for name, axis in names:
            value = value.sum_over_name(name, axis[0] if axis else 1)
        return value


def join(value: Open, i: int, j: int) -> Open:
    """Axes i and j made one, composite axes split where they must be."""
    a, b = value.axes[i], value.axes[j]
    if a != b:
        for left, right in ((a, b), (b, a)):
            if len(left) == 1 and isinstance(left[0], str) and " at " in left[0] and left != right:
                raise SplitNeeded(left[0], right)
    return value.identified(i, j)


def plus(left: Open, right: Open) -> Open:
    """The sum, composite axes split where they must be."""
    for a, b in zip(left.axes, right.axes, strict=False):
        for one, other in ((a, b), (b, a)):
            if one != other and len(one) == 1 and isinstance(one[0], str) and " at " in one[0]:
                raise SplitNeeded(one[0], other)
    return left.plus(right)


@singledispatch
def open_form(expr: object, lowering: Lowering) -> Open:
    """The open networks of a node."""
    raise UnsupportedNodeError(f"{type(expr).__name__} has no rule for lowering: {str(expr)[:200]}")
