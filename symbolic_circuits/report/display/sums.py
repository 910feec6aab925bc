"""Sheets of checks: sums of terms by grade, and against the forward pass; changes of basis that leave the outputs as they were."""

from symbolic_circuits.counts import in_words
from symbolic_circuits.numeric.bilinear.gauge_report import GaugeReport
from symbolic_circuits.numeric.checking import CheckReport
from symbolic_circuits.numeric.graded import GradedSums
from symbolic_circuits.report.display.sheet import Cell, Name, Sheet, number, signed_shares
from symbolic_circuits.report.display.terms import name_of

__all__ = ["check_sheet", "gauge_sheet", "graded_sheet"]

SHOWN = 20
MOST = 40  # changes of basis
DIGITS = 15  # of numbers of terms


def graded_sheet(result: GradedSums) -> Sheet:
    """A row a grade."""
    found = result.rows()
    shares = signed_shares([row["share"] for row in found[:SHOWN]])
    has_loss = result.losses is not None
    rows: list[tuple[Cell, ...]] = []
    for row, share in zip(found, shares, strict=False):
        terms = "" if row["terms"] is None else in_words(row["terms"], DIGITS)
        loss = [number(row["loss"])] if has_loss else []
        rows.append((str(row["grade"]), terms, number(row["norm"]), share, number(row["remainder"]), *loss))
    first, *rest = str(result).splitlines()
    more = [f"and {len(found) - SHOWN} grades more"] if len(found) > SHOWN else []
    heads = (result.by, "terms", "norm", "share", "remainder", *(["loss"] if has_loss else []))
    return Sheet(first, heads=heads, rows=tuple(rows), notes=tuple(more + [line.strip() for line in rest]), code=("sums.rows()",))


def check_sheet(report: CheckReport) -> Sheet:
    """Whether the terms add up, and the largest."""
    first, *rest = str(report).splitlines()
    found = report.largest(SHOWN)
    shares = signed_shares([share for _, _, share in found])
    rows = tuple((Name(name_of(term)), number(norm), share) for (term, norm, _), share in zip(found, shares, strict=True))
    hidden = len(report.norms) - len(rows)
    notes = ([f"and {in_words(hidden)} smaller terms"] if hidden else []) + [line.strip() for line in rest]
    return Sheet(first, heads=("term", "norm", "of the output"), rows=rows, notes=tuple(notes), code=("report.largest()",))


def gauge_sheet(report: GaugeReport) -> Sheet:
    """A row a change of basis."""
    rows = tuple(
        (Name(c.name), c.verdict, "as claimed" if c.as_claimed else "NOT AS CLAIMED", number(c.difference), Name(c.words))
        for c in report.checks[:MOST]
    )
    notes = [f"and {len(report.checks) - MOST} more"] if len(report.checks) > MOST else []
    notes.append(f"rounding makes up to {report.tolerance:.1e}; seed {report.seed}")
    said = "all as claimed" if report.as_claimed else "NOT all as claimed"
    heads = ("block", "output", "", "difference", "change")
    return Sheet(f"{len(report.checks)} changes of basis of {report.model!r}, {said}", heads=heads, rows=rows, notes=tuple(notes))
