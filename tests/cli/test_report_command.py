"""``symbolic-circuits report``: its page, what it is about, files that are whole or not there, exit codes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits import whole_file
from symbolic_circuits.cli import main
from symbolic_circuits.documents import cache

RIGHT = "# Transposes\n\n<!-- symbols A, B : n x n -->\n\n**A1.** $$ (A B)^\\top = B^\\top A^\\top $$\n"
WRONG = RIGHT.replace("B^\\top A^\\top", "A^\\top B^\\top")


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["report", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "logit 7 at position 2"),
        (("--tokens", "3 4 31", "--against", "runner-up"), "the runner-up"),
        (("--norm",), "share of the output at position 2"),
        (("attn(2) bilinear", "--token", "3", "--position", "0"), "logit 3 at position 0"),
        (("attn(2) bilinear", "--where", "attn.0[1]"), "Only the terms where"),
        (("attn(H) bilinear",), "all 6 path classes"),
        (("attn(H) bilinear", "--notation", "tensor"), "all 6 path classes"),
        (("[no unembed] attn(2)",), "share of the output at position 4"),
        (
            ("attn(2) attn(2)", "--scores", "1[0]", "--position", "3", "--key", "0"),
            "score of attn.1[0], query at position 3, key at",
        ),
        (("attn(H) attn(2)", "--scores", "1[1]"), "The scores of <code>attn.1[1]</code>"),
        (("(attn(12) bilinear)*12",), "no numbers: with random weights, seed 0, activations of"),
        (("attn(2)|bilinear(tied)", "--seed", "3"), "random weights, seed 3"),
    ],
)
def test_output(tmp_path: Path, words: tuple[str, ...], expected: str) -> None:
    path = tmp_path / "page.html"
    code, text = run(*words, "-o", str(path))
    assert code == 0 and f"wrote {path}: " in text
    page = path.read_text(encoding="utf-8")
    assert expected in page and page.startswith("<!doctype html>") and len(page) < 3_000_000


def test_the_numbers_are_those_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert run("attn(3)*2", "--seed", "3", "--token", "4", "--position", "0", "-o", str(path))[0] == 0
    frozen = sc.freeze(sc.Weights.random("attn(3)*2", seed=3), np.random.default_rng(3).integers(0, 11, 5))
    data = data_of(path.read_text())
    assert np.isclose(sum(data["value"]), frozen.forward().output[0, 4]) and np.isclose(data["total"], sum(data["value"]))


def test_weights_of_a_file_with_a_hostile_name(tmp_path: Path) -> None:
    path = tmp_path / "<img src=x onerror=alert(1)>.npz"
    sc.Weights.random("attn(2)", seed=0).save(path)
    page = tmp_path / "page.html"
    assert run("--weights", str(path), "--tokens", "1 2", "-o", str(page))[0] == 0
    assert "<img" not in page.read_text() and "the weights of &lt;img src=x onerror=alert(1)&gt;.npz" in page.read_text()


def test_documents_decide_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "has_changed", lambda since: False)
    for name, text, code, words in (("right.md", RIGHT, 0, "1 proved"), ("wrong.md", WRONG, 1, "1 not as claimed")):
        (tmp_path / name).write_text(text)
        page = tmp_path / f"{name}.html"
        assert run("attn(2)", "--document", str(tmp_path / name), "-o", str(page))[0] == code
        assert words in page.read_text() and "Transposes" in page.read_text()
    assert "counterexample at n = 2" in page.read_text() and "<details open>" in page.read_text()


def test_identities_have_verdicts_too(tmp_path: Path) -> None:
    names = {"A": ["n", "n"], "B": ["n", "n"]}
    product, turned = [[1, "ij,jk->ik", ["A", "B"]]], [[1, "ij,jk->ik", ["B", "A"]]]
    hostile = "</script><script>alert(1)</script>"
    path, page = tmp_path / "identities.json", tmp_path / "page.html"
    for right, code, words in ((product, 0, "2 proved"), (turned, 1, "1 proved, 1 not as claimed")):
        items = [
            {"lhs": product, "rhs": product, "shapes": names},
            {"id": hostile, "lhs": product, "rhs": right, "shapes": names},
        ]
        path.write_text(json.dumps(items))
        assert run("attn(2)", "--document", str(path), "-o", str(page), "--force")[0] == code
        text = page.read_text()
        assert words in text and text.count("<script>") == 1 and "&lt;/script&gt;&lt;script&gt;alert(1)" in text
    assert "counterexample at n = 2" in text and "einsum(&#x27;ab,bc-&gt;ac&#x27;, B, A)" in text


def test_existing_files_are_replaced_on_request_only(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text("mine")
    code, text = run("attn(2)", "-o", str(path))
    assert code == 2 and "exists: give another name, or --force" in text and path.read_text() == "mine"
    assert run("attn(2)", "-o", str(path), "--force")[0] == 0 and path.read_text() != "mine"


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "page.html"
    path.write_text("mine")
    monkeypatch.setattr(whole_file.os, "replace", full)
    code, text = run("attn(2)", "-o", str(path), "--force")
    assert code == 2 and "No space left on device" in text
    assert path.read_text() == "mine" and [each.name for each in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("attn(2)",), 2, "Missing option '-o'"),
        (("attn(2)", "-o", "page.pdf"), 2, "ends in none of .html"),
        (("attn(2)", "-o", "no/such/page.html"), 2, "there is no folder no/such"),
        (("attn(2", "-o", "page.html"), 2, "error: "),
        (("attn(2)", "--token", "11", "-o", "page.html"), 2, "token 11 is outside range(11)"),
        (("attn(2)", "--position", "5", "-o", "page.html"), 2, "position 5 is outside a sequence of 5"),
        (("attn(2)", "--where", "attn.7[0]", "-o", "page.html"), 2, "attn.7"),
        (("attn(2)", "--norm", "--token", "1", "-o", "page.html"), 2, "--norm reads the whole output"),
        (("attn(2)", "--notation", "roman", "-o", "page.html"), 2, "roman"),
        (
            ("attn(2)", "--document", "page.txt", "-o", "page.html"),
            2,
            "--document is a .md or .tex file, or a .json file of identities",
        ),
        (("attn(2)", "--document", "none.json", "-o", "page.html"), 2, "none.json"),
        (("attn(2)", "--document", "none.md", "-o", "page.html"), 2, "none.md"),
        (("attn(H)", "--token", "1", "-o", "page.html"), 2, "the number of heads is a symbol"),
        (("attn(2)", "--key", "1", "-o", "page.html"), 2, "--key is the position of a key, of --scores"),
        (("attn(2)", "--scores", "0[0]", "--norm", "-o", "page.html"), 2, "scores are read at --position (query) and --key"),
        (("attn(2)", "--scores", "0[0]", "--key", "9", "-o", "page.html"), 2, "position 9 is outside a sequence of 5"),
        (("attn(2)", "--scores", "<b>", "-o", "page.html"), 2, "--scores names a head by its block and number"),
        (("(attn(2) bilinear)*14", "--token", "1", "-o", "page.html"), 2, "there is nothing to read: no numbers: with random"),
        (("attn(2)", "--seconds", "nan", "-o", "page.html"), 2, "--seconds is a positive number; got nan"),
        (("attn(H)", "--tokens", "1", "-o", "page.html"), 2, "the number of heads is a symbol"),
        (("attn(2)", "--weights", "none.npz", "-o", "page.html"), 2, "there is no weights file"),
    ],
)
def test_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    found, text = run(*words)
    assert found == code and message in text
    assert list(tmp_path.iterdir()) == []


def test_help_has_examples() -> None:
    code, text = run("--help")
    assert code == 0 and "symbolic-circuits report -o example.html" in text
