r"""Sums taken apart and put together: :math:`2 \sum_h A^h + B` is two pieces, (2, h, A^h) and (1, -, B).

A *piece* is a coefficient, limits of sums, and a body that is no sum. The same three words serve matrices, arrays and scalars.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatch
from itertools import chain, count
from typing import NamedTuple

from sympy import (
    Add,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    Expr,
    HadamardProduct,
    KroneckerProduct,
    MatAdd,
    MatMul,
    Mul,
    S,
    Symbol,
    Trace,
    Transpose,
    Tuple,
    ZeroMatrix,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElement,
    ArrayTensorProduct,
    PermuteDims,
    ZeroArray,
)

from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Piece", "fresh_symbol", "is_sum", "linear_arguments", "pieces", "scaled", "summands", "summed", "total"]

SUMS = (MatAdd, Add, ArrayAdd)
SYMPY_ARRAYS = (ArrayAdd, ArrayContraction, ArrayDiagonal, ArrayTensorProduct, PermuteDims, ZeroArray)
SEQUENCES = ("hgf", "urq", "ijkl", "wyz")  # heads, positions, residual axis, vocabulary


class Piece(NamedTuple):
    """coefficient * sum over limits of body."""

    coefficient: Expr
    limits: tuple[Tuple, ...]
    body: Expr

    def expr(self) -> Expr:
        """The piece as an expression."""
        return scaled(self.coefficient, summed(self.body, self.limits))


@singledispatch
def linear_arguments(node: Basic) -> Sequence[int]:
    """The arguments in which a node is linear, each with the others held."""
    return ()


@linear_arguments.register(MatMul)
@linear_arguments.register(KroneckerProduct)
@linear_arguments.register(HadamardProduct)
@linear_arguments.register(Mul)
@linear_arguments.register(ArrayTensorProduct)
def in_all(node: Basic) -> Sequence[int]:
    """Products."""
    return range(len(node.args))


@linear_arguments.register(Transpose)
@linear_arguments.register(Trace)
@linear_arguments.register(Vec)
@linear_arguments.register(Row)
@linear_arguments.register(MatrixElement)
@linear_arguments.register(ArrayElement)
@linear_arguments.register(MatrixSum)
@linear_arguments.register(IndexSum)
@linear_arguments.register(ArrayContraction)
@linear_arguments.register(ArrayDiagonal)
@linear_arguments.register(PermuteDims)
@linear_arguments.register(DiagMatrix)
@linear_arguments.register(DiagonalMatrix)
@linear_arguments.register(DiagonalOf)
def in_the_first(node: Basic) -> Sequence[int]:
    """Linear maps."""
    return (0,)


@linear_arguments.register(TensorDot)
def in_operands(node: TensorDot) -> Sequence[int]:
    """Both operands."""
    return (0, 2)


@linear_arguments.register(ApplyBilinear)
@linear_arguments.register(Contracted)
def in_all_but_the_first(node: Basic) -> Sequence[int]:
    """Inputs of a bilinear layer, operands of a contraction."""
    return range(1, len(node.args))


def is_sum(expr: Basic) -> bool:
    """Whether an expression is a sum of summands."""
    return isinstance(expr, SUMS)


def summands(expr: Basic) -> tuple[Basic, ...]:
    """The summands of a sum; of anything else the thing itself."""
    return expr.args if is_sum(expr) else (expr,)


def pieces(expr: Expr, keep: frozenset[Symbol] = frozenset()) -> Iterator[Piece]:
    """The pieces of an expression; symbols of ``keep`` stay summed in the bodies."""
    for summand in summands(expr):
        coefficient, body = coefficient_of(summand)
        limits: tuple[Tuple, ...] = ()
        if isinstance(body, MatrixSum | IndexSum):
            limits = tuple(limit for limit in body.limits if limit[0] not in keep)
            kept = [limit for limit in body.limits if limit[0] in keep]
            inner, body = coefficient_of(body.body)
            coefficient, body = coefficient * inner, summed(body, kept)
        yield Piece(coefficient, limits, body)


def coefficient_of(expr: Expr) -> tuple[Expr, Expr]:
    """The number in front of a product, and the rest."""
    if isinstance(expr, MatMul):
        coefficient, matrices = expr.as_coeff_matrices()
        if coefficient.is_number and coefficient != 1:
            return coefficient, MatMul(*matrices) if len(matrices) > 1 else matrices[0]
    elif isinstance(expr, Mul) and len(expr.args) > 1 and expr.args[0].is_Number:
        return expr.args[0], Mul(*expr.args[1:])
    return S.One, expr


def scaled(coefficient: Expr, expr: Expr) -> Expr:
    """A multiple, nothing else evaluated; SymPy's own ``*`` would turn X . X into an elementwise power."""
    if coefficient == 1:
        return expr
    if isinstance(expr, SYMPY_ARRAYS):
        return ArrayTensorProduct(coefficient, expr)
    if getattr(expr, "is_Matrix", False):
        return MatMul(coefficient, *(expr.args if isinstance(expr, MatMul) else (expr,)))
    return coefficient * expr


def summed(body: Expr, limits: Iterable[Tuple]) -> Expr:
    """The sum of a body over symbols; a sum in it joins it."""
    limits = tuple(limits)
    if not limits:
        return body
    func = MatrixSum if getattr(body, "is_Matrix", False) else IndexSum
    if isinstance(body, func) and not {limit[0] for limit in limits} & set(body.bound_symbols):
        return func(body.body, *limits, *body.limits)
    return func(body, *limits)


def total(parts: Sequence[Expr], like: Expr) -> Expr:
    """The sum of expressions of the shape of ``like``, sums among them made flat."""
    parts = [summand for part in parts for summand in summands(part)]
    if not parts:
        return zero(like)
    if len(parts) == 1:
        return parts[0]
    if getattr(parts[0], "is_Matrix", False):
        return MatAdd(*parts)
    return ArrayAdd(*parts) if any(isinstance(part, SYMPY_ARRAYS) for part in parts) else Add(*parts)


def zero(like: Expr) -> Expr:
    """Zero of the shape of an expression."""
    if getattr(like, "is_Matrix", False):
        return ZeroMatrix(*like.shape)
    shape = array_shape(like)
    return ZeroArray(*shape) if shape else S.Zero


def fresh_symbol(symbol: Symbol, taken: Iterable[str]) -> Symbol:
    """The next symbol of the sequence that a symbol belongs to (h, g, f, h1, ...; h_0, g_0, ...) that is not taken.

    >>> fresh_symbol(Symbol("h_0"), {"h_0", "g_0"})
    f_0
    """
    letter, underscore, label = symbol.name.partition("_")
    start = letter.rstrip("0123456789") or letter
    letters = next((known for known in SEQUENCES if start in known), start)
    names = (f"{text}{underscore}{label}" for text in chain(letters, (f"{letters[0]}{k}" for k in count(1))))
    taken = set(taken)
    return Symbol(next(name for name in names if name not in taken), **symbol._assumptions_orig)
