"""Scalars in front of networks: a rational number times a monomial in sizes and scalar symbols, with decidable equality.

A monomial maps generators to nonzero rational exponents. Generators are names (sizes are positive, so that e^{1/2} and e^{-1/2}
are monomials like any other) and prime numbers with exponents strictly between 0 and 1 (square roots of numbers, say).
Different monomials are linearly independent over the rationals: names are independent variables, and so are radicals of
different squarefree numbers (Besicovitch 1940). So a sum of scalars is zero only if all its coefficients are.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from symbolic_circuits.errors import BudgetError

__all__ = ["ONE", "Monomial", "Scalar", "exact_text", "generator", "number", "power", "times"]

Monomial: TypeAlias = tuple[tuple[int | str, Fraction], ...]  # sorted: primes first, then names

MAX_RADICAND = 10**12  # numbers under roots are factored by trial division


class Scalar(NamedTuple):
    """rational * product of generator^exponent."""

    rational: Fraction
    monomial: Monomial


ONE = Scalar(Fraction(1), ())


def number(value: int | Fraction) -> Scalar:
    """A rational number."""
    return Scalar(Fraction(value), ())


def generator(name: str) -> Scalar:
    """A size or a scalar symbol."""
    return Scalar(Fraction(1), ((name, Fraction(1)),))


def sort_key(entry: tuple[int | str, Fraction]) -> tuple[int, int, str]:
    """Primes in order, then names."""
    name = entry[0]
    return (0, name, "") if isinstance(name, int) else (1, 0, name)


def collected(rational: Fraction, exponents: Mapping[int | str, Fraction]) -> Scalar:
    """A scalar in normal form: whole powers of primes belong to the rational number."""
    entries = []
    for name, exponent in exponents.items():
        if isinstance(name, int):
            whole = exponent.numerator // exponent.denominator
            rational *= Fraction(name) ** whole
            exponent -= whole
        if exponent:
            entries.append((name, exponent))
    return Scalar(rational, tuple(sorted(entries, key=sort_key)))


def times(left: Scalar, right: Scalar) -> Scalar:
    """The product.

    >>> root = power(number(2), Fraction(1, 2))
    >>> times(root, root) == number(2)
    True
    """
    if not left.monomial or not right.monomial:
        return Scalar(left.rational * right.rational, left.monomial or right.monomial)
    exponents = dict(left.monomial)
    for name, exponent in right.monomial:
        exponents[name] = exponents.get(name, Fraction(0)) + exponent
    return collected(left.rational * right.rational, exponents)


def power(base: Scalar, exponent: Fraction) -> Scalar:
    """A rational power.

    Raises
    ------
    ZeroDivisionError
        A negative power of zero.
    ValueError
        A root of a negative number.
    BudgetError
        A root of a number too large to factor.

    Examples
    --------
    >>> power(number(Fraction(8, 9)), Fraction(1, 2))
    Scalar(rational=Fraction(2, 3), monomial=((2, Fraction(1, 2)),))
    """
    exponent = Fraction(exponent)
    scaled = {name: e * exponent for name, e in base.monomial}
    if exponent.denominator == 1:
        return collected(base.rational ** int(exponent), scaled)
    if base.rational < 0:
        raise ValueError(f"{base.rational} has no real root of order {exponent.denominator}")
    if base.rational == 0:
        return Scalar(Fraction(0) ** exponent.numerator, ())
    for sign, part in ((1, base.rational.numerator), (-1, base.rational.denominator)):
        for prime, times_in in factored(part).items():
            scaled[prime] = scaled.get(prime, Fraction(0)) + sign * times_in * exponent
    return collected(Fraction(1), scaled)


def exact_text(value: Fraction) -> str:
    """A rational number in full; a number of thousands of digits by its length.

    >>> exact_text(Fraction(-1, 3)), exact_text(Fraction(7) ** 9000)
    ('-1/3', '(a number of 25267 bits)')
    """
    try:
        return str(value)
    except ValueError:  # Python writes numbers of up to 4300 digits
        bits = max(value.numerator.bit_length(), value.denominator.bit_length())
        return f"(a number of {bits} bits)"


def factored(value: int) -> dict[int, int]:
    """Prime factors of a positive integer, with multiplicity.

    >>> factored(360)
    {2: 3, 3: 2, 5: 1}
    """
    if value > MAX_RADICAND:
        raise BudgetError(f"a root of {value} needs its prime factors; the limit is {MAX_RADICAND}")
    factors: dict[int, int] = {}
    prime = 2
    while prime * prime <= value:
        while value % prime == 0:
            factors[prime] = factors.get(prime, 0) + 1
            value //= prime
        prime += 1
    if value > 1:
        factors[value] = factors.get(value, 0) + 1
    return factors
