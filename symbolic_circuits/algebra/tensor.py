"""A tensor: a name, the size of each axis, and which axes may be exchanged, with or without a change of sign.

A size is a number or the name of a symbol. Two tensors are the same if all of this is the same.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import permutations, product
from math import factorial, prod
from typing import TypeAlias

from symbolic_circuits.errors import ShapeError

__all__ = ["SizeName", "Tensor", "exchanges"]

SizeName: TypeAlias = int | str


@dataclass(frozen=True, slots=True)
class Tensor:
    """A real tensor of fixed or symbolic sizes.

    Parameters
    ----------
    name : of the tensor
    shape : the size of each axis
    symmetric : groups of axes, counted from 0, whose exchange leaves the tensor as it is
    antisymmetric : groups of axes whose exchange changes its sign

    Raises
    ------
    ShapeError
        A group names an axis that is not there, axes of different sizes, or an axis that another group has.

    Examples
    --------
    >>> Tensor("S", ("d", "d"), symmetric=((0, 1),)).labels
    (0, 0)
    """

    name: str
    shape: tuple[SizeName, ...]
    symmetric: tuple[tuple[int, ...], ...] = ()
    antisymmetric: tuple[tuple[int, ...], ...] = ()
    labels: tuple[int, ...] = field(init=False, repr=False, compare=False)  # of each axis: the first axis of its group
    colour: int = field(init=False, repr=False, compare=False)  # a 60-bit number that depends on nothing but the above
    order: tuple = field(init=False, repr=False, compare=False)  # a sort key

    def __post_init__(self) -> None:
        object.__setattr__(self, "symmetric", checked_groups(self, self.symmetric))
        object.__setattr__(self, "antisymmetric", checked_groups(self, self.antisymmetric))
        axes = [axis for group in self.symmetric + self.antisymmetric for axis in group]
        if len(axes) != len(set(axes)):
            raise ShapeError(f"an axis of {self.name} belongs to two groups: {self.symmetric} and {self.antisymmetric}")
        labels = list(range(len(self.shape)))
        for group in self.symmetric + self.antisymmetric:
            for axis in group:
                labels[axis] = group[0]
        object.__setattr__(self, "labels", tuple(labels))
        order = (self.name, tuple(map(size_order, self.shape)), self.symmetric, self.antisymmetric)
        object.__setattr__(self, "order", order)
        object.__setattr__(self, "colour", int.from_bytes(blake2b(repr(order).encode(), digest_size=8).digest()) >> 4)


def size_order(size: SizeName) -> tuple[int, int, str]:
    """Numbers first, then names."""
    return (0, size, "") if isinstance(size, int) else (1, 0, size)


def checked_groups(tensor: Tensor, groups: Iterable[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
    """Groups of at least two axes, each in order."""
    out = []
    for group in groups:
        axes = tuple(sorted(set(group)))
        if any(not 0 <= axis < len(tensor.shape) for axis in axes):
            raise ShapeError(f"{tensor.name} has axes 0 to {len(tensor.shape) - 1}; a symmetry names {axes}")
        sizes = {tensor.shape[axis] for axis in axes}
        if len(sizes) > 1:
            raise ShapeError(f"axes {axes} of {tensor.name} are exchanged, but their sizes are {sorted(sizes, key=size_order)}")
        if len(axes) > 1:
            out.append(axes)
    return tuple(sorted(out))


def exchanges(tensor: Tensor, limit: int) -> list[tuple[tuple[int, ...], int]]:
    """The orders in which the legs of a tensor may be read, with signs; only the order as it is where there are more than ``limit``.

    >>> exchanges(Tensor("E", ("d", "d"), antisymmetric=((0, 1),)), 24)
    [((0, 1), 1), ((1, 0), -1)]
    """
    legs = tuple(range(len(tensor.shape)))
    groups = [(group, False) for group in tensor.symmetric] + [(group, True) for group in tensor.antisymmetric]
    if not groups or prod(factorial(len(group)) for group, _ in groups) > limit:
        return [(legs, 1)]
    out = []
    for chosen in product(*([(group, moved, anti) for moved in permutations(group)] for group, anti in groups)):
        order, sign = list(legs), 1
        for group, moved, anti in chosen:
            sign *= (-1) ** (anti * sum(a > b for k, b in enumerate(moved) for a in moved[:k]))
            for leg, other in zip(group, moved, strict=True):
                order[leg] = other
        out.append((tuple(order), sign))
    return out
