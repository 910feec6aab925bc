r"""One einsum of values, written as a product of matrices where it is one, else as a contraction without contractions inside it.

.. math:: \text{contract}(\texttt{"ij,jk->ik"}, \text{contract}(\texttt{"ab,cb->ac"}, A, X), W) = \text{contract}(\texttt{"ab,cb,ck->ak"}, A, X, W)

The labels of an axis are a tuple: one label, several where the axis is a product that is split, none where it is stretched or has
size 1. They are any texts; what is written has letters.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from string import ascii_letters

from sympy import Expr, Identity, MatMul, MatrixExpr, Mul, OneMatrix, S, Transpose, ZeroMatrix
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ZeroArray

from symbolic_circuits.errors import NotationError, SymbolicCircuitsError
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import Contracted, contract
from symbolic_circuits.syntax.express.matrix import write_matrix
from symbolic_circuits.syntax.express.product import Part, Product
from symbolic_circuits.syntax.express.symbols import Symbols
from symbolic_circuits.tracing.values import Value

__all__ = ["Labels", "coefficient_of", "contracted", "is_zero", "scaled", "zero"]

Labels = tuple[str, ...]
Operand = tuple[Basic, tuple[Labels, ...]]
MAX_OPERANDS = 24  # beyond it a contraction stays an operand
NO_SYMBOLS = Symbols({}, {}, {})


def contracted(
    operands: Sequence[tuple[Value, Sequence[Labels]]],
    output: Sequence[Labels],
    sizes: Mapping[str, Expr],
) -> Value:
    """The sum over the labels that the output does not have of the product of entries.

    Parameters
    ----------
    operands : values, with the labels of each of their axes
    output : the labels of each axis of the result; every label is one of an operand
    sizes : of each label; those that meet have been compared
    """
    output = tuple(map(tuple, output))
    shape = tuple(Mul(*(sizes[label] for label in axis)) for axis in output)
    if any(is_zero(value.expr) for value, _ in operands):
        return zero(shape)
    coefficient, parts = S.One, []
    for value, labels in operands:
        factor, expr = coefficient_of(value.expr)
        coefficient *= factor
        if value.order == 0:
            coefficient *= expr
        else:
            parts.append((expr, (*map(tuple, labels), *[()] * (value.order == 1))))
    lists = Joined(dict(sizes), output + ((),) * (len(output) == 1))
    for expr, labels in parts:
        lists.add(expr, labels, room=MAX_OPERANDS - len(parts))
    return Value(scaled(coefficient, written(lists), shape), shape)


def coefficient_of(expr: Basic) -> tuple[Expr, Basic]:
    """The scalar in front, and what it stands in front of."""
    if isinstance(expr, MatMul):
        factors = [arg for arg in expr.args if not arg.is_Matrix]
        matrices = [arg for arg in expr.args if arg.is_Matrix]
        return (Mul(*factors), matrices[0] if len(matrices) == 1 else MatMul(*matrices)) if factors else (S.One, expr)
    if isinstance(expr, Mul):
        arrays = [arg for arg in expr.args if isinstance(arg, Contracted) and arg.shape]
        if len(arrays) == 1:
            return Mul(*(arg for arg in expr.args if arg != arrays[0])), arrays[0]
    return S.One, expr


def scaled(coefficient: Expr, expr: Basic, shape: Sequence[Expr]) -> Basic:
    """A multiple."""
    if coefficient == 0:
        return zero(shape).expr
    if coefficient == 1:
        return expr
    if isinstance(expr, MatrixExpr):
        own, matrix = coefficient_of(expr)
        factor = coefficient * own
        return matrix if factor == 1 else MatMul(factor, *(matrix.args if isinstance(matrix, MatMul) else (matrix,)))
    if getattr(expr, "is_Matrix", False):
        return expr * coefficient
    if shape and not isinstance(expr, Expr):  # a family, explicit entries
        labels = [[f"k{k}"] for k in range(len(shape))]
        expr = contract([[*chain(*labels)], [*chain(*labels)]], expr)
    return Mul(coefficient, expr)


def is_zero(expr: Basic) -> bool:
    """Whether a value is zero as it is written."""
    return isinstance(expr, ZeroMatrix | ZeroArray) or expr == 0


def zero(shape: Sequence[Expr]) -> Value:
    """Zero of a shape."""
    shape = tuple(shape)
    if not shape:
        return Value(S.Zero, shape)
    if len(shape) < 3:
        return Value(ZeroMatrix(shape[0], shape[1] if len(shape) == 2 else S.One), shape)
    return Value(ZeroArray(*shape), shape)


class Joined:
    """Operands and their labels, contractions among them opened up and labels found equal made one."""

    def __init__(self, sizes: dict[str, Expr], output: tuple[Labels, ...]) -> None:
        self.sizes, self.output = sizes, output
        self.operands: list[Operand] = []
        self.same: dict[str, Labels] = {}  # label -> the labels that it stands for

    def resolved(self, labels: Iterable[str]) -> Labels:
        """Labels as they are now called."""
        return tuple(chain.from_iterable(self.resolved(self.same[one]) if one in self.same else (one,) for one in labels))

    def add(self, expr: Basic, labels: tuple[Labels, ...], room: int) -> None:
        """One more operand."""
        if isinstance(expr, Transpose):
            return self.add(expr.arg, labels[::-1], room)
        if isinstance(expr, Contracted) and len(expr.operands) <= room and self.opened(expr, labels):
            return None
        self.operands.append((expr, labels))
        return None

    def opened(self, expr: Contracted, labels: tuple[Labels, ...]) -> bool:
        """Put the operands of a contraction in its place, unless its axes are split in another way."""
        prefix = f"{len(self.operands)}."
        *inputs, inner = tuple(tuple(tuple(prefix + one for one in axis) for axis in part) for part in expr.lists)
        sizes = {prefix + one: size for one, size in expr.sizes.items()}
        before = self.sizes, self.same
        self.sizes, self.same = self.sizes | sizes, dict(self.same)
        if not all(self.identify(self.resolved(a), self.resolved(b)) for a, b in zip(labels, inner, strict=True)):
            self.sizes, self.same = before
            return False
        self.operands += zip(expr.operands, inputs, strict=True)
        return True

    def identify(self, a: Labels, b: Labels) -> bool:
        """Make two lists of labels one axis, unless they split it in two ways."""
        if a == b:
            return True
        if len(a) != 1 != len(b):
            if [self.sizes[x] for x in a] != [self.sizes[y] for y in b]:
                return False
            return all(self.identify(self.resolved((x,)), self.resolved((y,))) for x, y in zip(a, b, strict=True))
        one, others = (b, a) if len(b) == 1 else (a, b)
        if one[0] in others:
            return False
        self.same[one[0]] = others
        return True

    def settled(self) -> tuple[list[Operand], tuple[Labels, ...]]:
        """Operands and output with the labels that are left; sizes that others say are not said twice."""
        operands = [(expr, tuple(self.resolved(axis) for axis in labels)) for expr, labels in self.operands]
        kept: list[Operand] = []
        for k, (expr, labels) in enumerate(operands):
            others = kept + operands[k + 1 :]
            single = {axis[0] for _, part in others for axis in part if len(axis) == 1}
            is_size = isinstance(expr, Identity) and labels[0] == labels[1] and len(labels[0]) == 1
            if not (is_size and labels[0][0] in single):
                kept.append((expr, labels))
        return kept, tuple(self.resolved(axis) for axis in self.output)


def written(lists: Joined) -> Basic:
    """A product of matrices where it is one without ones in it, else a contraction."""
    operands, output = lists.settled()
    used = list(dict.fromkeys(chain.from_iterable(chain.from_iterable(labels for _, labels in operands))))
    if not operands:
        return S.One
    if len(output) in (0, 2):
        found = matrix_form(operands, output, used, lists.sizes)
        if found is not None:
            return found
    names = dict(zip(used, ascii_letters if len(used) <= len(ascii_letters) else map(str, range(len(used))), strict=False))
    rename = lambda labels: [[names[one] for one in axis] for axis in labels]  # noqa: E731
    return contract([*(rename(labels) for _, labels in operands), rename(output)], *(expr for expr, _ in operands))


def matrix_form(
    operands: Sequence[Operand], output: tuple[Labels, ...], used: Sequence[str], sizes: Mapping[str, Expr]
) -> Basic | None:
    """The product of matrices; None where there is none, or only with vectors of ones for sums over one operand."""
    number = {label: k for k, label in enumerate(used)}
    held: dict[int, Expr] = {}
    parts, places = [], [number[one] for axis in output for one in axis]
    for expr, labels in operands:
        if isinstance(expr, Row) and isinstance(expr.args[0], Identity) and labels[0][0] in number:
            held[number[labels[0][0]]] = expr.args[1]
            continue
        if not isinstance(expr, MatrixExpr):
            return None
        if any(len(axis) > 1 for axis in labels):
            return None
        parts.append(Part(expr, tuple(tuple(number[one] for one in axis) for axis in labels)))
        shown = {one for axis in output for one in axis} if isinstance(expr, OneMatrix) else number.keys()
        places += [number[one] for axis in labels for one in axis if one in shown]
    if any(places.count(k) < 2 and k not in held for k in range(len(used))):
        return None
    grouped = tuple(tuple(number[one] for one in axis) for axis in output)
    try:
        return write_matrix(Product(S.One, tuple(parts), grouped, held, tuple(sizes[one] for one in used)), NO_SYMBOLS)
    except (NotationError, SymbolicCircuitsError, TypeError):
        return None
