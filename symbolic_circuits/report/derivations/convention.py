r"""Column convention: the residual stream X becomes X^T, so that A X W^T is written W X A^T, and X_{sa} is X_{as}.

In row convention row s of X is position s; in column convention column s is. Patterns keep their shape, row = destination. Operators
stay as they are, :math:`(A \otimes W) \operatorname{vec} X`, vec being by columns then: of any matrix, so that vec W is vec W^T.
Likewise X_s is a column: row s of a matrix is column s of its transpose.
"""

from dataclasses import dataclass

from sympy import (
    Adjoint,
    BlockMatrix,
    Determinant,
    DiagMatrix,
    Expr,
    HadamardPower,
    HadamardProduct,
    Identity,
    ImmutableDenseMatrix,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    OneMatrix,
    Trace,
    Transpose,
    ZeroMatrix,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.blockmatrix import BlockDiagMatrix
from sympy.matrices.expressions.diagonal import DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.matexpr import MatrixElement, MatrixExpr
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array.expressions import Reshape

from symbolic_circuits.errors import NotationError
from symbolic_circuits.report.derivations.marks import Marks, copied
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.functions import RowFunction
from symbolic_circuits.syntax.subscripts import as_tuple
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Column", "Columns", "Rows"]

ENTRYWISE = MatAdd | HadamardProduct | KroneckerProduct | BlockDiagMatrix
OF_VALUES = (
    Adjoint | ApplyBilinear | Determinant | DiagonalMatrix | DiagonalOf | Inverse | RowFunction | Trace
)  # of what they are applied to


class Column(Row):
    """Column s of a matrix, written as row s is in row convention; to be printed only."""


@dataclass(frozen=True)
class Rows:
    """Row convention: everything as it is."""

    def __call__(self, expr: Basic, marks: Marks | None = None) -> Basic:
        return expr


@dataclass(frozen=True)
class Columns:
    """Column convention; results are to be printed only.

    >>> from sympy import MatrixSymbol
    >>> A, X, W = MatrixSymbol("A", 5, 5), MatrixSymbol("X", 5, 3), MatrixSymbol("W", 3, 3)
    >>> Columns((X,))(A * X * W.T), Columns((X,))(X * W * X.T)
    (W*X*A.T, X.T*W*X)
    """

    activations: tuple[MatrixSymbol, ...]

    def __call__(self, expr: Basic, marks: Marks | None = None) -> Basic:
        """An expression as it is written; marks stay on what becomes of a part.

        Raises
        ------
        NotationError
            The stream is in a node that has no rule.
        """
        return self.turned(expr, self.is_stream(expr), marks or Marks())

    def is_stream(self, expr: Basic) -> bool:
        """Whether a matrix has a row a position, and not a column a position as well."""
        if not getattr(expr, "is_Matrix", False):
            return False
        sizes = {activation.rows for activation in self.activations}
        return expr.shape[0] in sizes and expr.shape[1] not in sizes

    def turned(self, node: Basic, flip: bool, marks: Marks) -> Basic:
        """A node, or its transpose, in the other convention."""
        if node not in marks:
            return self.rewritten(node, flip, marks)
        new = self.rewritten(copied(node, node.args), flip, marks)  # the copy is not marked, what becomes of it is
        new = copied(new, new.args)
        marks.add(new)
        return new

    def rewritten(self, node: Basic, flip: bool, marks: Marks) -> Basic:
        """One rule a kind of node; what has no rule keeps its place and is transposed as a whole."""
        if isinstance(node, MatrixSymbol) and node in self.activations:
            new = MatrixSymbol(node.name, *reversed(node.shape))
            return new if flip else Transpose(new)
        if isinstance(node, Transpose):
            return self.turned(node.arg, not flip, marks)
        if isinstance(node, MatMul):
            return self.product(node, flip, marks)
        if isinstance(node, ENTRYWISE):
            return copied(node, [self.turned(arg, flip, marks) for arg in node.args])
        if isinstance(node, ElementwiseApplyFunction):
            return copied(node, [node.args[0], self.turned(node.args[1], flip, marks)])
        if isinstance(node, MatrixSum):
            return copied(node, [self.turned(node.body, flip, marks), *node.limits])
        if isinstance(node, MatPow | HadamardPower):
            base, exponent = node.args
            is_entrywise = flip and getattr(exponent, "is_Matrix", False)
            return copied(node, [self.turned(base, flip, marks), self.turned(exponent, is_entrywise, marks)])
        if isinstance(node, BlockMatrix | MatrixBase):
            return self.blocks(node, flip, marks)
        if isinstance(node, Identity):
            return node
        if isinstance(node, DiagMatrix):
            return DiagMatrix(self.turned(node.args[0], False, marks))
        if isinstance(node, ZeroMatrix | OneMatrix) and flip:
            return type(node)(*reversed(node.shape))
        if isinstance(node, Contracted):
            return self.contraction(node, flip, marks)
        new = self.inside(node, marks)
        return Transpose(new) if flip else new

    def blocks(self, node: Basic, flip: bool, marks: Marks) -> Basic:
        """A matrix of blocks or of entries."""
        parts = node.blocks if isinstance(node, BlockMatrix) else node
        rows = [[self.turned(part, flip and isinstance(node, BlockMatrix), marks) for part in row] for row in parts.tolist()]
        rows = [list(row) for row in zip(*rows, strict=True)] if flip else rows
        return BlockMatrix(rows) if isinstance(node, BlockMatrix) else ImmutableDenseMatrix(rows, evaluate=False)

    def product(self, node: MatMul, flip: bool, marks: Marks) -> Expr:
        """Scalars first, then the factors, in reverse order where transposed."""
        scalars = [self.turned(arg, False, marks) for arg in node.args if not getattr(arg, "is_Matrix", False)]
        factors = [self.turned(arg, flip, marks) for arg in node.args if getattr(arg, "is_Matrix", False)]
        return copied(node, [*scalars, *(reversed(factors) if flip else factors)])

    def inside(self, node: Basic, marks: Marks) -> Basic:
        """Vectors, entries, positions and columns of the stream; of other nodes the arguments."""
        if isinstance(node, Vec):
            return copied(node, [self.turned(node.matrix, True, marks)])
        if isinstance(node, Row):
            return Basic.__new__(Column, self.turned(node.args[0], True, marks), node.args[1])
        if isinstance(node, MatrixElement):
            is_stream = self.is_stream(node.parent)
            i, j = (node.j, node.i) if is_stream else (node.i, node.j)
            return copied(node, [self.turned(node.parent, is_stream, marks), i, j])
        if not node.args or not node.has(*self.activations, Vec, Row):
            return node
        is_scalar = isinstance(node, Expr) and not isinstance(node, MatrixExpr)
        if not (isinstance(node, OF_VALUES) or is_scalar) or isinstance(node, Reshape):
            raise NotationError(f"column convention has no rule for {type(node).__name__}, in {node}; write it in row convention")
        return copied(node, [self.turned(arg, False, marks) if isinstance(arg, Basic) else arg for arg in node.args])

    def contraction(self, node: Contracted, flip: bool, marks: Marks) -> Basic:
        """The labels of a stream in the other order, and those of the output where it is transposed."""
        *lists, output = node.lists
        are_streams = [self.is_stream(operand) for operand in node.operands]
        turned = [self.turned(operand, is_stream, marks) for operand, is_stream in zip(node.operands, are_streams, strict=True)]
        lists = [labels[::-1] if is_stream else labels for labels, is_stream in zip(lists, are_streams, strict=True)]
        return node.func(as_tuple((*lists, output[::-1] if flip else output)), *turned)
