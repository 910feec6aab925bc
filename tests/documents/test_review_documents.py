r"""What a review of documents found: displays that were neither checked nor reported."""

from pathlib import Path

import pytest

from symbolic_circuits.documents.checking import check_document

MARKDOWN = "<!-- symbols A, B : n x n -->\n\n$$ A = A $$\n\n"
LATEX = "% symbols\n% A, B : n x n\n\n\\[ A = A \\]\n"
FALSE = "A B = B A"

DISPLAYED = {
    "a list with tabs": (".md", f"-\ttext\n\n\t$$ {FALSE} $$\n"),
    "an empty comment": (".md", f"<!-->\n\n$$ {FALSE} $$ <!-- x -->\n"),
    "an empty comment of three": (".md", f"<!--->\n\n$$ {FALSE} $$ <!-- x -->\n"),
    "a fence of MyST": (".md", f"```{{math}}\n{FALSE}\n```\n"),
    "an environment without dollars": (".md", f"\\begin{{align}}\n{FALSE}\n\\end{{align}}\n"),
    "brackets": (".md", f"\\[\n{FALSE}\n\\]\n"),
    "dmath": (".tex", f"\\begin{{dmath}}\n{FALSE}\n\\end{{dmath}}\n"),
    "IEEEeqnarray": (".tex", f"\\begin{{IEEEeqnarray}}{{rCl}}\n{FALSE}\n\\end{{IEEEeqnarray}}\n"),
    "an address with a percent sign": (".tex", f"\\url{{http://a.b/c%20d}} \\[ {FALSE} \\]\n"),
    "a macro that opens a display": (".tex", f"\\newcommand{{\\be}}{{\\begin{{equation}}}}\n\\be {FALSE} \\end{{equation}}\n"),
    "a macro for a display": (".tex", f"\\newcommand{{\\eq}}[1]{{\\[ #1 \\]}}\n\\eq{{{FALSE}}}\n"),
    "an environment for a display": (
        ".tex",
        f"\\newenvironment{{eq}}{{\\begin{{equation}}}}{{\\end{{equation}}}}\n\\begin{{eq}} {FALSE} \\end{{eq}}\n",
    ),
}


def results(folder: Path, suffix: str, text: str) -> tuple:
    path = folder / f"a{suffix}"
    path.write_text((MARKDOWN if suffix == ".md" else LATEX) + text, encoding="utf-8")
    return check_document(path).results


@pytest.mark.parametrize(("suffix", "text"), DISPLAYED.values(), ids=DISPLAYED)
def test_no_display_is_passed_over(tmp_path, suffix: str, text: str) -> None:
    first, *others = results(tmp_path, suffix, text)
    assert first.status == "ok"
    assert any(result.status == "failed" for result in others)


def test_a_file_that_is_put_in_is_listed(tmp_path) -> None:
    _, listed = results(tmp_path, ".tex", "\\input{other}\n")
    assert (listed.status, listed.line) == ("not checked", 5) and "\\input{other}" in listed.words


def test_macros_of_symbols_and_unused_macros_are_fine(tmp_path) -> None:
    text = "\\newcommand{\\be}{\\begin{equation}}\n\\newcommand{\\x}{B}\n\\url{x%y} \\[ \\x = B \\]\n% \\input{other}\n"
    assert [result.status for result in results(tmp_path, ".tex", text)] == ["ok", "ok"]
