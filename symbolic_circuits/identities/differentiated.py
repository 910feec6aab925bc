r"""What a derivative or an expectation works on: an expression as networks, definitions of the variable multiplied out, and the way back.

A *variable* is a tensor (or a scalar symbol) that a function is differentiated by or integrated over. Only definitions that depend on it
are multiplied out; the others stay as the tensors that they define. A function node that does not depend on it is held: a symbol of
its own stands for it until the result is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from sympy import (
    Add,
    Expr,
    Function,
    IndexedBase,
    Integer,
    Inverse,
    KroneckerDelta,
    MatrixExpr,
    MatrixSymbol,
    Max,
    Mul,
    Pow,
    Sum,
    Symbol,
    Transpose,
    Tuple,
    preorder_traversal,
)
from sympy.core.basic import Basic
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.tensor.array.expressions import ArraySymbol, ZeroArray

from symbolic_circuits.algebra.derivative import dependent, depends, require_constant_functions, tied
from symbolic_circuits.algebra.laws import parse_law
from symbolic_circuits.algebra.normal_form import normal_form, replace_sides
from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.sums import is_sum
from symbolic_circuits.errors import IdentityError, NotationError, UnsupportedNodeError
from symbolic_circuits.identities.prove import Given, as_expression, name_of, sorted_given, statement_of, symbols_of
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.deltas import with_deltas
from symbolic_circuits.syntax.express import Symbols, write
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.functions import RowFunction
from symbolic_circuits.syntax.lowering.context import INVERSE
from symbolic_circuits.syntax.sums import BoundSum

__all__ = ["Differentiated", "Variable", "differentiated", "shape_of_variable"]

Variable = MatrixSymbol | ArraySymbol | MatrixFamily | FamilyMember | IndexedBase | Symbol


@dataclass(frozen=True, slots=True)
class Differentiated:
    """An expression in terms of a variable."""

    statement: Statement  # value = 0 with those definitions that have to be multiplied out
    value: Open  # the expression, multiplied out
    variable: str
    axes: tuple[Axis, ...]  # of the variable
    inverted: Mapping[str, bool]  # the variable and what is tied to it by laws
    extra: Mapping[str, str]  # what was given besides (covariance, mean) -> the tensor that stands for it
    symbols: Symbols
    shown: Mapping[Basic, Basic]  # what is written otherwise: symbols that stand for functions, transposes of symmetric matrices

    def is_zero(self, value: Open) -> bool:
        """Whether a value vanishes under the laws."""
        return normal_form(replace_sides(self.statement, value, Open(value.axes, ()))).is_zero

    def written(self, value: Open, notation: str | None) -> Expr:
        """A value in normal form under the laws, as an expression."""
        residue = normal_form(replace_sides(self.statement, value, Open(value.axes, ()))).residue
        choices = (notation,) if notation else NOTATIONS.get(len(residue.axes), ("tensor", "einsum"))
        for choice in choices:
            try:
                return with_deltas(write(residue, self.symbols, choice)).xreplace(dict(self.shown))
            except NotationError:
                if choice == choices[-1]:
                    raise
        raise NotationError(f"there is no notation among {choices}")


NOTATIONS = {0: ("matrix", "index", "einsum"), 2: ("matrix", "einsum")}  # by the number of axes: two axes are always a MatrixExpr


def differentiated(
    expr: Expr, variable: Variable, given: Given, extra: Sequence[tuple[str, Expr]] = (), meeting: Sequence[Expr] = ()
) -> Differentiated:
    """An expression as networks that show the variable.

    Parameters
    ----------
    expr, variable, given : as of :func:`symbolic_circuits.identities.jacobian.jacobian`
    extra : what further tensors are called, and their values: they are lowered along with the expression
    meeting : expressions in which axes meet that have to split alike where they are products

    Raises
    ------
    IdentityError
        The variable is a size, is defined, or is what the further tensors are made of.
    UnsupportedNodeError
        The variable is not a tensor or scalar symbol.
    """
    expr = as_expression(expr)
    tensor = variable.family if isinstance(variable, FamilyMember) else variable
    shape = shape_of_variable(tensor)
    name = variable_name(tensor)
    _, definitions, _ = sorted_given(given)
    if name in map(name_of, definitions):
        raise IdentityError(f"{name} is defined: a function is differentiated by, or integrated over, what {name} is defined by")
    others = Tuple(tensor, variable, *(value for _, value in extra))
    taken = set(symbols_of(expr, others, given).names)
    expr, given, held = with_functions_held(expr, tensor, given, taken)
    beside = [(f"{label}_{name}", value) for label, value in extra]
    itself = [] if isinstance(tensor, Symbol) else [alone(tensor, shape)]
    beside += [(f"meeting_{name}", value) for value in (*meeting, *itself)]
    more = {ArraySymbol(fresh(label, taken), array_shape(value)): value for label, value in beside}
    names = list(map(name_of, more))
    stand_ins = dict(zip((label for label, _ in extra), names, strict=False))
    statement = statement_of(expr, zero_of(expr), [*given, more])
    known = {key: value for key, value in statement.definitions.items() if key not in names[len(extra) :]}
    if isinstance(tensor, Symbol):
        if name in statement.size_symbols:
            raise IdentityError(f"{name} is the size of an axis; a function is differentiated by a tensor or a scalar")
        axes, inverted, scalars = (), {}, (name,)
    else:
        axes, inverted, scalars = statement.definitions[names[-1]].axes, tied(name, statement.laws), ()
    wanted = dependent(known, inverted, scalars)
    for label, stand_in in stand_ins.items():
        if stand_in in wanted:
            raise IdentityError(f"the {label} of {name} depends on {name} itself")
    expanded = wanted | reached(known, list(stand_ins.values()))
    kept = replace(statement, definitions={key: value for key, value in known.items() if key in expanded})
    if any(map(is_sum, chain.from_iterable(kept.lhs.axes))):
        raise UnsupportedNodeError(f"{str(expr)[:200]} has an axis of blocks: take one block at a time")
    value = Open(kept.lhs.axes, tuple(kept.raw_terms()))
    require_constant_functions(value.terms, {*inverted, *wanted}, scalars)
    symbols = with_inverses(symbols_of(expr, Tuple(*held, *others), given), statement)
    return Differentiated(kept, value, name, axes, inverted, stand_ins, symbols, held | untransposed(symbols, statement))


def variable_name(tensor: Variable) -> str:
    """The name of a tensor or scalar."""
    return tensor.name if isinstance(tensor, Symbol) else name_of(tensor)


def shape_of_variable(tensor: Variable) -> tuple[Expr, ...]:
    """The sizes of the axes of a variable; none of a scalar."""
    if isinstance(tensor, Symbol):
        return ()
    if not isinstance(tensor, MatrixSymbol | ArraySymbol | MatrixFamily | IndexedBase):
        raise UnsupportedNodeError(
            f"a function is differentiated by, or integrated over, a tensor: a matrix or array symbol, a family or one of its "
            f"members, an IndexedBase; got {type(tensor).__name__}: {str(tensor)[:80]}"
        )
    if tensor.shape is None:
        raise UnsupportedNodeError(f"{tensor} has no shape: IndexedBase(name, shape=(...))")
    for size in tensor.shape:
        if isinstance(size, Add):
            raise UnsupportedNodeError(f"{name_of(tensor)} has an axis of blocks, of size {size}: use a tensor for each block")
    return tuple(tensor.shape)


def fresh(name: str, taken: set[str]) -> str:
    """A name that is not taken, which is taken then."""
    name = next(option for option in (name, *(f"{name}_{k}" for k in range(1, len(taken) + 2))) if option not in taken)
    taken.add(name)
    return name


def alone(tensor: Basic, shape: Sequence[Expr]) -> Expr:
    """A tensor as an expression."""
    labels = [f"i{k}" for k in range(len(shape))]
    return contract([labels, labels], tensor)


def zero_of(expr: Expr) -> Expr:
    """Zero in the shape of an expression."""
    shape = array_shape(expr)
    return ZeroArray(*shape) if shape else Mul(0)


def reached(definitions: Mapping[str, Open], names: Sequence[str]) -> set[str]:
    """Some defined tensors, and those in their definitions, and so on."""
    found, waiting = set(), list(names)
    while waiting:
        name = waiting.pop()
        if name in definitions and name not in found:
            found.add(name)
            waiting += [other for other in definitions if depends(definitions[name].terms, (other,))]
    return found


def with_inverses(symbols: Symbols, statement: Statement) -> Symbols:
    """The symbols, and the inverses that the expression is written with."""
    for name in statement.axes:
        base = name.removesuffix(INVERSE)
        if base != name:
            square = next(leaf for leaf in symbols.tensors[base] if isinstance(leaf, MatrixSymbol))
            symbols = symbols.naming(name, Inverse(square))
    return symbols


def untransposed(symbols: Symbols, statement: Statement) -> dict[Basic, Basic]:
    """Transposes of symmetric matrices, and the matrices."""
    names = [law.tensor for law in statement.closed_laws if law.kind == "symmetric" and law.axes == (0, 1)]
    leaves = [leaf for name in names for leaf in symbols.tensors.get(name, ()) if isinstance(leaf, MatrixSymbol)]
    return {Transpose(leaf): leaf for leaf in leaves}


def with_functions_held(expr: Expr, tensor: Basic, given: Given, taken: set[str]) -> tuple[Expr, list, dict[Basic, Basic]]:
    """The expression and what is given with functions that do not depend on the variable as symbols, and what these stand for."""
    names, (_, definitions, _) = dependent_names(tensor, given), sorted_given(given)
    exprs = (expr, *definitions.values())
    sums = (node for part in exprs for node in preorder_traversal(part) if isinstance(node, BoundSum | Sum))
    bound = {limit[0] for node in sums for limit in node.limits}
    held: dict[Basic, Basic] = {}
    for node in chain.from_iterable(constant_functions(part, names) for part in exprs):
        if node not in held and not node.free_symbols & bound:
            name = fresh(f"f_{len(held)}", taken)
            held[node] = MatrixSymbol(name, *node.shape) if isinstance(node, MatrixExpr) else Symbol(name, real=True)

    def in_held(stated: object) -> object:
        """A definition, or a list of laws and definitions."""
        if isinstance(stated, Basic):
            return stated.xreplace(held)
        return stated if isinstance(stated, str) else [in_held(part) for part in stated]

    parts = [given] if isinstance(given, Mapping) else list(given)
    parts = [{key: in_held(value) for key, value in part.items()} if isinstance(part, Mapping) else part for part in parts]
    return expr.xreplace(held), parts, {symbol: node for node, symbol in held.items()}


def constant_functions(expr: Basic, names: frozenset[str]) -> Iterator[Expr]:
    """Outermost function nodes without any of these names."""
    if is_function(expr):  # what is inside of a function that depends on the variable may be bound by its Lambda
        yield from () if Symbols.of(expr).names & names else (expr,)
    elif isinstance(expr, Basic):
        for arg in expr.args:
            yield from constant_functions(arg, names)


def is_function(expr: Basic) -> bool:
    """Whether lowering makes a function node of an expression."""
    if isinstance(expr, Pow):
        whole = isinstance(expr.exp, Integer) and expr.exp >= 0
        return not whole and (expr.base.has(Add, Function) or bool(Symbols.of(expr.base).tensors))
    return isinstance(expr, RowFunction | ElementwiseApplyFunction | Function | Max) and not isinstance(expr, KroneckerDelta)


def dependent_names(tensor: Basic, given: Given) -> frozenset[str]:
    """The names of a tensor, of those tied to it by laws, and of those defined by these."""
    laws, definitions, _ = sorted_given(given)
    parsed = [parse_law(name_of(other), law) for other, law in laws]
    new, names = {variable_name(tensor)}, frozenset[str]()
    while not new <= names:
        names |= new
        new = {name_of(other) for other, value in definitions.items() if Symbols.of(value).names & names}
        new |= {other for name in names for other in tied(name, parsed)}
    return names
