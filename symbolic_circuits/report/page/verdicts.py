"""The verdicts on the claims of documents, those that are not as claimed open, with their counterexamples."""

from collections.abc import Sequence

from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.report.page.markup import Markup, element, joined

__all__ = ["verdicts"]

WORDS = {
    "proved": "proved",
    "refuted": "refuted as claimed",
    "failed": "not as claimed",
    "tested": "tested",
    "not checked": "not checked",
}
CLASSES = {"ok": "good", "failed": "bad", "tested": "good", "not checked": "open"}


def verdicts(reports: Sequence[Report]) -> Markup:
    """A table for each document.

    Examples
    --------
    >>> result = Result("A7", "A7", 12, "=", "A B = B A", "failed", "refuted", "counterexample at n = 2", "A = ...")
    >>> verdicts([Report("heads.md", "Heads", (result,))]).count("<details open>")
    1
    """
    return joined(*map(document, reports))


def document(report: Report) -> Markup:
    """One document."""
    counts = ", ".join(f"{count:,} {WORDS[name]}" for name, count in report.counts.items() if count) or "nothing is claimed"
    heads = element("tr", *(element("th", head, scope="col") for head in ("claim", "line", "verdict", "what was found")))
    caption = element("caption", element("strong", report.title or report.name), " ", element("code", report.name), f": {counts}")
    table = element("table", caption, element("thead", heads), element("tbody", *map(row, report.results)), class_="verdicts")
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=f"Verdicts of {report.name}")


def row(result: Result) -> Markup:
    """A claim; what it says, and what explains a failure, are in its last cell."""
    said = result.verdict or result.status
    badge = element(
        "span", f"not as claimed: {said}" if result.status == "failed" else said, class_=f"badge {CLASSES[result.status]}"
    )
    explained = joined(element("pre", result.source), element("pre", result.explanation) if result.explanation.strip() else None)
    more = (
        element("details", element("summary", "the claim"), explained, open=not result.is_ok) if result.source.strip() else None
    )
    cells = [
        element("th", result.id, scope="row"),
        element("td", str(result.line), class_="number"),
        element("td", badge, element("span", f" {result.relation}", class_="note") if result.relation in ("=", "!=") else None),
        element("td", result.words, more),
    ]
    return element("tr", *cells)
