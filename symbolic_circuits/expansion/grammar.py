"""The residual stream as a grammar of terms: R_l -> R_{l-1} | attn.l[h](R_{l-1}) | bilinear.l(R_{l-1}, R_{l-1}).

A *component* is an operation of the model (the input, one head, one bilinear layer). A *nonterminal* stands for a set of
terms; its *productions* say how they are built, each from terms of earlier nonterminals. The order of the productions is
the order of enumeration: first the terms that pass by, then the heads in order, then the bilinear layer.

| component | inputs | value |
| --- | --- | --- |
| embed (or input) | | X_0 = t W_E^T (or X) |
| position | | W_pos |
| one | | the constant coordinate: what a block makes of it is what it makes of its biases |
| bias.l, normbias.l | | 1 b^T: b_O or b_out of block l, b of a norm |
| norm.l | x | r_s x_s . w, the scale r_s of each position held fixed |
| attn.l[h] | x | A X W_OV^T, the pattern A held fixed; of the constant A 1 (W_O b_V)^T |
| attn.l[h] | query, key, value | A(X, Y) Z W_OV^T, where A is a polynomial: linear scores |
| attn.l[h] | query1, key1, query2, key2, value | the same: bilinear scores |
| gated.l | x | W_out(G . (W_2 x)), the gates G held fixed; of the constant W_out(G . b_2) |
| bilinear.l | x, y | W_out((W_1 x) . (W_2 y)); with the constant for x, W_1 x is b_1 |
| scores.l[h] | query, key (of bilinear scores two of each) | X W_QK Y^T / sqrt(e), n x n: not of the stream, but the root of scores' terms |

Norms are not counted as steps of a path. A term that is the constant alone is b_U in the output.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import TypeAlias

import sympy

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.spec import Attention, Bilinear, Block, NumberedBlock, Step, Transformer

__all__ = ["ANY_HEAD", "BLOCKS", "EACH_HEAD", "SLOTS", "Component", "Grammar", "Production", "component_of", "grammar_of"]

EACH_HEAD = "each head"  # one production a head (one in all where their number is a symbol)
MAX_HEADS = 100_000
ANY_HEAD = "any head"  # one production an attention block: terms are then path classes

BLOCKS = frozenset({"attn", "gated", "bilinear"})  # kinds of components that are steps of a path
SLOTS = {  # scores -> the inputs of a head whose patterns are expanded
    "linear": ("query", "key", "value"),
    "bilinear": ("query1", "key1", "query2", "key2", "value"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """An operation of a model; two are equal when they are the same operation of equal models."""

    kind: str  # "input", "position", "one", "bias", "normbias", "norm", "attn", "gated", "bilinear" or "scores"
    layer: int  # number of the block, or of the norm; -1 for the other leaves
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
    def is_block(self) -> bool:
        """Whether the component is a step of a path: a head, a bilinear or a gated layer."""
        return self.kind in BLOCKS

    @property
    def slots(self) -> tuple[str, ...]:
        """The names of the inputs."""
        if self.kind == "bilinear":
            return ("left", "right")
        if self.kind == "scores":
            return SLOTS["bilinear" if self.spec.scores == "bilinear" else "linear"][:-1]
        if self.kind == "attn":
            return SLOTS[self.spec.scores] if self.spec.is_polynomial else ("value",)
        return ("value",) if self.kind in ("norm", "gated") else ()

    @property
    def name(self) -> str:
        """``embed`` (or ``input`` without embedding), ``attn.0[1]`` (``attn.0[*]`` for any head), ``bilinear.1``, ``norm.2``, ``one``."""
        if self.kind == "input":
            return "embed" if self.model.embedding else "input"
        if self.kind in ("attn", "scores"):
            return f"{self.kind}.{self.layer}[{'*' if self.head is None else self.head}]"
        return self.kind if self.layer < 0 else f"{self.kind}.{self.layer}"


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
    streams: tuple[int, ...] = field(default=(), compare=False)  # nonterminals of the stream before the first step and after each
    root: Component | None = None  # the scores that the terms add up to; None: the output


def grammar_of(
    model: Transformer, heads: str = EACH_HEAD, listed: frozenset[int] = frozenset(), root: Component | None = None
) -> Grammar:
    """The grammar of the residual stream, of the blocks ``listed`` with one production a head; or of the scores of one head.

    There is one nonterminal a step, and others for what a norm makes of a stream, what queries read, and the constant.

    >>> grammar = grammar_of(Transformer.parse("attn(2) bilinear"))
    >>> [[production.component and production.component.name for production in rules] for rules in grammar.nonterminals]
    [['embed'], [None, 'attn.0[0]', 'attn.0[1]'], [None, 'bilinear.1']]
    >>> grammar = grammar_of(Transformer.parse("[rms_norm] bilinear(b_1)"))
    >>> [[production.component and production.component.name for production in rules] for rules in grammar.nonterminals]
    [['embed'], ['one'], ['norm.0'], [None, 'bilinear.0', 'bilinear.0'], ['norm.1']]
    """
    heads_listed = sum(b.heads for _, b in model.numbered() if isinstance(b, Attention) and isinstance(b.heads, int))
    if heads == EACH_HEAD and heads_listed > MAX_HEADS:
        raise BudgetError(f"the model has {heads_listed:,} heads; the limit is {MAX_HEADS:,}")
    building = Building(model, heads, listed)
    building.output() if root is None else building.scores(root)
    return Grammar(model, tuple(building.rules), tuple(building.streams), root)


class Building:
    """The nonterminals of a model, made one after the other."""

    def __init__(self, model: Transformer, heads: str, listed: frozenset[int]) -> None:
        self.model, self.heads, self.listed = model, heads, listed
        self.rules: list[Nonterminal] = []
        positions = [self.leaf("position")] if model.positions == "learned" else []
        self.streams = [self.add([self.leaf("input"), *positions])]
        self.one = self.add([self.leaf("one")]) if model.has_constant else None

    def output(self) -> None:
        """What the output reads: the last stream, its norm, the constant."""
        for step in self.model.steps:
            self.streams.append(self.step(step, self.streams[-1]))
        last = self.streams[-1]
        if self.model.has_final_norm:
            last = self.add(self.norm(self.model.number_of_blocks, last))
        if self.model.output_bias:
            self.add([Production(None, (last,)), Production(None, (self.one,))])

    def scores(self, root: Component) -> None:
        """The scores of a head: pairs of terms of the stream that its queries and keys read."""
        for step in self.model.steps:
            if root.layer in (block.index for block in step.blocks):
                break
            self.streams.append(self.step(step, self.streams[-1]))
        source = self.aware(self.read(root.layer, self.streams[-1]))
        biased = [f"b_{slot[0].upper()}" in root.spec.biases for slot in root.slots]
        self.add([Production(root, slots) for slots in self.slots([source] * len(root.slots), biased)])

    def read(self, number: int, stream: int) -> int:
        """What a block reads of a stream: a norm of it, where norms come first."""
        return stream if self.model.norm is None or self.model.post_norm else self.add(self.norm(number, stream))

    def leaf(self, kind: str, layer: int = -1) -> Production:
        """The production of a component without inputs."""
        return Production(component_of(self.model, kind, layer))

    def add(self, productions: Sequence[Production]) -> int:
        """A new nonterminal; its number."""
        self.rules.append(tuple(productions))
        return len(self.rules) - 1

    def norm(self, number: int, source: int) -> list[Production]:
        """What a norm makes of a stream."""
        bias = [self.leaf("normbias", number)] if self.model.gains and self.model.norm == "layer" else []
        return [Production(component_of(self.model, "norm", number), (source,)), *bias]

    def step(self, step: Step, stream: int) -> int:
        """The stream after a step."""
        productions = [Production(None, (stream,))] if step.residual else []
        for block in step.blocks:
            productions += self.block(block, self.read(block.index, stream))
        after = self.add(productions)
        return self.add(self.norm(step.blocks[-1].index, after)) if self.model.post_norm else after

    def block(self, block: NumberedBlock, source: int) -> list[Production]:
        """The productions of one block that reads the stream of a nonterminal, its biases last."""
        index, spec = block
        if isinstance(spec, Attention):
            found = [p for component, copies in self.members(block) for p in self.attention(spec, component, copies, source)]
        elif spec.gate is not None:
            component = component_of(self.model, "gated", index)
            found = [Production(component, slots) for slots in self.slots([source], ["b_2" in spec.biases])]
        else:
            found = self.bilinear(spec, component_of(self.model, "bilinear", index), source)
        own = "b_O" if isinstance(spec, Attention) else "b_out"
        return [*found, self.leaf("bias", index)] if own in spec.biases else found

    def slots(self, sources: Sequence[int], biased: Sequence[bool]) -> Iterator[tuple[int, ...]]:
        """The inputs of the productions of a component: each slot reads its source, or the constant where it has a bias."""
        return product(*((source, self.one) if bias else (source,) for source, bias in zip(sources, biased, strict=True)))

    def members(self, block: NumberedBlock) -> Iterator[tuple[Component, Size]]:
        """The heads of a block that have productions of their own, with the number of heads that each stands for."""
        index, spec = block
        if self.heads == ANY_HEAD and index not in self.listed:
            yield component_of(self.model, "attn", index), 1
        elif isinstance(spec.heads, sympy.Symbol):
            yield component_of(self.model, "attn", index), spec.heads
        else:
            yield from ((component_of(self.model, "attn", index, head), 1) for head in range(spec.heads))

    def attention(self, spec: Attention, component: Component, copies: Size, source: int) -> Iterator[Production]:
        """The productions of a head."""
        reading = component.slots
        sources = [source if slot == "value" else self.aware(source) for slot in reading]
        biased = [f"b_{slot[0].upper()}" in spec.biases for slot in reading]
        return (Production(component, slots, copies=copies) for slots in self.slots(sources, biased))

    def aware(self, source: int) -> int:
        """The stream that queries and keys read: with positions where only they do."""
        if self.model.positions != "shortformer":
            return source
        rules = (Production(None, (source,)), self.leaf("position"))
        return self.rules.index(rules) if rules in self.rules else self.add(rules)

    def bilinear(self, spec: Bilinear, component: Component, source: int) -> list[Production]:
        """The productions of a bilinear layer: interaction, linear parts, constant."""
        left, right = "b_1" in spec.biases, "b_2" in spec.biases
        if not spec.tied:
            return [Production(component, slots) for slots in self.slots([source, source], [left, right])]
        found = [Production(component, (source, source), unordered=True)]
        if left:
            found += [
                Production(component, (source, self.one), twice=True),
                Production(component, (self.one, self.one), unordered=True),
            ]
        return found
