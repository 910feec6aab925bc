r"""The residual stream derived step by step: x_1 = x_0 + sum_h (A^h (x) W^h) x_0 is a lemma for x_2, and so on to the output.

What a norm makes of a stream is a lemma too, N_l = diag(r) X C diag(w) + 1 b^T, of which block l, or the output, is a function; where
norms come after each step, Y_l is the sum that the norm is of, and X_l the norm.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, MatAdd, MatMul, MatrixSymbol, Symbol, Tuple
from sympy.core.basic import Basic

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.pieces import is_sum, total
from symbolic_circuits.derivation.rules.collect import CollectTerms, multiples
from symbolic_circuits.derivation.rules.definitions import Substitute
from symbolic_circuits.derivation.sweeps import OUT, multiplied_out
from symbolic_circuits.derivation.tied import exchange, later_of_pairs
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, HeadTensors, ModelTensors, NormTensors
from symbolic_circuits.spec import NumberedBlock
from symbolic_circuits.spec import Step as ModelStep
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["Layered", "Streams"]

SYMMETRIC = "collect equal terms"


@dataclass(frozen=True)
class Streams:
    """What the derivations of all notations share."""

    expansion: PathExpansion

    @property
    def tensors(self) -> ModelTensors:
        """The symbols of the model."""
        return self.expansion.tensors

    @property
    def root(self) -> Component | None:
        """The scores that are derived; None: the output."""
        return self.expansion.grammar.root

    @cached_property
    def head(self) -> Callable[[int], Symbol]:
        """The head symbol of a block."""
        writer = OperatorNotation(self.tensors)
        return writer.new_head_symbol

    def limits(self, index: int) -> Tuple:
        """The sum over the heads of a block."""
        return Tuple(self.head(index), 0, self.tensors.block(index).A.shape[0] - 1)

    def layers(self) -> Iterator[BilinearTensors]:
        """The bilinear and gated layers."""
        return (block for block in self.tensors.blocks if isinstance(block, BilinearTensors))

    def over_heads(self, index: int, of_head: Callable[[HeadTensors], Expr]) -> Expr:
        """The sum over the heads of a block, times its scale."""
        block, limits = self.tensors.block(index), self.limits(index)
        return MatrixSum(of_head(block.at(limits[0])), limits)


@dataclass(frozen=True)
class Layered(Streams, ABC):
    """Models derived stream by stream; each stream, and what each norm makes of one, is a lemma for those after it."""

    lemmas: list[Derivation] = field(default_factory=list)

    def derivation(self) -> Derivation:
        """The output, or the scores; of a model without unembedding what is last: the stream, or its norm."""
        model, root = self.expansion.model, self.root
        x = self.lemma(self.stream(0), self.source())
        for number, step in enumerate(model.steps):
            if root is not None and root.layer in (block.index for block in step.blocks):
                return self.derived(self.scores_name(), self.scores(root, self.read(root.layer, x)))
            x = self.lemma(self.stream(number + 1), self.step(number, step, x))
        if model.has_final_norm:
            x = self.lemma(self.normed(model.number_of_blocks), self.norm(self.tensors.norm(model.number_of_blocks), x))
        if not model.unembedding:
            return self.lemmas[-1]
        return self.derived(self.output_name(), self.output(x))

    def lemma(self, name: Basic, start: Expr) -> Basic:
        """What is derived for those after it; its name."""
        self.lemmas.append(self.derived(name, start))
        return name

    def read(self, number: int, x: MatrixSymbol) -> Basic:
        """What a block reads of a stream: its norm, where norms come first."""
        model = self.expansion.model
        if model.norm is None or model.post_norm:
            return x
        return self.lemma(self.normed(number), self.norm(self.tensors.norm(number), x))

    def step(self, number: int, step: ModelStep, x: MatrixSymbol) -> Expr:
        """What a step makes of the stream."""
        parts = [x] if step.residual else []
        for block in step.blocks:
            y = self.read(block.index, x)
            is_attention = isinstance(self.tensors.block(block.index), AttentionTensors)
            parts.append(self.attention(block, y) if is_attention else self.layer(self.tensors.block(block.index), y))
        value = total(parts, x)
        if not self.expansion.model.post_norm:
            return value
        return self.norm(self.tensors.norm(step.blocks[-1].index), self.lemma(self.summed(number + 1), value))

    def attention(self, block: NumberedBlock, x: Basic) -> Expr:
        """The sum over heads, the bias of the block, both times its scale."""
        tensors = self.tensors.block(block.index)
        value = self.over_heads(block.index, lambda head: self.heads(block, head, x))
        if tensors.b_O is not None:
            value = MatAdd(value, self.bias(tensors.b_O))
        return value if tensors.scale is None else MatMul(tensors.scale, value)

    @abstractmethod
    def stream(self, number: int) -> MatrixSymbol:
        """The name of the stream after a step."""

    @abstractmethod
    def normed(self, number: int) -> MatrixSymbol:
        """The name of what a norm makes of a stream."""

    @abstractmethod
    def summed(self, number: int) -> MatrixSymbol:
        """The name of the stream after a step, before the norm that comes after it."""

    @abstractmethod
    def source(self) -> Expr:
        """The stream before the first step."""

    @abstractmethod
    def bias(self, vector: Expr) -> Expr:
        """A bias at every position."""

    @abstractmethod
    def norm(self, norm: NormTensors, x: Expr) -> Expr:
        """A norm of x."""

    @abstractmethod
    def heads(self, block: NumberedBlock, head: HeadTensors, x: Expr) -> Expr:
        """One head at x."""

    @abstractmethod
    def layer(self, tensors: BilinearTensors, x: Expr) -> Expr:
        """A bilinear or gated layer at x."""

    @abstractmethod
    def output(self, x: Expr) -> Expr:
        """The unembedding, and its bias."""

    @abstractmethod
    def output_name(self) -> Basic:
        """The name of the output."""

    @abstractmethod
    def scores(self, root: Component, x: Expr) -> Expr:
        """The scores of a head that reads x."""

    @abstractmethod
    def scores_name(self) -> Basic:
        """The name of scores."""

    @abstractmethod
    def tidied(self, chain: Chain) -> None:
        """What a notation does to a line that is multiplied out."""

    def unfolded(self, chain: Chain) -> None:
        """What a notation does to a line before anything is substituted."""

    def known(self) -> list[tuple[Basic, tuple]]:
        """The tensors that stand for products of others, as far as the notation uses them."""
        return []

    def derived(self, name: Basic, start: Expr) -> Derivation:
        """The chain of one stream, earlier ones known."""
        chain = Chain(start)
        results = {lemma.name: lemma.result for lemma in self.lemmas}
        self.unfolded(chain)
        for stream in [stream for stream in results if start.has(stream)]:
            substitute = Substitute(stream, results[stream])
            chain.swept(lambda node, rule=substitute: rule if node == rule.symbol else None, f"substitute {stream}")
        chain.everywhere(multiplied_out, OUT)
        self.tidied(chain)
        self.collect(chain)
        given = (*self.known(), *((lemma.name, (lemma.start,)) for lemma in self.lemmas), (name, (start,)))
        return Derivation(start, tuple(chain.steps), given, tuple(self.lemmas), name, self.expansion.model)

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
