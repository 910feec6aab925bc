"""Gaussian expectations against moments of explicit polynomials; statements about tensor similarity proved, near-misses refuted."""

from functools import reduce
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    Expr,
    HadamardProduct,
    Identity,
    IndexedBase,
    KroneckerProduct,
    Matrix,
    MatrixExpr,
    MatrixSymbol,
    OneMatrix,
    Poly,
    Rational,
    Symbol,
    Trace,
    Transpose,
    ZeroMatrix,
    symbols,
)
from sympy.tensor.array.expressions import ArraySymbol, OneArray

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, IdentityError, LawError, ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.gaussian import gaussian_expectation, matchings
from symbolic_circuits.identities.jacobian import jacobian
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.vec import Vec

n, d, m, r, k = symbols("n d m r k", integer=True, positive=True)
NUMBERS = {n: 2, d: 2, m: 3}
A, C, S, L = (MatrixSymbol(name, d, d) for name in "ACSL")
P, X, M = MatrixSymbol("P", n, n), MatrixSymbol("X", n, d), MatrixSymbol("M", n, d)
x, y, u = (MatrixSymbol(name, d, 1) for name in "xyu")
W_1, W_2, V = (MatrixSymbol(name, m, d) for name in ("W_1", "W_2", "V"))
B, B2 = ArraySymbol("B", (d, d, d)), ArraySymbol("B2", (d, d, d))
F = MatrixFamily("F", 2, n, n)
z = IndexedBase("z", shape=(d,))
SYMMETRIC = {S: "symmetric"}
E = gaussian_expectation

form = lambda matrix, v=x: Trace(v.T * matrix * v)  # noqa: E731
bilinear = lambda tensor, v, w: sc.contract("ijk,j(),k()->i()", tensor, v, w)  # noqa: E731
verdict = lambda left, right, given=(): sc.prove(left, right, given).verdict  # noqa: E731


# ---- against moments of explicit polynomials: x = u + L z with independent standard normal z ----


def moment(polynomial: Expr, variables: list[Symbol]) -> Expr:
    """E of a polynomial in standard normal variables, E z^k = (k - 1)!! each."""
    terms = Poly(polynomial, *variables).terms()
    return sum(c * prod(prod(range(e - 1, 0, -2)) if e % 2 == 0 else 0 for e in exponents) for exponents, c in terms)


def arrays(leaves: list, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-2, 3, [int(size.subs(NUMBERS)) for size in leaf.shape]).astype(object) for leaf in leaves]


def value(expr: Expr, leaves: list, values: list) -> list:
    ones = {
        one: ArraySymbol(f"ones_{one.shape[0]}", one.shape) for one in expr.atoms(OneArray)
    }  # SymPy's lambdify does not end on these
    leaves, values = [*leaves, *ones.values()], [*values, *(np.ones(int(one.shape[0].subs(NUMBERS)), int) for one in ones)]
    found = sc.lambdify([*NUMBERS, *leaves], expr.xreplace(ones))(*NUMBERS.values(), *values)
    shape = [int(size.subs(NUMBERS)) for size in array_shape(expr)]
    return list(np.broadcast_to(np.asarray(found, dtype=object), shape).ravel())


def agrees(expr: Expr, tensor: MatrixSymbol, leaves: list, *, seed: int, correlated: bool, shifted: bool) -> bool:
    size = int((tensor.shape[0] * tensor.shape[1]).subs(NUMBERS))
    rng = np.random.default_rng(seed)
    root = rng.integers(-1, 3, (size, size)).astype(object) if correlated else np.eye(size, dtype=int).astype(object)
    shift = rng.integers(-2, 3, size).astype(object) * int(shifted)
    fixed, normal = arrays(leaves, seed), list(symbols(f"z:{size}"))
    shape = [int(s.subs(NUMBERS)) for s in tensor.shape]
    point = (shift + root @ np.array(normal, dtype=object)).reshape(shape)
    expected = [moment(entry, normal) for entry in value(expr, [*leaves, tensor], [*fixed, point])]
    count = tensor.shape[0] * tensor.shape[1]
    factor, mean = MatrixSymbol("root", count, count), MatrixSymbol("mean", *tensor.shape)
    found = E(expr, tensor, factor * factor.T if correlated else None, mean=mean if shifted else None)
    exact = value(found, [*leaves, factor, mean], [*fixed, root, shift.reshape(shape)])  # whole numbers, all below 2^53
    return list(map(float, exact)) == list(map(float, expected))


SMALL = {
    "quadratic form": (form(A), x),
    "outer product": (A * x * x.T, x),
    "two forms": (form(A) * form(C), x),
    "bilinear layer": (HadamardProduct(W_1 * x, W_2 * x), x),
    "similarity of layers": (Trace(HadamardProduct(W_1 * x, W_2 * x).T * HadamardProduct(V * x, W_1 * x)), x),
    "cubic with a residual": (form(A) * C * x + x, x),
    "rows": (X * A * X.T, X),
    "columns": (X.T * P * X, X),
    "four legs of a matrix": (Trace(P * X * X.T * P.T * X * X.T), X),
    "column of a matrix": (KroneckerProduct(P, A) * Vec(X) * Vec(X).T, X),
}


@pytest.mark.parametrize("case", SMALL)
@pytest.mark.parametrize("correlated", [False, True])
@pytest.mark.parametrize("shifted", [False, True])
def test_moments(case: str, correlated: bool, shifted: bool) -> None:
    expr, tensor = SMALL[case]
    assert agrees(expr, tensor, [A, C, P, W_1, W_2, V], seed=len(case), correlated=correlated, shifted=shifted)


LEAVES = st.sampled_from([x * x.T, A, Identity(d), x * x.T * A + C])


def combined(inner: st.SearchStrategy) -> st.SearchStrategy:
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda p: p[0] * p[1]),
        pairs.map(lambda p: p[0] - 2 * p[1]),
        pairs.map(lambda p: HadamardProduct(*p)),
        pairs.map(lambda p: Trace(p[0]) * p[1]),
        inner.map(Transpose),
    )


@settings(max_examples=20)
@given(st.recursive(LEAVES, combined, max_leaves=3), st.booleans(), st.booleans())
def test_random_expressions(expr: MatrixExpr, correlated: bool, shifted: bool) -> None:
    assert agrees(expr, x, [A, C], seed=1, correlated=correlated, shifted=shifted)


def test_integration_by_parts() -> None:
    """E[x f(x)] = S E[grad f]."""
    f = form(A) * form(C) + form(L)
    assert verdict(E(f * A * x, x, S, given=SYMMETRIC), A * S * E(jacobian(f, x), x, S, given=SYMMETRIC), SYMMETRIC) == "proved"
    g = form(A) * C * x
    assert verdict(E(Trace(x.T * g), x), E(Trace(jacobian(g, x)), x)) == "proved"


# ---- statements ----


def test_d22_similarity() -> None:
    f, g = bilinear(B, x, x), bilinear(B2, x, x)
    similarity = E(Trace(f.T * g), x)
    assert verdict(similarity, Trace(E(f * g.T, x))) == "proved"
    pairs = ["ijj,ikk->", "ijk,ijk->", "ijk,ikj->"]
    expected = reduce(lambda a, b: a + b, [sc.contract(pair, B, B2) for pair in pairs])
    assert verdict(similarity, expected) == "proved"
    for missing in pairs:
        assert verdict(similarity, expected - sc.contract(missing, B, B2)) == "refuted"
    symmetric = {B: "symmetric(1,2)", B2: "symmetric(1,2)"}
    assert verdict(similarity, sc.contract(pairs[0], B, B2) + 2 * sc.contract(pairs[1], B, B2), symmetric) == "proved"


def test_d23_isserlis() -> None:
    found = E(form(A) * form(C), x)
    assert verdict(found, Trace(A) * Trace(C) + Trace(A.T * C) + Trace(A * C)) == "proved"
    for wrong in (
        Trace(A) * Trace(C) + 2 * Trace(A.T * C),
        Trace(A) * Trace(C) + Trace(A.T * C),
        Trace(A * C) + Trace(A.T * C),
        Trace(A) * Trace(C) + Trace(A * C) - Trace(A.T * C),
        Trace(A) * Trace(C),
    ):
        assert verdict(found, wrong) == "refuted"
    found = E(form(A) * form(C), x, S, given=SYMMETRIC)
    assert verdict(found, Trace(A * S) * Trace(C * S) + Trace(A * S * C.T * S) + Trace(A * S * C * S), SYMMETRIC) == "proved"
    assert verdict(found, Trace(A * S) * Trace(C * S) + 2 * Trace(A * S * C * S), SYMMETRIC) == "refuted"
    legs = "abcdefgh"
    for count in (2, 4, 6):
        T = ArraySymbol("T", (d,) * count)
        subscripts = ",".join([legs[:count], *(f"{letter}()" for letter in legs[:count])]) + "->"
        product = E(sc.contract(subscripts, T, *[x] * count), x, notation="einsum")
        assert len(getattr(product, "args", ())) == matchings(count) or count == 2


def test_d24_gaussian_and_weight_inner_product() -> None:
    frobenius = sc.contract("ijk,ijk->", B, B2)
    independent = E(E(Trace(bilinear(B, x, y).T * bilinear(B2, x, y)), x), y)
    shared = E(Trace(bilinear(B, x, x).T * bilinear(B2, x, x)), x)
    assert verdict(independent, frobenius) == "proved"
    assert verdict(shared, frobenius) == "refuted"
    assert verdict(shared, frobenius, {B: "symmetric(1,2)", B2: "symmetric(1,2)"}) == "refuted"
    assert verdict(E(Trace((A * x).T * (C * x)), x), Trace(A.T * C)) == "proved"  # a linear map has one input


def cp(names: str, rank: Expr) -> tuple[MatrixSymbol, MatrixSymbol, MatrixSymbol]:
    """D (d x rank) and L, R (rank x d)."""
    return MatrixSymbol(names[0], d, rank), MatrixSymbol(names[1], rank, d), MatrixSymbol(names[2], rank, d)


def test_d25_cp_inner_products() -> None:
    (D, L, R), (D2, L2, R2) = cp("DLR", r), cp("GHK", k)
    layers = lambda v, w: (D * HadamardProduct(L * v, R * w), D2 * HadamardProduct(L2 * v, R2 * w))  # noqa: E731
    first, second = layers(x, y)
    total = lambda matrix: Trace(OneMatrix(1, r) * matrix * OneMatrix(k, 1))  # noqa: E731
    straight, crossed = HadamardProduct(L * L2.T, R * R2.T), HadamardProduct(L * R2.T, R * L2.T)
    plain = total(HadamardProduct(D.T * D2, straight))
    half = Rational(1, 2)
    symmetrised = half * total(HadamardProduct(D.T * D2, straight + crossed))
    assert verdict(E(E(Trace(first.T * second), x), y), plain) == "proved"
    sums = [half * (a + b) for a, b in zip(layers(x, y), layers(y, x), strict=True)]
    found = E(E(Trace(sums[0].T * sums[1]), x), y)
    assert verdict(found, symmetrised) == "proved"
    assert verdict(found, 2 * symmetrised) == "refuted"
    assert verdict(found, plain) == "refuted"
    assert verdict(plain, total(HadamardProduct(D.T * D2, L * L2.T, R * L2.T))) == "refuted"
    one_input = E(Trace(layers(x, x)[0].T * layers(x, x)[1]), x)
    traces = Trace((D * HadamardProduct(L, R) * OneMatrix(d, 1)).T * (D2 * HadamardProduct(L2, R2) * OneMatrix(d, 1)))
    assert verdict(one_input, 2 * symmetrised + traces) == "proved"
    assert verdict(one_input, 2 * symmetrised) == "refuted"


def test_d26_active_by_active() -> None:
    left, right = form(A) * form(A) * W_1 * x, form(C) * form(C) * V * x
    found = E(Trace(left.T * right), x)
    assert (len(found.args), matchings(10)) == (265, 945)
    assert sum(term.as_coeff_Mul()[0] for term in found.args) == 945


def test_d27_one_layer_is_exact_and_the_closure_of_two_is_not() -> None:
    f, g = (lambda v: HadamardProduct(W_1 * v, W_2 * v)), (lambda v: HadamardProduct(W_1 * v, V * v))
    second = E(x * x.T, x, S, given=SYMMETRIC)
    assert second == S
    G = MatrixSymbol("G", d, m)
    deep = lambda v: G * f(v)  # noqa: E731
    exact = E(Trace(g(deep(x)).T * g(deep(x))), x)  # 2^{L+1} = 8 legs
    inner = E(deep(x) * deep(x).T, x)
    closure = E(Trace(g(y).T * g(y)), y, inner)
    assert verdict(exact, closure) == "refuted"
    assert verdict(E(Trace(g(G * V * x).T * g(G * V * x)), x), E(Trace(g(y).T * g(y)), y, G * V * V.T * G.T)) == "proved"


def on_legs(count: int) -> Expr:
    T = ArraySymbol("T", (d,) * count)
    letters = "abcdefgh"[:count]
    return sc.contract(",".join([letters, *(f"{letter}()" for letter in letters)]) + "->", T, *[x] * count)


@pytest.mark.parametrize(("count", "expected"), [(2, "proved"), (4, "proved"), (6, "refuted")])
def test_d28_second_moments_in_place_of_a_covariance(count: int, expected: str) -> None:
    """Matchings of S + u u^T count the term of u alone (N - 1)!! times; that is the only excess up to four legs."""
    exact = E(on_legs(count), x, S, mean=u, given=SYMMETRIC)
    matched = E(on_legs(count), x, S + u * u.T, given=SYMMETRIC)
    only_mean = E(on_legs(count), x, ZeroMatrix(d, d), mean=u)
    assert verdict(exact, matched - (matchings(count) - 1) * only_mean, SYMMETRIC) == expected


def test_d29_cross_terms_with_the_residual() -> None:
    cubic = form(A) * C * x
    stream = x + cubic
    found = E(stream * stream.T, x)
    cross = E(x * cubic.T, x)
    active = E(cubic * cubic.T, x)
    assert verdict(found, Identity(d) + cross + cross.T + active) == "proved"
    assert verdict(found, Identity(d) + active) == "refuted"
    assert verdict(found, Identity(d) + 2 * cross + active) == "refuted"
    even = bilinear(B, x, x)
    assert verdict(E((x + even) * (x + even).T, x), Identity(d) + E(even * even.T, x)) == "proved"


# ---- covariance, mean, shapes, laws ----


def test_rows_with_one_covariance() -> None:
    rows = KroneckerProduct(Identity(n), S)
    assert verdict(E(X * A * X.T, X, rows, given=SYMMETRIC), Trace(A * S) * Identity(n), SYMMETRIC) == "proved"
    assert E(X.T * P * X, X, rows, mean=M, given=SYMMETRIC) == Trace(P) * S + M.T * P * M
    v, both = MatrixSymbol("v", n * d, 1), {S: "symmetric", P: "symmetric"}
    assert E(v * v.T, v, KroneckerProduct(P, S), given=both) == KroneckerProduct(P, S)
    assert verdict(E(Vec(X) * Vec(X).T, X, KroneckerProduct(P, S), given=both), KroneckerProduct(P, S), both) == "proved"
    assert verdict(E(X.T * X, X, KroneckerProduct(P, S), given=both), Trace(P) * S, both) == "proved"
    assert verdict(E(X * X.T, X, KroneckerProduct(P, S), given=both), Trace(S) * P, both) == "proved"


def test_products_that_split_in_two_ways() -> None:
    v, both = MatrixSymbol("v", n * d, 1), {S: "symmetric", P: "symmetric"}
    form_of = lambda matrix: Trace(v.T * matrix * v)  # noqa: E731
    assert (
        verdict(E(form_of(KroneckerProduct(P, A)), v, KroneckerProduct(P, S), given=both), Trace(P * P) * Trace(A * S), both)
        == "proved"
    )
    with pytest.raises(ShapeError):
        E(form_of(KroneckerProduct(A, P)), v, KroneckerProduct(P, S), given=both)
    with pytest.raises(ShapeError):
        E(form_of(KroneckerProduct(A, P)), v, mean=Vec(M))
    assert E(form_of(KroneckerProduct(P, A)), v, mean=Vec(M)) != 0


def test_symmetry_of_the_covariance_has_to_be_known() -> None:
    assert verdict(E(form(A), x, S, given=SYMMETRIC), Trace(A * S), SYMMETRIC) == "proved"
    assert verdict(E(form(A), x, L * L.T), Trace(L.T * A * L)) == "proved"
    assert verdict(E(form(A), x, S, given={S: L * L.T}), Trace(L.T * A * L)) == "proved"
    assert verdict(E(form(A), x, (S + S.T) / 2), Trace(A * (S + S.T)) / 2) == "proved"
    assert E(form(A), x, S, given={S: "diagonal"}) is not None
    for covariance, message in ((S, 'in given={S: "symmetric"}'), (S * L * S.T, "declare laws that make it so$")):
        with pytest.raises(LawError, match=f"the covariance .* is not known to be symmetric.*{message}"):
            E(form(A), x, covariance)
    with pytest.raises(LawError, match="not known to be symmetric"):
        E(form(A), x, S, given={S: "orthonormal_columns"})


def test_numbers_and_other_tensors() -> None:
    w = MatrixSymbol("w", 2, 1)
    assert verdict(E(w * w.T, w, Matrix([[2, 1], [1, 3]])), Matrix([[2, 1], [1, 3]])) == "proved"
    assert E(Trace(F[0] * F[0].T), F) == n**2
    assert E(Trace(F[0] * F[1].T), F) == 0
    assert E(sc.contract("i,i->", z, z), z) == d
    assert verdict(E(bilinear(B, u, u), B), ZeroMatrix(d, 1)) == "proved"
    assert verdict(E(bilinear(B, u, u) * bilinear(B, y, y).T, B), Trace(u.T * y) ** 2 * Identity(d)) == "proved"
    one = MatrixSymbol("q", 1, 1)
    assert verdict(E(one**4, one, MatrixSymbol("v", 1, 1)), 3 * MatrixSymbol("v", 1, 1) ** 2) == "proved"


def test_absent_odd_functions_and_definitions() -> None:
    assert E(A * x, x) == ZeroMatrix(d, 1)
    assert E(A * x, y) == A * x
    assert E(A * x, x, mean=u) == A * u
    assert E(sc.softmax(P) * X * A * X.T, X) == Trace(A) * sc.softmax(P)
    with pytest.raises(UnsupportedNodeError, match="the function softmax depends on X"):
        E(sc.softmax(X * X.T) * X, X)
    assert E(form(A), x, given={A: y * y.T}) == Trace(A)
    assert verdict(E(form(A), x, given={A: C * x * x.T}), E(form(C * x * x.T), x)) == "proved"
    with pytest.raises(IdentityError, match="x is defined"):
        E(form(A), x, given={x: A * y})


def test_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    assert E(form(A) ** 3, x) != 0
    monkeypatch.setattr("symbolic_circuits.algebra.moments.MAX_TERMS", 10)
    with pytest.raises(BudgetError, match="a sum of 15 matchings of up to 6 factors x"):
        E(form(A) * form(C) * form(L), x)


# ---- errors, each with a valid twin ----


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "message"),
    [
        ((x, P), {}, ShapeError, "x is d x 1, so that its covariance has to be d x d; got P, which is n x n"),
        ((x, Trace(A)), {}, ShapeError, "covariance has to be d x d; got Trace.A., which is a scalar"),
        ((X, S), {"given": SYMMETRIC}, ShapeError, r"X is n x d, so that its covariance has to be d\*n x d\*n; got S"),
        ((x,), {"mean": u.T}, ShapeError, "x is d x 1, so that its mean has to be d x 1; got u.T, which is 1 x d"),
        ((x, x * x.T), {}, IdentityError, "the covariance of x depends on x itself"),
        ((x,), {"mean": A * x}, IdentityError, "the mean of x depends on x itself"),
        ((A,), {"given": {A: "symmetric"}}, LawError, "A is integrated over all its values; it cannot have the law symmetric"),
        ((A,), {"given": {A: "inverse(C)"}}, LawError, "it cannot have the law inverse"),
        ((A,), {"given": {C: "inverse(A)"}}, LawError, "C is tied to A as its inverse"),
        ((Symbol("t"),), {}, UnsupportedNodeError, "t is a scalar"),
        ((A * x,), {}, UnsupportedNodeError, "a tensor: .* got MatMul"),
        ((F[0],), {}, UnsupportedNodeError, "got FamilyMember"),
    ],
)
def test_errors(arguments: tuple, keywords: dict, error: type, message: str) -> None:
    assert E(form(A), x, L * L.T, mean=u) != 0
    with pytest.raises(error, match=message):
        E(form(A), *arguments, **keywords)
