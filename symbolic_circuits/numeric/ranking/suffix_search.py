r"""Branch and bound over suffixes: each is completed by a leaf, by pairs of a bilinear layer, or by one head more, if its bound allows.

Suffixes wait by family; the lowest family with a full batch goes first, so that memory stays bounded, and else the highest. With a *width*
only so many of the largest bounds in each family go on, which sets the threshold; what is left out is bounded, not lost.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from symbolic_circuits.numeric.ranking.chains import HeadFamily, Reading
from symbolic_circuits.numeric.ranking.ground import Prepared
from symbolic_circuits.numeric.ranking.incumbents import Incumbents
from symbolic_circuits.numeric.ranking.lengths import finite, lengths
from symbolic_circuits.numeric.ranking.pair_search import search_norms, search_pairs
from symbolic_circuits.numeric.ranking.suffixes import Suffixes, compressed, extended, sizes_of

__all__ = ["SuffixSearch"]

BATCH = 2**13
CHUNK = 2**21  # entries of temporary arrays
ROUNDING = 1 + 1e-12  # more than the products of a bound round


class SuffixSearch:
    """One pass over the suffixes of an expansion.

    Parameters
    ----------
    prepared : the terms that bilinear layers read, and bounds on what heads read
    root : (q, d) functionals on the stream, at the position where ``probe`` (n,) is 1
    best : the largest values so far
    width : how many suffixes of a family go on; None for all
    stop : whether to end, given the number of bounds and values computed so far
    """

    def __init__(
        self,
        prepared: Prepared,
        root: np.ndarray,
        probe: np.ndarray,
        best: Incumbents,
        *,
        width: int | None,
        stop: Callable[[int], bool],
    ) -> None:
        self.bounds, self.lists, self.outputs, self.best = prepared.bounds, prepared.lists, prepared.outputs, best
        self.chains = self.bounds.chains
        self.width, self.is_over = width, stop
        last = len(self.chains.grammar.nonterminals) - 1
        q, d = root.shape
        self.root = HeadFamily(-1, last, last, (), np.eye(len(probe))[None], root[None], np.zeros((1, d, q)))
        self.waiting: list[list[Suffixes]] = [[] for _ in self.chains.heads]
        self.carried = [np.abs(f.A)[:, None] @ b[..., None] for f, b in zip(self.chains.heads, self.bounds.beta, strict=True)]
        self.carried = [found[..., 0] for found in self.carried]  # (H, J, n) bounds as seen through the patterns
        self.largest = [found.max(axis=1) for found in self.carried]
        self.evaluated = self.bounded = 0
        self.dropped = 0.0  # a bound on everything that was left out although it exceeded the threshold
        depth = last + 1
        self.start = Suffixes(
            np.zeros(1, dtype=np.int64),
            probe[None],
            np.eye(q)[None],
            np.full((1, depth), -1, dtype=np.int64),
            *(np.full(1, np.inf),) * 2,
        )

    def run(self) -> None:
        """Search until nothing waits, or until told to stop."""
        self.expand(self.root, self.start)
        while True:
            sizes = [sum(map(len, parts)) for parts in self.waiting]
            if not any(sizes):
                return
            if self.stop():
                self.drop(max(float(part.bound.max(initial=0.0)) for parts in self.waiting for part in parts))
                return
            full = [k for k, size in enumerate(sizes) if size >= BATCH] if self.width is None else []
            number = full[0] if full else max(k for k, size in enumerate(sizes) if size)
            batch = self.taken(number)
            if len(batch):
                self.expand(self.chains.heads[number], batch)

    def stop(self, more: int = 0) -> bool:
        """Whether to end here."""
        return self.is_over(self.evaluated + self.bounded + more)

    def drop(self, bound: float) -> None:
        """Remember the bound of something that is left out."""
        if bound > self.best.threshold:
            self.dropped = max(self.dropped, bound)

    def taken(self, number: int) -> Suffixes:
        """The suffixes of a family that go on now: those above the threshold, by falling bound."""
        batch = Suffixes.joined(self.waiting[number])
        self.waiting[number] = []
        rows = np.flatnonzero(batch.bound > self.best.threshold)
        rows = rows[np.argsort(-batch.bound[rows], kind="stable")]
        limit = BATCH if self.width is None else self.width
        if len(rows) > limit:
            if self.width is None:
                self.waiting[number].append(batch[rows[limit:]])
            else:
                self.drop(float(batch.bound[rows[limit]]))
        return batch[rows[:limit]]

    def expand(self, family: HeadFamily, batch: Suffixes) -> None:
        """Complete suffixes by leaves and by pairs, and extend them by one head."""
        reading: Reading = self.chains.readings[family.source]
        if reading.leaves:
            for number, leaf in enumerate(reading.leaves):
                self.complete_by_leaf(family, batch, number, leaf.values)
            batch = batch[np.flatnonzero(batch.rest > self.best.threshold)]
            if not len(batch):
                return
        for number in reading.pairs:
            if number in self.outputs:
                self.complete_by_outputs(family, batch, number)
            else:
                self.complete_by_pairs(family, batch, number)
        for number in reading.heads:
            self.extend(family, batch, self.chains.heads[number])

    # one head more

    def extend(self, family: HeadFamily, batch: Suffixes, writer: HeadFamily) -> None:
        """The suffixes with one head of another family more, as far as their bounds exceed the threshold."""
        M, via = self.bounds.virtual.between(family, writer), self.chains.readings[family.source].heads[writer.number]
        batch = batch if via.rho is None else replace(batch, P=via.scaled(batch.P))
        _, g, r, w = M.shape
        step = max(1, CHUNK // (batch.V.shape[1] * g * w))
        for start in range(0, len(batch), step):
            some = batch[slice(start, start + step)] if step < len(batch) else batch
            V = np.empty((len(some), some.V.shape[1], g * w))
            for place, rows in some.by_place():
                V[rows] = some.V[rows] @ M[place].transpose(1, 0, 2).reshape(r, g * w)
            V = V.reshape(len(some), -1, g, w).swapaxes(1, 2)  # (N, H', q, r')
            sizes = sizes_of(V) * ROUNDING
            coarse = finite(sizes * (np.abs(some.P) @ self.largest[writer.number].T))
            self.bounded += coarse.size
            self.extend_where(some, V, sizes, coarse > self.best.threshold, writer)

    def extend_where(self, batch: Suffixes, V: np.ndarray, sizes: np.ndarray, open_: np.ndarray, writer: HeadFamily) -> None:
        """Keep the extensions that are open by their finer bounds, order by order."""
        for place in np.flatnonzero(open_.any(axis=0)):
            rows = np.flatnonzero(open_[:, place])
            P = batch.P[rows]
            by_order = sizes[rows, place, None] * (np.abs(P) @ self.carried[writer.number][place].T)
            bound, rest = by_order.max(axis=1), by_order[:, 1:].max(axis=1, initial=0.0)
            kept = bound > self.best.threshold
            if kept.any():
                rows = rows[kept]
                self.waiting[writer.number].append(
                    Suffixes(
                        np.full(len(rows), place),
                        P[kept] @ writer.A[place],
                        compressed(V[rows, place]),
                        extended(batch.path[rows], writer.number, int(place)),
                        bound[kept],
                        rest[kept],
                    )
                )

    # completions

    def offer(self, batch: Suffixes, rows: np.ndarray, values: np.ndarray, end: tuple) -> None:
        """Offer values (N, q) of suffixes with an end: the number of a pair family and of its inputs, or -1, that of a leaf and -1."""
        values = values[:, 0] if values.shape[1] == 1 else lengths(values)
        self.evaluated += len(values)
        ends = [np.broadcast_to(np.asarray(part, dtype=np.int64), len(rows)) for part in end]
        self.best.offer(values, [batch.path[rows], *ends])

    def complete_by_leaf(self, family: HeadFamily, batch: Suffixes, number: int, values: np.ndarray) -> None:
        """The terms that end at a leaf, with its values (n, width)."""
        for place, rows in batch.by_place():
            read = batch.P[rows] @ (values @ family.W_V[place].T)
            self.offer(batch, rows, np.einsum("xqr,xr->xq", batch.V[rows], read), (-1, number, -1))

    def complete_by_outputs(self, family: HeadFamily, batch: Suffixes, number: int) -> None:
        """The terms that end at a pair of a layer with few pairs, where the bound allows."""
        found, sizes = self.outputs[number], sizes_of(batch.V) * ROUNDING
        via = self.chains.readings[family.source].pairs[number]
        for place, rows in batch.by_place():
            read = found.values @ via.turned(family.W_V[place]).T  # (terms, P, r)
            norms = lengths(read)
            P = via.scaled(batch.P[rows])[:, found.at]
            coarse = finite(sizes[rows][:, None] * (np.abs(P) @ norms.T))
            self.bounded += coarse.size
            i, t = np.nonzero(coarse > self.best.threshold)
            step = max(1, CHUNK // read[0].size) if len(read) else 1
            for start in range(0, len(i), step):
                a, b = i[start : start + step], t[start : start + step]
                values = np.einsum("xqr,xr->xq", batch.V[rows[a]], np.einsum("xp,xpr->xr", P[a], read[b]))
                self.offer(batch, rows[a], values, (number, found.left[b], found.right[b]))

    def complete_by_pairs(self, family: HeadFamily, batch: Suffixes, number: int) -> None:
        """The terms that end at a pair of a layer with many pairs: a search for each suffix, by falling bound."""
        pairs, via = self.chains.pairs[number], self.chains.readings[family.source].pairs[number]
        read = self.bounds.read_pairs(family, number)
        bound = finite(sizes_of(batch.V) * ROUNDING * np.einsum("xn,xn->x", np.abs(batch.P), read.max(axis=1)[batch.place]))
        self.bounded += len(bound)
        order = np.argsort(-bound, kind="stable")
        limit = len(order) if self.width is None else max(1, self.width // 64)
        left, right = pairs.sides(self.lists)
        for done, row in enumerate(order):
            if bound[row] <= self.best.threshold:
                return
            if done >= limit or self.stop():
                self.drop(float(bound[row]))
                return
            u = via.turned(batch.V[row] @ family.W_V[batch.place[row]])
            search, u = (search_pairs, u[0]) if len(u) == 1 else (search_norms, u)
            key = (*batch.path[row].tolist(), number)
            evaluated, rest = search(pairs, via.scaled(batch.P[row]), u, left, right, self.best, key, self.stop)
            self.evaluated += evaluated
            self.drop(rest)
