r"""Index notation: every term is a sum over index symbols of a product of entries, sum_u A_{su} X_{ua}."""

from sympy import Integer, Mul, S, Symbol
from sympy.core.basic import Basic

from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax.express.product import Part, Product, element, scaled, summed
from symbolic_circuits.syntax.express.symbols import Symbols, fresh_indices

__all__ = ["write_index"]


def write_index(product: Product, symbols: Symbols) -> Basic:
    """A term in entries; the legs of its output are held at index symbols.

    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.express import express
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> s, a = symbols("s a", integer=True, nonnegative=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> express(2 * A * X, "index", indices=(s, a))
    2*(sum[u=0..n - 1] A[s, u]*X[u, a])
    """
    bound = list(dict.fromkeys(i for p in product.parts for axis in p.axes for i in axis if i not in product.held))
    sizes = [product.sizes[index] for index in bound]
    for size in sizes:
        if not isinstance(size, Symbol | Integer):
            raise NotationError(f"a sum would run over an axis of size {size}, which is a product")
    taken = symbols.names | {str(value) for value in product.held.values()}
    fresh = fresh_indices(sizes, taken)
    value = dict(product.held) | dict(zip(bound, fresh, strict=True))
    entries = [element(part.expr, [value[axis[0]] if axis else S.Zero for axis in whole_axes(part)]) for part in product.parts]
    return scaled(product.coefficient, summed(Mul(*entries), list(zip(fresh, sizes, strict=True))))


def whole_axes(part: Part) -> tuple[tuple[int, ...], ...]:
    """The axes of a part, none of which is split."""
    for k, axis in enumerate(part.axes):
        if len(axis) > 1:
            raise NotationError(f"axis {k} of {part.expr} is a product that is split, and has no index of its own")
    return part.axes
