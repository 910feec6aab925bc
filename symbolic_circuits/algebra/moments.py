r"""The expectation of a sum of networks over a Gaussian tensor x, by integration by parts (Isserlis, Wick):

.. math:: E[x_i f(x)] = m_i E[f] + \sum_j S_{ij} E[\partial_j f]

The first factor x of every term is taken away, alone where there is a mean m, and with each other factor x in turn, the two joined by
the covariance S; equal terms are collected after each step. Without a mean this is the sum over all (N-1)!! perfect matchings
of the N factors x of a term, and zero where N is odd.
"""

from collections.abc import Iterator
from math import prod

from symbolic_circuits.algebra.derivative import require_constant_functions
from symbolic_circuits.algebra.fixed import open_terms
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.errors import BudgetError

__all__ = ["expectation", "matchings", "pairings_with_mean"]

MAX_TERMS = 200_000


def expectation(value: Open, tensor: str, covariance: Tensor | None = None, mean: Tensor | None = None) -> Open:
    """The expectation over a Gaussian tensor.

    Parameters
    ----------
    value : polynomial in the tensor
    tensor : its name
    covariance : a tensor with the axes of the Gaussian one twice, S_{ij} = S_{ji}; independent entries of variance 1 without it
    mean : a tensor with its axes; zero without it

    Raises
    ------
    UnsupportedNodeError
        A function node depends on the tensor.
    BudgetError
        More than MAX_TERMS terms would be made; the message has the number of matchings.

    Examples
    --------
    >>> x = Open.of_tensor(Tensor("x", ("d",)))
    >>> [term] = expectation(x.outer(x).contracted(0, 1), "x").terms
    >>> term.scalar.monomial, term.factors
    ((('d', Fraction(1, 1)),), ())
    """
    require_constant_functions(value.terms, (tensor,))
    start = Polynomial.collect(value)
    done, waiting, made = [], list(open_terms(start)), 0
    while waiting:
        new, count = [], 0
        for term in waiting:
            places = occurrences(term, tensor)
            if not places:
                done.append(term)
            elif mean is not None or len(places) % 2 == 0:
                new.append((term, places))
                count += len(places) - (mean is None)
        made += count
        if made > MAX_TERMS:
            raise BudgetError(over_budget(start, tensor, mean is not None))
        step = tuple(found for term, places in new for found in paired(term, places, covariance, mean))
        waiting = list(open_terms(Polynomial.collect(Open(value.axes, step)))) if step else []
    collected = Polynomial.collect(Open(value.axes, tuple(done)))
    return Open(value.axes, tuple(open_terms(collected)))


def occurrences(term: OpenTerm, tensor: str) -> list[int]:
    """The places of the factors that are the tensor."""
    return [place for place, (factor, _) in enumerate(term.factors) if factor.name == tensor]


def paired(term: OpenTerm, places: list[int], covariance: Tensor | None, mean: Tensor | None) -> Iterator[OpenTerm]:
    """A term with its first Gaussian factor replaced by the mean, and joined to every other one."""
    first, *others = places
    _, i = term.factors[first]
    if mean is not None:
        yield term._replace(factors=kept(term, {first}) + ((mean, i),))
    for other in others:
        _, j = term.factors[other]
        rest = term._replace(factors=kept(term, {first, other}))
        if covariance is None:
            yield rest.united(zip(i, j, strict=True)).closed()
        else:
            yield rest._replace(factors=rest.factors + ((covariance, i + j),))


def kept(term: OpenTerm, gone: set[int]) -> tuple[tuple[Tensor, tuple[int, ...]], ...]:
    """The factors at other places."""
    return tuple(factor for place, factor in enumerate(term.factors) if place not in gone)


def matchings(count: int) -> int:
    """The number (N-1)!! of perfect matchings of N legs; none of an odd number.

    >>> [matchings(count) for count in range(11)]
    [1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945]
    """
    return 0 if count % 2 else prod(range(count - 1, 0, -2))


def pairings_with_mean(count: int) -> int:
    """The number of ways to match some of N legs, the others standing for the mean: T(N) = T(N-1) + (N-1) T(N-2).

    >>> [pairings_with_mean(count) for count in range(7)]
    [1, 1, 2, 4, 10, 26, 76]
    """
    before, current = 1, 1
    for k in range(2, count + 1):
        before, current = current, current + (k - 1) * before
    return current


def over_budget(value: Polynomial, tensor: str, with_mean: bool) -> str:
    """What is too large."""
    counts = [len(occurrences(term, tensor)) for term in open_terms(value)]
    total = sum(map(pairings_with_mean if with_mean else matchings, counts))
    return (
        f"the expectation over {tensor} is a sum of {total:,} matchings of up to {max(counts)} factors {tensor}; collected step by "
        f"step it makes more than {MAX_TERMS:,} terms, which is the limit"
    )
