r"""Trees that are equal but for the names of bound symbols: sum_h A^h X and sum_g A^g X, with h -> g."""

from collections.abc import Iterator, Sequence

from sympy import Add, HadamardProduct, MatMul, Mul, Symbol
from sympy.core.basic import Basic

from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["renaming"]

Names = dict[Symbol, Symbol]
MAX_TRIES = 20_000


def renaming(left: Basic, right: Basic) -> tuple[tuple[Symbol, Symbol], ...] | None:
    """The symbols that the outermost sum of ``left`` binds, each with the one that it is in ``right``, in the order of ``right``.

    None where the two are not sums that differ by names alone.

    >>> from sympy import MatrixSymbol, symbols
    >>> h, g, n = symbols("h g n")
    >>> A = MatrixSymbol("A", 4, 4)
    >>> renaming(IndexSum(A[h, n] * A[h, h], (h, 0, 3)), IndexSum(A[g, n] * A[g, g], (g, 0, 3)))
    ((h, g),)
    """
    if not isinstance(left, MatrixSum | IndexSum) or left.func != right.func or len(left.limits) != len(right.limits):
        return None
    ends_of = {limit[0]: limit[1:] for limit in right.limits}
    for names in matches(left.body, right.body, {}, set(left.bound_symbols), set(right.bound_symbols), Tries()):
        limits = {new: limit for limit in left.limits if (new := names.get(limit[0])) is not None}
        if set(limits) == set(ends_of) and all(tuple(limits[new][1:]) == tuple(ends_of[new]) for new in limits):
            return tuple((limits[new][0], new) for new in right.bound_symbols)
    return None


class Tries:
    """A count of comparisons, so that trees of many equal factors do not take for ever."""

    def __init__(self) -> None:
        self.left = MAX_TRIES

    def spent(self) -> bool:
        """Whether there were too many."""
        self.left -= 1
        return self.left < 0


def matches(left: Basic, right: Basic, names: Names, bound: set[Symbol], others: set[Symbol], tries: Tries) -> Iterator[Names]:
    """The ways to name the bound symbols so that the trees agree."""
    if tries.spent():
        return
    if isinstance(left, Symbol) and left in bound:
        if names.get(left, right) == right and right in others and all(names.get(k) != right or k == left for k in names):
            yield names | {left: right}
        return
    if left.func != right.func or len(left.args) != len(right.args):
        return
    if not left.args:
        if left == right:
            yield names
        return
    if isinstance(left, Mul | Add | HadamardProduct) and not isinstance(left, MatMul):
        yield from in_any_order(left.args, right.args, names, bound, others, tries)
    else:
        yield from in_order(left.args, right.args, names, bound, others, tries)


def in_order(
    left: Sequence[Basic], right: Sequence[Basic], names: Names, bound: set[Symbol], others: set[Symbol], tries: Tries
) -> Iterator[Names]:
    """Arguments agree one by one."""
    if not left:
        yield names
        return
    for found in matches(left[0], right[0], names, bound, others, tries):
        yield from in_order(left[1:], right[1:], found, bound, others, tries)


def in_any_order(
    left: Sequence[Basic], right: Sequence[Basic], names: Names, bound: set[Symbol], others: set[Symbol], tries: Tries
) -> Iterator[Names]:
    """Arguments agree in some order."""
    if not left:
        yield names
        return
    for place, candidate in enumerate(right):
        for found in matches(left[0], candidate, names, bound, others, tries):
            yield from in_any_order(left[1:], (*right[:place], *right[place + 1 :]), found, bound, others, tries)
