r"""Checking a document: from the cache where its content was seen before, otherwise by reading and proving.

What a cache knows needs no SymPy, so that the part that reads and proves is imported when something is not known.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from symbolic_circuits.documents.cache import Cache
from symbolic_circuits.documents.pointers import looked_up
from symbolic_circuits.documents.reading import kind_of, split_document
from symbolic_circuits.documents.results import Check, Pending, Report, Result
from symbolic_circuits.documents.source import read_bytes

__all__ = ["Opened", "check_document", "open_document"]


class Opened:
    """A document whose checks are decided one at a time, in any order; what the cache knows is decided."""

    def __init__(self, name: str, title: str, checks: list[Check], cache: Cache | None, key: str | None, known: int) -> None:
        self.name, self.title, self.checks = name, title, checks
        self.cache, self.key, self.known = cache, key, known

    def result(self, k: int) -> Result:
        """The result of check k."""
        check = self.checks[k]
        if isinstance(check, Pending):
            check = self.checks[k] = check.decide(check)
        return check

    def keep(self) -> None:
        """Write into the cache what it did not know."""
        found = sum(isinstance(check, Result) and check.is_ok for check in self.checks)
        if self.cache and found > self.known:
            self.cache.store(self.key, self.checks)
            self.known = found


def open_document(path: Path | str, *, name: str | None = None, cache: Cache | None = None, seed: int = 0) -> Opened:
    """A document with its checks, not yet decided.

    Parameters
    ----------
    name : of the document in messages; the path by default
    cache : of earlier results; None keeps none
    seed : of the search for counterexamples that satisfy laws

    Raises
    ------
    DocumentError
        The document cannot be read.
    """
    path, name = Path(path), str(path) if name is None else name
    kind_of(name)
    data = read_bytes(path, name)
    document = split_document(name, data)
    cache = None if seed else cache
    key = cache.key(name, data) if cache else None
    known = cache.load(key) if cache else []
    if known and None not in known:
        checks: list[Check] = [looked_up(path, result) for result in known if result]
    else:
        checks = import_module("symbolic_circuits.documents.proving").checks_in(document, path, seed)
        if len(known) == len(checks):
            pairs = zip(checks, known, strict=True)
            checks = [old if isinstance(new, Pending) and old and old.id == new.id else new for new, old in pairs]
    return Opened(name, document.title, checks, cache, key, sum(result is not None for result in known))


def check_document(
    path: Path | str,
    *,
    name: str | None = None,
    cache: Cache | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """The results of all checks of a document.

    Parameters
    ----------
    name, cache, seed : as of :func:`open_document`
    progress : is called with the number of checks that are decided, and of all

    Raises
    ------
    DocumentError
        The document is missing, no UTF-8 text, too large, or has a block without an end; a check that fails is no error but a result.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.md"
    ...     _ = path.write_text("<!-- symbols A, B : n x n -->\\n\\n**A1.** Products are turned: $$ (A B)^\\\\top = B^\\\\top A^\\\\top $$")
    ...     [(result.id, result.line, result.verdict) for result in check_document(path).results]
    [('A1', 3, 'proved')]
    """
    opened = open_document(path, name=name, cache=cache, seed=seed)
    for k in range(len(opened.checks)):
        opened.result(k)
        if progress:
            progress(k + 1, len(opened.checks))
    opened.keep()
    return Report(opened.name, opened.title, tuple(opened.result(k) for k in range(len(opened.checks))))
