"""The constant coordinate as a value beside streams: what reads it gets its bias, W x + b with W for a stream x and b for ONE.

In algebras whose values are written with the matrices of the model, ``one`` is the value ONE. Its sum with a stream, which only the
output of a model with a bias b_U reads, is kept apart as WithOne.
"""

from collections.abc import Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

__all__ = ["ONE", "One", "WithOne", "separated"]

T = TypeVar("T")


class One:
    """The constant; there is one of it."""

    def __repr__(self) -> str:
        return "ONE"


ONE: Final = One()


class WithOne(NamedTuple, Generic[T]):
    """A stream and the constant."""

    stream: T


def separated(values: Sequence[Any]) -> tuple[list[Any], bool]:
    """The streams among the summands, and whether the constant is one of them.

    >>> separated(["x", ONE, WithOne("y")])
    (['x', 'y'], True)
    """
    streams = [value.stream if isinstance(value, WithOne) else value for value in values if value is not ONE]
    return streams, any(value is ONE or isinstance(value, WithOne) for value in values)
