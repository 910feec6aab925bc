"""Markdown -> parts. What is no display is left out: code, HTML comments, escaped dollars; prefixes of quotes and lists are blanks.

Lines are read by the rules of CommonMark, as far as they decide whether something is mathematics: fences, indented code, headings of both
kinds, block quotes, list items, raw HTML, code spans, escapes. A prefix is replaced by as many blanks, so that columns stay those of the file.
"""

import re

from symbolic_circuits.documents.macros import is_macros
from symbolic_circuits.documents.parts import Display, Heading, Malformed, Part, Symbols, Unchecked
from symbolic_circuits.documents.remarks import ID, Name, explicit_id, read_remark
from symbolic_circuits.documents.source import Source

__all__ = ["split_markdown"]

QUOTE = re.compile(r"[ \t]{0,3}>[ \t]?")
ITEM = re.compile(r"[ \t]*(?:[-+*]|\d{1,9}[.)])(?:[ \t]+|$)")
RULE = re.compile(r"[ \t]*([-*])[ \t]*(?:\1[ \t]*){2,}")
FENCE = re.compile(r"[ \t]*(?P<fence>`{3,}(?=[^`]*$)|~{3,})[ \t]*(?P<info>\{?[^\s{}]*)")
HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?=[ \t]|$)")
UNDERLINE = re.compile(r" {0,3}(?:(?P<one>=+)|-+)[ \t]*$")
RAW = re.compile(r"[ \t]{0,3}<(?P<tag>pre|script|style|textarea)(?=[\s>]|$)", re.IGNORECASE)
TOKEN = re.compile(r"\\[!-/:-@\[-`{-~]|`+|<!--|\$\$|\$|\n")
INLINE = re.compile(r"\$(?![\s$])(?:[^\\$\n]|\\.)*?(?<!\s)\$(?!\d)")
BARE = re.compile(r"[ \t]*(?:\\begin\{(?:equation|align|gather|multline|alignat|flalign)\*?\}|\\\[[ \t]*$)")
IN_DISPLAY = re.compile(r"\\.|\$\$|\n[ \t>]*(?=\n|$)", re.DOTALL)
BREAK = re.compile(r"\n[ \t>]*(?=\n)")
BOLD = re.compile(rf"(?:\*\*|__)(?P<id>{ID})")
IN_HEADING = re.compile(rf"[*_\s]*(?P<id>{ID})")
FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|$)")
MAX_DEPTH = 50  # of quotes and of lists in lists


def split_markdown(source: Source) -> tuple[str, tuple[Part, ...]]:
    r"""Title and parts of a document.

    >>> split_markdown(Source("a.md", "# Heads\n\n**A7.** In a list:\n\n- $$ A B = C $$\n"))[1][1]
    Display(source='A B = C', line=5, column=6, id='A7', reason=None)

    Raises
    ------
    DocumentError
        A fence, a comment or a display has no end; the message has the line where it starts.
    """
    reader = Reader(source)
    reader.read()
    return reader.title, tuple(reader.parts)


class Reader:
    """Reads line by line; what spans lines is read to its end from the line where it starts."""

    def __init__(self, source: Source) -> None:
        self.source, self.text = source, source.text
        self.pos = 0
        self.parts: list[Part] = []
        self.title = ""
        self.headings = 0
        self.id: str | None = None
        self.mark: Unchecked | None = None  # a remark that waits for the display behind it
        self.in_paragraph = False
        self.paragraph_end = -1
        self.indents: list[int] = []  # where the text of the list items at hand starts
        self.depth = 0  # of the block quote at hand

    def read(self) -> None:
        """Read all lines."""
        if found := FRONT_MATTER.match(self.text):
            self.pos = found.end()
        while self.pos < len(self.text):
            self.read_line()
        self.drop_mark()

    def read_line(self) -> None:
        """One line, and what starts in it."""
        start, end = self.pos, self.source.line_end(self.pos)
        raw = self.text[start:end]
        content, is_item = self.container(raw)
        body = raw[content:]
        if not body.strip():
            self.in_paragraph = False
            self.pos = end + 1
        elif self.is_indented_code(raw) and not self.depth:
            self.drop_mark()
            self.pos = end + 1
        elif found := FENCE.match(body):
            self.read_fence(start, start + content, found)
        elif found := RAW.match(body):
            self.skip_raw(start + content, found["tag"])
        elif found := HEADING.match(body):
            self.add_heading(len(found["marks"]), without_marks(body[found.end() :]), start, content + found.end())
        elif not is_item and not UNDERLINE.fullmatch(body) and (found := self.underline(end)):
            self.add_heading(1 if found["one"] else 2, body.strip(), start, content)
            self.pos = found.end() + 1 if self.pos == found.start() else self.pos
        else:
            if (is_item or not self.in_paragraph) and (named := BOLD.match(body.lstrip())):
                self.drop_mark()
                self.id = named["id"]
            if BARE.match(body):
                self.parts.append(Malformed(body.strip(), "displays between $$ and $$ in Markdown", self.source.line(start)))
            self.read_text(start + content)

    def container(self, raw: str) -> tuple[int, bool]:
        """The width of the prefix of a line, and whether a list item starts in it; sets the depth of quotes and the indents of lists."""
        at, self.depth, items = 0, 0, 0
        while self.depth < MAX_DEPTH and (found := QUOTE.match(raw, at)):
            at, self.depth = found.end(), self.depth + 1
        blanks = column(raw, len(raw) - len(raw[at:].lstrip(" \t")))
        if raw[at:].strip() and (not self.in_paragraph or ITEM.match(raw, at)):
            while self.indents and blanks < self.indents[-1]:
                self.indents.pop()
        if self.is_indented_code(raw):
            return at, False
        while items < MAX_DEPTH and (found := ITEM.match(raw, at)) and not RULE.fullmatch(raw, at):
            at, items = found.end(), items + 1
            self.indents.append(column(raw, at))
        return at, items > 0

    def is_indented_code(self, raw: str) -> bool:
        """Whether a line is code by its indentation."""
        indentation = len(raw.expandtabs(4)) - len(raw.expandtabs(4).lstrip(" "))
        return not self.in_paragraph and indentation >= (self.indents[-1] if self.indents else 0) + 4

    def underline(self, end: int) -> re.Match | None:
        """The line below, if it makes the one at hand a heading."""
        below = end + 1
        return UNDERLINE.fullmatch(self.text, below, self.source.line_end(below)) if below < len(self.text) else None

    def add_heading(self, level: int, text: str, start: int, content: int) -> None:
        """A section starts; the first heading of the document is its title if it is of level 1."""
        self.drop_mark()
        is_title = level == 1 and not self.headings
        self.headings += 1
        self.title = text.strip() if is_title or not self.title else self.title
        self.parts.append(Heading(level, self.source.line(start), is_title))
        named = IN_HEADING.match(text)
        self.id = named["id"] if named else None
        self.read_text(start + content)
        self.in_paragraph = False

    def read_fence(self, start: int, content: int, found: re.Match) -> None:
        """A fenced block."""
        kind, fence = found["info"].lower().removeprefix("{"), found["fence"]
        indentation = content - start + found.start("fence") + 3
        close = re.compile(rf"(?:[ \t>]{{0,{indentation}}}){re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
        first = at = self.source.line_end(start) + 1
        while True:
            if at >= len(self.text) or (self.depth and not self.text[at : self.source.line_end(at)].lstrip().startswith(">")):
                if at < len(self.text) and kind not in ("math", "symbols"):
                    break  # the end of a block quote ends what is in it
                raise self.source.error(start, f"the fence {fence}{kind} has no end")
            end = self.source.line_end(at)
            if close.match(self.text[at:end]):
                break
            at = end + 1
        self.in_paragraph = False
        if kind == "math":
            self.add_display(first, at)
        elif kind == "symbols":
            self.parts.append(Symbols(self.plain(first, at), self.source.line(first)))
        else:
            self.drop_mark()
        self.pos = self.source.line_end(at) + 1 if close.match(self.text[at : self.source.line_end(at)]) else at

    def skip_raw(self, start: int, tag: str) -> None:
        """Raw HTML up to the end of its element."""
        self.drop_mark()
        found = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(self.text, start)
        if found is None:
            raise self.source.error(start, f"<{tag}> has no end")
        self.pos = self.source.line_end(found.end()) + 1
        self.in_paragraph = False

    def read_text(self, start: int) -> None:
        """A line of text, from ``start``, and whatever starts in it and ends in a later line."""
        at = start
        while True:
            found = TOKEN.search(self.text, at)
            token = found.group() if found else "\n"
            stop = found.start() if found else len(self.text)
            if self.text[at:stop].strip():
                self.drop_mark()
                self.in_paragraph = True
            if token == "\n":
                self.pos = stop + 1
                return
            if token == "<!--":
                at = self.read_comment(stop)
            elif token == "$$":
                at = self.read_dollars(stop)
            else:
                self.drop_mark()
                self.in_paragraph = True
                at = found.end()
                if token[0] == "`":
                    at = self.end_of_code(found)
                elif token == "$" and (inline := INLINE.match(self.text, stop)):
                    at = inline.end()

    def end_of_code(self, opened: re.Match) -> int:
        """The end of a code span; a run of backticks without a partner in its paragraph is text."""
        if opened.end() > self.paragraph_end:
            found = BREAK.search(self.text, opened.end())
            self.paragraph_end = found.start() if found else len(self.text)
        close = re.compile(rf"(?<!`){opened.group()}(?!`)").search(self.text, opened.end(), self.paragraph_end)
        return close.end() if close else opened.end()

    def read_comment(self, start: int) -> int:
        """A comment: declarations, a remark, or nothing to us."""
        end = self.text.find("-->", start + 2)  # <!--> is a comment
        if end < 0:
            raise self.source.error(start, "the comment <!-- has no end -->")
        inside = self.plain(start + 4, end)
        if found := re.match(r"\s*symbols(?=\s|$)", inside):
            self.parts.append(Symbols(inside[found.end() :], self.source.line(start + 4 + found.end())))
            return end + 3
        for remark in read_remark(inside, self.source.line(start)):
            if isinstance(remark, Name):
                self.id = remark.id
            elif isinstance(remark, Unchecked) and remark.id is None:
                self.drop_mark()
                self.mark = remark
            else:
                self.parts.append(remark)
        return end + 3

    def read_dollars(self, start: int) -> int:
        """A display between double dollars."""
        at = start + 2
        while (found := IN_DISPLAY.search(self.text, at)) and found.group()[0] == "\\":
            at = found.end()
        if found is None or found.group() != "$$":
            raise self.source.error(start, "the display $$ has no end before its paragraph ends")
        self.add_display(start + 2, found.start())
        self.in_paragraph = False
        return found.end()

    def add_display(self, start: int, end: int) -> None:
        """A display; one that only has macros is declarations."""
        text = self.plain(start, end)
        inside = text.strip()
        line, column = self.source.place(start + len(text) - len(text.lstrip()))
        if is_macros(inside):
            self.parts.append(Symbols(inside, line, is_macro=True))
        elif inside:
            reason = self.mark.reason if self.mark else None
            self.parts.append(Display(inside, line, column, explicit_id(inside) or self.id, reason))
            self.mark = None

    def drop_mark(self) -> None:
        """A remark that stands before no display lists a statement of its own."""
        if self.mark is not None:
            self.parts.append(Unchecked(self.id, self.mark.reason, self.mark.line))
            self.mark = None

    def plain(self, start: int, end: int) -> str:
        """Text with the marks of block quotes replaced by blanks."""
        lines = self.text[start:end].split("\n")
        first = 0 if self.source.place(start)[1] == 1 else 1
        if self.depth:
            lines[first:] = [without_quotes(line, self.depth) for line in lines[first:]]
        return "\n".join(lines)


def column(raw: str, at: int) -> int:
    """The column of a place in a line, in which tabs go to the next multiple of four."""
    return len(raw[:at].expandtabs(4))


def without_marks(text: str) -> str:
    """The text of a heading without the marks behind it."""
    text = text.strip()
    bare = text.rstrip("#")
    return bare.rstrip() if not bare or bare[-1] in " \t" else text


def without_quotes(line: str, depth: int) -> str:
    """A line with the marks of so many block quotes replaced by blanks."""
    width = re.match(rf"(?:[ \t]*>){{0,{depth}}}", line).end()
    return " " * width + line[width:]
