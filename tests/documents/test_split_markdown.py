"""Markdown -> parts: what is a display, where it stands, what it belongs to, what hides it."""

import pytest

from symbolic_circuits.documents.markdown import split_markdown
from symbolic_circuits.documents.parts import Display, Document, Heading, Malformed, Pointer, Symbols, Unchecked
from symbolic_circuits.documents.reading import split_document
from symbolic_circuits.documents.source import Source
from symbolic_circuits.errors import DocumentError


def parts(text: str, kind: type | tuple = object) -> list:
    return [part for part in split_markdown(Source("a.md", text))[1] if isinstance(part, kind)]


def shown(text: str) -> list[tuple[str, int, int]]:
    return [(part.source, part.line, part.column) for part in parts(text, Display)]


DISPLAYS = {
    "one line": ("$$ a = b $$", [("a = b", 1, 4)]),
    "two on a line": ("$$a = b$$ and $$c = d$$", [("a = b", 1, 3), ("c = d", 1, 17)]),
    "several lines": ("text\n\n$$\n  a\n= b\n$$\n", [("a\n= b", 4, 3)]),
    "in a sentence": ("We have\n$$a = b$$, so", [("a = b", 2, 3)]),
    "fence": ("```math\na = b\n```", [("a = b", 2, 1)]),
    "fence of tildes": ("~~~ math\na = b\n~~~~", [("a = b", 2, 1)]),
    "longer fence": ("````math\na = b\n```\n````", [("a = b\n```", 2, 1)]),
    "two in a fence": ("```math\na = b\n\nc = d\n```", [("a = b\n\nc = d", 2, 1)]),
    "in a list": ("- x\n- $$ a = b $$\n  - $$ c = d $$", [("a = b", 2, 6), ("c = d", 3, 8)]),
    "in a numbered list": ("1. x\n\n   $$ a = b $$\n", [("a = b", 3, 7)]),
    "fence in a list": ("- x\n\n  ```math\n  a = b\n    = c\n  ```\n", [("a = b\n    = c", 4, 3)]),
    "fence that starts an item": ("- ```math\n  a = b\n  ```\n", [("a = b", 2, 3)]),
    "after a nested list": ("1.  x\n\n    - y\n\n    $$ a = b $$", [("a = b", 5, 8)]),
    "in a quote": ("> $$\n> a\n>  = b\n> $$", [("a\n   = b", 2, 3)]),
    "in a quote of a quote": ("> > $$a\n> > = b$$", [("a\n    = b", 1, 7)]),
    "fence in a quote": ("> ```math\n> a\n> = b\n> ```\n$$c = d$$", [("a\n  = b", 2, 3), ("c = d", 5, 3)]),
    "a quote ends": ("> ```\n> $$ x $$\n$$ a = b $$", [("a = b", 3, 4)]),
    "in a table": ("| x | y |\n|---|---|\n| $$a = b$$ | 1 |", [("a = b", 3, 5)]),
    "greater and minus within": ("$$\na\n> b\n- c\n# d\n$$", [("a\n> b\n- c\n# d", 2, 1)]),
    "dollar escaped within": (r"$$ a = \$ $$", [(r"a = \$", 1, 4)]),
    "carriage returns": ("x\r\n\r\n$$\r\na = b\r\n$$\r\n", [("a = b", 4, 1)]),
    "old carriage returns": ("x\r\r$$a = b$$\r", [("a = b", 3, 3)]),
    "mark of byte order": ("\ufeff$$a = b$$", [("a = b", 1, 3)]),
    "a rule is no list": ("x\n\n- - -\n\n$$a = b$$", [("a = b", 5, 3)]),
    "front matter": ("---\ntitle: $$ x $$\n---\n$$a = b$$", [("a = b", 4, 3)]),
    "continued paragraph": ("text\n     $$a = b$$", [("a = b", 2, 8)]),
    "under a rule of a heading": ("$$a = b$$\n---\n", [("a = b", 1, 3)]),
    "prices": ("It costs $5, or $6, so\n$$a = b$$", [("a = b", 2, 3)]),
    "inline side by side": ("$a$$b$ and $$c = d$$", [("c = d", 1, 14)]),
    "inline with code": ("$`a $$ b`$ and $$c = d$$", [("c = d", 1, 18)]),
    "a backtick alone": ("a ` b $$c = d$$", [("c = d", 1, 9)]),
    "backticks of another paragraph": ("a ` b\n\n$$c = d$$\n\nx ` y", [("c = d", 3, 3)]),
    "in raw HTML of Markdown": ("<details>\n\n$$a = b$$\n\n</details>", [("a = b", 3, 3)]),
}


@pytest.mark.parametrize(("text", "expected"), DISPLAYS.values(), ids=DISPLAYS)
def test_displays(text: str, expected: list) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(("text", "expected"), DISPLAYS.values(), ids=DISPLAYS)
def test_places_are_those_of_the_file(text: str, expected: list) -> None:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for source, line, column in shown(text):
        first, *more = source.split("\n")
        assert lines[line - 1][column - 1 :].startswith(first)
        for k, other in enumerate(more, line):
            assert lines[k].endswith(other.strip()) or other.strip() in lines[k]


HIDDEN = {
    "code span": "`$$ a = b $$`",
    "code span of two": "`` ` $$ a = b $$ ``",
    "code span over lines": "a `x\n$$ a = b $$` b",
    "escaped": r"\$\$ a = b \$\$",
    "fence": "```\n$$ a = b $$\n```",
    "fence of a language": "~~~python\n$$ a = b $$\n~~~",
    "math in a longer fence": "````markdown\n```math\na = b\n```\n````",
    "indented code": "text\n\n    $$ a = b $$",
    "indented code in a list": "- text\n\n      $$ a = b $$",
    "comment": "<!-- $$ a = b $$ -->",
    "comment over lines": "<!--\n\n```math\na = b\n```\n\n$$ a = b $$\n-->",
    "pre": "<pre>\n\n$$ a = b $$\n</pre>",
    "inline": "$a = b$ and $c$",
    "empty": "$$$$ $$ $$",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_is_no_display(text: str) -> None:
    assert shown(f"{text}\n\n$$ c = d $$")[:-1] == [] and len(shown(f"{text}\n\n$$ c = d $$")) == 1


IDS = {
    "bold": ("**A7.** $$a$$", ["A7"]),
    "bold words": ("**A7 (turned).** x\n\n$$a$$", ["A7"]),
    "underscores": ("__B24__: $$a$$", ["B24"]),
    "list item": ("- **A7.** $$a$$\n- **A8.** $$b$$", ["A7", "A8"]),
    "numbered item": ("1. **A7** $$a$$", ["A7"]),
    "in a quote": ("> **A7.** x\n>\n> $$a$$", ["A7"]),
    "heading": ("### A7 Turned\n$$a$$\n\n$$b$$", ["A7", "A7"]),
    "bold heading": ("### **A7** Turned\n$$a$$", ["A7"]),
    "setext heading": ("A7 Turned\n---\n$$a$$", ["A7"]),
    "comment": ("<!-- id: erratum-8 -->\n$$a$$", ["erratum-8"]),
    "comment in a heading": ("### Errata <!-- id: erratum-8 -->\n$$a$$", ["erratum-8"]),
    "last one counts": ("**A7.** x\n\n**A8.** y $$a$$", ["A8"]),
    "to the next heading": ("**A7.** $$a$$\n\n## More\n\n$$b$$", ["A7", None]),
    "not within a paragraph": ("see\n**A7.** $$a$$", [None]),
    "not in the middle": ("see **A7.** $$a$$", [None]),
    "not a longer word": ("**A7x2.** $$a$$\n\n**GPT2** $$b$$\n\n**A7-B** $$c$$", [None, None, None]),
    "after a display": ("**A7.**\n$$a$$\n**A8.**\n$$b$$", ["A7", "A8"]),
    "tag": (r"**A7.** $$a \tag{7.1}$$ $$b$$", ["7.1", "A7"]),
    "label": (r"$$a \label{eq:one}$$", ["eq:one"]),
    "no tag": (r"$$a \\tag{7.1}$$", [None]),
}


@pytest.mark.parametrize(("text", "expected"), IDS.values(), ids=IDS)
def test_ids(text: str, expected: list) -> None:
    assert [part.id for part in parts(text, Display)] == expected


SYMBOLS = {
    "fence": ("x\n\n```symbols\nA : n\nB : n\n```", [("A : n\nB : n\n", 4)]),
    "comment": ("<!-- symbols\nA : n\n-->", [("\nA : n\n", 1)]),
    "comment on a line": ("<!-- symbols A : n -->", [(" A : n ", 1)]),
    "in a quote": ("> ```symbols\n> A : n\n> ```", [("  A : n\n", 2)]),
    "macros": ("$$\n\\newcommand{\\OV}{W_{OV}}\n\\def\\x{y}\n$$", [("\\newcommand{\\OV}{W_{OV}}\n\\def\\x{y}", 2)]),
    "another comment": ("<!-- symbolsA -->", []),
}


@pytest.mark.parametrize(("text", "expected"), SYMBOLS.values(), ids=SYMBOLS)
def test_declarations(text: str, expected: list) -> None:
    assert [(part.text, part.line) for part in parts(text, Symbols)] == expected and not parts(text, Display)


REMARKS = {
    "not checked": ("<!-- not checked: a limit -->\n\n$$a$$", [Display("a", 3, 3, None, "a limit")]),
    "only the next": ("<!-- not checked: x -->\n$$a$$\n$$b$$", [Display("a", 2, 3, None, "x"), Display("b", 3, 3, None)]),
    "of a fence": ("<!-- not checked: x -->\n```math\na\n```", [Display("a", 3, 1, None, "x")]),
    "before prose": ("**A7.** x\n\n<!-- not checked: x -->\nprose $$a$$", [Unchecked("A7", "x", 3), Display("a", 4, 9, "A7")]),
    "at the end": ("<!-- not checked: in two\nlines -->", [Unchecked(None, "in two lines", 1)]),
    "statement": ("<!-- not checked A13: x -->\n$$a$$", [Unchecked("A13", "x", 1), Display("a", 2, 3, None)]),
    "statements": ("<!-- not checked A13, A14: x: y -->", [Unchecked("A13", "x: y", 1), Unchecked("A14", "x: y", 1)]),
    "tested": ("x <!-- tested A13: tests/a.py::test_b -->", [Pointer("A13", "tests/a.py::test_b", 1)]),
    "tested twice": ("<!-- tested A1: a.py::b, a.py::c -->", [Pointer("A1", "a.py::b, a.py::c", 1)]),
    "no reason": ("<!-- not checked -->", [Malformed("not checked", "'not checked: reason' before a display, or 'not checked A13: reason'", 1)]),
    "no colon": ("<!-- tested A1 a.py::b -->", [Malformed("tested A1 a.py::b", "'tested A13: tests/test_file.py::test_name'", 1)]),
    "prose": ("<!-- tested on a machine -->\n<!-- to do: checked? -->", []),
    "in code": ("`<!-- not checked A13: x -->`", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REMARKS.values(), ids=REMARKS)
def test_remarks(text: str, expected: list) -> None:
    assert parts(text) == expected


HEADINGS = {
    "title": ("# a\n## b", [Heading(1, 1, True), Heading(2, 2)]),
    "no title": ("## a\n# b", [Heading(2, 1), Heading(1, 2)]),
    "second of level 1": ("# a\n# b", [Heading(1, 1, True), Heading(1, 2)]),
    "underlined": ("a\n===\nb\nc\n---\n\n---\n", [Heading(1, 1, True), Heading(2, 4)]),
    "marks behind": ("# a ##\n#b\n#\n", [Heading(1, 1, True), Heading(1, 3)]),
    "in code": ("```\n# a\n```\n\n    # b\n", []),
    "list and rule": ("- a\n---\n", []),
}


@pytest.mark.parametrize(("text", "expected"), HEADINGS.values(), ids=HEADINGS)
def test_headings(text: str, expected: list) -> None:
    assert parts(text, Heading) == expected


def test_title() -> None:
    assert split_document("a.md", b"# A *title* #\n\n# Other") == Document(
        "a.md", "A *title*", (Heading(1, 1, True), Heading(1, 3))
    )


ENDLESS = [
    ("a\n\n$$ x\n\n$$", "a.md:3: the display $$ has no end", "a\n\n$$ x\n$$"),
    ("a\n```math\nx", "a.md:2: the fence ```math has no end", "a\n```math\nx\n```"),
    ("```python\nx\n", "a.md:1: the fence ```python has no end", "```python\nx\n```\n"),
    ("> ```math\n> x\n\n```", "a.md:1: the fence ```math has no end", "> ```math\n> x\n> ```"),
    ("a\n<!-- x", "a.md:2: the comment <!-- has no end", "a\n<!-- x -->"),
    ("<pre>\nx", "a.md:1: <pre> has no end", "<pre>\nx</pre>"),
]


@pytest.mark.parametrize(("text", "message", "twin"), ENDLESS, ids=[message for _, message, _ in ENDLESS])
def test_blocks_without_an_end(text: str, message: str, twin: str) -> None:
    with pytest.raises(DocumentError, match=message.replace("$", r"\$").replace("(", r"\(")):
        parts(text)
    parts(twin)
