"""The verdicts on the claims of documents, those that are not as claimed open, with their counterexamples."""

from collections.abc import Sequence

from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.report.page.markup import Markup, element, escape, joined

__all__ = ["verdicts"]

WORDS = {
    "proved": "proved",
    "refuted": "refuted as claimed",
    "failed": "not as claimed",
    "tested": "tested",
    "not checked": "not checked",
}
SIGNS = {"=": "=", "!=": "\u2260"}
HEADS = ("claim", "line", "verdict", "sign", "what was found")
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
    heads = element("tr", *(element("th", head, scope="col") for head in HEADS))
    caption = element("caption", element("strong", report.title or report.name), " ", element("code", report.name), f": {counts}")
    table = element("table", caption, element("thead", heads), element("tbody", *map(row, report.results)), class_="verdicts")
    return element("div", table, class_="scroll", tabindex="0", role="region", aria_label=f"Verdicts of {report.name}")


def row(result: Result) -> Markup:
    """A claim; what it says opens under what was found, and is open where it is not as claimed."""
    said = result.verdict or result.status
    badge = element(
        "span", f"not as claimed: {said}" if result.status == "failed" else said, class_=f"badge {CLASSES[result.status]}"
    )
    cells = [
        element("th", result.id, scope="row"),
        element("td", str(result.line), class_="number line-number"),
        element("td", badge),
        element("td", SIGNS.get(result.relation, ""), class_="relation"),
        element("td", found(result)),
    ]
    return element("tr", *cells)


def found(result: Result) -> Markup:
    """What was found in a line, over the claim and what explains a failure."""
    texts = [text for text in (result.source, result.explanation) if text.strip()]
    if not texts:
        return escape(result.words)
    summary = element("summary", result.words or "the claim")
    return element("details", summary, *(element("pre", text) for text in texts), open=not result.is_ok)
