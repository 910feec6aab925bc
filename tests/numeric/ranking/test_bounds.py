"""Bounds against what they bound: spectral norms, what heads read, contexts of terms, and pairs of lists."""

from itertools import product

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.chains import balanced
from symbolic_circuits.numeric.ranking.ground import Ground
from symbolic_circuits.numeric.ranking.prefix_bounds import MAX_WORK
from symbolic_circuits.numeric.ranking.spectral import bilinear_bound, norm_bound
from symbolic_circuits.numeric.ranking.suffixes import compressed, sizes_of
from symbolic_circuits.numeric.ranking.writers import RestrictedLayer, Writer
from symbolic_circuits.numeric.streams import Streams

MODELS = ["attn(2)*4", "attn(2) bilinear attn(2)", "bilinear(tied)*2 attn(2)", "attn(1)|bilinear bilinear attn(2)*2"]


def frozen_at(model: str, seed: int = 0, e: int = 2) -> Frozen:
    weights = sc.Weights.random(model, d=4, V=5, e=e, m=6, seed=seed)
    return sc.freeze(weights, np.random.default_rng(seed).integers(0, 5, 4))


def ground_of(model: str, frozen: Frozen, **limits: float) -> Ground:
    probe = np.zeros(4)
    probe[-1] = 1
    return Ground(sc.path_expansion(model), frozen, frozen.arrays["W_U"][2][None], probe, 2**28, **limits)


@pytest.mark.parametrize("shape", [(4, 4), (2, 5), (6, 3), (1, 1), (8, 8)])
def test_norm_bounds_are_above_and_near(shape):
    M = np.random.default_rng(0).standard_normal((200, *shape))
    exact = np.linalg.norm(M, ord=2, axis=(1, 2))
    found = norm_bound(M)
    assert (found >= exact).all() and (found <= exact * min(shape) ** (1 / 32) * 1.0001).all()
    assert norm_bound(np.zeros(shape)) == 0
    np.testing.assert_allclose(norm_bound(1e-200 * np.eye(3)), 1e-200 * 3 ** (1 / 32), rtol=1e-6)


@pytest.mark.parametrize("output", [True, False])
def test_a_bilinear_layer_is_within_its_bound(output):
    generator = np.random.default_rng(1)
    W_1, W_2, W_out = generator.standard_normal((3, 6, 6))
    sigma, best = bilinear_bound(W_1, W_2, W_out if output else None), 0.0
    for _ in range(300):
        x, y = generator.standard_normal((2, 6))
        out = (W_1 @ x) * (W_2 @ y)
        out = W_out @ out if output else out
        best = max(best, np.linalg.norm(out) / np.linalg.norm(x) / np.linalg.norm(y))
    assert best <= sigma <= 10 * best


@pytest.mark.parametrize("e", [2, 4, 7])
def test_balanced_factors_have_the_same_product(e):
    generator = np.random.default_rng(2)
    W_V, W_O = generator.standard_normal((3, e, 4)), generator.standard_normal((3, 4, e))
    R, L = balanced(W_V, W_O)
    np.testing.assert_allclose(L @ R, W_O @ W_V, atol=1e-12)
    np.testing.assert_allclose(R @ R.swapaxes(1, 2), L.swapaxes(1, 2) @ L, atol=1e-12)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("work", [0.0, MAX_WORK])
def test_bounds_hold_for_every_term_that_is_read(model, work):
    frozen = frozen_at(model)
    expansion, ground = sc.path_expansion(model), ground_of(model, frozen, work=work)
    bounds, streams = ground.sharp.bounds, Streams(frozen)
    for family in ground.chains.heads:
        for term in expansion.enumeration.terms(family.source):
            read = np.linalg.norm(fold(term, streams) @ family.W_V.swapaxes(1, 2), axis=-1)
            assert (read <= bounds.beta[family.number][:, term.order] * (1 + 1e-9)).all()
    for k, nu in enumerate(bounds.nu):
        for term in expansion.enumeration.terms(k):
            at = ground.needed[k]
            assert (np.linalg.norm(fold(term, streams), axis=1) <= nu[term.order] * (1 + 1e-9))[at].all()


def test_exact_orders_are_reached():
    """The bounds of order 0 to 2 are attained by a term, and more work makes none larger."""
    frozen = frozen_at("attn(2)*4")
    expansion, ground = sc.path_expansion("attn(2)*4"), ground_of("attn(2)*4", frozen)
    coarse = ground_of("attn(2)*4", frozen, work=0.0).whole.bounds
    family, streams = ground.chains.heads[-1], Streams(frozen)
    largest = np.zeros_like(ground.sharp.bounds.beta[-1])
    for term in expansion.enumeration.terms(family.source):
        read = np.linalg.norm(fold(term, streams) @ family.W_V.swapaxes(1, 2), axis=-1)
        largest[:, term.order] = np.maximum(largest[:, term.order], read)
    np.testing.assert_allclose(ground.sharp.bounds.beta[-1][:, :3], largest[:, :3], rtol=1e-10)
    assert (ground.sharp.bounds.beta[-1] <= coarse.beta[-1] * (1 + 1e-9)).all()


@pytest.mark.parametrize("model", MODELS)
def test_outside_bounds_hold_for_every_part_of_a_term(model):
    frozen = frozen_at(model)
    expansion, ground = sc.path_expansion(model), ground_of(model, frozen)
    streams, member = Streams(frozen), expansion.enumeration.membership
    for term in expansion:
        value = abs(frozen.arrays["W_U"][2] @ fold(term, streams)[-1]) / term.coefficient
        waiting = [term]
        while waiting:
            part = waiting.pop()
            waiting.extend(part.inputs)
            sizes = np.linalg.norm(fold(part, streams), axis=1) / part.coefficient
            outside = max(float(sizes @ ground.outside[k]) for k in member.of(part, {}))
            assert value <= outside * (1 + 1e-9)


def test_compressed_functionals_have_the_same_norms():
    generator = np.random.default_rng(3)
    V, x = generator.standard_normal((5, 7, 3)), generator.standard_normal(3)
    found = compressed(V)
    assert found.shape == (5, 3, 3)
    np.testing.assert_allclose(np.linalg.norm(found @ x, axis=1), np.linalg.norm(V @ x, axis=1))
    assert (sizes_of(V) >= np.linalg.norm(V, ord=2, axis=(1, 2))).all()


@pytest.mark.parametrize("output", [True, False])
def test_layers_restricted_to_what_is_written_are_within_their_bounds(output):
    generator = np.random.default_rng(4)
    n, d, m = 3, 5, 5 if not output else 7
    W_1, W_2 = generator.standard_normal((2, m, d))
    W_out = generator.standard_normal((d, m)) if output else None
    x0, maps = generator.standard_normal((n, d)), generator.standard_normal((3, d, 2))
    sizes = np.ones((1, n))
    left = [Writer(None, sizes, x0), Writer(maps[0], sizes), Writer(None, sizes)]
    right = [Writer(maps[1], sizes), Writer(None, sizes, x0), Writer(maps[2], sizes)]
    layer = RestrictedLayer(W_1, W_2, W_out, left, right)
    bounds, gain = layer.bounds(), layer.gains(layer.left, layer.right)

    def written(writer: Writer, s: int) -> np.ndarray:
        if writer.at is not None:
            return writer.at[s]
        z = generator.standard_normal(d if writer.map is None else 2)
        z /= np.linalg.norm(z)
        return z if writer.map is None else writer.map @ z

    best = np.zeros_like(bounds)
    for _ in range(400):
        for (i, a), (j, b), s in product(enumerate(left), enumerate(right), range(n)):
            x, y = written(a, s), written(b, s)
            out = (W_1 @ x) * (W_2 @ y)
            size = np.linalg.norm(out if W_out is None else W_out @ out)
            best[i, j, s] = max(best[i, j, s], size)
            assert size <= gain[s] * np.linalg.norm(x) * (1 + 1e-9)
    assert (best <= bounds * (1 + 1e-9)).all() and (bounds <= 3 * best).all()
