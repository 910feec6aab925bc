"""``symbolic-circuits explain``: its tables, JSON, CSV, pictures, batches and exit codes."""

import csv
import io
import json
import re

import pytest
from click.testing import CliRunner

import symbolic_circuits as sc
from symbolic_circuits.cli import main


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["explain", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "is the model's prediction)"),
        (("--tokens", "3 4 31"), "1 of 12 terms explains 92.42 % of the total (90 % asked for): this is the minimum"),
        (("--tokens", "0 2 31", "--against", "runner-up"), "(2 is the model's prediction, 20 the runner-up)"),
        (("--tokens", "3 4 31", "--norm"), "the output at position 2: +120.153"),
        (("[no unembed] attn(2)",), "the output at position 4"),
        (("[no unembed] attn(2)", "--token", "3"), "coordinate 3 at position 4"),
        (("attn(4)*3", "--where", "attn.0[1]", "--fraction", "0.5"), "of 25 terms explain"),
        (("attn(2)", "--fraction", "1"), "3 of 3 terms explain 100 %"),
        (("--where", "attn.0[1] and not attn.0[1]"), "there is no term to explain with"),
        (("--batch", "5"), "of the prediction less the runner-up at position -1, for 5 inputs"),
        (("--batch", "192"), "1 to 6 terms, median 2, mean 2.47, for 192 of 192 inputs, all proved to be the minimum"),
        (("attn(2)", "--batch", "3", "--token", "2"), "of logit 2 at position -1, for 3 inputs"),
        (("attn(2)", "--batch", "3", "--norm"), "of the output at position -1, for 3 inputs"),
        (("[no embed, no unembed] attn(2)", "--batch", "3"), "of the output at position -1, for 3 inputs"),
        (("--help",), "symbolic-circuits explain --batch"),
    ],
)
def test_output(words: tuple[str, ...], expected: str) -> None:
    code, text = run(*words)
    assert code == 0
    assert expected in text


def test_json_and_csv_hold_the_same_rows() -> None:
    words = ("attn(3)*2", "--seed", "3", "--token", "4", "--fraction", "0.95")
    data = json.loads(run(*words, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv")[1])))
    assert [row["term"] for row in rows] == [row["term"] for row in data["terms"]] and len(rows) == data["size"]
    assert [float(row["so_far"]) for row in rows] == [row["so_far"] for row in data["terms"]]
    assert data["is_minimal"] and data["number_of_terms"] == 16


def test_a_batch_as_json_and_csv() -> None:
    words = ("attn(2) bilinear", "--batch", "6", "--seed", "2")
    data = json.loads(run(*words, "--json")[1])
    rows = list(csv.DictReader(io.StringIO(run(*words, "--csv")[1])))
    assert [int(row["size"]) for row in rows] == [row["size"] for row in data["inputs"]]
    assert sum(row["inputs"] for row in data["histogram"]) == 6 and data["fraction"] == 0.9
    assert len({row["total"] for row in rows}) == 6  # the inputs differ


def test_inputs_of_a_file(tmp_path) -> None:
    path = tmp_path / "inputs.txt"
    path.write_text("3 4 31\n\n30,5,31\n0 2 31\n")
    code, text = run("--sequences", str(path), "--csv")
    whats = [row["what"] for row in csv.DictReader(io.StringIO(text))]
    assert code == 0 and [re.match(r"logit (\d+) - ", what)[1] for what in whats] == ["7", "4", "2"]
    assert len(run("--sequences", str(path), "--batch", "2", "--csv")[1].splitlines()) == 3
    assert run("--sequences", str(path), "--batch", "4")[1].startswith("error: inputs.txt has 3 sequences; at least 4 are wanted")


def test_inputs_that_are_not_explained_are_undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    import symbolic_circuits.numeric.ranking.explain as module

    monkeypatch.setattr(module, "MAX_SIZE", 1)
    assert run("--tokens", "3 4 31")[0] == 0
    code, text = run("--tokens", "0 2 31", "--against", "runner-up")
    assert code == 3 and "not explained: the set found has 3 terms, the limit is 1; at least 3 of 12 terms are needed" in text
    code, text = run("--batch", "192", "--json")
    data = json.loads(text)
    assert code == 3 and len(data["unexplained"]) == 192 - 17 and data["inputs"][0]["size"] in (None, 1)


@pytest.mark.parametrize(("name", "start"), [("a.svg", b"<?xml"), ("a.png", b"\x89PNG")])
@pytest.mark.parametrize("words", [("attn(2) bilinear",), ("--batch", "4"), ("attn(3)*3", "--norm", "--fraction", "0.5")])
def test_pictures(tmp_path, words: tuple[str, ...], name: str, start: bytes) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / name
    code, text = run(*words, "-o", str(path))
    assert code == 0 and path.read_bytes().startswith(start) and f"wrote {path}" in text
    assert run(*words, "-o", str(path))[0] == 2
    assert run(*words, "-o", str(path), "--force")[0] == 0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("attn(2)", "--fraction", "0"), 2, "over 0 and at most 1; got 0.0"),
        (("attn(2)", "--fraction", "1.5"), 2, "over 0 and at most 1; got 1.5"),
        (("attn(2)", "--fraction", "nan"), 2, "got nan"),
        (("attn(2)", "--token", "11"), 2, "token 11 is outside range(11)"),
        (("attn(2)", "--against", "x"), 2, "--against is a token number"),
        (("attn(2)", "--norm", "--token", "1"), 2, "--norm reads the whole output"),
        (("attn(2)", "--norm", "--against", "1", "--batch", "2"), 2, "--norm reads the whole output"),
        (("attn(2)", "--batch", "2", "--token", "11"), 2, "token 11 is outside range(11)"),
        (("attn(2)", "--batch", "2", "--position", "9"), 2, "input 0 of the batch: position 9"),
        (("attn(2)", "--batch", "2", "--tokens", "1 2"), 2, "--tokens is one input"),
        (("attn(2)", "--batch", "0"), 2, "0 is not in the range"),
        (("--batch", "193"), 2, "the example has 192 held-out pairs; 193 were asked for"),
        (("attn(2)", "--sequences", "none.txt"), 2, "there is no file of sequences"),
        (("[no embed] attn(2)", "--sequences", "none.txt"), 2, "has no embedding and reads no sequences"),
        (("attn(2)", "--where", "attn.5[0]"), 2, "attn.5"),
        (("attn(2)", "-o", "a.pdf"), 2, "ends in none of"),
        (("attn(2)", "--json", "--csv"), 2, "one or the other"),
        (("attn(H)",), 2, "the number of heads of"),
        (("bilinear*40",), 3, "the limit is 10,000,000"),
    ],
)
def test_errors(words: tuple[str, ...], code: int, message: str) -> None:
    found, text = run(*words)
    assert found == code
    assert message in text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"3 4 31\n3 x 31\n", "line 2 of bad.txt is not a sequence of token numbers such as '3 4 31': '3 x 31'"),
        (b"\n\n", "bad.txt has 0 sequences; at least 1 are wanted"),
        (b"\xff\xfe1", "bad.txt is not text in UTF-8"),
        (b"3 4 31\n3 4 32\n", "input 1 of the batch: token 32 at position 2"),
        (b"3 4 31\n3 4\n", "input 1 of the batch: the model has n=3 positions; got 2"),
    ],
)
def test_files_that_hold_no_sequences(tmp_path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    code, text = run("--sequences", str(path))
    assert code == 2 and message in text


def test_activations_that_overflow_are_named(tmp_path) -> None:
    path = tmp_path / "huge.npz"
    weights = sc.Weights.random("bilinear*3", seed=0)
    sc.Weights(weights.model, {name: array * 1e70 for name, array in weights.arrays.items()}).save(path)
    code, text = run("--weights", str(path), "--tokens", "1 2")
    assert code == 2 and "not finite after bilinear.0" in text
    code, text = run("--weights", str(path), "--batch", "2")
    assert code == 2 and "2 of 2 tasks were not done" in text and "not finite after bilinear.0" in text
