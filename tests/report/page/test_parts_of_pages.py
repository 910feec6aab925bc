"""The parts that pages are made of: markup that escapes, MathML of known elements only, columns, class sums, shapes, patterns."""

import base64
import re
import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.errors import MissingExtraError, TokensError
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.report.page import mathml as mathml_module
from symbolic_circuits.report.page.classes import class_name, class_sums, open_blocks
from symbolic_circuits.report.page.listing import MAX_ROWS, listing
from symbolic_circuits.report.page.markup import Markup, element, escape, joined
from symbolic_circuits.report.page.mathml import ELEMENTS, aligned, mathml, rich_text
from symbolic_circuits.report.page.page import html_page
from symbolic_circuits.report.page.patterns import pattern_data, pooled
from symbolic_circuits.report.page.reading import reading_of
from symbolic_circuits.report.page.rows import places_in_order, row_data, sides_of
from symbolic_circuits.report.page.svg import drawing, picture
from symbolic_circuits.report.page.templates import MAX_FORMULAS, Shapes, heads_of
from symbolic_circuits.report.page.verdicts import verdicts

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style>",
    "a & b",
    "'",
    "\x1b[31m",
    "\u202e",
    "]]>",
    "<!--",
]
MODELS = [
    "attn(3) bilinear",
    "attn(2) bilinear(tied) attn(2)",
    "attn(2)|bilinear(tied)",
    "[rms_norm, gains, learned, b_U] attn(2, bias) bilinear(bias)",
    "[layer_norm] attn(2) bilinear(silu, bias)",
    "attn(2, bilinear)",
]


def frozen_at(model: str, tokens: tuple[int, ...] = (1, 2, 3)) -> object:
    return sc.freeze(sc.Weights.random(model, seed=0), list(tokens))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_is_read_and_not_obeyed(text: str) -> None:
    for made in (element("p", text), element("p", title=text)):
        tree = ElementTree.fromstring(made)
        shown = tree.text or tree.get("title")
        assert len(tree) == 0 and shown == "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    assert joined(element("b", text), [text]).count("<") == 2


def test_markup_is_escaped_once() -> None:
    assert escape(escape("a < b")) == "a &lt; b" and isinstance(escape("a"), Markup)
    assert element("input", disabled=True, value=None, for_="x") == '<input disabled for="x">'


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("x", "<math><mi>x</mi></math>"),
        (r"\mathrm{Id} \otimes W_{OV}^{h}", "<mi>Id</mi><mo>⊗</mo>"),
        (r"\operatorname{vec} t", "<mi>vec</mi>"),
        (r"\mathbf{1}", "<mn>𝟏</mn>"),
        (r"W^{\top}", "<mo>⊤</mo>"),
        (r"\sum_{h} A^{h}", "<mo>∑</mo>"),
        (r"\text{a <b> & c}", "<mtext>a &lt;b&gt; &amp; c</mtext>"),
        (r"\frac{1}{e}", "<mfrac>"),
        (r"\left(", '<code class="latex">\\left(</code>'),
        (r"\notacommand{<b>}", "<mo>&lt;</mo><mi>b</mi><mo>&gt;</mo>"),
    ],
)
def test_mathml(latex: str, expected: str) -> None:
    assert expected in mathml(latex)


@pytest.mark.parametrize(
    "latex",
    [
        r"\href{javascript:alert(1)}{x}",
        r"\style{color:red;background:url(http://x)}{x}",
        r"\class{evil}{x}",
        r"\color{red}{x}",
        r"\text{</math><script>alert(1)</script>}",
        r"\unicode{x3c}script",
        r"x &lt;img src=x&gt;",
        r"\colorbox{red}{x}",
    ],
)
def test_only_known_elements_and_attributes_come_through(latex: str) -> None:
    for node in ElementTree.fromstring(mathml(latex)).iter():
        assert node.tag in ELEMENTS | {"math", "code"}
        assert set(node.attrib) <= {*mathml_module.ATTRIBUTES, "class"} and "http" not in "".join(node.attrib.values())


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("notation", ["operator", "matrix", "index", "tensor"])
def test_formulas_of_terms_are_all_read(model: str, notation: str) -> None:
    expansion = sc.path_expansion(model)
    for term in expansion[: 40 if notation == "operator" else 8]:
        assert '<code class="latex">' not in mathml(sc.to_latex(term, notation)), str(term)


def test_aligned_lines_and_text() -> None:
    assert aligned(r"x &= 1 \\ &\quad + 2").count('class="equation"') == 2
    found = rich_text("see $x$ \\& <b>\n\\begin{align*}\nx &= 1\n\\end{align*}")
    assert found.count("<math") == 3 and "&amp; &lt;b&gt;" in found


def test_latex2mathml_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "latex2mathml", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'symbolic_circuits\[report\]'"):
        html_page("attn(2)")


@pytest.mark.parametrize("model", MODELS)
def test_class_sums_are_the_sums_of_their_terms(model: str) -> None:
    expansion = sc.path_expansion(model)
    reading = reading_of(frozen_at(model), token=3)
    values, names = reading.of_terms(expansion), [class_name(str(term), open_blocks(expansion)) for term in expansion]
    found = class_sums(expansion, reading)
    assert sum(each.count for each in found) == expansion.number_of_terms
    for each in found:
        mine = [k for k, name in enumerate(names) if name == str(each.term)]
        assert len(mine) == each.count and np.isclose(values[mine].sum(), each.value)


def test_readings_are_logits_or_shares_of_the_output() -> None:
    expansion, frozen = sc.path_expansion("attn(2) bilinear"), frozen_at("attn(2) bilinear")
    output = frozen.forward().output[-1]
    assert np.isclose(reading_of(frozen, token=2, against=1).total, output[2] - output[1])
    share = reading_of(frozen)
    assert share.words == "share of the output at position 2" and np.isclose(share.of_terms(expansion).sum(), 1)
    values = np.array([contributions(expansion, frozen, direction=k) for k in range(len(output))])
    assert np.allclose(share.of_terms(expansion), output @ values / (output @ output))


@pytest.mark.parametrize("model", MODELS)
def test_columns_are_those_of_the_terms(model: str) -> None:
    expansion, reading = sc.path_expansion(model), reading_of(frozen_at(model), token=1)
    found = listing(expansion, reading, 1.0)
    rows = row_data(expansion, found, Shapes(expansion.model, "operator"))
    data, terms = rows.data, list(expansion)
    assert data["name"] == [str(term) for term in terms] and data["order"] == [term.order for term in terms]
    assert np.allclose(data["value"], reading.of_terms(expansion)) and np.isclose(sum(data["value"]), reading.total)
    for k, term in enumerate(terms):
        assert [data["components"][j] for j in data["heads"][k]] == [head.name for head in heads_of(term)]
        assert {data["components"][j] for j in data["parts"][k]} == set(re.findall(r"[a-z]+(?:\.\d+)?(?:\[\d+\])?", str(term)))
        assert [data["components"][j] if j >= 0 else None for j in (data["left"][k], data["right"][k])] == list(sides_of(term))


@pytest.mark.parametrize("model", ["attn(3) bilinear", "attn(2) bilinear(tied) attn(2)", "[rms_norm] attn(2, bias)"])
def test_a_shape_filled_in_is_the_formula_of_the_term(model: str) -> None:
    expansion = sc.path_expansion(model)
    shapes = Shapes(expansion.model, "operator")
    for term in expansion:
        heads = [str(head.head) for head in heads_of(term)]
        number = shapes.number(term, heads_of(term))
        filled, labels = shapes.written[number], [box[0] for box in shapes.diagrams[number][2]]
        for k, head in enumerate(heads):
            filled = filled.replace(f'<mn data-head="{k}"></mn>', f"<mn>{head}</mn>")
            labels = [re.sub(rf"@{k}(?=\])", head, label) for label in labels]
        written = re.sub(r"<mn>(\d+)[,.](\d+)</mn>", r"<mn>\1</mn><mo>,</mo><mn>\2</mn>", mathml(sc.to_latex(term)))
        drawn = drawing(term.graph)
        assert written in filled and "data-head" not in filled
        assert labels == [box.label for box in drawn.boxes] and shapes.diagrams[number][3] == drawn.edges
    assert len(shapes.written) < expansion.number_of_terms


def test_formulas_are_limited_and_diagrams_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbolic_circuits.report.page.templates.MAX_FORMULAS", 3)
    expansion = sc.path_expansion("bilinear*2")
    shapes = Shapes(expansion.model, "operator")
    for term in expansion:
        shapes.number(term, heads_of(term))
    assert shapes.markup().count("<math") == 3 and all(shapes.diagrams) and len(shapes.diagrams) == 6 < MAX_FORMULAS


def test_listings() -> None:
    many = "attn(40) bilinear"
    expansion, reading = sc.path_expansion(many), reading_of(frozen_at(many), token=0)
    found, values = listing(expansion, reading, 1.0), reading.of_terms(expansion)
    assert len(found.terms) == MAX_ROWS and not found.is_complete and "1,722" in found.words
    assert found.numbers == tuple(np.argsort(-np.abs(values), kind="stable")[:MAX_ROWS].tolist())
    assert [expansion.index(term) for term in found.terms[:20]] == list(found.numbers[:20])
    huge = sc.path_expansion("(attn(12) bilinear)*4")
    searched = listing(huge, reading_of(frozen_at("(attn(12) bilinear)*4"), token=0), 0.3)
    assert (
        searched.terms
        and not searched.is_complete
        and "of the 4,748,015,397,307,058,375,936,959,175,011,722 terms" in searched.words
    )
    assert listing(huge, None, 1.0).words.startswith("the first 1,000 of")


def test_numbers_of_any_size_have_places() -> None:
    assert places_in_order([5, 10**40, 0, 10**40 - 1]) == [1, 3, 0, 2]


def test_patterns_are_bytes() -> None:
    frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    heads = heads_of(sc.path_expansion(frozen.model)[8])
    data = pattern_data(frozen, heads)
    for head in heads:
        cells = np.frombuffer(base64.b64decode(data["heads"][head.name]), dtype=np.uint8).reshape(3, 3) / 255
        assert np.abs(cells - frozen.patterns[0][head.head]).max() <= 1 / 510 + 1e-6
    assert data["tokens"] == [3, 4, 31] and pattern_data(frozen_at("attn(2, linear)"), [])["heads"] == {}
    assert pooled(np.eye(5), 2).tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_many_positions_stay_under_the_limit() -> None:
    frozen = sc.freeze(sc.Weights.random("attn(20)", seed=0), np.arange(300) % 11)
    data = pattern_data(frozen, [head for term in sc.path_expansion("attn(20)") for head in heads_of(term)])
    assert data["step"] > 1 and data["cells"] == -(-300 // data["step"]) and sum(map(len, data["heads"].values())) < 900_000


def test_drawings_keep_boxes_inside() -> None:
    drawn = drawing(
        sc.path_expansion("(attn(2) bilinear)*2").parse("bilinear.3(attn.2[1](embed), bilinear.1(embed, embed))").graph
    )
    assert all(box.x - box.width / 2 >= 0 and box.x + box.width / 2 <= drawn.width for box in drawn.boxes)
    ElementTree.fromstring(picture(drawn, HOSTILE[0]))


def test_verdicts_are_inert_and_failures_open() -> None:
    results = tuple(
        Result(text, "", k, "=", text, "failed" if k % 2 else "ok", "refuted" if k % 2 else "proved", text, f"{text} {k}")
        for k, text in enumerate(HOSTILE)
    )
    found = verdicts([Report(HOSTILE[0], HOSTILE[1], results)])
    tree = ElementTree.fromstring(found.replace(" open>", ' open="">'))
    assert not {node.tag for node in tree.iter()} & {"script", "img", "style"}
    assert found.count("<details open>") == sum(k % 2 for k in range(len(HOSTILE)))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (r"(A B)^\top \neq B^\top A^\top", "<mo>≠</mo>"),
        (r"\OV x = y", "<pre>\\OV x = y</pre>"),
        (r"\left( x = y", "<pre>\\left( x = y</pre>"),
        ("x &= y % z", "<pre>x &amp;= y % z</pre>"),
        ("x &= y", "<pre>x &amp;= y</pre>"),
        ("einsum('ij->i', A) = 0", "<pre>einsum("),
        ("x = " + "+ x" * 2000, "<pre>x = +"),
        (HOSTILE[0], "&lt;"),
        (r"\text{</math><script>alert(1)</script>} = x", "&lt;/math&gt;&lt;script&gt;"),
    ],
)
def test_claims_are_formulas_where_these_say_the_same(source: str, expected: str) -> None:
    found = verdicts([Report("a.md", "", (Result("A1", "A1", 3, "=", source, "ok", "proved", "for all sizes", ""),))])
    assert expected in found and ("<math>" in found) == (
        "<pre>" not in found or f"<pre>{escape(source)}</pre></details>" in found
    )
    assert "<script" not in found


def test_what_is_no_equation_is_no_formula_and_lines_come_once() -> None:
    result = Result("line-3", "", 0, "test", "tests/a.py::b", "failed", "error", "there is no file", "there is no file\n  more")
    found = verdicts([Report("a.md", "", (result,))])
    assert "<math>" not in found and found.count("there is no file") == 1 and "<pre>  more</pre>" in found
    assert '<td class="number line-number"></td>' in found  # an identity file has no lines


@pytest.mark.parametrize(
    ("given", "message"), [({"token": 99}, "token 99 is outside"), ({"position": 7}, "position 7 is outside")]
)
def test_readings_that_do_not_fit(given: dict, message: str) -> None:
    assert reading_of(frozen_at("attn(2)"), token=1).total
    with pytest.raises(TokensError, match=message):
        reading_of(frozen_at("attn(2)"), **given)
    zero = sc.Weights.random("attn(2)", seed=0)
    zero = sc.Weights(zero.model, {name: 0 * array for name, array in zero.arrays.items()})
    with pytest.raises(TokensError, match="has no direction that shares could be read along"):
        reading_of(sc.freeze(zero, [1, 2]))
