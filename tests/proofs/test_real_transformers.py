r"""Facts of trained transformers that are no polynomial identities: softmax, true rotations, norms that compute their scales, counts.

``proofs/real-transformers.md`` points to these tests. Everything is computed with NumPy from its definition; counts are compared with
the path expansion of this package. Streams have one row a position; patterns have one row a destination.
"""

from itertools import pairwise, product

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import read_latex

N, D, E, M = 5, 6, 4, 7  # positions, width of the stream, width of a head, hidden width


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def pattern(scores: np.ndarray) -> np.ndarray:
    """Causal attention: a softmax over the sources that are not later than the destination."""
    weights = np.where(np.tri(len(scores), dtype=bool), np.exp(scores), 0)
    return weights / weights.sum(axis=1, keepdims=True)


def rotation(position: int) -> np.ndarray:
    """The rotation of a position in planes (i, i + E/2), with one frequency for each plane."""
    angles = position / 10.0 ** np.arange(E // 2)
    cosines, sines = np.diag(np.cos(angles)), np.diag(np.sin(angles))
    return np.block([[cosines, -sines], [sines, cosines]])


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def head(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """W_Q, W_K, W_V, W_O and the biases b_Q, b_K, b_V."""
    return *rng.normal(size=(3, E, D)), rng.normal(size=(D, E)), *rng.normal(size=(3, E))


# R6, R10, R15, R16: biases of attention


def test_the_value_bias_of_a_softmax_head_is_an_output_bias(rng):
    x = rng.normal(size=(N, D))
    w_q, w_k, w_v, w_o, _, _, b_v = head(rng)
    scores = x @ w_q.T @ w_k @ x.T
    softmaxed, masked = pattern(scores), np.tri(N) * scores
    for a, constant in ((softmaxed, True), (masked, False)):
        out = a @ (x @ w_v.T + b_v) @ w_o.T
        np.testing.assert_allclose(out, a @ x @ (w_o @ w_v).T + np.outer(a.sum(axis=1), w_o @ b_v))
        assert np.allclose(out, a @ x @ (w_o @ w_v).T + w_o @ b_v) == constant


def test_a_key_bias_changes_no_pattern_and_a_query_bias_does(rng):
    x = rng.normal(size=(N, D))
    w_q, w_k, _, _, b_q, b_k, _ = head(rng)

    def attention(query_bias, key_bias, turn):
        queries = np.array([turn(s) @ (w_q @ x[s] + query_bias) for s in range(N)])
        keys = np.array([turn(s) @ (w_k @ x[s] + key_bias) for s in range(N)])
        return pattern(queries @ keys.T)

    for turn, unseen in ((lambda s: np.eye(E), True), (rotation, False)):
        assert np.allclose(attention(b_q, b_k, turn), attention(b_q, 0, turn)) == unseen
        assert not np.allclose(attention(b_q, b_k, turn), attention(0, b_k, turn))


# R14: rotary positions


def test_rotations_of_halves_compose_to_the_difference(rng):
    q, k = rng.normal(size=(2, E))
    for s, t in product(range(N), repeat=2):
        np.testing.assert_allclose(rotation(s).T @ rotation(t), rotation(t - s), atol=1e-15)
        score = (rotation(s) @ q) @ (rotation(t) @ k)
        assert np.isclose(score, (rotation(s + 3) @ q) @ (rotation(t + 3) @ k))
        assert np.isclose(score, q @ k) == (s == t)
        assert np.isclose(score, q @ rotation(s - t) @ k) == (s == t)  # the sign of the distance
    general = rng.normal(size=(E, E))
    assert not np.allclose(general @ rotation(1), rotation(1) @ general)


# R20, R22: norms


@pytest.mark.parametrize("centre", [False, True])
def test_norms_are_linear_given_their_scales(rng, centre):
    paths, w, b, eps = rng.normal(size=(3, N, D)), rng.normal(size=D), rng.normal(size=D), 1e-5

    def scale(x):
        return 1 / np.sqrt(x.var(axis=1) + eps) if centre else 1 / np.sqrt((x * x).mean(axis=1) + eps)

    def norm(x):
        return scale(x)[:, None] * (x - x.mean(axis=1, keepdims=True) * centre) * w + b

    c = np.eye(D) - np.ones((D, D)) / D if centre else np.eye(D)
    stream = paths.sum(axis=0)
    r = scale(stream)
    np.testing.assert_allclose(scale(stream @ c), r)
    linear = sum(np.diag(r) @ path @ c @ np.diag(w) for path in paths)
    np.testing.assert_allclose(norm(stream), linear + b)
    assert not np.allclose(norm(stream), sum(map(norm, paths)))
    w_1, w_2 = rng.normal(size=(2, M, D))
    layer = (norm(stream) @ w_1.T) * (norm(stream) @ w_2.T)
    folded = [np.diag(r) @ stream @ (v @ np.diag(w) @ c).T + v @ b for v in (w_1, w_2)]
    np.testing.assert_allclose(layer, folded[0] * folded[1])


# R27, R28, R30: gates


@pytest.mark.parametrize("gate", [relu, silu])
def test_gated_layers_are_linear_given_their_gates(rng, gate):
    paths, w_1, w_2, w_out = rng.normal(size=(3, N, D)), *rng.normal(size=(2, M, D)), rng.normal(size=(D, M))
    b_1, b_2 = rng.normal(size=(2, M))
    stream = paths.sum(axis=0)
    z = stream @ w_1.T + b_1
    out = (gate(z) * (stream @ w_2.T + b_2)) @ w_out.T
    terms = [(gate(z) * (path @ w_2.T)) @ w_out.T for path in paths] + [(gate(z) * b_2) @ w_out.T]
    np.testing.assert_allclose(sum(terms), out)
    each_its_own = [(gate(path @ w_1.T + b_1) * (path @ w_2.T + b_2)) @ w_out.T for path in paths]
    assert not np.allclose(sum(each_its_own), out)
    slope = (
        gate(z) / z
    )  # a step for ReLU, a sigmoid for SiLU; frozen, it leaves a bilinear layer with a factor for each hidden unit
    left, right = [*(p @ w_1.T for p in paths), b_1], [*(p @ w_2.T for p in paths), b_2]
    np.testing.assert_allclose(sum((slope * a * b) @ w_out.T for a, b in product(left, right)), out)


# R1, R2, R12, R28, R38, R41: counts of the expansion


@pytest.mark.parametrize(
    ("model", "numbers"),
    [
        ("bilinear(bias)", 1 + (1 + 1) ** 2 + 1),  # the stream, pairs of the stream and the constant, b_out
        ("[learned] bilinear(bias)", 2 + (2 + 1) ** 2 + 1),
        ("attn(1, bias)", 1 + 2 + 1),
        ("bilinear(silu, bias)", 1 + 2 + 1),
        ("[learned] attn(2)", 2 * (1 + 2)),
        ("[shortformer] attn(2)", 1 + 2),
        ("attn(2)|bilinear", 1 + 2 + 1),
        ("attn(1, linear, bias)", 1 + 2**3 + 1),
        ("attn(2, linear)", 1 + 2),
        ("[learned] attn(1, bilinear)", 2 + 2**5),
    ],
)
def test_numbers_of_terms(model, numbers):
    assert sc.path_expansion(model).number_of_terms == numbers


@pytest.mark.parametrize(
    ("scores", "inputs", "numbers"), [("linear", 3, (1, 2, 10, 1010)), ("bilinear", 5, (1, 2, 34, 45435458))]
)
def test_numbers_of_terms_without_softmax(scores, inputs, numbers):
    for depth, number in enumerate(numbers[1:], start=1):
        assert sc.path_expansion(f"attn(1, {scores})*{depth}").number_of_terms == number
    assert all(after == before + before**inputs for before, after in pairwise(numbers))


def test_terms_of_linear_attention_add_up(rng):
    stream = rng.normal(size=(N, D))
    paths = [stream]
    for _ in range(2):
        k, v, mask = rng.normal(size=(D, D)), rng.normal(size=(D, D)), np.tri(N)
        paths = paths + [(mask * (p @ k @ q.T)) @ r @ v.T for p, q, r in product(paths, repeat=3)]
        stream = stream + (mask * (stream @ k @ stream.T)) @ stream @ v.T
    assert len(paths) == 10
    np.testing.assert_allclose(sum(paths), stream)
    assert not np.allclose(sum(paths[:-1]), stream)


# R33: the two conventions of a term of a score


def test_the_printed_term_does_not_fit_streams(rng):
    symbols = "x, y : n x d; W : d x d; A_q, A_k : n x n"
    assert read_latex(r"A_q x W y^\top A_k^\top", symbols) is not None
    with pytest.raises(LatexError, match="the product needs"):
        read_latex(r"A_q^\top x W y A_k", symbols)
    x, y = rng.normal(size=(2, N, D))
    a_q, a_k, w = *rng.normal(size=(2, N, N)), rng.normal(size=(D, D))
    meant = np.einsum("sk,tl,ab,ka,lb->st", a_q, a_k, w, x, y)
    np.testing.assert_allclose(a_q @ x @ w @ y.T @ a_k.T, meant)
    columns_x, columns_y, columns_q, columns_k = x.T, y.T, a_q.T, a_k.T
    np.testing.assert_allclose(columns_q.T @ columns_x.T @ w @ columns_y @ columns_k, meant)
    np.testing.assert_allclose(columns_q.T @ x @ w @ columns_y @ columns_k, meant)  # what the printed form would have to be of
