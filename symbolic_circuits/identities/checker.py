r"""Whether a certificate shows that lhs - rhs = 0: every raw term rewritten by laws, every class of final terms adding up to 0.

| step | what is checked |
| --- | --- |
| 0 | what is said of function nodes, in the order of the certificate: which are equal, and which legs of one can be exchanged |
| 1 | raw terms: those of lhs and the negated ones of rhs, with definitions multiplied out and function nodes replaced by equal ones |
| 2 | each step to a final term is an instance of a law; together the paths cover all raw terms and all results of each rule |
| 3 | held indices take their value, unused ones are factors of their size |
| 4 | each final term is in one class or vanishes; classes are of equal terms, whose coefficients add up to 0 |

This is deliberately plain and independent: it shares no code with what makes certificates, and uses no canonical forms. Laws that a
user added, declared laws and definitions are hypotheses: what is checked is that the identity follows from them.

Nothing is known of functions. Two function nodes are one tensor only if steps 1 to 4 show that their arguments are equal, leg by leg;
legs that the argument of one has and that of the other lacks are legs on which it does not depend.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from symbolic_circuits.errors import CertificateError
from symbolic_circuits.identities.checker_data import (
    Claim,
    Exchange,
    Member,
    Node,
    Proof,
    Scalar,
    Term,
    fail,
    size_scalar,
    times,
    unit_place,
)
from symbolic_circuits.identities.checker_laws import Exchanges, all_laws, exchanges_of, rules_of_laws
from symbolic_circuits.identities.checker_reading import to_certificate
from symbolic_circuits.identities.checker_steps import Known, followed, require_acyclic, used_indices

__all__ = ["check_certificate"]

Place: TypeAlias = tuple[int, int]  # (0, index), or (1, value) where the index is held


class FinalTerm(NamedTuple):
    """A term after all steps, its held indices replaced by their values; indices that nothing used are in its scalar."""

    scalar: Scalar
    factors: tuple[tuple[str, tuple[Place, ...]], ...]
    output: tuple[Place, ...]
    shape: tuple[int | str | None, ...]  # sizes of the output; terms along parts of an axis that is a sum have different ones
    names: tuple[tuple[str, Place], ...]
    sizes: Mapping[int, int | str]  # of the indices that are used and not held
    is_zero: bool  # held at two values, or zero times something


def check_certificate(certificate: dict) -> None:
    """Check that a certificate proves its statement.

    Parameters
    ----------
    certificate : as read from JSON

    Raises
    ------
    CertificateError
        It does not; the message says at which term, step, law or class, and why.

    Examples
    --------
    >>> term = {"coefficient": ["1", {}], "factors": [["A", [0, 1]]], "sizes": ["n", "n"], "output": [0, 1], "names": []}
    >>> statement = {"lhs": [term], "rhs": [term], "tensors": {"A": [["n"], ["n"]]}, "definitions": {}, "laws": [], "rules": []}
    >>> paths = [{"raw": 0, "steps": []}, {"raw": 1, "steps": []}]
    >>> certificate = {"format": "symbolic_circuits certificate", "version": 1, "statement": statement, "derived": [],
    ...     "functions": [], "terms": paths, "classes": [{"members": [[0, [0, 1]], [1, [0, 1]]]}], "vanishing": []}
    >>> check_certificate(certificate)
    >>> check_certificate(certificate | {"classes": [{"members": [[0, [0, 1]], [1, [1, 0]]]}]})
    Traceback (most recent call last):
    ...
    symbolic_circuits.errors.CertificateError: class 0: final terms 0 and 1 differ in their outputs
    """
    claim, derived, proof = to_certificate(certificate)
    require_acyclic(claim)
    tensors = {name: axes for name, axes in claim.tensors.items() if name not in claim.nodes}
    laws = all_laws(claim.laws, derived, tensors)
    rules = rules_of_laws(laws, tensors)
    for rule in claim.rules:
        if rule.name in rules:
            fail(f"the rule {rule.name}", "there is another rule or law of that name")
        rules[rule.name] = rule
    known = Known(rules, exchanges_of(laws, tensors) | {name: exchanges_of_node(node, []) for name, node in claim.nodes.items()})
    for name, node in claim.nodes.items():
        learn_node(name, node, claim, known)
    check_proof(claim, proof, known)


def check_proof(claim: Claim, proof: Proof, known: Known) -> None:
    """The two sides of a claim are equal."""
    finals = [final_term(term) for term in followed(claim, proof.paths, known)]
    require_partition(finals, proof.classes, proof.vanishing)
    for number, members in enumerate(proof.classes):
        check_class(f"class {number}", members, finals, known.exchanges)
    for exchange in proof.vanishing:
        check_vanishing(exchange, finals[exchange.number], known.exchanges)


# --- function nodes ---------------------------------------------------------------------------------------------------


def learn_node(name: str, node: Node, claim: Claim, known: Known) -> None:
    """Check what a certificate says of a function node, by nodes that come before it, and remember it."""
    legs = tuple(range(len(node.sizes)))
    for a, b, proof in node.exchanges:
        what = f"the function node {name}, exchange of its legs {a} and {b}"
        if a == b or node.sizes[a] != node.sizes[b]:
            fail(what, "they are not two legs of one size")
        if node.rows and legs[-1] in (a, b):
            fail(what, "a function of rows keeps the leg that it runs along")
        order = tuple({a: b, b: a}.get(leg, leg) for leg in legs)
        show_equal(what, node.argument, broadcast(node.argument, order, node.sizes), proof, claim, known)
    known.exchanges[name] = exchanges_of_node(node, [{a, b} for a, b, _ in node.exchanges])
    known.nodes[name] = name, legs
    if node.equal is not None:
        what = f"the function node {name}, which is to be {node.equal.node}"
        other = claim.nodes.get(node.equal.node)
        if other is None or known.nodes.get(node.equal.node, ("",))[0] != node.equal.node or node.equal.node == name:
            fail(what, "that is no node before it that stands for itself")
        require_fit(what, node, other, node.equal.legs)
        show_equal(what, node.argument, broadcast(other.argument, node.equal.legs, node.sizes), node.equal.proof, claim, known)
        known.nodes[name] = node.equal.node, node.equal.legs


def require_fit(where: str, node: Node, other: Node, legs: tuple[int, ...]) -> None:
    """Both are nodes of one function, and the legs of the other are different legs of the node, of the same sizes."""
    if (node.function, node.rows) != (other.function, other.rows):
        fail(where, "it is another function")
    if len(set(legs)) != len(legs) or tuple(node.sizes[leg] for leg in legs) != other.sizes:
        fail(where, f"the legs {legs} are not different ones of the sizes {other.sizes}")
    if node.rows and legs[-1:] != (len(node.sizes) - 1,):
        fail(where, "a function of rows keeps the leg that it runs along")


def show_equal(where: str, lhs: tuple[Term, ...], rhs: tuple[Term, ...], proof: Proof, claim: Claim, known: Known) -> None:
    """Two arguments are equal, under the laws and definitions of the statement."""
    try:
        check_proof(claim._replace(lhs=lhs, rhs=rhs), proof, known)
    except CertificateError as error:
        raise CertificateError(f"{where}: {error}") from error


def broadcast(argument: tuple[Term, ...], legs: tuple[int, ...], sizes: tuple[int | str, ...]) -> tuple[Term, ...]:
    """An argument with its outputs at these legs, and an output that nothing depends on at each leg that is left."""
    out = []
    for term in argument:
        place = dict(zip(legs, term.output, strict=True))
        fresh = [leg for leg in range(len(sizes)) if leg not in place]
        place |= {leg: len(term.sizes) + k for k, leg in enumerate(fresh)}
        output = tuple(place[leg] for leg in range(len(sizes)))
        out.append(term._replace(sizes=term.sizes + tuple(sizes[leg] for leg in fresh), output=output))
    return tuple(out)


def exchanges_of_node(node: Node, pairs: list[set[int]]) -> Exchanges:
    """The exchanges of legs that some pairs generate."""
    groups: list[set[int]] = []
    for pair in pairs:
        meeting = [group for group in groups if group & pair]
        groups = [group for group in groups if not group & pair]
        groups.append(pair.union(*meeting))
    return Exchanges(tuple((leg,) for leg in range(len(node.sizes))), tuple((tuple(sorted(group)), 1) for group in groups))


# --- final terms ------------------------------------------------------------------------------------------------------


def final_term(term: Term) -> FinalTerm:
    """Held indices replaced by their values, and unused ones by factors of their size."""
    values: dict[int, int] = {}
    is_zero = term.scalar.rational == 0
    for name, indices in term.factors:
        place = unit_place(name)
        if place is not None:
            is_zero |= values.setdefault(indices[0], place) != place
    used = used_indices(term)
    value = term.scalar
    for index, size in enumerate(term.sizes):
        if size is not None and index not in used:
            value = times(value, size_scalar(size))

    def at(index: int) -> Place:
        return (1, values[index]) if index in values else (0, index)

    factors = tuple((name, tuple(map(at, indices))) for name, indices in term.factors if unit_place(name) is None)
    output, names = tuple(map(at, term.output)), tuple((name, at(i)) for name, i in term.names)
    sizes = {index: term.sizes[index] for index in used if index not in values}
    shape = tuple(term.sizes[index] for index in term.output)
    return FinalTerm(value, factors, output, shape, names, sizes, is_zero)


def sorted_factors(
    term: FinalTerm, called: Mapping[int, int], exchanges: Mapping[str, Exchanges]
) -> tuple[list[tuple[str, tuple[Place, ...]]], int]:
    """The factors with other names for the indices, in order, the legs of each as its exchanges sort them; and the sign."""
    factors, sign = [], 1
    for name, places in term.factors:
        legs, factor_sign = exchanges[name].sorted(tuple((kind, called[k] if kind == 0 else k) for kind, k in places))
        factors.append((name, legs))
        sign *= factor_sign
    return sorted(factors), sign


def open_places(term: FinalTerm, called: Mapping[int, int]) -> tuple[list[Place], list[tuple[str, Place]]]:
    """Output and names with other names for the indices."""
    output = [(kind, called[k] if kind == 0 else k) for kind, k in term.output]
    return output, [(name, (kind, called[k] if kind == 0 else k)) for name, (kind, k) in term.names]


# --- classes ----------------------------------------------------------------------------------------------------------


def require_partition(finals: Sequence[FinalTerm], classes: Sequence[Sequence[Member]], vanishing: Sequence[Exchange]) -> None:
    """Every final term is at one place; only those that are zero may be nowhere."""
    places = Counter(member.number for members in classes for member in members) + Counter(e.number for e in vanishing)
    for number, count in places.items():
        if number >= len(finals):
            fail(f"final term {number}", f"it is in a class or vanishes, but there are {len(finals)} final terms")
        if count > 1:
            fail(f"final term {number}", f"it is {count} times in a class or among those that vanish")
    for number, term in enumerate(finals):
        if number not in places and not term.is_zero:
            fail(f"final term {number}", "it is in no class and does not vanish")


def check_class(where: str, members: Sequence[Member], finals: Sequence[FinalTerm], exchanges: Mapping[str, Exchanges]) -> None:
    """All members are the first one up to the coefficient, indices renamed; the coefficients add up to 0."""
    if not members:
        fail(where, "it has no members")
    total = Fraction(0)
    first = finals[members[0].number]
    for member in members:
        term = finals[member.number]
        if term.is_zero:
            fail(where, f"final term {member.number} is zero, and belongs in no class")
        if len(member.labels) != len(set(member.labels)) or set(member.labels) != set(term.sizes):
            fail(where, f"the labels of final term {member.number} are not its indices {sorted(term.sizes)}, each once")
        total += first_multiple(where, members[0], first, member, term, exchanges) * term.scalar.rational
    if total != 0:
        fail(where, f"its coefficients add up to {total}, not to 0")


def first_multiple(
    where: str, head: Member, first: FinalTerm, member: Member, term: FinalTerm, exchanges: Mapping[str, Exchanges]
) -> int:
    """1 or -1: which multiple of the first member another is, coefficients aside."""
    both = f"final terms {head.number} and {member.number}"
    if len(member.labels) != len(head.labels):
        fail(where, f"{both} have {len(head.labels)} and {len(member.labels)} indices")
    called = dict(zip(member.labels, head.labels, strict=True))
    same = {index: index for index in first.sizes}
    if any(term.sizes[index] != first.sizes[other] for index, other in called.items()):
        fail(where, f"{both} have corresponding indices of different sizes")
    if term.shape != first.shape or open_places(term, called) != open_places(first, same):
        fail(where, f"{both} differ in their outputs")
    factors, sign = sorted_factors(term, called, exchanges)
    first_factors, first_sign = sorted_factors(first, same, exchanges)
    if factors != first_factors:
        fail(where, f"{both} differ in their factors")
    if term.scalar.powers != first.scalar.powers:
        fail(where, f"{both} have the monomials {first.scalar.powers} and {term.scalar.powers}")
    return sign * first_sign or 1  # 0: both are zero, and any multiple of each other


def check_vanishing(exchange: Exchange, term: FinalTerm, exchanges: Mapping[str, Exchanges]) -> None:
    """A term is zero by itself, or minus itself with indices exchanged."""
    where = f"vanishing final term {exchange.number}"
    same = {index: index for index in term.sizes}
    factors, sign = sorted_factors(term, same, exchanges)
    if term.is_zero or sign == 0:
        return
    called = same | dict(exchange.pairs)
    if len(dict(exchange.pairs)) != len(exchange.pairs) or set(called) != set(same) or set(called.values()) != set(same):
        fail(where, "its exchange is not one of its indices among themselves")
    if any(term.sizes[index] != term.sizes[other] for index, other in called.items()):
        fail(where, "its exchange maps an index to one of another size")
    if open_places(term, called) != open_places(term, same):
        fail(where, "its exchange moves the output")
    moved, moved_sign = sorted_factors(term, called, exchanges)
    if moved != factors:
        fail(where, "its exchange does not map the term to a multiple of itself")
    if moved_sign != -sign:
        fail(where, "its exchange maps the term to itself, not to minus itself")
