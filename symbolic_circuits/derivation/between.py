"""A derivation from one expression to another that is equal: few steps where a search finds them, else both multiplied out and matched.

| what | how |
| --- | --- |
| equal at all? | the decision procedure, with the laws and definitions; those that it can do without are left aside |
| few steps | rules at all places, from both ends (:mod:`symbolic_circuits.derivation.search`) |
| else | both sides in normal form (:mod:`symbolic_circuits.derivation.normal_tree`), summands matched by what they are equal to; |
| | from each to its partner by few steps, or both in indices, or by a claim: a gap |
"""

from dataclasses import replace
from typing import Any

from sympy import IndexedBase, MatrixSymbol
from sympy.core.basic import Basic
from sympy.core.expr import Expr
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.algebra.verdicts import HoldsAt, Verdict
from symbolic_circuits.derivation.alignment import alignment, key
from symbolic_circuits.derivation.bridge import Bridge
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.moves import Moves
from symbolic_circuits.derivation.normal_tree import tidied
from symbolic_circuits.derivation.rules.laws import Claim
from symbolic_circuits.derivation.search import SILENT, few_steps, size, staged
from symbolic_circuits.derivation.step import Step, is_exact
from symbolic_circuits.errors import DerivationError, SymbolicCircuitsError
from symbolic_circuits.identities.asserting import text_of
from symbolic_circuits.identities.prove import Given, name_of, prove, sorted_given
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["between", "without_detours"]

FIRST_STEPS = (2, 6)  # of each side, before all of it is multiplied out
LARGE = 150  # nodes, beyond which few steps are not looked for


def between(lhs: Expr, rhs: Expr, given: Given = ()) -> Derivation:
    """The steps from one expression to another.

    Parameters
    ----------
    lhs, rhs : scalars, matrices or arrays of one shape
    given : laws and definitions, as of ``prove``

    Returns
    -------
    A derivation whose first line is lhs and whose last line is rhs. Its ``gaps`` are the steps that no rule was found for; they are
    proved all the same.

    Raises
    ------
    DerivationError
        The sides are not equal, or it could not be decided; ``verdict`` says more.
    ShapeError, LawError, UnsupportedNodeError, IdentityError
        As of ``prove``.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol, Transpose
    >>> n, d = (Symbol(name, integer=True, positive=True) for name in "nd")
    >>> A, B, C = MatrixSymbol("A", n, d), MatrixSymbol("B", d, n), MatrixSymbol("C", d, n)
    >>> chain = between(Transpose(A * (B + C)), B.T * A.T + C.T * A.T)
    >>> for line in chain.lines:
    ...     print(line)
    (A*(B + C)).T
    (B + C).T*A.T
    (B.T + C.T)*A.T
    B.T*A.T + C.T*A.T
    >>> chain.gaps
    []
    """
    for side in (lhs, rhs):
        if not isinstance(side, Basic) or isinstance(side, MatrixFamily):
            raise DerivationError(
                f"a derivation is between two expressions; got {type(side).__name__}: {str(side)[:80]}. Text is read by read_latex"
            )
    require_equal(prove(lhs, rhs, given), lhs, rhs, given)
    stated = stated_tensors(given, lhs, rhs)
    start = Derivation.begin(lhs, [{tensor: law} for tensor, law in stated])
    needed = needed_of(stated, lhs, rhs)
    moves = Moves.of(needed, lhs, rhs)
    steps = short(lhs, rhs, moves)
    if steps is None:
        steps = long(lhs, rhs, moves, needed)
    return start.extended(*with_stages(without_detours(steps)))


def require_equal(verdict: Verdict, lhs: Expr, rhs: Expr, given: Given) -> None:
    """Raise DerivationError, with the verdict, unless the sides are equal."""
    if is_exact(verdict):
        return
    if isinstance(verdict, HoldsAt):
        text = f"equal with an error probability of {verdict.error_probability:.1e}, which is no proof: it is too large to be multiplied out"
    else:
        text = text_of(verdict, lhs, rhs, given)
    error = DerivationError(f"there is no derivation of {shown(lhs)} = {shown(rhs)}\n{text}")
    error.verdict = verdict
    raise error


def shown(expr: Expr) -> str:
    """An expression for a message."""
    text = str(expr)
    return text if len(text) <= 300 else f"{text[:300]} ..."


def stated_tensors(given: Given, *exprs: Basic) -> list[tuple[Basic, Any]]:
    """Laws and definitions, one pair (tensor, law or definition) each; tensors that are named by text are those of the expressions."""
    laws, definitions, rewrites = sorted_given(given)
    if rewrites:
        raise DerivationError("a derivation takes laws and definitions of tensors; state other laws as steps that are claimed")
    known = {}
    for expr in (*exprs, *definitions.values()):
        for leaf in sorted(expr.atoms(MatrixSymbol, ArraySymbol, MatrixFamily, IndexedBase), key=str):
            known.setdefault(name_of(leaf), leaf)
    return [
        (known.get(tensor, tensor) if isinstance(tensor, str) else tensor, law) for tensor, law in (*laws, *definitions.items())
    ]


def needed_of(stated: list[tuple[Basic, Any]], lhs: Expr, rhs: Expr) -> list[tuple[Basic, Any]]:
    """Those of the laws and definitions that a proof cannot do without."""
    kept = list(stated)
    for pair in stated:
        fewer = [other for other in kept if other is not pair]
        try:
            if is_exact(prove(lhs, rhs, [{tensor: law} for tensor, law in fewer])):
                kept = fewer
        except SymbolicCircuitsError:
            continue
    return kept


def short(lhs: Expr, rhs: Expr, moves: Moves) -> list[Step] | None:
    """Few steps, found by searching from both ends."""
    if size(lhs) + size(rhs) > LARGE:
        return None
    return few_steps(lhs, rhs, moves)


def long(lhs: Expr, rhs: Expr, moves: Moves, needed: list[tuple[Basic, Any]]) -> list[Step]:
    """Both sides in normal form, and what leads from one to the other; layers read in indices where folding them leaves gaps."""
    given: dict[Any, list[Any]] = {}
    for tensor, law in needed:
        given.setdefault(tensor, []).append(law)
    tries = [over_normal_forms(lhs, rhs, Bridge(moves, given))]
    if moves.folds and gaps(tries[0]):
        tries.append(over_normal_forms(lhs, rhs, Bridge(replace(moves, folds=()), given)))
    return min(tries, key=lambda steps: (gaps(steps), len(steps)))


def gaps(steps: list[Step]) -> int:
    """The number of claims."""
    return sum(isinstance(step.rule, Claim) for step in steps)


def over_normal_forms(lhs: Expr, rhs: Expr, bridge: Bridge) -> list[Step]:
    """Both sides tidied, a few steps first; they meet at the first lines that agree, else between their ends."""
    for limit in FIRST_STEPS:
        left, right = tidied(lhs, bridge.moves, limit), tidied(rhs, bridge.moves, limit)
        steps = over_lines(lhs, rhs, left, right)
        if steps is not None:
            return steps
    left, right = tidied(lhs, bridge.moves), tidied(rhs, bridge.moves)
    steps = over_lines(lhs, rhs, left, right)
    ends = [steps_of[-1].after if steps_of else side for side, steps_of in ((lhs, left), (rhs, right))]
    return [*left, *bridge.between(*ends), *backwards(right)] if steps is None else steps


def over_lines(lhs: Expr, rhs: Expr, left: list[Step], right: list[Step]) -> list[Step] | None:
    """The steps over the first lines that agree; None where none do."""
    lines = [[side, *(step.after for step in steps)] for side, steps in ((lhs, left), (rhs, right))]
    places: dict[str, int] = {}
    for number, line in enumerate(lines[1]):
        places.setdefault(key(line), number)
    meetings = [(i + places[key(line)], i, places[key(line)]) for i, line in enumerate(lines[0]) if key(line) in places]
    for _, i, j in sorted(meetings):
        middle = alignment(lines[0][i], lines[1][j])
        if middle is not None:
            return [*left[:i], *staged(middle), *backwards(right[:j])]
    return None


def backwards(steps: list[Step]) -> list[Step]:
    """Steps from the last line to the first."""
    return [step.reversed() for step in reversed(steps)]


def without_detours(steps: list[Step]) -> list[Step]:
    """Steps without those that lead from a line back to it."""
    kept: list[Step] = []
    for step in steps:
        kept.append(step)
        known = next((number for number, earlier in enumerate(kept) if earlier.before == step.after), None)
        if known is not None:
            del kept[known:]
    return kept


def with_stages(steps: list[Step]) -> list[Step]:
    """Steps that only rename or reorder belong to the main step before them, or else to the one after."""
    stages = [step.stage for step in steps]
    order = range(len(steps))
    for number in (*order, *reversed(order)):
        neighbour = number - 1 if number else number + 1
        if steps[number].rule.name in SILENT and 0 <= neighbour < len(steps) and steps[neighbour].rule.name not in SILENT:
            stages[number] = stages[neighbour]
    return [replace(step, stage=stage) for step, stage in zip(steps, stages, strict=True)]
