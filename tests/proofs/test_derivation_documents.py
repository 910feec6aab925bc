"""The derivations in proofs/derivations: replayed and proved, the files are what their sources make, and they compile."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from requirements import require

FOLDER = Path(__file__).parents[2] / "proofs" / "derivations"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """The files, made anew; every derivation in them is checked on the way."""
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location("make", FOLDER / "make.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return dict(module.files())
    finally:
        sys.path.remove(str(FOLDER))
        sys.modules.pop("sources", None)


def test_the_files_are_what_their_sources_make(made):
    """Else: python proofs/derivations/make.py"""
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".md", ".tex")} - {"README.md"}
    assert there == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text(encoding="utf-8").splitlines() == text.splitlines(), name


def test_the_index_names_every_document(made):
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {name for name in made if name.endswith(".md")} <= set(re.findall(r"\(([a-z-]+\.md)\)", index))


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        (
            "attention-only",
            r"\sum_{h_{1}, h_{0}} A^{h_{1}} \, A^{h_{0}} \otimes W_{U} \, W_{OV}^{h_{1}} \, W_{OV}^{h_{0}} \, W_{E}",
        ),
        ("query-key-circuits", r"W_{QK} \, W_{OV}^{g} \, X_{0}^{\top} \, (A^{g})^{\top}"),
        ("spectra-of-circuits", r"U_{F} \, U_{C} \, S_{C} \, V_{C} \, V_{G}"),
        ("attention-then-bilinear", r"2 \, \sum_{h} S"),
        ("biases", r"c \odot W \, x"),
    ],
)
def test_the_last_lines_are_those_of_the_literature(made, name, formula):
    assert formula in made[f"{name}.md"] and formula in made[f"{name}.tex"]


@pytest.mark.latex
def test_they_compile(made, tmp_path):
    require("latex")
    for name, text in made.items():
        if name.endswith(".tex"):
            (tmp_path / name).write_text(text, encoding="utf-8")
            command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", name]
            for _ in range(2):
                run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
            log = run.stdout.decode("latin-1")
            assert run.returncode == 0, log[-3000:]
            assert "undefined" not in log.lower()
            wide = [float(width) for width in re.findall(r"Overfull \\hbox \(([0-9.]+)pt", log)]
            assert max(wide, default=0.0) <= 20.0
