"""Checks of documents: what is proved, refuted, listed; scopes of declarations; what cannot be read fails with its place."""

import re
from pathlib import Path

import pytest

from symbolic_circuits.documents.checking import check_document
from symbolic_circuits.documents.results import Report, Result, failure_text, is_as_claimed

SYMBOLS = "<!-- symbols A, B, C : n x n; x : n -->\n\n"


@pytest.fixture
def check(tmp_path):
    """The report of a text."""

    def report(text: str, name: str = "a.md") -> Report:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return check_document(tmp_path / name, name=name)

    return report


def rows(report: Report, *fields: str) -> list:
    return [tuple(getattr(result, field) for field in fields) for result in report.results]


VERDICTS = {
    "proved": (r"(A B)^\top = B^\top A^\top", [("=", "ok", "proved")]),
    "refuted as claimed": (r"A B \neq B A", [("!=", "ok", "refuted")]),
    "refuted": ("A B = B A", [("=", "failed", "refuted")]),
    "proved but claimed false": (r"A (B C) \neq A B C", [("!=", "failed", "proved")]),
    "chain": (r"A (B + C) = A B + A C \neq A B + C A", [("=", "ok", "proved"), ("!=", "ok", "refuted")]),
    "definition": (r"Q := A B, \qquad Q C = A (B C)", [("=", "ok", "proved")]),
    "unreadable": (r"A B \le B A", [("display", "failed", "error")]),
    "no relation": ("A B", [("display", "failed", "error")]),
    "shapes": ("A x = B", [("display", "failed", "error")]),
}


@pytest.mark.parametrize(("text", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_verdicts(check, text: str, expected: list) -> None:
    assert rows(check(f"{SYMBOLS}$$ {text} $$"), "relation", "status", "verdict") == expected


def test_sizes_that_are_fixed(check) -> None:
    text = "<!-- symbols\nA, B : n x n\nat n = 1\n-->\n\n$$ A B = B A $$ $$ A \\neq B $$"
    assert rows(check(text), "status", "verdict") == [("ok", "holds_at"), ("ok", "refuted")]
    assert rows(check(text.replace("n = 1", "n = 2")), "status", "verdict") == [("failed", "refuted"), ("ok", "refuted")]


@pytest.mark.parametrize(
    ("relation", "verdict", "chance", "claimed"),
    [
        ("=", "proved", None, True),
        ("=", "holds_at", None, True),
        ("=", "holds_at", 1e-12, False),
        ("=", "refuted", None, False),
        ("=", "undecided", None, False),
        ("!=", "refuted", None, True),
        ("!=", "proved", None, False),
        ("!=", "holds_at", None, False),
        ("!=", "undecided", None, False),
    ],
)
def test_what_is_as_claimed(relation: str, verdict: str, chance: float | None, claimed: bool) -> None:
    assert is_as_claimed(relation, verdict, chance) is claimed


def test_undecided_is_a_failure_that_says_so(check) -> None:
    report = check("<!-- symbols A : n x n; f : function; x : n -->\n\n$$ f(A x) = A f(x) $$")
    [result] = report.results
    assert (result.status, result.verdict) == ("failed", "undecided") and "nothing is known of" in result.words


def test_text_of_a_failure(check) -> None:
    [result] = check(f"{SYMBOLS}**A7.** We claim\n$$\n  A B\n  = B A\n$$\n").results
    text = failure_text("proofs/a.md", result)
    assert text.startswith("proofs/a.md:6: A7: counterexample at n = 2; fix: ")
    assert "\n  A B = B A\n" in text and "lhs - rhs = A*B - B*A" in text and "it would be proved with one edit" in text
    assert "A = [[" in text and "Traceback" not in text


def test_names_of_items(check) -> None:
    text = r"""# T
<!-- symbols A, B : n x n -->

$$ A = A $$

**A1.** $$ B = B $$

**A2.** $$ A = A = A $$
<!-- not checked: too long -->
$$ A \le B $$

$$ A + B = B + A \tag{E1} $$

$$ \begin{align} A &= A \tag{E2} \\ B &= B \label{eq::[3]} \end{align} $$

<!-- not checked A3: a count -->
<!-- not checked A1: also -->
"""
    names = ["line-4", "A1[1]", "A2[1]", "A2[2]", "A2[3]", "E1", "E2", "eq:(3)", "A3", "A1[2]"]
    report = check(text)
    assert [result.id for result in report.results] == names
    assert report.statements == ("A1", "A2", "E1", "E2", "eq:(3)", "A3")
    assert report.counts == {"proved": 7, "refuted": 0, "failed": 0, "tested": 0, "not checked": 3}


SCOPES = r"""$$ P = P $$
<!-- symbols P : n x n -->
# Title
$$ P = P $$
<!-- symbols A : n x n -->
$$ A = A $$
## One
<!-- symbols B : n x n -->
$$ A B = A B $$
### Inner
<!-- symbols C : n x n -->
$$ B C = B C $$
### Next
$$ C = C $$
$$ B = B $$
## Two
$$ B = B $$
$$ A P = A P $$
<!-- symbols B : n x k -->
$$ A B = A B $$
# Another
$$ A = A $$
$$ B = B $$
"""


def test_scopes(check) -> None:
    failed = {result.line for result in check(SCOPES).results if not result.is_ok}
    assert failed == {1, 14, 17, 23}


def test_scopes_in_latex(check) -> None:
    text = r"""\newcommand{\PA}{P A}
\newcommand{\todo}[1]{\textcolor{red}{\MakeUppercase{#1}}}
\newcommand{\broken}{\def\x{y}}
% symbols
% P : n x n
\begin{document}
\section{One}
% symbols
% A : n x n
\[ \PA = P A \]
\subsection{Inner}
\[ A = A \]
\section{Two}
\[ A = A \]
\[ P = P \]
\end{document}
"""
    assert rows(check(text, "a.tex"), "line", "status") == [(10, "ok"), (12, "ok"), (14, "failed"), (15, "ok")]


def test_definitions_hold_in_their_section(check) -> None:
    text = (
        SYMBOLS + "## One\n\n$$ Q := A B $$\n\n$$ Q C = A B C $$\n\n## Two\n\n$$ Q = A B $$\n\n$$ Q := B A, \\quad Q A = B A A $$"
    )
    assert rows(check(text), "line", "status") == [(7, "ok"), (11, "failed"), (13, "ok")]


def test_errors_in_declarations(check) -> None:
    text = (
        SYMBOLS
        + "$$ A = A $$\n## One\n```symbols\nD : n x n\nA : n x n\n```\n$$ A = A $$\n\n$$ D = D $$\n### In\n$$ A = A $$\n## Two\n$$ A = A $$"
    )
    found = check(text).results
    assert [(r.line, r.status, r.relation) for r in found] == [
        (3, "ok", "="),
        (7, "failed", "symbols"),
        (9, "failed", "display"),
        (11, "failed", "display"),
        (13, "failed", "display"),
        (15, "ok", "="),
    ]
    assert "line 7" in found[1].words and "A" in found[1].words
    assert found[2].words == found[4].words == "not read: the declarations in force have an error in line 7"


def test_an_error_in_a_display_has_its_place(check) -> None:
    [result] = check(f"{SYMBOLS}> - $$\n>   A\n>   = Q\n>   $$\n").results
    assert "line 5, column 7: Q is not declared" in result.words and result.line == 5
    lines = result.explanation.splitlines()
    assert lines[1].index("Q") == lines[2].index("^")


def test_remarks_that_cannot_be_read(check) -> None:
    [result, _] = check(f"{SYMBOLS}<!-- not checked -->\n\n$$ A = A $$").results
    assert (result.status, result.relation) == ("failed", "remark") and "not checked: reason" in result.words


@pytest.mark.parametrize(
    "text", ["", "# Only prose\n\nwith $x = y$.", "<!-- symbols A : n -->", "<!-- symbols A : n x n -->\n$$ B := A A $$"]
)
def test_nothing_to_check(check, text: str) -> None:
    [result] = check(text).results
    assert result.status == "failed" and "nothing to check" in result.words
    assert check(f"{text}\n\n<!-- not checked A1: a count -->").is_ok


TEST_FILE = "def test_one(): pass\nclass TestTwo:\n    async def test_three(self): pass\nif True:\n    def test_hidden(): pass\n"
POINTERS = {
    "tests/test_a.py": "",
    "tests/test_a.py::test_one": "",
    "tests/test_a.py::test_one[x-1]": "",
    "tests/test_a.py::TestTwo": "",
    "tests/test_a.py::TestTwo::test_three": "",
    "tests/test_a.py::test_one, tests/test_a.py::TestTwo": "",
    "./tests/../tests/test_a.py::test_one": "",
    "tests/test_a.py::test_two": "tests/test_a.py does not define test_two",
    "tests/test_a.py::test_three": "does not define test_three",
    "tests/test_a.py::TestTwo::test_one": "does not define TestTwo::test_one",
    "tests/test_a.py::test_one::x": "does not define test_one",
    "tests/test_b.py::test_one": "there is no file tests/test_b.py",
    "tests/test_a.py::test_one, tests/test_b.py": "there is no file tests/test_b.py",
    "tests": "there is no file tests",
    "/etc/passwd": "there is no file /etc/passwd",
    "tests/bad.py::x": "tests/bad.py cannot be read: SyntaxError",
    ",": "there is no file",
}


@pytest.mark.parametrize(("tests", "problem"), POINTERS.items(), ids=POINTERS)
def test_pointers(tmp_path: Path, tests: str, problem: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "proofs" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "test_a.py").write_text(TEST_FILE)
    (tmp_path / "tests" / "bad.py").write_text("def (")
    path = tmp_path / "proofs" / "deep" / "a.md"
    path.write_text(f"<!-- tested A1: {tests} -->")
    [result] = check_document(path).results
    assert (result.id, result.status) == ("A1", "failed" if problem else "tested")
    assert problem in result.words if problem else result.words == tests


def test_progress_and_data(tmp_path: Path) -> None:
    path, seen = tmp_path / "a.md", []
    path.write_text(f"{SYMBOLS}$$ A = A = A $$\n\n$$ A B \\neq B A $$")
    report = check_document(path, progress=lambda *steps: seen.append(steps))
    assert seen == [(1, 3), (2, 3), (3, 3)] and report.name == str(path)
    assert all(Result.from_data(result.to_data()) == result for result in report.results)


def test_order_is_that_of_the_document(check) -> None:
    lines = [result.line for result in check(SCOPES).results]
    assert lines == sorted(lines) and re.fullmatch("line-[0-9]+", check(SCOPES).results[0].id)
