"""Results of earlier runs, by the content of the document and of this package: a change of either is another key.

The key is a hash of the bytes of the document, of its kind, of all source files of the package, and of the versions of Python and of the
libraries that decide. An entry has a result for each check that was as claimed, and null for the others; it is plain JSON, and one that is
damaged is as good as none. Processes that share the work of a document write entries of their own under one key. A process keeps nothing
when a source file has changed since it started, for what it runs may not be what is there.
"""

import json
import os
import sys
import time
from functools import cache as once
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from symbolic_circuits.documents.reading import kind_of
from symbolic_circuits.documents.results import Check, Result
from symbolic_circuits.errors import OutputError
from symbolic_circuits.whole_file import write_whole

__all__ = ["Cache", "code_hash", "user_folder"]

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("lark", "networkx", "numpy", "opt_einsum", "sympy")
MAX_ENTRIES = 2000
LOADED = time.time()


def source_files() -> list[Path]:
    """The source files of the package."""
    return sorted(path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".lark"))


def has_changed(since: float) -> bool:
    """Whether a source file was written or replaced after a time, or is another than when it was hashed."""
    try:
        newest = max((max(state.st_mtime, state.st_ctime) for state in map(os.stat, source_files())), default=since)
    except OSError:
        return True
    return newest >= since or code_hash.__wrapped__() != code_hash()


@once
def code_hash() -> str | None:
    """A hash of everything that decides a verdict besides the document; None where the code is not there as files."""
    hashed = sha256(f"{sys.version_info[:2]}".encode())
    files = source_files()
    if not files:
        return None
    try:
        for path in files:
            data = path.read_bytes()
            hashed.update(f"\0{path.relative_to(PACKAGE).as_posix()}\0{len(data)}\0".encode() + data)
        for library in LIBRARIES:
            hashed.update(f"\0{library} {version(library)}".encode())
    except (OSError, PackageNotFoundError):
        return None
    return hashed.hexdigest()


def user_folder() -> Path | None:
    """Where the command line keeps results: $XDG_CACHE_HOME/symbolic_circuits, or the same in ~/.cache; None without a home."""
    chosen, home = os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser("~")
    if os.path.isabs(chosen):
        return Path(chosen) / "symbolic_circuits"
    return Path(home) / ".cache" / "symbolic_circuits" if os.path.isabs(home) else None


class Cache:
    """A folder of entries.

    Parameters
    ----------
    folder : is made when the first entry is written
    writer : a word that tells processes apart that write at the same time
    since : when the process started, or an early time in it
    """

    def __init__(self, folder: Path | str, writer: str = "", *, since: float = LOADED) -> None:
        self.folder = Path(folder)
        self.writer, self.since = writer, since

    def key(self, name: str, data: bytes) -> str | None:
        """The key of a document; None where nothing can be kept."""
        code = code_hash()
        return sha256(f"{code}\0{kind_of(name)}\0".encode() + data).hexdigest() if code else None

    def load(self, key: str | None) -> list[Result | None]:
        """The results of the checks of a document that are known, in its order; empty where none is."""
        found: list[Result | None] = []
        for path in sorted(self.folder.glob(f"{key}*.json")) if key else []:
            results = read_entry(path)
            if not found or len(results) == len(found):
                pairs = zip(found or [None] * len(results), results, strict=True)
                found = [old or new for old, new in pairs]
        return found

    def store(self, key: str | None, checks: list[Check]) -> None:
        """Keep those results that are as claimed; a folder that cannot be written is no error."""
        if not key or has_changed(self.since):
            return
        known = [check.to_data() if isinstance(check, Result) and check.is_ok else None for check in checks]
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(
                self.folder / f"{key}{self.writer and '-'}{self.writer}.json",
                json.dumps({"digest": digest(known), "results": known}),
                force=True,
            )
            self.prune()
        except (OSError, OutputError):
            return

    def prune(self) -> None:
        """Remove the oldest entries where there are very many."""
        paths = list(self.folder.glob("*.json"))
        if len(paths) > MAX_ENTRIES:
            paths.sort(key=lambda path: path.stat().st_mtime)
            for path in paths[: MAX_ENTRIES // 2]:
                path.unlink(missing_ok=True)


def read_entry(path: Path) -> list[Result | None]:
    """An entry; empty where it is damaged."""
    try:
        data = json.loads(path.read_bytes())
        if data["digest"] != digest(data["results"]):
            return []
        return [None if item is None else Result.from_data(item) for item in data["results"]]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def digest(results: list) -> str:
    """A hash of the results of an entry, by which damage shows."""
    return sha256(json.dumps(results, sort_keys=True).encode()).hexdigest()
