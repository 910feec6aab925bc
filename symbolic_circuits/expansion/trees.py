r"""Terms as trees of operations, each tree known by a number: two terms are the same network exactly if their numbers are equal.

A head is A^h_{su} W_{ab} x_{ub}, a bilinear layer sum_p P_{ip} (W_1)_{pj} (W_2)_{pk} x_{sj} y_{sk}: from the output axes of such a
network its operations can be read off one after the other, because the tensors of different operations differ and have ordered axes.
The same holds of norms, gated layers, scores and biases, each of which has tensors of its own.
So the tree is a canonical form, found bottom up: the number of a tree is that of (operation, numbers of its inputs), the inputs of a
layer with W_1 = W_2 in order of their numbers. Subtrees are shared, and every new tree costs one look-up (Aho, Hopcroft and Ullman).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import BudgetError
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra

__all__ = ["Collected", "Trees"]

Collected = dict[int, int]  # number of a tree -> coefficient

MAX_TREES = 2_000_000


@dataclass
class Trees(Algebra[Collected]):
    """Sums of trees, collected; everything that is to be compared is made by one instance."""

    numbers: dict[tuple, int] = field(default_factory=dict)  # (operation, numbers of the inputs) -> number

    def number(self, *tree: object) -> int:
        """The number of a tree."""
        return self.numbers.setdefault(tree, len(self.numbers))

    def input(self, component: Component) -> Collected:
        return {self.number(component): 1}

    def head(self, component: Component, x: Collected) -> Collected:
        known = self.numbers
        return {known.setdefault((component, tree), len(known)): value for tree, value in x.items()}

    def heads(self, component: Component, x: Collected, copies: Size) -> Collected:
        """The sum over the heads of a block is one operation."""
        return self.head(component, x)

    norm = gated = head

    def attention(self, component: Component, inputs: Sequence[Collected]) -> Collected:
        """All combinations of queries, keys and values."""
        require_budget(len(self.numbers) + prod(map(len, inputs)))
        known, out = self.numbers, {}
        for chosen in product(*(x.items() for x in inputs)):
            tree = known.setdefault((component, *(tree for tree, _ in chosen)), len(known))
            out[tree] = out.get(tree, 0) + prod(value for _, value in chosen)
        return out

    scores = attention

    def attention_heads(self, component: Component, inputs: Sequence[Collected], copies: Size) -> Collected:
        return self.attention(component, inputs)

    def bilinear(self, component: Component, x: Collected, y: Collected) -> Collected:
        require_budget(len(self.numbers) + len(x) * len(y))
        known, out = self.numbers, {}
        tied = component.is_tied
        for left, a in x.items():
            for right, b in y.items():
                key = (component, right, left) if tied and right < left else (component, left, right)
                tree = known.setdefault(key, len(known))
                out[tree] = out.get(tree, 0) + a * b
        return out

    def add(self, values: Sequence[Collected]) -> Collected:
        return total(values)

    def scale(self, factor: int, x: Collected) -> Collected:
        return {tree: factor * value for tree, value in x.items()}


def total(values: Iterable[Collected]) -> Collected:
    """The sum."""
    out: Collected = {}
    for value in values:
        if not out:
            out = dict(value)
            continue
        for tree, coefficient in value.items():
            out[tree] = out.get(tree, 0) + coefficient
    return out


def require_budget(count: int) -> None:
    """Raise BudgetError before so many trees are made."""
    if count > MAX_TREES:
        raise BudgetError(f"multiplying out makes {count:,} terms and subterms; the limit is {MAX_TREES:,}")
