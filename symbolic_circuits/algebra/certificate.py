r"""The certificate of a proof: what an independent checker needs to see that lhs - rhs is zero, as plain data for JSON.

| part | what it holds |
| --- | --- |
| ``statement`` | both sides as sums of networks, axes of the tensors, definitions, declared laws, rules that a user added |
| ``functions`` | function nodes, such as relu of a matrix, and why two of them are equal; may be left out where there are none |
| ``derived`` | laws that follow from others, premises first |
| ``terms`` | how each final term comes from a raw term: rule, factors (counted in the term at hand), order of their legs, which result |
| ``classes`` | final terms that are equal up to their coefficient: the k-th label of one is the k-th of every other |
| ``vanishing`` | final terms that are zero: times zero, held at two places, or mapped to minus themselves by an exchange of indices |

A raw term is one of lhs, or a negated one of rhs, with definitions multiplied out and then every function node replaced by the one
that it is known to be equal to; laws apply after that. A *proof* is an object of ``terms``, ``classes`` and ``vanishing``.

Function nodes stand in factors by a short name, ``"relu#0"``. Each is an object in the list ``functions``:

| key | what it holds |
| --- | --- |
| ``name``, ``function`` | its short name; the function, of which nothing is known |
| ``rows`` | whether the function acts on whole rows along the last leg, as softmax does, and not on entries |
| ``sizes`` | of the legs |
| ``argument`` | a sum of terms whose outputs are the legs |
| ``equal`` | null for a node that stands for itself, as canonical ones do; else ``node``, ``legs`` and ``proof``, as below |
| ``exchanges`` | pairs ``legs`` that can be exchanged, each with the ``proof`` that the argument is itself with its outputs so exchanged |

``equal`` names a node of the same function that comes earlier in the list and stands for itself; its k-th leg is leg ``legs[k]`` of
this one, and its argument does not depend on the legs that are not listed. The ``proof`` is one of: argument of this node = argument
of that node with its outputs at ``legs`` (an output index at a leg that is not listed is a new one; new ones follow in number, in the
order of the legs). The last leg of a function of rows stays the last, and is in no exchange. The proofs of a node are by laws, rules
and definitions of the statement, and by what the list says of nodes before it: each is replaced by the one that it is equal to, and
legs that can be exchanged generate all exchanges of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symbolic_circuits.algebra.canonical import vanishing_exchange
from symbolic_circuits.algebra.functions import FunctionTensor, canonical_function
from symbolic_circuits.algebra.held import held_apart
from symbolic_circuits.algebra.laws import Law
from symbolic_circuits.algebra.normal_form import NormalForm, normal_form, replace_sides
from symbolic_circuits.algebra.open_terms import Axis, Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.rewriting import Rule
from symbolic_circuits.algebra.scalar import Scalar
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.units import PREFIX

__all__ = ["FORMAT", "certificate_of"]

FORMAT, VERSION = "symbolic_circuits certificate", 1


def certificate_of(form: NormalForm) -> dict:
    """The certificate of a normal form that is zero."""
    nodes = Nodes(form.statement)
    nodes.add_all()
    derived = [
        [*law_data(law), why.reason, [law_data(premise) for premise in why.premises]]
        for law, why in form.statement.closed_laws.items()
        if why is not None
    ]
    return {
        "format": FORMAT,
        "version": VERSION,
        "statement": statement_data(form.statement, nodes),
        "functions": nodes.entries,
        "derived": derived,
        **proof_data(form),
    }


def proof_data(form: NormalForm) -> dict:
    """Final terms and their classes as plain data."""
    terms = [
        {
            "raw": final.raw,
            "steps": [[step.rule, list(step.factors), [list(o) for o in step.orders], choice] for step, choice in final.steps],
        }
        for final in form.finals
    ]
    classes = [{"members": [[member.number, list(member.labels)] for member in members]} for members in form.classes.values()]
    vanishing = [[number, exchange_of(form.finals[number].term)] for number in form.vanishing]
    return {"terms": terms, "classes": classes, "vanishing": vanishing}


# --- function nodes ---------------------------------------------------------------------------------------------------

NodeKey = tuple[str, tuple[SizeName, ...]]


@dataclass
class Nodes:
    """The function nodes of a statement as plain data, each after those that its proofs need."""

    statement: Statement
    names: dict[NodeKey, str] = field(default_factory=dict)  # short names
    declared: dict[NodeKey, FunctionTensor] = field(default_factory=dict)  # equal canonical nodes may have different arguments
    entries: list[dict] = field(default_factory=list)

    def name(self, tensor: Tensor) -> str:
        """The name of a tensor in the certificate."""
        return self.names[tensor.name, tensor.shape] if isinstance(tensor, FunctionTensor) else tensor.name

    def add_all(self) -> None:
        """Add the nodes of both sides, of definitions and of rules."""
        statement = self.statement
        self.add_terms(statement.lhs.terms + statement.rhs.terms)
        self.add_terms(tuple(statement.raw_terms()))
        for value in statement.definitions.values():
            self.add_terms(value.terms)
        for rule in filter(lambda rule: can_apply(rule, statement), statement.user_rules):
            self.add_tensors(tensor for replacement in rule.result for tensor, _ in replacement.factors)

    def add_terms(self, terms: Iterable[OpenTerm]) -> None:
        """Add the nodes of some terms."""
        self.add_tensors(tensor for term in terms for tensor, _ in term.factors)

    def add_tensors(self, tensors: Iterable[Tensor]) -> None:
        """Add those tensors that are nodes and not there yet."""
        for tensor in tensors:
            if isinstance(tensor, FunctionTensor) and (tensor.name, tensor.shape) not in self.names:
                self.add(tensor)

    def add(self, node: FunctionTensor) -> None:
        """Add a node as written, and first its canonical one."""
        self.add_needed(node.argument)
        other, legs = canonical_function(node, self.normal)
        if (other.name, other.shape) not in self.names:
            self.add_needed(other.argument)
            entry = self.declare(other)
            entry["exchanges"] = [
                {"legs": [group[0], leg], "proof": self.proof(other.argument, exchanged(other.argument, group[0], leg))}
                for group in other.symmetric
                for leg in group[1:]
            ]
        if (node.name, node.shape) not in self.names:
            known = self.declared[other.name, other.shape].argument
            proof = self.proof(node.argument, broadcast(known, legs, node.argument.axes))
            self.declare(node)["equal"] = {"node": self.name(other), "legs": list(legs), "proof": proof}

    def add_needed(self, argument: Open) -> None:
        """Add the nodes of an argument, and those that its definitions have."""
        self.add_terms(argument.terms)
        self.add_terms(tuple(self.statement.expanded(argument.terms)))

    def declare(self, node: FunctionTensor) -> dict:
        """A new entry of the list."""
        taken = {*self.statement.axes, *self.names.values()}
        number = len(self.entries)
        while f"{node.function}#{number}" in taken:
            number += 1
        name = self.names[node.name, node.shape] = f"{node.function}#{number}"
        self.declared[node.name, node.shape] = node
        value = [term_data(term, self) for term in node.argument.terms]
        entry = {"name": name, "function": node.function, "rows": node.rows, "sizes": list(node.shape)}
        self.entries.append(entry | {"argument": value, "equal": None, "exchanges": []})
        return self.entries[-1]

    def normal(self, argument: Open) -> Polynomial:
        """The normal form of an argument."""
        return normal_form(replace_sides(self.statement, argument, Open(argument.axes, ()))).residue

    def proof(self, lhs: Open, rhs: Open) -> dict:
        """The proof that two arguments are equal."""
        return proof_data(normal_form(replace_sides(self.statement, lhs, rhs)))


def exchanged(argument: Open, a: int, b: int) -> Open:
    """An argument with two legs of one size exchanged."""
    return argument.permuted([{a: b, b: a}.get(leg, leg) for leg in range(len(argument.axes))])


def broadcast(argument: Open, legs: Sequence[int], axes: Sequence[Axis]) -> Open:
    """An argument with its axes at these places among others, on which it does not depend."""
    fresh = [leg for leg in range(len(axes)) if leg not in legs]

    def placed(term: OpenTerm) -> OpenTerm:
        place = dict(zip(legs, term.legs, strict=True)) | {leg: len(term.sizes) + k for k, leg in enumerate(fresh)}
        sizes = term.sizes + tuple(axes[leg][0] for leg in fresh)
        return term._replace(sizes=sizes, legs=tuple(place[leg] for leg in range(len(axes))))

    return argument.mapped(placed, axes)


# --- statements -------------------------------------------------------------------------------------------------------


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


def statement_data(statement: Statement, nodes: Nodes) -> dict:
    """A statement as plain data."""
    return {
        "lhs": [term_data(term, nodes) for term in statement.lhs.terms],
        "rhs": [term_data(term, nodes) for term in statement.rhs.terms],
        "tensors": {name: [list(axis) for axis in axes] for name, axes in statement.axes.items()},
        "definitions": {name: [term_data(term, nodes) for term in value.terms] for name, value in statement.definitions.items()},
        "laws": [law_data(law) for law in statement.laws],
        "rules": [rule_data(rule, nodes) for rule in statement.user_rules if can_apply(rule, statement)],
    }


def can_apply(rule: Rule, statement: Statement) -> bool:
    """Whether a rule may have been used: its left side has no function node as written, which canonical ones have replaced."""
    return all(name in statement.axes or name.startswith(PREFIX) for name, _ in rule.factors)


def law_data(law: Law) -> list[str]:
    """A law as a pair."""
    return [law.tensor, str(law)]


def term_data(term: OpenTerm, nodes: Nodes) -> dict:
    """A term as plain data."""
    return {
        "coefficient": scalar_data(term.scalar),
        "factors": [[nodes.name(tensor), list(indices)] for tensor, indices in term.factors],
        "sizes": list(term.sizes),
        "output": list(term.legs),
        "names": [list(pair) for pair in term.named],
    }


def scalar_data(scalar: Scalar) -> list:
    """A scalar as plain data."""
    return [str(Fraction(scalar.rational)), {str(name): str(exponent) for name, exponent in scalar.monomial}]


def rule_data(rule: Rule, nodes: Nodes) -> dict:
    """A rule as plain data."""
    return {
        "name": rule.name,
        "factors": [[name, list(variables)] for name, variables in rule.factors],
        "summed": sorted(rule.summed),
        "result": [
            {
                "coefficient": scalar_data(replacement.scalar),
                "factors": [[nodes.name(tensor), list(variables)] for tensor, variables in replacement.factors],
                "united": [list(pair) for pair in replacement.united],
                "fresh": list(replacement.fresh),
            }
            for replacement in rule.result
        ],
    }
