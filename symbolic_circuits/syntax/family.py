r"""A family of matrices indexed by heads, A^0, ..., A^{H-1}, and its member A^h for a number or symbol h."""

from sympy import Expr, ImmutableMatrix, Integer, MatrixExpr, Symbol
from sympy.core.basic import Basic
from sympy.core.symbol import Str
from sympy.core.sympify import _sympify
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array import NDimArray

from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.calculus import no_derivative
from symbolic_circuits.syntax.names import identifier, latex_name, tensor_name

__all__ = ["FamilyMember", "MatrixFamily"]


class MatrixFamily(Basic):
    r"""H matrices of one shape, ``family[h]`` being one of them; as an array of shape (H, rows, columns).

    Examples
    --------
    >>> from sympy import symbols
    >>> n, H, h = symbols("n H h", integer=True, positive=True)
    >>> A = MatrixFamily("A", H, n, n)
    >>> A[h], A[0].shape
    (A[h], (n, n))
    """

    is_commutative = False
    precedence = PRECEDENCE["Atom"]
    _iterable = False  # it has members, but SymPy must not unpack it
    __iter__ = None

    def __new__(cls, name: str | Str, heads: Expr, rows: Expr, cols: Expr) -> "MatrixFamily":
        return super().__new__(cls, tensor_name(name), *map(_sympify, (heads, rows, cols)))

    @property
    def free_symbols(self) -> set[Basic]:
        """The family itself, as for a MatrixSymbol."""
        return {self}

    @property
    def name(self) -> str:
        """The name of the family."""
        return self.args[0].name

    @property
    def shape(self) -> tuple[Expr, Expr, Expr]:
        """(heads, rows, columns)."""
        return self.args[1:]

    def __getitem__(self, head: object) -> "FamilyMember":
        return FamilyMember(self, head)

    def _sympystr(self, printer: object) -> str:
        return self.name

    def _latex(self, printer: object) -> str:
        return latex_name(self.name)

    def _numpycode(self, printer: object) -> str:
        return identifier(self.name)


class FamilyMember(MatrixExpr):
    r"""The matrix :math:`A^h` of a family, h a number below the number of heads or a symbol.

    In LaTeX a symbolic h stands for the block label of the family as well: :math:`A^{h}`, but :math:`A^{0,1}`.
    """

    precedence = PRECEDENCE["Atom"]

    def __new__(cls, family: MatrixFamily, head: object) -> "FamilyMember":
        head = _sympify(head)
        if not (isinstance(family, MatrixFamily) or (isinstance(family, NDimArray) and family.rank() == 3)):
            raise TypeError(f"a family member belongs to a MatrixFamily; got {type(family).__name__}")
        if head.is_integer is False or head.is_negative or (head - family.shape[0]).is_nonnegative:
            name = getattr(family, "name", "the array")
            raise ShapeError(f"{name} has heads 0 to {family.shape[0]} - 1; got head {head}")
        if isinstance(family, NDimArray) and isinstance(head, Integer):
            return ImmutableMatrix(family[head])
        return super().__new__(cls, family, head)

    @property
    def free_symbols(self) -> set[Basic]:
        """The family, and the symbols of the head."""
        return self.family.free_symbols | self.head.free_symbols

    @property
    def family(self) -> MatrixFamily:
        """The family."""
        return self.args[0]

    @property
    def head(self) -> Expr:
        """Number or symbol of the head."""
        return self.args[1]

    @property
    def name(self) -> str:
        """``A^0[1]``."""
        return f"{self.family.name}[{self.head}]"

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """(rows, columns)."""
        return tuple(map(_sympify, self.family.shape[1:]))

    def _entry(self, i: Expr, j: Expr, **kwargs: object) -> Expr:
        return MatrixElement(self, i, j)

    _eval_derivative = no_derivative

    def _sympystr(self, printer: object) -> str:
        return f"{self.family.name}[{printer._print(self.head)}]"

    def _latex(self, printer: object) -> str:
        if isinstance(self.head, Integer):
            return latex_name(self.family.name, [str(self.head)])
        base = self.family.name.split("^")[0] if isinstance(self.head, Symbol) else self.family.name
        return latex_name(base, [printer._print(self.head)])

    def _numpycode(self, printer: object) -> str:
        return f"{identifier(self.family.name)}[{printer._print(self.head)}]"
