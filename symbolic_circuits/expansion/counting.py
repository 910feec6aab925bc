"""Counting terms: the input is 1, a head keeps the number, a bilinear layer multiplies, unordered pairs are x(x+1)/2.

With a variable z the same algebra grades: z at each component that is counted, so that the coefficient of z^k is the number
of terms with k of them (P_{L+1} = P_L + P_L^2 by degree, say). Where the number of heads is a symbol, counts are polynomials.
"""

from collections.abc import Sequence
from functools import reduce
from operator import add

import sympy
from sympy import Poly, Rational, Symbol

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import BudgetError, NotationError
from symbolic_circuits.expansion.grammar import BLOCKS, Component
from symbolic_circuits.expansion.interpret import Algebra

__all__ = ["GRADINGS", "Counting", "Grading", "LargestTerm"]

MAX_BITS = 10_000_000
MAX_DEGREE = 2048

GRADINGS = {  # name -> kinds of components that carry a factor z
    "order": BLOCKS,
    "degree": frozenset({"input"}),
    "heads": frozenset({"attn"}),
    "bilinears": frozenset({"bilinear"}),
}


def product(x: int | Poly, y: int | Poly, component: Component) -> int | Poly:
    """A product of counts, refused before it is too large."""
    if isinstance(x, int) and isinstance(y, int):
        if x.bit_length() + y.bit_length() > MAX_BITS:
            raise BudgetError(f"the number of terms has over {MAX_BITS:,} bits at {component.name}; the limit is {MAX_BITS:,}")
        return x * y
    degree = sum(p.total_degree() for p in (x, y) if isinstance(p, Poly))
    if degree > MAX_DEGREE:
        raise BudgetError(f"counting at {component.name} takes a polynomial of degree {degree:,}; the limit is {MAX_DEGREE:,}")
    return x * y


class Counting(Algebra[int | Poly]):
    """Number of terms: an int, or a polynomial in symbolic numbers of heads."""

    def zero(self, component: Component) -> int:
        return 0

    def input(self, component: Component) -> int:
        return 1

    def head(self, component: Component, x: int | Poly) -> int | Poly:
        return x

    def heads(self, component: Component, x: int | Poly, copies: Size) -> int | Poly:
        return product(Poly(copies, copies, domain="QQ"), x, component) if isinstance(copies, Symbol) else copies * x

    def norm(self, component: Component, x: int | Poly) -> int | Poly:
        return x

    gated = norm

    def bilinear(self, component: Component, x: int | Poly, y: int | Poly) -> int | Poly:
        return product(x, y, component)

    def attention(self, component: Component, inputs: Sequence[int | Poly]) -> int | Poly:
        return reduce(lambda x, y: product(x, y, component), inputs)

    scores = attention

    def attention_heads(self, component: Component, inputs: Sequence[int | Poly], copies: Size) -> int | Poly:
        return self.heads(component, self.attention(component, inputs), copies)

    def square(self, component: Component, x: int | Poly) -> int | Poly:
        pairs = product(x, x + 1, component)
        return pairs // 2 if isinstance(pairs, int) else pairs * Rational(1, 2)

    def add(self, values: Sequence[int | Poly]) -> int | Poly:
        return reduce(add, values)

    def scale(self, factor: int, x: int | Poly) -> int | Poly:
        return x  # a term with a coefficient is one term


class LargestTerm(Algebra[int]):
    """Number of nodes of the largest term, as a tree."""

    def zero(self, component: Component) -> int:
        return 0

    def input(self, component: Component) -> int:
        return 1

    def head(self, component: Component, x: int) -> int:
        return x + 1

    def heads(self, component: Component, x: int, copies: Size) -> int:
        return x + 1

    norm = gated = head

    def bilinear(self, component: Component, x: int, y: int) -> int:
        return x + y + 1

    def attention(self, component: Component, inputs: Sequence[int]) -> int:
        return sum(inputs) + 1

    scores = attention

    def attention_heads(self, component: Component, inputs: Sequence[int], copies: Size) -> int:
        return sum(inputs) + 1

    def add(self, values: Sequence[int]) -> int:
        return max(values)

    def scale(self, factor: int, x: int) -> int:
        return x


class Grading(Algebra[Poly]):
    """Polynomials in z (and in symbolic numbers of heads) whose coefficient of z^k counts the terms of grade k.

    Several gradings have a variable each.
    """

    def __init__(self, by: str | Sequence[str], z: Symbol | Sequence[Symbol]) -> None:
        names, variables = ((by,), (z,)) if isinstance(by, str) else (tuple(by), tuple(z))
        for name in names:
            if name not in GRADINGS:
                raise NotationError(f"terms are counted by {', '.join(GRADINGS)}; got {name!r}")
        self.graded, self.variables = [GRADINGS[name] for name in names], variables

    def zero(self, component: Component) -> Poly:
        return Poly(0, *self.variables)

    def factor(self, component: Component) -> Poly:
        exponents = tuple(int(component.kind in kinds) for kinds in self.graded)
        return Poly.from_dict({exponents: 1}, *self.variables)

    def input(self, component: Component) -> Poly:
        return self.factor(component)

    def head(self, component: Component, x: Poly) -> Poly:
        return product(self.factor(component), x, component)

    def heads(self, component: Component, x: Poly, copies: Size) -> Poly:
        return copies * product(self.factor(component), x, component)

    def norm(self, component: Component, x: Poly) -> Poly:
        return x

    gated = head

    def bilinear(self, component: Component, x: Poly, y: Poly) -> Poly:
        return self.factor(component) * product(x, y, component)

    def attention(self, component: Component, inputs: Sequence[Poly]) -> Poly:
        return self.factor(component) * reduce(lambda x, y: product(x, y, component), inputs)

    scores = attention

    def attention_heads(self, component: Component, inputs: Sequence[Poly], copies: Size) -> Poly:
        return copies * self.attention(component, inputs)

    def square(self, component: Component, x: Poly) -> Poly:
        """(P(z)^2 + P(z^2)) / 2, with numbers of heads as numbers, not variables: pairs of equal terms count once."""
        pairs = product(x, x, component)
        doubled = Poly.from_dict({tuple(2 * k for k in grades): c for grades, c in x.terms()}, *self.variables)
        return self.factor(component) * ((pairs + doubled) * Rational(1, 2))

    def add(self, values: Sequence[Poly]) -> Poly:
        return reduce(add, values)

    def scale(self, factor: int, x: sympy.Poly) -> sympy.Poly:
        return x
