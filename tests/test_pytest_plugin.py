"""The plugin of pytest, in processes of its own: what is collected, how failures read, the options of pytest that must work with it."""

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symbolic_circuits.pytest_plugin import translated

GOOD = r"""# Heads
<!-- symbols A, B, C : n x n -->

**A1.** $$ A (B C) = A B C $$

**A2.** $$ A B \neq B A = B A $$

<!-- not checked A3: an inequality -->
<!-- tested A4: tests/test_a.py::test_x -->
"""
BAD = GOOD + "\n**A5.** We claim\n\n$$\n  A B\n    = B A\n$$\n\n$$ A = Q $$\n"
TEST = "def test_x(): pass\n"


ENTRY = "[pytest11]\nsymbolic_circuits = symbolic_circuits.pytest_plugin\n"
SHOW_SYMPY = "import sys\ndef pytest_sessionfinish():\n    print('SYMPY', 'sympy' in sys.modules)\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder in which pytest finds the entry point, as of an installed package."""
    path = tmp_path_factory.mktemp("site")
    (path / "entry-1.dist-info").mkdir()
    (path / "entry-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: entry\nVersion: 1\n")
    (path / "entry-1.dist-info" / "entry_points.txt").write_text(ENTRY)
    return path


@pytest.fixture
def folder(tmp_path: Path, site: Path, monkeypatch) -> Path:
    """A project with a document."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *sys.path]))
    (tmp_path / "docs").mkdir()
    (tmp_path / "tests").mkdir()
    (tmp_path / "docs" / "good.md").write_text(GOOD)
    (tmp_path / "docs" / "other.md").write_text("# Not a document of mathematics\n")
    (tmp_path / "tests" / "test_a.py").write_text(TEST)
    (tmp_path / "pytest.ini").write_text("[pytest]\nsymbolic_circuits_files = docs/good.md docs/bad*.md\n")
    return tmp_path


def run(folder: Path, *words: str) -> tuple[int, str]:
    """Exit status and output of pytest in a folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))} | {
        "COLUMNS": "150"
    }
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:hypothesispytest", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=100)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def run_cached(site: Path):
    """Runs that share a cache, where the cache is not what is tested."""
    return lambda folder, *words: run(folder, "-o", f"cache_dir={site / 'cache'}", *words)


def test_items(folder: Path, run_cached) -> None:
    code, text = run_cached(folder)
    assert code == 0 and "5 passed, 1 skipped" in text
    for name in ("docs/good.md::A1", "docs/good.md::A2[1]", "docs/good.md::A2[2]", "docs/good.md::A4", "tests/test_a.py::test_x"):
        assert f"PASSED {name}\n" in text
    assert "docs/good.md: not checked: an inequality" in text and "other.md" not in text


def test_failures_are_short(folder: Path, run_cached) -> None:
    (folder / "docs" / "bad.md").write_text(BAD)
    code, text = run_cached(folder)
    assert code == 1 and "2 failed" in text
    assert "docs/bad.md:15: A5[1]: counterexample at n = 2; fix: " in text
    assert "  A B = B A\n  refuted at n = 2\n    lhs - rhs = A*B - B*A\n" in text and "it would be proved with one edit" in text
    assert "docs/bad.md:18: A5[2]: line 18, column 8: Q is not declared" in text
    assert "Traceback" not in text and re.search(r"\.py:[0-9]", text) is None and "pytest_plugin" not in text
    assert "FAILED docs/bad.md::A5[1] - docs/bad.md:15: A5[1]: counterexample" in text


def test_tests_that_are_not_there(folder: Path, run_cached) -> None:
    (folder / "tests" / "test_a.py").write_text("def test_y(): pass\n")
    code, text = run_cached(folder)
    assert code == 1 and "docs/good.md:9: A4: tests/test_a.py does not define test_x" in text


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"$$ A", "docs/bad.md:1: the display $$ has no end"), (b"x\n\xff", "docs/bad.md:2: not UTF-8 text")],
)
def test_documents_that_cannot_be_read(folder: Path, run_cached, content: bytes, message: str) -> None:
    (folder / "docs" / "bad.md").write_bytes(content)
    code, text = run_cached(folder)
    assert code == 2 and message in text and "Traceback" not in text


def test_a_document_without_checks_fails(folder: Path, run_cached) -> None:
    (folder / "docs" / "bad.md").write_text("# Prose\n")
    code, text = run_cached(folder)
    assert code == 1 and "there is nothing to check" in text


def test_nothing_is_collected_by_default(folder: Path, run_cached) -> None:
    (folder / "pytest.ini").write_text("[pytest]\n")
    code, text = run_cached(folder)
    assert code == 0 and "1 passed" in text


def test_without_the_plugin(folder: Path) -> None:
    code, text = run(folder, "-p", "no:symbolic_circuits")
    assert code == 0 and "1 passed" in text and "Unknown config option: symbolic_circuits_files" in text


def test_selection(folder: Path, run_cached) -> None:
    assert "1 passed" in run_cached(folder, "docs/good.md::A2[2]")[1]
    assert "2 passed" in run_cached(folder, "docs/good.md::A2")[1]
    assert "2 passed, " in run_cached(folder, "-k", "A2")[1]
    assert run_cached(folder, "docs/good.md::A9")[0] == 4
    assert "6 tests collected" in run_cached(folder, "--collect-only", "-q")[1]


def test_last_failed(folder: Path) -> None:
    (folder / "docs" / "bad.md").write_text(BAD)
    run(folder)
    text = run(folder, "--lf")[1]
    assert "2 failed" in text and "passed" not in text
    (folder / "docs" / "bad.md").write_text(BAD.replace("= B A\n", "= A B\n").replace("= Q", "= A"))
    assert "2 passed" in run(folder, "--lf")[1]


def entries(folder: Path) -> list[Path]:
    return sorted(folder.glob(".pytest_cache/d/symbolic_circuits/*.json"))


def test_cache(folder: Path) -> None:
    run(folder)
    [entry] = entries(folder)
    before = entry.stat().st_mtime_ns
    assert "5 passed, 1 skipped" in run(folder)[1] and entry.stat().st_mtime_ns == before
    (folder / "conftest.py").write_text(SHOW_SYMPY)
    assert "SYMPY False" in run(folder, "-s")[1]
    assert "SYMPY True" in run(folder, "-s", "--cache-clear")[1] and len(entries(folder)) == 1
    assert "SYMPY True" in run(folder, "-s", "-p", "no:cacheprovider")[1]
    (folder / "docs" / "good.md").write_text(GOOD + " ")
    assert "SYMPY True" in run(folder, "-s")[1] and len(entries(folder)) == 2


def test_cache_of_parts(folder: Path) -> None:
    run(folder, "-k", "A1")
    [entry] = entries(folder)
    assert [result and result["id"] for result in json.loads(entry.read_text())["results"]] == ["A1", None, None, "A3", "A4"]
    run(folder)
    assert None not in json.loads(entry.read_text())["results"]


@pytest.mark.skipif(importlib.util.find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_workers(folder: Path) -> None:
    (folder / "docs" / "bad.md").write_text(BAD)
    code, text = run(folder, "-n", "2")
    assert code == 1 and "2 failed, 9 passed, 2 skipped" in text
    (folder / "docs" / "bad.md").unlink()
    (folder / "conftest.py").write_text(SHOW_SYMPY)
    assert "SYMPY False" in run(folder, "-s")[1]


PATTERNS = [
    ("docs/*.md", ["docs/a.md", "docs/.md"], ["docs/b/a.md", "a.md", "docs/a.mdx", "xdocs/a.md"]),
    ("**/*.md", ["a.md", "docs/a.md", "a/b/c.md"], ["a.tex"]),
    ("docs/**", ["docs/a.md", "docs/b/c.tex"], ["docs", "a.md"]),
    ("./a?.md", ["ab.md"], ["a/.md", "a.md"]),
    ("a.md", ["a.md"], ["axmd", "b/a.md"]),
    ("a[1].md", ["a[1].md"], ["a1.md"]),
]


@pytest.mark.parametrize(("pattern", "same", "other"), PATTERNS)
def test_patterns(pattern: str, same: list[str], other: list[str]) -> None:
    assert [name for name in same + other if re.fullmatch(translated(pattern), name)] == same


def test_nothing_heavy_is_imported(folder: Path, run_cached) -> None:
    (folder / "pytest.ini").write_text("[pytest]\nsymbolic_circuits_files = papers/*.md\n")
    names = "{'sympy', 'lark', 'numpy', 'networkx', 'symbolic_circuits.documents'}"
    (folder / "conftest.py").write_text(
        f"import sys\ndef pytest_sessionfinish():\n    print('HEAVY', sorted({names} & set(sys.modules)))\n"
    )
    code, text = run_cached(folder, "-s")
    assert code == 0 and "HEAVY []" in text
