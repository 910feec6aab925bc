r"""Heads in a row are linear: a term is a chain of heads, outermost first, that ends at a leaf or at a bilinear layer.

A *reader* is what a chain continues with: the nonterminal that a head, or the output, reads. Terms that pass by steps unchanged are
followed at once, and so are norms, so that the *reading* of a nonterminal is what really makes its terms: leaves (the input, positions,
biases, the constant), heads, bilinear layers.

| letter | meaning | shape |
| --- | --- | --- |
| A | attention patterns of the heads of a family | H x n x n |
| W_V, W_O | their factors, balanced: W_O W_V is that of the model, W_V W_V^T = W_O^T W_O is diagonal | H x r x d, H x d x r |
| W_1, W_2, W_out | bilinear layer | m x d, m x d, d x m |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.grammar import Component, Grammar, Production
from symbolic_circuits.expansion.queries.membership import is_before
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.term_lists import TermList
from symbolic_circuits.numeric.ranking.through import DIRECT, Through
from symbolic_circuits.numeric.streams import Streams

__all__ = ["Chains", "HeadFamily", "Leaf", "PairFamily", "Reading"]


@dataclass(frozen=True, slots=True, eq=False)
class HeadFamily:
    """Heads of one block that read one nonterminal and whose terms belong to one nonterminal."""

    number: int
    nonterminal: int
    source: int  # the nonterminal that they read
    components: tuple[Component, ...]
    A: np.ndarray  # (H, n, n)
    W_V: np.ndarray  # (H, r, d)
    W_O: np.ndarray  # (H, d, r)

    @property
    def width(self) -> int:
        """r."""
        return self.W_V.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class PairFamily:
    """A bilinear layer at pairs of terms of two nonterminals; or one with a gate, its gates as the one left input and W_1 = 1."""

    number: int
    nonterminal: int
    production: Production
    W_1: np.ndarray  # (m, d)
    W_2: np.ndarray  # (m, d)
    W_out: np.ndarray | None  # (d, m); None where the layer has none
    gates: np.ndarray | None = None  # (n, m)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The nonterminals of the two inputs; of the right one where there are gates."""
        return self.production.inputs

    def sides(self, lists: Mapping[int, TermList]) -> tuple[TermList, TermList]:
        """The lists of left and right inputs."""
        if self.gates is None:
            left, right = self.inputs
            return lists[left], lists[right]
        return TermList(np.arange(len(self.gates)), self.gates[None], np.zeros(1, dtype=np.int64), None), lists[self.inputs[0]]

    def term(self, x: Callable[[], Term], y: Callable[[], Term]) -> Term:
        """The term of two inputs, each made when it is needed."""
        component = self.production.component
        if self.gates is not None:
            return Term(component, (y(),))
        pair = x(), y()
        return Term(component, pair[::-1] if component.is_tied and is_before(pair[1], pair[0]) else pair)

    @property
    def factor(self) -> int:
        """2 where a pair of two different terms stands for both orders."""
        return 2 if self.production.unordered or self.production.twice else 1

    def pulled_back(self, u: np.ndarray) -> np.ndarray:
        """Directions on the stream, (..., d), as directions on the hidden activations, (..., m)."""
        return u if self.W_out is None else u @ self.W_out


@dataclass(frozen=True, slots=True, eq=False)
class Leaf:
    """A term without heads and layers: a component without inputs, perhaps behind norms."""

    term: Term
    values: np.ndarray  # (n, width)
    row: np.ndarray | None = None  # (1, width) where the values at all positions are multiples of one vector
    sizes: np.ndarray | None = None  # (n,) the multiples

    def behind(self, frozen: Frozen, norm: Component) -> "Leaf":
        """What a norm makes of it."""
        term, values = Term(norm, (self.term,)), Streams(frozen).norm(norm, self.values)
        if self.row is None:
            return Leaf(term, values)
        return Leaf(term, values, frozen.gained(norm.layer, self.row), self.sizes * frozen.scales[norm.layer])


def leaf_of(frozen: Frozen, component: Component) -> Leaf:
    """A component without inputs; biases and the constant are the same at every position."""
    values, term = frozen.leaf(component), Term(component, ())
    if component.kind in ("input", "position"):
        return Leaf(term, values)
    return Leaf(term, values, values[:1], np.ones(len(values)))


@dataclass(frozen=True, slots=True)
class Reading:
    """What makes the terms of a nonterminal, those that pass by included; and the norms that are between."""

    leaves: tuple[Leaf, ...]
    heads: dict[int, Through]  # numbers of head families
    pairs: dict[int, Through]  # numbers of pair families

    def behind(self, frozen: Frozen, norm: Component) -> "Reading":
        """What a norm makes of these terms."""
        leaves = tuple(leaf.behind(frozen, norm) for leaf in self.leaves)
        heads, pairs = ({k: via.then(frozen, norm) for k, via in found.items()} for found in (self.heads, self.pairs))
        return Reading(leaves, heads, pairs)


class Chains:
    """The families of a grammar at a frozen model, and what each nonterminal reads."""

    def __init__(self, grammar: Grammar, frozen: Frozen) -> None:
        self.grammar, self.frozen = grammar, frozen
        self.balanced: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.heads: list[HeadFamily] = []
        self.pairs: list[PairFamily] = []
        self.readings: list[Reading] = []
        for k, rules in enumerate(grammar.nonterminals):
            self.readings.append(self.reading_of(k, rules))

    def reading_of(self, k: int, rules: tuple[Production, ...]) -> Reading:
        """The families that nonterminal k brings, and those of the nonterminals that pass it by."""
        grouped: dict[tuple[int, int], list[Component]] = {}
        leaves, heads, pairs = [], {}, {}
        for production in rules:
            component = production.component
            if component is None or component.kind == "norm":
                passed = self.readings[production.inputs[0]]
                passed = passed if component is None else passed.behind(self.frozen, component)
                leaves, heads, pairs = [*leaves, *passed.leaves], heads | passed.heads, pairs | passed.pairs
            elif not production.inputs:
                leaves.append(leaf_of(self.frozen, component))
            elif component.kind == "attn":
                grouped.setdefault((component.layer, production.inputs[0]), []).append(component)
            else:
                pairs[self.new_pairs(k, production)] = DIRECT
        heads |= {self.new_heads(k, inputs, components): DIRECT for (_, inputs), components in grouped.items()}
        return Reading(tuple(leaves), heads, pairs)

    def new_heads(self, k: int, source: int, components: list[Component]) -> int:
        """The number of a new family of heads."""
        layer, chosen = components[0].layer, [component.head for component in components]
        W_V, W_O = self.factors(layer)
        patterns = self.frozen.patterns[layer]
        family = HeadFamily(len(self.heads), k, source, tuple(components), patterns[chosen], W_V[chosen], W_O[chosen])
        self.heads.append(family)
        return family.number

    def new_pairs(self, k: int, production: Production) -> int:
        """The number of a new family of pairs."""
        component, arrays = production.component, self.frozen.arrays
        name = f"bilinear.{component.layer}"
        gates = None if component.kind == "bilinear" else Streams(self.frozen).gates(component)
        W_1 = arrays[f"{name}.W_1"] if gates is None else np.eye(gates.shape[1])
        W_2 = W_1 if component.is_tied else arrays[f"{name}.W_2"]
        self.pairs.append(PairFamily(len(self.pairs), k, production, W_1, W_2, arrays.get(f"{name}.W_out"), gates))
        return len(self.pairs) - 1

    def factors(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """W_V and W_O of all heads of a block, balanced."""
        if layer not in self.balanced:
            arrays = self.frozen.arrays
            self.balanced[layer] = balanced(arrays[f"attn.{layer}.W_V"], arrays[f"attn.{layer}.W_O"])
        return self.balanced[layer]

    def reach(self, probe: np.ndarray) -> list[np.ndarray]:
        """For each nonterminal, the positions at which its terms are read, if the output is read where the probe is not zero."""
        rules, n = self.grammar.nonterminals, self.frozen.positions
        needed = [np.zeros(n, dtype=bool) for _ in rules]
        needed[-1] |= probe != 0
        for k in range(len(rules) - 1, -1, -1):
            for production in rules[k]:
                component, at = production.component, needed[k]
                if component is not None and component.kind == "attn":
                    at = (self.frozen.patterns[component.layer][component.head][at] != 0).any(axis=0)
                for source in production.inputs:
                    needed[source] |= at
        return needed


def balanced(W_V: np.ndarray, W_O: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""Factors of the same W_O W_V whose norms are shared evenly: with its singular values $U S V^T$, $W_O = U S^{1/2}$, $W_V = S^{1/2} V^T$.

    Parameters
    ----------
    W_V, W_O : (H, e, d), (H, d, e)
    """
    size_o, size_v = (np.abs(W).max(axis=(1, 2), keepdims=True, initial=0.0) for W in (W_O, W_V))
    q_o, r_o = np.linalg.qr(W_O / np.where(size_o > 0, size_o, 1))  # their product is not to underflow
    q_v, r_v = np.linalg.qr(W_V.swapaxes(1, 2) / np.where(size_v > 0, size_v, 1))
    u, s, v = np.linalg.svd(r_o @ r_v.swapaxes(1, 2))
    rank = s.shape[1]
    root = np.sqrt(s)[:, None, :] * np.sqrt(size_o) * np.sqrt(size_v)
    return (q_v @ (v.swapaxes(1, 2)[:, :, :rank] * root)).swapaxes(1, 2), q_o @ (u[:, :, :rank] * root)
