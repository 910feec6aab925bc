"""Matrices as products of factors, and the circuits of heads, against the matrices multiplied out."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbolic_circuits as sc
from symbolic_circuits.errors import (
    BudgetError,
    NotationError,
    ShapeError,
    SpecError,
    TermError,
    TermIndexError,
    WeightsError,
)
from symbolic_circuits.numeric.circuits import low_rank
from symbolic_circuits.numeric.circuits.eigenvalues import by_size, positivity
from symbolic_circuits.numeric.circuits.low_rank import LowRank
from symbolic_circuits.numeric.circuits.ov_qk import ov_circuit, qk_circuit

CHAINS = [(5, 2, 7), (5, 2, 5), (4, 6, 3, 4), (3, 5, 3), (6, 6), (7, 4, 1, 4, 7), (2, 8, 8, 5)]


def factors_of(sizes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, ...]:
    generator = np.random.default_rng(seed)
    return tuple(generator.standard_normal(shape) for shape in pairwise(sizes))


def multiplied_out(factors: tuple[np.ndarray, ...]) -> np.ndarray:
    out = factors[0]
    for factor in factors[1:]:
        out = out @ factor
    return out


def same_numbers(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two lists of complex numbers are the same up to order."""
    left = list(expected)
    for x in found:
        nearest = int(np.argmin(np.abs(np.array(left) - x)))
        if abs(left.pop(nearest) - x) > 1e-8:
            return False
    return not left


# tables


@pytest.mark.parametrize("sizes", CHAINS)
def test_everything_that_is_known_of_a_product(sizes: tuple[int, ...]) -> None:
    factors = factors_of(sizes)
    M, full = LowRank(factors), multiplied_out(factors)
    assert M.shape == full.shape and M.width == min(sizes) and M.sizes == sizes
    assert np.allclose(M.to_array(), full) and np.allclose(M.T.to_array(), full.T)
    assert np.allclose(M.row(1), full[1]) and np.allclose(M.row(-1), full[-1]) and np.allclose(M.column(0), full[:, 0])
    assert np.isclose(M.entry(1, 2), full[1, 2]) and np.isclose(M.norm(), np.linalg.norm(full))
    assert np.allclose(M.singular_values(), np.linalg.svd(full, compute_uv=False)[: M.width])
    U, s, Vt = M.svd()
    assert np.allclose(U * s @ Vt, full) and np.allclose(U.T @ U, np.eye(len(s))) and np.allclose(Vt @ Vt.T, np.eye(len(s)))
    x = np.random.default_rng(1).standard_normal((sizes[-1], 3))
    assert np.allclose(M.apply(x), full @ x) and np.allclose(M.apply(x[:, 0]), full @ x[:, 0])
    left, right = M.halves()
    assert left.shape == (sizes[0], M.width) and np.allclose(left @ right, full)


@pytest.mark.parametrize("sizes", [sizes for sizes in CHAINS if sizes[0] == sizes[-1]])
def test_eigenvalues_are_those_of_the_matrix(sizes: tuple[int, ...]) -> None:
    factors = factors_of(sizes, seed=3)
    M, full = LowRank(factors), multiplied_out(factors)
    padded = np.concatenate([M.eigenvalues(), np.zeros(sizes[0] - M.width)])
    assert same_numbers(padded, np.linalg.eigvals(full))
    assert np.isclose(M.trace(), np.trace(full)) and np.allclose(M.diagonal(), np.diag(full))
    assert np.isclose(M.trace(), M.eigenvalues().sum().real)
    assert np.isclose(M.positivity(), np.trace(full) / np.abs(np.linalg.eigvals(full)).sum())


@pytest.mark.parametrize("by", ["value", "lowest", "absolute"])
def test_largest_entries_are_those_of_the_matrix(by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    factors = factors_of((9, 2, 7))
    M, full = LowRank(factors), multiplied_out(factors)
    key = {"value": -full, "lowest": full, "absolute": -np.abs(full)}[by]
    expected = [(int(i), int(j)) for i, j in zip(*np.unravel_index(np.argsort(key, axis=None), full.shape), strict=True)]
    for block in (2**22, 20, 1):  # all rows together, a few, one
        monkeypatch.setattr(low_rank, "BLOCK", block)
        found = M.largest(6, by=by)
        assert [(x.row, x.column) for x in found] == expected[:6]
        assert np.allclose([x.value for x in found], [full[place] for place in expected[:6]])
    row, column = M.largest(3, row=4, by=by), M.largest(3, column=-1, by=by)
    assert [(x.row, x.column) for x in row] == [place for place in expected if place[0] == 4][:3]
    assert [(x.row, x.column) for x in column] == [place for place in expected if place[1] == 6][:3]
    assert np.isclose(M.largest(5, row=2, column=3, by=by)[0].value, full[2, 3])
    assert len(M.largest(1000)) == 63


def test_of_equal_entries_the_first_come_first() -> None:
    M = LowRank((np.ones((4, 1)), np.ones((1, 3))))
    assert [(x.row, x.column) for x in M.largest(5)] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]


def test_eigenvalues_are_in_one_order() -> None:
    found = by_size(np.array([1, -3, 2j, -2j, 2]))
    assert found.tolist() == [-3, 2, 2j, -2j, 1]
    assert positivity(np.array([2.0, 2.0])) == 1 and positivity(np.array([-2.0])) == -1 and np.isnan(positivity(np.zeros(2)))


@pytest.mark.parametrize("model", ["attn(2) bilinear", "attn(3)*2"])
def test_circuits_of_heads(model: str) -> None:
    weights = sc.Weights.random(model, d=6, e=3, V=9, m=5, seed=0)
    arrays = {letter: weights.arrays[f"attn.0.W_{letter}"][1] for letter in "QKVO"}
    W_E, W_U = weights.arrays["W_E"], weights.arrays["W_U"]
    W_OV, W_QK = arrays["O"] @ arrays["V"], arrays["Q"].T @ arrays["K"]
    assert np.allclose(ov_circuit(weights, 0, 1, full=False).to_array(), W_OV)
    assert np.allclose(qk_circuit(weights, 0, 1, full=False).to_array(), W_QK)
    assert np.allclose(ov_circuit(weights, 0, 1).to_array(), W_U @ W_OV @ W_E)
    assert np.allclose(qk_circuit(weights, 0, 1).to_array(), W_E.T @ W_QK @ W_E)
    assert ov_circuit(weights, 0, 1).width == qk_circuit(weights, 0, 1).width == 3


def test_full_circuits_are_what_a_head_does_to_tokens() -> None:
    """Scores and logits of a model with one head, by the reference forward pass."""
    weights = sc.Weights.random("attn(1, no residual)", d=6, e=3, V=5, seed=0)
    frozen = sc.freeze(weights, [4, 2])
    (pattern,) = frozen.patterns[0]
    columns = np.array([ov_circuit(weights, 0, 0).column(token) for token in (4, 2)])
    assert np.allclose(frozen.forward().output, pattern @ columns)
    QK = qk_circuit(weights, 0, 0)
    scores = np.array([QK.entry(2, key) for key in (4, 2)]) / np.sqrt(3)
    assert np.allclose(pattern[1], np.exp(scores) / np.exp(scores).sum())


def test_a_head_that_copies() -> None:
    arrays = {"W_E": np.eye(4), "W_U": np.eye(4), "attn.0.W_Q": np.eye(4)[None], "attn.0.W_K": -np.eye(4)[None]}
    weights = sc.Weights("attn(1)", arrays | {"attn.0.W_V": 2 * np.eye(4)[None], "attn.0.W_O": np.eye(4)[None]})
    assert ov_circuit(weights, 0, 0).positivity() == 1 and qk_circuit(weights, 0, 0).positivity() == -1
    assert [(x.row, x.column, x.value) for x in ov_circuit(weights, 0, 0).largest(2)] == [(0, 0, 2.0), (1, 1, 2.0)]


# laws


@settings(max_examples=30)
@given(st.lists(st.integers(1, 4), min_size=2, max_size=5), st.integers(0, 2**16))
def test_products_of_products(sizes: list[int], seed: int) -> None:
    factors = factors_of((3, *sizes, 3), seed)
    for cut in range(1, len(factors)):
        M = LowRank(factors[:cut]) @ LowRank(factors[cut:])
        assert M.factors == factors and np.isclose(M.norm(), np.linalg.norm(multiplied_out(factors)))
    assert np.allclose(M.T.singular_values(), M.singular_values())
    assert np.isclose(M.T.trace(), M.trace()) and -1 <= (0 if np.isnan(M.positivity()) else M.positivity()) <= 1 + 1e-12


def test_a_virtual_head_is_the_product_of_two() -> None:
    weights = sc.Weights.random("attn(2)*2", d=6, e=3, V=9, seed=0)
    later, earlier = ov_circuit(weights, 1, 0, full=False), ov_circuit(weights, 0, 1, full=False)
    assert (later @ earlier).width == 3
    assert np.allclose((later @ earlier).to_array(), later.to_array() @ earlier.to_array())


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_sizes_of_entries_do_not_matter(size: float) -> None:
    factors = factors_of((5, 2, 5))
    M, N = LowRank(factors), LowRank((factors[0] * size, factors[1]))
    assert np.isclose(M.positivity(), N.positivity()) and np.allclose(M.singular_values() * size, N.singular_values())


def test_tensors_and_half_precision() -> None:
    torch = pytest.importorskip("torch")
    factors = factors_of((5, 2, 5))
    M = LowRank(tuple(torch.tensor(factor) for factor in factors))
    assert np.allclose(M.to_array(), multiplied_out(factors))
    half = LowRank(tuple(factor.astype(np.float16) for factor in factors))
    assert half.to_array().dtype == np.float32 and np.allclose(half.to_array(), multiplied_out(factors), atol=0.02)
    assert LowRank((np.eye(2, dtype=int),)).eigenvalues().tolist() == [1, 1]


# errors


def test_factors_that_do_not_fit() -> None:
    assert LowRank((np.ones((2, 3)), np.ones((3, 2)))).shape == (2, 2)
    with pytest.raises(ShapeError, match="axis 1 of factor 0 has size 3, but axis 0 of factor 1 has size 2"):
        LowRank((np.ones((2, 3)), np.ones((2, 3))))
    with pytest.raises(ShapeError, match=r"factor 1 must be a matrix; got shape \(3,\)"):
        LowRank((np.ones((2, 3)), np.ones(3)))
    with pytest.raises(ShapeError, match=r"factor 0 must be a matrix; got shape \(0, 3\)"):
        LowRank((np.ones((0, 3)),))
    with pytest.raises(ShapeError, match="at least one factor"):
        LowRank(())
    with pytest.raises(WeightsError, match="real numbers; got dtype complex128"):
        LowRank((np.ones((2, 2), complex),))
    with pytest.raises(WeightsError, match="factor 0 has entries that are NaN"):
        LowRank((np.full((2, 2), np.nan),))
    with pytest.raises(ShapeError, match="axis 1 of factor 0 has size 3"):
        LowRank((np.ones((2, 3)),)) @ LowRank((np.ones((2, 3)),))
    with pytest.raises(TypeError):
        LowRank((np.ones((2, 3)),)) @ np.ones((3, 2))


def test_what_only_square_matrices_have() -> None:
    M = LowRank(factors_of((5, 2, 4)))
    assert (M @ LowRank(factors_of((4, 5)))).trace() is not None
    for ask in (M.eigenvalues, M.trace, M.diagonal, M.positivity):
        with pytest.raises(ShapeError, match="not square: <5 x 4"):
            ask()
    with pytest.raises(ShapeError, match=r"acts on arrays of shape \(4,\) or \(4, c\); got shape \(5,\)"):
        M.apply(np.ones(5))


def test_places_and_choices() -> None:
    M = LowRank(factors_of((5, 2, 4)))
    assert M.entry(-1, -1) == M.entry(4, 3)
    with pytest.raises(TermIndexError, match="rows 0 to 4; got 5"):
        M.row(5)
    with pytest.raises(TermIndexError, match="columns 0 to 3; got -5"):
        M.column(-5)
    with pytest.raises(TermIndexError, match=r"integers; got 1\.5"):
        M.entry(1.5, 0)
    with pytest.raises(TermIndexError, match="positive integer; got 0"):
        M.largest(0)
    with pytest.raises(NotationError, match="'value', 'lowest', 'absolute'; got 'best'"):
        M.largest(1, by="best")


def test_a_budget_for_the_matrix() -> None:
    M = LowRank((np.ones((10**5, 1)), np.ones((1, 10**5))))
    assert M.entry(3, 99_999) == 1 and LowRank(factors_of((5, 2, 4))).to_array(max_bytes=160).shape == (5, 4)
    with pytest.raises(BudgetError, match="80,000,000,000 bytes; the limit is 1,073,741,824"):
        M.to_array()
    with pytest.raises(BudgetError, match="160 bytes; the limit is 159"):
        LowRank(factors_of((5, 2, 4))).to_array(max_bytes=159)


def test_heads_that_are_not_there() -> None:
    weights = sc.Weights.random("attn(2) bilinear attn(1)", d=4, e=2, V=3, m=2, seed=0)
    assert ov_circuit(weights, 2, 0).name == "OV of attn.2[0]"
    for ask in (ov_circuit, qk_circuit):
        with pytest.raises(TermError, match=r"there is no block 3 in .*; its attention blocks are attn\.0, attn\.2"):
            ask(weights, 3, 0)
        with pytest.raises(TermError, match=r"block 1 of .* is bilinear\.1; its attention blocks are attn\.0, attn\.2"):
            ask(weights, 1, 0)
        with pytest.raises(TermError, match=r"attn\.0 of .* has heads 0 to 1; got 2"):
            ask(weights, 0, 2)
        with pytest.raises(TermError, match="has heads 0 to 1; got -1"):
            ask(weights, 0, -1)
    with pytest.raises(TermError, match="it has no attention blocks"):
        ov_circuit(sc.Weights.random("bilinear", seed=0), 0, 0)


def test_full_circuits_need_their_ends() -> None:
    blind = sc.Weights.random("[no embed] attn(1)", d=4, e=2, V=3, seed=0)
    assert qk_circuit(blind, 0, 0, full=False).shape == (4, 4)
    with pytest.raises(SpecError, match=r"a full QK circuit needs the embedding W_E, which .* lacks: give full=False"):
        qk_circuit(blind, 0, 0)
    mute = sc.Weights.random("[no unembed] attn(1)", d=4, e=2, V=3, seed=0)
    assert qk_circuit(mute, 0, 0).shape == (3, 3)
    with pytest.raises(SpecError, match="needs the unembedding W_U"):
        ov_circuit(mute, 0, 0)
    with pytest.raises(SpecError, match="needs the embedding W_E and the unembedding W_U"):
        ov_circuit(sc.Weights.random("[no embed, no unembed] attn(1)", d=4, e=2, seed=0), 0, 0)
