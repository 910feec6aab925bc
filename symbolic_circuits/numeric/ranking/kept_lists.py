r"""Of nonterminals with too many terms to list, the terms that matter most: those with the largest $\sum_s O(s) |x_s|$.

Built upwards, each list from those of the inputs. Whatever is left out has a score that bounds every complete term it is part of, and
the largest of them is reported; so it is as if the lists were complete, up to that bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.queries.membership import is_before
from symbolic_circuits.expansion.term import Term
from symbolic_circuits.numeric.ranking.chains import Chains, HeadFamily, PairFamily
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.term_lists import TermList

__all__ = ["KeptLists"]

CHUNK = 2**22  # entries of temporary arrays


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Candidates of one kind for a list: a component, None for terms that pass by, and the numbers of the inputs in their lists."""

    component: Component | None
    inputs: tuple[tuple[TermList, np.ndarray], ...]
    values: np.ndarray  # (N, P, d)

    def term(self, i: int) -> Term:
        """The term of candidate i."""
        found = [of.term(int(numbers[i])) for of, numbers in self.inputs]
        if self.component is None:
            return found[0]
        if self.component.is_tied and is_before(found[1], found[0]):
            found.reverse()
        return Term(self.component, tuple(found))

    def orders(self) -> np.ndarray:
        """The order of every candidate."""
        below = sum(of.orders[numbers] for of, numbers in self.inputs)
        return below + np.full(len(self.values), int(self.component is not None and self.component.is_block))

    def __getitem__(self, rows: np.ndarray) -> "Part":
        return Part(self.component, tuple((of, numbers[rows]) for of, numbers in self.inputs), self.values[rows])


class KeptLists:
    """Lists of all nonterminals up to the last one that a bilinear layer reads.

    Parameters
    ----------
    complete : the lists that have all terms
    outside : O (n,) of every nonterminal
    sigma : of every pair family, with $|B(x, y)| \\le \\sigma |x| |y|$
    needed : the positions at which the terms of a nonterminal are read
    width : terms that a list keeps
    threshold : a score that is of no interest
    """

    def __init__(
        self,
        chains: Chains,
        complete: Mapping[int, TermList],
        outside: list[np.ndarray],
        sigma: list[float],
        needed: list[np.ndarray],
        width: int,
        threshold: float,
    ) -> None:
        self.chains, self.outside, self.sigma, self.needed = chains, outside, sigma, needed
        self.width, self.threshold, self.dropped = width, threshold, 0.0
        self.evaluated = self.bounded = 0
        self.lists = dict(complete)
        last = max(source for family in chains.pairs for source in family.inputs)
        for k in range(last + 1):
            if k not in self.lists:
                self.lists[k] = self.built(k)

    def drop(self, scores: np.ndarray) -> None:
        """Remember the largest of scores that are left out."""
        if len(scores):
            self.dropped = max(self.dropped, float(scores.max()))

    def scores(self, k: int, values: np.ndarray) -> np.ndarray:
        """sum_s O(s) |x_s|."""
        return lengths(values) @ self.outside[k][self.needed[k]]

    def built(self, k: int) -> TermList:
        """The list of a nonterminal."""
        at = np.flatnonzero(self.needed[k])
        parts = []
        for production in self.chains.grammar.nonterminals[k]:
            component = production.component
            if component is None or component.kind == "norm":
                source = self.lists[production.inputs[0]]
                values = source.at_positions(at)
                values = values if component is None else self.normed(component.layer, at, values)
                parts.append(Part(component, ((source, np.arange(len(source))),), values))
            elif not production.inputs:
                parts.append(Part(component, (), self.chains.frozen.leaf(component)[None, at]))
        parts += [part for family in self.chains.heads if family.nonterminal == k for part in self.through(family, at)]
        parts += [self.paired(family, at) for family in self.chains.pairs if family.nonterminal == k]
        return self.largest(k, at, [part for part in parts if len(part.values)])

    def largest(self, k: int, at: np.ndarray, parts: list[Part]) -> TermList:
        """The candidates with the largest scores, as a list."""
        scores = [self.scores(k, part.values) for part in parts]
        joined = np.concatenate([np.zeros(0), *scores])
        limit = self.threshold
        if len(joined) > self.width:
            limit = max(limit, float(np.partition(joined, -self.width)[-self.width]))
        self.drop(joined[joined < limit] if limit > self.threshold else joined[joined <= limit])
        rows = [np.flatnonzero(found >= limit) if limit > self.threshold else np.flatnonzero(found > limit) for found in scores]
        kept = [part[chosen] for part, chosen in zip(parts, rows, strict=True) if len(chosen)]
        d = self.chains.frozen.x0.shape[1]
        values = np.concatenate([np.zeros((0, len(at), d)), *(part.values for part in kept)])
        orders = np.concatenate([np.zeros(0, dtype=np.int64), *(part.orders() for part in kept)])
        starts = np.cumsum([0, *(len(part.values) for part in kept)])
        slim = [Part(part.component, part.inputs, part.values[:0]) for part in kept]  # the values are in the list

        def term(i: int) -> Term:
            place = int(np.searchsorted(starts, i, side="right")) - 1
            return slim[place].term(i - int(starts[place]))

        return TermList(at, values, orders, term)

    def normed(self, number: int, at: np.ndarray, values: np.ndarray) -> np.ndarray:
        """What a norm makes of streams (N, P, d) at some positions."""
        frozen = self.chains.frozen
        return frozen.scales[number][at, None] * frozen.gained(number, values)

    def through(self, family: HeadFamily, at: np.ndarray) -> list[Part]:
        """What the heads of a family make of the list that they read."""
        source, parts = self.lists[family.source], []
        numbers = np.arange(len(source))
        for place, component in enumerate(family.components):
            mixed = family.A[place][np.ix_(at, source.at)] @ (source.values @ family.W_V[place].T)
            parts.append(Part(component, ((source, numbers),), mixed @ family.W_O[place].T))
            self.evaluated += len(source)
        return parts

    def paired(self, family: PairFamily, at: np.ndarray) -> Part:
        """The pairs of a bilinear layer with the largest scores, by falling bounds on them."""
        left, right = family.sides(self.lists)
        weights = np.sqrt(self.outside[family.nonterminal][at])
        x, y = left.at_positions(at), right.at_positions(at)
        sizes_x = lengths(x) * weights * self.sigma[family.number]
        i, j = self.promising(family, sizes_x, lengths(y) * weights)
        hidden_x, hidden_y = x @ family.W_1.T, y @ family.W_2.T
        factor = np.where(i == j, 1, 2) if family.production.unordered else np.full(len(i), family.factor)
        values, step = [np.zeros((0, *y.shape[1:]))], max(1, CHUNK // max(1, hidden_x[:1].size))
        for start in range(0, len(i), step):
            rows = slice(start, start + step)
            hidden = hidden_x[i[rows]] * hidden_y[j[rows]] * factor[rows, None, None]
            values.append(hidden if family.W_out is None else hidden @ family.W_out.T)
        self.evaluated += len(i)
        inputs = ((left, i), (right, j)) if family.gates is None else ((right, j),)
        return Part(family.production.component, inputs, np.concatenate(values))

    def promising(self, family: PairFamily, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The pairs with the largest bounds <x, y> on their scores, at most twice the width of a list; the rest is dropped."""
        limit, most = self.threshold, 2 * self.width
        found = np.zeros((2, 0), dtype=np.int64)
        bounds = np.zeros(0)
        step = max(1, CHUNK // max(1, len(y)))
        for start in range(0, len(x), step):
            block = x[start : start + step] @ y.T
            self.bounded += block.size
            if family.production.unordered:
                block[np.arange(start, start + len(block))[:, None] > np.arange(len(y))[None]] = -1.0
            self.drop(block[block <= limit])
            i, j = np.nonzero(block > limit)
            found = np.concatenate([found, [i + start, j]], axis=1)
            bounds = np.concatenate([bounds, block[i, j]])
            if len(bounds) > most:
                limit = float(np.partition(bounds, -most)[-most])
                self.drop(bounds[bounds <= limit])
                found, bounds = found[:, bounds > limit], bounds[bounds > limit]
        return found[0], found[1]
