"""Sheets of spectra and similarities: eigenvalues, and what is made of them."""

from symbolic_circuits.numeric.bilinear.eigen import Eigen
from symbolic_circuits.numeric.bilinear.similarity import Similarity
from symbolic_circuits.numeric.circuits.spectra import CircuitSpectra
from symbolic_circuits.report.display.sheet import Cell, Name, Sheet, number

__all__ = ["eigen_sheet", "similarity_sheet", "spectra_sheet"]

SHOWN = 24  # heads
VALUES = 10  # eigenvalues


def spectra_sheet(result: CircuitSpectra) -> Sheet:
    """A row a head."""
    names = ("positivity", "trace", "norm", "effective_rank")
    found = result.rows()
    rows = tuple((Name(row["head"]), *(number(row[name]) for name in names)) for row in found[:SHOWN])
    where = "between tokens" if result.full else "in the residual stream"
    notes = (f"and {len(found) - SHOWN} heads more",) if len(found) > SHOWN else ()
    heads = ("head", *(name.replace("_", " ") for name in names))
    title = f"{result.circuit} circuits of {result.model!r} {where}"
    return Sheet(title, heads=heads, rows=rows, notes=notes, code=("spectra.eigenvalues", "spectra.singular_values"))


def eigen_sheet(result: Eigen) -> Sheet:
    """The eigenvalues of largest size."""
    rows: tuple[tuple[Cell, ...], ...] = tuple((str(k), number(float(value))) for k, value in enumerate(result.values[:VALUES]))
    left = len(result.values) - len(rows)
    notes = ([f"and {left} more, smaller"] if left else []) + [f"effective rank {number(float(result.effective_rank))}"]
    return Sheet(
        f"eigenvalues of {result.words}", heads=("", "eigenvalue"), rows=rows, notes=tuple(notes), code=("eigen.vectors",)
    )


def similarity_sheet(result: Similarity) -> Sheet:
    """The cosine and what it is made of."""
    values = (("cosine", result.cosine), ("distance", result.distance), ("inner product", result.inner))
    rows = tuple((name, number(value)) for name, value in values)
    return Sheet(f"similarity by {result.measure}", heads=("", ""), rows=rows)
