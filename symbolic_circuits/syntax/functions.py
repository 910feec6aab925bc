r"""Functions of whole rows, softmax first: softmax(S)_{st} = exp(S_{st}) / sum_u exp(S_{su}); and relu(x) = max(x, 0).

Functions of entries are SymPy's: ``X.applyfunc(relu)``, ``exp(A[s, t])``. Nothing is assumed of them when identities are proved.
"""

from typing import Any

import numpy as np
from sympy import Expr, Function, MatrixExpr, Max
from sympy.core.basic import Basic
from sympy.core.symbol import Str
from sympy.core.sympify import _sympify
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.precedence import PRECEDENCE

__all__ = ["RowFunction", "relu", "softmax"]


class relu(Function):
    r"""The larger of x and 0.

    >>> from sympy import Symbol
    >>> relu(-3), relu(Symbol("x", positive=True)), relu(Symbol("x"))
    (0, x, relu(x))
    """

    nargs = 1

    @classmethod
    def eval(cls, x: Expr) -> Expr | None:
        """The value where the sign of x is known."""
        if x.is_nonnegative:
            return x
        return x * 0 if x.is_nonpositive else None

    def _eval_rewrite_as_Max(self, x: Expr, **hints: object) -> Expr:
        return Max(x, 0)

    def _latex(self, printer: object, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return rf"\operatorname{{relu}}{power}\left({printer._print(self.args[0])}\right)"


class RowFunction(MatrixExpr):
    r"""A function of every row of a matrix, by name; rows stay where they are.

    >>> from sympy import MatrixSymbol, symbols
    >>> n = symbols("n", integer=True, positive=True)
    >>> RowFunction("softmax", MatrixSymbol("S", n, n))
    softmax(S)
    """

    precedence = PRECEDENCE["Func"]
    is_commutative = False

    def __new__(cls, name: str | Str, matrix: MatrixExpr) -> "RowFunction":
        name = name if isinstance(name, Str) else Str(name)
        matrix = _sympify(matrix)
        if not getattr(matrix, "is_Matrix", False):
            raise TypeError(f"{name} is a function of the rows of a matrix; got {matrix}")
        return super().__new__(cls, name, matrix)

    @property
    def name(self) -> str:
        """Of the function."""
        return self.args[0].name

    @property
    def matrix(self) -> MatrixExpr:
        """What it is applied to."""
        return self.args[1]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """That of the matrix."""
        return self.args[1].shape

    @property
    def free_symbols(self) -> set[Basic]:
        """Those of the matrix."""
        return self.args[1].free_symbols

    def _entry(self, i: Expr, j: Expr, **hints: object) -> Expr:
        return MatrixElement(self, i, j)

    def _sympystr(self, printer: object) -> str:
        return f"{self.name}({printer._print(self.matrix)})"

    def _latex(self, printer: object) -> str:
        return rf"\operatorname{{{self.name}}}\left({printer._print(self.matrix)}\right)"


def softmax(scores: Any) -> Any:
    r"""The softmax of every row: of a matrix expression; of numbers, along the last axis, so that code that is traced also runs.

    >>> from sympy import MatrixSymbol, symbols
    >>> n = symbols("n", integer=True, positive=True)
    >>> softmax(MatrixSymbol("S", n, n)).shape
    (n, n)
    >>> softmax(np.zeros((1, 2)))
    array([[0.5, 0.5]])
    """
    if isinstance(scores, np.ndarray):
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return weights / weights.sum(axis=-1, keepdims=True)
    if not isinstance(scores, Basic) and hasattr(scores, "softmax"):  # a PyTorch tensor
        return scores.softmax(-1)
    return RowFunction("softmax", scores)
