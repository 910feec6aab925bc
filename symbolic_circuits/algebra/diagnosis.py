r"""The diagnosis of a false statement: single edits of one term that make it provable, the likeliest first.

| edit | of a term |
| --- | --- |
| coefficient | another factor: 2, 1/2, a sign; 0 removes a term that is there too much |
| missing term | a term made of factors that are there already is added |
| transpose | two axes of one factor change places |
| output | two axes of the output change places |
| factors | two factors of one shape change places |
| indices | two axes of one size, of different factors, exchange their indices |
| index | one axis takes the index of another |
| tensor | a factor is another tensor of its shape |
| symmetrise | B becomes (B + B^T)/2 in two of its axes |

Only the normal form of the edited term is computed: the other terms stay what they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations

from symbolic_circuits.algebra.normal_form import normal_form, replace_sides
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Key
from symbolic_circuits.algebra.scalar import ONE, exact_text, number, times
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.units import is_unit

__all__ = ["Edit", "diagnosis"]

MAX_EDITS = 4_000
HALF = number(Fraction(1, 2))

Sum = dict[Key, Fraction]


@dataclass(frozen=True, eq=False)
class Edit:
    """An edit after which the statement is proved."""

    kind: str
    side: str  # "lhs" or "rhs"
    term: int  # number of the term in that side; for a missing term, the number it gets
    words: str
    statement: Statement  # as edited

    def __str__(self) -> str:
        return f"{self.side}, term {self.term}: {self.words}"


@dataclass(frozen=True, eq=False)
class Diagnosing:
    """A statement and what is left of it."""

    statement: Statement

    @cached_property
    def residue(self) -> Sum:
        """lhs - rhs, collected."""
        return dict(normal_form(self.statement).residue.terms)

    def value(self, *terms: OpenTerm) -> Sum:
        """The normal form of some terms."""
        side = Open(self.statement.lhs.axes, terms)
        return dict(normal_form(replace_sides(self.statement, side, Open(side.axes, ()))).residue.terms)

    def edited(self, side: str, place: int, terms: tuple[OpenTerm, ...]) -> Statement:
        """The statement with a term replaced; ``place`` one beyond the last adds it."""
        old: Open = getattr(self.statement, side)
        new = Open(old.axes, old.terms[:place] + terms + old.terms[place + 1 :])
        return replace_sides(self.statement, *((new, self.statement.rhs) if side == "lhs" else (self.statement.lhs, new)))


def diagnosis(statement: Statement, *, limit: int = 5) -> list[Edit]:
    """Up to ``limit`` single edits that make a statement provable, the likeliest first.

    Empty where no single edit does, and where the statement is proved already.
    """
    work = Diagnosing(statement)
    found: list[Edit] = []
    if not work.residue:
        return found
    for edit in edits(work):
        if not Diagnosing(edit.statement).value(*edit.statement.lhs.terms):
            continue  # 0 = 0 corrects nothing
        found.append(edit)
        if len(found) == limit:
            break
    return found


def edits(work: Diagnosing) -> Iterator[Edit]:
    """All edits that help, kind by kind."""
    sides = [("rhs", -1), ("lhs", 1)]
    yield from coefficient_edits(work, sides)
    tried, seen = 0, set()
    for generator in (transposes, outputs, factor_swaps, symmetrised, index_swaps, tensors, rewired):
        for side, sign in sides:
            for place, term in enumerate(getattr(work.statement, side).terms):
                needed = None
                for kind, words, edited in generator(work, term):
                    terms = [new.closed() for new in edited]  # an index that nothing uses any more is a factor of its size
                    tried += 1
                    if tried > MAX_EDITS:
                        return
                    if needed is None:
                        needed = minus(work.value(term), scaled(work.residue, sign))
                    value = work.value(*terms)
                    mark = (side, place, tuple(sorted(value.items(), key=lambda pair: str(pair[0]))))
                    if value == needed and mark not in seen:
                        seen.add(mark)
                        yield Edit(kind, side, place, words, work.edited(side, place, tuple(terms)))
        if generator is symmetrised:
            yield from missing_terms(work, sides)


def scaled(value: Sum, factor: Fraction | int) -> Sum:
    """A multiple."""
    return {key: factor * coefficient for key, coefficient in value.items()}


def minus(left: Sum, right: Sum) -> Sum:
    """A difference."""
    out = dict(left)
    for key, coefficient in right.items():
        out[key] = out.get(key, Fraction(0)) - coefficient
    return {key: coefficient for key, coefficient in out.items() if coefficient}


def ratio(value: Sum, other: Sum) -> Fraction | None:
    """The number r with value = r other."""
    if not other or value.keys() != other.keys():
        return None
    key = next(iter(other))
    found = value[key] / other[key]
    return found if value == scaled(other, found) else None


def coefficient_edits(work: Diagnosing, sides: list[tuple[str, int]]) -> Iterator[Edit]:
    """A term with another coefficient, or removed; small changes first."""
    found = []
    for side, sign in sides:
        for place, term in enumerate(getattr(work.statement, side).terms):
            part = ratio(work.residue, work.value(term))
            if part is None:
                continue
            factor = 1 - sign * part
            words = "remove it" if not factor else "change its sign" if factor == -1 else f"multiply it by {factor}"
            terms = (term._replace(scalar=times(term.scalar, number(factor))),) if factor else ()
            rank = (factor != 0 and factor not in (-1, 2, Fraction(1, 2)), complexity(term.scalar.rational, factor))
            found.append(
                (rank, Edit("coefficient" if factor else "extra term", side, place, words, work.edited(side, place, terms)))
            )
    yield from (edit for _, edit in sorted(found, key=lambda pair: pair[0]))


def complexity(coefficient: Fraction, factor: Fraction) -> tuple[Fraction, Fraction]:
    """How much less simple a coefficient becomes: 1 is simplest, then other positive numbers."""

    def size(value: Fraction) -> Fraction:
        return Fraction(abs(value.numerator) + value.denominator + (value < 0))

    new = coefficient * factor
    return (size(new) if new else Fraction(0)) - size(coefficient), size(factor)


def missing_terms(work: Diagnosing, sides: list[tuple[str, int]]) -> Iterator[Edit]:
    """A term that is added: one of the other side's, or what is left, if it is one network of tensors that are there."""
    for side, sign in sides:
        own, other = getattr(work.statement, side), getattr(work.statement, "lhs" if side == "rhs" else "rhs")
        for term in other.terms:
            part = ratio(work.residue, work.value(term))
            if part is not None:
                added = term._replace(scalar=times(term.scalar, number(-sign * part)))
                words = f"add the other side's {shown(added)}"
                yield Edit("missing term", side, len(own.terms), words, work.edited(side, len(own.terms), (added,)))
        if len(work.residue) == 1:
            [(((factors, output, sizes), monomial), coefficient)] = work.residue.items()
            names = sorted(work.statement.lhs.names | work.statement.rhs.names)
            legs = output[: len(output) - len(names)]
            named = tuple(zip(names, output[len(legs) :], strict=True))
            scalar = ONE._replace(rational=-sign * coefficient, monomial=monomial)
            added = OpenTerm(scalar, factors, sizes, legs, named)
            yield Edit("missing term", side, len(own.terms), f"add {shown(added)}", work.edited(side, len(own.terms), (added,)))


Candidate = tuple[str, str, list[OpenTerm]]


def shown(term: OpenTerm) -> str:
    """A term as an einsum."""
    network, _ = term.network()
    names = "".join(f", {tensor.name}" for tensor, _ in term.factors)
    powers = [f"{name}" if exponent == 1 else f"{name}^({exponent})" for name, exponent in term.scalar.monomial]
    rational = [] if abs(term.scalar.rational) == 1 else [exact_text(abs(term.scalar.rational))]
    sign = "-" if term.scalar.rational < 0 else ""
    return sign + " * ".join([*rational, *powers, f"einsum({network.to_einsum()!r}{names})"])


def with_factor(term: OpenTerm, place: int, tensor: object, indices: tuple[int, ...]) -> OpenTerm:
    """A term with one factor replaced."""
    factors = (*term.factors[:place], (tensor, indices), *term.factors[place + 1 :])
    return term._replace(factors=factors)


def exchanged(indices: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    """Two entries exchanged."""
    out = list(indices)
    out[i], out[j] = out[j], out[i]
    return tuple(out)


def transposes(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """Two axes of a factor exchanged."""
    for place, (tensor, indices) in enumerate(term.factors):
        for i, j in combinations(range(len(indices)), 2):
            if indices[i] != indices[j] and tensor.shape[i] == tensor.shape[j]:
                words = f"transpose {tensor.name}" if len(indices) == 2 else f"exchange axes {i} and {j} of {tensor.name}"
                yield "transpose", f"{words} (factor {place})", [with_factor(term, place, tensor, exchanged(indices, i, j))]


def outputs(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """Two axes of the output exchanged."""
    for i, j in combinations(range(len(term.legs)), 2):
        a, b = term.legs[i], term.legs[j]
        if a != b and term.sizes[a] == term.sizes[b]:
            yield "output", f"exchange axes {i} and {j} of the output", [term._replace(legs=exchanged(term.legs, i, j))]


def factor_swaps(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """Two factors exchanged."""
    for (i, (a, on_a)), (j, (b, on_b)) in combinations(enumerate(term.factors), 2):
        if a != b and a.shape == b.shape:
            new = with_factor(with_factor(term, i, b, on_a), j, a, on_b)
            yield "factors", f"exchange {a.name} (factor {i}) and {b.name} (factor {j})", [new]


def ports(term: OpenTerm) -> list[tuple[int, int]]:
    """Factor and axis of every port that is not a held index."""
    return [
        (place, k) for place, (tensor, indices) in enumerate(term.factors) if not is_unit(tensor) for k in range(len(indices))
    ]


def index_swaps(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """The indices of two axes of different factors exchanged."""
    for (p, k), (q, m) in combinations(ports(term), 2):
        a, b = term.factors[p][1][k], term.factors[q][1][m]
        if p == q or a == b or term.sizes[a] != term.sizes[b]:
            continue
        (left, on_left), (right, on_right) = term.factors[p], term.factors[q]
        new = with_factor(term, p, left, (*on_left[:k], b, *on_left[k + 1 :]))
        new = with_factor(new, q, right, (*on_right[:m], a, *on_right[m + 1 :]))
        words = f"exchange the indices of axis {k} of {left.name} (factor {p}) and axis {m} of {right.name} (factor {q})"
        yield "indices", words, [new]


def rewired(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """One axis on another index."""
    for p, k in ports(term):
        tensor, indices = term.factors[p]
        for index, size in enumerate(term.sizes):
            if size == tensor.shape[k] and index != indices[k]:
                new = with_factor(term, p, tensor, (*indices[:k], index, *indices[k + 1 :]))
                words = f"let axis {k} of {tensor.name} (factor {p}) have the index of {owner(term, index, (p, k))}"
                yield "index", words, [new]
    for k, leg in enumerate(term.legs):
        for index, size in enumerate(term.sizes):
            if size == term.sizes[leg] and index != leg:
                new = term._replace(legs=(*term.legs[:k], index, *term.legs[k + 1 :]))
                yield "index", f"let axis {k} of the output have the index of {owner(term, index, (-1, k))}", [new]


def owner(term: OpenTerm, index: int, but: tuple[int, int]) -> str:
    """Where an index stands, in words."""
    for place, (tensor, indices) in enumerate(term.factors):
        for k, other in enumerate(indices):
            if other == index and (place, k) != but:
                return f"axis {k} of {tensor.name} (factor {place})"
    return "an axis of the output"


def tensors(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """A factor that is another tensor of its shape."""
    for place, (tensor, indices) in enumerate(term.factors):
        for name, other in work.statement.tensors.items():
            if name != tensor.name and other.shape == tensor.shape:
                yield "tensor", f"write {name} for {tensor.name} (factor {place})", [with_factor(term, place, other, indices)]


def symmetrised(work: Diagnosing, term: OpenTerm) -> Iterator[Candidate]:
    """A factor replaced by its symmetric part in two axes."""
    for place, (tensor, indices) in enumerate(term.factors):
        for i, j in combinations(range(len(indices)), 2):
            if indices[i] != indices[j] and tensor.shape[i] == tensor.shape[j]:
                half = term._replace(scalar=times(term.scalar, HALF))
                terms = [half, with_factor(half, place, tensor, exchanged(indices, i, j))]
                yield "symmetrise", f"symmetrise {tensor.name} (factor {place}) in its axes {i} and {j}", terms
