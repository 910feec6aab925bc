r"""How far rounding may move the sum of all terms, and all terms together: a bound carried along with the forward pass.

| letter | meaning | shape |
| --- | --- | --- |
| x, e | the sum of the terms, and a bound on its rounding error | n x d, n |
| S, E | bounds on the sum of the norms of the terms, and on the sum of their rounding errors, computed one by one | n |

A head takes e to $\|W_{OV}\| \, |A| e$ and adds what its own products round; terms that cancel are large in S, not in x.
All to first order in epsilon.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.ranking.lengths import lengths
from symbolic_circuits.numeric.ranking.spectral import bilinear_bound, norm_bound
from symbolic_circuits.numeric.streams import Streams

__all__ = ["Errors", "RunningErrors"]


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

    def add(self, values: Sequence[Errors]) -> Errors:
        x = self.streams.add([value.x for value in values])
        e, S, E = (sum(getattr(value, name) for value in values) for name in "eSE")
        return Errors(x, e + self.epsilon * len(values) * sum(map(self.size, values)), S, E)

    def scale(self, factor: int, x: Errors) -> Errors:
        return Errors(factor * x.x, *(abs(factor) * part for part in x[1:]))

    def size(self, x: Errors) -> np.ndarray:
        """|x| at every position."""
        return lengths(np.asarray(x.x, dtype=np.float64))
