"""A format as a table of one's own: Llama with grouped queries against its module, and tables of any layout read and written back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from modules import Llama, random, torch

import symbolic_circuits as sc
from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.axes_pattern import AxesPattern
from symbolic_circuits.numeric.formats.export import export_weights
from symbolic_circuits.numeric.formats.load import load_weights
from symbolic_circuits.numeric.formats.weight_format import StoredArray, WeightFormat

LAYER = "model.layers.{l}."
LLAMA = WeightFormat(
    "llama",
    (
        StoredArray("W_E", "model.embed_tokens.weight", "V d -> d V"),
        StoredArray("attn.{attn}.W_Q", LAYER + "self_attn.q_proj.weight", "(H e) d -> H e d"),
        StoredArray("attn.{attn}.W_K", LAYER + "self_attn.k_proj.weight", "(H/r e) d -> H e d"),
        StoredArray("attn.{attn}.W_V", LAYER + "self_attn.v_proj.weight", "(H/r e) d -> H e d"),
        StoredArray("attn.{attn}.W_O", LAYER + "self_attn.o_proj.weight", "d (H e) -> H d e"),
        StoredArray("norm.{attn}.w", LAYER + "input_layernorm.weight", "d -> d"),
        StoredArray("norm.{mlp}.w", LAYER + "post_attention_layernorm.weight", "d -> d"),
        StoredArray("norm.{end}.w", "model.norm.weight", "d -> d"),
        StoredArray("bilinear.{mlp}.W_1", LAYER + "mlp.gate_proj.weight", "m d -> m d"),
        StoredArray("bilinear.{mlp}.W_2", LAYER + "mlp.up_proj.weight", "m d -> m d"),
        StoredArray("bilinear.{mlp}.W_out", LAYER + "mlp.down_proj.weight", "d m -> d m"),
        StoredArray("W_U", "model.embed_tokens.weight", "V d -> V d"),
    ),
    constants={"norm.eps": 1e-6, "rotary.inv_freq": 10000.0 ** (-np.arange(0, 4, 2) / 4)},
)
MODEL = "[rms_norm, gains, rotary] (attn(4, e=4) bilinear(silu))*2"


@pytest.mark.parametrize(
    ("text", "shape", "sizes", "parts", "expected"),
    [
        ("V d -> d V", (5, 4), {}, 1, ({"V": 5, "d": 4}, 1)),
        ("(H e) d -> H e d", (6, 4), {"H": 2}, 1, ({"H": 2, "e": 3, "d": 4}, 1)),
        ("(H e) d -> H e d", (18, 4), {"H": 2}, 3, ({"H": 2, "e": 3, "d": 4}, 1)),
        ("(H/r e) d -> H e d", (6, 4), {"H": 4, "e": 3}, 1, ({"H": 4, "e": 3, "d": 4}, 2)),
        ("H/r d e -> H e d", (4, 4, 3), {"H": 4}, 1, ({"H": 4, "e": 3, "d": 4}, 1)),
        ("", (), {}, 1, ({}, 1)),
    ],
)
def test_lengths(text: str, shape: tuple, sizes: dict, parts: int, expected: tuple) -> None:
    found, r = AxesPattern.parse(text).lengths(shape, sizes, parts, "w")
    assert ({letter: found[letter] for letter in sorted(found)}, r) == (
        {k: expected[0][k] for k in sorted(expected[0])},
        expected[1],
    )


def test_heads_are_rows_that_follow_each_other() -> None:
    stored = np.arange(24.0).reshape(6, 4)
    pattern = AxesPattern.parse("(H e) d -> H e d")
    assert (pattern.read(stored, {"H": 2, "e": 3, "d": 4}, 1)[1] == stored[3:]).all()
    columns = AxesPattern.parse("d (H e) -> H d e").read(stored.T, {"H": 2, "e": 3, "d": 4}, 1)
    assert (columns[1] == stored.T[:, 3:]).all()
    shared = AxesPattern.parse("(H/r e) d -> H e d").read(stored, {"H": 4, "e": 3, "d": 4}, 2)
    assert [int(head[0, 0]) for head in shared] == [0, 0, 12, 12]


@settings(max_examples=50, deadline=None)
@given(st.permutations("Hed"), st.permutations("Hed"), st.integers(0, 3), st.integers(1, 3))
def test_patterns_go_back(stored: list[str], ours: list[str], cut: int, r: int) -> None:
    groups = [" ".join(stored[:cut]), *stored[cut:]] if cut > 1 else stored
    text = " ".join(f"({group})" if " " in group else group for group in groups) + " -> " + " ".join(ours)
    pattern = AxesPattern.parse(text.replace("H", "H/r", 1))
    lengths = {"H": 2 * r, "e": 3, "d": 5}
    array = np.random.default_rng(0).standard_normal([2 if k == "H" else lengths[k] for k in ours]).repeat(r, ours.index("H"))
    back = pattern.write(array, r)
    assert (pattern.read(back, lengths, r) == array).all()
    assert pattern.lengths(back.shape, lengths, 1, "w") == (lengths, r)


@pytest.mark.parametrize("shared", [1, 2, 4])
@pytest.mark.filterwarnings("ignore:each head of model.layers.0.self_attn.k_proj.weight serves")
def test_llama(shared: int) -> None:
    module = random(Llama(shared=shared))
    weights = load_weights(module, format=LLAMA, model=MODEL)
    tokens = [3, 0, 12, 3, 7]
    with torch.no_grad():
        expected = module(torch.tensor(tokens)).numpy()
    frozen = sc.freeze(weights, tokens)
    size = np.abs(expected).max()
    assert np.abs(frozen.forward().output - expected).max() <= 1e-12 * size
    assert np.abs(sc.total(sc.path_expansion(weights.model), frozen) - expected).max() <= 1e-10 * size


def test_a_table_reads_what_it_wrote() -> None:
    weights = load_weights(random(Llama(shared=4)), format=LLAMA, model=MODEL)
    exported = export_weights(weights, LLAMA)
    module = random(Llama(shared=4))
    assert {key: array.shape for key, array in exported.arrays.items()} == {
        k: tuple(v.shape) for k, v in module.state_dict().items()
    }
    assert all((exported.arrays[key] == value.numpy()).all() for key, value in module.state_dict().items())
    assert not exported.config


def test_what_one_key_holds_must_agree() -> None:
    untied = sc.Weights.random("[rms_norm, gains, rotary] (attn(4, e=4) bilinear(silu))*2", seed=0)
    with pytest.raises(WeightsError, match=r"model.embed_tokens.weight is stored once for several arrays, which differ here"):
        export_weights(untied, LLAMA)
    tied = sc.Weights(untied.model, dict(untied.arrays) | {"W_U": untied.arrays["W_E"].T, "norm.eps": np.array(1e-6)})
    export_weights(tied, LLAMA)
    other = sc.Weights(untied.model, dict(tied.arrays) | {"norm.eps": np.array(1e-3)})
    with pytest.raises(WeightsError, match=r"norm.eps would be read as other numbers"):
        export_weights(other, LLAMA)
