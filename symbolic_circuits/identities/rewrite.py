r"""A law of a user's own: an equation between networks that is used from left to right wherever the left side occurs in a term.

The left side is one network; every term on the right has fewer factors, so that rewriting ends: each use makes the number of
factors of a term smaller. The right side need not be unique: where rules overlap, what is proved depends on the order in which they
are tried (shortest left sides first), and an identity that is not proved is undecided, never refuted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr

from symbolic_circuits.algebra.functions import functions_of
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.rewriting import ZERO, Replacement, Rule
from symbolic_circuits.algebra.scalar import Scalar, power, times
from symbolic_circuits.errors import LawError
from symbolic_circuits.syntax.lowering import Lowering

__all__ = ["Rewrite"]


@dataclass(frozen=True)
class Rewrite:
    """The law ``lhs = rhs``, taken as given and used from left to right.

    Examples
    --------
    A projector:

    >>> from sympy import MatrixSymbol, Symbol
    >>> from symbolic_circuits.identities.prove import prove
    >>> n = Symbol("n", integer=True, positive=True)
    >>> P = MatrixSymbol("P", n, n)
    >>> prove(P**5, P, given=[Rewrite("projector", P * P, P)]).verdict
    'proved'
    """

    name: str
    lhs: Expr
    rhs: Expr

    def rule(self, lowering: Lowering) -> Rule:
        """The law as a rule on networks.

        Raises
        ------
        LawError
            The left side is not one network, or the right side would not make terms smaller.
        """
        bound = set(lowering.bound)
        left, right = lowering.open(self.lhs), lowering.open(self.rhs)
        lowering.bound = bound  # what a law sums over is its own: it has no free index
        lowering.total(Open(left.axes, ()), Open(right.axes, ()))
        if len(left.terms) != 1 or left.names | right.names:
            raise LawError(f"the left side of the law {self.name} is one product without free indices; got {self.lhs}")
        if left.axes != right.axes:
            raise LawError(f"the sides of the law {self.name} have different shapes")
        [pattern] = left.terms
        if not pattern.factors or any(name not in lowering.sizes for name, _ in pattern.scalar.monomial):
            raise LawError(
                f"the left side of the law {self.name} is a product of tensors, with a number that is not zero in front: {self.lhs}"
            )
        if next(functions_of(left.terms), None) is not None:
            raise LawError(f"the law {self.name} has a function on its left side, which is a product of tensors")
        on_factors = {index for _, indices in pattern.factors for index in indices}
        if not set(pattern.legs) <= on_factors or not all(follows(term.legs, pattern.legs) for term in right.terms):
            raise LawError(f"the left side of the law {self.name} has an axis that is free or repeated: {self.lhs}")
        inverse = power(pattern.scalar, -1)
        result = tuple(replacement(self.name, pattern, term, inverse) for term in right.terms) or (ZERO,)
        return Rule(
            f"law {self.name}",
            tuple((tensor.name, indices) for tensor, indices in pattern.factors),
            frozenset(on_factors - set(pattern.legs)),
            result,
        )


def follows(legs: Sequence[int], pattern: Sequence[int]) -> bool:
    """Whether axes that are repeated in the left side, as those of diag(r), are so in a term of the right one.

    Both are then zero off the diagonal, so that the law says no more than its entries on the diagonal do.
    """
    return all(legs[k] == legs[pattern.index(leg)] for k, leg in enumerate(pattern))


def replacement(name: str, pattern: OpenTerm, term: OpenTerm, inverse: Scalar) -> Replacement:
    """A term of the right side on the variables of the left one."""
    if len(term.factors) >= len(pattern.factors):
        raise LawError(f"every term on the right of the law {name} has fewer factors than the left side, so that rewriting ends")
    variable: dict[int, int] = {}
    united = []
    for leg, own in zip(pattern.legs, term.legs, strict=True):
        if variable.get(own) == leg:
            continue
        if own in variable:
            united.append((variable[own], leg))
        else:
            variable[own] = leg
    first, fresh = max((i for _, indices in pattern.factors for i in indices), default=-1) + 1, []
    for index, size in enumerate(term.sizes):
        if index not in variable:
            variable[index] = first + len(fresh)
            fresh.append(size)
    factors = tuple((tensor, tuple(variable[i] for i in indices)) for tensor, indices in term.factors)
    return Replacement(times(term.scalar, inverse), factors, tuple(united), tuple(fresh))
