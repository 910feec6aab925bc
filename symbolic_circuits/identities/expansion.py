r"""Whether a certificate speaks of two SymPy trees: the terms of its statement are those of the trees, up to names of indices and order.

The trees are multiplied out by a reading of their own (:mod:`symbolic_circuits.identities.expansion_terms`), independent of the one
that proofs are made with. Function nodes are the same if they have one function and their arguments have the same terms, leg by leg
in some order of the legs.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import permutations
from math import factorial

from sympy import Expr

from symbolic_circuits.errors import CertificateError
from symbolic_circuits.identities.checker_data import Node, Term, fail, size_scalar, times, unit_place
from symbolic_circuits.identities.checker_reading import to_certificate
from symbolic_circuits.identities.expansion_terms import expanded, raw_terms
from symbolic_circuits.identities.expansion_values import evaluate

__all__ = ["evaluate", "matches_statement", "raw_terms"]

MAX_TRIES = 200_000  # pairs of factors tried in one comparison
MAX_ORDERS = 720  # of the legs of a function node

Order = tuple[int, ...]


def matches_statement(lhs: Expr, rhs: Expr, certificate: dict) -> None:
    """Check that a certificate speaks of these expressions: its statement's terms are theirs, up to order and names of indices.

    Parameters
    ----------
    lhs, rhs : SymPy expressions of one shape
    certificate : as read from JSON

    Raises
    ------
    CertificateError
        A term of an expression is not in the statement, or the other way round; or a tensor has other axes there, or is not said
        to be the inverse that it is in the expressions.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A = MatrixSymbol("A", 2, 2)
    >>> def term(*indices):
    ...     return {"coefficient": ["1", {}], "factors": [["A", indices]], "sizes": [2, 2], "output": [0, 1], "names": []}
    >>> statement = {"lhs": [term(0, 1)], "rhs": [term(1, 0)], "tensors": {"A": [[2], [2]]}}
    >>> certificate = {"format": "symbolic_circuits certificate", "version": 1, "derived": [], "terms": [], "classes": [],
    ...     "vanishing": [], "functions": [], "statement": statement | {"definitions": {}, "laws": [], "rules": []}}
    >>> matches_statement(A, A.T, certificate)
    >>> matches_statement(A, A, certificate)
    Traceback (most recent call last):
    ...
    symbolic_circuits.errors.CertificateError: side rhs, term 0 of the expression: no term of the statement is equal to it
    """
    claim = to_certificate(certificate).claim
    found = expanded((lhs, rhs))
    for name, axes in found.tensors.items():
        if claim.tensors.get(name) != axes:
            fail(
                f"the tensor {name}",
                f"its axes are {axes} in the expressions; in the statement {claim.tensors.get(name, 'it is not')}",
            )
    for inverse, name in found.inverses.items():
        if (name, f"inverse({inverse})") not in claim.laws:
            fail(f"the tensor {inverse}", f"the statement does not say that it is the inverse of {name}")
    comparison = Comparison(found.nodes, claim.nodes)
    for side, terms, stated in (("lhs", found.sides[0], claim.lhs), ("rhs", found.sides[1], claim.rhs)):
        missing = comparison.first_unequal(terms, stated)
        if missing is not None:
            fail(f"side {side}, term {missing[1]} of the {missing[0]}", f"no term of the {missing[2]} is equal to it")


def compacted(terms: Iterable[Term]) -> Iterator[Term]:
    """Terms of a statement as raw terms are written here, without those that are held at two places.

    Indices that nothing uses are factors of their size; an index that a unit vector holds has it once, and none where nothing else
    uses the index.
    """
    for term in terms:
        places: dict[int, int] = {}
        factors = [factor for factor in term.factors if unit_place(factor[0]) is None]
        used = {i for _, indices in factors for i in indices} | set(term.output) | {i for _, i in term.names}
        held = [(unit_place(name), indices[0]) for name, indices in term.factors if unit_place(name) is not None]
        if any(places.setdefault(index, place) != place for place, index in held):
            continue
        value = term.scalar
        for index, size in enumerate(term.sizes):
            if index not in used and index not in places:
                value = times(value, size_scalar(size))
        units = tuple((f"unit {place}", (index,)) for index, place in places.items() if index in used)
        yield term._replace(scalar=value, factors=(*factors, *units))


@dataclass
class Comparison:
    """Terms of expressions compared with those of a statement, whose function nodes have other names."""

    mine: Mapping[str, Node]
    theirs: Mapping[str, Node]
    known: dict[tuple[str, str], list[Order]] = field(default_factory=dict)
    tries: int = MAX_TRIES

    def first_unequal(self, terms: Iterable[Term], stated: Iterable[Term]) -> tuple[str, int, str] | None:
        """The first term that has no equal one among the others; equality is an equivalence, so that the first equal one will do."""
        terms, stated = list(compacted(terms)), list(compacted(stated))
        left: dict[tuple, list[int]] = {}
        for k, term in enumerate(stated):
            left.setdefault(outline(term, self.theirs), []).append(k)
        for k, term in enumerate(terms):
            own = outline(term, self.mine)
            candidates = sorted(left.get(own, []), key=lambda other: (other != k, other))
            match = next((other for other in candidates if self.is_renamed(term, stated[other])), None)
            if match is None:
                return "expression", k, "statement"
            left[own].remove(match)
        rest = [k for group in left.values() for k in group]
        return ("statement", min(rest), "expression") if rest else None

    def orders(self, name: str, other: str) -> list[Order | None]:
        """The orders of the legs of one factor in which it is another one; None is the order as it is."""
        if name not in self.mine or other not in self.theirs:
            return [None] if name == other and name not in self.mine and other not in self.theirs else []
        if (name, other) not in self.known:
            self.known[name, other] = [order for order in self.possible(name, other) if self.is_same(name, other, order)]
        return self.known[name, other]

    def possible(self, name: str, other: str) -> Iterator[Order]:
        """The orders of the legs of a node in which they have the sizes of those of another one; rows keep their last leg."""
        one, two = self.mine[name], self.theirs[other]
        count = len(one.sizes)
        if (one.function, one.rows, count) != (two.function, two.rows, len(two.sizes)):
            return
        moving = count - one.rows
        if factorial(moving) > MAX_ORDERS:
            raise CertificateError(f"the function node {other} has more legs than are compared")
        for first in permutations(range(moving)):
            order = (*first, *range(moving, count))
            if tuple(one.sizes[leg] for leg in order) == two.sizes:
                yield order

    def is_same(self, name: str, other: str, order: Order) -> bool:
        """Whether the argument of one node, its outputs in this order, is that of another."""
        moved = [term._replace(output=tuple(term.output[leg] for leg in order)) for term in self.mine[name].argument]
        return self.first_unequal(moved, self.theirs[other].argument) is None

    def is_renamed(self, term: Term, other: Term) -> bool:
        """Whether a bijection of indices makes one term the other: factors are matched one by one, those with known indices first."""
        bijection: tuple[dict[int, int], dict[int, int]] = ({}, {})
        ends = zip(term.output + tuple(i for _, i in term.names), other.output + tuple(i for _, i in other.names), strict=True)
        if not extended(bijection, ends, term, other):
            return False
        waiting = [(bijection, tuple(range(len(term.factors))), tuple(range(len(other.factors))))]
        while waiting:
            bijection, mine, theirs = waiting.pop()
            if not mine:
                return True
            place = max(mine, key=lambda k: (sum(i in bijection[0] for i in term.factors[k][1]), -k))
            name, indices = term.factors[place]
            for candidate in sorted(theirs, key=lambda k: (k != place, k), reverse=True):  # the last one is tried first
                self.tries -= 1
                if self.tries < 0:
                    raise CertificateError("the terms of the expression and of the statement take too long to compare")
                their_name, their_indices = other.factors[candidate]
                if len(their_indices) != len(indices):
                    continue
                for order in reversed(self.orders(name, their_name)):
                    new = (dict(bijection[0]), dict(bijection[1]))
                    read = indices if order is None else tuple(indices[leg] for leg in order)
                    if extended(new, zip(read, their_indices, strict=True), term, other):
                        waiting.append((new, tuple(k for k in mine if k != place), tuple(k for k in theirs if k != candidate)))
        return False


def outline(term: Term, nodes: Mapping[str, Node]) -> tuple:
    """What equal terms have in common, whatever their indices and function nodes are called."""
    sizes = tuple(term.sizes[i] for i in term.output)
    names = tuple((name, term.sizes[i]) for name, i in term.names)
    kinds = ((f"function {nodes[name].function}" if name in nodes else name, len(set(legs))) for name, legs in term.factors)
    return term.scalar, tuple(sorted(kinds)), sizes, names


def extended(bijection: tuple[dict[int, int], dict[int, int]], pairs: Iterable[tuple[int, int]], term: Term, other: Term) -> bool:
    """Whether pairs of indices fit a bijection and their sizes agree; they are put into it."""
    there, back = bijection
    return all(there.setdefault(a, b) == b and back.setdefault(b, a) == a and term.sizes[a] == other.sizes[b] for a, b in pairs)
