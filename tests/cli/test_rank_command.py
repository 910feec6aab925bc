"""``symbolic-circuits rank``: its table, JSON, CSV, pictures and exit codes."""

import csv
import io
import json

import numpy as np
import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.cli import rank as module


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["rank", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "is the model's prediction)"),
        (("--tokens", "3 4 31"), "logit 7 at position 2: +24.3379 (7 is the model's prediction)"),
        (("--tokens", "3 4 31", "--against", "runner-up"), "(7 is the model's prediction, "),
        (("--tokens", "3 4 31", "--token", "7", "--against", "8"), "logit 7 - logit 8 at position 2: +47.6327\n"),
        (("--tokens", "3 4 31", "--top", "2"), "certified: no other of the 12 terms exceeds"),
        (("attn(2) bilinear", "--top", "50"), "all 12 terms are listed"),
        (("attn(4)*3", "--top", "3"), "no other of the 125 terms exceeds"),
        (("attn(2) bilinear", "--norm", "--top", "3"), "norm of the output at position 4: +"),
        (("[no unembed] attn(2)",), "norm of the output at position 4: +"),
        (("attn(4)*3", "--where", "attn.0[1]", "--top", "3"), "no other of the 25 terms exceeds"),
        (("--where", "attn.0[1] and not attn.0[1]"), "there is no term to rank"),
        (("attn(4)*3", "--top", "120"), "20 terms more are in --csv and --json"),
        (("--help",), "symbolic-circuits rank --tokens"),
    ],
)
def test_output(words: tuple[str, ...], expected: str) -> None:
    code, text = run(*words)
    assert code == 0
    assert expected in text


def test_json_and_csv_hold_the_same_rows() -> None:
    words = ("attn(3)*2", "--seed", "3", "--token", "4", "--position", "0", "--top", "6")
    data = json.loads(run(*words, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv")[1])))
    assert [row["term"] for row in rows] == [row["term"] for row in data["terms"]] and len(rows) == 6
    assert [float(row["value"]) for row in rows] == [row["value"] for row in data["terms"]]
    weights = sc.Weights.random("attn(3)*2", seed=3)
    tokens = np.random.default_rng(3).integers(0, 11, 5)
    assert np.isclose(data["total"], sc.freeze(weights, tokens).forward().output[0, 4]) and data["is_certified"]


def test_a_ranking_that_is_not_closed_is_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    right = module.ranked
    monkeypatch.setattr(
        module, "ranked", lambda *given, **options: replace(right(*given, **options), bound=1e9, stopped="5 seconds")
    )
    code, text = run("attn(4)*3", "--top", "3")
    assert code == 3 and "not closed (5 seconds)" in text


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG")])
def test_pictures(tmp_path, name: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / name
    code, text = run("attn(4)*3", "-o", str(path))
    assert code == 0 and path.read_bytes().startswith(start) and f"wrote {path}: 20 terms" in text
    assert run("attn(4)*3", "-o", str(path))[0] == 2
    assert run("attn(4)*3", "-o", str(path), "--force")[0] == 0
    assert run("--where", "attn.0[1] and not attn.0[1]", "-o", str(tmp_path / "none.svg"))[0] == 0
    assert not (tmp_path / "none.svg").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("attn(2)", "--token", "11"), 2, "token 11 is outside range(11)"),
        (("attn(2)", "--token", "-1"), 2, "token -1 is outside range(11)"),
        (("attn(2)", "--against", "x"), 2, "--against is a token number or 'runner-up'; got 'x'"),
        (("attn(2)", "--against", "11"), 2, "token 11 is outside range(11)"),
        (("attn(2)", "--norm", "--token", "1"), 2, "--norm reads the whole output"),
        (("attn(2)", "--position", "5"), 2, "position 5 is outside a sequence of 5"),
        (("attn(2)", "--top", "0"), 2, "0 is not in the range"),
        (("attn(2)", "--seconds", "0"), 2, "0.0 is not in the range"),
        (("attn(2)", "--where", "attn.5[0]"), 2, "attn.5"),
        (("attn(2)", "--where", "attn.0[0] and"), 2, "error: "),
        (("attn(2)", "-o", "a.pdf"), 2, "ends in none of"),
        (("attn(2)", "--json", "--csv"), 2, "one or the other"),
        (("attn(H)",), 2, "the number of heads of"),
        (("bilinear*40",), 3, "the limit is 10,000,000"),
        (("attn(2)", "--weights", "none.npz"), 2, "there is no weights file"),
        (("attn(4)*3", "--top", "80", "-o", "none.svg"), 3, "a picture of 80 bars was asked for; the limit is 60"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, message: str) -> None:
    found, text = run(*words)
    assert found == code
    assert message in text


def test_activations_that_overflow_are_named(tmp_path) -> None:
    path = tmp_path / "huge.npz"
    weights = sc.Weights.random("bilinear*3", seed=0)
    sc.Weights(weights.model, {name: array * 1e70 for name, array in weights.arrays.items()}).save(path)
    code, text = run("--weights", str(path), "--tokens", "1 2")
    assert code == 2 and "not finite after bilinear.0" in text
