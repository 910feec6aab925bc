"""LaTeX -> parts: which environments are displays, what hides them, declarations in comments, macros of the preamble."""

import pytest

from symbolic_circuits.documents.parts import Display, Heading, Malformed, Part, Pointer, Symbols, Unchecked
from symbolic_circuits.documents.source import Source
from symbolic_circuits.documents.tex import split_tex
from symbolic_circuits.errors import DocumentError


def parts(text: str, kind: type | tuple = object) -> list[Part]:
    return [part for part in split_tex(Source("a.tex", text))[1] if isinstance(part, kind)]


def shown(text: str) -> list[tuple[str, int, int]]:
    return [(part.source, part.line, part.column) for part in parts(text, Display)]


DISPLAYS = {
    "brackets": (r"x \[ a = b \] y", [("a = b", 1, 6)]),
    "dollars": ("x\n$$\na = b\n$$", [("a = b", 3, 1)]),
    "equation": ("\\begin{equation}\n a = b\n\\end{equation}", [("\\begin{equation}\n a = b\n\\end{equation}", 1, 1)]),
    "starred": (r"\begin{align*} a \end{align*}", [(r"\begin{align*} a \end{align*}", 1, 1)]),
    "gather": (r"x \begin{gather} a \end{gather}", [(r"\begin{gather} a \end{gather}", 1, 3)]),
    "multline": (r"\begin{multline}a\\b\end{multline}", [(r"\begin{multline}a\\b\end{multline}", 1, 1)]),
    "aligned inside": (r"\[ \begin{aligned} a \end{aligned} \]", [(r"\begin{aligned} a \end{aligned}", 1, 4)]),
    "line break and bracket": (r"\[ a \\[2pt] b \\] c \]", [(r"a \\[2pt] b \\] c", 1, 4)]),
    "not a line break": (r"x \\[2pt] y \[ a \]", [("a", 1, 16)]),
    "comment inside": ("\\[ a % \\]\n = b \\]", [("a     \n = b", 1, 4)]),
    "percent inside": (r"\[ a\% = b \]", [(r"a\% = b", 1, 4)]),
    "inline next to inline": ("$a$$b$ $$c$$", [("c", 1, 10)]),
    "dollar escaped": (r"\$\$ $$a$$ \$", [("a", 1, 8)]),
    "text with mathematics": (r"$$ a \text{ if $b$} $$", [(r"a \text{ if $b$}", 1, 4)]),
    "body": ("\\[ x \\]\n\\begin{document}\n\\[ a \\]\n\\end{document}\n\\[ y \\]", [("a", 3, 4)]),
    "carriage returns": ("x\r\n\\[\r\na\r\n\\]\r\n", [("a", 3, 1)]),
    "dollar alone": ("costs $5\n\nthen \\[ a \\]", [("a", 3, 9)]),
    "in a theorem": (r"\begin{theorem}\[ a \]\end{theorem}", [("a", 1, 19)]),
}


@pytest.mark.parametrize(("text", "expected"), DISPLAYS.values(), ids=DISPLAYS)
def test_displays(text: str, expected: list) -> None:
    assert shown(text) == expected


HIDDEN = {
    "comment": "% \\[ a \\]",
    "comment behind text": "x % \\[ a \\]",
    "two backslashes and a comment": "x \\\\% \\[ a \\]",
    "verbatim": "\\begin{verbatim}\n\\[ a \\]\n\\end{verbatim}",
    "listing": "\\begin{lstlisting}[language=TeX]\n$$ a \n\\end{lstlisting}",
    "comment environment": "\\begin{comment}\n\\[ a \\]\n\\end{comment}",
    "verb": r"\verb|\[ a \]| and \verb*+$$+",
    "listing in a line": r"\lstinline[language=TeX]{$$}",
    "iffalse": "\\iffalse \\ifx \\[ a \\] \\fi \\[ b \\] \\fi",
    "macro": r"\newcommand{\be}{\begin{equation}} \newcommand{\ee}{\end{equation}}",
    "inline": r"\( a = b \) and $c = d$ and \(x\)",
    "empty": r"\[ \] $$ $$",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN)
def test_what_is_no_display(text: str) -> None:
    assert [source for source, *_ in shown(f"{text}\n\n\\[ c = d \\]")] == ["c = d"]


def test_else_of_iffalse() -> None:
    assert shown(r"\iffalse \[ a \] \else \[ b \] \fi \[ c \]") == [("b", 1, 27), ("c", 1, 39)]


IDS = {
    "label": (r"\begin{equation}\label{eq:one} a\end{equation} \[ b \]", ["eq:one", None]),
    "tag": (r"\[ a \tag{A7} \]", ["A7"]),
    "bold": (r"\textbf{A7.} x \[ a \]", ["A7"]),
    "bold in a paragraph": ("see\n\\textbf{A7.} \\[ a \\]", [None]),
    "item": ("\\item \\textbf{A7} \\[ a \\] \\item \\textbf{A8} \\[ b \\]", ["A7", "A8"]),
    "heading": ("\\subsection{A7 Turned}\n\\[ a \\]", ["A7"]),
    "below a heading": ("\\subsection{Turned}\\label{s}\n\\textbf{A7.} \\[ a \\]", ["A7"]),
    "paragraph": ("\\paragraph{A7.} x \\[ a \\]\n\\section{x} \\[ b \\]", ["A7", None]),
    "theorem": ("\\begin{theorem}[A7 (turned)] x \\[ a \\]", ["A7"]),
    "comment": ("% id: erratum-8\n\\[ a \\]", ["erratum-8"]),
}


@pytest.mark.parametrize(("text", "expected"), IDS.values(), ids=IDS)
def test_ids(text: str, expected: list) -> None:
    assert [part.id for part in parts(text, Display)] == expected


SYMBOLS = {
    "comments": ("x\n% symbols\n% A : n\n%  B : n\n\n% C : n", [Symbols("\n  A : n\n   B : n", 2)]),
    "with a colon": ("%% symbols:\n%% A : n", [Symbols("\n   A : n", 1)]),
    "up to a remark": (
        "% symbols\n% A : n\n% not checked A1: x",
        [Symbols("\n  A : n", 1), Unchecked("A1", "x", 3)],
    ),
    "at the end": ("% symbols", [Symbols("", 1)]),
    "environment": ("\\begin{comment}symbols\nA : n\n\\end{comment}", [Symbols("\nA : n\n", 1)]),
    "prose": ("% symbols of the paper\n% A : n", []),
    "behind text": ("x % symbols\n% A : n", []),
    "macro": (r"\newcommand{\OV}[1]{W_{OV}^{#1}} x", [Symbols(r"\newcommand{\OV}[1]{W_{OV}^{#1}}", 1, True)]),
    "operator": (
        "\\DeclareMathOperator{\\tr}{tr}\n\\begin{document}",
        [Symbols(r"\DeclareMathOperator{\tr}{tr}", 1, True)],
    ),
    "def": (r"\def\x#1{y#1}", [Symbols(r"\def\x#1{y#1}", 1, True)]),
    "unbraced": (r"\newcommand\x{y\}}", [Symbols(r"\newcommand\x{y\}}", 1, True)]),
    "macro with a comment": ("\\newcommand{\\x}{% }\ny}", [Symbols("\\newcommand{\\x}{   \ny}", 1, True)]),
    "macro without an end": (r"\newcommand{\x}{y", []),
}


@pytest.mark.parametrize(("text", "expected"), SYMBOLS.values(), ids=SYMBOLS)
def test_declarations(text: str, expected: list) -> None:
    assert parts(text) == expected


REMARKS = {
    "not checked": ("% not checked: a limit\n\\[ a \\]", [Display("a", 2, 4, None, "a limit")]),
    "of an environment": (
        "% not checked: x\n\\begin{align} a \\end{align}",
        [Display(r"\begin{align} a \end{align}", 2, 1, None, "x")],
    ),
    "other comments between": ("% not checked: x\n% hm\n\n\\[ a \\]", [Display("a", 4, 4, None, "x")]),
    "before prose": ("% not checked: x\ntext \\[ a \\]", [Unchecked(None, "x", 1), Display("a", 2, 9, None)]),
    "tested": ("% tested A13: tests/a.py::test_b", [Pointer("A13", "tests/a.py::test_b", 1)]),
    "malformed": ("% not checked", [Malformed("not checked", "'not checked: reason' before a display, or 'not checked A13: reason'", 1)]),
    "prose": ("% tested on two machines: fine", []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), REMARKS.values(), ids=REMARKS)
def test_remarks(text: str, expected: list) -> None:
    assert parts(text) == expected


def test_headings_and_title() -> None:
    text = "\\title{On\n heads}\n\\section[x]{One}\n\\subsection*{Two}\n\\paragraph{Three}"
    title, found = split_tex(Source("a.tex", text))
    assert title == "On heads" and found == (Heading(3, 3), Heading(4, 4), Heading(6, 5))


ENDLESS = [
    ("a\n\\[ x\n\n\\]", r"a.tex:2: the display \\\[ has no end", "a\n\\[ x\n%\n\\]"),
    ("$$ x $ y", r"a.tex:1: the display \$\$ has no end", "$$ x $$ y"),
    ("\n\\begin{align} x", r"a.tex:2: \\begin\{align\} has no \\end\{align\}", "\n\\begin{align} x \\end{align}"),
    ("\\begin{verbatim}", r"a.tex:1: \\begin\{verbatim\} has no", "\\begin{verbatim}\\end{verbatim}"),
    ("\\iffalse", r"a.tex:1: \\iffalse has no \\fi", "\\iffalse \\fi"),
]


@pytest.mark.parametrize(("text", "message", "twin"), ENDLESS, ids=[message for _, message, _ in ENDLESS])
def test_blocks_without_an_end(text: str, message: str, twin: str) -> None:
    with pytest.raises(DocumentError, match=message):
        parts(text)
    parts(twin)
