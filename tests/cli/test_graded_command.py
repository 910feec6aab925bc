"""``symbolic-circuits graded``: its table, JSON, CSV, pictures and exit codes."""

import csv
import io
import json

import pytest
from click.testing import CliRunner

from symbolic_circuits.cli import main


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["graded", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "that is all there is, by order 0 to 3"),
        (("--tokens", "3 4 31", "--positions", "-1", "--targets", "7", "--logits", "7 8"), "logit 7 at 2"),
        (("--tokens", "3 4 31", "--positions", "-1", "--targets", "7"), "loss of all terms 0.0000"),
        (("(attn(8) bilinear)*4", "--up-to", "4"), "grades 5 to 45 are left out"),
        (("attn(2) bilinear", "--by", "height"), "12 terms of 'attn(2) bilinear' by height, 3 grades"),
        (("attn(2)", "--up-to", "9"), "(order 9 was asked for)"),
        (("[no embed, no unembed] attn(2)|bilinear",), "sum of the grades' norms over that of the total"),
        (("bilinear(no residual)", "--by", "degree", "--up-to", "1"), "0 grades"),
        (("--help",), "symbolic-circuits graded --tokens"),
    ],
)
def test_output(words: tuple[str, ...], expected: str) -> None:
    code, text = run(*words)
    assert code == 0
    assert expected in text


def test_json_and_csv_hold_the_same_rows() -> None:
    words = ("bilinear*2", "--seed", "3", "--positions", "0 -1", "--logits", "4", "--targets", "4,4")
    data = json.loads(run(*words, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv")[1])))
    assert [row["terms"] for row in rows] == ["1", "2", "2", "1"]
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in data["rows"]]
    assert [float(row["logit 4 at 4"]) for row in rows] == [at[1][0] for at in data["logits"]]
    assert data["verdict"] == "agrees" and data["is_complete"]


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG")])
def test_pictures(tmp_path, name: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / name
    code, _ = run("attn(2) bilinear", "-o", str(path), "--json")
    assert code == 0 and path.read_bytes().startswith(start)
    assert run("attn(2) bilinear", "-o", str(path))[0] == 2
    assert run("attn(2) bilinear", "-o", str(path), "--force")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("attn(2)", "--up-to", "-1"), 2, "grades begin with 0"),
        (("attn(2)", "--by", "size"), 2, "graded by order"),
        (("attn(2)", "--positions", "x"), 2, "--positions is a list of integers"),
        (("attn(2)", "--positions", "9"), 2, "position 9 is outside"),
        (("attn(2)", "--logits", "99"), 2, "tokens in range(11)"),
        (("attn(2)", "--targets", "3"), 2, "one target a position"),
        (("attn(2)", "-o", "a.pdf"), 2, "ends in none of"),
        (("attn(2)", "--json", "--csv"), 2, "one or the other"),
        (("attn(H)",), 2, "the number of heads of"),
        (("bilinear*40",), 2, "not finite after bilinear."),
        (("(attn(2000, e=1) bilinear)*2", "--weights", "none.npz"), 2, "there is no weights file"),
        (("(attn(1, no residual))*2 (bilinear(m=1))*24", "--by", "degree"), 3, "the limit is 2,147,483,648"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, message: str) -> None:
    found, text = run(*words)
    assert found == code
    assert message in text
