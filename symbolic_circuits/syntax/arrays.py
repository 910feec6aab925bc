r"""Arrays of any order: their shape, the tensor inner product U ._{jk} V, and rows of matrices.

SymPy's ``Add`` and ``Mul`` serve for sums and scalar multiples of arrays; :func:`array_shape` checks them.
"""

from functools import singledispatch

from sympy import Add, Expr, Integer, Mul, Transpose, Tuple
from sympy.core.basic import Basic
from sympy.core.sympify import _sympify
from sympy.matrices.expressions.matexpr import MatrixElement, MatrixExpr
from sympy.matrices.matrixbase import MatrixBase
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array import ImmutableDenseNDimArray, NDimArray, tensorcontraction, tensorproduct
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.axes import require_same_size
from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.explicit import explicit_array, worked_out

__all__ = ["Row", "TensorDot", "array_shape"]


@singledispatch
def array_shape(expr: object) -> tuple[Expr, ...]:
    """The sizes of the axes of an array expression; ``()`` for a scalar.

    Raises
    ------
    ShapeError
        Arrays that are added have shapes known to differ, or two arrays are multiplied without saying how.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol
    >>> x = Row(MatrixSymbol("X", 5, 3), 0)
    >>> array_shape(2 * x + Symbol("c") * x)
    (3,)
    """
    if isinstance(expr, Expr):
        return ()
    raise TypeError(f"{type(expr).__name__} is not an array expression")


@array_shape.register(MatrixExpr)
@array_shape.register(MatrixBase)
@array_shape.register(ArraySymbol)
@array_shape.register(NDimArray)
def own_shape(expr: Basic) -> tuple[Expr, ...]:
    """Matrices, array symbols and explicit arrays carry their shape."""
    return tuple(_sympify(size) for size in expr.shape)


@array_shape.register(MatrixElement)
@array_shape.register(ArrayElement)
def scalar_shape(expr: Basic) -> tuple[Expr, ...]:
    """An element is a scalar."""
    return ()


@array_shape.register(Add)
def sum_shape(expr: Add) -> tuple[Expr, ...]:
    """The common shape of the summands."""
    first, *others = expr.args
    shape = array_shape(first)
    for other in others:
        require_equal_shapes(shape, first, array_shape(other), other)
    return shape


@array_shape.register(Mul)
def product_shape(expr: Mul) -> tuple[Expr, ...]:
    """The shape of the one factor that is not a scalar."""
    shapes = [shape for shape in map(array_shape, expr.args) if shape]
    if len(shapes) > 1:
        raise ShapeError(f"{expr} multiplies {len(shapes)} arrays: write how with TensorDot")
    return shapes[0] if shapes else ()


def require_equal_shapes(left: tuple[Expr, ...], left_array: Basic, right: tuple[Expr, ...], right_array: Basic) -> None:
    """Raise ShapeError when two shapes are known to differ."""
    if len(left) != len(right):
        raise ShapeError(f"{left_array} has {len(left)} axes, but {right_array} has {len(right)}")
    for axis, (a, b) in enumerate(zip(left, right, strict=True), start=1):
        require_same_size(a, lambda k=axis: f"axis {k} of {left_array}", b, lambda k=axis: f"axis {k} of {right_array}")


class TensorDot(Expr):
    r"""Tensor inner product :math:`U \cdot_{jk} V = \sum_b U_{\dots b \dots} V_{\dots b \dots}`.

    It sums over axis j of U and axis k of V, counted from 1; the axes of U that remain come first, then those of V.

    Parameters
    ----------
    left, right : arrays U and V (matrices, rows, array symbols, sums and scalar multiples of them)
    j, k : axis of U and axis of V, from 1

    Raises
    ------
    ShapeError
        An axis is not there, or the two axes are known to differ in size.

    References
    ----------
    Sharkey 2023, arXiv 2305.03452 (the notation).

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> W, X = MatrixSymbol("W", 2, 3), MatrixSymbol("X", 5, 3)
    >>> TensorDot(W, 2, Row(X, 4), 1)
    W ._21 X[4,:]
    >>> TensorDot(W, 2, Row(X, 4), 1).shape
    (2,)
    """

    is_commutative = True
    precedence = PRECEDENCE["Mul"]

    def __new__(cls, left: Basic, j: int, right: Basic, k: int) -> "TensorDot":
        left, j, right, k = map(_sympify, (left, j, right, k))
        a, b = array_shape(left), array_shape(right)
        for axis, array, order in ((j, left, len(a)), (k, right, len(b))):
            if not (isinstance(axis, Integer) and 1 <= axis <= order):
                raise ShapeError(f"{array} has axes 1 to {order}; the inner product asks for axis {axis}")
        p, q = int(j) - 1, int(k) - 1
        require_same_size(a[p], lambda: f"axis {j} of {left}", b[q], lambda: f"axis {k} of {right}")
        obj = super().__new__(cls, left, j, right, k)
        obj._shape = a[:p] + a[p + 1 :] + b[:q] + b[q + 1 :]  # kept: nested products would work it out again at every level
        return obj

    @property
    def shape(self) -> tuple[Expr, ...]:
        """The remaining axes of the left operand, then of the right one."""
        return self._shape

    def doit(self, **hints: bool) -> Basic:
        """The inner product worked out where both operands are explicit."""
        left, j, right, k = self.args
        left, right = worked_out(left, **hints), worked_out(right, **hints)
        a, b = explicit_array(left), explicit_array(right)
        if a is None or b is None:
            return self.func(left, j, right, k)
        return tensorcontraction(tensorproduct(a, b), (int(j) - 1, a.rank() + int(k) - 1))

    def _operands(self, printer: object) -> tuple[str, str]:
        """Left operand bare where it is itself an inner product (they read from the left), right one in brackets."""
        left, _, right, _ = self.args
        strict = not isinstance(left, TensorDot)
        level = PRECEDENCE["Mul"]
        return printer.parenthesize(left, level, strict=not strict), printer.parenthesize(right, level, strict=False)

    def _sympystr(self, printer: object) -> str:
        left, right = self._operands(printer)
        return f"{left} ._{self.args[1]}{self.args[3]} {right}"

    def _latex(self, printer: object) -> str:
        left, right = self._operands(printer)
        return rf"{left} \cdot_{{{self.args[1]}{self.args[3]}}} {right}"

    def _numpycode(self, printer: object) -> str:
        left, j, right, k = self.args
        dot = printer._module_format("numpy.tensordot")
        return f"{dot}({printer._print(left)}, {printer._print(right)}, axes=({int(j) - 1}, {int(k) - 1}))"


class Row(Expr):
    r"""Row s of a matrix as an array of order 1: the vector :math:`X_s` at position s.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> Row(MatrixSymbol("X", 5, 3), 4).shape
    (3,)
    """

    is_commutative = True
    precedence = PRECEDENCE["Atom"]

    def __new__(cls, matrix: Basic, index: object) -> "Row":
        matrix, index = _sympify(matrix), _sympify(index)
        if not getattr(matrix, "is_Matrix", False):
            raise TypeError(f"a row is taken of a matrix; got {type(matrix).__name__}")
        if index.is_integer is False or index.is_negative or (index - matrix.rows).is_nonnegative:
            raise ShapeError(f"{matrix} has rows 0 to {matrix.rows} - 1; got row {index}")
        return super().__new__(cls, matrix, index)

    @property
    def shape(self) -> tuple[Expr, ...]:
        """(columns,)."""
        return (self.args[0].cols,)

    def doit(self, **hints: bool) -> Basic:
        """The entries of the row where the matrix is explicit."""
        matrix, index = self.args[0].doit(**hints), self.args[1]
        if isinstance(matrix, MatrixBase) and isinstance(index, Integer):
            return ImmutableDenseNDimArray(list(matrix.row(index)))
        return self.func(matrix, index)

    def _sympystr(self, printer: object) -> str:
        return f"{printer.parenthesize(self.args[0], PRECEDENCE['Atom'], strict=True)}[{printer._print(self.args[1])},:]"

    def _latex(self, printer: object) -> str:
        if isinstance(self.args[0], Transpose) and self.args[0].rows == 1 and self.args[1] == 0:  # a column as a vector
            return printer._print(self.args[0].arg)
        matrix = printer.parenthesize(self.args[0], PRECEDENCE["Atom"], strict=True)
        return rf"{{{matrix}}}_{{{printer._print(self.args[1])}}}"

    def _numpycode(self, printer: object) -> str:
        return f"({printer._print(self.args[0])})[{printer._print(self.args[1])}]"


@array_shape.register(TensorDot)
@array_shape.register(Row)
def node_shape(expr: TensorDot | Row) -> tuple[Expr, ...]:
    """Nodes of this module carry their shape."""
    return tuple(Tuple(*expr.shape))
