"""What notebooks show: forms of every class, first terms only, SymPy's settings, hostile names, no script."""

import html.parser
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache

import numpy as np
import pytest
import sympy
from requirements import require
from sympy import MatrixSymbol, Poly, S, Symbol
from sympy.core._print_helpers import Printable

import symbolic_circuits as sc
from symbolic_circuits.algebra.verdicts import Undecided
from symbolic_circuits.axes import size_symbol
from symbolic_circuits.display import SHEETS, displayed, sheet_of
from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.expansion.enumeration import Enumeration
from symbolic_circuits.report.display.degree import Degree, head_symbols, monomials
from symbolic_circuits.report.display.graphs import show
from symbolic_circuits.report.display.html import formula_html
from symbolic_circuits.report.display.inert import html_text, math_text
from symbolic_circuits.report.display.latex import to_math
from symbolic_circuits.report.display.sheet import Formula, Name, Share, Sheet
from symbolic_circuits.report.display.terms import SHOWN
from symbolic_circuits.report.display.text import to_lines
from symbolic_circuits.report.display.writing import bundle_of, html_of, latex_of, text_of

HOSTILE = r'<script>alert(1)</script> $\href{javascript:x}{y}$ \(z\) " onload=x [b]' + "\x1b[31m\u202e\n"
KINDS = ("text/plain", "text/html", "text/latex")


@cache
def results() -> dict[str, object]:
    """One result of every class, by name."""
    n = Symbol("n", integer=True, positive=True)
    A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    weights = sc.Weights.example()
    expansion, tokens = sc.path_expansion(weights.model), [3, 4, 31]
    refuted = sc.prove(A * B, B * A)
    matrix = sc.interaction_matrix(weights, 1, token=7)
    layer = sc.bilinear_layer(weights, 1)
    found = [
        expansion, expansion[7], sc.derive("attn(2) bilinear"),
        refuted, refuted.witness, sc.prove((A * B).T, B.T * A.T), sc.prove(A * B, B * A, at={n: 1}),
        Undecided(refuted.statement, refuted.residue, "a budget"),
        sc.rank(expansion, weights, tokens, token=7, top=5), sc.explain(expansion, weights, tokens, token=7, fraction=0.99),
        sc.local_complexity(expansion, weights, [tokens, [2, 6, 31]]),
        sc.graded(expansion, weights, tokens, targets=[7], positions=[-1]), sc.check(expansion, weights, tokens),
        sc.ablate(expansion, "attn.0[1]", weights, tokens), sc.patch(expansion, "attn.0[1]", weights, tokens, [5, 6, 31]),
        weights, layer, matrix, matrix.eigen(), sc.composition(weights), sc.joint_composition(weights, 1),
        sc.circuit_spectra(weights), sc.ov_circuit(weights, 0, 0), sc.layer_similarity(layer, layer),
        sc.freeze(weights, tokens), sc.layer_parts(layer), sc.qk_parts(weights, 0, 0), sc.hosvd(layer),
        sc.bias_effects(sc.Weights.random("[b_U] attn(2, b_V) bilinear(bias)", seed=0)),
        sc.gauge_report(sc.Weights.random("attn(1)", seed=0)), sc.in_dictionary(layer, inputs=np.eye(64)[:5]),
        sc.pairwise_interactions(matrix, top=3), sc.export_weights(sc.Weights.random("attn(2)", seed=0), "transformer-lens"),
        Report("a.md", "A", (Result("A1", "A1", 3, "=", "A = A", "ok", "proved", "for all sizes"),
                             Result("A2", "A2", 5, "=", "A = B", "failed", "refuted", "counterexample at n = 1"))),
    ]  # fmt: skip
    return {f"{type(result).__module__}.{type(result).__qualname__}": result for result in found}


@pytest.fixture
def no_latex() -> Iterator[None]:
    """LaTeX as ``init_printing(use_latex=False)`` leaves it in a notebook."""
    before = Printable._repr_latex_
    Printable._repr_latex_ = Printable._repr_disabled
    yield
    Printable._repr_latex_ = before


@pytest.fixture
def no_unicode() -> Iterator[None]:
    """Text as ``init_printing(use_unicode=False)`` has it."""
    sympy.printing.printer.Printer.set_global_settings(use_unicode=False)
    yield
    sympy.printing.printer.Printer._global_settings.clear()


class Tags(html.parser.HTMLParser):
    """The tags, attributes and text of HTML, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.attributes, self.words, self.open = set(), set(), [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


# tables


def test_every_class_has_a_result_here_and_the_methods() -> None:
    assert set(results()) == set(SHEETS)
    assert all(hasattr(result, f"_repr_{kind}_") for result in results().values() for kind in ("html", "latex", "mimebundle"))


@pytest.mark.parametrize("name", sorted(SHEETS))
def test_forms(name: str) -> None:
    result = results()[name]
    bundle = result._repr_mimebundle_()
    assert set(bundle) == set(KINDS)
    assert bundle["text/html"] == result._repr_html_() and bundle["text/latex"] == result._repr_latex_()
    found = Tags(bundle["text/html"])
    assert found.tags <= {"div", "span", "table", "thead", "tbody", "tr", "th", "td", "code", "sub", "sup"} and not found.open
    assert found.attributes <= {"style", "scope", "aria-hidden"}
    assert "color:" not in re.sub(
        r"background(-color)?:|border[a-z-]*:", "", bundle["text/html"]
    )  # text has the page's own colour
    assert bundle["text/latex"].startswith(r"$\displaystyle ") and bundle["text/latex"].endswith("$")
    assert all(
        bundle["text/latex"].count(rf"\begin{{{env}}}") == bundle["text/latex"].count(rf"\end{{{env}}}") for env in ("array",)
    )
    assert len(bundle["text/plain"].splitlines()) < 60


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expansion.expansion.PathExpansion", ["12 terms", "bilinear.1(embed, embed)", "and 4 terms more", "expansion.where(query)"]),
        ("expansion.term.Term", ["bilinear.1(attn.0[0](embed), attn.0[0](embed))", "order 3, height 2, degree 2", "⊗"]),
        ("derivation.derivation.Derivation", ["attn(2) bilinear", "13 steps", "every step has a rule", "mixed product"]),
        ("algebra.verdicts.Proved", ["proved", "for all sizes", "verdict.certificate"]),
        ("algebra.verdicts.Refuted", ["refuted", "A = [[0, 1], [0, 0]]", "lhs = 1, rhs = 0", "proved with one edit"]),
        ("algebra.verdicts.HoldsAt", ["true at n = 1; not for all sizes"]),
        ("algebra.verdicts.Undecided", ["undecided", "a budget", "lhs - rhs"]),
        ("algebra.witness.Witness", ["counterexample at n = 2", "witness.to_code()"]),
        ("numeric.ranking.ranking.Ranking", ["logit 7 at position 2", "+92.4 %", "certified", "ranking.rows()"]),
        ("numeric.ranking.explanation.Explanation", ["99 % of logit 7", "this is the minimum"]),
        ("numeric.ranking.local_complexity.LocalComplexity", ["90 % of the prediction", "proved minimal"]),
        ("numeric.graded.GradedSums", ["by order, 4 grades", "remainder", "loss"]),
        ("numeric.checking.CheckReport", ["add up to the forward pass", "modulo 268435399", "float32"]),
        ("numeric.interventions.intervention.Intervention", ["6 terms of", "change", "effect(position, token=)"]),
        ("numeric.interventions.patch.Patch", ["first", "second", "share(position, token=)"]),
        ("numeric.weights.Weights", ["45,056 parameters", "attn.0.W_Q", "2 x 32 x 64"]),
        ("numeric.bilinear.layer.BilinearLayer", ["bilinear.1: 64 -", "W_out"]),
        ("numeric.bilinear.interaction.InteractionMatrix", ["64 x 64", "largest eigenvalues", "-7.651"]),
        ("numeric.bilinear.eigen.Eigen", ["-7.651", "and 54 more", "effective rank"]),
        ("numeric.circuits.composition.Composition", ["baseline 0.125", "bilinear.1.right", "+27.3"]),
        ("numeric.circuits.joint.JointComposition", ["attn.0[1]", "0.1151"]),
        ("numeric.circuits.spectra.CircuitSpectra", ["OV circuits", "between tokens", "positivity"]),
        ("numeric.circuits.low_rank.LowRank", ["32 x 32, rank at most 32"]),
        ("numeric.bilinear.similarity.Similarity", ["cosine", "standard normal inputs"]),
        ("numeric.frozen.Frozen", ["held fixed at 3 4 31", "patterns of attn.0", "2 x 3 x 3"]),
        ("numeric.bilinear.parts.LayerParts", ["parts of bilinear.1", "b_out", "64 x 64 x 64"]),
        ("numeric.circuits.qk_parts.QKParts", ["QK of attn.0[0]", "key alone"]),
        ("numeric.circuits.bias_effects.BiasEffects", ["5 biases", "bilinear.1", "with the norm's scale"]),
        ("numeric.bilinear.hosvd.Hosvd", ["components of bilinear.1", "and 54 more, smaller", "effective rank"]),
        ("numeric.bilinear.gauge_report.GaugeReport", ["all as claimed", "W_V -", "unchanged"]),
        ("numeric.bilinear.dictionary.FeatureTensor", ["5 features in 64 dimensions, independent", "standard basis"]),
        ("numeric.bilinear.pairwise.PairwiseInteractions", ["3 largest interactions", "every other pair of 2,080"]),
        ("numeric.formats.export.Exported", ["weights for transformer-lens", "blocks.0.attn.W_O"]),
        ("documents.results.Report", ["a.md: 1 proved, 1 failed", "FAILED: refuted", "counterexample at n = 1"]),
    ],
)  # fmt: skip
def test_what_is_said(name: str, words: list[str]) -> None:
    sheet = sheet_of(results()[f"symbolic_circuits.{name}"])
    lines, shown = to_lines(sheet), " ".join("".join(Tags(html_of(sheet)).words).split())
    for word in words:
        assert word in lines
        assert word.replace(">", "") in shown.replace(">", "") or word in ("⊗",)


def test_no_pages_of_numbers() -> None:
    """Where Python itself shows a result that has arrays, it is one line."""
    for name, result in results().items():
        if type(result).__eq__ is object.__eq__ and not isinstance(result, tuple):
            assert len(repr(result)) < 250 and "array(" not in repr(result) and "\n" not in repr(result), name
    assert (
        repr(results()["symbolic_circuits.numeric.bilinear.layer.BilinearLayer"])
        == "<BilinearLayer: bilinear.1: 64 -> 128 -> 64>"
    )
    assert repr(object.__new__(sc.BilinearLayer)).startswith("<symbolic_circuits.")  # half made


@pytest.mark.parametrize(
    ("model", "query", "words"),
    [
        ("attn(2)", None, ["3 terms", "attn.0[1](embed)"]),
        ("", None, ["1 term\n", "embed"]),
        ("attn(H) bilinear", None, ["H**2 + 3*H + 2 terms", "path class", "attn.0[*](embed)"]),
        ("attn(2) bilinear", "attn.* >= 7", ["0 terms"]),
        ("attn(2) bilinear", "attn.0[1] > bilinear.1.left", ["3 terms", "where attn.0[1] > bilinear.1.left"]),
        ("(attn(12) bilinear)*12", None, ["about 1.99e+9189 terms", "attn.0[4](embed)"]),
        ("(attn(12) bilinear)*12", "order = 24", ["order = 24", "..."]),
        ("bilinear*25", None, ["about 10^6,830,084 terms"]),
        ("bilinear*60", None, ["about 10^"]),
        ("[rms_norm, rotary] attn(2, bias) bilinear(relu)", None, ["terms"]),
        ("(attn(H) bilinear)*12", None, ["as many terms as a polynomial of degree 8,190 in H\n", "path classes more"]),
        ("(attn(H) attn(K, linear) bilinear)*4", None, ["as many terms as a polynomial of degree 2,072 in H, K"]),
        ("(attn(H) bilinear)*48", None, ["path classes\n"]),
    ],
)
def test_expansions(model: str, query: str | None, words: list[str]) -> None:
    expansion = sc.path_expansion(model)
    bundle = (expansion if query is None else expansion.where(query))._repr_mimebundle_()
    assert all(word in bundle["text/plain"] + "\n" for word in words)
    assert max(map(len, bundle["text/plain"].splitlines())) < 400


@pytest.mark.parametrize(
    "model", ["attn(H)", "(attn(H) bilinear)*3", "(attn(H) attn(K, linear) bilinear(tied))*2", "attn(H, bilinear)*2"]
)
def test_degrees_are_those_of_the_counts(model: str) -> None:
    expansion = sc.path_expansion(model)
    symbols = head_symbols(expansion)
    count = Poly(expansion.number_of_terms, *map(size_symbol, symbols))
    assert expansion.interpret(Degree()) == count.total_degree()
    assert len(count.monoms()) <= monomials(count.total_degree(), len(symbols))


def test_scores_have_sheets() -> None:
    assert "scores.1[0] of 'attn(2)*2': 9 terms" in sc.scores("attn(2) attn(2)", 1, 0)._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (
            sc.path_expansion("attn(H)").closed_form(),
            "Σ<sub>h</sub> A<sup>h</sup> ⊗ W<sub>U</sub> W<sub>OV</sub><sup>h</sup> W<sub>E</sub>",
        ),
        (
            sc.path_expansion("attn(2) attn(2)")[3].expr("matrix"),
            "A<sup>1,0</sup> t W<sub>E</sub>ᵀ (W<sub>OV</sub><sup>1,0</sup>)ᵀ",
        ),
        (S.Half, "1/2"),
    ],
)
def test_formulas_have_small_letters(expr: sympy.Basic, expected: str) -> None:
    assert expected in formula_html(expr)


def test_shares_have_bars_by_sign() -> None:
    sheet = Sheet("", heads=("", ""), rows=(("a", Share(0.5, 1.0)), ("b", Share(-1.0, 1.0)), ("c", Share(np.nan, 1.0))))
    widths = re.findall(r"width:([0-9.]+)em;margin", html_of(sheet))
    assert widths == ["2.50", "5.00", "0.00"]
    assert "+50.0 %" in to_lines(sheet) and "nan" not in to_lines(sheet)


@pytest.mark.parametrize("graph", ["model", "term", "causal"])
def test_graphs_are_pictures(graph: str) -> None:
    pytest.importorskip("matplotlib")
    weights = sc.Weights.example()
    found = {
        "model": lambda: sc.model_graph(weights.model),
        "term": lambda: sc.path_expansion(weights.model)[7].graph,
        "causal": lambda: sc.causal_graph(weights.model, weights, [3, 4, 31], token=7),
    }[graph]()
    bundle = show(found)._repr_mimebundle_()
    assert bundle["image/svg+xml"].startswith("<?xml") and "<script" not in bundle["image/svg+xml"]
    assert f"graph of {len(found)} nodes" in bundle["text/plain"]
    behind = re.search(r'id="patch_1">\s*<path[^>]*?fill: (\S+?)[;"]', bundle["image/svg+xml"])
    assert (behind is None or behind[1] == "none") == (graph != "causal")


def test_pictures_keep_a_background_of_ones_own() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    graph = sc.model_graph("attn(1)")
    assert "fill: #808080" in show(graph)._repr_svg_()
    with matplotlib.rc_context({"figure.facecolor": "#123456"}):
        picture = show(graph)._repr_svg_()
    assert "fill: #123456" in picture and "#808080" not in picture


@pytest.mark.latex
def test_latex_is_set_by_latex(tmp_path) -> None:
    require("latex")
    formulas = [result._repr_latex_() for result in results().values()] + [bundle_of(s)["text/latex"] for s in hostile_sheets()]
    lines = [r"\documentclass{article}\usepackage{amsmath}\begin{document}", *formulas, r"\end{document}"]
    (tmp_path / "forms.tex").write_text("\n\n".join(lines), encoding="utf-8")
    found = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "forms.tex"], cwd=tmp_path, capture_output=True, timeout=100
    )
    assert found.returncode == 0, found.stdout[-1500:].decode(errors="replace")


# laws


def test_few_terms_are_touched_whatever_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    touched, terms, last = [0, 0], Enumeration.terms, 0

    def counted(self: Enumeration, *given: int) -> Iterator[sc.Term]:
        for term in terms(self, *given):
            touched[given[0] == last] += 1
            yield term

    monkeypatch.setattr(Enumeration, "terms", counted)
    for model in ("attn(2) bilinear", "attn(149) bilinear", "(attn(12) bilinear)*4", "(attn(12) bilinear)*12"):
        expansion, touched[:] = sc.path_expansion(model), (0, 0)
        last = len(expansion.grammar.nonterminals) - 1
        expansion._repr_mimebundle_()
        assert touched[True] == SHOWN and touched[False] < 5000  # parts of terms are made as they are needed


def test_include_and_exclude() -> None:
    term = sc.path_expansion("attn(2)")[1]
    assert list(term._repr_mimebundle_(include={"text/html"})) == ["text/html"]
    assert list(term._repr_mimebundle_(exclude={"text/html", "text/latex"})) == ["text/plain"]


def test_a_class_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    @displayed
    class Mine:
        pass

    with pytest.raises(TypeError, match="nothing says how Mine is shown"):
        Mine()._repr_html_()
    monkeypatch.setitem(SHEETS, f"{__name__}.{Mine.__qualname__}", f"{__name__}:mine")
    assert "it is mine" in Mine()._repr_html_()
    assert Mine()._repr_latex_() is None and list(Mine()._repr_mimebundle_()) == ["text/plain", "text/html"]


def mine(result: object) -> Sheet:
    return Sheet("it is mine")


def test_starting_does_not_import_the_report_layer() -> None:
    code = "import sys, symbolic_circuits as sc; sc.path_expansion('attn(2)')[1]; print(any('circuits.report' in name for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100).stdout.strip() == "False"


# SymPy's settings


@pytest.mark.parametrize("name", ["expansion.term.Term", "expansion.expansion.PathExpansion", "derivation.derivation.Derivation"])
def test_latex_switched_off(name: str, no_latex: None) -> None:
    result = results()[f"symbolic_circuits.{name}"]
    assert result._repr_latex_() is None and set(result._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert "<sub>" not in result._repr_html_() and "⊗ W_" in result._repr_html_()


def test_unicode_switched_off(no_latex: None, no_unicode: None) -> None:
    term = sc.path_expansion("attn(2)")[1]
    assert term._repr_mimebundle_()["text/plain"].splitlines()[1] == "  A^0 (x) W_U W_OV^0 W_E"
    assert "A^0 (x) W_U W_OV^0 W_E" in "".join(Tags(term._repr_html_()).words)
    assert results()["symbolic_circuits.derivation.derivation.Derivation"]._repr_mimebundle_()["text/plain"].isascii()


def test_init_printing_in_a_shell() -> None:
    pytest.importorskip("IPython")
    formula = r"A^{0} \otimes W_{U} \, W_{OV}^{0} \, W_{E}"
    settings = {
        ("mathjax", "plain"): rf"$\displaystyle {formula}$",
        ("mathjax", "inline"): f"${formula}$",
        ("mathjax", "equation*"): rf"\begin{{equation*}}{formula}\end{{equation*}}",
        (False, "plain"): None,
    }
    code = f"""
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import symbolic_circuits as sc, sympy
for use_latex, mode in {list(settings)!r}:
    sympy.init_printing(ip=shell, use_latex=use_latex, latex_mode=mode, use_unicode=True)
    data, _ = shell.display_formatter.format(sc.path_expansion("attn(2)")[1])
    print(repr(data.get("text/latex")))
    assert "A⁰ ⊗ W_U W_OV⁰ W_E" in data["text/plain"], data
    assert shell.display_formatter.format([sc.path_expansion("attn(2)")[1]])[0]["text/plain"] == "[<Term attn.0[0](embed)>]"
"""
    environment = os.environ | {"PYTHONPATH": ":".join(filter(None, sys.path))}
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, env=environment)
    assert found.stdout.strip().splitlines()[-4:] == list(map(repr, settings.values())), found.stderr


# names that are not meant to be obeyed


def hostile_sheets() -> list[Sheet]:
    """Sheets with hostile text in every place."""
    matrix = MatrixSymbol(HOSTILE, 2, 2)
    name, other = MatrixSymbol(HOSTILE.replace(" ", ""), 2, 2), MatrixSymbol("B", 2, 2)
    rows = ((Name(HOSTILE), HOSTILE, Formula(matrix)), (Name("a"), "1", Formula(matrix * matrix)))
    return [
        Sheet(HOSTILE, formula=matrix, notes=(HOSTILE,), code=(HOSTILE,)),
        Sheet(HOSTILE, heads=(HOSTILE, HOSTILE, HOSTILE), rows=rows, notes=(HOSTILE,)),
        sheet_of(sc.BilinearLayer(np.eye(2), np.eye(2), np.eye(2), name=HOSTILE)),
        sheet_of(sc.LowRank((np.eye(2),), HOSTILE)),
        sheet_of(sc.prove(name * other, other * name)),
    ]


@pytest.mark.parametrize("number", range(5))
def test_hostile_names(number: int) -> None:
    bundle = bundle_of(hostile_sheets()[number])
    found = Tags(bundle["text/html"])
    assert "script" not in found.tags and found.attributes <= {"style", "scope", "aria-hidden"} and not found.open
    for text in bundle.values():
        assert "\x1b" not in text and "\u202e" not in text
    texts = re.split(r"<[^>]*>", bundle["text/html"])
    assert not [part for part in texts if ("$" in part or "\\" in part) and part not in ("$", "\\")]  # MathJax sees no formula
    assert r"\href" not in bundle.get("text/latex", "").replace(r"\backslash}href", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$x$", "<span>$</span>x<span>$</span>"),
        ("<a b='c'>&", "&lt;a b=&#x27;c&#x27;&gt;&amp;"),
        ("\x1b[31m", "&lt;U+001B&gt;[31m"),
        ("attn.0[1](embed)", "attn.0[1](embed)"),
    ],
)
def test_text_for_a_page(text: str, expected: str) -> None:
    assert html_text(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", r"\mathrm{a\_b}"),
        (r"\input{x}", r"\mathrm{{\backslash}input\{x\}}"),
        ("1,000 - 2", r"\mathrm{1{,}000\ \text{-}\ 2}"),
        ("50% & $ # ~ ^", r"\mathrm{50\%\ \&\ \$\ \#\ {\sim}\ {\wedge}}"),
    ],
)
def test_words_in_a_formula(text: str, expected: str) -> None:
    assert math_text(text) == expected


# errors


def test_no_picture_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    bundle = show(sc.path_expansion("attn(2)")[1].graph)._repr_mimebundle_()
    assert set(bundle) == {"text/plain"} and "pip install 'symbolic_circuits[report]'" in bundle["text/plain"]


def test_large_graphs_are_not_drawn() -> None:
    view = show(sc.model_graph(sc.Transformer.parse("(attn(60) bilinear)*30")))
    assert view._repr_svg_() is None and "no picture: a picture of" in view._repr_mimebundle_()["text/plain"]


@pytest.mark.parametrize("graph", [None, "digraph {}", [1]])
def test_what_is_no_graph(graph: object) -> None:
    with pytest.raises(sc.errors.UnsupportedNodeError, match="a view is of a graph of a model, a term or causes"):
        show(graph)


def test_a_composition_graph_has_no_kinds() -> None:
    with pytest.raises(sc.errors.UnsupportedNodeError, match="their nodes have a kind"):
        show(sc.composition(sc.Weights.example()).graph())


def test_a_formula_alone_is_no_table() -> None:
    assert to_math(Sheet("words")) is None and latex_of(Sheet("words")) is None and text_of(Sheet("words")) == "words"
