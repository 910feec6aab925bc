r"""The normal form of a statement: raw terms rewritten by its laws, in classes of equal canonical form; proved if every class adds up to 0.

What was done to each raw term, and which index of one member of a class is which of another, is kept: it is the proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from symbolic_circuits.algebra.functions import FunctionTensor, canonical_function, settled
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Key, Polynomial, keyed
from symbolic_circuits.algebra.rewriting import Step, rewritten
from symbolic_circuits.algebra.statement import Statement

__all__ = ["FinalTerm", "Member", "NormalForm", "normal_form", "replace_sides"]


class FinalTerm(NamedTuple):
    """A term to which no law applies any more."""

    raw: int  # number of the raw term that it comes from
    steps: tuple[tuple[Step, int], ...]
    term: OpenTerm  # indices called as in the raw term


class Member(NamedTuple):
    """A final term as a member of its class."""

    number: int  # of the final term
    labels: tuple[int, ...]  # its index for each index of the canonical form that is not held
    coefficient: Fraction


@dataclass(frozen=True)
class NormalForm:
    """Final terms in classes."""

    statement: Statement
    finals: tuple[FinalTerm, ...]
    classes: Mapping[Key, tuple[Member, ...]]
    vanishing: tuple[int, ...]  # final terms that are zero by themselves

    @cached_property
    def residue(self) -> Polynomial:
        """What is left of lhs - rhs."""
        sums = {key: sum((member.coefficient for member in members), Fraction(0)) for key, members in self.classes.items()}
        names = tuple(sorted(self.statement.lhs.names | self.statement.rhs.names))
        return Polynomial(self.statement.lhs.axes, names, {key: value for key, value in sums.items() if value})

    @property
    def is_zero(self) -> bool:
        """Whether the statement is proved."""
        return self.residue.is_zero


def normal_form(statement: Statement) -> NormalForm:
    """The normal form of lhs - rhs."""
    finals: list[FinalTerm] = []
    classes: dict[Key, list[Member]] = {}
    vanishing = []
    rules = statement.rules
    nodes: dict[str, tuple[FunctionTensor, tuple[int, ...]]] = {}
    for raw, term in enumerate(statement.raw_terms()):
        term = with_functions(statement, term, nodes)
        for found, steps in rewritten(term, rules) if rules else [(term, ())]:
            number = len(finals)
            finals.append(FinalTerm(raw, steps, found))
            closed, origins = found.compact()
            key, coefficient, labels = keyed(closed)
            if not coefficient:
                vanishing.append(number)
                continue
            ordered = sorted((place, origins[index]) for index, place in labels.items())
            member = Member(number, tuple(label for _, label in ordered), coefficient)
            classes.setdefault(key, []).append(member)
    return NormalForm(statement, tuple(finals), {key: tuple(members) for key, members in classes.items()}, tuple(vanishing))


def with_functions(statement: Statement, term: OpenTerm, known: dict[str, tuple[FunctionTensor, tuple[int, ...]]]) -> OpenTerm:
    """A term with canonical function nodes, whose arguments are in normal form under the laws and definitions of the statement."""
    nodes = [tensor for tensor, _ in term.factors if isinstance(tensor, FunctionTensor)]
    if not nodes:
        return term

    def normal(argument: Open) -> Polynomial:
        return normal_form(replace_sides(statement, argument, Open(argument.axes, ()))).residue

    for node in nodes:
        if node.name not in known:
            known[node.name] = canonical_function(node, normal)
    return settled(term, known)


def replace_sides(statement: Statement, lhs: Open, rhs: Open) -> Statement:
    """The same laws and definitions with other sides; what is known of the laws is kept."""
    new = replace(statement, lhs=lhs, rhs=rhs)
    for name in ("closed_laws", "tensors", "rules"):
        if name in statement.__dict__:
            new.__dict__[name] = statement.__dict__[name]
    return new
