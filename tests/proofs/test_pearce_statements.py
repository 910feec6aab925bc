"""What proofs/pearce-2024.md says in words: spectra, truncation, pseudo-inverses, counts; and its two false claims in numbers."""

from itertools import combinations, product

import numpy as np
import pytest
from sympy import Symbol

from symbolic_circuits import Transformer, path_expansion

D, M = 5, 7


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(2410)


def layer(rng: np.random.Generator, d: int = D, m: int = M) -> tuple[np.ndarray, np.ndarray]:
    """The two input maps of a random bilinear layer."""
    return rng.normal(size=(m, d)), rng.normal(size=(m, d))


def tensor(W: np.ndarray, V: np.ndarray) -> np.ndarray:
    """B_{aij} = W_{ai} V_{aj}, by outer products."""
    return np.array([np.outer(w, v) for w, v in zip(W, V, strict=True)])


def symmetrised(B: np.ndarray) -> np.ndarray:
    """The symmetric part in the two input axes."""
    return (B + B.transpose(0, 2, 1)) / 2


def test_c1_relu_gates_of_both_signs_make_the_bilinear_layer(rng):
    W, V = layer(rng)
    for x in rng.normal(size=(20, D)):
        both = (W @ x) * np.maximum(V @ x, 0) - (W @ x) * np.maximum(-V @ x, 0)
        assert np.allclose(both, (W @ x) * (V @ x))
        assert not np.allclose((W @ x) * np.maximum(V @ x, 0), (W @ x) * (V @ x))


def test_c7_symmetrised_slices_have_orthonormal_eigenvectors(rng):
    for _ in range(5):
        W, V = layer(rng)
        u = rng.normal(size=M)
        slice_ = np.einsum("a,aij->ij", u, tensor(W, V))
        Q = (slice_ + slice_.T) / 2
        values, columns = np.linalg.eigh(Q)
        R = columns.T
        assert np.allclose(R @ R.T, np.eye(D))
        assert np.allclose(R.T @ np.diag(values) @ R, Q)
        x = rng.normal(size=D)
        assert np.isclose(u @ ((W @ x) * (V @ x)), sum(values * (R @ x) ** 2))
        _, oblique = np.linalg.eig(slice_)  # without symmetrising they are not orthonormal
        assert not np.allclose(oblique.conj().T @ oblique, np.eye(D), atol=1e-3)


def test_c8_largest_absolute_eigenvalues_are_the_best_truncation(rng):
    R = np.linalg.qr(rng.normal(size=(D, D)))[0].T
    values = np.array([3.0, -5.0, 1.0, 0.5, -2.0])  # the largest in absolute value is negative
    Q = R.T @ np.diag(values) @ R

    def error(kept: tuple[int, ...]) -> float:
        rows = R[list(kept)]
        return float(np.linalg.norm(Q - rows.T @ np.diag(values[list(kept)]) @ rows) ** 2)

    for rank in range(D + 1):
        order = np.argsort(-np.abs(values))
        best = error(tuple(order[:rank]))
        assert np.isclose(best, sum(values[order[rank:]] ** 2))
        assert np.isclose(best, min(error(kept) for kept in combinations(range(D), rank)))
        for _ in range(20):  # no matrix of that rank is closer
            other = rng.normal(size=(D, rank)) @ rng.normal(size=(rank, D))
            scale = np.sum(other * Q) / max(np.sum(other * other), 1e-300)  # at its best length
            assert np.linalg.norm(Q - scale * other) ** 2 >= best - 1e-9
    by_sign = error(tuple(np.argsort(-values)[:2]))
    assert by_sign > error((1, 0)) + 1  # the largest eigenvalues, with sign, are a worse choice


def test_c11_singular_interaction_matrices(rng):
    W, V = layer(rng)
    for B, symmetric in ((symmetrised(tensor(W, V)), True), (tensor(W, V), False)):
        outputs, sizes, rows = np.linalg.svd(B.reshape(M, D * D), full_matrices=False)
        matrices = rows.reshape(-1, D, D)
        assert sizes.min() > 1e-6
        assert np.allclose(np.einsum("i,ai,ijk->ajk", sizes, outputs, matrices), B)
        assert np.allclose(np.einsum("ajk,bjk->ab", matrices, matrices), np.eye(M))
        assert np.allclose(matrices, matrices.transpose(0, 2, 1)) is symmetric
        assert np.isclose(np.sum(sizes**2), np.sum(B**2))


@pytest.mark.parametrize("directions", [M - 3, M, M + 3])
def test_c13_pseudo_inverse_gives_one_of_the_two(rng, directions):
    B = tensor(*layer(rng))
    U = rng.normal(size=(directions, M))
    inverse = np.linalg.pinv(U)
    slices = np.einsum("ka,aij->kij", U, B)
    again = np.einsum("ak,kij->aij", inverse, slices)
    assert np.allclose(again, B) is (directions >= M)  # the tensor from its interaction matrices
    assert np.allclose(np.einsum("ka,al->kl", U, inverse), np.eye(directions)) is (directions <= M)  # u_k . u_l^+ = delta_kl


def effective_rank(values: np.ndarray) -> float:
    """The square of the 1-norm over the 2-norm."""
    return float(np.sum(np.abs(values)) ** 2 / np.sum(values**2))


def test_c15_effective_rank(rng):
    for k in range(1, 6):
        for signs in product((1, -1), repeat=k):
            assert np.isclose(effective_rank(3.7 * np.array(signs + (0,) * 3)), k)
    for _ in range(50):
        values = rng.normal(size=6) * (rng.random(6) < 0.7)
        if np.any(values):
            assert 1 - 1e-9 <= effective_rank(values) <= np.count_nonzero(values) + 1e-9
            assert np.isclose(effective_rank(-2 * values), effective_rank(values))
    assert not np.isclose(effective_rank(np.array([1.0, -1.0])), np.sum([1.0, -1.0]) ** 2 / 2)  # absolute values are needed


def test_c16_eigenvectors_of_different_outputs_overlap(rng):
    B = symmetrised(tensor(*layer(rng)))
    first, second = (np.linalg.eigh(np.einsum("a,aij->ij", u, B))[1].T for u in rng.normal(size=(2, M)))
    overlaps = first @ second.T
    assert np.allclose(first @ first.T, np.eye(D)) and np.allclose(second @ second.T, np.eye(D))
    assert np.allclose(np.sum(overlaps**2, axis=1), 1)
    assert np.all(np.sort(np.abs(overlaps), axis=1)[:, -2] > 1e-3)  # every one overlaps with several of the other basis


def test_c17_spectrum_of_a_conjunction():
    for d, i, j in ((2, 0, 1), (5, 1, 3)):
        p, q = np.eye(d)[[i, j]]
        values = np.linalg.eigvalsh((np.outer(p, q) + np.outer(q, p)) / 2)
        assert np.allclose(values, [-0.5, *[0] * (d - 2), 0.5])


def test_c18_spectrum_of_one_hidden_unit(rng):
    for _ in range(10):
        left, right = rng.normal(size=(2, D))
        values = np.linalg.eigvalsh((np.outer(left, right) + np.outer(right, left)) / 2)
        length = np.linalg.norm(left) * np.linalg.norm(right)
        assert np.allclose(values[[0, -1]], [(left @ right - length) / 2, (left @ right + length) / 2])
        assert np.allclose(values[1:-1], 0)


def test_c19_coefficients_of_pairs_of_features(rng):
    W, V = layer(rng)
    features, a = rng.normal(size=(4, D)), rng.normal(size=4)

    def g(x: np.ndarray) -> np.ndarray:
        return (W @ x) * (V @ x)

    pairs = list(product(range(4), repeat=2))
    truth = g(a @ features)
    tensor_ = sum(a[i] * a[j] * (W @ features[i]) * (V @ features[j]) for i, j in pairs)
    polarised = sum(a[i] * a[j] * (g(features[i] + features[j]) - g(features[i]) - g(features[j])) / 2 for i, j in pairs)
    published = sum(a[i] * a[j] * g(features[i] + features[j]) for i, j in pairs)
    assert np.allclose(tensor_, truth) and np.allclose(polarised, truth)
    assert not np.allclose(published, truth, atol=0.1)


def test_c20_an_unembedding_folds_on_the_output_axis(rng):
    W, V = layer(rng)
    U, E = rng.normal(size=(3, M)), rng.normal(size=(D, 4))
    x = rng.normal(size=4)
    truth = U @ ((W @ E @ x) * (V @ E @ x))
    folded = np.einsum("ca,aij,iv,jw->cvw", U, tensor(W, V), E, E)
    assert np.allclose(np.einsum("cvw,v,w->c", folded, x, x), truth)
    assert not np.allclose((U @ W @ E @ x) * (U @ V @ E @ x), truth, atol=0.1)


@pytest.mark.parametrize("heads", [0, 1, 2, 5, 12])
def test_c21_blocks_of_virtual_tokens(rng, heads):
    z = Symbol("z")
    model = Transformer.parse(f"attn({heads}) bilinear" if heads else "bilinear")
    counted = path_expansion(model).count_by("bilinears").as_expr().coeff(z, 1)
    W, V = layer(rng)
    vocabulary = 6
    E = rng.normal(size=(D, vocabulary))
    virtual = [E, *(rng.normal(size=(D, D)) @ E for _ in range(heads))]  # e_p: one vocabulary for each source
    mixtures = rng.random(size=(1 + heads, vocabulary))
    residual = sum(e @ s for e, s in zip(virtual, mixtures, strict=True))
    blocks = {
        (p, q): np.einsum("aij,iv,jw,v,w->a", tensor(W, V), virtual[p], virtual[q], mixtures[p], mixtures[q])
        for p, q in product(range(1 + heads), repeat=2)
    }
    assert np.allclose(sum(blocks.values()), (W @ residual) * (V @ residual))
    assert counted == len(blocks) == (1 + heads) ** 2


def test_c21_blocks_for_any_number_of_heads():
    H, z = Symbol("H", integer=True, positive=True), Symbol("z")
    counted = path_expansion(Transformer.parse("attn(H) bilinear")).count_by("bilinears").as_expr()
    by_layer = counted.expand().coeff(z, 1)
    assert str(by_layer.factor()) == "(H + 1)**2" and by_layer.subs(next(iter(by_layer.free_symbols)), 3) == (1 + 3) ** 2
    assert H.name in {symbol.name for symbol in by_layer.free_symbols}
