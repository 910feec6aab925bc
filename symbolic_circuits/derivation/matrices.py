r"""Derivations in matrix notation: n x d matrices, X_1 = X_0 + sum_h A^h X_0 (W_OV^h)^T, N_0 = diag(r) X_0 C diag(w) + 1 b^T."""

from functools import reduce

from sympy import DiagMatrix, Expr, HadamardProduct, MatAdd, MatMul, MatrixSymbol, Mul, S, Transpose
from sympy.core.basic import Basic

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.plain import is_plain
from symbolic_circuits.derivation.streams import Layered
from symbolic_circuits.derivation.sweeps import constant_rows, scalars_of, transposed
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.tensors import BilinearTensors, HeadTensors, NormTensors, ScoreTensors
from symbolic_circuits.spec import NumberedBlock
from symbolic_circuits.syntax.contract import contract

__all__ = ["Matrices", "equations"]

TRANSPOSE, SCALARS, CONSTANT = "transpose", "scalars in front", "equal rows"


class Matrices(Layered):
    """n x d matrices X_l."""

    def stream(self, number: int) -> MatrixSymbol:
        """X_l."""
        return MatrixSymbol(f"X_{number}", self.expansion.model.n, self.expansion.model.d)

    def normed(self, number: int) -> MatrixSymbol:
        """N_l."""
        return MatrixSymbol(f"N_{number}", self.expansion.model.n, self.expansion.model.d)

    def summed(self, number: int) -> MatrixSymbol:
        """Y_l."""
        return MatrixSymbol(f"Y_{number}", self.expansion.model.n, self.expansion.model.d)

    def source(self) -> Expr:
        """X_0."""
        tensors, model = self.tensors, self.expansion.model
        value = MatMul(tensors.source, tensors.W_E.T) if model.embedding else tensors.source
        return MatAdd(value, tensors.W_pos) if model.positions == "learned" else value

    def bias(self, vector: Expr) -> Expr:
        """1 b^T."""
        return MatMul(self.tensors.ones, vector.T)

    def affine(self, x: Expr, weights: Expr, bias: Expr | None) -> Expr:
        """X W^T + 1 b^T."""
        value = MatMul(x, weights.T)
        return value if bias is None else MatAdd(value, self.bias(bias))

    def norm(self, norm: NormTensors, x: Expr) -> Expr:
        """diag(r) X C diag(w) + 1 b^T."""
        centering = () if norm.C is None else (norm.C,)
        value = MatMul(DiagMatrix(norm.r), x, *centering, *(() if norm.w is None else (DiagMatrix(norm.w),)))
        return value if norm.b is None else MatAdd(value, self.bias(norm.b))

    def heads(self, block: NumberedBlock, head: HeadTensors, x: Expr) -> Expr:
        """A^h (X (W_OV^h)^T + 1 (b_OV^h)^T)."""
        moved = self.affine(x, head.W_OV, head.b_OV)
        factors = moved.args if isinstance(moved, MatMul) else (moved,)
        if not block.spec.is_polynomial:
            return MatMul(head.A, *factors)
        number, pattern = self.products(head.scores, x, self.tensors.mask)
        return MatMul(*number, pattern, *factors)

    def products(self, scores: tuple[ScoreTensors, ...], x: Expr, *mask: Expr) -> tuple[tuple[Expr, ...], Expr]:
        """What scores are multiplied by, and the products of queries and keys, elementwise behind the mask."""
        aware = MatAdd(x, self.tensors.W_pos) if self.expansion.model.positions == "shortformer" else x
        number = reduce(Mul, (s.factor for s in scores))
        found = [*mask, *(self.product(s, aware) for s in scores)]
        return () if number == S.One else (number,), found[0] if len(found) == 1 else HadamardProduct(*found)

    def product(self, scores: ScoreTensors, x: Expr) -> Expr:
        """X W_QK X^T, or of queries and keys with biases or rotations."""
        if scores.W_QK is not None:
            return MatMul(x, scores.W_QK, Transpose(x))
        query, key = self.affine(x, scores.W_Q, scores.b_Q), self.affine(x, scores.W_K, scores.b_K)
        if scores.R is not None:
            return contract("sa,sba,ubc,uc->su", query, scores.R, scores.R, key)
        factors = query.args if isinstance(query, MatMul) else (query,)
        return (
            MatMul(*factors, *(Transpose(f) for f in reversed(key.args)))
            if isinstance(key, MatMul)
            else MatMul(*factors, Transpose(key))
        )

    def layer(self, tensors: BilinearTensors, x: Expr) -> Expr:
        """((X W_1^T + 1 b_1^T) . (X W_2^T + 1 b_2^T)) W_out^T + 1 b_out^T, with gates G for the left factor."""
        left = self.affine(x, tensors.W_1, tensors.b_1) if tensors.G is None else tensors.G
        hidden = HadamardProduct(left, self.affine(x, tensors.W_2, tensors.b_2))
        value = hidden if tensors.W_out is None else MatMul(hidden, tensors.W_out.T)
        return value if tensors.b_out is None else MatAdd(value, self.bias(tensors.b_out))

    def output(self, x: Expr) -> Expr:
        """X W_U^T + 1 b_U^T."""
        return self.affine(x, self.tensors.W_U, self.tensors.b_U if self.expansion.model.output_bias else None)

    def output_name(self) -> Basic:
        """T."""
        return MatrixSymbol("T", self.expansion.model.n, self.expansion.model.V)

    def scores(self, root: Component, x: Expr) -> Expr:
        """f X W_QK X^T."""
        number, value = self.products(self.tensors.block(root.layer).at(root.head).scores, x)
        return MatMul(*number, *(value.args if isinstance(value, MatMul) else (value,))) if number else value

    def scores_name(self) -> Basic:
        """S."""
        return MatrixSymbol("S", self.expansion.model.n, self.expansion.model.n)

    def tidied(self, chain: Chain) -> None:
        """Transposes of keys on their factors, scalars in front of scores, the constant parts of layers."""
        if is_plain(self.expansion):
            return
        chain.everywhere(transposed, TRANSPOSE)
        chain.everywhere(scalars_of(self.tensors.mask), SCALARS)
        chain.everywhere(constant_rows(self.layers()), CONSTANT)


class Equations(Matrices):
    """The first lines alone."""

    def derived(self, name: Basic, start: Expr) -> Derivation:
        return Derivation(start, name=name, model=self.expansion.model)


def equations(expansion: PathExpansion) -> list[tuple[Basic, Expr]]:
    """A model as it stands: each stream, what each norm makes of one, and the output, with what they are.

    Examples
    --------
    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> for name, value in equations(path_expansion("[rms_norm] bilinear(b_1)")):
    ...     print(name, "=", value)
    X_0 = t*W_E.T
    N_0 = DiagMatrix(r_0)*X_0
    X_1 = (HadamardProduct(N_0*W_1.T + 1*b_1.T, N_0*W_2.T))*W_out.T + X_0
    N_1 = DiagMatrix(r_1)*X_1
    T = N_1*W_U.T
    """
    model = Equations(expansion)
    last = model.derivation()
    lemmas = [lemma for lemma in model.lemmas if lemma.name != last.name]
    return [(part.name, part.start) for part in (*lemmas, last)]
