"""Sheets of terms and expansions: the formula of a term; the count of an expansion, its first terms, and how to see more."""

from itertools import islice

from sympy.core.basic import Basic

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.tensors import ModelTensors
from symbolic_circuits.expansion.term import Term, subterms
from symbolic_circuits.report.display.sheet import Cell, Formula, Name, Sheet, clipped

__all__ = ["expansion_sheet", "name_of", "term_sheet"]

SHOWN = 8  # terms of an expansion
MAX_NODES = 40  # of a term whose formula is shown
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
    count = expansion.number_of_terms
    is_listed = isinstance(count, int)
    title = f"{expansion.title}: {in_words(count)} {'term' if count == 1 else 'terms'}"
    try:
        chosen = expansion if is_listed else expansion.path_classes()
        terms = () if expansion.is_empty else tuple(islice(chosen, SHOWN))
        number = chosen.number_of_terms
    except SymbolicCircuitsError as error:
        return Sheet(title, notes=(str(error),), code=("expansion.count_by('order')",))
    writer = Values(expansion.tensors)
    heads = ("", "term" if is_listed else "path class", "order", "value")
    rows = tuple((str(k), Name(name_of(term)), str(term.order), *writer.cells(term)) for k, term in enumerate(terms))
    more = number - len(terms)
    noun = ("term" if is_listed else "path class") + ("" if more == 1 else "s" if is_listed else "es")
    notes = (f"and {in_words(more)} {noun} more",) if more else ()
    code = ("expansion[k]", "expansion.where(query)", "expansion.count_by('order')", "expansion.closed_form()")
    return Sheet(title, heads=heads, rows=rows, notes=notes, code=code if is_listed else code[1:])


class Values:
    """Writes the values of terms of one model; those of long terms are left out."""

    def __init__(self, tensors: ModelTensors) -> None:
        self.notation = notation_for(NOTATION, tensors)

    def cells(self, term: Term) -> tuple[Cell]:
        """The cell with the value."""
        value = self.value(term)
        return ("…" if value is None else Formula(value),)

    def value(self, term: Term) -> Basic | None:
        """The value, where it is short."""
        if sum(1 for _ in islice(subterms(term), MAX_NODES + 1)) > MAX_NODES:
            return None
        try:
            return self.notation.write(term)
        except SymbolicCircuitsError:
            return None


def name_of(term: Term) -> str:
    """The name of a term, cut where it is long; a term of a million nodes is not written out for that.

    >>> import symbolic_circuits as sc
    >>> name_of(sc.path_expansion("bilinear")[1])
    'bilinear.0(embed, embed)'
    """
    found = list(islice(subterms(term), NAMED + 1))
    if len(found) <= NAMED:
        return clipped(str(term))
    return clipped(f"{term.component.name}({', '.join(node.component.name + '(…)' * bool(node.inputs) for node in term.inputs)})")
