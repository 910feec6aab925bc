"""``derive``: the steps on the screen, and the files in four formats; derivation files are verified."""

import json

import pytest
from test_cli import run

import symbolic_circuits as sc


def test_steps_are_printed_and_proved():
    code, text = run("derive", "attn(H) bilinear", "--steps")
    assert code == 0
    assert "x₁ = x₀ + Σ_h (A^h ⊗ W_OV^h) x₀" in text
    assert "(mixed product)" in text and "13 steps, replayed: proved" in text


@pytest.mark.parametrize("notation", ["operator", "matrix", "index", "tensor"])
@pytest.mark.parametrize("detail", ["every", "main", "result"])
def test_notations_and_details(notation, detail):
    code, text = run("derive", "attn(H)", "--steps", "--notation", notation, "--detail", detail)
    assert code == 0 and "replayed: proved" in text


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("a.tex", (), "\\section{Derivation}"),
        ("a.tex", ("--fragment", "--rename", "W_OV=\\WOV{#1}"), "\\WOV{h}"),
        ("a.tex", ("--fragment", "--marked", "colour"), "\\textcolor{blue}"),
        ("a.tex", ("--fragment", "--notation", "matrix", "--convention", "column"), "W_{U} \\, W_{E} \\, t"),
        ("a.md", (), "```math"),
        ("a.txt", (), "Σ_h"),
        ("a.json", (), '"rule":"mixed product"'),
    ],
)
def test_files(name, words, expected, tmp_path):
    path = tmp_path / name
    code, text = run("derive", "attn(H)", "-o", str(path), *words)
    assert code == 0 and f"wrote {path}" in text
    assert expected in path.read_text(encoding="utf-8")
    code, text = run("derive", "attn(H)", "-o", str(path), *words)
    assert code == 2 and "exists" in text


def test_derivation_files_are_verified(tmp_path):
    path = tmp_path / "a.json"
    run("derive", "attn(H) bilinear", "-o", str(path))
    assert run("verify", str(path)) == (0, f"{path}\tright\n")
    data = json.loads(path.read_text())
    data["chains"][-1]["steps"].pop(1)
    path.write_text(json.dumps(data))
    code, text = run("verify", str(path))
    assert code == 1 and "wrong" in text and "does not replay" in text
    data["version"] = 7
    path.write_text(json.dumps(data))
    code, text = run("verify", str(path))
    assert code == 1 and "version 7" in text and "reads version 1" in text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rename", "W_XY=Q", "-o", "x.tex"), "W_XY"),
        (("--rename", "W_OV", "--steps"), "--rename takes a name and its LaTeX"),
        (("-o", "x.docx"), ".docx"),
        (("--detail", "some"), "'some' is not one of"),
    ],
)
def test_bad_options(words, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, text = run("derive", "attn(H)", *words)
    assert code == 2 and message in text
    assert not list(tmp_path.iterdir())


def test_what_is_written_is_what_the_library_writes(tmp_path):
    path = tmp_path / "a.tex"
    run("derive", "attn(H)", "-o", str(path), "--fragment")
    assert path.read_text() == sc.to_latex(sc.derive("attn(H)"))


def test_scores_are_derived(tmp_path):
    target = tmp_path / "scores.md"
    code, text = run("derive", "attn(2) attn(2)", "--scores", "1[0]", "-o", str(target))
    assert code == 0 and "scores.1[0]: 9 terms in 4 path classes" in text
    assert "W_{QK}" in target.read_text()
    code, text = run("derive", "attn(2)", "-o", str(target))
    assert code == 2 and "exists" in text and "terms in" not in text  # known before the work
