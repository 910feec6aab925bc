r"""LaTeX -> parts. Comments, verbatim text and what stands before ``\begin{document}`` make no claims; macros and declarations there hold.

One pass over the tokens that decide whether something is a display: comments, environments, dollars, headings, macros, ``\iffalse``.
Within a display comments are replaced by blanks, so that columns stay those of the file.
"""

import re
from collections.abc import Iterator

from symbolic_circuits.documents.macros import COMMAND, end_of_group, end_of_macro, is_macros
from symbolic_circuits.documents.parts import Display, Heading, Malformed, Part, Symbols, Unchecked
from symbolic_circuits.documents.remarks import ID, Name, explicit_id, read_remark
from symbolic_circuits.documents.source import Source

__all__ = ["split_tex"]

LEVELS = {
    name: k
    for k, name in enumerate(["part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph"], 1)
}
DISPLAYS = frozenset(
    ["equation", "align", "gather", "multline", "alignat", "flalign", "eqnarray", "displaymath"]
    + [
        "xalignat",
        "xxalignat",
        "dmath",
        "dgroup",
        "darray",
        "dseries",
        "IEEEeqnarray",
        "empheq",
        "numcases",
        "subnumcases",
        "mathpar",
    ]
)  # those that the reader does not know fail there, and are not passed over
VERBATIM = frozenset(
    ["verbatim", "Verbatim", "BVerbatim", "lstlisting", "minted", "alltt", "comment", "filecontents", "tikzpicture"]
)
FRESH = {
    "\\item",
    "\\par",
    "\\noindent",
    "\\indent",
    "\\smallskip",
    "\\medskip",
    "\\bigskip",
}  # after them a paragraph is as good as new
TOKEN = re.compile(
    r"(?P<comment>%)"
    r"|\\begin\s*\{(?P<begin>[^{}\n]*)\}"
    r"|\\end\s*\{(?P<end>[^{}\n]*)\}"
    r"|\\(?:url|path|nolinkurl|href)\s*\{(?P<address>[^{}\n]*)\}"
    r"|\\(?:input|include|subfile)(?![A-Za-z])\s*\{(?P<file>[^{}\n]*)\}"
    r"|\\(?:re)?newenvironment\*?\s*\{(?P<newenvironment>[^{}\n]*)\}"
    r"|\\(?:verb|lstinline)\*?(?![A-Za-z*])(?:\[[^\]\n]{0,200}\])?(?P<verb>[^\s])"
    rf"|\\(?P<heading>{'|'.join(LEVELS)})(?![A-Za-z])\*?\s*(?:\[[^\]\n]{{0,200}}\]\s*)?\{{"
    rf"|(?P<macro>{COMMAND})"
    r"|(?P<hidden>\\iffalse)(?![A-Za-z])"
    r"|(?P<bold>\\textbf)\s*\{"
    r"|(?P<display>\\\[|\$\$)"
    r"|(?P<inline>\\\(|\$)"
    r"|(?P<other>\\(?:[A-Za-z]+|.))"
    r"|(?P<blank>\n[ \t]*(?=\n))",
    re.DOTALL,
)
OPENER = re.compile(rf"\\begin\s*\{{\s*(?:{'|'.join(sorted(DISPLAYS))})\*?\s*\}}|(?<!\\)\\\[|\$\$")
OPTIONS = re.compile(r"\s*(?:\[[^\]\n]{0,200}\]\s*)*")
MACRO_NAME = re.compile(r"\\[A-Za-z]+\*?\s*\{?\s*\\([A-Za-z]+)")
CONDITIONAL = re.compile(r"\\(if[A-Za-z]*|else|fi)(?![A-Za-z])")
CLOSERS = {
    "\\[": re.compile(r"(?P<close>\\\])|\\.|%[^\n]*|(?P<end>\n[ \t]*(?=\n))", re.DOTALL),
    "$$": re.compile(r"(?P<close>\$\$)|\\.|%[^\n]*|(?P<end>\n[ \t]*(?=\n))", re.DOTALL),
    "\\(": re.compile(r"(?P<close>\\\))|\\.|%[^\n]*|(?P<end>\n[ \t]*(?=\n))", re.DOTALL),
    "$": re.compile(r"(?P<close>\$)|\\.|%[^\n]*|(?P<end>\n[ \t]*(?=\n))", re.DOTALL),
}
COMMENT = re.compile(r"\\.|%[^\n]*", re.DOTALL)
COMMENT_LINE = re.compile(r"[ \t]*%+")
BODY = re.compile(r"^[^%\n]*?\\begin\s*\{document\}", re.MULTILINE)
TITLE = re.compile(r"^[^%\n]*?\\title\s*(?:\[[^\]\n]{0,200}\]\s*)?(?=\{)", re.MULTILINE)
NAMED = re.compile(rf"\s*(?:\\textbf\s*\{{\s*)?(?P<id>{ID})")
NAMED_OPTION = re.compile(rf"\s*\[\s*(?P<id>{ID})")
LABEL = re.compile(r"\s*\\label\s*\{[^{}\n]*\}")
HIDES_DISPLAY = "displays with \\begin{equation} or \\[ where they stand; those that this macro opens are not seen"
SYMBOLS = re.compile(r"\s*symbols\s*:?\s*")


def split_tex(source: Source) -> tuple[str, tuple[Part, ...]]:
    r"""Title and parts of a document.

    >>> split_tex(Source("a.tex", "% symbols\n% A : n x n\n\\[ A = A \\tag{A7} \\]"))[1]
    (Symbols(text='\n  A : n x n', line=1, is_macro=False), Display(source='A = A \\tag{A7}', line=3, column=4, id='A7', reason=None))

    Raises
    ------
    DocumentError
        A display or an environment has no end; the message has the line where it starts.
    """
    reader = Reader(source)
    reader.read()
    return reader.title, tuple(reader.parts)


class Reader:
    """Reads token by token."""

    def __init__(self, source: Source) -> None:
        self.source, self.text = source, source.text
        self.pos = 0
        self.parts: list[Part] = []
        self.id: str | None = None
        self.mark: Unchecked | None = None  # a remark that waits for the display behind it
        self.is_fresh = True  # whether a paragraph starts here
        self.displays: set[str] = set()  # environments of the document's own that open a display
        self.in_body = BODY.search(self.text) is None
        found = TITLE.search(self.text)
        end = end_of_group(self.text, found.end()) if found else None
        self.title = " ".join(self.text[found.end() + 1 : end - 1].split()) if end else ""

    def read(self) -> None:
        """Read all tokens."""
        while found := TOKEN.search(self.text, self.pos):
            self.note_prose(found.start())
            self.pos = found.end()
            kind = found.lastgroup
            if kind == "end" and found["end"].strip() == "document" and self.in_body:
                break
            if kind in ("comment", "begin", "macro", "hidden", "verb", "newenvironment") or self.in_body:
                getattr(self, f"read_{kind}")(found)
        else:
            self.note_prose(len(self.text))
        self.drop_mark()

    def note_prose(self, end: int) -> None:
        """Text before a token."""
        if self.text[self.pos : end].strip(" \t\n{}[]~"):
            self.drop_mark()
            self.is_fresh = False

    # ---- tokens ----

    def read_comment(self, found: re.Match) -> None:
        """A comment: a block of declarations, a remark, or nothing to us."""
        start, end = found.start(), self.source.line_end(found.start())
        self.pos = end
        inside = self.text[start:end].lstrip("%")
        first = self.text.rfind("\n", 0, start) + 1
        if not self.text[first:start].strip() and SYMBOLS.fullmatch(inside):
            self.read_symbols(end)
            return
        self.remember(inside, self.source.line(start))

    def read_symbols(self, start: int) -> None:
        """The comment lines below, up to one that is a remark."""
        end = start
        while end < len(self.text) and (found := COMMENT_LINE.match(self.text, end + 1)):
            below = self.source.line_end(end + 1)
            inside = self.text[found.end() : below]
            if read_remark(inside, 0) or SYMBOLS.fullmatch(inside):
                break
            end = below
        lines = self.text[start:end].split("\n")
        text = "\n".join(COMMENT_LINE.sub(lambda mark: " " * len(mark.group()), line, count=1) for line in lines)
        self.parts.append(Symbols(text, self.source.line(start)))
        self.pos = end

    def remember(self, inside: str, line: int) -> None:
        """A remark."""
        for remark in read_remark(inside, line):
            if isinstance(remark, Name):
                self.id = remark.id
            elif isinstance(remark, Unchecked) and remark.id is None:
                self.drop_mark()
                self.mark = remark
            else:
                self.parts.append(remark)

    def read_begin(self, found: re.Match) -> None:
        """An environment."""
        name = found["begin"].strip()
        if name == "document" and not self.in_body:
            self.in_body = True
        elif name.removesuffix("*") in VERBATIM:
            self.skip_verbatim(name, found)
        elif (name.removesuffix("*") in DISPLAYS or name in self.displays) and self.in_body:
            end = self.end_of_environment(name, found)
            self.add_display(found.start(), end)
            self.pos = end
        elif self.in_body:
            self.drop_mark()
            named = NAMED_OPTION.match(self.text, self.pos)
            self.id = named["id"] if named else self.id
            self.is_fresh = True

    def skip_verbatim(self, name: str, found: re.Match) -> None:
        """What stands in an environment that is not typeset as it reads; a comment may hold declarations."""
        close = f"\\end{{{name}}}"
        end = self.text.find(close, found.end())
        if end < 0:
            raise self.source.error(found.start(), f"\\begin{{{name}}} has no {close}")
        inside = self.text[found.end() : end]
        if name == "comment" and (symbols := re.match(r"\s*symbols(?=\s|$)", inside)):
            at = found.end() + symbols.end()
            self.parts.append(Symbols(self.text[at:end], self.source.line(at)))
        elif name != "comment":
            self.drop_mark()
        self.pos = end + len(close)

    def end_of_environment(self, name: str, found: re.Match) -> int:
        """The offset behind the end of an environment."""
        close = re.compile(rf"(?P<close>\\end\s*\{{\s*{re.escape(name)}\s*\}})|\\.|%[^\n]*", re.DOTALL)
        for token in close.finditer(self.text, found.end()):
            if token["close"]:
                return token.end()
        raise self.source.error(found.start(), f"\\begin{{{name}}} has no \\end{{{name}}}")

    def read_end(self, found: re.Match) -> None:
        """The end of an environment that is no display."""
        self.drop_mark()
        self.is_fresh = True

    def read_verb(self, found: re.Match) -> None:
        """Verbatim text within a line."""
        self.drop_mark()
        end = self.text.find("}" if found["verb"] == "{" else found["verb"], found.end(), self.source.line_end(found.end()))
        self.pos = end + 1 if end >= 0 else found.end()

    def read_heading(self, found: re.Match) -> None:
        """A section starts."""
        self.drop_mark()
        self.parts.append(Heading(LEVELS[found["heading"]], self.source.line(found.start())))
        named = NAMED.match(self.text, found.end())
        self.id = named["id"] if named else None
        self.is_fresh = True
        end = end_of_group(self.text, found.end() - 1)
        if end is not None:
            labelled = LABEL.match(self.text, end)
            self.pos = labelled.end() if labelled else end

    def read_macro(self, found: re.Match) -> None:
        """A macro; one that cannot be read is left out, with its name."""
        end = end_of_macro(self.text, found.start())
        if end is not None:
            text = without_comments(self.text[found.start() : end])
            self.parts.append(Symbols(text, self.source.line(found.start()), is_macro=True))
            self.pos = end
            if OPENER.search(text) and self.is_used(MACRO_NAME.match(text), end):
                self.parts.append(Malformed(text[:200], HIDES_DISPLAY, self.source.line(found.start())))

    def is_used(self, macro: re.Match | None, start: int) -> bool:
        """Whether the macro that a definition names stands behind it."""
        return bool(macro and re.compile(rf"\\{macro[1]}(?![A-Za-z])").search(self.text, start))

    def read_newenvironment(self, found: re.Match) -> None:
        """An environment of the document's own; what it opens is read where it is used."""
        self.pos = OPTIONS.match(self.text, self.pos).end()
        start = self.pos
        for _ in range(2):  # what is put before, and behind
            end = end_of_group(self.text, self.pos + len(gap(self.text, self.pos)))
            if end is None:
                return
            if OPENER.search(self.text, start, end):
                self.displays.add(found["newenvironment"].strip())
            self.pos = end

    def read_address(self, found: re.Match) -> None:
        """An address, in which a percent sign is no comment."""
        self.read_other(found)

    def read_file(self, found: re.Match) -> None:
        """Another file, which is a document of its own."""
        self.drop_mark()
        reason = f"{found.group()}: the file is a document of its own, to be checked by itself"
        self.parts.append(Unchecked(None, reason, self.source.line(found.start())))
        self.is_fresh = True

    def read_hidden(self, found: re.Match) -> None:
        r"""Text up to the \else or \fi of \iffalse."""
        self.drop_mark()
        depth = 1
        for token in CONDITIONAL.finditer(self.text, found.end()):
            depth += -1 if token[1] == "fi" else 0 if token[1] == "else" else 1
            if depth == 0 or (depth == 1 and token[1] == "else"):
                self.pos = token.end()
                return
        raise self.source.error(found.start(), "\\iffalse has no \\fi")

    def read_bold(self, found: re.Match) -> None:
        """Bold words at the start of a paragraph may be an id."""
        self.drop_mark()
        named = re.compile(rf"\s*(?P<id>{ID})").match(self.text, found.end())
        if self.is_fresh and named:
            self.id = named["id"]
        self.is_fresh = False

    def read_display(self, found: re.Match) -> None:
        """A display in brackets or double dollars."""
        opened = found["display"]
        close = self.closer(opened, found.end())
        if close is None:
            raise self.source.error(found.start(), f"the display {opened} has no end before its paragraph ends")
        self.add_display(found.end(), close.start())
        self.pos = close.end()

    def read_inline(self, found: re.Match) -> None:
        """Mathematics in a line of text is prose."""
        self.drop_mark()
        self.is_fresh = False
        close = self.closer(found["inline"], found.end())
        self.pos = close.end() if close else found.end()

    def closer(self, opened: str, start: int) -> re.Match | None:
        """Where mathematics ends that is opened before ``start``; nothing where the paragraph ends before."""
        for token in self.tokens_to_close(opened, start):
            if token["close"]:
                return token
        return None

    def tokens_to_close(self, opened: str, start: int) -> Iterator[re.Match]:
        """Tokens up to the end of a paragraph."""
        for token in CLOSERS[opened].finditer(self.text, start):
            if token["end"]:
                return
            yield token

    def read_other(self, found: re.Match) -> None:
        """A command or an escaped character."""
        self.drop_mark()
        self.is_fresh = found.group() in FRESH

    def read_blank(self, found: re.Match) -> None:
        """A paragraph ends."""
        self.is_fresh = True

    # ---- parts ----

    def add_display(self, start: int, end: int) -> None:
        """A display; one that only has macros is declarations."""
        text = without_comments(self.text[start:end])
        inside = text.strip()
        line, column = self.source.place(start + len(text) - len(text.lstrip()))
        if is_macros(inside):
            self.parts.append(Symbols(inside, line, is_macro=True))
        elif inside:
            reason = self.mark.reason if self.mark else None
            self.parts.append(Display(inside, line, column, explicit_id(inside) or self.id, reason))
            self.mark = None
        self.is_fresh = True

    def drop_mark(self) -> None:
        """A remark that stands before no display lists a statement of its own."""
        if self.mark is not None:
            self.parts.append(Unchecked(self.id, self.mark.reason, self.mark.line))
            self.mark = None


def gap(text: str, start: int) -> str:
    """The blanks at a place."""
    return re.compile(r"\s*").match(text, start).group()


def without_comments(text: str) -> str:
    """Text with comments replaced by blanks."""
    return COMMENT.sub(lambda found: found.group() if found.group()[0] == "\\" else " " * len(found.group()), text)
