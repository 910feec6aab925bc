r"""Axes that are sums, n + m: what blocks are stacked along. Such an axis is a pair of legs: which part, and the place in it.

The first leg has as many values as there are parts and is held at one of them by a unit vector; the second has the size of that
part, so that it differs from term to term. Legs held at different parts never meet: the term is zero.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import unit

__all__ = ["is_sum", "parts_of", "sum_axis", "variants"]

PLUS = " + "
MARK = "sum "


def sum_axis(parts: Sequence[SizeName]) -> tuple[SizeName, SizeName]:
    """The two legs of an axis that is a sum of parts.

    >>> sum_axis(["n", "m", 1])
    (3, 'sum n + m + 1')
    """
    return len(parts), MARK + PLUS.join(map(str, parts))


def is_sum(size: SizeName) -> bool:
    """Whether a leg of this size is the place in a part."""
    return isinstance(size, str) and size.startswith(MARK)


def parts_of(size: str) -> list[SizeName]:
    """The sizes of the parts."""
    return [int(part) if part.isdigit() else part for part in size.removeprefix(MARK).split(PLUS)]


def variants(sizes: Sequence[SizeName]) -> Iterator[tuple[tuple[SizeName, ...], list[tuple[Tensor, tuple[int, ...]]], str]]:
    """Every choice of parts for legs of these sizes: sizes of the legs, unit vectors that hold the parts, and its name.

    >>> [(sizes, name) for sizes, _, name in variants([2, "sum n + m", "d"])]
    [((2, 'n', 'd'), ' [0,:]'), ((2, 'm', 'd'), ' [1,:]')]
    """
    places = [k for k, size in enumerate(sizes) if is_sum(size)]
    for chosen in product(*(enumerate(parts_of(sizes[k])) for k in places)):
        new, units, words = list(sizes), [], {}
        for place, (part, size) in zip(places, chosen, strict=True):
            new[place] = size
            units.append((unit(part, sizes[place - 1]), (place - 1,)))
            words[place] = str(part)
        shown = [words.get(k, ":") for k in range(len(sizes)) if k + 1 not in words]
        yield tuple(new), units, f" [{','.join(shown)}]" if places else ""
