"""The exact value of a polynomial at given sizes and tensors with rational entries: rationals times radicals, entry by entry."""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import opt_einsum

from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import Monomial, Scalar, number, power, times
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import is_unit, place_of

__all__ = ["contracted", "scalar_value", "size_of", "value"]


def value(
    polynomial: Polynomial, arrays: Mapping[str, np.ndarray], sizes: Mapping[str, int], scalars: Mapping[str, Fraction]
) -> dict[Monomial, np.ndarray]:
    """The value as a sum over monomials in radicals such as sqrt(2): radical -> array of exact rationals.

    Parameters
    ----------
    arrays : of each tensor, by name: arrays of Python integers or fractions (dtype object)
    sizes : of each size symbol
    scalars : of each other symbol that stands in front of networks

    The axes of a result are the legs of the polynomial's axes one by one, then its names. Radicals that differ are linearly
    independent, so the value is zero only if every array is.
    """
    out: dict[Monomial, np.ndarray] = {}
    numbers = {name: Fraction(size) for name, size in sizes.items()} | dict(scalars)
    for ((factors, output, index_sizes), monomial), coefficient in polynomial.terms.items():
        scalar = scalar_value(Scalar(coefficient, monomial), numbers)
        found = contracted(factors, output, [size_of(size, sizes) for size in index_sizes], arrays)
        entries = np.asarray(found * scalar.rational, dtype=object)
        out[scalar.monomial] = np.asarray(out.get(scalar.monomial, 0) + entries, dtype=object)
    return out


def scalar_value(scalar: Scalar, numbers: Mapping[str, Fraction]) -> Scalar:
    """A scalar at given numbers: a rational times radicals."""
    out = Scalar(scalar.rational, ())
    for name, exponent in scalar.monomial:
        out = times(out, power(number(numbers[name] if isinstance(name, str) else name), exponent))
    return out


def size_of(size: SizeName, sizes: Mapping[str, int]) -> int:
    """The number that a size stands for."""
    return size if isinstance(size, int) else sizes[size]


def contracted(
    factors: tuple[tuple[Tensor, tuple[int, ...]], ...],
    output: tuple[int, ...],
    sizes: list[int],
    arrays: Mapping[str, np.ndarray],
) -> np.ndarray:
    """The array of one network."""
    operands: list[object] = []
    for tensor, indices in factors:
        shape = [sizes[index] for index in indices]  # without axes of size 1, and composite axes split
        operands += [unit_vector(tensor, shape[0]) if is_unit(tensor) else arrays[tensor.name].reshape(shape), list(indices)]
    fresh, result = len(sizes), []
    present = {index for _, indices in factors for index in indices}
    for index in output:  # an output index that repeats, or that no factor has, gets an identity or a vector of ones
        if index in result:
            operands += [np.eye(sizes[index], dtype=int).astype(object), [index, fresh]]
            result.append(fresh)
            fresh += 1
        else:
            if index not in present:
                operands += [np.ones(sizes[index], dtype=int).astype(object), [index]]
            result.append(index)
    if not operands:
        return np.array(1, dtype=object)
    return np.asarray(opt_einsum.contract(*operands, result, optimize="greedy"), dtype=object)


def unit_vector(tensor: Tensor, size: int) -> np.ndarray:
    """A unit vector as an array."""
    out = np.zeros(size, dtype=int).astype(object)
    out[place_of(tensor)] = 1
    return out
