r"""Layers with tied weights do not tell their inputs apart: of B(x, y) and B(y, x) the second is exchanged, so that they collect."""

from collections.abc import Sequence

from sympy import (
    Expr,
    MatMul,
)
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.places import Place, part, replaced
from symbolic_circuits.derivation.rules.bilinear import ExchangeInputs
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.lowering import lower
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["exchange", "later_of_pairs"]


def outermost(summand: Basic, B: ArraySymbol) -> Place | None:
    """The place of the layer whose output a summand is."""
    place, node = (), summand
    while isinstance(node, MatrixSum) or (isinstance(node, MatMul) and len(node.args) == 2 and node.args[0].is_number):
        number = 0 if isinstance(node, MatrixSum) else 1
        place, node = (*place, number), node.args[number]
    return place if isinstance(node, ApplyBilinear) and node.args[0] == B else None


def later_of_pairs(terms: Sequence[Expr], B: ArraySymbol) -> frozenset[Expr]:
    """The summands B(y, x) of which B(x, y) comes earlier."""
    where = {k: place for k, term in enumerate(terms) if (place := outermost(term, B)) is not None}
    exchanged = {k: replaced(terms[k], place, ExchangeInputs(B).apply(part(terms[k], place))) for k, place in where.items()}
    values = lower(*(terms[k] for k in where), *exchanged.values())
    keys = [(value.names, frozenset(value.terms.items())) for value in values]
    first = {}
    for number, k in enumerate(where):
        first.setdefault(keys[number], k)
    count = len(where)
    return frozenset(terms[k] for number, k in enumerate(where) if first.get(keys[count + number], k) < k)


def exchange(later: frozenset[Expr], summand: Expr, B: ArraySymbol) -> tuple[Place, Rule] | None:
    """What is done to a summand."""
    return (outermost(summand, B), ExchangeInputs(B)) if summand in later else None
