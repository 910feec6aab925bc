"""Lowering of matrix expressions, each node by its definition in indices. Tensors are real: the adjoint is the transpose."""

from collections.abc import Sequence
from functools import reduce
from itertools import product as product_of

from sympy import (
    Adjoint,
    BlockDiagMatrix,
    BlockMatrix,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    Expr,
    HadamardPower,
    HadamardProduct,
    Identity,
    Integer,
    Inverse,
    KroneckerProduct,
    MatMul,
    MatPow,
    MatrixSymbol,
    Trace,
    Transpose,
)
from sympy.core.sympify import _sympify
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.algebra.open_terms import Axis, Open, OpenTerm
from symbolic_circuits.algebra.sums import is_sum, sum_axis
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.lowering.context import INVERSE, Lowering, join, open_form, require_meeting
from symbolic_circuits.syntax.vec import Vec

__all__: list[str] = []

MAX_POWER = 64


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
    if not (isinstance(expr.exp, Integer) and abs(expr.exp) <= MAX_POWER):
        raise UnsupportedNodeError(f"the matrix power {expr} is not a whole one between -{MAX_POWER} and {MAX_POWER}")
    if expr.exp < 0:
        return product([inverse(expr.base, lowering)] * -int(expr.exp))
    base = lowering.open(expr.base)
    return product([base] * int(expr.exp)) if expr.exp else Open.of_identity(base.axes[0])


@open_form.register(Inverse)
def _inverse(expr: Inverse, lowering: Lowering) -> Open:
    return inverse(expr.arg, lowering)


def inverse(base: Expr, lowering: Lowering) -> Open:
    """The inverse of a square matrix symbol, a tensor with the law that it is one; of products and transposes by their rules."""
    if isinstance(base, MatrixSymbol) and base.rows == base.cols:
        name = f"{base.name}{INVERSE}"
        lowering.open(base)  # the law names it
        lowering.inverses[base.name] = name
        return lowering.tensor(name, base.shape)
    if isinstance(base, Identity):
        return lowering.open(base)
    if isinstance(base, Transpose):
        return inverse(base.arg, lowering).permuted((1, 0))
    if isinstance(base, Inverse):
        return lowering.open(base.arg)
    if isinstance(base, MatPow):
        return lowering.open(MatPow(base.base, -base.exp))
    if isinstance(base, KroneckerProduct):
        return lowering.open(KroneckerProduct(*(Inverse(arg) for arg in base.args)))
    if isinstance(base, MatMul) and all(arg.rows == arg.cols for arg in base.args if arg.is_Matrix):
        scalars = [lowering.open(1 / arg) for arg in base.args if not arg.is_Matrix]
        return reduce(Open.outer, [*scalars, product([inverse(arg, lowering) for arg in reversed(base.args) if arg.is_Matrix])])
    raise UnsupportedNodeError(f"the inverse of {base} is not one of a square matrix symbol, or of a product of such")


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


@open_form.register(BlockMatrix)
@open_form.register(BlockDiagMatrix)
def _blocks(expr: BlockMatrix, lowering: Lowering) -> Open:
    blocks = expr.blocks
    sizes = [[lowering.part(_sympify(size)) for size in sizes] for sizes in (expr.rowblocksizes, expr.colblocksizes)]
    axes = [sum_axis(parts) if len(parts) > 1 else None for parts in sizes]  # one row of blocks is no sum
    total: Open | None = None
    for place in product_of(range(blocks.rows), range(blocks.cols)):
        part = lowering.open(blocks[place])
        for axis, parts, k in zip(part.axes, sizes, place, strict=True):
            require_meeting(axis, () if parts[k] == 1 else (parts[k],))
        value = in_block(part, [axis or own for axis, own in zip(axes, part.axes, strict=True)], place)
        total = value if total is None else lowering.total(total, value)
    return total


def in_block(part: Open, axes: Sequence[Axis], place: tuple[int, int]) -> Open:
    """A block at its place: along an axis that is a sum it gets a leg held at the part, and a leg of its own where it has size 1."""

    def stacked(term: OpenTerm) -> OpenTerm:
        sizes, factors, legs, rest = list(term.sizes), list(term.factors), [], list(term.legs)
        for axis, own, k in zip(axes, part.axes, place, strict=True):
            if axis is not own and is_sum(axis[-1]):
                factors.append((unit(k, axis[0]), (len(sizes),)))
                legs.append(len(sizes))
                sizes.append(axis[0])
                if not own:
                    legs.append(len(sizes))
                    sizes.append(1)
            legs += [rest.pop(0) for _ in own]
        return OpenTerm(term.scalar, tuple(factors), tuple(sizes), tuple(legs), term.named)

    return part.mapped(stacked, axes)


@open_form.register(DiagMatrix)
@open_form.register(DiagonalMatrix)
@open_form.register(DiagonalOf)
def _diagonal(expr: DiagMatrix, lowering: Lowering) -> Open:
    value = lowering.open(expr.args[0])
    if isinstance(expr, DiagMatrix):  # of a column or a row
        if value.axes[0] and value.axes[1]:
            raise ShapeError(f"the diagonal of {expr} is a row or a column; got {expr.args[0].shape}")
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
    columns = [split_column(column, position, tensor.axes[k]) for k, column in ((1, x), (2, y))]
    value = tensor  # axes i, j, k
    for column in columns:
        joined = join(value.outer(column), 1, len(value.axes) + 1)  # j, then k; a position axis joins at the end
        value = joined.summed(1)
    value = join(value, 1, 2).permuted((1, 0))
    return value.grouped((value.axes[0] + value.axes[1], ()))


def split_column(column: Open, position: Axis, width: Axis) -> Open:
    """A column as an array over position and width; its rows must split so. An axis of size 1 has no parts."""
    rows, parts = column.axes[0], position + width
    if rows != parts:
        require_meeting(rows, parts)
        raise ShapeError(f"a column over {rows} is read as one over {parts}")
    return column.grouped((position, width))
