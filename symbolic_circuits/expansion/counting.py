"""Counting terms: the input is 1, a head keeps the number, a bilinear layer multiplies, unordered pairs are x(x+1)/2.

With a variable z the same algebra grades: z at each component that is counted, so that the coefficient of z^k is the number
of terms with k of them (generating functions of STATEMENTS of enumeration: P_{L+1} = P_L + P_L^2 by degree, say).
"""

from collections.abc import Sequence
from functools import reduce
from operator import add

import sympy

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra

__all__ = ["GRADINGS", "Counting", "Grading"]

MAX_BITS = 10_000_000

GRADINGS = {  # name -> kinds of components that carry a factor z
    "order": frozenset({"attn", "bilinear"}),
    "degree": frozenset({"input"}),
    "heads": frozenset({"attn"}),
    "bilinears": frozenset({"bilinear"}),
}


class Counting(Algebra[int]):
    """Number of terms: an int, or a SymPy polynomial where the number of heads is a symbol."""

    def input(self, component: Component) -> int:
        return 1

    def head(self, component: Component, x: int) -> int:
        return x

    def heads(self, component: Component, x: int, copies: Size) -> int:
        return sympy.expand(copies * x) if isinstance(copies, sympy.Symbol) else copies * x

    def bilinear(self, component: Component, x: int, y: int) -> int:
        if isinstance(x, int) and isinstance(y, int):
            if x.bit_length() + y.bit_length() > MAX_BITS:
                raise BudgetError(
                    f"the number of terms has more than {MAX_BITS:,} bits at {component.name}; the limit is {MAX_BITS:,}"
                )
            return x * y
        return sympy.expand(x * y)

    def square(self, component: Component, x: int) -> int:
        pairs = self.bilinear(component, x, x + 1)
        return pairs // 2 if isinstance(pairs, int) else sympy.expand(pairs / 2)

    def add(self, values: Sequence[int]) -> int:
        return reduce(add, values)

    def scale(self, factor: int, x: int) -> int:
        return x  # a term with a coefficient is one term


class Grading(Algebra[sympy.Poly]):
    """Polynomials in z (and in symbolic numbers of heads) whose coefficient of z^k counts the terms of grade k."""

    def __init__(self, by: str, z: sympy.Symbol) -> None:
        if by not in GRADINGS:
            raise NotationError(f"terms are counted by {', '.join(GRADINGS)}; got {by!r}")
        self.graded, self.z = GRADINGS[by], z

    def factor(self, component: Component) -> sympy.Poly:
        return sympy.Poly(self.z if component.kind in self.graded else 1, self.z)

    def input(self, component: Component) -> sympy.Poly:
        return self.factor(component)

    def head(self, component: Component, x: sympy.Poly) -> sympy.Poly:
        return self.factor(component) * x

    def heads(self, component: Component, x: sympy.Poly, copies: Size) -> sympy.Poly:
        return copies * self.factor(component) * x

    def bilinear(self, component: Component, x: sympy.Poly, y: sympy.Poly) -> sympy.Poly:
        return self.factor(component) * x * y

    def square(self, component: Component, x: sympy.Poly) -> sympy.Poly:
        """(P(z)^2 + P(z^2)) / 2, with numbers of heads as numbers, not variables: pairs of equal terms count once."""
        doubled = sympy.Poly.from_dict({(2 * k,): c for (k,), c in x.terms()}, self.z)
        return self.factor(component) * ((x * x + doubled) * sympy.Rational(1, 2))

    def add(self, values: Sequence[sympy.Poly]) -> sympy.Poly:
        return reduce(add, values)

    def scale(self, factor: int, x: sympy.Poly) -> sympy.Poly:
        return x
