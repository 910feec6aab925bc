"""The rows of the table of terms as columns of plain data, computed once: what a browser sorts and filters by.

Components, path classes and the inputs of bilinear layers are numbers into lists of names; -1 stands for none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from symbolic_circuits.counts import in_words
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.term import Term, subterms
from symbolic_circuits.report.page.classes import class_name, open_blocks
from symbolic_circuits.report.page.listing import Listing
from symbolic_circuits.report.page.templates import Shapes, heads_of

__all__ = ["Rows", "row_data", "sides_of"]


@dataclass
class Names:
    """Names by number, in the order in which they first come."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str | None) -> int:
        """The number of a name; -1 of none."""
        return -1 if name is None else self.numbers.setdefault(name, len(self.numbers))


@dataclass(frozen=True)
class Rows:
    """The columns, and the heads that occur."""

    data: dict[str, object]
    heads: tuple[Component, ...]


def row_data(expansion: PathExpansion, found: Listing, shapes: Shapes) -> Rows:
    """The columns of the terms of a listing.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> from symbolic_circuits.report.page.listing import listing
    >>> expansion = sc.path_expansion("attn(2) bilinear")
    >>> data = row_data(expansion, listing(expansion, None, 1.0), Shapes(expansion.model, "operator")).data
    >>> data["order"], [data["components"][k] for k in data["right"][3:6]]
    ([0, 1, 1, 1, 2, 2, 2, 3, 3, 2, 3, 3], ['embed', 'attn.0[0]', 'attn.0[1]'])
    """
    components, classes, blocks = Names(), Names(), open_blocks(expansion)
    heads = [heads_of(term) for term in found.terms]
    names = [str(term) for term in found.terms]
    sides = [sides_of(term) for term in found.terms]
    data = {
        "name": names,
        "number": [in_words(number, 24) for number in found.numbers],
        "short": [in_words(number, 6).removeprefix("about ") for number in found.numbers],
        "place": places_in_order(found.numbers),
        "order": [term.order for term in found.terms],
        "height": [term.height for term in found.terms],
        "parts": [[components.number(name) for name in parts_of(term)] for term in found.terms],
        "left": [components.number(left) for left, _ in sides],
        "right": [components.number(right) for _, right in sides],
        "class": [classes.number(class_name(name, blocks)) for name in names],
        "shape": shape_numbers(found, heads, shapes),
        "heads": [[components.number(head.name) for head in mine] for mine in heads],
        "value": None if found.values is None else list(found.values),
        "components": list(components.numbers),
        "classes": list(classes.numbers),
    }
    return Rows(data, tuple(dict.fromkeys(head for mine in heads for head in mine)))


def shape_numbers(found: Listing, heads: list[list[Component]], shapes: Shapes) -> list[int]:
    """The shape of each term; those that contribute most come first, because only so many have formulas."""
    values = found.values or [0.0] * len(found.terms)
    numbers = {k: shapes.number(found.terms[k], heads[k]) for k in sorted(range(len(values)), key=lambda k: -abs(values[k]))}
    return [numbers[k] for k in range(len(values))]


def places_in_order(numbers: Iterable[int]) -> list[int]:
    """The place of each number among all of them, which a browser can sort by whatever their size.

    >>> places_in_order([7, 10**30, 2])
    [1, 2, 0]
    """
    numbers = list(numbers)
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    places = [0] * len(numbers)
    for place, k in enumerate(order):
        places[k] = place
    return places


def parts_of(term: Term) -> list[str]:
    """The names of the distinct components of a term."""
    return list(dict.fromkeys(node.component.name for node in subterms(term)))


def sides_of(term: Term) -> tuple[str | None, str | None]:
    """The components that the left and right input of the last bilinear layer come from, or query and key of scores, norms looked through.

    >>> import symbolic_circuits as sc
    >>> sides_of(sc.path_expansion("attn(2) bilinear attn(1)").parse("attn.2[0](bilinear.1(embed, attn.0[1](embed)))"))
    ('embed', 'attn.0[1]')
    """
    while len(term.inputs) == 1:
        term = term.inputs[0]
    if len(term.inputs) != 2 or term.component.kind not in ("bilinear", "scores"):
        return None, None
    left, right = (unnormed(x).component.name for x in term.inputs)
    return left, right


def unnormed(term: Term) -> Term:
    """The term that a norm is of."""
    while term.component.kind == "norm":
        term = term.inputs[0]
    return term
