r"""A statement: two sums of networks that are claimed to be equal, under laws and definitions.

Definitions are multiplied out before anything else, left factor first and its leftmost term first; what a statement says is then
a list of *raw terms*, those of the left side and the negated ones of the right side, to which laws apply.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from symbolic_circuits.algebra.laws import Derivation, Law, closed_laws
from symbolic_circuits.algebra.open_terms import MAX_TERMS, Axis, Open, OpenTerm
from symbolic_circuits.algebra.rewriting import Rule, rules_of
from symbolic_circuits.algebra.scalar import number, times
from symbolic_circuits.algebra.tensor import Tensor
from symbolic_circuits.errors import BudgetError, IdentityError, LawError, ShapeError

__all__ = ["Statement"]


@dataclass(frozen=True)
class Statement:
    """What is to be proved or refuted.

    Raises
    ------
    IdentityError
        The two sides have different axes or free indices, or a definition is circular.
    LawError
        A law does not fit its tensor, or laws contradict each other.
    """

    lhs: Open
    rhs: Open
    axes: Mapping[str, tuple[Axis, ...]]  # of every tensor
    laws: tuple[Law, ...] = ()
    definitions: Mapping[str, Open] = field(default_factory=dict)
    user_rules: tuple[Rule, ...] = ()  # laws that a user added
    signed: frozenset[str] = frozenset()  # scalar symbols that may be negative
    size_symbols: frozenset[str] = frozenset()  # names that stand for sizes also where no axis is left that has them

    def __post_init__(self) -> None:
        if self.lhs.axes != self.rhs.axes:
            raise ShapeError(f"the sides have different shapes: {show(self.lhs.axes)} and {show(self.rhs.axes)}")
        if self.lhs.terms and self.rhs.terms and self.lhs.names != self.rhs.names:
            left, right = sorted(self.lhs.names), sorted(self.rhs.names)
            raise IdentityError(
                f"the sides have different free indices: {', '.join(left) or 'none'} and {', '.join(right) or 'none'}"
            )
        for side in (self.lhs, self.rhs):
            for term in side.terms:
                missing = side.names - {name for name, _ in term.named}
                if missing:
                    raise ShapeError(f"the free index {min(missing)} is not in every term of the sum")
        for law in self.laws:
            if law.tensor in self.definitions:
                raise LawError(
                    f"{law.tensor} is defined, so that what holds of it follows from its definition; it cannot be given the law {law}: "
                    f"declare laws of the tensors in its definition"
                )
        require_acyclic(self.definitions)
        self.closed_laws  # noqa: B018 contradictions are found here

    @cached_property
    def closed_laws(self) -> dict[Law, Derivation | None]:
        """The declared laws and what follows from them."""
        return closed_laws(self.laws, self.axes)

    @cached_property
    def tensors(self) -> dict[str, Tensor]:
        """Every tensor that is not defined, with the axes that may be exchanged."""
        groups: dict[str, dict[str, list]] = {name: {"symmetric": [], "antisymmetric": []} for name in self.axes}
        diagonal = {
            law.tensor for law in self.closed_laws if law.kind == "diagonal"
        }  # its axes are one index: nothing to exchange
        for law in self.closed_laws:
            if law.kind in ("symmetric", "antisymmetric") and law.tensor not in diagonal:
                groups[law.tensor][law.kind].append(legs_of(law, self.axes[law.tensor]))
        out = {}
        for name, axes in self.axes.items():
            symmetric, antisymmetric = (merged(groups[name][kind]) for kind in ("symmetric", "antisymmetric"))
            shared = {leg for group in symmetric for leg in group} & {leg for group in antisymmetric for leg in group}
            if shared:
                raise LawError(f"axes of {name} are declared symmetric and antisymmetric in ways that make it zero")
            out[name] = Tensor(name, tuple(size for axis in axes for size in axis), symmetric, antisymmetric)
        return out

    @cached_property
    def used(self) -> list[str]:
        """The tensors that the sides are functions of, and those that laws tie to them (an inverse); not the defined ones."""
        sides = (self.lhs, self.rhs, *self.definitions.values())
        found = {tensor.name for side in sides for tensor in tensors_of(side.terms)}
        for _ in self.closed_laws:
            found |= {law.other for law in self.closed_laws if law.tensor in found and law.other}
        return [name for name in self.axes if name in found and name not in self.definitions]

    @cached_property
    def rules(self) -> list[Rule]:
        """The laws as rewrites."""
        return rules_of(self.closed_laws, self.axes, self.tensors) + list(self.user_rules) if self.laws or self.user_rules else []

    def raw_terms(self) -> Iterator[OpenTerm]:
        """The terms of lhs - rhs with definitions multiplied out, in order."""
        minus = number(-1)
        for term in self.expanded(self.lhs.terms):
            yield term
        for term in self.expanded(self.rhs.terms):
            yield term._replace(scalar=times(term.scalar, minus))

    def expanded(self, terms: Iterable[OpenTerm]) -> Iterator[OpenTerm]:
        """Terms without defined tensors, and with the exchangeable axes of each tensor."""
        count = 0
        for term in terms:
            for found in substituted(term, self.definitions):
                count += 1
                if count > MAX_TERMS:
                    raise BudgetError(f"multiplying out the definitions makes more than {MAX_TERMS} terms")
                yield found._replace(factors=tuple((self.tensors.get(t.name, t), indices) for t, indices in found.factors))


def show(axes: tuple[Axis, ...]) -> str:
    """Sizes for an error message."""
    return " x ".join("*".join(map(str, axis)) or "1" for axis in axes) or "scalar"


def legs_of(law: Law, axes: tuple[Axis, ...]) -> tuple[int, ...]:
    """The legs that an exchange of axes exchanges."""
    starts = [sum(map(len, axes[:k])) for k in range(len(axes))]
    if any(len(axes[k]) > 1 for k in law.axes):
        raise LawError(f"{law} of {law.tensor}: an axis that is a product of sizes cannot be exchanged with another yet")
    return tuple(starts[k] for k in law.axes if axes[k])


def merged(groups: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Groups that share an axis made one: exchanges of 0, 1 and of 1, 2 make all exchanges of 0, 1, 2."""
    out: list[set[int]] = []
    for group in map(set, groups):
        for other in [o for o in out if o & group]:
            out.remove(other)
            group |= other
        out.append(group)
    return tuple(sorted(tuple(sorted(group)) for group in out if len(group) > 1))


def require_acyclic(definitions: Mapping[str, Open]) -> None:
    """No tensor is defined by itself, directly or through others."""
    state: dict[str, int] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if state.get(name) == 1:
            raise IdentityError(f"the definition of {name} is circular: {' -> '.join((*path[path.index(name) :], name))}")
        if name in state or name not in definitions:
            return
        state[name] = 1
        for tensor in tensors_of(definitions[name].terms):
            visit(tensor.name, (*path, name))
        state[name] = 2

    for name in definitions:
        visit(name, ())


def tensors_of(terms: Iterable[OpenTerm]) -> Iterator[Tensor]:
    """The tensors in some terms, and in the arguments of functions in them."""
    for term in terms:
        for tensor, _ in term.factors:
            yield tensor
            argument = getattr(tensor, "argument", None)
            if argument is not None:
                yield from tensors_of(argument.terms)


def substituted(term: OpenTerm, definitions: Mapping[str, Open]) -> Iterator[OpenTerm]:
    """A term with its first defined factor replaced by each term of the definition, and so on."""
    place = next((k for k, (tensor, _) in enumerate(term.factors) if tensor.name in definitions), None)
    if place is None:
        yield term
        return
    tensor, indices = term.factors[place]
    for inner in definitions[tensor.name].terms:
        shift = len(term.sizes)
        moved = inner.renamed(range(shift, shift + len(inner.sizes)), inner.sizes)
        factors = term.factors[:place] + moved.factors + term.factors[place + 1 :]
        if any(term.sizes[a] != inner.sizes[b] for a, b in zip(indices, inner.legs, strict=True)):
            continue  # different parts of an axis that is a sum
        joined = OpenTerm(times(term.scalar, inner.scalar), factors, term.sizes + inner.sizes, term.legs, term.named)
        yield from substituted(joined.united(zip(indices, moved.legs, strict=True)).closed(), definitions)
