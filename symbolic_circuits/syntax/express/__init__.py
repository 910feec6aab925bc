r"""Writing a polynomial in a chosen notation: the way back from tensor networks to SymPy trees.

| notation | a term reads | exists |
| --- | --- | --- |
| matrix | A X W^T, with elementwise, Kronecker and diagonal products, traces | for networks that series and parallel steps reduce |
| index | sum_u A[s, u] X[u, a] | unless an axis of a factor is a product that is split |
| tensor | W ._{21} x, inner products of two tensors along one axis each | where no outer product is left |
| array | SymPy's ArrayContraction, ArrayDiagonal, PermuteDims of ArrayTensorProduct | always |
| einsum | contract("ij,jk->ik", A, X) | always |

Lowering what is written gives the polynomial back.
"""

from collections.abc import Callable, Sequence

from sympy import Mul, Symbol
from sympy.core.basic import Basic

from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.errors import NotationError, ShapeError
from symbolic_circuits.syntax.express.array import write_array
from symbolic_circuits.syntax.express.einsum import write_einsum
from symbolic_circuits.syntax.express.index import write_index
from symbolic_circuits.syntax.express.matrix import write_matrix
from symbolic_circuits.syntax.express.product import Product, products, total
from symbolic_circuits.syntax.express.symbols import Symbols, fresh_indices
from symbolic_circuits.syntax.express.tensor import write_tensor
from symbolic_circuits.syntax.lowering import lower

__all__ = ["NOTATIONS", "Symbols", "express", "write"]

NOTATIONS: dict[str, Callable[[Product, Symbols], Basic]] = {
    "matrix": write_matrix,
    "index": write_index,
    "tensor": write_tensor,
    "array": write_array,
    "einsum": write_einsum,
}


def express(expr: Basic, notation: str, *, indices: Sequence[Symbol] = ()) -> Basic:
    r"""An expression multiplied out, simplified to its normal form, and written in a notation.

    Parameters
    ----------
    expr : in any notation
    notation : "matrix", "index", "tensor", "array" or "einsum"
    indices : for index notation, the index symbols of the axes (one for each part of an axis that is a product); without them
        symbols that the expression does not use

    Raises
    ------
    NotationError
        There is no such notation, or a term has no form in it; the message has the term and the reason.
    UnsupportedNodeError, ShapeError, BudgetError
        The expression cannot be lowered.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Trace, symbols
    >>> n = symbols("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> express((A + B).T * A - B.T * A, "matrix")
    A.T*A
    >>> express(Trace(A * B) - Trace(B * A), "matrix")
    0
    >>> express(A * B, "index")
    sum[t=0..n - 1] A[s, t]*B[t, u]
    """
    (polynomial,) = lower(expr)
    return write(polynomial, Symbols.of(expr, *indices), notation, indices=indices)


def write(polynomial: Polynomial, symbols: Symbols, notation: str, *, indices: Sequence[Symbol] = ()) -> Basic:
    """A polynomial written in a notation, with the symbols that its names stand for.

    Parameters and errors are those of :func:`express`.

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> n = symbols("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> left, right = lower((A + B) * A, A * A)
    >>> write(left.minus(right), Symbols.of(A, B), "matrix")
    B*A
    """
    if notation not in NOTATIONS:
        raise NotationError(f"there is no notation {notation!r}; there are {', '.join(map(repr, NOTATIONS))}")
    shape = [Mul(*map(symbols.size, axis)) for axis in polynomial.axes]
    legs = None
    if notation == "index":
        legs, shape = open_indices(polynomial, symbols, indices), []
    terms = list(products(polynomial, symbols, legs))
    expr = total([written(product, symbols, notation) for product in terms], shape)
    if any(len(axis) > 1 for product in terms for axis in axes_of(product)):
        require_same_splits(expr, polynomial, notation)
    return expr


def axes_of(product: Product) -> list[tuple[int, ...]]:
    """Every axis of a term."""
    return [axis for part in product.parts for axis in part.axes] + list(product.output)


def require_same_splits(expr: Basic, polynomial: Polynomial, notation: str) -> None:
    """Raise NotationError if axes that are products would be split in another way when the expression is read."""
    (again,) = lower(expr)
    splits = [(p.axes, {(t.name, t.shape) for (factors, _, _), _ in p.terms for t, _ in factors}) for p in (again, polynomial)]
    if notation != "index" and splits[0] != splits[1]:
        raise NotationError(f"{expr} in {notation} notation does not say that axes split into {polynomial.axes} and the like")


def open_indices(polynomial: Polynomial, symbols: Symbols, indices: Sequence[Symbol]) -> list[Symbol]:
    """An index symbol for each leg of the axes."""
    sizes = [symbols.size(size) for axis in polynomial.axes for size in axis]
    if not indices:
        return fresh_indices(sizes, symbols.names)
    if len(indices) != len(sizes):
        raise ShapeError(f"the expression has axes of sizes {sizes}; the indices are {', '.join(map(str, indices))}")
    return list(indices)


def bundled(product: Product, notation: str) -> Product:
    """The term with axes that are products as one index where their parts always occur together.

    Contractions and arrays say how an axis splits, unless it splits into symbols in alphabetical order as any product does.
    """
    if notation == "index":
        return product
    if notation in ("matrix", "tensor"):
        return product.bundled(lambda sizes: False)
    return product.bundled(lambda sizes: not all(isinstance(s, Symbol) for s in sizes) or list(sizes) != sorted(sizes, key=str))


def written(product: Product, symbols: Symbols, notation: str) -> Basic:
    """One term; where it has no form in the notation the error shows it as an einsum."""
    try:
        return NOTATIONS[notation](bundled(product, notation), symbols)
    except NotationError as error:
        shown = write_einsum(product, symbols)
        raise NotationError(f"the term {shown} cannot be written in {notation} notation: {error}") from error
