"""A document is a sequence of parts: headings, blocks of declarations, displays of mathematics, and remarks to the checker.

| part | in Markdown | in LaTeX |
| --- | --- | --- |
| ``Heading`` | ``## Heads`` | ``\\section{Heads}`` |
| ``Symbols`` | a fence ```` ```symbols ````, a comment ``<!-- symbols ... -->`` | ``% symbols`` and the comment lines below it |
| ``Display`` | ``$$ ... $$``, a fence ```` ```math ```` | ``equation``, ``align``, ``\\[ \\]``, ``$$ ... $$`` ... |
| ``Unchecked`` | ``<!-- not checked A13: reason -->`` | ``% not checked A13: reason`` |
| ``Pointer`` | ``<!-- tested A13: tests/a.py::test_pairs -->`` | ``% tested A13: tests/a.py::test_pairs`` |
| ``Malformed`` | one of these that says nothing | |
"""

from dataclasses import dataclass

__all__ = ["Display", "Document", "Heading", "Malformed", "Part", "Symbols", "Pointer", "Unchecked"]


@dataclass(frozen=True, slots=True)
class Heading:
    """The start of a section, which ends before the next heading of its level or a smaller one."""

    level: int  # 1 is the outermost
    line: int
    is_title: bool = False  # a section that is the whole document


@dataclass(frozen=True, slots=True)
class Symbols:
    """Declarations, in force from here to the end of the section; a macro holds in all sections that are open."""

    text: str
    line: int
    is_macro: bool = False


@dataclass(frozen=True, slots=True)
class Display:
    """Mathematics that makes claims."""

    source: str
    line: int  # of the first character of the source
    column: int
    id: str | None  # of the statement that it belongs to
    reason: str | None = None  # why it is not checked


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A statement that is listed as not checked."""

    id: str | None
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Pointer:
    """A statement that tests stand for: ``tests/a.py::test_pairs``, several separated by commas."""

    id: str
    tests: str
    line: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A remark to the checker that cannot be read."""

    text: str
    expected: str
    line: int


Part = Heading | Symbols | Display | Unchecked | Pointer | Malformed


@dataclass(frozen=True, slots=True)
class Document:
    """A document as split: its parts in the order of their lines."""

    name: str  # the path as it was given, for messages
    title: str
    parts: tuple[Part, ...]
