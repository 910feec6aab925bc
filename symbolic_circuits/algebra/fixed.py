"""Axes of fixed size split into their values: sum_i f_i over an axis of size 2 is f_0 + f_1, and g_i is g_0 e_i + g_1 e'_i.

After that every entry along a fixed axis is a tensor of its own, so that two polynomials are equal at these sizes exactly if
their collected forms are: 2 x 2 matrices satisfy their characteristic equation, and a sum over two heads is the two heads.
"""

from collections.abc import Iterator
from itertools import product
from math import prod

from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import ONE, Scalar, number, power, times
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import is_unit, unit
from symbolic_circuits.errors import BudgetError

__all__ = ["at_sizes", "has_fixed_axes", "split_fixed"]

MAX_TERMS = 200_000


def open_terms(value: Polynomial) -> Iterator[OpenTerm]:
    """The terms of a polynomial as open networks again."""
    for ((factors, output, sizes), monomial), coefficient in value.terms.items():
        count = len(output) - len(value.names)
        named = tuple(zip(value.names, output[count:], strict=True))
        yield OpenTerm(Scalar(coefficient, monomial), factors, sizes, output[:count], named)


def has_fixed_axes(value: Polynomial) -> bool:
    """Whether some index runs over a number of values that is not held already."""
    return any(open_indices(term) for term in open_terms(value))


def open_indices(term: OpenTerm) -> list[int]:
    """Indices of fixed size that carry no unit vector."""
    held = {indices[0] for tensor, indices in term.factors if is_unit(tensor)}
    return [k for k, size in enumerate(term.sizes) if isinstance(size, int) and k not in held]


def split_fixed(value: Polynomial) -> Polynomial:
    """The polynomial with every axis of fixed size split into its values.

    Raises
    ------
    BudgetError
        This makes too many terms.
    """
    terms, count = [], 0
    for term in open_terms(value):
        fixed = open_indices(term)
        count += prod(int(term.sizes[k]) for k in fixed)
        if count > MAX_TERMS:
            raise BudgetError(f"splitting fixed axes into their values would make {count} terms; the limit is {MAX_TERMS}")
        for places in product(*(range(int(term.sizes[k])) for k in fixed)):
            units = tuple((unit(place, term.sizes[k]), (k,)) for k, place in zip(fixed, places, strict=True))
            terms.append(term._replace(factors=term.factors + units))
    return Polynomial.collect(Open(value.axes, tuple(terms)))


def at_sizes(value: Polynomial, sizes: dict[str, int]) -> Polynomial:
    """The polynomial with size symbols replaced by numbers, in axes and in scalars; everything split that is then fixed."""

    def size(name: SizeName) -> SizeName:
        return sizes.get(name, name) if isinstance(name, str) else name

    def tensor(old: Tensor) -> Tensor:
        return Tensor(old.name, tuple(map(size, old.shape)), old.symmetric, old.antisymmetric)

    terms = []
    for term in open_terms(value):
        scalar = Scalar(term.scalar.rational, ())
        for name, exponent in term.scalar.monomial:
            factor = Scalar(ONE.rational, ((name, exponent),))
            scalar = times(scalar, power(number(sizes[name]), exponent) if name in sizes else factor)
        factors = tuple((tensor(t), indices) for t, indices in term.factors)
        terms.append(OpenTerm(scalar, factors, tuple(map(size, term.sizes)), term.legs, term.named))
    axes = tuple(tuple(map(size, axis)) for axis in value.axes)
    return split_fixed(Polynomial.collect(Open(axes, tuple(terms))))
