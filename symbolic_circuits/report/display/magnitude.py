r"""The number of bits of a count of terms, about, without the count: $\log_2(x + y)$ and $\log_2 x + \log_2 y$ in place of sums and products."""

from collections.abc import Sequence
from functools import reduce
from math import inf, log2

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.spec import Size

__all__ = ["Logarithmic", "Magnitude"]


class Logarithmic(Algebra[float]):
    """What turns products of counts into sums: bits, degrees. Sums and numbers of heads are left to say."""

    def zero(self, component: Component) -> float:
        return -inf

    def input(self, component: Component) -> float:
        return 0

    def head(self, component: Component, x: float) -> float:
        return x

    norm = gated = head

    def bilinear(self, component: Component, x: float, y: float) -> float:
        return x + y

    def attention(self, component: Component, inputs: Sequence[float]) -> float:
        return sum(inputs)

    scores = attention

    def attention_heads(self, component: Component, inputs: Sequence[float], copies: Size) -> float:
        return self.heads(component, sum(inputs), copies)

    def scale(self, factor: int, x: float) -> float:
        return x


class Magnitude(Logarithmic):
    """log2 of the number of terms (of path classes, where numbers of heads are symbols); -inf where there are none.

    >>> import symbolic_circuits as sc
    >>> [round(sc.path_expansion(model).interpret(Magnitude())) for model in ("attn(3)", "bilinear*40")]
    [2, 743474754004]
    """

    def heads(self, component: Component, x: float, copies: Size) -> float:
        return x + log2(copies) if isinstance(copies, int) else x

    def add(self, values: Sequence[float]) -> float:
        return float(reduce(np.logaddexp2, values))
