"""Lowering of functions: of entries, of scalars and of rows, as nodes that are known by their argument."""

from functools import reduce

from sympy import Add, Expr, Function, Integer, Lambda, Max, Mul, Pow, Rational, Symbol
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction

from symbolic_circuits.algebra.functions import UNDEFINED, function_tensor
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.sums import is_sum
from symbolic_circuits.errors import UnsupportedNodeError
from symbolic_circuits.syntax.functions import RowFunction
from symbolic_circuits.syntax.lowering.context import Lowering, join, open_form

__all__ = ["node"]

MAX_POWER = 64


def node(name: str, value: Open, *, rows: bool = False) -> Open:
    """A function of a value: its axes and open names are axes of the node."""
    if any(is_sum(size) for axis in value.axes for size in axis):
        raise UnsupportedNodeError(f"{name} of a block matrix: apply it to the blocks")
    names = sorted(value.names)
    if any(len(term.named) < len(names) for term in value.terms):
        raise UnsupportedNodeError(f"the argument of {name} has the free index {names[0]} in some terms and not in others")
    known = dict(value.terms[0].named) if value.terms else {}
    axes = tuple((value.terms[0].sizes[known[open_name]],) for open_name in names)  # first, as rows run along the last axis
    axes += tuple((size,) for axis in value.axes for size in axis)
    closed = Open(axes, tuple(term._replace(legs=tuple(i for _, i in term.named) + term.legs, named=()) for term in value.terms))
    out = Open.of_tensor(function_tensor(name, closed, rows=rows))
    for open_name in names:
        out = out.with_name(0, open_name)
    return out.grouped(value.axes)


@open_form.register(Function)
def _function(expr: Function, lowering: Lowering) -> Open:
    if len(expr.args) != 1:
        raise UnsupportedNodeError(f"{expr} has {len(expr.args)} arguments; functions of one argument are opaque nodes")
    name = type(expr).__name__
    return node(UNDEFINED + name if isinstance(expr, AppliedUndef) else name, lowering.open(expr.args[0]))


@open_form.register(Max)
def _max(expr: Max, lowering: Lowering) -> Open:
    others = [arg for arg in expr.args if arg != 0]
    if len(others) != 1 or len(expr.args) != 2:
        raise UnsupportedNodeError(f"{expr} is not max(x, 0)")
    return node("relu", lowering.open(others[0]))


@open_form.register(RowFunction)
def _rows(expr: RowFunction, lowering: Lowering) -> Open:
    value = lowering.open(expr.matrix)
    if len(value.axes[1]) != 1:
        raise UnsupportedNodeError(f"{expr} acts along rows of size {expr.shape[1]}, which is 1 or a product")
    return node(expr.name, value, rows=True)


@open_form.register(ElementwiseApplyFunction)
def _elementwise(expr: ElementwiseApplyFunction, lowering: Lowering) -> Open:
    function: Lambda = expr.function
    return of_entries(function.expr, function.variables[0], lowering.open(expr.expr), lowering)


def of_entries(body: Expr, x: Symbol, value: Open, lowering: Lowering) -> Open:
    """A function of x applied to every entry of a value."""
    if body == x:
        return value
    if not body.has(x):
        return lowering.open(body).outer(Open.of_ones(value.axes))
    parts = [of_entries(arg, x, value, lowering) for arg in body.args] if isinstance(body, Add | Mul) else []
    if isinstance(body, Add):
        return reduce(lowering.total, parts)
    if isinstance(body, Mul):
        return reduce(elementwise, parts)
    if isinstance(body, Pow) and not body.exp.has(x):
        inner = of_entries(body.base, x, value, lowering)
        if isinstance(body.exp, Integer) and 0 < body.exp <= MAX_POWER:
            return reduce(elementwise, [inner] * int(body.exp))
        if isinstance(body.exp, Rational):
            return node(f"power {body.exp}", inner)
    if isinstance(body, Max) and len(body.args) == 2 and 0 in body.args:
        return node("relu", of_entries(next(arg for arg in body.args if arg != 0), x, value, lowering))
    if isinstance(body, Function) and len(body.args) == 1:
        name = type(body).__name__
        inner = of_entries(body.args[0], x, value, lowering)
        return node(UNDEFINED + name if isinstance(body, AppliedUndef) else name, inner)
    raise UnsupportedNodeError(f"{type(body).__name__} has no rule for lowering as a function of entries: {body}")


def elementwise(left: Open, right: Open) -> Open:
    """The product of entries."""
    value, count = left.outer(right), len(left.axes)
    for k in range(count):
        value = join(value, k, count)
    return value
