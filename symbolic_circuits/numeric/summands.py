r"""Products that a sum asks for: $\sum_{x \in X, y \in Y} B(x, y) = B(\sum_X x, \sum_Y y)$ is one product, and so are all heads that read one series.

A layer with biases is a sum over what each of its inputs reads, the stream or the constant: all of it is one product at the
stream plus the constant. Where only some pairs are asked for, they are split into *boxes* X x Y, each a product.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.graded_series import Graded

__all__ = ["Box", "Summand", "boxes", "products"]

Box: TypeAlias = tuple[tuple[int, ...], ...]  # of each input, the series whose sum it reads, by id


@dataclass(frozen=True, slots=True, eq=False)
class Summand:
    """What a component makes of its inputs, computed when it is added."""

    component: Component
    inputs: tuple[Graded, ...]
    twice: bool = False  # with the inputs exchanged too, of a layer that does not tell them apart

    @property
    def key(self) -> tuple[int, ...]:
        """The inputs by id."""
        return tuple(map(id, self.inputs))

    @property
    def both(self) -> "tuple[Summand, ...]":
        """One product for each order of the inputs that counts."""
        return tuple(Summand(self.component, x) for x in (self.inputs, self.inputs[::-1])) if self.twice else (self,)


def boxes(keys: Sequence[tuple[int, ...]]) -> list[Box]:
    """Tuples of inputs as products of sets, which cover each tuple as often as it comes.

    >>> boxes([(1, 1), (1, 2), (2, 1), (2, 2)])
    [((1, 2), (1, 2))]
    >>> boxes([(1, 1), (1, 2), (2, 2)])
    [((1,), (1,)), ((1, 2), (2,))]
    """
    found: list[Box] = [tuple((x,) for x in key) for key in keys]
    if len(set(keys)) < len(keys):
        return found
    for axis in range(len(found[0])):
        merged: dict[tuple, list[int]] = {}
        for box in found:
            merged.setdefault((*box[:axis], *box[axis + 1 :]), []).extend(box[axis])
        found = [(*rest[:axis], tuple(sorted(xs)), *rest[axis:]) for rest, xs in merged.items()]
    return found


def products(summands: Iterable[Summand], merge: bool, one_head: bool) -> list[tuple[list[Component], Box]]:
    """The products that add up to the summands: components, several of them if they are heads of one block, and what they read.

    Parameters
    ----------
    merge : whether sums of inputs are taken
    one_head : whether every head is a product of its own
    """
    asked: dict[Component, list[tuple[int, ...]]] = {}
    for summand in summands:
        asked.setdefault(summand.component, []).append(summand.key)
    found: dict[tuple, tuple[list[Component], Box]] = {}
    for component, keys in asked.items():
        for number, box in enumerate(boxes(keys) if merge else [tuple((x,) for x in key) for key in keys]):
            alone = component.head if one_head else number if component.kind != "attn" else None
            found.setdefault((component.kind, component.layer, box, alone), ([], box))[0].append(component)
    return list(found.values())
