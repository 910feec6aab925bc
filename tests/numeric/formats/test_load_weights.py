"""Loaders against PyTorch modules written from the published descriptions: logits, sums of all terms, files, and exports that read back."""

import json
import warnings

import numpy as np
import pytest
from modules import LENS, Decomposed, Image, Lens, Toy, random, torch

import symbolic_circuits as sc
from symbolic_circuits.numeric.formats.export import export_weights
from symbolic_circuits.numeric.formats.image import image_input
from symbolic_circuits.numeric.formats.load import load_weights

TOKENS = [3, 0, 12, 3, 7]

DECOMPOSED = {  # module arguments -> the model that is read
    "published": ({}, "[d=8, V=13, rms_norm, rotary] (attn(2, e=4, output_scale) bilinear(m=12))*2"),
    "no norm": ({"norm": False}, "[d=8, V=13, rotary] (attn(2, e=4, output_scale) bilinear(m=12))*2"),
    "no scale": ({"scale_attn": False}, "[d=8, V=13, rms_norm, rotary] (attn(2, e=4) bilinear(m=12))*2"),
    "no softmax": (
        {"softmax": False, "layers": 1},
        "[d=8, V=13, rms_norm, rotary] attn(2, e=4, bilinear, output_scale) bilinear(m=12)",
    ),
    "polynomial": ({"softmax": False, "norm": False, "layers": 1, "qkv_bias": True, "bias": True}, None),
    "biases": ({"bias": True, "qkv_bias": True}, None),
    "bias of the layer": (
        {"bias": True},
        "[d=8, V=13, rms_norm, rotary] (attn(2, e=4, output_scale) bilinear(m=12, b_1, b_2, b_out))*2",
    ),
    "older files": ({"older": True}, "[d=8, V=13, rms_norm, rotary] (attn(2, e=4, output_scale) bilinear(m=12))*2"),
    "SwiGLU": ({"gate": "silu", "bias": True}, None),
    "ReGLU": ({"gate": "relu"}, None),
    "GEGLU": ({"gate": "gelu", "heads": 4}, None),
    "three layers": ({"layers": 3, "heads": 1, "norm": False}, None),
}

TRANSFORMER_LENS = {
    "LN": ({}, None),
    "LNPre": ({"normalization_type": "LNPre"}, None),
    "RMS": ({"normalization_type": "RMS"}, None),
    "RMSPre": ({"normalization_type": "RMSPre"}, None),
    "no norm": ({"normalization_type": None}, None),
    "attention only": ({"attn_only": True}, "[d=8, V=13, layer_norm, gains, learned, b_U] (attn(4, e=6, bias))*2"),
    "bilinear": ({"act_fn": "identity", "normalization_type": "RMS"}, None),
    "no scale of scores": ({"use_attn_scale": False, "attn_only": True, "normalization_type": "RMSPre"}, None),
    "shortformer": ({"positional_embedding_type": "shortformer"}, None),
    "shortformer, no norm": ({"positional_embedding_type": "shortformer", "normalization_type": None, "attn_only": True}, None),
    "rotary": ({"positional_embedding_type": "rotary"}, None),
    "partly rotary": ({"positional_embedding_type": "rotary", "rotary_dim": 4, "rotary_base": 500}, None),
    "rotary neighbours": ({"positional_embedding_type": "rotary", "rotary_dim": 4, "rotary_adjacent_pairs": True}, None),
    "no positions": ({"positional_embedding_type": "none", "act_fn": "relu"}, None),
    "parallel": ({"parallel_attn_mlp": True, "act_fn": "gelu"}, None),
    "GEGLU": ({"act_fn": "gelu_new", "normalization_type": "RMSPre"}, None),
    "grouped queries": ({"n_key_value_heads": 2, "positional_embedding_type": "rotary"}, None),
    "one key head": ({"n_key_value_heads": 1, "attn_only": True}, None),
}


def decomposed(arguments: dict) -> tuple[Decomposed, dict]:
    """A module, and what a user says of it."""
    module = random(Decomposed(**arguments))
    settings = {
        "n_head": arguments.get("heads", 2),
        "attention_scale": module.scale,
        "normalization": arguments.get("norm", True),
        "config": {"gate": arguments.get("gate")},
    }
    return module, settings


def lens(arguments: dict) -> tuple[Lens, dict]:
    """A module, and what a user says of it."""
    module = random(Lens(**arguments))
    names = (
        "act_fn",
        "normalization_type",
        "eps",
        "use_attn_scale",
        "positional_embedding_type",
        "rotary_base",
        "rotary_adjacent_pairs",
    )
    cfg = {name: module.cfg[name] for name in (*names, "parallel_attn_mlp")}
    return module, {"config": cfg}


def agree(module: object, weights: sc.Weights, tokens: object = TOKENS, outputs: int | None = None) -> None:
    """Logits to 1e-12 and the sum of all terms to 1e-10, both relative to the largest logit."""
    with torch.no_grad():
        expected = module(torch.as_tensor(tokens)).numpy()
    frozen = sc.freeze(weights, tokens if weights.model.embedding else module_input(module, tokens))
    found = frozen.forward().output[:, :outputs]
    total = sc.total(sc.path_expansion(weights.model), frozen)[:, :outputs]
    size = np.abs(expected).max()
    assert np.abs(found - expected).max() <= 1e-12 * size
    assert np.abs(total - expected).max() <= 1e-10 * size


def module_input(module: object, x: np.ndarray) -> np.ndarray:
    """What the model reads for the input of a module."""
    if isinstance(module, Image):
        return image_input(module, x)
    width = max(module.left.in_features, module.head.out_features)
    return np.pad(x, [(0, 0), (0, width - x.shape[1])])


def quiet(source: object, **settings: object) -> sc.Weights:
    """Weights, with warnings that are not of repeated heads as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*serves .* query heads", category=UserWarning)
        return load_weights(source, **settings)


@pytest.mark.parametrize("variant", DECOMPOSED)
def test_bilinear_decomposition(variant: str) -> None:
    arguments, model = DECOMPOSED[variant]
    module, settings = decomposed(arguments)
    weights = quiet(module, **settings)
    assert model is None or weights.model == sc.Transformer.parse(model)
    agree(module, weights)


@pytest.mark.parametrize("variant", TRANSFORMER_LENS)
def test_transformer_lens(variant: str) -> None:
    arguments, model = TRANSFORMER_LENS[variant]
    module, settings = lens(arguments)
    weights = quiet(module, **settings)
    assert model is None or weights.model == sc.Transformer.parse(model)
    agree(module, weights)


@pytest.mark.parametrize("arguments", [{}, {"bias": True}, {"residual": True}, {"bias": True, "layers": 1, "residual": True}])
def test_image(arguments: dict) -> None:
    module = random(Image(**arguments))
    weights = quiet(module, config={"residual": arguments.get("residual", False)})
    agree(module, weights, np.random.default_rng(0).standard_normal((4, 7)))


@pytest.mark.parametrize("arguments", [{}, {"bias": True}, {"d_in": 6, "d_out": 4}, {"d_in": 6, "bias": True}])
def test_toy(arguments: dict) -> None:
    module = random(Toy(**arguments))
    weights = quiet(module)
    agree(module, weights, np.random.default_rng(0).standard_normal((4, module.left.in_features)), module.head.out_features)


def test_wrong_settings_make_another_model() -> None:
    """The settings are read: each of them changed alone changes the logits."""
    module, settings = decomposed({"heads": 2})
    assert quiet(module, **settings | {"n_head": None}).model == quiet(module, **settings).model  # as many as the frequencies say
    right = sc.freeze(quiet(module, **settings), TOKENS).forward().output
    for wrong in ({"attention_scale": 1.0}, {"normalization": False}, {"config": {"gate": "silu"}}):
        other = sc.freeze(quiet(module, **settings | wrong), TOKENS).forward().output
        assert np.abs(other - right).max() > 1e-3


def test_zero_biases_are_left_out() -> None:
    module, settings = lens({})
    with torch.no_grad():
        for block in module.blocks:
            for name in ("b_Q", "b_K", "b_V"):
                getattr(block.attn, name).zero_()
            block.mlp.b_in.zero_()
            block.mlp.b_out.zero_()
        module.unembed.b_U.zero_()
    weights = quiet(module, **settings)
    assert str(weights.model) == "[d=8, V=13, layer_norm, gains, learned] (attn(4, e=6, b_O) bilinear(m=10, silu))*2"
    agree(module, weights)


SOURCES = {
    "module": lambda module, folder: module,
    "state dict": lambda module, folder: module.state_dict(),
    "arrays": lambda module, folder: {key: value.numpy() for key, value in module.state_dict().items()},
    "compiled": lambda module, folder: {f"_orig_mod.{key}": value for key, value in module.state_dict().items()},
    "safetensors": lambda module, folder: written(module, folder / "model.safetensors"),
    "npz": lambda module, folder: written(module, folder / "model.npz"),
}


def written(module: object, path) -> str:
    arrays = {key: value.numpy() for key, value in module.state_dict().items()}
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        pytest.importorskip("safetensors")
        from safetensors.numpy import save_file

        save_file(arrays, path)
    return str(path)


@pytest.mark.parametrize("source", SOURCES)
def test_sources_hold_the_same(source: str, tmp_path) -> None:
    module, settings = lens({"positional_embedding_type": "rotary"})
    expected = quiet(module, **settings)
    found = quiet(SOURCES[source](module, tmp_path), **settings)
    assert found.model == expected.model
    assert all((found.arrays[name] == array).all() for name, array in expected.arrays.items())
    assert all(not array.flags.writeable for array in found.arrays.values())


def test_settings_beside_the_file(tmp_path) -> None:
    module, settings = decomposed({})
    path = written(module, tmp_path / "model.npz")
    config = {"n_head": 2, "normalization": True, "scale_attn": True, "gate": None, "architectures": ["Transformer"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    expected = quiet(module, **settings)
    assert quiet(path).model == expected.model
    assert quiet(path).arrays["attn.0.scale"] == expected.arrays["attn.0.scale"] == 0.5
    assert quiet(path, attention_scale=0.25).arrays["attn.2.scale"] == 0.25
    assert quiet(path, config={"scale_attn": False}).model == quiet(module, **settings | {"attention_scale": 1.0}).model


def test_files_of_ours_load_too(tmp_path) -> None:
    weights = sc.Weights.random("[rms_norm] attn(2, bias)", seed=0)
    for name in ("ours.npz", "ours.safetensors"):
        weights.save(tmp_path / name)
        assert load_weights(tmp_path / name).model == weights.model


def test_labels_of_other_programs_are_not_ours(tmp_path) -> None:
    save_file = pytest.importorskip("safetensors.numpy").save_file
    arrays = {key: value.numpy() for key, value in random(Toy()).state_dict().items()}
    save_file(arrays, tmp_path / "toy.safetensors", metadata={"format": "pt", "model": "toy"})
    assert load_weights(tmp_path / "toy.safetensors").model == load_weights(arrays).model


# ------------------------------------------------------------ export


def same_arrays(exported: object, module: object, allowed: tuple[str, ...] = ()) -> None:
    """Every array of the export is that of the module, and the other way round but for buffers."""
    state = {key: value.numpy() for key, value in module.state_dict().items()}
    assert set(exported.arrays) <= set(state)
    assert {key for key in state if key not in exported.arrays} <= {
        key for key in state if "mask" in key or "IGNORE" in key or "rotary_" in key
    }
    assert [key for key, array in exported.arrays.items() if not (array == state[key]).all() and not key.endswith(allowed)] == []


@pytest.mark.parametrize("variant", [name for name in DECOMPOSED if name != "older files"])
def test_bilinear_decomposition_goes_back(variant: str, tmp_path) -> None:
    module, settings = decomposed(DECOMPOSED[variant][0])
    weights = quiet(module, **settings)
    exported = export_weights(weights, "bilinear-decomposition")
    same_arrays(exported, module)
    exported.save(tmp_path / "model.npz")
    again = quiet(tmp_path / "model.npz")
    assert again.model == weights.model and all((again.arrays[name] == array).all() for name, array in weights.arrays.items())


@pytest.mark.parametrize("variant", TRANSFORMER_LENS)
def test_transformer_lens_goes_back(variant: str, tmp_path) -> None:
    module, settings = lens(TRANSFORMER_LENS[variant][0])
    weights = quiet(module, **settings)
    exported = export_weights(
        weights,
        "transformer-lens",
        config={name: module.cfg[name] for name in ("n_key_value_heads", "rotary_adjacent_pairs")},
    )
    same_arrays(exported, module, allowed=("b_in", "mlp.b_out"))
    assert {name for name, value in exported.config.items() if module.cfg.get(name, value) != value} <= {"gated_mlp"}
    exported.save(tmp_path / "model.npz")
    again = quiet(tmp_path / "model.npz")
    assert again.model == weights.model
    assert all(np.allclose(again.arrays[name], array, rtol=1e-14, atol=0) for name, array in weights.arrays.items())


def test_zeros_have_the_shapes_of_the_module() -> None:
    module = random(Lens(n_key_value_heads=2))
    plain = sc.Weights.random("[layer_norm, gains, learned] (attn(4, e=6) bilinear(m=10, silu))*2", d=8, V=13, n_ctx=9, seed=0)
    arrays = dict(plain.arrays) | {name: a[[0, 0, 2, 2]] for name, a in plain.arrays.items() if name.endswith(("W_K", "W_V"))}
    exported = export_weights(sc.Weights(plain.model, arrays), "transformer-lens", config={"n_key_value_heads": 2})
    shapes = {key: tuple(value.shape) for key, value in module.state_dict().items() if "mask" not in key and "IGNORE" not in key}
    assert {key: array.shape for key, array in exported.arrays.items()} == shapes


def test_image_and_toy_go_back(tmp_path) -> None:
    module = random(Image(bias=True))
    exported = export_weights(quiet(module), "image", extra={"embed.weight": module.embed.weight.detach().numpy()})
    same_arrays(exported, module)
    module = random(Toy(bias=True))
    exported = export_weights(quiet(module), "toy", config={"n_inputs": 4, "n_outputs": 6})
    same_arrays(exported, module)


def test_half_precision_is_read_exactly(tmp_path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")
    module, settings = lens({"act_fn": "identity"})
    for dtype, name in ((torch.float16, "float16"), (torch.bfloat16, "bfloat16")):
        state = {key: value.to(dtype) if value.is_floating_point() else value for key, value in module.state_dict().items()}
        safetensors.save_file(state, tmp_path / f"{name}.safetensors")
        for source in (state, tmp_path / f"{name}.safetensors"):
            with pytest.warns(UserWarning, match=rf"embed.W_E, .* and \d+ more of .* are {name}, read as float32"):
                weights = load_weights(source, **settings)
            assert weights.arrays["W_E"].dtype == np.float32
            assert (weights.arrays["W_E"] == state["embed.W_E"].float().numpy().T).all()
    quiet(module, **settings)


def test_tied_embeddings_are_said() -> None:
    module, settings = decomposed({})
    state = module.state_dict()
    del state["lm_head.weight"]
    with pytest.warns(UserWarning, match=r"has no lm_head.weight: embeddings are tied, W_U is taken as W_E\^T"):
        weights = load_weights(state, **settings)
    assert (weights.arrays["W_U"] == weights.arrays["W_E"].T).all()
    module, settings = lens({})
    state = module.state_dict()
    del state["unembed.W_U"]
    with pytest.warns(UserWarning, match="has no unembed.W_U: embeddings are tied"):
        weights = load_weights(state, **settings)
    assert (weights.arrays["W_U"] == weights.arrays["W_E"].T).all()


def test_repeated_heads_are_said() -> None:
    module, settings = lens({"n_key_value_heads": 2})
    with pytest.warns(UserWarning, match="each head of blocks.0.attn._W_K serves 2 query heads"):
        weights = load_weights(module, **settings)
    W_K = weights.arrays["attn.0.W_K"]
    assert (W_K[0] == W_K[1]).all() and (W_K[2] == W_K[3]).all() and not (W_K[1] == W_K[2]).all()


def test_lens_settings_are_the_ones_that_the_module_uses() -> None:
    assert set(lens({})[1]["config"]) <= set(LENS)


def test_a_module_that_carries_its_settings_needs_no_others() -> None:
    module = random(
        Lens(positional_embedding_type="rotary", rotary_dim=4, rotary_adjacent_pairs=True, normalization_type="RMSPre")
    )
    agree(module, quiet(module))
    assert quiet(module, config={"act_fn": "identity"}).model != quiet(module).model


def test_models_of_one_kind_of_block() -> None:
    module, settings = decomposed({"softmax": False, "norm": False, "layers": 1})
    for part, text in (
        (".mlp.", "[d=8, V=13, rotary] attn(2, e=4, bilinear, output_scale)"),
        (".attn.", "[d=8, V=13] bilinear(m=12)"),
    ):
        state = {key: value for key, value in module.state_dict().items() if part not in key}
        weights = quiet(state, **settings)
        assert weights.model == sc.Transformer.parse(text)
        exported = export_weights(weights, "bilinear-decomposition")
        assert sorted(exported.arrays) == sorted(state)
