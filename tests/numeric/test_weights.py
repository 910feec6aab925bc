"""Weights: layout, validation that names what is wrong, files of both kinds, and what a bad file says."""

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, OutputError, SpecError, TokensError, WeightsError
from symbolic_circuits.numeric.weights import layout

MODEL = "attn(2) bilinear(tied) attn(1)|bilinear(no out)"


def weights(model: str = MODEL) -> sc.Weights:
    return sc.Weights.random(model, d=4, V=5, e=2, m=3, seed=0)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("", ["W_E", "W_U"]),
        ("[no embed, no unembed] bilinear", ["bilinear.0.W_1", "bilinear.0.W_2", "bilinear.0.W_out"]),
        ("[no embed, no unembed] bilinear(tied, no out)", ["bilinear.0.W_1"]),
        ("[no embed] attn(1)", ["attn.0.W_Q", "attn.0.W_K", "attn.0.W_V", "attn.0.W_O", "W_U"]),
    ],
)
def test_layout(model: str, names: list[str]) -> None:
    assert list(layout(sc.Transformer.parse(model))) == names


def test_sizes_are_read_off_the_arrays() -> None:
    found = {str(symbol): value for symbol, value in weights("attn(2) bilinear").sizes.items()}
    assert found == {"d": 4, "V": 5, "e": 2, "m": 3}


def test_symbolic_heads_are_read_off_the_arrays() -> None:
    two = weights("attn(2)")
    open_heads = sc.Weights(sc.Transformer.parse("attn(H)"), two.arrays)
    assert {str(symbol): value for symbol, value in open_heads.sizes.items()}["H"] == 2
    with pytest.raises(SpecError, match=r"the weights have H=2: use model.subs"):
        sc.freeze(open_heads, [1, 2])


def test_random_is_determined_by_its_seed() -> None:
    a, b, c = (sc.Weights.random("attn(2)", seed=seed).arrays["W_E"] for seed in (1, 1, 2))
    assert (a == b).all() and not (a == c).all()


@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_files_give_back_what_was_written(tmp_path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    for dtype in (np.float64, np.float32):
        written = weights().astype(dtype)
        written.save(path)
        read = sc.Weights.load(path)
        assert read.model == written.model
        assert all(
            (read.arrays[name] == array).all() and read.arrays[name].dtype == dtype for name, array in written.arrays.items()
        )
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_arrays_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        weights().arrays["W_E"][0, 0] = 1.0


def changed(**arrays: object) -> dict[str, object]:
    return {name: array for name, array in (dict(weights().arrays) | arrays).items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"W_E": None, "attn.0.W_Q": None}, r"missing W_E, attn.0.W_Q$"),
        ({"W_pos": np.zeros((3, 4))}, r"extra W_pos$"),
        ({"W_E": np.zeros((4, 5, 1))}, r"W_E must have shape \(d, V\); got shape \(4, 5, 1\)"),
        ({"W_U": np.zeros((5, 6))}, r"axis 1 of W_U has size 6, but d = 4 by axis 0 of W_E"),
        ({"attn.0.W_O": np.zeros((3, 4, 2))}, r"axis 0 of attn.0.W_O has size 3, but the model says 2"),
        ({"W_U": np.full((5, 4), np.nan)}, r"W_U has 20 entries that are NaN or infinite, the first at \(0, 0\)"),
        ({"W_U": np.full((5, 4), np.inf)}, r"W_U has 20 entries that are NaN or infinite"),
        ({"W_U": np.full((5, 4), "x")}, r"W_U must hold real numbers; got dtype <U1"),
        ({"W_U": np.full((5, 4), 1j)}, r"W_U must hold real numbers; got dtype complex128"),
    ],
)
def test_arrays_that_do_not_fit(arrays: dict, message: str) -> None:
    model = sc.Transformer.parse(MODEL)
    sc.Weights(model, changed())
    with pytest.raises(WeightsError, match=message):
        sc.Weights(model, changed(**arrays))


def test_files_that_cannot_be_read(tmp_path) -> None:
    good = tmp_path / "good.npz"
    weights().save(good)
    sc.Weights.load(good)
    (tmp_path / "cut.npz").write_bytes(good.read_bytes()[:-200])
    (tmp_path / "text.npz").write_text("not an archive")
    (tmp_path / "text.safetensors").write_text("not tensors")
    np.savez(tmp_path / "pickled.npz", W_E=np.array([{}], dtype=object))
    np.savez(tmp_path / "bare.npz", **weights().arrays)
    np.savez(tmp_path / "later.npz", model=np.array(MODEL), format=np.array("symbolic_circuits weights 9"), **weights().arrays)
    for name, message in [
        ("none.npz", "there is no weights file"),
        ("cut.npz", "truncated"),
        ("text.npz", "truncated"),
        ("text.safetensors", "truncated"),
        ("pickled.npz", "cannot be read"),
        ("bare.npz", "does not say which model it belongs to: give model="),
        ("later.npz", r"is of format 'symbolic_circuits weights 9'"),
        ("weights.pt", "never pickles"),
    ]:
        with pytest.raises(WeightsError, match=message):
            sc.Weights.load(tmp_path / name)
    assert sc.Weights.load(tmp_path / "bare.npz", model=MODEL).model == sc.Transformer.parse(MODEL)
    with pytest.raises(WeightsError, match=r"good.npz: the weights do not fit the model: missing bilinear.1.W_2"):
        sc.Weights.load(good, model="attn(2) bilinear attn(1)|bilinear(no out)")


def test_a_missing_folder_leaves_nothing(tmp_path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        weights().save(tmp_path / "none" / "w.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        ([1, 5], r"token 5 at position 1 is outside the vocabulary, range\(5\)"),
        ([-1], "token -1 at position 0"),
        ([], "a sequence of integers"),
        ([0.5], "a sequence of integers"),
        ([[1, 2]], "a sequence of integers"),
    ],
)
def test_tokens_that_do_not_fit(tokens: list, message: str) -> None:
    assert weights().source([1, 4]).tolist() == [1, 4]
    with pytest.raises(TokensError, match=message):
        weights().source(tokens)


def test_positions_and_residual_inputs_that_do_not_fit() -> None:
    fixed = sc.Weights.random("[n=3] attn(1)", seed=0)
    fixed.source([1, 2, 3])
    with pytest.raises(TokensError, match="the model has n=3 positions; got 2"):
        fixed.source([1, 2])
    bare = sc.Weights.random("[no embed] bilinear", d=4, seed=0)
    bare.source(np.zeros((2, 4)))
    with pytest.raises(TokensError, match=r"residual input of shape \(n, 4\); got shape \(2, 3\)"):
        bare.source(np.zeros((2, 3)))
    with pytest.raises(TokensError, match="NaN or infinite"):
        bare.source(np.full((2, 4), np.nan))


def test_weights_and_patterns_beyond_memory_are_refused_before_they_are_made():
    assert sc.Weights.random("attn(2)", seed=0).arrays["W_E"].shape == (16, 11)
    with pytest.raises(BudgetError, match=r"random weights of .* bytes; the limit is"):
        sc.Weights.random("[V=999999999] attn(2)", seed=0)
    weights = sc.Weights.random("attn(2)", seed=0)
    assert sc.freeze(weights, [1, 2]).positions == 2
    with pytest.raises(BudgetError, match="attention patterns of 2 heads at 50,000 positions"):
        sc.freeze(weights, [1] * 50_000)


def test_equal_weights_make_equal_files(tmp_path):
    weights = sc.Weights.random("attn(2) bilinear", seed=0)
    for name in ("weights.safetensors", "weights.npz"):
        contents = set()
        for _ in range(5):
            weights.save(tmp_path / name)
            contents.add((tmp_path / name).read_bytes())
        assert len(contents) == 1
        assert sc.Weights.load(tmp_path / name).model == weights.model
