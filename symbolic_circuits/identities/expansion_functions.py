r"""Functions of expressions multiplied out: f(X)_{ij} is the entry of a tensor that is known by f and by the entries of X.

Polynomials of entries are multiplied out like any others; what is left is a function of one argument, of entries or of whole rows.
Its legs are the axes of the argument and the indices from outside that the argument has, such as h of exp(F_{h i j}).
"""

from collections.abc import Callable, Iterable
from itertools import chain

from sympy import Add, Expr, Function, Integer, Lambda, Max, Mul, Pow, Rational, Symbol
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from symbolic_circuits.errors import UnsupportedNodeError
from symbolic_circuits.identities.expansion_indices import Entry, Index, Opaque, Variable
from symbolic_circuits.identities.expansion_walk import MAX_POWER, ONE, At, Sum_, Walk, entries, multiplied, shape_of
from symbolic_circuits.syntax.functions import RowFunction

__all__ = ["function_of"]


@entries.register(Function)
def _function(expr: Function, at: At, walk: Walk) -> Sum_:
    if len(expr.args) != 1:
        raise UnsupportedNodeError(f"{expr} has {len(expr.args)} arguments; functions of one argument are opaque nodes")
    return function_of(name_of(expr), expr.args[0], at, walk)


@entries.register(Max)
def _max(expr: Max, at: At, walk: Walk) -> Sum_:
    return function_of("relu", other_than_zero(expr), at, walk)


@entries.register(RowFunction)
def _rows(expr: RowFunction, at: At, walk: Walk) -> Sum_:
    return function_of(expr.name, expr.matrix, at, walk, rows=True)


@entries.register(ElementwiseApplyFunction)
def _elementwise(expr: ElementwiseApplyFunction, at: At, walk: Walk) -> Sum_:
    return of_entries(expr.function.expr, expr.function.variables[0], expr.expr, at, walk)


def name_of(expr: Function) -> str:
    """The name of a function."""
    return f"{'undefined ' * isinstance(expr, AppliedUndef)}{type(expr).__name__}"


def other_than_zero(expr: Max) -> Expr:
    """The x of max(x, 0)."""
    others = [arg for arg in expr.args if arg != 0]
    if len(others) != 1 or len(expr.args) != 2:
        raise UnsupportedNodeError(f"{expr} is not max(x, 0)")
    return others[0]


def of_entries(body: Expr, x: Symbol, of: Expr, at: At, walk: Walk) -> Sum_:
    """The entry of an array to which x -> body is applied entry by entry."""
    if body == x:
        return entries(of, at, walk)
    if not body.has(x):
        return entries(body, (), walk)
    if isinstance(body, Add):
        return [term for arg in body.args for term in of_entries(arg, x, of, at, walk)]
    if isinstance(body, Mul):
        return multiplied(*(of_entries(arg, x, of, at, walk) for arg in body.args))
    if isinstance(body, Pow) and isinstance(body.exp, Integer) and 0 < body.exp <= MAX_POWER:
        return multiplied(*(of_entries(body.base, x, of, at, walk) for _ in range(int(body.exp))))
    if isinstance(body, Pow) and isinstance(body.exp, Rational):
        name, inner = f"power {body.exp}", body.base
    elif isinstance(body, Max):
        name, inner = "relu", other_than_zero(body)
    elif isinstance(body, Function) and len(body.args) == 1:
        name, inner = name_of(body), body.args[0]
    else:
        raise UnsupportedNodeError(f"{type(body).__name__} has no rule for its entries as a function of entries: {body}")
    return opaque(name, (Lambda(x, inner), of), shape_of(of), lambda own: of_entries(inner, x, of, own, walk), at, walk)


def function_of(name: str, argument: Expr, at: At, walk: Walk, *, rows: bool = False) -> Sum_:
    """The entry of a function of an expression."""
    return opaque(name, argument, shape_of(argument), lambda own: entries(argument, own, walk), at, walk, rows=rows)


def opaque(
    name: str, written: object, shape: Iterable[Expr], argument: Callable[[At], Sum_], at: At, walk: Walk, *, rows: bool = False
) -> Sum_:
    """An entry of a tensor of which a function and its argument are known; one that is written in the same way is the same tensor."""
    outside = {symbol: tuple(variable.size for variable in index) for symbol, index in walk.scope.items()}
    key = (name, rows, written, frozenset(outside.items()))
    if key not in walk.known:
        walk.known[key] = declared(name, tuple(shape), argument, walk, rows)
    tensor, symbols, names = walk.known[key]
    opened = tuple((symbol, walk.names[symbol]) for symbol in names)
    legs = (*(walk.scope[symbol] for symbol in symbols), *(index for _, index in opened), *at)
    axes = tuple(like(leg, walk) for leg in walk.opaque[tensor].legs)
    return [ONE._replace(factors=((tensor, axes),), equations=tuple(zip(axes, legs, strict=True)), names=opened)]


def declared(
    function: str, shape: tuple[Expr, ...], argument: Callable[[At], Sum_], walk: Walk, rows: bool
) -> tuple[str, tuple[Symbol, ...], tuple[str, ...]]:
    """The name of a new tensor, and the summation symbols and open indices that are its first legs."""
    own = tuple(walk.fresh(size) for size in shape)
    found = argument(own)
    used = {variable for term in found for index in indices_of(term) for variable in index}
    symbols = tuple(symbol for symbol, index in walk.scope.items() if used.intersection(index))
    names = sorted({name for term in found for name, _ in term.names})
    legs = (*(walk.scope[symbol] for symbol in symbols), *(walk.names[name] for name in names), *own)
    number = len(walk.opaque)
    while f"{function}#{number}" in walk.tensors or f"{function}#{number}" in walk.opaque:
        number += 1
    tensor = f"{function}#{number}"
    walk.opaque[tensor] = Opaque(function, rows, legs, tuple(term._replace(names=()) for term in found))
    return tensor, symbols, tuple(names)


def like(index: Index, walk: Walk) -> Index:
    """A new index of the same sizes."""
    return sum((walk.fresh(variable.size) for variable in index), ())


def indices_of(term: Entry) -> Iterable[tuple[Variable, ...]]:
    """The indices in the factors and equations of a term."""
    return chain((index for _, axes in term.factors for index in axes), (index for pair in term.equations for index in pair))
