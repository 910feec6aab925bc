r"""Proving and refuting identities between SymPy expressions: ``prove(A*B*C, ...)``, for all sizes and all real tensors."""

from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

from sympy import Add, Expr, HadamardPower, IndexedBase, Integer, MatAdd, MatPow, MatrixSymbol, Pow, ZeroMatrix, sympify
from sympy.core.basic import Basic
from sympy.core.sympify import SympifyError
from sympy.tensor.array.expressions import ArrayAdd, ArraySymbol, ZeroArray

from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.laws import Law, parse_law
from symbolic_circuits.algebra.normal_form import normal_form
from symbolic_circuits.algebra.open_terms import Open
from symbolic_circuits.algebra.polynomial import Polynomial
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.sums import is_sum
from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.errors import IdentityError, LawError, NotationError, ShapeError, UnsupportedNodeError
from symbolic_circuits.identities.rewrite import Rewrite
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.express import Symbols, write
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.lowering import Lowering, SharedLowering

__all__ = ["Given", "as_expression", "difference", "prove", "simplify_under", "statement_of"]

Given = Mapping[Any, Any] | Iterable[Any] | Rewrite
MANY = 20_000.0  # terms beyond which sums are kept as they stand until they are counted
ENDLESS = 1e30


def prove(lhs: Expr, rhs: Expr, given: Given = (), *, at: Mapping[Any, int] | None = None, seed: int = 0) -> Verdict:
    r"""The verdict on :math:`lhs = rhs`.

    Parameters
    ----------
    lhs, rhs : scalars, matrices or arrays of one shape
    given : tensor -> law, list of laws, or definition. Laws are words such as ``"orthonormal_columns"`` or ``"symmetric(1,2)"``
        (:mod:`symbolic_circuits.algebra.laws` lists them; ``"inverse(N)"`` names the inverse); a definition is an expression of
        the shape of the tensor. A :class:`Rewrite` is a law of your own; an iterable of such mappings and of rewrites
        is taken together.
    at : sizes -> numbers, where the identity is claimed for these sizes only
    seed : of the search for counterexamples that satisfy laws

    Returns
    -------
    Proved, Refuted, HoldsAt or Undecided; see :mod:`symbolic_circuits.algebra.verdicts`. Tensors are real.

    Raises
    ------
    UnsupportedNodeError
        A node has no rule; the message names it.
    ShapeError
        Sizes that meet differ.
    LawError, IdentityError
        A law does not fit, laws contradict each other, a definition is circular.

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol, Trace
    >>> n, d = (Symbol(name, integer=True, positive=True) for name in "nd")
    >>> A, B, U = MatrixSymbol("A", n, d), MatrixSymbol("B", d, n), MatrixSymbol("U", n, d)
    >>> prove(Trace(A * B), Trace(B * A)).verdict
    'proved'
    >>> prove(Trace(A * B) ** 2, Trace(A * B * A * B)).witness.sizes
    {'d': 2, 'n': 2}
    >>> prove(U * U.T * U, U, given={U: "orthonormal_columns"}).verdict
    'proved'
    """
    shared = estimated_terms(lhs, {}) + estimated_terms(rhs, {}) > MANY
    statement = statement_of(lhs, rhs, given, lowering=SharedLowering() if shared else Lowering())
    return decide(statement, at={str(size): number for size, number in (at or {}).items()}, seed=seed)


def estimated_terms(expr: Any, known: dict[Any, float]) -> float:
    """About how many terms multiplying out makes: sums add, everything else multiplies."""
    if not isinstance(expr, Basic) or not expr.args:
        return 1.0
    if expr not in known:
        inner = [estimated_terms(arg, known) for arg in expr.args]
        if isinstance(expr, Add | MatAdd | ArrayAdd):
            known[expr] = min(ENDLESS, sum(inner))
        elif isinstance(expr, Pow | MatPow | HadamardPower) and isinstance(expr.args[1], Integer):
            known[expr] = min(ENDLESS, inner[0] ** min(abs(int(expr.args[1])), 64))
        else:
            known[expr] = min(ENDLESS, prod(inner))
    return known[expr]


def statement_of(lhs: Expr, rhs: Expr, given: Given = (), *, lowering: Lowering | None = None) -> Statement:
    """The statement of two expressions, in networks; with a SharedLowering nothing is multiplied out."""
    lhs, rhs = map(as_expression, (lhs, rhs))
    laws, definitions, rewrites = sorted_given(given)
    lowering = Lowering() if lowering is None else lowering

    def parts() -> tuple[list[Open], dict[str, Open], list]:
        sides = [lowering.open(side) for side in (lhs, rhs)]
        values = {}
        for tensor, value in definitions.items():
            if isinstance(tensor, str) and tensor not in lowering.leaves:
                raise LawError(f"{tensor} is defined, but does not occur in the identity")
            axes = lowering.leaves[tensor] if isinstance(tensor, str) else lowering.open_leaf(tensor).axes
            bound = set(lowering.bound)
            defined = lowering.open(value)
            lowering.bound = bound  # what a definition sums over is its own: it has no free index
            if defined.names:
                raise IdentityError(f"the definition of {tensor} has the free index {sorted(defined.names)[0]}")
            if any(is_sum(size) for axis in axes for size in axis):
                raise UnsupportedNodeError(f"the definition of {tensor} runs along an axis of blocks: define its blocks")
            values[name_of(tensor)] = lowering.total(Open(axes, ()), defined)
        for tensor, _ in laws:
            if isinstance(tensor, Basic | MatrixFamily):
                lowering.open_leaf(tensor)
        rules = [rewrite.rule(lowering) for rewrite in rewrites]
        if len(sides[0].axes) == len(sides[1].axes):
            try:
                lowering.total(Open(sides[0].axes, ()), Open(sides[1].axes, ()))
            except ShapeError:
                raise different_shapes(lhs, rhs) from None
        return sides, values, rules

    (left, right), values, rules = lowering.settled(parts)
    if left.axes != right.axes:
        raise different_shapes(lhs, rhs)
    for tensor, text in laws:
        if name_of(tensor) not in lowering.leaves:
            raise LawError(f"the law {text} is given for {name_of(tensor)}, which does not occur in the identity")
    declared = tuple(parse_law(name_of(tensor), text) for tensor, text in laws)
    declared += tuple(Law(name, "inverse", (), other) for name, other in sorted(lowering.inverses.items()))
    values |= lowering.sums
    axes = dict(sorted(lowering.leaves.items()))
    signed = frozenset(name for name, symbol in lowering.symbols.items() if not symbol.is_nonnegative)
    return Statement(left, right, axes, declared, values, tuple(rules), signed, frozenset(lowering.sizes))


def as_expression(expr: Any) -> Basic:
    """An expression as SymPy has it; text is not read."""
    try:
        return sympify(expr, strict=True)
    except SympifyError:
        raise IdentityError(f"an expression is made of SymPy's objects; got {type(expr).__name__}: {str(expr)[:80]}") from None


def sorted_given(given: Given) -> tuple[list[tuple[Any, str]], dict[Any, Expr], list[Rewrite]]:
    """Laws, definitions and rewrites."""
    laws: list[tuple[Any, str]] = []
    definitions: dict[Any, Expr] = {}
    rewrites: list[Rewrite] = []
    if not isinstance(given, Mapping | Iterable | Rewrite) or isinstance(given, str):
        raise LawError(f"what is given is a mapping tensor -> laws, or a Rewrite; got {type(given).__name__}: {str(given)[:80]}")
    for item in [given] if isinstance(given, Mapping | Rewrite) else list(given):
        if isinstance(item, Rewrite):
            rewrites.append(item)
        elif isinstance(item, Mapping):
            for tensor, stated in item.items():
                if not isinstance(stated, str | Basic | Iterable):
                    raise LawError(f"{tensor} is given {stated!r}, which is neither a law, nor a list of laws, nor a definition")
                for law in [stated] if isinstance(stated, str | Basic) else list(stated):
                    if isinstance(law, str):
                        laws.append((tensor, law))
                    elif definitions.setdefault(tensor, law) != law:
                        raise IdentityError(f"{tensor} is defined twice")
        else:
            raise LawError(
                f"what is given is a mapping tensor -> laws, or a Rewrite; got {type(item).__name__}: {str(item)[:80]}"
            )
    return laws, definitions, rewrites


def name_of(tensor: Any) -> str:
    """The name of a tensor or size."""
    if isinstance(tensor, str):
        return tensor
    if isinstance(tensor, MatrixSymbol | MatrixFamily):
        return tensor.name
    if isinstance(tensor, ArraySymbol):
        return str(tensor.name)
    if isinstance(tensor, IndexedBase):
        return str(tensor.label)
    raise LawError(f"a law or definition is given for a tensor: a matrix, array, family or IndexedBase; got {tensor}")


def different_shapes(lhs: Expr, rhs: Expr) -> ShapeError:
    """What is said of sides that cannot be equal."""
    shapes = shape_of(lhs), shape_of(rhs)
    blocks = ", of blocks of different sizes" if shapes[0] == shapes[1] else ""
    return ShapeError(f"the sides have different shapes: {shapes[0]} and {shapes[1]}{blocks}")


def shape_of(expr: Expr) -> str:
    """The shape of an expression for an error message."""
    return " x ".join(map(str, getattr(expr, "shape", ()))) or "a scalar"


def difference(lhs: Expr, rhs: Expr | None = None, given: Given = (), *, notation: str | None = None) -> Expr:
    r"""What is left of lhs - rhs when equal terms are collected: zero if the identity is proved.

    Parameters
    ----------
    lhs, rhs, given : as of :func:`prove`; without rhs, what is left of lhs
    notation : as of ``express``; by default the first of matrix, index and einsum that can write it

    Examples
    --------
    >>> from sympy import MatrixSymbol, Symbol
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> difference((A + B) ** 2, A**2 + 2 * A * B + B**2)
    -A*B + B*A
    """
    rhs = zero_like(lhs) if rhs is None else rhs
    residue = normal_form(statement_of(lhs, rhs, given)).residue
    return written(residue, symbols_of(lhs, rhs, given), notation)


def symbols_of(lhs: Expr, rhs: Expr, given: Given) -> Symbols:
    """What the names in an identity stand for."""
    laws, definitions, rewrites = sorted_given(given)
    others = [tensor for tensor, _ in laws if isinstance(tensor, Basic | MatrixFamily)]
    others += [part for pair in definitions.items() for part in pair]
    others += [side for rewrite in rewrites for side in (rewrite.lhs, rewrite.rhs)]
    return Symbols.of(lhs, rhs, *others)


def written(residue: Polynomial, symbols: Symbols, notation: str | None = None) -> Expr:
    """A polynomial in a notation; by default in the first of a few that has a form for it."""
    for choice in (notation,) if notation else ("matrix", "index"):
        try:
            return write(residue, symbols, choice)
        except NotationError:
            if notation:
                raise
    return write(residue, symbols, "einsum")


def simplify_under(expr: Expr, given: Given = (), *, notation: str | None = None) -> Expr:
    """The normal form of an expression under laws, written out again.

    >>> from sympy import MatrixSymbol, Symbol
    >>> m, k = (Symbol(name, integer=True, positive=True) for name in "mk")
    >>> U, A = MatrixSymbol("U", m, k), MatrixSymbol("A", k, k)
    >>> simplify_under(U.T * U * A * U.T * U, given={U: "orthonormal_columns"})
    A
    """
    return difference(expr, given=given, notation=notation)


def zero_like(expr: Expr) -> Expr:
    """Zero in the shape of an expression."""
    if getattr(expr, "is_Matrix", False):
        return ZeroMatrix(*expr.shape)
    shape = array_shape(expr)
    return ZeroArray(*shape) if shape else Integer(0)
