r"""What a certificate is made of, as frozen values: c * sum over indices of prod_f T_f[indices] is a ``Term``; scalars multiply exactly."""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor
from typing import NamedTuple, NoReturn, TypeAlias

from symbolic_circuits.errors import CertificateError

__all__ = [
    "Axes",
    "Certificate",
    "Claim",
    "Equal",
    "Exchange",
    "Factor",
    "Member",
    "Node",
    "Path",
    "Proof",
    "Result",
    "Rule",
    "Scalar",
    "Size",
    "Step",
    "Term",
    "fail",
    "scalar",
    "size_scalar",
    "times",
    "unit_place",
]

UNIT = re.compile(r"unit ([0-9]{1,18})")

Size: TypeAlias = int | str
Factor: TypeAlias = tuple[str, tuple[int, ...]]  # tensor, index of each leg
Axes: TypeAlias = tuple[tuple[Size, ...], ...]  # the legs of each axis


class Scalar(NamedTuple):
    """rational * product of generator^exponent; prime numbers are generators with exponents between 0 and 1."""

    rational: Fraction
    powers: tuple[tuple[str, Fraction], ...]  # sorted


class Term(NamedTuple):
    """scalar * sum over the indices that are neither output nor named of the product of the factors."""

    scalar: Scalar
    factors: tuple[Factor, ...]
    sizes: tuple[Size | None, ...]  # of each index; None where a rewrite took the index away
    output: tuple[int, ...]
    names: tuple[tuple[str, int], ...]  # open index variables, sorted


class Result(NamedTuple):
    """One term of the right side of a rule, on the rule's variables and fresh ones, which follow in number and are summed."""

    scalar: Scalar
    factors: tuple[Factor, ...] = ()
    united: tuple[tuple[int, int], ...] = ()
    fresh: tuple[Size, ...] = ()


class Rule(NamedTuple):
    """The product of factors, summed over some variables, equals the sum of the results."""

    name: str
    factors: tuple[Factor, ...]  # tensor, variable of each leg
    summed: frozenset[int]
    results: tuple[Result, ...]


class Claim(NamedTuple):
    """lhs = rhs for all functions and all tensors with these axes, definitions, laws and rules."""

    lhs: tuple[Term, ...]
    rhs: tuple[Term, ...]
    tensors: Mapping[str, Axes]  # function nodes too, each leg an axis
    definitions: Mapping[str, tuple[Term, ...]]
    laws: tuple[tuple[str, str], ...]
    rules: tuple[Rule, ...]
    nodes: Mapping[str, "Node"]  # function nodes, in the order in which what is said of them is shown


class Step(NamedTuple):
    """A rule applied to the factors at these positions, the legs of each read in this order; which result is followed."""

    rule: str
    positions: tuple[int, ...]
    orders: tuple[tuple[int, ...], ...]
    choice: int


class Path(NamedTuple):
    """How a final term comes from a raw one."""

    raw: int
    steps: tuple[Step, ...]


class Member(NamedTuple):
    """A final term in a class; its k-th label is the index for the k-th of every other member."""

    number: int
    labels: tuple[int, ...]


class Exchange(NamedTuple):
    """A final term that is zero, and what each index is exchanged with."""

    number: int
    pairs: tuple[tuple[int, int], ...]


class Proof(NamedTuple):
    """What shows that two sums of networks are equal."""

    paths: tuple[Path, ...]
    classes: tuple[tuple[Member, ...], ...]
    vanishing: tuple[Exchange, ...]


class Equal(NamedTuple):
    """A node is another one, broadcast along the legs that are not listed."""

    node: str
    legs: tuple[int, ...]  # which leg of the node each leg of the other is
    proof: Proof


class Node(NamedTuple):
    """A function of an expression: of every entry, or of every row along the last leg; nothing else is known of the function."""

    function: str
    rows: bool
    sizes: tuple[Size, ...]  # of the legs
    argument: tuple[Term, ...]  # the outputs are the legs
    equal: Equal | None  # by what it is replaced
    exchanges: tuple[tuple[int, int, Proof], ...]  # pairs of legs, and what shows that they may be exchanged


class Certificate(NamedTuple):
    """All parts of a certificate."""

    claim: Claim
    derived: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...]  # tensor, law, premises
    proof: Proof


def fail(where: str, what: str) -> NoReturn:
    """Raise CertificateError."""
    raise CertificateError(f"{where}: {what}")


def scalar(rational: Fraction | int, powers: Mapping[str, Fraction] | Iterable[tuple[str, Fraction]] = ()) -> Scalar:
    """A scalar in normal form: whole powers of numbers belong to the rational.

    >>> scalar(3, {"2": Fraction(3, 2), "n": Fraction(0)})
    Scalar(rational=Fraction(6, 1), powers=(('2', Fraction(1, 2)),))
    """
    rational, kept = Fraction(rational), {}
    for name, exponent in dict(powers).items():
        if name.isascii() and name.isdigit():
            rational *= Fraction(int(name)) ** floor(exponent)
            exponent -= floor(exponent)
        if exponent != 0:
            kept[name] = exponent
    return Scalar(rational, tuple(sorted(kept.items())))


def times(left: Scalar, right: Scalar) -> Scalar:
    """The product."""
    powers = dict(left.powers)
    for name, exponent in right.powers:
        powers[name] = powers.get(name, Fraction(0)) + exponent
    return scalar(left.rational * right.rational, powers)


def size_scalar(size: Size) -> Scalar:
    """A size as a scalar."""
    return scalar(size) if isinstance(size, int) else scalar(1, {size: Fraction(1)})


def unit_place(name: str) -> int | None:
    """The place of a unit vector; None for other tensors.

    >>> unit_place("unit 12"), unit_place("U")
    (12, None)
    """
    found = UNIT.fullmatch(name)
    return int(found[1]) if found else None
