"""A derivation: a chain of equal lines, each made from the one before by rules at stated places; replayed and proved."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from sympy.core.basic import Basic

from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.derivation.places import Place, found, part
from symbolic_circuits.derivation.rules.definitions import Substitute
from symbolic_circuits.derivation.rules.laws import Claim
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.step import Step, is_exact, needed, with_equal_indices
from symbolic_circuits.derivation.theory import Stated, assumed_by, stated
from symbolic_circuits.display import displayed
from symbolic_circuits.errors import DerivationError, IdentityError
from symbolic_circuits.identities.asserting import text_of
from symbolic_circuits.identities.prove import Given, as_expression, prove
from symbolic_circuits.spec import Transformer
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["Derivation"]


@displayed
@dataclass(frozen=True)
class Derivation:
    """A chain of equal lines; made by ``begin`` and ``then``, or by ``derive``.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol
    >>> from symbolic_circuits.derivation.rules.distribute import Distribute
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B, C = (MatrixSymbol(name, n, n) for name in "ABC")
    >>> chain = Derivation.begin(A * (B + C) * A).then(Distribute())
    >>> chain.result
    A*B*A + A*C*A
    >>> chain.prove().verdict
    'proved'
    """

    start: Basic
    steps: tuple[Step, ...] = ()
    given: Stated = ()  # laws and definitions of tensors
    lemmas: tuple["Derivation", ...] = ()  # derived before, each of a named tensor
    name: Basic | None = None  # what is derived: the left side of the first line
    model: Transformer | None = None
    assumed: dict[Any, list[Any]] = field(init=False, repr=False, compare=False)  # laws and definitions, those of lemmas too

    def __post_init__(self) -> None:
        require_parts(self)
        line = self.start
        for number, step in enumerate(self.steps):
            if step.before != line:
                raise DerivationError(f"step {number} starts from {step.before}, but the line is {line}")
            line = step.after
        object.__setattr__(self, "assumed", assumed_by(self))

    @classmethod
    def begin(cls, start: Basic, given: Given = (), *, name: Basic | None = None, lemmas: tuple[Self, ...] = ()) -> Self:
        """A derivation of one line.

        Parameters
        ----------
        start : the first line
        given : laws and definitions, as of ``prove``
        name : what the first line is called, such as the tensor X_1: the left side of the equations
        lemmas : derivations of named tensors, whose results may be substituted
        """
        start = expression(start, "a derivation starts from")
        return cls(start, (), stated(given, start, *([] if name is None else [name])), tuple(lemmas), name)

    @property
    def result(self) -> Basic:
        """The last line."""
        return self.steps[-1].after if self.steps else self.start

    @property
    def lines(self) -> list[Basic]:
        """All lines, the first included."""
        return [self.start, *(step.after for step in self.steps)]

    @property
    def gaps(self) -> list[int]:
        """The numbers of the steps that only the decision procedure shows: no rule was found that makes them."""
        return [number for number, step in enumerate(self.steps) if isinstance(step.rule, Claim)]

    def then(
        self, rule: Rule, at: Place | Basic | None = None, *, backwards: Basic | None = None, stage: str = ""
    ) -> "Derivation":
        """One more step, replayed and proved at once.

        Parameters
        ----------
        rule : what is done
        at : where: a path of argument numbers, or an expression that occurs once; the whole line by default
        backwards : the next line, where the rule leads from it to this one; ``at`` is then a place of the next line
        stage : steps in a row with one stage are shown as one main step

        Raises
        ------
        DerivationError
            The rule does not apply at the place; the place does not exist or is not unique; the step cannot be proved.
        """
        if not isinstance(rule, Rule):
            raise DerivationError(f"a step is made by a rule, such as Distribute(); got {rule!r}")
        line = self.result if backwards is None else expression(backwards, "the next line is")
        step = Step.forwards(line, place_of(line, at), rule, stage)
        if backwards is not None:
            if step.after != self.result:
                raise DerivationError(f"{rule.name}, read backwards, leads to {step.after}, but the line is {self.result}")
            step = step.reversed()
        longer = replace(self, steps=(*self.steps, step))
        require_proved(step.prove(longer.assumptions), f"step {len(self.steps)}, {rule.name},", *step.sides())
        longer.require_known(step)
        return longer

    def extended(self, *steps: Step) -> "Derivation":
        """The derivation with more steps, as they are: ``check()`` replays and proves them."""
        return replace(self, steps=(*self.steps, *steps))

    @cached_property
    def assumptions(self) -> dict[Any, list[Any]]:
        """What proofs of steps may use: laws and definitions, and the results of lemmas in place of the definitions of their tensors."""
        return self.assumed | {lemma.name: [lemma.result] for lemma in self.lemmas if lemma.name is not None}

    def require_known(self, step: Step) -> None:
        """What is substituted is a definition that is given, or the line of a lemma."""
        rule = step.rule
        if isinstance(rule, Substitute):
            lines = [lemma.lines for lemma in self.lemmas if lemma.name == rule.symbol]
            if rule.value not in self.assumed.get(rule.symbol, []) and not any(rule.value in known for known in lines):
                raise DerivationError(f"{rule.symbol} is not defined as {rule.value} here, and no lemma says so")

    def replay(self) -> None:
        """Apply every rule again, from the first line of the first lemma on.

        Raises
        ------
        DerivationError
            A rule does not apply or gives another line; the message has the number of the step.
        """
        for derivation in self.parts():
            for number, step in enumerate(derivation.steps):
                try:
                    step.replay()
                    derivation.require_known(step)
                except DerivationError as error:
                    label = f" of {derivation.name}" if derivation.name is not None else ""
                    raise DerivationError(f"step {number}{label} does not replay: {error}") from error

    def parts(self) -> Iterator["Derivation"]:
        """The lemmas in order, then this derivation."""
        for lemma in self.lemmas:
            yield replace(lemma, lemmas=self.lemmas[: self.lemmas.index(lemma)])
        yield self

    def verdicts(self) -> Iterator[tuple[Step, Verdict]]:
        """The verdict on every step, those of lemmas first."""
        for derivation in self.parts():
            for step in derivation.steps:
                yield step, step.prove(derivation.assumptions)

    def prove(self) -> Verdict:
        """The verdict on the whole: of the first step that is not proved; else that the first line is the last, if all are.

        Steps are proved where they happen; a last proof, of the first line being equal to the last with every definition used,
        guards against slips in putting the parts together.
        """
        for _, verdict in self.verdicts():
            if not is_exact(verdict):
                return verdict
        return self.prove_ends()

    def prove_ends(self) -> Verdict:
        """The verdict on the first line being equal to the last."""
        return prove(*with_equal_indices(self.start, self.result), given=self.assumptions_used())

    def assumptions_used(self) -> dict[Any, list[Any]]:
        """Laws and definitions that the two ends rest on."""
        used = [tensor for tensor in self.assumptions if self.start.has(tensor) or self.result.has(tensor)]
        return {tensor: self.assumptions[tensor] for tensor in needed(used, self.assumptions)}

    def check(self) -> "Derivation":
        """The derivation itself, replayed and proved.

        Raises
        ------
        DerivationError
            A step does not replay, or is not proved.
        """
        self.replay()
        for chain in self.parts():
            for number, step in enumerate(chain.steps):
                require_proved(step.prove(chain.assumptions), f"step {number}, {step.rule.name},", *step.sides())
        require_proved(self.prove_ends(), "the derivation", self.start, self.result)
        return self


def place_of(line: Basic, at: Place | Basic | None) -> Place:
    """The place that is meant."""
    if at is None:
        return ()
    if isinstance(at, tuple):
        part(line, at)
        return at
    if not isinstance(at, Basic):
        raise DerivationError(f"a place is a path of argument numbers or an expression; got {type(at).__name__}: {at}")
    known = found(line, at)
    if len(known) != 1:
        where = f"at {', '.join(map(str, known))}: give the path" if known else f"nowhere in {line}"
        raise DerivationError(f"{at} occurs {where}")
    return known[0]


def require_proved(verdict: Verdict, what: str, lhs: Basic, rhs: Basic) -> None:
    """Raise DerivationError, with the verdict, unless it shows what it is about."""
    if not is_exact(verdict):
        error = DerivationError(f"{what} is not proved: {text_of(verdict, lhs, rhs, ())}")
        error.verdict = verdict
        raise error


def expression(expr: Any, what: str) -> Basic:
    """An expression as SymPy has it."""
    try:
        found = as_expression(expr)
    except IdentityError:
        found = None
    if not isinstance(found, Basic) or isinstance(found, MatrixFamily):
        raise DerivationError(f"{what} an expression; got {type(expr).__name__}: {str(expr)[:80]}")
    return found


def require_parts(derivation: Derivation) -> None:
    """Steps and lemmas are what they should be."""
    for parts, kind, words in ((derivation.steps, Step, "steps"), (derivation.lemmas, Derivation, "lemmas")):
        for item in parts:
            if not isinstance(item, kind):
                raise DerivationError(
                    f"the {words} of a derivation are of type {kind.__name__}; got {type(item).__name__}: {item}"
                )
