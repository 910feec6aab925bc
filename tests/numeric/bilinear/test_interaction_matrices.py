"""Interaction matrices, spectra, output directions, features and squares against explicit d x d x d arrays, and the forward pass."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, LawError, ShapeError, SpecError, TermIndexError, TokensError, WeightsError
from symbolic_circuits.numeric.bilinear import pairwise
from symbolic_circuits.numeric.bilinear.dictionary import Dictionary, in_dictionary
from symbolic_circuits.numeric.bilinear.eigen import effective_rank, eigen
from symbolic_circuits.numeric.bilinear.hosvd import flattened, hosvd
from symbolic_circuits.numeric.bilinear.interaction import InteractionMatrix, interaction_matrix
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, bilinear_layer
from symbolic_circuits.numeric.bilinear.pairwise import pairwise_interactions
from symbolic_circuits.numeric.bilinear.polarised import polarised
from symbolic_circuits.numeric.reference import forward
from symbolic_circuits.report.eigen_figure import draw_eigen
from symbolic_circuits.report.figures import to_image

MODELS = [
    ("attn(2) bilinear", 1),
    ("bilinear(tied)", 0),
    ("attn(1)|bilinear(no out)", 1),
    ("bilinear(no residual) attn(1) bilinear(m=3)", 2),
]


def weights_of(model: str, seed: int = 0) -> sc.Weights:
    return sc.Weights.random(model, d=6, V=9, e=2, m=10, seed=seed)


def random_layer(seed: int, d: int = 5, m: int = 7, outputs: int = 4) -> BilinearLayer:
    generator = np.random.default_rng(seed)
    return BilinearLayer(*(generator.standard_normal(shape) for shape in ((m, d), (m, d), (outputs, m))))


def tensor(weights: sc.Weights, index: int) -> np.ndarray:
    """B by one einsum."""
    arrays, spec = weights.arrays, dict(weights.model.numbered())[index]
    W_1 = arrays[f"bilinear.{index}.W_1"]
    W_2 = W_1 if spec.tied else arrays[f"bilinear.{index}.W_2"]
    P = arrays[f"bilinear.{index}.W_out"] if spec.output else np.eye(len(W_1))
    return np.einsum("ap,pj,pk->ajk", P, W_1, W_2)


# tables


@pytest.mark.parametrize(("model", "index"), MODELS)
def test_interaction_matrices_of_directions_and_logits(model: str, index: int) -> None:
    weights = weights_of(model)
    B, W_U = tensor(weights, index), weights.arrays["W_U"]
    u = np.arange(6.0)
    cases = [({"direction": u}, u), ({"token": 3}, W_U[3]), ({"token": 3, "against": 5}, W_U[3] - W_U[5])]
    for asked, direction in cases:
        Q = np.einsum("a,ajk->jk", direction, B)
        assert np.allclose(interaction_matrix(weights, index, **asked, symmetric=False).to_array(), Q)
        found = interaction_matrix(weights, f"bilinear.{index}", **asked)
        assert found.is_symmetric and np.allclose(found.to_array(), (Q + Q.T) / 2)
        in_tokens = interaction_matrix(weights, index, **asked, symmetric=False, in_tokens=True)
        expected = weights.arrays["W_E"].T @ Q @ weights.arrays["W_E"]
        assert np.allclose(in_tokens.to_array(), expected)
        assert np.allclose(in_tokens.block([1, 2], [8]), expected[1:3, 8:]) and np.isclose(
            in_tokens.norm, np.linalg.norm(expected)
        )


def test_a_conjunction() -> None:
    found = interaction_matrix(conjunction(), 0, direction=[1.0, 0.0, 0.0]).eigen()
    r = np.sqrt(0.5)
    assert np.allclose(found.values, [0.5, -0.5, 0]) and np.allclose(found.vectors[:2], [[r, r, 0], [r, -r, 0]])
    assert found.clusters == ((0,), (1,), (2,)) and np.isclose(found.effective_rank, 2)


def conjunction() -> sc.Weights:
    """x_0 x_1 in the first coordinate."""
    first, second = np.eye(3)[:1], np.eye(3)[1:2]
    arrays = {"bilinear.0.W_1": first, "bilinear.0.W_2": second, "bilinear.0.W_out": first.T}
    return sc.Weights("[no embed, no unembed] bilinear", arrays)


@pytest.mark.parametrize(
    ("values", "rank"), [([3], 1), ([2, -2, 2], 3), ([1, 0, 0], 1), ([0, 0], 0), ([1e-200, -1e-200], 2), ([3, 1], 1.6)]
)
def test_effective_rank(values: list, rank: float) -> None:
    assert np.isclose(effective_rank(np.array(values, dtype=float)), rank)


@pytest.mark.parametrize("symmetric", [True, False])
def test_output_directions_by_both_routes(symmetric: bool) -> None:
    layer = random_layer(1)
    B = layer.tensor(symmetric=symmetric)
    expected = np.linalg.svd(B.reshape(4, -1), compute_uv=False)
    for budget in (10**9, 0):
        found = hosvd(layer, symmetric=symmetric, max_entries=budget)
        assert np.allclose(found.values, expected) and np.isclose(found.norm, np.linalg.norm(B))
        rebuilt = 0
        for i in range(4):
            value, u, q = found.component(i)
            rebuilt = rebuilt + value * np.multiply.outer(u, q.to_array())
            assert np.isclose(q.norm, 1) and q.is_symmetric == symmetric
            kept = found.truncated(i + 1).tensor(symmetric=symmetric)
            assert np.allclose(kept, rebuilt) and np.isclose(found.error(i + 1), np.linalg.norm(B - rebuilt))
        assert np.allclose(rebuilt, B)
    assert np.isclose(hosvd(layer, max_rank=2).error(2), np.linalg.norm(hosvd(layer).values[2:]))


@pytest.mark.parametrize(("q", "p"), [(3, 2), (5, 4), (8, 7)])
def test_features(q: int, p: int) -> None:
    generator, layer = np.random.default_rng(2), random_layer(2)
    F, E = generator.standard_normal((q, 5)), generator.standard_normal((p, 4))
    found = in_dictionary(layer, outputs=E, inputs=F)
    between = np.einsum("ai,ijk,bj,ck->abc", E, layer.tensor(), F, F)
    assert np.allclose(found.to_array(symmetric=False), between)
    z = generator.standard_normal((3, q))
    assert np.allclose(found(z), layer(z @ F) @ E.T)
    for a in range(p):
        assert np.allclose(found.interaction(a, symmetric=False).to_array(), between[a])
    spans = q >= 5 and p >= 4
    assert (found.inputs.spans and found.outputs.spans) == spans
    assert np.isclose(found.reconstruction_error(), 0, atol=1e-6) == spans
    kept = np.einsum("ab,bij,ik,jl->akl", np.linalg.pinv(E) @ E, layer.tensor(symmetric=True), *[np.linalg.pinv(F) @ F] * 2)
    error = np.linalg.norm(layer.tensor(symmetric=True) - kept) / np.linalg.norm(layer.tensor(symmetric=True))
    assert np.isclose(found.reconstruction_error(), error, atol=1e-6)


def test_both_properties_of_the_pseudo_inverse_hold_for_a_basis_only() -> None:
    for rows, spans, independent in ((3, False, True), (4, True, True), (6, True, False)):
        F = Dictionary(np.random.default_rng(rows).standard_normal((rows, 4)))
        assert (F.spans, F.is_independent) == (spans, independent)
        assert np.allclose(F.inverse @ F.features, np.eye(4)) == spans
        assert np.allclose(F.features @ F.inverse, np.eye(rows)) == independent


@pytest.mark.parametrize("top", [1, 7, 1000])
@pytest.mark.parametrize("sparse", [False, True])
def test_pairs_of_features_by_brute_force(top: int, sparse: bool) -> None:
    generator = np.random.default_rng(3)
    F = generator.standard_normal((30, 5)) * (generator.exponential(1, (30, 1)) ** 4 if sparse else 1)
    Q = in_dictionary(random_layer(3), inputs=F).interaction(1)
    full = Q.to_array()
    every = {(i, j): full[i, j] * (1 if i == j else 2) for i in range(30) for j in range(i, 30)}
    expected = sorted(every, key=lambda pair: -abs(every[pair]))[:top]
    found = pairwise_interactions(Q, top=top)
    assert [pair[:2] for pair in found.pairs] == expected
    assert np.allclose([pair.weight for pair in found.pairs], [every[pair] for pair in expected])
    assert found.number_of_pairs == 465 and all(abs(every[p]) <= found.rest * (1 + 1e-9) for p in set(every) - set(expected))


@pytest.mark.parametrize("top", [1, 5, 60, 300])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_pairs_by_brute_force_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch, top: int, d: int) -> None:
    monkeypatch.setattr(pairwise, "BLOCK", 16)  # so that bounds decide; for d = 1 they are attained
    for seed in range(5):
        F = np.random.default_rng(seed).uniform(1, 1 + seed, (30, d))
        Q = in_dictionary(random_layer(seed, d=d), inputs=F).interaction(1)
        full = np.abs(Q.to_array()) * (2 - np.eye(30))
        expected = np.sort(full[np.triu_indices(30)])[::-1][:top]
        found = pairwise_interactions(Q, top=top)
        assert np.allclose([abs(pair.weight) for pair in found.pairs], expected)


def test_few_pairs_of_many_features_are_computed() -> None:
    generator = np.random.default_rng(4)
    F = generator.standard_normal((20_000, 5)) * generator.exponential(1, (20_000, 1)) ** 6
    found = pairwise_interactions(in_dictionary(random_layer(4), inputs=F).interaction(0), top=5)
    assert found.evaluated < found.number_of_pairs / 100 and "every other pair of 200,010,000" in str(found)


# laws


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 9))
def test_laws_of_spectra(seed: int, d: int, m: int) -> None:
    layer, generator = random_layer(seed, d=d, m=m), np.random.default_rng(seed)
    Q = InteractionMatrix(np.einsum("a,aij->ij", generator.standard_normal(4), layer.tensor()))
    S, x = Q.symmetrized(), generator.standard_normal((3, d))
    assert np.array_equal(S.symmetrized().core, S.core)  # idempotent
    assert np.allclose(S.of(x), Q.of(x)) and np.allclose(Q.antisymmetric().of(x), 0)
    assert np.isclose(Q.norm**2, S.norm**2 + Q.antisymmetric().norm ** 2)
    found = S.eigen()
    assert np.allclose(found.vectors @ found.vectors.T, np.eye(d)) and (np.diff(np.abs(found.values)) <= 1e-9 * S.norm).all()
    assert np.allclose(found.activations(x).sum(-1), S.of(x))
    for r in range(d + 1):
        kept = found.truncated(r)
        rest = S.core - (kept.vectors.T * kept.values) @ kept.vectors
        assert np.isclose(np.linalg.norm(rest), found.truncation_error(r), atol=1e-12 * (1 + S.norm))
    other = eigen(S.core[::-1, ::-1])  # another order of coordinates: the same values
    assert np.allclose(other.values, found.values)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 7), st.integers(1, 5))
def test_parseval(seed: int, d: int, m: int, outputs: int) -> None:
    layer = random_layer(seed, d, m, outputs)
    B = layer.tensor(symmetric=True)
    assert np.isclose(np.linalg.norm(flattened(layer)), np.linalg.norm(B))
    found = hosvd(layer)
    assert np.isclose((found.values**2).sum(), found.norm**2) and np.isclose(found.norm, np.linalg.norm(B))
    assert np.allclose(found.outputs @ found.outputs.T, np.eye(len(found)))
    for i in np.flatnonzero(found.values > found.floor):
        assert np.isclose(found.outputs[i][np.abs(found.outputs[i]).argmax()], np.abs(found.outputs[i]).max())


def test_the_spectrum_between_tokens() -> None:
    weights = weights_of("bilinear")
    Q = interaction_matrix(weights, 0, token=2, in_tokens=True)
    found, full = Q.eigen(), Q.to_array()
    assert found.vectors.shape == (6, 9) and np.allclose(found.vectors @ found.vectors.T, np.eye(6))
    assert np.allclose((found.vectors.T * found.values) @ found.vectors, full)
    assert np.allclose(np.sort(np.abs(np.linalg.eigvalsh(full)))[-6:], np.sort(np.abs(found.values)))
    assert np.allclose(found.activations(np.eye(9)).sum(-1), np.diag(full))


# squares


@pytest.mark.parametrize(("model", "index"), [case for case in MODELS if "tied" not in case[0]])
def test_the_polarised_model_is_the_same_function(model: str, index: int) -> None:
    weights = weights_of(model)
    squares = polarised(weights, index)
    assert dict(squares.model.numbered())[index].tied and squares.model.number_of_blocks == weights.model.number_of_blocks
    tokens = np.array([3, 1, 4, 1])
    one, other = (forward(w.model, w.arrays, tokens).output for w in (weights, squares))
    assert np.allclose(one, other, rtol=1e-12, atol=1e-13)
    assert np.allclose(tensor(squares, index), bilinear_layer(weights, index).tensor(symmetric=True))
    values = hosvd(weights, index).values
    assert np.allclose(hosvd(squares, index).values[: len(values)], values)


def test_logits_of_the_example_through_its_layer() -> None:
    weights = sc.Weights.example()
    run = sc.freeze(weights, [3, 4, 31]).forward()
    x = run.streams[1][-1]
    Q = interaction_matrix(weights, 1, token=7)
    assert np.isclose(Q.of(x) + weights.arrays["W_U"][7] @ x, run.output[-1, 7], rtol=1e-5)
    axes = draw_eigen(Q.eigen(), run.streams[1], top=3, labels=["3", "4", "="])
    assert len(axes) == 2 and [tick.get_text() for tick in axes[1].get_yticklabels()] == ["1", "2", "3", "others", "sum"]
    assert to_image(axes[0].figure, ".png")[:4] == b"\x89PNG" and len(axes[0].patches) == 64


# errors


def test_blocks_that_are_no_bilinear_layers() -> None:
    weights = weights_of("attn(2) bilinear")
    assert bilinear_layer(weights, "bilinear.1").name == "bilinear.1"
    for layer, words in (
        (0, "block 0 .* is attention"),
        ("attn.0", "no block 'attn.0'"),
        (5, "no block 5"),
        (True, "no block True"),
    ):
        with pytest.raises(SpecError, match=f"{words}.*its bilinear layers: bilinear.1"):
            bilinear_layer(weights, layer)
    with pytest.raises(SpecError, match="tied: it is a layer of squares"):
        polarised(weights_of("bilinear(tied)"), 0)


def test_directions_that_do_not_fit() -> None:
    weights, bare = weights_of("bilinear"), sc.Weights.random("[no embed, no unembed] bilinear", d=6, seed=0)
    assert interaction_matrix(bare, 0, np.ones(6)).size == 6
    with pytest.raises(ShapeError, match=r"shape \(6,\); got \(5,\)"):
        interaction_matrix(weights, 0, np.ones(5))
    with pytest.raises(WeightsError, match="finite"):
        interaction_matrix(weights, 0, np.full(6, np.nan))
    for asked in ({}, {"direction": np.ones(6), "token": 1}, {"against": 1}):
        with pytest.raises(TokensError, match="give one of them"):
            interaction_matrix(weights, 0, **asked)
    with pytest.raises(TokensError, match=r"token 9 is outside range\(9\)"):
        interaction_matrix(weights, 0, token=1, against=9)
    with pytest.raises(SpecError, match="no unembedding"):
        interaction_matrix(bare, 0, token=1)
    with pytest.raises(SpecError, match="no embedding"):
        interaction_matrix(bare, 0, np.ones(6), in_tokens=True)


def test_what_is_not_symmetric_or_too_large() -> None:
    weights = weights_of("bilinear")
    Q = interaction_matrix(weights, 0, token=1, symmetric=False, in_tokens=True)
    assert Q.symmetrized().eigen().values.shape == (6,)
    with pytest.raises(LawError, match="not symmetric"):
        Q.eigen()
    with pytest.raises(LawError, match="not symmetric"):
        pairwise_interactions(Q)
    with pytest.raises(BudgetError, match="9 x 9 entries, 648 bytes; the limit is 647"):
        Q.to_array(max_bytes=647)
    with pytest.raises(BudgetError, match="6 x 6 x 6"):
        bilinear_layer(weights, 0).tensor(max_bytes=100)
    with pytest.raises(ShapeError, match=r"shape \(..., 9\); got \(6,\)"):
        Q.of(np.ones(6))
    with pytest.raises(TermIndexError, match="6 eigenvalues; 7 were"):
        Q.symmetrized().eigen().truncated(7)


def test_dictionaries_and_components_that_are_not_there() -> None:
    layer = random_layer(5)
    assert in_dictionary(layer, inputs=np.ones((2, 5))).shape == (4, 2, 2)
    with pytest.raises(ShapeError, match=r"dictionary of inputs .*\(rows, 5\); got shape \(2, 4\)"):
        in_dictionary(layer, inputs=np.ones((2, 4)))
    with pytest.raises(ShapeError, match=r"dictionary of outputs .*\(rows, 4\)"):
        in_dictionary(layer, outputs=np.ones((2, 5)))
    with pytest.raises(TermIndexError, match=r"output feature 4 is outside range\(4\)"):
        in_dictionary(layer).interaction(4)
    with pytest.raises(TermIndexError, match="component 4"):
        hosvd(layer).component(4)
    with pytest.raises(TermIndexError, match="at least 0"):
        hosvd(layer, max_rank=-1)
    with pytest.raises(TermIndexError, match="top=0"):
        pairwise_interactions(in_dictionary(layer).interaction(0), top=0)
    with pytest.raises(ShapeError, match="one shape"):
        BilinearLayer(np.ones((2, 3)), np.ones((3, 3)), np.ones((1, 2)))
    with pytest.raises(ShapeError, match="as many labels"):
        draw_eigen(eigen(np.eye(2)), np.eye(2), labels=["a"])
