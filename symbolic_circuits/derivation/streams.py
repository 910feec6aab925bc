r"""The residual stream derived step by step: x_1 = x_0 + sum_h (A^h (x) W^h) x_0 is a lemma for x_2, and so on to the output."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from sympy import (
    Expr,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Symbol,
    Tuple,
)
from sympy.core.basic import Basic

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.pieces import is_sum, total
from symbolic_circuits.derivation.rules.bilinear import Bilinearity
from symbolic_circuits.derivation.rules.collect import CollectTerms, multiples
from symbolic_circuits.derivation.rules.definitions import FoldLayer, Substitute
from symbolic_circuits.derivation.rules.distribute import Distribute, has_inner_sum
from symbolic_circuits.derivation.rules.products import FuseIdentity, MixedProduct, meet
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.tied import exchange, later_of_pairs
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation.matrix import matrix_product
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.proof import tensor_of
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, ModelTensors
from symbolic_circuits.spec import Step as ModelStep
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["OUT", "Columns", "Matrices", "Operators", "multiplied_out"]

DEFINITION, OUT, MIXED, SYMMETRIC = "definition of B", "multiply out", "mixed product", "collect equal terms"


@dataclass(frozen=True)
class Streams:
    """What the derivations of all notations share."""

    expansion: PathExpansion

    @property
    def tensors(self) -> ModelTensors:
        """The symbols of the model."""
        return self.expansion.tensors

    @cached_property
    def head(self) -> Callable[[int], object]:
        """The head symbol of a block."""
        writer = OperatorNotation(self.tensors)
        return writer.new_head_symbol

    def limits(self, index: int) -> Tuple:
        """The sum over the heads of a block."""
        return Tuple(self.head(index), 0, self.tensors.block(index).A.shape[0] - 1)

    def layers(self) -> Iterator[BilinearTensors]:
        """The bilinear layers."""
        return (block for block in self.tensors.blocks if isinstance(block, BilinearTensors))


class Operators(Streams):
    """Models without bilinear layers: T = (Id (x) W_U) (Id + sum_h A^h (x) W^h) ... (Id (x) W_E)."""

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
        factors += [self.factor(step) for step in reversed(model.steps)]
        factors += [KroneckerProduct(n, self.tensors.W_E)] if model.embedding else []
        return matrix_product(tuple(factors)) if factors else KroneckerProduct(n, d)

    def factor(self, step: ModelStep) -> Expr:
        """Id + sum over the heads of the blocks of a step."""
        model = self.expansion.model
        parts = [Identity(model.n * model.d)] if step.residual else []
        for block in step.blocks:
            tensors: AttentionTensors = self.tensors.block(block.index)
            head = self.head(block.index)
            parts.append(MatrixSum(KroneckerProduct(tensors.A[head], tensors.W_OV[head]), self.limits(block.index)))
        return parts[0] if len(parts) == 1 else MatAdd(*parts)


class Layered(Streams):
    """Models derived stream by stream; each stream is a lemma for those after it."""

    fold: bool

    def derivation(self) -> Derivation:
        """The output, or the last stream of a model without unembedding."""
        model = self.expansion.model
        lemmas: list[Derivation] = []
        for number in range(len(model.steps) + 1):
            start = self.source() if number == 0 else self.step(model.steps[number - 1], self.stream(number - 1))
            lemmas.append(self.derived(self.stream(number), start, lemmas))
        if not model.unembedding:
            return lemmas[-1]
        last = self.stream(len(model.steps))
        return self.derived(self.output_name(), self.output(last), lemmas)

    def step(self, step: ModelStep, x: MatrixSymbol) -> Expr:
        """What a step makes of the stream."""
        parts = [x] if step.residual else []
        for block in step.blocks:
            tensors = self.tensors.block(block.index)
            if isinstance(tensors, AttentionTensors):
                limits = self.limits(block.index)
                parts.append(MatrixSum(self.heads(tensors, limits[0], x), limits))
            else:
                parts.append(self.layer(tensors, x))
        return total(parts, x)

    def derived(self, name: Basic, start: Expr, lemmas: list[Derivation]) -> Derivation:
        """The chain of one stream, earlier ones known."""
        chain = Chain(start)
        results = {lemma.name: lemma.result for lemma in lemmas}
        layers = list(self.layers())
        if self.fold:
            chain.everywhere(folded(layers), DEFINITION)
        for stream in [stream for stream in results if start.has(stream)]:
            substitute = Substitute(stream, results[stream])
            chain.swept(lambda node, rule=substitute: rule if node == rule.symbol else None, f"substitute {stream}")
        chain.everywhere(multiplied_out, OUT)
        chain.everywhere(mixed, MIXED)
        self.collect(chain)
        return Derivation(start, tuple(chain.steps), self.given(name, start, lemmas), tuple(lemmas), name, self.expansion.model)

    def given(self, name: Basic, start: Expr, lemmas: list[Derivation]) -> tuple:
        """The tensors of the layers, and the definition of each stream."""
        known = [(layer.B, (tensor_of(layer),)) for layer in self.layers()] if self.fold else []
        return (*known, *((lemma.name, (lemma.start,)) for lemma in lemmas), (name, (start,)))

    def collect(self, chain: Chain) -> None:
        """Pairs of inputs that a tied layer does not tell apart."""
        tied = [layer.B for layer in self.layers() if layer.W_1 == layer.W_2]
        if not tied or not is_sum(chain.line):
            return
        for B in tied:
            later = later_of_pairs(chain.line.args, B)
            chain.each_summand(lambda summand, later=later, B=B: exchange(later, summand, B), SYMMETRIC)
        if any(len(group) > 1 for group in multiples(chain.line.args)):
            chain.at((), CollectTerms(), SYMMETRIC)


class Columns(Layered):
    """Columns x_l of n d entries."""

    fold = True

    def stream(self, number: int) -> MatrixSymbol:
        """x_l."""
        model = self.expansion.model
        return MatrixSymbol(f"x_{number}", model.n * model.d, 1)

    def source(self) -> Expr:
        """x_0."""
        model = self.expansion.model
        column = Vec(self.tensors.source)
        return MatMul(KroneckerProduct(Identity(model.n), self.tensors.W_E), column) if model.embedding else column

    def heads(self, tensors: AttentionTensors, head: Symbol, x: Expr) -> Expr:
        """(A^h (x) W_OV^h) x."""
        return MatMul(KroneckerProduct(tensors.A[head], tensors.W_OV[head]), x)

    def layer(self, tensors: BilinearTensors, x: Expr) -> Expr:
        """(Id (x) W_out)((Id (x) W_1) x . (Id (x) W_2) x)."""
        n = Identity(self.expansion.model.n)
        hidden = HadamardProduct(*(MatMul(KroneckerProduct(n, matrix), x) for matrix in (tensors.W_1, tensors.W_2)))
        return hidden if tensors.W_out is None else MatMul(KroneckerProduct(n, tensors.W_out), hidden)

    def output(self, x: Expr) -> Expr:
        """(Id (x) W_U) x."""
        return MatMul(KroneckerProduct(Identity(self.expansion.model.n), self.tensors.W_U), x)

    def output_name(self) -> Basic:
        """vec T."""
        model = self.expansion.model
        return Vec(MatrixSymbol("T", model.n, model.V))


class Matrices(Layered):
    """n x d matrices X_l."""

    fold = False

    def stream(self, number: int) -> MatrixSymbol:
        """X_l."""
        return MatrixSymbol(f"X_{number}", self.expansion.model.n, self.expansion.model.d)

    def source(self) -> Expr:
        """X_0."""
        return MatMul(self.tensors.source, self.tensors.W_E.T) if self.expansion.model.embedding else self.tensors.source

    def heads(self, tensors: AttentionTensors, head: Symbol, x: Expr) -> Expr:
        """A^h X (W_OV^h)^T."""
        return MatMul(tensors.A[head], x, tensors.W_OV[head].T)

    def layer(self, tensors: BilinearTensors, x: Expr) -> Expr:
        """(X W_1^T . X W_2^T) W_out^T."""
        hidden = HadamardProduct(MatMul(x, tensors.W_1.T), MatMul(x, tensors.W_2.T))
        return hidden if tensors.W_out is None else MatMul(hidden, tensors.W_out.T)

    def output(self, x: Expr) -> Expr:
        """X W_U^T."""
        return MatMul(x, self.tensors.W_U.T)

    def output_name(self) -> Basic:
        """T."""
        return MatrixSymbol("T", self.expansion.model.n, self.expansion.model.V)


def folded(layers: list[BilinearTensors]) -> Callable[[Basic], Rule | None]:
    """Where the products of a layer are."""
    rules = [FoldLayer(layer.B, layer.W_1, layer.W_2, layer.W_out) for layer in layers]

    def rule_for(node: Basic) -> Rule | None:
        if isinstance(node, MatMul | HadamardProduct):
            return next((rule for rule in rules if applies(rule, node)), None)
        return None

    return rule_for


def applies(rule: Rule, node: Basic) -> bool:
    """Whether a rule has something to do at a node."""
    try:
        rule.apply(node)
    except DerivationError:
        return False
    return True


def multiplied_out(node: Basic) -> Rule | None:
    """Where a sum, a sum over heads or a number is inside a product."""
    if not has_inner_sum(node):
        return None
    return Bilinearity(node.args[0]) if isinstance(node, ApplyBilinear) else Distribute()


def mixed(node: Basic) -> Rule | None:
    """Where identity matrices, or neighbouring Kronecker products, are multiplied."""
    if not isinstance(node, MatMul):
        return None
    if any(isinstance(factor, Identity) for factor in node.args):
        return FuseIdentity()
    return MixedProduct() if any(meet(a, b) for a, b in pairwise(node.args)) else None
