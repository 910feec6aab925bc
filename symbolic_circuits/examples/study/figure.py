"""The study in four panels: what terms add to the margin, accuracy without them, what the heads look for, and the frequencies."""

from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.examples.study.findings import FREQUENCIES, Study
from symbolic_circuits.examples.study.reading import scores
from symbolic_circuits.report.figure_style import COLOURS, import_matplotlib

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_study"]

CROSSING, SAME, OTHER = COLOURS["head"], "#f9c48a", COLOURS["stream"]
SMALL = 8


def draw_study(study: Study, found: dict[str, float]) -> "Figure":
    """The figure of the study.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    """
    figure = import_matplotlib().Figure(figsize=(7.6, 6.4), layout="constrained")
    (a, b), (c, d) = figure.subplots(2, 2)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1, wspace=0.04, hspace=0.05)
    draw_shares(study, a)
    draw_ablations(found, b)
    draw_scores(study, c)
    draw_energies(found, d)
    for ax, title in zip(
        (a, b, c, d),
        (
            "a  share of the margin, by term",
            "b  accuracy without some terms",
            "c  what the two heads look for",
            "d  what depends on a + b, by frequency",
        ),
        strict=True,
    ):
        ax.set_title(title, loc="left", fontsize=9.5, fontweight="bold")
        ax.tick_params(labelsize=SMALL)
        ax.spines[["top", "right"]].set_visible(False)
    return figure


def short(text: str) -> str:
    """A term in the letters of the panel: x for the embedding at ``=``, z0 and z1 for the outputs of the heads.

    >>> short("bilinear.1(embed, attn.0[1](embed))")
    'B(x, z1)'
    """
    text = text.replace("attn.0[0](embed)", "z0").replace("attn.0[1](embed)", "z1")
    return text.replace("embed", "x").replace("bilinear.1", "B")


def colour(text: str) -> str:
    """Dark where two different heads meet, light where a head meets itself, else grey."""
    return CROSSING if "z0" in text and "z1" in text else SAME if text.count("z") == 2 else OTHER


def draw_shares(study: Study, ax: "Axes") -> None:
    """A bar for each term."""
    names = [short(str(term)) for term in study.terms.expansion]
    order = np.argsort(-study.margins, kind="stable")
    shares = 100 * study.margins[order] / study.margins.sum()
    ax.barh(range(len(names)), shares, color=[colour(names[k]) for k in order])
    ax.set_yticks(range(len(names)), [names[k] for k in order], family="monospace")
    ax.invert_yaxis()
    for place, value in enumerate(shares):
        ax.text(max(value, 0) + 0.6, place, f"{value:.1f}".replace("-0.0", "0.0"), va="center", fontsize=SMALL - 1)
    ax.set_xlim(-0.5, 47)
    ax.set_xlabel("% of the margin", fontsize=SMALL)
    text = "x: “=” itself\nz0, z1: heads 0, 1\nB: bilinear layer"
    ax.text(0.98, 0.04, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=SMALL)


def draw_ablations(found: dict[str, float], ax: "Axes") -> None:
    """Pairs of bars: nothing, or the mean, in place of what is taken out; dots for the held-out pairs."""
    rows = [
        ("nothing", None),
        ("the four\nhead–head", "selected"),
        ("the other\neight", "rest"),
        ("z0 with z1\nonly", "crossing"),
    ]
    places = np.arange(len(rows))
    for offset, way, shade in ((-0.2, "zero", COLOURS["input"]), (0.2, "mean", "#a9c3df")):
        keys = ["accuracy" if name is None else f"{way}.{name}" for _, name in rows]
        label = {"zero": "nothing in their place", "mean": "their mean in their place"}[way]
        ax.bar(places + offset, [100 * found[f"{key}.all"] for key in keys], 0.38, color=shade, label=label)
        held = [100 * found[f"{key}.held"] for key in keys]
        ax.plot(places + offset, held, "o", color="black", ms=3, label="held-out pairs" if way == "mean" else None)
    ax.axhline(100 / 31, color="black", lw=0.8, ls=":")
    ax.text(3.6, 100 / 31 + 1, "chance", ha="right", fontsize=SMALL - 1)
    ax.set_xticks(places, [words for words, _ in rows])
    ax.set_ylabel("% of pairs right", fontsize=SMALL)
    ax.set_xlabel("terms taken out", fontsize=SMALL)
    ax.set_ylim(0, 139)
    ax.set_yticks(range(0, 101, 20))
    ax.legend(loc="upper right", frameon=False, fontsize=SMALL - 0.5)


def draw_scores(study: Study, ax: "Axes") -> None:
    """A dot for each residue at its two scores."""
    first, second = scores(study.weights)
    ax.axhline(0, color=OTHER, lw=0.6, zorder=0)
    ax.axvline(0, color=OTHER, lw=0.6, zorder=0)
    ax.plot(first, second, "o", ms=4.5, color=COLOURS["input"], alpha=0.8, mew=0)
    words = f"a dot for each residue\ncorrelation {np.corrcoef(first, second)[0, 1]:.2f}".replace("-", "−")
    ax.text(0.98, 0.97, words, transform=ax.transAxes, ha="right", va="top", fontsize=SMALL)
    ax.set_xlabel("score of a residue for head 0", fontsize=SMALL)
    ax.set_ylabel("score for head 1", fontsize=SMALL)


def draw_energies(found: dict[str, float], ax: "Axes") -> None:
    """Bars for each frequency, of the two kinds of head-head terms."""
    k = np.arange(1, 16)
    for offset, name, shade, words in ((-0.2, "crossing", CROSSING, "z0 with z1"), (0.2, "same", SAME, "a head with itself")):
        values = [100 * found[f"table.{name}.energy.{frequency}"] for frequency in k]
        label = f"{words}: {100 * found[f'table.{name}.sum']:.0f} % in all"
        ax.bar(k + offset, values, 0.38, color=shade, label=label)
    ax.set_xticks([1, 5, *FREQUENCIES])
    ax.set_xlabel("frequency k", fontsize=SMALL)
    ax.set_ylabel("% of the energy of their logits", fontsize=SMALL)
    ax.set_ylim(0, 52)
    ax.legend(loc="upper left", frameon=False, fontsize=SMALL - 0.5)
