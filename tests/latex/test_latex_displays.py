r"""Displays: which equations stand in them, their lines, tags and remarks; layout that says nothing, and what cannot be told apart."""

import pytest
from latex_arrays import claims, verdicts

import symbolic_circuits as sc
from symbolic_circuits.errors import LatexError

SYMBOLS = "A, B, C : n x n; X : n x d; a : scalar"

# text -> for each chain: its tag, its remarks, and each claim as it was written
DISPLAYS = [
    ("A = B", [(None, (), ["A = B"])]),
    ("A = B = C", [(None, (), ["A = B", "B = C"])]),
    (r"A = B \neq C", [(None, (), ["A = B", r"B \neq C"])]),
    (r"A ≠ B", [(None, (), [r"A \neq B"])]),
    (r"A \not= B", [(None, (), [r"A \neq B"])]),
    (r"A \ne B \equiv C", [(None, (), [r"A \neq B", "B = C"])]),
    (r"A &= B \\ &= C \tag{A7}", [("A7", (), ["A = B", "B = C"])]),
    (r"\begin{aligned} A &= B \\ &= C \end{aligned} \tag{A7}", [("A7", (), ["A = B", "B = C"])]),
    (r"\begin{align} A &= B \tag{1} \\ B &\neq C \label{eq:b} \\ C &= A \end{align}",
     [("1", (), ["A = B"]), ("eq:b", (), [r"B \neq C"]), (None, (), ["C = A"])]),
    (r"\begin{align*} A &= B & B &= C \end{align*}", [(None, (), ["A = B"]), (None, (), ["B = C"])]),
    (r"\begin{equation} \label{e} \begin{split} A &= B \\ &= C \end{split} \end{equation}", [("e", (), ["A = B", "B = C"])]),
    (r"\begin{gather} A = B \\ B = C \end{gather}", [(None, (), ["A = B"]), (None, (), ["B = C"])]),
    (r"\begin{gathered} A = B \\[4pt] B = C \end{gathered}", [(None, (), ["A = B"]), (None, (), ["B = C"])]),
    (r"\begin{multline} A \\ = B \end{multline}", [(None, (), [r"A = B"])]),
    (r"\begin{alignedat}{2} A &= B \\ &= C \end{alignedat}", [(None, (), ["A = B", "B = C"])]),
    (r"A = B, \quad B = C; C = A.", [(None, (), ["A = B"]), (None, (), ["B = C"]), (None, (), ["C = A"])]),
    (r"A = B \quad\text{and}\quad B = C", [(None, (), ["A = B"]), (None, ("and",), ["B = C"])]),
    (r"A = B \qquad \text{(by hand)}", [(None, ("(by hand)",), ["A = B"])]),
    (r"A = B \qquad (1)", [(None, (), ["A = B"])]),
    (r"(1) \quad A = B", [(None, (), ["A = B"])]),
    (r"A = B \hfill (1.2)", [(None, (), ["A = B"])]),
    (r"A = B, % a comment = 3", [(None, (), ["A = B"])]),
    (r"\text{so } A = B", [(None, ("so ",), ["A = B"])]),
    (r"A = B \text{ (first)} + C", [(None, (" (first)",), ["A = B + C"])]),
    (r"A = {} & B", [(None, (), ["A = B"])]),
    (r"A = B \\ \\ B = C \\", [(None, (), ["A = B"]), (None, (), ["B = C"])]),
    (r"A &= B + \\ &\quad C", [(None, (), ["A = B + C"])]),
    (r"A &= B \\ &\quad + C \\ &= C", [(None, (), ["A = B + C", "B + C = C"])]),
    (r"A = \Bigl( B \\ + C \Bigr)", [(None, (), [r"A = ( B + C )"])]),
    (r"A \nonumber &= B \notag \\", [(None, (), ["A = B"])]),
]  # fmt: skip
WRITTEN = str.maketrans({"&": "", "\n": " "})


def without_layout(text: str) -> str:
    """What an equation says: no line breaks, alignment, remarks, sizes of brackets."""
    for layout in (r"\\", r"\quad", r"\Bigl", r"\Bigr", r"\nonumber", r"\notag", r"\text{ (first)}", r"\hfill (1.2)", "{}"):
        text = text.replace(layout, "")
    return " ".join(text.translate(WRITTEN).split())


@pytest.mark.parametrize(("text", "chains"), DISPLAYS, ids=[text for text, _ in DISPLAYS])
def test_displays(text: str, chains: list) -> None:
    found = sc.read_equations(text, sc.Declarations.parse(SYMBOLS))
    told = [(chain.tag, chain.remarks, [without_layout(claim.source) for claim in chain.claims]) for chain in found]
    assert [tag for tag, _, _ in told] == [tag for tag, _, _ in chains]
    assert [sources for _, _, sources in told] == [sources for _, _, sources in chains]
    assert [one for _, remarks, _ in told for one in remarks] == [one for _, remarks, _ in chains for one in remarks]
    for chain in found:
        for claim in chain.claims:
            [plain] = claims(without_layout(claim.source), SYMBOLS)
            assert (claim.lhs, claim.rhs, claim.relation) == (plain.lhs, plain.rhs, plain.relation)


def test_lines_and_columns() -> None:
    """Of a claim: where its right side begins; of a chain: where it begins."""
    text = "\\begin{aligned}\n  A B &= B A \\\\\n    &\\neq\n    C\n\\end{aligned}"
    [chain] = sc.read_equations(text, sc.Declarations.parse(SYMBOLS), line=10, column=5)
    assert chain.line == 11
    assert [(claim.line, claim.column) for claim in chain.claims] == [(11, 10), (13, 5)]
    assert [(claim.lhs_source, claim.rhs_source) for claim in chain.claims] == [("A B", "B A"), ("B A", "C")]
    [chain] = sc.read_equations("A = B", sc.Declarations.parse(SYMBOLS), line=10, column=5)
    assert (chain.line, chain.claims[0].line, chain.claims[0].column) == (10, 10, 9)


def test_errors_in_displays_have_the_line_of_the_file() -> None:
    text = "\\begin{aligned}\n  A B &= B A \\\\\n    &\\neq D\n\\end{aligned}"
    with pytest.raises(LatexError, match=r"line 12, column 11: D is not declared") as found:
        sc.read_equations(text, sc.Declarations.parse(SYMBOLS), line=10)
    assert (found.value.line, found.value.column) == (12, 11)
    assert str(found.value).splitlines()[1:] == ["      &\\neq D", " " * 12 + "^"]


MATRICES = [  # & and \\ inside of matrices are theirs
    (r"\begin{aligned} M &= \begin{pmatrix} A & X \\ 0 & 1 \end{pmatrix} \\ &\neq 0 \end{aligned}", ["refuted", "refuted"]),
    (r"\begin{pmatrix} A & B \end{pmatrix} &= \begin{bmatrix} A & B \end{bmatrix} \\[2pt] A &= A", ["proved", "proved"]),
]


@pytest.mark.parametrize(("text", "expected"), MATRICES)
def test_matrices_in_displays(text: str, expected: list[str]) -> None:
    assert verdicts(text, "A, B : n x n; X : n; M : n + 1 x n + 1") == expected


UNCLEAR = [  # what would be misread, the message, a text that is read
    (r"A = A \text{ for all } A", r"line 1, column 7: a remark between factors", r"A = A \text{ for all $A$}"),
    (
        r"A = \text{rank}(C)",
        r"line 1, column 5: \\text is a remark: write the function as \\operatorname\{rank\}",
        r"A = \text{tr}(C) I",
    ),
    (r"A = A, B", r"line 1, column 6: , cannot be read here", r"A = A, B = B"),
    (r"A < B", r"line 1, column 3: < cannot be read here; an equation is read with =, \\neq or :=", r"A \neq B"),
    (r"A \approx B", r"\\approx cannot be read here", r"A = B"),
    (r"A = B \implies B = A", r"line 1, column 7: \\implies cannot be read here", r"A = B \\ B = A"),
    (r"A = B \quad \forall h", r"line 1, column 13: \\forall cannot be read here", r"A = B \quad \text{for all $h$}"),
    (r"A + B", r"line 1, column 1: this is no equation: there is no =, \\neq or := in it", "A + B = B + A"),
    (r"A =", r"line 1, column 3: an equation has two sides; there is nothing on the right", "A = 0"),
    (r"= A", r"line 1, column 1: an equation has two sides; there is nothing on the left", "0 = A"),
    (r"A = = B", r"line 1, column 5: an equation has two sides; there is nothing on the left", "A = B"),
    (r"(A = B)", r"line 1, column 4: a relation inside brackets", "(A) = (B)"),
    (r"A = B := C", r"line 1, column 7: a definition has one name on its left and stands first", "D := A = A"),
    (r"\text{nothing}", r"there is no equation here", r"\text{something} A = B"),
    (r"", r"there is no equation here", "A = A"),
    (r"A = \dots = B", r"line 1, column 5: dots stand for something", "A = B"),
]


@pytest.mark.parametrize(("text", "message", "valid"), UNCLEAR, ids=[case[0] for case in UNCLEAR])
def test_unclear(text: str, message: str, valid: str) -> None:
    with pytest.raises(LatexError, match=message):
        claims(text, SYMBOLS)
    assert sc.read_equations(valid, sc.Declarations.parse(SYMBOLS))


def test_one_expression_is_no_equation() -> None:
    for text in ("A = B", "A \\\\ B = C", ""):
        with pytest.raises(LatexError, match="one expression without a relation was expected"):
            sc.read_latex(text, SYMBOLS)
    assert str(sc.read_latex("A + B", SYMBOLS)) == "A + B"
