r"""A term of a polynomial in SymPy symbols: coefficient times sum over indices of a product of entries, and how terms are added up.

An index is *held* where it has one value: a number (the 0 and 1 of A[0, 1]) or an index symbol that the expression is a function of.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from sympy import Add, Expr, Identity, IndexedBase, Integer, MatAdd, MatMul, MatrixExpr, Mul, Rational, S, Symbol, ZeroMatrix
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArrayAdd, ArrayTensorProduct, OneArray, ZeroArray
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.units import is_unit, place_of
from symbolic_circuits.syntax.arrays import Row, array_shape
from symbolic_circuits.syntax.express.symbols import Symbols
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["Part", "Product", "element", "products", "scaled", "sliced", "summed", "total"]

Axis = tuple[int, ...]  # the indices of an axis: one, those of a product, or none (size 1)


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf and the indices of each of its axes."""

    expr: Basic
    axes: tuple[Axis, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """One term."""

    coefficient: Expr
    parts: tuple[Part, ...]
    output: tuple[Axis, ...]
    held: Mapping[int, Expr]  # index -> its value
    sizes: tuple[Expr, ...]  # of each index

    def places(self) -> list[int]:
        """How often each index stands at an axis of a part."""
        found = [0] * len(self.sizes)
        for part in self.parts:
            for index in (index for axis in part.axes for index in axis):
                found[index] += 1
        return found

    def bundled(self, keep: Callable[[tuple[Expr, ...]], bool]) -> Self:
        """The term with an axis of several indices that always occur together as one index, unless ``keep`` says of its sizes."""
        axes = [axis for part in self.parts for axis in part.axes] + list(self.output)
        found: dict[Axis, int] = {}
        for axis in dict.fromkeys(axis for axis in axes if len(axis) > 1):
            apart = any(set(axis) & set(other) for other in axes if other != axis) or set(axis) & self.held.keys()
            if not apart and len(set(axis)) == len(axis) and not keep(tuple(self.sizes[index] for index in axis)):
                found[axis] = len(self.sizes) + len(found)
        if not found:
            return self
        one = lambda axis: (found[axis],) if axis in found else axis  # noqa: E731
        parts = tuple(Part(part.expr, tuple(map(one, part.axes))) for part in self.parts)
        sizes = self.sizes + tuple(Mul(*(self.sizes[index] for index in axis)) for axis in found)
        return Product(self.coefficient, parts, tuple(map(one, self.output)), self.held, sizes)

    def open_indices(self) -> list[int]:
        """The indices of the output, in order, repeated ones too."""
        return [index for axis in self.output for index in axis]


def products(polynomial: Polynomial, symbols: Symbols, indices: Sequence[Symbol] | None = None) -> Iterator[Product]:
    """The terms in order; with ``indices`` the legs of the axes are held at these."""
    for ((factors, output, sizes), monomial), rational in polynomial.ordered():
        count = len(output) - len(polynomial.names)
        shape = tuple(map(symbols.size, sizes))
        values: dict[int, list[Expr]] = {}
        for tensor, axes in factors:
            if is_unit(tensor):
                values.setdefault(axes[0], []).append(Integer(place_of(tensor)))
        for name, index in zip(polynomial.names, output[count:], strict=True):
            values.setdefault(index, []).append(symbols.scalar(name))
        for symbol, index in zip(indices or (), output[:count], strict=False):
            values.setdefault(index, []).append(symbol)
        parts = tuple(part(symbols.leaf(tensor), axes) for tensor, axes in factors if not is_unit(tensor))
        legs = () if indices is not None else tuple(grouped(output[:count], map(len, polynomial.axes)))
        used = {index for p in parts for axis in p.axes for index in axis} | {index for axis in legs for index in axis}
        coefficient = Rational(rational.numerator, rational.denominator) * symbols.monomial(monomial)
        for index, found in values.items():
            coefficient *= agreement(shape[index], sorted(found, key=str), index in used)
        yield Product(coefficient, parts, legs, {index: min(found, key=str) for index, found in values.items()}, shape)


def part(leaf: tuple[Basic, tuple[int, ...]], axes: Sequence[int]) -> Part:
    """A leaf with the indices of its tensor grouped into its axes."""
    return Part(leaf[0], tuple(grouped(axes, leaf[1])))


def grouped(indices: Sequence[int], counts: Sequence[int]) -> Iterator[Axis]:
    """Consecutive groups of these lengths."""
    start = 0
    for count in counts:
        yield tuple(indices[start : start + count])
        start += count


def agreement(size: Expr, values: Sequence[Expr], is_used: bool) -> Expr:
    """1 where all the values of an index are one, else 0; an index that nothing else uses stays in sight."""
    deltas = Mul(*(Identity(size)[values[0], other] for other in values[1:]))
    return deltas if is_used or len(values) > 1 else ArrayElement(OneArray(size), (values[0],))


def element(leaf: Basic, values: Sequence[Expr]) -> Expr:
    """An entry of a leaf."""
    if isinstance(leaf, MatrixFamily):
        return leaf[values[0]][values[1], values[2]]
    if isinstance(leaf, MatrixExpr):
        return leaf[values[0], values[1]]
    return leaf[tuple(values)] if isinstance(leaf, IndexedBase) else ArrayElement(leaf, tuple(values))


def sliced(part: Part, held: Mapping[int, Expr]) -> Part:
    """The part with held axes indexed where SymPy has an expression for it: entries, rows, columns and family members."""
    values = [S.Zero if not axis else held.get(axis[0]) if len(axis) == 1 else None for axis in part.axes]
    if None not in values:
        return Part(element(part.expr, values), ())
    expr, axes = part.expr, part.axes
    if isinstance(expr, MatrixFamily) and axes[0] and values[0] is not None:
        return sliced(Part(expr[values[0]], axes[1:]), held)
    if isinstance(expr, MatrixExpr):
        row, column = (bool(axis) and value is not None for axis, value in zip(axes, values, strict=True))
        if row:
            return Part(Row(expr, values[0]), axes[1:])
        if column:
            return Part(Row(expr.T, values[1]), axes[:1])
    return part


def scaled(coefficient: Expr, expr: Basic) -> Basic:
    """A multiple of a matrix, a scalar or an array, nothing else evaluated."""
    if coefficient == 1:
        return expr
    if isinstance(expr, MatrixExpr):
        return MatMul(coefficient, *(expr.args if isinstance(expr, MatMul) else (expr,)))
    return Mul(coefficient, expr) if isinstance(expr, Expr) else ArrayTensorProduct(coefficient, expr)


def summed(expr: Basic, limits: Sequence[tuple[Symbol, Expr]]) -> Basic:
    """The sum over index symbols, each given with its size."""
    if not limits:
        return expr
    bounds = [(symbol, S.Zero, size - 1) for symbol, size in limits]
    return MatrixSum(expr, *bounds) if isinstance(expr, MatrixExpr) else IndexSum(expr, *bounds)


def total(terms: Sequence[Basic], shape: Sequence[Expr]) -> Basic:
    """The sum of terms of one shape."""
    if not terms:
        return S.Zero if not shape else ZeroMatrix(*shape) if len(shape) == 2 else ZeroArray(*shape)
    if len(terms) == 1:
        return terms[0]
    if all(isinstance(term, MatrixExpr) for term in terms):
        return MatAdd(*terms)
    return Add(*terms) if all(isinstance(term, Expr) for term in terms) else ArrayAdd(*map(with_shape, terms))


def with_shape(term: Basic) -> Basic:
    """A term for SymPy's ArrayAdd, which knows no shape of a multiple of an array."""
    if not isinstance(term, Mul):
        return term
    arrays = [arg for arg in term.args if array_shape(arg)]
    return ArrayTensorProduct(Mul(*(arg for arg in term.args if arg not in arrays)), *arrays)
