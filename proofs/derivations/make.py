"""Write the documents of this folder: ``python proofs/derivations/make.py`` from the root of the project.

Every derivation is replayed and proved before it is written.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sources import Document, Section, documents

from symbolic_circuits.report.derivations.latex import PREAMBLE, LatexWriter
from symbolic_circuits.report.derivations.markdown import MarkdownWriter
from symbolic_circuits.report.derivations.setting import Setting, TableRow, base_name, setting_of
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.writer import Writer

FOLDER = Path(__file__).parent


def files() -> Iterator[tuple[str, str]]:
    """Names and contents."""
    for document in documents():
        for section in document.sections:
            section.derivation.check()
        yield f"{document.name}.md", markdown(document)
        yield f"{document.name}.tex", latex(document)


def style_of(document: Document, number: int) -> Style:
    """How one section is written; labels are told apart by their section."""
    section = document.sections[number]
    return Style(prefix=f"{document.name}-{number}", activations=section.activations, detail=section.detail)


def shared(document: Document, writers: list[Writer]) -> Setting:
    """The letters of all sections, each once, with the meaning that a model or the document gives them."""
    rows = [row for writer in writers for row in setting_of(writer.derivation, writer.layout).rows]
    rows.sort(key=lambda row: row.meaning == ("",))  # rows of models first
    seen: set[str] = set()
    kept = []
    for row in rows:
        symbols = tuple(symbol for symbol in row.symbols if base_name(symbol) not in seen)
        seen.update(map(base_name, symbols))
        if symbols:
            known = document.letters.get(base_name(symbols[0]))
            kept.append(replace(row, symbols=symbols, meaning=row.meaning if known is None else (known,)))
    return Setting(("Attention patterns are held fixed. Indices count from 0.",), tuple(merged(kept)), ())


def merged(rows: list[TableRow]) -> Iterator[TableRow]:
    """Rows without shapes, which are sizes, as one."""
    sizes = [row for row in rows if not row.shape]
    if sizes:
        yield replace(sizes[0], symbols=tuple(symbol for row in sizes for symbol in row.symbols))
    yield from (row for row in rows if row.shape)


def own(writer: Writer) -> Setting:
    """The definitions of one section."""
    return Setting(("",), (), setting_of(writer.derivation, writer.layout).definitions)


def markdown(document: Document) -> str:
    """The document for reading on a Git host."""
    writers = [MarkdownWriter(s.derivation, style_of(document, k)) for k, s in enumerate(document.sections)]
    parts = [f"# {document.title}", document.text, f"Source: {document.source}.", *writers[0].setting(shared(document, writers))]
    for section, writer in zip(document.sections, writers, strict=True):
        parts += [f"## {section.title}", for_markdown(section.text), *writer.setting(own(writer)), writer.text()]
    return "\n\n".join(part for part in parts if part) + "\n"


def for_markdown(text: str) -> str:
    """Math in the form that GitHub reads whatever stands in it."""
    pieces = text.split("$")
    return "".join(f"$`{piece}`$" if k % 2 else piece for k, piece in enumerate(pieces))


def latex(document: Document) -> str:
    """The document for pdflatex."""
    writers = [LatexWriter(s.derivation, style_of(document, k)) for k, s in enumerate(document.sections)]
    parts = [
        PREAMBLE + r"\begin{document}",
        rf"\title{{{document.title}}}",
        r"\author{}\date{}\maketitle",
        document.text,
        f"Source: {document.source}.",
        writers[0].setting(shared(document, writers)),
    ]
    for section, writer in zip(document.sections, writers, strict=True):
        parts += [heading(section), section.text, writer.setting(own(writer)), writer.text()]
    return "\n\n".join(part for part in [*parts, r"\end{document}"] if part) + "\n"


def heading(section: Section) -> str:
    """The title of a section."""
    return rf"\section{{{section.title}}}"


if __name__ == "__main__":
    for name, text in files():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(name)
