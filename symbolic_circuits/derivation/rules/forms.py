r"""Products that are numbers: y^T W x = x^T W^T y, their order in a product, u^T (x . y) = x^T diag(u) y, and traces."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from sympy import DiagMatrix, Expr, HadamardProduct, MatMul, MatrixExpr, Symbol, Trace
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.derivation.rules.products import flipped, product_of, split_scalars
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.sums import IndexSum

__all__ = ["AsDiagonal", "DiagonalForm", "ReorderForms", "TraceAsSum", "TransposeForm", "TransposeTrace"]


def transposed(matrix: MatrixExpr) -> MatrixExpr:
    """The transpose of a product or of one factor, written on the factors."""
    if not isinstance(matrix, MatMul):
        return flipped(matrix)
    scalars, matrices = split_scalars(matrix)
    return MatMul(*scalars, *(flipped(factor) for factor in reversed(matrices)))


@dataclass(frozen=True, slots=True)
class TransposeForm(Rule):
    r"""A run of factors that is a 1 x 1 matrix is its own transpose.

    .. math:: y^\top W x = x^\top W^\top y

    Parameters
    ----------
    start, stop : the run, among the factors that are matrices

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> W, x, y = MatrixSymbol("W", 3, 3), MatrixSymbol("x", 3, 1), MatrixSymbol("y", 3, 1)
    >>> TransposeForm(0, 3).apply(y.T * W * x)
    x.T*W.T*y
    """

    start: int
    stop: int

    name: ClassVar[str] = "transpose of a number"
    formula: ClassVar[str] = r"y^\top W x = x^\top W^\top y"
    needs: ClassVar[str] = "a product with that run of factors, which is a 1 x 1 matrix"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatMul):
            raise refused(self, expr)
        scalars, factors = split_scalars(expr)
        run = factors[self.start : self.stop]
        if not 0 <= self.start < self.stop <= len(factors) or run[0].rows != 1 or run[-1].cols != 1:
            raise refused(self, expr)
        turned = (flipped(factor) for factor in reversed(run))
        return MatMul(*scalars, *factors[: self.start], *turned, *factors[self.stop :])

    @property
    def reason(self) -> Reason:
        return ("a number is its own transpose",)


def numbers_in(factors: list[MatrixExpr]) -> list[tuple[int, int]]:
    """The runs of factors between neighbouring axes of size 1: 1 x 1 matrices."""
    cuts = [k for k in range(len(factors)) if factors[k].rows == 1] + ([len(factors)] if factors[-1].cols == 1 else [])
    return list(pairwise(cuts))


@dataclass(frozen=True, slots=True)
class ReorderForms(Rule):
    r"""Factors that are 1 x 1 matrices in another order.

    .. math:: (q^\top x) (r^\top y) = (r^\top y) (q^\top x)

    Parameters
    ----------
    order : the number of the 1 x 1 matrix that comes first, second, ...

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> q, r, x, y = (MatrixSymbol(name, 3, 1) for name in "qrxy")
    >>> ReorderForms((1, 0)).apply(q.T * x * r.T * y)
    r.T*y*q.T*x
    """

    order: tuple[int, ...]

    name: ClassVar[str] = "reorder numbers"
    formula: ClassVar[str] = r"(q^\top x)(r^\top y) = (r^\top y)(q^\top x)"
    needs: ClassVar[str] = "a product with that many neighbouring factors that are 1 x 1 matrices"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatMul):
            raise refused(self, expr)
        scalars, factors = split_scalars(expr)
        runs = numbers_in(factors)
        if not runs or sorted(self.order) != list(range(len(runs))):
            raise refused(self, expr)
        moved = [factor for number in self.order for factor in factors[slice(*runs[number])]]
        return MatMul(*scalars, *factors[: runs[0][0]], *moved, *factors[runs[-1][1] :])

    @property
    def reason(self) -> Reason:
        return ("numbers commute",)


@dataclass(frozen=True, slots=True)
class DiagonalForm(Rule):
    r"""A row times an elementwise product of columns, as a bilinear form.

    .. math:: u^\top (x \odot y) = x^\top \operatorname{diag}(u) \, y

    Examples
    --------
    >>> from sympy import HadamardProduct, MatrixSymbol
    >>> u, x, y = (MatrixSymbol(name, 3, 1) for name in "uxy")
    >>> DiagonalForm().apply(u.T * HadamardProduct(x, y))
    x.T*DiagMatrix(u)*y
    """

    name: ClassVar[str] = "diagonal matrix in a form"
    formula: ClassVar[str] = r"u^\top (x \odot y) = x^\top \operatorname{diag}(u) \, y"
    needs: ClassVar[str] = "a product that ends with a row times an elementwise product of two columns"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatMul):
            raise refused(self, expr)
        scalars, factors = split_scalars(expr)
        last = factors[-1]
        if not isinstance(last, HadamardProduct) or len(last.args) != 2 or last.cols != 1 or len(factors) < 2:
            raise refused(self, expr)
        start = max((k for k, factor in enumerate(factors[:-1]) if factor.rows == 1), default=None)
        if start is None:
            raise refused(self, expr)
        row = transposed(product_of(factors[start:-1]))
        form = product_of([transposed(last.args[0]), DiagMatrix(row), last.args[1]])
        return MatMul(*scalars, *factors[:start], *form.args)

    @property
    def reason(self) -> Reason:
        return ("as a diagonal matrix",)


@dataclass(frozen=True, slots=True)
class AsDiagonal(Rule):
    r"""An elementwise product of two columns as a diagonal matrix times a column.

    .. math:: x \odot y = \operatorname{diag}(x) \, y

    Examples
    --------
    >>> from sympy import HadamardProduct, MatrixSymbol
    >>> AsDiagonal().apply(HadamardProduct(MatrixSymbol("x", 3, 1), MatrixSymbol("y", 3, 1)))
    DiagMatrix(x)*y
    """

    name: ClassVar[str] = "as a diagonal matrix"
    formula: ClassVar[str] = r"x \odot y = \operatorname{diag}(x) \, y"
    needs: ClassVar[str] = "an elementwise product of two columns"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, HadamardProduct) or len(expr.args) != 2 or expr.cols != 1:
            raise refused(self, expr)
        return product_of([DiagMatrix(expr.args[0]), expr.args[1]])

    @property
    def reason(self) -> Reason:
        return ("as a diagonal matrix",)


@dataclass(frozen=True, slots=True)
class TransposeTrace(Rule):
    r"""The trace of a matrix is that of its transpose.

    .. math:: \operatorname{tr}(A B) = \operatorname{tr}(B^\top A^\top)

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A, B = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2)
    >>> TransposeTrace().apply(Trace(A * B))
    Trace(B.T*A.T)
    """

    name: ClassVar[str] = "trace of the transpose"
    formula: ClassVar[str] = r"\operatorname{tr}(M) = \operatorname{tr}(M^\top)"
    needs: ClassVar[str] = "a trace"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, Trace):
            raise refused(self, expr)
        turned = transposed(expr.arg)
        if turned == expr.arg:
            raise refused(self, expr)
        return Trace(turned)

    @property
    def reason(self) -> Reason:
        return ("the trace of the transpose",)


@dataclass(frozen=True, slots=True)
class TraceAsSum(Rule):
    r"""A trace as the sum of the entries on the diagonal.

    .. math:: \operatorname{tr} M = \sum_i M_{ii}

    Parameters
    ----------
    index : the symbol of the sum

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> i, n = Symbol("i", integer=True, nonnegative=True), Symbol("n", integer=True, positive=True)
    >>> TraceAsSum(i).apply(Trace(MatrixSymbol("M", n, n)))
    sum[i=0..n - 1] M[i, i]
    """

    index: Symbol

    name: ClassVar[str] = "trace as a sum"
    formula: ClassVar[str] = r"\operatorname{tr} M = \sum_i M_{ii}"
    needs: ClassVar[str] = "the trace of a matrix in which the index does not occur"

    def apply(self, expr: Basic) -> Expr:
        if not isinstance(expr, Trace) or self.index.name in {symbol.name for symbol in expr.atoms(Symbol)}:
            raise refused(self, expr)
        return IndexSum(MatrixElement(expr.arg, self.index, self.index), (self.index, 0, expr.arg.rows - 1))

    @property
    def reason(self) -> Reason:
        return ("the trace as a sum",)
