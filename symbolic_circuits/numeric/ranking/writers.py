r"""Bounds on a bilinear layer by what writes its inputs: $|B(O_a z, O_b w)_s| \le \sigma_{ab}(s) |z| |w|$ with $O_a$ the map of a head, or a leaf itself.

A head writes into a few dimensions, on which a layer is smaller than on all: $\sigma_{ab}$ is the smallest norm of the three unfoldings of the
layer restricted to both ranges; where x is a leaf at position s it is that of the matrix $W_{out} \operatorname{diag}(W_1 x_s) W_2 O_b$.

| letter | meaning | shape |
| --- | --- | --- |
| O | what a writer maps z to the stream with; None: the stream itself | d x r |
| sizes | bounds on \|z\| by order and position | J x n |
"""

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.spectral import norm_bound, scaled

__all__ = ["RestrictedLayer", "Writer", "by_writers", "convolved", "gated_gain"]

CHUNK = 2**23  # entries of temporary arrays


class Writer(NamedTuple):
    """One way in which a term of a nonterminal is made last."""

    map: np.ndarray | None  # O, (d, r)
    sizes: np.ndarray  # (J, n)
    at: np.ndarray | None = None  # (n, d) where it is a leaf: the vectors themselves; or (1, d), and sizes how long they are


class Side:
    """What one side of a layer reads of its writers: W O scaled, its scale, and its Gram matrix (m, m)."""

    def __init__(self, W: np.ndarray, writers: Sequence[Writer]) -> None:
        self.W, self.writers = W, writers
        found = [scaled(W if writer.map is None else W @ writer.map) for writer in writers]
        self.hidden, self.scale = [H for H, _ in found], np.array([size for _, size in found])
        self.grams = np.stack([H @ H.T for H in self.hidden])
        self.inputs = [None if writer.at is None else scaled(writer.at @ W.T) for writer in writers]  # (n, m), or (1, m)
        self.at_input = [k for k, found in enumerate(self.inputs) if found is not None]
        self.maps = [k for k, found in enumerate(self.inputs) if found is None]

    @property
    def chunks(self) -> list[list[int]]:
        """The writers that are maps, in parts whose Gram matrices are no large array together."""
        size = max(1, CHUNK // len(self.W) ** 2)
        return [self.maps[k : k + size] for k in range(0, len(self.maps), size)]

    @property
    def stacks(self) -> list[tuple[list[int], np.ndarray]]:
        """The writers that are maps of one width, with what the layer reads of them, (writers, m, r)."""
        widths = sorted({self.hidden[k].shape[1] for k in self.maps})
        groups = [[k for k in self.maps if self.hidden[k].shape[1] == width] for width in widths]
        return [(group, np.stack([self.hidden[k] for k in group])) for group in groups]


class RestrictedLayer:
    """A bilinear layer at the terms that some writers write to its left and to its right input.

    Parameters
    ----------
    W_1, W_2 : (m, d)
    W_out : (d, m); None for the identity
    left, right : the writers
    """

    def __init__(
        self, W_1: np.ndarray, W_2: np.ndarray, W_out: np.ndarray | None, left: Sequence[Writer], right: Sequence[Writer]
    ) -> None:
        (W_1, one), (W_2, two), (W_out, out) = scaled(W_1), scaled(W_2), scaled(np.eye(len(W_1)) if W_out is None else W_out)
        self.left, self.right, self.W_out, self.scale = Side(W_1, left), Side(W_2, right), W_out, one * two * out
        self.gram_out = W_out.T @ W_out

    def on_inputs(self, side: Side, i: int, H: np.ndarray) -> np.ndarray:
        r"""Norms of $W_{out} \operatorname{diag}(W x_s) H$ at every position, x the leaf that is writer i of a side, shape (n,) or (1,)."""
        read, size = side.inputs[i]
        step = max(1, CHUNK // (len(self.W_out) * max(H.shape)))
        parts = [norm_bound((self.W_out * read[k : k + step, None]) @ H) for k in range(0, len(read), step)]
        return np.concatenate(parts) * size

    def bounds(self) -> np.ndarray:
        r"""$\sigma_{ab}(s)$ for each pair of writers, (left, right, n)."""
        left, right = self.left, self.right
        found = np.empty((len(left.writers), len(right.writers), left.writers[0].sizes.shape[1]))
        found[:] = (np.sqrt(self.unfolded()) * left.scale[:, None] * right.scale)[:, :, None]
        for i in left.at_input:
            for j, H in enumerate(right.hidden):
                found[i, j] = self.on_inputs(left, i, H) * right.scale[j]
        for j in right.at_input:
            for i, H in enumerate(left.hidden):
                found[i, j] = self.on_inputs(right, j, H) * left.scale[i]
        for i, j in product(left.at_input, right.at_input):
            (x, one), (y, two) = left.inputs[i], right.inputs[j]
            found[i, j] = lengths((x * y) @ self.W_out.T) * one * two
        return found * self.scale

    def unfolded(self) -> np.ndarray:
        """The smallest of the squared norms of the three unfoldings, for all pairs of writers that are maps, (left, right)."""
        left, right = self.left, self.right
        found = np.full((len(left.writers), len(right.writers)), np.inf)
        for j in right.maps:
            for chosen in left.chunks:
                forms = self.W_out @ (left.grams[chosen] * right.grams[j]) @ self.W_out.T
                found[chosen, j] = norm_bound(forms)
        for one, other, table in ((left, right, found), (right, left, found.T)):
            for j in other.maps:
                form = self.gram_out * other.grams[j]
                for chosen, H in one.stacks:
                    table[chosen, j] = np.minimum(table[chosen, j], norm_bound(H.swapaxes(1, 2) @ (form @ H)))
        return found

    def gains(self, side: Side, other: Side) -> np.ndarray:
        r"""g(s) with $|B(x, y)_s| \le g(s) |x_s|$ for every x on one side, and y by a writer of the other, (n,)."""
        W, best = side.W, np.zeros(other.writers[0].sizes.shape[1])
        for j, writer in enumerate(other.writers):
            if other.inputs[j] is not None:
                sigma = self.on_inputs(other, j, W)
            else:
                sigma = norm_bound(W.T @ (self.gram_out * other.grams[j]) @ W) ** 0.5 * other.scale[j]
            best = np.maximum(best, (sigma * self.scale) * writer.sizes.max(axis=0))
        return best

    @staticmethod
    def work(shape: tuple[int, int], left: Sequence[Writer], right: Sequence[Writer]) -> float:
        """Multiplications that the bounds take, for W_1 of a shape (m, d)."""
        m, d = shape
        rows = sum(len(writer.at) for writer in [*left, *right] if writer.at is not None)
        return float(m * m * d * (len(left) * len(right) + 2 * len(left) + 2 * len(right)) + 2.0 * rows * m * d * d)


def by_writers(sigma: np.ndarray, left: Sequence[Writer], right: Sequence[Writer]) -> np.ndarray:
    """The largest bound of each order over all pairs of writers, (J, n); sigma is (left, right, n)."""
    x, y = (np.stack([writer.sizes for writer in side]) for side in (left, right))
    out = np.zeros(x.shape[1:])
    for i in np.flatnonzero(x.any(axis=(0, 2))):
        scaled = sigma * x[:, None, i]
        for j in np.flatnonzero(y.any(axis=(0, 2))):
            k = min(int(i) + int(j) + 1, len(out) - 1)
            np.maximum(out[k], (scaled * y[None, :, j]).max(axis=(0, 1)), out=out[k])
    return out


def convolved(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The largest product of bounds (J, n) for each order of a pair."""
    out = np.zeros_like(left)
    for i, x in enumerate(left):
        if x.any():
            for j, y in enumerate(right):
                k = min(i + j + 1, len(out) - 1)
                np.maximum(out[k], x * y, out=out[k])
    return out


def gated_gain(gates: np.ndarray, W_2: np.ndarray, W_out: np.ndarray | None) -> np.ndarray:
    r"""A bound on $\|W_{out} \operatorname{diag}(g_s) W_2\|$ at every position, (n,)."""
    return np.abs(gates).max(axis=1) * float(norm_bound(W_2) * (1.0 if W_out is None else norm_bound(W_out)))
