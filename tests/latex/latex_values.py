"""The value of an expression at arrays of numbers, node by node with NumPy: an oracle that shares nothing with the reader or the prover.

Tensors are in ``known`` by name, functions as Python functions, indices and sizes as numbers. Integers stay exact.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import singledispatch
from math import prod
from string import ascii_letters

import numpy as np
import sympy
from opt_einsum import contract as einsum
from sympy.core.basic import Basic
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array.expressions import ArraySymbol, OneArray, ZeroArray
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.functions import RowFunction, relu
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

Known = Mapping[object, object]


def over_places(expr: Basic, names: Iterable[str], shape: tuple[int, ...], known: Known) -> np.ndarray:
    """The values at all places of some free indices, whose ranges are the first sizes of a shape."""
    names = list(names)
    return np.array(
        [value(expr, {**known, **dict(zip(names, at, strict=True))}) for at in np.ndindex(shape[: len(names)])]
    ).reshape(shape[: len(names)] + np.shape(value(expr, {**known, **dict.fromkeys(names, 0)})))


def plain(expr: Basic, known: Known) -> int:
    """A size, an index or a label as a whole number."""
    return int(value(expr, known))


def shape_of(expr: Basic, known: Known) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(plain(size, known) for size in expr.shape)


@singledispatch
def value(expr: Basic, known: Known) -> np.ndarray:
    """The value of a node."""
    raise NotImplementedError(f"{type(expr).__name__}: {expr}")


@value.register(sympy.MatrixSymbol)
@value.register(ArraySymbol)
@value.register(MatrixFamily)
def _tensor(expr: Basic, known: Known) -> np.ndarray:
    found = np.asarray(known[str(expr.name)])
    shape = shape_of(expr, known)
    assert found.shape in (shape, shape[:-1]), f"{expr} is {found.shape}, and was read as {shape}"
    return found.reshape(shape)  # an array of order 1 is a column


@value.register(sympy.Symbol)
def _symbol(expr: Basic, known: Known) -> object:
    return known[expr] if expr in known else known[expr.name]


@value.register(sympy.Number)
def _number(expr: Basic, known: Known) -> object:
    return int(expr) if expr.is_Integer else float(expr)


@value.register(sympy.Pow)
def _power(expr: Basic, known: Known) -> object:
    power = value(expr.exp, known)
    base = value(expr.base, known)
    return base**power if isinstance(power, int) and power >= 0 else float(base) ** power


@value.register(sympy.Add)
@value.register(sympy.MatAdd)
def _add(expr: Basic, known: Known) -> np.ndarray:
    terms = [value(arg, known) for arg in expr.args]
    assert len({np.shape(term) for term in terms}) == 1, f"a sum of {[np.shape(term) for term in terms]}: {expr}"
    return sum(terms[1:], terms[0])


@value.register(sympy.Mul)
def _mul(expr: Basic, known: Known) -> np.ndarray:
    parts = [value(arg, known) for arg in expr.args]
    assert sum(np.ndim(part) > 0 for part in parts) <= 1, f"a product of arrays: {expr}"
    return prod(parts[1:], start=parts[0])


@value.register(sympy.MatMul)
def _matmul(expr: Basic, known: Known) -> np.ndarray:
    scale, out = 1, None
    for arg in expr.args:
        found = value(arg, known)
        if arg.is_Matrix:
            out = found if out is None else out @ found
        else:
            scale = scale * found
    return scale * out


@value.register(sympy.MatPow)
def _matrix_power(expr: Basic, known: Known) -> np.ndarray:
    return np.linalg.matrix_power(value(expr.base, known), plain(expr.exp, known))


@value.register(sympy.Inverse)
def _inverse(expr: Basic, known: Known) -> np.ndarray:
    return np.linalg.inv(value(expr.arg, known))


@value.register(sympy.HadamardProduct)
def _hadamard(expr: Basic, known: Known) -> np.ndarray:
    parts = [value(arg, known) for arg in expr.args]
    assert len({part.shape for part in parts}) == 1
    return prod(parts[1:], start=parts[0])


@value.register(sympy.HadamardPower)
def _hadamard_power(expr: Basic, known: Known) -> np.ndarray:
    return value(expr.base, known) ** plain(expr.exp, known)


@value.register(sympy.KroneckerProduct)
def _kronecker(expr: Basic, known: Known) -> np.ndarray:
    out = np.ones((1, 1), dtype=int)
    for arg in expr.args:
        out = np.kron(out, value(arg, known))
    return out


@value.register(sympy.Transpose)
def _transpose(expr: Basic, known: Known) -> np.ndarray:
    return value(expr.arg, known).T


@value.register(sympy.Trace)
def _trace(expr: Basic, known: Known) -> object:
    return np.trace(value(expr.arg, known))


@value.register(sympy.Identity)
def _identity(expr: Basic, known: Known) -> np.ndarray:
    return np.eye(plain(expr.rows, known), dtype=int)


@value.register(sympy.OneMatrix)
@value.register(OneArray)
def _ones(expr: Basic, known: Known) -> np.ndarray:
    return np.ones(shape_of(expr, known), dtype=int)


@value.register(sympy.ZeroMatrix)
@value.register(ZeroArray)
def _zeros(expr: Basic, known: Known) -> np.ndarray:
    return np.zeros(shape_of(expr, known), dtype=int)


@value.register(MatrixBase)
def _explicit(expr: Basic, known: Known) -> np.ndarray:
    return np.array([[value(expr[i, j], known) for j in range(expr.cols)] for i in range(expr.rows)])


@value.register(sympy.BlockMatrix)
def _blocks(expr: Basic, known: Known) -> np.ndarray:
    rows, columns = expr.blockshape
    return np.block([[value(expr.blocks[i, j], known) for j in range(columns)] for i in range(rows)])


@value.register(sympy.DiagMatrix)
def _diagonal(expr: Basic, known: Known) -> np.ndarray:
    return np.diag(value(expr.args[0], known).ravel())


@value.register(sympy.DiagonalOf)
def _diagonal_of(expr: Basic, known: Known) -> np.ndarray:
    return np.diag(value(expr.args[0], known)).reshape(-1, 1)


@value.register(Vec)
def _vec(expr: Basic, known: Known) -> np.ndarray:
    return value(expr.args[0], known).reshape(-1, 1)


@value.register(MatrixElement)
def _element(expr: Basic, known: Known) -> object:
    return value(expr.parent, known)[plain(expr.i, known), plain(expr.j, known)]


@value.register(ArrayElement)
def _array_element(expr: Basic, known: Known) -> object:
    return value(expr.args[0], known)[tuple(plain(index, known) for index in expr.args[1])]


@value.register(Row)
def _row(expr: Basic, known: Known) -> np.ndarray:
    return value(expr.args[0], known)[plain(expr.args[1], known)]


@value.register(FamilyMember)
def _member(expr: Basic, known: Known) -> np.ndarray:
    return value(expr.family, known)[plain(expr.head, known)]


@value.register(RowFunction)
def _row_function(expr: Basic, known: Known) -> np.ndarray:
    assert expr.name == "softmax"
    return softmax(value(expr.matrix, known))


@value.register(ElementwiseApplyFunction)
def _elementwise(expr: Basic, known: Known) -> np.ndarray:
    variable, body = expr.function.variables[0], expr.function.expr
    return np.vectorize(lambda entry: value(body, {**known, variable: entry}), otypes=[float])(value(expr.expr, known))


@value.register(relu)
@value.register(sympy.exp)
@value.register(sympy.log)
@value.register(sympy.sin)
@value.register(sympy.cos)
@value.register(sympy.tanh)
def _function(expr: Basic, known: Known) -> object:
    rules: dict[object, Callable] = {relu: lambda x: max(x, 0)}
    return rules.get(type(expr), getattr(np, type(expr).__name__, None))(value(expr.args[0], known))


@value.register(AppliedUndef)
def _opaque(expr: Basic, known: Known) -> object:
    return known[type(expr).__name__](value(expr.args[0], known))


@value.register(MatrixSum)
@value.register(IndexSum)
def _sum(expr: Basic, known: Known) -> np.ndarray:
    (index, low, high), *rest = expr.limits
    body = expr.func(expr.body, *rest) if rest else expr.body
    places = range(plain(low, known), plain(high, known) + 1)
    return sum(value(body, {**known, index: place}) for place in places)


@value.register(TensorDot)
def _dot(expr: Basic, known: Known) -> np.ndarray:
    left, j, right, k = expr.args
    return np.tensordot(value(left, known), value(right, known), (plain(j, known) - 1, plain(k, known) - 1))


@value.register(ApplyBilinear)
def _bilinear(expr: Basic, known: Known) -> np.ndarray:
    tensor, x, y = (value(arg, known) for arg in expr.args)
    rows = [column.reshape(-1, tensor.shape[axis]) for axis, column in ((1, x), (2, y))]
    return np.einsum("ijk,sj,sk->si", tensor, *rows).reshape(-1, 1)


@value.register(Contracted)
def _contracted(expr: Basic, known: Known) -> np.ndarray:
    *inputs, output = expr.lists
    flat = [[label for axis in part for label in axis] for part in expr.lists]
    letters = dict(zip(dict.fromkeys(label for part in flat for label in part), ascii_letters, strict=False))
    sizes = {label: plain(expr.sizes[label], known) for label in letters}
    arrays = [
        np.reshape(value(operand, known), [sizes[label] for label in part])
        for operand, part in zip(expr.operands, flat, strict=False)
    ]
    words = ["".join(letters[label] for label in part) for part in flat]
    assert len(inputs) == len(arrays)
    return einsum(f"{','.join(words[:-1])}->{words[-1]}", *arrays).reshape(
        [prod(sizes[label] for label in axis) for axis in output]
    )


def softmax(x: np.ndarray) -> np.ndarray:
    """The softmax of each row."""
    found = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return found / found.sum(axis=-1, keepdims=True)
