"""PyTorch tensors in place of arrays: totals, streams, sums by grade and readouts against NumPy in float64, on every device there is."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import require
from strategies import frozen_models

import symbolic_circuits as sc
from symbolic_circuits.errors import MissingExtraError, SpecError, TokensError, WeightsError
from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.checking import PRIME
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded import graded
from symbolic_circuits.numeric.graded_streams import graded_streams
from symbolic_circuits.numeric.readout import readout
from symbolic_circuits.numeric.streams import Streams

GRADINGS = ["order", "height", "degree", "heads", "bilinears"]
MODELS = [
    "attn(2) bilinear",
    "attn(3) bilinear(tied) attn(2)",
    "bilinear(no residual) attn(2, no residual) bilinear(tied)",
    "((attn(2)|bilinear)[no residual])*2",
    "[no embed, no unembed] attn(2)|bilinear(no out)",
]


def devices() -> list[str]:
    """The CPU; CUDA where there is one."""
    try:
        import torch
    except ImportError:
        return ["cpu"]
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


@pytest.fixture(params=devices())
def device(request: pytest.FixtureRequest) -> str:
    require("torch")
    return request.param


def case(model: str, seed: int = 1) -> tuple[sc.PathExpansion, Frozen]:
    weights = sc.Weights.random(model, d=5, V=7, e=2, m=6, seed=seed)
    generator = np.random.default_rng(2)
    tokens = generator.integers(0, 7, 4) if weights.model.embedding else generator.standard_normal((4, 5))
    return sc.path_expansion(model), sc.freeze(weights, tokens)


def is_on(tensor: object, device: str) -> bool:
    import torch

    return isinstance(tensor, torch.Tensor) and tensor.device.type == device and tensor.dtype == torch.float64


def agree(tensor: object, array: np.ndarray) -> None:
    scale = max(1.0, float(np.abs(array).max(initial=0)))
    assert tuple(tensor.shape) == array.shape
    np.testing.assert_allclose(as_numpy(tensor), array, rtol=1e-12, atol=1e-12 * scale)


# tables


@pytest.mark.parametrize("model", MODELS)
def test_totals_and_streams(model: str, device: str) -> None:
    expansion, frozen = case(model)
    there = frozen.to_torch(device)
    assert there.is_torch and not frozen.is_torch and there.positions == frozen.positions
    for part in (expansion, expansion.where("attn.*[0]"), expansion.where("not bilinear"), expansion.where("order >= 99")):
        found = sc.total(part, there)
        assert is_on(found, device)
        agree(found, sc.total(part, frozen))
        agree(sc.interpret(part, Streams(there)), sc.interpret(part, Streams(frozen)))
    for mine, other in zip(there.forward().streams, frozen.forward().streams, strict=True):
        assert np.array_equal(mine, other)  # the reference is NumPy's


@pytest.mark.parametrize("by", GRADINGS)
@pytest.mark.parametrize("model", MODELS)
def test_sums_by_grade(model: str, by: str, device: str) -> None:
    expansion, frozen = case(model)
    there = frozen.to_torch(device)
    for part in (expansion, expansion.where("not attn.*[1]")):
        asked = {"by": by, "positions": [-1, 1], "targets": [3, 2] if frozen.model.unembedding else None}
        found, expected = graded(part, there, **asked), graded(part, frozen, **asked)
        assert (found.grades, found.terms, found.verdict) == (expected.grades, expected.terms, "agrees")
        for name in ("streams", "logits", "total"):
            if getattr(expected, name) is not None:
                assert is_on(getattr(found, name), device)
                agree(getattr(found, name), getattr(expected, name))
        for name in ("norms", "shares", "losses"):
            if getattr(expected, name) is not None:
                assert isinstance(getattr(found, name), np.ndarray)
                np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-11, atol=1e-12)
        assert found.remainder < 1e-13 and isinstance(found.cancellation, float)
        assert len(found.rows()) == len(found.to_dict()["rows"]) == len(found.grades) and found.tolerance > 0


# laws


@settings(max_examples=20)
@given(frozen_models(max_terms=None), st.sampled_from(GRADINGS), st.integers(0, 6))
def test_every_architecture(frozen: Frozen, by: str, up_to: int) -> None:
    require("torch")
    expansion, there = sc.path_expansion(frozen.model), frozen.to_torch()
    agree(sc.total(expansion, there), sc.total(expansion, frozen))
    for limit in (None, up_to):
        found, expected = (graded_streams(expansion, f, by, up_to=limit) for f in (there, frozen))
        assert (found.first, found.stop) == (expected.first, expected.stop)
        agree(found.array, expected.array)


# squares


def test_there_and_back(device: str) -> None:
    _, frozen = case("attn(2) bilinear")
    back = frozen.to_torch(device).to_numpy()
    assert back.arrays.keys() == frozen.arrays.keys() and np.array_equal(back.source, frozen.source)
    assert all(np.array_equal(back.arrays[name], array) for name, array in frozen.arrays.items())
    assert frozen.to_numpy() is frozen and frozen.to_torch(device).to_torch("cpu").is_torch
    values = sc.contributions(sc.path_expansion("attn(2) bilinear"), back, direction=2)
    assert np.array_equal(values, sc.contributions(sc.path_expansion("attn(2) bilinear"), frozen, direction=2))


def test_float32(device: str) -> None:
    require("torch")
    import torch

    expansion, frozen = case("attn(2) bilinear")
    single = frozen.to_torch(device, torch.float32)
    found = graded(expansion, single)
    assert found.streams.dtype == torch.float32 and found.verdict == "agrees" and 1e-8 < found.tolerance < 1e-2
    assert single.source.dtype == torch.int64 and sc.total(expansion, single).dtype == torch.float32
    np.testing.assert_allclose(as_numpy(found.streams), graded(expansion, frozen).streams, rtol=1e-4, atol=1e-5)


def test_weights_and_tokens_may_be_tensors(device: str) -> None:
    import torch

    weights = sc.Weights.random("attn(2) bilinear", d=5, V=7, e=2, m=6, seed=1)
    tensors = {name: torch.tensor(array, device=device, requires_grad=True) for name, array in weights.arrays.items()}
    made = sc.Weights(weights.model, tensors)
    assert all(np.array_equal(made.arrays[name], array) for name, array in weights.arrays.items())
    half = sc.Weights(weights.model, {name: tensor.bfloat16() for name, tensor in tensors.items()})
    assert half.arrays["W_E"].dtype == np.float32
    tokens = torch.tensor([3, 1, 4], device=device)
    assert np.array_equal(
        sc.total(sc.path_expansion(made.model), made, tokens), sc.total(sc.path_expansion(made.model), weights, [3, 1, 4])
    )


def test_a_gradient_passes_through_a_total(device: str) -> None:
    import torch

    expansion, frozen = case("attn(2) bilinear")
    there = frozen.to_torch(device)
    W = there.arrays["bilinear.1.W_1"].requires_grad_()
    (slope,) = torch.autograd.grad(sc.total(expansion, there)[-1, 3], W)
    step = 1e-6 * np.eye(6, 5, 2)
    moved = [
        Frozen(
            frozen.model,
            frozen.arrays | {"bilinear.1.W_1": frozen.arrays["bilinear.1.W_1"] + sign * step},
            frozen.patterns,
            frozen.source,
        )
        for sign in (1, -1)
    ]
    up, down = (sc.total(expansion, f)[-1, 3] for f in moved)
    assert np.isclose((as_numpy(slope) * step).sum(), (up - down) / 2, rtol=1e-6)


def test_readouts(device: str) -> None:
    expansion, frozen = case("attn(2) bilinear")
    there, direction = frozen.to_torch(device), np.arange(7.0)
    for asked in ({"token": 3}, {"token": 3, "against": 5, "position": 1}, {"direction": direction}):
        found, expected = readout(there, **asked), readout(frozen, **asked)
        assert (found.position, found.words) == (expected.position, expected.words)
        agree(found.on_stream(there), expected.on_stream(frozen))
        assert np.isclose(found.of(sc.total(expansion, there)), expected.of(sc.total(expansion, frozen)), rtol=1e-12)


def test_torch_is_not_imported_without_a_tensor() -> None:
    program = (
        "import sys; import symbolic_circuits as sc; from symbolic_circuits.numeric.graded import graded; "
        "w = sc.Weights.example(); e = sc.path_expansion(w.model); sc.total(e, w, [3, 4, 31]); graded(e, w, [3, 4, 31]); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


# errors


def test_residues_and_arrays_that_are_none(device: str) -> None:
    _, frozen = case("attn(2) bilinear")
    residues = Frozen(frozen.model, frozen.arrays, frozen.patterns, frozen.source, PRIME)
    assert frozen.to_torch(device).is_torch
    with pytest.raises(SpecError, match=f"residues modulo {PRIME}"):
        residues.to_torch(device)
    import torch

    there = frozen.to_torch(device)
    with pytest.raises(TokensError, match=r"shape \(7,\); got shape \(3,\)"):
        readout(there, direction=torch.ones(3))
    arrays = {name: torch.tensor(array) for name, array in frozen.arrays.items()}
    assert sc.Weights(frozen.model, arrays).arrays["W_E"].dtype == np.float64
    with pytest.raises(WeightsError, match="W_E must hold real numbers; got dtype complex128"):
        sc.Weights(frozen.model, arrays | {"W_E": arrays["W_E"].to(torch.complex128)})


def test_pytorch_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, frozen = case("attn(2) bilinear")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"tensors need PyTorch: pip install 'symbolic_circuits\[torch\]'"):
        frozen.to_torch()
