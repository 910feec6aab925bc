"""Formula and diagram of a term, shared by all terms that differ in the numbers of their heads only; a browser fills in the numbers.

The distinct heads of a term are numbered as they come; its *shape* is the term with those numbers in place of its heads. The shape
is written once, with the head number k as an empty element ``data-head="k"``.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.term import Term, subterms
from symbolic_circuits.report.classes import meaning
from symbolic_circuits.report.latex import to_latex
from symbolic_circuits.report.page.heads import with_heads
from symbolic_circuits.report.page.markup import Markup, element, joined
from symbolic_circuits.report.page.mathml import mathml
from symbolic_circuits.report.page.svg import drawing
from symbolic_circuits.spec import Transformer

__all__ = ["Shapes", "heads_of"]

FIRST = 900_000  # heads of shapes are numbered from here, where no other number of a formula is
MAX_NODES = 150  # of a term whose formula and diagram are shown
MAX_FORMULAS = 400  # shapes with a formula
NUMBER = re.compile(r"9\d{5}")
IN_MATH = re.compile(r"<mn>(\d*[,.]?)(9\d{5})</mn>")


def heads_of(term: Term) -> list[Component]:
    """The distinct heads of a term in the order of its name, those that are left open too.

    >>> import symbolic_circuits as sc
    >>> [head.name for head in heads_of(sc.path_expansion("attn(2) bilinear")[8])]
    ['attn.0[0]', 'attn.0[1]']
    """
    return list(dict.fromkeys(node.component for node in subterms(term) if node.component.kind == "attn"))


class Shapes:
    """The shapes of the terms of a page, each written when it first comes."""

    def __init__(self, model: Transformer, notation: str) -> None:
        self.model, self.notation = with_heads(model, lambda spec: 10 * FIRST), notation
        self.numbers: dict[Term | str, int] = {}
        self.written: list[Markup] = []
        self.diagrams: list[list | None] = []

    def number(self, term: Term, heads: Sequence[Component]) -> int:
        """The number of the shape of a term."""
        is_open = any(head.head is None for head in heads)
        if term.nodes > MAX_NODES:
            shape: Term | str = "too long"
        else:
            shape = term if is_open else self.shape(term, {head: FIRST + k for k, head in enumerate(heads)})
        if shape not in self.numbers:
            self.numbers[shape] = len(self.written)
            self.diagrams.append(self.diagram(shape))
            self.written.append(self.template(shape))
        return self.numbers[shape]

    def shape(self, term: Term, numbers: dict[Component, int]) -> Term:
        """The term with other numbers of heads, of a model that has so many."""
        component, inputs = term
        changed = component_of(self.model, component.kind, component.layer, numbers.get(component, component.head))
        return Term(changed, tuple(self.shape(x, numbers) for x in inputs))

    def template(self, shape: Term | str) -> Markup:
        """What a browser makes formula and words of."""
        words = "" if isinstance(shape, str) else meaning(shape)
        if isinstance(shape, str):
            shown = element("span", "too long for a formula", class_="note")
        elif len(self.written) >= MAX_FORMULAS:
            shown = element("span", f"formula left out: the page has those of {MAX_FORMULAS} shapes of terms", class_="note")
        else:
            shown = formula(shape, self.notation)
        parts = [element("div", shown, class_="formula"), element("p", words, class_="meaning")]
        return element("template", *parts, id=f"shape-{len(self.written)}")

    def diagram(self, shape: Term | str) -> list | None:
        """What a browser draws: width, height, boxes, edges; ``@k`` in a label is the number of head k."""
        if isinstance(shape, str):
            return None
        drawn = drawing(shape.graph, length=lambda label: len(NUMBER.sub("00", label)))
        boxes = [[NUMBER.sub(lambda found: f"@{int(found[0]) - FIRST}", box.label), *box[1:5]] for box in drawn.boxes]
        return [drawn.width, drawn.height, boxes, drawn.edges]

    def markup(self) -> Markup:
        """All templates."""
        return joined(*self.written)


@lru_cache(maxsize=4096)
def formula(shape: Term, notation: str) -> Markup:
    """The formula of a shape, with places for the numbers of its heads."""
    written = mathml(to_latex(shape, notation))
    return Markup(IN_MATH.sub(lambda found: (f"<mn>{found[1]}</mn>" if found[1] else "") + hole("mn", found[2]), written))


def hole(name: str, number: str) -> Markup:
    """An element that the number of a head is written into."""
    return element(name, data_head=str(int(number) - FIRST))
