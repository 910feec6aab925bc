r"""What array code is made of, on values: einsum, sums of arrays, functions of entries and of rows, axes split, merged and moved.

Everything here is a definition in indices; NumPy's and PyTorch's functions are spelled with these.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from sympy import Add, Dummy, Expr, Identity, Integer, Lambda, MatAdd, Mul, OneMatrix, Pow, S, cancel, default_sort_key
from sympy.core.basic import Basic
from sympy.matrices.matrixbase import MatrixBase

from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.functions import RowFunction
from symbolic_circuits.tracing.contracting import coefficient_of, contracted, is_zero, scaled, zero
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.values import Value, exact

__all__ = [
    "added",
    "broadcast",
    "divided",
    "entrywise",
    "identity",
    "multiplied",
    "normal_axes",
    "ones",
    "permuted",
    "power",
    "regrouped",
    "reshaped",
    "rowwise",
    "summed",
    "unit",
]


def letters(count: int, start: str = "x") -> list[str]:
    """So many labels."""
    return [f"{start}{k}" for k in range(count)]


def normal_axes(axis: Any, order: int, what: str) -> tuple[int, ...]:
    """Axes as numbers from 0, none twice."""
    axes = tuple(axis) if isinstance(axis, tuple | list) else (axis,)
    if not all(hasattr(k, "__index__") and not hasattr(k, "expr") and -order <= k < order for k in axes):
        raise refuse(f"{what}: axis {axis} of an array of {order} axes")
    found = tuple(int(k) % order for k in axes)
    if len(set(found)) < len(found):
        raise refuse(f"{what}: an axis is named twice in {axis}")
    return found


def permuted(value: Value, axes: Sequence[int]) -> Value:
    """The axes in another order."""
    names = letters(value.order)
    sizes = dict(zip(names, value.shape, strict=True))
    return contracted([(value, [(one,) for one in names])], [(names[k],) for k in axes], sizes)


def summed(value: Value, axes: Sequence[int], keep: bool = False) -> Value:
    """The sum over axes; ``keep`` leaves them with size 1."""
    names = letters(value.order)
    output = [() if k in axes else (one,) for k, one in enumerate(names) if keep or k not in axes]
    return contracted([(value, [(one,) for one in names])], output, dict(zip(names, value.shape, strict=True)))


def broadcast(shapes: Sequence[Sequence[Expr]], what: str) -> tuple[Expr, ...]:
    """The shape that shapes are stretched to; only an axis of size 1 is."""
    order = max(map(len, shapes))
    out: list[Expr] = []
    for k in range(order):
        found = {shape[k - order] for shape in shapes if k - order >= -len(shape)}
        sizes = sorted(found - {Integer(1)}, key=str) or [Integer(1)]
        if len(sizes) > 1:
            raise refuse(f"{what}: the shapes {' and '.join(map(shown_shape, shapes))} do not fit: {sizes[0]} meets {sizes[1]}")
        out.append(sizes[0])
    return tuple(out)


def stretched(value: Value, shape: Sequence[Expr]) -> list[tuple[str, ...]]:
    """The labels of a value that is stretched to a shape whose axes are labelled in order."""
    start = len(shape) - value.order
    return [() if size == 1 and shape[start + k] != 1 else (f"x{start + k}",) for k, size in enumerate(value.shape)]


def multiplied(left: Value, right: Value) -> Value:
    """The product entry by entry, stretched."""
    shape = broadcast([left.shape, right.shape], "*")
    names = letters(len(shape))
    operands = [(value, stretched(value, shape)) for value in (left, right)]
    return filled(operands, [(one,) for one in names], dict(zip(names, shape, strict=True)))


def filled(operands: list, output: Sequence[tuple[str, ...]], sizes: dict[str, Expr]) -> Value:
    """A contraction, with vectors of ones for output labels that no operand has."""
    had = {one for _, labels in operands for axis in labels for one in axis}
    missing = [one for axis in output for one in axis if one not in had]
    return contracted([*operands, *((ones((sizes[one],)), [(one,)]) for one in missing)], output, sizes)


def to_shape(value: Value, shape: Sequence[Expr]) -> Value:
    """A value stretched."""
    if value.shape == tuple(shape):
        return value
    names = letters(len(shape))
    return filled([(value, stretched(value, shape))], [(one,) for one in names], dict(zip(names, shape, strict=True)))


def added(left: Value, right: Value) -> Value:
    """The sum entry by entry, stretched."""
    shape = broadcast([left.shape, right.shape], "+")
    a, b = (to_shape(value, shape).expr for value in (left, right))
    if is_zero(a) or is_zero(b):
        return Value(b if is_zero(a) else a, shape)
    if len(shape) > 2:
        total = Add(*(as_summand(expr, len(shape)) for expr in (a, b)))
        return zero(shape) if total == 0 else Value(total, shape)
    return Value(matrix_sum(a, b, shape) if shape else a + b, shape)


def matrix_sum(a: Basic, b: Basic, shape: Sequence[Expr]) -> Basic:
    """The sum of matrices with equal terms collected; nothing else is worked out."""
    if isinstance(a, MatrixBase) and isinstance(b, MatrixBase):
        return a + b
    coefficients: dict[Basic, Expr] = {}
    for term in (term for expr in (a, b) for term in (expr.args if isinstance(expr, MatAdd) else (expr,))):
        factor, matrix = coefficient_of(term)
        coefficients[matrix] = coefficients.get(matrix, S.Zero) + factor
    terms = [scaled(factor, matrix, shape) for matrix, factor in coefficients.items() if factor != 0]
    if not terms:
        return zero(shape).expr
    return terms[0] if len(terms) == 1 else MatAdd(*sorted(terms, key=default_sort_key))


def as_summand(expr: Basic, order: int) -> Expr:
    """An array that SymPy adds: families and explicit arrays are no expressions."""
    return expr if isinstance(expr, Expr) else contract([letters(order, "k"), letters(order, "k")], expr)


def times(value: Value, factor: Any) -> Value:
    """A multiple."""
    return Value(scaled(factor, value.expr, value.shape), value.shape)


def divided(left: Value, right: Value) -> Value:
    """By a scalar."""
    if right.order and any(size != 1 for size in right.shape):
        raise refuse(
            f"a division by an array of shape {shown_shape(right.shape)}; a softmax spelled out as exp(x) / exp(x).sum() is not "
            "recognised: use symbolic_circuits.softmax(x), scipy.special.softmax or torch.softmax"
        )
    if is_zero(right.expr):
        raise refuse("a division by zero")
    if right.order:
        right = reshaped(right, ())
    return times(left, 1 / right.expr) if left.order else Value(left.expr / right.expr, ())


def entrywise(value: Value, function: Callable[[Expr], Expr]) -> Value:
    """A function of every entry."""
    if not value.order:
        return Value(function(value.expr), ())
    if value.order < 3:
        return Value(value.expr.applyfunc(lambda_of(function)), value.shape)
    return as_matrix(value, lambda matrix: matrix.applyfunc(lambda_of(function)))


def lambda_of(function: Callable[[Expr], Expr]) -> Callable:
    """A function of a number as SymPy has it: a name where it is one."""
    if isinstance(function, type):
        return function
    x = Dummy("x", real=True)
    return Lambda(x, function(x))


def as_matrix(value: Value, function: Callable[[Basic], Basic]) -> Value:
    """A function of an array as a matrix whose rows run along its last axis."""
    names = letters(value.order)
    flat = regrouped(value, [[one] for one in names], [names[:-1], names[-1:]], dict(zip(names, value.shape, strict=True)))
    found = Value(function(flat.expr), flat.shape)
    return regrouped(found, [names[:-1], names[-1:]], [[one] for one in names], dict(zip(names, value.shape, strict=True)))


def rowwise(name: str, value: Value, axis: int) -> Value:
    """A function of rows along an axis."""
    (axis,) = normal_axes(axis, value.order, name)
    last = [k for k in range(value.order) if k != axis] + [axis]
    if last != sorted(last):
        back = [last.index(k) for k in range(value.order)]
        return permuted(rowwise(name, permuted(value, last), -1), back)
    if value.order == 1:
        return Value(RowFunction(name, value.expr.T).T, value.shape)
    if value.order == 2:
        return Value(RowFunction(name, value.expr), value.shape)
    return as_matrix(value, lambda matrix: RowFunction(name, matrix))


def power(value: Value, exponent: Any) -> Value:
    """A power of every entry; small whole ones are products."""
    number = exact(exponent)
    if not value.order:
        return Value(Pow(value.expr, number), ())
    if number == 0:
        return ones(value.shape)
    if isinstance(number, Integer) and 0 < number <= 16:
        return reduce(multiplied, [value] * int(number))
    if isinstance(number, Integer) and number > 0:
        raise refuse(f"the elementwise power {number}; up to 16 are products")
    return entrywise(value, lambda x: Pow(x, number))


def ones(shape: Sequence[Expr]) -> Value:
    """All entries one."""
    shape = tuple(shape)
    if len(shape) < 3:
        return Value(OneMatrix(shape[0], shape[1] if len(shape) == 2 else S.One) if shape else S.One, shape)
    names = letters(len(shape))
    operands = [(ones((size,)), [(one,)]) for size, one in zip(shape, names, strict=True)]
    return contracted(operands, [(one,) for one in names], dict(zip(names, shape, strict=True)))


def identity(size: Expr) -> Value:
    """The identity matrix."""
    return Value(Identity(size), (size, size))


def unit(size: Expr, place: Expr) -> Value:
    """The vector that is one at a place."""
    return Value(contract([["i"], ["i", []]], Row(Identity(size), place)), (size,))


def regrouped(value: Value, before: Sequence[Sequence[str]], after: Sequence[Sequence[str]], sizes: dict[str, Expr]) -> Value:
    """Axes split into labels and grouped anew, row-major; identities say the sizes that a split leaves open."""
    named = [(identity(sizes[one]), [(one,), (one,)]) for group in before if len(group) > 1 for one in group[:-1]]
    return contracted([(value, [tuple(group) for group in before]), *named], [tuple(group) for group in after], sizes)


def reshaped(value: Value, shape: Sequence[Any]) -> Value:
    """The entries in row-major order in another shape: axes are split into and merged from common parts."""
    shape = inferred(value.shape, tuple(shape))
    if shape == value.shape:
        return value
    before, after, sizes = refined(value.shape, shape)
    return regrouped(value, before, after, sizes)


def inferred(have: Sequence[Expr], want: Sequence[Expr]) -> tuple[Expr, ...]:
    """The shape with -1 worked out."""
    if list(want).count(-1) > 1:
        raise refuse(f"reshape to {shown_shape(want)}: only one size can be -1")
    if -1 not in want:
        return tuple(want)
    rest = cancel(Mul(*have) / Mul(*(size for size in want if size != -1)))
    return tuple(rest if size == -1 else size for size in want)


def refined(have: Sequence[Expr], want: Sequence[Expr]) -> tuple[list[list[str]], list[list[str]], dict[str, Expr]]:
    """The axes of two shapes as groups of common parts, and the sizes of these."""
    what = f"reshape of {shown_shape(have)} to {shown_shape(want)}"
    if cancel(Mul(*have) - Mul(*want)) != 0:
        raise refuse(f"{what}: they have different numbers of entries")
    groups: list[list[list[str]]] = [[[] for _ in have], [[] for _ in want]]
    left = [[(k, size) for k, size in enumerate(shape) if size != 1] for shape in (have, want)]
    sizes: dict[str, Expr] = {}
    while left[0] and left[1]:
        (i, a), (j, b) = left[0].pop(0), left[1].pop(0)
        part, rest = common(a, b)
        if part is None:
            raise refuse(f"{what}: {a} and {b} have no common part, so that it is no split or merge of axes")
        name = f"x{len(sizes)}"
        sizes[name] = part
        groups[0][i].append(name)
        groups[1][j].append(name)
        if rest != 1:
            left[0 if part == b else 1].insert(0, (i if part == b else j, rest))
    if left[0] or left[1]:
        raise refuse(f"{what}: it is no split or merge of axes")
    return groups[0], groups[1], sizes


def common(a: Expr, b: Expr) -> tuple[Expr | None, Expr]:
    """The smaller of two sizes that divides the other, and the quotient."""
    for small, large in ((b, a), (a, b)):
        quotient = cancel(large / small)
        if quotient.is_integer and quotient.is_positive:
            return small, quotient
    return None, S.One
