r"""From SymPy trees to polynomials: one rule a node type, each the definition of the node in indices."""

from sympy import Expr

from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.syntax.lowering import (  # their rules register themselves
    arrays,
    contractions,
    functions,
    leaves,
    matrices,
    scalars,
)
from symbolic_circuits.syntax.lowering.context import Lowering, SharedLowering

__all__ = ["Lowering", "SharedLowering", "arrays", "contractions", "functions", "leaves", "lower", "matrices", "scalars"]


def lower(*exprs: Expr) -> list[Polynomial]:
    """The polynomials of expressions that are to be compared.

    Raises
    ------
    UnsupportedNodeError
        A node has no rule; the message names it.
    ShapeError
        Sizes that meet differ, a free index is not in every term, or a composite axis splits in two ways.
    BudgetError
        Multiplying out makes too many terms.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol, Trace
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> left, right = lower(Trace(A * B), Trace(B * A))
    >>> left == right
    True
    """
    return Lowering().polynomials(*exprs)
