r"""Einsum notation: every term is one contraction by index lists, contract("ij,kj->ik", A, X)."""

from itertools import chain

from sympy import Identity, Integer, MatrixExpr
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol, OneArray

from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.express.product import Product, scaled, sliced
from symbolic_circuits.syntax.express.symbols import Symbols

__all__ = ["write_einsum"]


def write_einsum(product: Product, symbols: Symbols) -> Basic:
    """A term as a contraction.

    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.express import express
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> express(2 * A * X, "einsum")
    2*contract('ab,bc->ac', A, X)
    """
    coefficient, parts = product.coefficient, []
    for part in (sliced(part, product.held) for part in product.parts):
        if part.axes:
            parts.append((part.expr, part.axes))
        else:
            coefficient *= part.expr
    opened = product.open_indices()
    used = dict.fromkeys([*(i for _, axes in parts for axis in axes for i in axis), *opened])
    parts += [(Row(Identity(product.sizes[i]), product.held[i]), ((i,),)) for i in used if i in product.held]
    sized = {axis[0] for _, axes in parts for axis in axes if len(axis) == 1}
    parts += [(OneArray(product.sizes[i]), ((i,),)) for i in used if i not in sized]
    if not parts:
        parts, coefficient = [(coefficient, ())], Integer(1)
        if not product.output:
            return parts[0][0]
    if len(parts) == 1 and parts[0][1] == product.output and len(set(opened)) == len(opened) and is_array(parts[0][0]):
        return scaled(coefficient, parts[0][0])
    label = labels([axes for _, axes in parts])
    named = lambda axes: [label[axis[0]] if len(axis) == 1 else [label[i] for i in axis] for axis in axes]  # noqa: E731
    lists = [*(named(axes) for _, axes in parts), named(product.output)]
    return scaled(coefficient, contract(lists, *(expr for expr, _ in parts)))


def is_array(expr: Basic) -> bool:
    """Whether a factor is an expression by itself."""
    return isinstance(expr, MatrixExpr | ArraySymbol | Row)


def labels(lists: list[tuple[tuple[int, ...], ...]]) -> dict[int, str]:
    """Letters in order of first occurrence; numbered beyond 52, where letters end."""
    order = list(dict.fromkeys(chain.from_iterable(chain.from_iterable(lists))))
    if len(order) > 52:
        return {index: f"i{k}" for k, index in enumerate(order)}
    letters = Network((Factor(None, tuple(order)),), ()).to_einsum()
    return dict(zip(order, letters, strict=False))
