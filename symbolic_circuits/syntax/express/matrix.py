r"""Matrix notation: every term is a product of matrices, A X W^T, with elementwise, Kronecker and diagonal products, and traces.

The factors are joined to one matrix by :mod:`symbolic_circuits.syntax.express.reduction`. Networks without connection between them
make a Kronecker product where their rows and columns stand in one order, an outer product where one has only rows and the other
only columns; a network with two rows and no column is a Vec. An index that is held, and the head of a family, is an entry.
"""

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, Identity, ImmutableMatrix, Integer, KroneckerProduct, MatrixExpr, Mul, OneMatrix, S, Symbol
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.express.product import Part, Product, scaled, summed
from symbolic_circuits.syntax.express.reduction import Edge, Reduction, connected, matmul, transposed
from symbolic_circuits.syntax.express.symbols import Symbols, fresh_indices
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.vec import Vec

__all__ = ["write_matrix"]


def write_matrix(product: Product, symbols: Symbols) -> Basic:
    """A term as a matrix or a scalar.

    >>> from sympy import HadamardProduct, MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.express import express
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X, Y, W = (MatrixSymbol("A", n, n), *(MatrixSymbol(c, n, d) for c in "XY"), MatrixSymbol("W", d, d))
    >>> express(HadamardProduct(A * X, Y) * W.T, "matrix")
    (HadamardProduct(Y, A*X))*W.T
    """
    if len(product.output) not in (0, 2):
        raise NotationError(f"it has {len(product.output)} axes; a matrix has two, a scalar none")
    product, limits = with_heads(product, symbols)
    reduction = started(product)
    reduction.run()
    entries(reduction, product)
    coefficient = Mul(product.coefficient, *([] if limits else reduction.scalars))
    inside = reduction.scalars if limits else []
    if not product.output:
        return scaled(coefficient, summed(Mul(*inside), limits))
    matrix = assembled(reduction, *product.output)
    return scaled(coefficient, summed(scaled(Mul(*inside), matrix), limits))


def with_heads(product: Product, symbols: Symbols) -> tuple[Product, list[tuple[Symbol, Expr]]]:
    """The term with family heads held, those that are summed over at symbols; and the limits of their sum."""
    heads = [part.axes[0][0] for part in product.parts if isinstance(part.expr, MatrixFamily) and part.axes[0]]
    free = [index for index in dict.fromkeys(heads) if index not in product.held]
    if set(free) & set(product.open_indices()):
        raise NotationError("the head of a family is an axis of it")
    sizes = [product.sizes[index] for index in free]
    fresh = fresh_indices(sizes, symbols.names)
    held = dict(product.held) | dict(zip(free, fresh, strict=True))
    parts = []
    for part in product.parts:
        if isinstance(part.expr, MatrixFamily):
            head = held[part.axes[0][0]] if part.axes[0] else S.Zero
            part = Part(part.expr[head], part.axes[1:])
        parts.append(part)
    return replace(product, parts=tuple(parts), held=held), list(zip(fresh, sizes, strict=True))


def started(product: Product) -> Reduction:
    """The network of a term before any step."""
    reduction = Reduction(product.sizes, set(product.open_indices()) | set(product.held))
    for part in product.parts:
        add(reduction, part)
    for index in columns_of_units(reduction, product):
        size, place = int(product.sizes[index]), int(product.held[index])
        reduction.columns.setdefault(index, []).append(ImmutableMatrix(size, 1, lambda i, _, k=place: int(i == k)))
        if index not in product.open_indices():
            reduction.terminals.remove(index)
    return reduction


def add(reduction: Reduction, part: Part) -> None:
    """One more factor."""
    if not isinstance(part.expr, MatrixExpr):
        raise NotationError(f"{part.expr} of {len(array_shape(part.expr))} axes is an array, not a matrix")
    for k, axis in enumerate(part.axes):
        if len(axis) > 1:
            raise NotationError(f"axis {k} of {part.expr} is a product that is split")
    rows, columns = part.axes
    if rows and columns:
        reduction.edges.append(Edge(part.expr, rows[0], columns[0]))
    elif rows or columns:
        column = part.expr if rows else transposed(part.expr)
        reduction.columns.setdefault((rows or columns)[0], []).append(column)
    else:
        reduction.scalars.append(part.expr[0, 0])


def columns_of_units(reduction: Reduction, product: Product) -> list[int]:
    """Indices held at a number, along an axis of fixed size, in a network that is a matrix: unit columns hold them."""
    reached = connected(reduction, product.open_indices())
    fixed = [index for index, value in product.held.items() if index in reached and isinstance(value, Integer)]
    return [index for index in fixed if isinstance(product.sizes[index], Integer)]


def entries(reduction: Reduction, product: Product) -> None:
    """Turn what only joins held indices into scalars: entries of matrices and of columns."""
    opened = set(product.open_indices())
    held = {index: value for index, value in product.held.items() if index in reduction.terminals and index not in opened}
    for edge in [edge for edge in reduction.edges if {edge.start, edge.end} & held.keys()]:
        if not {edge.start, edge.end} <= held.keys():
            raise NotationError(f"a row or column of {edge.matrix} alone is no product of matrices")
        reduction.edges = [e for e in reduction.edges if e is not edge]
        reduction.scalars.append(MatrixElement(edge.matrix, held[edge.start], held[edge.end]))
    for index in held:
        reduction.scalars += [MatrixElement(column, held[index], 0) for column in reduction.columns.pop(index, [])]
    for index in opened & product.held.keys():
        if not (isinstance(product.sizes[index], Integer) and isinstance(product.held[index], Integer)):
            raise NotationError(f"an axis of it is held at {product.held[index]}, and {product.sizes[index]} is not a number")


def assembled(reduction: Reduction, rows: Sequence[int], columns: Sequence[int]) -> MatrixExpr:
    """The matrix of the networks between rows and columns: a Kronecker product of them in order."""
    reach = {index: connected(reduction, [index]) for index in (*rows, *columns)}
    left, right, blocks = list(rows), list(columns), []
    while left or right:
        row_only = bool(left) and not reach[left[0]] & set(right)
        column_only = bool(right) and not reach[right[0]] & set(left)
        if row_only and column_only and not (paired(left, reach) or paired(right, reach)):
            blocks.append(outer(reduction, left.pop(0), right.pop(0)))
        elif row_only:
            blocks.append(taken_alone(reduction, left, reach))
        elif column_only:
            blocks.append(transposed(taken_alone(reduction, right, reach)))
        elif left and right and right[0] in reach[left[0]]:
            blocks.append(matched(reduction, left, right, reach))
        else:
            raise NotationError("its rows and columns are in different orders, which no Kronecker product has")
    if not blocks:
        return Identity(1)
    return blocks[0] if len(blocks) == 1 else KroneckerProduct(*blocks)


def paired(axis: Sequence[int], reach: dict[int, set[int]]) -> bool:
    """Whether the first index is connected with another one of the same axis."""
    return bool(reach[axis[0]] & set(axis[1:]))


def matched(reduction: Reduction, left: list[int], right: list[int], reach: dict[int, set[int]]) -> MatrixExpr:
    """The matrix between the first row and the first column."""
    row, column = left.pop(0), right.pop(0)
    if reach[row] & {*left, *right}:
        raise NotationError("three of its axes are connected by one network")
    return reduction.between(row, column)


def taken_alone(reduction: Reduction, axis: list[int], reach: dict[int, set[int]]) -> MatrixExpr:
    """The column of the first index of an axis, or the Vec of it and the next."""
    first = axis.pop(0)
    if not reach[first] & set(axis):
        return reduction.column(first)
    second = axis.pop(0)
    if second not in reach[first] or reach[first] & set(axis):
        raise NotationError("parts of an axis that are connected are not next to each other, or are more than two")
    return Vec(reduction.between(first, second))


def outer(reduction: Reduction, row: int, column: int) -> MatrixExpr:
    """A column times a row."""
    first, second = reduction.column(row), reduction.column(column)
    if isinstance(first, OneMatrix) and isinstance(second, OneMatrix):
        return OneMatrix(first.rows, second.rows)
    return matmul(first, transposed(second))
