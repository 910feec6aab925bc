r"""From the model as it stands to its closed form: each block defines the stream after it, x_1 = x_0 + sum_h (A^h (x) W^h) x_0.

| notation | the stream | how the closed form comes about |
| --- | --- | --- |
| operator, linear models | T is a product of sums of operators | multiply out, mixed product |
| operator | columns x_l | substitute, B is bilinear and heads are linear, mixed product |
| operator, patterns expanded; scores | n x d matrices X_l | as in matrix notation, then the column of each summand |
| matrix | n x d matrices X_l | substitute, multiply out |
| index, tensor | as in matrix notation | then entries or rows of each summand |
"""

from functools import partial

from sympy import MatrixSymbol
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.columns import Columns
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.matrices import Matrices
from symbolic_circuits.derivation.operators import Operators
from symbolic_circuits.derivation.places import Place, places
from symbolic_circuits.derivation.plain import is_plain, is_polynomial
from symbolic_circuits.derivation.rules.definitions import Substitute
from symbolic_circuits.derivation.rules.distribute import Distribute
from symbolic_circuits.derivation.rules.notations import Layer, ToIndex, ToTensor
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.terms import ToNotation, head_symbols, matrix_summands, part_of_output
from symbolic_circuits.derivation.sweeps import OUT, applies, multiplied_out
from symbolic_circuits.derivation.target import to_target
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation.contracted import ContractedNotation
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.expansion.notation.operator import is_linear
from symbolic_circuits.expansion.proof import tensor_of
from symbolic_circuits.expansion.tensors import BilinearTensors
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.family import FamilyMember
from symbolic_circuits.syntax.vec import Vec

__all__ = ["derive_model"]

SYMMETRIC = "symmetric"  # the law of C, which subtracts the mean


def derive_model(expansion: PathExpansion, notation: str) -> Derivation:
    """The derivation of the closed form of a model, or of the scores of a head, in a notation."""
    if expansion.query is not None:
        raise DerivationError(
            f"a derivation starts from a model, and arrives at all of its terms; these are only those where {expansion.query}: "
            "derive(expansion.unexpanded(), expansion.closed_form('matrix')) goes from what the query leaves of it to them"
        )
    target = expansion.closed_form(notation)  # checks the notation and the size first
    by_matrices = notation != "operator" or expansion.grammar.root is not None or is_polynomial(expansion)
    if not by_matrices:
        found = (Operators if is_linear(expansion.model) else Columns)(expansion).derivation()
    elif notation == "matrix":
        found = Matrices(expansion).derivation()
    else:
        matrices = Matrices(expansion).derivation()
        in_matrices = ContractedNotation(expansion.tensors).total(matrix_summands(expansion))
        parts = in_parts if is_plain(expansion) else term_by_term
        found = parts(expansion, to_target(matrices, in_matrices), notation)
    return to_target(found, target)


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


def term_by_term(expansion: PathExpansion, found: Derivation, notation: str) -> Derivation:
    """The entries, rows or columns of a derivation in matrix notation, each summand read as the term that it is."""
    start = part_of_output(expansion, found.name, notation)
    given = notation_given(expansion)
    root = expansion.grammar.root
    scores = () if root is None else (root.layer, root.head)
    rule = ToNotation(str(expansion.model), notation, *(scores or (-1, -1)), tuple(tensor for tensor, _ in given))
    chain = Chain(start)
    chain.at((0,), Substitute(found.name, found.result), f"substitute {found.name}")
    spread = Distribute(tuple(sorted(head_symbols(found.result), key=str)))
    if applies(spread, chain.line):
        chain.at((), spread, OUT)
    chain.each_summand(partial(switched, rule), rule.name)
    return Derivation(start, tuple(chain.steps), (*given, *found.given), (*found.lemmas, found), start, expansion.model)


def notation_given(expansion: PathExpansion) -> list[tuple[Basic, tuple]]:
    """The tensors that notations other than matrix notation have for products, and that C is symmetric."""
    tensors = expansion.tensors
    given: list[tuple[Basic, tuple]] = [(tensor, (value,)) for tensor, value in tensors.definitions.items()]
    return [*given, (tensors.centering, (SYMMETRIC,))] if expansion.model.norm == "layer" and expansion.model.d != 1 else given


def switched(rule: ToNotation, summand: Basic) -> tuple[Place, Rule] | None:
    """Where a summand is written otherwise."""
    for place, node in places(summand):
        if isinstance(node, MatrixElement | Row | Vec):
            return (place, rule) if rule.apply(node) != node else None
    return None
