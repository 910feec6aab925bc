"""LaTeX of expressions against golden files, articles that compile without errors or overfull boxes, and hostile names."""

import re
import subprocess

import numpy as np
import pytest
import sympy
from golden import check_golden
from hypothesis import given, settings
from requirements import require
from strategies import transformers
from sympy import MatrixSymbol, Symbol

import symbolic_circuits as sc
from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.report.latex import escape, to_latex
from symbolic_circuits.syntax.sums import MatrixSum

MODELS = {
    "attention_bilinear": "attn(2) bilinear",
    "one_layer": "attn(H)",
    "two_layers": "attn(2) attn(3)",
    "tied_stream": "[no embed, no unembed] attn(2)|bilinear(tied, no out)",
    "no_residual": "bilinear(no residual) attn(2, no residual) bilinear",
    "empty": "",
}
LONG = [
    "(attn(2) bilinear)*2",
    "bilinear*3",
    "attn(2)*5",
    "(attn(H)|bilinear(tied))*2",
    "[n=128, d=4096, V=50257] attn(32, e=128) bilinear(m=16384)",
]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("notation", ["operator", "matrix", "index", "tensor"])
def test_closed_forms(name: str, notation: str) -> None:
    expansion = sc.path_expansion(MODELS[name])
    lines = [to_latex(expansion, notation), "", "% plain", *plain_lines(expansion, notation)]
    check_golden(f"closed_form_{name}_{notation}.tex", "\n".join(lines) + "\n")


def plain_lines(expansion: sc.PathExpansion, notation: str) -> list[str]:
    return [f"% {sc.to_plain(c.expr(notation))}" for c in expansion.path_classes()]


@pytest.mark.parametrize("name", MODELS)
def test_articles(name: str) -> None:
    check_golden(f"article_{name}.tex", sc.article(sc.path_expansion(MODELS[name])))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("attn(H)", r"\mathrm{Id} \otimes W_{U} \, W_{E} + \sum_{h} A^{h} \otimes W_{U} \, W_{OV}^{h} \, W_{E}"),
        ("", r"\mathrm{Id} \otimes W_{U} \, W_{E}"),
    ],
)
def test_closed_forms_of_the_literature(text: str, expected: str) -> None:
    assert sc.to_latex(sc.path_expansion(text).closed_form()) == expected


def test_virtual_heads_read_as_in_the_literature() -> None:
    latex = sc.to_latex(sc.path_expansion("attn(2) attn(2)").closed_form())
    assert latex.endswith(
        r"\sum_{h_{1}, h_{0}} A^{h_{1}} \, A^{h_{0}} \otimes W_{U} \, W_{OV}^{h_{1}} \, W_{OV}^{h_{0}} \, W_{E}"
    )


def compiled(tex: str, folder) -> str:
    """The log of two runs of pdflatex."""
    (folder / "a.tex").write_text(tex)
    for _ in range(2):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "a.tex"]
        run = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
        log = run.stdout.decode("latin-1")
        assert run.returncode == 0, log[-3000:]
    return log


def assert_clean(log: str) -> None:
    """No undefined symbol, no box more than 20pt too wide."""
    assert "undefined" not in log.lower()
    wide = [float(width) for width in re.findall(r"Overfull \\hbox \(([0-9.]+)pt", log)]
    assert max(wide, default=0.0) <= 20.0


@pytest.mark.latex
@pytest.mark.parametrize("text", [*MODELS.values(), *LONG])
def test_articles_compile(text: str, tmp_path) -> None:
    require("latex")
    assert_clean(compiled(sc.article(sc.path_expansion(text)), tmp_path))


@pytest.mark.latex
def test_the_article_of_the_example_compiles_with_its_check(tmp_path) -> None:
    require("latex")
    weights = sc.Weights.example()
    expansion = sc.path_expansion(weights.model)
    log = compiled(sc.article(expansion, sc.check(expansion, weights, [3, 4, 31])), tmp_path)
    assert_clean(log)


@pytest.mark.latex
@settings(max_examples=4)
@given(transformers(symbolic_heads=True))
def test_every_architecture_compiles(model: sc.Transformer) -> None:
    require("latex")
    import tempfile
    from pathlib import Path

    if sc.path_expansion(model).path_classes().number_of_terms > 200:
        return
    with tempfile.TemporaryDirectory() as folder:
        assert_clean(compiled(sc.article(sc.path_expansion(model)), Path(folder)))


@pytest.mark.latex
def test_all_four_notations_compile_in_one_document(tmp_path) -> None:
    require("latex")
    expansion = sc.path_expansion("attn(2) bilinear attn(2)")
    math = [rf"\[ {sc.to_latex(expansion[k].expr(n))} \]" for k in range(4) for n in ("operator", "matrix", "index", "tensor")]
    for name in MODELS.values():
        math += [to_latex(sc.path_expansion(name), n) for n in ("operator", "matrix", "index", "tensor")]
    body = "\n".join(math)
    log = compiled(rf"\documentclass{{article}}\usepackage{{amsmath}}\begin{{document}}{body}\end{{document}}", tmp_path)
    assert "undefined" not in log.lower()


def test_names_from_elsewhere_come_out_inert() -> None:
    hostile = MatrixSymbol(r"\input{/etc/passwd}", 2, 2)
    assert r"\input{" not in sc.to_latex(hostile)
    assert escape(r"\write18{x}_^~&%$#") == r"\textbackslash{}write18\{x\}\_\textasciicircum{}\textasciitilde{}\&\%\$\#"


def test_unknown_results_have_no_latex() -> None:
    sc.to_latex(Symbol("x"))
    with pytest.raises(TypeError, match="list has no LaTeX form"):
        sc.to_latex([1])


def test_too_many_path_classes() -> None:
    with pytest.raises(BudgetError, match="has 24,648 path classes; the limit for writing them is 500"):
        sc.article(sc.path_expansion("(attn(1) bilinear)*2 attn(1)|bilinear"))


@pytest.mark.parametrize("digits", [5, 60, 61, 300, 5000])
def test_numbers_in_words(digits: int) -> None:
    count = 7 * 10**digits + 3
    words = in_words(count)
    if words.startswith("about"):
        assert np.isclose(float(words.split()[1].split("e")[0]), 7.0) and words.endswith(f"e+{digits}")
    else:
        assert int(words.replace(",", "")) == count


def test_shared_streams_are_printed_once() -> None:
    """Each level doubles the text of the one before; SymPy's own printers take minutes for four blocks of each kind."""
    deep = sc.path_expansion("(attn(12) bilinear)*4").unexpanded()
    assert len(sc.to_latex(deep)) > 50_000 and len(sc.to_plain(deep)) > 20_000
    assert sc.to_latex(sc.path_expansion("attn(3) bilinear").unexpanded()).count("W_{E}") == 6
    too_deep = sc.path_expansion("bilinear*30").unexpanded()
    for write in (sc.to_latex, sc.to_plain):
        with pytest.raises(BudgetError, match=r"over .* characters; the limit is 10,000,000.*derive\(model\)"):
            write(too_deep)


def test_a_sum_is_written_out_once_for_its_sign() -> None:
    """SymPy multiplies products by -1 to find their sign, which writes out sums inside."""
    inner = sc.path_expansion("(attn(12) bilinear)*2").unexpanded()
    assert len(re.findall(r"sum\[h_[02]=0\.\.11\]", str(inner))) == str(inner).count("sum[") == 21
    negative = MatrixSum(-MatrixSymbol("A", 2, 2) * MatrixSymbol("B", 2, 2), (Symbol("h"), 0, 2))
    assert str(negative) == "sum[h=0..2] (-A*B)" and sympy.latex(negative) == r"\sum_{h} \left(- A B\right)"
