"""Derivations on paper: golden files, details, marks, conventions, names; documents that compile without overfull boxes."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache

import pytest
from golden import check_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from requirements import require
from sympy import (
    BlockMatrix,
    DiagMatrix,
    HadamardProduct,
    Identity,
    KroneckerProduct,
    MatAdd,
    MatMul,
    Matrix,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Symbol,
    Trace,
    Transpose,
    symbols,
)
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol, Reshape

import symbolic_circuits as sc
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.derive import derive
from symbolic_circuits.derivation.rules.definitions import Substitute
from symbolic_circuits.derivation.rules.distribute import Distribute
from symbolic_circuits.derivation.rules.products import CyclicTrace, FuseIdentity, MixedProduct
from symbolic_circuits.errors import BudgetError, NotationError, UnsupportedNodeError
from symbolic_circuits.report.derivations import writer
from symbolic_circuits.report.derivations.brackets import wrapped
from symbolic_circuits.report.derivations.convention import Columns
from symbolic_circuits.report.derivations.filling import BREAK, filled, shown_marks
from symbolic_circuits.report.derivations.latex import derivation_to_latex
from symbolic_circuits.report.derivations.markdown import to_markdown
from symbolic_circuits.report.derivations.marks import Marks, differing, marked
from symbolic_circuits.report.derivations.paper import PaperPrinter
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.derivations.text import to_text
from symbolic_circuits.report.derivations.widths import latex_width
from symbolic_circuits.report.unicode import to_unicode
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.functions import softmax
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

n, d, m, H = symbols("n d m H", integer=True, positive=True)
g, h = (Symbol(name, integer=True, nonnegative=True) for name in "gh")
A, B, C = (MatrixSymbol(name, d, d) for name in "ABC")
P, X, W, M = MatrixSymbol("P", n, n), MatrixSymbol("X", n, d), MatrixSymbol("W_OV", d, d), MatrixSymbol("W_1^3", m, d)
P_D = MatrixSymbol("P", d, d)
HEADS, CIRCUITS = MatrixFamily("A^0", H, n, n), MatrixFamily("W_OV^0", H, d, d)
WRITERS = {"tex": derivation_to_latex, "md": to_markdown, "txt": to_text}
MACROS = {"W_OV": r"\WOV", "d": r"d_{\mathrm{model}}", "A": r"\pattern{#1}"}


def by_hand() -> Derivation:
    """Two steps of one stage, then one that is read backwards."""
    chain = Derivation.begin(MatAdd(MatMul(A, B + C, Identity(d)), P_D))
    chain = chain.then(FuseIdentity(), at=MatMul(A, B + C, Identity(d)), stage="tidy")
    chain = chain.then(Distribute(), at=A * (B + C), stage="tidy")
    return chain.then(Distribute(), at=A * (B + C), backwards=A * (B + C) + P_D)


def with_lemma() -> Derivation:
    """A tensor that is derived first."""
    Y = MatrixSymbol("Y", d, d)
    lemma = Derivation.begin(A * (B + C), {Y: A * (B + C)}, name=Y).then(Distribute())
    return Derivation.begin(Trace(Y * C), {Y: A * (B + C)}, lemmas=(lemma,)).then(Substitute(Y, lemma.result), at=Y)


@cache
def of_model(text: str, notation: str = "operator") -> Derivation:
    return derive(text, notation=notation)


GOLDEN = {
    "by_hand": (by_hand, Style(detail="every", marked="underline")),
    "lemma": (with_lemma, Style(document=True, marked="colour", numbering="line", title="Two chains")),
    "attention_bilinear": (lambda: of_model("attn(H) bilinear"), Style(document=True, marked="colour")),
    "two_layers_columns": (lambda: of_model("attn(2) attn(3)", "matrix"), Style(document=True, convention="column")),
    "one_layer_index": (lambda: of_model("attn(H)", "index"), Style(detail="result", numbering=None)),
}


@pytest.mark.parametrize("name", GOLDEN)
@pytest.mark.parametrize("kind", WRITERS)
def test_golden(name: str, kind: str) -> None:
    make, style = GOLDEN[name]
    check_golden(f"derivation_{name}.{kind}", WRITERS[kind](make(), style).rstrip("\n") + "\n")


def test_to_latex_takes_derivations() -> None:
    assert sc.to_latex(by_hand()) == derivation_to_latex(by_hand())
    assert r"\label{eq:intro-1}" in sc.to_latex(by_hand(), style=Style(prefix="intro"))


@pytest.mark.parametrize(("detail", "lines"), [("every", 4), ("main", 3), ("result", 2)])
def test_details(detail: str, lines: int) -> None:
    text = to_text(by_hand(), Style(detail=detail))
    assert text.count("=") + 1 == lines
    assert text.count("distribute over the sum") == (2 if detail != "result" else 0)


def test_numbers_and_references() -> None:
    chains = derivation_to_latex(with_lemma(), Style(prefix="p"))
    assert re.findall(r"\\label\{(.*?)\}", chains) == ["eq:p-1", "eq:p-2"] and r"\eqref{eq:p-1}" in chains
    lines = derivation_to_latex(with_lemma(), Style(prefix="p", numbering="line"))
    assert re.findall(r"\\label\{(.*?)\}", lines) == ["eq:p-1", "eq:p-2", "eq:p-3"] and r"\eqref{eq:p-2}" in lines
    assert "eqref" not in derivation_to_latex(with_lemma(), Style(numbering=None))
    assert "distribute" not in derivation_to_latex(with_lemma(), Style(reasons=False))


# Marks


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        (Derivation.begin(A * (B + C) + B).then(Distribute(), at=A * (B + C)), [r"A \, (B + C)"]),
        (Derivation.begin(A * B + A * C).then(Distribute(), backwards=A * (B + C)), []),
        (Derivation.begin(A * B + A * C + C).then(Distribute(), at=A * (B + C), backwards=A * (B + C) + C), [r"A \, (B + C)"]),
        (Derivation.begin(Trace(A * B) * Symbol("c")).then(CyclicTrace(), at=Trace(A * B)), [r"\operatorname{tr}(A \, B)"]),
    ],
)
def test_what_a_step_changes_is_marked(chain: Derivation, expected: list[str]) -> None:
    text = derivation_to_latex(chain, Style(marked="underline"))
    assert re.findall(r"\\underline\{((?:[^{}]|\{[^{}]*\})*)\}", text) == expected
    assert derivation_to_latex(chain, Style(marked=None)) == re.sub(r"\\underline\{((?:[^{}]|\{[^{}]*\})*)\}", r"\1", text)


def test_one_of_two_equal_parts_is_marked() -> None:
    x, tensor = MatrixSymbol("x", n * d, 1), ArraySymbol("B", (d, d, d))
    marks = Marks()
    copy = marked(ApplyBilinear(tensor, x, x), [(2,)], marks)
    assert copy == ApplyBilinear(tensor, x, x)
    assert [arg in marks for arg in copy.args] == [False, False, True]


def test_main_steps_mark_the_smallest_parts_that_differ() -> None:
    assert list(differing(A * B, A * C * B)) == [()]  # nothing of the product goes
    assert list(differing(A * B * C, A * P_D * C)) == [(1,)]
    assert list(differing(X * A + X * B, X * A + X * C)) == [(1, 1)]


# Brackets and rows


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (A * (B + C), r"A \, (B + C)"),
        (-2 * A * (B - C), r"-2 \, A \, (B - C)"),
        (KroneckerProduct(P, W) * Vec(X), r"(P \otimes W_{OV}) \, \operatorname{vec} X"),
        (MatrixSum(HEADS[h] * X * CIRCUITS[h].T, (h, 0, H - 1)), r"\sum_{h} A^{h} \, X \, (W_{OV}^{h})^{\top}"),
        (A * MatrixSum(CIRCUITS[h], (h, 0, H - 1)), r"A \, \Bigl(\sum_{h} W_{OV}^{h}\Bigr)"),
        (HEADS[0] * P + M[0, 1] * P, r"A^{0,0} \, P + (W_{1}^{3})_{0 1} \, P"),
        (MatrixSymbol("Sigma", d, d) ** 2, r"\Sigma^{2}"),
        (M.T * M, r"(W_{1}^{3})^{\top} \, W_{1}^{3}"),
        (Trace(A) - 2 * Trace(B), r"\operatorname{tr}(A) - 2 \operatorname{tr}(B)"),
        (MatMul(2, MatMul(3, A, evaluate=False), evaluate=False), r"2 \, (3 \, A)"),
        (Mul(-2, Mul(-3, Trace(A), evaluate=False), evaluate=False), r"-2 \bigl(-3 \operatorname{tr}(A)\bigr)"),
        (IndexSum(Trace(A), (h, 0, 3)), r"\sum_{h=0}^{3} \operatorname{tr}(A)"),
        (MatrixSum(HEADS[h], (h, 0, H - 1), (g, 1, H - 1)), r"\sum_{h} \sum_{g=1}^{H - 1} A^{h}"),
        (DiagMatrix(A * MatrixSymbol("w", d, 1)), r"\operatorname{diag}(A \, w)"),
        (OneMatrix(n, d), r"\mathbf{1}_{n \times d}"),
        (sc.contract("ij,kj->ik", P, P), r"\Bigl(\sum_{j} P_{i j} P_{k j}\Bigr)_{i k}"),
    ],
)
def test_latex(expr: Basic, expected: str) -> None:
    assert " ".join(PaperPrinter({}).whole(expr).split()) == expected


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (A * (B + C), "A (B + C)"),
        (-2 * A * (B - C), "-2 A (B - C)"),
        (KroneckerProduct(P, W) * Vec(X), "(P ⊗ W_OV) vec(X)"),
        (MatrixSum(HEADS[h] * X * CIRCUITS[h].T, (h, 0, H - 1)), "Σ_h A^h X (W_OV^h)ᵀ"),
        (HEADS[0], "A^{0,0}"),
        (MatMul(2, MatMul(3, A, evaluate=False), evaluate=False), "2 (3 A)"),
        (2 * Trace(A * A) ** 2, "2 (tr(A²))²"),
        (MatrixSum(HEADS[h], (h, 0, H - 1), (g, 1, H - 1)), "Σ_h Σ_{g=1..H - 1} A^h"),
        (DiagMatrix(A * MatrixSymbol("w", d, 1)), "diag(A w)"),
        (BlockMatrix([[A, OneMatrix(d, d)], [B, C]]), "[[A, 𝟏_{d×d}], [B, C]]"),
        (M.T * M, "(W₁³)ᵀ W₁³"),
        (sc.contract("ij,ij->", P, M * M.T), "Σ_{i,j} (W₁³ (W₁³)ᵀ)[i,j] P[i,j]"),
    ],
)
def test_unicode(expr: Basic, expected: str) -> None:
    assert to_unicode(expr) == expected


def test_brackets_grow_outwards() -> None:
    assert wrapped("x") == "(x)" and wrapped("(x)") == r"\bigl((x)\bigr)"
    assert wrapped(r"\sum_h x") == r"\Bigl(\sum_h x\Bigr)"


@settings(max_examples=60)
@given(st.lists(st.lists(st.text("ab", min_size=1, max_size=6), min_size=1, max_size=5), min_size=1, max_size=5))
def test_rows_hold_the_text_and_fit(summands: list[list[str]]) -> None:
    rows = filled([BREAK.join(pieces) for pieces in summands], 12, len, (0, 1, 2))
    text = "+".join("".join(pieces) for pieces in summands)
    assert "".join(row.text for row in rows).replace(" ", "") == text
    assert all(len(row.text) <= 12 - (0, 1, 2)[row.indent] for row in rows)


def test_marks_go_on_over_rows() -> None:
    x, tensor = MatrixSymbol("x", n * d, 1), ArraySymbol("B", (d, d, d))
    long = MatMul(*[KroneckerProduct(P, W)] * 4, x)
    expr, marks = ApplyBilinear(tensor, long, long), Marks()
    copy = marked(expr, [()], marks)
    printer = PaperPrinter({}, marks)
    rows = shown_marks(filled([printer.summand(copy)], 30, latex_width, (0, 1, 2)), "<{}>".format)
    assert len(rows) > 1 and all(row.text.startswith("<") and row.text.endswith(">") for row in rows)


# Names


def test_names_are_replaced() -> None:
    chain = Derivation.begin(MatrixSum(KroneckerProduct(HEADS[h], W) * KroneckerProduct(Identity(n), A), (h, 0, H - 1)))
    text = derivation_to_latex(chain.then(MixedProduct(), at=(0,)), Style(document=True, rename=MACROS | {"h": r"\eta"}))
    assert r"\pattern{\eta} \otimes \WOV \, \pattern{}" in text.replace(r"\pattern{0}", r"\pattern{}")
    assert r"d_{\mathrm{model}} \times d_{\mathrm{model}}" in text and "W_{OV}" not in text


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ({"Q": "R"}, "'Q' is renamed, but does not occur; there are A, B, C, P, d"),
        ({"A": "{P"}, "whose braces are not balanced"),
        ({"A": "P}{"}, "whose braces are not balanced"),
        ({"A": "P\\"}, "whose braces are not balanced"),
        ({"A": "P % x"}, "without % & "),
        ({"A": r"P \\ Q"}, "without % & "),
        ({"A": " "}, "a text that is not empty"),
        ({"A": 5}, "a text that is not empty"),
        ({"A": "B"}, "A and B are both written B"),
        ({"A": "K", "B": r"\mathrm{K}"}, "A and B are both written"),
        ({"A": "d"}, "A and d are both written d"),
        ({"A": "K + L"}, r"is a sum; write \left(K + L\right)"),
        ({"A": "-K"}, "is a sum"),
        ({"A": r"\pattern{#1}"}, "A is no family and has no label for #1"),
    ],
)
def test_names_that_do_not_fit(rename: dict[str, str], message: str) -> None:
    for write in WRITERS.values():
        assert write(by_hand(), Style(rename={"A": r"P_{\text{x}}"}))
        with pytest.raises(NotationError, match=re.escape(message)):
            write(by_hand(), Style(rename=rename))


def test_names_may_change_places() -> None:
    assert "B (A + C)" in to_text(by_hand(), Style(rename={"A": "B", "B": "A"}))
    assert r"\left(K + L\right)" in derivation_to_latex(by_hand(), Style(rename={"A": r"\left(K + L\right)"}))


def test_names_differ_from_members_of_families() -> None:
    chain = Derivation.begin(MatrixSum(HEADS[h] * P, (h, 0, H - 1)))
    with pytest.raises(NotationError, match=re.escape("A and P are both written A^{h}")):
        derivation_to_latex(chain, Style(rename={"P": "A^{h}"}))
    assert derivation_to_latex(of_model("attn(2) attn(2)"), Style(rename={"A": "P", "W_OV": r"\WOV"}))


def test_labels_are_put_into_names_in_text_too() -> None:
    assert "Σ_h pattern(h)" in to_text(Derivation.begin(MatrixSum(HEADS[h], (h, 0, H - 1))), Style(rename={"A": "pattern(#1)"}))


HOSTILE = MatrixSymbol("\\input{/etc/passwd}\n\n```\n<b>", 2, 2)


def test_hostile_names_come_out_inert() -> None:
    chain = Derivation.begin(HOSTILE * (HOSTILE + MatrixSymbol("α", 2, 2))).then(Distribute())
    style = Style(document=True, title="\\input{x}\n```")
    latex, markdown, text = (write(chain, style) for write in WRITERS.values())
    assert "\\input" not in latex and latex.isascii()
    assert markdown.count("```") == 2 * markdown.count("```math") and "\\input" not in markdown.replace("\\\\", "")
    assert "\n<b>" not in text


# Conventions


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (P * X * W.T, "W_OV X Pᵀ"),
        (X * W * X.T, "Xᵀ W_OV X"),
        (Vec(P * X * W.T), "vec(W_OV X Pᵀ)"),
        (2 * HadamardProduct(X * M.T, X * M.T), "2 (W₁³ X)^∘2"),
        (MatrixSum(HEADS[h] * X * CIRCUITS[h].T, (h, 0, H - 1)), "Σ_h W_OV^h X (A^h)ᵀ"),
        (X[0, 1], "X[1,0]"),
        (DiagMatrix(X * MatrixSymbol("w", d, 1)) * X, "X diag(Xᵀ w)"),
        (Vec(W), "vec(W_OVᵀ)"),
        (Vec(X * W * X.T), "vec(Xᵀ W_OVᵀ X)"),
        (BlockMatrix([[X, X * W]]), "[[X], [W_OVᵀ X]]"),
        (Row(P * X * W.T, h), "(W_OV X Pᵀ)_h"),
        (Row(P, h), "(Pᵀ)_h"),
        (IndexSum(Row(X, h), (h, 0, n - 1)), "Σ_h X_h"),
        (IndexSum(Row(X, h), (h, 0, d - 1)), "Σ_{h=0..d - 1} X_h"),
        (softmax(X * W * X.T), "softmax(Xᵀ W_OV X)"),
        (sc.contract("ij,kj->ik", X, A), "(Σ_j A[k,j] X[j,i])[k,i]"),
        (Matrix([[X[0, 1], 2]]), "[[X[1,0], 2]]"),
        (A * B.T, "A Bᵀ"),
        (KroneckerProduct(P, W) * Vec(X), "(P ⊗ W_OV) vec(X)"),
    ],
)
def test_column_convention(expr: Basic, expected: str) -> None:
    assert to_unicode(Columns((X,))(expr)) == expected


def test_nodes_without_a_column_form_are_refused() -> None:
    with pytest.raises(NotationError, match="column convention has no rule for Reshape"):
        Columns((X,))(Reshape(X, (n * d,)))


@pytest.mark.parametrize("write", WRITERS.values())
def test_what_is_no_derivation_is_refused(write: Callable[..., str]) -> None:
    for arguments in ((A,), (5,), (by_hand(), "main"), (Derivation, Style())):
        with pytest.raises(UnsupportedNodeError, match="a Derivation is written in a Style"):
            write(*arguments)


def test_marks_stay_in_column_convention() -> None:
    marks = Marks()
    copy = Columns((X,))(marked(P * X * W.T + X, [(1,), (0, 0)], marks), marks)
    printer = PaperPrinter({}, marks)
    (row,) = shown_marks(filled([printer.summand(copy)], 99, latex_width, (0, 1, 2)), "<{}>".format)
    assert row.text == r"<X> + W_{OV} \, X \, <P^{\top}>"


def rebuilt(expr: Basic) -> Basic:
    """An expression made anew by its constructors."""
    return expr.func(*map(rebuilt, expr.args)) if expr.args and not isinstance(expr, MatrixSymbol | MatrixFamily) else expr


@pytest.mark.parametrize(
    "expr",
    [
        P * X * W.T,
        X + P * (X + P * X * A) * B.T,
        HadamardProduct(X * M.T, P * X * M.T) * M,
        MatrixSum(HEADS[h] * X * CIRCUITS[h].T, (h, 0, H - 1)),
        -3 * P.T * X,
    ],
)
def test_columns_are_the_transpose(expr: Basic) -> None:
    column = rebuilt(Columns((X,))(expr))
    given = MatrixSymbol("X", d, n)
    assert sc.prove(column.xreplace({given: Transpose(X)}), Transpose(expr)).verdict == "proved"


def test_column_convention_needs_to_know_the_activations() -> None:
    chain = Derivation.begin(P * (X + X * A)).then(Distribute())
    assert "X Pᵀ + Aᵀ X Pᵀ" in to_text(chain, Style(convention="column", activations=("X",)))
    with pytest.raises(NotationError, match="state them as activations"):
        to_text(chain, Style(convention="column"))
    with pytest.raises(NotationError, match="the activation 'Y' does not occur; there are A, P, X"):
        to_text(chain, Style(convention="column", activations=("Y",)))


# Formats


@pytest.mark.parametrize("notation", ["operator", "matrix", "index", "tensor"])
def test_markdown_has_no_macros_that_github_refuses(notation: str) -> None:
    text = to_markdown(of_model("attn(2) bilinear", notation), Style(document=True, marked="colour", numbering="line"))
    assert not re.search(r"\\(operatorname|phantom|label|tag|eqref|notag|intertext|newcommand|def)\b", text)
    assert text.count("```") == 2 * text.count("```math") and text.count(r"\begin") == text.count(r"\end")
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize("text", ["attn(2) bilinear", "attn(2)*4", "bilinear*2", "(attn(H)|bilinear(tied))*2"])
@pytest.mark.parametrize("width", [100, 70])
def test_text_keeps_its_width(text: str, width: int) -> None:
    lines = to_text(of_model(text), Style(document=True, width=width)).splitlines()
    assert max(map(len, lines)) <= width


def test_the_same_under_every_hash_seed() -> None:
    code = (
        "from symbolic_circuits.derivation.derive import derive\n"
        "from symbolic_circuits.report.derivations.style import Style\n"
        "from symbolic_circuits.report.derivations.latex import derivation_to_latex\n"
        "print(derivation_to_latex(derive('attn(2)|bilinear', notation='matrix'), Style(document=True, marked='colour')))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in "01"
    }
    assert len(runs) == 1 and runs.pop().startswith(r"\documentclass")


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MAX_ROWS", 20)
    style = Style(detail="every")
    to_text(of_model("attn(H)"), style)
    with pytest.raises(BudgetError, match="takes more than 20 rows in the detail 'every'; choose less detail"):
        to_text(of_model("bilinear*2"), style)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"marked": "bold"}, "marked is one of 'colour', 'underline', None; got 'bold'"),
        ({"convention": "rows"}, "convention is one of"),
        ({"numbering": True}, "numbering is one of"),
        ({"activations": "X"}, "activations are a tuple of names"),
        ({"prefix": "a}b"}, "a prefix of labels has letters"),
        ({"width": 3}, "at least 20 wide; got 3"),
        ({"width": "x"}, "width is a number or None; got 'x'"),
        ({"width": float("inf")}, "at least 20 wide; got inf"),
        ({"prefix": 5}, "prefix is a text; got 5"),
        ({"activations": 5}, "activations is a tuple of names; got 5"),
        ({"activations": (5,)}, "activations are a tuple of names"),
        ({"rename": "A"}, "rename is a mapping"),
        ({"reasons": "no"}, "reasons is True or False; got 'no'"),
    ],
)
def test_options_that_there_are_not(options: dict[str, object], message: str) -> None:
    Style(marked="colour", convention="column", numbering="line", activations=("X",), prefix="a:b-c", width=30)
    with pytest.raises(NotationError, match=re.escape(message)):
        Style(**options)


# Documents


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
    """Nothing undefined, no box more than 20pt too wide."""
    assert "undefined" not in log.lower()
    wide = [float(width) for width in re.findall(r"Overfull \\hbox \(([0-9.]+)pt", log)]
    assert max(wide, default=0.0) <= 20.0


@pytest.mark.latex
@pytest.mark.parametrize(
    ("text", "notation", "options"),
    [
        ("attn(H) bilinear", "operator", {"marked": "colour"}),
        ("attn(2) bilinear", "index", {"convention": "column", "marked": "underline"}),
        ("bilinear*3", "tensor", {"detail": "main"}),
        ("bilinear*2", "index", {"detail": "every", "numbering": "line"}),
        ("attn(2)*4", "matrix", {"rename": {"W_OV": r"\WOV"}, "preamble": r"\newcommand{\WOV}{W_{OV}}"}),
        ("(attn(H)|bilinear(tied))*2", "matrix", {"marked": "colour", "convention": "column"}),
        ("[no embed, no unembed] bilinear(no residual, no out)", "operator", {"numbering": None}),
        ("", "matrix", {"reasons": False}),
        ("[d=1, no embed] bilinear(tied)", "matrix", {"convention": "column", "marked": "colour"}),
    ],
)
def test_documents_compile(text: str, notation: str, options: dict, tmp_path) -> None:
    require("latex")
    assert_clean(compiled(derivation_to_latex(of_model(text, notation), Style(document=True, **options)), tmp_path))


@pytest.mark.latex
def test_fragments_compile_and_hostile_names_too(tmp_path) -> None:
    require("latex")
    hostile = Derivation.begin(HOSTILE * (HOSTILE + MatrixSymbol("α", 2, 2))).then(Distribute())
    chains = {"a": by_hand(), "b": with_lemma(), "c": of_model("attn(2) bilinear"), "d": hostile}
    body = "\n".join(derivation_to_latex(chain, Style(prefix=prefix, marked="colour")) for prefix, chain in chains.items())
    head = r"\documentclass{article}\usepackage{mathtools,xcolor}\allowdisplaybreaks"
    log = compiled(rf"{head}\begin{{document}}{body}\end{{document}}", tmp_path)
    assert "undefined" not in log.lower() and "multiply" not in log.lower()


@pytest.mark.latex
def test_two_layers_take_less_than_twelve_pages(tmp_path) -> None:
    require("latex")
    log = compiled(derivation_to_latex(of_model("(attn(2) bilinear)*2"), Style(document=True)), tmp_path)
    assert_clean(log)
    assert int(re.search(r"Output written on a.pdf \((\d+) page", log)[1]) < 12


def test_dropped_and_kept_long_lines() -> None:
    latex = derivation_to_latex(of_model("(attn(2) bilinear)*2"), Style())
    assert latex.count(r"\label") == 6 and latex.count("B^{3}") > 100
    assert "distribute over the sum" in latex
