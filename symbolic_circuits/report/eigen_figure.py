r"""The spectrum of an interaction matrix as a picture, and beside it what each eigenvector adds at some inputs: $\lambda_i (v_i \cdot x)^2$."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from symbolic_circuits.errors import BudgetError, OutputError, ShapeError
from symbolic_circuits.numeric.bilinear.eigen import Eigen
from symbolic_circuits.report.figure_style import (
    PLAIN,
    StyleLike,
    colour,
    colour_map,
    figure_style,
    foreground,
    import_matplotlib,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_eigen"]

MAX_VALUES, MAX_INPUTS = 5000, 500
LABELLED = 40  # inputs, or eigenvectors, that are named one by one


def draw_eigen(
    found: Eigen,
    inputs: np.ndarray | None = None,
    axes: "Sequence[Axes] | None" = None,
    *,
    top: int = 10,
    labels: Sequence[str] | None = None,
    style: StyleLike | None = None,
) -> "tuple[Axes, ...]":
    """Draw the spectrum by falling absolute value and, where inputs are given, the activations of the first eigenvectors and of the rest.

    Parameters
    ----------
    found : of ``interaction_matrix(...).eigen()``
    inputs : (samples, N)
    axes : as many as there are panels, 1 or 2; new ones by default
    top : how many eigenvectors have a row of their own
    labels : of the inputs
    style : a style of matplotlib: a name, a path, rcParams, or a list of these; see :mod:`symbolic_circuits.report.figure_style`

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    BudgetError, OutputError, ShapeError, NotationError
        There is more than a picture can show, or nothing; inputs, labels or axes do not fit; there is no such style.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> from symbolic_circuits.numeric.bilinear.interaction import interaction_matrix
    >>> spectrum = interaction_matrix(sc.Weights.example(), 1, token=7).eigen()
    >>> len(draw_eigen(spectrum, np.eye(64)[:5], top=3))
    2
    """
    require_drawable(found, inputs, labels, top)
    panels = 1 if inputs is None else 2
    with figure_style(style):
        if axes is None:
            size, sizes = (4.2 if panels == 1 else 10.0, 3.6), {"width_ratios": [1, 1.6]} if panels == 2 else {}
            figure = import_matplotlib().Figure(figsize=size, layout="constrained")
            axes = figure.subplots(1, panels, squeeze=False, gridspec_kw=sizes)[0]
        if len(axes) != panels:
            raise ShapeError(f"the picture takes {panels} axes; got {len(axes)}")
        draw_spectrum(found, axes[0])
        if inputs is not None:
            draw_activations(found, np.asarray(inputs), axes[1], min(top, len(found.values)), labels)
    return tuple(axes)


def require_drawable(found: Eigen, inputs: np.ndarray | None, labels: Sequence[str] | None, top: int) -> None:
    """Raise unless there is something to draw, and not too much."""
    if not len(found.values):
        raise OutputError(f"there is no eigenvalue to draw: {found.words} has none")
    if len(found.values) > MAX_VALUES:
        raise BudgetError(f"a picture of {len(found.values):,} eigenvalues was asked for; the limit is {MAX_VALUES:,}")
    if isinstance(top, bool) or top < 1:
        raise OutputError(f"at least one eigenvector is drawn; got top={top}")
    if inputs is None:
        return
    shape = np.shape(inputs)
    if len(shape) != 2 or not shape[0]:
        raise ShapeError(f"inputs have shape (samples, {found.vectors.shape[1]}); got {shape}")
    if shape[0] > MAX_INPUTS:
        raise BudgetError(f"a picture of {shape[0]:,} inputs was asked for; the limit is {MAX_INPUTS:,}")
    if labels is not None and len(labels) != shape[0]:
        raise ShapeError(f"{shape[0]} inputs have as many labels; got {len(labels)}")


def draw_spectrum(found: Eigen, ax: "Axes") -> None:
    """Bars for the eigenvalues, coloured by sign."""
    values = found.values
    colours = np.where(values > 0, colour("raises"), colour("lowers")).tolist()
    ax.bar(range(1, len(values) + 1), values, color=colours, width=0.9 if len(values) < 200 else 1.0)
    ax.axhline(0, color=foreground(), lw=0.6)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_xlabel("eigenvector, by falling |eigenvalue|")
    ax.set_ylabel("eigenvalue")
    ax.set_title(f"{found.words}\neffective rank {found.effective_rank:.3g} of {len(values)}", loc="left", **PLAIN)


def draw_activations(found: Eigen, inputs: np.ndarray, ax: "Axes", top: int, labels: Sequence[str] | None) -> None:
    """A row for each of the first eigenvectors, one for all others, and one for the sum: the quadratic form."""
    each = found.activations(inputs)
    rest = [each[:, top:].sum(1)] if top < each.shape[1] else []
    rows = np.stack([*each[:, :top].T, *rest, each.sum(1)])
    names = [str(k + 1) for k in range(top)] + ["others"] * len(rest) + ["sum"]
    size = np.abs(rows).max() or 1.0
    image = ax.imshow(rows, cmap=colour_map("RdBu"), vmin=-size, vmax=size, aspect="auto", interpolation="nearest")
    ax.axhline(len(rows) - 1.5, color="black", lw=1)
    ax.set_ylabel("eigenvector")
    ax.set_xlabel("input")
    if len(names) <= LABELLED:
        ax.set_yticks(range(len(names)), names)
    if labels is not None and len(labels) <= LABELLED:
        ax.set_xticks(range(len(labels)), labels, rotation=90 if max(map(len, labels)) > 2 else 0, fontsize=7, **PLAIN)
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_title("what each eigenvector adds at each input, and all together", loc="left")
    label = "eigenvalue × (eigenvector · input)²"
    ax.figure.colorbar(image, ax=ax, fraction=0.046, pad=0.02, label=label)
