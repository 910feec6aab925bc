r"""The terms of an expansion with numbers in an interval, as an expansion of its own: a grammar of them, none is listed.

The terms of a nonterminal with numbers in [a, b) are those of its productions with numbers in parts of it. Of a head these are the
terms of an interval of its input. Of a bilinear layer, whose pair (i, j) has the number i N + j, they are the rest of the first row, full
rows, and the beginning of the last row: {i} x [j, N), [i, k) x [0, N), {k} x [0, l); and so on in the rows of a head that has queries, keys and
values. Of unordered pairs j (j + 1) / 2 + i, i <= j, row
j is {j} x [0, j) and the pair of j with itself, and the full rows from j to l are [j, l) x [0, j) and the unordered pairs of [j, l).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isqrt, prod

from symbolic_circuits.counts import in_words
from symbolic_circuits.errors import BudgetError, SpecError, TermIndexError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.expansion.grammar import Nonterminal, Production
from symbolic_circuits.expansion.queries.query import Query

__all__ = ["Block", "block"]

MAX_NONTERMINALS = 100_000


@dataclass(frozen=True, eq=False)
class Block(PathExpansion):
    """Some terms of an expansion, for everything that evaluates or counts terms; made by :func:`block`."""

    numbers: range = range(0)  # of the terms in the expansion that they are of

    def __repr__(self) -> str:
        return f"block({super().__repr__()}, {self.numbers.start}, {self.numbers.stop})"

    @property
    def title(self) -> str:
        """The expansion and the numbers, for messages."""
        return f"{super().title}, terms {in_words(self.numbers.start)} to {in_words(self.numbers.stop - 1)},"

    def where(self, query: Query | str) -> PathExpansion:
        """The terms of a query in this block."""
        found = super().where(query)
        return Block(found.grammar, found.query, self.numbers)

    def path_classes(self) -> PathExpansion:
        """There are none: a block tells heads apart by the number of their terms."""
        raise SpecError(f"{self.title} cannot be grouped by path class: a block of terms may begin and end within a class")


def block(expansion: PathExpansion, start: int, stop: int) -> Block:
    """The terms with numbers ``start`` to ``stop - 1``, in that order (through layers with tied weights, in an order of their own).

    Raises
    ------
    TermIndexError
        The interval is not within ``range(number_of_terms)``.
    SpecError
        The number of heads is a symbol, so that terms have no numbers.
    BudgetError
        The interval takes too large a grammar.

    Examples
    --------
    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> expansion = path_expansion("(attn(12) bilinear)*4")
    >>> part = block(expansion, 10**30, 3 * 10**30)
    >>> part.number_of_terms == 2 * 10**30, part[5] == expansion[10**30 + 5]
    (True, True)
    """
    count = expansion.enumeration.counts[-1]
    if not 0 <= start <= stop <= count:
        raise TermIndexError(
            f"terms {in_words(start)} to {in_words(stop)} were asked for, but {expansion.title} has {in_words(count)} terms"
        )
    empty: Nonterminal = ()
    found = Cutting(expansion).nonterminals(start, stop) if start < stop else (empty,)
    return Block(replace(expansion.grammar, nonterminals=found, streams=()), expansion.query, range(start, stop))


class Cutting:
    """Intervals of nonterminals, each made once."""

    def __init__(self, expansion: PathExpansion) -> None:
        self.rules, self.enumeration = expansion.grammar.nonterminals, expansion.enumeration
        self.made: list[Nonterminal] = []
        self.numbers: dict[tuple[int, int, int], int] = {}  # (nonterminal, start, stop) -> the one made

    def nonterminals(self, start: int, stop: int) -> tuple[Nonterminal, ...]:
        """Those that are needed for an interval of the last one."""
        self.interval(len(self.rules) - 1, start, stop)
        return tuple(self.made)

    def interval(self, k: int, start: int, stop: int) -> int:
        """The number of the new nonterminal for some terms of nonterminal k."""
        if (k, start, stop) in self.numbers:
            return self.numbers[k, start, stop]
        found: list[Production] = []
        for production, size, first in zip(self.rules[k], self.enumeration.sizes[k], self.enumeration.starts[k], strict=True):
            low, high = max(start - first, 0), min(stop - first, size)
            if low < high:
                found += self.part(production, low, high)
        if len(self.made) >= MAX_NONTERMINALS:
            raise BudgetError(f"a block of these terms takes over {MAX_NONTERMINALS:,} nonterminals; that is the limit")
        self.made.append(tuple(found))
        self.numbers[k, start, stop] = len(self.made) - 1
        return len(self.made) - 1

    def part(self, production: Production, start: int, stop: int) -> Iterator[Production]:
        """Productions of the terms of one with these numbers."""
        inputs = production.inputs
        if not inputs:
            yield production
        elif len(inputs) == 1:
            yield replace(production, inputs=(self.interval(inputs[0], start, stop),))
        elif production.unordered:
            for left, right in triangle(start, stop):
                chosen = tuple(self.interval(inputs[0], *bounds) for bounds in (left, right))
                yield replace(production, inputs=chosen, unordered=left == right, twice=left != right)
        else:
            for bounds in boxes(start, stop, [self.enumeration.counts[k] for k in inputs[1:]]):
                yield replace(production, inputs=tuple(self.interval(k, *part) for k, part in zip(inputs, bounds, strict=True)))


Bounds = tuple[int, int]


def rectangle(start: int, stop: int, width: int) -> Iterator[tuple[Bounds, Bounds]]:
    """The pairs (i, j) with start <= i width + j < stop, as products of intervals.

    >>> list(rectangle(2, 14, 5))
    [((0, 1), (2, 5)), ((1, 2), (0, 5)), ((2, 3), (0, 4))]
    """
    (i, j), (k, l) = divmod(start, width), divmod(stop, width)  # noqa: E741
    if i == k:
        yield (i, i + 1), (j, l)
        return
    if j:
        yield (i, i + 1), (j, width)
        i += 1
    if i < k:
        yield (i, k), (0, width)
    if l:
        yield (k, k + 1), (0, l)


def boxes(start: int, stop: int, widths: Sequence[int]) -> Iterator[tuple[Bounds, ...]]:
    """The tuples (i, j, ...), the last one fastest, with numbers from start to stop, as products of intervals; ``widths`` of all but i.

    >>> list(boxes(2, 14, [5])) == list(rectangle(2, 14, 5))
    True
    >>> list(boxes(1, 6, [2, 2]))
    [((0, 1), (0, 1), (1, 2)), ((0, 1), (1, 2), (0, 2)), ((1, 2), (0, 1), (0, 2))]
    """
    if not widths:
        yield ((start, stop),)
        return
    size = prod(widths)
    for rows, (low, high) in rectangle(start, stop, size):
        if (low, high) == (0, size):
            yield (rows, *((0, width) for width in widths))
        else:
            yield from ((rows, *rest) for rest in boxes(low, high, widths[1:]))


def triangle(start: int, stop: int) -> Iterator[tuple[Bounds, Bounds]]:
    """The pairs i <= j with start <= j (j + 1) / 2 + i < stop: products of disjoint intervals of j and i, and intervals with themselves.

    >>> list(triangle(0, 6)), list(triangle(1, 5))
    ([((0, 3), (0, 3))], [((1, 2), (0, 1)), ((1, 2), (1, 2)), ((2, 3), (0, 2))])
    """
    (j, i), (l, m) = row(start), row(stop)  # noqa: E741
    if j == l:
        yield (j, j + 1), (i, m)
        return
    if i:
        if i < j:
            yield (j, j + 1), (i, j)
        yield (j, j + 1), (j, j + 1)
        j += 1
    if j < l:
        if j:
            yield (j, l), (0, j)
        yield (j, l), (j, l)
    if m:
        yield (l, l + 1), (0, m)


def row(k: int) -> tuple[int, int]:
    """The pair (j, i), i <= j, with j (j + 1) / 2 + i = k."""
    j = (isqrt(8 * k + 1) - 1) // 2
    return j, k - j * (j + 1) // 2
