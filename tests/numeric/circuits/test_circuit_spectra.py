"""Eigenvalues and singular values of all heads against circuits multiplied out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError, SpecError, TermError
from symbolic_circuits.numeric.circuits import spectra as module
from symbolic_circuits.numeric.circuits.ov_qk import ov_circuit, qk_circuit
from symbolic_circuits.numeric.circuits.spectra import circuit_spectra

CIRCUITS = {"OV": ov_circuit, "QK": qk_circuit}


def power_sums(numbers: np.ndarray) -> np.ndarray:
    """Sums of the first powers: they know numbers up to order and zeros."""
    return np.array([(numbers**k).sum().real for k in range(1, 6)])


# tables


@pytest.mark.parametrize("rows", [4096, 5, 1])
@pytest.mark.parametrize("full", [True, False])
@pytest.mark.parametrize("circuit", CIRCUITS)
@pytest.mark.parametrize("model", ["attn(2) bilinear attn(3, e=2)", "attn(2, e=6)|bilinear", "[V=3] attn(2)"])
def test_spectra_are_those_of_the_circuits_multiplied_out(
    model: str, circuit: str, full: bool, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ROWS", rows)
    weights = sc.Weights.random(model, d=5, e=3, V=11, m=4, seed=1)
    found = circuit_spectra(weights, circuit, full=full)
    assert len(found.heads) == len(found.eigenvalues) == len(found.singular_values)
    for k, name in enumerate(found.heads):
        layer, head = int(name[5]), int(name[7])
        matrix = CIRCUITS[circuit](weights, layer, head, full=full)
        M = matrix.to_array()
        assert np.allclose(power_sums(found.eigenvalues[k]), power_sums(np.linalg.eigvals(M)))
        size = min(len(M), len(found.singular_values[k]))
        assert np.allclose(found.singular_values[k][:size], np.linalg.svd(M, compute_uv=False)[:size], atol=1e-12)
        assert np.isclose(found.norms[k], np.linalg.norm(M)) and np.isclose(found.traces[k], np.trace(M))
        assert np.isclose(found.positivity[k], matrix.positivity())
        assert np.isclose(found.effective_ranks[k], np.linalg.norm(M, "nuc") ** 2 / np.linalg.norm(M) ** 2)


def test_rows_and_plain_data() -> None:
    weights = sc.Weights.random("attn(2)", d=5, e=2, V=7, seed=0)
    found = circuit_spectra(weights, "QK")
    assert [row["head"] for row in found.rows()] == ["attn.0[0]", "attn.0[1]"]
    assert list(found.rows()[0]) == ["head", "positivity", "trace", "norm", "effective_rank"]
    data = found.to_dict()
    assert data["circuit"] == "QK" and data["full"] and len(data["eigenvalues"][0]) == 2 == len(data["eigenvalues"][0][0])


def test_a_head_of_zeros_has_no_scores() -> None:
    weights = sc.Weights.random("attn(2)", d=5, e=2, V=7, seed=0)
    arrays = dict(weights.arrays) | {"attn.0.W_V": weights.arrays["attn.0.W_V"] * np.array([0, 1])[:, None, None]}
    found = circuit_spectra(sc.Weights(weights.model, arrays))
    assert np.isnan(found.positivity[0]) and np.isnan(found.effective_ranks[0]) and found.norms[0] == 0
    assert np.isfinite(found.positivity[1])


# laws


@settings(max_examples=20)
@given(st.integers(0, 2**16))
def test_a_basis_inside_the_heads_does_not_matter(seed: int) -> None:
    weights = sc.Weights.random("attn(2)", d=5, e=2, V=7, seed=seed)
    N = np.random.default_rng(seed).standard_normal((2, 2, 2)) + 3 * np.eye(2)
    turned = dict(weights.arrays)
    turned["attn.0.W_V"] = N @ turned["attn.0.W_V"]
    turned["attn.0.W_O"] = turned["attn.0.W_O"] @ np.linalg.inv(N)
    turned["attn.0.W_K"] = N @ turned["attn.0.W_K"]
    turned["attn.0.W_Q"] = np.linalg.inv(N).transpose(0, 2, 1) @ turned["attn.0.W_Q"]
    for circuit in CIRCUITS:
        before, after = circuit_spectra(weights, circuit), circuit_spectra(sc.Weights(weights.model, turned), circuit)
        for k in range(2):
            assert np.allclose(before.singular_values[k], after.singular_values[k], rtol=1e-7)
            assert np.allclose(power_sums(before.eigenvalues[k]), power_sums(after.eigenvalues[k]), rtol=1e-6, atol=1e-7)


def test_single_precision_is_taken_to_double() -> None:
    weights = sc.Weights.random("attn(2)", d=5, e=2, V=7, seed=0).astype(np.float32)
    exact = sc.Weights(weights.model, {name: array.astype(np.float64) for name, array in weights.arrays.items()})
    for circuit in CIRCUITS:
        found, expected = circuit_spectra(weights, circuit), circuit_spectra(exact, circuit)
        assert found.eigenvalues[0].dtype == complex and np.allclose(found.eigenvalues[1], expected.eigenvalues[1], rtol=1e-12)


# errors


def test_what_there_is_no_spectrum_of() -> None:
    mute = sc.Weights.random("[no unembed] attn(1)", d=4, e=2, V=3, seed=0)
    assert circuit_spectra(mute, "QK").heads == circuit_spectra(mute, full=False).heads == ("attn.0[0]",)
    with pytest.raises(SpecError, match=r"a full OV circuit needs the unembedding W_U, which .* lacks: give full=False"):
        circuit_spectra(mute)
    with pytest.raises(NotationError, match="the circuits 'OV' and 'QK'; got 'KQ'"):
        circuit_spectra(mute, "KQ")
    with pytest.raises(TermError, match="has no heads, so it has no OV circuits"):
        circuit_spectra(sc.Weights.random("bilinear", seed=0))
