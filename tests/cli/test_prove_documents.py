"""``symbolic-circuits prove FILE.md FILE.tex``: table, counts, exit codes, JSON, explanations, the cache."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from identity_texts import identity

from symbolic_circuits.cli import main
from symbolic_circuits.cli.prove_documents import is_open
from symbolic_circuits.documents import cache, results

SYMBOLS = "<!-- symbols A, B : n x n; x : n; f : function -->\n\n"
CLAIMS = {
    "proved": r"**A1.** $$ (A B)^\top = B^\top A^\top $$",
    "negated": r"**A2.** $$ A B \neq B A $$",
    "refuted": "**A3.** $$ A B = B A $$",
    "undecided": "**A4.** $$ f(A x) = A f(x) $$",
    "unreadable": "**A5.** $$ A = Q $$",
    "listed": "<!-- not checked A6: a count -->",
    "tested": "<!-- tested A7: a.md -->",
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "has_changed", lambda since: False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(*claims: str, name: str = "a.md") -> str:
    Path(name).write_text(SYMBOLS + "\n\n".join(CLAIMS[claim] for claim in claims))
    return name


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, ["prove", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


CODES = [
    (["proved", "negated", "listed", "tested"], 0),
    (["listed"], 0),
    (["proved", "refuted"], 1),
    (["proved", "undecided"], 3),
    (["undecided", "refuted"], 1),
    (["unreadable", "undecided"], 1),
    ([], 1),
]


@pytest.mark.parametrize(("claims", "code"), CODES)
def test_exit_codes(claims: list[str], code: int) -> None:
    assert run(write(*claims)).exit_code == code
    assert run(write(*claims)).exit_code == code


def test_lines_in_a_pipe() -> None:
    found = run(write("proved", "negated", "refuted", "unreadable", "listed", "tested"))
    lines = [line.split("\t") for line in found.stdout.splitlines()]
    assert [line[:4] for line in lines] == [
        ["a.md::A1", "3", "=", "proved"],
        ["a.md::A2", "5", "!=", "refuted"],
        ["a.md::A3", "7", "=", "FAILED: refuted"],
        ["a.md::A5", "9", "display", "FAILED: error"],
        ["a.md::A6", "11", "", "not checked"],
        ["a.md::A7", "13", "tested", "tested"],
    ]
    assert lines[2][4].startswith("counterexample at n = 2; fix: ") and lines[4][4] == "a count"
    assert found.stderr == "1 proved, 1 refuted as claimed, 2 failed, 1 tested, 1 not checked in 1 document\n"


def test_verbose() -> None:
    assert "lhs - rhs" not in run(write("refuted")).stdout
    text = run("-v", write("proved", "refuted", "unreadable")).stdout
    assert "a.md:5: A3: counterexample at n = 2" in text and "\n  A B = B A\n" in text and "lhs - rhs = A*B - B*A" in text
    assert (
        "it would be proved with one edit" in text and "a.md:7: A5: line 7, column 16: Q is not declared" in text and "^" in text
    )


def test_json() -> None:
    found = run("--json", write("proved", "refuted"))
    data = json.loads(found.stdout)
    assert [(item["document"], item["id"], item["status"], item["verdict"]) for item in data] == [
        ("a.md", "A1", "ok", "proved"),
        ("a.md", "A3", "failed", "refuted"),
    ]
    assert data[1]["source"] == "A B = B A" and "lhs - rhs" in data[1]["explanation"] and found.stderr == ""


def test_several_files_and_identities() -> None:
    Path("i.json").write_text(json.dumps(identity("ij,ji-> A B", "ij,ji-> B A", "A:n,m B:m,n") | {"id": "trace"}))
    Path("b.tex").write_text("% symbols\n% A : n x n\n\\[ A = A \\]")
    found = run(write("proved"), "i.json", "b.tex")
    assert found.exit_code == 0
    assert [line.split("\t")[0] for line in found.stdout.splitlines()] == ["trace", "a.md::A1", "b.tex::line-3"]
    assert "2 proved" in found.stderr and "in 2 documents" in found.stderr
    assert [item["id"] for item in json.loads(run("--json", "a.md", "i.json", "b.tex").stdout)] == ["trace", "A1", "line-3"]
    write("refuted", name="c.md")
    write("undecided", name="d.md")
    assert run("i.json", "d.md").exit_code == 3 and run("c.md", "i.json", "d.md").exit_code == 1


def test_patterns() -> None:
    write("proved"), write("negated", name="b.md")
    assert [line.split("\t")[0] for line in run("*.md").stdout.splitlines()] == ["a.md::A1", "b.md::A2"]
    assert run(str(Path("?.md").resolve())).exit_code == 0
    found = run("*.tex")
    assert found.exit_code == 2 and "no file matches *.tex" in found.stderr
    Path("[x].md").write_text(SYMBOLS + CLAIMS["proved"])
    assert "[x].md::A1" in run("[x].md").stdout


WRONG = [
    ("$$ A", "a.md:1: the display $$ has no end"),
    ("```math\n", "a.md:1: the fence ```math has no end"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_wrong_input(text: str, message: str) -> None:
    Path("a.md").write_text(text)
    found = run("a.md")
    assert found.exit_code == 2 and f"error: {message}" in found.stderr and not found.stdout
    assert run("none.md").exit_code == 2


def test_wrong_usage() -> None:
    found = run(write("proved"), "--certificates", "certificates")
    assert found.exit_code == 2 and "--certificates are of identity files; a.md is a document" in found.stderr
    Path("d.md").mkdir()
    assert "d.md: is no file" in run("d.md").stderr


def test_cache(folder: Path) -> None:
    write("proved", "listed")
    assert run("--no-cache", "a.md").exit_code == 0 and not (folder / "cache").exists()
    assert run("--seed", "3", "a.md").exit_code == 0 and not (folder / "cache").exists()
    first = run("a.md").stdout
    [entry] = (folder / "cache" / "symbolic_circuits").iterdir()
    assert run("a.md").stdout == first and entry.exists()
    write("refuted")
    assert run("a.md").exit_code == 1


def test_a_hit_needs_no_sympy() -> None:
    write("proved", "negated", "tested")
    code = "import sys, atexit\natexit.register(lambda: print({'sympy', 'lark'} & set(sys.modules), file=sys.stderr))\n"
    code += "from symbolic_circuits.cli import main\nmain(['prove', 'a.md'])"
    environment = {"PYTHONPATH": ":".join(sys.path), "XDG_CACHE_HOME": str(Path("cache").resolve())}
    for _ in range(2):
        found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=100)
        assert found.returncode == 0 and found.stdout.count("\n") == 3
    assert found.stderr.endswith("set()\n")


def test_what_is_open() -> None:
    def failed(relation: str, verdict: str) -> results.Result:
        return results.Result("", "", 1, relation, "", "failed", verdict, "")

    assert is_open(failed("=", "undecided")) and is_open(failed("=", "holds_at")) and is_open(failed("!=", "undecided"))
    assert (
        not is_open(failed("!=", "holds_at")) and not is_open(failed("=", "refuted")) and not is_open(failed("display", "error"))
    )


def test_help() -> None:
    text = run("--help").stdout
    assert "paper.tex notes.md" in text and "--no-cache" in text and "\\neq" in text
