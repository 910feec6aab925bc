"""Comments that speak to the checker, and the ids of statements: ``A7`` in bold, or ``id: name``.

```
not checked: reason                     before a display: it is listed, not read
not checked A13, A14: reason            statements without an equation
tested A13: tests/a.py::test_pairs      statements that a test stands for
id: name                                the id of what follows, up to the next heading
```
"""

import re
from typing import NamedTuple

from symbolic_circuits.documents.parts import Malformed, Pointer, Unchecked

__all__ = ["ID", "Name", "cleaned_id", "explicit_id", "read_remark"]

ID = r"[A-Z]\d{1,3}[a-z]?(?![^\W_]|-)"  # A7, B24
NAMES = r"[^\s,]+(?:\s*,\s*[^\s,]+)*"
UNCHECKED = re.compile(rf"not\s+checked(?:\s+(?P<ids>{NAMES}?))?\s*:\s+(?P<reason>\S.*)", re.DOTALL)
TESTED = re.compile(rf"tested\s+(?P<ids>{NAMES}?)\s*:\s+(?P<tests>\S.*)", re.DOTALL)
NAMED = re.compile(r"id:\s*(?P<id>\S+)\s*")
LIKE_UNCHECKED = re.compile(r"not[\s-]+checked\b", re.IGNORECASE)
LIKE_TESTED = re.compile(r"tested\b.*(?:\.py|::)", re.IGNORECASE | re.DOTALL)
EXPLICIT = re.compile(r"(?<!\\)(?:\\\\)*\\(?:tag\*?|label)\s*\{(?P<id>[^{}]*)\}")
MAX_ID = 80


class Name(NamedTuple):
    """The id of what follows."""

    id: str


def read_remark(text: str, line: int) -> list[Unchecked | Pointer | Malformed | Name]:
    """What a comment says to the checker; nothing where it speaks to people.

    >>> read_remark(" not checked A13: a count ", 4)
    [Unchecked(id='A13', reason='a count', line=4)]
    >>> read_remark("to do: shorten", 4)
    []
    """
    text = text.strip()
    if found := UNCHECKED.fullmatch(text):
        reason = one_line(found["reason"])
        return [Unchecked(id, reason, line) for id in ids_of(found["ids"])]
    if found := TESTED.fullmatch(text):
        return [Pointer(id, one_line(found["tests"]), line) for id in ids_of(found["ids"]) if id]
    if found := NAMED.fullmatch(text):
        return [Name(cleaned_id(found["id"]))]
    if LIKE_UNCHECKED.match(text):
        return [Malformed(one_line(text)[:200], "'not checked: reason' before a display, or 'not checked A13: reason'", line)]
    if LIKE_TESTED.match(text):
        return [Malformed(one_line(text)[:200], "'tested A13: tests/test_file.py::test_name'", line)]
    return []


def ids_of(text: str | None) -> list[str | None]:
    """The ids of a list with commas; None where there is none."""
    return [cleaned_id(part) for part in text.split(",")] if text else [None]


def cleaned_id(text: str) -> str:
    """An id as the name of a test item: one line, without what separates the parts of such names."""
    text = one_line(text).replace("::", ":").replace("[", "(").replace("]", ")")
    return "".join(c if c.isprintable() else "?" for c in text)[:MAX_ID]


def explicit_id(source: str) -> str | None:
    r"""The id that a display names itself, by ``\tag`` or ``\label``.

    >>> explicit_id(r"A = B \tag{A7}")
    'A7'
    """
    found = EXPLICIT.search(source)
    return cleaned_id(found["id"]) or None if found else None


def one_line(text: str) -> str:
    """Text with single spaces."""
    return " ".join(text.split())
