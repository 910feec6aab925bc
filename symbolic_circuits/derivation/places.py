"""A place in a tree is a path of argument numbers; products and sums are flat, so that a replacement never nests them.

``place(A*(B + C), (1,))`` is ``B + C``; replacing it by ``D*E`` gives ``A*D*E``, one product of three factors.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import singledispatch
from typing import TypeAlias

from sympy import (
    HadamardPower,
    HadamardProduct,
    Identity,
    Indexed,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Sum,
    Symbol,
    Tuple,
    ZeroMatrix,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElement,
    ArraySymbol,
    PermuteDims,
)

from symbolic_circuits.derivation.pieces import fresh_symbol
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["Place", "found", "part", "places", "rebuilt", "replaced"]

Place: TypeAlias = tuple[int, ...]

FLAT = (MatMul, MatAdd, KroneckerProduct, HadamardProduct, ArrayAdd)


def part(expr: Basic, place: Place) -> Basic:
    """The expression at a place.

    Raises
    ------
    DerivationError
        There is no such place; the message has the last part of the path that exists.
    """
    node = expr
    for depth, number in enumerate(place):
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number < len(node.args):
            raise DerivationError(
                f"there is no place {tuple(place)} in {expr}: {node}, at {tuple(place[:depth])}, has {len(node.args)} arguments"
            )
        node = node.args[number]
    return node


def replaced(expr: Basic, place: Place, new: Basic) -> Basic:
    """The expression with ``new`` at a place.

    >>> from sympy import MatrixSymbol
    >>> A, B, C, D = (MatrixSymbol(name, 2, 2) for name in "ABCD")
    >>> replaced(A * (B + C), (1,), B * D)
    A*B*D
    """
    bound = bound_around(expr, place)
    return put(expr, place, with_other_symbols(new, bound) if bound else new)


def put(expr: Basic, place: Place, new: Basic) -> Basic:
    """The expression with ``new``, as it is, at a place."""
    if not place:
        return new
    first, *rest = place
    args = list(expr.args)
    args[first] = put(args[first], tuple(rest), new)
    return rebuilt(expr, args)


def bound_around(expr: Basic, place: Place) -> set[Symbol]:
    """The symbols that the sums around a place bind."""
    found: set[Symbol] = set()
    for number in place:
        if isinstance(expr, MatrixSum | IndexSum):
            found |= set(expr.bound_symbols)
        expr = expr.args[number]
    return found


def with_other_symbols(expr: Basic, bound: set[Symbol]) -> Basic:
    """The same expression, sums in it that bind one of these symbols binding another one."""
    if not expr.args or not expr.has(MatrixSum, IndexSum):
        return expr
    args = [with_other_symbols(arg, bound) for arg in expr.args]
    clashing = set(expr.bound_symbols) & bound if isinstance(expr, MatrixSum | IndexSum) else set()
    if not clashing:
        return expr if all(a is b for a, b in zip(args, expr.args, strict=True)) else rebuilt(expr, args)
    names = {symbol.name for symbol in expr.atoms(Symbol) | bound}
    new_of: dict[Symbol, Symbol] = {}
    for symbol in sorted(clashing, key=lambda symbol: symbol.name):
        new_of[symbol] = fresh_symbol(symbol, names)
        names.add(new_of[symbol].name)
    limits = [Tuple(new_of.get(symbol, symbol), low, high) for symbol, low, high in expr.limits]
    return expr.func(args[0].xreplace(new_of), *limits)


def rebuilt(node: Basic, args: Sequence[Basic]) -> Basic:
    """A node with other arguments: nested products and nested sums become one, a product of one factor is that factor."""
    func = node.func
    if isinstance(node, FLAT):
        flat = [inner for arg in args for inner in (arg.args if isinstance(arg, func) else (arg,))]
        if func is MatMul:
            flat = scalars_first(flat)
        return func(*flat) if len(flat) > 1 else flat[0]
    if isinstance(node, MatrixSum | IndexSum):
        return merged_sum(func, args[0], args[1:])
    return func(*args)


def scalars_first(factors: list[Basic]) -> list[Basic]:
    """The factors of a product of matrices, its scalars as one in front."""
    scalars = [factor for factor in factors if not getattr(factor, "is_Matrix", False)]
    matrices = [factor for factor in factors if getattr(factor, "is_Matrix", False)]
    coefficient = Mul(*scalars)
    return matrices if coefficient == 1 else [coefficient, *matrices]


def merged_sum(func: type, body: Basic, limits: Sequence[Basic]) -> Basic:
    """A sum over several symbols; a sum within it joins it unless they bind one symbol."""
    inner = body.limits if isinstance(body, func) else ()
    if inner and not {limit[0] for limit in inner} & {limit[0] for limit in limits}:
        return func(body.body, *limits, *inner)
    return func(body, *limits)


def places(expr: Basic) -> Iterator[tuple[Place, Basic]]:
    """Every place with what is there, inner ones first; limits of sums, index lists and names are no places."""
    yield from visited(expr, ())


def visited(expr: Basic, place: Place) -> Iterator[tuple[Place, Basic]]:
    """The places at and below one."""
    for number in inner_arguments(expr):
        yield from visited(expr.args[number], (*place, number))
    yield place, expr


@singledispatch
def inner_arguments(node: Basic) -> Iterable[int]:
    """The arguments of a node that are expressions, and so places; all of them unless a rule says otherwise."""
    return range(len(node.args))


@inner_arguments.register(MatrixSymbol)
@inner_arguments.register(ArraySymbol)
@inner_arguments.register(MatrixFamily)
@inner_arguments.register(FamilyMember)
@inner_arguments.register(Identity)
@inner_arguments.register(ZeroMatrix)
@inner_arguments.register(OneMatrix)
@inner_arguments.register(MatrixBase)
@inner_arguments.register(NDimArray)
@inner_arguments.register(Indexed)
def none_inside(node: Basic) -> Iterable[int]:
    """A tensor is one thing."""
    return ()


@inner_arguments.register(MatrixSum)
@inner_arguments.register(IndexSum)
@inner_arguments.register(Sum)
@inner_arguments.register(MatrixElement)
@inner_arguments.register(ArrayElement)
@inner_arguments.register(Row)
@inner_arguments.register(Pow)
@inner_arguments.register(MatPow)
@inner_arguments.register(HadamardPower)
@inner_arguments.register(ArrayContraction)
@inner_arguments.register(ArrayDiagonal)
@inner_arguments.register(PermuteDims)
def first_inside(node: Basic) -> Iterable[int]:
    """What follows are limits, indices, exponents or axes."""
    return (0,)


@inner_arguments.register(TensorDot)
def operands_inside(node: TensorDot) -> Iterable[int]:
    """Two operands, each with the number of an axis."""
    return (0, 2)


@inner_arguments.register(ApplyBilinear)
@inner_arguments.register(Contracted)
def after_first(node: Basic) -> Iterable[int]:
    """The first argument says how the others are joined."""
    return range(1, len(node.args))


def found(expr: Basic, wanted: Basic) -> list[Place]:
    """The places where an expression occurs."""
    return [place for place, node in places(expr) if node == wanted]
