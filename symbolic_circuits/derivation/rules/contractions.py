r"""Sums over indices: a contraction written with products of matrices, an expression as one contraction, an entry of a contraction."""

from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr, Mul, Symbol
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement

from symbolic_circuits.derivation.pieces import is_sum
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.express import express
from symbolic_circuits.syntax.sums import IndexSum

__all__ = ["AsContraction", "AsProducts", "EntryOfContraction"]


@dataclass(frozen=True, slots=True)
class AsProducts(Rule):
    r"""A contraction of tensors by index lists, written with products, transposes, elementwise products and traces.

    .. math:: \sum_j A_{ij} B_{kj} = (A B^\top)_{ik}

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> from symbolic_circuits.syntax.contract import contract
    >>> AsProducts().apply(contract("ij,kj->ik", MatrixSymbol("A", 2, 3), MatrixSymbol("B", 4, 3)))
    A*B.T
    """

    name: ClassVar[str] = "matrix notation"
    formula: ClassVar[str] = r"\sum_j A_{ij} B_{kj} = (A B^\top)_{ik}"
    needs: ClassVar[str] = "a contraction that products of matrices can write"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, Contracted):
            raise refused(self, expr)
        try:
            return express(expr, "matrix")
        except SymbolicCircuitsError as error:
            raise refused(self, expr, f"{expr}: {error}") from error

    @property
    def reason(self) -> Reason:
        return ("as products of matrices",)


@dataclass(frozen=True, slots=True)
class AsContraction(Rule):
    r"""A product of any kind as one sum over indices, factors and indices in the order of its normal form.

    .. math:: u^\top (A \odot B) v = \sum_{ij} u_i A_{ij} B_{ij} v_j

    Examples
    --------
    >>> from sympy import MatrixSymbol, Trace
    >>> A, B = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2)
    >>> AsContraction().apply(Trace(B * A))
    contract('ab,ba->', A, B)
    """

    name: ClassVar[str] = "index notation of a product"
    formula: ClassVar[str] = r"u^\top (A \odot B) v = \sum_{ij} u_i A_{ij} B_{ij} v_j"
    needs: ClassVar[str] = "a product that is one sum over indices"

    def apply(self, expr: Basic) -> Basic:
        if is_sum(expr):
            raise refused(self, expr)
        try:
            found = express(expr, "einsum")
        except SymbolicCircuitsError as error:
            raise refused(self, expr, f"{expr}: {error}") from error
        if found == expr or is_sum(found):
            raise refused(self, expr)
        return found

    @property
    def reason(self) -> Reason:
        return ("in indices",)


@dataclass(frozen=True, slots=True)
class EntryOfContraction(Rule):
    r"""An entry of a contraction is a sum over the indices that the output does not name.

    .. math:: \Bigl(\sum_j A_{ij} B_{jk}\Bigr)_{st} = \sum_j A_{sj} B_{jt}

    Parameters
    ----------
    symbols : those of the sum, one for each label that is summed over

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> from symbolic_circuits.syntax.contract import contract
    >>> a, b, c, p, q = symbols("a b c p q", integer=True, nonnegative=True)
    >>> f = contract("ab,ac->abc", MatrixSymbol("F", p, q), MatrixSymbol("G", p, q))
    >>> EntryOfContraction().apply(ArrayElement(f, (a, b, c)))
    F[a, b]*G[a, c]
    """

    symbols: tuple[Symbol, ...] = ()

    name: ClassVar[str] = "entry of a contraction"
    formula: ClassVar[str] = r"(F \cdot G)_{abc} = F_{ab} G_{ac}"
    needs: ClassVar[str] = (
        "an entry of a contraction of tensors along plain axes, and a symbol that is new for each index that is summed over"
    )

    def apply(self, expr: Basic) -> Basic:
        array, indices = entry_of(expr)
        lists = array.lists if isinstance(array, Contracted) else None
        if lists is None or any(len(axis) != 1 for labels in lists for axis in labels):
            raise refused(self, expr)
        summed, names = array.summed, {symbol.name for symbol in expr.atoms(Symbol)}
        if (
            len(summed) != len(set(self.symbols))
            or len(summed) != len(self.symbols)
            or names & {symbol.name for symbol in self.symbols}
        ):
            raise refused(self, expr)
        place = dict(zip(summed, self.symbols, strict=True))
        output = [axis[0] for axis in lists[-1]]
        if len(set(output)) < len(output):
            raise refused(self, expr)
        place |= dict(zip(output, indices, strict=True))
        factors = [
            element(operand, [place[axis[0]] for axis in labels])
            for labels, operand in zip(lists[:-1], array.operands, strict=True)
        ]
        limits = [(symbol, 0, array.sizes[label] - 1) for label, symbol in zip(summed, self.symbols, strict=True)]
        return IndexSum(Mul(*factors), *limits) if limits else Mul(*factors)

    @property
    def reason(self) -> Reason:
        return ("entry by entry",)


def entry_of(expr: Basic) -> tuple[Basic | None, tuple[Expr, ...]]:
    """The array that an entry is of, and the indices."""
    if isinstance(expr, MatrixElement):
        return expr.parent, (expr.i, expr.j)
    if isinstance(expr, ArrayElement):
        return expr.name, tuple(expr.indices)
    return None, ()


def element(array: Expr, indices: list[Expr]) -> Expr:
    """An entry; a scalar is its own."""
    if not indices:
        return array
    matrix = getattr(array, "is_Matrix", False) and len(array_shape(array)) == 2
    return MatrixElement(array, *indices) if matrix else ArrayElement(array, tuple(indices))
