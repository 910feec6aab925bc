"""Sheets of verdicts, counterexamples and documents: what is claimed, what is known about it, the tensors, the edits that help."""

from symbolic_circuits.algebra.diagnosis import shown as einsum_text
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.verdicts import HoldsAt, Refuted, Undecided, Verdict
from symbolic_circuits.algebra.witness import Witness
from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.identities.report import residue_text, sizes_text, summary, witness_lines
from symbolic_circuits.report.display.sheet import Cell, Name, Sheet, clipped

__all__ = ["document_sheet", "verdict_sheet", "witness_sheet"]

MAX_TEXT = 400  # characters of a side
MAX_TERMS = 8  # of a side
SHOWN = 40  # claims of a document
WORDS = {"proved": "proved", "refuted": "refuted", "holds_at": "holds at the sizes asked for", "undecided": "undecided"}


def verdict_sheet(verdict: Verdict) -> Sheet:
    """What is claimed, and what is known."""
    statement = verdict.statement
    rows: list[tuple[Cell, ...]] = [("lhs", Name(side_text(statement.lhs))), ("rhs", Name(side_text(statement.rhs)))]
    if isinstance(verdict, Refuted | Undecided) and verdict.residue is not None:
        rows.append(("lhs - rhs", Name(clipped(residue_text(verdict.residue), MAX_TEXT))))
    if isinstance(verdict, Refuted):
        rows += witness_rows(verdict.witness)
        notes = (f"counterexample at {sizes_text(verdict.witness)}",)
    else:
        notes = (summary(verdict),)
    if isinstance(verdict, Refuted | Undecided):
        notes += tuple(f"proved with one edit: {edit}" for edit in verdict.diagnosis[:3])
    return Sheet(WORDS[verdict.verdict], heads=("", ""), rows=tuple(rows), notes=notes, code=code_for(verdict))


def code_for(verdict: Verdict) -> tuple[str, ...]:
    """What there is more of."""
    if isinstance(verdict, Refuted):
        return "verdict.witness", "verdict.diagnosis", "explanation(verdict)"
    if isinstance(verdict, HoldsAt):
        return ("verdict.sizes",)
    return ("verdict.diagnosis",) if isinstance(verdict, Undecided) else ("verdict.certificate",)


def side_text(side: Open) -> str:
    """A side as einsums."""
    terms = [einsum_text(term) for term in side.terms[:MAX_TERMS]]
    more = f" + {len(side.terms) - MAX_TERMS} more terms" if len(side.terms) > MAX_TERMS else ""
    return clipped(" + ".join(terms).replace("+ -", "- ") or "0", MAX_TEXT) + more


def witness_rows(witness: Witness) -> list[tuple[Cell, ...]]:
    """A row a tensor, then the two sides."""
    *tensors, sides = [line.strip() for line in witness_lines(witness)]
    return [("", Name(clipped(line, MAX_TEXT))) for line in [*tensors, sides]]


def witness_sheet(witness: Witness) -> Sheet:
    """The tensors of a counterexample, and where the sides differ."""
    notes = ("no smaller sizes have a counterexample",) if witness.minimal else ()
    rows = tuple(witness_rows(witness))
    return Sheet(
        f"counterexample at {sizes_text(witness)}",
        heads=("", ""),
        rows=rows,
        notes=notes,
        code=("witness.to_code()", "witness.verify()"),
    )


def document_sheet(report: Report) -> Sheet:
    """A row a claim; those that are not as claimed come first where there are many."""
    order = sorted(report.results, key=lambda result: result.is_ok) if len(report.results) > SHOWN else report.results
    rows = tuple(
        (Name(clipped(result.id)), str(result.line), result.relation, status_text(result), clipped(result.words))
        for result in order[:SHOWN]
    )
    counts = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count) or "nothing to check"
    notes = (f"and {len(order) - SHOWN} claims more",) if len(order) > SHOWN else ()
    return Sheet(
        clipped(f"{report.name}: {counts}"),
        heads=("claim", "line", "", "verdict", "") if rows else (),
        rows=rows,
        notes=notes,
        code=("report.results", "report.is_ok"),
    )


def status_text(result: Result) -> str:
    """What became of a claim."""
    return (
        result.verdict if result.is_ok and result.verdict else f"FAILED: {result.verdict}" if not result.is_ok else result.status
    )
