r"""Contraction by index lists: contract("ij,jk->ik", A, B) is the matrix sum_j A_{ij} B_{jk}, the meaning being numpy.einsum's.

Every axis of an operand carries a label. Labels of one name are one index; what the output does not name is summed over. An index
may occur any number of times, in the output as well: ``"i->ii"`` is a diagonal matrix. A label list in parentheses is an axis whose
size is a product, read row by row: ``"ij->(ij)()"`` is the column vec(X), and ``()`` an axis of size 1.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, product
from math import prod
from typing import ClassVar

from sympy import Add, Expr, Identity, ImmutableMatrix, IndexedBase, MatrixExpr, Mul
from sympy.core.basic import Basic
from sympy.core.sympify import _sympify
from sympy.printing.precedence import PRECEDENCE
from sympy.tensor.array import ImmutableDenseNDimArray
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)

from symbolic_circuits.errors import BudgetError, ShapeError, SymbolicCircuitsError
from symbolic_circuits.syntax.arrays import Row, array_shape
from symbolic_circuits.syntax.builder import Builder
from symbolic_circuits.syntax.calculus import no_derivative
from symbolic_circuits.syntax.contract_printing import to_latex, to_numpy
from symbolic_circuits.syntax.contraction import axes_of
from symbolic_circuits.syntax.explicit import explicit_array, explicit_matrix
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.subscripts import Labels, Lists, as_tuple, call, read, sizes_of

__all__ = ["MatrixContraction", "ScalarContraction", "TensorContraction", "contract"]

MAX_PRODUCTS = 1_000_000


def contract(subscripts: str | Sequence, *operands: Basic) -> "Contracted":
    r"""The unevaluated contraction of operands by index lists.

    .. math:: \text{out}_{o} = \sum_{\text{labels not in } o} \prod_k (\text{operand}_k)_{\text{labels}_k}

    Parameters
    ----------
    subscripts : an einsum string, ``"ij,jk->ik"``; without ``->`` the output is, as in NumPy, the letters that occur once, in
        alphabetical order. Or a list of label lists, one an operand and then the output's, for words and for more letters than
        there are: ``[["row", "j"], ["j", "col"], ["row", "col"]]``. A group of labels in parentheses (a list within a list) is an
        axis whose size is the product of theirs.
    operands : matrices, array symbols and expressions, families (heads first), indexed bases with a shape, and scalars (no label)

    Returns
    -------
    A matrix expression for an output of two axes, a scalar for none, an array expression otherwise.

    Raises
    ------
    NotationError
        The subscripts are malformed, or the output has a label that no operand has.
    ShapeError
        There are more or fewer label lists than operands, or labels than axes; or a label stands for sizes known to differ.

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> contract("ij,jk->ik", A, X), contract("ij,jk->ik", A, X).shape
    (contract('ij,jk->ik', A, X), (n, d))
    >>> contract("ij,ij,ik->ijk", A, A, X).shape
    (n, n, d)
    >>> contract("ij,kj->ik", MatrixSymbol("P", 2, 2), MatrixSymbol("Q", 2, 3))
    Traceback (most recent call last):
    ...
    symbolic_circuits.errors.ShapeError: contract('ij,kj->ik', P, Q) with shapes (2, 2), (2, 3): j, which is axis 1 of P, has size 2, but axis 1 of Q has size 3
    """
    lists = read(subscripts)
    order = len(lists[-1])
    kind = {0: ScalarContraction, 2: MatrixContraction}.get(order, TensorContraction)
    return kind(subscripts, *operands)


class Contracted:
    """What contractions of every order share: the label lists and the operands."""

    orders: ClassVar[str]

    def __new__(cls, subscripts: str | Sequence, *operands: Basic) -> "Contracted":
        lists, operands = read(subscripts), tuple(map(_sympify, operands))
        try:
            sizes = sizes_of(lists, operands)
            if not cls.has_order(len(lists[-1])):
                raise ShapeError(f"a {cls.__name__} has {cls.orders} output axes; the subscripts give {len(lists[-1])}")
        except SymbolicCircuitsError as error:
            raise type(error)(f"{call(lists, operands)} with shapes {shapes(operands)}: {error}") from error
        obj = super().__new__(cls, as_tuple(lists), *operands)
        obj._lists, obj._sizes = lists, sizes
        obj._shape = tuple(Mul(*(sizes[label] for label in axis)) for axis in lists[-1])
        return obj

    @property
    def lists(self) -> Lists:
        """The labels of the axes of each operand, then those of the output."""
        return self._lists

    @property
    def operands(self) -> tuple[Basic, ...]:
        """What is contracted."""
        return self.args[1:]

    @property
    def sizes(self) -> Mapping[str, Expr]:
        """The size of each label."""
        return dict(self._sizes)

    @property
    def shape(self) -> tuple[Expr, ...]:
        """The sizes of the output axes."""
        return self._shape

    @property
    def summed(self) -> list[str]:
        """The labels that are summed over, in order of first occurrence."""
        output = set(chain.from_iterable(self.lists[-1]))
        labels = chain.from_iterable(chain.from_iterable(self.lists[:-1]))
        return [label for label in dict.fromkeys(labels) if label not in output]

    def doit(self, **hints: bool) -> Basic:
        """The value where the operands are explicit."""
        operands = [operand.doit(**hints) if hasattr(operand, "doit") else operand for operand in self.operands]
        found = value(self.lists, operands)
        return self.func(self.args[0], *operands) if found is None else found

    def _sympystr(self, printer: object) -> str:
        return call(self.lists, map(printer._print, self.operands))

    def _latex(self, printer: object) -> str:
        return to_latex(self, printer)

    def _numpycode(self, printer: object) -> str:
        return to_numpy(self, printer)

    def _einsumcode(self, printer: object) -> str:
        return printer.product(self)


class ScalarContraction(Contracted, Expr):
    r"""A contraction without output axes, such as :math:`\sum_{ij} A_{ij} B_{ij}`.

    >>> from sympy import MatrixSymbol
    >>> contract("ij,ij->", MatrixSymbol("A", 2, 3), MatrixSymbol("B", 2, 3))
    contract('ij,ij->', A, B)
    """

    is_commutative = True
    orders = "no"
    precedence = PRECEDENCE["Mul"] - 1  # in LaTeX it is a sum

    @staticmethod
    def has_order(order: int) -> bool:
        """Whether a contraction with so many output axes is one of these."""
        return order == 0


class MatrixContraction(Contracted, MatrixExpr):
    r"""A contraction with two output axes, a matrix expression such as :math:`\sum_p B_{ijp} v_p`.

    >>> from sympy import MatrixSymbol
    >>> contract("ij->ji", MatrixSymbol("A", 2, 3)).as_explicit().shape
    (3, 2)
    """

    orders = "two"
    precedence = PRECEDENCE["Atom"]
    _eval_derivative = no_derivative

    @staticmethod
    def has_order(order: int) -> bool:
        """Whether a contraction with so many output axes is one of these."""
        return order == 2

    def as_explicit(self) -> ImmutableMatrix:
        """The matrix of entries; all sizes must be numbers."""
        operands = [operand.as_explicit() if hasattr(operand, "as_explicit") else operand for operand in self.operands]
        found = value(self.lists, operands)
        return super().as_explicit() if found is None else found

    def _entry(self, i: Expr, j: Expr, **kwargs: object) -> Expr:
        """The scalar contraction in which the output labels are held."""
        rows = [Row(Identity(size), index) for size, index in zip(self.shape, (i, j), strict=True)]
        lists = (*self.lists[:-1], *((axis,) for axis in self.lists[-1]), ())
        return ScalarContraction(as_tuple(lists), *self.operands, *rows)

    def _eval_transpose(self) -> "MatrixContraction":
        rows, cols = self.lists[-1]
        return self.func(as_tuple((*self.lists[:-1], (cols, rows))), *self.operands)


class TensorContraction(Contracted, Expr):
    r"""A contraction with one output axis, or three or more: an array expression.

    >>> from sympy import MatrixSymbol
    >>> contract("ij->i", MatrixSymbol("A", 2, 3)).shape
    (2,)
    """

    is_commutative = True
    orders = "one, or three or more"
    precedence = PRECEDENCE["Atom"]

    @staticmethod
    def has_order(order: int) -> bool:
        """Whether a contraction with so many output axes is one of these."""
        return order not in (0, 2)


def shapes(operands: Iterable[Basic]) -> str:
    """The shapes of operands, for messages."""
    return ", ".join(f"({', '.join(map(str, array_shape(operand)))})" for operand in operands)


def explicit(operand: Basic) -> object:
    """An operand as an explicit array, a scalar as itself; None for what is symbolic."""
    if not array_shape(operand):
        return operand
    found = explicit_array(operand)
    if found is None and isinstance(operand, OneArray | ZeroArray) and not operand.free_symbols:
        found = operand.as_explicit()
    return explicit_matrix(operand) if found is None else found


def value(lists: Lists, operands: Sequence[Basic]) -> Basic | None:
    """The contraction worked out; None where an operand is symbolic."""
    arrays = [explicit(operand) for operand in operands]
    if any(array is None for array in arrays):
        return None
    sizes = {label: int(size) for label, size in sizes_of(lists, operands).items()}
    count = prod(sizes.values())
    if count > MAX_PRODUCTS:
        raise BudgetError(f"a contraction of {count} products was asked to be written out; the limit is {MAX_PRODUCTS}")
    entries: dict[tuple[int, ...], list[Expr]] = {}
    for places in product(*map(range, sizes.values())):
        at = dict(zip(sizes, places, strict=True))
        where = [tuple(place(axis, at, sizes) for axis in part) for part in lists]
        factors = (array[w] if w else array for array, w in zip(arrays, where, strict=False))
        entries.setdefault(where[-1], []).append(Mul(*factors))
    shape = [prod(sizes[label] for label in axis) for axis in lists[-1]]
    flat = [Add(*entries.get(where, ())) for where in product(*map(range, shape))]
    if not shape:
        return flat[0]
    return ImmutableMatrix(*shape, flat) if len(shape) == 2 else ImmutableDenseNDimArray(flat, tuple(shape))


def place(labels: Labels, at: Mapping[str, int], sizes: Mapping[str, int]) -> int:
    """The place along an axis, row-major in its labels."""
    found = 0
    for label in labels:
        found = found * sizes[label] + at[label]
    return found


@axes_of.register(Contracted)
def _contracted(expr: Contracted, builder: Builder) -> tuple[tuple[int, ...], ...]:
    """The operands' axes identified with one index a label."""
    index = {label: builder.new(size) for label, size in expr.sizes.items()}
    for part, operand in zip(expr.lists, expr.operands, strict=False):
        for labels, axis in zip(part, axes_of(operand, builder), strict=True):
            builder.identify(tuple(index[label] for label in labels), axis, expr)
    return tuple(tuple(index[label] for label in axis) for axis in expr.lists[-1])


@axes_of.register(OneArray)
def _ones(expr: OneArray, builder: Builder) -> tuple[tuple[int, ...], ...]:
    """Indices that no factor has."""
    return tuple((builder.new(size),) for size in expr.shape)


@array_shape.register(TensorContraction)
@array_shape.register(ArrayAdd)
@array_shape.register(ArrayContraction)
@array_shape.register(ArrayDiagonal)
@array_shape.register(ArrayTensorProduct)
@array_shape.register(OneArray)
@array_shape.register(PermuteDims)
@array_shape.register(Reshape)
@array_shape.register(ZeroArray)
@array_shape.register(MatrixFamily)
def _own_shape(expr: Basic) -> tuple[Expr, ...]:
    """Array expressions carry their shape; a family has the heads in front."""
    return tuple(map(_sympify, expr.shape))


@array_shape.register(IndexedBase)
def _base_shape(expr: IndexedBase) -> tuple[Expr, ...]:
    """The shape that the base was made with."""
    if expr.shape is None:
        raise ShapeError(f"{expr} has no shape: IndexedBase(name, shape=(...))")
    return tuple(map(_sympify, expr.shape))
