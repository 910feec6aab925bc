"""Indices with a unit vector on them have one value, so that what stands on one is held there independently: A_i B_i e_i is A_k B_k.

In normal form every axis that is held has an index and a unit vector of its own.
"""

from symbolic_circuits.algebra.open_terms import OpenTerm
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import is_unit

__all__ = ["held_apart"]


def held_apart(term: OpenTerm) -> tuple[OpenTerm, dict[int, int]] | None:
    """The term with every held axis on an index of its own; None where an index is held at two places, so that the term is zero.

    With it comes where each index that is not held went.

    >>> from symbolic_circuits.algebra.scalar import ONE
    >>> from symbolic_circuits.algebra.units import unit
    >>> a, e = Tensor("a", ("n",)), unit(0, "n")
    >>> term = OpenTerm(ONE, ((a, (0,)), (a, (0,)), (e, (0,))), ("n",), (), ())
    >>> [(tensor.name, indices) for tensor, indices in held_apart(term)[0].factors]
    [('a', (0,)), ('unit 0', (0,)), ('a', (1,)), ('unit 0', (1,))]
    """
    held: dict[int, Tensor] = {}
    for tensor, (index, *_) in ((t, i) for t, i in term.factors if is_unit(t)):
        if held.setdefault(index, tensor) != tensor:
            return None
    if not held:
        return term, {k: k for k in range(len(term.sizes))}
    sizes: list[SizeName] = []
    factors: list[tuple[Tensor, tuple[int, ...]]] = []
    free: dict[int, int] = {}

    def place(index: int) -> int:
        """The new index for one occurrence of an index."""
        if index not in held and index in free:
            return free[index]
        sizes.append(term.sizes[index])
        if index in held:
            waiting.append((held[index], (len(sizes) - 1,)))
        else:
            free[index] = len(sizes) - 1
        return len(sizes) - 1

    waiting: list[tuple[Tensor, tuple[int, ...]]] = []
    for tensor, indices in term.factors:
        if not is_unit(tensor):
            factors.append((tensor, tuple(map(place, indices))))
            factors += waiting
            waiting.clear()
    legs = tuple(map(place, term.legs))
    named = tuple((name, place(index)) for name, index in term.named)
    return OpenTerm(term.scalar, (*factors, *waiting), tuple(sizes), legs, named), free
