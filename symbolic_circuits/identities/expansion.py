r"""SymPy trees multiplied out naively into raw terms, c * sum over indices of prod_f T_f[indices], and compared with a certificate.

This is a reading of the trees of its own, independent of the one that proofs are made with: entries by definition
(:mod:`symbolic_circuits.identities.expansion_entries`), equations between indices solved afterwards, term by term. An axis that is
split in one place is split alike in all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple, TypeAlias

from sympy import Expr, Integer, Symbol, factorint

from symbolic_circuits.errors import CertificateError, ShapeError
from symbolic_circuits.identities.checker_data import Axes, Scalar, Size, Term, fail, scalar, size_scalar, times, unit_place
from symbolic_circuits.identities.checker_reading import to_certificate
from symbolic_circuits.identities.expansion_entries import Walk, entries, shape_of
from symbolic_circuits.identities.expansion_indices import Bindings, Entry, Index

__all__ = ["evaluate", "matches_statement", "raw_terms"]

MAX_TRIES = 200_000  # pairs of factors tried in one comparison

Values: TypeAlias = dict[tuple[int, ...], dict[tuple[tuple[str, Fraction], ...], Fraction]]


class Expanded(NamedTuple):
    """Expressions multiplied out."""

    sides: tuple[tuple[Term, ...], ...]
    tensors: Mapping[str, Axes]  # the parts that each axis is split into


class Solved(NamedTuple):
    """A term, its output, and its equations solved."""

    entry: Entry
    output: tuple[Index, ...]
    bindings: Bindings

    def places(self) -> Iterator[tuple[tuple, Index]]:
        """The axes that must be split alike in all terms."""
        yield from ((("output", k), index) for k, index in enumerate(self.output))
        yield from ((("name", name), index) for name, index in self.entry.names)
        for name, axes in self.entry.factors:
            yield from ((("tensor", name, k), index) for k, index in enumerate(axes) if unit_place(name) is None)


def raw_terms(*exprs: Expr) -> list[tuple[Term, ...]]:
    """The terms of each expression, multiplied out: identities fused, indices that nothing uses as factors of their size.

    Parameters
    ----------
    exprs : expressions of one shape, which are to be compared: composite axes are split alike in all of them

    Raises
    ------
    UnsupportedNodeError
        A node has no rule; the message names it.
    ShapeError
        Sizes that meet differ, an axis is split in two ways, or an open index is not in every term.

    Examples
    --------
    >>> from sympy import Identity, MatrixSymbol, Symbol
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> [terms] = raw_terms((A + Identity(n)) * B)
    >>> [(term.factors, term.output) for term in terms]
    [((('B', (0, 1)),), (0, 1)), ((('A', (0, 1)), ('B', (1, 2))), (0, 2))]
    """
    return list(expanded(exprs).sides)


def expanded(exprs: Sequence[Expr]) -> Expanded:
    """Expressions multiplied out, their composite axes split alike."""
    walk = Walk()
    sides: list[list[Solved]] = []
    for expr in exprs:
        output = tuple(walk.fresh(size) for size in shape_of(expr))
        sides.append([solved(term, output) for term in entries(expr, output, walk)])
    every = [term for side in sides for term in side]
    if len({len(shape_of(expr)) for expr in exprs}) > 1:
        raise ShapeError(f"the expressions have the shapes {', '.join(str(shape_of(expr)) for expr in exprs)}")
    open_names = {frozenset(name for name, _ in term.entry.names) for term in every}
    if len(open_names) > 1:
        some = sorted(frozenset.union(*open_names) - frozenset.intersection(*open_names))
        raise ShapeError(f"the open index {some[0]} is not in every term")
    split = split_alike(every, walk)
    tensors = {}
    for name, shape in walk.tensors.items():
        found = (split.get(("tensor", name, k), factors_of(size)) for k, size in enumerate(shape))
        tensors[name] = tuple(tuple(map(size_name, sizes)) for sizes in found)
    return Expanded(tuple(tuple(map(to_raw, side)) for side in sides), tensors)


def solved(entry: Entry, output: tuple[Index, ...]) -> Solved:
    """A term with its equations solved; one that cannot be solved yet waits for others, which may split its variables."""
    bindings = Bindings()
    waiting = list(entry.equations)
    while waiting:
        later = []
        for left, right in waiting:
            try:
                bindings.unify(left, right)
            except ShapeError:
                later.append((left, right))
        if len(later) == len(waiting):
            bindings.unify(*later[0])
        waiting = later
    names: dict[str, Index] = {}
    for name, index in entry.names:
        bindings.unify(names.setdefault(name, index), index)
    return Solved(entry._replace(names=tuple(sorted(names.items()))), output, bindings)


def split_alike(terms: Sequence[Solved], walk: Walk) -> dict[tuple, tuple[Expr, ...]]:
    """Split axes in each term as they are split in others, until nothing changes; the sizes of the parts of each axis.

    An axis of size n d that is split nowhere is a pair of indices in any case, one for each factor of its size.
    """
    while True:
        finest: dict[tuple, tuple[Expr, ...]] = {}
        for term in terms:
            for key, index in term.places():
                sizes = tuple(variable.size for variable in term.bindings.resolve(index))
                if key not in finest or len(sizes) > len(finest[key]):
                    finest[key] = sizes
        changed = False
        for term in terms:
            for key, index in term.places():
                if tuple(variable.size for variable in term.bindings.resolve(index)) != finest[key]:
                    term.bindings.unify(index, sum((walk.fresh(size) for size in finest[key]), ()))
                    changed = True
        if changed:
            continue
        for term in terms:
            for variable in {v: None for index in indices_of(term) for v in term.bindings.resolve(index)}:
                sizes = factors_of(variable.size)
                if len(sizes) > 1:
                    term.bindings.parts[variable] = sum((walk.fresh(size) for size in sizes), ())
                    changed = True
        if not changed:
            return finest


def factors_of(size: Expr) -> tuple[Expr, ...]:
    """The symbols and the number that a size is a product of, by name; the size itself where it is not one; none for 1."""
    powers = sorted(size.as_powers_dict().items(), key=lambda item: str(item[0]))
    if isinstance(size, Integer) or not all(
        isinstance(b, Symbol | Integer) and isinstance(e, Integer) and e > 0 for b, e in powers
    ):
        return (size,) if size != 1 else ()
    return tuple(base for base, exponent in powers for _ in range(int(exponent)) if base != 1)


def indices_of(term: Solved) -> list[Index]:
    """All indices of a term, as they were before its equations were solved."""
    entry = term.entry
    legs = [index for _, axes in entry.factors for index in axes]
    return [*legs, *term.output, *(index for _, index in entry.names), *entry.summed]


def to_raw(term: Solved) -> Term:
    """A solved term with numbered indices."""
    number: dict[object, int] = {}
    sizes: list[Size] = []

    def numbered(index: Index) -> tuple[int, ...]:
        for variable in term.bindings.resolve(index):
            if variable not in number:
                number[variable] = len(sizes)
                sizes.append(size_name(variable.size))
        return tuple(number[variable] for variable in term.bindings.resolve(index))

    factors = []
    for name, axes in term.entry.factors:
        legs = sum((numbered(axis) for axis in axes), ())
        if unit_place(name) is not None and len(legs) != 1:
            raise ShapeError(f"{name} stands on an axis that is a product")
        factors.append((name, legs))
    output = sum((numbered(index) for index in term.output), ())
    for name, index in term.entry.names:
        if len(numbered(index)) != 1:
            raise ShapeError(f"the index {name} runs along an axis that is a product")
    names = tuple((name, numbered(index)[0]) for name, index in term.entry.names)
    unused = {
        v: size_scalar(size_name(v.size)) for index in term.entry.summed for v in term.bindings.resolve(index) if v not in number
    }
    value = term.entry.scalar
    for size in unused.values():  # a sum of 1 over the index
        value = times(value, size)
    return Term(value, tuple(factors), tuple(sizes), output, names)


def size_name(size: Expr) -> Size:
    """A size as a certificate has it; the text of one that is neither number nor symbol."""
    return int(size) if isinstance(size, Integer) else size.name if isinstance(size, Symbol) else str(size)


# --- comparison with a certificate ------------------------------------------------------------------------------------


def matches_statement(lhs: Expr, rhs: Expr, certificate: dict) -> None:
    """Check that a certificate speaks of these expressions: its statement's terms are theirs, up to order and names of indices.

    Parameters
    ----------
    lhs, rhs : SymPy expressions of one shape
    certificate : as read from JSON

    Raises
    ------
    CertificateError
        A term of an expression is not in the statement, or the other way round; or a tensor has other axes there.

    Examples
    --------
    >>> from sympy import MatrixSymbol
    >>> A = MatrixSymbol("A", 2, 2)
    >>> def term(*indices):
    ...     return {"coefficient": ["1", {}], "factors": [["A", indices]], "sizes": [2, 2], "output": [0, 1], "names": []}
    >>> statement = {"lhs": [term(0, 1)], "rhs": [term(1, 0)], "tensors": {"A": [[2], [2]]}}
    >>> certificate = {"format": "symbolic_circuits certificate", "version": 1, "derived": [], "terms": [], "classes": [],
    ...     "vanishing": [], "statement": statement | {"definitions": {}, "laws": [], "rules": []}}
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
    for side, terms, stated in (("lhs", found.sides[0], claim.lhs), ("rhs", found.sides[1], claim.rhs)):
        require_equal_terms(f"side {side}", terms, [compacted(term) for term in stated])


def compacted(term: Term) -> Term:
    """A term of a statement as raw terms are written here: indices that nothing uses are factors of their size."""
    used = {i for _, indices in term.factors for i in indices} | set(term.output) | {i for _, i in term.names}
    value = term.scalar
    for index, size in enumerate(term.sizes):
        if index not in used:
            value = times(value, size_scalar(size))
    return term._replace(scalar=value)


def require_equal_terms(where: str, terms: Sequence[Term], stated: Sequence[Term]) -> None:
    """The terms are the stated ones in some order; equality is an equivalence, so that the first equal one will do."""
    left: dict[tuple, list[int]] = {}
    for k, term in enumerate(stated):
        left.setdefault(outline(term), []).append(k)
    tries = [MAX_TRIES]
    for k, term in enumerate(terms):
        candidates = sorted(left.get(outline(term), []), key=lambda other: (other != k, other))
        match = next((other for other in candidates if is_renamed(term, stated[other], tries)), None)
        if match is None:
            fail(f"{where}, term {k} of the expression", "no term of the statement is equal to it")
        left[outline(term)].remove(match)
    rest = [k for group in left.values() for k in group]
    if rest:
        fail(f"{where}, term {min(rest)} of the statement", "no term of the expression is equal to it")


def outline(term: Term) -> tuple:
    """What equal terms have in common, whatever their indices are called."""
    sizes = tuple(term.sizes[i] for i in term.output)
    names = tuple((name, term.sizes[i]) for name, i in term.names)
    return term.scalar, tuple(sorted((name, len(set(indices))) for name, indices in term.factors)), sizes, names


def is_renamed(term: Term, other: Term, tries: list[int]) -> bool:
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
            tries[0] -= 1
            if tries[0] < 0:
                raise CertificateError("the terms of the expression and of the statement take too long to compare")
            if other.factors[candidate][0] != name or len(other.factors[candidate][1]) != len(indices):
                continue
            new = (dict(bijection[0]), dict(bijection[1]))
            if extended(new, zip(indices, other.factors[candidate][1], strict=True), term, other):
                waiting.append((new, tuple(k for k in mine if k != place), tuple(k for k in theirs if k != candidate)))
    return False


def extended(bijection: tuple[dict[int, int], dict[int, int]], pairs: Iterable[tuple[int, int]], term: Term, other: Term) -> bool:
    """Whether pairs of indices fit a bijection and their sizes agree; they are put into it."""
    there, back = bijection
    return all(there.setdefault(a, b) == b and back.setdefault(b, a) == a and term.sizes[a] == other.sizes[b] for a, b in pairs)


# --- values -----------------------------------------------------------------------------------------------------------


def evaluate(terms: Iterable[Term], arrays: Mapping[str, object], sizes: Mapping[str, int]) -> Values:
    """The exact value of a sum of terms, by explicit loops over all indices; for small sizes.

    Parameters
    ----------
    terms : as ``raw_terms`` gives them
    arrays : nested sequences of integers or fractions for each tensor, of the shape of its axes or of their parts
    sizes : the value of each size and scalar symbol

    Returns
    -------
    For each output index (then named ones, by name) that has a nonzero value: radical -> rational, that of () being rational;
    3 + 2 sqrt(5) is ``{(): 3, (("5", 1/2),): 2}``.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol, sqrt
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A = MatrixSymbol("A", n, n)
    >>> [terms] = raw_terms(A * A / sqrt(n))
    >>> evaluate(terms, {"A": [[1, 1], [0, 1]]}, {"n": 2})[0, 1]
    {(('2', Fraction(1, 2)),): Fraction(1, 1)}
    """
    flat = {name: flattened(array) for name, array in arrays.items()}
    total: Values = {}
    for term in terms:
        lengths = [size if isinstance(size, int) else int(sizes[size]) for size in term.sizes]
        value = at_sizes(term.scalar, sizes)
        places = term.output + tuple(index for _, index in term.names)
        for at in product(*map(range, lengths)):
            entry = value.rational
            for name, indices in term.factors:
                entry *= factor_value(name, indices, at, lengths, flat)
            place = total.setdefault(tuple(at[index] for index in places), {})
            place[value.powers] = place.get(value.powers, Fraction(0)) + entry
    kept = {at: {radical: entry for radical, entry in place.items() if entry} for at, place in total.items()}
    return {at: place for at, place in sorted(kept.items()) if place}


def factor_value(
    name: str, indices: Sequence[int], at: Sequence[int], lengths: Sequence[int], flat: Mapping[str, Sequence[Fraction]]
) -> Fraction:
    """The entry of a tensor, row-major in its legs; of a unit vector 1 at its place."""
    unit = unit_place(name)
    if unit is not None:
        return Fraction(at[indices[0]] == unit)
    place = 0
    for index in indices:
        place = place * lengths[index] + at[index]
    return flat[name][place]


def flattened(array: object) -> list[Fraction]:
    """The entries of a nested sequence, row-major."""
    if getattr(array, "shape", None) == ():
        return [Fraction(array[()])]
    return [entry for part in array for entry in flattened(part)] if hasattr(array, "__len__") else [Fraction(array)]


def at_sizes(value: Scalar, sizes: Mapping[str, int | Fraction]) -> Scalar:
    """A scalar with numbers for its symbols."""
    out = scalar(value.rational)
    for name, exponent in value.powers:
        number = Fraction(int(name) if name.isdigit() else sizes[name])
        if exponent.denominator == 1:
            out = times(out, scalar(number ** int(exponent)))
            continue
        for sign, part in ((1, number.numerator), (-1, number.denominator)):
            for prime, count in factorint(part).items():
                out = times(out, scalar(1, {str(prime): sign * count * exponent}))
    return out
