r"""Facts of attention-only transformers that are no polynomial identities: ranks, spectra, counts, softmax, and runs of small models.

``proofs/elhage-2021.md`` points to these tests. Everything is computed with NumPy from its definition; counts are compared with the
path expansion of this package. Streams have one row a position; patterns have one row a destination.
"""

from itertools import combinations, product
from math import comb, erf, prod

import numpy as np
import pytest
from sympy import MatrixSymbol, Symbol, Trace, simplify

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import read_latex

N, D, E, V = 6, 5, 2, 8  # positions, width of the stream, width of a head, vocabulary


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def pattern(scores: np.ndarray) -> np.ndarray:
    """Causal attention: a softmax over the sources that are not later than the destination."""
    return softmax(np.where(np.tri(len(scores), dtype=bool), scores, -np.inf))


def head(rng: np.random.Generator, width: int = E, d: int = D) -> tuple[np.ndarray, np.ndarray]:
    """W_OV and W_QK of a random head."""
    q, k, v = (rng.normal(size=(width, d)) for _ in range(3))
    return rng.normal(size=(d, width)) @ v, q.T @ k


def model(rng: np.random.Generator, *heads: int) -> tuple[np.ndarray, np.ndarray, list]:
    """W_E, W_U and for each layer a list of heads."""
    layers = [[head(rng) for _ in range(count)] for count in heads]
    return rng.normal(size=(D, V)), rng.normal(size=(V, D)), layers


def tokens(rng: np.random.Generator) -> np.ndarray:
    return np.eye(V)[rng.integers(V, size=N)]


def forward(t: np.ndarray, w_e: np.ndarray, w_u: np.ndarray, layers: list, frozen: list | None = None) -> tuple[np.ndarray, list]:
    """Logits, and the patterns of all heads; those given are used instead of the model's own."""
    x, patterns = t @ w_e.T, []
    for layer, heads in enumerate(layers):
        patterns.append(frozen[layer] if frozen else [pattern(x @ w_qk @ x.T) for _, w_qk in heads])
        x = x + sum((a @ x @ w_ov.T for a, (w_ov, _) in zip(patterns[-1], heads, strict=True)), np.zeros_like(x))
    return x @ w_u.T, patterns


def all_paths(layers: list) -> list[tuple[tuple[int, int], ...]]:
    """The paths, each a choice of one head or none in every layer: pairs (layer, head), the earliest first."""
    choices = [[(), *(((layer, h),) for h in range(len(heads)))] for layer, heads in enumerate(layers)]
    return [sum(choice, ()) for choice in product(*choices)]


def along(path: tuple, t: np.ndarray, w_e: np.ndarray, w_u: np.ndarray, layers: list, patterns: list) -> np.ndarray:
    """(A^{h_k} ... A^{h_1}) t (W_U W_OV^{h_k} ... W_OV^{h_1} W_E)^T: one term, as the product of its pattern and its circuit."""
    mixing, circuit = np.eye(len(t)), w_e
    for layer, h in path:
        mixing, circuit = patterns[layer][h] @ mixing, layers[layer][h][0] @ circuit
    return mixing @ t @ (w_u @ circuit).T


# B8, B10, B18: arrays and ranks


def test_outer_product_and_kron_differ_in_the_order_of_axes():
    rng = generator()
    a, w, x = rng.normal(size=(N, N)), rng.normal(size=(D, D)), rng.normal(size=(N, D))
    tensor = a[:, :, None, None] * w[None, None, :, :]
    assert tensor.shape == (N, N, D, D)
    np.testing.assert_allclose(np.einsum("stab,tb->sa", tensor, x), a @ x @ w.T)
    np.testing.assert_array_equal(tensor.transpose(0, 2, 1, 3).reshape(N * D, N * D), np.kron(a, w))
    assert not np.allclose(tensor.reshape(N * D, N * D), np.kron(a, w))
    np.testing.assert_allclose(np.kron(a, w) @ x.reshape(-1), (a @ x @ w.T).reshape(-1))
    assert not np.allclose(np.kron(a, w) @ x.T.reshape(-1), (a @ x @ w.T).T.reshape(-1))  # columns stacked: kron(w, a)
    np.testing.assert_allclose(np.kron(w, a) @ x.T.reshape(-1), (a @ x @ w.T).T.reshape(-1))


@pytest.mark.parametrize("width", [1, 2, 4])
def test_rank_of_the_circuits_of_a_head(width):
    rng = generator(width)
    w_ov, w_qk = head(rng, width)
    w_e, w_u = rng.normal(size=(D, V)), rng.normal(size=(V, D))
    circuits = [w_ov, w_qk, w_u @ w_ov @ w_e, w_e.T @ w_qk @ w_e]
    assert [np.linalg.matrix_rank(circuit) for circuit in circuits] == [width] * 4
    assert [circuit.shape for circuit in circuits] == [(D, D), (D, D), (V, V), (V, V)]
    for rows, columns in product(combinations(range(D), width + 1), repeat=2):
        assert abs(np.linalg.det(w_ov[np.ix_(rows, columns)])) < 1e-9
    assert abs(np.linalg.det(w_ov[:width, :width])) > 1e-6


# B11, B29 (errata 1 and 2): printed formulas


def test_printed_formulas_do_not_fit_streams_with_a_row_a_position():
    rng = generator()
    x, y = rng.normal(size=(N, D)), rng.normal(size=(N, D))
    a_q, a_k, w = rng.normal(size=(N, N)), rng.normal(size=(N, N)), rng.normal(size=(D, D))
    with pytest.raises(ValueError, match="matmul"):
        _ = x.T @ w @ x
    with pytest.raises(ValueError, match="matmul"):
        _ = a_q.T @ x @ w @ y @ a_k
    meant = np.einsum("sk,ul,ab,ka,lb->su", a_q, a_k, w, x, y)
    np.testing.assert_allclose(a_q @ x @ w @ y.T @ a_k.T, meant)
    # the one reading under which the printed formula is right: patterns with a column a destination, keys with a column a position
    column_q, column_k, keys = a_q.T, a_k.T, y.T
    np.testing.assert_allclose(column_q.T @ x @ w @ keys @ column_k, meant)
    columns = x.T
    np.testing.assert_allclose(columns.T @ w @ columns, x @ w @ x.T)


@pytest.mark.parametrize("printed", [r"x^\top W x", r"A_q^\top x W y A_k"])
def test_the_reader_rejects_the_printed_formulas(printed):
    symbols = "x, y : n x d; W : d x d; A_q, A_k : n x n"
    assert read_latex(r"A_q x W y^\top A_k^\top", symbols) is not None
    with pytest.raises(LatexError, match="the product needs"):
        read_latex(printed, symbols)


# B20, B45, B46, B47, B19: what a softmax does and what freezing it changes


def test_skip_trigrams_of_one_head_factor():
    """The attention of b to a and the effect of a on c; ratios of outputs for one source do not depend on the destination."""
    rng = generator(3)
    w_e, w_u, [[(w_ov, w_qk), (w_ov_2, w_qk_2)]] = model(rng, 2)
    attention, effect = np.exp(w_e.T @ w_qk @ w_e), w_u @ w_ov @ w_e  # [b, a] and [c, a]
    table = np.einsum("ba,ca->abc", attention, effect)
    np.testing.assert_allclose(np.einsum("abc,ajk->abcjk", table, table), np.einsum("abk,ajc->abcjk", table, table))
    two = table + np.einsum("ba,ca->abc", np.exp(w_e.T @ w_qk_2 @ w_e), w_u @ w_ov_2 @ w_e)
    assert not np.allclose(np.einsum("abc,ajk->abcjk", two, two), np.einsum("abk,ajc->abcjk", two, two))
    # in a run: source a = 0 and a filler 7 before the destination b; the part of the logits that comes from a
    parts = []
    for b in (1, 2):
        t = np.eye(V)[[0, 7, b]]
        x = t @ w_e.T
        a = pattern(x @ w_qk @ x.T)
        parts.append(a[2, 0] * effect[:, 0])
    np.testing.assert_allclose(np.outer(parts[0], parts[1]), np.outer(parts[1], parts[0]))
    assert not np.allclose(parts[0], parts[1])


def test_value_weighted_patterns_bound_what_is_moved():
    rng = generator(4)
    x, w_v, w_qk = rng.normal(size=(N, D)), rng.normal(size=(E, D)), rng.normal(size=(D, D))
    a, values = pattern(x @ w_qk @ x.T), x @ w_v.T
    weighted = a * np.linalg.norm(values, axis=1)
    np.testing.assert_allclose(weighted, np.linalg.norm(a[:, :, None] * values[None, :, :], axis=2))
    moved = np.linalg.norm(a @ values, axis=1)
    assert np.all(moved <= weighted.sum(axis=1) + 1e-12)
    assert not np.allclose(moved, weighted.sum(axis=1))
    assert not np.allclose(
        weighted, a * np.linalg.norm(values, axis=1)[:, None]
    )  # the length at the source, not at the destination


@pytest.mark.parametrize("attend", [softmax, pattern])
def test_softmax_sees_keys_and_not_queries(attend):
    rng = generator(5)
    scores, term = rng.normal(size=(N, N)), rng.normal(size=N)
    np.testing.assert_allclose(attend(scores + term[:, None]), attend(scores))
    assert np.abs(attend(scores + term[None, :]) - attend(scores)).max() > 0.05
    assert np.allclose(attend(scores + 3.0 * np.ones(N)[None, :]), attend(scores))  # a constant for all keys is one of each query
    assert not np.allclose(attend(2 * scores), attend(scores))


def test_logits_are_linear_in_the_tokens_only_with_frozen_patterns():
    rng = generator(6)
    w_e, w_u, layers = model(rng, 2, 2)
    one, two = rng.normal(size=(N, V)), rng.normal(size=(N, V))
    _, patterns = forward(tokens(rng), w_e, w_u, layers)
    run = lambda t: forward(t, w_e, w_u, layers, patterns)[0]  # noqa: E731
    np.testing.assert_allclose(run(2 * one - 3 * two), 2 * run(one) - 3 * run(two), atol=1e-8)
    run = lambda t: forward(t, w_e, w_u, layers)[0]  # noqa: E731
    assert not np.allclose(run(2 * one - 3 * two), 2 * run(one) - 3 * run(two), atol=1e-2)


# B16, B24, B25, B26, B30, B35: paths


@pytest.mark.parametrize("heads", [(), (3,), (2, 3), (2, 1, 2)])
def test_paths_add_up_to_the_forward_pass(heads):
    """Frozen at the patterns of the run itself, the terms make the logits of the run; no term can be left out."""
    rng = generator(7)
    w_e, w_u, layers = model(rng, *heads)
    t = tokens(rng)
    logits, patterns = forward(t, w_e, w_u, layers)
    terms = [along(path, t, w_e, w_u, layers, patterns) for path in all_paths(layers)]
    np.testing.assert_allclose(sum(terms), logits, atol=1e-9)
    for k in range(len(terms)):
        assert not np.allclose(sum(terms[:k] + terms[k + 1 :], np.zeros_like(logits)), logits)


@pytest.mark.parametrize(("heads", "count"), [((), 1), ((12,), 13), ((5, 5), 36), ((2, 3), 12), ((2, 2, 2), 27), ((1, 2, 3), 24)])
def test_number_of_paths(heads, count):
    assert len(set(all_paths([[None] * h for h in heads]))) == count == prod(1 + h for h in heads)
    assert sc.path_expansion(" ".join(f"attn({h})" for h in heads)).number_of_terms == count
    if len(heads) == 2 and heads[0] == heads[1]:
        assert count == 1 + 2 * heads[0] + heads[0] ** 2


def test_number_of_paths_for_any_number_of_heads():
    (symbol,) = sc.path_expansion("attn(H)").number_of_terms.free_symbols
    for text, layers in [("attn(H)", 1), ("attn(H) attn(H)", 2), ("(attn(H))*5", 5)]:
        assert (sc.path_expansion(text).number_of_terms - (1 + symbol) ** layers).expand() == 0


@pytest.mark.parametrize(("heads", "layers"), [(1, 4), (3, 2), (2, 3)])
def test_number_of_paths_of_each_order(heads, layers):
    orders = [len(path) for path in all_paths([[None] * heads] * layers)]
    expected = [comb(layers, order) * heads**order for order in range(layers + 1)]
    assert [orders.count(order) for order in range(layers + 1)] == expected
    counted = sc.path_expansion(f"(attn({heads}))*{layers}").count_by("order")
    (z,) = counted.free_symbols
    assert [counted.as_poly(z).coeff_monomial(z**order) for order in range(layers + 1)] == expected


def test_eight_classes_of_paths_in_three_layers():
    rng = generator(8)
    w_e, w_u, layers = model(rng, 2, 2, 2)
    t = tokens(rng)
    logits, patterns = forward(t, w_e, w_u, layers)
    classes: dict[tuple[int, ...], np.ndarray] = {}
    for path in all_paths(layers):
        key = tuple(layer for layer, _ in path)
        classes[key] = classes.get(key, 0) + along(path, t, w_e, w_u, layers, patterns)
    assert sorted(classes) == sorted(key for order in range(4) for key in combinations(range(3), order))
    assert len(classes) == 8 == sc.path_expansion("attn(2) attn(2) attn(2)").path_classes().number_of_terms
    np.testing.assert_allclose(sum(classes.values()), logits, atol=1e-9)
    skipping = classes.pop((0, 2))  # layer three reads layer one
    assert not np.allclose(sum(classes.values()), logits)
    assert np.abs(skipping).max() > 1e-3


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_number_of_terms_of_second_layer_scores(heads):
    """Query side and key side, each the embedding or one head: as many terms as pairs, and they make the scores."""
    rng = generator(9)
    w_e, w_u, layers = model(rng, heads)
    t, (_, w_qk) = tokens(rng), head(rng)
    _, [patterns] = forward(t, w_e, w_u, layers)
    sides = [(np.eye(N), np.eye(D)), *((a, w_ov) for a, (w_ov, _) in zip(patterns, layers[0], strict=True))]
    tensors = [
        np.einsum("sk,ul,vw->suklvw", a_q, a_k, w_e.T @ w_q.T @ w_qk @ w_k @ w_e)
        for (a_q, w_q), (a_k, w_k) in product(sides, repeat=2)
    ]
    assert len(tensors) == (1 + heads) ** 2 == sc.path_expansion(f"attn({heads})").number_of_terms ** 2
    x_1 = sum(a @ t @ w_e.T @ w_ov.T for a, w_ov in sides)
    scores = np.einsum("suklvw,kv,lw->su", sum(tensors), t, t, optimize=True)
    np.testing.assert_allclose(scores, x_1 @ w_qk @ x_1.T, atol=1e-9)
    independent = sum(tensors[i * (heads + 1) + i] for i in range(heads + 1))  # one head for both sides
    assert not np.allclose(np.einsum("suklvw,kv,lw->su", independent, t, t, optimize=True), scores)


# B36: orders without listing paths


@pytest.mark.parametrize("heads", [(2, 3), (2, 1, 2)])
def test_ablation_adds_one_order_a_round(heads):
    """Run 1 saves the patterns, run 2 adds zeros: the logits of run r hold the paths of order at most r - 2."""
    rng = generator(10)
    w_e, w_u, layers = model(rng, *heads)
    t = tokens(rng)
    logits, patterns = forward(t, w_e, w_u, layers)
    by_order = [np.zeros_like(logits) for _ in range(len(layers) + 1)]
    for path in all_paths(layers):
        by_order[len(path)] += along(path, t, w_e, w_u, layers, patterns)
    recorded = [[np.zeros((N, D)) for _ in layer] for layer in layers]
    for run in range(2, len(layers) + 4):
        x, record = t @ w_e.T, []
        for layer, heads_there in enumerate(layers):
            record.append([a @ x @ w_ov.T for a, (w_ov, _) in zip(patterns[layer], heads_there, strict=True)])
            x = x + sum(recorded[layer])
        np.testing.assert_allclose(x @ w_u.T, sum(by_order[: run - 1]), atol=1e-9)
        assert np.allclose(x @ w_u.T, logits) == (run - 2 >= len(layers))
        recorded = record


# B21, B22, B23: spectra


def test_eigenvalues_and_the_copying_score():
    rng = generator(11)
    score = lambda m: (np.linalg.eigvals(m).sum() / np.abs(np.linalg.eigvals(m)).sum()).real  # noqa: E731
    w_e, w_u, [[(w_ov, _)]] = model(rng, 1)
    circuit = w_u @ w_ov @ w_e
    turn = np.kron(np.eye(V // 2), [[0.0, -1.0], [1.0, 0.0]])  # eigenvalues i and -i
    nilpotent = np.diag(np.ones(V - 1), 1)  # not diagonalisable
    for m in (circuit, circuit + 10 * turn, nilpotent + np.eye(V)):
        np.testing.assert_allclose(np.linalg.eigvals(m).sum(), np.trace(m), atol=1e-8)
        assert not np.isclose(np.linalg.svd(m)[1].sum(), np.trace(m))
    assert np.abs(np.linalg.eigvals(circuit + 10 * turn).imag).max() > 1
    copying = w_e.T @ w_e  # unembedding = transposed embedding, W_OV = Id: a head that copies
    assert score(copying) == pytest.approx(1)
    assert score(-copying) == pytest.approx(-1)
    assert score(turn) == pytest.approx(0)
    assert score(np.eye(V) * np.r_[np.ones(V // 2), -np.ones(V // 2)]) == pytest.approx(0)
    assert -1 <= score(circuit) <= 1
    misleading = np.array([[3.0, 2.0], [-1.5, -0.5]])  # a negative entry on the diagonal, and no eigenvalue of negative real part
    assert np.all(np.linalg.eigvals(misleading).real > 0)
    assert misleading[1, 1] < 0


def test_the_small_core_has_the_spectrum_of_the_large_circuit():
    rng = generator(12)
    left, right = rng.normal(size=(V, E)), rng.normal(size=(E, V))
    large, core = np.linalg.eigvals(left @ right), np.linalg.eigvals(right @ left)
    large = large[np.argsort(-np.abs(large))]
    assert np.abs(large[E:]).max() < 1e-7
    np.testing.assert_allclose(np.sort_complex(large[:E]), np.sort_complex(core), rtol=1e-6)
    assert np.abs(core).min() > 1e-3
    singular = np.linalg.svd(left @ right)[1][:E], np.linalg.svd(right @ left)[1]
    assert not np.allclose(*singular)  # singular values are not shared


def test_svd_of_a_product_from_the_small_core():
    rng = generator(13)
    a, b = rng.normal(size=(V, 3)) @ rng.normal(size=(3, D)), rng.normal(size=(D, 2)) @ rng.normal(size=(2, V))
    thin = lambda m, r: tuple(part[..., :r] if i < 2 else part[:r] for i, part in enumerate(np.linalg.svd(m)))  # noqa: E731
    (u_a, s_a, v_a), (u_b, s_b, v_b) = thin(a, 3), thin(b, 2)
    core = np.diag(s_a) @ v_a @ u_b @ np.diag(s_b)
    assert core.shape == (3, 2)
    u_c, s_c, v_c = thin(core, 2)
    u, v = u_a @ u_c, v_c @ v_b
    np.testing.assert_allclose(u @ np.diag(s_c) @ v, a @ b, atol=1e-10)
    np.testing.assert_allclose(u.T @ u, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(v @ v.T, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(s_c, np.linalg.svd(a @ b)[1][:2])
    assert not np.allclose(s_c, s_a[:2] * s_b)


# B32: composition of heads that know nothing of each other


@pytest.mark.parametrize(("d", "expected"), [(16, 0.25), (64, 0.125), (256, 0.0625)])
def test_random_heads_compose_at_one_over_the_root_of_the_width(d, expected):
    rng = generator(d)
    norm = np.linalg.norm
    full, heads = [], []
    for _ in range(20):
        a, b = rng.normal(size=(d, d)), rng.normal(size=(d, d))
        full.append(norm(a @ b) / norm(a) / norm(b))
        (a, _), (b, _) = head(rng, 16, d), head(rng, 16, d)
        heads.append(norm(a @ b) / norm(a) / norm(b))
    assert np.mean(full) == pytest.approx(expected, rel=0.02) == pytest.approx(1 / np.sqrt(d), rel=0.02)
    assert np.mean(heads) == pytest.approx(expected, rel=0.1)
    aligned = rng.normal(size=(d, 1)) @ rng.normal(size=(1, d))  # rank one: composition with its own transpose is complete
    assert norm(aligned @ aligned.T) / norm(aligned) ** 2 == pytest.approx(1)


def test_the_expected_squares_of_random_compositions():
    """E |MK|^2 = d^3, where E |M|^2 = E |K|^2 = d^2: exactly a d-th part."""
    d = Symbol("d", integer=True, positive=True)
    m, k = MatrixSymbol("M", d, d), MatrixSymbol("K", d, d)
    square = lambda a: Trace(a.T * a)  # noqa: E731
    both = sc.gaussian_expectation(sc.gaussian_expectation(square(m * k), m), k)
    apart = sc.gaussian_expectation(square(m), m) * sc.gaussian_expectation(square(k), k)
    assert simplify(both / apart - 1 / d) == 0


# B33, B34: induction


def induction_model(vocabulary: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """An embedding with room for two tokens, W_OV of the first layer's head (it fills the second room), and W_QK of the second's.

    Stream at a position: (this token, the token before). The second layer's W_OV is the first room to the first room.
    """
    eye, zero = np.eye(vocabulary), np.zeros((vocabulary, vocabulary))
    w_e = np.vstack([eye, zero])
    to_second_room = np.block([[zero, zero], [eye, zero]])
    this_with_previous = np.block([[zero, eye], [zero, zero]])  # query: this token; key: the token before
    return w_e, to_second_room, 30 * this_with_previous


def test_an_induction_head_completes_a_repeated_pair():
    w_e, w_ov_1, w_qk = induction_model(V)
    sequence = [0, 3, 5, 6, 2, 3]  # 3 was followed by 5
    t, n = np.eye(V)[sequence], len(sequence)
    back = np.eye(n, k=-1)  # attends one position back; the first position attends to nothing
    x_0 = t @ w_e.T
    x_1 = x_0 + back @ x_0 @ w_ov_1.T
    scores = x_1 @ w_qk @ x_1.T
    w = w_qk @ w_ov_1
    term = np.einsum("sa,ab,kb,uk->su", x_0, w, x_0, back)  # the query from the embedding, the key through the head
    np.testing.assert_allclose(scores, term)
    np.testing.assert_allclose(term, x_0 @ w @ (back @ x_0).T)
    assert not np.allclose(term, np.einsum("sa,ab,kb,ku->su", x_0, w, x_0, back))  # indices of the pattern exchanged
    a = pattern(scores)
    assert a[5].argmax() == 2
    assert a[5, 2] > 0.99
    logits = a @ x_0 @ w_e  # W_OV = Id and W_U = W_E^T
    assert logits[5].argmax() == 5
    without = pattern(x_0 @ w_qk @ x_0.T) @ x_0 @ w_e  # without the first layer it cannot know
    assert without[5].argmax() != 5


def test_an_induction_head_copies_and_matches():
    w_e, w_ov_1, w_qk = induction_model(V)
    copying = w_e.T @ np.eye(2 * V) @ w_e
    matching = w_e.T @ w_qk @ w_ov_1 @ w_e
    for circuit in (copying, matching):
        values = np.linalg.eigvals(circuit)
        assert values.sum() / np.abs(values).sum() == pytest.approx(1)
    np.testing.assert_allclose(w_e.T @ w_qk @ w_e, 0)  # without the first layer's head it matches nothing
    values = np.linalg.eigvals(generator(14).normal(size=(40, 40)))
    assert abs(values.sum() / np.abs(values).sum()) < 0.3  # a random circuit does neither


# B42: privileged bases


def test_permutations_pass_through_nonlinearities_and_rotations_do_not():
    rng = generator(16)
    gelu = lambda z: 0.5 * z * (1 + np.vectorize(erf)(z / np.sqrt(2)))  # noqa: E731
    z, scores = rng.normal(size=V), rng.normal(size=(V, V))
    permutation, rotation = np.eye(V)[rng.permutation(V)], np.linalg.qr(rng.normal(size=(V, V)))[0]
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(V), atol=1e-12)
    np.testing.assert_allclose(gelu(permutation @ z), permutation @ gelu(z))
    np.testing.assert_allclose(softmax(permutation @ scores @ permutation.T), permutation @ softmax(scores) @ permutation.T)
    assert not np.allclose(gelu(rotation @ z), rotation @ gelu(z), atol=1e-2)
    assert not np.allclose(softmax(rotation @ scores @ rotation.T), rotation @ softmax(scores) @ rotation.T, atol=1e-2)
    masked = pattern(permutation @ scores @ permutation.T)  # a causal mask has an order of its own
    assert not np.allclose(masked, permutation @ pattern(scores) @ permutation.T, atol=1e-2)


# B39: norms


def test_layer_norm_is_linear_given_its_scale():
    rng = generator(15)
    x, g, b, w = rng.normal(size=(N, D)), rng.normal(size=D), rng.normal(size=D), rng.normal(size=(E, D))
    normed = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True) * g + b
    mean_free = np.eye(D) - np.ones((D, D)) / D
    r = 1 / np.sqrt(((x @ mean_free) ** 2).mean(axis=1))
    folded = np.diag(r) @ x @ (w @ np.diag(g) @ mean_free).T + np.outer(np.ones(N), w @ b)
    np.testing.assert_allclose(folded, normed @ w.T)
    plain = lambda z: (z - z.mean()) / z.std()  # noqa: E731
    assert not np.allclose(plain(x[0] + x[1]), plain(x[0]) + plain(x[1]))
    np.testing.assert_allclose(plain(3 * x[0]), plain(x[0]))  # it is blind to scale
    a = pattern(rng.normal(size=(N, N)))
    assert not np.allclose(np.diag(r) @ a @ x, a @ np.diag(r) @ x)
