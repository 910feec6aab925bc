"""Tensor expressions as sums of open networks: networks whose axes may still be joined, summed, named or reordered.

An *axis* of an expression is a tuple of sizes, because an axis may be a product (what a Kronecker product makes); each size is a
*leg* of every term, and legs are indices of the term's network. A *named* leg is an index variable such as the s of X_{s a}:
products identify legs of one name, a sum over the name closes it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple, Self

from symbolic_circuits.algebra.network import Factor, Network
from symbolic_circuits.algebra.scalar import ONE, Scalar, generator, number, times
from symbolic_circuits.algebra.sums import is_sum, variants
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.errors import BudgetError, ShapeError

__all__ = ["Axis", "Open", "OpenTerm"]

Axis = tuple[SizeName, ...]

MAX_TERMS = 200_000


class OpenTerm(NamedTuple):
    """A scalar times a network with open legs."""

    scalar: Scalar
    factors: tuple[tuple[Tensor, tuple[int, ...]], ...]
    sizes: tuple[SizeName, ...]  # of each index
    legs: tuple[int, ...]  # indices of the legs, axis by axis
    named: tuple[tuple[str, int], ...]  # sorted by name

    def renamed(self, place: Sequence[int], sizes: tuple[SizeName, ...]) -> Self:
        """The same term, index k called place[k]."""
        factors = tuple((tensor, tuple(place[i] for i in indices)) for tensor, indices in self.factors)
        legs = tuple(place[i] for i in self.legs)
        return OpenTerm(self.scalar, factors, sizes, legs, tuple((name, place[i]) for name, i in self.named))

    def united(self, pairs: Iterable[tuple[int, int]]) -> Self:
        """The same term with pairs of indices made one."""
        parent = list(range(len(self.sizes)))

        def find(index: int) -> int:
            while parent[index] != index:
                index = parent[index]
            return index

        for i, j in pairs:
            i, j = find(i), find(j)
            parent[max(i, j)] = min(i, j)
        kept = [k for k in range(len(parent)) if parent[k] == k]
        number_of = {index: k for k, index in enumerate(kept)}
        return self.renamed([number_of[find(k)] for k in range(len(parent))], tuple(self.sizes[k] for k in kept))

    def closed(self) -> Self:
        """The same term without indices that nothing uses: each is a factor of its size."""
        return self.compact()[0]

    def compact(self) -> tuple[Self, list[int]]:
        """The closed term, and the index that each of its indices was."""
        used = {i for _, indices in self.factors for i in indices} | set(self.legs) | {i for _, i in self.named}
        if len(used) == len(self.sizes):
            return self, list(range(len(self.sizes)))
        scalar = self.scalar
        for index, size in enumerate(self.sizes):
            if index not in used:
                scalar = times(scalar, number(size) if isinstance(size, int) else generator(size))
        kept = sorted(used)
        number_of = {index: k for k, index in enumerate(kept)}
        term = self.renamed([number_of.get(k, -1) for k in range(len(self.sizes))], tuple(self.sizes[k] for k in kept))
        return term._replace(scalar=scalar), kept

    def network(self) -> tuple[Network, dict[int, SizeName]]:
        """The network with its legs as output, then its names in order; and the size of each index."""
        output = self.legs + tuple(index for _, index in self.named)
        factors = tuple(Factor(tensor, indices) for tensor, indices in self.factors)
        return Network(factors, output), dict(enumerate(self.sizes))


@dataclass(frozen=True, slots=True)
class Open:
    """A sum of open terms with common axes."""

    axes: tuple[Axis, ...]
    terms: tuple[OpenTerm, ...]

    @classmethod
    def of_tensor(cls, tensor: Tensor, axes: Sequence[Axis] | None = None) -> Self:
        """A tensor; ``axes`` groups its axes, one by one by default. Along an axis that is a sum every part is a tensor of its own."""
        legs = tuple(range(len(tensor.shape)))
        grouped = tuple((size,) for size in tensor.shape) if axes is None else tuple(axes)
        if not any(map(is_sum, tensor.shape)):
            return cls(grouped, (OpenTerm(ONE, ((tensor, legs),), tensor.shape, legs, ()),))
        terms = []
        for sizes, units, words in variants(tensor.shape):
            own = tuple(k for k in legs if not any(k == place for _, (place,) in units))
            part = Tensor(tensor.name + words, tuple(sizes[k] for k in own))
            terms.append(OpenTerm(ONE, ((part, own), *units), sizes, legs, ()))
        return cls(grouped, tuple(terms))

    @classmethod
    def of_scalar(cls, scalar: Scalar) -> Self:
        """A number or symbol."""
        return cls((), (OpenTerm(scalar, (), (), (), ()),) if scalar.rational else ())

    @classmethod
    def of_identity(cls, axis: Axis) -> Self:
        """The identity matrix on an axis."""
        legs = tuple(range(len(axis)))
        return cls((axis, axis), tuple(OpenTerm(ONE, tuple(units), sizes, legs + legs, ()) for sizes, units, _ in variants(axis)))

    @classmethod
    def of_ones(cls, axes: Sequence[Axis]) -> Self:
        """All entries one."""
        legs = tuple(size for axis in axes for size in axis)
        places = tuple(range(len(legs)))
        return cls(tuple(axes), tuple(OpenTerm(ONE, tuple(units), sizes, places, ()) for sizes, units, _ in variants(legs)))

    @property
    def names(self) -> frozenset[str]:
        """The names that are open in some term."""
        return frozenset(name for term in self.terms for name, _ in term.named)

    def spans(self) -> list[range]:
        """The places of each axis among the legs."""
        out, start = [], 0
        for axis in self.axes:
            out.append(range(start, start + len(axis)))
            start += len(axis)
        return out

    def mapped(self, function: Callable[[OpenTerm], OpenTerm], axes: Sequence[Axis]) -> Self:
        """A function applied to every term."""
        return Open(tuple(axes), tuple(map(function, self.terms)))

    def scaled(self, scalar: Scalar) -> Self:
        """A scalar multiple."""
        if not scalar.rational:
            return Open(self.axes, ())
        return self.mapped(lambda term: term._replace(scalar=times(term.scalar, scalar)), self.axes)

    def negated(self) -> Self:
        """Minus this."""
        return self.scaled(number(Fraction(-1)))

    def plus(self, other: Self) -> Self:
        """The sum; both have the same axes."""
        if self.axes != other.axes:
            raise ShapeError(f"a sum of shapes {show_axes(self.axes)} and {show_axes(other.axes)}")
        require_budget(len(self.terms) + len(other.terms))
        return Open(self.axes, self.terms + other.terms)

    def outer(self, other: Self) -> Self:
        """All axes of this, then those of the other; legs of one name are one."""
        require_budget(len(self.terms) * len(other.terms))
        return Open(self.axes + other.axes, tuple(joined(a, b) for a in self.terms for b in other.terms))

    def identified(self, i: int, j: int) -> Self:
        """Axes i and j made one, which stands at i."""
        require_equal(self.axes[i], self.axes[j])
        spans = self.spans()
        gone = set(spans[j])

        kept = [axis for k, axis in enumerate(self.axes) if k != j]
        pairs = list(zip(spans[i], spans[j], strict=True))
        out = []
        for term in self.terms:
            met = [(term.legs[a], term.legs[b]) for a, b in pairs]
            if all(term.sizes[a] == term.sizes[b] for a, b in met):  # places in different parts of a sum never meet
                term = term.united(met)
                out.append(term._replace(legs=tuple(leg for k, leg in enumerate(term.legs) if k not in gone)))
        return Open(tuple(kept), tuple(out))

    def summed(self, *axes: int) -> Self:
        """The sum over whole axes."""
        spans = self.spans()
        gone = {place for k in axes for place in spans[k]}
        dropped = lambda term: term._replace(legs=tuple(x for k, x in enumerate(term.legs) if k not in gone)).closed()  # noqa: E731
        return self.mapped(dropped, [axis for k, axis in enumerate(self.axes) if k not in axes])

    def contracted(self, i: int, j: int) -> Self:
        """The sum over axes i and j taken together."""
        first = min(i, j)
        return self.identified(first, max(i, j)).summed(first)

    def permuted(self, order: Sequence[int]) -> Self:
        """The axes in another order."""
        places = [place for k in order for place in self.spans()[k]]
        return self.mapped(lambda term: term._replace(legs=tuple(term.legs[p] for p in places)), [self.axes[k] for k in order])

    def grouped(self, axes: Sequence[Axis]) -> Self:
        """The same legs as other axes: merge or split products."""
        return Open(tuple(axes), self.terms)

    def with_name(self, axis: int, name: str) -> Self:
        """An axis turned into a name; where the name is open already the two are one."""
        span = self.spans()[axis]
        if len(span) != 1:
            raise ShapeError(f"the index {name} runs along an axis that is a product of sizes {show_axes([self.axes[axis]])}")

        def named(term: OpenTerm) -> OpenTerm:
            leg = term.legs[span[0]]
            legs = tuple(x for k, x in enumerate(term.legs) if k != span[0])
            known = dict(term.named)
            if name in known:
                require_equal((term.sizes[known[name]],), (term.sizes[leg],))
                return term._replace(legs=legs).united([(known[name], leg)])
            return term._replace(legs=legs, named=tuple(sorted([*term.named, (name, leg)])))

        return self.mapped(named, [a for k, a in enumerate(self.axes) if k != axis])

    def sum_over_name(self, name: str, size: SizeName) -> Self:
        """The sum over a name; a term that does not use it is multiplied by the size."""

        def closed(term: OpenTerm) -> OpenTerm:
            known = dict(term.named)
            if name not in known:
                return term._replace(scalar=times(term.scalar, number(size) if isinstance(size, int) else generator(size)))
            if term.sizes[known[name]] != size:
                raise ShapeError(
                    f"the sum over {name} has {size} values, but the index runs along an axis of size {term.sizes[known[name]]}"
                )
            return term._replace(named=tuple(pair for pair in term.named if pair[0] != name)).closed()

        return self.mapped(closed, self.axes)


def joined(left: OpenTerm, right: OpenTerm) -> OpenTerm:
    """The product of two terms; legs of one name become one."""
    shift = len(left.sizes)
    moved = right.renamed(range(shift, shift + len(right.sizes)), right.sizes)
    known = dict(left.named)
    pairs = [(known[name], index) for name, index in moved.named if name in known]
    for i, j in pairs:
        require_equal((left.sizes[i],), (right.sizes[j - shift],))
    named = tuple(sorted([*left.named, *(pair for pair in moved.named if pair[0] not in known)]))
    scalar, factors = times(left.scalar, right.scalar), left.factors + moved.factors
    term = OpenTerm(scalar, factors, left.sizes + right.sizes, left.legs + moved.legs, named)
    return term.united(pairs) if pairs else term


def require_equal(left: Axis, right: Axis) -> None:
    """Axes that meet have the same sizes."""
    if left != right:
        raise ShapeError(f"an axis of size {show_axes([left])} meets an axis of size {show_axes([right])}")


def require_budget(count: int) -> None:
    """Raise BudgetError before so many terms are made."""
    if count > MAX_TERMS:
        raise BudgetError(f"multiplying out would make {count} terms; the limit is {MAX_TERMS}")


def show_axes(axes: Iterable[Axis]) -> str:
    """Sizes for an error message: ``n*d x d``."""
    return " x ".join("*".join(map(str, axis)) or "1" for axis in axes) or "scalar"
