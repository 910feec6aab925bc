r"""A network of matrices and columns reduced to one matrix: series steps are products, parallel steps elementwise products.

Vertices are indices, a matrix M_{ij} is an edge from i to j, a column v_i stands on i. At an index that is summed over:

- a loop M_{ii} is a trace, or the column diag(M) where more stands on i;
- with one edge, sum_i M_{ji} v_i = (M v)_j; with none, sum_i v_i w_i = tr(v^T w);
- with two, sum_i M_{ai} v_i N_{ib} = (M diag(v) N)_{ab}.

Otherwise parallel edges become one: M_{ij} N_{ij} = (M . N)_{ij}. What is left joins terminals, unless the network has an index
with three neighbours at every stage (a K_4, say), which no such product has.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sympy import DiagMatrix, DiagonalOf, Expr, HadamardProduct, Identity, MatMul, MatrixExpr, OneMatrix, S, Trace, Transpose

from symbolic_circuits.errors import NotationError

__all__ = ["Edge", "Reduction", "elementwise", "matmul", "transposed"]


@dataclass
class Edge:
    """matrix_{start, end}."""

    matrix: MatrixExpr
    start: int
    end: int

    def towards(self, index: int) -> MatrixExpr:
        """The matrix with this index on its columns."""
        return self.matrix if self.end == index else transposed(self.matrix)

    def other(self, index: int) -> int:
        """The other end."""
        return self.start if self.end == index else self.end


@dataclass
class Reduction:
    """The state of a reduction."""

    sizes: Sequence[Expr]
    terminals: set[int]  # indices that are not summed over
    edges: list[Edge] = field(default_factory=list)
    columns: dict[int, list[MatrixExpr]] = field(default_factory=dict)
    scalars: list[Expr] = field(default_factory=list)

    def at(self, index: int) -> list[Edge]:
        """The edges at an index."""
        return [edge for edge in self.edges if index in (edge.start, edge.end)]

    def inner(self) -> list[int]:
        """The indices that are still to be summed over."""
        found = {index for edge in self.edges for index in (edge.start, edge.end)} | set(self.columns)
        return sorted(found - self.terminals)

    def run(self) -> None:
        """Reduce until only terminals are left.

        Every step takes an edge or an index away, so this ends.
        """
        while inner := self.inner():
            if not sum(self.eliminated(index) for index in inner) and not self.merged():
                raise NotationError(
                    f"{len(inner)} of its indices have three neighbours each or more, so that no product sums over them"
                )
        while self.merged():
            pass

    def eliminated(self, index: int) -> bool:
        """Sum over an index if it has at most two edges."""
        loops = [edge for edge in self.at(index) if edge.start == edge.end]
        edges = [edge for edge in self.at(index) if edge.start != edge.end]
        if len(edges) > 2:
            return False
        self.edges = [edge for edge in self.edges if edge not in loops + edges]
        columns = self.columns.pop(index, [])
        if len(loops) == 1 and not edges and not columns:
            self.scalars.append(Trace(loops[0].matrix))
            return True
        columns += [DiagonalOf(loop.matrix) for loop in loops]
        if not edges:
            self.scalars.append(inner_product(columns))
        elif len(edges) == 1:
            column = elementwise(columns) if columns else OneMatrix(self.sizes[index], S.One)
            self.columns.setdefault(edges[0].other(index), []).append(matmul(edges[0].towards(index), column))
        else:
            first, second = edges
            left, right = first.towards(index), transposed(second.towards(index))
            middle = [DiagMatrix(elementwise(columns))] if columns else []
            self.edges.append(Edge(matmul(left, *middle, right), first.other(index), second.other(index)))
        return True

    def merged(self) -> bool:
        """Make parallel edges one, at the first pair of indices that has some."""
        for edge in self.edges:
            same = [e for e in self.edges if {e.start, e.end} == {edge.start, edge.end} and e.start != e.end]
            if len(same) > 1:
                self.edges = [e for e in self.edges if e not in same]
                self.edges.append(Edge(HadamardProduct(*(e.towards(edge.end) for e in same)), edge.start, edge.end))
                return True
        return False

    def column(self, index: int) -> MatrixExpr:
        """What stands on a terminal as one column, loops included."""
        columns = self.columns.get(index, []) + [DiagonalOf(e.matrix) for e in self.at(index) if e.start == e.end]
        return elementwise(columns) if columns else OneMatrix(self.sizes[index], S.One)

    def diagonal(self, index: int) -> list[MatrixExpr]:
        """What stands on a terminal as a diagonal matrix, or nothing."""
        column = self.column(index)
        return [] if isinstance(column, OneMatrix) else [DiagMatrix(column)]

    def between(self, row: int, column: int) -> MatrixExpr:
        """The matrix from one terminal to another, or of a terminal with itself."""
        if row == column:
            return (self.diagonal(row) or [Identity(self.sizes[row])])[0]
        (edge,) = (edge for edge in self.edges if {edge.start, edge.end} == {row, column})
        return matmul(*self.diagonal(row), edge.towards(column), *self.diagonal(column))


def matmul(*factors: MatrixExpr) -> MatrixExpr:
    """A product, flat, without identities."""
    flat = [arg for factor in factors for arg in (factor.args if isinstance(factor, MatMul) else (factor,))]
    kept: list[MatrixExpr] = []
    for factor in flat:
        if kept and isinstance(factor, OneMatrix) and isinstance(kept[-1], OneMatrix) and factor.rows == 1:
            kept[-1] = OneMatrix(kept[-1].rows, factor.cols)
        elif not isinstance(factor, Identity):
            kept.append(factor)
    return MatMul(*kept) if len(kept) > 1 else (kept or flat)[0]


def elementwise(columns: Sequence[MatrixExpr]) -> MatrixExpr:
    """An elementwise product."""
    return columns[0] if len(columns) == 1 else HadamardProduct(*columns)


def inner_product(columns: Sequence[MatrixExpr]) -> Expr:
    """The sum of the entries of an elementwise product of columns, as the trace of a matrix of one entry."""
    first, *others = columns
    if not others:
        return Trace(matmul(OneMatrix(S.One, first.rows), first))
    return Trace(matmul(transposed(first), elementwise(others)))


def transposed(matrix: MatrixExpr) -> MatrixExpr:
    """The transpose, written on the factors."""
    if isinstance(matrix, MatMul):
        return MatMul(*(transposed(factor) for factor in reversed(matrix.args)))
    if isinstance(matrix, HadamardProduct):
        return HadamardProduct(*map(transposed, matrix.args))
    if isinstance(matrix, Transpose):
        return matrix.arg
    if isinstance(matrix, DiagMatrix | Identity):
        return matrix
    if isinstance(matrix, OneMatrix):
        return OneMatrix(matrix.cols, matrix.rows)
    return Transpose(matrix)


def connected(reduction: Reduction, starts: Iterable[int]) -> set[int]:
    """The indices that edges connect with these."""
    found, waiting = set(starts), list(starts)
    while waiting:
        index = waiting.pop()
        for edge in reduction.at(index):
            if edge.other(index) not in found:
                found.add(edge.other(index))
                waiting.append(edge.other(index))
    return found
