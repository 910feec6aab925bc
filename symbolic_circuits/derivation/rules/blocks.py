r"""Matrices of blocks: [W_1 W_2] [x_1; x_2] = W_1 x_1 + W_2 x_2, and elementwise products block by block."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from sympy import BlockMatrix, Expr, HadamardProduct, MatMul
from sympy.core.basic import Basic

from symbolic_circuits.derivation.pieces import total
from symbolic_circuits.derivation.rules.products import product_of
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused

__all__ = ["BlockHadamard", "BlockProduct"]

Blocks = list[list[Expr]]


def blocks_of(matrix: Expr) -> Blocks:
    """The blocks, row by row; a matrix that is not made of blocks is one."""
    if not isinstance(matrix, BlockMatrix):
        return [[matrix]]
    rows, cols = matrix.blockshape
    return [[matrix.blocks[i, j] for j in range(cols)] for i in range(rows)]


def from_blocks(blocks: Blocks) -> Expr:
    """The matrix of these blocks; of one block that block."""
    return blocks[0][0] if len(blocks) == len(blocks[0]) == 1 else BlockMatrix(blocks)


@dataclass(frozen=True, slots=True)
class BlockProduct(Rule):
    r"""Neighbouring matrices of blocks multiply block by block.

    .. math:: \begin{pmatrix} W_1 & W_2 \end{pmatrix} \begin{pmatrix} x_1 \\ x_2 \end{pmatrix} = W_1 x_1 + W_2 x_2

    It ends because there are fewer factors afterwards.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A, B, x, y = (MatrixSymbol(name, 2, 2) for name in "ABxy")
    >>> BlockProduct().apply(BlockMatrix([[A, B]]) * BlockMatrix([[x], [y]]))
    A*x + B*y
    """

    name: ClassVar[str] = "product of blocks"
    formula: ClassVar[str] = r"\begin{pmatrix} A & B \end{pmatrix} \begin{pmatrix} x \\ y \end{pmatrix} = A x + B y"
    needs: ClassVar[str] = "a product with a matrix of blocks next to a matrix that splits alike"

    def apply(self, expr: Basic) -> Basic:
        factors = list(expr.args) if isinstance(expr, MatMul) else []
        for k, (left, right) in enumerate(pairwise(factors)):
            if multiply(left, right):
                return product_of([*factors[:k], product_of_blocks(left, right), *factors[k + 2 :]])
        raise refused(self, expr)

    @property
    def reason(self) -> Reason:
        return ("block by block",)


def multiply(left: Expr, right: Expr) -> bool:
    """Whether two neighbours are made of blocks that fit."""
    if not isinstance(left, BlockMatrix) and not isinstance(right, BlockMatrix):
        return False
    if not all(getattr(matrix, "is_Matrix", False) for matrix in (left, right)):
        return False
    (first, *_), other = blocks_of(left), blocks_of(right)
    return len(first) == len(other) and all(a.cols == row[0].rows for a, row in zip(first, other, strict=True))


def product_of_blocks(left: Expr, right: Expr) -> Expr:
    """Block by block."""
    a, b = blocks_of(left), blocks_of(right)
    entry = lambda row, j: total([product_of([x, b[k][j]]) for k, x in enumerate(row)], left)  # noqa: E731
    return from_blocks([[entry(row, j) for j in range(len(b[0]))] for row in a])


@dataclass(frozen=True, slots=True)
class BlockHadamard(Rule):
    r"""An elementwise product of matrices whose blocks have equal shapes, block by block.

    .. math:: \begin{pmatrix} a \\ b \end{pmatrix} \odot \begin{pmatrix} x \\ y \end{pmatrix}
        = \begin{pmatrix} a \odot x \\ b \odot y \end{pmatrix}

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> a, b, x, y = (MatrixSymbol(name, 2, 1) for name in "abxy")
    >>> BlockHadamard().apply(HadamardProduct(BlockMatrix([[a], [b]]), BlockMatrix([[x], [y]]))).blocks[1, 0]
    HadamardProduct(b, y)
    """

    name: ClassVar[str] = "elementwise product of blocks"
    formula: ClassVar[str] = (
        r"\begin{pmatrix} a \\ b \end{pmatrix} \odot \begin{pmatrix} x \\ y \end{pmatrix}"
        r" = \begin{pmatrix} a \odot x \\ b \odot y \end{pmatrix}"
    )
    needs: ClassVar[str] = "an elementwise product of matrices of blocks that split alike"

    def apply(self, expr: Basic) -> Basic:
        factors = expr.args if isinstance(expr, HadamardProduct) else ()
        if not factors or not all(isinstance(factor, BlockMatrix) for factor in factors):
            raise refused(self, expr)
        parts = [blocks_of(factor) for factor in factors]
        shapes = [[[block.shape for block in row] for row in blocks] for blocks in parts]
        if any(shape != shapes[0] for shape in shapes):
            raise refused(self, expr)
        rows, cols = len(parts[0]), len(parts[0][0])
        return from_blocks([[HadamardProduct(*(blocks[i][j] for blocks in parts)) for j in range(cols)] for i in range(rows)])

    @property
    def reason(self) -> Reason:
        return ("block by block",)
