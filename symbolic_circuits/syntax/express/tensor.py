r"""Tensor notation: every term is made of inner products of two arrays along one axis each, x ._{12} B ._{21} y.

Indices that are shared by more than two axes, or would close a circle, become index symbols that an IndexSum runs over:
sum_u A_{su} (W ._{21} X_u). What is left is a forest, contracted from the first open axis on.
"""

from collections.abc import Mapping, Sequence

from sympy import Expr, Identity, Integer, MatrixExpr, Mul, S, Symbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import OneArray, PermuteDims

from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.express.product import Part, Product, scaled, sliced, summed
from symbolic_circuits.syntax.express.symbols import Symbols, fresh_indices
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["write_tensor"]

Node = tuple[Basic, list[int]]  # an array and the index of each axis


def write_tensor(product: Product, symbols: Symbols) -> Basic:
    """A term in inner products.

    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.express import express
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> express(2 * A * X, "tensor")
    2*(A ._21 X)
    """
    for axes, name in [(product.output, "it"), *((part.axes, str(part.expr)) for part in product.parts)]:
        if any(len(axis) > 1 for axis in axes):
            raise NotationError(f"an axis of {name} is a product that is split")
    bound = named(product)
    sizes = [product.sizes[index] for index in bound]
    for size in sizes:
        if not isinstance(size, Symbol | Integer):
            raise NotationError(f"a sum would run over an axis of size {size}, which is a product")
    fresh = fresh_indices(sizes, symbols.names)
    held = dict(product.held) | dict(zip(bound, fresh, strict=True))
    nodes, scalars, output = Nodes(product, held).built()
    values = [contracted(start, nodes, output) for start in starts(nodes, output)]
    scalars += [expr for expr, axes in values if not axes]
    arrays = [(expr, axes) for expr, axes in values if axes]
    if len(arrays) > 1:
        raise NotationError(f"it is an outer product of {len(arrays)} arrays")
    expr = Mul(*scalars)
    if arrays:
        (array, axes) = arrays[0]
        order = [axes.index(index) for index in output]
        expr = scaled(expr, array if order == sorted(order) else PermuteDims(array, order))
    return scaled(product.coefficient, summed(expr, list(zip(fresh, sizes, strict=True))))


def named(product: Product) -> list[int]:
    """The indices that become index symbols: shared by several axes, family heads, and those that close a circle."""
    places, opened = product.places(), product.open_indices()
    heads = {part.axes[0][0] for part in product.parts if isinstance(part.expr, MatrixFamily) and part.axes[0]}
    on: dict[int, list[int]] = {}
    for number, part in enumerate(product.parts):
        for index in (index for axis in part.axes for index in axis):
            on.setdefault(index, []).append(number)
    root = list(range(len(product.parts)))

    def find(node: int) -> int:
        while root[node] != node:
            node = root[node]
        return node

    found = [index for index in dict.fromkeys(opened) if index not in on and opened.count(index) > 2]
    for index in (index for index in on if index not in product.held):
        ends = on[index]
        if index in heads or places[index] + opened.count(index) > 2:
            found.append(index)
        elif len(ends) == 2:
            first, second = map(find, ends)
            if first == second:
                found.append(index)
            else:
                root[first] = second
    return found


class Nodes:
    """The arrays of a term, held and named axes indexed."""

    def __init__(self, product: Product, held: Mapping[int, Expr]) -> None:
        self.product, self.held = product, held
        self.sizes = list(product.sizes)
        self.nodes: list[Node] = []
        self.scalars: list[Expr] = []
        self.ones: list[int] = []  # indices of axes of size 1

    def built(self) -> tuple[list[Node], list[Expr], list[int]]:
        """The arrays, the scalars, and the index of each output axis."""
        wanted = sum(not axis for axis in self.product.output)
        for part in self.product.parts:
            self.add(part.expr, part.axes, wanted)
        output: list[int] = []
        ones = iter(self.ones)
        for axis in self.product.output:
            output.append(self.leg(axis[0], output) if axis else next(ones, None) or self.ones_at(S.One))
        for index in list(dict.fromkeys(index for _, axes in self.nodes for index in axes)):
            if index not in output and sum(axes.count(index) for _, axes in self.nodes) == 1:
                self.nodes.append((OneArray(self.sizes[index]), [index]))
        return self.nodes, self.scalars, output

    def new(self, size: Expr) -> int:
        """A new index."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def ones_at(self, size: Expr) -> int:
        """An index on which a vector of ones stands."""
        index = self.new(size)
        self.nodes.append((OneArray(size), [index]))
        return index

    def add(self, expr: Basic, axes: Sequence[tuple[int, ...]], wanted: int) -> None:
        """A factor: axes of size 1 are kept while the output wants some."""
        kept = []
        for axis in axes:
            if not axis and len(self.ones) < wanted:
                self.ones.append(self.new(S.One))
                axis = (self.ones[-1],)
            kept.append(axis)
        part = without_ones(sliced(Part(expr, tuple(kept)), self.held))
        expr, axes = part.expr, list(part.axes)
        for axis in [axis for axis in axes if not axis or axis[0] in self.held]:  # what SymPy has no slice for
            size, value = (self.sizes[axis[0]], self.held[axis[0]]) if axis else (S.One, S.Zero)
            expr = TensorDot(Row(Identity(size), value), 1, expr, axes.index(axis) + 1)
            axes.remove(axis)
        if axes:
            self.nodes.append((expr, [axis[0] for axis in axes]))
        else:
            self.scalars.append(expr)

    def leg(self, index: int, output: Sequence[int]) -> int:
        """The index of an output leg: a held one gets a unit row, one that stands nowhere ones, a repeated one an identity."""
        if index in self.held:
            fresh = self.new(self.sizes[index])
            self.nodes.append((Row(Identity(self.sizes[index]), self.held[index]), [fresh]))
            return fresh
        if index in output:
            fresh = self.new(self.sizes[index])
            self.nodes = [node for node in self.nodes if node[1] != [index]]
            self.nodes.append((Identity(self.sizes[index]), [index, fresh]))
            return fresh
        if not any(index in axes for _, axes in self.nodes):
            self.nodes.append((OneArray(self.sizes[index]), [index]))
        return index


def without_ones(part: Part) -> Part:
    """A matrix of one row or one column as an array of one axis."""
    if isinstance(part.expr, MatrixExpr) and len([axis for axis in part.axes if axis]) == 1:
        expr = part.expr if not part.axes[0] else part.expr.T
        return Part(Row(expr, S.Zero), tuple(axis for axis in part.axes if axis))
    return part


def starts(nodes: list[Node], output: Sequence[int]) -> list[int]:
    """One array of each connected part: that with the first output axis, or with the most axes."""
    rank = lambda k: (min([output.index(i) for i in nodes[k][1] if i in output], default=len(output)), -len(nodes[k][1]))  # noqa: E731
    found, seen = [], set()
    for start in sorted(range(len(nodes)), key=rank):
        if start not in seen:
            found.append(start)
            waiting = [start]
            while waiting:
                node = waiting.pop()
                seen.add(node)
                waiting += [k for k in range(len(nodes)) if k not in seen and set(nodes[k][1]) & set(nodes[node][1])]
    return found


def contracted(start: int, nodes: list[Node], output: Sequence[int], above: int | None = None) -> Node:
    """The array of a tree, contracted from its leaves up to the start; the index to the array above stays open."""
    expr, axes = nodes[start][0], list(nodes[start][1])
    for index in list(axes):
        if index == above or index in output:
            continue
        (child,) = (k for k, (_, found) in enumerate(nodes) if k != start and index in found)
        other, others = contracted(child, nodes, output, index)
        j, k = axes.index(index), others.index(index)
        vector_first = len(axes) > 2 and len(others) == 1  # x ._12 B
        expr = TensorDot(other, 1, expr, j + 1) if vector_first else TensorDot(expr, j + 1, other, k + 1)
        axes = axes[:j] + axes[j + 1 :] + others[:k] + others[k + 1 :]
    return expr, axes
