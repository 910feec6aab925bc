r"""Sums over indices: those that are written, and ``a_i b_i`` where indices that repeat are summed.

With the convention an index is summed in the smallest part in which it repeats: of ``(W_{ij} x_j + b_i) y_i`` j within its term, i in the product.
"""

from collections.abc import Sequence

from sympy import Expr

from symbolic_circuits.latex.elaboration import BoundIndex, Elaboration
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.values import Value
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["repeated_summed", "summed_over"]


def summed_over(indices: Sequence[BoundIndex], body: Value, span: Span, state: Elaboration) -> Value:
    """The sum of a value over indices."""
    is_matrix = body.order == 2 or (body.order == 1 and body.form == "column")
    form = MatrixSum if is_matrix else IndexSum

    def build() -> Expr:
        limits = [(i.symbol, 0, state.size(i.axis, i.span, f"the index {i.name} of this sum") - 1) for i in indices]
        return form(body.build(), *limits)

    names = {index.symbol.name for index in indices}
    rest = {name: count for name, count in body.indices.items() if name not in names}
    return Value(body.axes, build, span, body.form, rest, body.is_zero, body.operator)


def repeated_summed(value: Value, state: Elaboration) -> Value:
    """With the Einstein convention: a part of a term, summed over the indices that repeat in it, are free nowhere, and have no sum of their own."""
    if state.summed is None or not state.symbols.einstein:
        return value
    written = {index.symbol.name for scope in state.scopes for index in scope.values() if hasattr(index.symbol, "name")}
    repeated = [
        state.by_symbol[name]
        for name, count in value.indices.items()
        if count > 1 and name not in written | state.foreign and state.by_symbol[name].name not in state.summed
    ]
    return summed_over(repeated, value, value.span, state) if repeated else value
