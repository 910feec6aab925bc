r"""The value of a part of a formula: its axes, and how to build its SymPy expression once all sizes are known.

| axes | expression |
| --- | --- |
| none | a scalar |
| one | a column, or an array of order 1 (``form`` says which) |
| two | a matrix |
| more | an array |
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sympy import Add, Expr, HadamardProduct, Integer, MatAdd, MatMul, Mul, S, Transpose, ZeroMatrix
from sympy.tensor.array.expressions import ZeroArray

from symbolic_circuits.errors import BudgetError
from symbolic_circuits.latex.sizes import Axis, size_expr
from symbolic_circuits.latex.source import Span
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contract import contract

__all__ = [
    "Build",
    "Value",
    "array_of",
    "column_of",
    "contracted",
    "plus",
    "product_of_matrices",
    "scaled",
    "scalar",
    "transposed",
    "unmatrix",
]

Build = Callable[[], Expr]
MAX_PARTS = 20_000


@dataclass(frozen=True)
class Value:
    """A value; ``build`` may be called when the sizes are settled."""

    axes: tuple[Axis, ...]
    build: Build
    span: Span
    form: Literal["plain", "column", "array"] = "plain"
    indices: Mapping[str, int] = field(default_factory=dict)  # how often each free index stands in a term
    is_zero: bool = False  # a zero takes the shape of what it is added to or compared with
    operator: bool = False  # may act on matrices whose entries are its columns: a Kronecker product and what is made of it

    def __post_init__(self) -> None:
        object.__setattr__(self, "build", once(self.build))

    @property
    def order(self) -> int:
        """The number of axes."""
        return len(self.axes)


def once(build: Build) -> Build:
    """A builder that works once: a value may stand in many places."""
    found: list[Expr] = []

    def built() -> Expr:
        if not found:
            found.append(build())
        return found[0]

    return built


def scalar(build: Build, span: Span, indices: Mapping[str, int] | None = None) -> Value:
    """A scalar."""
    return Value((), build, span, indices=indices or {})


def column_of(value: Value) -> Build:
    """A vector as a column; matrices and scalars as they are."""
    if value.order != 1 or value.form == "column":
        return value.build
    return lambda: contract([["i"], ["i", []]], value.build())


def array_of(value: Value) -> Build:
    """A vector as an array of order 1; everything else as it is."""
    if value.order != 1 or value.form == "array":
        return value.build
    return lambda: contract([["i", []], ["i"]], value.build())


def contracted(span: Span, lists: Sequence[Sequence[str]], values: Sequence[Value], axes: Sequence[Axis]) -> Value:
    """The contraction of values by index lists, one label an axis, the output's last."""
    builds = [array_of(value) for value in values]
    form = "array" if len(axes) == 1 else "plain"
    indices = merged(values)
    return Value(tuple(axes), lambda: contract(list(map(list, lists)), *(build() for build in builds)), span, form, indices)


def merged(values: Sequence[Value]) -> Counter:
    """The free indices of a product."""
    out: Counter = Counter()
    for value in values:
        out.update(value.indices)
    return out


def either(values: Sequence[Value]) -> dict[str, int]:
    """The free indices of a sum."""
    out: dict[str, int] = {}
    for value in values:
        for key, number in value.indices.items():
            out[key] = max(number, out.get(key, 0))
    return out


def scaled(factor: Value, value: Value, span: Span) -> Value:
    """A scalar times a value."""
    left, right = factor.build, value.build
    if value.order in (0,) or value.order > 2 or value.form == "array":
        return Value(
            value.axes,
            lambda: with_shape(Mul(left(), right()), right()),
            span,
            value.form,
            merged([factor, value]),
            factor.is_zero or value.is_zero,
        )
    return Value(
        value.axes,
        lambda: product_of_matrices(left(), right()),
        span,
        value.form,
        merged([factor, value]),
        factor.is_zero or value.is_zero,
        value.operator,
    )


def plus(values: Sequence[Value], signs: Sequence[int], span: Span) -> Value:
    """The sum of values of one shape."""
    parts = [(sign, value) for sign, value in zip(signs, values, strict=True) if not value.is_zero] or [(signs[0], values[0])]
    first = parts[0][1]
    as_columns = first.order == 1 and all(value.form == "column" for _, value in parts)
    form = "plain" if first.order != 1 else "column" if as_columns else "array"
    builds = [(sign, value.build if first.order != 1 or as_columns else array_of(value)) for sign, value in parts]
    is_matrix = first.order == 2 or as_columns

    def build() -> Expr:
        terms = [built() if sign == 1 else negative(built(), is_matrix) for sign, built in builds]
        if len(terms) == 1:
            return terms[0]
        return sum_of_matrices(terms) if is_matrix else with_shape(Add(*terms), terms[0])

    operator = any(value.operator for _, value in parts)
    return Value(first.axes, build, span, form, either(values), all(value.is_zero for value in values), operator)


def with_shape(expr: Expr, array: Expr) -> Expr:
    """An expression; where it became the number 0, the zero of the shape of an array."""
    shape = array_shape(array) if expr == 0 else ()
    return ZeroArray(*shape) if shape else expr


def negative(expr: Expr, is_matrix: bool) -> Expr:
    """-expr."""
    return product_of_matrices(S.NegativeOne, expr) if is_matrix else Mul(S.NegativeOne, expr)


def sum_of_matrices(terms: Sequence[Expr]) -> Expr:
    """The sum of matrices as it was written."""
    return MatAdd(*limited([part for term in terms for part in (term.args if isinstance(term, MatAdd) else (term,))]))


def limited(parts: list[Expr]) -> list[Expr]:
    """The parts, unless they are very many."""
    if len(parts) > MAX_PARTS:
        raise BudgetError(f"a sum or product of {len(parts)} parts; the limit is {MAX_PARTS}")
    return parts


def product_of_matrices(*factors: Expr) -> Expr:
    """The product of scalars and matrices as it was written, scalars first."""
    parts = limited([part for factor in factors for part in (factor.args if isinstance(factor, MatMul) else (factor,))])
    return MatMul(*(part for part in parts if not part.is_Matrix), *(part for part in parts if part.is_Matrix))


def transposed(expr: Expr) -> Expr:
    """The transpose as it was written; of a transpose, the matrix."""
    return expr.arg if isinstance(expr, Transpose) else Transpose(expr)


def unmatrix(value: Value) -> Value:
    """A matrix one of whose sides is 1, as a vector; other values as they are."""
    if value.order != 2 or (value.axes[0] and value.axes[1]):
        return value
    if value.axes[1] == ():
        return Value(value.axes[:1], value.build, value.span, "column", value.indices, value.is_zero)
    return Value(value.axes[1:], lambda: transposed(value.build()), value.span, "column", value.indices, value.is_zero)


def hadamard(left: Value, right: Value, span: Span) -> Value:
    """The elementwise product of values of one shape."""
    if left.order == 0:
        return scaled(left, right, span)
    if left.order == 2 or (left.form == right.form == "column"):
        a, b = left.build, right.build
        return Value(left.axes, lambda: HadamardProduct(a(), b()), span, left.form, merged([left, right]))
    labels = [f"a{k}" for k in range(left.order)]
    return contracted(span, [labels, labels, labels], [left, right], left.axes)


def zero(axes: Sequence[Axis], known: Callable[[Axis], Axis]) -> Expr:
    """Zero of a shape."""
    sizes = [size_expr(known(axis)) for axis in axes]
    if not sizes:
        return Integer(0)
    return ZeroMatrix(*sizes) if len(sizes) == 2 else ZeroArray(*sizes)
