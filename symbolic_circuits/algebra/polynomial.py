"""A polynomial: canonical networks and scalar monomials with nonzero rational coefficients; equal iff equal as functions.

Without laws other than exchanges of axes, two polynomials are equal for all sizes and all real tensors exactly if they are equal
as collected here: canonical networks that differ are linearly independent functions (Lovasz 1967 and its extensions).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from symbolic_circuits.algebra.canonical import canonical
from symbolic_circuits.algebra.held import held_apart
from symbolic_circuits.algebra.open_terms import Axis, Open, OpenTerm
from symbolic_circuits.algebra.scalar import Monomial
from symbolic_circuits.errors import ShapeError

__all__ = ["Key", "Polynomial", "keyed"]

Key = tuple[tuple, Monomial]  # canonical form, monomial


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Collected terms.

    ``terms`` maps (canonical form, monomial) to a nonzero rational. A form is (factors, output, sizes); the output lists the legs
    of the axes in order, then the open names in alphabetical order.
    """

    axes: tuple[Axis, ...]
    names: tuple[str, ...]  # open index names, alphabetically
    terms: Mapping[Key, Fraction]

    @classmethod
    def collect(cls, value: Open) -> Self:
        """The collected form of a sum of open terms.

        Raises
        ------
        ShapeError
            A name is open in one term and not in another.
        """
        names = tuple(sorted(value.names))
        terms: dict[Key, Fraction] = {}
        for term in value.terms:
            missing = set(names) - {name for name, _ in term.named}
            if missing:
                raise ShapeError(f"the free index {sorted(missing)[0]} is not in every term of the sum")
            key, coefficient, _ = keyed(term)
            if coefficient:
                terms[key] = terms.get(key, Fraction(0)) + coefficient
        return cls(value.axes, names, {key: c for key, c in terms.items() if c})

    @property
    def is_zero(self) -> bool:
        """Whether this is the zero function."""
        return not self.terms

    def minus(self, other: Self) -> Self:
        """The difference."""
        if (self.axes, self.names) != (other.axes, other.names):
            raise ShapeError(f"a difference of expressions with axes {self.axes}, {self.names} and {other.axes}, {other.names}")
        terms = dict(self.terms)
        for key, coefficient in other.terms.items():
            terms[key] = terms.get(key, Fraction(0)) - coefficient
        return Polynomial(self.axes, self.names, {key: c for key, c in terms.items() if c})

    def ordered(self) -> Iterable[tuple[Key, Fraction]]:
        """Terms in an order that depends on nothing but the polynomial: few factors first."""
        return sorted(self.terms.items(), key=lambda item: order_key(item[0]))


def order_key(key: Key) -> tuple:
    """A sort key for terms."""
    (factors, output, sizes), monomial = key
    shown = tuple((tensor.order, indices) for tensor, indices in factors)
    return len(factors), shown, output, tuple(map(str, sizes)), tuple((str(name), exponent) for name, exponent in monomial)


def keyed(term: OpenTerm) -> tuple[Key, Fraction, dict[int, int]]:
    """The canonical form and monomial of a term, its coefficient, and the index of the form for each index that is not held."""
    apart = held_apart(term)
    if apart is None:
        return ((), ()), Fraction(0), {}
    term, moved = apart
    network, sizes = term.network()
    found = canonical(network, sizes)
    labels = {index: found.indices[place] for index, place in moved.items()}
    return (found.form, term.scalar.monomial), term.scalar.rational * found.sign, labels
