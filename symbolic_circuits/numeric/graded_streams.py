r"""Streams graded by z as an algebra: $x = \sum_k z^k x_k$, heads act on every $x_k$, bilinear layers multiply the series.

| letter | meaning | shape |
| --- | --- | --- |
| n, d, m | positions, residual width, hidden width | sizes |
| x_k | sum of the terms of grade k | n x d |
| W_1, W_2, W_out | bilinear layer | m x d, m x d, d x m |

$W_1 x_i$ and $W_2 y_j$ are computed once a grade, multiplied in pairs at width m, and $W_{out}$ is applied once a grade of the result. A
series is one array (n, grades, d): all grades pass a weight matrix, and a pattern, in one matrix product. Arrays are NumPy's, or
tensors where the frozen weights are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from array_api_compat import device

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra, interpret_grammar
from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_products import product_by_height, product_by_sum
from symbolic_circuits.numeric.grade_ranges import HEIGHT, GradeRanges, step_of
from symbolic_circuits.numeric.matching import require_match

__all__ = ["Graded", "GradedStreams", "graded_streams"]

CHUNK = 2**24  # bytes of hidden activations that a bilinear layer holds at a time


@dataclass(frozen=True, slots=True, eq=False)
class Graded:
    """A series: the sums of the terms of consecutive grades."""

    first: int  # grade of array[:, 0]
    array: np.ndarray  # (n, grades, d)

    @property
    def stop(self) -> int:
        """One more than the last grade."""
        return self.first + self.array.shape[1]

    def below(self, stop: int) -> "Graded":
        """The grades below ``stop``."""
        return self if self.stop <= stop else Graded(self.first, self.array[:, : max(0, stop - self.first)])


@dataclass(frozen=True, slots=True, eq=False)
class Summand:
    """What a component makes of its inputs, computed when it is added: all heads of a block that read one series are one product."""

    component: Component
    inputs: tuple[Graded, ...]


Value: TypeAlias = Graded | Summand


class GradedStreams(Algebra[Value]):
    """Streams by grade, up to a grade; interpreting an expansion in it gives the sums of the terms of each grade.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> sc.interpret(sc.path_expansion(frozen.model), GradedStreams(frozen, "order")).array.shape
    (3, 4, 64)
    """

    def __init__(
        self, frozen: Frozen, by: str, up_to: int | None = None, done: Callable[[Graded], None] = lambda value: None
    ) -> None:
        step_of(by, "input")  # an error where there is no such grading
        self.frozen, self.by, self.up_to, self.done = frozen, by, up_to, done
        self.dtype, self.library = dtype_of(frozen), library_of(frozen.x0)

    def cut(self, x: Graded, step: int = 0) -> Graded:
        """The grades that still count after a step."""
        return x if self.up_to is None else x.below(self.up_to - step + 1)

    def zero(self, component: Component) -> Graded:
        return self.total([])

    def input(self, component: Component) -> Graded:
        return self.cut(Graded(step_of(self.by, "input"), self.library.astype(self.frozen.x0[:, None, :], self.dtype)))

    def head(self, component: Component, x: Value) -> Summand:
        return Summand(component, (self.value(x),))

    def bilinear(self, component: Component, x: Value, y: Value) -> Summand:
        return Summand(component, (self.value(x), self.value(y)))

    def scale(self, factor: int, x: Value) -> Graded:
        series = self.value(x)
        return Graded(series.first, self.frozen.reduce(factor * series.array))

    def value(self, x: Value) -> Graded:
        """The series of a summand."""
        if isinstance(x, Graded):
            return x
        return self.attention([x]) if x.component.kind == "attn" else self.layer(x)

    def add(self, values: Sequence[Value]) -> Graded:
        blocks: dict[tuple[int, int, int | None], list[Summand]] = {}
        parts: list[Graded] = []
        for value in values:
            if isinstance(value, Summand) and value.component.kind == "attn":
                alone = None if self.frozen.modulus is None else value.component.head  # residues: one head's sums fit an integer
                blocks.setdefault((value.component.layer, id(value.inputs[0]), alone), []).append(value)
            else:
                parts.append(self.value(value))
        total = self.total([part for part in [*parts, *map(self.attention, blocks.values())] if part.array.shape[1]])
        self.done(total)
        return total

    def total(self, parts: Sequence[Graded]) -> Graded:
        """The sum of series, which may begin and end anywhere."""
        x0 = self.frozen.x0
        if len(parts) == 1:
            return parts[0]
        first = min((part.first for part in parts), default=0)
        length = max((part.stop for part in parts), default=0) - first
        out = self.library.zeros((len(x0), length, x0.shape[1]), dtype=self.dtype, device=device(x0))
        for part in parts:
            out[:, part.first - first : part.stop - first] += part.array
        return Graded(first, self.frozen.reduce(out))

    def attention(self, summands: Sequence[Summand]) -> Graded:
        """The sum of heads of one block at one series: sum_h A^h x_k (W_O^h W_V^h)^T for all k."""
        component, reduce, turned = summands[0].component, self.frozen.reduce, self.library.permute_dims
        step = step_of(self.by, "attn")
        x = self.cut(summands[0].inputs[0], step)
        chosen = [summand.component.head for summand in summands]
        W_V, W_O, A = (
            heads_of(array, chosen)
            for array in (
                self.frozen.arrays[f"attn.{component.layer}.W_V"],
                self.frozen.arrays[f"attn.{component.layer}.W_O"],
                self.frozen.patterns[component.layer],
            )
        )
        (n, g, d), (h, e) = x.array.shape, W_V.shape[:2]
        v = reduce(x.array.reshape(n * g, d) @ W_V.reshape(h * e, d).T)
        mixed = reduce(A @ turned(v.reshape(n, g, h, e), (2, 0, 1, 3)).reshape(h, n, g * e))
        rows = turned(mixed.reshape(h, n, g, e), (1, 2, 0, 3)).reshape(n * g, h * e)
        out = reduce(rows @ turned(W_O, (1, 0, 2)).reshape(d, h * e).T)
        return Graded(x.first + step, out.reshape(n, g, d))

    def layer(self, summand: Summand) -> Graded:
        """A bilinear layer at two series, some positions at a time."""
        component, step = summand.component, step_of(self.by, "bilinear")
        name, arrays, reduce = f"bilinear.{component.layer}", self.frozen.arrays, self.frozen.reduce
        x, y = summand.inputs
        first = max(x.first, y.first) if self.by == HEIGHT else x.first + y.first
        stop = max(x.stop, y.stop) if self.by == HEIGHT else x.stop + y.stop - 1
        stop = stop if self.up_to is None else min(stop, self.up_to - step + 1)
        if stop <= first or not x.array.shape[1] or not y.array.shape[1]:
            return Graded(first + step, x.array[:, :0])
        x = x.below(stop if self.by == HEIGHT else stop - y.first)
        y = x if summand.inputs[0] is summand.inputs[1] else y.below(stop if self.by == HEIGHT else stop - x.first)
        W_1, W_out = arrays[f"{name}.W_1"], arrays.get(f"{name}.W_out")
        W_2 = W_1 if component.is_tied else arrays[f"{name}.W_2"]
        size = (len(x.array), stop - first, x.array.shape[2])
        out = self.library.empty(size, dtype=self.dtype, device=device(x.array))
        for rows in pieces(len(out), (stop - first) * len(W_1) * out.itemsize):
            left = reduce(by_rows(x.array[rows], W_1))
            right = left if x is y and W_1 is W_2 else reduce(by_rows(y.array[rows], W_2))
            if self.by == HEIGHT:
                hidden = product_by_height(left, x.first, right, y.first, first, stop - first, self.frozen.modulus)
            else:
                hidden = product_by_sum(left, right, stop - first, self.frozen.modulus)
            out[rows] = hidden if W_out is None else reduce(by_rows(hidden, W_out))
        return Graded(first + step, out)


def dtype_of(frozen: Frozen) -> np.dtype:
    """The type that everything is computed in: floating point, or integers modulo a prime."""
    library = library_of(frozen.x0)
    least = [] if frozen.modulus is not None else [library.float32]
    return library.result_type(frozen.x0, *frozen.arrays.values(), *least)


def heads_of(array: np.ndarray, chosen: Sequence[int]) -> np.ndarray:
    """The members of a family over heads, as they lie where all of them are chosen."""
    return array if chosen == list(range(len(array))) else array[list(chosen)]


def by_rows(array: np.ndarray, W: np.ndarray) -> np.ndarray:
    """W at every vector of an array (n, grades, d), as one product."""
    n, g, d = array.shape
    return (array.reshape(n * g, d) @ W.T).reshape(n, g, len(W))


def pieces(n: int, bytes_each: int) -> list[slice]:
    """Positions in pieces that keep to CHUNK, a piece being one position at least."""
    size = max(1, CHUNK // max(1, bytes_each))
    return [slice(start, start + size) for start in range(0, n, size)]


def graded_streams(
    expansion: PathExpansion,
    frozen: Frozen,
    by: str = "order",
    *,
    up_to: int | None = None,
    max_bytes: int = MAX_BYTES,
    progress: Callable[[int, int], None] | None = None,
) -> Graded:
    """The sum of all terms of each grade at a frozen model, in floating point or modulo its prime; shape (n, grades, d).

    The series is a tensor on their device where the frozen weights are tensors.

    Parameters
    ----------
    by : "order" (heads and bilinear layers passed), "height" (how deep they are nested), "degree" (copies of the input), "heads"
        or "bilinears"
    up_to : the highest grade wanted; all by default
    max_bytes : limit on the memory for streams
    progress : called with the number of streams done and of all, counted by grade

    Raises
    ------
    BudgetError
        The grades take more memory than the limit; raised before it is spent.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> series = graded_streams(sc.path_expansion(frozen.model), frozen, "degree")
    >>> series.first, series.array.shape
    (1, (3, 2, 64))
    """
    require_match(expansion, frozen.model, frozen.weights, frozen.positions)
    numbers = numbers_of_grades(expansion, by, up_to)
    require_bytes(expansion, frozen, by, numbers, max_bytes)
    total, so_far = sum(numbers), 0

    def done(value: Graded) -> None:
        nonlocal so_far
        so_far += value.array.shape[1]
        if progress is not None:
            progress(so_far, total)

    return interpret_grammar(expansion.grammar, GradedStreams(frozen, by, up_to, done))[-1]


def numbers_of_grades(expansion: PathExpansion, by: str, up_to: int | None) -> list[int]:
    """How many grades each nonterminal has."""
    ranges = interpret_grammar(expansion.grammar, GradeRanges(by))
    highest = [pair and (pair[1] if up_to is None else min(pair[1], up_to)) for pair in ranges]
    return [0 if pair is None else max(0, high - pair[0] + 1) for pair, high in zip(ranges, highest, strict=True)]


def require_bytes(expansion: PathExpansion, frozen: Frozen, by: str, numbers: Sequence[int], max_bytes: int) -> None:
    """Raise BudgetError where the streams by grade, and what the largest block needs beside them, exceed the limit."""
    n, d = frozen.x0.shape
    widest = [d, *(array.shape[0] * array.shape[1] for name, array in frozen.arrays.items() if name.endswith(".W_V"))]
    entries = n * (d * (sum(numbers) + max(numbers)) + 3 * max(widest) * max(numbers))
    needed = entries * dtype_of(frozen).itemsize + 4 * CHUNK
    if needed > max_bytes:
        raise BudgetError(
            f"{in_words(max(numbers))} grades by {by} of {str(expansion.model)!r} at {n} positions take {in_words(needed)} bytes; "
            f"the limit is {max_bytes:,}: ask for fewer grades (up_to), or raise max_bytes"
        )
