r"""A product-like SymPy tree as one tensor network: A X W^T . Y becomes the factors A, X, W, Y with their indices.

Every node with a rule below is multilinear in its leaves, so the whole tree is one sum over indices of a product of entries.
An axis of a node is a tuple of indices, because a Kronecker product makes one axis of two (row-major). Leaves are symbols,
explicit arrays, and anything without a rule that does not use a summation index (a sum, say): it stays one operand.
"""

from dataclasses import dataclass
from functools import singledispatch

from sympy import (
    Add,
    DiagMatrix,
    Expr,
    HadamardPower,
    HadamardProduct,
    Identity,
    Integer,
    KroneckerDelta,
    KroneckerProduct,
    MatMul,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    Sum,
    Trace,
    Transpose,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.builder import Axis, Builder
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Contraction", "Operand", "contraction"]


MAX_POWER = 64  # elementwise powers up to this are written as products


@dataclass(frozen=True, slots=True)
class Operand:
    """A leaf as a factor: an expression, the axes of it held at a value, and the sizes that its axes are split into."""

    expr: Basic
    fixed: tuple[Expr | None, ...]  # per axis of the expression: the value that it is held at, or None
    split: tuple[tuple[Expr, ...], ...]  # per axis that is not held: the sizes of its parts, row-major


@dataclass(frozen=True, slots=True)
class Contraction:
    """coefficient times the network; its output indices are grouped into the axes of the expression."""

    coefficient: Expr
    network: Network  # operands are Operand
    axes: tuple[int, ...]  # number of output indices of each axis
    sizes: dict[int, Expr]  # of each index


def contraction(expr: Expr) -> Contraction:
    """The network of a product-like expression.

    Raises
    ------
    UnsupportedNodeError
        A sum, or a node without a rule, uses a summation index from outside, so that it cannot stay one operand.
    ShapeError
        Axes that meet are known to differ.

    Examples
    --------
    >>> from sympy import symbols, MatrixSymbol
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> contraction(A * X * X.T).network.to_einsum()
    'ab,bc,dc->ad'
    """
    builder = Builder()
    axes = axes_of(expr, builder)
    return finish(builder, axes)


def finish(builder: Builder, axes: tuple[Axis, ...]) -> Contraction:
    """Read the network off a builder."""
    factors, used = [], set()
    for expr, indices in builder.factors:
        fixed, split, free = [], [], []
        for index in indices:
            atoms = builder.atoms((index,))
            whole = len(atoms) == 1 and atoms[0] in builder.values
            fixed.append(builder.values[atoms[0]] if whole else None)
            if not whole:
                split.append(tuple(builder.sizes[i] for i in atoms))
                free += atoms
        factors.append(Factor(Operand(expr, tuple(fixed), tuple(split)), tuple(free)))
        used.update(free)
    output = [tuple(i for i in builder.atoms(axis) if i not in builder.values) for axis in axes]
    shown = used | {i for axis in output for i in axis}
    for index in builder.roots():
        if index not in shown:
            builder.coefficient *= builder.sizes[index]  # summed over, and no factor depends on it
    network = Network(tuple(factors), tuple(i for axis in output for i in axis))
    sizes = {index: builder.sizes[index] for index in shown}
    return Contraction(builder.coefficient, network, tuple(map(len, output)), sizes)


@singledispatch
def axes_of(expr: Basic, builder: Builder) -> tuple[Axis, ...]:
    """Add the factors of a node to the builder, and return its axes. Without a rule a node is one operand."""
    if not isinstance(expr, Basic):
        raise UnsupportedNodeError(f"{type(expr).__name__} is not a SymPy expression")
    if getattr(expr, "free_symbols", set()) & builder.scope.keys():
        raise UnsupportedNodeError(f"{type(expr).__name__} has no rule as part of a product, and uses a summation index: {expr}")
    shape = array_shape(expr)
    if not shape:
        builder.coefficient *= expr
        return ()
    return builder.leaf(expr, shape)


def scalar(expr: Expr, builder: Builder) -> None:
    """A scalar factor."""
    if axes_of(expr, builder):
        raise ShapeError(f"{expr} stands where a scalar is expected")


@axes_of.register(MatrixSymbol)
@axes_of.register(ArraySymbol)
@axes_of.register(MatrixBase)
@axes_of.register(NDimArray)
def _symbol(expr: Basic, builder: Builder) -> tuple[Axis, ...]:
    return builder.leaf(expr, array_shape(expr))


@axes_of.register(FamilyMember)
def _member(expr: FamilyMember, builder: Builder) -> tuple[Axis, ...]:
    family: MatrixFamily = expr.family
    head, rows, cols = builder.leaf(family, family.shape)
    builder.bind(head, expr.head, expr)
    return rows, cols


@axes_of.register(Identity)
def _identity(expr: Identity, builder: Builder) -> tuple[Axis, ...]:
    axis = (builder.new(expr.rows),)
    return axis, axis


@axes_of.register(OneMatrix)
def _ones(expr: OneMatrix, builder: Builder) -> tuple[Axis, ...]:
    """Indices that no factor has."""
    return tuple((builder.new(size),) for size in expr.shape)


@axes_of.register(DiagMatrix)
def _diagonal(expr: DiagMatrix, builder: Builder) -> tuple[Axis, ...]:
    """Of a column or a row: its long axis, twice; the other one is summed over its one place."""
    rows, cols = axes_of(expr.args[0], builder)
    return (rows, rows) if expr.args[0].cols == 1 else (cols, cols)


@axes_of.register(Transpose)
def _transpose(expr: Transpose, builder: Builder) -> tuple[Axis, ...]:
    rows, cols = axes_of(expr.arg, builder)
    return cols, rows


@axes_of.register(MatMul)
def _matmul(expr: MatMul, builder: Builder) -> tuple[Axis, ...]:
    axes: tuple[Axis, ...] | None = None
    for arg in expr.args:
        if not arg.is_Matrix:
            scalar(arg, builder)
            continue
        rows, cols = axes_of(arg, builder)
        if axes is not None:
            builder.identify(axes[1], rows, expr)
            rows = axes[0]
        axes = rows, cols
    return axes


@axes_of.register(HadamardProduct)
def _hadamard(expr: HadamardProduct, builder: Builder) -> tuple[Axis, ...]:
    first, *others = (axes_of(arg, builder) for arg in expr.args)
    for other in others:
        for a, b in zip(first, other, strict=True):
            builder.identify(a, b, expr)
    return first


@axes_of.register(HadamardPower)
def _hadamard_power(expr: HadamardPower, builder: Builder) -> tuple[Axis, ...]:
    if not (isinstance(expr.exp, Integer) and 0 < expr.exp <= MAX_POWER):
        return axes_of.dispatch(Basic)(expr, builder)
    return _hadamard(HadamardProduct(*[expr.base] * int(expr.exp)), builder)


@axes_of.register(KroneckerProduct)
def _kronecker(expr: KroneckerProduct, builder: Builder) -> tuple[Axis, ...]:
    rows, cols = zip(*(axes_of(arg, builder) for arg in expr.args), strict=True)
    return sum(rows, ()), sum(cols, ())


@axes_of.register(Vec)
def _vec(expr: Vec, builder: Builder) -> tuple[Axis, ...]:
    rows, cols = axes_of(expr.matrix, builder)
    return rows + cols, ()


@axes_of.register(Trace)
def _trace(expr: Trace, builder: Builder) -> tuple[Axis, ...]:
    rows, cols = axes_of(expr.arg, builder)
    builder.identify(rows, cols, expr)
    return ()


@axes_of.register(ApplyBilinear)
def _bilinear(expr: ApplyBilinear, builder: Builder) -> tuple[Axis, ...]:
    tensor, x, y = expr.args
    (i, j, k), position = axes_of(tensor, builder), builder.new(expr.positions)
    for column, axis in ((x, j), (y, k)):
        rows, one = axes_of(column, builder)
        builder.identify(one, (), expr)
        builder.identify((position, *axis), rows, expr)
    return (position, *i), ()


@axes_of.register(TensorDot)
def _tensor_dot(expr: TensorDot, builder: Builder) -> tuple[Axis, ...]:
    left, j, right, k = expr.args
    a, b = list(axes_of(left, builder)), list(axes_of(right, builder))
    builder.identify(a.pop(int(j) - 1), b.pop(int(k) - 1), expr)
    return (*a, *b)


@axes_of.register(Row)
def _row(expr: Row, builder: Builder) -> tuple[Axis, ...]:
    rows, cols = axes_of(expr.args[0], builder)
    builder.bind(rows, expr.args[1], expr)
    return (cols,)


@axes_of.register(MatrixElement)
def _matrix_element(expr: MatrixElement, builder: Builder) -> tuple[Axis, ...]:
    for axis, index in zip(axes_of(expr.parent, builder), expr.indices, strict=True):
        builder.bind(axis, index, expr)
    return ()


@axes_of.register(ArrayElement)
def _array_element(expr: ArrayElement, builder: Builder) -> tuple[Axis, ...]:
    for axis, index in zip(axes_of(expr.name, builder), expr.indices, strict=True):
        builder.bind(axis, index, expr)
    return ()


@axes_of.register(KroneckerDelta)
def _delta(expr: KroneckerDelta, builder: Builder) -> tuple[Axis, ...]:
    left, right = expr.args
    if right in builder.scope:
        left, right = right, left
    if left in builder.scope:
        builder.bind((builder.scope[left],), right, expr)
    else:
        builder.coefficient *= expr
    return ()


@axes_of.register(MatrixSum)
@axes_of.register(IndexSum)
@axes_of.register(Sum)
def _sum(expr: Expr, builder: Builder) -> tuple[Axis, ...]:
    outer = dict(builder.scope)
    builder.sum_over(expr.args[1:], expr)
    axes = axes_of(expr.args[0], builder)
    builder.scope = outer
    return axes


@axes_of.register(Mul)
def _mul(expr: Mul, builder: Builder) -> tuple[Axis, ...]:
    axes: tuple[Axis, ...] = ()
    for arg in expr.args:
        found = axes_of(arg, builder)
        if axes and found:
            raise ShapeError(f"{expr} multiplies two arrays: write how with TensorDot")
        axes = axes or found
    return axes


@axes_of.register(Pow)
def _pow(expr: Pow, builder: Builder) -> tuple[Axis, ...]:
    base, exponent = expr.args
    uses_index = base.free_symbols & builder.scope.keys()
    if not uses_index:
        builder.coefficient *= expr
    elif isinstance(exponent, Integer) and 0 < exponent <= MAX_POWER:
        for _ in range(int(exponent)):
            scalar(base, builder)
    else:
        raise UnsupportedNodeError(f"the power {expr} of an indexed quantity is not a product")
    return ()


@axes_of.register(Add)
def _add(expr: Add, builder: Builder) -> tuple[Axis, ...]:
    return axes_of.dispatch(Basic)(expr, builder)
