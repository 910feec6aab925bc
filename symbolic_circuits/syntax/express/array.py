r"""SymPy's array notation: every term is a permuted, diagonal and contracted ArrayTensorProduct of its factors."""

from collections.abc import Sequence

from sympy import Expr, Identity, S
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import (
    ArrayContraction,
    ArrayDiagonal,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
)

from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.express.product import Product, sliced
from symbolic_circuits.syntax.express.symbols import Symbols

__all__ = ["write_array"]


def write_array(product: Product, symbols: Symbols) -> Basic:
    """A term as a contraction of an outer product.

    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.express import express
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> express(A * X, "array")
    ArrayContraction(ArrayTensorProduct(A, X), (1, 2))
    """
    factors, sizes, coefficient = Factors([], list(product.sizes)), product.sizes, product.coefficient
    for part in (sliced(part, product.held) for part in product.parts):
        if part.axes:
            factors.add_split(part.expr, part.axes)
        else:
            coefficient *= part.expr
    legs = product.open_indices()
    used = dict.fromkeys([*factors.indices(), *legs])
    for index in (index for index in used if index in product.held):
        factors.add(Row(Identity(sizes[index]), product.held[index]), [index])
    output: list[int] = []
    for index in legs:
        if index in output:  # a leg that repeats: an identity matrix between the two
            fresh = factors.new(sizes[index])
            factors.add(Identity(sizes[index]), [index, fresh])
            index = fresh
        output.append(index)
    for index in (index for index in output if index not in factors.indices()):
        factors.add(OneArray(sizes[index]), [index])
    if any(len(axis) > 1 for axis in product.output):
        shape = [size for axis in product.output for size in [S.One] * (not axis) or [prod_of(sizes, axis)]]
        return Reshape(factors.contracted(coefficient, output), tuple(shape))
    shown = iter(output)
    return factors.contracted(coefficient, [next(shown) if axis else factors.singleton() for axis in product.output])


def prod_of(sizes: Sequence[Expr], axis: Sequence[int]) -> Expr:
    """The size of an axis."""
    size = S.One
    for index in axis:
        size *= sizes[index]
    return size


class Factors:
    """Factors of an outer product and the index of each axis."""

    def __init__(self, factors: list[tuple[Basic, list[int]]], sizes: list[Expr]) -> None:
        self.factors, self.sizes = factors, sizes
        self.singletons: list[int] = []  # indices of axes of size 1 that nothing uses yet

    def indices(self) -> list[int]:
        """The index of each axis."""
        return [index for _, axes in self.factors for index in axes]

    def new(self, size: Expr) -> int:
        """A new index."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def add(self, expr: Basic, indices: list[int]) -> None:
        """One more factor."""
        self.factors.append((expr, indices))

    def add_split(self, expr: Basic, axes: Sequence[tuple[int, ...]]) -> None:
        """A factor some of whose axes may be split, or of size 1."""
        if any(len(axis) > 1 for axis in axes):
            expr = Reshape(expr, tuple(self.sizes[index] for axis in axes for index in axis))
            axes = [(index,) for axis in axes for index in axis]
        indices = []
        for axis in axes:
            indices.append(axis[0] if axis else self.new(S.One))
            if not axis:
                self.singletons.append(indices[-1])
        self.add(expr, indices)

    def singleton(self) -> int:
        """An index for an output axis of size 1: that of a factor, or a new one."""
        if not self.singletons:
            self.singletons.append(self.new(S.One))
            self.add(OneArray(S.One), [self.singletons[-1]])
        return self.singletons.pop(0)

    def contracted(self, coefficient: Expr, output: Sequence[int]) -> Basic:
        """The outer product, indices summed or made one, in the order of the output."""
        places: dict[int, list[int]] = {}
        for place, index in enumerate(self.indices()):
            places.setdefault(index, []).append(place)
        exprs = [expr for expr, _ in self.factors]
        exprs = exprs if exprs and coefficient == 1 else [coefficient, *exprs]
        expr = exprs[0] if len(exprs) == 1 and self.factors else ArrayTensorProduct(*exprs)
        closed = [places[index] for index in places if index not in output]
        if closed:
            expr = ArrayContraction(expr, *map(tuple, closed))
        gone = {place for group in closed for place in group}
        left = [index for place, index in enumerate(self.indices()) if place not in gone]
        shared = [index for index in dict.fromkeys(left) if left.count(index) > 1]
        if shared:
            expr = ArrayDiagonal(expr, *(tuple(k for k, i in enumerate(left) if i == index) for index in shared))
            left = [index for index in left if index not in shared] + shared
        return expr if left == list(output) else PermuteDims(expr, [left.index(index) for index in output])
