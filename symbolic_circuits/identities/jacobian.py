r"""The Jacobian :math:`\partial f_{i\ldots} / \partial T_{a\ldots}` of a polynomial expression by a tensor, exactly and for all sizes.

| expression | by | Jacobian | shape |
| --- | --- | --- | --- |
| g(x), p x 1 | column x, d x 1 | J_{ij} = d g_i / d x_j | p x d |
| scalar f | X, n x d | the gradient | n x d |
| A X W^T, n x d | X, n x d | A_{su} W_{ab} at s, a, u, b | n x d x n x d |
| A X W^T, n x d | scalar c | | n x d |
"""

from collections.abc import Sequence

from sympy import Expr, Integer, Symbol

from symbolic_circuits.algebra.derivative import derivative, scalar_derivative
from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.errors import UnsupportedNodeError
from symbolic_circuits.identities.differentiated import Variable, differentiated
from symbolic_circuits.identities.prove import Given
from symbolic_circuits.syntax.family import FamilyMember

__all__ = ["jacobian"]


def jacobian(expr: Expr, tensor: Variable, given: Given = (), *, notation: str | None = None) -> Expr:
    r"""The derivatives of all entries of an expression by all entries of a tensor.

    .. math:: J_{i\ldots\, a\ldots} = \frac{\partial\, \text{expr}_{i\ldots}}{\partial\, \text{tensor}_{a\ldots}}

    Parameters
    ----------
    expr : scalar, matrix or array, polynomial in the tensor; inverses of matrices are differentiated too, and functions (softmax, relu)
        of other tensors are constants
    tensor : a matrix or array symbol, an IndexedBase, a scalar symbol; a family of heads (axes head, row, column) or a member A[h]
    given : laws and definitions, as of :func:`symbolic_circuits.identities.prove.prove`. Definitions that depend on the tensor are
        multiplied out, others stay. Laws simplify the result; the entries of the tensor count as independent variables whatever its
        laws are, so that by a symmetric S the derivative of :math:`\mathrm{tr}(S A)` is A^T as written, not its symmetric part.
    notation : as of ``express``; by default a matrix where the result has two axes, and what reads best otherwise

    Returns
    -------
    The axes of the expression followed by those of the tensor. By a scalar, or of a scalar, that is one of the two shapes;
    otherwise axes of size 1 are left out, and if fewer than two are left the result is a row, a column or 1 x 1. So for columns
    g(x) and x it is the Jacobian matrix. It is zero where the expression does not have the tensor.

    Raises
    ------
    UnsupportedNodeError
        A function depends on the tensor, or this is not a tensor.
    IdentityError
        The tensor is defined, or the symbol is a size.
    ShapeError, LawError, BudgetError
        As of ``prove``.

    References
    ----------
    Matrix derivatives: Magnus and Neudecker, Matrix Differential Calculus (1988), with the numerator's axes first.

    Examples
    --------
    >>> from sympy import HadamardProduct, MatrixSymbol, Trace, symbols
    >>> n, d, m = symbols("n d m", integer=True, positive=True)
    >>> A, x = MatrixSymbol("A", d, d), MatrixSymbol("x", d, 1)
    >>> jacobian(A * x, x)
    A
    >>> jacobian(Trace(A.T * A), A)
    2*A
    >>> W_1, W_2 = MatrixSymbol("W_1", m, d), MatrixSymbol("W_2", m, d)
    >>> jacobian(HadamardProduct(W_1 * x, W_2 * x), x)
    DiagMatrix(W_1*x)*W_2 + DiagMatrix(W_2*x)*W_1
    >>> X, W = MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
    >>> jacobian(X * W.T, X).shape
    (n, d, n, d)
    >>> jacobian(A.I, A, notation="einsum")
    -contract('ab,cd->cbda', A**(-1), A**(-1))
    """
    parts = differentiated(expr, tensor, given)
    if isinstance(tensor, Symbol):
        return parts.written(scalar_derivative(parts.value, parts.variable), notation)
    value = derivative(parts.value, parts.variable, parts.axes, parts.inverted)
    order, axes = len(parts.value.axes), parts.axes
    if isinstance(tensor, FamilyMember):
        value, axes = at_member(value, order, tensor), parts.axes[1:]
    return parts.written(value.grouped(shaped(parts.value.axes, axes)), notation)


def at_member(value: Open, place: int, member: FamilyMember) -> Open:
    """The derivative by one member: the axis of the heads held at its head."""
    [*parts] = value.axes[place]
    if not parts:  # a family of one
        return value.summed(place)
    if isinstance(member.head, Integer) and len(parts) == 1:
        held = value.outer(Open.of_tensor(unit(int(member.head), parts[0])))
        return held.contracted(place, len(held.axes) - 1)
    if isinstance(member.head, Symbol):
        return value.with_name(place, member.head.name)
    raise UnsupportedNodeError(f"the head of {member} is neither a number nor a symbol")


def shaped(left: Sequence[Axis], right: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes of a Jacobian: those of the expression, then those of the tensor, without axes of size 1 as far as these are in the way.

    >>> shaped([("p",), ()], [("d",), ()]), shaped([(), ()], [("d",), ()]), shaped([], [("d",), ()])
    ((('p',), ('d',)), ((), ('d',)), (('d',), ()))
    """
    if not left or not right:
        return (*left, *right)
    rows, columns = (tuple(axis for axis in axes if axis) for axes in (left, right))
    if len(rows) + len(columns) > 1:
        return rows + columns
    return (*(rows or ((),)), *(columns or ((),)))
