r"""Streams graded by z as an algebra: $x = \sum_k z^k x_k$, heads and norms act on every $x_k$, bilinear layers multiply the series.

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
from typing import TypeAlias

from array_api_compat import device

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra, interpret_last
from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.evaluate import MAX_BYTES
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.grade_products import product_by_height, product_by_sum
from symbolic_circuits.numeric.grade_ranges import HEIGHT, step_of
from symbolic_circuits.numeric.graded_budget import dtype_of, numbers_of_grades, require_bytes
from symbolic_circuits.numeric.graded_patterns import PolynomialHeads
from symbolic_circuits.numeric.graded_series import Graded, by_rows, cut_inputs, heads_of, pieces, span
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.summands import Box, Summand, products

__all__ = ["Graded", "GradedStreams", "dtype_of", "graded_streams"]

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
        self.dtype, self.library, self.streams = dtype_of(frozen), library_of(frozen.x0), Streams(frozen)
        self.merges = frozen.model.has_constant  # sums of the stream and the constant are taken before they are multiplied

    def limit(self, step: int = 0) -> int | None:
        """The end of the grades that still count after a step."""
        return None if self.up_to is None else self.up_to - step + 1

    def cut(self, x: Graded, step: int = 0) -> Graded:
        """The grades that still count after a step."""
        return x if self.up_to is None else x.below(self.limit(step))

    def zero(self, component: Component) -> Graded:
        return self.total([])

    def input(self, component: Component) -> Graded:
        leaf = self.library.astype(self.frozen.leaf(component)[:, None, :], self.dtype)
        return self.cut(Graded(step_of(self.by, component.kind), leaf))

    def norm(self, component: Component, x: Value) -> Graded:
        series, scales = self.value(x), self.frozen.scales[component.layer]
        found = self.frozen.gained(component.layer, series.array) * self.library.astype(scales, self.dtype)[:, None, None]
        return Graded(series.first, self.frozen.reduce(found))

    def head(self, component: Component, x: Value) -> Summand:
        return Summand(component, (self.value(x),))

    gated = head

    def bilinear(self, component: Component, x: Value, y: Value) -> Summand:
        return Summand(component, (self.value(x), self.value(y)))

    def attention(self, component: Component, inputs: Sequence[Value]) -> Summand:
        return Summand(component, tuple(map(self.value, inputs)))

    def scores(self, component: Component, inputs: Sequence[Value]) -> Graded:
        return PolynomialHeads(self.frozen, self.by, [component]).before_mask(list(map(self.value, inputs)), self.limit())

    def scale(self, factor: int, x: Value) -> Value:
        if self.merges and factor == 2 and isinstance(x, Summand) and x.component.is_tied and not x.twice:
            return Summand(x.component, x.inputs, twice=True)
        series = self.value(x)
        return Graded(series.first, self.frozen.reduce(factor * series.array))

    def value(self, x: Value) -> Graded:
        """The series of a summand."""
        return x if isinstance(x, Graded) else self.total([self.product([y.component], list(y.inputs)) for y in x.both])

    def add(self, values: Sequence[Value]) -> Graded:
        parts: list[Graded] = []
        waiting: list[Summand] = []
        for value in values:
            if isinstance(value, Summand) and (self.merges or value.component.kind == "attn"):
                waiting += value.both
            else:
                parts.append(self.value(value))
        parts += self.products(waiting)
        total = self.total([part for part in parts if not part.is_empty])
        self.done(total)
        return total

    def products(self, summands: Sequence[Summand]) -> list[Graded]:
        """The products that the summands ask for, each made of sums of inputs."""
        series = {id(x): x for summand in summands for x in summand.inputs}
        sums: dict[tuple[int, ...], Graded] = {}  # both sides of a layer read one object

        def inputs_of(box: Box) -> list[Graded]:
            return [sums[xs] if xs in sums else sums.setdefault(xs, self.total([series[x] for x in xs])) for xs in box]

        one_head = self.frozen.modulus is not None  # residues: one head's sums fit an integer
        return [self.product(components, inputs_of(box)) for components, box in products(summands, self.merges, one_head)]

    def product(self, components: Sequence[Component], inputs: Sequence[Graded]) -> Graded:
        """A component at its inputs, or the sum of heads of one block at one series."""
        component = components[0]
        if component.kind == "gated":
            return self.gated_layer(component, inputs[0])
        if component.kind == "bilinear":
            return self.layer(component, *inputs)
        step = step_of(self.by, "attn")
        if len(inputs) == 1:
            return self.heads_at([component.head for component in components], component.layer, self.cut(inputs[0], step))
        found = PolynomialHeads(self.frozen, self.by, components).at(inputs, self.limit(step))
        return Graded(found.first + step, found.array)

    def total(self, parts: Sequence[Graded]) -> Graded:
        """The sum of series, which may begin and end anywhere."""
        x0 = self.frozen.x0
        if len(parts) == 1:
            return parts[0]
        first = min((part.first for part in parts), default=0)
        length = max((part.stop for part in parts), default=0) - first
        width = parts[0].array.shape[2] if parts else x0.shape[1]
        out = self.library.zeros((len(x0), length, width), dtype=self.dtype, device=device(x0))
        for part in parts:
            out[:, part.first - first : part.stop - first] += part.array
        return Graded(first, self.frozen.reduce(out))

    def heads_at(self, chosen: Sequence[int], layer: int, x: Graded) -> Graded:
        """The sum of heads of one block at one series: sum_h A^h x_k (W_O^h W_V^h)^T for all k."""
        reduce, turned, arrays = self.frozen.reduce, self.library.permute_dims, self.frozen.arrays
        families = (arrays[f"attn.{layer}.W_V"], arrays[f"attn.{layer}.W_O"], self.frozen.patterns[layer])
        W_V, W_O, A = (heads_of(array, chosen) for array in families)
        (n, g, d), (h, e) = x.array.shape, W_V.shape[:2]
        v = reduce(x.array.reshape(n * g, d) @ W_V.reshape(h * e, d).T)
        mixed = reduce(A @ turned(v.reshape(n, g, h, e), (2, 0, 1, 3)).reshape(h, n, g * e))
        rows = turned(mixed.reshape(h, n, g, e), (1, 2, 0, 3)).reshape(n * g, h * e)
        out = reduce(rows @ turned(W_O, (1, 0, 2)).reshape(d, h * e).T)
        return Graded(x.first + step_of(self.by, "attn"), out.reshape(n, g, d))

    def gated_layer(self, component: Component, x: Graded) -> Graded:
        """W_out(G . (W_2 x_k)) for all k, some positions at a time."""
        step, reduce, arrays = step_of(self.by, "gated"), self.frozen.reduce, self.frozen.arrays
        x, G = self.cut(x, step), self.library.astype(self.streams.gates(component), self.dtype)
        W_2, W_out = (arrays.get(f"bilinear.{component.layer}.W_{k}") for k in ("2", "out"))
        out = self.library.empty(x.array.shape, dtype=self.dtype, device=device(x.array))
        for rows in pieces(len(out), x.array.shape[1] * len(W_2) * out.itemsize):
            hidden = reduce(reduce(by_rows(x.array[rows], W_2)) * G[rows][:, None, :])
            out[rows] = hidden if W_out is None else reduce(by_rows(hidden, W_out))
        return Graded(x.first + step, out)

    def layer(self, component: Component, left: Graded, right: Graded) -> Graded:
        """A bilinear layer at two series, some positions at a time."""
        step, limit = step_of(self.by, "bilinear"), self.limit(step_of(self.by, "bilinear"))
        name, arrays, reduce = f"bilinear.{component.layer}", self.frozen.arrays, self.frozen.reduce
        first, stop = span(self.by, [(x.first, x.stop) for x in (left, right)], limit)
        if stop <= first or left.is_empty or right.is_empty:
            return Graded(first + step, left.array[:, :0])
        x, y = cut_inputs(self.by, (left, right), limit)
        W_1, W_out = arrays[f"{name}.W_1"], arrays.get(f"{name}.W_out")
        W_2 = W_1 if component.is_tied else arrays[f"{name}.W_2"]
        size = (len(x.array), stop - first, x.array.shape[2])
        out = self.library.empty(size, dtype=self.dtype, device=device(x.array))
        for rows in pieces(len(out), (stop - first) * len(W_1) * out.itemsize):
            a = reduce(by_rows(x.array[rows], W_1))
            b = a if x is y and W_1 is W_2 else reduce(by_rows(y.array[rows], W_2))
            if self.by == HEIGHT:
                hidden = product_by_height(a, x.first, b, y.first, first, stop - first, self.frozen.modulus)
            else:
                hidden = product_by_sum(a, b, stop - first, self.frozen.modulus)
            out[rows] = hidden if W_out is None else reduce(by_rows(hidden, W_out))
        return Graded(first + step, out)


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

    return interpret_last(expansion.grammar, GradedStreams(frozen, by, up_to, done))
