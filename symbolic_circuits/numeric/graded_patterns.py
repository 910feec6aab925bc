r"""Heads without softmax at graded streams: $S_k = \sum_{i+j=k} q_i k_j^T$, masked, then $\sum_{i+j=k} S_i v_j$; by height with max(i, j).

| letter | meaning | shape |
| --- | --- | --- |
| q_i, k_j, v_j | queries, keys and values of the terms of a grade | heads x n x e |
| S_k | patterns: a product of two such series for bilinear scores | heads x n x n |

Heads of a block that read the same series are multiplied together, as many at a time as keep to CHUNK.
"""

from collections.abc import Sequence

import numpy as np
from array_api_compat import device

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric import graded_series
from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_products import matrices_by_height, matrices_by_sum, product_by_height, product_by_sum
from symbolic_circuits.numeric.grade_ranges import HEIGHT
from symbolic_circuits.numeric.graded_series import Graded, cut_inputs, heads_of, span
from symbolic_circuits.numeric.scores import rotated

__all__ = ["PolynomialHeads"]


class PolynomialHeads:
    """Heads of one block at their inputs: query, key and value; or two queries, two keys and a value."""

    def __init__(self, frozen: Frozen, by: str, components: Sequence[Component]) -> None:
        self.frozen, self.by, self.layer = frozen, by, components[0].layer
        self.chosen, self.slots = [component.head for component in components], components[0].slots

    def at(self, inputs: Sequence[Graded], limit: int | None) -> Graded:
        """The sum of the heads, grades below ``limit``; the step of the heads themselves is not counted."""
        inputs = cut_inputs(self.by, inputs, limit)
        first, stop = span(self.by, [(x.first, x.stop) for x in inputs], limit)
        if stop <= first or any(x.is_empty for x in inputs):
            return Graded(first, inputs[0].array[:, :0])
        n, itemsize = self.frozen.positions, inputs[0].array.dtype.itemsize
        size = max(1, graded_series.CHUNK // (n * n * (stop - first) * itemsize))
        parts = [self.some(self.chosen[k : k + size], inputs, (first, stop)) for k in range(0, len(self.chosen), size)]
        return Graded(first, self.frozen.reduce(sum(parts[1:], parts[0])))

    def some(self, chosen: Sequence[int], inputs: Sequence[Graded], grades: tuple[int, int]) -> np.ndarray:
        """Some of the heads, (n, grades, width)."""
        library, value = library_of(inputs[0].array), inputs[-1]
        limit = grades[1] if self.by == HEIGHT else grades[1] - value.first
        start, S = self.patterns(chosen, inputs[:-1], limit)
        out = self.matrices(start, S, value.first, self.read(chosen, "V", value), grades)
        h, n, g, e = out.shape
        rows = library.permute_dims(out, (1, 2, 0, 3)).reshape(n * g, h * e)
        W_O = heads_of(self.frozen.arrays[f"attn.{self.layer}.W_O"], chosen)
        width = W_O.shape[1]
        return self.frozen.reduce(rows @ library.permute_dims(W_O, (1, 0, 2)).reshape(width, h * e).T).reshape(n, g, width)

    def patterns(self, chosen: Sequence[int], inputs: Sequence[Graded], limit: int) -> tuple[int, np.ndarray]:
        """First grade and series (heads, n, grades, n) of the masked patterns, grades below ``limit``."""
        return self.masked(*self.products(chosen, inputs, limit))

    def before_mask(self, inputs: Sequence[Graded], limit: int | None) -> Graded:
        """The scores of the first head, grades below ``limit``."""
        inputs = cut_inputs(self.by, inputs, limit)
        first, stop = span(self.by, [(x.first, x.stop) for x in inputs], limit)
        if stop <= first or any(x.is_empty for x in inputs):
            library, x = library_of(inputs[0].array), inputs[0].array
            return Graded(first, library.zeros((len(x), 0, len(x)), dtype=x.dtype, device=device(x)))
        return Graded(first, self.products(self.chosen[:1], inputs, stop)[1][0])

    def products(self, chosen: Sequence[int], inputs: Sequence[Graded], limit: int) -> tuple[int, np.ndarray]:
        """The same before the mask."""
        letters = (("Q", "K"),) if len(inputs) == 2 else (("Q1", "K1"), ("Q2", "K2"))
        pairs = list(zip(letters, inputs[::2], inputs[1::2], strict=True))
        starts = [span(self.by, [(x.first, x.stop), (y.first, y.stop)])[0] for _, x, y in pairs]
        found = []
        for place, (names, x, y) in enumerate(pairs):
            others = 0 if self.by == HEIGHT else sum(starts) - starts[place]
            found.append(self.scores(chosen, names, x, y, limit - others))
        if len(found) == 1:
            return found[0]
        (a, S), (b, T) = found
        first, stop = span(self.by, [(a, a + S.shape[2]), (b, b + T.shape[2])], limit)
        h, n = S.shape[:2]
        S, T = (part.reshape(h * n, part.shape[2], n) for part in (S, T))
        if self.by == HEIGHT:
            out = product_by_height(S, a, T, b, first, stop - first, self.frozen.modulus)
        else:
            out = product_by_sum(S, T, stop - first, self.frozen.modulus)
        return first, out.reshape(h, n, stop - first, n)

    def scores(self, chosen: Sequence[int], letters: tuple[str, str], x: Graded, y: Graded, limit: int) -> tuple[int, np.ndarray]:
        """First grade and series of products of queries and keys."""
        library = library_of(x.array)
        queries, keys = (self.read(chosen, letter, series) for letter, series in zip(letters, (x, y), strict=True))
        grades = span(self.by, [(x.first, x.stop), (y.first, y.stop)], limit)
        queries, keys = library.permute_dims(queries, (0, 2, 1, 3)), library.matrix_transpose(keys)
        return grades[0], self.matrices(x.first, queries, y.first, keys, grades)

    def read(self, chosen: Sequence[int], letter: str, x: Graded) -> np.ndarray:
        """Queries, keys or values (heads, grades, n, e); queries and keys are rotated, and queries carry the factor f."""
        W = heads_of(self.frozen.arrays[f"attn.{self.layer}.W_{letter}"], chosen)
        (n, g, d), (h, e) = x.array.shape, W.shape[:2]
        found = self.frozen.reduce(x.array.reshape(n * g, d) @ W.reshape(h * e, d).T).reshape(n, g, h, e)
        found = library_of(found).permute_dims(found, (2, 1, 0, 3))
        if letter == "V":
            return found
        found = rotated(self.frozen, found)
        return self.frozen.reduce(found * self.frozen.factor(self.layer)) if letter.startswith("Q") else found

    def matrices(self, a: int, x: np.ndarray, b: int, y: np.ndarray, grades: tuple[int, int]) -> np.ndarray:
        """The product of series of matrices that begin with the grades a and b."""
        first, length = grades[0], grades[1] - grades[0]
        if self.by == HEIGHT:
            return matrices_by_height(x, a, y, b, first, length, self.frozen.modulus)
        return matrices_by_sum(x, y, length, self.frozen.modulus)

    def masked(self, first: int, S: np.ndarray) -> tuple[int, np.ndarray]:
        """Zero where the source comes after the destination."""
        library = library_of(S)
        earlier = library.tril(library.ones((S.shape[1], S.shape[3]), dtype=S.dtype, device=device(S)))
        return first, S * earlier[:, None, :]
