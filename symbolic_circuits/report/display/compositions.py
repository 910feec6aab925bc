"""Sheets of composition scores: the pairs of components with the largest."""

from symbolic_circuits.numeric.circuits.composition import Composition
from symbolic_circuits.numeric.circuits.joint import JointComposition
from symbolic_circuits.report.display.sheet import Name, Sheet, number

__all__ = ["composition_sheet", "joint_sheet"]

SHOWN = 10


def composition_sheet(result: Composition) -> Sheet:
    """The largest scores, with how far they are above chance."""
    first = str(result).splitlines()[0]
    rows = tuple(
        (Name(row["writer"]), Name(row["reader"]), number(row["score"]), f"{row['deviations']:+.1f}")
        for row in result.largest(SHOWN)
    )
    heads = ("writer", "reader", "score", "deviations from chance")
    return Sheet(first, heads=heads, rows=rows, code=("composition.rows()", "composition.graph()"))


def joint_sheet(result: JointComposition) -> Sheet:
    """The largest scores of pairs on the two sides of a layer."""
    rows = tuple((Name(row["left"]), Name(row["right"]), number(row["score"])) for row in result.largest(SHOWN))
    title = f"joint composition in {result.layer} of {result.model!r}, baseline {result.baseline:.3g}"
    return Sheet(title, heads=("left", "right", "score"), rows=rows, code=("composition.rows()",))
