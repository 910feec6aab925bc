"""Draw the pictures of this folder: ``python proofs/pictures/make.py [FOLDER]`` from the root of the project.

``study-addition.svg`` is drawn by ``python -m symbolic_circuits.examples.study -o FOLDER``. Pictures that exist are replaced, each whole.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import symbolic_circuits as sc
from symbolic_circuits.report.composition_figure import draw_composition
from symbolic_circuits.report.figures import to_image
from symbolic_circuits.report.network_figure import draw_network
from symbolic_circuits.whole_file import write_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FOLDER = Path(__file__).parent
WEIGHTS = sc.Weights.example()
MODEL, TOKENS, READOUT = WEIGHTS.model, [3, 4, 31], {"token": 7, "against": 8}  # 3 + 4 = 7


def model() -> "Axes":
    """The model that ships with the package."""
    from matplotlib.figure import Figure

    wide = Figure(figsize=(9, 1.8), layout="constrained").subplots()  # as wide as a page, so that names can be read there
    return sc.draw_graph(sc.model_graph("attn(2) bilinear"), ax=wide)


def term() -> "Axes":
    """Its largest term."""
    return draw_network(sc.path_expansion("attn(2) bilinear").parse("bilinear.1(attn.0[0](embed), attn.0[1](embed))"))


def counts() -> "Axes":
    """How many terms a model of eight blocks has of each order."""
    return sc.draw_counts(sc.path_expansion("(attn(12) bilinear)*4"))


def largest() -> "Axes":
    """The largest terms of one prediction."""
    return sc.draw_ranking(sc.rank(MODEL, WEIGHTS, TOKENS, **READOUT, top=8))


def orders() -> "Axes":
    """What is left after each order, and the loss."""
    return sc.draw_graded(sc.graded(MODEL, WEIGHTS, TOKENS, positions=[-1], targets=[7]))[0]


def complexity() -> "Axes":
    """How many terms explain a prediction."""
    batch = [[a, b, 31] for a in range(0, 31, 7) for b in range(0, 31, 7)]
    return sc.draw_local_complexity(sc.local_complexity(MODEL, WEIGHTS, batch))


def causes() -> "Axes":
    """The effect of every edge."""
    return sc.draw_causal_graph(sc.causal_graph(MODEL, WEIGHTS, TOKENS, **READOUT))


def composition() -> "Axes":
    """What reads what, in random weights of two blocks of four heads, each with a layer behind it."""
    return draw_composition(sc.composition(sc.Weights.random("(attn(4) bilinear)*2", seed=0)))


def eigenvectors() -> "Axes":
    """The spectrum of one logit, and what its eigenvectors add at the numbers."""
    spectrum = sc.interaction_matrix(WEIGHTS, 1, token=7).eigen()
    return sc.draw_eigen(spectrum, WEIGHTS.arrays["W_E"].T[:31], top=6)[0]


PICTURES: dict[str, Callable[[], "Axes"]] = {
    "model.png": model,
    "term.svg": term,
    "counts.svg": counts,
    "largest.svg": largest,
    "orders.svg": orders,
    "complexity.svg": complexity,
    "causes.svg": causes,
    "composition.svg": composition,
    "eigenvectors.svg": eigenvectors,
}


def main(folder: Path) -> None:
    """Draw every picture into a folder."""
    for name, draw in PICTURES.items():
        write_whole(folder / name, to_image(draw().figure, Path(name).suffix), force=True)
        print(f"wrote {folder / name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
