"""A term: a tree of components, one way for information to branch through heads and bilinear layers.

``bilinear.1(embed, attn.0[1](embed))`` is the bilinear layer 1 with the embedding as its left input and head 1 of block 0,
at the embedding, as its right input. A term of the residual stream is a term of the model's output too, with the
unembedding in front.
"""

from collections.abc import Iterator
from typing import NamedTuple

import networkx
from sympy import Expr

from symbolic_circuits.display import displayed
from symbolic_circuits.expansion.code import to_einsum
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.graphs import term_graph
from symbolic_circuits.expansion.notation import notation_for
from symbolic_circuits.expansion.tensors import ModelTensors

__all__ = ["Term", "subterms"]


@displayed
class Term(NamedTuple):
    """A component applied to as many terms as it has inputs.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> term = sc.path_expansion("attn(2) bilinear")[7]
    >>> print(term)
    bilinear.1(attn.0[0](embed), attn.0[0](embed))
    >>> term.order, term.height, term.degree, term.layers
    (3, 2, 2, (0, 1))
    """

    component: Component
    inputs: tuple["Term", ...]

    def __str__(self) -> str:
        parts, waiting = [], [self]
        while waiting:
            part = waiting.pop()
            if isinstance(part, str):
                parts.append(part)
                continue
            parts.append(part.component.name)
            if part.inputs:
                waiting += [")", *(x for y in reversed(part.inputs) for x in (y, ", "))][:-1]
                waiting.append("(")
        return "".join(parts)

    def __repr__(self) -> str:
        return f"<Term {self}>"

    def expr(self, notation: str = "matrix") -> Expr:
        """The value of the term in a notation ("operator", "matrix", "index" or "tensor"), unembedding and coefficient included.

        >>> import symbolic_circuits as sc
        >>> sc.path_expansion("attn(2)")[2].expr("matrix")
        A[1]*t*W_E.T*W_OV[1].T*W_U.T
        """
        return notation_for(notation, ModelTensors(self.component.model)).write(self)

    @property
    def nodes(self) -> int:
        """Number of nodes of the term as a tree."""
        return sum(1 for _ in subterms(self))

    def to_einsum(self) -> tuple[str, tuple[str, ...]]:
        """The einsum string and the names of its operands; see :func:`symbolic_circuits.expansion.code.to_einsum`."""
        return to_einsum(self)

    @property
    def graph(self) -> networkx.DiGraph:
        """The tree of the term; see :func:`symbolic_circuits.expansion.graphs.term_graph`."""
        return term_graph(self)

    @property
    def order(self) -> int:
        """Number of heads and bilinear layers on the term, counted with repetition."""
        return sum(1 for node in subterms(self) if node.component.is_block)

    @property
    def height(self) -> int:
        """Largest number of heads and bilinear layers on a way from the output to an input."""
        heights: dict[int, int] = {}
        for node in reversed(list(subterms(self))):  # inputs before what reads them
            heights[id(node)] = node.component.is_block + max((heights[id(x)] for x in node.inputs), default=0)
        return heights[id(self)]

    @property
    def degree(self) -> int:
        """Copies of the input (tokens or X): the degree of the term as a polynomial in it."""
        return sum(1 for node in subterms(self) if node.component.kind == "input")

    @property
    def heads(self) -> tuple[tuple[int, int], ...]:
        """(layer, head) of the distinct heads on the term, in order."""
        return tuple(
            sorted({(node.component.layer, node.component.head) for node in subterms(self) if node.component.kind == "attn"})
        )

    @property
    def layers(self) -> tuple[int, ...]:
        """Numbers of the distinct blocks on the term, in order."""
        return tuple(sorted({node.component.layer for node in subterms(self) if node.component.is_block}))

    @property
    def coefficient(self) -> int:
        """2 for each bilinear layer with tied weights whose two inputs differ: the term stands for both orders."""
        twice = sum(1 for node in subterms(self) if node.component.is_tied and node.inputs[0] != node.inputs[1])
        return 2**twice


Term.__new__.__module__ = __name__  # of a NamedTuple it is a name of no module, and its annotations mean nothing there


def subterms(term: Term) -> Iterator[Term]:
    """The nodes of a term as a tree, from the output on, left inputs first.

    >>> import symbolic_circuits as sc
    >>> [str(node) for node in subterms(sc.path_expansion("bilinear")[1])]
    ['bilinear.0(embed, embed)', 'embed', 'embed']
    """
    waiting = [term]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.inputs))
