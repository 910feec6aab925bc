r"""Where the rules of a derivation of a model apply: what is multiplied out, fused, transposed, and which scalars come to the front."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from sympy import DiagMatrix, HadamardProduct, Identity, MatMul, MatrixSymbol, OneMatrix, Transpose
from sympy.core.basic import Basic

from symbolic_circuits.derivation.rules.bilinear import Bilinearity
from symbolic_circuits.derivation.rules.constants import RowsOfOnes
from symbolic_circuits.derivation.rules.distribute import Distribute, has_inner_sum
from symbolic_circuits.derivation.rules.products import FuseIdentity, MixedProduct, TransposeProduct, meet, split_scalars
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.scalars import PullScalars
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.tensors import BilinearTensors
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import Contracted

__all__ = ["OUT", "applies", "constant_rows", "first_that_applies", "mixed", "multiplied_out", "scalars_of", "transposed"]

OUT = "multiply out"


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


def transposed(node: Basic) -> Rule | None:
    """Where a product is transposed."""
    products = MatMul | HadamardProduct | Transpose | OneMatrix | DiagMatrix
    return TransposeProduct() if isinstance(node, Transpose) and isinstance(node.arg, products) else None


def scalars_of(mask: MatrixSymbol) -> Callable[[Basic], Rule | None]:
    """Where scalars are inside scores, which are linear in queries and keys."""

    def rule_for(node: Basic) -> Rule | None:
        is_scores = isinstance(node, Contracted) or (isinstance(node, HadamardProduct) and mask in node.args)
        return (
            PullScalars() if is_scores and any(isinstance(arg, MatMul) and split_scalars(arg)[0] for arg in node.args) else None
        )

    return rule_for


def constant_rows(layers: Iterable[BilinearTensors]) -> Callable[[Basic], Rule | None]:
    """Where both inputs of a layer are the constant: 1 b_1^T . 1 b_2^T."""
    pairs = [[Transpose(bias) for bias in (layer.b_1, layer.b_2)] for layer in layers if layer.b_1 and layer.b_2 and not layer.G]

    def rule_for(node: Basic) -> Rule | None:
        if not isinstance(node, HadamardProduct) or not all(isinstance(arg, MatMul) for arg in node.args):
            return None
        is_constant = all(isinstance(arg.args[0], OneMatrix) for arg in node.args)
        return RowsOfOnes() if is_constant and [arg.args[-1] for arg in node.args if len(arg.args) == 2] in pairs else None

    return rule_for


def first_that_applies(rules: Iterable[Rule], node: Basic) -> Rule | None:
    """The first rule that has something to do at a node."""
    return next((rule for rule in rules if applies(rule, node)), None)


def applies(rule: Rule, node: Basic) -> bool:
    """Whether a rule has something to do at a node."""
    try:
        rule.apply(node)
    except DerivationError:
        return False
    return True
