"""A file -> a document: its parts, by the rules of Markdown or LaTeX as its name says."""

from pathlib import Path

from symbolic_circuits.documents.markdown import split_markdown
from symbolic_circuits.documents.parts import Document
from symbolic_circuits.documents.source import Source, read_bytes
from symbolic_circuits.documents.tex import split_tex
from symbolic_circuits.errors import DocumentError

__all__ = ["KINDS", "kind_of", "read_document", "split_document"]

KINDS = {".md": split_markdown, ".markdown": split_markdown, ".tex": split_tex}


def read_document(path: Path | str) -> Document:
    """The parts of a document.

    Raises
    ------
    DocumentError
        The file is no Markdown or LaTeX, is not there, is too large, is not UTF-8, or has a block without an end.
    """
    name = str(path)
    kind_of(name)
    return split_document(name, read_bytes(Path(path), name))


def kind_of(name: str) -> str:
    """The suffix of the name of a document."""
    suffix = Path(name).suffix.lower()
    if suffix not in KINDS:
        raise DocumentError(f"{name}: a document ends in {', '.join(KINDS)}")
    return suffix


def split_document(name: str, data: bytes) -> Document:
    r"""The parts of a document of which the bytes are known.

    >>> [type(part).__name__ for part in split_document("a.md", b"# Heads\n\n$$ A = A $$\n").parts]
    ['Heading', 'Display']
    """
    title, parts = KINDS[kind_of(name)](Source.decoded(name, data))
    return Document(name, title, parts)
