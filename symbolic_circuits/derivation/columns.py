r"""Derivations in operator notation of models that are not linear: columns of n d entries, x_1 = x_0 + sum_h (A^h (x) W^h) x_0.

A bias at every position is (Id (x) b) 1; an affine layer is folded, B(x, x) + W_L x + W_R x + b_B, with W for Id (x) W.
"""

from collections.abc import Callable

from sympy import Expr, HadamardProduct, Identity, KroneckerProduct, MatAdd, MatMul, MatrixSymbol
from sympy.core.basic import Basic

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.operators import MIXED, norm_operator
from symbolic_circuits.derivation.rules.affine import FoldAffineLayer, FoldGatedLayer
from symbolic_circuits.derivation.rules.definitions import FoldLayer
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.streams import Layered
from symbolic_circuits.derivation.sweeps import first_that_applies, mixed
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.tensors import BilinearTensors, HeadTensors, NormTensors
from symbolic_circuits.spec import NumberedBlock
from symbolic_circuits.syntax.vec import Vec

__all__ = ["Columns"]

DEFINITION = "definition of B"


class Columns(Layered):
    """Columns x_l of n d entries."""

    def stream(self, number: int) -> MatrixSymbol:
        """x_l."""
        model = self.expansion.model
        return MatrixSymbol(f"x_{number}", model.n * model.d, 1)

    def normed(self, number: int) -> MatrixSymbol:
        """z_l."""
        model = self.expansion.model
        return MatrixSymbol(f"z_{number}", model.n * model.d, 1)

    def summed(self, number: int) -> MatrixSymbol:
        """y_l."""
        model = self.expansion.model
        return MatrixSymbol(f"y_{number}", model.n * model.d, 1)

    def everywhere(self, matrix: Expr, x: Expr) -> Expr:
        """(Id (x) W) x."""
        return MatMul(KroneckerProduct(Identity(self.expansion.model.n), matrix), x)

    def source(self) -> Expr:
        """x_0."""
        model, column = self.expansion.model, Vec(self.tensors.source)
        value = self.everywhere(self.tensors.W_E, column) if model.embedding else column
        return MatAdd(value, Vec(self.tensors.W_pos)) if model.positions == "learned" else value

    def bias(self, vector: Expr) -> Expr:
        """(Id (x) b) 1."""
        return self.everywhere(vector, self.tensors.ones)

    def affine(self, x: Expr, weights: Expr, bias: Expr | None) -> Expr:
        """(Id (x) W) x + (Id (x) b) 1."""
        value = self.everywhere(weights, x)
        return value if bias is None else MatAdd(value, self.bias(bias))

    def norm(self, norm: NormTensors, x: Expr) -> Expr:
        """(diag(r) (x) diag(w) C) x + (Id (x) b) 1."""
        value = MatMul(norm_operator(self.tensors, norm), x)
        return value if norm.b is None else MatAdd(value, self.bias(norm.b))

    def heads(self, block: NumberedBlock, head: HeadTensors, x: Expr) -> Expr:
        """(A^h (x) W_OV^h) x + (A^h (x) b_OV^h) 1."""
        value = MatMul(KroneckerProduct(head.A, head.W_OV), x)
        return value if head.b_OV is None else MatAdd(value, MatMul(KroneckerProduct(head.A, head.b_OV), self.tensors.ones))

    def layer(self, tensors: BilinearTensors, x: Expr) -> Expr:
        """(Id (x) W_out)((Id (x) W_1) x . (Id (x) W_2) x), biases added; with gates vec G for the left factor."""
        left = self.affine(x, tensors.W_1, tensors.b_1) if tensors.G is None else Vec(tensors.G)
        hidden = HadamardProduct(left, self.affine(x, tensors.W_2, tensors.b_2))
        value = hidden if tensors.W_out is None else self.everywhere(tensors.W_out, hidden)
        return value if tensors.b_out is None else MatAdd(value, self.bias(tensors.b_out))

    def output(self, x: Expr) -> Expr:
        """(Id (x) W_U) x + (Id (x) b_U) 1."""
        return self.affine(x, self.tensors.W_U, self.tensors.b_U if self.expansion.model.output_bias else None)

    def output_name(self) -> Basic:
        """vec T."""
        model = self.expansion.model
        return Vec(MatrixSymbol("T", model.n, model.V))

    def scores(self, root: Component, x: Expr) -> Expr:
        raise NotImplementedError("scores are derived in matrix notation, and their columns from there")

    def scores_name(self) -> Basic:
        raise NotImplementedError("scores are derived in matrix notation, and their columns from there")

    def unfolded(self, chain: Chain) -> None:
        """Layers are folded."""
        chain.everywhere(folded(list(self.layers())), DEFINITION)

    def tidied(self, chain: Chain) -> None:
        """Kronecker products become one."""
        chain.everywhere(mixed, MIXED)

    def known(self) -> list[tuple[Basic, tuple]]:
        """B, and what biases make of it."""
        return [(tensor, (value,)) for tensor, value in self.tensors.definitions.items()]


def folded(layers: list[BilinearTensors]) -> Callable[[Basic], Rule | None]:
    """Where the products of a layer are."""
    rules = [fold_of(layer) for layer in layers]

    def rule_for(node: Basic) -> Rule | None:
        return first_that_applies(rules, node) if isinstance(node, MatMul | HadamardProduct) else None

    return rule_for


def fold_of(layer: BilinearTensors) -> Rule:
    """The rule that folds a layer."""
    if layer.G is not None:
        return FoldGatedLayer(layer.B, layer.G, layer.W_2, layer.W_out, layer.b_2, layer.W_L)
    matrices = layer.B, layer.W_1, layer.W_2, layer.W_out
    if layer.b_1 is None and layer.b_2 is None:
        return FoldLayer(*matrices)
    return FoldAffineLayer(*matrices, layer.b_1, layer.b_2, layer.W_L, layer.W_R, layer.b_B)
