"""Similarity of layers and models against Monte Carlo (seeded, with standard errors), exact symbolic expectations, and explicit tensors."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import HadamardProduct, MatrixSymbol, Trace, symbols

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, ShapeError, SpecError
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, bilinear_layer
from symbolic_circuits.numeric.bilinear.model_similarity import all_matchings, classes, model_similarity, number_of_matchings
from symbolic_circuits.numeric.bilinear.polarised import polarised
from symbolic_circuits.numeric.bilinear.similarity import layer_similarity, weight_similarity
from symbolic_circuits.numeric.bilinear.towers import tower_weight_similarity
from symbolic_circuits.numeric.reference import forward

SAMPLES = 200_000
BARE = "[no embed, no unembed] "


def random_layer(seed: int, d: int = 5, m: int = 7, outputs: int = 3) -> BilinearLayer:
    generator = np.random.default_rng(seed)
    return BilinearLayer(*(generator.standard_normal(shape) for shape in ((m, d), (m, d), (outputs, m))))


def weights_of(model: str, seed: int, d: int = 3) -> sc.Weights:
    return sc.Weights.random(model, d=d, V=4, m=5, seed=seed)


def outputs(weights: sc.Weights, x: np.ndarray) -> np.ndarray:
    """The model at inputs (samples, V or d), by the reference forward pass."""
    x = x @ weights.arrays["W_E"].T if weights.model.embedding else x
    return forward(replace(weights.model, embedding=False), weights.arrays, x).output


def require_mean(values: np.ndarray, expected: float) -> None:
    """Within five standard errors."""
    assert abs(values.mean() - expected) < 5 * values.std() / np.sqrt(len(values))


# tables


@pytest.mark.parametrize("seed", [0, 1])
def test_layers_by_monte_carlo(seed: int) -> None:
    a, b = random_layer(seed), random_layer(seed + 10, m=4)
    generator = np.random.default_rng(seed)
    x, y = generator.standard_normal((2, SAMPLES, 5))
    found, independent = layer_similarity(a, b), weight_similarity(a, b, symmetric=False)
    for one, other, value, tensors in ((a, b, found.inner, independent.inner), (a, a, found.square_a, independent.square_a)):
        require_mean((one(x) * other(x)).sum(1), value)
        require_mean((one(x, y) * other(x, y)).sum(1), tensors)
        assert np.isclose(np.sum(one.tensor() * other.tensor()), tensors)
    assert np.isclose(weight_similarity(a, b).inner, np.sum(a.tensor(symmetric=True) * b.tensor(symmetric=True)))


@pytest.mark.parametrize(
    "model",
    [
        BARE + "bilinear",
        BARE + "bilinear(no residual)*2",
        BARE + "bilinear*2",
        BARE + "bilinear(no out) bilinear(tied)",
        BARE + "bilinear|bilinear(tied)",
        "bilinear(no residual) bilinear",
        "[no embed] bilinear",
        "[no unembed] bilinear(tied)",
    ],
)
def test_models_by_monte_carlo(model: str) -> None:
    a, b = weights_of(model, 0), weights_of(model, 1)
    x = np.random.default_rng(2).standard_normal((SAMPLES, 4 if a.model.embedding else 3))
    found = model_similarity(a, b)
    f_a, f_b = outputs(a, x), outputs(b, x)
    for one, other, value in ((f_a, f_b, found.inner), (f_a, f_a, found.square_a), (f_b, f_b, found.square_b)):
        require_mean((one * other).sum(1), value)


def test_a_layer_by_exact_symbolic_expectation() -> None:
    d, m, o = symbols("d m o", integer=True, positive=True)
    x, L, R, P = (MatrixSymbol(n, *shape) for n, shape in zip("xLRP", ((d, 1), (m, d), (m, d), (o, m)), strict=True))
    f = P * HadamardProduct(L * x, R * x)
    value = sc.gaussian_expectation(Trace(f.T * f), x)
    layer = random_layer(7)
    found = sc.lambdify([L, R, P, d, m, o], value)(layer.W_1, layer.W_2, layer.W_out, 5, 7, 3)
    assert np.isclose(float(np.asarray(found).squeeze()), layer_similarity(layer, layer).inner)


def test_a_tower_by_exact_symbolic_expectation() -> None:
    d = symbols("d", integer=True, positive=True)
    x, *maps = (MatrixSymbol(n, *((d, 1) if n == "x" else (d, d))) for n in ("x", "A", "B", "C", "D"))
    A, B, C, D = maps
    h = HadamardProduct(A * x, B * x)
    f = HadamardProduct(C * h, D * h)
    value = sc.gaussian_expectation(Trace(f.T * f), x)  # eight legs
    weights = sc.Weights.random(BARE + "bilinear(no out, no residual)*2", d=3, seed=0)
    arrays = [weights.arrays[f"bilinear.{k}.W_{j}"] for k in (0, 1) for j in (1, 2)]
    found = float(np.asarray(sc.lambdify([*maps, d], value)(*arrays, 3)).squeeze())
    assert np.isclose(found, model_similarity(weights, weights).inner)


@pytest.mark.parametrize(
    ("model", "count"), [("bilinear(no residual)", 3), ("bilinear", 4), ("bilinear(no residual)*2", 105), ("bilinear*2", 250)]
)
def test_numbers_of_matchings(model: str, count: int) -> None:
    weights = weights_of(BARE + model, 0)
    assert number_of_matchings(weights, weights) == count


def test_classes_of_matchings() -> None:
    for legs in range(0, 9, 2):
        assert len(list(all_matchings(tuple(range(legs))))) == sc.matchings(legs)
    assert list(all_matchings((0, 1, 2))) == []
    found = classes(tuple(range(8)), (0, 0, 1, 1, 2, 2, 3, 3))  # four vertices of degree two, as multigraphs
    assert Counter(count for _, count in found) == {1: 1, 2: 6, 4: 3, 8: 4, 16: 3} and sum(count for _, count in found) == 105


# laws


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_equal_functions_are_similar(seed: int) -> None:
    generator, a = np.random.default_rng(seed), random_layer(seed)
    alpha, beta, pi = generator.uniform(0.5, 2, 7), -generator.uniform(0.5, 2, 7), generator.permutation(7)
    same = [
        BilinearLayer(a.W_2, a.W_1, a.W_out),
        BilinearLayer(a.W_1[pi], a.W_2[pi], a.W_out[:, pi]),
        BilinearLayer(a.W_1 * alpha[:, None], a.W_2 * beta[:, None], a.W_out / (alpha * beta)),
        BilinearLayer(*[np.vstack([a.W_1 + a.W_2, a.W_1 - a.W_2])] * 2, np.hstack([a.W_out, -a.W_out]) / 4),
    ]
    for b in same:
        for found in (layer_similarity(a, b), weight_similarity(a, b)):
            assert np.isclose(found.cosine, 1) and found.distance < 1e-6 * np.sqrt(found.square_a)
    double = layer_similarity(a, BilinearLayer(a.W_1, a.W_2, -2 * a.W_out))
    assert np.isclose(double.cosine, -1) and np.isclose(double.square_b, 4 * double.square_a)
    other = layer_similarity(a, random_layer(seed + 1))
    assert abs(other.cosine) <= 1 and np.isclose(layer_similarity(random_layer(seed + 1), a).inner, other.inner)
    M, _ = np.linalg.qr(generator.standard_normal((5, 5)))  # the same rotation of both inputs
    rotated = [BilinearLayer(f.W_1 @ M, f.W_2 @ M, f.W_out) for f in (a, random_layer(seed + 1))]
    assert np.isclose(layer_similarity(*rotated).inner, other.inner)


def test_the_expectation_is_not_the_inner_product_of_weights() -> None:
    a, b = (BilinearLayer(np.eye(2)[:1], np.eye(2)[k : k + 1], np.eye(1)) for k in (0, 1))  # x_0^2 and x_0 x_1
    assert (layer_similarity(a, b).square_a, weight_similarity(a, b).square_a) == (3, 1)
    assert (layer_similarity(a, b).square_b, weight_similarity(a, b).square_b) == (1, 0.5)


def test_pushing_second_moments_is_another_number() -> None:
    arrays = {f"bilinear.{k}.W_{letter}": np.ones((1, 1)) for k in (0, 1) for letter in ("1", "2", "out")}
    tower = sc.Weights(BARE + "bilinear(no residual)*2", arrays)  # x^4, whose square has the eighth moment, 105
    assert model_similarity(tower, tower).inner == 105
    mean, variance = 1, 2  # of x^2; a normal variable with these has the fourth moment
    assert mean**4 + 6 * mean**2 * variance + 3 * variance**2 == 25


# squares


@pytest.mark.parametrize("model", [BARE + "bilinear*2", "bilinear(no residual)*2"])
def test_a_polarised_model_is_the_same_function(model: str) -> None:
    a = weights_of(model, 3)
    found = model_similarity(a, polarised(a, 1))
    assert np.isclose(found.cosine, 1) and np.isclose(found.square_a, found.square_b)


def test_a_model_of_one_layer_is_its_layer() -> None:
    a, b = (weights_of(BARE + "bilinear(no residual)", seed) for seed in (0, 1))
    one, other = model_similarity(a, b), layer_similarity(bilinear_layer(a, 0), bilinear_layer(b, 0))
    assert np.allclose([one.inner, one.square_a, one.square_b], [other.inner, other.square_a, other.square_b])
    identity = weights_of(BARE + "bilinear", 0)
    zero = sc.Weights(identity.model, dict(identity.arrays) | {"bilinear.0.W_out": np.zeros((3, 5))})
    assert np.isclose(model_similarity(zero, zero).inner, 3)  # x . x
    assert np.isclose(model_similarity(zero, a).inner, 0) and np.isclose(
        model_similarity(identity, a).inner, model_similarity(a, a).inner
    )


def test_towers_against_their_tensors() -> None:
    a, b = (sc.Weights.random("bilinear(no residual)*2", d=3, V=4, m=5, seed=seed) for seed in (0, 1))
    tensors = []
    for w in (a, b):
        E, U = w.arrays["W_E"], w.arrays["W_U"]
        one, two = (bilinear_layer(w, k).tensor() for k in (0, 1))
        tensors.append(np.einsum("oc,cpq,pij,qkl,iv,jw,kx,ly->ovwxy", U, two, one, one, E, E, E, E, optimize=True))
    found = tower_weight_similarity(a, b)
    assert np.allclose([found.inner, found.square_a], [np.sum(tensors[0] * tensors[1]), np.sum(tensors[0] ** 2)])


# errors


def test_what_is_not_compared() -> None:
    a = weights_of(BARE + "bilinear(no residual)", 0)
    assert model_similarity(a, a, max_matchings=9).cosine == pytest.approx(1)
    with pytest.raises(BudgetError, match=r"9 matchings; the limit is 8.*Gaussian closure"):
        model_similarity(a, a, max_matchings=8)
    with pytest.raises(BudgetError, match="operations; the limit"):
        model_similarity(a, a, max_flops=10)
    tall = weights_of(BARE + "bilinear(no residual)*3", 0)
    with pytest.raises(BudgetError, match="6,081,075 matchings"):
        model_similarity(tall, tall)
    assert tower_weight_similarity(tall, tall).cosine == pytest.approx(1)
    with pytest.raises(SpecError, match=r"has attn\.0: with softmax"):
        model_similarity(*[weights_of("attn(1) bilinear", 0)] * 2)
    with pytest.raises(SpecError, match="is no tower"):
        tower_weight_similarity(*[weights_of("bilinear", 0)] * 2)
    with pytest.raises(SpecError, match="got 1 and 3 layers"):
        tower_weight_similarity(a, tall)
    with pytest.raises(ShapeError, match=r"same inputs; .* widths 3 and 2"):
        model_similarity(a, weights_of(BARE + "bilinear", 0, d=2))
    with pytest.raises(ShapeError, match="widths 5 to 3 and 4 to 3"):
        layer_similarity(random_layer(0), random_layer(0, d=4))
    with pytest.raises(ShapeError, match="got Weights"):
        layer_similarity(a, a)
    assert np.isnan(
        layer_similarity(BilinearLayer(np.zeros((1, 2)), np.ones((1, 2)), np.eye(1)), random_layer(0, d=2, outputs=1)).cosine
    )
