"""Whatever the bytes, splitting a document gives parts with places in it, or DocumentError with file and line, in a short time."""

import os
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic_circuits.documents.parts import Display, Document
from symbolic_circuits.documents.reading import read_document, split_document
from symbolic_circuits.errors import DocumentError

PIECES = [
    "$$", "$", "`", "```", "````", "~~~", "```math", "```symbols", "\n", "\n\n", "> ", "- ", "1. ", "    ", "\t", "# ", "## A7 ", "---", "===",
    "<!--", "-->", " symbols", "not checked: x", "not checked A1: x", "tested A1: a.py::b", "**A7.** ", "a = b", "\\", "\\$", "\\newcommand",
    "{", "}", "<pre>", "</pre>", "|", "%", "% symbols\n", "\\[", "\\]", "\\(", "\\)", "\\begin{", "equation", "\\end{", "document", "verbatim",
    "comment", "\\section{", "\\iffalse", "\\fi", "\\verb|", "\\textbf{A7", "\\tag{", "\\label{", "\r\n", "\u2028", "\ufeff", "\0", "é",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)
NAMES = st.sampled_from(["a.md", "a.tex"])


def split(name: str, data: bytes) -> Document | None:
    """A document, its parts checked; None where it is refused."""
    try:
        document = split_document(name, data)
    except DocumentError as error:
        assert re.match(rf"{re.escape(name)}:[0-9]+: ", str(error))
        return None
    lines = data.decode().removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for part in document.parts:
        assert 1 <= part.line <= len(lines)
        if isinstance(part, Display):
            assert part.source == part.source.strip() != ""
            first = part.source.split("\n")[0]
            place = lines[part.line - 1][part.column - 1 :]
            assert place.startswith(first) or "%" in place
    return document


@settings(max_examples=400)
@given(TEXTS, NAMES)
def test_texts_made_of_marks(text: str, name: str) -> None:
    split(name, text.encode())


@settings(max_examples=150)
@given(st.binary(max_size=200), NAMES)
def test_bytes(data: bytes, name: str) -> None:
    split(name, data)


@settings(max_examples=150)
@given(TEXTS, NAMES)
def test_a_display_behind_closed_text_is_found(text: str, name: str) -> None:
    """Either the text before it leaves something open, or the display is found."""
    before = split(name, text.encode())
    after = split(name, f"{text}\n\n## Last\n\n$$ c = d $$\n".encode())
    if before is not None and after is not None and name == "a.md":
        assert "c = d" in after.parts[-1].source


LONG = ["- ", "> ", "`", "` ``", "$", "$$ ", "# ", "#", "\\", "<!--", "<pre>", "```\n", "not checked ", "**A7.** ", "{", "\\begin{equation}", "%",
        "\\newcommand{\\x}{", "\\[", "\\iffalse ", "a,", " ", "\n", "\\verb", "$a", "[", "\\section[", "| "]  # fmt: skip


@pytest.mark.parametrize("name", ["a.md", "a.tex"])
@pytest.mark.parametrize("piece", LONG)
def test_long_texts_take_a_short_time(piece: str, name: str) -> None:
    count = 50_000 // len(piece)
    for text in (piece * count, f"# {piece * count}x", f"<!-- not checked {piece * count} -->", f"a{piece * count}b"):
        start = time.process_time()
        split(name, text.encode())
        assert time.process_time() - start < 4  # what is quadratic takes minutes


WRONG = [
    ("a.md", b"x\n\xff", "a.md:2: not UTF-8 text: byte 0xff"),
    ("a.md", b"\x80", "a.md:1: not UTF-8 text: byte 0x80"),
    ("a.txt", b"x", "a.txt: a document ends in .md, .markdown, .tex"),
    ("a", b"x", "a: a document ends in"),
]


@pytest.mark.parametrize(("name", "data", "message"), WRONG)
def test_what_is_no_document(name: str, data: bytes, message: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(message)):
        split_document(name, data)
    assert split_document("a.md", data.replace(b"\xff", b"").replace(b"\x80", b"")).name == "a.md"


def test_files(tmp_path) -> None:
    path = tmp_path / "a.md"
    with pytest.raises(DocumentError, match=r"a\.md: there is no such file"):
        read_document(path)
    path.mkdir()
    with pytest.raises(DocumentError, match=r"a\.md: is no file"):
        read_document(path)
    path = tmp_path / "b.tex"
    path.write_bytes(b"x")
    assert read_document(path).parts == ()
    os.truncate(path, 50_000_000)
    with pytest.raises(DocumentError, match=r"b\.tex: the file has 50,000,000 bytes; a document has at most 10,000,000"):
        read_document(path)
