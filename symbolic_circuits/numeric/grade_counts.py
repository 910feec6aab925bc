r"""The number of terms of each grade up to a grade: $\sum_k c_k z^k$ cut off at $z^K$, so that degrees like 2^L need not be counted out.

A layer with tied weights counts unordered pairs: by sum $\frac12(P(z)^2 + P(z^2))$, by height $\binom{C_k + 1}{2} - \binom{C_{k-1} + 1}{2}$
with $C_k = \sum_{i \le k} c_i$.
"""

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from itertools import accumulate
from typing import TypeAlias

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.numeric.grade_ranges import HEIGHT, step_of

__all__ = ["GradeCounts"]

Counts: TypeAlias = dict[int, int]  # grade -> number of terms


class GradeCounts(Algebra[Counts]):
    """Grade -> number of terms, for grades up to a grade.

    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> path_expansion("bilinear*3").interpret(GradeCounts("height", 3))
    {0: 1, 1: 3, 2: 11, 3: 27}
    >>> path_expansion("bilinear*3").interpret(GradeCounts("order", 4))
    {0: 1, 1: 3, 2: 6, 3: 9, 4: 10}
    """

    def __init__(self, by: str, up_to: int) -> None:
        step_of(by, "input")  # an error where there is no such grading
        self.by, self.up_to = by, up_to

    def moved(self, x: Counts, kind: str) -> Counts:
        """What a component makes of the grades."""
        step = step_of(self.by, kind)
        return {k + step: count for k, count in sorted(x.items()) if k + step <= self.up_to and count}

    def zero(self, component: Component) -> Counts:
        return {}

    def input(self, component: Component) -> Counts:
        return self.moved({0: 1}, component.kind)

    def head(self, component: Component, x: Counts) -> Counts:
        return self.moved(x, component.kind)

    norm = gated = head

    def bilinear(self, component: Component, x: Counts, y: Counts) -> Counts:
        return self.moved(self.joined(x, y), component.kind)

    def attention(self, component: Component, inputs: Sequence[Counts]) -> Counts:
        return self.moved(reduce(self.joined, inputs), component.kind)

    scores = attention

    def joined(self, x: Counts, y: Counts) -> Counts:
        """Pairs by grade: of the sum, or of the larger."""
        if self.by == HEIGHT:
            top = max([*x, *y], default=-1) + 1
            return differences([a * b for a, b in zip(running(x, top), running(y, top), strict=True)])
        out: Counter[int] = Counter()
        for i, count in x.items():
            for j, other in y.items():
                if i + j <= self.up_to:
                    out[i + j] += count * other
        return out

    def square(self, component: Component, x: Counts) -> Counts:
        if self.by == HEIGHT:
            return self.moved(differences([c * (c + 1) // 2 for c in running(x, max(x, default=-1) + 1)]), "bilinear")
        out: Counter[int] = Counter({2 * i: count * (count + 1) // 2 for i, count in x.items()})
        for i, count in x.items():
            for j, other in x.items():
                if i < j and i + j <= self.up_to:
                    out[i + j] += count * other
        return self.moved(out, "bilinear")

    def add(self, values: Sequence[Counts]) -> Counts:
        out: Counter[int] = Counter()
        for value in values:
            out.update(value)
        return dict(sorted(out.items()))

    def scale(self, factor: int, x: Counts) -> Counts:
        return x  # a term with a coefficient is one term


def running(x: Counts, stop: int) -> list[int]:
    """The number of terms of grade at most k, for k below ``stop``."""
    return list(accumulate(x.get(k, 0) for k in range(stop)))


def differences(sums: Sequence[int]) -> Counts:
    """What was summed."""
    return {k: c - (sums[k - 1] if k else 0) for k, c in enumerate(sums)}
