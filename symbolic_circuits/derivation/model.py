r"""From the model as it stands to its closed form: each block defines the stream after it, x_1 = x_0 + sum_h (A^h (x) W^h) x_0.

| notation | the stream | how the closed form comes about |
| --- | --- | --- |
| operator, linear models | T is a product of sums of operators | multiply out, mixed product |
| operator | columns x_l | substitute, B is bilinear and heads are linear, mixed product |
| matrix | n x d matrices X_l | substitute, multiply out |
| index, tensor | as in matrix notation | then entries or rows of each summand |
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
    Tuple,
    preorder_traversal,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.alpha import renaming
from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.pieces import coefficient_of, is_sum, summands, total
from symbolic_circuits.derivation.places import Place, part, places, replaced
from symbolic_circuits.derivation.rules.bilinear import ExchangeInputs
from symbolic_circuits.derivation.rules.collect import CollectTerms, multiples
from symbolic_circuits.derivation.rules.definitions import FoldLayer, Substitute
from symbolic_circuits.derivation.rules.distribute import Distribute, has_inner_sum
from symbolic_circuits.derivation.rules.notations import Layer, ToIndex, ToTensor
from symbolic_circuits.derivation.rules.products import FuseIdentity, MixedProduct, meet
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.sums import Rename, Reorder
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.expansion.notation.matrix import matrix_product
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.proof import tensor_of
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, ModelTensors
from symbolic_circuits.spec import Step as ModelStep
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.lowering import lower
from symbolic_circuits.syntax.sums import MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["derive_model"]

DEFINITION, OUT, MIXED, SYMMETRIC, NAMES = "definition of B", "multiply out", "mixed product", "collect equal terms", "rename"


def derive_model(expansion: PathExpansion, notation: str) -> Derivation:
    """The derivation of the closed form of a model in a notation."""
    target = expansion.closed_form(notation)  # checks the notation and the size first
    if notation == "operator" and OperatorNotation(expansion.tensors).is_linear:
        found = Operators(expansion).derivation()
    else:
        found = (Columns if notation == "operator" else Matrices)(expansion).derivation()
        if notation in ("index", "tensor"):
            found = in_parts(expansion, found, notation)
    return to_target(found, target)


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

    letter: str
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

    def step(self, step: ModelStep, x: MatrixSymbol) -> Expr:
        """What a step makes of the stream."""
        parts = [x] if step.residual else []
        for block in step.blocks:
            tensors = self.tensors.block(block.index)
            if isinstance(tensors, AttentionTensors):
                head = self.head(block.index)
                body = MatMul(KroneckerProduct(tensors.A[head], tensors.W_OV[head]), x)
                parts.append(MatrixSum(body, self.limits(block.index)))
            else:
                parts.append(self.layer(tensors, x))
        return total(parts, x)

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

    def step(self, step: ModelStep, x: MatrixSymbol) -> Expr:
        """What a step makes of the stream."""
        parts = [x] if step.residual else []
        for block in step.blocks:
            tensors = self.tensors.block(block.index)
            if isinstance(tensors, AttentionTensors):
                head = self.head(block.index)
                parts.append(MatrixSum(MatMul(tensors.A[head], x, tensors.W_OV[head].T), self.limits(block.index)))
            else:
                hidden = HadamardProduct(MatMul(x, tensors.W_1.T), MatMul(x, tensors.W_2.T))
                parts.append(hidden if tensors.W_out is None else MatMul(hidden, tensors.W_out.T))
        return total(parts, x)

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
    return Distribute() if has_inner_sum(node) else None


def mixed(node: Basic) -> Rule | None:
    """Where identity matrices, or neighbouring Kronecker products, are multiplied."""
    if not isinstance(node, MatMul):
        return None
    if any(isinstance(factor, Identity) for factor in node.args):
        return FuseIdentity()
    return MixedProduct() if any(meet(a, b) for a, b in pairwise(node.args)) else None


def outermost(summand: Basic, B: ArraySymbol) -> Place | None:
    """The place of the layer whose output a summand is."""
    place, node = (), summand
    while isinstance(node, MatrixSum):
        place, node = (*place, 0), node.args[0]
    return place if isinstance(node, ApplyBilinear) and node.args[0] == B else None


def later_of_pairs(terms: Sequence[Expr], B: ArraySymbol) -> frozenset[Expr]:
    """The summands B(y, x) of which B(x, y) comes earlier."""
    where = {k: place for k, term in enumerate(terms) if (place := outermost(term, B)) is not None}
    exchanged = {k: replaced(terms[k], place, ExchangeInputs(B).apply(part(terms[k], place))) for k, place in where.items()}
    values = lower(*(terms[k] for k in where), *exchanged.values())
    keys = [frozenset(value.terms.items()) for value in values]
    first = {}
    for number, k in enumerate(where):
        first.setdefault(keys[number], k)
    count = len(where)
    return frozenset(terms[k] for number, k in enumerate(where) if first.get(keys[count + number], k) < k)


def exchange(later: frozenset[Expr], summand: Expr, B: ArraySymbol) -> tuple[Place, Rule] | None:
    """What is done to a summand."""
    return (outermost(summand, B), ExchangeInputs(B)) if summand in later else None


def in_parts(expansion: PathExpansion, found: Derivation, notation: str) -> Derivation:
    """The entries, or the rows, of a derivation in matrix notation."""
    tensors, model = expansion.tensors, expansion.model
    blocks = [block for block in tensors.blocks if isinstance(block, BilinearTensors)]
    layers: tuple[Layer, ...] = tuple((block.B, block.W_1, block.W_2, block.W_out) for block in blocks)
    if notation == "index":
        start, rule = MatrixElement(found.name, *output_indices(model)), ToIndex(layers, model.symbolic_sizes)
    else:
        start, rule = Row(found.name, output_indices(model)[0]), ToTensor(layers, model.symbolic_sizes)
    chain = Chain(start)
    chain.at((0,), Substitute(found.name, found.result), f"substitute {found.name}")
    chain.everywhere(multiplied_out, OUT)

    def switched(summand: Basic) -> tuple[Place, Rule] | None:
        for place, node in places(summand):
            if isinstance(node, MatrixElement | Row) and not isinstance(node.args[0], MatrixSymbol | FamilyMember):
                return place, rule
        return None

    chain.each_summand(switched, rule.name)
    given = (*((block.B, (tensor_of(block),)) for block in blocks), *found.given)
    return Derivation(start, tuple(chain.steps), given, (*found.lemmas, found), start, model)


def to_target(found: Derivation, target: Expr) -> Derivation:
    """The derivation with bound symbols named, and summands ordered, as in the target."""
    chain = Chain(found.result)
    if found.result == target:
        return found
    wanted: dict[tuple, list[Expr]] = {}
    for summand in summands(target):
        wanted.setdefault(leaves_of(summand), []).append(summand)
    for summand in summands(found.result):
        for other in wanted.get(leaves_of(summand), ()):
            if renamed(chain, summand, other):
                break
    own = list(summands(chain.line))
    order = [own.index(summand) for summand in summands(target) if summand in own]
    if isinstance(chain.line, MatAdd) and sorted(order) == list(range(len(chain.line.args))) and order != sorted(order):
        chain.at((), Reorder(tuple(order)), NAMES)
    return found.extended(*chain.steps)


def leaves_of(expr: Expr) -> tuple:
    """The names of the tensors in an expression, with how often each occurs."""
    tensors = (node for node in preorder_traversal(expr) if isinstance(node, MatrixSymbol | MatrixFamily | ArraySymbol))
    return tuple(sorted(Counter(str(tensor.name) for tensor in tensors).items()))


def renamed(chain: Chain, summand: Expr, other: Expr) -> bool:
    """Turn a summand into another one that differs by names of bound symbols; whether it could be done."""
    if summand == other:
        return True
    (coefficient, body), (wanted_coefficient, wanted) = coefficient_of(summand), coefficient_of(other)
    names = renaming(body, wanted)
    if coefficient != wanted_coefficient or names is None:
        return False
    place = () if body == summand else (1,)
    chain.at((*chain.place_of(summand), *place), Rename(names), NAMES)
    return True
