"""The verdicts on the claims of documents, those that are not as claimed open, with their counterexamples."""

import re
from collections.abc import Sequence

from symbolic_circuits.documents.results import Report, Result
from symbolic_circuits.report.page.markup import Markup, element, escape, joined
from symbolic_circuits.report.page.mathml import mathml

__all__ = ["verdicts"]

WORDS = {
    "proved": "proved",
    "refuted": "refuted as claimed",
    "failed": "not as claimed",
    "tested": "tested",
    "not checked": "not checked",
}
SIGNS = {"=": "=", "!=": "\u2260"}
LONGEST = 3000  # characters of a claim that is set as a formula
COMMENT = re.compile(r"(?<!\\)%")
UNREAD = "<mi>&amp;</mi>"  # a column outside of a matrix
HEADS = ("item", "line", "verdict", "sign", "claim, and what was found")
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
        element("td", str(result.line) if result.line else "", class_="number line-number"),
        element("td", badge),
        element("td", SIGNS.get(result.relation, ""), class_="relation"),
        element("td", found(result)),
    ]
    return element("tr", *cells)


def found(result: Result) -> Markup:
    """The claim as a formula, or as it is written, and what was found, which opens to the author's own text and what explains a failure."""
    claim, texts = None, [result.source, explanation_of(result)]
    if result.relation in SIGNS and result.source.strip():
        formula = claim_formula(result.source)
        claim = element("div", formula, class_="claim") if formula else element("pre", texts.pop(0))
    texts = [text for text in texts if text.strip()]
    if not texts:
        return joined(claim, escape(result.words))
    summary = element("summary", result.words or "the claim")
    return joined(claim, element("details", summary, *(element("pre", text) for text in texts), open=not result.is_ok))


def explanation_of(result: Result) -> str:
    """What explains a failure, without the line that stands above it already."""
    return "\n".join(line for line in result.explanation.splitlines() if line.strip() != result.words)


def claim_formula(latex: str) -> Markup | None:
    r"""A claim in MathML; None where that would not say the same: own commands, comments, columns, einsums, great length.

    >>> claim_formula(r"A B \neq B A").count("<mi>"), claim_formula(r"\OV A = B"), claim_formula("A % = B")
    (4, None, None)
    """
    if not latex.strip() or len(latex) > LONGEST or COMMENT.search(latex) or "$" in latex or "einsum(" in latex:
        return None
    written = mathml(latex)
    return None if "\\" in written or UNREAD in written or 'class="latex"' in written else written
