"""``lhs = rhs`` for all sizes iff ``<lhs - rhs, u (x) v (x) ...> = 0`` at random tensors mod p and sizes of at least the index vertices.

The oracle of the soundness tests: it knows nothing of normal forms or canonical labels. Why it is exact up to chance: let a sum of
pairwise non-isomorphic networks (factors, hyperedges, ordered outputs) have a coefficient other than 0, and take among these a
network with the most index vertices. At sizes of at least its vertices an injective assignment of values to vertices gives a
monomial in the entries that no other network makes. So the sum is a nonzero polynomial in the entries of the tensors, of the
vectors u, v, ... contracted with the output axes, and of the sizes that factor out (``tr Id_n = n`` becomes a variable: a
coefficient as n - 5 must not vanish by the choice of n). By Schwartz and Zippel a uniform draw modulo p = 2^31 - 1 misses it
with probability of at most its degree / p; two draws, so below 10^-15 for degrees below 60. Linear laws (symmetric, antisymmetric)
are met by summing a uniform array over the group that they generate, which is uniform on the subspace. Other laws are refused.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import count, product
from math import prod

import numpy as np
from soundness_statement import Statement, Term, read, sizes_of

__all__ = ["TooLarge", "agrees_at", "judge", "judging_cost", "loops_agree"]

PRIME = 2**31 - 1
DRAWS = 2
MOST_ENTRIES = 2_000_000  # entries touched in judging one draw

# factors with indices, output indices, floating indices by size, sizes of indices, coefficient
Fused = tuple[list[tuple[str, tuple[int, ...]]], tuple[int, ...], Counter, dict[int, str | int], Fraction]


class TooLarge(ValueError):
    """Judging would take more than the entries allowed."""


def judge(identity: dict, seed: int = 0) -> bool:
    """Whether an identity holds for all sizes that are names (and at those that are ints), under linear laws.

    >>> shapes = {"A": ["n", "n"], "B": ["n", "n"]}
    >>> judge({"lhs": [[1, "ij,ji->", ["A", "B"]]], "rhs": [[1, "ij,ji->", ["B", "A"]]], "shapes": shapes})
    True
    >>> judge({"lhs": [[1, "ij,jk->ik", ["A", "B"]]], "rhs": [[1, "ij,jk->ik", ["B", "A"]]], "shapes": shapes})
    False
    """
    statement, terms = read(identity), fused(identity)
    sizes = vertices(terms)
    if cost(terms, sizes) > MOST_ENTRIES:
        if agrees_at(identity, 2, seed):
            raise TooLarge(f"Judging {identity.get('id')!r}: {cost(terms, sizes):,} entries, at most {MOST_ENTRIES:,} allowed.")
        return False
    rng = np.random.default_rng(seed)
    return not any(value(statement, terms, sizes, defaultdict(lambda: int(rng.integers(PRIME))), rng) for _ in range(DRAWS))


def agrees_at(identity: dict, size: int, seed: int = 0) -> bool:
    """Whether both sides agree where each size name is the one given."""
    statement, terms, rng = read(identity), fused(identity), np.random.default_rng(seed)
    sizes = defaultdict(lambda: size)
    return not any(value(statement, terms, sizes, sizes, rng) for _ in range(DRAWS))


def judging_cost(identity: dict) -> tuple[int, int]:
    """Entries touched in judging one draw, and the largest number of index vertices of one size name."""
    terms = fused(identity)
    sizes = vertices(terms)
    return cost(terms, sizes), max(sizes.values(), default=0)


def fused(identity: dict) -> list[Fused]:
    """``lhs - rhs`` with definitions expanded, indices joined by identities merged and ones dropped."""
    statement = read(identity)
    signed = [*statement.lhs, *(term.times(-1) for term in statement.rhs)]
    return [fuse(statement, *parts, term.output) for term in signed for parts in expanded(statement, term)]


def expanded(statement: Statement, term: Term) -> Iterator[tuple[Fraction, list, list[tuple[int, int]]]]:
    """Coefficient, factors without defined ones, and pairs of indices that are equal, of each term of the expansion."""
    new = count(1 + max((i for _, ports in term.factors for i in ports), default=0))
    pending = [(term.coefficient, list(term.factors), [])]
    while pending:
        coefficient, factors, equal = pending.pop()
        at = next((k for k, (name, _) in enumerate(factors) if name in statement.defs), None)
        if at is None:
            yield coefficient, factors, equal
            continue
        name, ports = factors[at]
        for part in statement.defs[name]:
            label = defaultdict(new.__next__)
            inner = [(f, tuple(label[i] for i in inner_ports)) for f, inner_ports in part.factors]
            pairs = [(label[i], j) for i, j in zip(part.output, ports, strict=True)]
            pending.append((coefficient * part.coefficient, factors[:at] + inner + factors[at + 1 :], equal + pairs))


def fuse(statement: Statement, coefficient: Fraction, factors: list, equal: list, output: tuple[int, ...]) -> Fused:
    """Indices that are equal, or joined by an identity or a copy tensor, as one; ones dropped; floating indices counted."""
    parent: dict[int, int] = {}

    def root(i: int) -> int:
        while i in parent:
            i = parent[i]
        return i

    for i, j in equal + [(ports[0], j) for name, ports in factors if is_delta(statement, name) for j in ports[1:]]:
        if root(i) != root(j):
            parent[root(i)] = root(j)
    sizes = {root(i): size for i, size in sizes_of(statement, Term(coefficient, tuple(factors), output)).items()}
    plain = [(n, tuple(map(root, p))) for n, p in factors if not is_delta(statement, n) and not statement.law(n, "ones")]
    ends = tuple(map(root, output))
    floating = Counter(sizes[i] for i in set(sizes) - set(ends) - {i for _, ports in plain for i in ports})
    return plain, ends, floating, sizes, coefficient


def is_delta(statement: Statement, name: str) -> bool:
    """Whether a tensor is 1 where all its indices are equal and 0 elsewhere."""
    return statement.law(name, "identity") or statement.law(name, "copy")


def vertices(terms: Iterable[Fused]) -> dict[str, int]:
    """The largest number of index vertices of each size name in a term."""
    most: dict[str, int] = defaultdict(lambda: 1)
    for factors, output, _, sizes, _ in terms:
        present = {i for _, ports in factors for i in ports} | set(output)
        for size, here in Counter(sizes[i] for i in present).items():
            most[size] = max(here, most[size])
    return most


def cost(terms: Iterable[Fused], sizes: dict[str, int]) -> int:
    """Entries touched by the eliminations of one draw."""
    total = 0
    for factors, output, _, names, _ in terms:
        size = {i: number(sizes, names[i]) for i in names}
        scopes = [frozenset(ports) for _, ports in factors] + [frozenset({i}) for i in output]
        total += sum(number_of_entries for _, number_of_entries in elimination(scopes, size))
    return total


def number(sizes: dict[str, int], size: str | int) -> int:
    """The value of a size."""
    return size if isinstance(size, int) else sizes[size]


def elimination(scopes: list[frozenset[int]], size: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Indices in an order to sum over, each where the joint array of its factors is smallest, with the entries of that array."""
    scopes = [scope for scope in scopes if scope]
    while scopes:
        joint = {i: frozenset().union(*(s for s in scopes if i in s)) for i in sorted(frozenset().union(*scopes))}
        best = min(joint, key=lambda i: prod(size[j] for j in joint[i]))
        yield best, prod(size[j] for j in joint[best])
        scopes = [s for s in scopes if best not in s] + ([joint[best] - {best}] if len(joint[best]) > 1 else [])


def value(statement: Statement, terms: list[Fused], sizes: dict, floating: dict, rng: np.random.Generator) -> int:
    """``<lhs - rhs, u (x) v (x) ...>`` modulo p at one draw of the tensors and of the vectors u, v, ..."""
    arrays: dict = {}
    total = 0
    for factors, output, loose, names, coefficient in terms:
        size = {i: number(sizes, names[i]) for i in names}
        for name, ports in factors:
            if name not in arrays:
                arrays[name] = draw(rng, tuple(size[i] for i in ports), symmetries(statement, name))
        for k, i in enumerate(output):
            if k not in arrays:
                arrays[k] = draw(rng, (size[i],), [])
        scalar = coefficient.numerator * pow(coefficient.denominator, -1, PRIME) % PRIME
        for name, exponent in loose.items():
            scalar = scalar * pow(number(floating, name), exponent, PRIME) % PRIME
        total += scalar * contracted(
            [*((arrays[n], p) for n, p in factors), *((arrays[k], (i,)) for k, i in enumerate(output))], size
        )
    return total % PRIME


def draw(rng: np.random.Generator, shape: tuple[int, ...], group: list[tuple[int, tuple[int, ...]]]) -> np.ndarray:
    """A uniform array modulo p, summed over a group of signed axis permutations."""
    array = rng.integers(PRIME, size=shape)
    return sum(sign * array.transpose(p) for sign, p in group) % PRIME if len(group) > 1 else array


def symmetries(statement: Statement, name: str) -> list[tuple[int, tuple[int, ...]]]:
    """Sign and axis permutation of each element of the group that a tensor's laws generate."""
    return closure(statement.given.get(name, ()), len(statement.shapes[name]))


@lru_cache(maxsize=1000)
def closure(laws: tuple[str, ...], order: int) -> list[tuple[int, tuple[int, ...]]]:
    """The group of signed permutations that the laws generate."""
    generators = []
    for law in laws:
        match = re.fullmatch(r"(anti)?symmetric\((\d+), ?(\d+)\)", law)
        if not match:
            raise ValueError(
                f"Judging by random tensors: the law {law!r} is given, symmetric(a,b) or antisymmetric(a,b) expected."
            )
        swapped = list(range(order))
        a, b = int(match[2]), int(match[3])
        swapped[a], swapped[b] = b, a
        generators.append((-1 if match[1] else 1, tuple(swapped)))
    found = new = {(1, tuple(range(order)))}
    while new:
        new = {(s * t, tuple(p[q[k]] for k in range(order))) for s, p in new for t, q in generators} - found
        found = found | new
    return sorted(found)


def contracted(operands: list[tuple[np.ndarray, tuple[int, ...]]], size: dict[int, int]) -> int:
    """The sum over all indices of a product, modulo p: one index at a time, reduced after every product."""
    factors = [sorted_axes(array, ports) for array, ports in operands]
    for index, _ in list(elimination([frozenset(ports) for _, ports in factors], size)):
        touched = [f for f in factors if index in f[1]]
        joint = tuple(sorted({i for _, ports in touched for i in ports}))
        result = None
        for array, ports in touched:
            shaped = array.reshape([size[i] if i in ports else 1 for i in joint])
            result = shaped if result is None else result * shaped % PRIME
        at = joint.index(index)
        factors = [f for f in factors if index not in f[1]] + [(result.sum(axis=at) % PRIME, joint[:at] + joint[at + 1 :])]
    total = 1
    for array, _ in factors:
        total = total * int(array) % PRIME
    return total


def sorted_axes(array: np.ndarray, ports: tuple[int, ...]) -> tuple[np.ndarray, tuple[int, ...]]:
    """The diagonal on repeated indices, with axes in the order of the indices."""
    joint = tuple(sorted(set(ports)))
    if joint == ports:
        return array, ports
    axis = {i: k for k, i in enumerate(joint)}
    return np.einsum(array, [axis[i] for i in ports], list(range(len(joint)))), joint


# --- the definition, by explicit loops ----------------------------------------------------------------------------------------


def loops_agree(identity: dict, size: int, seed: int = 0) -> bool:
    """Whether both sides agree at one draw of integers, entry by entry over all values of all indices: nothing is fused."""
    statement, rng = read(identity), np.random.default_rng(seed)
    sizes = defaultdict(lambda: size)
    arrays: dict[str, dict[tuple[int, ...], Fraction]] = {}
    for name, shape in statement.shapes.items():
        if name not in statement.defs:
            arrays[name] = entries(statement, name, tuple(number(sizes, s) for s in shape), rng)
    while missing := [name for name in statement.defs if name not in arrays]:
        for name in missing:
            if all(f in arrays for term in statement.defs[name] for f, _ in term.factors):
                arrays[name] = summed(statement, statement.defs[name], arrays, sizes)
    left, right = (summed(statement, side, arrays, sizes) for side in (statement.lhs, statement.rhs))
    return all(left.get(at, 0) == right.get(at, 0) for at in left.keys() | right.keys())


def entries(statement: Statement, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> dict[tuple[int, ...], Fraction]:
    """Entries of a tensor that satisfies its laws."""
    every = list(product(*(range(s) for s in shape)))
    if statement.law(name, "ones"):
        return {at: Fraction(1) for at in every}
    if is_delta(statement, name):
        return {at: Fraction(len(set(at)) == 1) for at in every}
    random = {at: Fraction(int(rng.integers(1, 10**6))) for at in every}
    return {at: sum(sign * random[tuple(at[k] for k in p)] for sign, p in symmetries(statement, name)) for at in every}


def summed(statement: Statement, terms: Iterable[Term], arrays: dict, sizes: dict) -> dict[tuple[int, ...], Fraction]:
    """A sum of terms, entry by entry."""
    result: dict[tuple[int, ...], Fraction] = defaultdict(Fraction)
    for term in terms:
        names = sizes_of(statement, term)
        for values in product(*(range(number(sizes, size)) for size in names.values())):
            at = dict(zip(names, values, strict=True))
            part = term.coefficient
            for name, ports in term.factors:
                part *= arrays[name].get(tuple(at[i] for i in ports), 0)
            result[tuple(at[i] for i in term.output)] += part
    return result
