r"""The certificate of a proof: what an independent checker needs to see that lhs - rhs is zero, as plain data for JSON.

| part | what it holds |
| --- | --- |
| ``statement`` | both sides as sums of networks, axes of the tensors, definitions, declared laws, rules that a user added |
| ``derived`` | laws that follow from others, premises first |
| ``terms`` | how each final term comes from a raw term: rule, factors (counted in the term at hand), order of their legs, which result |
| ``classes`` | final terms that are equal up to their coefficient: the k-th label of one is the k-th of every other |
| ``vanishing`` | final terms that are zero: held at two places, or mapped to minus themselves by an exchange of indices |
"""

from fractions import Fraction

from symbolic_circuits.algebra.canonical import vanishing_exchange
from symbolic_circuits.algebra.held import held_apart
from symbolic_circuits.algebra.laws import Law
from symbolic_circuits.algebra.normal_form import NormalForm
from symbolic_circuits.algebra.open_terms import OpenTerm
from symbolic_circuits.algebra.rewriting import Rule
from symbolic_circuits.algebra.scalar import Scalar
from symbolic_circuits.algebra.statement import Statement

__all__ = ["FORMAT", "certificate_of"]

FORMAT, VERSION = "symbolic_circuits certificate", 1


def certificate_of(form: NormalForm) -> dict:
    """The certificate of a normal form that is zero."""
    derived = [
        [*law_data(law), why.reason, [law_data(premise) for premise in why.premises]]
        for law, why in form.statement.closed_laws.items()
        if why is not None
    ]
    terms = [
        {
            "raw": final.raw,
            "steps": [[step.rule, list(step.factors), [list(o) for o in step.orders], choice] for step, choice in final.steps],
        }
        for final in form.finals
    ]
    classes = [{"members": [[member.number, list(member.labels)] for member in members]} for members in form.classes.values()]
    vanishing = [[number, exchange_of(form.finals[number].term)] for number in form.vanishing]
    return {
        "format": FORMAT,
        "version": VERSION,
        "statement": statement_data(form.statement),
        "derived": derived,
        "terms": terms,
        "classes": classes,
        "vanishing": vanishing,
    }


def exchange_of(term: OpenTerm) -> list[list[int]]:
    """The exchange of indices that maps a term to minus itself; none where a law makes it zero, an index is held twice, or an exchanged one repeats."""
    if not term.scalar.rational:
        return []
    closed, origins = term.compact()
    apart = held_apart(closed)
    if apart is None:
        return []
    moved, place_of = apart
    back = {place: origins[index] for index, place in place_of.items()}
    network, sizes = moved.network()
    return [[back[a], back[b]] for a, b in sorted(vanishing_exchange(network, sizes).items()) if a in back and b in back]


def statement_data(statement: Statement) -> dict:
    """A statement as plain data."""
    return {
        "lhs": [term_data(term) for term in statement.lhs.terms],
        "rhs": [term_data(term) for term in statement.rhs.terms],
        "tensors": {name: [list(axis) for axis in axes] for name, axes in statement.axes.items()},
        "definitions": {name: [term_data(term) for term in value.terms] for name, value in statement.definitions.items()},
        "laws": [law_data(law) for law in statement.laws],
        "rules": [rule_data(rule) for rule in statement.user_rules],
    }


def law_data(law: Law) -> list[str]:
    """A law as a pair."""
    return [law.tensor, str(law)]


def term_data(term: OpenTerm) -> dict:
    """A term as plain data."""
    return {
        "coefficient": scalar_data(term.scalar),
        "factors": [[tensor.name, list(indices)] for tensor, indices in term.factors],
        "sizes": list(term.sizes),
        "output": list(term.legs),
        "names": [list(pair) for pair in term.named],
    }


def scalar_data(scalar: Scalar) -> list:
    """A scalar as plain data."""
    return [str(Fraction(scalar.rational)), {str(name): str(exponent) for name, exponent in scalar.monomial}]


def rule_data(rule: Rule) -> dict:
    """A rule as plain data."""
    return {
        "name": rule.name,
        "factors": [[name, list(variables)] for name, variables in rule.factors],
        "summed": sorted(rule.summed),
        "result": [
            {
                "coefficient": scalar_data(replacement.scalar),
                "factors": [[tensor.name, list(variables)] for tensor, variables in replacement.factors],
                "united": [list(pair) for pair in replacement.united],
                "fresh": list(replacement.fresh),
            }
            for replacement in rule.result
        ],
    }
