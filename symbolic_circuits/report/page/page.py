"""One HTML file about a model that needs nothing else: no network, no other file; its policy lets only its own style and script run."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from symbolic_circuits.documents.results import Report
from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.report.page.listing import listing
from symbolic_circuits.report.page.markup import Markup, element, joined
from symbolic_circuits.report.page.mathml import require_latex2mathml
from symbolic_circuits.report.page.patterns import pattern_data
from symbolic_circuits.report.page.reading import Reading, reading_of, score_reading
from symbolic_circuits.report.page.rows import row_data
from symbolic_circuits.report.page.sections import Section, classes_part, derivation_part, model_part, orders_part, overview
from symbolic_circuits.report.page.templates import Shapes
from symbolic_circuits.report.page.terms_section import data_block, terms_section
from symbolic_circuits.report.page.verdicts import verdicts
from symbolic_circuits.spec import Transformer

__all__ = ["html_page"]

SECONDS = 5.0


def html_page(
    expansion: PathExpansion | Transformer | str,
    weights: Weights | Frozen | None = None,
    tokens: object = None,
    *,
    position: int = -1,
    token: int | None = None,
    against: int | None = None,
    key: int | None = None,
    documents: Sequence[Report] = (),
    notation: str = "operator",
    seconds: float = SECONDS,
    words: str = "",
) -> str:
    """A page about the terms of a model: derivation, graph, table of terms with diagrams and attention patterns, orders, verdicts.

    Up to 1,000 terms are all listed; of more, path classes are summed up and the largest terms listed.

    Parameters
    ----------
    expansion : of the output of a model, or of the scores of a head; of a query, only its terms are shown
    weights, tokens : a run to take contributions and attention patterns from; or a frozen one. None: no numbers are shown
    position : at which the output is read; of scores, that of the query
    token, against : the logit that is read, less another; None: shares of the whole output
    documents : whose verdicts are shown, as :func:`symbolic_circuits.check_document` gives them
    notation : of formulas: operator, matrix, index or tensor
    key : of scores, its position; None: the one with the largest score
    seconds : that a search for the largest terms takes at most, where they are too many to be evaluated; which of them it finds then
        depends on the speed of the machine
    words : what the weights are

    Raises
    ------
    MissingExtraError
        latex2mathml is not installed.
    SpecError, TokensError, NotationError, BudgetError
        Weights, tokens, notation or model do not fit, as in the functions that compute what is shown.

    Examples
    --------
    >>> page = html_page("attn(2) bilinear", documents=[])
    >>> page.startswith("<!doctype html>"), page.count('<script type="application/json"')
    (True, 1)
    """
    require_latex2mathml()
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    root, reading = expansion.grammar.root, None
    if (token is not None or against is not None) and root is not None:
        raise TokensError("tokens are of the output; of scores, position is that of a query, and key that of a key")
    if key is not None and root is None:
        raise TokensError("a key is of scores, sc.scores(model, layer, head); of the output, give a token")
    if weights is not None:
        frozen = (weights if isinstance(weights, Frozen) else freeze(weights, tokens)).to_numpy()
        if root is None:
            reading = reading_of(frozen, position=position, token=token, against=against)
        else:
            reading = score_reading(frozen, root, position=position, key=key)
    return written(Subject(expansion, reading, notation, words), documents, seconds)


@dataclass(frozen=True, eq=False)
class Subject:
    """What a page is about."""

    expansion: PathExpansion
    reading: Reading | None
    notation: str
    words: str  # what the weights are


def written(subject: Subject, documents: Sequence[Report], seconds: float) -> str:
    """The page, section by section."""
    expansion, reading = subject.expansion, subject.reading
    found = listing(expansion, reading, seconds)
    shapes = Shapes(expansion.model, subject.notation)
    rows = row_data(expansion, found, shapes)
    data = rows.data | {"total": None if reading is None else reading.total, "isShare": reading is not None and reading.is_share}
    data["diagrams"] = shapes.diagrams
    what = None if reading is None or found.values is None else reading.words
    data["patterns"] = None if reading is None else pattern_data(reading.frozen, rows.heads)
    sections = [
        model_part(expansion),
        derivation_part(expansion, subject.notation),
        classes_part(expansion, reading, subject.notation, data["classes"]) if not found.is_complete else None,
        Section("terms", "Terms", terms_section(data, found.words, what, names_of_sides(expansion))),
        orders_part(expansion, reading) if reading is not None else None,
        Section("documents", "Documents", verdicts(documents)) if documents else None,
    ]
    kept = [section for section in sections if section is not None]
    return document(
        expansion.title, joined(overview(subject.expansion, reading, subject.words, kept), *kept_markup(kept)), shapes, data
    )


def names_of_sides(expansion: PathExpansion) -> tuple[str, str]:
    """What the two inputs are by which terms are filtered."""
    return ("left input", "right input") if expansion.grammar.root is None else ("query", "key")


def kept_markup(sections: Sequence[Section]) -> list[Markup]:
    """The sections as HTML."""
    return [section.markup() for section in sections]


def document(title: str, body: Markup, shapes: Shapes, data: dict[str, object]) -> str:
    """The whole file."""
    style, script = (files(__package__).joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    policy = (
        f"default-src 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name_="color-scheme", content="light dark"),
        element("meta", name_="generator", content="symbolic-circuits"),
        element("link", rel="icon", href="data:,"),
        element("title", f"Path expansion of {title}"),
        Markup(f"<style>{style}</style>"),
    )
    main = element("main", body, id="main")
    scripts = joined(shapes.markup(), data_block(data), Markup(f"<script>{script}</script>"))
    skip = element("a", "Skip to the terms", href="#terms", class_="skip")
    return f"<!doctype html>\n{element('html', head, element('body', skip, main, scripts), lang='en')}\n"


def digest(text: str) -> str:
    """The hash of an inline style or script in a policy."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
