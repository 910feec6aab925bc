r"""The checks of a document: equations are read with the declarations in force, each ``=`` is to be proved, each ``\neq`` refuted.

A block of declarations holds to the end of its section, so that sections are a stack of declarations. Where a block cannot be read,
nothing in its scope is read either.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from symbolic_circuits.algebra.verdicts import HoldsAt, Refuted, Verdict
from symbolic_circuits.documents.macros import split_macros
from symbolic_circuits.documents.parts import Display, Document, Heading, Malformed, Pointer, Symbols, Unchecked
from symbolic_circuits.documents.pointers import looked_up
from symbolic_circuits.documents.remarks import cleaned_id
from symbolic_circuits.documents.results import Check, Pending, Result, is_as_claimed, named
from symbolic_circuits.errors import BudgetError, SymbolicCircuitsError
from symbolic_circuits.identities.asserting import text_of
from symbolic_circuits.identities.prove import prove
from symbolic_circuits.identities.report import sizes_text, summary
from symbolic_circuits.latex.claims import Claim
from symbolic_circuits.latex.declarations import Declarations
from symbolic_circuits.latex.reading import read_equations

__all__ = ["checks_in", "decided", "is_shown", "verdict_on"]


@dataclass
class Section:
    """An open section: what is declared in it, or the line of the block that could not be read."""

    level: int
    declarations: Declarations
    broken: int | None = None


def checks_in(document: Document, path: Path, seed: int = 0) -> list[Check]:
    """The items of a document: claims that are read and wait for a verdict, and what needs none."""
    reader = Reader(path, seed)
    for part in document.parts:
        reader.read(part)
    if not reader.checks:
        reader.fail("", 1, "document", "", "there is nothing to check: no display, and no remark on a statement")
    return named(reader.checks)


class Reader:
    """Goes through the parts of a document with a stack of sections."""

    def __init__(self, path: Path, seed: int) -> None:
        self.path, self.seed = path, seed
        self.sections = [Section(0, Declarations.parse(""))]
        self.checks: list[Check] = []

    def read(self, part: object) -> None:
        """One part."""
        match part:
            case Heading():
                self.open_section(part)
            case Symbols(is_macro=True):
                self.add_macros(part)
            case Symbols():
                self.declare(part)
            case Display():
                self.read_display(part)
            case Unchecked():
                self.add(part.id or "", part.line, "", "", "not checked", part.reason)
            case Pointer():
                self.checks.append(looked_up(self.path, Result("", part.id, part.line, "tested", part.tests, "tested", "", "")))
            case Malformed():
                self.fail("", part.line, "remark", part.text, f"this cannot be read; write {part.expected}")

    def open_section(self, heading: Heading) -> None:
        """Close sections that end here, and open one; that of the title is the document."""
        if not heading.is_title:
            while self.sections[-1].level >= heading.level:
                self.sections.pop()
            last = self.sections[-1]
            self.sections.append(Section(heading.level, last.declarations, last.broken))

    def add_macros(self, symbols: Symbols) -> None:
        """Macros hold in every open section; one that the reader has no use for (it has code, or is no mathematics) is left out."""
        for text, line in split_macros(symbols.text, symbols.line):
            for section in self.sections:
                try:
                    section.declarations = section.declarations.extended(text, line=line)
                except SymbolicCircuitsError:
                    continue

    def declare(self, symbols: Symbols) -> None:
        """A block of declarations."""
        section = self.sections[-1]
        if section.broken is not None:
            return
        try:
            section.declarations = section.declarations.extended(symbols.text, line=symbols.line)
        except (SymbolicCircuitsError, RecursionError) as error:
            section.broken = getattr(error, "line", 0) or symbols.line
            self.fail("", section.broken, "symbols", first_line(symbols.text), message(error))

    def read_display(self, display: Display) -> None:
        """The claims of a display."""
        section, id = self.sections[-1], display.id or ""
        if display.reason is not None:
            self.add(id, display.line, "", display.source, "not checked", display.reason)
            return
        if section.broken is not None:
            words = f"not read: the declarations in force have an error in line {section.broken}"
            self.fail(id, display.line, "display", display.source, words)
            return
        try:
            chains = read_equations(display.source, section.declarations, line=display.line, column=display.column)
        except (SymbolicCircuitsError, RecursionError) as error:
            self.fail(id, getattr(error, "line", 0) or display.line, "display", display.source, message(error))
            return
        for chain in chains:
            section.declarations = chain.declarations
            statement = cleaned_id(chain.tag) if chain.tag else id
            decide = [partial(decided, claim, self.seed) for claim in chain.claims]
            self.checks += [
                Pending("", statement, claim.line, claim.relation, claim.source, function)
                for claim, function in zip(chain.claims, decide, strict=True)
            ]

    def add(self, statement: str, line: int, relation: str, source: str, status: str, words: str) -> None:
        """An item that needs no verdict."""
        self.checks.append(Result("", statement, line, relation, source, status, "", one_line(words)))

    def fail(self, statement: str, line: int, relation: str, source: str, text: str) -> None:
        """An item that cannot be decided."""
        self.checks.append(Result("", statement, line, relation, source, "failed", "error", one_line(first_line(text)), text))


def verdict_on(claim: Claim, seed: int = 0) -> Verdict:
    """The verdict on the equality of the two sides of a claim."""
    return prove(claim.lhs, claim.rhs, claim.given, at=claim.at, seed=seed)


def is_shown(claim: Claim, verdict: Verdict) -> bool:
    """Whether a verdict is what a claim says."""
    return is_as_claimed(claim.relation, verdict.verdict, getattr(verdict, "error_probability", None))


def decided(claim: Claim, seed: int, pending: Pending) -> Result:
    """The result of a claim."""
    try:
        verdict = verdict_on(claim, seed)
    except (SymbolicCircuitsError, RecursionError) as error:
        verdict = "undecided" if isinstance(error, BudgetError) else "error"
        return pending.settled("failed", verdict, one_line(first_line(message(error))), message(error))
    if is_shown(claim, verdict):
        return pending.settled("ok", verdict.verdict, words_of(verdict))
    words = one_line(summary(verdict))
    if claim.relation == "!=":
        words = f"claimed to be false in general, but {verdict.verdict}: {words}"
    elif isinstance(verdict, HoldsAt):
        words = f"not shown for certain: {words}"
    return pending.settled("failed", verdict.verdict, words, text_of(verdict, claim.lhs, claim.rhs, claim.given))


def words_of(verdict: Verdict) -> str:
    """One line on a verdict that is as claimed; of a counterexample no repair is sought."""
    return one_line(f"counterexample at {sizes_text(verdict.witness)}" if isinstance(verdict, Refuted) else summary(verdict))


def message(error: BaseException) -> str:
    """The message of an error."""
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def first_line(text: str) -> str:
    """The first line of a text that is not blank."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def one_line(text: str) -> str:
    """Text with single blanks, in printable characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
