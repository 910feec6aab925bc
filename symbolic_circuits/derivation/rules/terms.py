r"""A summand of a closed form in matrix notation, read as the term of the model that it is, and written in another notation."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from sympy import Expr
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement

from symbolic_circuits.derivation.pieces import Piece, pieces, scaled
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.notation.contracted import ContractedNotation
from symbolic_circuits.expansion.notation.index import output_indices, score_indices
from symbolic_circuits.expansion.scores import scores
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["ToNotation", "matrix_summands", "part_of_output"]

NO_SCORES = (-1, -1)
WORDS = {"index": "in indices", "tensor": "in tensor notation", "operator": "as operators"}


@dataclass(frozen=True, slots=True)
class ToNotation(Rule):
    r"""An entry, a row or the column of a term of a model, in index, tensor or operator notation.

    .. math:: (A X W^\top)_{sv} = \sum_{u,j} A_{su} X_{uj} W_{vj}, \qquad (A X W^\top)_s = \sum_u A_{su} \, W \cdot_{21} X_u,
        \qquad \operatorname{vec}(A X W^\top) = (A \otimes W) \operatorname{vec} X

    Parameters
    ----------
    model : the text of the model
    notation : "index", "tensor" or "operator"
    layer, head : of the scores whose terms are meant; -1 for those of the output
    stands_for : the tensors that stand for products of others, and those with a law, that the notation uses

    Examples
    --------
    >>> [_, head] = matrix_summands(path_expansion("attn(H, b_V)"))[:2]
    >>> ToNotation("attn(H, b_V)", "operator").apply(Vec(head))
    sum[h=0..H - 1] (KroneckerProduct(A[h], W_U*W_OV[h]*W_E))*vec(t)
    """

    model: str
    notation: str
    layer: int = -1
    head: int = -1
    stands_for: tuple[Basic, ...] = ()

    name: ClassVar[str] = "notation of a term"
    formula: ClassVar[str] = r"(A X W^\top)_{sv} = \sum_{u,j} A_{su} X_{uj} W_{vj}"
    needs: ClassVar[str] = "an entry, a row or the vec of a term of the model in matrix notation"

    def apply(self, expr: Basic) -> Basic:
        if self.notation not in WORDS or not isinstance(expr, MatrixElement | Row | Vec):
            raise refused(self, expr)
        known = translations(self.model, self.notation, self.layer, self.head)
        found = known.get(expr.args[0])
        if found is None or part_of_output(subject(self.model, self.layer, self.head), expr.args[0], self.notation) != expr:
            raise refused(self, expr)
        return found

    @property
    def reason(self) -> Reason:
        return (WORDS.get(self.notation, self.notation),)

    @property
    def defined(self) -> Iterable[Basic]:
        return self.stands_for


def part_of_output(expansion: PathExpansion, matrix: Expr, notation: str) -> Expr:
    """What a notation says of a matrix: an entry, a row, or the column vec."""
    is_output = expansion.grammar.root is None
    s, v = output_indices(expansion.model) if is_output else score_indices(expansion.model)
    if notation == "operator":
        return Vec(matrix)
    return Row(matrix, s) if notation == "tensor" and is_output else MatrixElement(matrix, s, v)


@lru_cache(maxsize=8)
def subject(model: str, layer: int, head: int) -> PathExpansion:
    """The expansion that is meant."""
    try:
        return path_expansion(model) if layer < 0 else scores(model, layer, head)
    except TypeError as error:
        raise DerivationError(f"there are no terms of {model!r}") from error


def matrix_summands(expansion: PathExpansion) -> list[Expr]:
    """The path classes in matrix notation, with contractions for rotary positions."""
    writer = ContractedNotation(expansion.tensors)
    return [writer.write(term) for term in expansion.path_classes()]


@lru_cache(maxsize=8)
def translations(model: str, notation: str, layer: int, head: int) -> dict[Expr, Expr]:
    """The terms in matrix notation, without what they are multiplied by, each with the same in another notation."""
    expansion = subject(model, layer, head)
    writer = notation_for(notation, expansion.tensors)
    found: dict[Expr, Expr] = {}
    for matrix, term in zip(matrix_summands(expansion), expansion.path_classes(), strict=True):
        [piece] = whole_pieces(matrix)
        found.setdefault(piece.body, scaled(1 / piece.coefficient, writer.write(term)))
    return found


def whole_pieces(expr: Expr) -> list[Piece]:
    """The summands with what they are multiplied by, sums over heads kept."""
    return list(pieces(expr, frozenset(head_symbols(expr))))


def head_symbols(expr: Expr) -> set[Basic]:
    """The symbols of the sums over heads that an expression is, or has as summands."""
    return {symbol for node in expr.atoms(MatrixSum, IndexSum) for symbol in node.bound_symbols}
