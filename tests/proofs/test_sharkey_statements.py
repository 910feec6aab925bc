r"""Statements of proofs/sharkey-2023.md that are no algebraic identities: counts, ranks, forward passes. Oracle: loops over entries.

Letters: W_1, W_2 [m, d], P [d, m], B_{ijk} = W_1_{ij} W_2_{ik}, X [n, d] one row a position, A^h [n, n] (row = destination),
M^h [d, d] for W_OV^h. Integers throughout where equality is exact.
"""

from collections import Counter
from itertools import product

import numpy as np
import pytest
import sympy

import symbolic_circuits as sc


def integers(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    """Small random integers, so that sums and products are exact."""
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape) for shape in shapes]


def layer(W_1: np.ndarray, W_2: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The bilinear layer in plain loops: positions, hidden units, a product of two inner products."""
    out = []
    for x in X:
        left = [sum(row[j] * x[j] for j in range(len(x))) for row in W_1]
        right = [sum(row[j] * x[j] for j in range(len(x))) for row in W_2]
        out.append([a * b for a, b in zip(left, right, strict=True)])
    return np.array(out)


def apply(B: np.ndarray, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """B(X, Y), position by position."""
    return np.einsum("ijk,sj,sk->si", B, X, Y)


def softmax(scores: np.ndarray) -> np.ndarray:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("seed", range(3))
def test_order_of_contraction(seed):
    """A8: of equal inputs either may be contracted first, of different ones not."""
    W_1, W_2, x, y = integers(seed, (4, 3), (4, 3), (3,), (3,))
    B = np.einsum("ij,ik->ijk", W_1, W_2)

    def second_axis_first(left, right):
        return np.tensordot(np.tensordot(left, B, (0, 1)), right, (1, 0))

    def third_axis_first(left, right):
        return np.tensordot(np.tensordot(left, B, (0, 2)), right, (1, 0))

    assert np.array_equal(second_axis_first(x, x), third_axis_first(x, x))
    assert np.array_equal(second_axis_first(x, x), layer(W_1, W_2, x[None])[0])
    assert np.array_equal(second_axis_first(x, y), third_axis_first(y, x))
    assert not np.array_equal(second_axis_first(x, y), third_axis_first(x, y))


@pytest.mark.parametrize("seed", range(3))
def test_exchanging_the_input_matrices(seed):
    """A9: every slice is transposed; the same layer, another function of two inputs."""
    W_1, W_2, X, Y = integers(seed, (4, 3), (4, 3), (2, 3), (2, 3))
    B, exchanged = np.einsum("ij,ik->ijk", W_1, W_2), np.einsum("ij,ik->ijk", W_2, W_1)
    assert all(np.array_equal(slice_, other.T) for slice_, other in zip(B, exchanged, strict=True))
    assert np.array_equal(apply(B, X, X), apply(exchanged, X, X))
    assert np.array_equal(apply(B, X, Y), apply(exchanged, Y, X))
    assert not np.array_equal(B, exchanged) and not np.array_equal(apply(B, X, Y), apply(exchanged, X, Y))


@pytest.mark.parametrize(("m", "d"), [(1, 2), (3, 2), (2, 4), (5, 3)])
def test_ranks_and_parameters(m, d):
    """A10: slices of rank one; 2md weights for md^2 entries, of which m(2d - 1) directions change the tensor."""
    rng = np.random.default_rng(10 * m + d)
    W_1, W_2, P = rng.normal(size=(m, d)), rng.normal(size=(m, d)), rng.normal(size=(d, m))
    B = np.einsum("ij,ik->ijk", W_1, W_2)
    assert [np.linalg.matrix_rank(slice_) for slice_ in B] == [1] * m
    folded = np.tensordot(P, B, 1)
    assert [np.linalg.matrix_rank(slice_) for slice_ in folded] == [min(m, d)] * d  # generic: no longer one
    assert np.allclose(folded, sum(np.einsum("a,j,k->ajk", P[:, p], W_1[p], W_2[p]) for p in range(m)))  # CP rank <= m
    moved = [np.einsum("ij,ik->ijk", step, W_2) for step in np.eye(m * d).reshape(-1, m, d)]
    moved += [np.einsum("ij,ik->ijk", W_1, step) for step in np.eye(m * d).reshape(-1, m, d)]
    jacobian = np.array(moved).reshape(2 * m * d, m * d * d)
    assert W_1.size + W_2.size == 2 * m * d and B.size == m * d**2
    assert np.linalg.matrix_rank(jacobian) == m * (2 * d - 1)


@pytest.mark.parametrize("f", [1, 2, 3, 5])
def test_pairs_of_features(f):
    """A13: f^2 ordered pairs, f(f+1)/2 unordered ones; those of two features get a factor two in a symmetric tensor."""
    a = sympy.symbols(f"a:{f}")
    ordered = [a[i] * a[j] for i, j in product(range(f), repeat=2)]
    pairs = Counter(ordered)
    assert len(ordered) == f**2 and len(pairs) == f * (f + 1) // 2
    assert pairs == {pair: 2 if len(pair.free_symbols) == 2 else 1 for pair in pairs}
    (S,) = integers(f, (f, f))
    S = S + S.T + 10  # symmetric, no entry zero
    form = sympy.Poly(sympy.expand((sympy.Matrix([a]) * sympy.Matrix(S) * sympy.Matrix(a))[0]), *a)
    for (i, j), entry in np.ndenumerate(S):
        assert form.coeff_monomial(a[i] * a[j]) == (entry if i == j else 2 * entry)


def logit_paths(heads: int) -> list[tuple]:
    """Direct, by a head, or through the layer with an ordered pair of these."""
    streams = ["residual", *range(heads)]
    return [("by", stream) for stream in streams] + [("layer", *pair) for pair in product(streams, repeat=2)]


@pytest.mark.parametrize("heads", [1, 2, 3, 12])
def test_number_of_logit_paths(heads):
    """A18: (1 + H)(2 + H)."""
    paths = logit_paths(heads)
    expected = (1 + heads) * (2 + heads)
    assert len(set(paths)) == expected == sc.path_expansion(f"attn({heads}) bilinear").number_of_terms
    if heads == 12:
        assert expected == 182


@pytest.mark.parametrize("heads", [1, 2, 3, 12])
def test_symmetric_tensors_merge_pairs(heads):
    """A19: (1 + H)(2 + H)/2 paths through the layer, (1 + H)(4 + H)/2 in all; equal values with twice the symmetric tensor."""
    through = {tuple(sorted(map(str, path[1:]))) for path in logit_paths(heads) if path[0] == "layer"}
    assert len(through) == (1 + heads) * (2 + heads) // 2
    expected = (1 + heads) * (4 + heads) // 2
    assert len(through) + 1 + heads == expected == sc.path_expansion(f"attn({heads}) bilinear(tied)").number_of_terms
    B, K, L = integers(heads, (3, 3, 3), (2, 3), (2, 3))
    doubled = B + B.transpose(0, 2, 1)  # 2 S
    assert np.array_equal(apply(B, K, L) + apply(B, L, K), apply(doubled, K, L))
    assert not np.array_equal(apply(B, K, L) + apply(B, L, K), 2 * apply(B, K, L))


@pytest.mark.parametrize("seed", range(3))
def test_two_independent_sources(seed):
    """A17: the forward pass agrees with the sum over two source positions, not with the sum over one."""
    W_1, W_2, X, A, F, M, N = integers(seed, (4, 3), (4, 3), (5, 3), (5, 5), (5, 5), (3, 3), (3, 3))
    B = np.einsum("ij,ik->ijk", W_1, W_2)
    Z, Y = A @ X @ M.T, F @ X @ N.T
    cross = layer(W_1, W_2, Z + Y) - layer(W_1, W_2, Z) - layer(W_1, W_2, Y)  # B(Z, Y) + B(Y, Z)

    def paired(two_sources: bool) -> np.ndarray:
        total = np.zeros((5, 4), dtype=int)
        for s, u, r in product(range(5), repeat=3):
            if two_sources or u == r:
                for j, k in product(range(3), repeat=2):
                    weight = A[s, u] * F[s, r] * (M @ X[u])[j] * (N @ X[r])[k]
                    total[s] += weight * (B[:, j, k] + B[:, k, j])
        return total

    assert np.array_equal(cross, paired(two_sources=True))
    assert not np.array_equal(cross, paired(two_sources=False))


def attention(terms: list, heads: int, block: int) -> list:
    return terms + [("attn", block, h, term) for h in range(heads) for term in terms]


def bilinear(terms: list, block: int) -> list:
    return terms + [("bilinear", block, left, right) for left, right in product(terms, repeat=2)]


@pytest.mark.parametrize(("heads", "blocks", "count"), [(1, 2, 156), (2, 1, 12), (0, 3, 42)])
def test_terms_of_two_layers_are_trees(heads, blocks, count):
    """A21: as many trees as the package counts, and their values add up to the forward pass exactly."""
    n, d, m = 3, 2, 2
    terms, value, X = ["x"], {}, integers(0, (n, d))[0]
    forward, weights = X.astype(object), {}
    value["x"] = forward
    for block in range(blocks):
        W_1, W_2, P, A, M = integers(block + 1, (m, d), (m, d), (d, m), (heads, n, n), (heads, d, d))
        weights[block] = (np.einsum("ai,ij,ik->ajk", P, W_1, W_2).astype(object), A.astype(object), M.astype(object))
        terms = bilinear(attention(terms, heads, block), block)
        forward = forward + sum((A[h] @ forward @ M[h].T for h in range(heads)), start=0 * forward)
        forward = forward + layer(W_1, W_2, forward) @ P.T
    for term in terms:
        if term[0] == "attn":
            _, A, M = weights[term[1]]
            value[term] = A[term[2]] @ value[term[3]] @ M[term[2]].T
        elif term[0] == "bilinear":
            value[term] = apply(weights[term[1]][0], value[term[2]], value[term[3]])
    text = " ".join(f"attn({heads}) bilinear" if heads else "bilinear" for _ in range(blocks))
    assert len(terms) == len(set(terms)) == count == sc.path_expansion(text).number_of_terms
    assert np.array_equal(sum(value[term] for term in terms), forward)
    assert not np.array_equal(sum(value[term] for term in terms[:-1]), forward)


@pytest.mark.parametrize("seed", range(3))
def test_left_weights_meet_right_weights(seed):
    """Erratum 8: a hidden unit of two layers pairs left with right in each, and the total has both cross terms."""
    L_1, R_1, P, L_2, R_2, x = (array.astype(object) for array in integers(seed, (4, 3), (4, 3), (3, 4), (4, 3), (4, 3), (3,)))
    first = P @ layer(L_1, R_1, x[None])[0]
    second = layer(L_2, R_2, first[None])[0]
    L, R = L_2 @ P, R_2 @ P
    right = "ip,iq,pj,pk,ql,qr,j,k,l,r->i"
    assert np.array_equal(np.einsum(right, L, R, L_1, R_1, L_1, R_1, x, x, x, x, optimize="greedy"), second)
    assert not np.array_equal(np.einsum(right, L, R, L_1, L_1, R_1, R_1, x, x, x, x, optimize="greedy"), second)
    with_residual = layer(L_2, R_2, (x + first)[None])[0]
    own, cross = [(x, x), (first, first)], [(x, first), (first, x)]
    assert np.array_equal(sum((L_2 @ a) * (R_2 @ b) for a, b in own + cross), with_residual)
    for missing in (cross, cross[:1], cross[1:]):
        kept = [pair for pair in own + cross if all(pair is not other for other in missing)]
        assert not np.array_equal(sum((L_2 @ a) * (R_2 @ b) for a, b in kept), with_residual)


def test_patterns_are_held_fixed():
    """A23: patterns saved from the full run make the paths add up; computed anew on the parts of the stream they do not."""
    rng = np.random.default_rng(23)
    X, Q_1, M_1, Q_2, M_2 = (rng.normal(size=shape) for shape in [(4, 3)] + 4 * [(3, 3)])

    def pattern(stream, Q):
        return softmax(stream @ Q @ stream.T)

    def head(stream, A, M):
        return A @ stream @ M.T

    A_1 = pattern(X, Q_1)
    Z = head(X, A_1, M_1)
    A_2 = pattern(X + Z, Q_2)
    full = X + Z + head(X + Z, A_2, M_2)
    frozen = X + Z + head(X, A_2, M_2) + head(Z, A_2, M_2)
    anew = X + Z + head(X, pattern(X, Q_2), M_2) + head(Z, pattern(Z, Q_2), M_2)
    assert np.allclose(full, frozen)
    assert np.abs(full - anew).max() > 0.1
