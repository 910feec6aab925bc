"""A product-like tree is one network: indices that meet are one, Kronecker axes split, fixed ones are held."""

import pytest
from nodes import A, B, F, H, P, W, X, d, g, h, m, n, s, u
from sympy import HadamardPower, HadamardProduct, Identity, KroneckerDelta, KroneckerProduct, MatrixSymbol, Sum, Symbol, Trace
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.syntax.arrays import Row, TensorDot
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contraction import contraction
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

i, j, k = (Symbol(name, integer=True, nonnegative=True) for name in "ijk")

EINSUMS = [  # expression -> einsum, coefficient, number of output indices of each axis
    (X, "ab->ab", 1, (1, 1)),
    (X.T, "ab->ba", 1, (1, 1)),
    (3 * X * P, "ab,bc->ac", 3, (1, 1)),
    (X.T * X, "ab,ac->bc", 1, (1, 1)),
    (X * Identity(d) * W.T, "ab,cb->ac", 1, (1, 1)),
    (Identity(n), "->aa", 1, (1, 1)),
    (HadamardProduct(X, X * P), "ab,ac,cb->ab", 1, (1, 1)),
    (Trace(P * F[0]), "ab,ba->", 1, ()),
    (KroneckerProduct(A[0], P), "ab,cd->acbd", 1, (2, 2)),
    (Vec(X), "ab->ab", 1, (2, 0)),
    (KroneckerProduct(A[0], P) * Vec(X), "ab,cd,bd->ac", 1, (2, 0)),
    (ApplyBilinear(B, Vec(X), Vec(X)), "abc,db,dc->da", 1, (2, 0)),
    (TensorDot(TensorDot(Row(X, s), 1, B, 2), 2, Row(X, s), 1), "a,bac,c->b", 1, (1,)),
    (MatrixSum(A[h] * X * F[h].T, (h, 0, H - 1)), "abc,cd,aed->be", 1, (1, 1)),
    (MatrixSum(A[h] * A[g] * X, (h, 0, H - 1), (g, 0, H - 1)), "abc,dce,ef->bf", 1, (1, 1)),
    (IndexSum(A[0][s, u] * Row(X, u), (u, 0, n - 1)), "a,ab->b", 1, (1,)),
    (Sum(X[s, i] * X[u, i], (i, 0, d - 1)), "a,a->", 1, ()),
    (Sum(X[s, i] ** 2, (i, 0, d - 1)), "a,a->", 1, ()),
    (Sum(ArrayElement(B, (i, j, k)) * X[s, j] * X[s, k], (j, 0, d - 1), (k, 0, d - 1)), "ab,a,b->", 1, ()),
    (Sum(KroneckerDelta(i, j) * X[s, i] * X[u, j], (i, 0, d - 1), (j, 0, d - 1)), "a,a->", 1, ()),
    (MatrixSum(X, (h, 0, H - 1)), "ab->ab", H, (1, 1)),
]


@pytest.mark.parametrize(("expr", "subscripts", "coefficient", "axes"), EINSUMS)
def test_einsums(expr, subscripts, coefficient, axes):
    found = contraction(expr)
    letters = {}
    rename = lambda text: "".join(letters.setdefault(c, chr(97 + len(letters))) if c.isalpha() else c for c in text)  # noqa: E731
    assert rename(found.network.to_einsum()) == subscripts
    assert found.axes == axes
    assert found.coefficient == coefficient


def test_networks():
    assert Network((Factor("A", (5, 3)), Factor("B", (3, 9))), (5, 9)).to_einsum() == "ab,bc->ac"
    assert list(Network((Factor("A", (5, 3)), Factor("B", (3, 9))), (7,)).indices()) == [5, 3, 9, 7]
    assert len(set(Network((Factor("A", tuple(range(60))),), ()).to_einsum()) - set("->")) == 60


def test_the_trace_of_an_identity_is_its_size():
    """tr Id = n."""
    found = contraction(Trace(Identity(n)))
    assert (found.coefficient, found.network.factors) == (n, ())


def test_an_elementwise_power_is_a_repeated_index():
    """SymPy writes X . X so after doit."""
    found = contraction(HadamardPower(X * P, 2))
    assert found.network.to_einsum() == "ab,bc,ad,dc->ac"
    assert contraction(HadamardProduct(X, X, evaluate=False)).network.to_einsum() == "ab,ab->ab"


def test_a_sum_stays_one_operand():
    found = contraction((X + X * P) * P)
    assert found.network.to_einsum() == "ab,bc->ac"
    assert found.network.factors[0].operand.expr == X + X * P


def test_sizes_are_those_of_the_axes():
    found = contraction(X * W.T)
    assert [found.sizes[index] for index in found.network.output] == [n, m]


def test_what_cannot_be_one_network():
    with pytest.raises(UnsupportedNodeError, match="has no rule as part of a product, and uses a summation index"):
        contraction(MatrixSum((A[h] + A[0]) * X, (h, 0, H - 1)))
    with pytest.raises(UnsupportedNodeError, match="starts at 1, not 0"):
        contraction(MatrixSum(A[h], (h, 1, H - 1)))
    with pytest.raises(UnsupportedNodeError, match="is not a summation symbol by itself"):
        contraction(Sum(X[s, i + 1], (i, 0, d - 2)))
    with pytest.raises(UnsupportedNodeError, match="is not a product"):
        contraction(Sum(X[s, i] ** Symbol("p"), (i, 0, d - 1)))
    with pytest.raises(UnsupportedNodeError, match="str is not a SymPy expression"):
        contraction("X")
    contraction(MatrixSum(A[h] * X, (h, 0, H - 1)))


def test_arrays_without_a_product():
    with pytest.raises(ShapeError, match="multiplies two arrays: write how with TensorDot"):
        contraction(Row(X, 0) * Row(X, 1))
    contraction(TensorDot(Row(X, 0), 1, Row(X, 1), 1))


def test_a_sum_over_part_of_an_axis():
    """Sum over the first two entries is not the sum over all five."""
    Y = MatrixSymbol("Y", 5, 5)
    with pytest.raises((UnsupportedNodeError, ShapeError)):
        contraction(Sum(Y[0, i], (i, 0, 1)))
    contraction(Sum(Y[0, i], (i, 0, 4)))
