"""Pictures: what they show, their words, styles of one's own, limits, names that are not code, and what a missing matplotlib says."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable

import networkx
import numpy as np
import pytest

import symbolic_circuits as sc
from symbolic_circuits.errors import BudgetError, MissingExtraError, NotationError, OutputError
from symbolic_circuits.report import composition_figure, network_figure, ranking_figure
from symbolic_circuits.report.causal_figure import draw_causal_graph
from symbolic_circuits.report.composition_figure import draw_composition
from symbolic_circuits.report.count_figure import draw_counts
from symbolic_circuits.report.eigen_figure import draw_eigen
from symbolic_circuits.report.figure_style import COLOURS, colour, figure_style, ink_on
from symbolic_circuits.report.figures import draw_graph, to_image
from symbolic_circuits.report.graded_figure import draw_graded
from symbolic_circuits.report.network_figure import draw_network
from symbolic_circuits.report.network_layout import network_layout
from symbolic_circuits.report.ranking_figure import draw_explanation, draw_local_complexity, draw_ranking

matplotlib = pytest.importorskip("matplotlib.figure") and sys.modules["matplotlib"]
LINES = (matplotlib.text.Text, matplotlib.lines.Line2D)
WEIGHTS = sc.Weights.example()
MODEL, TOKENS = WEIGHTS.model, [3, 4, 31]
TERM = sc.path_expansion(MODEL)[-2]
DRAWN: dict[str, tuple[Callable, Callable, int]] = {  # name -> what is drawn, by what, on how many axes
    "causal_graph": (lambda: sc.causal_graph(MODEL, WEIGHTS, TOKENS, token=7), draw_causal_graph, 1),
    "composition": (lambda: sc.composition(WEIGHTS), draw_composition, 1),
    "counts": (lambda: sc.path_expansion(MODEL), draw_counts, 1),
    "eigen": (lambda: sc.interaction_matrix(WEIGHTS, 1, token=7).eigen(), draw_eigen, 1),
    "explanation": (lambda: sc.explain(MODEL, WEIGHTS, TOKENS, token=7), draw_explanation, 2),
    "graded": (lambda: sc.graded(MODEL, WEIGHTS, TOKENS, positions=[-1], targets=[7]), draw_graded, 2),
    "graph": (lambda: sc.model_graph(MODEL), draw_graph, 1),
    "local_complexity": (lambda: sc.local_complexity(MODEL, WEIGHTS, [TOKENS, [1, 1, 31]]), draw_local_complexity, 1),
    "network": (lambda: TERM, draw_network, 1),
    "ranking": (lambda: sc.rank(MODEL, WEIGHTS, TOKENS, token=7, top=5), draw_ranking, 1),
}
LABELS = {  # name -> words that stand in the picture
    "causal_graph": "attn.0[1]",
    "composition": "bilinear.1.left",
    "counts": "12 terms",
    "eigen": "effective rank 9.32 of 64",
    "explanation": "share of the total",
    "graded": "loss (nats)",
    "graph": "bilinear.1.right",
    "local_complexity": "terms that explain 90 %",
    "network": "bilinear.1(attn.0[1](embed), attn.0[0](embed))",
    "ranking": "contribution to logit 7 at position 2",
}


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    return {name: make() for name, (make, _, _) in DRAWN.items()}


def axes_of(drawn: object) -> tuple:
    """The Axes of a picture."""
    return drawn if isinstance(drawn, tuple) else (drawn,)


def words_of(drawn: object) -> set[str]:
    """Every text in a picture."""
    figure = axes_of(drawn)[0].figure
    return {text.get_text() for text in figure.findobj(matplotlib.text.Text) if text.get_text()}


def colours_of(drawn: object) -> set[str]:
    """The colours of lines, text and areas."""
    figure = axes_of(drawn)[0].figure
    lines = [artist.get_color() for artist in figure.findobj(lambda artist: isinstance(artist, LINES))]
    areas = [artist.get_facecolor() for artist in figure.findobj(matplotlib.patches.Patch)]
    return {matplotlib.colors.to_hex(colour) for colour in lines + areas}


def sizes_of(drawn: object) -> set[float]:
    """The sizes of text."""
    return {text.get_fontsize() for text in axes_of(drawn)[0].figure.findobj(matplotlib.text.Text)}


# tables


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_has_its_words(found, name: str) -> None:
    drawn = DRAWN[name][1](found[name])
    assert len(axes_of(drawn)) == DRAWN[name][2]
    assert all(isinstance(ax, matplotlib.axes.Axes) for ax in axes_of(drawn))
    assert any(LABELS[name] in text for text in words_of(drawn))


def test_every_picture_has_one_name_and_one_naming_of_arguments() -> None:
    names = {name.removeprefix("draw_") for name in sc.__all__ if name.startswith("draw_")}
    assert names <= DRAWN.keys()
    for _, draw, panels in DRAWN.values():
        codes = draw.__code__.co_varnames[: draw.__code__.co_argcount + draw.__code__.co_kwonlyargcount]
        assert "style" in codes and (({"ax", "axes"} & set(codes)) == {"axes"} or panels == 1)


def test_a_network_of_a_term() -> None:
    ax = draw_network(TERM)
    boxes = Counter(text.get_text() for text in ax.texts if text.get_bbox_patch() is not None)
    assert boxes == Counter(
        ["$A^{1}$", "$A^{0}$", "$W_{OV}^{1}$", "$W_{OV}^{0}$", *["$t$", "$W_{E}$"] * 2, "$W_{1}$", "$W_{2}$"]
    ) + Counter(["$W_{out}$", "$W_{U}$"])
    letters = {text.get_text() for text in ax.texts if text.get_bbox_patch() is None}
    assert letters == set("abcdefghijkl") and ax.get_title(loc="left") == str(TERM)


def test_the_picture_of_composition() -> None:
    found = sc.composition(sc.Weights.random("(attn(2) bilinear)*2", seed=0))
    ax = draw_composition(found, by="excess")
    assert [label.get_text() for label in ax.get_yticklabels()] == list(found.readers)
    assert np.array_equal(ax.images[0].get_array().filled(np.nan), np.where(found.reads, found.excess, np.nan), equal_nan=True)
    low, high = ax.images[0].get_clim()
    assert low == -high and len([t for t in ax.texts if t.get_text()]) == found.reads.sum()


@pytest.mark.parametrize(("model", "words"), [("", "1 term\n''"), ("attn(2) bilinear", "12 terms\n'attn(2) bilinear'")])
def test_few_terms_have_a_scale(model: str, words: str) -> None:
    ax = draw_counts(sc.path_expansion(model))
    assert ax.get_ylim()[1] == 1 and ax.get_title(loc="left") == words
    ticks = [tick for tick in ax.get_xticks() if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]]
    assert all(tick == round(tick) for tick in ticks) and set(ticks) >= {0}


def test_no_bound_on_others_where_there_are_none() -> None:
    weights = sc.Weights.random("attn(2)", seed=0)
    some, every = (draw_ranking(sc.rank(weights.model, weights, [1, 2], token=0, top=top)) for top in (2, 3))
    assert some.get_legend() is not None and every.get_legend() is None


def test_shades_of_a_histogram(found) -> None:
    ax = draw_local_complexity(found["local_complexity"])
    heights = {round(bar.get_x() + bar.get_width() / 2): bar.get_height() for bar in ax.patches}
    assert heights == found["local_complexity"].histogram


# laws


@pytest.mark.parametrize(
    "text", ["attn(2)*3", "(attn(2) bilinear)*2", "[rotary, rms_norm, gains] attn(2, bilinear, b_V) bilinear(b_1)"]
)
def test_a_network_is_the_einsum_of_the_term(text: str) -> None:
    """Letters, tensors and legs are those of the string."""
    for term in sc.path_expansion(text).sample(6, seed=1):
        layout, (subscripts, names) = network_layout(term), term.to_einsum()
        inputs, output = subscripts.split("->")
        letters = network_figure.letters_of(layout)
        written = ["".join(letters[i] for i in tensor.indices) for tensor in layout.tensors]
        assert written == inputs.split(",")[len(layout.scalars) :] and "".join(letters[i] for i in layout.output) == output
        assert layout.scalars == names[: len(layout.scalars)]


@pytest.mark.parametrize(
    "text", ["attn(2)*3", "(attn(2) bilinear)*2", "bilinear(silu) attn(2, b_V)", "[learned] attn(1, linear) bilinear(b_1)"]
)
def test_tensors_do_not_overlap_and_patterns_stand_above_what_they_move(text: str) -> None:
    for term in sc.path_expansion(text).sample(4, seed=0):
        ax = draw_network(term)
        boxes = [text.get_window_extent() for text in ax.texts if text.get_bbox_patch() is not None]
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
        layout = network_layout(term)
        moved = Counter(layout.places[k][0] for k, tensor in enumerate(layout.tensors) if tensor.letter in ("W_OV", "b_OV"))
        assert not Counter(layout.places[k][0] for k, tensor in enumerate(layout.tensors) if tensor.letter in "AM") - moved


@pytest.mark.parametrize("name", DRAWN)
def test_axes_of_ones_own_and_the_same_bytes_every_time(found, name: str) -> None:
    draw, panels = DRAWN[name][1:]
    figure = matplotlib.figure.Figure(figsize=(9, 5))
    own = figure.subplots(1, panels) if panels > 1 else figure.subplots()
    given = tuple(own) if panels > 1 else own
    drawn = draw(found[name], **{"axes" if panels > 1 or name == "eigen" else "ax": (given,) if name == "eigen" else given})
    assert axes_of(drawn) == axes_of(given)
    assert to_image(axes_of(draw(found[name]))[0].figure, ".svg") == to_image(axes_of(draw(found[name]))[0].figure, ".svg")


@pytest.mark.parametrize("name", DRAWN)
def test_a_style_of_ones_own_comes_last_and_does_not_stay(found, name: str) -> None:
    draw, before = DRAWN[name][1], dict(matplotlib.rcParams)
    plain, dark = draw(found[name]), draw(found[name], style="dark_background")
    sized = draw(found[name], style=[{"axes.titlesize": 17, "axes.labelsize": 17, "xtick.labelsize": 17}])
    assert dict(matplotlib.rcParams) == before
    assert axes_of(dark)[0].figure.get_facecolor() == (0, 0, 0, 1) != axes_of(plain)[0].figure.get_facecolor()
    assert colours_of(dark) != colours_of(plain)
    assert 17 in sizes_of(sized) - sizes_of(plain)


def test_what_the_user_set_stays(found) -> None:
    with matplotlib.rc_context({"axes.titlesize": 21, "axes.prop_cycle": matplotlib.cycler(color=["#010203", "#040506"])}):
        ax = draw_counts(found["counts"])
        assert colour("bilinear") == "#010203" and ax.title.get_fontsize() != 9
    assert ax._left_title.get_fontsize() == 21 and ax.patches[0].get_facecolor()[:3] == matplotlib.colors.to_rgb("#010203")
    assert draw_counts(found["counts"])._left_title.get_fontsize() == 9
    with figure_style({"image.cmap": "magma"}):
        assert draw_composition(found["composition"]).images[0].cmap.name == "magma"


@pytest.mark.parametrize("kind", COLOURS)
def test_text_is_read_on_its_colour(kind: str) -> None:
    """A contrast of at least 2 for bold labels on coloured boxes."""
    light = {"white": 1.0, "black": 0.0}[ink_on(COLOURS[kind])]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in matplotlib.colors.to_rgb(COLOURS[kind])]
    luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    assert (max(light, luminance) + 0.05) / (min(light, luminance) + 0.05) > 2


HOSTILE = [r"$\input{/etc/passwd}$", "--><script>alert(1)</script>", r"$\frac{$", "]]>&amp;<b>", "$$", "\\"]


def test_names_are_not_code(found) -> None:
    """Of inputs, which the user names; as markup of SVG, as formulas and, where the user has TeX on, as TeX."""
    spectrum = found["eigen"]
    for style in (None, {"text.usetex": True, "axes.formatter.use_mathtext": False}):
        axes = draw_eigen(spectrum, np.eye(64)[: len(HOSTILE)], top=2, labels=HOSTILE, style=style)
        ticks = axes[1].get_xticklabels()
        assert [tick.get_text() for tick in ticks] == HOSTILE
        assert not any(tick.get_usetex() or tick.get_parse_math() for tick in ticks)
    svg = to_image(draw_eigen(spectrum, np.eye(64)[: len(HOSTILE)], top=2, labels=HOSTILE)[0].figure, ".svg")
    assert not any(node.tag.endswith("script") for node in ElementTree.fromstring(svg).iter())


def test_nodes_of_a_graph_are_text() -> None:
    graph = sc.model_graph("attn(1)")
    names = dict(zip(graph, (f"{name} stream.{text}" for name, text in zip(graph, HOSTILE * 2, strict=False)), strict=False))
    ax = draw_graph(networkx.relabel_nodes(graph, names))
    texts = [text for text in ax.texts if text.get_text()]
    assert len(texts) == len(graph) and not any(text.get_parse_math() for text in texts)
    assert b"<script" not in to_image(ax.figure, ".svg")
    assert [text.get_text() for text in draw_graph(graph).texts if text.get_text()][1] == "$X_{0}$"


def test_queries_in_titles_are_text() -> None:
    expansion = sc.path_expansion("attn(2)*2").where("attn.0[1] >> output")
    assert not draw_counts(expansion)._left_title.get_parse_math()


# errors


@pytest.mark.parametrize("name", DRAWN)
def test_a_missing_matplotlib_names_the_command(found, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'symbolic_circuits\[report\]'"):
        DRAWN[name][1](found[name])


@pytest.mark.parametrize("style", ["no such style", {"no.such.parameter": 1}, 3, ["ggplot", {"axes.titlesize": "enormous"}]])
def test_styles_that_are_none(found, style: object) -> None:
    before = dict(matplotlib.rcParams)
    with pytest.raises(NotationError, match="no style of matplotlib"):
        draw_counts(found["counts"], style=style)
    assert dict(matplotlib.rcParams) == before
    draw_counts(found["counts"], style=["ggplot", {"axes.titlesize": "large"}])


def test_what_is_too_large_for_a_picture(found, monkeypatch: pytest.MonkeyPatch) -> None:
    terms = sc.path_expansion("attn(1)*149")
    with pytest.raises(BudgetError, match=r"a picture of a term of 150 nodes was asked for; the limit is 120"):
        draw_network(terms[-1])
    monkeypatch.setattr(composition_figure, "MAX_CELLS", 3)
    with pytest.raises(BudgetError, match=r"a picture of 4 pairs was asked for; the limit is 3"):
        draw_composition(found["composition"])
    monkeypatch.setattr(ranking_figure, "MAX_BINS", 0)
    with pytest.raises(BudgetError, match=r"bars was asked for; the limit is 0"):
        draw_local_complexity(found["local_complexity"])


def test_composition_that_cannot_be_drawn(found) -> None:
    with pytest.raises(NotationError, match="pairs are drawn by 'score', 'excess', 'deviations'; got 'size'"):
        draw_composition(found["composition"], by="size")
    with pytest.raises(OutputError, match="there is no pair to draw: in 'attn\\(1\\)' no component reads another"):
        draw_composition(sc.composition(sc.Weights.random("attn(1)", seed=0)))
