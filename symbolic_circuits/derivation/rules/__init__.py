"""The rules of derivations, one concept a file; each is a named pure function from an expression to an equal one.

``RULES`` has all of them by name.
"""

from collections.abc import Iterator

from symbolic_circuits.derivation.rules.affine import FoldAffineLayer, FoldGatedLayer
from symbolic_circuits.derivation.rules.bilinear import Bilinearity, ExchangeInputs, Symmetrise
from symbolic_circuits.derivation.rules.blocks import BlockHadamard, BlockProduct
from symbolic_circuits.derivation.rules.cancelling import CancelInverse, CancelPair
from symbolic_circuits.derivation.rules.collect import CollectTerms
from symbolic_circuits.derivation.rules.constants import RowsOfOnes
from symbolic_circuits.derivation.rules.contractions import AsContraction, AsProducts, EntryOfContraction
from symbolic_circuits.derivation.rules.definitions import FoldIntoB, FoldLayer, Substitute
from symbolic_circuits.derivation.rules.distribute import Distribute
from symbolic_circuits.derivation.rules.forms import (
    AsDiagonal,
    DiagonalForm,
    ReorderForms,
    TraceAsSum,
    TransposeForm,
    TransposeTrace,
)
from symbolic_circuits.derivation.rules.kronecker import KroneckerNumbers
from symbolic_circuits.derivation.rules.laws import ApplyLaw, Claim
from symbolic_circuits.derivation.rules.notations import ToIndex, ToOperator, ToTensor
from symbolic_circuits.derivation.rules.products import (
    CyclicTrace,
    FuseIdentity,
    InsertIdentity,
    MixedProduct,
    TransposeProduct,
    WritePower,
)
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.scalars import ExpandPower, PullScalars
from symbolic_circuits.derivation.rules.sums import CollectHeads, Rename, Reorder, WriteOut
from symbolic_circuits.derivation.rules.symmetric_part import SymmetricPart
from symbolic_circuits.derivation.rules.terms import ToNotation

__all__ = [
    "RULES",
    "Bilinearity",
    "BlockHadamard",
    "BlockProduct",
    "CancelInverse",
    "CancelPair",
    "AsContraction",
    "AsProducts",
    "EntryOfContraction",
    "AsDiagonal",
    "DiagonalForm",
    "ReorderForms",
    "TraceAsSum",
    "TransposeForm",
    "TransposeTrace",
    "KroneckerNumbers",
    "ExpandPower",
    "PullScalars",
    "SymmetricPart",
    "ApplyLaw",
    "Claim",
    "CollectHeads",
    "CollectTerms",
    "CyclicTrace",
    "Distribute",
    "ExchangeInputs",
    "FoldAffineLayer",
    "FoldGatedLayer",
    "FoldIntoB",
    "FoldLayer",
    "FuseIdentity",
    "InsertIdentity",
    "MixedProduct",
    "Rename",
    "Reorder",
    "RowsOfOnes",
    "Rule",
    "Substitute",
    "Symmetrise",
    "ToIndex",
    "ToNotation",
    "ToOperator",
    "ToTensor",
    "TransposeProduct",
    "WriteOut",
    "WritePower",
]


def subclasses(kind: type) -> Iterator[type]:
    """The rules that have a name."""
    for sub in kind.__subclasses__():
        if hasattr(sub, "name"):
            yield sub
        yield from subclasses(sub)


RULES: dict[str, type[Rule]] = {kind.name: kind for kind in sorted(subclasses(Rule), key=lambda kind: kind.name)}
