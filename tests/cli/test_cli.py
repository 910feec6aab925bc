"""The command line: what it prints, the files it writes, its exit codes, and that it starts without SymPy."""

import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.cli import COMMANDS, main


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_derive_runs_the_embedded_default(tmp_path) -> None:
    path = tmp_path / "article.tex"
    code, text = run("derive", "-o", str(path))
    assert code == 0
    for words in ("12 terms in 6 path classes", "sum_h (A^h (x) W_U W_OV^h W_E) vec(t)", "add up to the forward pass", "40.1%"):
        assert words in text
    assert path.read_text().endswith("\\end{document}\n")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("derive", "attn(H)"), "Id (x) W_U W_E"),
        (("derive", "attn(H)"), "sum_h A^h (x) W_U W_OV^h W_E"),
        (("derive", "attn(2) bilinear", "--notation", "tensor"), "._12 B ._21"),
        (("derive", "(attn(4) bilinear)*2"), "22,650 terms in 156 path classes"),
        (("terms",), "bilinear.1(attn.0[1](embed), attn.0[1](embed))"),
        (("terms", "attn(2) bilinear", "--where", "attn.0[1] > bilinear.1.left"), "3 of 12 terms"),
        (("terms", "attn(2) bilinear", "--where", "attn.* >= 7"), "0 of 12 terms"),
        (("terms", "attn(H) bilinear", "--where", "not bilinear"), "H + 1 of H**2 + 3*H + 2 terms"),
        (("terms", "(attn(12) bilinear)*4", "--start", "1" + "0" * 33, "--limit", "1"), "1" + "0" * 33),
        (("terms", "attn(H)", "--classes"), "attn.0[*](embed)"),
        (("terms", "attn(2)", "--sample", "3", "--seed", "1"), "embed"),
        (("terms", "attn(2)", "--notation", "matrix"), "A^1 t W_E^T (W_OV^1)^T W_U^T"),
        (("graph", "attn(1)"), '"attn.0[0]" -> "stream.1"'),
        (("graph", "attn(2) bilinear", "--term", "bilinear.1(embed, attn.0[1](embed))"), '"2:attn.0[1]" -> "0:bilinear.1.right"'),
        (("check",), "add up"),
        (("check", "attn(2)|bilinear(tied)", "--tokens", "1 2 3"), "modulo 268435399: 0 of 15"),
        (("check", "[no embed] attn(2)"), "add up"),
        (("check", "attn(2)", "--position", "-1", "--position", "0"), "add up"),
        (("check", "[no embed, no unembed]"), "add up"),
        (("--version",), sc.__version__),
    ],
)
def test_output(words: tuple[str, ...], expected: str) -> None:
    code, text = run(*words)
    assert code == 0
    assert expected in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("derive", "atn(2)"), 2, "expected"),
        (("derive", "attn(2)", "-o", "x.doc"), 2, "ends in none of .tex"),
        (("derive", "attn(2)", "--notation", "prose"), 2, "there is no notation 'prose'"),
        (("terms", "attn(2)", "--start", "x"), 2, "natural number"),
        (("graph", "attn(2)", "--term", "3"), 2, "term 3 was asked for"),
        (("graph", "attn(2)", "--term", "bilinear.1(embed, embed)"), 2, "no component 'bilinear.1'"),
        (("graph", "attn(H)"), 2, "the number of heads is a symbol"),
        (("check", "attn(2)", "--tokens", "1 x"), 2, "list of token numbers"),
        (("check", "attn(2)", "--tokens", "99"), 2, "token 99 at position 0"),
        (("check", "--weights", "none.npz"), 2, "there is no weights file"),
        (("check", "(attn(12) bilinear)*4"), 3, "the limit is 100,000"),
        (("derive", "bilinear*40"), 3, "the limit is 10,000,000"),
        (("derive", "(attn(12) bilinear)*4"), 3, "too many to evaluate one by one"),
        (("derive", "attn(H)", "--weights", "w.npz"), 2, "the number of heads is a symbol"),
        (("terms", "attn(H)", "--sample", "2"), 2, "heads are left open here"),
        (("terms", "attn(2)", "--start", "1" * 5000), 2, "at most 4000 digits"),
        (("check", "bilinear*16"), 3, "about 1.02e+13340 terms"),
        (("check", "bilinear(no residual)*30"), 3, "nodes"),
        (("terms", "attn(20000000)"), 3, "20,000,000 heads"),
        (("check", "attn(2)", "--seed", "-1"), 2, "--seed"),
        (("check", "attn(2)", "--position", "9"), 2, "position 9 is outside a sequence of 5"),
        (("nothing",), 2, "No such command"),
    ],
)
def test_exit_codes(words: tuple[str, ...], code: int, message: str) -> None:
    found, text = run(*words)
    assert (found, message in text) == (code, True), text


def test_a_check_that_fails_exits_with_1(monkeypatch) -> None:
    from symbolic_circuits.numeric import checking

    right = checking.output_values
    monkeypatch.setattr(checking, "output_values", lambda *args: right(*args) * 1.001)
    code, text = run("check")
    assert code == 1 and "DO NOT add up" in text
    assert run("derive")[0] == 1


def test_files_are_not_overwritten_and_not_half_written(tmp_path) -> None:
    path = tmp_path / "model.svg"
    assert run("graph", "attn(2)", "-o", str(path))[0] == 0
    before = path.read_bytes()
    code, text = run("graph", "attn(3)", "-o", str(path))
    assert code == 2 and "--force" in text and path.read_bytes() == before
    assert run("graph", "attn(3)", "-o", str(path), "--force")[0] == 0 and path.read_bytes() != before
    code, text = run("graph", "attn(2)", "-o", str(tmp_path / "none" / "model.svg"))
    assert code == 2 and "there is no folder" in text
    assert [p.name for p in tmp_path.iterdir()] == ["model.svg"]


def test_weights_of_a_file(tmp_path) -> None:
    path = tmp_path / "weights.npz"
    sc.Weights.random("attn(2) bilinear", seed=4).save(path)
    code, text = run("derive", "--weights", str(path), "--tokens", "1 2 3")
    assert code == 0 and "weights.npz (one sequence)" in text


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_help_has_examples(command: str) -> None:
    code, text = run(command, "--help")
    assert code == 0 and f"symbolic-circuits {command}" in text


@pytest.mark.parametrize(
    "code", ["import symbolic_circuits", "from symbolic_circuits.cli import main; main(['--help'], standalone_mode=False)"]
)
def test_starting_imports_no_sympy(code: str) -> None:
    loud = f"{code}\nimport sys; sys.exit(any(m in sys.modules for m in ('sympy', 'numpy', 'networkx', 'rich')))"
    assert subprocess.run([sys.executable, "-c", loud], capture_output=True, env=os.environ).returncode == 0
