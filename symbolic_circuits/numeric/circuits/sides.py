r"""What a component writes and reads, as a factor F (r x d) for each: its Gram matrix over the stream's axis is $G = F^T F$ (d x d).

A component that reads through R and one that writes through W compose to $\|R W\|^2 = \operatorname{tr} G_R G_W = \|F_R F_W^T\|^2$, whatever
other axes R and W have. So every score of composition is a norm of products of these factors, here of heads; those of bilinear
layers are in :mod:`symbolic_circuits.numeric.circuits.bilinear_sides`.

| | the matrix | read or written through | its F |
| --- | --- | --- | --- |
| value | $W_O W_V$ | $W_V$ | $R(W_O) W_V$ |
| key | $W_Q^T W_K$ | $W_K$ | $R(W_Q^T) W_K$ |
| query | $W_K^T W_Q$ | $W_Q$ | $R(W_K^T) W_Q$ |
| written | $W_O W_V$ | $W_O$ | $R(W_V^T) W_O^T$ |
| gate, linear | $W_1$, $W_2$ of a layer with a gate | the same | $W_1$, $W_2$ |
| written | $W_{out}$ of a layer with a gate | $W_{out}$ | $W_{out}^T$ |
| embed, position | $W_E$, $W_{pos}^T$ | the same | $R(W_E^T)$, $R(W_{pos})$ |
| unembed | $W_U$ | $W_U$ | $R(W_U)$ |

R(M) is the triangle of $M = Q R$: the rest of the matrix up to orthonormal columns, which no norm sees. Where scores are products of two,
(q1.k1)(q2.k2), a head has two queries and two keys. A layer with a gate has no tensor that weights know, so that its scores are those of
the matrices themselves: how much its gate or its other side reads of a component, and how much is read of all it can write.
"""

from typing import NamedTuple

import numpy as np

from symbolic_circuits.numeric.circuits.components import BilinearArrays, HeadArrays

__all__ = ["RESOLUTION", "GatedSides", "HeadSides", "Side", "at_unit_norm", "at_unit_size", "side_of"]

RESOLUTION = 1e-13  # a smaller norm, of what has norm one before it cancels, is rounding


class Side(NamedTuple):
    """Factors of several components, or several inputs of one."""

    names: tuple[str, ...]  # "attn.0[1]" where written, "attn.0[1].key" where read
    factors: np.ndarray  # (names, r, d), each of norm one; nan where the component vanishes

    def spreads(self) -> np.ndarray:
        r"""$\|G\|_F^2$ of every factor, shape (names,): 1 where G has rank one, 1/d where it is a multiple of the identity."""
        F = self.factors
        across = F.transpose(0, 2, 1)
        grams = F @ across if F.shape[1] <= F.shape[2] else across @ F
        return np.einsum("abc,abc->a", grams, grams)


class HeadSides:
    """What the heads of a block read and write; of one pair of queries and keys, or of two."""

    def __init__(self, name: str, *pairs: HeadArrays) -> None:
        self.name = name
        self.pairs = [HeadArrays(*map(at_unit_size, arrays)) for arrays in pairs]

    def readers(self) -> Side:
        """The queries, keys and values of every head."""
        factors, ports = [], []
        for k, (W_Q, W_K, _, _) in enumerate(self.pairs, 1):
            factors += [unit_factor(across(W_K), W_Q), unit_factor(across(W_Q), W_K)]
            ports += [f"{port}{k if len(self.pairs) > 1 else ''}" for port in ("query", "key")]
        _, _, W_V, W_O = self.pairs[0]
        factors.append(unit_factor(W_O, W_V))
        names = tuple(f"{self.name}[{head}].{port}" for head in range(len(W_V)) for port in (*ports, "value"))
        return Side(names, np.stack(factors, axis=1).reshape(len(names), -1, W_V.shape[2]))

    def writers(self) -> Side:
        """The output of every head."""
        _, _, W_V, W_O = self.pairs[0]
        names = tuple(f"{self.name}[{head}]" for head in range(len(W_V)))
        return Side(names, unit_factor(across(W_V), across(W_O)))


class GatedSides:
    """What a layer with a gate reads and writes: its matrices, each by itself."""

    def __init__(self, name: str, arrays: BilinearArrays) -> None:
        self.name, self.arrays = name, BilinearArrays(*map(at_unit_size, arrays))

    def readers(self) -> Side:
        """The gate and the linear side."""
        factors = np.stack([triangle(self.arrays.W_1), triangle(self.arrays.W_2)])
        return Side((f"{self.name}.gate", f"{self.name}.linear"), at_unit_norm(factors, np.zeros(2)))

    def writers(self) -> Side:
        """All that the layer can write."""
        return side_of(self.name, self.arrays.W_out.T)


def side_of(name: str, rows: np.ndarray) -> Side:
    """One component that reads, or writes, through a matrix (rows, d)."""
    return Side((name,), at_unit_norm(triangle(at_unit_size(rows))[None], np.zeros(1)))


def triangle(rows: np.ndarray) -> np.ndarray:
    """R of M = Q R where that is smaller than M (rows, d)."""
    return np.linalg.qr(rows, mode="r") if len(rows) > rows.shape[1] else rows


def across(stack: np.ndarray) -> np.ndarray:
    """The transpose of every matrix of a stack."""
    return stack.transpose(0, 2, 1)


def unit_factor(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """R(M) W at norm one, for every M (d, e) and W (e, d) of two stacks; nan where M W vanishes."""
    triangle = np.linalg.qr(outer, mode="r")
    sizes = np.linalg.norm(triangle, axis=(1, 2)) * np.linalg.norm(inner, axis=(1, 2))
    return at_unit_norm(triangle @ inner, RESOLUTION * sizes)


def at_unit_size(stack: np.ndarray) -> np.ndarray:
    """Matrices (..., a, b) in double precision, each divided by its largest entry: products of small sizes are to be numbers."""
    stack = stack.astype(np.float64, copy=False)
    size = np.abs(stack).max(axis=(-2, -1), keepdims=True, initial=0.0)
    return stack / np.where(size > 0, size, 1)


def at_unit_norm(stack: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Matrices (s, a, b), each divided by its norm; nan where that is no more than rounding leaves of nothing, ``least`` (s,)."""
    norms = np.linalg.norm(stack, axis=(1, 2))
    return stack / np.where(norms > least, norms, np.nan)[:, None, None]
