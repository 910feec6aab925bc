"""The residual stream as a grammar of terms: R_l -> R_{l-1} | attn.l[h](R_{l-1}) | bilinear.l(R_{l-1}, R_{l-1}).

A *component* is an operation of the model (the input, one head, one bilinear layer). A *nonterminal* stands for a set of
terms; its *productions* say how they are built, each from terms of earlier nonterminals. The order of the productions is
the order of enumeration: first the terms that pass by, then the heads in order, then the bilinear layer.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import sympy

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.spec import Attention, Block, NumberedBlock, Transformer

__all__ = ["EACH_HEAD", "ANY_HEAD", "Component", "Grammar", "Production", "component_of", "grammar_of"]

EACH_HEAD = "each head"  # one production a head (one in all where their number is a symbol)
MAX_HEADS = 100_000
ANY_HEAD = "any head"  # one production an attention block: terms are then path classes


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """An operation of a model; two are equal when they are the same operation of equal models."""

    kind: str  # "input", "attn" or "bilinear"
    layer: int  # number of the block; -1 for the input
    head: int | None  # number of the head; None stands for any head, and for components that are not heads
    model: Transformer
    key: int = field(init=False, repr=False)  # the hash: terms are hashed by the million
    is_tied: bool = field(init=False, repr=False)  # a bilinear layer with W_1 = W_2: its two inputs may be exchanged

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_tied", self.kind == "bilinear" and self.spec.tied)
        object.__setattr__(self, "key", hash((self.kind, self.layer, self.head, self.model)))

    def __hash__(self) -> int:
        return self.key

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Component) or self.key != other.key:
            return False
        return (self.kind, self.layer, self.head, self.model) == (other.kind, other.layer, other.head, other.model)

    def __reduce__(self) -> tuple:
        return component_of, (self.model, self.kind, self.layer, self.head)

    @property
    def spec(self) -> Block:
        """The block that the component belongs to."""
        return next(block.spec for block in self.model.numbered() if block.index == self.layer)

    @property
    def name(self) -> str:
        """``embed`` (or ``input`` without embedding), ``attn.0[1]`` (``attn.0[*]`` for any head), ``bilinear.1``."""
        if self.kind == "input":
            return "embed" if self.model.embedding else "input"
        if self.kind == "attn":
            return f"attn.{self.layer}[{'*' if self.head is None else self.head}]"
        return f"bilinear.{self.layer}"


def component_of(model: Transformer, kind: str, layer: int = -1, head: int | None = None) -> Component:
    """A component of ``model``."""
    return Component(kind, layer, head, model)


@dataclass(frozen=True, slots=True)
class Production:
    """One way to build a term: a component applied to terms of nonterminals, or a term that passes by unchanged."""

    component: Component | None  # None: the term of the one input, unchanged
    inputs: tuple[int, ...] = ()  # nonterminals
    unordered: bool = False  # pairs of terms of one nonterminal, in either order the same term
    copies: Size = 1  # heads that one production stands for
    twice: bool = False  # pairs of terms of two nonterminals, in either order the same term, which counts for both


Nonterminal: TypeAlias = tuple[Production, ...]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Nonterminals in the order in which they are defined; the last one generates the terms of the expansion."""

    model: Transformer
    nonterminals: tuple[Nonterminal, ...]


def grammar_of(model: Transformer, heads: str = EACH_HEAD, listed: frozenset[int] = frozenset()) -> Grammar:
    """The grammar of the residual stream, one nonterminal a step; of the blocks ``listed`` with one production a head.

    >>> grammar = grammar_of(Transformer.parse("attn(2) bilinear"))
    >>> [[production.component and production.component.name for production in rules] for rules in grammar.nonterminals]
    [['embed'], [None, 'attn.0[0]', 'attn.0[1]'], [None, 'bilinear.1']]
    """
    heads_listed = sum(b.heads for _, b in model.numbered() if isinstance(b, Attention) and isinstance(b.heads, int))
    if heads == EACH_HEAD and heads_listed > MAX_HEADS:
        raise BudgetError(f"the model has {heads_listed:,} heads; the limit is {MAX_HEADS:,}")
    nonterminals = [(Production(component_of(model, "input")),)]
    for level, step in enumerate(model.steps):
        productions = [Production(None, (level,))] if step.residual else []
        for block in step.blocks:
            productions += productions_of(model, block, level, EACH_HEAD if block.index in listed else heads)
        nonterminals.append(tuple(productions))
    return Grammar(model, tuple(nonterminals))


def productions_of(model: Transformer, block: NumberedBlock, level: int, heads: str) -> Iterator[Production]:
    """The productions of one block that reads the stream of nonterminal ``level``."""
    if isinstance(block.spec, Attention):
        if heads == ANY_HEAD:
            yield Production(component_of(model, "attn", block.index), (level,))
        elif isinstance(block.spec.heads, sympy.Symbol):
            yield Production(component_of(model, "attn", block.index), (level,), copies=block.spec.heads)
        else:
            for head in range(block.spec.heads):
                yield Production(component_of(model, "attn", block.index, head), (level,))
    else:
        yield Production(component_of(model, "bilinear", block.index), (level, level), unordered=block.spec.tied)
