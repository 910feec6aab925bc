r"""What is known while SymPy trees are multiplied out, and products, sums and deltas of entries: (a + b) c = a c + b c, in order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import singledispatch

from sympy import Add, Expr, Integer, Mul, Symbol, Trace
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement, MatrixExpr
from sympy.tensor.array.expressions import ArrayAdd, ArrayContraction, ArrayDiagonal, ArrayTensorProduct, PermuteDims
from sympy.tensor.array.expressions.array_expressions import ArrayElement
from sympy.tensor.indexed import Indexed

from symbolic_circuits.errors import BudgetError, ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.checker_data import scalar, times
from symbolic_circuits.identities.expansion_indices import Entry, Index, Opaque, Part, Variable
from symbolic_circuits.syntax.contract import ScalarContraction

__all__ = ["MAX_POWER", "MAX_TERMS", "ONE", "At", "Sum_", "Walk", "entries", "equal", "multiplied", "shape_of", "summed"]

MAX_TERMS = 200_000
MAX_POWER = 64
ONE = Entry(scalar(1))

At = tuple[Index, ...]  # an index for each axis
Sum_ = list[Entry]


@dataclass
class Walk:
    """What is known while trees are walked: which symbols sums have bound, and what each name stands for."""

    scope: dict[Symbol, Index] = field(default_factory=dict)
    names: dict[str, Index] = field(default_factory=dict)  # index symbols that no sum binds
    tensors: dict[str, tuple[Expr, ...]] = field(default_factory=dict)
    symbols: dict[str, Symbol] = field(default_factory=dict)
    opaque: dict[str, Opaque] = field(default_factory=dict)  # functions of expressions, those in arguments first
    known: dict[object, tuple] = field(default_factory=dict)  # these by what they are written as
    inverses: dict[str, str] = field(default_factory=dict)  # matrices by the names of their inverses
    used: int = 0  # variables made so far
    split: int = 0  # terms made so far by splitting axes

    def fresh(self, size: object) -> Index:
        """An index of a new axis."""
        size = size if isinstance(size, Basic) else Integer(size)
        if size == 1:
            return ()
        for symbol in size.free_symbols:
            self.know(symbol)
            if symbol in self.scope:
                raise UnsupportedNodeError(f"the size {size} depends on the summation index {symbol}")
        self.used += 1
        return (Variable(size, self.used),)

    def in_block(self, number: int, sizes: tuple[Expr, ...]) -> tuple[Index, tuple[tuple[Variable, Part], ...]]:
        """An index of an axis of blocks that is held in one of them: which block, then the place in it."""
        for size in sizes:
            if not isinstance(size, Symbol | Integer):
                raise UnsupportedNodeError(f"a block has the size {size}, which is neither a symbol nor a number")
        which, place = Variable(Integer(len(sizes)), self.used + 1), Variable(sizes[number], self.used + 2)
        self.used += 2
        return (which, place), ((which, Part(number, sizes)),)

    def count(self, terms: int) -> None:
        """Count terms made by splitting axes into blocks."""
        self.split += terms
        if self.split > MAX_TERMS:
            raise BudgetError(f"splitting axes into blocks makes more than {MAX_TERMS} terms")

    def know(self, symbol: Symbol) -> str:
        """The name of a scalar or size, which no other symbol has."""
        if self.symbols.setdefault(symbol.name, symbol) != symbol:
            raise UnsupportedNodeError(f"two different symbols are called {symbol.name}")
        if symbol.name.isdigit() or not symbol.name:
            raise UnsupportedNodeError(f"a symbol is called {symbol.name!r}, like a number")
        return symbol.name

    def leaf(self, name: str, shape: Iterable[object], at: At, *, inverse_of: str = "") -> Sum_:
        """An entry of a tensor."""
        shape = tuple(size if isinstance(size, Basic) else Integer(size) for size in shape)
        if self.tensors.setdefault(name, shape) != shape:
            raise ShapeError(f"two tensors are called {name}: of shapes {self.tensors[name]} and {shape}")
        if inverse_of:
            self.inverses[name] = inverse_of
        elif " " in name or name in self.opaque:  # unit 0, A ^-1, A [0,:]
            raise UnsupportedNodeError(f"{name!r} is a name that is made here and means something else")
        axes = tuple(self.fresh(size) for size in shape)
        return [ONE._replace(factors=((name, axes),), equations=tuple(zip(axes, at, strict=True)))]

    def indexed(self, value: object, size: Expr) -> tuple[Index, Sum_]:
        """The index that a number or symbol stands for on an axis; a number is a unit vector on it."""
        if value in self.scope:
            return self.scope[value], [ONE]
        if size == 1:
            return (), [ONE]
        if isinstance(value, Integer):
            if value < 0 or (size - value).is_nonpositive:
                raise ShapeError(f"the index {value} lies outside an axis of size {size}")
            index = self.fresh(size)
            return index, [ONE._replace(factors=((f"unit {value}", (index,)),), summed=(index,))]
        if isinstance(value, Symbol):
            index = self.names.setdefault(self.know(value), self.fresh(size))
            return index, [ONE._replace(names=((value.name, index),))]
        raise UnsupportedNodeError(f"{value} stands as an index; an index is a symbol or a number")

    def held(self, part: Basic, values: Sequence[object], after: At) -> Sum_:
        """The entries of an array whose first axes are indexed by symbols or numbers."""
        pairs = [self.indexed(value, size) for value, size in zip(values, shape_of(part), strict=False)]
        return multiplied(entries(part, tuple(index for index, _ in pairs) + after, self), *(extra for _, extra in pairs))


def multiplied(*sums: Sum_) -> Sum_:
    """The product of sums, multiplied out."""
    out = [ONE]
    for factor in sums:
        if len(out) * len(factor) > MAX_TERMS:
            raise BudgetError(f"multiplying out would make {len(out) * len(factor)} terms; the limit is {MAX_TERMS}")
        out = [Entry(times(a.scalar, b.scalar), *(x + y for x, y in zip(a[1:], b[1:], strict=True))) for a in out for b in factor]
    return out


def summed(terms: Sum_, *indices: Index) -> Sum_:
    """The sum over indices."""
    return [term._replace(summed=term.summed + indices) for term in terms]


def equal(*pairs: tuple[Index, Index]) -> Sum_:
    """1 where indices are equal, else 0."""
    return [ONE._replace(equations=pairs)]


def shape_of(expr: Basic) -> tuple[Expr, ...]:
    """The sizes of the axes of a node; () for a scalar."""
    if isinstance(expr, Trace | MatrixElement | ArrayElement | Indexed | ScalarContraction):
        return ()
    if isinstance(expr, ArrayTensorProduct):
        return tuple(size for arg in expr.args for size in shape_of(arg))
    if isinstance(expr, Add | ArrayAdd):
        return shape_of(expr.args[0])
    if isinstance(expr, Mul) and not isinstance(expr, MatrixExpr):
        return next((shape for shape in map(shape_of, expr.args) if shape), ())
    if isinstance(expr, PermuteDims):
        inner = shape_of(expr.expr)
        return tuple(inner[int(axis)] for axis in expr.permutation.array_form)
    if isinstance(expr, ArrayContraction | ArrayDiagonal):
        inner, groups = shape_of(expr.expr), expr.args[1:]
        gone = {int(axis) for group in groups for axis in group}
        kept = tuple(size for axis, size in enumerate(inner) if axis not in gone)
        return kept + (tuple(inner[int(group[0])] for group in groups) if isinstance(expr, ArrayDiagonal) else ())
    shape = getattr(expr, "shape", ())
    return tuple(size if isinstance(size, Basic) else Integer(size) for size in shape or ())


@singledispatch
def entries(expr: object, at: At, walk: Walk) -> Sum_:
    """The entry of a node at an index for each of its axes, as a sum of terms.

    Raises
    ------
    UnsupportedNodeError
        There is no rule for the node.
    """
    raise UnsupportedNodeError(f"{type(expr).__name__} has no rule for its entries: {str(expr)[:200]}")
