r"""A bilinear layer on vectorised sequences: B(x, y)_{si} = sum_{jk} B_{ijk} x_{sj} y_{sk} at every position s."""

from sympy import Expr, ImmutableMatrix, MatrixExpr, S
from sympy.core.basic import Basic
from sympy.core.sympify import _sympify
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array import NDimArray

from symbolic_circuits.axes import known_to_differ, require_same_size
from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.calculus import no_derivative
from symbolic_circuits.syntax.explicit import explicit_matrix

__all__ = ["ApplyBilinear"]


class ApplyBilinear(MatrixExpr):
    r"""The columns x and y of n d entries (row-major: positions, then residual axis), B applied at each position.

    With the copy tensor :math:`\delta_{stu}` on positions this is :math:`(\delta \otimes B)(x, y)`, what "1 (x) B acts per
    position" means. Its shape is (n d', 1) for B of shape (d', d, d).

    Examples
    --------
    >>> from sympy import symbols, MatrixSymbol
    >>> from sympy.tensor.array.expressions import ArraySymbol
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> x, B = MatrixSymbol("x", n * d, 1), ArraySymbol("B", (d, d, d))
    >>> ApplyBilinear(B, x, x), ApplyBilinear(B, x, x).shape
    (B(x, x), (d*n, 1))
    """

    precedence = PRECEDENCE["Func"]

    def __new__(cls, tensor: Basic, x: Expr, y: Expr) -> "ApplyBilinear":
        tensor, x, y = map(_sympify, (tensor, x, y))
        shape = array_shape(tensor)
        if len(shape) != 3:
            raise ShapeError(f"a bilinear layer is a tensor of order 3; {tensor} has order {len(shape)}")
        for name, column, width in (("left", x, shape[1]), ("right", y, shape[2])):
            if not getattr(column, "is_Matrix", False) or known_to_differ(column.cols, 1):
                raise ShapeError(f"the {name} input of {tensor} must be a column; got {column}")
            if (column.rows / width).is_integer is False:
                raise ShapeError(
                    f"the {name} input of {tensor} has {column.rows} rows, no whole number of positions of width {width}"
                )
        left, right = x.rows / shape[1], y.rows / shape[2]
        require_same_size(left, lambda: f"the left input of {tensor}, in positions,", right, lambda: "the right one")
        return super().__new__(cls, tensor, x, y)

    @property
    def positions(self) -> Expr:
        """n."""
        return self.args[1].rows / array_shape(self.args[0])[1]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """(n d', 1)."""
        return (self.positions * array_shape(self.args[0])[0], S.One)

    def doit(self, **hints: bool) -> Expr:
        """The column itself where tensor and inputs are explicit."""
        tensor, x, y = (arg.doit(**hints) for arg in self.args)
        left, right = explicit_matrix(x), explicit_matrix(y)
        if not isinstance(tensor, NDimArray) or left is None or right is None:
            return self.func(tensor, x, y)
        x, y = left, right
        width, left, right = tensor.shape
        rows = (
            sum(tensor[i, j, k] * x[s * left + j, 0] * y[s * right + k, 0] for j in range(left) for k in range(right))
            for s in range(x.rows // left)
            for i in range(width)
        )
        return ImmutableMatrix(x.rows // left * width, 1, list(rows))

    _eval_derivative = no_derivative

    def _entry(self, i: Expr, j: Expr, **kwargs: object) -> Expr:
        raise NotImplementedError("entries of a bilinear layer are written in index notation")

    def _call(self, printer: object) -> tuple[str, str, str]:
        return tuple(printer._print(arg) for arg in self.args)

    def _sympystr(self, printer: object) -> str:
        tensor, x, y = self._call(printer)
        return f"{tensor}({x}, {y})"

    def _latex(self, printer: object) -> str:
        tensor, x, y = self._call(printer)
        return rf"{tensor}\left({x},\, {y}\right)"

    def _numpycode(self, printer: object) -> str:
        tensor, x, y = self._call(printer)
        einsum, reshape = printer._module_format("numpy.einsum"), printer._module_format("numpy.reshape")
        left, right = (f"{reshape}({column}, (-1, {tensor}.shape[{axis}]))" for column, axis in ((x, 1), (y, 2)))
        return f"{reshape}({einsum}('ijk,sj,sk->si', {tensor}, {left}, {right}), (-1, 1))"
