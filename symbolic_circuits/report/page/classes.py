"""What the terms of each path class, or of each order, contribute together: for expansions too large to show term by term."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.errors import UnsupportedNodeError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.expansion.interpret import fold
from symbolic_circuits.expansion.queries.components import blocks_told_apart
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.report.classes import terms_in_class
from symbolic_circuits.report.page.reading import Reading

__all__ = ["MAX_CLASSES", "ClassSum", "class_name", "class_sums", "open_blocks"]

MAX_CLASSES = 400
HEAD = re.compile(r"(attn\.(\d+))\[\d+\]")


@dataclass(frozen=True, slots=True)
class ClassSum:
    """A path class."""

    term: Term  # heads left open
    count: object  # of its terms: an integer, or a polynomial in numbers of heads
    value: float | None  # what they contribute together


class SummedHeads(Streams):
    """Streams where a head that is left open stands for the sum of all heads of its block."""

    def heads(self, component: Component, x: np.ndarray, copies: object) -> np.ndarray:
        return self.add([self.head(one, x) for one in each_head(component)])

    def attention_heads(self, component: Component, inputs: Sequence[np.ndarray], copies: object) -> np.ndarray:
        return self.add([self.attention(one, inputs) for one in each_head(component)])


def each_head(component: Component) -> list[Component]:
    """The heads of a block."""
    count = component.spec.heads
    if not isinstance(count, int):
        raise UnsupportedNodeError(f"{component.name} stands for {count} heads, which have no values")
    return [component_of(component.model, component.kind, component.layer, head) for head in range(count)]


def class_sums(expansion: PathExpansion, reading: Reading | None) -> list[ClassSum]:
    """The path classes with what their terms contribute together, each computed in one pass through its tree.

    >>> import symbolic_circuits as sc
    >>> [(str(found.term), found.count) for found in class_sums(sc.path_expansion("attn(2)"), None)]
    [('embed', 1), ('attn.0[*](embed)', 2)]
    """
    classes = list(expansion.path_classes())
    if reading is None:
        return [ClassSum(term, terms_in_class(term), None) for term in classes]
    algebra, known = SummedHeads(reading.frozen), {}
    return [ClassSum(term, terms_in_class(term), reading.of_stream(fold(term, algebra, known))) for term in classes]


def open_blocks(expansion: PathExpansion) -> frozenset[int]:
    """The blocks whose heads path classes leave open: all but those whose heads a query tells apart."""
    blocks = {index for index, _ in expansion.model.numbered()}
    if expansion.query is None:
        return frozenset(blocks)
    return frozenset(blocks - set(blocks_told_apart(expansion.query, expansion.model)))


def class_name(name: str, blocks: frozenset[int]) -> str:
    """The name of the path class of a term, of the name of the term.

    >>> class_name("bilinear.1(embed, attn.0[1](embed))", frozenset({0}))
    'bilinear.1(embed, attn.0[*](embed))'
    """
    return HEAD.sub(lambda found: f"{found[1]}[*]" if int(found[2]) in blocks else found[0], name)
