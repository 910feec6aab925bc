"""Every command in a terminal of 80 columns, in a pipe, without colour, and with names that are not meant to be obeyed."""

import io
import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

import symbolic_circuits as sc
from symbolic_circuits.cli import COMMANDS, inputs, main, terminal
from symbolic_circuits.cli.inputs import table
from symbolic_circuits.cli.terminal import folded, headed, wrapped

ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
IDENTITY = {
    "id": "trace",
    "lhs": [[1, "ij,ji->", ["A", "B"]]],
    "rhs": [[1, "ij,ji->", ["B", "A"]]],
    "shapes": {"A": ["n", "d"], "B": ["d", "n"]},
}
FALSE = IDENTITY | {
    "id": "false",
    "lhs": [[1, "ij,jk->ik", ["A", "A"]]],
    "rhs": [[2, "ij,jk->ik", ["A", "A"]]],
    "shapes": {"A": ["n", "n"]},
}
LONG = "a very long claim about the composition of two attention heads " * 3
DOCUMENT = "# Notes\n\n```symbols\nA, B : n x n\n```\n\n$$ (A B)^\\top = B^\\top A^\\top $$\n\n$$ A B = B A $$\n"
HOSTILE = "[bold red]x[/] \x1b[31m\u202e<script>"
WORDS = [
    ("derive", "attn(2) bilinear"),
    ("derive", "attn(2) bilinear", "--steps"),
    ("derive", "attn(H) bilinear", "--notation", "index"),
    ("derive", "attn(2)", "-o", "a_file_with_a_rather_long_name_that_takes_most_of_the_line_of_a_terminal.txt"),
    ("terms", "attn(2) bilinear"),
    ("terms", "(attn(2) bilinear)*3", "--sample", "3"),
    ("terms", "attn(2) bilinear", "--notation", "tensor"),
    ("terms", "attn(H) bilinear"),
    ("terms", "(attn(12) bilinear)*4", "--start", "1" + "0" * 28, "--limit", "2"),
    ("rank",),
    ("rank", "(attn(4) bilinear)*2", "--top", "5"),
    ("explain",),
    ("explain", "--batch", "3"),
    ("graded", "--logits", "1 2 3 4 5", "--positions", "-1", "--targets", "4"),
    ("ablate", "attn.0[1] > bilinear.1.left and not attn.0[0]", "--top", "3"),
    ("check", "attn(2)"),
    ("graph", "attn(2)", "-o", "a_file_with_a_rather_long_name_that_takes_most_of_the_line_of_a_terminal.json"),
    ("prove", "true.json", "false.json"),
    ("prove", "-v", "false.json", "notes.md"),
    ("verify", "proof.json", "wrong.json"),
    ("convert", "example.npz", "another_file_with_a_rather_long_name.npz"),
    ("report", "attn(1)", "-o", "page.html"),
]


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with files for every command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name, data in (("true.json", IDENTITY), ("false.json", FALSE | {"id": LONG}), ("wrong.json", {"format": LONG})):
        Path(name).write_text(json.dumps(data))
    Path("notes.md").write_text(DOCUMENT)
    Path("proof.json").write_text(json.dumps(sc.prove_identity(IDENTITY).certificate))
    sc.Weights.random(sc.Transformer.parse("attn(2)"), seed=0).save("example.npz")
    return tmp_path


@pytest.fixture
def in_terminal(monkeypatch) -> None:
    """Standard output is a terminal of 80 columns."""
    for module in (
        terminal,
        *(
            sys.modules[f"symbolic_circuits.cli.{name}"]
            for name in loaded()
            if hasattr(sys.modules[f"symbolic_circuits.cli.{name}"], "is_terminal")
        ),
    ):
        monkeypatch.setattr(module, "is_terminal", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm-256color")


def loaded() -> list[str]:
    """The modules of the command line, imported."""
    for name in COMMANDS:
        __import__(f"symbolic_circuits.cli.{name}")
    return [name.split(".")[-1] for name in sys.modules if name.startswith("symbolic_circuits.cli.")]


# what is printed


def test_every_command_is_here() -> None:
    assert {words[0] for words in WORDS} == set(COMMANDS)


@pytest.mark.parametrize("words", WORDS, ids=lambda words: " ".join(words)[:40])
def test_80_columns(words: tuple[str, ...], folder: Path, in_terminal: None) -> None:
    code, text = run(*words)
    assert code == (1 if "false.json" in words or "wrong.json" in words else 0), text
    wide = [line for line in ESCAPE.sub("", text).split("\n") if cell_len(line) > 80]
    assert not [line for line in wide if len(line.split()) > 1]  # a name of more than a line is one word
    assert text.isascii() or words[0] in ("derive", "terms", "rank", "explain", "graded", "ablate", "prove")


@pytest.mark.parametrize("words", [("terms", "attn(2) bilinear", "--notation", "operator"), ("derive", "attn(2) bilinear")])
def test_formulas_have_the_signs_of_the_field_in_a_terminal_only(words: tuple[str, ...], request) -> None:
    assert "(x) W_U" in run(*words)[1]
    request.getfixturevalue("in_terminal")
    assert "⊗ W_U" in run(*words)[1]


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("TERM", "linux")])
def test_plain_terminals(name: str, value: str, in_terminal: None, monkeypatch) -> None:
    monkeypatch.setenv(name, value)
    assert "(x) W_U" in run("terms", "attn(2)", "--notation", "operator")[1]


def test_json_is_the_same_in_a_terminal(request) -> None:
    words = ("terms", "attn(2)", "--notation", "matrix", "--json")
    before = run(*words)
    request.getfixturevalue("in_terminal")
    assert run(*words) == before


@pytest.mark.parametrize("words", WORDS[:2] + WORDS[4:8], ids=str)
def test_lines_are_whole_in_a_pipe(words: tuple[str, ...], monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    text = run(*words)[1]
    assert "\x1b" not in text
    assert text.isascii() or "--steps" in words or "─" in text


def terminal_output(words: list[str], **environment: str) -> bytes:
    """What a command writes to a real terminal of 80 columns."""
    reading, writing = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", f"from symbolic_circuits.cli import main\nmain({words!r})"],
        stdin=writing,
        stdout=writing,
        stderr=writing,
        env=os.environ | {"COLUMNS": "80", "TERM": "xterm-256color"} | environment,
    ) as process:
        os.close(writing)
        parts = []
        while True:
            try:
                parts.append(os.read(reading, 65536))
            except OSError:  # the other end is closed
                break
            if not parts[-1]:
                break
    os.close(reading)
    assert process.returncode == 0
    return b"".join(parts)


def test_no_color(folder: Path) -> None:
    environment = {name: "" for name in ("CI", "FORCE_COLOR") if name in os.environ}
    assert b"\x1b[32mproved" in terminal_output(["prove", "true.json"], **environment)
    plain = terminal_output(["prove", "true.json"], NO_COLOR="1", **environment)
    assert b"proved" in plain and not re.search(rb"\x1b\[[0-9;]*3[0-9]", plain)


@pytest.mark.parametrize(("encoding", "tty"), [("ascii", True), ("latin-1", False), ("latin-1", True), ("utf-8", True)])
def test_signs_that_the_encoding_lacks_are_escapes(encoding: str, tty: bool, folder: Path, monkeypatch) -> None:
    Path("Σ₀.md").write_text(DOCUMENT)
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding, write_through=True))
    if tty:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert main(["prove", "Σ₀.md"], standalone_mode=False) == 1  # A B = B A is in it
    assert ("Σ₀.md" if encoding == "utf-8" else r"\u03a3\u2080.md") in out.getvalue().decode(encoding)


@pytest.mark.parametrize("words", WORDS[:1] + WORDS[4:5], ids=str)
def test_closed_streams(words: tuple[str, ...], monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert main(list(words), standalone_mode=False) in (0, None)


# laws of the parts


@pytest.mark.parametrize("width", [12, 20, 30, 46, 80])
def test_folding_loses_nothing(width: int) -> None:
    name = str(sc.path_expansion("(attn(2) bilinear)*3")[-1])
    lines = folded(name, width)
    assert "".join("".join(lines).split()) == "".join(name.split())
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("line", ["", "  a", "  remainder 3e-07 of the forward pass with these patterns", "x" * 50])
def test_wrapping_keeps_words_and_indentation(line: str) -> None:
    lines = wrapped(line, 24).split("\n")
    assert " ".join(lines).split() == line.split()
    assert lines[0].startswith(line[: len(line) - len(line.lstrip())])
    assert all(part.startswith("    ") for part in lines[1:])


def test_heads_are_as_wide_as_their_words() -> None:
    assert headed("share of answer's margin", [5]).split("\n") == ["share of", "answer's", "margin"]
    assert headed("norm", [9]) == "norm"


def test_shared_room() -> None:
    assert inputs.shared_out([10, 90, 50], 90) == [10, 40, 40]
    assert sum(inputs.shared_out([100, 100, 100], 80)) <= 80


# names that are not meant to be obeyed


@pytest.mark.parametrize("tty", [False, True])
def test_tables_print_markup_and_escapes_as_they_are(tty: bool, request, capsys) -> None:
    if tty:
        request.getfixturevalue("in_terminal")
    table(HOSTILE, [HOSTILE, "a"], [[HOSTILE, "1"]])
    text = capsys.readouterr().out
    assert "\x1b[31m" not in text and "\u202e" not in text
    assert text.count("[bold red]x[/]") == 3 and r"\x1b[31m" in text


@pytest.mark.parametrize("tty", [False, True])
@pytest.mark.parametrize("verbose", [(), ("-v",)])
def test_hostile_identities_and_documents(tty: bool, verbose: tuple[str, ...], folder: Path, request) -> None:
    if tty:
        request.getfixturevalue("in_terminal")
    Path("hostile.json").write_text(json.dumps(FALSE | {"id": HOSTILE + "\nfine\tproved"}))
    Path("hostile[red].md").write_text(DOCUMENT + "\n" + HOSTILE + "\n\n$$ A = \\text{" + HOSTILE + "} $$\n")
    code, text = run("prove", *verbose, "hostile.json", "hostile[red].md")
    assert code in (1, 2) and "\x1b[31m" not in text and "\u202e" not in text and "\nfine\tproved" not in text


def test_hostile_file_names(folder: Path, in_terminal: None) -> None:
    name = "a\x1b[31m\nwrote b.json"
    code, text = run("graph", "attn(1)", "-o", name)
    assert code == 0 and text.startswith(r"wrote a\x1b[31m\nwrote b.json") and "\x1b" not in text


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("terms", f"attn({HOSTILE})"), 2),
        (("terms", "attn(2)", "--where", HOSTILE), 2),
        (("ablate", HOSTILE), 2),
        (("rank", "--tokens", HOSTILE), 2),
        (("prove", f"{HOSTILE}.json"), 2),
        (("terms", "attn(2)"), 0),
    ],
)
def test_hostile_words_in_messages(words: tuple[str, ...], code: int) -> None:
    found, text = run(*words)
    assert found == code and "\x1b" not in text and "\u202e" not in text


# help


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_an_example_and_fits(name: str) -> None:
    code, text = run(name, "--help")
    assert code == 0 and "Examples:" in text
    assert re.search(rf"^    symbolic-circuits {name}\b", text, re.MULTILINE)
    assert max(map(len, text.split("\n"))) <= 80


def test_help_says_the_exit_codes() -> None:
    assert "0 all as claimed; 1 something is not; 2 wrong usage or input; 3" in run("--help")[1]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("check", "attn(1)"), 0),
        (("prove", "true.json"), 0),
        (("prove", "false.json"), 1),
        (("verify", "wrong.json"), 1),
        (("check", "attn("), 2),
        (("check", "attn(1)", "--limit", "x"), 2),
        (("check", "(attn(12) bilinear)*4"), 3),
    ],
)
def test_exit_codes(words: tuple[str, ...], code: int, folder: Path) -> None:
    assert run(*words)[0] == code
