r"""Hypotheses ``U^\top U = I``: recognised as a law of a tensor, else a law of one's own, used from left to right.

| hypothesis | law |
| --- | --- |
| U^T U = I; U U^T = I | ``orthonormal_columns``; ``orthonormal_rows`` |
| M N = I, both square | ``inverse(N)`` |
| S^T = S; S^T = -S | ``symmetric``; ``antisymmetric`` |
| A 1 = 1; A^T 1 = 1; sum_t A_st = 1 | ``row_stochastic``; ``column_stochastic`` |
| B_ijk = B_ikj; B_ijk = -B_ikj | ``symmetric(1,2)``; ``antisymmetric(1,2)`` |
"""

from sympy import Expr, Identity, MatMul, MatrixSymbol, Mul, OneMatrix, S, Transpose
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.algebra.laws import closed_laws, parse_law
from symbolic_circuits.errors import LawError
from symbolic_circuits.identities.rewrite import Rewrite
from symbolic_circuits.latex.declared import Family, Law, Symbols, Tensor
from symbolic_circuits.latex.sizes import Blocks, axis_text
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.lowering import Lowering

__all__ = ["law_of", "require_fitting", "rewrite_of"]

TENSORS = (MatrixSymbol, FamilyMember)


def law_of(lhs: Expr, rhs: Expr) -> tuple[Law, ...]:
    """The laws that an equation is, or none.

    >>> from sympy import symbols
    >>> m, k = symbols("m k", integer=True, positive=True)
    >>> U = MatrixSymbol("U", m, k)
    >>> law_of(U.T * U, Identity(k))
    (Law(symbol=U, text='orthonormal_columns'),)
    """
    for rule in (of_products, of_transposes, of_entries, of_sums):
        for left, right in ((lhs, rhs), (rhs, lhs)):
            found = rule(left, right)
            if found:
                return found
    return ()


def declared(tensor: Basic) -> Basic:
    """The symbol that a law is declared of: a family for its member."""
    return tensor.family if isinstance(tensor, FamilyMember) else tensor


def is_general(tensor: Basic) -> bool:
    """Whether a law of this is one of a symbol, or of all members of a family."""
    return isinstance(tensor, MatrixSymbol) or (isinstance(tensor, FamilyMember) and bool(tensor.head.free_symbols))


def of_products(lhs: Expr, rhs: Expr) -> tuple[Law, ...]:
    """A product of two is an identity."""
    if not isinstance(lhs, MatMul) or len(lhs.args) != 2 or not isinstance(rhs, Identity):
        return ()
    left, right = lhs.args
    if isinstance(left, Transpose) and left.arg == right and is_general(right):
        return (Law(declared(right), "orthonormal_columns"),)
    if isinstance(right, Transpose) and right.arg == left and is_general(left):
        return (Law(declared(left), "orthonormal_rows"),)
    square = all(isinstance(part, MatrixSymbol) and part.shape[0] == part.shape[1] for part in (left, right))
    return (Law(left, f"inverse({right.name})"),) if square and left != right else ()


def of_transposes(lhs: Expr, rhs: Expr) -> tuple[Law, ...]:
    """A matrix and its transpose."""
    if not isinstance(lhs, Transpose) or not is_general(lhs.arg):
        return ()
    if rhs == lhs.arg:
        return (Law(declared(lhs.arg), "symmetric" if isinstance(lhs.arg, MatrixSymbol) else "symmetric(1,2)"),)
    if isinstance(rhs, MatMul) and rhs.args == (S.NegativeOne, lhs.arg):
        return (Law(declared(lhs.arg), "antisymmetric" if isinstance(lhs.arg, MatrixSymbol) else "antisymmetric(1,2)"),)
    return ()


def of_sums(lhs: Expr, rhs: Expr) -> tuple[Law, ...]:
    """Rows or columns that sum to one."""
    if (
        not isinstance(lhs, MatMul)
        or len(lhs.args) != 2
        or not isinstance(rhs, OneMatrix)
        or not isinstance(lhs.args[1], OneMatrix)
    ):
        return ()
    matrix = lhs.args[0]
    if rhs.shape[1] != 1:
        return ()
    if isinstance(matrix, Transpose) and is_general(matrix.arg):
        return (Law(declared(matrix.arg), "column_stochastic"),)
    return (Law(declared(matrix), "row_stochastic"),) if is_general(matrix) else ()


def of_entries(lhs: Expr, rhs: Expr) -> tuple[Law, ...]:
    """Two entries of one tensor whose indices are exchanged."""
    sign, entry = (-1, -rhs) if isinstance(rhs, Mul) and rhs.could_extract_minus_sign() else (1, rhs)
    if not isinstance(lhs, ArrayElement | MatrixElement) or type(entry) is not type(lhs) or entry.args[0] != lhs.args[0]:
        return ()
    first, second = indices(lhs), indices(entry)
    differ = [k for k, (a, b) in enumerate(zip(first, second, strict=True)) if a != b]
    names = all(index.is_Symbol for index in first) and len(set(first)) == len(first)
    if not names or len(differ) != 2 or first[differ[0]] != second[differ[1]] or first[differ[1]] != second[differ[0]]:
        return ()
    kind = "symmetric" if sign == 1 else "antisymmetric"
    return (Law(declared(lhs.args[0]), f"{kind}({differ[0]},{differ[1]})"),) if not isinstance(lhs.args[0], FamilyMember) else ()


def indices(entry: Expr) -> tuple[Expr, ...]:
    """The indices of an entry."""
    return tuple(entry.args[1]) if isinstance(entry, ArrayElement) else tuple(entry.args[1:])


def rewrite_of(lhs: Expr, rhs: Expr, name: str) -> Rewrite:
    """A law of one's own.

    Raises
    ------
    LawError
        The left side is not one product, or the right side is not shorter.
    """
    rewrite = Rewrite(name, lhs, rhs)
    try:
        rewrite.rule(Lowering())
    except LawError as error:
        raise LawError(f"{error}; a hypothesis is used from left to right, its left side being the longer one") from None
    return rewrite


def require_fitting(symbols: Symbols, count: int) -> None:
    """The first laws fit the shapes of their tensors and each other.

    Raises
    ------
    LawError
        As of :func:`symbolic_circuits.algebra.laws.closed_laws`.
    """
    axes = {}
    for entry in (entry for group in symbols.entries.values() for entry in group):
        if isinstance(entry, Tensor | Family):
            shape = (entry.heads, *entry.axes) if isinstance(entry, Family) else entry.axes
            column = ((),) if len(entry.axes) == 1 else ()
            axes[str(entry.symbol.name)] = tuple(map(plain_axis, shape)) + column
    closed_laws([parse_law(str(law.symbol.name), law.text) for law in symbols.laws[:count]], axes)


def plain_axis(axis: tuple) -> tuple[str | int, ...]:
    """An axis whose sums of sizes are words."""
    return tuple(axis_text((part,)) if isinstance(part, Blocks) else part for part in axis)
