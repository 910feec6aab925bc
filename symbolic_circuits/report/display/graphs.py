"""A graph as a picture in a notebook: ``show(graph)``, because a ``networkx.DiGraph`` has no picture of its own."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import networkx

from symbolic_circuits.errors import MissingExtraError, SymbolicCircuitsError, UnsupportedNodeError
from symbolic_circuits.report.causal_figure import draw_causal_graph
from symbolic_circuits.report.display.inert import one_line
from symbolic_circuits.report.display.sheet import clipped
from symbolic_circuits.report.figure_style import import_matplotlib
from symbolic_circuits.report.figures import draw_graph, to_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["GraphView", "show"]

SHOWN = 40  # edges of the graph as text
BETWEEN = "#808080"  # black and white


@dataclass(frozen=True, slots=True, eq=False)
class GraphView:
    """A graph that a notebook draws as SVG, and a terminal as a list of its edges; made by :func:`show`.

    Examples
    --------
    >>> from symbolic_circuits.expansion.graphs import model_graph
    >>> view = show(model_graph("attn(1)"))
    >>> view.draw.__name__
    'draw_graph'
    >>> print(str(view).splitlines()[0])
    graph of 5 nodes and 5 edges
    """

    graph: networkx.DiGraph
    draw: Callable[[networkx.DiGraph], "Axes"] = field(repr=False)

    def __str__(self) -> str:
        nodes, edges = len(self.graph), self.graph.number_of_edges()
        lines = [f"  {clipped(one_line(a))} -> {clipped(one_line(b))}" for a, b in list(self.graph.edges)[:SHOWN]]
        more = [f"  and {edges - SHOWN} more"] if edges > SHOWN else []
        return "\n".join([f"graph of {nodes} nodes and {edges} edges", *lines, *more])

    def _repr_svg_(self) -> str | None:
        """The picture; None where it cannot be drawn, which the text says."""
        return self._repr_mimebundle_().get("image/svg+xml")

    def _repr_mimebundle_(self, include: Collection[str] | None = None, exclude: Collection[str] | None = None) -> dict[str, str]:
        """The picture, and what is said in its place."""
        found = {"text/plain": str(self)}
        try:
            ax = self.draw(self.graph, style=style_for_any_page()) if self.draw is draw_graph else self.draw(self.graph)
            found["image/svg+xml"] = to_image(ax.figure, ".svg").decode()
        except MissingExtraError as error:
            found["text/plain"] += f"\n  {error}"
        except SymbolicCircuitsError as error:
            found["text/plain"] += f"\n  no picture: {error}"
        return {
            kind: text for kind, text in found.items() if (not include or kind in include) and not (exclude and kind in exclude)
        }


def style_for_any_page() -> dict[str, str] | None:
    """Lines that are seen on light and on dark pages, nothing behind them; None where the user has a background of their own.

    Causal graphs keep their background: the numbers on their edges stand on it.
    """
    import_matplotlib()
    from matplotlib import rcParams, rcParamsDefault

    own = any(rcParams[name] != rcParamsDefault[name] for name in ("figure.facecolor", "savefig.facecolor", "axes.edgecolor"))
    return None if own else {"figure.facecolor": "none", "axes.edgecolor": BETWEEN}


def show(graph: Any) -> GraphView:
    """A graph of a model, of a term, or of causes, as a view that a notebook draws as SVG.

    Parameters
    ----------
    graph : of ``model_graph``, ``term.graph`` or ``causal_graph``

    Raises
    ------
    UnsupportedNodeError
        It is no such graph.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> print(show(sc.path_expansion("attn(1)")[1].graph))
    graph of 3 nodes and 2 edges
      0:attn.0[0] -> output
      1:embed -> 0:attn.0[0]
    """
    if not isinstance(graph, networkx.DiGraph):
        raise UnsupportedNodeError(f"a view is of a graph of a model, a term or causes; got {type(graph).__name__}")
    if all("kind" in data for _, data in graph.nodes(data=True)):
        return GraphView(graph, draw_causal_graph if "readout" in graph.graph else draw_graph)
    raise UnsupportedNodeError(
        "a view is of a graph of a model, a term or causes: their nodes have a kind; those of this one have none"
    )
