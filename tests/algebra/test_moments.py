"""Gaussian moments of networks against explicit sums over matchings, and the counts of Isserlis' theorem."""

from collections.abc import Iterator
from fractions import Fraction
from functools import reduce

import pytest

from symbolic_circuits.algebra.functions import function_tensor
from symbolic_circuits.algebra.moments import expectation, matchings, pairings_with_mean
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import ONE
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.errors import BudgetError, UnsupportedNodeError

x = Open.of_tensor(Tensor("x", ("d",)))
COVARIANCE = Tensor("S", ("d", "d"), ((0, 1),))
MEAN = Tensor("m", ("d",))


def linear(name: str, rows: str = "m") -> Open:
    return Open.of_tensor(Tensor(name, (rows, "d"))).outer(x).contracted(1, 2)


def form(name: str) -> Open:
    return linear(name, "d").outer(x).contracted(0, 1)


def on_legs(name: str, count: int) -> Open:
    """T applied to count copies of x."""
    legs = tuple(range(count))
    factors = ((Tensor(name, ("d",) * count), legs), *((Tensor("x", ("d",)), (leg,)) for leg in legs))
    return Open((), (OpenTerm(ONE, factors, ("d",) * count, (), ()),))


def all_matchings(legs: tuple[int, ...], lone: bool) -> Iterator[tuple[list[tuple[int, int]], list[int]]]:
    """Pairs, and legs without a partner where these are allowed."""
    if not legs:
        yield [], []
        return
    first, *rest = legs
    for k, other in enumerate(rest):
        for pairs, alone in all_matchings((*rest[:k], *rest[k + 1 :]), lone):
            yield [(first, other), *pairs], alone
    if lone:
        for pairs, alone in all_matchings(tuple(rest), lone):
            yield pairs, [first, *alone]


def by_matchings(name: str, count: int, with_mean: bool) -> Polynomial:
    legs = tuple(range(count))
    terms = []
    for pairs, alone in all_matchings(legs, with_mean):
        factors = (
            (Tensor(name, ("d",) * count), legs),
            *((COVARIANCE, pair) for pair in pairs),
            *((MEAN, (leg,)) for leg in alone),
        )
        terms.append(OpenTerm(ONE, factors, ("d",) * count, (), ()))
    return Polynomial.collect(Open((), tuple(terms)))


@pytest.mark.parametrize("count", range(7))
@pytest.mark.parametrize("with_mean", [False, True])
def test_the_sum_over_all_matchings(count: int, with_mean: bool) -> None:
    found = Polynomial.collect(expectation(on_legs("T", count), "x", COVARIANCE, MEAN if with_mean else None))
    expected = by_matchings("T", count, with_mean)
    assert found.minus(expected).is_zero
    assert len(expected.terms) == (pairings_with_mean if with_mean else matchings)(count)


def coefficients(value: Open) -> list[Fraction]:
    return [coefficient for _, coefficient in Polynomial.collect(value).ordered()]


def test_d26_ten_legs() -> None:
    """(x.Ax)^2 Vx, twice: 945 matchings, 265 of them up to the exchange of the two A and of the two B."""
    left = reduce(Open.outer, [form("A"), form("A"), linear("V")])
    right = reduce(Open.outer, [form("B"), form("B"), linear("U")])
    for covariance in (None, COVARIANCE):
        found = coefficients(expectation(left.outer(right).contracted(0, 1), "x", covariance))
        assert (len(found), sum(found)) == (265, 945) == (265, matchings(10))
    assert len(coefficients(expectation(on_legs("T", 10), "x"))) == 945


def test_moments_of_a_norm() -> None:
    """E |x|^2k = d (d + 2) ... (d + 2k - 2)."""
    norm = x.outer(x).contracted(0, 1)
    fourth = {monomial: c for (_, monomial), c in Polynomial.collect(expectation(norm.outer(norm), "x")).terms.items()}
    assert fourth == {(("d", Fraction(2)),): 1, (("d", Fraction(1)),): 2}
    assert len(expectation(reduce(Open.outer, [norm] * 10), "x").terms) == 10  # of 654,729,075 matchings


def test_odd_and_absent() -> None:
    assert not expectation(linear("A"), "x").terms
    assert [t.factors[0][0].name for t in expectation(linear("A"), "x", None, MEAN).terms] == ["A"]
    assert Polynomial.collect(expectation(linear("A"), "y")) == Polynomial.collect(linear("A"))


def test_functions_and_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Open.of_tensor(function_tensor("relu", linear("A")))
    assert len(expectation(node, "y").terms) == 1
    with pytest.raises(UnsupportedNodeError, match="the function relu depends on x"):
        expectation(node, "x")
    monkeypatch.setattr("symbolic_circuits.algebra.moments.MAX_TERMS", 50)
    assert len(expectation(on_legs("T", 6), "x").terms) == 15
    with pytest.raises(BudgetError, match=r"a sum of 105 matchings of up to 8 factors x; .* more than 50 terms"):
        expectation(on_legs("T", 8), "x")
