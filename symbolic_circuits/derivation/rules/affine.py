r"""Layers with biases or gates at columns, folded: B(x, y) and what the biases make of it, W_L x + W_R y + b_B."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sympy import Expr, HadamardProduct, Identity, KroneckerProduct, MatAdd, MatMul, MatrixSymbol, OneMatrix
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.rules.definitions import argument_of
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.vec import Vec

__all__ = ["FoldAffineLayer", "FoldGatedLayer"]


@dataclass(frozen=True, slots=True)
class FoldAffineLayer(Rule):
    r"""A bilinear layer with biases is its third-order tensor, a matrix on each input, and a constant.

    .. math:: W_{out}\bigl((W_1 x + b_1) \odot (W_2 y + b_2)\bigr) = B(x, y) + W_L x + W_R y + b_B

    at every position: :math:`W` stands for :math:`\mathrm{Id} \otimes W` and :math:`b` for :math:`(\mathrm{Id} \otimes b) \mathbf{1}`.
    With tied weights and x = y the two linear parts are one.

    References
    ----------
    Sharkey 2023, arXiv 2305.03452: bilinear layers with biases.
    """

    B: ArraySymbol
    W_1: MatrixSymbol
    W_2: MatrixSymbol
    W_out: MatrixSymbol | None = None  # None: the identity
    b_1: MatrixSymbol | None = None
    b_2: MatrixSymbol | None = None
    W_L: MatrixSymbol | None = None  # where there is b_2
    W_R: MatrixSymbol | None = None  # where there is b_1
    b_B: MatrixSymbol | None = None  # where there are both

    name: ClassVar[str] = "fold an affine layer"
    formula: ClassVar[str] = r"W_{\mathrm{out}}\bigl((W_1 x + b_1) \odot (W_2 y + b_2)\bigr) = B(x, y) + W_L x + W_R y + b_B"
    needs: ClassVar[str] = "the layer with biases that B is the tensor of, at columns"

    def apply(self, expr: Basic) -> Basic:
        hidden = expr if self.W_out is None else argument_of(expr, self.W_out)
        if not isinstance(hidden, HadamardProduct) or len(hidden.args) != 2 or not (self.b_1 or self.b_2):
            raise refused(self, expr)
        x, y = affine(hidden.args[0], self.W_1, self.b_1), affine(hidden.args[1], self.W_2, self.b_2)
        if x is None or y is None:
            raise refused(self, expr)
        ones = OneMatrix(ApplyBilinear(self.B, x, y).positions, 1)
        if self.W_L is not None and self.W_L == self.W_R and x == y:
            linear = [MatMul(2, *at_positions(self.W_L, x, ones.rows).args)]
        else:
            linear = [at_positions(matrix, z, ones.rows) for matrix, z in ((self.W_L, x), (self.W_R, y)) if matrix is not None]
        constant = [] if self.b_B is None else [at_positions(self.b_B, ones, ones.rows)]
        return MatAdd(ApplyBilinear(self.B, x, y), *linear, *constant)

    @property
    def reason(self) -> Reason:
        return listed("definition of ", self.B, self.W_L, self.W_R, self.b_B)

    @property
    def defined(self) -> Iterable[Basic]:
        return present(self.B, self.W_L, self.W_R, self.b_B)


@dataclass(frozen=True, slots=True)
class FoldGatedLayer(Rule):
    r"""A layer with gates is linear in them and in its input.

    .. math:: W_{out}\bigl(g \odot (W_2 x + b_2)\bigr) = B(g, x) + W_L g, \qquad g = \operatorname{vec} G

    References
    ----------
    Shazeer 2020, GLU Variants Improve Transformer: the layer; here its gates are held fixed.
    """

    B: ArraySymbol
    G: MatrixSymbol
    W_2: MatrixSymbol
    W_out: MatrixSymbol | None = None  # None: the identity
    b_2: MatrixSymbol | None = None
    W_L: MatrixSymbol | None = None  # where there is b_2

    name: ClassVar[str] = "fold a gated layer"
    formula: ClassVar[str] = r"W_{\mathrm{out}}\bigl(g \odot (W_2 x + b_2)\bigr) = B(g, x) + W_L g"
    needs: ClassVar[str] = "the layer with these gates that B is the tensor of, at columns"

    def apply(self, expr: Basic) -> Basic:
        hidden = expr if self.W_out is None else argument_of(expr, self.W_out)
        if not isinstance(hidden, HadamardProduct) or len(hidden.args) != 2 or hidden.args[0] != Vec(self.G):
            raise refused(self, expr)
        x = affine(hidden.args[1], self.W_2, self.b_2)
        if x is None:
            raise refused(self, expr)
        value = ApplyBilinear(self.B, Vec(self.G), x)
        return value if self.W_L is None else MatAdd(value, at_positions(self.W_L, Vec(self.G), self.G.rows))

    @property
    def reason(self) -> Reason:
        return listed("definition of ", self.B, self.W_L)

    @property
    def defined(self) -> Iterable[Basic]:
        return present(self.B, self.W_L)


def affine(expr: Expr, weights: Expr, bias: Expr | None) -> Expr | None:
    """The column x of ``(Id (x) W) x``, or of ``(Id (x) W) x + (Id (x) b) 1``; None where it is something else."""
    if bias is None:
        return argument_of(expr, weights)
    if not isinstance(expr, MatAdd) or len(expr.args) != 2:
        return None
    ones = argument_of(expr.args[1], bias)
    return argument_of(expr.args[0], weights) if isinstance(ones, OneMatrix) else None


def at_positions(matrix: Expr, column: Expr, n: Expr) -> Expr:
    """(Id (x) W) x."""
    return MatMul(KroneckerProduct(Identity(n), matrix), *(column.args if isinstance(column, MatMul) else (column,)))


def present(*tensors: Basic | None) -> tuple[Basic, ...]:
    """Those that there are, each once."""
    return tuple(dict.fromkeys(tensor for tensor in tensors if tensor is not None))


def listed(words: str, *tensors: Basic | None) -> Reason:
    """Words and a list of tensors."""
    found = present(*tensors)
    return (words, found[0], *(piece for tensor in found[1:] for piece in (", ", tensor)))
