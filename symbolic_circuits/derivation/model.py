r"""From the model as it stands to its closed form: each block defines the stream after it, x_1 = x_0 + sum_h (A^h (x) W^h) x_0.

| notation | the stream | how the closed form comes about |
| --- | --- | --- |
| operator, linear models | T is a product of sums of operators | multiply out, mixed product |
| operator | columns x_l | substitute, B is bilinear and heads are linear, mixed product |
| matrix | n x d matrices X_l | substitute, multiply out |
| index, tensor | as in matrix notation | then entries or rows of each summand |
"""

from sympy import (
    MatrixSymbol,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.places import Place, places
from symbolic_circuits.derivation.rules.definitions import Substitute
from symbolic_circuits.derivation.rules.notations import Layer, ToIndex, ToTensor
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.streams import OUT, Columns, Matrices, Operators, multiplied_out
from symbolic_circuits.derivation.target import to_target
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.proof import tensor_of
from symbolic_circuits.expansion.tensors import BilinearTensors
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.family import FamilyMember

__all__ = ["derive_model"]


def derive_model(expansion: PathExpansion, notation: str) -> Derivation:
    """The derivation of the closed form of a model in a notation."""
    target = expansion.closed_form(notation)  # checks the notation and the size first
    if notation == "operator" and OperatorNotation(expansion.tensors).is_linear:
        found = Operators(expansion).derivation()
    else:
        found = (Columns if notation == "operator" else Matrices)(expansion).derivation()
        if notation in ("index", "tensor"):
            found = in_parts(expansion, to_target(found, expansion.closed_form("matrix")), notation)
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
