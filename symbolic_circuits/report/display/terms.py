"""Sheets of terms and expansions: the formula of a term; the count of an expansion, its first terms, and how to see more."""

from itertools import islice
from math import log10

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.notation.writer import Notation
from symbolic_circuits.expansion.term import Term, subterms
from symbolic_circuits.report.display.degree import Degree, head_symbols, monomials
from symbolic_circuits.report.display.magnitude import Magnitude
from symbolic_circuits.report.display.sheet import Cell, Formula, Name, Sheet, clipped

__all__ = ["expansion_sheet", "name_of", "term_sheet"]

SHOWN = 8  # terms of an expansion
MAX_NODES = 40  # of a term whose formula is shown
IN_TABLE = 12  # nodes of one of many
MAX_BITS = 100_000  # of a count that is written out
MAX_MONOMIALS = 16  # of a count that is written out
NAMED = 60  # nodes of a term whose name is written before it is cut
NOTATION = "operator"


def term_sheet(term: Term) -> Sheet:
    """A term: its name, its value, its sizes."""
    found = list(islice(subterms(term), NAMED + 1))
    if len(found) > NAMED:
        return Sheet(f"term {name_of(term)}", notes=("the term is too large to be written here",), code=("term.graph",))
    notes = [f"order {term.order}, height {term.height}, degree {term.degree}"]
    formula = None
    try:
        formula = term.expr(NOTATION) if len(found) <= MAX_NODES else None
    except SymbolicCircuitsError as error:
        notes.append(str(error))
    return Sheet(f"term {name_of(term)}", formula=formula, notes=tuple(notes), code=("term.expr(notation)", "term.graph"))


def expansion_sheet(expansion: PathExpansion) -> Sheet:
    """The count, the first terms (of path classes, where the number of heads is a symbol), and what to call for more."""
    title, code = f"path expansion of {clipped(expansion.title)}", ("expansion.where(query)",)
    if (bits := expansion.interpret(Magnitude())) > MAX_BITS:
        noun = "path classes" if expansion.interpret(Degree()) > 0 else "terms"
        return Sheet(f"{title}: about 10^{in_words(int(bits * log10(2)))} {noun}", code=code)
    try:
        counted, is_listed = how_many(expansion)
        title += f": {counted}"
        chosen = expansion if is_listed else expansion.path_classes()
        terms = () if expansion.is_empty else tuple(islice(chosen, SHOWN))
        number = chosen.number_of_terms
    except SymbolicCircuitsError as error:  # counts and terms are made up to a size
        return Sheet(title, notes=(str(error),), code=code)
    notation = notation_for(NOTATION, expansion.tensors)
    heads = ("", "term" if is_listed else "path class", "order", "value")
    rows = tuple((str(k), Name(name_of(term)), str(term.order), value_cell(term, notation)) for k, term in enumerate(terms))
    more = number - len(terms)
    noun = ("term" if is_listed else "path class") + ("" if more == 1 else "s" if is_listed else "es")
    notes = (f"and {in_words(more)} {noun} more",) if more else ()
    code = ("expansion[k]", "expansion.where(query)", "expansion.count_by('order')", "expansion.closed_form()")
    return Sheet(title, heads=heads, rows=rows, notes=notes, code=code if is_listed else code[1:])


def how_many(expansion: PathExpansion) -> tuple[str, bool]:
    """The number of terms in words, and whether it is a number; of a long polynomial the degree, which takes no time."""
    symbols, degree = head_symbols(expansion), expansion.interpret(Degree())
    if monomials(degree, len(symbols)) > MAX_MONOMIALS:
        return f"as many terms as a polynomial of degree {in_words(int(degree))} in {', '.join(symbols)}", False
    count = expansion.number_of_terms
    return f"{clipped(in_words(count))} {'term' if count == 1 else 'terms'}", isinstance(count, int)


def value_cell(term: Term, notation: Notation) -> Cell:
    """The value of a term, where it is short."""
    if sum(1 for _ in islice(subterms(term), IN_TABLE + 1)) > IN_TABLE:
        return "..."
    try:
        return Formula(notation.write(term))
    except SymbolicCircuitsError:  # no such notation of this term
        return "..."


def name_of(term: Term) -> str:
    """The name of a term, cut where it is long; a term of a million nodes is not written out for that.

    >>> import symbolic_circuits as sc
    >>> name_of(sc.path_expansion("bilinear")[1])
    'bilinear.0(embed, embed)'
    """
    found = list(islice(subterms(term), NAMED + 1))
    if len(found) <= NAMED:
        return clipped(str(term))
    return clipped(
        f"{term.component.name}({', '.join(node.component.name + '(...)' * bool(node.inputs) for node in term.inputs)})"
    )
