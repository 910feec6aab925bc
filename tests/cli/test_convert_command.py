"""``symbolic-circuits convert``: files of other formats to ours and back, notes and errors."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.numeric.formats.export import export_weights

MODEL = "[rms_norm, rotary] (attn(2, e=4, output_scale) bilinear)*2"


def run(*words: object) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["convert", *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def published(tmp_path: Path) -> tuple[Path, sc.Weights]:
    """A file of another format, without its settings, and the weights in it."""
    weights = sc.Weights.random(MODEL, d=8, seed=0)
    fixed = {name: np.array(0.5) for name in weights.arrays if name.endswith(".scale")} | {"norm.eps": np.array(1e-8)}
    weights = sc.Weights(weights.model, dict(weights.arrays) | fixed)
    path = tmp_path / "published.npz"
    np.savez(path, **export_weights(weights, "bilinear-decomposition").arrays)
    return path, weights


def test_to_ours_and_back(published, tmp_path: Path) -> None:
    source, weights = published
    ours, back = tmp_path / "ours.npz", tmp_path / "back.npz"
    code, text = run(source, ours, "--attention-scale", 0.5, "--normalization", "rms")
    assert code == 0 and "wrote" in text and "parameters" in text
    found = sc.Weights.load(ours)
    assert all((found.arrays[name] == array).all() for name, array in weights.arrays.items())
    assert run(ours, back, "--to", "bilinear-decomposition")[0] == 0
    assert (tmp_path / "config.json").is_file()
    with np.load(source) as first, np.load(back) as second:
        assert sorted(first.files) == sorted(second.files) and all((first[key] == second[key]).all() for key in first.files)


def test_settings_are_read(published, tmp_path: Path) -> None:
    source, _ = published
    words = ("--normalization", "none", "--set", "scale_attn=false", "--set", "gate=silu")
    assert run(source, tmp_path / "ours.npz", *words)[0] == 0
    assert str(sc.Weights.load(tmp_path / "ours.npz").model) == "[d=8, V=11, rotary] (attn(2, e=4) bilinear(m=24, silu))*2"


def test_notes_are_said(published, tmp_path: Path) -> None:
    source, _ = published
    with np.load(source) as stored:
        np.savez(source, **{key: stored[key].astype(np.float16) for key in stored.files if key != "lm_head.weight"})
    code, text = run(source, tmp_path / "ours.npz", "--attention-scale", 0.5, "--normalization", "rms")
    assert code == 0 and "note:" in text and "embeddings are tied" in text and "float16, read as float32" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "give attention_scale="),
        (("--attention-scale", 0.5), "give normalization="),
        (("--attention-scale", 0.5, "--normalization", "rms", "--n-head", 1), "n_head=1 heads have width"),
        (("--attention-scale", 0.5, "--normalization", "rms", "--set", "eps"), "--set is a setting such as eps=1e-5"),
        (
            ("--attention-scale", 0.5, "--normalization", "rms", "--to", "transformer-lens"),
            "the format has no place for attn.0.scale",
        ),
        (("--format", "toy"), "the keys speak for bilinear-decomposition, not for toy"),
        (("--normalization", "BN"), "is not one of"),
    ],
)
def test_errors(published, tmp_path: Path, words: tuple, message: str) -> None:
    code, text = run(published[0], tmp_path / "ours.npz", *words)
    assert code == 2 and message in text
    assert not (tmp_path / "ours.npz").exists()


def test_files_that_are_there_are_kept(published, tmp_path: Path) -> None:
    source, _ = published
    settings = ("--attention-scale", 0.5, "--normalization", "rms")
    assert run(source, tmp_path / "ours.npz", *settings)[0] == 0
    code, text = run(source, tmp_path / "ours.npz", *settings)
    assert code == 2 and "exists" in text
    assert run(source, tmp_path / "ours.npz", *settings, "--force")[0] == 0
    code, text = run(source, tmp_path / "ours.txt", *settings)
    assert code == 2 and "ends in none of" in text
