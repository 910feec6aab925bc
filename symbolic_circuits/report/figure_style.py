"""What pictures look like: sizes, frames and colours, under those of the user: rcParams that were changed, and ``style=``.

Every ``draw_*`` takes ``style``, whatever ``matplotlib.style.use`` does: a name, a path, a mapping of rcParams, or a list of these. An rcParam of
:data:`RC` that the user has changed keeps its value; ``style`` comes after both. Where ``axes.prop_cycle`` or ``image.cmap`` was changed, colours
are those. Axes that are given keep the frames and ticks that they were made with. Names are written as :data:`PLAIN` text: a dollar sign is a
dollar sign, and no TeX runs on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from symbolic_circuits.errors import MissingExtraError, NotationError

__all__ = [
    "COLOURS",
    "PLAIN",
    "RC",
    "StyleLike",
    "colour",
    "colour_map",
    "figure_style",
    "foreground",
    "import_matplotlib",
    "ink_on",
]

StyleLike = str | Path | Mapping[str, Any] | Sequence[str | Path | Mapping[str, Any]]
RC = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
}
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}  # of text that has names in it
COLOURS = {
    "input": "#4c78a8",
    "output": "#4c78a8",
    "stream": "#9d9d9d",
    "head": "#f58518",
    "bilinear": "#54a24b",
    "side": "#b6d7a8",
    "gated": "#54a24b",
    "scores": "#e45756",
    "norm": "#79706e",
    **dict.fromkeys(("position", "one", "bias", "normbias"), "#72b7b2"),
    "raises": "#2166ac",  # by sign; told apart without red and green
    "lowers": "#b2182b",
}
IN_CYCLE = {  # which colour of a cycle of the user's own
    **dict.fromkeys(("input", "output", "raises"), 0),
    **dict.fromkeys(("head", "lowers"), 1),
    **dict.fromkeys(("bilinear", "gated"), 2),
    "scores": 3,
    "norm": 4,
    **dict.fromkeys(("position", "one", "bias", "normbias"), 5),
}


def import_matplotlib() -> ModuleType:
    """The figures of the optional dependency, without a window, or the command that installs it."""
    try:
        from matplotlib import figure
    except ImportError as error:
        raise MissingExtraError("pictures need the extra 'report': pip install 'symbolic_circuits[report]'") from error
    return figure


@contextmanager
def figure_style(style: StyleLike | None = None) -> Iterator[None]:
    """While it lasts, what is drawn looks as said above.

    Raises
    ------
    MissingExtraError
        matplotlib is not installed.
    NotationError
        There is no such style, or no such parameter.

    Examples
    --------
    >>> from matplotlib import rcParams
    >>> with figure_style({"legend.fontsize": 12}):
    ...     rcParams["legend.fontsize"], rcParams["axes.titlesize"]
    (12.0, 9.0)
    """
    import_matplotlib()
    from matplotlib import rc_context, rcParams, rcParamsDefault
    from matplotlib.style import use

    ours = {name: value for name, value in RC.items() if rcParams[name] == rcParamsDefault[name]}
    with rc_context(ours):
        if style is not None:
            try:
                use(style)
            except (OSError, KeyError, ValueError, TypeError, AttributeError) as error:
                raise NotationError(f"no style of matplotlib: {style!r}: {error}") from error
        yield


def colour(kind: str) -> str:
    """The colour of a kind of component, ``raises`` or ``lowers``.

    >>> colour("head")
    '#f58518'
    """
    from matplotlib import rcParams, rcParamsDefault

    cycle = rcParams["axes.prop_cycle"].by_key().get("color", ())
    if kind not in IN_CYCLE or not cycle or rcParams["axes.prop_cycle"] == rcParamsDefault["axes.prop_cycle"]:
        return COLOURS[kind]
    return cycle[IN_CYCLE[kind] % len(cycle)]


def colour_map(name: str) -> str:
    """The name of a colour map: the one proposed, or that of the user.

    >>> colour_map("RdBu")
    'RdBu'
    """
    from matplotlib import rcParams, rcParamsDefault

    return name if rcParams["image.cmap"] == rcParamsDefault["image.cmap"] else rcParams["image.cmap"]


def foreground() -> str:
    """The colour of lines that are no data: black, or what a dark style makes of it."""
    from matplotlib import rcParams

    return rcParams["axes.edgecolor"]


def ink_on(background: str | tuple) -> str:
    """Black or white, whichever is read better on a colour.

    >>> ink_on("#4c78a8"), ink_on("#f58518"), ink_on("#ffffb3")
    ('white', 'black', 'black')
    """
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(background)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
