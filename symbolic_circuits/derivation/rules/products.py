r"""Products of matrices: (A (x) B)(C (x) D) = AC (x) BD, Id A = A, (AB)^T = B^T A^T, A^2 = A A, tr(AB) = tr(BA)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from sympy import (
    DiagMatrix,
    Expr,
    HadamardPower,
    HadamardProduct,
    Identity,
    Integer,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatPow,
    MatrixExpr,
    OneMatrix,
    Trace,
    Transpose,
)
from sympy.core.basic import Basic

from symbolic_circuits.derivation.places import rebuilt
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused

__all__ = [
    "CyclicTrace",
    "FuseIdentity",
    "InsertIdentity",
    "MixedProduct",
    "TransposeProduct",
    "WritePower",
]

MAX_POWER = 64


def product_of(factors: Sequence[Expr]) -> Expr:
    """A product of matrices made flat, without identity matrices."""
    flat = [inner for factor in factors for inner in (factor.args if isinstance(factor, MatMul) else (factor,))]
    kept = [factor for factor in flat if not isinstance(factor, Identity)]
    if not any(getattr(factor, "is_Matrix", False) for factor in kept):  # a number times the identity
        kept += [factor for factor in flat if isinstance(factor, Identity)][:1]
    return MatMul(*kept) if len(kept) > 1 else kept[0]


@dataclass(frozen=True, slots=True)
class MixedProduct(Rule):
    r"""Neighbouring Kronecker products become one, identity matrices in their factors dropped.

    .. math:: (A \otimes B)(C \otimes D) = A C \otimes B D

    It ends because there are fewer factors afterwards.

    Examples
    --------
    >>> from sympy import KroneckerProduct, Identity, MatrixSymbol
    >>> A, W, E = MatrixSymbol("A", 3, 3), MatrixSymbol("W", 2, 2), MatrixSymbol("E", 2, 4)
    >>> MixedProduct().apply(KroneckerProduct(A, W) * KroneckerProduct(Identity(3), E))
    KroneckerProduct(A, W*E)
    """

    name: ClassVar[str] = "mixed product"
    formula: ClassVar[str] = r"(A \otimes B)(C \otimes D) = A C \otimes B D"
    needs: ClassVar[str] = "a product with neighbouring Kronecker products whose factors can be multiplied"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatMul):
            raise refused(self, expr)
        merged: list[Expr] = []
        for factor in expr.args:
            if merged and meet(merged[-1], factor):
                pairs = zip(merged[-1].args, factor.args, strict=True)
                merged[-1] = rebuilt(factor, [product_of(pair) for pair in pairs])
            else:
                merged.append(factor)
        if len(merged) == len(expr.args):
            raise refused(self, expr)
        return rebuilt(expr, merged)

    @property
    def reason(self) -> Reason:
        return ("mixed product",)


def meet(left: Expr, right: Expr) -> bool:
    """Whether two factors are Kronecker products that multiply factor by factor."""
    if not (isinstance(left, KroneckerProduct) and isinstance(right, KroneckerProduct)):
        return False
    return len(left.args) == len(right.args) and all(a.cols == b.rows for a, b in zip(left.args, right.args, strict=True))


@dataclass(frozen=True, slots=True)
class FuseIdentity(Rule):
    r"""Identity matrices are left out of a product.

    .. math:: \mathrm{Id}\, A = A = A\, \mathrm{Id}

    Examples
    --------
    >>> from sympy import Identity, MatMul, MatrixSymbol
    >>> FuseIdentity().apply(MatMul(Identity(2), MatrixSymbol("A", 2, 2)))
    A
    """

    name: ClassVar[str] = "fuse identity"
    formula: ClassVar[str] = r"\mathrm{Id} \, A = A"
    needs: ClassVar[str] = "a product of matrices with an identity matrix that is not all of it"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatMul) or not any(isinstance(factor, Identity) for factor in expr.args):
            raise refused(self, expr)
        found = product_of(expr.args)
        if found == expr:
            raise refused(self, expr)
        return found

    @property
    def reason(self) -> Reason:
        return ("drop the identity",)


@dataclass(frozen=True, slots=True)
class InsertIdentity(Rule):
    r"""An identity matrix before factor ``before`` of a product (0: in front; the number of factors: behind).

    .. math:: A = \mathrm{Id}\, A

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> InsertIdentity(1).apply(MatrixSymbol("A", 2, 3))
    A*I
    """

    before: int

    name: ClassVar[str] = "insert identity"
    formula: ClassVar[str] = r"A = \mathrm{Id} \, A"
    needs: ClassVar[str] = "a matrix, or a product of at least that many factors"

    def apply(self, expr: Basic) -> Basic:
        factors = list(expr.args) if isinstance(expr, MatMul) else [expr]
        if not getattr(expr, "is_Matrix", False) or not 0 <= self.before <= len(factors):
            raise refused(self, expr)
        matrices = [factor for factor in factors[self.before :] if getattr(factor, "is_Matrix", False)]
        size = matrices[0].rows if matrices else expr.cols
        return MatMul(*factors[: self.before], Identity(size), *factors[self.before :])

    @property
    def reason(self) -> Reason:
        return ("insert an identity",)


@dataclass(frozen=True, slots=True)
class TransposeProduct(Rule):
    r"""The transpose of a product, elementwise, Kronecker, or of a transpose, written on the factors.

    .. math:: (A B)^\top = B^\top A^\top, \quad (A \otimes B)^\top = A^\top \otimes B^\top, \quad
        (A \odot B)^\top = A^\top \odot B^\top, \quad (A^\top)^\top = A

    It ends because transposes move inwards.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Transpose
    >>> A, B = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 4)
    >>> TransposeProduct().apply(Transpose(A * B.T.T))
    B.T*A.T
    """

    name: ClassVar[str] = "transpose of a product"
    formula: ClassVar[str] = r"(A B)^\top = B^\top A^\top"
    needs: ClassVar[str] = "the transpose of a product, of a transpose, or of an identity, diagonal or all-ones matrix"

    def apply(self, expr: Basic) -> Basic:
        inner = expr.arg if isinstance(expr, Transpose) else None
        if isinstance(inner, MatMul):
            scalars, matrices = split_scalars(inner)
            return MatMul(*scalars, *(flipped(factor) for factor in reversed(matrices)))
        if isinstance(inner, KroneckerProduct | HadamardProduct | MatAdd):
            return rebuilt(inner, [flipped(factor) for factor in inner.args])
        if isinstance(inner, Transpose | Identity | DiagMatrix | OneMatrix):
            return flipped(inner)
        raise refused(self, expr)

    @property
    def reason(self) -> Reason:
        return ("transpose of a product",)


def split_scalars(product: MatMul) -> tuple[list[Expr], list[MatrixExpr]]:
    """The scalars and the matrices of a product, each in order."""
    matrices = [factor for factor in product.args if getattr(factor, "is_Matrix", False)]
    return [factor for factor in product.args if not getattr(factor, "is_Matrix", False)], matrices


def flipped(matrix: MatrixExpr) -> MatrixExpr:
    """The transpose of one factor; that of a transpose, an identity, a diagonal or an all-ones matrix is known."""
    if isinstance(matrix, Transpose):
        return matrix.arg
    if isinstance(matrix, OneMatrix):
        return OneMatrix(*reversed(matrix.shape))
    return matrix if isinstance(matrix, Identity | DiagMatrix) else Transpose(matrix)


@dataclass(frozen=True, slots=True)
class WritePower(Rule):
    r"""A power with a whole exponent of at least two as a product.

    .. math:: A^2 = A A

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> WritePower().apply(MatrixSymbol("A", 2, 2) ** 3)
    A*A*A
    """

    name: ClassVar[str] = "write power"
    formula: ClassVar[str] = r"A^2 = A A"
    needs: ClassVar[str] = f"a power of a matrix with an exponent from 2 to {MAX_POWER}"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, MatPow | HadamardPower) or not isinstance(expr.args[1], Integer):
            raise refused(self, expr)
        base, exponent = expr.args[0], int(expr.args[1])
        if not 2 <= exponent <= MAX_POWER:
            raise refused(self, expr)
        like = MatMul(base, base) if isinstance(expr, MatPow) else HadamardProduct(base, base)
        return rebuilt(like, [base] * exponent)

    @property
    def reason(self) -> Reason:
        return ("write the power out",)


@dataclass(frozen=True, slots=True)
class CyclicTrace(Rule):
    r"""The first ``count`` factors in a trace move behind the others.

    .. math:: \operatorname{tr}(A B) = \operatorname{tr}(B A)

    Examples
    --------
    >>> from sympy import MatrixSymbol, Trace
    >>> A, B = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2)
    >>> CyclicTrace(1).apply(Trace(A * B))
    Trace(B*A)
    """

    count: int = 1

    name: ClassVar[str] = "cyclic trace"
    formula: ClassVar[str] = r"\operatorname{tr}(A B) = \operatorname{tr}(B A)"
    needs: ClassVar[str] = "the trace of a product of more factors than are to be moved"

    def apply(self, expr: Basic) -> Basic:
        if not isinstance(expr, Trace) or not isinstance(expr.arg, MatMul):
            raise refused(self, expr)
        scalars, matrices = split_scalars(expr.arg)
        if not 0 < self.count < len(matrices):
            raise refused(self, expr)
        return Trace(MatMul(*scalars, *matrices[self.count :], *matrices[: self.count]))

    @property
    def reason(self) -> Reason:
        return ("cyclic trace",)
