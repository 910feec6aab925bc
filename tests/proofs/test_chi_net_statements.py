"""What proofs/chi-nets-and-tensor-transformers.md says in words: counts, bounds, singular values, Gaussian expectations."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from math import factorial, prod, sqrt

import numpy as np
import pytest
from sympy import DiagMatrix, HadamardProduct, Matrix, MatrixSymbol, Symbol, symbols
from sympy import degree as degree_of

from symbolic_circuits import Bilinear, Transformer, gaussian_expectation, jacobian, matchings, path_expansion, prove

D, M = 3, 5


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2025)


def layer(rng: np.random.Generator, d: int = D, m: int = M, out: int = D) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """D, L, R of a random layer."""
    return rng.normal(size=(out, m)), rng.normal(size=(m, d)), rng.normal(size=(m, d))


def apply(weights: tuple[np.ndarray, np.ndarray, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The layer itself, on the last axis."""
    out, left, right = weights
    return ((x @ left.T) * (x @ right.T)) @ out.T


def tensor(weights: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """T_{cij}."""
    return np.einsum("cr,ri,rj->cij", *weights)


def gaussian_mean(f: Callable[[np.ndarray], np.ndarray], d: int, degree: int) -> np.ndarray:
    """E f(x) for standard normal x in d dimensions, exact for polynomials up to this degree (Gauss and Hermite)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(degree // 2 + 1)
    weights = weights / weights.sum()
    points = np.array(list(product(nodes, repeat=d)))
    values = f(points)
    return np.tensordot(np.array([prod(w) for w in product(weights, repeat=d)]), values, axes=1)


def pairings(legs: list[int]) -> Iterator[list[tuple[int, int]]]:
    """All ways to pair up the legs."""
    if not legs:
        yield []
        return
    first, *rest = legs
    for k, other in enumerate(rest):
        for pairs in pairings(rest[:k] + rest[k + 1 :]):
            yield [(first, other), *pairs]


# ---- layers


@pytest.mark.parametrize("height", [1, 2, 3, 4])
def test_d3_order_and_degree_of_towers(height):
    z = Symbol("z")
    tower = path_expansion(Transformer((Bilinear(residual=False),) * height))
    assert tower.number_of_terms == 1
    assert tower.count_by("degree").as_expr() == z ** (2**height)  # one leg for each copy, and one for the output


def test_d3_the_tensor_of_two_layers(rng):
    lower, upper = layer(rng, out=4), layer(rng, d=4)
    F = np.einsum("cab,aij,bkl->cijkl", tensor(upper), tensor(lower), tensor(lower))
    x = rng.normal(size=D)
    assert F.ndim == 2**2 + 1
    assert np.allclose(np.einsum("cijkl,i,j,k,l->c", F, x, x, x, x), apply(upper, apply(lower, x)))


@pytest.mark.parametrize(("height", "count"), [(1, 2), (2, 6), (3, 42), (4, 1806)])
def test_d4_number_of_networks_in_a_residual_tower(height, count):
    expansion = path_expansion(Transformer((Bilinear(),) * height))
    assert expansion.number_of_terms == count
    z = Symbol("z")
    by_degree = expansion.count_by("degree").as_expr().expand()
    assert all(by_degree.coeff(z, k) > 0 for k in range(1, 2**height + 1))
    assert by_degree.subs(z, 1) == count


def test_d9_factor_of_the_doubled_layer(rng):
    out, left, right = layer(rng)
    x = rng.normal(size=D)
    doubled = np.concatenate([left + right, left - right])
    for factor, ratio in ((0.25, 1), (0.5, 2)):
        made = factor * np.concatenate([out, -out], axis=1) @ (doubled @ x) ** 2
        assert np.allclose(made, ratio * apply((out, left, right), x))


def test_d16_norm_bound(rng):
    def norm(matrix: np.ndarray) -> float:
        return float(np.linalg.norm(matrix, 2))

    for _ in range(50):
        _, left, right = layer(rng)
        x = rng.normal(size=D)
        assert np.linalg.norm((left @ x) * (right @ x)) <= norm(left) * norm(right) * (x @ x) + 1e-9
    unit = np.zeros((M, D))
    unit[2, 1] = 1  # one hidden unit, both branches: the bound is attained
    x = np.eye(D)[1] * 1.7
    assert np.isclose(np.linalg.norm((3 * unit @ x) * (2 * unit @ x)), 3 * 2 * (x @ x))
    size = 1.1 * np.eye(D)[0]
    for height in range(1, 6):  # in a tower of squares the exponent doubles
        size = size * size
        assert np.isclose(np.linalg.norm(size), 1.1 ** (2**height))


def test_d33_the_jacobian(rng):
    d, m = symbols("d m", integer=True, positive=True)
    out, left, right, x = MatrixSymbol("D", d, m), MatrixSymbol("L", m, d), MatrixSymbol("R", m, d), MatrixSymbol("x", d, 1)
    J = out * (DiagMatrix(left * x) * right + DiagMatrix(right * x) * left)
    derivative = jacobian(out * HadamardProduct(left * x, right * x), x)
    assert prove(derivative, J).verdict == "proved"
    assert prove(derivative, out * DiagMatrix(left * x) * right).verdict == "refuted"  # half of the product rule
    weights, point = layer(rng), rng.normal(size=D)
    ours = weights[0] @ (np.diag(weights[1] @ point) @ weights[2] + np.diag(weights[2] @ point) @ weights[1])
    step = 1e-5
    differences = [(apply(weights, point + step * e) - apply(weights, point - step * e)) / (2 * step) for e in np.eye(D)]
    assert np.allclose(np.array(differences).T, ours, atol=1e-6)


def test_d36_only_selections_commute_with_products():
    def commutes(U: np.ndarray) -> bool:
        vectors = [np.array(v) for v in product((-1, 0, 1, 2), repeat=U.shape[1])]
        return all(np.array_equal(U @ (x * y), (U @ x) * (U @ y)) for x in vectors for y in vectors)

    def selects(U: np.ndarray) -> bool:
        return all(sorted(row, reverse=True)[0] in (0, 1) and np.count_nonzero(row) <= 1 and row.min() >= 0 for row in U)

    found = 0
    for shape in ((1, 2), (2, 2), (1, 3)):
        for entries in product((-1, 0, 1, 2), repeat=shape[0] * shape[1]):
            U = np.array(entries).reshape(shape)
            assert commutes(U) is selects(U), U
            found += selects(U)
    assert found == 3 + 9 + 4


# ---- normalisation


def test_d31_rational_norm_is_exact_in_pairs_and_only_near_the_root():
    def p(t: Fraction) -> Fraction:  # 1/sqrt(t) near 1: the Pade approximant (3 + t) / (1 + 3 t)
        return 3 + t

    def q(t: Fraction) -> Fraction:
        return 1 + 3 * t

    left = [[Fraction(1), Fraction(2)], [Fraction(-1), Fraction(3)]]
    right = [[Fraction(2), Fraction(0)], [Fraction(1), Fraction(1)]]

    def times(matrix: list[list[Fraction]], x: list[Fraction]) -> list[Fraction]:
        return [sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0)) for row in matrix]

    def bilinear(x: list[Fraction]) -> list[Fraction]:
        return [a * b for a, b in zip(times(left, x), times(right, x), strict=True)]

    x = [Fraction(3, 2), Fraction(-1, 3)]
    direct, numerator, denominator = x, x, Fraction(1)
    for _ in range(2):  # norm, layer, residual
        t = sum(a * a for a in direct) / 2
        normed = [a * p(t) / q(t) for a in direct]
        direct = [a + b for a, b in zip(direct, bilinear(normed), strict=True)]

        square = sum(a * a for a in numerator)  # t = square / (2 denominator^2), p / q = top / bottom with integers only
        top, bottom = 3 * 2 * denominator**2 + square, 2 * denominator**2 + 3 * square
        inner, below = bilinear([top * a for a in numerator]), (bottom * denominator) ** 2
        numerator = [below * a + denominator * b for a, b in zip(numerator, inner, strict=True)]
        denominator = denominator * below
    assert [a / denominator for a in numerator] == direct  # exact rational numbers

    def error(t: float) -> float:
        return abs(float(p(Fraction(t)) / q(Fraction(t))) * sqrt(t) - 1)

    assert error(1.0) == 0 and 1e-6 < error(1.1) < 1e-3 and error(4.0) > 0.05


# ---- orthogonalisation


def test_d11_pushing_up_keeps_the_function(rng):
    lower, upper = layer(rng, d=3, m=6, out=4), layer(rng, d=4, m=6, out=3)
    flat = tensor(lower).reshape(4, 9)
    outputs, sizes, rows = np.linalg.svd(flat, full_matrices=False)
    carried = outputs * sizes  # U S, pushed into the next layer
    pushed = np.einsum("cab,ai,bj->cij", tensor(upper), carried, carried).reshape(3, 16)
    top, sizes2, rows2 = np.linalg.svd(pushed, full_matrices=False)
    assert np.allclose(rows @ rows.T, np.eye(4)) and np.allclose(rows2 @ rows2.T, np.eye(3))
    isometry = rows2 @ np.kron(rows, rows)
    assert np.allclose(isometry @ isometry.T, np.eye(3))
    assert not np.allclose(isometry.T @ isometry, np.eye(81), atol=0.1)
    x = rng.normal(size=3)
    copies = np.kron(np.kron(x, x), np.kron(x, x))
    assert np.allclose((top * sizes2) @ isometry @ copies, apply(upper, apply(lower, x)))


def test_d12_singular_values_of_a_tensor_product(rng):
    A, B = rng.normal(size=(3, 4)), rng.normal(size=(5, 2))
    separate = np.outer(np.linalg.svd(A)[1], np.linalg.svd(B)[1]).ravel()
    together = np.linalg.svd(np.kron(A, B))[1]
    assert np.allclose(np.sort(together)[-6:], np.sort(separate)) and np.allclose(np.sort(together)[:-6], 0)


def test_d14_environment_of_a_wire(rng):
    width, below, above, kept = 4, 9, 6, 2
    M_ = np.linalg.qr(rng.normal(size=(below, width)))[0].T  # orthonormal rows
    contexts = rng.normal(size=(3, above, width))
    H = sum(K.T @ K for K in contexts)

    def error(U: np.ndarray, subtree: np.ndarray) -> float:
        return sum(float(np.linalg.norm(K @ subtree - K @ U @ U.T @ subtree) ** 2) for K in contexts)

    values, columns = np.linalg.eigh(H)
    best = columns[:, -kept:]
    for _ in range(50):
        U = np.linalg.qr(rng.normal(size=(width, kept)))[0]
        assert np.isclose(error(U, M_), np.trace(H) - np.trace(U.T @ H @ U))
        assert error(U, M_) >= error(best, M_) - 1e-9
        assert not np.isclose(error(U, 2 * M_ + M_[::-1]), np.trace(H) - np.trace(U.T @ H @ U))  # needs the isometry
    assert np.isclose(error(best, M_), sum(values[:-kept]))
    K, P = rng.normal(size=(width, width)), best @ best.T  # two legs of one tensor, cut together
    assert not np.isclose(np.linalg.norm(K - P @ K @ P) ** 2, np.linalg.norm(K - P @ K) ** 2 + np.linalg.norm(K - K @ P) ** 2)


@pytest.mark.parametrize("d", [1, 2, 3, 6])
def test_d15_weights_of_symmetric_coordinates(rng, d):
    def coordinates(S: np.ndarray, weight: float) -> np.ndarray:
        return np.array([S[i, i] if i == j else weight * S[i, j] for i in range(d) for j in range(i, d)])

    S, Z = (A + A.T for A in rng.normal(size=(2, d, d)))
    assert len(coordinates(S, 1)) == d * (d + 1) // 2
    assert np.isclose(coordinates(S, sqrt(2)) @ coordinates(Z, sqrt(2)), np.sum(S * Z))
    for wrong in (1, 2):
        same = bool(np.isclose(np.linalg.norm(coordinates(S, wrong)), np.linalg.norm(S)))
        assert same is (d == 1)  # a single entry has nothing beside the diagonal


# ---- attention


def test_d20_number_of_paths_through_linear_attention(rng):
    """Residual stacks of one cubic head a layer: T + T^3 paths, and they add up to the model."""
    n = 3
    mask = np.tril(np.ones((n, n)))
    heads = [(rng.normal(size=(D, D)), rng.normal(size=(D, D))) for _ in range(3)]
    X = rng.normal(size=(n, D))

    def head(W: np.ndarray, V: np.ndarray, query: np.ndarray, key: np.ndarray, value: np.ndarray) -> np.ndarray:
        return (mask * (query @ W @ key.T)) @ value @ V.T

    paths, stream, counts = [X], X, [1]
    for W, V in heads[:2]:
        paths = paths + [head(W, V, *triple) for triple in product(paths, repeat=3)]
        stream = stream + head(W, V, stream, stream, stream)
        counts.append(len(paths))
        assert np.allclose(sum(paths), stream)
    assert counts == [1, 2, 10]
    assert len(paths) + sum(1 for _ in product(paths, repeat=3)) == 1010


def test_d26_pairings_and_orbits():
    """Two bilinear heads, of five legs each; exchanging the query-key pairs of either is a symmetry."""
    found = {frozenset(map(frozenset, pairs)) for pairs in pairings(list(range(10)))}
    assert len(found) == matchings(10) == 945

    def moved(pairs: frozenset, by: dict[int, int]) -> frozenset:
        return frozenset(frozenset(by.get(leg, leg) for leg in pair) for pair in pairs)

    first, second = {0: 2, 1: 3, 2: 0, 3: 1}, {5: 7, 6: 8, 7: 5, 8: 6}  # legs q1, k1, q2, k2, v of each head
    group = [{}, first, second, first | second]
    orbits = {frozenset(moved(pairs, by) for by in group) for pairs in found}
    assert len(orbits) == 265
    assert sum(sum(moved(pairs, by) == pairs for pairs in found) for by in group) == 4 * 265  # Burnside's count
    assert len({frozenset((pairs, moved(pairs, first))) for pairs in found}) > 265  # one exchange alone leaves more


# ---- Gaussian inputs


def test_d22_similarity_is_a_cosine(rng):
    def inner(f: np.ndarray, g: np.ndarray) -> float:
        """<f, g> of symmetrised tensors, by the pairings of four legs."""
        trace = np.einsum("cii,cjj->", f, g)
        return float(trace + 2 * np.sum(f * g))

    def similarity(f: np.ndarray, g: np.ndarray) -> float:
        return inner(f, g) / sqrt(inner(f, f) * inner(g, g))

    def symmetric(weights: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
        T = tensor(weights)
        return (T + T.transpose(0, 2, 1)) / 2

    first, second = layer(rng), layer(rng)
    exact = gaussian_mean(lambda x: np.sum(apply(first, x) * apply(second, x), axis=-1), D, 4)
    assert np.isclose(inner(symmetric(first), symmetric(second)), exact)
    samples = rng.normal(size=(200_000, D))
    values = np.sum(apply(first, samples) * apply(second, samples), axis=-1)
    assert abs(values.mean() - exact) < 6 * values.std() / sqrt(len(values))
    assert -1 < similarity(symmetric(first), symmetric(second)) < 1
    out, left, right = first
    exchanged = (3 * out[:, ::-1], right[::-1], 2 * left[::-1])  # the same function, times 6
    assert np.isclose(similarity(symmetric(first), symmetric(exchanged)), 1)
    assert np.isclose(similarity(symmetric(first), -symmetric(first)), -1)


def test_d23_isserlis(rng):
    root = rng.normal(size=(D, D))
    covariance = root @ root.T
    for count in (2, 4, 6):
        for _ in range(5):
            legs = rng.integers(0, D, size=count)
            exact = gaussian_mean(lambda z, legs=legs: np.prod((z @ root.T)[:, legs], axis=1), D, count)
            summed = sum(prod(covariance[legs[p], legs[q]] for p, q in pairs) for pairs in pairings(list(range(count))))
            assert np.isclose(summed, exact)
    assert [sum(1 for _ in pairings(list(range(count)))) for count in (2, 4, 6, 8)] == [1, 3, 15, 105]
    assert [matchings(2 * k) for k in range(1, 6)] == [factorial(2 * k) // (2**k * factorial(k)) for k in range(1, 6)]
    assert np.isclose(gaussian_mean(lambda z: z[:, 0] ** 3 * z[:, 1] ** 2, D, 6), 0)  # an odd number of legs
    A, B = rng.normal(size=(2, D, D))
    exact = gaussian_mean(lambda x: np.einsum("si,ij,sj->s", x, A, x) * np.einsum("si,ij,sj->s", x, B, x), D, 4)
    assert np.isclose(exact, np.trace(A) * np.trace(B) + np.sum(A * B) + np.sum(A * B.T))


def test_d23_isserlis_in_the_package():
    d = Symbol("d", integer=True, positive=True)
    A, B, x = MatrixSymbol("A", d, d), MatrixSymbol("B", d, d), MatrixSymbol("x", d, 1)
    product_ = gaussian_expectation((x.T * A * x) * (x.T * B * x), x)
    values = {A: Matrix([[1, 2], [3, 5]]), B: Matrix([[7, -1], [4, 2]])}
    fixed = product_.subs(d, 2).subs({symbol.subs(d, 2): matrix for symbol, matrix in values.items()}).doit()
    a, b = (np.array(values[symbol].tolist(), dtype=float) for symbol in (A, B))
    number = float(fixed[0] if hasattr(fixed, "shape") else fixed)
    assert np.isclose(number, np.trace(a) * np.trace(b) + np.sum(a * b) + np.sum(a * b.T))


def test_d24_shared_inputs_are_not_independent_inputs(rng):
    first, second = layer(rng), layer(rng)
    T, Z = tensor(first), tensor(second)
    frobenius = np.sum(T * Z)
    shared = gaussian_mean(lambda x: np.sum(apply(first, x) * apply(second, x), axis=-1), D, 4)

    def of_two(xy: np.ndarray) -> np.ndarray:
        x, y = xy[:, :2], xy[:, 2:]
        return np.einsum("cij,si,sj,ckl,sk,sl->s", T[:, :2, :2], x, y, Z[:, :2, :2], x, y, optimize=True)

    assert np.isclose(
        gaussian_mean(of_two, 4, 4), np.sum(T[:, :2, :2] * Z[:, :2, :2])
    )  # independent: the inner product of weights
    exact = np.einsum("cii,cjj->", T, Z) + frobenius + np.einsum("cij,cji->", T, Z)
    assert np.isclose(shared, exact)
    assert not np.isclose(shared, frobenius, rtol=0.05)
    traceless = np.array([[[1.0, 2.0], [2.0, -1.0]]])  # symmetric, no trace: still a factor 2
    square = gaussian_mean(lambda x: np.einsum("cij,si,sj->sc", traceless, x, x)[:, 0] ** 2, 2, 4)
    assert np.isclose(square, 2 * np.sum(traceless**2))


def test_d27_second_moments_are_closed_for_one_layer_only(rng):
    def moments(T: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of T(x, x) for normal x."""
        S = (T + T.transpose(0, 2, 1)) / 2
        out = np.einsum("cij,ij->c", S, covariance + np.outer(mean, mean))
        spread = 2 * np.einsum("cij,ekl,ik,jl->ce", S, S, covariance, covariance)
        return out, spread + 4 * np.einsum("cij,ekl,i,k,jl->ce", S, S, mean, mean, covariance)

    d = 2
    lower, upper = layer(rng, d=d, out=d), layer(rng, d=d, out=d)
    start = np.zeros(d), np.eye(d)
    after_one = moments(tensor(lower), *start)
    exact = gaussian_mean(lambda x: np.einsum("sa,sb->sab", apply(lower, x), apply(lower, x)), d, 4)
    assert np.allclose(after_one[1] + np.outer(after_one[0], after_one[0]), exact)
    mean, covariance = moments(tensor(upper), *after_one)
    tower = gaussian_mean(lambda x: np.einsum("sa,sb->sab", *(apply(upper, apply(lower, x)),) * 2), d, 2**3)
    assert not np.allclose(covariance + np.outer(mean, mean), tower, rtol=0.05)
    for height in (1, 2, 3):  # legs of an inner product: two copies of the tower, each of degree 2^height
        degree = 2 * degree_of(path_expansion(Transformer((Bilinear(residual=False),) * height)).count_by("degree"), Symbol("z"))
        assert degree == 2 ** (height + 1)


def test_d28_correction_for_constant_coordinates(rng):
    """x = (1, z): the pairings with second moments, less the surplus of the term that has means only."""
    root = rng.normal(size=(2, 2))
    mean = np.array([1.0, 0, 0])
    second = np.zeros((3, 3))
    second[1:, 1:] = root @ root.T
    second += np.outer(mean, mean)

    def exact(legs: tuple[int, ...]) -> float:
        def value(z: np.ndarray) -> np.ndarray:
            x = np.concatenate([np.ones((len(z), 1)), z @ root.T], axis=1)
            return np.prod(x[:, list(legs)], axis=1)

        return float(gaussian_mean(value, 2, len(legs)))

    def corrected(legs: tuple[int, ...]) -> float:
        paired = sum(prod(second[legs[p], legs[q]] for p, q in pairs) for pairs in pairings(list(range(len(legs)))))
        return paired - (matchings(len(legs)) - 1) * prod(mean[leg] for leg in legs)

    for count in (2, 4, 6):
        for legs in product(range(3), repeat=count):
            if tuple(sorted(legs)) != legs:
                continue
            constants = legs.count(0)
            right = bool(np.isclose(corrected(legs), exact(legs)))
            if constants <= 2 or constants == count:
                assert right, legs
            elif constants % 2 == 0:
                assert not right, legs  # four constants among six legs are counted three times


def test_d29_cross_terms_of_residual_streams(rng):
    T, A = rng.normal(size=(D, D, D)), rng.normal(size=(D, D, D, D))

    def even(x: np.ndarray) -> np.ndarray:
        return np.einsum("cij,si,sj->sc", T, x, x)

    def odd(x: np.ndarray) -> np.ndarray:
        return np.einsum("cijk,si,sj,sk->sc", A, x, x, x)

    def moment(f: Callable[[np.ndarray], np.ndarray], g: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        return gaussian_mean(lambda x: np.einsum("sa,sb->sab", f(x), g(x)), D, 6)

    def stay(x: np.ndarray) -> np.ndarray:
        return x

    for part, mixed in ((even, False), (odd, True)):
        whole = moment(lambda x, part=part: x + part(x), lambda x, part=part: x + part(x))
        four = moment(stay, stay) + moment(stay, part) + moment(part, stay) + moment(part, part)
        assert np.allclose(whole, four)
        assert np.allclose(moment(stay, part), 0) is not mixed
        assert np.allclose(whole, moment(stay, stay) + moment(part, part)) is not mixed
    shifted = gaussian_mean(lambda x: np.einsum("sa,sb->sab", x + 1, even(x + 1)), D, 4)
    assert not np.allclose(shifted, 0)  # with a mean even parts have cross terms too


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 2), (2, 3)])
def test_d30_number_of_expectations(rng, first, second):
    """Residual towers of these heights: every network of one with every network of the other."""

    def networks(weights: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> list[Callable[[np.ndarray], np.ndarray]]:
        out: list[Callable[[np.ndarray], np.ndarray]] = [lambda x: x]
        for w in weights:
            pairs = [lambda x, p=p, q=q, w=w: ((p(x) @ w[1].T) * (q(x) @ w[2].T)) @ w[0].T for p, q in product(out, repeat=2)]
            out = out + pairs
        return out

    def forward(weights: list[tuple[np.ndarray, np.ndarray, np.ndarray]], x: np.ndarray) -> np.ndarray:
        for w in weights:
            x = x + apply(w, x)
        return x

    one, two = ([layer(rng, d=2, m=2, out=2) for _ in range(height)] for height in (first, second))
    terms, others = networks(one), networks(two)
    counts = [path_expansion(Transformer((Bilinear(),) * height)).number_of_terms for height in (first, second)]
    assert [len(terms), len(others)] == counts
    x = rng.normal(size=(4, 2))
    values, values2 = [f(x) for f in terms], [g(x) for g in others]
    products = [np.sum(p * q, axis=-1) for p, q in product(values, values2)]
    assert len(products) == counts[0] * counts[1]
    assert np.allclose(sum(products), np.sum(forward(one, x) * forward(two, x), axis=-1))
