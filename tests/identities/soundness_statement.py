"""``sum_k c_k prod_f T_f[indices] = sum_l c_l prod_f T_f[indices]``: statements as data, and random ones.

A *term* is a coefficient, factors (a name and one index a port) and output indices; an index is an integer, summed where it is
no output. A *statement* is two sums of terms and the declarations of its tensors. ``read`` and ``written`` translate from and to
the dict of an identity file. Nothing here knows the package: this is the side of the oracle.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import permutations
from random import Random
from string import ascii_letters
from typing import NamedTuple

__all__ = ["Statement", "Term", "declared", "fresh", "merged", "names_of", "random_term", "read", "sizes_of", "written"]


class Term(NamedTuple):
    """``coefficient * sum prod T[indices]`` as a function of the output indices."""

    coefficient: Fraction
    factors: tuple[tuple[str, tuple[int, ...]], ...]
    output: tuple[int, ...]

    def times(self, number: Fraction | int) -> "Term":
        """The term scaled."""
        return self._replace(coefficient=self.coefficient * number)


@dataclass(frozen=True)
class Statement:
    """``lhs = rhs`` for all sizes and all tensors under the laws; shapes hold the defined tensors too."""

    lhs: tuple[Term, ...]
    rhs: tuple[Term, ...]
    shapes: dict[str, tuple[str, ...]]
    given: dict[str, tuple[str, ...]] = field(default_factory=dict)
    defs: dict[str, tuple[Term, ...]] = field(default_factory=dict)

    def places(self) -> list[tuple[str, int]]:
        """Side and position of each term."""
        return [(side, k) for side in ("lhs", "rhs") for k in range(len(getattr(self, side)))]

    def at(self, place: tuple[str, int]) -> Term:
        """The term at a place."""
        return getattr(self, place[0])[place[1]]

    def put(self, place: tuple[str, int], terms: Iterable[Term]) -> "Statement":
        """Terms instead of the one at a place."""
        side, k = place
        old = getattr(self, side)
        return replace(self, **{side: old[:k] + tuple(terms) + old[k + 1 :]})

    def law(self, name: str, law: str) -> bool:
        """Whether a tensor is declared so."""
        return law in self.given.get(name, ())


def declared(statement: Statement, law: str, sizes: tuple[str, ...]) -> tuple[Statement, str]:
    """The statement with a tensor of ones, an identity or a copy tensor, and its name."""
    name = "_".join([{"identity": "I", "ones": "one", "copy": "copy"}[law] + str(len(sizes)), *sizes])
    return replace(statement, shapes=statement.shapes | {name: sizes}, given=statement.given | {name: (law,)}), name


def sizes_of(statement: Statement, term: Term) -> dict[int, str]:
    """The size of each index of a term."""
    return {i: size for name, ports in term.factors for i, size in zip(ports, statement.shapes[name], strict=True)}


def fresh(term: Term) -> int:
    """An index that the term does not have."""
    return 1 + max((i for _, ports in term.factors for i in ports), default=-1)


def merged(term: Term, old: int, new: int) -> Term:
    """The term with one index written as another."""
    factors = tuple((name, tuple(new if i == old else i for i in ports)) for name, ports in term.factors)
    return Term(term.coefficient, factors, tuple(new if i == old else i for i in term.output))


def names_of(statement: Statement) -> set[str]:
    """Names on either side, without those in definitions only."""
    return {name for term in statement.lhs + statement.rhs for name, _ in term.factors}


def reachable(statement: Statement) -> set[str]:
    """Names on either side and in the definitions used there."""
    found, new = set(), names_of(statement)
    while new:
        found |= new
        new = {f for name in new if name in statement.defs for t in statement.defs[name] for f, _ in t.factors} - found
    return found


def read(identity: dict) -> Statement:
    """The statement of an identity dict.

    >>> identity = {"id": "", "lhs": [[2, "ij,ij->i", ["A", "B"]]], "rhs": [], "shapes": {"A": ["n", "m"], "B": ["n", "m"]}}
    >>> read(identity).lhs
    (Term(coefficient=Fraction(2, 1), factors=(('A', (0, 1)), ('B', (0, 1))), output=(0,)),)
    """
    shapes = {name: tuple(shape) for name, shape in identity["shapes"].items()}
    defs = {name: tuple(map(read_term, terms)) for name, terms in identity.get("defs", {}).items()}
    statement = Statement((), (), shapes, {n: tuple(laws) for n, laws in identity.get("given", {}).items()}, defs)
    while missing := [name for name in defs if name not in statement.shapes]:
        for name in missing:
            known = [t for t in defs[name] if all(f in statement.shapes for f, _ in t.factors)]
            if known:
                sizes = sizes_of(statement, known[0])
                statement.shapes[name] = tuple(sizes[i] for i in known[0].output)
    return replace(statement, lhs=tuple(map(read_term, identity["lhs"])), rhs=tuple(map(read_term, identity["rhs"])))


def read_term(triple: list) -> Term:
    """A term from ``[coefficient, einsum, names]``."""
    coefficient, einsum, names = triple
    inputs, output = einsum.replace(" ", "").split("->")
    number = {letter: k for k, letter in enumerate(dict.fromkeys(inputs.replace(",", "")))}
    operands = [tuple(number[letter] for letter in part) for part in inputs.split(",")]
    return Term(Fraction(coefficient), tuple(zip(names, operands, strict=True)), tuple(number[x] for x in output))


def written(rng: Random, statement: Statement, name: str) -> dict:
    """The identity dict of a statement, with random letters and without unused tensors; shapes of defined ones only sometimes."""
    used, shown = reachable(statement), rng.random() < 0.5
    shapes = {k: list(shape) for k, shape in statement.shapes.items() if k in used and (shown or k not in statement.defs)}
    defs = {k: [written_term(rng, t) for t in terms] for k, terms in statement.defs.items() if k in used}
    sides = {side: [written_term(rng, t) for t in getattr(statement, side)] for side in ("lhs", "rhs")}
    given = {k: list(laws) for k, laws in statement.given.items() if k in used}
    return {"id": name, **sides, "shapes": shapes, "given": given, "defs": defs}


def written_term(rng: Random, term: Term) -> list:
    """``[coefficient, einsum, names]`` with random letters."""
    indices = sorted({i for _, ports in term.factors for i in ports})
    letter = dict(zip(indices, rng.sample(ascii_letters, len(indices)), strict=True))
    inputs = ",".join("".join(letter[i] for i in ports) for _, ports in term.factors)
    number = term.coefficient.numerator if term.coefficient.denominator == 1 else str(term.coefficient)
    return [number, f"{inputs}->{''.join(letter[i] for i in term.output)}", [name for name, _ in term.factors]]


def random_term(rng: Random, shapes: dict[str, tuple[str, ...]], output: tuple[str, ...], factors: int) -> Term:
    """A term of the tensors in shapes: most indices have two ends, some one (summed away) or more (elementwise products)."""
    names = [rng.choice(list(shapes)) for _ in range(factors)]
    names += [first_with(rng, shapes, size) for size in dict.fromkeys(output) if not any(size in shapes[name] for name in names)]
    count: dict[tuple[str, int], int] = {}
    parts = [(name, tuple(random_index(rng, count, size, 0.75, 0.85) for size in shapes[name])) for name in names]
    ends = tuple(random_index(rng, count, size, 0.85, 1) for size in output)
    number = {index: k for k, index in enumerate(count)}
    coefficient = rng.choice([1, 1, 1, 1, -1, -1, 2, -2, 3, Fraction(1, 2), Fraction(-2, 3)])
    numbered = tuple((name, tuple(number[i] for i in ports)) for name, ports in parts)
    return Term(Fraction(coefficient), numbered, tuple(number[i] for i in ends))


def first_with(rng: Random, shapes: dict[str, tuple[str, ...]], size: str) -> str:
    """A tensor that has an axis of the size."""
    return rng.choice([name for name, shape in shapes.items() if size in shape])


def random_index(rng: Random, count: dict, size: str, single: float, known: float) -> tuple[str, int]:
    """An index that has one end, with the first probability, else an index in use, up to the second, else a new one."""
    have = [index for index in count if index[0] == size]
    open_ends, r = [index for index in have if count[index] == 1], rng.random()
    index = rng.choice(open_ends) if open_ends and r < single else rng.choice(have) if have and r < known else (size, len(have))
    index = rng.choice(have) if have and known == 1 and index not in count else index
    count[index] = count.get(index, 0) + 1
    return index


def signed_permutations(k: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Permutations of 0..k-1 with their signs."""
    for p in permutations(range(k)):
        yield (-1) ** sum(p[a] > p[b] for a in range(k) for b in range(a + 1, k)), p
