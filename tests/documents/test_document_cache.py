"""The cache of documents: nothing that could have changed is taken from it, what is damaged is ignored, a hit needs no SymPy."""

import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from symbolic_circuits.documents import cache as caching
from symbolic_circuits.documents import proving
from symbolic_circuits.documents.cache import Cache, code_hash, user_folder
from symbolic_circuits.documents.checking import check_document, open_document

TEXT = r"""<!-- symbols A, B : n x n -->

**A1.** $$ (A B)^\top = B^\top A^\top \neq A^\top B^\top $$

<!-- not checked A2: a count -->
<!-- tested A3: test_a.py::test_b -->
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "a.md").write_text(TEXT)
    (tmp_path / "test_a.py").write_text("def test_b(): pass")
    return tmp_path / "a.md"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch) -> Cache:
    monkeypatch.setattr(caching, "has_changed", lambda since: False)  # whatever is edited while tests run
    return Cache(tmp_path / "cache")


@pytest.fixture
def decided(monkeypatch) -> list[str]:
    """The sources of the claims that were decided."""
    seen, prove = [], proving.verdict_on
    monkeypatch.setattr(proving, "verdict_on", lambda claim, seed=0: seen.append(claim.source) or prove(claim, seed))
    return seen


def test_a_document_is_proved_once(path: Path, cache: Cache, decided: list) -> None:
    first = check_document(path, cache=cache)
    assert first.is_ok and len(decided) == 2
    assert check_document(path, cache=cache) == first and len(decided) == 2
    assert check_document(path) == first and len(decided) == 4
    assert check_document(path, cache=cache, seed=1) == first and len(decided) == 6


def test_one_character_is_another_document(path: Path, cache: Cache, decided: list) -> None:
    check_document(path, cache=cache)
    for k in range(len(TEXT)):
        assert cache.load(cache.key("a.md", (TEXT[:k] + "~" + TEXT[k + 1 :]).encode())) == []
    path.write_text(TEXT.replace("= B^", "= A^"))
    assert not check_document(path, cache=cache).is_ok and len(decided) == 4


def test_another_kind_is_another_document(cache: Cache) -> None:
    assert cache.key("a.md", b"x") != cache.key("a.tex", b"x") and cache.key("a.md", b"x") == cache.key("b.MD", b"x")


def test_the_code_is_in_the_key(path: Path, cache: Cache, monkeypatch, tmp_path: Path) -> None:
    before = code_hash()
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "a.py").write_text("x = 1")
    (package / "inner" / "b.py").write_text("")
    hashes = set()

    def hashed() -> str | None:
        code_hash.cache_clear()
        return code_hash()

    monkeypatch.setattr(caching, "PACKAGE", package)
    try:
        hashes.add(hashed())
        (package / "a.py").write_text("x = 2")
        hashes.add(hashed())
        (package / "a.py").rename(package / "c.py")
        hashes.add(hashed())
        monkeypatch.setattr(caching, "version", lambda name: f"{name} 0")
        hashes.add(hashed())
        monkeypatch.setattr(sys, "version_info", (3, 99))
        hashes.add(hashed())
        assert len(hashes) == 5 and None not in hashes
        monkeypatch.setattr(caching, "PACKAGE", tmp_path / "nowhere")
        assert hashed() is None and Cache(tmp_path).key("a.md", b"") is None
    finally:
        monkeypatch.undo()
        assert hashed() == before


def test_nothing_is_kept_when_the_code_has_changed(path: Path, tmp_path: Path, monkeypatch) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "a.py").write_text("x = 1")
    assert code_hash()
    monkeypatch.setattr(caching, "PACKAGE", package)
    monkeypatch.setattr(caching, "code_hash", fresh := functools.cache(code_hash.__wrapped__))
    assert fresh() and caching.has_changed(0) and not caching.has_changed(time.time() + 10)
    (package / "a.py").write_text("x = 2")
    assert caching.has_changed(time.time() + 10)
    assert check_document(path, cache=Cache(tmp_path / "cache")).is_ok and not (tmp_path / "cache").exists()


def test_failures_are_not_kept(path: Path, cache: Cache, decided: list) -> None:
    path.write_text(TEXT + "\n\n$$ A B = B A $$")
    for total in (3, 4):
        report = check_document(path, cache=cache)
        assert [result.is_ok for result in report.results] == [True, True, True, True, False]
        assert report.results[-1].explanation and len(decided) == total


def test_tests_are_looked_up_anew(path: Path, cache: Cache) -> None:
    assert check_document(path, cache=cache).is_ok
    (path.parent / "test_a.py").write_text("")
    report = check_document(path, cache=cache)
    assert [result.id for result in report.results if not result.is_ok] == ["A3"]
    (path.parent / "test_a.py").write_text("def test_b(): pass")
    assert check_document(path, cache=cache).is_ok


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[:-5],
        lambda text: "",
        lambda text: "[]",
        lambda text: "{}",
        lambda text: "[1]",
        lambda text: "[" * 100_000,
        lambda text: text.replace('"line": 3', '"line": "3"'),
        lambda text: text.replace('"ok"', '"fine"'),
        lambda text: text.replace('"ok"', '"failed"'),
        lambda text: text.replace('"words"', '"word"'),
        lambda text: json.dumps(json.loads(text) | {"results": []}),
        lambda text: text.replace("counterexample at n = 2", "counterexample at n = 3"),
        lambda text: json.dumps(json.loads(text)["results"]),
        lambda text: "\ud800".join(text).encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_damaged_entries(path: Path, cache: Cache, decided: list, damage) -> None:
    first = check_document(path, cache=cache)
    [entry] = cache.folder.iterdir()
    entry.write_text(damage(entry.read_text()), encoding="utf-8")
    assert check_document(path, cache=cache) == first
    assert check_document(path, cache=cache) == first


def test_processes_that_share_the_work(path: Path, cache: Cache, decided: list) -> None:
    for k, writer in enumerate(("gw0", "gw1")):
        opened = open_document(path, cache=Cache(cache.folder, writer))
        opened.result(k)
        opened.keep()
    assert len(decided) == 2 and len(list(cache.folder.iterdir())) == 2
    assert check_document(path, cache=cache).is_ok and len(decided) == 2


def test_folders_that_cannot_be_written(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert check_document(path, cache=Cache(tmp_path / "file")).is_ok
    assert check_document(path, cache=Cache(tmp_path / "file" / "inner")).is_ok


def test_old_entries_are_removed(path: Path, cache: Cache, monkeypatch) -> None:
    monkeypatch.setattr(caching, "MAX_ENTRIES", 4)
    cache.folder.mkdir()
    for k in range(6):
        (cache.folder / f"{k}.json").write_text("")
        os.utime(cache.folder / f"{k}.json", (k, k))
    check_document(path, cache=cache)
    left = {entry.name for entry in cache.folder.iterdir()}
    assert {"2.json", "5.json"} <= left and not {"0.json", "1.json"} & left and len(left) == 5


def test_folder_of_the_user(monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x/cache")
    assert user_folder() == Path("/x/cache/symbolic_circuits")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert user_folder() == Path("/home/somebody/.cache/symbolic_circuits")


def test_a_hit_needs_no_sympy(path: Path, cache: Cache) -> None:
    code = (
        "import sys\nfrom symbolic_circuits.documents.checking import check_document\nfrom symbolic_circuits.documents.cache import Cache\n"
        f"report = check_document({str(path)!r}, cache=Cache({str(cache.folder)!r}))\n"
        "print(report.is_ok, len(report.results), sorted({'sympy', 'lark', 'numpy', 'networkx'} & set(sys.modules)))"
    )
    for _ in range(2):
        found = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
        )
    assert found.stdout == "True 4 []\n", found.stderr
