"""The value of an expression at arrays of numbers, node by node with NumPy: an oracle that shares nothing with the package's printers."""

from functools import singledispatch

import numpy as np
import sympy
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions import ArraySymbol, ZeroArray

from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.functions import RowFunction, relu
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec


def number(expr, known) -> float:
    """A scalar that is made of sizes and numbers."""
    return float(sympy.sympify(expr).subs({s: known[s.name] for s in sympy.sympify(expr).free_symbols}))


@singledispatch
def value(expr, known):
    """known: name -> array, number, or place."""
    raise NotImplementedError(type(expr))


@value.register(sympy.MatrixSymbol)
@value.register(MatrixFamily)
@value.register(ArraySymbol)
def _(expr, known):
    found = np.asarray(known[str(expr.name)], dtype=float)
    shape = tuple(int(number(size, known)) for size in expr.shape)
    return found.reshape(shape)  # an array of order 1 is a column


@value.register(sympy.Symbol)
def _(expr, known):
    return known[expr.name]


@value.register(sympy.Number)
def _(expr, known):
    return float(expr)


@value.register(sympy.Pow)
def _(expr, known):
    return value(expr.base, known) ** float(expr.exp)


@value.register(sympy.Add)
@value.register(sympy.MatAdd)
def _(expr, known):
    return sum(value(arg, known) for arg in expr.args)


@value.register(sympy.Mul)
def _(expr, known):
    out = 1.0
    for arg in expr.args:
        out = out * value(arg, known)
    return out


@value.register(sympy.MatMul)
def _(expr, known):
    out = None
    scale = 1.0
    for arg in expr.args:
        found = value(arg, known)
        if arg.is_Matrix:
            out = found if out is None else out @ found
        else:
            scale *= found
    return scale * out


@value.register(sympy.MatPow)
def _(expr, known):
    return np.linalg.matrix_power(value(expr.base, known), int(expr.exp))


@value.register(sympy.Inverse)
def _(expr, known):
    return np.linalg.inv(value(expr.arg, known))


@value.register(sympy.HadamardProduct)
def _(expr, known):
    out = 1.0
    for arg in expr.args:
        out = out * value(arg, known)
    return out


@value.register(sympy.HadamardPower)
def _(expr, known):
    return value(expr.base, known) ** int(expr.exp)


@value.register(sympy.KroneckerProduct)
def _(expr, known):
    out = np.ones((1, 1))
    for arg in expr.args:
        out = np.kron(out, value(arg, known))
    return out


@value.register(sympy.Transpose)
def _(expr, known):
    return value(expr.arg, known).T


@value.register(sympy.Trace)
def _(expr, known):
    return np.trace(value(expr.arg, known))


@value.register(sympy.Identity)
def _(expr, known):
    return np.eye(int(number(expr.rows, known)))


@value.register(sympy.OneMatrix)
def _(expr, known):
    return np.ones([int(number(size, known)) for size in expr.shape])


@value.register(sympy.ZeroMatrix)
@value.register(ZeroArray)
def _(expr, known):
    return np.zeros([int(number(size, known)) for size in expr.shape])


@value.register(MatrixBase)
@value.register(NDimArray)
def _(expr, known):
    return np.array(expr.tolist(), dtype=float)


@value.register(sympy.BlockMatrix)
def _(expr, known):
    blocks = expr.blocks
    return np.block([[value(blocks[i, j], known) for j in range(blocks.cols)] for i in range(blocks.rows)])


@value.register(sympy.DiagMatrix)
def _(expr, known):
    return np.diag(value(expr.args[0], known).ravel())


@value.register(sympy.DiagonalOf)
def _(expr, known):
    return np.diag(value(expr.args[0], known)).reshape(-1, 1)


@value.register(Vec)
def _(expr, known):
    return value(expr.matrix, known).reshape(-1, 1)


@value.register(MatrixElement)
def _(expr, known):
    return value(expr.parent, known)[int(value(expr.i, known)), int(value(expr.j, known))]


@value.register(Row)
def _(expr, known):
    return value(expr.args[0], known)[int(value(expr.args[1], known))]


@value.register(FamilyMember)
def _(expr, known):
    return value(expr.family, known)[int(value(expr.head, known))]


@value.register(RowFunction)
def _(expr, known):
    assert expr.name == "softmax"
    found = np.exp(value(expr.matrix, known))
    return found / found.sum(axis=1, keepdims=True)


@value.register(ElementwiseApplyFunction)
def _(expr, known):
    x, body = expr.function.variables[0], expr.function.expr
    function = sympy.lambdify(x, body.replace(relu, lambda y: sympy.Max(y, 0)), "numpy")
    return function(value(expr.expr, known))


@value.register(relu)
def _(expr, known):
    return max(value(expr.args[0], known), 0.0)


@value.register(sympy.exp)
def _(expr, known):
    return np.exp(value(expr.args[0], known))


@value.register(MatrixSum)
@value.register(IndexSum)
def _(expr, known):
    ((index, low, high),) = expr.limits
    places = range(int(number(low, known)), int(number(high, known)) + 1)
    return sum(value(expr.body, known | {index.name: place}) for place in places)


@value.register(Contracted)
def _(expr, known):
    *inputs, output = expr.lists
    labels = list(dict.fromkeys(one for part in expr.lists for axis in part for one in axis))
    sizes = {one: int(number(expr.sizes[one], known)) for one in labels}
    arrays = [value(operand, known) for operand in expr.operands]
    split = [np.reshape(a, [sizes[one] for axis in part for one in axis]) for a, part in zip(arrays, inputs, strict=True)]
    shape = [sizes[one] for axis in output for one in axis]
    flat = [one for axis in output for one in axis]
    out = np.zeros(shape)
    for places in np.ndindex(*sizes.values()):  # the definition: a sum over all indices
        at = dict(zip(labels, places, strict=True))
        term = 1.0
        for array, part in zip(split, inputs, strict=True):
            term = term * array[tuple(at[one] for axis in part for one in axis)]
        out[tuple(at[one] for one in flat)] += term
    return out.reshape([int(np.prod([sizes[one] for one in axis])) for axis in output])
