"""Lowering of numbers, scalar symbols, powers, products and sums."""

from fractions import Fraction
from functools import reduce

from sympy import Add, Identity, Integer, KroneckerDelta, MatAdd, Mul, Pow, Rational, Symbol
from sympy.tensor.array.expressions import ArrayAdd, ArrayTensorProduct

from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.scalar import generator, number, power
from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.lowering.context import Lowering, open_form
from symbolic_circuits.syntax.lowering.functions import node

__all__: list[str] = []

MAX_POWER = 64
UNDERSTOOD = {
    "commutative",
    "complex",
    "extended_real",
    "finite",
    "integer",
    "nonnegative",
    "nonzero",
    "positive",
    "rational",
    "real",
}


@open_form.register(Rational)
def _rational(expr: Rational, lowering: Lowering) -> Open:
    return Open.of_scalar(number(Fraction(int(expr.p), int(expr.q))))


@open_form.register(Symbol)
def _symbol(expr: Symbol, lowering: Lowering) -> Open:
    if expr in lowering.scope:
        raise UnsupportedNodeError(f"the summation index {expr} stands as a number")
    if expr.is_extended_real is False or expr.is_commutative is False:
        raise UnsupportedNodeError(f"scalars are real; {expr} is declared otherwise")
    unknown = sorted(key for key, value in expr._assumptions_orig.items() if key not in UNDERSTOOD or value is not True)
    if unknown and not is_understood(expr):
        raise UnsupportedNodeError(
            f"scalars are real or positive; {expr} is declared {unknown[0]}={expr._assumptions_orig[unknown[0]]}"
        )
    lowering.scalars.add(expr.name)
    return Open.of_scalar(generator(lowering.symbol(expr)))


def is_understood(symbol: Symbol) -> bool:
    """Whether all that is assumed follows from assumptions that are understood; equal symbols may be made with others."""
    known = {key: True for key in UNDERSTOOD if symbol.assumptions0.get(key) is True}
    return Symbol(symbol.name, **known).assumptions0 == symbol.assumptions0


@open_form.register(Pow)
def _pow(expr: Pow, lowering: Lowering) -> Open:
    base, exponent = expr.args
    if isinstance(exponent, Integer) and 0 <= exponent <= MAX_POWER:
        value = lowering.open(base)
        if value.axes:
            raise UnsupportedNodeError(f"the power {expr} of an array is ambiguous: write HadamardPower or MatPow")
        return reduce(Open.outer, [value] * int(exponent), Open.of_scalar(number(1)))
    monomial = base.is_positive or (isinstance(exponent, Integer) and isinstance(base, Symbol | Rational))
    if not isinstance(exponent, Rational):
        raise UnsupportedNodeError(f"the exponent of {expr} is not a rational number")
    value = lowering.open(base)
    if value.axes:
        raise UnsupportedNodeError(f"the power {expr} of an array is ambiguous: write HadamardPower or MatPow")
    if not monomial or len(value.terms) != 1 or value.terms[0].factors:
        return node(f"power {exponent}", value)  # nothing is assumed of it
    return Open.of_scalar(power(value.terms[0].scalar, Fraction(int(exponent.p), int(exponent.q))))


@open_form.register(Mul)
@open_form.register(ArrayTensorProduct)
def _mul(expr: Mul, lowering: Lowering) -> Open:
    parts = [lowering.open(arg) for arg in expr.args]
    if isinstance(expr, Mul) and sum(1 for part in parts if part.axes) > 1:
        raise ShapeError(f"{expr} multiplies two arrays: write how with TensorDot")
    return reduce(Open.outer, parts)


@open_form.register(Add)
@open_form.register(MatAdd)
@open_form.register(ArrayAdd)
def _add(expr: Add, lowering: Lowering) -> Open:
    parts = [lowering.open(arg) for arg in expr.args]
    return reduce(lowering.total, parts)


@open_form.register(KroneckerDelta)
def _delta(expr: KroneckerDelta, lowering: Lowering) -> Open:
    left, right, *limits = expr.args
    if limits and limits[0][0] == 0:  # SymPy's element of an identity matrix says how far it runs
        identity = lowering.open(Identity(limits[0][1] + 1))
        return lowering.indexed(lowering.indexed(identity, 0, left, expr), 0, right, expr)
    raise UnsupportedNodeError(f"{expr} does not say how far {left} and {right} run: write an element of Identity(n)")
