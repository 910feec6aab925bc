"""Rankings where numbers are extreme: widths that differ, weights of very different scales, patterns of zeros, values that cancel."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import SpecError, TokensError, WeightsError
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.numeric.evaluate import contributions, output_values
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking import ground
from symbolic_circuits.numeric.ranking.aim import aim_of
from symbolic_circuits.numeric.ranking.chains import balanced
from symbolic_circuits.numeric.ranking.explain import explain
from symbolic_circuits.numeric.ranking.lengths import finite, lengths
from symbolic_circuits.numeric.ranking.rank import rank
from symbolic_circuits.numeric.ranking.spectral import bilinear_bound, output_bound
from symbolic_circuits.numeric.ranking.suffixes import compressed
from symbolic_circuits.numeric.streams import Streams

BOTH = ["every", "search"]


def frozen_with(model: str, scales: dict[str, float] | None = None, *, n: int = 3, seed: int = 0, **sizes: int) -> Frozen:
    """Random weights, each array times the scale given by its name."""
    weights = sc.Weights.random(model, seed=seed, **({"d": 4, "V": 5, "e": 2, "m": 5} | sizes))
    generator, model = np.random.default_rng(seed), weights.model
    source = generator.integers(0, weights.size(model.V), n) if model.embedding else generator.standard_normal((n, 4))
    patterns = sc.freeze(weights, source).patterns
    arrays = {name: array * (scales or {}).get(name, 1.0) for name, array in weights.arrays.items()}
    return Frozen(model, arrays, patterns, source)


def exact(expansion: sc.PathExpansion, frozen: Frozen, root: np.ndarray) -> np.ndarray:
    """|root x| of the last position of every term, in more digits."""
    longer, root = frozen.astype(np.longdouble), root.astype(np.longdouble)
    return np.array([np.sqrt(((root @ fold(term, Streams(longer))[-1]) ** 2).sum()) for term in expansion])


def require_right(found: sc.Ranking, frozen: Frozen, root: np.ndarray) -> None:
    """No unlisted term exceeds the bound, no listed one is further from its value than the margin, and the list is the top."""
    sizes = exact(found.expansion, frozen, root)
    listed = [found.expansion.index(term) for term, _ in found]
    rest = np.delete(sizes, listed).max(initial=0)
    assert found.is_certified and rest <= found.bound
    assert all(abs(abs(value) - sizes[k]) <= found.margin for k, (_, value) in zip(listed, found, strict=True))
    assert rest <= found.smallest + 3 * found.margin


# tables


def test_lengths_at_any_scale():
    x = np.random.default_rng(0).standard_normal((50, 3, 4))
    for scale in (1.0, 1e-170, 1e-300, 1e160, 1e300):
        np.testing.assert_allclose(lengths(x * scale), np.linalg.norm(x, axis=-1) * scale, rtol=1e-12)
        np.testing.assert_allclose(lengths(x * scale, axes=2), np.linalg.norm(x, axis=(1, 2)) * scale, rtol=1e-12)
    assert lengths(np.zeros((2, 3))).tolist() == [0, 0] and lengths(np.zeros((2, 0))).tolist() == [0, 0]
    assert float(lengths(np.array([3e-200, 4e-200]))) == pytest.approx(5e-200)


def test_bounds_of_layers_at_any_scale():
    W_1, W_2, W_out = np.random.default_rng(1).standard_normal((3, 6, 6))
    sigma, output = bilinear_bound(W_1, W_2, W_out), output_bound(W_out, W_1, W_2)
    for one, two, out in ((1e-90, 1e-80, 1e170), (1e90, 1e80, 1e-170), (1e-150, 1e100, 1.0)):
        scale = one * two * out
        assert bilinear_bound(W_1 * one, W_2 * two, W_out * out) == pytest.approx(sigma * scale)
        assert output_bound(W_out * out, W_1 * one, W_2 * two) == pytest.approx(output * scale)


def test_factors_whose_product_is_too_small_for_a_number():
    W_V, W_O = np.random.default_rng(2).standard_normal((2, 3, 4, 4))
    R, L = balanced(W_V * 1e-200, W_O * 1e-180)
    np.testing.assert_allclose(L @ (R * 1e300), W_O @ W_V * 1e-80, rtol=1e-9)


def test_norms_of_one_coordinate_are_norms():
    for model in ("[no unembed] attn(2)*2", "attn(2) bilinear"):
        frozen = frozen_with(model, d=1, V=1 if "bilinear" in model else 5)
        sizes = np.abs(output_values(sc.path_expansion(model), frozen)[:, -1, 0])
        for method in BOTH:
            found = rank(model, frozen, top=3, method=method)
            assert found.is_norm and found.total >= 0
            np.testing.assert_allclose([value for _, value in found], -np.sort(-sizes)[:3])


# laws


@pytest.mark.parametrize("widths", [(3, 2, 4), (1, 6, 2), (2, 5, 1)])
def test_norms_where_heads_have_different_widths(widths):
    model = "attn(2, e={}) attn(3, e={}) attn(2, e={})|attn(1)".format(*widths)
    for seed in range(3):
        frozen = frozen_with(model, seed=seed)
        require_right(rank(model, frozen, top=4, method="search"), frozen, frozen.arrays["W_U"])


def test_compressed_functionals_keep_small_values_among_large_ones():
    generator = np.random.default_rng(3)
    c, z = generator.standard_normal((2, 6))
    V = np.stack([c, c + 1e-10 * z], axis=1)[None]
    x = np.array([1.0, -1.0])
    np.testing.assert_allclose(np.linalg.norm(compressed(V) @ x), np.linalg.norm(V @ x), rtol=1e-4)
    weights = sc.Weights.random("[no embed, no unembed] attn(1, e=2) attn(1, e=4)", d=4, seed=0)
    W_O = np.zeros((1, 4, 4))
    W_O[0, :, 0], W_O[0, :, 1] = c[:4], c[:4] + 1e-10 * z[:4]
    arrays = {
        "attn.0.W_V": np.eye(4)[None, :2],
        "attn.0.W_O": np.eye(4)[None, :, :2],
        "attn.1.W_V": np.eye(4)[None],
        "attn.1.W_O": W_O,
    }
    frozen = sc.freeze(sc.Weights(weights.model, {**weights.arrays, **arrays}), np.array([[1.0, -1.0, 0.0, 0.0]]))
    for top in (3, 4):
        require_right(rank(weights.model, frozen, top=top, method="search"), frozen, np.eye(4))


@pytest.mark.parametrize("method", BOTH)
def test_what_patterns_of_zeros_read(method):
    for model in ("bilinear attn(2)", "bilinear(tied)*2 attn(1, no residual)", "attn(2) bilinear attn(2)"):
        frozen = frozen_with(model)
        last = max(frozen.patterns)
        patterns = frozen.patterns | {last: np.zeros_like(frozen.patterns[last])}
        frozen = Frozen(frozen.model, frozen.arrays, patterns, frozen.source)
        for wanted, root in (({"token": 1}, frozen.arrays["W_U"][1:2]), ({}, frozen.arrays["W_U"])):
            found = rank(model, frozen, **wanted, top=50, method=method)
            require_right(found, frozen, root)
            assert len(found) == np.count_nonzero(exact(found.expansion, frozen, root))


SCALES = [
    ("attn(2)*3", {"attn.0.W_V": 1e-100, "attn.0.W_O": 1e-80, "attn.1.W_V": 1e180}),
    ("attn(2)*2", {"W_E": 1e-170, "attn.0.W_V": 1e170, "W_U": 1e-120}),
    ("attn(2)*2", {"W_E": 1e160, "attn.1.W_O": 1e-160}),
    ("attn(1) bilinear attn(2)", {"bilinear.1.W_1": 1e-80, "bilinear.1.W_2": 1e-80, "bilinear.1.W_out": 1e160}),
    ("attn(1) bilinear*2 attn(1)", {"bilinear.1.W_1": 1e80, "bilinear.1.W_2": 1e80, "bilinear.1.W_out": 1e-159}),
    ("attn(1) bilinear attn(1)", {"W_E": 1e160, "bilinear.1.W_1": 1e-150, "bilinear.1.W_2": 1e-150, "W_U": 1e-80}),
    ("attn(1) bilinear attn(1)", {"W_E": 1e-180, "bilinear.1.W_1": 1e120, "bilinear.1.W_2": 1e90, "bilinear.1.W_out": 1e80}),
    ("bilinear(tied) attn(1) bilinear", {"W_E": 1e-80, "bilinear.0.W_1": 1e80, "bilinear.2.W_1": 1e100, "bilinear.2.W_2": 1e-20}),
]


@pytest.mark.parametrize(("model", "scales"), SCALES)
@pytest.mark.parametrize("entries", [0, 2**22])  # pairs are searched, or computed
def test_weights_of_very_different_scales(model, scales, entries, monkeypatch):
    monkeypatch.setattr(ground, "MAX_OUTPUTS", entries)
    for seed in range(3):
        frozen = frozen_with(model, scales, seed=seed)
        W_U = frozen.arrays["W_U"]
        for top in (2, 6):
            require_right(rank(model, frozen, token=2, top=top, method="search"), frozen, W_U[2:3])
            require_right(rank(model, frozen, top=top, method="search"), frozen, W_U)


def test_the_margin_has_the_rounding_of_the_readout():
    """A direction whose sum over the vocabulary cancels is known to fewer digits than it has."""
    for seed in range(10):
        frozen, generator = frozen_with("attn(1)", d=1, V=200, seed=seed), np.random.default_rng(seed)
        direction = generator.standard_normal(200)
        W_U = frozen.arrays["W_U"]
        direction[0] -= direction @ W_U[:, 0] / W_U[0, 0]
        root = direction.astype(np.longdouble)[None] @ W_U
        require_right(rank("attn(1)", frozen, direction=direction, top=2), frozen, root)
        require_right(rank("attn(1)", frozen, top=2), frozen, W_U)


@pytest.mark.parametrize("model", ["attn(2)*2", "attn(1) bilinear attn(1)", "bilinear(tied) attn(2)"])
def test_the_rounding_of_a_total_has_that_of_what_cancels_inside(model):
    """Coordinates by the million that heads and layers do not read leave their rounding behind."""
    for seed in range(10):
        frozen, generator = frozen_with(model, n=3, seed=seed), np.random.default_rng(seed)
        u = np.linalg.qr(generator.standard_normal((4, 1)))[0][:, 0]
        arrays = {
            name: array - (array @ u)[..., None] * u if name[-3:] in ("W_V", "W_1", "W_2", "W_U") else array
            for name, array in frozen.arrays.items()
        }
        arrays["W_E"] = arrays["W_E"] + 1e9 * u[:, None]
        frozen, expansion = Frozen(frozen.model, arrays, frozen.patterns, frozen.source), sc.path_expansion(model)
        aim, longer = aim_of(expansion, frozen, token=1), frozen.astype(np.longdouble)
        values = np.array([arrays["W_U"][1] @ fold(term, Streams(longer))[-1] for term in expansion])
        computed = contributions(expansion, frozen, direction=1)
        assert abs(float(values.sum() - aim.total[0])) <= aim.rounding
        assert float(np.abs(values - computed).sum()) <= aim.together
        found = explain(expansion, frozen, token=1)
        assert found.rounding > 1e-10 and (not found.is_explained or found.left <= 0.1 * abs(found.total) + found.rounding)


def test_vectors_whose_terms_are_all_zero_are_not_explained():
    frozen = frozen_with("bilinear attn(1)", {"W_E": 0.0})
    for max_terms in (0, 100):
        found = explain("bilinear attn(1)", frozen, max_terms=max_terms)
        assert not found.is_explained and "the total cancels" in found.stopped


# errors


@pytest.mark.parametrize("method", BOTH)
def test_bounds_that_overflow_are_refused(method):
    model, small = "attn(2)*2 bilinear", {"attn.0.W_V": 1e120, "attn.1.W_V": 1e-120}
    assert rank(model, frozen_with(model, {"attn.0.W_V": 1e20}), token=1, method=method).is_certified
    frozen = frozen_with(model, small)
    cancelling = {name: array.copy() for name, array in frozen.arrays.items()}
    cancelling["attn.0.W_O"][1] = -cancelling["attn.0.W_O"][0]  # the forward pass stays finite, single terms do not
    cancelling["attn.0.W_V"][:] = cancelling["attn.0.W_V"][0] * 1e60
    patterns = frozen.patterns | {0: frozen.patterns[0][[0, 0]]}
    with pytest.raises(WeightsError, match="nothing can be certified"):
        rank(model, Frozen(frozen.model, cancelling, patterns, frozen.source), token=1, method=method)


def test_what_frozen_weights_cannot_be_ranked():
    frozen = frozen_with("attn(2) bilinear")
    integers = {name: np.round(3 * array).astype(np.int64) % 7 for name, array in frozen.arrays.items()}
    residues = Frozen(frozen.model, integers, {0: np.ones((2, 3, 3), dtype=np.int64)}, frozen.source, modulus=7)
    for found in (rank, explain):
        assert len(found("attn(2) bilinear", frozen, token=1))
        with pytest.raises(TokensError, match="leave tokens out"):
            found("attn(2) bilinear", frozen, [0, 1, 2], token=1)
        with pytest.raises(SpecError, match="modulo 7 have no size"):
            found("attn(2) bilinear", residues, token=1)


def test_tensors_are_ranked_in_numpy():
    pytest.importorskip("torch")
    frozen = frozen_with("attn(2) bilinear")
    for found in (rank, explain):
        both = [found("attn(2) bilinear", kind, token=1) for kind in (frozen, frozen.to_torch())]
        assert both[0].total == both[1].total and [str(t) for t, _ in both[0]] == [str(t) for t, _ in both[1]]


def test_bounds_that_are_no_numbers_are_refused():
    assert finite(np.array([1.0, 0.0])).tolist() == [1, 0]
    for wrong in (np.inf, np.nan):
        with pytest.raises(WeightsError, match="not finite"):
            finite(np.array([1.0, wrong]))
