r"""The entry of a SymPy node at given indices, from the entries of its arguments: (A B)_{ij} = sum_k A_{ik} B_{kj}, one rule a node.

Sums are multiplied out as they come: terms in the order of the arguments, the leftmost slowest; nothing is collected, sorted or
cancelled. Tensors are real, so that the adjoint is the transpose.
"""

from collections.abc import Iterable
from fractions import Fraction
from itertools import product

from sympy import (
    Add,
    Adjoint,
    DiagMatrix,
    DiagonalMatrix,
    DiagonalOf,
    HadamardPower,
    HadamardProduct,
    Identity,
    IndexedBase,
    Integer,
    Inverse,
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
    factorint,
)
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
    Reshape,
    ZeroArray,
)
from sympy.tensor.array.expressions.array_expressions import ArrayElement
from sympy.tensor.indexed import Indexed

from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.checker_data import Scalar, scalar
from symbolic_circuits.identities.expansion_functions import function_of
from symbolic_circuits.identities.expansion_indices import Entry, Index
from symbolic_circuits.identities.expansion_walk import (
    MAX_POWER,
    ONE,
    At,
    Sum_,
    Walk,
    entries,
    equal,
    multiplied,
    shape_of,
    summed,
)
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import MatrixContraction, ScalarContraction, TensorContraction
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__: list[str] = []

MAX_RADICAND = 10**12


# --- scalars, sums and products ---------------------------------------------------------------------------------------


@entries.register(Rational)
def _rational(expr: Rational, at: At, walk: Walk) -> Sum_:
    return [Entry(scalar(Fraction(int(expr.p), int(expr.q))))] if expr != 0 else []


@entries.register(Symbol)
def _symbol(expr: Symbol, at: At, walk: Walk) -> Sum_:
    if expr in walk.scope or expr.is_extended_real is False or expr.is_commutative is False:
        raise UnsupportedNodeError(f"the symbol {expr} stands as a number, but is a summation index or not real")
    return [Entry(scalar(1, {walk.know(expr): Fraction(1)}))]


@entries.register(Pow)
def _pow(expr: Pow, at: At, walk: Walk) -> Sum_:
    base, exponent = expr.args
    if shape_of(base):
        raise UnsupportedNodeError(f"the power {expr} of an array is not one of its entries")
    if isinstance(exponent, Integer) and 0 <= exponent <= MAX_POWER:
        return multiplied(*(entries(base, (), walk) for _ in range(int(exponent))))
    if not isinstance(exponent, Rational):
        raise UnsupportedNodeError(f"the exponent of {expr} is not a rational number")
    number = isinstance(base, Symbol | Rational) and isinstance(exponent, Integer)
    found = entries(base, (), walk) if base.is_positive or number else []
    if len(found) != 1 or found[0] != Entry(found[0].scalar):
        return function_of(f"power {exponent}", base, (), walk)  # nothing is known of it
    return [Entry(to_power(found[0].scalar, Fraction(int(exponent.p), int(exponent.q))))]


def to_power(base: Scalar, exponent: Fraction) -> Scalar:
    """A rational power; the primes of the rational number get their exponents."""
    powers = {name: e * exponent for name, e in base.powers}
    if exponent.denominator == 1:
        return scalar(base.rational ** int(exponent), powers)
    if base.rational <= 0 or max(base.rational.numerator, base.rational.denominator) > MAX_RADICAND:
        raise UnsupportedNodeError(f"a root of {base.rational} is not real, or of a number too large to factor")
    for sign, part in ((1, base.rational.numerator), (-1, base.rational.denominator)):
        for prime, count in factorint(part).items():
            powers[str(prime)] = powers.get(str(prime), Fraction(0)) + sign * count * exponent
    return scalar(1, powers)


@entries.register(Add)
@entries.register(MatAdd)
@entries.register(ArrayAdd)
def _add(expr: Add, at: At, walk: Walk) -> Sum_:
    return [term for arg in expr.args for term in entries(arg, at, walk)]


@entries.register(Mul)
@entries.register(ArrayTensorProduct)
def _mul(expr: Mul, at: At, walk: Walk) -> Sum_:
    orders = [len(shape_of(arg)) for arg in expr.args]
    if isinstance(expr, Mul) and sum(map(bool, orders)) > 1:
        raise ShapeError(f"{expr} multiplies two arrays without saying how")
    starts = [sum(orders[:k]) for k in range(len(orders))]
    return multiplied(
        *(entries(arg, at[start : start + order], walk) for arg, start, order in zip(expr.args, starts, orders, strict=True))
    )


@entries.register(KroneckerDelta)
def _delta(expr: KroneckerDelta, at: At, walk: Walk) -> Sum_:
    if len(expr.args) < 3 or expr.args[2][0] != 0:
        raise UnsupportedNodeError(f"{expr} does not say how far its indices run from 0")
    size = expr.args[2][1] + 1
    (left, one), (right, other) = (walk.indexed(value, size) for value in expr.args[:2])
    return multiplied(equal((left, right)), one, other)


@entries.register(Sum)
@entries.register(IndexSum)
@entries.register(MatrixSum)
def _sum(expr: Sum, at: At, walk: Walk) -> Sum_:
    outer, ranges = walk.scope, {}
    for symbol, low, high in expr.args[1:]:
        if low != 0:
            raise UnsupportedNodeError(f"the sum over {symbol} starts at {low}, not at 0")
        ranges[symbol] = walk.fresh(high + 1)
    walk.scope = outer | ranges
    found = summed(entries(expr.args[0], at, walk), *ranges.values())
    walk.scope = outer
    return found


# --- leaves -----------------------------------------------------------------------------------------------------------


@entries.register(MatrixSymbol)
@entries.register(ArraySymbol)
@entries.register(MatrixFamily)
def _tensor(expr: MatrixSymbol, at: At, walk: Walk) -> Sum_:
    return walk.leaf(str(expr.name), expr.shape, at)


@entries.register(IndexedBase)
def _base(expr: IndexedBase, at: At, walk: Walk) -> Sum_:
    if expr.shape is None:
        raise UnsupportedNodeError(f"{expr} has no shape: IndexedBase(name, shape=(...))")
    return walk.leaf(str(expr.label), expr.shape, at)


@entries.register(Identity)
def _identity(expr: Identity, at: At, walk: Walk) -> Sum_:
    return equal((at[0], at[1]))


@entries.register(OneMatrix)
@entries.register(OneArray)
def _ones(expr: OneMatrix, at: At, walk: Walk) -> Sum_:
    return [ONE]


@entries.register(ZeroMatrix)
@entries.register(ZeroArray)
def _zeros(expr: ZeroMatrix, at: At, walk: Walk) -> Sum_:
    return []


@entries.register(MatrixBase)
@entries.register(NDimArray)
def _explicit(expr: MatrixBase, at: At, walk: Walk) -> Sum_:
    out: Sum_ = []
    for place in product(*(range(int(size)) for size in expr.shape)):
        if expr[place] != 0:
            held = [walk.indexed(Integer(k), Integer(size)) for k, size in zip(place, expr.shape, strict=True)]
            where = equal(*((index, axis) for (index, _), axis in zip(held, at, strict=True)))
            out += multiplied(entries(expr[place], (), walk), where, *(unit for _, unit in held))
    return out


# --- elements ---------------------------------------------------------------------------------------------------------


@entries.register(MatrixElement)
def _matrix_element(expr: MatrixElement, at: At, walk: Walk) -> Sum_:
    return walk.held(expr.parent, (expr.i, expr.j), ())


@entries.register(ArrayElement)
def _array_element(expr: ArrayElement, at: At, walk: Walk) -> Sum_:
    return walk.held(expr.name, expr.indices, ())


@entries.register(Indexed)
def _indexed(expr: Indexed, at: At, walk: Walk) -> Sum_:
    return walk.held(expr.base, expr.indices, ())


@entries.register(FamilyMember)
def _member(expr: FamilyMember, at: At, walk: Walk) -> Sum_:
    return walk.held(expr.family, (expr.head,), at)


@entries.register(Row)
def _row(expr: Row, at: At, walk: Walk) -> Sum_:
    return walk.held(expr.args[0], (expr.args[1],), at)


# --- matrices ---------------------------------------------------------------------------------------------------------


@entries.register(MatMul)
def _matmul(expr: MatMul, at: At, walk: Walk) -> Sum_:
    matrices = [arg for arg in expr.args if arg.is_Matrix]
    between = [walk.fresh(arg.shape[1]) for arg in matrices[:-1]]
    rows, columns = iter([at[0], *between]), iter([*between, at[1]])
    parts = [entries(arg, (next(rows), next(columns)) if arg.is_Matrix else (), walk) for arg in expr.args]
    return summed(multiplied(*parts), *between)


@entries.register(MatPow)
def _matpow(expr: MatPow, at: At, walk: Walk) -> Sum_:
    if not (isinstance(expr.exp, Integer) and abs(expr.exp) <= MAX_POWER):
        raise UnsupportedNodeError(f"the matrix power {expr} is not a whole one between -{MAX_POWER} and {MAX_POWER}")
    if expr.exp == 0:
        return equal((at[0], at[1]))
    base = expr.base if expr.exp > 0 else Inverse(expr.base)
    between = [walk.fresh(expr.base.shape[0]) for _ in range(abs(int(expr.exp)) - 1)]
    ends = zip([at[0], *between], [*between, at[1]], strict=True)
    return summed(multiplied(*(entries(base, pair, walk) for pair in ends)), *between)


@entries.register(Inverse)
def _inverse(expr: Inverse, at: At, walk: Walk) -> Sum_:
    base = expr.arg
    if isinstance(base, MatrixSymbol) and base.rows == base.cols:  # a tensor, of which a law says what it is
        walk.leaf(base.name, base.shape, at)
        return walk.leaf(f"{base.name} ^-1", base.shape, at, inverse_of=base.name)
    if isinstance(base, Identity):
        return entries(base, at, walk)
    if isinstance(base, Transpose):
        return entries(Inverse(base.arg), (at[1], at[0]), walk)
    if isinstance(base, Inverse):
        return entries(base.arg, at, walk)
    if isinstance(base, MatPow):
        return entries(MatPow(base.base, -base.exp), at, walk)
    if isinstance(base, KroneckerProduct):
        return entries(KroneckerProduct(*map(Inverse, base.args)), at, walk)
    if isinstance(base, MatMul) and all(arg.rows == arg.cols for arg in base.args if arg.is_Matrix):
        scalars = [1 / arg for arg in base.args if not arg.is_Matrix]
        matrices = [Inverse(arg) for arg in reversed(base.args) if arg.is_Matrix]
        return entries(MatMul(*scalars, *matrices, evaluate=False), at, walk)
    raise UnsupportedNodeError(f"the inverse of {base} is not one of a square matrix symbol, or of a product of such")


@entries.register(Transpose)
@entries.register(Adjoint)
def _transpose(expr: Transpose, at: At, walk: Walk) -> Sum_:
    return entries(expr.arg, (at[1], at[0]), walk)


@entries.register(Trace)
def _trace(expr: Trace, at: At, walk: Walk) -> Sum_:
    index = walk.fresh(expr.arg.shape[0])
    return summed(entries(expr.arg, (index, index), walk), index)


@entries.register(HadamardProduct)
def _hadamard(expr: HadamardProduct, at: At, walk: Walk) -> Sum_:
    return multiplied(*(entries(arg, at, walk) for arg in expr.args))


@entries.register(HadamardPower)
def _hadamard_power(expr: HadamardPower, at: At, walk: Walk) -> Sum_:
    if not (isinstance(expr.exp, Integer) and 0 < expr.exp <= MAX_POWER):
        raise UnsupportedNodeError(f"the elementwise power {expr} is not a whole one between 1 and {MAX_POWER}")
    return multiplied(*(entries(expr.base, at, walk) for _ in range(int(expr.exp))))


@entries.register(KroneckerProduct)
def _kronecker(expr: KroneckerProduct, at: At, walk: Walk) -> Sum_:
    parts = [tuple(walk.fresh(size) for size in arg.shape) for arg in expr.args]
    rows, columns = (sum((part[k] for part in parts), ()) for k in (0, 1))
    return multiplied(
        equal((at[0], rows), (at[1], columns)), *(entries(arg, part, walk) for arg, part in zip(expr.args, parts, strict=True))
    )


@entries.register(DiagMatrix)
def _diag_matrix(expr: DiagMatrix, at: At, walk: Walk) -> Sum_:
    vector = expr.args[0]
    place = (at[0], ()) if vector.shape[1] == 1 else ((), at[0])  # a column, or a row
    return multiplied(equal((at[0], at[1])), entries(vector, place, walk))


@entries.register(DiagonalMatrix)
def _diagonal_part(expr: DiagonalMatrix, at: At, walk: Walk) -> Sum_:
    return multiplied(entries(expr.args[0], at, walk), equal((at[0], at[1])))


@entries.register(DiagonalOf)
def _diagonal_of(expr: DiagonalOf, at: At, walk: Walk) -> Sum_:
    return entries(expr.args[0], (at[0], at[0]), walk)


@entries.register(Vec)
def _vec(expr: Vec, at: At, walk: Walk) -> Sum_:
    row, column = (walk.fresh(size) for size in expr.matrix.shape)
    return multiplied(equal((at[0], row + column)), entries(expr.matrix, (row, column), walk))


@entries.register(ApplyBilinear)
def _bilinear(expr: ApplyBilinear, at: At, walk: Walk) -> Sum_:
    tensor, x, y = expr.args
    s = walk.fresh(expr.positions)
    i, j, k = (walk.fresh(size) for size in shape_of(tensor))
    return summed(
        multiplied(
            equal((at[0], s + i)),
            entries(tensor, (i, j, k), walk),
            entries(x, (s + j, ()), walk),
            entries(y, (s + k, ()), walk),
        ),
        j,
        k,
    )


# --- arrays -----------------------------------------------------------------------------------------------------------


@entries.register(TensorDot)
def _tensor_dot(expr: TensorDot, at: At, walk: Walk) -> Sum_:
    left, j, right, k = expr.args
    a = shape_of(left)
    p, q = int(j) - 1, int(k) - 1
    index = walk.fresh(a[p])
    first, second = at[: len(a) - 1], at[len(a) - 1 :]
    one = entries(left, (*first[:p], index, *first[p:]), walk)
    other = entries(right, (*second[:q], index, *second[q:]), walk)
    return summed(multiplied(one, other), index)


@entries.register(ArrayContraction)
@entries.register(ArrayDiagonal)
def _array_contraction(expr: ArrayContraction, at: At, walk: Walk) -> Sum_:
    shape, groups = shape_of(expr.expr), [[int(axis) for axis in group] for group in expr.args[1:]]
    kept = [axis for axis in range(len(shape)) if not any(axis in group for group in groups)]
    inner = dict(zip(kept, at, strict=False))
    contracted = isinstance(expr, ArrayContraction)
    indices = [walk.fresh(shape[group[0]]) for group in groups] if contracted else list(at[len(kept) :])
    for index, group in zip(indices, groups, strict=True):
        inner |= dict.fromkeys(group, index)
    found = entries(expr.expr, tuple(inner[axis] for axis in range(len(shape))), walk)
    return summed(found, *indices) if contracted else found


@entries.register(PermuteDims)
def _permute(expr: PermuteDims, at: At, walk: Walk) -> Sum_:
    inner = dict(zip(map(int, expr.permutation.array_form), at, strict=True))
    return entries(expr.expr, tuple(inner[axis] for axis in range(len(at))), walk)


@entries.register(Reshape)
def _reshape(expr: Reshape, at: At, walk: Walk) -> Sum_:
    inner = tuple(walk.fresh(size) for size in shape_of(expr.expr))
    return multiplied(equal((sum(at, ()), sum(inner, ()))), entries(expr.expr, inner, walk))


@entries.register(MatrixContraction)
@entries.register(ScalarContraction)
@entries.register(TensorContraction)
def _contraction(expr: MatrixContraction, at: At, walk: Walk) -> Sum_:
    *inputs, output = expr.lists
    of = {label: walk.fresh(size) for label, size in expr.sizes.items()}

    def axis_at(axis: Iterable[str]) -> Index:
        return sum((of[label] for label in axis), ())

    where = equal(*((index, axis_at(axis)) for index, axis in zip(at, output, strict=True)))
    parts = [entries(arg, tuple(map(axis_at, axes)), walk) for arg, axes in zip(expr.operands, inputs, strict=True)]
    return summed(multiplied(where, *parts), *(of[label] for label in expr.summed))
