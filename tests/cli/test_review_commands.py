"""What commands make of numbers of thousands of digits, control characters, narrow terminals and places that are taken."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from click import unstyle
from click.testing import CliRunner, Result

import symbolic_circuits as sc
from symbolic_circuits.cli import main
from symbolic_circuits.cli.inert import inert
from symbolic_circuits.cli.inputs import side_by_side, signed, table, without_nan, written_out

LARGE = "(attn(12) bilinear)*12"  # 10^9189 terms


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, list(words), color=True)  # as in a terminal: nothing is stripped
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Weights of the large model, scaled down so that activations stay finite."""
    path = tmp_path_factory.mktemp("large") / "large.npz"
    weights = sc.Weights.random(LARGE, d=4, V=3, e=1, m=3, seed=0)
    sc.Weights(weights.model, {name: 0.3 * array for name, array in weights.arrays.items()}).save(path)
    return str(path)


# tables


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a b\nc é", "a b\nc é"), ("\x1b[31mred", r"\x1b[31mred"), ("\u202ex", r"\u202ex"), ("\udcff\t", r"\udcff\t")],
)
def test_inert(text: str, expected: str) -> None:
    assert inert(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(7, 7), (True, True), ("7", "7"), (10**3800, 10**3800), (10**9000, "about 1.00e+9000"), (-0.5, -0.5)],
    ids=["small", "truth", "text", "digits", "words", "float"],
)
def test_integers_of_thousands_of_digits_are_in_words(value: object, expected: object) -> None:
    assert written_out(value) == expected
    assert without_nan({"a": [value, float("nan")]}) == {"a": [expected, None]}


@pytest.mark.parametrize(("value", "expected"), [(0.0, "+0.0000"), (-12.34567, "-12.3457"), (1.5e37, "+1.5000e+37")])
def test_numbers_of_tables(value: float, expected: str) -> None:
    assert signed(value) == expected


@pytest.mark.parametrize(
    ("widths", "room", "expected"),
    [
        ([5], 3, [[0]]),
        ([5, 200], 80, [[0, 1]]),
        ([5, 10, 10, 10], 80, [[0, 1, 2, 3]]),
        ([5, 10, 10, 10], 33, [[0, 1, 2], [0, 3]]),
        ([5, 90, 90, 9], 40, [[0, 1], [0, 2], [0, 3]]),
    ],
)
def test_columns_that_have_no_room_go_below(widths: list[int], room: int, expected: list[list[int]]) -> None:
    assert side_by_side(widths, room) == expected


@pytest.mark.parametrize("command", ["graded --by height", "ablate attn.0[1]", "rank --seconds 0.1", "explain --seconds 0.1"])
@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_numbers_of_any_size(large: str, command: str, form: str) -> None:
    name, *options = command.split()
    found = run(name, *options, "--weights", large, form)
    assert found.exit_code in (0, 3)
    if form == "--json":
        assert json.loads(found.stdout)["model"] == LARGE
    else:
        assert len({len(row) for row in csv.reader(io.StringIO(found.stdout))}) == 1


@pytest.mark.parametrize("form", [["--json"], ["--csv"], []])
def test_terms_with_numbers_of_any_size(form: list[str]) -> None:
    found = run("terms", LARGE, "--where", "attn.0[1]", "--sample", "1", *form)
    assert found.exit_code == 0
    assert "about" in found.stdout


# laws


def test_narrow_terminals_lose_nothing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    heads = ["order", *(f"logit {k} at 2" for k in range(9)), "value"]
    row = ["1", *(f"{k}{k}{k}.4321" for k in range(9)), "long " * 40]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for columns in ("40", "80", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        table("", heads, [row])
        text = unstyle(capsys.readouterr().out)
        assert all(word in text for head in heads for word in head.split())  # a head may take several lines
        assert all(cell in text for cell in row[:-1])
        assert text.count("long") == 40
        assert max(map(len, text.splitlines())) <= int(columns)


# errors


@pytest.mark.parametrize(
    "words",
    [
        ("terms", "\x1b[31mred"),
        ("terms", "--where", "attn \x1b[31m"),
        ("terms", "--where", "\udcff"),
        ("rank", "--where", "attn[\x1b]0;x\x07]"),
        ("ablate", "\x1b[2J"),
        ("graded", "--weights", "\x1b[31m.npz"),
        ("explain", "--sequences", "\x1b[31m.txt"),
        ("graded", "-o", "no\x1b[31m/x.svg"),
    ],
)
def test_messages_print_what_they_quote_and_do_nothing_else(words: tuple[str, ...]) -> None:
    found = run(*words)
    assert found.exit_code == 2
    assert found.stderr.startswith("error: ")
    assert all(c.isprintable() or c == "\n" for c in found.output)


def test_names_of_files_are_inert(tmp_path: Path) -> None:
    weights, picture = tmp_path / "\x1b[31mw.npz", tmp_path / "\x1b[31m.svg"
    sc.Weights.random("attn(1)", seed=0).save(weights)
    for name in ("graded", "rank", "explain"):
        found = run(name, "--weights", str(weights), "-o", str(picture), "--force")
        assert found.exit_code == 0
        assert picture.exists()
        assert "\x1b" not in found.output


@pytest.mark.parametrize("command", ["terms", "graded", "rank", "explain", "ablate attn.0[1]"])
def test_places_that_are_taken_are_known_before_the_work(tmp_path: Path, command: str) -> None:
    taken = tmp_path / "x.svg"
    taken.write_text("mine")
    for path, message in ((taken, "exists: give another name, or --force"), (tmp_path / "no" / "x.svg", "there is no folder")):
        found = run(*command.split(), "-o", str(path))
        assert found.exit_code == 2
        assert message in found.stderr
        assert not found.stdout
    assert taken.read_text() == "mine"
    assert run(*command.split(), "-o", str(taken), "--force").exit_code == 0
    assert taken.read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize("command", ["rank", "explain"])
def test_pictures_of_nothing_are_said_not_to_be_written(tmp_path: Path, command: str) -> None:
    picture = tmp_path / "x.svg"
    found = run(command, "--where", "attn.0[0] and not attn.0[0]", "-o", str(picture), "--csv")
    assert found.exit_code == 0
    assert not picture.exists()
    assert "is not written" in found.stderr
    assert run(command, "--where", "attn.0[0]", "-o", str(picture), "--csv").exit_code == 0
    assert picture.exists()


@pytest.mark.parametrize("command", ["terms", "rank", "explain"])
def test_an_empty_query_is_no_query(command: str) -> None:
    found = run(command, "--where", "")
    assert found.exit_code == 2
    assert "cannot read the query" in found.stderr
    assert run(command, "--where", "*").exit_code == 0
