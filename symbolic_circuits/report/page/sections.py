"""The sections of a page, each with its heading; what is too large to show is said in words, with the command that shows it."""

from collections.abc import Sequence
from typing import NamedTuple

from symbolic_circuits.counts import in_words
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.derive import derive
from symbolic_circuits.errors import BudgetError, DerivationError, NotationError, UnsupportedNodeError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.checking import AGREES, DIFFERS
from symbolic_circuits.numeric.graded import GradedSums, graded
from symbolic_circuits.report.article import definition_of_model
from symbolic_circuits.report.derivations.style import Style
from symbolic_circuits.report.page.classes import MAX_CLASSES, class_sums
from symbolic_circuits.report.page.classes_section import classes_section
from symbolic_circuits.report.page.derivation import derivation_section
from symbolic_circuits.report.page.markup import Markup, element, joined
from symbolic_circuits.report.page.mathml import rich_text
from symbolic_circuits.report.page.model_picture import model_picture
from symbolic_circuits.report.page.orders import order_plot, order_table
from symbolic_circuits.report.page.reading import Reading

__all__ = ["Section", "classes_part", "derivation_part", "model_part", "orders_part", "overview"]

MAX_DERIVED = 200  # path classes of a model whose derivation is written
MAX_PROVED = 12  # path classes of a model whose derivation is proved here, step by step
MAX_STEPS = 16  # of a model that is written in equations
MAX_TOKENS = 40  # that are written out


class Section(NamedTuple):
    """A part of the page."""

    id: str
    title: str
    body: Markup

    def markup(self) -> Markup:
        """The section with its heading."""
        heading = element("h2", self.title, id=f"{self.id}-title")
        return element("section", heading, self.body, id=self.id, aria_labelledby=f"{self.id}-title")


def overview(expansion: PathExpansion, reading: Reading | None, words: str, sections: Sequence[Section]) -> Markup:
    """The title, the counts, what is read, and links to the sections."""
    facts = [(in_words(expansion.number_of_terms, 18), "terms"), (in_words(classes_of(expansion), 18), "path classes")]
    if reading is not None:
        facts.append((f"{reading.total:+.5g}" if not reading.is_share else "100 %", reading.words))
    tiles = [element("div", element("dt", name), element("dd", value)) for value, name in facts]
    root, query = expansion.grammar.root, None
    if expansion.query is not None:
        query = element("p", "Only the terms where ", element("code", expansion.query), class_="lead")
    if root is not None:
        of = element("code", f"attn.{root.layer}[{root.head}]")
        query = joined(element("p", "The scores of ", of, ", before mask and softmax: pairs of terms.", class_="lead"), query)
    given = [words, *([tokens_in_words(reading)] if reading is not None else [])]
    source = element("p", "; ".join(filter(None, given)), class_="note") if any(given) else None
    links = [element("a", section.title, href=f"#{section.id}") for section in sections]
    title = element("h1", element("span", "Path expansion", class_="eyebrow"), element("code", expansion.model))
    return element(
        "header", title, query, element("dl", *tiles, class_="facts"), source, element("nav", *links, aria_label="Sections")
    )


def classes_of(expansion: PathExpansion) -> object:
    """The number of path classes."""
    return expansion.path_classes().number_of_terms


def tokens_in_words(reading: Reading) -> str:
    """The tokens of the run, where there are few."""
    source = reading.frozen.source
    if not reading.frozen.model.embedding:
        return f"a residual input at {len(source)} positions"
    shown = " ".join(map(str, source[:MAX_TOKENS].tolist()))
    return f"tokens {shown}" + (f" and {len(source) - MAX_TOKENS:,} more" if len(source) > MAX_TOKENS else "")


def model_part(expansion: PathExpansion) -> Section:
    """The graph of the model, and its forward pass in equations."""
    model = expansion.model
    graph = element(
        "div", model_picture(model), class_="scroll figure", tabindex="0", role="region", aria_label="Graph of the model"
    )
    equations = None
    if len(model.steps) <= MAX_STEPS:
        pass_ = element(
            "div",
            rich_text(definition_of_model(model, expansion.tensors)),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label="Equations of the model",
        )
        equations = element("details", element("summary", "The forward pass in equations"), pass_)
    words = element(
        "p", "Information flows from left to right: along the residual stream, and through the parts that read it and add to it."
    )
    return Section("model", "Model", joined(words, graph, equations))


def derivation_part(expansion: PathExpansion, notation: str) -> Section:
    """The derivation of the closed form, each line under its rule; words where it is too long."""
    count, is_part = classes_of(expansion), expansion.query is not None
    if expansion.is_empty:
        return Section("derivation", "Derivation", element("p", "No term is left: what the query leaves of the model is zero."))
    most = MAX_PROVED if is_part else MAX_DERIVED
    if count > most:
        words = (
            f"The closed form has {in_words(count, 18)} summands, one for each path class; "
            f"derivations of up to {most} are written here{' for a query' if is_part else ''}. "
        )
        command = element("code", "symbolic-circuits terms --classes")
        return Section("derivation", "Derivation", element("p", words, command, " lists them."))
    try:
        derivation = derived(expansion, notation)
        chains, letters = derivation_section(derivation, Style())
    except (BudgetError, DerivationError, NotationError, UnsupportedNodeError) as error:
        return Section("derivation", "Derivation", element("p", f"No derivation is written here: {error}"))
    steps = sum(len(part.steps) for part in derivation.parts())
    derivation.replay()
    verdict = f"{steps} steps, each replayed" + (
        f"; from first to last line {derivation.prove().verdict}" if count <= MAX_PROVED else ""
    )
    more = element("details", element("summary", "Letters and conventions"), letters)
    start = element("p", "It starts from what the query leaves of the model, written as in a forward pass.") if is_part else None
    return Section(
        "derivation", "Derivation", joined(element("p", f"{verdict}."), start, more, element("div", chains, class_="chains"))
    )


def derived(expansion: PathExpansion, notation: str) -> Derivation:
    """From the model to all of its terms; of a query, from what it leaves of the model, in matrices."""
    if expansion.query is None:
        return derive(expansion, notation=notation)
    return derive(expansion.unexpanded(), expansion.closed_form("matrix"))


def classes_part(expansion: PathExpansion, reading: Reading | None, notation: str, shown: Sequence[str]) -> Section | None:
    """The path classes with their sums; words where they are too many."""
    count = classes_of(expansion)
    if count > MAX_CLASSES:
        words = (
            f"The terms fall into {in_words(count, 18)} path classes, too many to show (the limit is {MAX_CLASSES}): "
            "they are added up by order below, and terms are listed."
        )
        return Section("classes", "Path classes", element("p", words))
    sums = class_sums(expansion, reading)
    return Section("classes", "Path classes", classes_section(sums, shown, None if reading is None else reading.total, notation))


def orders_part(expansion: PathExpansion, reading: Reading) -> Section | None:
    """How the terms up to each order approach the output."""
    if expansion.is_empty:
        return None
    try:
        found: GradedSums = graded(expansion, reading.frozen, positions=[reading.readout.position])
    except BudgetError as error:
        return Section("orders", "Orders", element("p", f"Sums by order are not shown: {error}"))
    whole = "the output" if reading.root is None else "the scores of the query"
    words = (
        "The order of a term is the number of heads and layers on it. The terms of each order are summed exactly, without listing "
        f"any. {remainder_in_words(found, whole)} The norms of the orders add up to {found.cancellation:.3g} times that of {whole}."
    )
    figure = element("figure", order_plot(found), class_="scroll")
    table = element(
        "details",
        element("summary", "The numbers"),
        element("div", order_table(found, whole), class_="scroll", tabindex="0"),
        open=True,
    )
    return Section("orders", "Orders", joined(element("p", words), figure, table))


def remainder_in_words(found: GradedSums, whole: str) -> str:
    """What is left after the last order."""
    left = f"After the last one, {found.remainder:.1e} of {whole} is left"
    return {
        AGREES: f"{left}, which rounding explains.",
        DIFFERS: f"{left}, which rounding does not explain.",
    }.get(found.verdict, f"Whether they add up to {whole} cannot be said: it vanishes, or they cancel.")
