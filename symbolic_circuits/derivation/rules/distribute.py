r"""A node that is linear in an argument passes through sums: f(x + 2y, z) = f(x, z) + 2 f(y, z), and f(sum_h x_h) = sum_h f(x_h)."""

from dataclasses import dataclass
from itertools import product
from math import prod
from typing import ClassVar, NamedTuple, Self

from sympy import Expr, MatMul, Mul, S, Symbol, Tuple
from sympy.core.basic import Basic

from symbolic_circuits.derivation.pieces import Piece, coefficient_of, fresh_symbol, is_sum, linear_arguments, pieces, total
from symbolic_circuits.derivation.places import rebuilt
from symbolic_circuits.derivation.rules.rule import Reason, Rule, refused
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["Distribute"]

MAX_SUMMANDS = 50_000


@dataclass(frozen=True, slots=True)
class Distribute(Rule):
    r"""Multiply out: sums, sums over heads and numbers come out of every argument in which the node is linear.

    .. math:: A (B + C) = A B + A C, \qquad B(x + y, z) = B(x, z) + B(y, z), \qquad A \sum_h X_h = \sum_h A X_h

    It ends because every result is a sum of nodes without sums in these arguments.

    Parameters
    ----------
    keep : symbols of sums that stay inside

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A, B, C = (MatrixSymbol(name, 2, 2) for name in "ABC")
    >>> Distribute().apply(A * (B + 2 * C))
    A*B + 2*A*C
    """

    keep: tuple[Symbol, ...] = ()

    name: ClassVar[str] = "distribute"
    formula: ClassVar[str] = r"f(x + y) = f(x) + f(y)"
    needs: ClassVar[str] = "a product, or another operation that is linear in an argument, with a sum in that argument"

    def apply(self, expr: Basic) -> Basic:
        if not has_inner_sum(expr):
            raise refused(self, expr)
        linear, keep = set(linear_arguments(expr)), frozenset(self.keep)
        choices = [
            [Choice.of(piece) for piece in (pieces(arg, keep) if number in linear else [Piece(S.One, (), arg)])]
            for number, arg in enumerate(expr.args)
        ]
        if all(len(found) == 1 and found[0].is_plain for found in choices):
            raise refused(self, expr)
        count = prod(map(len, choices))
        if count > MAX_SUMMANDS:
            raise BudgetError(f"multiplying out would make {count:,} summands; the limit is {MAX_SUMMANDS:,}")
        own = {symbol.name for limit in getattr(expr, "limits", ()) for symbol in limit.atoms(Symbol)}
        return total([chosen(expr, combination, own) for combination in product(*choices)], expr)

    @property
    def reason(self) -> Reason:
        return ("distribute over the sum",)


def has_inner_sum(node: Basic) -> bool:
    """Whether there is something to multiply out; a number in front of one sum over symbols is where it belongs."""
    multiple = isinstance(node, MatMul | Mul) and sum(not arg.is_number for arg in node.args) == 1
    for number in linear_arguments(node):
        arg = node.args[number]
        if is_sum(arg) or (arg.args and coefficient_of(arg)[0] != 1 and not multiple):
            return True
        if isinstance(arg, MatrixSum | IndexSum) and not multiple and not isinstance(node, MatrixSum | IndexSum):
            return True
    return False


class Choice(NamedTuple):
    """A piece of one argument, and the names in its body."""

    piece: Piece
    names: frozenset[str]  # of all symbols
    free: frozenset[str]  # of those that the piece does not sum over

    @classmethod
    def of(cls, piece: Piece) -> Self:
        """What is known of a piece."""
        names = frozenset(symbol.name for symbol in piece.body.atoms(Symbol))
        return cls(piece, names, names - {limit[0].name for limit in piece.limits})

    @property
    def is_plain(self) -> bool:
        """Whether nothing comes out of it."""
        return not self.piece.limits and self.piece.coefficient == 1


def chosen(node: Expr, combination: tuple[Choice, ...], own: set[str]) -> Expr:
    """One summand: the node at one piece of each argument, the symbols that come out all different."""
    used, names = own.union(*(choice.free for choice in combination)), own.union(*(choice.names for choice in combination))
    coefficient, limits, bodies = S.One, [], []
    for (factor, bound, body), _, _ in combination:
        renamed = {}
        for symbol, low, high in bound:
            if symbol.name in used:
                renamed[symbol] = fresh_symbol(symbol, used | names)
            symbol = renamed.get(symbol, symbol)
            used.add(symbol.name)
            limits.append(Tuple(symbol, low, high))
        bodies.append(body.xreplace(renamed) if renamed else body)
        coefficient *= factor
    if isinstance(node, MatMul):  # (1 - a) X leaves the number 1 as a factor, 2 (X / 2 + Y) the number 2 and a half
        coefficient *= prod(body for body in bodies if body.is_Number)
        bodies = [body for body in bodies if not body.is_Number]
    return Piece(coefficient, tuple(limits), rebuilt(node, bodies)).expr()
