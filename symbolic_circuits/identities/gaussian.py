r"""The expectation of a polynomial expression over a Gaussian tensor, exactly and for all sizes: Isserlis' theorem (Wick's).

.. math:: E[x_{i_1} \cdots x_{i_N}] = \sum_{\text{matchings}} \prod_{(p, q)} S_{i_p i_q}

over all (N-1)!! perfect matchings of the N legs, with covariance S; it is zero for odd N. With a mean m, x is m plus such a tensor.
:math:`\langle f, g \rangle = E[f(x)^T g(x)]` is the similarity of two functions.
"""

from sympy import Expr, MatrixExpr, MatrixSymbol, Mul, Symbol
from sympy.tensor.array.expressions import OneArray

from symbolic_circuits.algebra.moments import expectation, matchings
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.errors import LawError, ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.differentiated import Differentiated, Variable, differentiated, shape_of_variable
from symbolic_circuits.identities.prove import Given, as_expression, name_of, sorted_given
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contract import contract

__all__ = ["gaussian_expectation", "matchings"]


def gaussian_expectation(
    expr: Expr,
    tensor: Variable,
    covariance: MatrixExpr | None = None,
    *,
    mean: Expr | None = None,
    given: Given = (),
    notation: str | None = None,
) -> Expr:
    r"""The expectation of every entry of an expression over :math:`\mathrm{vec}(T) \sim N(m, S)`.

    Parameters
    ----------
    expr : scalar, matrix or array, polynomial in the tensor; functions (softmax, relu) of other tensors are constants
    tensor : a matrix or array symbol, a family of matrices, or an IndexedBase with a shape; N entries in all
    covariance : N x N, of the entries in row-major order: d x d for a column (d x 1), and for X (n x d) such as
        ``KroneckerProduct(Identity(n), S)``, independent rows of covariance S. It must be symmetric under what is given, so that no
        result depends on how it is written: a matrix symbol S needs ``given={S: "symmetric"}`` (of a C whose axes are products
        write ``C*C.T`` or ``(C + C.T)/2``). It is taken to be positive semidefinite. Without it all entries are independent and of variance 1.
    mean : of the shape of the tensor; zero without it
    given : laws and definitions, as of :func:`symbolic_circuits.identities.prove.prove`; none for the tensor itself
    notation : as of ``express``

    Returns
    -------
    An expression of the shape of ``expr``.

    Raises
    ------
    UnsupportedNodeError
        A function or an inverse depends on the tensor, or this is not a tensor.
    ShapeError
        The covariance or the mean does not fit the tensor.
    LawError
        The covariance is not known to be symmetric, or the tensor has a law, which no Gaussian tensor of independent entries has.
    IdentityError
        The tensor is defined, or the covariance or mean depends on it.
    BudgetError
        There are too many matchings.

    References
    ----------
    Isserlis, On a formula for the product-moment coefficient of any order of a normal frequency distribution (Biometrika, 1918).

    Examples
    --------
    >>> from sympy import MatrixSymbol, Trace, symbols
    >>> d = symbols("d", integer=True, positive=True)
    >>> A, B, S, x = *(MatrixSymbol(name, d, d) for name in "ABS"), MatrixSymbol("x", d, 1)
    >>> form = lambda M: Trace(x.T * M * x)
    >>> gaussian_expectation(form(A), x)
    Trace(A)
    >>> gaussian_expectation(x * x.T, x, S, given={S: "symmetric"})
    S
    >>> gaussian_expectation(form(A) * form(B), x)
    Trace(A*B) + Trace(A*B.T) + Trace(A)*Trace(B)
    >>> m = MatrixSymbol("m", d, 1)
    >>> gaussian_expectation(x * x.T, x, mean=m)
    I + m*m.T
    """
    if isinstance(tensor, Symbol):
        raise UnsupportedNodeError(f"a function is integrated over a tensor; {tensor} is a scalar")
    shape = shape_of_variable(tensor)
    laws, _, _ = sorted_given(given)
    for other, law in laws:
        if name_of(other) == name_of(tensor):
            raise LawError(f"{name_of(tensor)} is integrated over all its values; it cannot have the law {law}")
    extra, meeting = [], []
    if covariance is not None:
        require_shape(covariance, (Mul(*shape),) * 2, "covariance", tensor)
        extra.append(("covariance", split(covariance, shape)))
        meeting.append(split(covariance, shape, tensor))
    if mean is not None:
        require_shape(mean, shape, "mean", tensor)
        extra.append(("mean", mean))
        labels = [f"i{k}" for k in range(len(shape))]
        meeting.append(contract([labels, labels, labels], mean, tensor))
    parts = differentiated(expr, tensor, given, extra, meeting)
    if len(parts.inverted) > 1:
        other = next(name for name in parts.inverted if name != parts.variable)
        raise LawError(f"{other} is tied to {parts.variable} as its inverse; only polynomials are integrated")
    return parts.written(expectation(parts.value, parts.variable, *stand_ins(parts, covariance)), notation)


def require_shape(value: Expr, wanted: tuple[Expr, ...], what: str, tensor: Variable) -> None:
    """The covariance and the mean fit the tensor."""
    shape = array_shape(as_expression(value)) if not isinstance(value, int | float) else ()
    if len(shape) != len(wanted) or any((a - b).expand() != 0 for a, b in zip(shape, wanted, strict=True)):
        sizes, expected, own = (" x ".join(map(str, s)) or "a scalar" for s in (shape, wanted, tensor.shape))
        raise ShapeError(f"{name_of(tensor)} is {own}, so that its {what} has to be {expected}; got {value}, which is {sizes}")


def split(covariance: MatrixExpr, shape: tuple[Expr, ...], *tensor: Variable) -> Expr:
    """The covariance with the axes of the tensor, twice; with the tensor, whose axes meet them, as a factor of rows and of columns."""
    rows, columns = ([f"{letter}{k}" for k in range(len(shape))] for letter in "ij")
    if tensor:
        return contract([[rows, columns], rows, columns, rows + columns], covariance, *tensor, *tensor)
    labels = rows + columns
    return contract(
        [[rows, columns], *([label] for label in labels), labels], covariance, *(OneArray(size) for size in shape * 2)
    )


def stand_ins(parts: Differentiated, covariance: Expr | None) -> tuple[Tensor | None, Tensor | None]:
    """The tensors that stand for covariance and mean until the expectation is written."""
    legs = tuple(size for axis in parts.axes for size in axis)
    second = first = None
    if "covariance" in parts.extra:
        name, count = parts.extra["covariance"], len(parts.axes)
        value = parts.statement.definitions[name]
        if not parts.is_zero(value.plus(value.permuted((*range(count, 2 * count), *range(count))).negated())):
            hint = f', as in given={{{covariance}: "symmetric"}}' if isinstance(covariance, MatrixSymbol) else ""
            raise LawError(f"the covariance {covariance} is not known to be symmetric: declare laws that make it so{hint}")
        second = Tensor(name, legs * 2, ((0, 1),) if len(legs) == 1 else ())
    if "mean" in parts.extra:
        first = Tensor(parts.extra["mean"], legs)
    return second, first
