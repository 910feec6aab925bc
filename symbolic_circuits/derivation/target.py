"""The last steps to a closed form: bound symbols named, inputs of tied layers and summands ordered, as in the target."""

from collections import Counter
from functools import partial
from itertools import combinations

from sympy import (
    Expr,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Symbol,
    preorder_traversal,
)
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.alpha import renaming
from symbolic_circuits.derivation.chain import Chain
from symbolic_circuits.derivation.derivation import Derivation
from symbolic_circuits.derivation.pieces import coefficient_of, summands
from symbolic_circuits.derivation.places import places, replaced
from symbolic_circuits.derivation.rules.bilinear import ExchangeInputs
from symbolic_circuits.derivation.rules.rule import Rule
from symbolic_circuits.derivation.rules.scalars import PullScalars
from symbolic_circuits.derivation.rules.sums import Rename, Reorder
from symbolic_circuits.derivation.step import Step
from symbolic_circuits.derivation.sweeps import applies
from symbolic_circuits.expansion.tensors import BilinearTensors, ModelTensors
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import MatrixSum

__all__ = ["NAMES", "to_target"]

NAMES, SYMMETRIC, SCALARS = "rename", "collect equal terms", "scalars in front"
MAX_EXCHANGES = 3  # of inputs of tied layers, in one summand


def to_target(found: Derivation, target: Expr) -> Derivation:
    """The derivation with bound symbols named, and summands ordered, as in the target."""
    chain = Chain(found.result)
    tied = {
        block.B for block in ModelTensors(found.model).blocks if isinstance(block, BilinearTensors) and block.W_1 == block.W_2
    }
    if found.result == target:
        return found
    wanted: dict[tuple, list[Expr]] = {}
    for summand in summands(target):
        wanted.setdefault(leaves_of(summand), []).append(summand)
    for summand in summands(found.result):
        others = wanted.get(leaves_of(summand), [])
        ways = (renamed, partial(turned, tied=tied), rescaled)
        any(way(chain, summand, other) for way in ways for other in others)
    own = list(summands(chain.line))
    order = [own.index(summand) for summand in summands(target) if summand in own]
    if isinstance(chain.line, MatAdd) and sorted(order) == list(range(len(chain.line.args))) and order != sorted(order):
        chain.at((), Reorder(tuple(order)), NAMES)
    return found.extended(*chain.steps)


def turned(chain: Chain, summand: Expr, other: Expr, tied: set[ArraySymbol]) -> bool:
    """Turn a summand into another one that differs by the order of the inputs of tied layers, too; whether it could be done."""
    exchanges = [(place, rule) for place, node in places(summand) if (rule := exchanging(node, tied)) is not None]
    for count in range(1, min(len(exchanges), MAX_EXCHANGES) + 1):
        for chosen in combinations(exchanges, count):
            trial = Chain(summand)
            for place, rule in chosen:  # inner places first
                trial.at(place, rule, SYMMETRIC)
            if trial.line == other or names_between(trial.line, other) is not None:
                start = chain.place_of(summand)
                for place, rule in chosen:
                    chain.at((*start, *place), rule, SYMMETRIC)
                return renamed(chain, trial.line, other)
    return False


def rescaled(chain: Chain, summand: Expr, other: Expr) -> bool:
    """Turn a summand into another one whose scalars stand elsewhere: to the front, and from there; whether it could be done."""
    ends = Chain(summand), Chain(other)
    for end in ends:
        end.everywhere(scalars_in_front, SCALARS)
    if not ends[1].steps or (ends[0].line != ends[1].line and names_between(ends[0].line, ends[1].line) is None):
        return False
    number = chain.place_of(summand)
    for step in ends[0].steps:
        chain.at((*number, *step.place), step.rule, SCALARS)
    renamed(chain, ends[0].line, ends[1].line)
    for step in reversed(ends[1].steps):
        before = replaced(chain.line, number, step.before)
        chain.steps.append(Step.forwards(before, (*number, *step.place), step.rule, SCALARS).reversed())
        chain.line = before
    return True


def scalars_in_front(node: Basic) -> Rule | None:
    """Where a scalar stands inside a product or a sum over heads."""
    return PullScalars() if isinstance(node, MatMul | HadamardProduct | MatrixSum) and applies(PullScalars(), node) else None


def exchanging(node: Basic, tied: set[ArraySymbol]) -> Rule | None:
    """The rule that exchanges the inputs of a tied layer."""
    if isinstance(node, ApplyBilinear) and node.args[0] in tied:
        return ExchangeInputs(node.args[0])
    return Reorder((1, 0)) if tied and isinstance(node, HadamardProduct) and len(node.args) == 2 else None


def leaves_of(expr: Expr) -> tuple:
    """The names of the tensors in an expression, with how often each occurs."""
    tensors = (node for node in preorder_traversal(expr) if isinstance(node, MatrixSymbol | MatrixFamily | ArraySymbol))
    return tuple(sorted(Counter(str(tensor.name) for tensor in tensors).items()))


def renamed(chain: Chain, summand: Expr, other: Expr) -> bool:
    """Turn a summand into another one that differs by names of bound symbols; whether it could be done."""
    names = names_between(summand, other)
    if summand == other or names is None:
        return summand == other
    place = () if coefficient_of(summand)[0] == 1 else (1,)
    chain.at((*chain.place_of(summand), *place), Rename(names), NAMES)
    return True


def names_between(summand: Expr, other: Expr) -> tuple[tuple[Symbol, Symbol], ...] | None:
    """The bound symbols of a summand and what they are in another one that is the same but for them; None where it is not."""
    (coefficient, body), (wanted_coefficient, wanted) = coefficient_of(summand), coefficient_of(other)
    names = renaming(body, wanted) if coefficient == wanted_coefficient else None
    return names if names is not None and Rename(names).apply(body) == wanted else None
