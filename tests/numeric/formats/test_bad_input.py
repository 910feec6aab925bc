"""What each bad input is answered, beside a twin that loads: other architectures, missing settings, shapes, keys, layers, files."""

import json
from pathlib import Path

import numpy as np
import pytest
from modules import Decomposed, Image, Lens, Toy, random

import symbolic_circuits as sc
from symbolic_circuits.errors import NotationError, OutputError, SpecError, TokensError, WeightsError
from symbolic_circuits.numeric.formats.export import export_weights
from symbolic_circuits.numeric.formats.image import image_input
from symbolic_circuits.numeric.formats.load import load_weights
from symbolic_circuits.numeric.formats.weight_format import StoredArray, WeightFormat

H = "transformer.h."
PUBLISHED = {"n_head": 2, "attention_scale": 0.5, "normalization": True}
SETTINGS = {"act_fn": "silu", "eps": 1e-5}


def state(module: object) -> dict[str, np.ndarray]:
    return {key: value.numpy() for key, value in module.state_dict().items()}


def decomposed(**arguments: object) -> dict[str, np.ndarray]:
    return state(random(Decomposed(**arguments)))


def lens(**arguments: object) -> dict[str, np.ndarray]:
    return state(random(Lens(**arguments)))


def without(arrays: dict, *words: str) -> dict:
    return {key: array for key, array in arrays.items() if not any(word in key for word in words)}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            ["transformer.wte.weight", "transformer.h.0.attn.c_attn.weight"],
            r"h.0.attn.c_attn.weight is a key of GPT-2 of Hugging Face",
        ),
        (["gpt_neox.layers.0.attention.query_key_value.weight"], "a key of GPT-NeoX, Pythia"),
        (["model.layers.0.mlp.gate_proj.weight"], "a key of Llama.* Give format=WeightFormat"),
        (["encoder.layer.0.attention.self.query.weight"], "a key of BERT, an encoder"),
        (["a", "b", "c", "d", "e"], "its keys are a, b, c, d and 1 more"),
        ([], "it has no arrays"),
        (["embed.W_E"], r"transformer-lens: has embed.W_E; lacks blocks.\*.attn.W_Q"),
        (["left.weight", "head.weight"], "toy: has left.weight, head.weight; lacks right.weight"),
    ],
)
def test_other_architectures(keys: list[str], message: str) -> None:
    load_weights(state(random(Toy())))
    with pytest.raises(WeightsError, match=message):
        load_weights({key: np.ones((2, 2)) for key in keys})


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ("n_head", "no array says how many heads there are: give n_head="),
        (
            "attention_scale",
            r"multiplies the output of attention, 1/sqrt\(2 layers\) = 0.5 in published models.*: give attention_scale=",
        ),
        ("normalization", "no array says whether there are norms: give normalization="),
        (
            "config",
            r"whether positions are rotary, since transformer.h.0.attn.rotary.inv_freq is not there: give config=\{'rotary': True\}",
        ),
    ],
)
def test_settings_that_no_array_says(left_out: str, message: str) -> None:
    arrays, settings = without(decomposed(), "inv_freq"), PUBLISHED | {"config": {"rotary": True}}
    load_weights(arrays, **settings)
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays, **without(settings, left_out))


@pytest.mark.parametrize(
    ("arguments", "left_out", "message"),
    [
        ({}, "act_fn", r"the activation of the gate: give config=\{'act_fn': 'silu'\}"),
        ({}, "eps", "what eps the norms have: give config={'eps': 1e-5}"),
        ({"normalization_type": None}, "normalization_type", "whether there are norms: give normalization="),
        (
            {"positional_embedding_type": "none"},
            "positional_embedding_type",
            "how positions enter, since there is no W_pos: give config=",
        ),
    ],
)
def test_settings_of_transformer_lens_that_no_array_says(arguments: dict, left_out: str, message: str) -> None:
    arrays, settings = lens(**arguments), SETTINGS | arguments
    load_weights(arrays, config=settings)
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays, config=without(settings, left_out))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_head": 3}, "n_head=3 does not divide d=8"),
        ({"n_head": 4}, "n_head=4 heads have width e = 2, but transformer.h.0.attn.rotary.inv_freq has 2 frequencies, for e = 4"),
        ({"n_head": -1}, "n_head is a positive integer; got -1"),
        ({"n_head": True}, "n_head is a positive integer; got True"),
        ({"attention_scale": np.nan}, "attention_scale is a finite number; got nan"),
        ({"attention_scale": "1"}, "attention_scale is a finite number; got '1'"),
        ({"normalization": "LN"}, "normalization is one of 'rms', False for none; got 'LN'"),
        ({"config": {"gate": "tanh"}}, "gate is one of null, 'relu', 'silu', 'gelu'; got 'tanh'"),
        ({"config": {"bilinear": False}}, r"bilinear is false: x -> W_out act\(W x\) is neither bilinear nor gated"),
        ({"config": [1]}, "config is a mapping of names to settings"),
        (
            {"format": "gpt2"},
            "format is one of bilinear-decomposition, transformer-lens, image, toy, or a WeightFormat; got 'gpt2'",
        ),
        ({"format": "transformer-lens"}, "the keys speak for bilinear-decomposition, not for transformer-lens"),
        ({"model": "attn(2)"}, "model= is for a WeightFormat of your own"),
    ],
)
def test_settings_that_do_not_fit(settings: dict, message: str) -> None:
    arrays = decomposed()
    load_weights(arrays, **PUBLISHED)
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays, **PUBLISHED | settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_heads": 3}, "n_head=3, but blocks.0.attn.W_Q has 4 heads"),
        ({"act_fn": "solu_ln"}, "act_fn is one of 'identity', 'silu'.*; got 'solu_ln'"),
        ({"normalization_type": "BN"}, "normalization is one of 'LN', 'LNPre', 'RMS', 'RMSPre', False for none; got 'BN'"),
        ({"normalization_type": "LNPre"}, r"has blocks.0.ln1.w, .* which the format transformer-lens does not know"),
        ({"positional_embedding_type": "alibi"}, "is one of 'standard', 'shortformer', 'rotary', 'none'; got 'alibi'"),
        ({"attention_dir": "bidirectional"}, r"attention_dir is 'bidirectional' \(attention that looks ahead\)"),
        ({"attn_scores_soft_cap": 50.0}, "a soft cap of scores"),
        ({"attn_scale": 3.0}, r"attn_scale=3.0: scores are divided by sqrt\(e\) = 2.44949 here, or by 1; multiply W_Q"),
        ({"attention_scale": 0.5}, "attention_scale multiplies the output of attention, which TransformerLens does not"),
        ({"act_fn": {}}, "act_fn is one of .*; got {}"),
        ({"act_fn": None}, "act_fn is one of .*; got None"),
        ({"positional_embedding_type": [1]}, r"positional_embedding_type is one of .*; got \[1\]"),
        ({"use_attn_scale": 1}, "use_attn_scale is true or false; got 1"),
    ],
)
def test_settings_of_transformer_lens_that_do_not_fit(settings: dict, message: str) -> None:
    arrays = lens()
    load_weights(arrays, config=SETTINGS)
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays, config=SETTINGS | settings)


def test_rotary_settings_that_contradict_the_table() -> None:
    arrays = lens(positional_embedding_type="rotary", rotary_base=500)
    load_weights(arrays, config=SETTINGS | {"rotary_base": 500})
    for wrong in ({}, {"rotary_base": 500, "rotary_dim": 4}, {"rotary_base": 500, "rotary_adjacent_pairs": True}):
        with pytest.raises(WeightsError, match=r"blocks.0.attn.rotary_sin is not the table of the rotary settings: give config="):
            load_weights(arrays, config=SETTINGS | wrong)
    for wrong, message in (
        ({"rotary_dim": 8}, "rotary_dim=8 coordinates turn, but a head has e = 6"),
        ({"rotary_dim": 3}, "an even number"),
    ):
        with pytest.raises(WeightsError, match=message):
            load_weights(without(arrays, "rotary_"), config=SETTINGS | {"positional_embedding_type": "rotary"} | wrong)


def test_models_without_expansion() -> None:
    load_weights(lens(attn_only=True), config=SETTINGS)
    with pytest.raises(
        WeightsError, match=r"blocks.0.mlp.W_in has no blocks.0.mlp.W_gate: the MLP .* is neither bilinear nor gated"
    ):
        load_weights(lens(gated_mlp=False), config=SETTINGS)


@pytest.mark.parametrize(
    ("key", "shape", "message"),
    [
        ("transformer.wte.weight", (13,), r"transformer.wte.weight must have shape \(V, d\); got shape \(13,\)"),
        ("transformer.wte.weight", (0, 0), r"transformer.wte.weight must have shape \(V, d\); got shape \(0, 0\)"),
        ("transformer.wte.weight", (13, 9), "n_head=2 does not divide d=9"),
        (
            f"{H}1.attn.qkv.weight",
            (23, 8),
            r"axis 0 of transformer.h.1.attn.qkv.weight has size 23, not 3 · H · e = 3 · 2 · 4 = 24",
        ),
        (
            f"{H}0.attn.qkv.weight",
            (16, 8),
            r"has size 16, not 3 d = 24 \(or 5 d = 40 without softmax\); 1 key and value heads for 2 heads",
        ),
        (f"{H}0.attn.qkv.weight", (30, 8), r"has size 30, not 3 d = 24 \(or 5 d = 40 without softmax\)$"),
        (f"{H}1.attn.o.weight", (8, 6), r"axis 1 of transformer.h.1.attn.o.weight has size 6, not H · e = 2 · 4 = 8"),
        (f"{H}0.mlp.w.weight", (23, 8), r"axis 0 of transformer.h.0.mlp.w.weight has size 23, which is not 2 m"),
        (f"{H}1.mlp.w.weight", (22, 8), r"axis 0 of transformer.h.1.mlp.w.weight has size 22, not 2 · m = 2 · 12 = 24"),
        (f"{H}0.mlp.p.weight", (12, 8), r"axis 0 of transformer.h.0.mlp.p.weight has size 12, not d = 8"),
        ("lm_head.weight", (14, 8), "axis 0 of lm_head.weight has size 14, not V = 13"),
        ("lm_head.weight", (13, 8, 1), r"lm_head.weight must have shape \(V, d\); got shape \(13, 8, 1\)"),
    ],
)
def test_shapes_that_do_not_fit(key: str, shape: tuple[int, ...], message: str) -> None:
    arrays = decomposed()
    load_weights(arrays | {key: np.ones_like(arrays[key])}, **PUBLISHED)
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays | {key: np.ones(shape)}, **PUBLISHED)


@pytest.mark.parametrize(
    ("key", "shape", "message"),
    [
        ("blocks.1.attn.W_K", (3, 8, 6), "axis 0 of blocks.1.attn.W_K has size 3, not H = 4$"),
        ("blocks.1.attn.W_Q", (4, 6, 8), "axis 1 of blocks.1.attn.W_Q has size 6, not d = 8"),
        ("blocks.1.mlp.b_in", (9,), r"blocks.1.mlp.b_in has shape \(9,\), but blocks.1.mlp.W_out has shape \(10, 8\)"),
        ("unembed.W_U", (8, 12), "axis 1 of unembed.W_U has size 12, not V = 13"),
        ("ln_final.w", (9,), "axis 0 of ln_final.w has size 9, not d = 8"),
    ],
)
def test_shapes_of_transformer_lens_that_do_not_fit(key: str, shape: tuple[int, ...], message: str) -> None:
    arrays = lens()
    load_weights(arrays | {key: np.ones_like(arrays[key])}, config=SETTINGS)
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays | {key: np.ones(shape)}, config=SETTINGS)


@pytest.mark.filterwarnings("ignore:each head of")
def test_heads_that_no_group_shares() -> None:
    arrays = lens(n_key_value_heads=2)
    load_weights(arrays, config=SETTINGS)
    with pytest.raises(
        WeightsError,
        match=r"axis 0 of blocks.1.attn._W_K has size 3, not H = 4, nor a part of it \(as where several heads H share one\)",
    ):
        load_weights(arrays | {"blocks.1.attn._W_K": np.ones((3, 8, 6))}, config=SETTINGS)


def test_keys_that_are_missing_or_not_known() -> None:
    arrays = decomposed()
    load_weights(arrays, **PUBLISHED)
    with pytest.raises(WeightsError, match=r"lacks transformer.h.1.mlp.p.weight, which the format bilinear-decomposition has"):
        load_weights(without(arrays, "h.1.mlp.p"), **PUBLISHED)
    extra = arrays | {"head.bias": np.ones(3), f"{H}0.ln.weight": np.ones(3)}
    with pytest.raises(
        WeightsError, match=r"has head.bias, transformer.h.0.ln.weight, which the format .* left out by skip=\('head.bias',\)"
    ):
        load_weights(extra, **PUBLISHED)
    load_weights(extra, **PUBLISHED, skip=("head.bias", "*.ln.weight"))
    with pytest.raises(WeightsError, match=r"has layers 0, 2 \(transformer.h.\{l\}\); layer 1 is missing"):
        load_weights({key.replace("h.1.", "h.2."): array for key, array in arrays.items()}, **PUBLISHED)
    with pytest.raises(WeightsError, match=r"h.1.attn.rotary.inv_freq differs from transformer.h.0.attn.rotary.inv_freq"):
        load_weights(arrays | {f"{H}1.attn.rotary.inv_freq": np.array([1.0, 0.5])}, **PUBLISHED)


def test_biases_that_a_layer_lacks() -> None:
    arrays = lens(attn_only=True)
    load_weights(arrays, config=SETTINGS)
    with pytest.raises(WeightsError, match=r"lacks blocks.1.attn.b_Q"):
        load_weights(without(arrays, "blocks.1.attn.b_Q"), config=SETTINGS)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite(bad: float) -> None:
    arrays = decomposed()
    load_weights(arrays, **PUBLISHED)
    arrays[f"{H}1.mlp.w.weight"][3, 2] = bad
    message = r"bilinear.3.W_1 has 1 entries that are NaN or infinite, the first at \(3, 2\) \(bilinear.3.W_1 is read from transformer.h.1.mlp.w.weight\)"
    with pytest.raises(WeightsError, match=message):
        load_weights(arrays, **PUBLISHED)


def test_arrays_that_are_not_numbers() -> None:
    arrays = decomposed()
    with pytest.raises(WeightsError, match=r"lm_head.weight must hold real numbers; got dtype <U1"):
        load_weights(arrays | {"lm_head.weight": np.full((13, 8), "x")}, **PUBLISHED)
    with pytest.raises(WeightsError, match="arrays have names; got 3 of type int"):
        load_weights({3: np.ones(2)})
    with pytest.raises(WeightsError, match="a mapping of names to arrays, or a module; got int"):
        load_weights(3)


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "pytorch_model.bin", "model.ckpt"])
def test_pickles_are_never_read(tmp_path: Path, name: str) -> None:
    np.savez(tmp_path / "model.npz", **state(random(Toy())))
    load_weights(tmp_path / "model.npz")
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(WeightsError, match=r"may hold a pickle.* convert it once: safetensors.torch.save_file"):
        load_weights(tmp_path / name)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    save = pytest.importorskip("safetensors.numpy").save
    content = save(state(random(Toy())))
    (tmp_path / "good.safetensors").write_bytes(content)
    load_weights(tmp_path / "good.safetensors")
    (tmp_path / "cut.safetensors").write_bytes(content[:-8])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    header = json.dumps({"w": {"dtype": "F8_E4M3", "shape": [2], "data_offsets": [0, 2]}}).encode()
    (tmp_path / "eight.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"ab")
    for name, message in [
        ("none.safetensors", "there is no weights file"),
        ("cut.safetensors", "truncated, or of another format"),
        ("empty.safetensors", "truncated, or of another format"),
        ("eight.safetensors", r"holds types that are not read: w \(F8_E4M3\); use float64"),
        ("model.h5", "weights are .npz or .safetensors files"),
    ]:
        with pytest.raises(WeightsError, match=message):
            load_weights(tmp_path / name)


def test_configurations_that_cannot_be_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "model.npz", **decomposed())
    (tmp_path / "config.json").write_text('{"normalization": true, "scale_attn": true}')
    load_weights(tmp_path / "model.npz")
    for text, message in [
        ("{", "cannot be read as JSON"),
        ("[1]", "is a JSON object of settings; got list"),
        (" " * 2**21, "at most 1,048,576"),
    ]:
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(WeightsError, match=message):
            load_weights(tmp_path / "model.npz")
    (tmp_path / "config.json").write_text('{"normalization": true}')
    with pytest.raises(
        WeightsError, match=r"give attention_scale= \(there is none in the arguments or in config.json beside model.npz\)"
    ):
        load_weights(tmp_path / "model.npz")


def test_pictures_that_do_not_fit() -> None:
    arrays = state(random(Image()))
    assert image_input(arrays, np.ones((2, 7))).shape == (2, 5)
    with pytest.raises(TokensError, match=r"with 7 numbers each, the columns of embed.weight; got shape \(2, 6\)"):
        image_input(arrays, np.ones((2, 6)))
    with pytest.raises(WeightsError, match=r"right.weight has shape"):
        load_weights(state(random(Toy())) | {"right.weight": np.ones((5, 3))})


# ------------------------------------------------------------ export


@pytest.mark.parametrize(
    ("model", "format", "message"),
    [
        ("[layer_norm] attn(2, e=8) bilinear", "bilinear-decomposition", "it would be read as '.*rms_norm"),
        ("attn(2, e=4) bilinear", "bilinear-decomposition", "axis 0 of .*qkv.weight has size 24, not 3 d = 48"),
        ("attn(2, e=8) bilinear(b_1)", "bilinear-decomposition", "mlp.w.bias has 2 parts, but the model has no array for part 1"),
        (
            "attn(2, e=8) bilinear(tied)",
            "bilinear-decomposition",
            "mlp.w.weight has 2 parts, but the model has no array for part 1",
        ),
        ("attn(2, e=8, output_scale) attn(2, e=8)", "bilinear-decomposition", "one attention_scale for all layers"),
        ("attn(2) bilinear(no out)", "transformer-lens", "what was written has no blocks.0.mlp.W_out"),
        ("attn(2) bilinear(b_1)", "transformer-lens", "the format has no place for bilinear.1.b_1"),
        ("[rms_norm, post_norm] attn(2) bilinear", "transformer-lens", "it would be read as '.*rms_norm.*'"),
        ("attn(2, linear)", "transformer-lens", "it would be read as"),
        ("bilinear attn(2)", "transformer-lens", "it would be read as"),
        ("attn(2)", "image", "the format has no place for W_E"),
        ("[no embed, no unembed] bilinear", "toy", "it would be read as"),
        ("attn(2)", "gpt2", "format is one of"),
    ],
)
def test_models_that_a_format_cannot_hold(model: str, format: str, message: str) -> None:
    export_weights(sc.Weights.random("attn(2, e=8) bilinear", seed=0), "bilinear-decomposition")
    with pytest.raises(WeightsError, match=message):
        export_weights(sc.Weights.random(model, seed=0), format)


def test_heads_that_differ_cannot_share(tmp_path: Path) -> None:
    weights = sc.Weights.random("attn(4)", seed=0)
    export_weights(weights, "transformer-lens")
    with pytest.raises(WeightsError, match="4 heads are not groups of 2 equal ones"):
        export_weights(weights, "transformer-lens", config={"n_key_value_heads": 2})
    with pytest.raises(WeightsError, match="n_key_value_heads divides the number of heads, 4; got 3"):
        export_weights(weights, "transformer-lens", config={"n_key_value_heads": 3})


def test_files_that_are_there_are_kept(tmp_path: Path) -> None:
    exported = export_weights(sc.Weights.random("attn(4)", seed=0), "transformer-lens")
    exported.save(tmp_path / "model.npz")
    with pytest.raises(OutputError, match="exists"):
        exported.save(tmp_path / "model.npz")
    with pytest.raises(OutputError, match=r"config.json exists"):
        exported.save(tmp_path / "other.npz")
    exported.save(tmp_path / "model.npz", force=True)
    with pytest.raises(NotationError, match="ends in none of"):
        exported.save(tmp_path / "model.pt")


# ------------------------------------------------------------ formats of one's own


def test_tables_that_say_nothing() -> None:
    StoredArray("attn.{attn}.W_Q", "h.{l}.q", "(H e) d -> H e d", (0, 2))
    for arguments, message in [
        (("attn.{l}.W_Q", "h.{l}.q", "(H e) d -> H e d"), "a name of ours has at most one of the fields {attn}, {mlp}, {end}"),
        (("attn.{attn}.W_Q", "h.{attn}.q", "(H e) d -> H e d"), "a key has at most one of the fields {l}"),
        (("W_E", "w", "V d -> d"), "each letter once on both sides"),
        (("W_E", "w", "V d"), "axes are written as"),
        (("W_E", "w", "V d - d V"), "axes are written as"),
        (("W_E", "w", "(V d -> d V"), "axes are written as"),
        (("W_E", "w", "V/r d/r -> d V"), "at most one as 'H/r'"),
        (("W_E", "w", "V d -> d V", (2, 2)), r"part \(k, of\) of w"),
        (("norm.eps", "w", "", (0, 2)), r"part \(k, of\) of w"),
    ]:
        with pytest.raises(SpecError, match=message):
            StoredArray(*arguments)


def test_tables_that_do_not_fit() -> None:
    arrays = {"e": np.ones((5, 4)), "u": np.ones((5, 4))}
    lines = (StoredArray("W_E", "e", "V d -> d V"), StoredArray("W_U", "u", "V d -> V d"))
    load_weights(arrays, format=WeightFormat("mine", lines), model="")
    for table, model, given, message in [
        (lines, None, {}, "the format 'mine' is a table: give model="),
        (lines, "", {"n_head": 2}, "give model=, and numbers that no key has as its constants, not n_head"),
        (lines[:1], "", {}, "the format mine says nothing of W_U, which '' has"),
        ((lines[0], StoredArray("W_U", "u", "(V d) -> V d")), "", {}, r"u must have shape \(V d\); got shape \(5, 4\)"),
        ((lines[0], StoredArray("W_U", "u", "a b -> b a")), "", {}, "axis 0 of u has size 5, not a = 4"),
        (
            (lines[0], StoredArray("W_U", "u", "a b c -> a b c")),
            "",
            {},
            r"W_U has axes \(V, d\), but its format says \(a, b, c\)",
        ),
    ]:
        with pytest.raises(WeightsError, match=message):
            load_weights(arrays, format=WeightFormat("mine", table), model=model, **given)
    with pytest.raises(WeightsError, match="axis 0 of q has size 8 = H · e: give one of H, e in the model"):
        own = WeightFormat(
            "mine",
            (*lines, StoredArray("attn.{attn}.W_Q", "q", "(H e) d -> H e d")),
            constants={"attn.{attn}.W_K": 0, "attn.{attn}.W_V": 0, "attn.{attn}.W_O": 0},
        )
        load_weights(arrays | {"q": np.ones((8, 4))}, format=own, model="attn(H)")
