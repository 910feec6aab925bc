r"""From SymPy trees to polynomials: one rule a node type, each the definition of the node in indices.

Tensors are real, so that the adjoint is the transpose. Sizes are symbols or numbers; an axis of size 1 has no legs. An axis whose
size is a product, such as n d, splits into its parts where it meets a Kronecker product, in one way only.

A node without a rule is an error that names it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce, singledispatch

from sympy import (
    Add,
    Adjoint,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    Expr,
    HadamardPower,
    HadamardProduct,
    Identity,
    Integer,
    KroneckerDelta,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Rational,
    Sum,
    Symbol,
    Trace,
    Transpose,
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
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    ZeroArray,
)
from sympy.tensor.array.expressions.array_expressions import ArrayElement
from sympy.tensor.indexed import Indexed

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import generator, number, power
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.errors import BudgetError, ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Lowering", "lower"]

MAX_POWER = 64
MAX_SPLITS = 1000


class SplitNeeded(Exception):
    """An axis whose size is a product met these parts."""

    def __init__(self, token: str, parts: Axis) -> None:
        super().__init__(token, parts)
        self.token, self.parts = token, parts


@dataclass
class Lowering:
    """What is known while trees are lowered: how composite axes split, and what summation symbols are called.

    Expressions that are to be compared are lowered by one Lowering, so that a composite axis splits alike in all of them.
    """

    splits: dict[str, Axis] = field(default_factory=dict)  # token of a composite axis -> its parts
    scope: dict[Symbol, str] = field(default_factory=dict)
    used: int = 0  # summation symbols named so far

    def polynomials(self, *exprs: Expr) -> list[Polynomial]:
        """The polynomials of expressions, composite axes split alike in all of them."""
        for _ in range(MAX_SPLITS):
            try:
                return [Polynomial.collect(self.open(expr)) for expr in exprs]
            except SplitNeeded as found:
                if found.token in self.splits:
                    raise ShapeError(
                        f"the axis {found.token} splits into {self.splits[found.token]} and into {found.parts}"
                    ) from None
                self.splits[found.token] = found.parts
        raise BudgetError(f"composite axes were split {MAX_SPLITS} times without an end")

    def open(self, expr: object) -> Open:
        """The open networks of an expression."""
        return open_form(expr, self)

    def axis(self, size: object, where: str) -> Axis:
        """An axis of a leaf; one whose size is a product is known by its place until it meets its parts."""
        size = size if isinstance(size, Basic) else Integer(size)
        if isinstance(size, Integer):
            return () if size == 1 else (int(size),)
        if isinstance(size, Symbol):
            return (size.name,)
        token = f"{size} at {where}"
        if token not in self.splits:
            return (token,)
        return tuple(part for size_part in self.splits[token] for part in self.resolved(size_part))

    def resolved(self, size: SizeName) -> Axis:
        """The parts of a part."""
        return tuple(p for part in self.splits[size] for p in self.resolved(part)) if size in self.splits else (size,)

    def tensor(self, name: str, shape: Iterable[object]) -> Open:
        """A leaf with these sizes."""
        axes = [self.axis(size, f"axis {k} of {name}") for k, size in enumerate(shape)]
        return Open.of_tensor(Tensor(name, tuple(size for axis in axes for size in axis)), axes)

    def indexed(self, value: Open, axis: int, index: object, where: Basic) -> Open:
        """An axis indexed by a summation symbol, another symbol, or a number; one of size 1 has nothing to index."""
        if not value.axes[axis]:
            return value.summed(axis)
        if index in self.scope:
            return value.with_name(axis, self.scope[index])
        if isinstance(index, Symbol):
            return value.with_name(axis, index.name)
        if isinstance(index, Integer):
            vector = Open.of_tensor(unit(int(index), value.axes[axis][0]))
            return join(value.outer(vector), axis, len(value.axes)).summed(axis)
        raise UnsupportedNodeError(f"{where} is indexed by {index}, which is neither a symbol nor a number")

    def summed(self, body: Expr, limits: Sequence[tuple]) -> Open:
        """A sum over whole ranges of index symbols."""
        outer = dict(self.scope)
        names = []
        for symbol, low, high in limits:
            if low != 0:
                raise UnsupportedNodeError(f"the sum over {symbol} starts at {low}; sums run from 0 over a whole axis")
            self.used += 1
            self.scope[symbol] = f"#{self.used}"
            names.append((self.scope[symbol], self.axis(high + 1, f"the range of {symbol}")))
        value = self.open(body)
        self.scope = outer
        for name, axis in names:
            value = value.sum_over_name(name, axis[0] if axis else 1)
        return value


def join(value: Open, i: int, j: int) -> Open:
    """Axes i and j made one, composite axes split where they must be."""
    a, b = value.axes[i], value.axes[j]
    if a != b:
        for left, right in ((a, b), (b, a)):
            if len(left) == 1 and isinstance(left[0], str) and " at " in left[0] and left != right:
                raise SplitNeeded(left[0], right)
    return value.identified(i, j)


def lower(*exprs: Expr) -> list[Polynomial]:
    """The polynomials of expressions that are to be compared.

    Raises
    ------
    UnsupportedNodeError
        A node has no rule; the message names it.
    ShapeError
        Sizes that meet differ, a free index is not in every term, or a composite axis splits in two ways.
    BudgetError
        Multiplying out makes too many terms.

    Examples
    --------
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> left, right = lower(Trace(A * B), Trace(B * A))
    >>> left == right
    True
    """
    return Lowering().polynomials(*exprs)


@singledispatch
def open_form(expr: object, lowering: Lowering) -> Open:
    """The open networks of a node."""
    raise UnsupportedNodeError(f"{type(expr).__name__} has no rule for lowering: {str(expr)[:200]}")


# scalars


@open_form.register(Rational)
def _rational(expr: Rational, lowering: Lowering) -> Open:
    return Open.of_scalar(number(Fraction(int(expr.p), int(expr.q))))


@open_form.register(Symbol)
def _symbol(expr: Symbol, lowering: Lowering) -> Open:
    if expr in lowering.scope:
        raise UnsupportedNodeError(f"the summation index {expr} stands as a number")
    if expr.is_extended_real is False or expr.is_commutative is False:
        raise UnsupportedNodeError(f"scalars are real; {expr} is declared otherwise")
    return Open.of_scalar(generator(expr.name))


@open_form.register(Pow)
def _pow(expr: Pow, lowering: Lowering) -> Open:
    base, exponent = expr.args
    if isinstance(exponent, Integer) and 0 <= exponent <= MAX_POWER:
        value = lowering.open(base)
        if value.axes:
            raise UnsupportedNodeError(f"the power {expr} of an array is ambiguous: write HadamardPower or MatPow")
        return reduce(Open.outer, [value] * int(exponent), Open.of_scalar(number(1)))
    monomial = base.is_positive or (isinstance(exponent, Integer) and isinstance(base, Symbol | Rational))
    if not (isinstance(exponent, Rational) and monomial):
        raise UnsupportedNodeError(f"the power {expr} is not a monomial in positive symbols")
    value = lowering.open(base)
    if len(value.terms) != 1 or value.axes or value.terms[0].factors:
        raise UnsupportedNodeError(f"the power {expr} is not a monomial in positive symbols")
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
    return reduce(plus, parts)


def plus(left: Open, right: Open) -> Open:
    """The sum, composite axes split where they must be."""
    for a, b in zip(left.axes, right.axes, strict=False):
        for one, other in ((a, b), (b, a)):
            if one != other and len(one) == 1 and isinstance(one[0], str) and " at " in one[0]:
                raise SplitNeeded(one[0], other)
    return left.plus(right)


@open_form.register(KroneckerDelta)
def _delta(expr: KroneckerDelta, lowering: Lowering) -> Open:
    left, right = expr.args
    raise UnsupportedNodeError(f"{expr} does not say how far {left} and {right} run: write an element of Identity(n)")


# leaves


@open_form.register(MatrixSymbol)
def _matrix_symbol(expr: MatrixSymbol, lowering: Lowering) -> Open:
    return lowering.tensor(expr.name, expr.shape)


@open_form.register(ArraySymbol)
def _array_symbol(expr: ArraySymbol, lowering: Lowering) -> Open:
    return lowering.tensor(str(expr.name), expr.shape)


@open_form.register(FamilyMember)
def _member(expr: FamilyMember, lowering: Lowering) -> Open:
    return lowering.indexed(lowering.tensor(expr.family.name, expr.family.shape), 0, expr.head, expr)


@open_form.register(Identity)
def _identity(expr: Identity, lowering: Lowering) -> Open:
    return Open.of_identity(lowering.axis(expr.rows, f"Identity({expr.rows})"))


@open_form.register(OneMatrix)
@open_form.register(OneArray)
def _ones(expr: OneMatrix, lowering: Lowering) -> Open:
    return Open.of_ones([lowering.axis(size, f"axis {k} of {expr}") for k, size in enumerate(expr.shape)])


@open_form.register(ZeroMatrix)
@open_form.register(ZeroArray)
def _zeros(expr: ZeroMatrix, lowering: Lowering) -> Open:
    return Open(tuple(lowering.axis(size, f"axis {k} of {expr}") for k, size in enumerate(expr.shape)), ())


@open_form.register(MatrixBase)
@open_form.register(NDimArray)
def _explicit(expr: MatrixBase, lowering: Lowering) -> Open:
    axes = [lowering.axis(size, "") for size in expr.shape]
    total = Open(tuple(axes), ())
    for place, entry in explicit_entries(expr):
        if entry != 0:
            units = [unit(k, axis[0]) for k, axis in zip(place, axes, strict=True) if axis]
            shaped = reduce(Open.outer, (Open.of_tensor(vector) for vector in units), lowering.open(entry))
            total = total.plus(shaped.grouped(axes))
    return total


def explicit_entries(expr: MatrixBase | NDimArray) -> list[tuple[tuple[int, ...], Expr]]:
    """Places and entries of an explicit matrix or array."""
    if isinstance(expr, MatrixBase):
        return [((i, j), expr[i, j]) for i in range(expr.rows) for j in range(expr.cols)]
    return [(expr._get_tuple_index(k), expr._array[k]) for k in range(len(expr._array))]


# matrices


def product(values: Sequence[Open]) -> Open:
    """A matrix product."""
    return reduce(lambda a, b: join(a.outer(b), 1, 2).summed(1), values)


@open_form.register(MatMul)
def _matmul(expr: MatMul, lowering: Lowering) -> Open:
    scalars = [lowering.open(arg) for arg in expr.args if not arg.is_Matrix]
    matrices = [lowering.open(arg) for arg in expr.args if arg.is_Matrix]
    return reduce(Open.outer, [*scalars, product(matrices)])


@open_form.register(MatPow)
def _matpow(expr: MatPow, lowering: Lowering) -> Open:
    if not (isinstance(expr.exp, Integer) and 0 <= expr.exp <= MAX_POWER):
        raise UnsupportedNodeError(f"the matrix power {expr} is not a whole one between 0 and {MAX_POWER}")
    base = lowering.open(expr.base)
    return product([base] * int(expr.exp)) if expr.exp else Open.of_identity(base.axes[0])


@open_form.register(Transpose)
@open_form.register(Adjoint)
def _transpose(expr: Transpose, lowering: Lowering) -> Open:
    return lowering.open(expr.arg).permuted((1, 0))


@open_form.register(Trace)
def _trace(expr: Trace, lowering: Lowering) -> Open:
    return join(lowering.open(expr.arg), 0, 1).summed(0)


@open_form.register(HadamardProduct)
def _hadamard(expr: HadamardProduct, lowering: Lowering) -> Open:
    return elementwise([lowering.open(arg) for arg in expr.args])


@open_form.register(HadamardPower)
def _hadamard_power(expr: HadamardPower, lowering: Lowering) -> Open:
    if not (isinstance(expr.exp, Integer) and 0 < expr.exp <= MAX_POWER):
        raise UnsupportedNodeError(f"the elementwise power {expr} is not a whole one between 1 and {MAX_POWER}")
    return elementwise([lowering.open(expr.base)] * int(expr.exp))


def elementwise(values: Sequence[Open]) -> Open:
    """An elementwise product of matrices."""
    return reduce(lambda a, b: join(join(a.outer(b), 0, 2), 1, 2), values)


@open_form.register(KroneckerProduct)
def _kronecker(expr: KroneckerProduct, lowering: Lowering) -> Open:
    value = reduce(Open.outer, (lowering.open(arg) for arg in expr.args))
    count = len(value.axes)
    value = value.permuted([*range(0, count, 2), *range(1, count, 2)])
    rows, cols = (sum(value.axes[part], ()) for part in (slice(0, count // 2), slice(count // 2, count)))
    return value.grouped((rows, cols))


@open_form.register(DiagMatrix)
@open_form.register(DiagonalMatrix)
@open_form.register(DiagonalOf)
def _diagonal(expr: DiagMatrix, lowering: Lowering) -> Open:
    value = lowering.open(expr.arg)
    if isinstance(expr, DiagMatrix):  # of a column or a row
        long = 0 if value.axes[0] else 1
        return join(value.summed(1 - long).outer(Open.of_identity(value.axes[long])), 1, 0).permuted((0, 1))
    if isinstance(expr, DiagonalMatrix):  # the diagonal part
        return join(join(value.outer(Open.of_identity(value.axes[0])), 0, 2), 1, 2)
    return join(value, 0, 1).grouped((value.axes[0], ()))


@open_form.register(MatrixElement)
def _matrix_element(expr: MatrixElement, lowering: Lowering) -> Open:
    value = lowering.indexed(lowering.open(expr.parent), 0, expr.i, expr)
    return lowering.indexed(value, 0, expr.j, expr)


@open_form.register(Vec)
def _vec(expr: Vec, lowering: Lowering) -> Open:
    value = lowering.open(expr.matrix)
    return value.grouped((value.axes[0] + value.axes[1], ()))


@open_form.register(ApplyBilinear)
def _bilinear(expr: ApplyBilinear, lowering: Lowering) -> Open:
    tensor, x, y = (lowering.open(arg) for arg in expr.args)
    position = lowering.axis(expr.positions, f"positions of {expr.args[0]}")
    columns = [split_column(column, position + tensor.axes[k]) for k, column in ((1, x), (2, y))]
    value = tensor  # axes i, j, k
    for column in columns:
        value = join(value.outer(column), 1, len(value.axes) + 1).summed(
            1
        )  # sums over j, then k; a position axis joins at the end
    value = join(value, 1, 2).permuted((1, 0))
    return value.grouped((value.axes[0] + value.axes[1], ()))


def split_column(column: Open, parts: Axis) -> Open:
    """A column as an array over position and width; its rows must split so."""
    rows = column.axes[0]
    if rows != parts:
        if len(rows) == 1 and isinstance(rows[0], str) and " at " in rows[0]:
            raise SplitNeeded(rows[0], parts)
        raise ShapeError(f"a column over {rows} is read as one over {parts}")
    return column.grouped((parts[:1], parts[1:]))


# sums and arrays


@open_form.register(MatrixSum)
@open_form.register(IndexSum)
@open_form.register(Sum)
def _sum(expr: Sum, lowering: Lowering) -> Open:
    return lowering.summed(expr.args[0], expr.args[1:])


@open_form.register(ArrayElement)
def _array_element(expr: ArrayElement, lowering: Lowering) -> Open:
    value = lowering.open(expr.name)
    for index in expr.indices:
        value = lowering.indexed(value, 0, index, expr)
    return value


@open_form.register(Indexed)
def _indexed(expr: Indexed, lowering: Lowering) -> Open:
    if expr.base.shape is None:
        raise UnsupportedNodeError(f"{expr.base} is indexed but has no shape: IndexedBase(name, shape=(...))")
    value = lowering.tensor(str(expr.base.label), expr.base.shape)
    for index in expr.indices:
        value = lowering.indexed(value, 0, index, expr)
    return value


@open_form.register(Row)
def _row(expr: Row, lowering: Lowering) -> Open:
    return lowering.indexed(lowering.open(expr.args[0]), 0, expr.args[1], expr)


@open_form.register(TensorDot)
def _tensor_dot(expr: TensorDot, lowering: Lowering) -> Open:
    left, right = lowering.open(expr.args[0]), lowering.open(expr.args[2])
    i = int(expr.args[1]) - 1
    return join(left.outer(right), i, len(left.axes) + int(expr.args[3]) - 1).summed(i)


@open_form.register(ArrayContraction)
def _array_contraction(expr: ArrayContraction, lowering: Lowering) -> Open:
    value, groups = lowering.open(expr.expr), expr.contraction_indices
    for group in groups:
        for axis in sorted(map(int, group))[1:]:
            value = diagonal_keeping(value, int(min(group)), axis)
    gone = {int(axis) for group in groups for axis in group}
    return drop(value, {int(min(group)) for group in groups}, gone)


@open_form.register(ArrayDiagonal)
def _array_diagonal(expr: ArrayDiagonal, lowering: Lowering) -> Open:
    value, groups = lowering.open(expr.expr), expr.diagonal_indices
    for group in groups:
        for axis in sorted(map(int, group))[1:]:
            value = diagonal_keeping(value, int(min(group)), axis)
    gone = {int(axis) for group in groups for axis in group}
    kept = [k for k in range(len(value.axes)) if k not in gone]
    value = value.permuted(
        [*kept, *(int(min(group)) for group in groups), *(int(a) for g in groups for a in sorted(map(int, g))[1:])]
    )
    return take(value, len(kept) + len(groups))


def diagonal_keeping(value: Open, i: int, j: int) -> Open:
    """Axes i and j made one index, both still there."""
    joined = join(value, i, j)
    axis = joined.axes[i]
    doubled = join(joined.outer(Open.of_identity(axis)), i, len(joined.axes))  # axis i, and a copy of it at the end
    order = list(range(len(doubled.axes) - 1))
    order.insert(j, len(doubled.axes) - 1)
    return doubled.permuted(order)


def drop(value: Open, summed: set[int], gone: set[int]) -> Open:
    """Sum over one axis of each group; the others of the group are that same index and go with it."""
    spans = value.spans()
    places = {p for k in gone for p in spans[k]}
    closed = lambda term: term._replace(legs=tuple(x for k, x in enumerate(term.legs) if k not in places)).closed()  # noqa: E731
    return value.mapped(closed, [axis for k, axis in enumerate(value.axes) if k not in gone])


def take(value: Open, count: int) -> Open:
    """The first axes; the others are indices that these have as well."""
    places = [p for span in value.spans()[:count] for p in span]
    return value.mapped(lambda term: term._replace(legs=tuple(term.legs[p] for p in places)), value.axes[:count])


@open_form.register(PermuteDims)
def _permute(expr: PermuteDims, lowering: Lowering) -> Open:
    return lowering.open(expr.expr).permuted([int(k) for k in expr.permutation.array_form])
