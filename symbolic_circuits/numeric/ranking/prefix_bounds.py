r"""Bounds on what a head, or a layer, can read: $\beta^h_j(s) \ge |W_V^h x_s|$ for every term x of order j that head h reads.

Terms of one or two heads are computed, all others bounded step by step: with $M = W_V^h W_O^{h'}$ between two heads,
$\beta^h_j(s) \le \max_{h'} \|M_{h h'}\| \sum_t A^{h'}_{st} \beta^{h'}_{j-1}(t)$, and over two steps with $\|M_{h h'} M_{h' h''}\|$, which is
smaller than the product of the norms. Of a bilinear layer $|B(x, y)_s| \le \sigma |x_s| |y_s|$, or all pairs where they are few.

| letter | meaning | shape |
| --- | --- | --- |
| beta | of a family of heads | H x J x n |
| nu | $\nu_j(s) \ge |x_s|$ for the terms x of order j of a nonterminal | J x n |
| err | bound on the rounding error of any computed stream of a nonterminal, first order in epsilon | n |

J is one more than the largest order, or a limit: then the last row is for all orders from there on.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from symbolic_circuits.numeric.ranking.chains import Chains, HeadFamily, PairFamily
from symbolic_circuits.numeric.ranking.lengths import finite, lengths
from symbolic_circuits.numeric.ranking.pair_outputs import PairOutputs
from symbolic_circuits.numeric.ranking.rounding_bounds import epsilon_of, head_errors, norm_errors, product_errors
from symbolic_circuits.numeric.ranking.spectral import bilinear_bound, norm_bound
from symbolic_circuits.numeric.ranking.term_lists import TermList
from symbolic_circuits.numeric.ranking.through import Through
from symbolic_circuits.numeric.ranking.virtual import VirtualWeights
from symbolic_circuits.numeric.ranking.writers import RestrictedLayer, Writer, by_writers, convolved, gated_gain

__all__ = ["MAX_WORK", "PrefixBounds"]

MAX_WORK = 2e10  # multiplications for each kind of table; beyond it the next cheaper one serves
MAX_ENTRIES = 2**25  # of one table
MAX_ORDER = 24  # orders from here on share a row


class Side(NamedTuple):
    """The terms that a layer reads on one side."""

    nu: np.ndarray  # (J, n)
    err: np.ndarray  # (n,)
    writers: list[Writer]


class PrefixBounds:
    """beta of every family of heads, nu and err of every nonterminal."""

    def __init__(
        self,
        chains: Chains,
        lists: Mapping[int, TermList],
        outputs: Mapping[int, PairOutputs],
        largest_order: int,
        work: float = MAX_WORK,
    ) -> None:
        self.chains, self.lists, self.outputs = chains, lists, outputs
        self.virtual = VirtualWeights(chains)
        self.J, self.is_capped = min(largest_order, MAX_ORDER) + 1, largest_order > MAX_ORDER
        self.left = dict.fromkeys(("first", "second", "steps", "pairs"), work)  # multiplications left, by kind of table
        self.n = chains.frozen.positions
        self.beta: list[np.ndarray] = []
        self.direct: list[np.ndarray] = []  # the part of beta of terms whose last component is no head
        self.first: list[list[np.ndarray]] = []  # (H, n, r) what heads make of each leaf
        self.norms: list[np.ndarray] = []  # of pair families, (J, n)
        self.sigma: list[float] = []
        self.gains: list[tuple[np.ndarray, np.ndarray]] = []  # |B(x, y)_s| <= gain(s) |x_s|, and the same for y, (n,) each
        self.pair_errors: list[np.ndarray] = []
        self.nu: list[np.ndarray] = []
        self.err: list[np.ndarray] = []
        for k in range(len(chains.readings)):
            self.add(k)
        for tables in (self.beta, self.norms, self.nu, self.err, self.sigma):
            for table in tables:
                finite(table)

    def add(self, k: int) -> None:
        """The tables of a nonterminal and of its own families."""
        for family in self.chains.heads[len(self.beta) :]:
            if family.nonterminal != k:
                break
            self.add_heads(family)
        for family in self.chains.pairs[len(self.norms) :]:
            if family.nonterminal != k:
                break
            self.add_pairs(family)
        self.nu.append(self.norms_of(k))
        self.err.append(self.errors_of(k))

    def afford(self, kind: str, work: float) -> bool:
        """Whether so many multiplications are left for a kind of table; they are then spent."""
        if work > self.left[kind]:
            return False
        self.left[kind] -= work
        return True

    def later(self, bounds: np.ndarray) -> np.ndarray:
        """Bounds by order (..., J, n), one component later."""
        out = np.zeros_like(bounds)
        out[..., 1:, :] = bounds[..., :-1, :]
        if self.is_capped:
            out[..., -1, :] = np.maximum(bounds[..., -2, :], bounds[..., -1, :])
        return out

    # heads

    def add_heads(self, family: HeadFamily) -> None:
        """beta of a family, and what it makes of the leaves."""
        reading = self.chains.readings[family.source]
        direct = np.zeros((len(family.components), self.J, self.n))
        self.first.append([])
        for leaf in reading.leaves:
            read = leaf.values @ family.W_V.swapaxes(1, 2)
            np.maximum(direct[:, 0], lengths(read), out=direct[:, 0])
            self.first[-1].append(family.A @ read)
        for number in reading.pairs:
            np.maximum(direct, self.read_pairs(family, number), out=direct)
        beta = direct.copy()
        for number in reading.heads:
            np.maximum(beta, self.read_heads(family, self.chains.heads[number]), out=beta)
        self.direct.append(direct)
        self.beta.append(beta)

    def read_pairs(self, family: HeadFamily, number: int) -> np.ndarray:
        """Bounds on what heads read of the outputs of a bilinear layer."""
        via = self.chains.readings[family.source].pairs[number]
        W_V = via.turned(family.W_V)
        if number in self.outputs:
            found = self.outputs[number]
            read = [via.sized(lengths(found.values @ W.T), found.at) for W in W_V]
            return np.array([self.by_order(norms, found.orders, found.at) for norms in read])
        return norm_bound(W_V)[:, None, None] * via.sized(self.norms[number])

    def read_heads(self, family: HeadFamily, writer: HeadFamily) -> np.ndarray:
        """Bounds on what heads read of the outputs of other heads, (H, J, n)."""
        M, via = self.virtual.between(family, writer), self.read_by(family, writer)
        (h, g, r, q), n = M.shape, self.n
        one = norm_bound(M)
        bound = one[:, :, None, None] * self.later(self.mixed(writer, self.beta[writer.number]))[None]
        before = [self.chains.heads[k] for k in self.chains.readings[writer.source].heads]
        work = sum(h * g * len(w.components) * (12.0 * r * w.width * max(q, r) + self.J * n) for w in before)
        if before and self.afford("steps", work):
            np.minimum(bound, self.two_steps(M, one, writer, before), out=bound)
        first = self.first[writer.number]
        if not first or self.afford("first", h * g * r * q * n * len(first)):
            bound[:, :, 1] = 0
            for made in first:
                np.maximum(bound[:, :, 1], lengths(made[None] @ M.swapaxes(-1, -2)), out=bound[:, :, 1])
        if self.J > 2:
            self.sharpen_second(bound, M, writer)
        return via.sized(bound.max(axis=1))

    def mixed(self, family: HeadFamily, bounds: np.ndarray) -> np.ndarray:
        """Bounds (H, J, n) carried through the patterns of a family."""
        return bounds @ np.abs(family.A).swapaxes(1, 2)

    def read_by(self, reader: HeadFamily, writer: HeadFamily) -> Through:
        """The norms between two families."""
        return self.chains.readings[reader.source].heads[writer.number]

    def two_steps(self, M: np.ndarray, one: np.ndarray, writer: HeadFamily, before: list[HeadFamily]) -> np.ndarray:
        """Bounds (H, H', J, n) with the norms of products of two virtual weights."""
        bound = one[:, :, None, None] * self.later(self.mixed(writer, self.direct[writer.number]))[None]
        for family in before:
            norms = norm_bound(M[:, :, None] @ self.virtual.between(writer, family)[None])  # (H, H', H'')
            inner = self.later(self.later(self.mixed(family, self.beta[family.number])))
            inner = self.read_by(writer, family).sized(inner)
            across = inner[None] @ np.abs(writer.A).swapaxes(1, 2)[:, None]  # (H', H'', J, n)
            for h in range(len(bound)):
                np.maximum(bound[h], (norms[h][..., None, None] * across).max(axis=1), out=bound[h])
        return bound

    def sharpen_second(self, bound: np.ndarray, M: np.ndarray, writer: HeadFamily) -> None:
        """Order 2 exactly: what heads write of terms of order 1."""
        reading = self.chains.readings[writer.source]
        parts = [self.virtual.between(writer, self.chains.heads[k]) for k in reading.heads for _ in self.first[k]]
        inputs = [self.scaled(via, first) for k, via in reading.heads.items() for first in self.first[k]]
        found = [(self.outputs.get(k), via) for k, via in reading.pairs.items()]
        if any(outputs is None or len(outputs.at) < self.n for outputs, _ in found):
            return
        h, g, r, q = M.shape
        number = sum(map(len, inputs)) + sum(int((outputs.orders == 1).sum()) for outputs, _ in found)
        if not number:
            bound[:, :, 2] = 0
            return
        if g * number * self.n * q > MAX_ENTRIES or not self.afford("second", h * g * number * self.n * r * q):
            return
        read = [first[None] @ part.swapaxes(-1, -2) for first, part in zip(inputs, parts, strict=True)]
        read += [
            self.scaled(via, outputs.values[outputs.orders == 1][None] @ via.turned(writer.W_V).swapaxes(1, 2)[:, None])
            for outputs, via in found
        ]
        second = writer.A[:, None] @ np.concatenate(read, axis=1)  # (H', terms, n, r')
        for place in range(g):
            flat = second[place].reshape(-1, q) @ M[:, place].transpose(2, 0, 1).reshape(q, h * r)
            norms = lengths(flat.reshape(-1, h, r))
            bound[:, place, 2] = norms.reshape(number, self.n, h).max(axis=0).T

    @staticmethod
    def scaled(via: Through, values: np.ndarray) -> np.ndarray:
        """rho . values, (..., n, r)."""
        return values if via.rho is None else via.rho[:, None] * values

    # bilinear layers and nonterminals

    def add_pairs(self, family: PairFamily) -> None:
        """Bounds on the outputs of a bilinear layer, and on their rounding errors."""
        left, right = self.sides_of(family)
        sigma = family.factor * bilinear_bound(family.W_1, family.W_2, family.W_out)
        if family.number in self.outputs:
            found = self.outputs[family.number]
            norms = self.by_order(lengths(found.values), found.orders, found.at)
        else:
            norms = convolved(sigma * left.nu, right.nu)  # products of two small norms might be zero
        nu_left, nu_right = left.nu.max(axis=0), right.nu.max(axis=0)
        gains = sigma * nu_right, sigma * nu_left
        if family.gates is not None:
            gains = gains[0], np.fmin(gains[1], gated_gain(family.gates, family.W_2, family.W_out))
            np.fmin(norms, self.later(gains[1] * right.nu), out=norms)
        writers = left.writers, right.writers
        if all(writers) and self.afford("pairs", RestrictedLayer.work(family.W_2.shape, *writers)):
            layer = RestrictedLayer(family.W_1, family.W_2, family.W_out, *writers)
            if family.number not in self.outputs:
                np.fmin(norms, family.factor * by_writers(layer.bounds(), *writers), out=norms)
            found = layer.gains(layer.left, layer.right), layer.gains(layer.right, layer.left)
            gains = tuple(np.fmin(known, family.factor * new) for known, new in zip(gains, found, strict=True))
        self.gains.append(gains)
        self.sigma.append(sigma)
        self.norms.append(norms)
        carried = gains[1] * right.err + gains[0] * left.err
        self.pair_errors.append(carried + product_errors(family, nu_left, nu_right))

    def sides_of(self, family: PairFamily) -> tuple[Side, Side]:
        """What is known of the left and of the right inputs of a layer."""
        found = [Side(self.nu[k], self.err[k], self.writers_of(k)) for k in family.inputs]
        if family.gates is not None:
            nu, sizes = np.zeros((2, self.J, self.n))
            nu[0], sizes[0] = lengths(family.gates), 1
            found.insert(0, Side(nu, np.zeros(self.n), [Writer(None, sizes, family.gates)]))
        return tuple(found)

    def writers_of(self, k: int) -> list[Writer]:
        """What makes the terms of a nonterminal last: leaves, heads, bilinear layers."""
        reading, found = self.chains.readings[k], []
        for leaf in reading.leaves:
            sizes = np.zeros((self.J, self.n))
            sizes[0] = 1 if leaf.row is None else np.abs(leaf.sizes)
            found.append(Writer(None, sizes, leaf.values if leaf.row is None else leaf.row))
        for number, via in reading.heads.items():
            family = self.chains.heads[number]
            carried = via.sized(self.later(self.mixed(family, self.beta[number])))
            found += [Writer(W_O, sizes) for W_O, sizes in zip(via.written(family.W_O), carried, strict=True)]
        return found + [Writer(None, via.gain * via.sized(self.norms[number])) for number, via in reading.pairs.items()]

    def by_order(self, norms: np.ndarray, orders: np.ndarray, at: np.ndarray) -> np.ndarray:
        """The largest norm of each order at each position: (N, P) to (J, n)."""
        out = np.zeros((self.J, self.n))
        capped = np.minimum(orders, self.J - 1)
        for order in np.unique(capped):
            out[order, at] = norms[capped == order].max(axis=0)
        return out

    def norms_of(self, k: int) -> np.ndarray:
        """nu of a nonterminal."""
        if k in self.lists:
            found = self.lists[k]
            return self.by_order(lengths(found.values), found.orders, found.at)
        reading, nu = self.chains.readings[k], np.zeros((self.J, self.n))
        for leaf in reading.leaves:
            np.maximum(nu[0], lengths(leaf.values), out=nu[0])
        for number, via in reading.heads.items():
            family = self.chains.heads[number]
            out = norm_bound(via.written(family.W_O))[:, None, None] * self.later(self.mixed(family, self.beta[number]))
            np.maximum(nu, via.sized(out.max(axis=0)), out=nu)
        for number, via in reading.pairs.items():
            np.maximum(nu, via.gain * via.sized(self.norms[number]), out=nu)
        return nu

    def errors_of(self, k: int) -> np.ndarray:
        """err of a nonterminal."""
        err, frozen = np.zeros(self.n), self.chains.frozen
        for production in self.chains.grammar.nonterminals[k]:
            component = production.component
            if component is None:
                np.maximum(err, self.err[production.inputs[0]], out=err)
            elif component.kind == "norm":
                (source,) = production.inputs
                np.maximum(err, norm_errors(frozen, component.layer, self.nu[source].max(axis=0), self.err[source]), out=err)
            elif component.kind == "bias":
                np.maximum(err, epsilon_of(frozen) * lengths(frozen.leaf(component)), out=err)
        for family in self.chains.heads:
            if family.nonterminal == k:
                nu = self.nu[family.source].max(axis=0)
                np.maximum(err, head_errors(frozen, family, nu, self.err[family.source]), out=err)
        for family in self.chains.pairs:
            if family.nonterminal == k:
                np.maximum(err, self.pair_errors[family.number], out=err)
        return err
