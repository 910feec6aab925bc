r"""Laws as rewrites of networks: where factors match a pattern they are replaced by fewer factors, indices by fewer indices.

A *rule* is an equation between networks: its factors, with indices as variables, stand for a sum of terms with fewer factors
(or the same factors on fewer different indices). A variable that is *summed* must occur nowhere else in the term. So every
application makes (number of factors, number of indices) smaller in every term that it leaves, in lexicographic order: rewriting ends.

``sum_i U_{ij} U_{ik} = delta_{jk}`` is the rule with factors U(0, 1), U(0, 2), variable 0 summed, and 1 and 2 made one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from symbolic_circuits.algebra.laws import Law
from symbolic_circuits.algebra.open_terms import Axis, OpenTerm
from symbolic_circuits.algebra.scalar import ONE, Scalar, number, times
from symbolic_circuits.algebra.tensor import SizeName, Tensor, exchanges

__all__ = ["ZERO", "Replacement", "Rewritten", "Rule", "Step", "rewritten", "rule_of_law", "rules_of"]

MAX_EXCHANGES = 24


class Replacement(NamedTuple):
    """One term of what stands on the right of a rule."""

    scalar: Scalar = ONE
    factors: tuple[tuple[Tensor, tuple[int, ...]], ...] = ()  # on variables; those not of the pattern are summed
    united: tuple[tuple[int, int], ...] = ()  # variables made one
    fresh: tuple[SizeName, ...] = ()  # sizes of the variables not of the pattern, which follow those of the pattern in number


ZERO = Replacement(number(0))


class Rule(NamedTuple):
    """An equation between networks, to be used from left to right."""

    name: str
    factors: tuple[tuple[str, tuple[int, ...]], ...]  # tensor, variable of each leg
    summed: frozenset[int] = frozenset()  # variables that occur nowhere else
    result: tuple[Replacement, ...] = (Replacement(),)
    differing: tuple[int, ...] = ()  # applies only where these variables are not yet all one index


class Step(NamedTuple):
    """One application of a rule: to which factors, counted in the term at hand, and how the legs of each were exchanged."""

    rule: str
    factors: tuple[int, ...]
    orders: tuple[tuple[int, ...], ...]


class Rewritten(NamedTuple):
    """A term to which no rule applies, and how it came about."""

    term: OpenTerm  # indices keep their numbers; an index that is gone has size 1
    steps: tuple[tuple[Step, int], ...]  # with the number of the replacement that was followed


def rule_of_law(law: Law, axes: Mapping[str, tuple[Axis, ...]], tensors: Mapping[str, Tensor]) -> list[Rule]:
    """The rules of a law; none for exchanges of axes, which the canonical form knows.

    >>> axes, tensors = {"U": (("m",), ("k",))}, {"U": Tensor("U", ("m", "k"))}
    >>> [rule] = rule_of_law(Law("U", "orthonormal_columns"), axes, tensors)
    >>> rule.factors, rule.summed, rule.result[0].united
    ((('U', (0, 1)), ('U', (0, 2))), frozenset({0}), ((1, 2),))
    """
    if law.kind in ("symmetric", "antisymmetric"):
        vanishes = law.kind == "antisymmetric" and sum(not axes[law.tensor][axis] for axis in law.axes) > 1  # two axes of size 1
        legs = tuple(range(sum(map(len, axes[law.tensor]))))
        return [Rule(f"{law} of {law.tensor}", ((law.tensor, legs),), result=(ZERO,))] if vanishes else []
    variables = Variables()
    shape = axes[law.tensor]
    name = f"{law} of {law.tensor}"
    if law.kind in ("identity", "copy", "ones", "diagonal"):
        groups = [variables.group(axis) for axis in shape]
        legs = variables.flat(groups)
        if law.kind == "ones":
            return [Rule(name, ((law.tensor, legs),))]
        united = tuple(pair for group in groups[1:] for pair in zip(groups[0], group, strict=True))
        if law.kind != "diagonal":
            return [Rule(name, ((law.tensor, legs),), result=(Replacement(united=united),))]
        kept = ((tensors[law.tensor], legs),)
        return [
            Rule(name, ((law.tensor, legs),), result=(Replacement(factors=kept, united=united),), differing=pair)
            for pair in united
        ]
    lead = [variables.group(axis) for axis in shape[:-2]]
    rows = variables.group(shape[-2]) if len(shape) > 1 else ()
    columns = variables.group(shape[-1])

    def legs(*parts: tuple[int, ...]) -> tuple[int, ...]:
        return variables.flat([*lead, *parts])

    T = law.tensor
    one = legs(rows, columns)
    if law.kind in ("row_stochastic", "column_stochastic"):
        summed = columns if law.kind == "row_stochastic" else rows
        return [Rule(name, ((T, one),), frozenset(summed))]
    if law.kind in ("exclusive_rows", "exclusive_columns", "orthonormal_rows", "orthonormal_columns"):
        along_rows = law.kind in ("exclusive_rows", "orthonormal_columns")
        again = variables.group(shape[-1] if along_rows else shape[-2])
        other = legs(rows, again) if along_rows else legs(again, columns)
        united = tuple(zip(columns if along_rows else rows, again, strict=True))
        if law.kind.startswith("exclusive"):
            return [Rule(name, ((T, one), (T, other)), result=(Replacement(factors=((tensors[T], one),), united=united),))]
        return [
            Rule(name, ((T, one), (T, other)), frozenset(rows if along_rows else columns), (Replacement(united=united),)),
        ]
    if law.kind == "signs":
        return [Rule(name, ((T, legs(rows, rows)), (T, legs(rows, rows))))]
    if law.kind == "inverse":
        again = variables.group(shape[-1])
        united = (Replacement(united=tuple(zip(rows, again, strict=True))),)
        return [Rule(name, ((T, one), (law.other, legs(columns, again))), frozenset(columns), united)]
    if law.kind in ("transpose", "equal"):
        other = legs(columns, rows) if law.kind == "transpose" else one
        return [Rule(name, ((T, one),), result=(Replacement(factors=((tensors[law.other], other),)),))]
    raise AssertionError(law)


def rules_of(laws: Iterable[Law], axes: Mapping[str, tuple[Axis, ...]], tensors: Mapping[str, Tensor]) -> list[Rule]:
    """The rules of closed laws: those that name one factor first, and diagonal inverses, which cancel on one index."""
    laws = list(laws)
    several = [law for law in laws if law.kind == "permutation" or law.kind.startswith("one_hot")]  # their parts are there too
    found = [rule for law in laws if law not in several for rule in rule_of_law(law, axes, tensors)]
    diagonal = {law.tensor for law in laws if law.kind == "diagonal"}
    for law in laws:
        if law.kind == "inverse" and {law.tensor, law.other} <= diagonal and len(axes[law.tensor]) == 2:
            legs = tuple(range(len(axes[law.tensor][0])))
            found.append(Rule(f"diagonal {law} of {law.tensor}", ((law.tensor, legs * 2), (law.other, legs * 2))))
    return sorted(found, key=lambda rule: (len(rule.factors), rule.name))


class Variables:
    """Numbers for the variables of a pattern."""

    def __init__(self) -> None:
        self.used = 0

    def group(self, axis: Axis) -> tuple[int, ...]:
        """One variable for each leg of an axis."""
        self.used += len(axis)
        return tuple(range(self.used - len(axis), self.used))

    @staticmethod
    def flat(groups: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
        """The legs of all axes."""
        return tuple(leg for group in groups for leg in group)


def rewritten(term: OpenTerm, rules: Sequence[Rule]) -> list[Rewritten]:
    """A term rewritten until no rule applies: one term or several."""
    waiting, done = [Rewritten(term, ())], []
    while waiting:
        current = waiting.pop()
        found = first_match(current.term, rules)
        if found is None:
            done.append(current)
            continue
        rule, places, orders, bound, sign = found
        step = Step(rule.name, places, orders)
        for number_of, replacement in reversed(list(enumerate(rule.result))):
            new = replaced(current.term, places, bound, rule, replacement, sign)
            found_here = Rewritten(new, (*current.steps, (step, number_of)))
            (waiting if new.scalar.rational else done).append(found_here)  # zero is done with
    return done


Match = tuple[Rule, tuple[int, ...], tuple[tuple[int, ...], ...], dict[int, int], int]


def first_match(term: OpenTerm, rules: Sequence[Rule]) -> Match | None:
    """The first place where a rule applies."""
    by_name: dict[str, list[int]] = {}
    for place, (tensor, _) in enumerate(term.factors):
        by_name.setdefault(tensor.name, []).append(place)
    counts: dict[int, int] | None = None
    for rule in rules:
        if all(name in by_name for name, _ in rule.factors):
            counts = occurrences(term) if counts is None else counts
            for match in matches(term, rule, by_name, counts):
                return match
    return None


def occurrences(term: OpenTerm) -> dict[int, int]:
    """How often each index occurs, in factors and in the output."""
    counts: dict[int, int] = {}
    for index in (i for part in (*(f[1] for f in term.factors), term.legs, [i for _, i in term.named]) for i in part):
        counts[index] = counts.get(index, 0) + 1
    return counts


def matches(term: OpenTerm, rule: Rule, by_name: Mapping[str, list[int]], counts: Mapping[int, int]) -> Iterator[Match]:
    """All places where a rule applies, by backtracking over its factors."""

    def extend(k: int, places: tuple[int, ...], orders: tuple, bound: dict[int, int], sign: int) -> Iterator[Match]:
        if k == len(rule.factors):
            if fits(rule, bound, counts):
                yield rule, places, orders, bound, sign
            return
        name, variables = rule.factors[k]
        for place in by_name[name]:
            if place in places:
                continue
            tensor, indices = term.factors[place]
            for order, order_sign in exchanges(tensor, MAX_EXCHANGES):
                new = dict(bound)
                if all(new.setdefault(v, indices[o]) == indices[o] for v, o in zip(variables, order, strict=True)):
                    yield from extend(k + 1, (*places, place), (*orders, order), new, sign * order_sign)

    return extend(0, (), (), {}, 1)


def fits(rule: Rule, bound: Mapping[int, int], counts: Mapping[int, int]) -> bool:
    """Whether summed variables occur nowhere else, and the rule changes something."""
    if rule.differing and len({bound[v] for v in rule.differing}) == 1:
        return False
    for variable in rule.summed:
        inside = sum(bound[v] == bound[variable] for _, variables in rule.factors for v in variables)
        if counts[bound[variable]] != inside or any(bound[v] == bound[variable] for v in bound if v != variable):
            return False
    return True


def replaced(
    term: OpenTerm, places: tuple[int, ...], bound: Mapping[int, int], rule: Rule, replacement: Replacement, sign: int
) -> OpenTerm:
    """A term after one application: remaining factors keep their order, new ones follow, indices keep their numbers."""
    sizes = list(term.sizes)
    index_of = dict(bound)
    for variable, size in enumerate(replacement.fresh, start=max(bound, default=-1) + 1):
        index_of[variable] = len(sizes)
        sizes.append(size)
    factors = [factor for place, factor in enumerate(term.factors) if place not in places]
    for tensor, variables in replacement.factors:
        factors.append((tensor, tuple(index_of[v] for v in variables)))
    for variable in rule.summed:
        sizes[bound[variable]] = 1
    place_of = list(range(len(sizes)))
    for a, b in replacement.united:
        low, high = sorted((place_of[index_of[a]], place_of[index_of[b]]))
        if low != high:
            place_of = [low if place == high else place for place in place_of]
            sizes[high] = 1
    scalar = times(times(term.scalar, replacement.scalar), number(sign))
    return OpenTerm(scalar, tuple(factors), term.sizes, term.legs, term.named).renamed(place_of, tuple(sizes))
