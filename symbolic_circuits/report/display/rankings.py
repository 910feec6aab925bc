"""Sheets of rankings and explanations: terms with their contributions as bars; and how many terms the predictions of a batch take."""

from symbolic_circuits.counts import in_words
from symbolic_circuits.numeric.ranking.explanation import Explanation
from symbolic_circuits.numeric.ranking.local_complexity import LocalComplexity
from symbolic_circuits.numeric.ranking.ranking import Ranking
from symbolic_circuits.report.display.sheet import Cell, Name, Sheet, number, signed_shares
from symbolic_circuits.report.display.terms import name_of

__all__ = ["complexity_sheet", "explanation_sheet", "ranking_sheet"]

SHOWN = 20  # terms, or rows of a histogram


def ranking_sheet(result: Ranking) -> Sheet:
    """The largest terms and the certificate."""
    chosen = result.terms[:SHOWN]
    whole = result.total if not result.is_norm and result.total else max((abs(value) for _, value in chosen), default=0.0)
    shares = signed_shares([value / whole for _, value in chosen] if whole else [])
    with_shares = bool(shares)
    heads = (
        "",
        "term",
        "order",
        "value",
        *(["of total" if not result.is_norm and result.total else "of the largest"] * with_shares),
    )
    rows: list[tuple[Cell, ...]] = [
        (str(k), Name(name_of(term)), str(term.order), number(value), *([shares[k - 1]] if with_shares else []))
        for k, (term, value) in enumerate(chosen, start=1)
    ]
    notes = [f"all terms together: {number(result.total)}", result.summary()]
    title = f"{len(result)} largest terms of {result.expansion.title} by {result.what}"
    return Sheet(title, heads=heads, rows=tuple(rows), notes=tuple(left_out(len(result)) + notes), code=("ranking.rows()",))


def explanation_sheet(result: Explanation) -> Sheet:
    """The terms that explain a number, and what is known of their count."""
    chosen = result.rows()[:SHOWN]
    shares = signed_shares([row["share"] for row in chosen])
    rows: list[tuple[Cell, ...]] = [
        (str(row["rank"]), Name(name_of(term)), number(row["value"]), share, f"{100 * row['so_far']:.1f} %")
        for row, share, (term, _) in zip(chosen, shares, result.terms, strict=False)
    ]
    title = f"{100 * result.fraction:g} % of {result.what} of {result.expansion.title}"
    heads = ("", "term", "value", "of total", "so far")
    notes = [f"all terms together: {number(result.total)}", result.summary()]
    return Sheet(title, heads=heads, rows=tuple(rows), notes=tuple(left_out(len(result)) + notes), code=("explanation.rows()",))


def complexity_sheet(result: LocalComplexity) -> Sheet:
    """The histogram."""
    chosen = result.rows()
    shares = signed_shares([row["share"] for row in chosen])
    rows: list[tuple[Cell, ...]] = [
        (in_words(row["terms"]), in_words(row["inputs"]), share, in_words(row["minimum"]))
        for row, share in zip(chosen[:SHOWN], shares, strict=False)
    ]
    title = f"terms of {result.expansion.title} that explain {100 * result.fraction:g} % of {result.reading}"
    heads = ("terms", "inputs", "of all", "proved minimal")
    notes = [*left_out(len(chosen)), result.summary()]
    return Sheet(title, heads=heads, rows=tuple(rows), notes=tuple(notes), code=("result.inputs",))


def left_out(count: int) -> list[str]:
    """What is said of rows that are not shown."""
    return [f"and {in_words(count - SHOWN)} more"] if count > SHOWN else []
