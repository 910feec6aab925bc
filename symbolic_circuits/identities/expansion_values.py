r"""The exact value of raw terms at small sizes: c * sum over indices of prod_f T_f[indices], by explicit loops."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import TypeAlias

from sympy import factorint

from symbolic_circuits.identities.checker_data import Scalar, Term, scalar, times, unit_place

__all__ = ["evaluate"]

Values: TypeAlias = dict[tuple[int, ...], dict[tuple[tuple[str, Fraction], ...], Fraction]]


def evaluate(terms: Iterable[Term], arrays: Mapping[str, object], sizes: Mapping[str, int]) -> Values:
    """The exact value of a sum of terms, by explicit loops over all indices; for small sizes.

    Parameters
    ----------
    terms : as ``raw_terms`` gives them
    arrays : nested sequences of integers or fractions for each tensor, of the shape of its axes or of their parts
    sizes : the value of each size and scalar symbol

    Returns
    -------
    For each output index (then named ones, by name) that has a nonzero value: radical -> rational, that of () being rational;
    3 + 2 sqrt(5) is ``{(): 3, (("5", 1/2),): 2}``.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol, sqrt
    >>> from symbolic_circuits.identities.expansion_terms import raw_terms
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A = MatrixSymbol("A", n, n)
    >>> [terms] = raw_terms(A * A / sqrt(n))
    >>> evaluate(terms, {"A": [[1, 1], [0, 1]]}, {"n": 2})[0, 1]
    {(('2', Fraction(1, 2)),): Fraction(1, 1)}
    """
    flat = {name: flattened(array) for name, array in arrays.items()}
    total: Values = {}
    for term in terms:
        lengths = [size if isinstance(size, int) else int(sizes[size]) for size in term.sizes]
        value = at_sizes(term.scalar, sizes)
        places = term.output + tuple(index for _, index in term.names)
        for at in product(*map(range, lengths)):
            entry = value.rational
            for name, indices in term.factors:
                entry *= factor_value(name, indices, at, lengths, flat)
            place = total.setdefault(tuple(at[index] for index in places), {})
            place[value.powers] = place.get(value.powers, Fraction(0)) + entry
    kept = {at: {radical: entry for radical, entry in place.items() if entry} for at, place in total.items()}
    return {at: place for at, place in sorted(kept.items()) if place}


def factor_value(
    name: str, indices: Sequence[int], at: Sequence[int], lengths: Sequence[int], flat: Mapping[str, Sequence[Fraction]]
) -> Fraction:
    """The entry of a tensor, row-major in its legs; of a unit vector 1 at its place."""
    unit = unit_place(name)
    if unit is not None:
        return Fraction(at[indices[0]] == unit)
    place = 0
    for index in indices:
        place = place * lengths[index] + at[index]
    return flat[name][place]


def flattened(array: object) -> list[Fraction]:
    """The entries of a nested sequence, row-major."""
    if getattr(array, "shape", None) == ():
        return [Fraction(array[()])]
    return [entry for part in array for entry in flattened(part)] if hasattr(array, "__len__") else [Fraction(array)]


def at_sizes(value: Scalar, sizes: Mapping[str, int | Fraction]) -> Scalar:
    """A scalar with numbers for its symbols."""
    out = scalar(value.rational)
    for name, exponent in value.powers:
        number = Fraction(int(name) if name.isdigit() else sizes[name])
        if exponent.denominator == 1:
            out = times(out, scalar(number ** int(exponent)))
            continue
        for sign, part in ((1, number.numerator), (-1, number.denominator)):
            for prime, count in factorint(part).items():
                out = times(out, scalar(1, {str(prime): sign * count * exponent}))
    return out
