r"""Models that are linear in their input: T = (Id (x) W_U) (Id + sum_h A^h (x) W^h) ... (Id (x) W_E), a norm diag(r) (x) diag(w) C."""

from sympy import DiagMatrix, Expr, Identity, KroneckerProduct, MatAdd, MatMul, MatrixSymbol

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.rules.products import product_of
from symbolic_circuits.derivation.streams import Streams
from symbolic_circuits.derivation.sweeps import OUT, mixed, multiplied_out
from symbolic_circuits.expansion.notation.matrix import matrix_product
from symbolic_circuits.expansion.tensors import ModelTensors, NormTensors
from symbolic_circuits.spec import NumberedBlock
from symbolic_circuits.spec import Step as ModelStep

__all__ = ["MIXED", "Operators", "norm_operator"]

MIXED = "mixed product"


class Operators(Streams):
    """A product of sums of operators."""

    def derivation(self) -> Derivation:
        """The product, multiplied out."""
        chain = Chain(self.start())
        chain.everywhere(multiplied_out, OUT)
        chain.everywhere(mixed, MIXED)
        model = self.expansion.model
        name = MatrixSymbol("T", *chain.line.shape)
        return Derivation(chain.line if not chain.steps else chain.steps[0].before, tuple(chain.steps), name=name, model=model)

    def start(self) -> Expr:
        """The product of the blocks, the last one first."""
        model = self.expansion.model
        n, d = Identity(model.n), Identity(model.d)
        factors = [KroneckerProduct(n, self.tensors.W_U)] if model.unembedding else []
        if model.has_final_norm:
            factors.append(self.norm(model.number_of_blocks))
        for step in reversed(model.steps):
            factors += [self.norm(step.blocks[-1].index), self.factor(step)] if model.post_norm else [self.factor(step)]
        factors += [KroneckerProduct(n, self.tensors.W_E)] if model.embedding else []
        return matrix_product(tuple(factors)) if factors else KroneckerProduct(n, d)

    def norm(self, number: int) -> Expr:
        """A norm."""
        return norm_operator(self.tensors, self.tensors.norm(number))

    def factor(self, step: ModelStep) -> Expr:
        """Id + sum over the heads of the blocks of a step."""
        model = self.expansion.model
        parts = [Identity(model.n * model.d)] if step.residual else []
        parts += [self.block(block) for block in step.blocks]
        return parts[0] if len(parts) == 1 else MatAdd(*parts)

    def block(self, block: NumberedBlock) -> Expr:
        """The sum over heads, times its scale, after the norm that the block reads."""
        model, scale = self.expansion.model, self.tensors.block(block.index).scale
        value = self.over_heads(block.index, lambda head: KroneckerProduct(head.A, head.W_OV))
        factors = [value] if scale is None else [scale, value]
        if model.norm is not None and not model.post_norm:
            factors.append(self.norm(block.index))
        return MatMul(*factors) if len(factors) > 1 else value


def norm_operator(tensors: ModelTensors, norm: NormTensors) -> Expr:
    """diag(r) (x) diag(w) C."""
    channels = [*([] if norm.w is None else [DiagMatrix(norm.w)]), *([] if norm.C is None else [norm.C])]
    return KroneckerProduct(DiagMatrix(norm.r), product_of(channels or [Identity(tensors.model.d)]))
