r"""Row-major vectorisation: vec(X)_{sa} = X_{sa}, so that vec(A X W^T) = (A (x) W) vec(X) with SymPy's KroneckerProduct."""

from sympy import Expr, ImmutableMatrix, MatrixExpr, MatrixSymbol, S
from sympy.core.sympify import _sympify
from sympy.functions.elementary.integers import floor
from sympy.matrices.matrixbase import MatrixBase
from sympy.printing.precedence import PRECEDENCE

from symbolic_circuits.syntax.calculus import no_derivative

__all__ = ["Vec"]


class Vec(MatrixExpr):
    r"""The rows of a matrix under one another, a column of ``rows * columns`` entries.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Matrix
    >>> Vec(MatrixSymbol("t", 2, 3)).shape
    (6, 1)
    >>> Vec(Matrix([[1, 2], [3, 4]])).as_explicit().T
    Matrix([[1, 2, 3, 4]])
    """

    precedence = PRECEDENCE["Func"]

    def __new__(cls, matrix: Expr) -> "Vec":
        matrix = _sympify(matrix)
        if not getattr(matrix, "is_Matrix", False):
            raise TypeError(f"vec takes a matrix; got {type(matrix).__name__}")
        return super().__new__(cls, matrix)

    @property
    def matrix(self) -> Expr:
        """The matrix whose rows are read."""
        return self.args[0]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """(rows * columns, 1)."""
        return (self.matrix.rows * self.matrix.cols, S.One)

    def doit(self, **hints: bool) -> Expr:
        """The column itself where the matrix is explicit."""
        matrix = self.matrix.doit(**hints)
        return ImmutableMatrix(len(matrix), 1, list(matrix)) if isinstance(matrix, MatrixBase) else self.func(matrix)

    _eval_derivative = no_derivative

    def _entry(self, i: Expr, j: Expr, **kwargs: object) -> Expr:
        cols = self.matrix.cols
        return self.matrix[floor(i / cols), i % cols]

    def _sympystr(self, printer: object) -> str:
        return f"vec({printer._print(self.matrix)})"

    def _latex(self, printer: object) -> str:
        inner = printer._print(self.matrix)
        return rf"\operatorname{{vec}} {inner}" if isinstance(self.matrix, MatrixSymbol) else rf"\operatorname{{vec}}({inner})"

    def _numpycode(self, printer: object) -> str:
        return f"{printer._module_format('numpy.reshape')}({printer._print(self.matrix)}, (-1, 1))"
