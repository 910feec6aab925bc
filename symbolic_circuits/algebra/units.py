"""Unit vectors: the tensor that is 1 at one place of an axis and 0 elsewhere, which fixed indices such as A[0, 1] are made of."""

from symbolic_circuits.algebra.tensor import SizeName, Tensor

__all__ = ["is_unit", "place_of", "unit"]

PREFIX = "unit "


def unit(place: int, size: SizeName) -> Tensor:
    """The unit vector at a place, counted from 0, of an axis."""
    return Tensor(f"{PREFIX}{place}", (size,))


def is_unit(tensor: Tensor) -> bool:
    """Whether a tensor is a unit vector."""
    return tensor.name.startswith(PREFIX)


def place_of(tensor: Tensor) -> int:
    """The place of a unit vector."""
    return int(tensor.name.removeprefix(PREFIX))
