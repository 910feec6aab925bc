"""Derivatives of networks: every rule on the smallest network that needs it, linearity and the product rule."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symbolic_circuits.algebra.derivative import dependent, derivative, scalar_derivative, tied
from symbolic_circuits.algebra.functions import function_tensor
from symbolic_circuits.algebra.laws import Law
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.scalar import generator, number, power, times
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.errors import BudgetError, UnsupportedNodeError

D = ("d",)
A, B, M, N = (Open.of_tensor(Tensor(name, ("d", "d"))) for name in "ABMN")
x = Open.of_tensor(Tensor("x", D))
IDENTITY = Open.of_identity(D)


def times_column(matrix: Open, column: Open) -> Open:
    return matrix.outer(column).contracted(1, 2)


def product(left: Open, right: Open) -> Open:
    return left.outer(right).contracted(1, 2)


def same(left: Open, right: Open) -> bool:
    return Polynomial.collect(left).minus(Polynomial.collect(right)).is_zero


QUADRATIC = x.outer(times_column(A, x)).contracted(0, 1)
TABLE = {
    "a vector by itself": (x, "x", [D], IDENTITY),
    "a linear map": (times_column(A, x), "x", [D], A),
    "a matrix": (times_column(A, x), "A", [D, D], IDENTITY.outer(x)),
    "a quadratic form": (QUADRATIC, "x", [D], times_column(A, x).plus(times_column(A.permuted((1, 0)), x))),
    "a diagonal": (A.identified(0, 1), "A", [D, D], IDENTITY.outer(IDENTITY).identified(0, 2)),
    "nothing": (A, "x", [D], Open((D, D, D), ())),
    "an elementwise square": (x.outer(x).identified(0, 1), "x", [D], x.outer(IDENTITY).identified(0, 1).scaled(number(2))),
}


@pytest.mark.parametrize("case", TABLE)
def test_table(case: str) -> None:
    value, tensor, axes, expected = TABLE[case]
    assert same(derivative(value, tensor, axes), expected)


def test_an_inverse() -> None:
    expected = N.outer(N).permuted((0, 3, 1, 2)).negated()  # -N_ia N_bj at i, j, a, b
    assert same(derivative(N, "M", [D, D], {"M": False, "N": True}), expected)
    assert not same(derivative(N, "M", [D, D], {"M": False, "N": True}), expected.permuted((0, 1, 3, 2)))
    both = derivative(product(M, N), "M", [D, D], {"N": True})
    assert same(both, IDENTITY.outer(N).permuted((0, 3, 1, 2)).plus(product(M, N).outer(N).permuted((0, 3, 1, 2)).negated()))


def test_ties() -> None:
    laws = [
        Law("M", "inverse", (), "N"),
        Law("K", "inverse", (), "N"),
        Law("S", "symmetric", (0, 1)),
        Law("J", "inverse", (), "J"),
    ]
    assert tied("M", laws) == {"M": False, "N": True, "K": False}
    assert tied("N", laws) == {"N": False, "M": True, "K": True}
    assert tied("J", laws) == {"J": False}


@pytest.mark.parametrize("exponent", [1, 3, -2, Fraction(1, 2), Fraction(-3, 2)])
def test_powers_of_scalars(exponent: Fraction) -> None:
    c = generator("c")
    value = x.scaled(times(power(c, exponent), generator("n")))
    expected = x.scaled(times(times(number(exponent), power(c, exponent - 1)), generator("n")))
    assert same(scalar_derivative(value, "c"), expected)
    assert not scalar_derivative(value, "b").terms


LEAVES = st.sampled_from([A, B, A.permuted((1, 0)), IDENTITY, A.plus(B.negated())])
MATRICES = st.recursive(LEAVES, lambda inner: st.builds(product, inner, inner) | st.builds(Open.plus, inner, inner), max_leaves=4)


@given(MATRICES, MATRICES)
def test_sum_and_product_rule(left: Open, right: Open) -> None:
    by = lambda value: derivative(value, "A", [D, D])  # noqa: E731
    assert same(by(left.plus(right)), by(left).plus(by(right)))
    first = by(left).outer(right).contracted(1, 4).permuted((0, 3, 1, 2))
    second = left.outer(by(right)).contracted(1, 2)
    assert same(by(product(left, right)), first.plus(second))


def test_definitions_that_depend() -> None:
    definitions = {"P": product(A, B), "Q": times_column(Open.of_tensor(Tensor("P", ("d", "d"))), x), "R": B}
    assert dependent(definitions, ["A"]) == {"P", "Q"}
    assert dependent(definitions, ["x"]) == {"Q"}
    assert dependent({"P": A.scaled(generator("c"))}, [], ["c"]) == {"P"}


def test_functions() -> None:
    node = Open.of_tensor(function_tensor("relu", times_column(A, x).scaled(generator("c"))))
    assert same(derivative(node.outer(B), "B", [D, D]), node.outer(IDENTITY.outer(IDENTITY).permuted((0, 2, 1, 3))))
    for name in "Ax":
        with pytest.raises(UnsupportedNodeError, match=f"the function relu depends on {name}"):
            derivative(node, name, [D])
    with pytest.raises(UnsupportedNodeError, match="relu depends on c"):
        scalar_derivative(node, "c")


def test_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = x.outer(x).outer(x)
    assert len(derivative(cube, "x", [D]).terms) == 3
    monkeypatch.setattr("symbolic_circuits.algebra.open_terms.MAX_TERMS", 2)
    with pytest.raises(BudgetError, match="3 terms; the limit is 2"):
        derivative(cube, "x", [D])
