r"""The expanded form of a model equals the model as it stands: proved for the sizes of its specification.

On one side stands every term by itself, on the other X_L, where X_l = X_{l-1} + blocks(X_{l-1}) defines the residual stream
(:mod:`symbolic_circuits.expansion.definition`). Both are collected as trees of operations (:mod:`symbolic_circuits.expansion.trees`); the certificate is one of the general prover,
made from the networks themselves when it is asked for.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from sympy import Add, Expr, Mul
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import OneArray
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.algebra.certificate import certificate_of
from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.normal_form import NormalForm, normal_form
from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.algebra.verdicts import Proved, Undecided, Verdict
from symbolic_circuits.counts import in_words
from symbolic_circuits.expansion.constant import ONE, One, WithOne
from symbolic_circuits.expansion.definition import Definition
from symbolic_circuits.expansion.grammar import ANY_HEAD, Grammar, grammar_of
from symbolic_circuits.expansion.interpret import fold, value_of
from symbolic_circuits.expansion.networks import Networks
from symbolic_circuits.expansion.notation.index import output_indices, score_indices
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.tensors import BilinearTensors
from symbolic_circuits.expansion.trees import Trees
from symbolic_circuits.identities.prove import prove
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.vec import Vec

if TYPE_CHECKING:
    from symbolic_circuits.expansion.expansion import PathExpansion

__all__ = ["MAX_TERMS", "prove_closed_form", "prove_expansion", "statement_of_expansion"]

MAX_TERMS = 200_000


@dataclass(frozen=True, eq=False)
class ProvedExpansion(Proved):
    """The terms of an expansion are those of the model; the networks are written out when they are asked for."""

    statement: None
    form: None
    expansion: "PathExpansion"

    @cached_property
    def certificate(self) -> dict:
        """The proof as plain data, from the networks of all terms."""
        form: NormalForm = normal_form(statement_of_expansion(self.expansion))
        return certificate_of(form)


def prove_expansion(expansion: "PathExpansion") -> Verdict:
    """The verdict on: the sum of all terms, listed one by one, is the model."""
    if expansion.number_of_terms > MAX_TERMS:
        words = in_words(expansion.number_of_terms)
        return Undecided(None, None, f"the expansion has {words} terms; they are listed and compared up to {MAX_TERMS:,}")
    trees = Trees()
    listed = total_of_terms(expansion, trees)
    if listed == defined(expansion, trees):
        return ProvedExpansion(None, None, expansion)
    return decide(statement_of_expansion(expansion))


def defined(expansion: "PathExpansion", trees: Trees) -> dict[int, int]:
    """The model by its definition, heads left open where the expansion leaves them open."""
    definition, root = Definition(expansion.model, trees, left_open(expansion)), expansion.grammar.root
    return definition.output() if root is None else definition.scores(root)


def left_open(expansion: "PathExpansion") -> frozenset[int]:
    """The attention blocks whose heads are one component of an expansion."""
    components = expansion.components.values()
    return frozenset(component.layer for component in components if component.kind == "attn" and component.head is None)


def total_of_terms(expansion: "PathExpansion", trees: Trees) -> dict[int, int]:
    """The sum of the terms, each folded by itself; subterms that are the same object are folded once."""
    terms = list(expansion)  # kept, because what is known of a subterm is known by its identity
    known: dict[int, dict[int, int]] = {}
    out: dict[int, int] = {}
    for term in terms:
        for tree, value in fold(term, trees, known).items():
            out[tree] = out.get(tree, 0) + value
    return out


def prove_closed_form(expansion: "PathExpansion", notation: str) -> Verdict:
    """The verdict on: the closed form in a notation is the model as it stands, both as SymPy expressions.

    The model is read as the notation reads it: an entry, the vector at a position, or the column of all entries.
    """
    closed, model, root = expansion.closed_form(notation), expansion.unexpanded(), expansion.grammar.root
    indices = output_indices(expansion.model) if root is None else score_indices(expansion.model)
    if notation == "index" or (notation == "tensor" and root is not None):
        model = MatrixElement(model, *indices)
    elif notation == "tensor":
        model = Row(model, indices[0])
    elif notation == "operator":
        linear = root is None and OperatorNotation(expansion.tensors).is_linear
        closed, model = closed * Vec(expansion.tensors.source) if linear else closed, Vec(model)
    if notation in ("index", "tensor"):
        closed = Add(*(at_every_position(summand, expansion) for summand in Add.make_args(closed)))
    return prove(closed, model, given=given_in(expansion, closed, model))


def at_every_position(summand: Expr, expansion: "PathExpansion") -> Expr:
    """A summand, times ones where it does not depend on a position, as a bias does not."""
    model = expansion.model
    positions = output_indices(model)[:1] if expansion.grammar.root is None else score_indices(model)
    return Mul(summand, *(ArrayElement(OneArray(model.n), (s,)) for s in positions if s not in summand.free_symbols))


def given_in(expansion: "PathExpansion", closed: Expr, model: Expr) -> dict:
    """Definitions of the tensors in a closed form that stand for products, and the law that C is symmetric."""
    tensors = expansion.tensors
    given: dict = {tensor: value for tensor, value in tensors.definitions.items() if closed.has(tensor)}
    if expansion.model.d != 1 and (closed.has(tensors.centering) or model.has(tensors.centering)):
        given[tensors.centering] = "symmetric(0,1)"
    return given


def bilinear_blocks(expansion: "PathExpansion") -> list[BilinearTensors]:
    """The tensors of the bilinear layers."""
    return [block for block in expansion.tensors.blocks if isinstance(block, BilinearTensors)]


def tensor_of(block: BilinearTensors) -> Expr:
    """B_{ijk} = sum_p P_{ip} (W_1)_{pj} (W_2)_{pk}."""
    return block.third_order


def statement_of_expansion(expansion: "PathExpansion") -> Statement:
    """The listed terms against X_L, each X_l a definition."""
    algebra = Networks(expansion.tensors)
    terms, known = list(expansion), {}
    finished = algebra.output if expansion.grammar.root is None else lambda value: value
    listed = algebra.add([finished(fold(term, algebra, known)) for term in terms])  # the constant is told from twice it as b_U
    by_head = frozenset(index for index, _ in expansion.model.numbered()) - left_open(expansion)
    definitions, last = streams(grammar_of(expansion.model, ANY_HEAD, by_head, expansion.grammar.root), algebra)
    model = finished(last)
    leaves: dict[str, tuple[Axis, ...]] = {}
    for value in (listed, model, *definitions.values()):
        for term in value.terms:
            for tensor, _ in term.factors:
                leaves[tensor.name] = tuple((size,) for size in tensor.shape)
    leaves = {name: axes for name, axes in leaves.items() if not name.startswith("unit ")}
    sizes = frozenset(size for axes in leaves.values() for axis in axes for size in axis if isinstance(size, str))
    return Statement(listed, model, dict(sorted(leaves.items())), (), definitions, (), frozenset(), sizes)


def streams(grammar: Grammar, algebra: Networks) -> tuple[dict[str, Open], Open | One | WithOne]:
    """X_0, X_1, ... as definitions, and the last as a tensor; the constant is itself."""
    definitions: dict[str, Open] = {}
    values: list[Open | One | WithOne] = []
    for level, nonterminal in enumerate(grammar.nonterminals):
        name = f"stream after step {level}"  # no tensor of a model has spaces in its name
        value = algebra.add([value_of(production, values, algebra) for production in nonterminal])
        if value is ONE:
            values.append(ONE)
            continue
        definitions[name] = value.stream if isinstance(value, WithOne) else value
        axes = definitions[name].axes
        named = Open.of_tensor(Tensor(name, tuple(size for axis in axes for size in axis)), axes)
        values.append(WithOne(named) if isinstance(value, WithOne) else named)
    return definitions, values[-1]
