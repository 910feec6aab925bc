"""The canonical form of a network: networks that differ in names of indices and order of factors only have one form.

A network is a graph: factors and indices are its vertices, and every axis of a factor is an edge, labelled by the axis (by the
first of its group where axes may be exchanged). Output positions and sizes colour the indices, so that they are told apart.

1. Colours spread from neighbour to neighbour in a few rounds. If all indices then differ, their colours number them.
2. Otherwise what is left falls into connected parts; each is labelled by itself (:mod:`symbolic_circuits.algebra.labelling`),
   and the parts are put in order. Equal parts are interchangeable.

Exchanging axes of an antisymmetric group changes the sign; a network that an automorphism maps to minus itself is zero.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from symbolic_circuits.algebra.labelling import canonical_labelling
from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.algebra.partition import mixed
from symbolic_circuits.algebra.tensor import SizeName, Tensor

__all__ = ["Canonical", "canonical", "vanishing_exchange"]

ROUNDS = 64
MASK = 2**61 - 1


class Canonical(NamedTuple):
    """A canonical form, and how the network became it."""

    form: tuple  # (factors, output, sizes): factors are (tensor, indices), indices are numbered from 0
    sign: int  # 1, -1, or 0 where the network is zero
    indices: dict[int, int]  # index of the network -> index of the form


def canonical(network: Network, sizes: Mapping[int, SizeName]) -> Canonical:
    """The canonical form of a network whose operands are tensors.

    Parameters
    ----------
    network : factors and output
    sizes : of each index

    Examples
    --------
    >>> A, B = Tensor("A", ("n", "d")), Tensor("B", ("d", "n"))
    >>> one = Network((Factor(A, (0, 1)), Factor(B, (1, 2))), (0, 2))
    >>> other = Network((Factor(B, (7, 5)), Factor(A, (3, 7))), (3, 5))
    >>> sizes = {0: "n", 1: "d", 2: "n"}
    >>> canonical(one, sizes).form == canonical(other, {3: "n", 7: "d", 5: "n"}).form
    True
    """
    factors = network.factors
    colours, factor_colours = spread(factors, starting_colours(network, sizes))
    signs: list[Sequence[Mapping[int, int]]] = []
    if len(set(colours.values())) == len(colours):
        order = sorted(colours, key=colours.__getitem__)
    else:
        order, signs = order_by_parts(factors, colours, factor_colours)
    number = {index: k for k, index in enumerate(order)}
    sign, renamed = sorted_axes(factors, number)
    if sign and any(reverses(factors, automorphism) for automorphism in signs):
        sign = 0
    output = tuple(number[index] for index in network.output)
    return Canonical((tuple(renamed), output, tuple(sizes[index] for index in order)), sign, number)


def starting_colours(network: Network, sizes: Mapping[int, SizeName]) -> dict[int, int]:
    """Indices coloured by size and by the places at which they stand in the output."""
    colours = {index: colour_of_size(sizes[index]) for index in network.indices()}
    for place, index in enumerate(network.output):
        colours[index] = mixed((colours[index] + 31 * place + 17) & MASK)
    return colours


@lru_cache(maxsize=4096)
def colour_of_size(size: SizeName) -> int:
    """A number that depends on nothing but the size."""
    return mixed(size + 1 if isinstance(size, int) else int.from_bytes(size.encode()) % MASK)


def spread(factors: Sequence[Factor], colours: dict[int, int]) -> tuple[dict[int, int], list[int]]:
    """Colours of indices and factors, refined until the number of colours of indices no longer grows."""
    count = 0
    edges = [
        (
            factor.operand.colour,
            [(index, 7 * label + 1) for index, label in zip(factor.indices, factor.operand.labels, strict=True)],
        )
        for factor in factors
    ]
    factor_colours: list[int] = []
    for _ in range(ROUNDS):
        grown = len(set(colours.values()))
        if factor_colours and (grown == count or grown == len(colours)):
            break
        count = grown
        sums: dict[int, int] = dict.fromkeys(colours, 0)
        factor_colours = []
        for start, ends in edges:
            value = start
            for index, label in ends:
                value += ((colours[index] ^ label) * 0x9E3779B97F4A7C15) >> 7
            value = mixed(value & MASK)
            factor_colours.append(value)
            for index, label in ends:
                sums[index] += ((value ^ label) * 0xBF58476D1CE4E5B9) >> 7
        colours = {index: mixed((colour + sums[index]) & MASK) for index, colour in colours.items()}
    return colours, factor_colours


def order_by_parts(
    factors: Sequence[Factor], colours: dict[int, int], factor_colours: Sequence[int]
) -> tuple[list[int], list[Mapping[int, int]]]:
    """All indices in canonical order, and generators of the automorphisms of the parts, as maps of indices."""
    cells = defaultdict(list)
    for index, colour in colours.items():
        cells[colour].append(index)
    alone = sorted((colour, members[0]) for colour, members in cells.items() if len(members) == 1)
    parts = connected_parts(factors, {index for members in cells.values() if len(members) > 1 for index in members})
    labelled, automorphisms = [], []
    for indices, places in parts:
        word, order, found = label_part(factors, indices, places, colours, factor_colours)
        labelled.append((word, order))
        automorphisms += found
    labelled.sort(key=lambda part: part[0])
    return [index for _, index in alone] + [index for _, order in labelled for index in order], automorphisms


def connected_parts(factors: Sequence[Factor], indices: set[int]) -> list[tuple[list[int], list[int]]]:
    """Indices not yet told apart, with the factors on them, in connected parts."""
    on = defaultdict(list)
    for place, factor in enumerate(factors):
        for index in set(factor.indices) & indices:
            on[index].append(place)
    parts, seen = [], set()
    for start in sorted(indices):
        if start in seen:
            continue
        seen.add(start)
        found, places, waiting = [start], set(), [start]
        while waiting:
            for place in on[waiting.pop()]:
                if place not in places:
                    places.add(place)
                    new = [i for i in dict.fromkeys(factors[place].indices) if i in indices and i not in seen]
                    seen.update(new)
                    found += new
                    waiting += new
        parts.append((found, sorted(places)))
    return parts


def label_part(
    factors: Sequence[Factor], indices: list[int], places: list[int], colours: Mapping[int, int], factor_colours: Sequence[int]
) -> tuple[tuple, list[int], list[Mapping[int, int]]]:
    """The word of a connected part, its indices in canonical order, and generators of its automorphisms."""
    vertex = {index: k for k, index in enumerate(indices)}
    shades = [colours[index] for index in indices] + [factor_colours[place] for place in places]
    graph: list[list[tuple[int, int]]] = [[] for _ in shades]
    for k, place in enumerate(places, start=len(indices)):
        factor = factors[place]
        for index, label in zip(factor.indices, factor.operand.labels, strict=True):
            if index in vertex:
                graph[k].append((vertex[index], label))
                graph[vertex[index]].append((k, label))
    rank = {shade: k for k, shade in enumerate(sorted(set(shades[: len(indices)])))}
    rank_of_factor = {shade: k + len(rank) for k, shade in enumerate(sorted(set(shades[len(indices) :])))}
    ranks = [rank[s] for s in shades[: len(indices)]] + [rank_of_factor[s] for s in shades[len(indices) :]]
    order, word, found = canonical_labelling(graph, ranks)
    automorphisms = [{indices[a]: indices[b] for a, b in moved.items() if a < len(indices)} for moved in found]
    key = (tuple(sorted(shades)), word)
    return key, [indices[v] for v in order if v < len(indices)], automorphisms


def sorted_axes(factors: Sequence[Factor], number: Mapping[int, int]) -> tuple[int, list[tuple[Tensor, tuple[int, ...]]]]:
    """The sign of the exchanges (0: a repeated index), and factors with indices renamed, exchangeable axes in order, sorted."""
    sign, out = 1, []
    for factor in factors:
        tensor: Tensor = factor.operand
        indices = [number[index] for index in factor.indices]
        for group in tensor.symmetric:
            for axis, index in zip(group, sorted(indices[axis] for axis in group), strict=True):
                indices[axis] = index
        for group in tensor.antisymmetric:
            found = [indices[axis] for axis in group]
            sign *= parity(found)
            for axis, index in zip(group, sorted(found), strict=True):
                indices[axis] = index
        out.append((tensor, tuple(indices)))
    out.sort(key=lambda pair: (pair[0].order, pair[1]))
    return sign, out


def parity(values: Sequence[int]) -> int:
    """The sign of the permutation that sorts the values; 0 where two are equal.

    >>> parity([2, 1]), parity([1, 2, 3]), parity([1, 1])
    (-1, 1, 0)
    """
    sign = 1
    for k, value in enumerate(values):
        for other in values[:k]:
            if other == value:
                return 0
            if other > value:
                sign = -sign
    return sign


def reverses(factors: Sequence[Factor], automorphism: Mapping[int, int]) -> bool:
    """Whether an automorphism of a network maps it to minus itself."""
    same = {index: index for factor in factors for index in factor.indices}
    moved = {index: automorphism.get(index, index) for index in same}
    return sorted_axes(factors, same)[0] * sorted_axes(factors, moved)[0] < 0


def vanishing_exchange(network: Network, sizes: Mapping[int, SizeName]) -> Mapping[int, int]:
    """The exchange of indices by which a network is minus itself; empty where an antisymmetric factor repeats an index."""
    factors = network.factors
    same = {index: index for factor in factors for index in factor.indices}
    if sorted_axes(factors, same)[0] == 0:
        return {}
    colours, factor_colours = spread(factors, starting_colours(network, sizes))
    _, automorphisms = order_by_parts(factors, colours, factor_colours)
    found = next(a for a in automorphisms if reverses(factors, a))
    return {index: found.get(index, index) for index in network.indices()}
