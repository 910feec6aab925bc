r"""Raw terms of a certificate, and its steps replayed: sum_f T_f[...] becomes what the rule of each step says, and nothing else.

Raw terms are those of lhs and the negated ones of rhs, definitions multiplied out, then function nodes replaced by what they are
known to be equal to. A step names the factors that it replaces; that they match the rule, in an order of legs that is allowed, and
that the indices it sums over occur nowhere else, is looked at here.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symbolic_circuits.identities.checker_data import (
    Axes,
    Claim,
    Factor,
    Path,
    Result,
    Rule,
    Step,
    Term,
    fail,
    scalar,
    size_scalar,
    times,
    unit_place,
)
from symbolic_circuits.identities.checker_laws import Exchanges
from symbolic_circuits.identities.checker_reading import require_sizes

__all__ = ["Known", "followed", "raw_terms", "require_acyclic", "used_indices"]

MAX_WORK = 5_000_000  # factors and indices written while definitions are multiplied out, in all proofs of a certificate


# --- raw terms --------------------------------------------------------------------------------------------------------


@dataclass
class Known:
    """What has been shown so far."""

    rules: Mapping[str, Rule]
    exchanges: dict[str, Exchanges]  # of tensors and function nodes
    nodes: dict[str, Factor] = field(default_factory=dict)  # what each node is replaced by, and which legs of it are taken
    work: int = 0


def raw_terms(claim: Claim, known: Known) -> Iterator[Term]:
    """The terms of lhs - rhs, with definitions multiplied out: the first defined factor first, its first term first."""
    waiting = [term._replace(scalar=times(term.scalar, scalar(-1))) for term in reversed(claim.rhs)] + list(reversed(claim.lhs))
    while waiting:
        term = waiting.pop()
        place = next((k for k, (name, _) in enumerate(term.factors) if name in claim.definitions), None)
        known.work += len(term.factors) + len(term.sizes)
        if known.work > MAX_WORK:
            fail("the definitions", "multiplying them out makes more than this checker writes down")
        if place is None:
            yield term._replace(factors=tuple(replaced(factor, claim, known) for factor in term.factors))
            continue
        for inner in reversed(claim.definitions[term.factors[place][0]]):
            known.work += len(term.factors) + len(term.sizes) + len(inner.factors) + len(inner.sizes)
            waiting.append(substituted(term, place, inner))


def replaced(factor: Factor, claim: Claim, known: Known) -> Factor:
    """A factor, or what it is known to be equal to where it is a function node."""
    name, indices = factor
    if name not in claim.nodes:
        return factor
    if name not in known.nodes:
        fail(f"the function node {name}", "it is needed before the certificate has come to it")
    other, legs = known.nodes[name]
    return other, tuple(indices[leg] for leg in legs)


def require_acyclic(claim: Claim) -> None:
    """No tensor is defined by itself, and no function node stands in its own argument, directly or through others."""
    values = dict(claim.definitions) | {name: node.argument for name, node in claim.nodes.items()}
    needs = {name: {f for term in terms for f, _ in term.factors if f in values} for name, terms in values.items()}
    while needs:
        ready = {name for name, others in needs.items() if not others}
        if not ready:
            fail(f"the definition of {min(needs)}", "it is cyclic, or leads to one that is")
        needs = {name: others - ready for name, others in needs.items() if name not in ready}


def substituted(term: Term, place: int, inner: Term) -> Term:
    """A term with the factor at a place replaced by a term of its definition."""
    shift = len(term.sizes)
    sizes = list(term.sizes + inner.sizes)
    factors = tuple((name, tuple(i + shift for i in indices)) for name, indices in inner.factors)
    factors = term.factors[:place] + factors + term.factors[place + 1 :]
    pairs = zip(term.factors[place][1], (i + shift for i in inner.output), strict=True)
    called = united(pairs, len(sizes))
    joined = renamed(Term(times(term.scalar, inner.scalar), factors, tuple(sizes), term.output, term.names), called)
    used = used_indices(joined)
    kept = sorted(used)
    value = joined.scalar
    for index, size in enumerate(sizes):
        if called[index] == index and index not in used:  # a sum of 1 over the index
            value = times(value, size_scalar(size))
    compact = {index: k for k, index in enumerate(kept)}
    return renamed(joined, compact)._replace(scalar=value, sizes=tuple(sizes[index] for index in kept))


def united(pairs: Iterable[tuple[int, int]], count: int) -> dict[int, int]:
    """What each index is called when the pairs are made one: the smallest number of those that it is one with."""
    called = {index: index for index in range(count)}
    for a, b in pairs:
        low, high = sorted((called[a], called[b]))
        if low != high:
            called = {index: low if name == high else name for index, name in called.items()}
    return called


def renamed(term: Term, called: Mapping[int, int]) -> Term:
    """The term with other names for its indices; sizes stay."""
    factors = tuple((name, tuple(called[i] for i in indices)) for name, indices in term.factors)
    names = tuple((name, called[i]) for name, i in term.names)
    return term._replace(factors=factors, output=tuple(called[i] for i in term.output), names=names)


def used_indices(term: Term) -> set[int]:
    """The indices that stand in a factor, in the output, or have a name."""
    return {i for _, indices in term.factors for i in indices} | set(term.output) | {i for _, i in term.names}


# --- steps ------------------------------------------------------------------------------------------------------------


def followed(claim: Claim, paths: Sequence[Path], known: Known) -> list[Term]:
    """What each path leads to, by its number; together they cover everything that the raw terms are."""
    numbers: dict[int, list[int]] = {}
    for number, path in enumerate(paths):
        numbers.setdefault(path.raw, []).append(number)
    finals: dict[int, Term] = {}
    count = 0
    for raw, term in enumerate(raw_terms(claim, known)):
        count += 1
        if raw not in numbers and term.scalar.rational != 0:
            fail(f"raw term {raw}", "no final term comes from it")
        for number, found in leaves(term, raw, numbers.get(raw, []), paths, claim.tensors, known):
            finals[number] = found
    for raw in numbers:
        if raw >= count:
            fail(f"final term {numbers[raw][0]}", f"there are {count} raw terms, and none with the number {raw}")
    return [finals[number] for number in range(len(paths))]


def leaves(
    term: Term, raw: int, numbers: list[int], paths: Sequence[Path], tensors: Mapping[str, Axes], known: Known
) -> Iterator[tuple[int, Term]]:
    """Final terms of a raw term, by number; where a step has several results there is a path through each that is not zero."""
    waiting = [(term, numbers, 0)] if numbers else []
    while waiting:
        current, group, depth = waiting.pop()
        where = f"final term {group[0]}, step {depth}"
        ended = [number for number in group if len(paths[number].steps) == depth]
        if ended:
            if len(group) > 1:
                other = next(number for number in group if number != ended[0])
                fail(f"final term {other}", f"it repeats final term {ended[0]} of raw term {raw}, or goes on where that ends")
            yield ended[0], current
            continue
        steps = {paths[number].steps[depth]._replace(choice=0) for number in group}
        if len(steps) > 1:
            fail(where, f"final terms {group} of raw term {raw} take different steps from one term")
        step = steps.pop()
        if step.rule not in known.rules:
            fail(where, f"there is no rule {step.rule!r}")
        results = known.rules[step.rule].results
        chosen: dict[int, list[int]] = {}
        for number in group:
            chosen.setdefault(paths[number].steps[depth].choice, []).append(number)
        if max(chosen) >= len(results):
            fail(where, f"{step.rule} has {len(results)} results; result {max(chosen)} is followed")
        for choice, result in enumerate(results):
            if choice in chosen:
                after = applied(current, known.rules[step.rule], result, step, tensors, known.exchanges, where)
                waiting.append((after, chosen[choice], depth + 1))
            elif result.scalar.rational != 0 and current.scalar.rational != 0:
                fail(where, f"result {choice} of {step.rule} is not followed by any final term")


def applied(
    term: Term,
    rule: Rule,
    result: Result,
    step: Step,
    tensors: Mapping[str, Axes],
    exchanges: Mapping[str, Exchanges],
    where: str,
) -> Term:
    """A term after one step: matched factors gone, those of the result at the end, indices keep their numbers."""
    bound, sign = matched(term, rule, step, exchanges, where)
    sizes = list(term.sizes)
    for variable in rule.summed:
        sizes[bound[variable]] = None
    for size in result.fresh:
        bound[len(bound)] = len(sizes)
        sizes.append(size)
    factors = tuple(factor for k, factor in enumerate(term.factors) if k not in step.positions)
    new = tuple((name, tuple(bound[v] for v in variables)) for name, variables in result.factors)
    for a, b in result.united:
        if sizes[bound[a]] != sizes[bound[b]]:
            fail(where, f"{rule.name} makes indices of sizes {sizes[bound[a]]} and {sizes[bound[b]]} one")
    for factor in new:
        require_sizes(factor, sizes, tensors, where)
    called = united(((bound[a], bound[b]) for a, b in result.united), len(sizes))
    value = times(times(term.scalar, result.scalar), scalar(sign))
    after = renamed(term._replace(scalar=value, factors=factors + new), called)
    return after._replace(sizes=tuple(size if called[index] == index else None for index, size in enumerate(sizes)))


def matched(term: Term, rule: Rule, step: Step, exchanges: Mapping[str, Exchanges], where: str) -> tuple[dict[int, int], int]:
    """The index that each variable of a rule is, and the sign of the exchanges of legs."""
    if len(step.positions) != len(rule.factors) or len(step.orders) != len(rule.factors):
        fail(where, f"{rule.name} has {len(rule.factors)} factors; {len(step.positions)} positions are given")
    if len(set(step.positions)) != len(step.positions) or max(step.positions) >= len(term.factors):
        fail(where, f"positions {step.positions} are not those of different factors among {len(term.factors)}")
    bound: dict[int, int] = {}
    sign = 1
    for position, order, (name, variables) in zip(step.positions, step.orders, rule.factors, strict=True):
        found, indices = term.factors[position]
        if found != name:
            fail(where, f"{rule.name} needs {name} at position {position}; there is {found}")
        read_sign = order_sign(name, order, exchanges)
        if read_sign is None or len(order) != len(indices):
            fail(where, f"the legs of {name} may not be read in the order {order}")
        sign *= read_sign
        for variable, place in zip(variables, order, strict=True):
            if bound.setdefault(variable, indices[place]) != indices[place]:
                fail(where, f"{rule.name} needs one index on two legs of {name} at position {position}; they are on two")
    occurrences = Counter(i for _, indices in term.factors for i in indices)
    occurrences.update(term.output)
    occurrences.update(i for _, i in term.names)
    for variable in rule.summed:
        inside = sum(v == variable for _, variables in rule.factors for v in variables)
        if occurrences[bound[variable]] != inside:
            fail(where, f"{rule.name} sums over index {bound[variable]}, which occurs elsewhere as well")
    return bound, sign


def order_sign(name: str, order: tuple[int, ...], exchanges: Mapping[str, Exchanges]) -> int | None:
    """The sign of reading the legs of a tensor in an order; a unit vector has one leg."""
    if unit_place(name) is not None:
        return 1 if order == (0,) else None
    return exchanges[name].sign(order)
