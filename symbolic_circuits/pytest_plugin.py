"""A plugin of pytest: documents are test files, each claim in them an item such as ``proofs/sharkey-2023.md::A7``.

Files are collected that match the option ``symbolic_circuits_files`` of the ini file: glob patterns relative to the root folder, in which
``**`` stands for any folders; by default none. Everything but pytest is imported when the first of them is collected.
"""

import re
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

__all__ = ["DocumentFile", "DocumentItem"]

OPTION = "symbolic_circuits_files"
STARTED = time.time()
PATTERNS = pytest.StashKey[list[re.Pattern]]()
WILD = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
OPENED = pytest.StashKey[list[Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of the ini file."""
    parser.addini(
        OPTION, "Documents whose equations are checked: glob patterns relative to the root folder.", type="args", default=[]
    )


def pytest_configure(config: pytest.Config) -> None:
    """The patterns, read once."""
    config.stash[PATTERNS] = [re.compile(translated(pattern)) for pattern in config.getini(OPTION)]
    config.stash[OPENED] = []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "DocumentFile | None":
    """A document, if a pattern matches its path."""
    patterns = parent.config.stash[PATTERNS]
    if not patterns or not file_path.is_relative_to(parent.config.rootpath):
        return None
    name = file_path.relative_to(parent.config.rootpath).as_posix()
    if any(pattern.fullmatch(name) for pattern in patterns):
        return DocumentFile.from_parent(parent, path=file_path)
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What became known is kept for the next run."""
    for opened in session.config.stash.get(OPENED, []):
        opened.keep()


def translated(pattern: str) -> str:
    """A glob pattern as a regular expression.

    >>> re.fullmatch(translated("proofs/**/*.md"), "proofs/a/b.md") is not None
    True
    """
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", pattern.removeprefix("./"))
    return "".join(WILD.get(part, re.escape(part)) for part in parts)


class DocumentFile(pytest.File):
    """A document."""

    def collect(self) -> Iterator["DocumentItem"]:
        """An item for each claim, and for each statement that is tested or not checked."""
        checking = import_module("symbolic_circuits.documents.checking")
        errors = import_module("symbolic_circuits.errors")
        name = self.path.relative_to(self.config.rootpath).as_posix()
        try:
            opened = checking.open_document(self.path, name=name, cache=cache_of(self.config))
        except errors.DocumentError as error:
            raise self.CollectError(str(error)) from error
        self.config.stash[OPENED].append(opened)
        for k, check in enumerate(opened.checks):
            yield DocumentItem.from_parent(self, name=check.id, nodeid=f"{self.nodeid}::{check.id}", opened=opened, number=k)


class DocumentItem(pytest.Item):
    """A claim, or a statement that is tested or not checked."""

    def __init__(self, *, opened: Any, number: int, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.opened, self.number = opened, number
        check = opened.checks[number]
        self.line = check.line
        if getattr(check, "status", "") == "not checked":
            self.add_marker(pytest.mark.skip(reason=f"not checked: {check.words}"))

    def runtest(self) -> None:
        """Decide the claim."""
        result = self.opened.result(self.number)
        if not result.is_ok:
            raise NotAsClaimed(import_module("symbolic_circuits.documents.results").failure_text(self.opened.name, result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *more: Any, **options: Any) -> Any:
        """What is wrong, without the stack of the checker."""
        if isinstance(excinfo.value, NotAsClaimed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *more, **options)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the claim stands."""
        return self.path, self.line - 1, self.name


class NotAsClaimed(Exception):
    """A claim that fails; the text is the report."""


def cache_of(config: pytest.Config) -> Any:
    """The cache in pytest's cache folder; None without pytest's cache."""
    if not hasattr(config, "cache") or config.cache is None:
        return None
    try:
        folder = config.cache.mkdir("symbolic_circuits")
    except OSError:
        return None
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    return import_module("symbolic_circuits.documents.cache").Cache(folder, worker, since=STARTED)
