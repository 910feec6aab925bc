r"""How far rounding may move the sum of all terms, and all terms together: a bound carried along with the forward pass.

| letter | meaning | shape |
| --- | --- | --- |
| x, e | the sum of the terms, and a bound on its rounding error | n x d, n |
| S, E | bounds on the sum of the norms of the terms, and on the sum of their rounding errors, computed one by one | n |

A head takes e to $\|W_{OV}\| \, |A| e$ and adds what its own products round; terms that cancel are large in S, not in x. What is linear in
each of several inputs takes errors to the sum over inputs of the bound at the error of one and the sizes of the others: of a head without
softmax the bound is $f \|W_Q\| \|W_K\| \|W_{OV}\| \, |q_s| \sum_{t \le s} |k_t| |v_t|$.
All to first order in epsilon.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.spectral import bilinear_bound, norm_bound
from symbolic_circuits.numeric.streams import Streams

__all__ = ["Errors", "RunningErrors"]

Bound: TypeAlias = Callable[[np.ndarray], np.ndarray]  # of sizes at all positions


class Errors(NamedTuple):
    """A sum of terms with its errors."""

    x: np.ndarray  # (n, d)
    e: np.ndarray  # (n,)
    S: np.ndarray  # (n,)
    E: np.ndarray  # (n,)


class RunningErrors(Algebra[Errors]):
    """Streams with bounds on their rounding errors.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> found = sc.path_expansion(frozen.model).interpret(RunningErrors(frozen))
    >>> bool((found.e > 0).all()), bool((found.E > found.e).all())
    (True, True)
    """

    def __init__(self, frozen: Frozen) -> None:
        self.frozen, self.streams = frozen, Streams(frozen)
        self.epsilon = float(np.finfo(frozen.x0.dtype).eps if frozen.x0.dtype.kind == "f" else 2**-52)

    def input(self, component: Component) -> Errors:
        x, none = self.streams.input(component), np.zeros(self.frozen.positions)
        return Errors(x, none, lengths(np.asarray(x, dtype=np.float64)), none)

    def head(self, component: Component, x: Errors) -> Errors:
        arrays, h = self.frozen.arrays, component.head
        W_V, W_O = (np.asarray(arrays[f"attn.{component.layer}.W_{letter}"][h], dtype=np.float64) for letter in "VO")
        A, gain = np.abs(self.frozen.patterns[component.layer][h]), float(norm_bound(W_V) * norm_bound(W_O))
        own = self.epsilon * (len(A) + sum(W_V.shape)) * float(lengths(W_V, axes=2) * lengths(W_O, axes=2))
        errors = [A @ (gain * error + own * size) for error, size in ((x.e, self.size(x)), (x.E, x.S))]
        return Errors(self.streams.head(component, x.x), errors[0], gain * (A @ x.S), errors[1])

    def bilinear(self, component: Component, x: Errors, y: Errors) -> Errors:
        name, arrays = f"bilinear.{component.layer}", self.frozen.arrays
        W_1, W_2, W_out = (
            None if array is None else np.asarray(array, dtype=np.float64)
            for array in (arrays[f"{name}.W_1"], arrays[f"{name}.W_{1 if component.is_tied else 2}"], arrays.get(f"{name}.W_out"))
        )
        sigma = bilinear_bound(W_1, W_2, W_out)
        norm = float(lengths(W_1).max() * lengths(W_2, axes=2) * (1.0 if W_out is None else lengths(W_out, axes=2)))
        own, a, b = self.epsilon * (len(W_1) + 2 * W_1.shape[1]) * norm, self.size(x), self.size(y)
        return Errors(
            self.streams.bilinear(component, x.x, y.x),
            (sigma * a) * y.e + (sigma * b) * x.e + own * a * b,
            sigma * x.S * y.S,
            (sigma * x.S) * y.E + (sigma * y.S) * x.E + own * x.S * y.S,
        )

    def norm(self, component: Component, x: Errors) -> Errors:
        w = np.asarray(self.frozen.arrays[f"norm.{component.layer}.w"], dtype=np.float64)
        gain = np.asarray(self.frozen.scales[component.layer], dtype=np.float64) * float(np.abs(w).max())
        own = self.epsilon * (3 if self.frozen.model.norm == "rms" else 4 + len(w)) * gain
        return self.linear(self.streams.norm(component, x.x), x, lambda size: gain * size, lambda size: own * size)

    def gated(self, component: Component, x: Errors) -> Errors:
        """W_out(G . (W_2 x)), with the largest gate of each position."""
        name, arrays = f"bilinear.{component.layer}", self.frozen.arrays
        W_2 = np.asarray(arrays[f"{name}.W_2"], dtype=np.float64)
        gates = np.abs(np.asarray(self.streams.gates(component), dtype=np.float64)).max(axis=1)
        norm, length = float(norm_bound(W_2)), float(lengths(W_2, axes=2))
        if f"{name}.W_out" in arrays:
            W_out = np.asarray(arrays[f"{name}.W_out"], dtype=np.float64)
            norm, length = norm * float(norm_bound(W_out)), length * float(lengths(W_out, axes=2))
        own = self.epsilon * (sum(W_2.shape) + 1) * length
        value = self.streams.gated(component, x.x)
        return self.linear(value, x, lambda size: norm * gates * size, lambda size: own * gates * size)

    def linear(self, value: np.ndarray, x: Errors, bound: Bound, own: Bound) -> Errors:
        """What a linear map makes of a sum, given bounds on its value and on what it rounds at an input of some size."""
        e, E = (bound(error) + own(size) for error, size in ((x.e, self.size(x)), (x.E, x.S)))
        return Errors(value, e, bound(x.S), E)

    def attention(self, component: Component, inputs: Sequence[Errors]) -> Errors:
        """A head whose pattern is a product of its inputs, zero where the source comes later."""
        norm, own = self.bounds_of_head(component)

        def bound(sizes: Sequence[np.ndarray]) -> np.ndarray:
            """|q_s| sum_t |k_t| |v_t|, or with two queries and keys."""
            *pairs, value = sizes
            return np.prod(pairs[::2], axis=0) * np.cumsum(np.prod(pairs[1::2], axis=0) * value)

        def error(sizes: Sequence[np.ndarray], errors: Sequence[np.ndarray]) -> np.ndarray:
            parts = [bound([*sizes[:k], found, *sizes[k + 1 :]]) for k, found in enumerate(errors)]
            return norm * sum(parts) + own * bound(sizes)

        sizes, largest = [self.size(x) for x in inputs], [x.S for x in inputs]
        value = self.streams.attention(component, [x.x for x in inputs])
        return Errors(value, error(sizes, [x.e for x in inputs]), norm * bound(largest), error(largest, [x.E for x in inputs]))

    def bounds_of_head(self, component: Component) -> tuple[float, float]:
        """What the norms of queries, keys and values are multiplied by at most, in a head's value and in what it rounds."""
        pairs = {"linear": 1, "bilinear": 2}[component.spec.scores]
        norm = own = abs(float(self.frozen.factor(component.layer))) ** pairs
        letters = ["V", "O", *(("Q", "K") if pairs == 1 else ("Q1", "K1", "Q2", "K2"))]
        matrices = [
            np.asarray(self.frozen.arrays[f"attn.{component.layer}.W_{k}"][component.head], dtype=np.float64) for k in letters
        ]
        for W in matrices:
            norm, own = norm * float(norm_bound(W)), own * float(lengths(W, axes=2))
        e = len(matrices[0])
        rounded = self.frozen.positions + sum(W.shape[1] for W in matrices) + pairs * (e + 1) + 1
        if self.frozen.turned is not None:  # of absolute values a rotation is at most sqrt(2), of queries and of keys
            own, rounded = own * 2**pairs, rounded + 4 * pairs
        return norm, self.epsilon * rounded * own

    def add(self, values: Sequence[Errors]) -> Errors:
        x = self.streams.add([value.x for value in values])
        e, S, E = (sum(getattr(value, name) for value in values) for name in "eSE")
        return Errors(x, e + self.epsilon * len(values) * sum(map(self.size, values)), S, E)

    def scale(self, factor: int, x: Errors) -> Errors:
        return Errors(factor * x.x, *(abs(factor) * part for part in x[1:]))

    def size(self, x: Errors) -> np.ndarray:
        """|x| at every position."""
        return lengths(np.asarray(x.x, dtype=np.float64))
