"""What is known while SymPy trees are lowered: how composite axes split, and what summation symbols are called.

An axis whose size is a product, such as n d, is known by its place until it meets a Kronecker product; then everything is lowered
again with the parts that it met. An axis that would split in two ways is an error.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import singledispatch
from math import prod
from typing import TypeVar

from sympy import Add, Expr, IndexedBase, Integer, Symbol, isprime
from sympy.core.basic import Basic

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.sums import is_sum, parts_of, sum_axis
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.errors import BudgetError, IdentityError, ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["Lowering", "SharedLowering", "SplitNeeded", "join", "open_form", "plus"]

MAX_SPLITS = 1000
INVERSE = " ^-1"  # follows the name of a tensor in that of its inverse
T = TypeVar("T")


class SplitNeeded(Exception):
    """An axis whose size is a product met these parts."""

    def __init__(self, token: str, parts: Axis) -> None:
        super().__init__(token, parts)
        self.token, self.parts = token, parts


class NumbersMeet(Exception):
    """An axis of fixed size met factors of this number."""


@dataclass
class Lowering:
    """What is known while trees are lowered: how composite axes split, and what summation symbols are called.

    Expressions that are to be compared are lowered by one Lowering, so that a composite axis splits alike in all of them.
    """

    splits: dict[str, Axis] = field(default_factory=dict)  # token of a composite axis -> its parts
    scope: dict[Symbol, tuple[str, Axis]] = field(default_factory=dict)  # of summation symbols: name and range
    used: int = 0  # summation symbols named so far
    leaves: dict[str, tuple[Axis, ...]] = field(default_factory=dict)  # axes of each tensor
    shapes: dict[str, tuple] = field(default_factory=dict)  # sizes of each tensor as written
    symbols: dict[str, Symbol] = field(default_factory=dict)  # scalars and sizes by name
    sizes: set[str] = field(default_factory=set)  # names of symbols that stand for sizes
    whole: dict[str, Expr] = field(default_factory=dict)  # tokens of composite axes that are not split, and their sizes
    tokens: dict[str, Expr] = field(default_factory=dict)  # the size of each composite axis
    split_numbers: bool = False  # whether axes of fixed size are composite too
    sums: dict[str, Open] = field(default_factory=dict)  # sums that are kept as tensors, with their definitions
    bound: set[Symbol] = field(default_factory=set)  # index symbols that some sum runs over
    scalars: set[str] = field(default_factory=set)  # names of symbols that stand as numbers
    free: set[Symbol] = field(default_factory=set)  # index symbols that stand for themselves
    inverses: dict[str, str] = field(default_factory=dict)  # tensors that are inverses of others by the way they are written

    def polynomials(self, *exprs: Expr) -> list[Polynomial]:
        """The polynomials of expressions, composite axes split alike in all of them."""
        return self.settled(lambda: [Polynomial.collect(self.open(expr)) for expr in exprs])

    def settled(self, lowered: Callable[[], T]) -> T:
        """What ``lowered`` returns once no composite axis has to be split any more."""
        for _ in range(MAX_SPLITS):
            try:
                self.leaves, self.shapes, self.scope, self.whole, self.sums = {}, {}, {}, {}, {}
                self.bound, self.free, self.scalars = set(), set(), set()
                value = lowered()
                if not self.whole:
                    self.require_one_use_of_indices()
                    return value
                self.split_by_factors()
            except NumbersMeet:
                if self.split_numbers:
                    raise ShapeError("an axis of fixed size splits into factors in two ways") from None
                self.split_numbers = True
            except SplitNeeded as found:
                if found.token in self.splits:
                    raise ShapeError(
                        f"the axis {found.token} splits into {self.splits[found.token]} and into {found.parts}"
                    ) from None
                self.require_size(found.token, found.parts)
                self.splits[found.token] = found.parts
        raise BudgetError(f"composite axes were split {MAX_SPLITS} times without an end")

    def require_one_use_of_indices(self) -> None:
        """No index symbol is summed in one place and free in another: one of the two is a slip."""
        both = sorted(symbol.name for symbol in self.bound & self.free)
        if both:
            raise IdentityError(f"the index {both[0]} is summed in one place and free in another: give one of them another name")
        numbers = sorted({symbol.name for symbol in self.free} & (self.scalars | self.sizes))
        if numbers:
            raise IdentityError(f"{numbers[0]} is an index in one place and a number in another")

    def require_size(self, token: str, parts: Axis) -> None:
        """The parts that an axis met have its size."""
        value = Integer(1)
        for k, part in enumerate(parts):
            if k + 1 < len(parts) and is_sum(parts[k + 1]):
                continue  # which part; the places in it follow
            value *= self.size_of(part)
        if (value - self.tokens[token]).expand() != 0:
            raise ShapeError(f"an axis of size {self.tokens[token]} meets an axis of size {value}")

    def size_of(self, part: SizeName) -> Expr:
        """The size that a leg stands for."""
        if isinstance(part, int):
            return Integer(part)
        if part in self.tokens:
            return self.tokens[part]
        if is_sum(part):
            return Add(*map(self.size_of, parts_of(part)))
        return self.symbols[part]

    def split_by_factors(self) -> None:
        """Split the axes that met no parts: one of size n d is a pair of indices in any case."""
        for token, size in self.whole.items():
            parts: list[SizeName] = []
            alike = (self.resolved(other) for other in self.splits if other.startswith(f"{size} at "))
            settled = next((parts for parts in alike if not any(" at " in str(part) for part in parts)), None)
            if settled is not None:  # one order for all axes of this size
                self.splits[token] = settled
                continue
            if isinstance(size, Add):
                self.splits[token] = sum_axis([self.part(summand) for summand in sorted(size.args, key=str)])
                continue
            for base, exponent in sorted(size.as_powers_dict().items(), key=lambda item: str(item[0])):
                if not (isinstance(base, Symbol | Integer) and isinstance(exponent, Integer) and exponent > 0):
                    raise UnsupportedNodeError(f"the size {size} is neither a symbol nor a product of symbols and numbers")
                parts += [self.symbol(base) if isinstance(base, Symbol) else int(base)] * int(exponent)
            self.splits[token] = (int(size),) if isinstance(size, Integer) else tuple(part for part in parts if part != 1)

    def part(self, size: Expr) -> SizeName:
        """The size of one part of a sum."""
        if isinstance(size, Symbol):
            self.sizes.add(self.symbol(size))
            return size.name
        if isinstance(size, Integer) and size > 0:
            return int(size)
        raise UnsupportedNodeError(f"a part of an axis that is a sum has the size {size}, which is neither a symbol nor a number")

    def open(self, expr: object) -> Open:
        """The open networks of an expression."""
        return open_form(expr, self)

    def total(self, left: Open, right: Open) -> Open:
        """A sum of two values."""
        return plus(left, right)

    def symbol(self, symbol: Symbol) -> str:
        """The name of a scalar or size; two symbols of one name would be mistaken for each other."""
        require_plain(symbol.name)
        known = self.symbols.setdefault(symbol.name, symbol)
        if known != symbol:
            raise IdentityError(
                f"two different symbols are called {symbol.name}: one is declared {stated(known)}, the other {stated(symbol)}"
            )
        return symbol.name

    def axis(self, size: object, where: str) -> Axis:
        """An axis of a leaf; one whose size is a product is known by its place until it meets its parts."""
        size = size if isinstance(size, Basic) else Integer(size)
        if isinstance(size, Integer) and (not self.split_numbers or size == 1 or isprime(size)):
            return () if size == 1 else (int(size),)
        if isinstance(size, Symbol):
            self.sizes.add(self.symbol(size))
            return (size.name,)
        for symbol in size.free_symbols:
            self.sizes.add(self.symbol(symbol))
        token = f"{size} at {where}"
        if token not in self.splits:
            self.whole[token] = self.tokens[token] = size
            return (token,)
        return tuple(part for size_part in self.splits[token] for part in self.resolved(size_part))

    def resolved(self, size: SizeName) -> Axis:
        """The parts of a part."""
        return tuple(p for part in self.splits[size] for p in self.resolved(part)) if size in self.splits else (size,)

    def tensor(self, name: str, shape: Iterable[object]) -> Open:
        """A leaf with these sizes."""
        shape = tuple(shape)
        require_plain(name.removesuffix(INVERSE))
        if self.shapes.setdefault(name, shape) != shape:
            written = [" x ".join(map(str, s)) for s in (self.shapes[name], shape)]
            raise ShapeError(f"two tensors are called {name}: one is {written[0]}, the other {written[1]}")
        axes = [self.axis(size, f"axis {k} of {name}") for k, size in enumerate(shape)]
        value = Open.of_tensor(Tensor(name, tuple(size for axis in axes for size in axis)), axes)
        if len(value.terms) > 1:  # parts along an axis that is a sum are tensors of their own
            self.leaves |= {t.name: tuple((s,) for s in t.shape) for term in value.terms for t, _ in term.factors[:1]}
        else:
            self.leaves[name] = tuple(axes)
        return value

    def open_leaf(self, tensor: object) -> Open:
        """A tensor that may be no expression by itself: a family of matrices, an IndexedBase."""
        if isinstance(tensor, MatrixFamily):
            return self.tensor(tensor.name, tensor.shape)
        if isinstance(tensor, IndexedBase):
            if tensor.shape is None:
                raise UnsupportedNodeError(f"{tensor} has no shape: IndexedBase(name, shape=(...))")
            return self.tensor(str(tensor.label), tensor.shape)
        return self.open(tensor)

    def indexed(self, value: Open, axis: int, index: object, where: Basic) -> Open:
        """An axis indexed by a summation symbol, another symbol, or a number; one of size 1 has nothing to index."""
        parts = value.axes[axis]
        if not parts:
            return value.summed(axis)
        if index in self.scope:
            name, own = self.scope[index]
            require_meeting(parts, own)
            if parts != own:
                sizes = ["*".join(map(str, part)) or "1" for part in (own, parts)]
                raise ShapeError(
                    f"the sum over {index} has {sizes[0]} values, but the index runs along an axis of size {sizes[1]}"
                )
            return self.named(value, axis, name)
        if isinstance(index, Symbol):
            self.symbol(index)
            self.free.add(index)
            return self.named(value, axis, index.name)
        if isinstance(index, Integer) and index >= 0:
            return self.held(value, axis, int(index), where)
        raise UnsupportedNodeError(f"{where} is indexed by {index}, which is neither a symbol nor a number from 0 on")

    @staticmethod
    def named(value: Open, axis: int, name: str) -> Open:
        """An axis turned into a name, or one name for each part of a product."""
        parts = value.axes[axis]
        if len(parts) == 1:
            return value.with_name(axis, name)
        value = value.grouped([*value.axes[:axis], *((part,) for part in parts), *value.axes[axis + 1 :]])
        for k in range(len(parts)):
            value = value.with_name(axis, f"{name} .{k}")
        return value

    @staticmethod
    def held(value: Open, axis: int, place: int, where: Basic) -> Open:
        """An axis held at a place; a place along a product is one along each part."""
        parts = value.axes[axis]
        value = value.grouped([*value.axes[:axis], *((part,) for part in parts), *value.axes[axis + 1 :]])
        if any(map(is_sum, parts)):
            raise UnsupportedNodeError(f"{where} is an entry along an axis of blocks: take the entry of a block")
        for k in reversed(range(len(parts))):
            if place and k and isinstance(parts[k], str):
                raise UnsupportedNodeError(
                    f"where the entry {where} lies along an axis of size {'*'.join(map(str, parts))} is not known"
                )
            place, here = divmod(place, parts[k]) if k and place else (0, place)
            vector = Open.of_tensor(unit(here, parts[k]))
            value = join(value.outer(vector), axis + k, len(value.axes)).summed(axis + k)
        return value

    def summed(self, body: Expr, limits: Sequence[tuple]) -> Open:
        """A sum over whole ranges of index symbols."""
        outer = dict(self.scope)
        names = []
        for symbol, low, high in limits:
            if low != 0:
                raise UnsupportedNodeError(f"the sum over {symbol} starts at {low}; sums run from 0 over a whole axis")
            self.used += 1
            if high.free_symbols & (self.bound | {limit[0] for limit in limits}):
                raise UnsupportedNodeError(f"the range of {symbol} ends at {high}, which is summed over as well")
            axis = self.axis(high + 1, f"the range of {symbol}")
            if any(map(is_sum, axis)):
                raise UnsupportedNodeError(
                    f"the sum over {symbol} runs over {high + 1} places, an axis of blocks: sum over each block"
                )
            self.bound.add(symbol)
            self.scope[symbol] = (f"#{self.used}", axis)
            names.append(self.scope[symbol])
        value = self.open(body)
        self.scope = outer
        for name, axis in names:
            for k, part in enumerate(axis):
                value = value.sum_over_name(name if len(axis) == 1 else f"{name} .{k}", part)
        return value


@dataclass
class SharedLowering(Lowering):
    """A lowering that multiplies nothing out: every sum is a tensor of its own, defined by its terms; equal parts are shared."""

    known: dict[object, Open] = field(default_factory=dict)

    def open(self, expr: object) -> Open:
        """The networks of an expression; those of an expression without bound indices are remembered."""
        bound = getattr(expr, "free_symbols", set()) & set(self.scope)
        if bound:
            return super().open(expr)
        if not self.sums and not self.leaves:
            self.known = {}
        if expr not in self.known:
            self.known[expr] = super().open(expr)
        return self.known[expr]

    def total(self, left: Open, right: Open) -> Open:
        """A sum of two values, as a tensor."""
        value = plus(left, right)
        if len(value.terms) < 2 or value.names or any(is_sum(size) for axis in value.axes for size in axis):
            return value
        name = f"sum {len(self.sums)}"
        self.sums[name] = value
        tensor = Tensor(name, tuple(size for axis in value.axes for size in axis))
        self.leaves[name] = value.axes
        return Open.of_tensor(tensor, value.axes)


def require_plain(name: str) -> None:
    """Names with spaces, and those that begin with #, are made here and mean something else."""
    if " " in name or name.startswith("#") or not name:
        raise IdentityError(
            f"{name!r} cannot be the name of a tensor, a symbol or an index: it has a space, begins with #, or is empty"
        )


def stated(symbol: Symbol) -> str:
    """The assumptions of a symbol as it was made."""
    return ", ".join(f"{key}={value}" for key, value in sorted(symbol._assumptions_orig.items())) or "without assumptions"


def join(value: Open, i: int, j: int) -> Open:
    """Axes i and j made one, composite axes split where they must be."""
    require_meeting(value.axes[i], value.axes[j])
    return value.identified(i, j)


def plus(left: Open, right: Open) -> Open:
    """The sum, composite axes split where they must be."""
    for a, b in zip(left.axes, right.axes, strict=False):
        require_meeting(a, b)
    return left.plus(right)


def require_meeting(a: Axis, b: Axis) -> None:
    """Ask for a split where a composite axis meets others parts."""
    if a == b:
        return
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    for one, other in ((a, b), (b, a)):
        if len(one) == 1 and is_composite(one[0]):
            raise SplitNeeded(one[0], other)
    for x, y in zip(a, b, strict=False):
        if x != y and str(x).split(" at ")[0] == str(y).split(" at ")[0]:  # parts of one size, of which one is not split yet
            raise SplitNeeded(*((x, (y,)) if is_composite(x) else (y, (x,))))
    numbers = [size for axis in (a, b) for size in axis]
    if len(a) != len(b) and all(isinstance(size, int) for size in numbers) and prod(a) == prod(b):
        raise NumbersMeet


def is_composite(part: SizeName) -> bool:
    """Whether a part is a composite axis that is known by its place only."""
    return isinstance(part, str) and " at " in part


@singledispatch
def open_form(expr: object, lowering: Lowering) -> Open:
    """The open networks of a node."""
    raise UnsupportedNodeError(f"{type(expr).__name__} has no rule for lowering: {str(expr)[:200]}")
