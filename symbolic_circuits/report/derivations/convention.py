r"""Column convention: the residual stream X becomes X^T, so that A X W^T is written W X A^T, and X_{sa} is X_{as}.

In row convention row s of X is position s; in column convention column s is. Patterns keep their shape, row = destination. Operators
stay as they are, :math:`(A \otimes W) \operatorname{vec} X`, vec being by columns then.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import (
    DiagMatrix,
    Expr,
    HadamardPower,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Transpose,
    ZeroMatrix,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.report.derivations.marks import Marks, copied
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Columns", "Rows"]

ENTRYWISE = MatAdd | HadamardProduct | KroneckerProduct


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
        """An expression as it is written; marks stay on what becomes of a part."""
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
        if isinstance(node, MatrixSum | MatPow | HadamardPower):
            return copied(node, [self.turned(node.args[0], flip, marks), *node.args[1:]])
        if isinstance(node, Identity | DiagMatrix):
            return node
        if isinstance(node, ZeroMatrix) and flip:
            return ZeroMatrix(*reversed(node.shape))
        new = self.inside(node, lambda part: self.turned(part, self.is_stream(part), marks), marks)
        return Transpose(new) if flip else new

    def product(self, node: MatMul, flip: bool, marks: Marks) -> Expr:
        """Scalars first, then the factors, in reverse order where transposed."""
        scalars = [self.turned(arg, False, marks) for arg in node.args if not getattr(arg, "is_Matrix", False)]
        factors = [self.turned(arg, flip, marks) for arg in node.args if getattr(arg, "is_Matrix", False)]
        return copied(node, [*scalars, *(reversed(factors) if flip else factors)])

    def inside(self, node: Basic, stream: Callable[[Basic], Basic], marks: Marks) -> Basic:
        """Entries, positions and columns of the stream; of other nodes the arguments."""
        if isinstance(node, Vec):
            return copied(node, [stream(node.matrix)])
        if isinstance(node, Row):
            return copied(node, [stream(node.args[0]), node.args[1]])
        if isinstance(node, MatrixElement):
            i, j = (node.j, node.i) if self.is_stream(node.parent) else (node.i, node.j)
            return copied(node, [stream(node.parent), i, j])
        if not node.args or not node.has(*self.activations):
            return node
        return copied(node, [self.turned(arg, False, marks) if isinstance(arg, Basic) else arg for arg in node.args])
