"""Lowering of tensors, identities, ones, zeros and explicit matrices."""

from functools import reduce

from sympy import Expr, Identity, MatrixSymbol, OneMatrix, ZeroMatrix
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions import ArraySymbol, OneArray, ZeroArray

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.algebra.units import unit
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.lowering.context import Lowering, open_form

__all__: list[str] = []


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
    axes = [lowering.axis(size, f"axis {k} of {expr}") for k, size in enumerate(expr.shape)]
    total = Open(tuple(axes), ())
    for place, entry in explicit_entries(expr):
        if entry != 0:
            units = [vector for k, axis in zip(place, axes, strict=True) for vector in units_at(k, axis)]
            shaped = reduce(Open.outer, (Open.of_tensor(vector) for vector in units), lowering.open(entry))
            total = lowering.total(total, shaped.grouped(axes))
    return total


def units_at(place: int, axis: Axis) -> list[Tensor]:
    """The unit vectors of a place along an axis, one for each part of a product, in row-major order."""
    out = []
    for part in reversed(axis):
        if isinstance(part, int):
            place, here = divmod(place, part)
        else:
            place, here = 0, place  # not split yet: everything is lowered again when it is
        out.append(unit(here, part))
    return out[::-1]


def explicit_entries(expr: MatrixBase | NDimArray) -> list[tuple[tuple[int, ...], Expr]]:
    """Places and entries of an explicit matrix or array."""
    if isinstance(expr, MatrixBase):
        return [((i, j), expr[i, j]) for i in range(expr.rows) for j in range(expr.cols)]
    return [(expr._get_tuple_index(k), expr._array[k]) for k in range(len(expr._array))]
