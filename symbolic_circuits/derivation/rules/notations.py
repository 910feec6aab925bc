r"""Notations: an entry of a matrix expression in indices, a row of one in tensor notation, a column in operators on vec.

| rule | from | to |
| --- | --- | --- |
| ToIndex | (A X W^T)_{sv} | sum_{u,j} A_{su} X_{uj} W_{vj} |
| ToTensor | row s of A X W^T | sum_u A_{su} (W ._{21} X_u) |
| ToOperator | vec(A X W^T) | (A (x) W) vec X |
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from sympy import Expr, HadamardProduct, Identity, KroneckerProduct, MatMul, MatrixSymbol, Mul, Symbol, Transpose, Tuple
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement, ArraySymbol

from symbolic_circuits.derivation.pieces import coefficient_of, fresh_symbol, scaled, summed
from symbolic_circuits.derivation.rules.products import flipped, product_of, split_scalars
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.expansion.notation.index import LETTERS
from symbolic_circuits.expansion.notation.writer import fresh_index
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Layer", "ToIndex", "ToOperator", "ToTensor"]

Layer = tuple[ArraySymbol, MatrixSymbol, MatrixSymbol, MatrixSymbol | None]  # B, W_1, W_2, W_out
LEAVES = MatrixSymbol | FamilyMember


@dataclass(frozen=True, slots=True)
class Switching(Rule):
    """What the rules of this module share: the layers whose products are written with their tensor B."""

    layers: tuple[Layer, ...] = ()
    avoid: tuple[Symbol, ...] = ()  # whose names no index gets

    def names_in(self, expr: Basic) -> set[str]:
        """Names that a new index does not get."""
        return {symbol.name for symbol in (*expr.atoms(Symbol), *self.avoid)}

    @property
    def defined(self) -> Iterable[Basic]:
        return tuple(layer[0] for layer in self.layers)

    def layer_of(self, matrix: Expr) -> tuple[ArraySymbol, Expr, Expr] | None:
        """B, X and Y of (X W_1^T . Y W_2^T) W_out^T."""
        for B, W_1, W_2, W_out in self.layers:
            hidden = matrix if W_out is None else before(matrix, W_out)
            if isinstance(hidden, HadamardProduct) and len(hidden.args) == 2:
                for left, right in (hidden.args, hidden.args[::-1]):  # SymPy orders the factors by name
                    x, y = before(left, W_1), before(right, W_2)
                    if x is not None and y is not None:
                        return B, x, y
        return None


def before(product: Expr | None, matrix: Expr) -> Expr | None:
    """X of X W^T; None where it is something else."""
    if not isinstance(product, MatMul) or product.args[-1] not in (Transpose(matrix), matrix.T):
        return None
    return product_of(product.args[:-1])


@dataclass
class Indices:
    """Index symbols that were not used yet."""

    taken: set[str]
    free: frozenset[Basic] = frozenset()  # symbols that are free in what is written
    limits: list[Tuple] = field(default_factory=list)

    def opened(self, matrix: MatrixSum) -> Expr:
        """The body of a sum, whose symbols are summed over from now on; those that are in use get other names."""
        body, used = matrix.body, self.free | {limit[0] for limit in self.limits}
        for symbol, low, high in matrix.limits:
            new = symbol
            if symbol in used:
                new = fresh_symbol(symbol, self.taken)
                body = body.xreplace({symbol: new})
            self.taken.add(new.name)
            self.limits.append(Tuple(new, low, high))
        return body

    def new(self, size: Expr, letters: str) -> Symbol:
        """A new symbol that is summed over."""
        symbol = fresh_index(letters, 0, self.taken)
        self.taken.add(symbol.name)
        self.limits.append(Tuple(symbol, 0, size - 1))
        return symbol


def letters_of(size: Expr) -> str:
    """The letters for indices of a size, by the name of the size."""
    return {"n": LETTERS["position"], "V": LETTERS["vocabulary"], "m": "pq"}.get(str(size), LETTERS["residual"])


@dataclass(frozen=True, slots=True)
class ToIndex(Switching):
    r"""An entry of a product of matrices as a sum over indices; products of layers through their tensor.

    .. math:: (A X W^\top)_{sv} = \sum_{u,j} A_{su} X_{uj} W_{vj}

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> n, d, s, v = symbols("n d s v", integer=True, nonnegative=True)
    >>> A, X, W = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
    >>> ToIndex().apply(MatrixElement(A * X * W.T, s, v))
    sum[i=0..d - 1, u=0..n - 1] A[s, u]*W[v, i]*X[u, i]
    """

    name: ClassVar[str] = "index notation"
    formula: ClassVar[str] = r"(A B)_{ik} = \sum_j A_{ij} B_{jk}"
    needs: ClassVar[str] = "an entry of a product, elementwise product, transpose or sum over heads of matrices"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatrixElement) or isinstance(expr.parent, LEAVES):
            raise refused(self, expr)
        indices = Indices(self.names_in(expr), frozenset(expr.free_symbols))
        factors = self.entry(expr.parent, expr.i, expr.j, indices)
        body = Mul(*factors)
        return IndexSum(body, *indices.limits) if indices.limits else body

    def entry(self, matrix: Expr, i: Expr, j: Expr, indices: Indices) -> list[Expr]:
        """The factors of an entry."""
        again = partial(self.entry, indices=indices)
        if isinstance(matrix, LEAVES):
            return [MatrixElement(matrix, i, j)]
        if isinstance(matrix, Transpose):
            return again(matrix.arg, j, i)
        layer = self.layer_of(matrix)
        if layer is not None:
            B, x, y = layer
            left, right = (indices.new(size, letters_of(size)) for size in (x.cols, y.cols))
            return [ArrayElement(B, (j, left, right)), *again(x, i, left), *again(y, i, right)]
        if isinstance(matrix, HadamardProduct):
            return [factor for arg in matrix.args for factor in again(arg, i, j)]
        if isinstance(matrix, MatrixSum):
            return again(indices.opened(matrix), i, j)
        if isinstance(matrix, MatMul):
            scalars, factors = split_scalars(matrix)
            if not any(isinstance(factor, Identity) for factor in factors):
                return [*scalars, *self.product(factors, i, j, indices)]
        raise refused(self, matrix)

    def product(self, factors: list[Expr], i: Expr, j: Expr, indices: Indices) -> list[Expr]:
        """The factors of an entry of a product, a layer at its end taken whole."""
        if len(factors) == 1:
            return self.entry(factors[0], i, j, indices)
        head, last = (
            (factors[:-2], MatMul(*factors[-2:])) if self.layer_of(MatMul(*factors[-2:])) else (factors[:-1], factors[-1])
        )
        if not head:
            return self.entry(last, i, j, indices)
        middle = indices.new(last.rows, letters_of(last.rows))
        return [*self.product(head, i, middle, indices), *self.entry(last, middle, j, indices)]

    @property
    def reason(self) -> Reason:
        return ("in indices",)


@dataclass(frozen=True, slots=True)
class ToTensor(Switching):
    r"""A row of a matrix expression as a vector: products from the right are inner products, those from the left are sums.

    .. math:: (A X W^\top)_s = \sum_u A_{su} \, W \cdot_{21} X_u, \qquad
        (X W_1^\top \odot Y W_2^\top)_s = X_s \cdot_{12} B \cdot_{21} Y_s

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> n, d, s = symbols("n d s", integer=True, nonnegative=True)
    >>> A, X, W = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d), MatrixSymbol("W", d, d)
    >>> ToTensor().apply(Row(A * X * W.T, s))
    W ._21 (sum[u=0..n - 1] A[s, u]*X[u,:])

    References
    ----------
    Sharkey 2023, arXiv 2305.03452: the tensor inner product.
    """

    name: ClassVar[str] = "tensor notation"
    formula: ClassVar[str] = r"(A X W^\top)_s = \sum_u A_{su} \, W \cdot_{21} X_u"
    needs: ClassVar[str] = "a row of a product of matrices, of a layer, or of a sum over heads"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, Row) or isinstance(expr.args[0], LEAVES):
            raise refused(self, expr)
        return self.row(expr.args[0], expr.args[1], self.names_in(expr))

    def row(self, matrix: Expr, s: Expr, taken: set[str]) -> Expr:
        """Row s of a matrix."""
        if isinstance(matrix, LEAVES):
            return Row(matrix, s)
        layer = self.layer_of(matrix)
        if layer is not None:
            B, x, y = layer
            return TensorDot(TensorDot(self.row(x, s, taken), 1, B, 2), 2, self.row(y, s, taken), 1)
        if isinstance(matrix, MatrixSum):
            inner = Indices(taken, frozenset(matrix.free_symbols | s.free_symbols))
            body = inner.opened(matrix)
            return summed(self.row(body, s, taken), inner.limits)
        coefficient, product = coefficient_of(matrix)
        if coefficient != 1:
            return scaled(coefficient, self.row(product, s, taken))
        if not isinstance(matrix, MatMul) or any(isinstance(factor, Identity) for factor in matrix.args):
            raise refused(self, matrix)
        first, *others = matrix.args
        *rest, last = matrix.args
        weights = flipped(last)
        from_right = isinstance(weights, LEAVES) and isinstance(last, Transpose) and not self.layer_of(MatMul(*matrix.args[-2:]))
        if from_right and not is_one_head(first, weights):
            return TensorDot(weights, 2, self.row(product_of(rest), s, taken), 1)
        if not isinstance(first, LEAVES):
            raise refused(self, matrix)
        u = fresh_index(LETTERS["position"], 0, taken)
        taken.add(u.name)
        return IndexSum(MatrixElement(first, s, u) * self.row(product_of(others), u, taken), (u, 0, first.cols - 1))

    @property
    def reason(self) -> Reason:
        return ("in tensor notation",)


def is_one_head(first: Expr, last: Expr) -> bool:
    """Whether two matrices are the pattern and the weights of one head."""
    return isinstance(first, FamilyMember) and isinstance(last, FamilyMember) and first.head == last.head


@dataclass(frozen=True, slots=True)
class ToOperator(Rule):
    r"""The column of a product of matrices as an operator on the column of one of its factors.

    .. math:: \operatorname{vec}(A X W^\top) = (A \otimes W) \operatorname{vec} X

    Parameters
    ----------
    matrix : the factor X that stays; it occurs once

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A, X, W = MatrixSymbol("A", 3, 3), MatrixSymbol("X", 3, 2), MatrixSymbol("W", 4, 2)
    >>> ToOperator(X).apply(Vec(A * X * W.T))
    (KroneckerProduct(A, W))*vec(X)

    References
    ----------
    Elhage et al. 2021, A Mathematical Framework for Transformer Circuits: attention heads as tensor products.
    """

    matrix: Expr

    name: ClassVar[str] = "operator notation"
    formula: ClassVar[str] = r"\operatorname{vec}(A X W^\top) = (A \otimes W) \operatorname{vec} X"
    needs: ClassVar[str] = "the column vec of a product that has the matrix as a factor once"

    def apply(self, expr: Basic) -> Basic:
        product = expr.matrix if isinstance(expr, Vec) else None
        if not isinstance(product, MatMul) or product.args.count(self.matrix) != 1:
            raise refused(self, expr)
        scalars, factors = split_scalars(product)
        if self.matrix not in factors:
            raise refused(self, expr)
        place = factors.index(self.matrix)
        left = product_of(factors[:place]) if place else Identity(product.rows)
        right = product_of([flipped(factor) for factor in reversed(factors[place + 1 :])] or [Identity(product.cols)])
        return MatMul(*scalars, KroneckerProduct(left, right), Vec(self.matrix))

    @property
    def reason(self) -> Reason:
        return ("as operators on ", Vec(self.matrix))
