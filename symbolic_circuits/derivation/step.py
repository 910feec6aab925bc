"""A step: the line before equals the line after, by a rule at a place; replayed by the rule and proved by the decision procedure."""

from dataclasses import dataclass
from typing import Any

from sympy import Expr, Mul, Symbol
from sympy.core.basic import Basic
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArrayElement, OneArray

from symbolic_circuits.algebra.verdicts import HoldsAt, Proved, Verdict
from symbolic_circuits.derivation.pieces import scaled, summands, total
from symbolic_circuits.derivation.places import Place, part, replaced
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.errors import DerivationError, SymbolicCircuitsError
from symbolic_circuits.identities.prove import prove
from symbolic_circuits.syntax.arrays import Row, array_shape

__all__ = ["Step", "is_exact", "needed", "with_equal_indices"]


@dataclass(frozen=True, slots=True)
class Step:
    """One use of one rule.

    That the lines are equal follows from the two sides at the place being equal, which is what is proved; that the stated rule was
    used is what replaying shows.
    """

    place: Place  # in ``before``; in ``after`` where the rule is read backwards
    rule: Rule
    before: Basic  # the whole line
    after: Basic
    backwards: bool = False  # the rule leads from ``after`` to ``before``
    stage: str = ""  # steps in a row with one stage make one main step

    @classmethod
    def forwards(cls, line: Basic, place: Place, rule: Rule, stage: str = "") -> "Step":
        """The step that a rule makes at a place of a line."""
        try:
            result = rule.apply(part(line, place))
            if not isinstance(result, Basic):
                raise DerivationError(f"{rule.name} gives no expression but {type(result).__name__}: {result}")
            after = replaced(line, place, result)
        except DerivationError as error:
            raise DerivationError(f"at place {tuple(place)}: {error}") from error
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            if isinstance(error, SymbolicCircuitsError):
                raise
            raise DerivationError(f"at place {tuple(place)}: {rule} cannot be applied: {error}") from error
        require_same_shape(line, after, rule)
        return cls(tuple(place), rule, line, after, stage=stage)

    @property
    def source(self) -> Basic:
        """The line that the rule is applied to."""
        return self.after if self.backwards else self.before

    @property
    def target(self) -> Basic:
        """The line that the rule gives."""
        return self.before if self.backwards else self.after

    def reversed(self) -> "Step":
        """The same step read the other way."""
        return Step(self.place, self.rule, self.after, self.before, not self.backwards, self.stage)

    def sides(self) -> tuple[Basic, Basic]:
        """What is at the place, and what the rule makes of it."""
        there = part(self.source, self.place)
        return there, self.rule.apply(there)

    def replay(self) -> None:
        """Apply the rule again.

        Raises
        ------
        DerivationError
            The rule does not apply, or gives another line.
        """
        again = Step.forwards(self.source, self.place, self.rule).after
        if again != self.target:
            raise DerivationError(f"{self.rule.name} at place {self.place} gives {again}, but the step has {self.target}")

    def prove(self, given: dict[Any, Any]) -> Verdict:
        """The verdict on the two sides being equal, given the definitions and laws that the rule uses."""
        return prove(*with_equal_indices(*self.sides()), given={tensor: given[tensor] for tensor in self.uses(given)})

    def uses(self, given: dict[Any, Any]) -> list[Any]:
        """The tensors whose definitions or laws a proof of the step may use: those of the rule, and those in their definitions."""
        return needed(self.rule.defined, given)


def with_equal_indices(left: Basic, right: Basic) -> tuple[Basic, Basic]:
    """Both sides, summands times ones where they do not depend on a free index that others have: (1 b^T)_{sv} = b_v.

    >>> from sympy import MatrixSymbol, OneMatrix
    >>> s, v = Symbol("s"), Symbol("v")
    >>> b = MatrixSymbol("b", 3, 1)
    >>> with_equal_indices(MatrixElement(OneMatrix(5, 1) * b.T, s, v), b[v, 0])[1]
    OneArray(5)[s]*b[v, 0]
    """
    sizes = free_indices(left) | free_indices(right)
    return (at_every(left, sizes), at_every(right, sizes)) if sizes else (left, right)


def at_every(expr: Basic, sizes: dict[Symbol, Expr]) -> Basic:
    """An expression whose summands all depend on the same indices."""
    if not any(index not in summand.free_symbols for summand in summands(expr) for index in sizes):
        return expr
    parts = []
    for summand in summands(expr):
        ones = [ArrayElement(OneArray(size), (index,)) for index, size in sizes.items() if index not in summand.free_symbols]
        parts.append(scaled(Mul(*ones), summand))
    return total(parts, expr)


def free_indices(expr: Basic) -> dict[Symbol, Expr]:
    """The symbols that stand for indices and are not summed over, with the size of what they run over."""
    if not expr.has(MatrixElement, Row):
        return {}
    sizes: dict[Symbol, Expr] = {}
    for node in expr.atoms(MatrixElement, Row):
        shape = array_shape(node.args[0])
        sizes |= {index: size for index, size in zip(node.args[1:], shape, strict=False) if isinstance(index, Symbol)}
    return {symbol: sizes[symbol] for symbol in sorted(sizes, key=str) if symbol in expr.free_symbols}


def require_same_shape(line: Basic, after: Basic, rule: Rule) -> None:
    """A line keeps its shape, also where SymPy makes an array times zero the number zero."""
    try:
        shapes = [tuple(array_shape(expr)) for expr in (line, after)]
    except (SymbolicCircuitsError, TypeError):
        return
    if len(shapes[0]) != len(shapes[1]):
        raise DerivationError(f"after {rule.name} the line has shape {shapes[1]} and no longer {shapes[0]}")


def needed(tensors: Any, given: dict[Any, Any]) -> list[Any]:
    """The tensors of ``given`` that some tensors rest on, in its order."""
    wanted, waiting = set(), [tensor for tensor in tensors if tensor in given]
    while waiting:
        tensor = waiting.pop()
        if tensor not in wanted:
            wanted.add(tensor)
            values = [value for value in given[tensor] if isinstance(value, Basic)]
            waiting += [other for other in given if other not in wanted and any(value.has(other) for value in values)]
    return [tensor for tensor in given if tensor in wanted]


def is_exact(verdict: Verdict) -> bool:
    """Whether a verdict shows that two expressions are equal: proved, or true at the sizes that are numbers in them."""
    return isinstance(verdict, Proved) or (isinstance(verdict, HoldsAt) and verdict.error_probability is None)
