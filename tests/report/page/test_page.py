"""Whole pages: nothing from elsewhere, nothing that runs but the page's own script, numbers that are those of the library."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.errors import NotationError, TokensError
from symbolic_circuits.report.page.page import html_page

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m"
RESULT = Result(HOSTILE, HOSTILE, 3, "=", HOSTILE, "failed", "refuted", HOSTILE, HOSTILE)


class Reader(HTMLParser):
    """The elements of a page, and the texts of its styles, scripts and data."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("style", "script"):
            self.open.append(f"{tag} {dict(attrs).get('type', '')}".strip())

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script"):
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open:
            self.raw.append((self.open[-1], data))

    @property
    def data(self) -> dict:
        return json.loads(next(text for kind, text in self.raw if kind == "script application/json"))


@pytest.fixture(scope="module")
def example() -> str:
    documents = [Report(HOSTILE, HOSTILE, (RESULT,))]
    return html_page(
        sc.path_expansion(sc.Weights.example().model),
        sc.Weights.example(),
        [3, 4, 31],
        token=7,
        documents=documents,
        words=HOSTILE,
    )


def pages() -> list[str]:
    frozen = sc.freeze(sc.Weights.random("attn(2) bilinear", seed=0), [1, 2, 3])
    return [
        html_page("attn(H) bilinear"),
        html_page("attn(2) bilinear"),
        html_page(sc.path_expansion("attn(2) bilinear").where("attn.0[1]"), frozen, token=1),
        html_page(sc.path_expansion("attn(2) bilinear").where("attn.0[1] and not attn.0[1]"), frozen, token=1),
        html_page(
            "[rms_norm, gains] attn(2, bias) bilinear(silu)",
            sc.Weights.random("[rms_norm, gains] attn(2, bias) bilinear(silu)", seed=0),
            [1, 2],
        ),
        html_page(
            "[no embed, no unembed] attn(2)", sc.Weights.random("[no embed, no unembed] attn(2)", seed=0), np.ones((3, 16))
        ),
        html_page(""),
    ]


@pytest.fixture(scope="module")
def every(example: str) -> list[str]:
    return [example, *pages()]


def test_nothing_comes_from_elsewhere_and_nothing_else_runs(every: list[str]) -> None:
    for page in every:
        found = Reader(page)
        for tag, attributes in found.tags:
            assert tag not in (
                "iframe",
                "object",
                "embed",
                "base",
                "form",
                "img",
                "foreignobject",
                "annotation-xml",
                "mtext-script",
            )
            assert not any(name.startswith("on") or name in ("style", "src", "xlink:href", "action") for name in attributes), tag
            assert (attributes.get("href") or "#").startswith(("#", "data:,"))
        assert [tag for tag, _ in found.tags].count("script") == 2 and not re.search(
            r"\bhttps?:(?!//www\.w3\.org/2000/svg)", page
        )


def test_the_policy_names_the_style_and_the_script_by_hash(every: list[str]) -> None:
    for page in every:
        found = Reader(page)
        policy = next(attributes["content"] for _, attributes in found.tags if attributes.get("http-equiv"))
        assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
        for kind in ("style", "script"):
            text = "".join(text for name, text in found.raw if name == kind)
            assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy


def test_hostile_text_is_shown_as_text(example: str) -> None:
    assert "<img" not in example and "alert(1)</script>" not in example and "\x1b" not in example and "\u202e" not in example
    assert example.count("&lt;/script&gt;&lt;script&gt;alert(1)") >= 6


def test_the_data_are_those_of_the_library(example: str) -> None:
    data, weights = Reader(example).data, sc.Weights.example()
    expansion = sc.path_expansion(weights.model)
    frozen = sc.freeze(weights, [3, 4, 31])
    assert data["name"] == [str(term) for term in expansion]
    assert np.allclose(data["value"], sc.contributions(expansion, frozen, direction=7)) and np.isclose(
        data["total"], sum(data["value"])
    )
    assert list(data["patterns"]["heads"]) == ["attn.0[0]", "attn.0[1]"] and data["patterns"]["tokens"] == [3, 4, 31]


def test_the_example_has_every_section_and_is_small(example: str) -> None:
    assert re.findall(r'<section id="(\w+)"', example) == ["model", "derivation", "terms", "orders", "documents"]
    assert len(example.encode()) < 300_000 and "13 steps, each replayed; from first to last line proved." in example
    assert '<code class="latex">' not in example and example.count('class="reason"') == 7


def test_pages_are_the_same_every_time() -> None:
    given = sc.Weights.example(), [3, 4, 31]
    assert html_page(given[0].model, *given) == html_page(given[0].model, *given)


def test_many_terms_are_summed_up_by_class() -> None:
    model = "attn(40) bilinear"
    page = html_page(model, sc.Weights.random(model, seed=0), [1, 2, 3], token=0)
    data = Reader(page).data
    assert len(data["name"]) == 1000 and "6 path classes: terms that differ" in page and page.count("data-class=") >= 5
    assert page.count('class="node head"') == 1 and "attn.0[*]" in page and "40 heads" in page


def test_expansions_of_any_size_have_a_page() -> None:
    model = "(attn(12) bilinear)*4"
    page = html_page(model, sc.Weights.random(model, seed=0), [1, 2, 3], token=0, seconds=0.3)
    assert "38,146,972,656 path classes" in page and "by order below" in page and len(page) < 3_000_000


def test_queries_have_derivations_of_what_they_leave() -> None:
    expansion = sc.path_expansion("attn(2) bilinear")
    page = html_page(expansion.where("attn.0[1]"))
    assert "what the query leaves of the model, written" in page
    assert re.search(r"\d steps, each replayed; from first to last line proved\.", page) and 'class="reason"' in page
    nothing = html_page(expansion.where("attn.0[1] and not attn.0[1]"))
    assert "No term is left" in nothing and "Shown: no terms." in nothing
    assert "derivations of up to 12 are written here for a query" in html_page(
        sc.path_expansion("attn(1) bilinear*2").where("attn.0")
    )


def test_scores_have_a_page() -> None:
    model = "[rms_norm, rotary] attn(3, b_V) attn(2)"
    weights, expansion = sc.Weights.random(model, seed=0), sc.scores(model, 1, 1)
    page = html_page(expansion, weights, [1, 2, 3, 4], position=2, key=1, notation="index")
    data = Reader(page).data
    score = sc.total(expansion, sc.freeze(weights, [1, 2, 3, 4]))[2, 1]
    assert np.isclose(data["total"], score) and np.isclose(sum(data["value"]), score)
    assert [data["components"][k] for k in data["left"][:2]] == [
        "embed",
        "embed",
    ] and "The scores of <code>attn.1[1]</code>" in page
    assert '<label for="left" class="field f-left"><span>query</span>' in page and "of the scores of the query is left" in page
    kept = html_page(expansion.where("attn.0[1] > scores.query"), weights, [1, 2, 3, 4], notation="index")
    assert Reader(kept).data["total"] == max(sc.total(expansion, sc.freeze(weights, [1, 2, 3, 4]))[-1])


def test_scores_that_are_too_many_are_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("symbolic_circuits.report.page.listing.FEW", 8)
    page = html_page(sc.scores("attn(2) attn(2)", 1), sc.Weights.random("attn(2) attn(2)", seed=0), [1, 2])
    assert "too many to evaluate all" in page and Reader(page).data["value"] is None and 'data-sort="value"' not in page


@pytest.mark.parametrize("model", ["attn(2) attn(2) bilinear", "attn(2)|bilinear(tied) attn(2)"])
def test_derivations_are_written_line_by_line(model: str) -> None:
    page = html_page(model)
    assert '<code class="latex">' not in page
    links = set(re.findall(r'href="#(equation-\d+)"', page))
    assert links and links <= set(re.findall(r'id="(equation-\d+)"', page))


@pytest.mark.parametrize(
    ("error", "message", "given"),
    [
        (TokensError, "tokens are of the output; of scores", {"expansion": sc.scores("attn(2) attn(2)", 1, 0), "token": 1}),
        (TokensError, "a key is of scores", {"expansion": "attn(2)", "key": 0}),
        (NotationError, "notation", {"expansion": "attn(2)", "notation": "roman"}),
        (TokensError, "token 99 is outside", {"expansion": "attn(2)", "weights": "random", "tokens": [1], "token": 99}),
    ],
)
def test_errors(error: type, message: str, given: dict) -> None:
    assert html_page("attn(2)")
    if given.get("weights"):
        given = given | {"weights": sc.Weights.random("attn(2)", seed=0)}
    with pytest.raises(error, match=message):
        html_page(**given)
