r"""Sums over symbols: bound symbols renamed, the order of limits and summands, a finite sum written out, heads collected."""

from dataclasses import dataclass
from typing import ClassVar

from sympy import Add, Expr, HadamardProduct, MatAdd, Symbol, Tuple
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArrayAdd

from symbolic_circuits.derivation.pieces import summands, total
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["CollectHeads", "Rename", "Reorder", "WriteOut"]


@dataclass(frozen=True, slots=True)
class Rename(Rule):
    r"""Bound symbols get other names, and sums that are next to each other change places.

    .. math:: \sum_h A^h = \sum_g A^g

    Parameters
    ----------
    symbols : the bound symbols of the result in their order, each with the symbol that it was: (old, new)

    Examples
    --------
    >>> from sympy import Symbol
    >>> from symbolic_circuits.syntax.family import MatrixFamily
    >>> h, g = (Symbol(name, integer=True, nonnegative=True) for name in "hg")
    >>> A = MatrixFamily("A", 4, 2, 2)
    >>> Rename(((h, g),)).apply(MatrixSum(A[h], (h, 0, 3)))
    sum[g=0..3] A[g]
    """

    symbols: tuple[tuple[Symbol, Symbol], ...]

    name: ClassVar[str] = "rename"
    formula: ClassVar[str] = r"\sum_h x_h = \sum_g x_g"
    needs: ClassVar[str] = "a sum that binds exactly the symbols that are renamed, to names that are different and not free in it"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatrixSum | IndexSum):
            raise refused(self, expr)
        new_of = dict(self.symbols)
        limits = {limit[0]: limit for limit in expr.limits}
        others = {s for limit in expr.limits for end in limit[1:] for s in end.atoms(Symbol)}
        free = (expr.body.atoms(Symbol) - set(limits)) | others
        if (
            not all(isinstance(new, Symbol) for new in new_of.values())
            or set(new_of) != set(limits)
            or len(set(new_of.values())) < len(new_of)
            or free & set(new_of.values())
        ):
            raise refused(self, expr)
        body = expr.body.xreplace(new_of)
        return expr.func(body, *(Tuple(new, *limits[old][1:]) for old, new in self.symbols))

    @property
    def reason(self) -> Reason:
        return ("rename the indices",)


@dataclass(frozen=True, slots=True)
class Reorder(Rule):
    r"""Summands, or factors of an elementwise product, in another order.

    .. math:: A + B = B + A, \qquad A \odot B = B \odot A

    Parameters
    ----------
    order : the number of the argument that comes first, second, ...

    Examples
    --------
    >>> from sympy import HadamardProduct, MatrixSymbol
    >>> A, B = MatrixSymbol("A", 2, 2), MatrixSymbol("B", 2, 2)
    >>> Reorder((1, 0)).apply(HadamardProduct(B, A)).args
    (A, B)
    """

    order: tuple[int, ...]

    name: ClassVar[str] = "reorder"
    formula: ClassVar[str] = r"A + B = B + A"
    needs: ClassVar[str] = "a sum of matrices or arrays, or an elementwise product, with that many arguments"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatAdd | HadamardProduct | ArrayAdd) or sorted(self.order) != list(range(len(expr.args))):
            raise refused(self, expr)
        return expr.func(*(expr.args[number] for number in self.order))

    @property
    def reason(self) -> Reason:
        return ("reorder",)


@dataclass(frozen=True, slots=True)
class WriteOut(Rule):
    r"""A sum over finitely many values as its summands.

    .. math:: \sum_{h=0}^{1} A^h = A^0 + A^1

    Examples
    --------
    >>> from sympy import Symbol
    >>> from symbolic_circuits.syntax.family import MatrixFamily
    >>> h = Symbol("h", integer=True, nonnegative=True)
    >>> WriteOut().apply(MatrixSum(MatrixFamily("A", 2, 2, 2)[h], (h, 0, 1)))
    A[0] + A[1]
    """

    name: ClassVar[str] = "write out the sum"
    formula: ClassVar[str] = r"\sum_{h=0}^{1} x_h = x_0 + x_1"
    needs: ClassVar[str] = "a sum whose ends are numbers"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatrixSum | IndexSum) or not expr.is_finite_sum():
            raise refused(self, expr)
        return total(list(expr.summands()), expr)

    @property
    def reason(self) -> Reason:
        return ("write the sum out",)


@dataclass(frozen=True, slots=True)
class CollectHeads(Rule):
    r"""Summands that are those of a finite sum become that sum.

    .. math:: A^0 x + A^1 x + y = \sum_{h} A^h x + y

    Parameters
    ----------
    total : the sum, with ends that are numbers

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol
    >>> from symbolic_circuits.syntax.family import MatrixFamily
    >>> h, A, X = Symbol("h", integer=True, nonnegative=True), MatrixFamily("A", 2, 2, 2), MatrixSymbol("X", 2, 2)
    >>> CollectHeads(MatrixSum(A[h] * X, (h, 0, 1))).apply(A[0] * X + X + A[1] * X)
    sum[h=0..1] A[h]*X + X
    """

    total: Expr

    name: ClassVar[str] = "collect heads"
    formula: ClassVar[str] = r"x_0 + x_1 = \sum_{h} x_h"
    needs: ClassVar[str] = "a sum that has every summand of the finite sum that is collected"

    def apply(self, expr: Basic) -> Basic:
        if (
            not isinstance(expr, MatAdd | Add)
            or not isinstance(self.total, MatrixSum | IndexSum)
            or not self.total.is_finite_sum()
        ):
            raise refused(self, expr)
        try:
            wanted = [part for summand in self.total.summands() for part in summands(summand)]
        except BudgetError:
            raise refused(self, expr) from None
        rest = list(expr.args)
        for summand in wanted:
            if summand not in rest:
                raise refused(self, expr, f"no {summand} in {expr}")
            rest.remove(summand)
        return total([self.total, *rest], expr)

    @property
    def reason(self) -> Reason:
        return ("collect the heads",)
