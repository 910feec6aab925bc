r"""Generating functions of terms: the coefficient of z_1^{k_1} z_2^{k_2} ... is the number of terms with grades k_1, k_2, ...

Order, degree, heads and bilinears add up over the nodes of a term, so that each node carries its variables; height is a maximum,
and comes from the automaton of nesting depths. B35: sum_k z^k (number of paths of order k) = prod_l (1 + H_l z) for attention
only, where order and height agree.
"""

from collections.abc import Sequence

from sympy import Add, Expr, Integer, Poly, Symbol

from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.counting import GRADINGS, Counting, Grading
from symbolic_circuits.expansion.grammar import Grammar
from symbolic_circuits.expansion.interpret import interpret_grammar
from symbolic_circuits.expansion.queries.automaton import Height
from symbolic_circuits.expansion.queries.by_state import ByState

__all__ = ["generating_function"]


def generating_function(grammar: Grammar, by: str | Sequence[str], z: Symbol | Sequence[Symbol] | None = None) -> Expr:
    """The number of terms of each grade, or of each combination of grades, as a polynomial.

    Parameters
    ----------
    by : "order", "height", "degree", "heads", "bilinears", or several of them
    z : the variable, or one for each; by default z, and z_order, z_height, ... for several

    Raises
    ------
    NotationError
        There is no such grading, it is given twice, or the variables are not one for each.
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    variables = variables_for(by, names, z)
    added = [(name, variable) for name, variable in zip(names, variables, strict=True) if name != "height"]
    algebra = Grading(tuple(name for name, _ in added), tuple(variable for _, variable in added)) if added else Counting()
    if "height" not in names:
        return interpret_grammar(grammar, algebra)[-1].as_expr()
    depth = variables[names.index("height")]
    parts = interpret_grammar(grammar, ByState(algebra, Height()))[-1]
    whole = Add(*(expression(value) * depth**height for height, value in parts.items()))
    return Poly(whole, *variables).as_expr()


def expression(value: int | Poly) -> Expr:
    """A count as an expression."""
    return value.as_expr() if isinstance(value, Poly) else Integer(value)


def variables_for(by: str | Sequence[str], names: tuple[str, ...], z: Symbol | Sequence[Symbol] | None) -> tuple[Symbol, ...]:
    """One variable for each grading."""
    known = ("height", *GRADINGS)
    for name in names:
        if name not in known:
            raise NotationError(f"terms are counted by {', '.join(known)}; got {name!r}")
    if not names or len(set(names)) != len(names):
        raise NotationError(f"terms are counted by one grading or several different ones; got {by!r}")
    if z is None:
        return (Symbol("z"),) if isinstance(by, str) else tuple(Symbol(f"z_{name}") for name in names)
    variables = (z,) if isinstance(z, Symbol) else tuple(z)
    if not all(isinstance(variable, Symbol) for variable in variables):
        raise NotationError(f"the variables of a generating function are SymPy symbols; got {z!r}")
    if len(set(variables)) != len(names):
        raise NotationError(f"{len(names)} gradings take as many different variables; got {len(variables)}: {variables}")
    return variables
