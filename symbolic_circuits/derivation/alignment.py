r"""Trees that differ in order and names alone: A + B and B + A, tr(A B) and tr(B A), sum_h A^h and sum_g A^g; the steps between.

Equal keys show such trees; sums of matrices, elementwise products and products of numbers have no order, the factors in a trace have
one up to rotation, bound symbols have no names, and sums that are next to each other have no order.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations

from sympy import Add, HadamardProduct, MatAdd, MatMul, Mul, Symbol, Trace, srepr
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArrayAdd

from symbolic_circuits.derivation.places import Place, inner_arguments
from symbolic_circuits.derivation.rules.products import CyclicTrace, split_scalars
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.sums import Rename, Reorder
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.errors import DerivationError
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["alignment", "key"]

REORDERED = (MatAdd, ArrayAdd, HadamardProduct)  # SymPy orders the others itself
MARK = "bound "  # no symbol of a user has a name with a space
MAX_LIMITS = 4  # beyond, the order of limits counts
MAX_STEPS = 200


@lru_cache(maxsize=20_000)
def key(expr: Basic) -> str:
    """A text that is equal for trees that differ in order and names alone.

    >>> from sympy import MatrixSymbol
    >>> A, B = MatrixSymbol("A", 2, 2), MatrixSymbol("B", 2, 2)
    >>> key(Trace(A * B)) == key(Trace(B * A)), key(A * B) == key(B * A)
    (True, False)
    """
    if not expr.args:
        return srepr(expr)
    if isinstance(expr, MatrixSum | IndexSum):
        return f"sum({min(key_of_sum(expr, order) for order in orders(expr))})"
    if isinstance(expr, Trace) and isinstance(expr.arg, MatMul):
        scalars, factors = split_scalars(expr.arg)
        keys = [key(factor) for factor in factors]
        rotations = ("*".join(keys[k:] + keys[:k]) for k in range(len(keys)))
        return f"tr({','.join(sorted(map(key, scalars)))};{min(rotations)})"
    keys = [key(arg) for arg in expr.args]
    return f"{type(expr).__name__}({','.join(sorted(keys) if is_unordered(expr) else keys)})"


def is_unordered(expr: Basic) -> bool:
    """Whether the arguments of a node may stand in any order; a product of matrices is a Mul to SymPy."""
    return isinstance(expr, Add | Mul | ArrayAdd | HadamardProduct) and not isinstance(expr, MatMul)


def orders(expr: MatrixSum | IndexSum) -> Iterator[Sequence[Basic]]:
    """The orders of the limits of a sum."""
    return permutations(expr.limits) if len(expr.limits) <= MAX_LIMITS else iter([expr.limits])


def key_of_sum(expr: MatrixSum | IndexSum, limits: Sequence[Basic]) -> str:
    """The key of a sum, its symbols in one order."""
    known = [symbol.name for symbol in expr.body.atoms(Symbol) if symbol.name.startswith(MARK)]
    first = 1 + max((int(name.removeprefix(MARK)) for name in known), default=-1)
    marks = {
        limit[0]: Symbol(f"{MARK}{first + k}", **limit[0]._assumptions_orig) for k, limit in enumerate(limits)
    }  # those of outer sums are in the body already
    ends = ",".join(key(end) for limit in limits for end in limit[1:])
    return f"{ends};{key(expr.body.xreplace(marks))}"


def alignment(left: Basic, right: Basic) -> list[Step] | None:
    """The steps that turn one tree into the other where they differ in order and names alone; None where they do not.

    >>> from sympy import MatrixSymbol
    >>> A, B, C = (MatrixSymbol(name, 2, 2) for name in "ABC")
    >>> [step.rule.name for step in alignment(Trace(A * B) * C, Trace(B * A) * C)]
    ['cyclic trace']
    """
    if key(left) != key(right):
        return None
    steps: list[Step] = []
    line = left
    while line != right:
        move = next_move(line, right)
        if move is None or len(steps) == MAX_STEPS:
            return None
        try:
            steps.append(Step.forwards(line, *move))
        except DerivationError:
            return None
        if steps[-1].after in [step.before for step in steps]:
            return None
        line = steps[-1].after
    return steps


def next_move(left: Basic, right: Basic) -> tuple[Place, Rule] | None:
    """A step that brings a tree nearer to another one of the same key, inner places first."""
    if left.func != right.func or len(left.args) != len(right.args):
        return None
    if isinstance(left, MatrixSum | IndexSum):
        return move_in_sum(left, right)
    if isinstance(left, Trace) and isinstance(left.arg, MatMul):
        rotated = rotation(left, right)
        if rotated:
            return (), CyclicTrace(rotated)
    partners = paired(left.args, right.args) if is_unordered(left) else tuple(range(len(left.args)))
    if partners is None:
        return None
    inner = set(inner_arguments(left))
    for number, partner in sorted(enumerate(partners)):
        if left.args[number] != right.args[partner]:
            found = next_move(left.args[number], right.args[partner]) if number in inner else None
            return found and ((number, *found[0]), found[1])
    order = sorted(range(len(partners)), key=lambda number: partners[number])
    return ((), Reorder(tuple(order))) if isinstance(left, REORDERED) else None


def move_in_sum(left: Basic, right: Basic) -> tuple[Place, Rule] | None:
    """The bound symbols renamed and their sums in another order, or a step in the body."""
    names = names_by_order(left, right)
    if left.limits != right.limits or any(old != new for old, new in names):
        return (), Rename(names)
    found = next_move(left.body, right.body)
    return found and ((0, *found[0]), found[1])


def names_by_order(left: Basic, right: Basic) -> tuple[tuple[Symbol, Symbol], ...]:
    """The symbols of one sum and what they are in another of the same key."""
    first, second = (min(orders(side), key=lambda order, side=side: key_of_sum(side, order)) for side in (left, right))
    known = {limit[0]: other[0] for other, limit in zip(first, second, strict=True)}
    return tuple((known[symbol], symbol) for symbol in right.bound_symbols)


def rotation(left: Trace, right: Trace) -> int:
    """How many factors move behind the others; 0 where the factors stand as they should, or no rotation helps."""
    here, there = (list(map(key, split_scalars(side.arg)[1])) for side in (left, right) if isinstance(side.arg, MatMul))
    return next((k for k in range(len(here)) if here[k:] + here[:k] == there), 0)


def paired(left: Sequence[Basic], right: Sequence[Basic]) -> tuple[int, ...] | None:
    """For each argument of one node its partner in another: an equal one if there is, else one of the same key."""
    free, partners = list(range(len(right))), {}
    for same in (lambda a, b: a == b, lambda a, b: key(a) == key(b)):
        for number, arg in enumerate(left):
            if number not in partners:
                found = next((other for other in free if same(arg, right[other])), None)
                if found is not None:
                    free.remove(found)
                    partners[number] = found
    return tuple(partners[number] for number in range(len(left))) if not free else None
