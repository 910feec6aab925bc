r"""Tree -> value: one rule a node."""

from functools import singledispatch

from sympy import Identity as IdentityMatrix
from sympy import Integer as Whole
from sympy import OneMatrix, Pow, Rational, Trace

from symbolic_circuits.latex import tree
from symbolic_circuits.latex.atoms import Atom, atoms_of
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.sizes import Unknown
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.summing import repeated_summed
from symbolic_circuits.latex.values import Build, Value, column_of, contracted, plus, scalar, scaled, transposed, unmatrix

__all__ = [
    "as_matrix",
    "inner",
    "known",
    "meaning",
    "number",
    "quotient",
    "require_vector",
    "same_shape",
    "total",
    "trace",
    "transpose",
    "whole_power",
]


@singledispatch
def meaning(node: tree.Node, state: Elaboration) -> Value:
    """What a node says.

    Raises
    ------
    LatexError
        A name is not declared, shapes do not fit, or an operation has no meaning there.
    """
    raise state.error(f"{type(node).__name__} has no meaning here", node.span)


@meaning.register
def _number(node: tree.Number, state: Elaboration) -> Value:
    """A rational number."""
    return number(Rational(node.value.numerator, node.value.denominator), node.span)


def number(value: Rational, span: Span) -> Value:
    """A number; zero takes any shape."""
    return Value((), lambda: value, span, is_zero=value == 0)


@meaning.register
def _identity(node: tree.Identity, state: Elaboration) -> Value:
    """An identity matrix, of a size that follows."""
    return identity_of((Unknown("Id", is_free=True),), node.span, state)


def identity_of(axis: tuple, span: Span, state: Elaboration) -> Value:
    """The identity matrix of an axis."""
    return Value((axis, axis), lambda: IdentityMatrix(state.size(axis, span, "this identity matrix")), span)


@meaning.register
def _ones(node: tree.Ones, state: Elaboration) -> Value:
    """A column of ones, of a size that follows."""
    return ones_of(((Unknown("ones", is_free=True),),), node.span, state)


def ones_of(axes: tuple, span: Span, state: Elaboration) -> Value:
    """Ones in a shape."""

    def build() -> object:
        sizes = [state.size(axis, span, "these ones") for axis in axes]
        return OneMatrix(*(sizes if len(sizes) == 2 else [*sizes, Whole(1)]))

    return Value(axes, build, span, "column" if len(axes) == 1 else "plain")


@meaning.register
def _group(node: tree.Group, state: Elaboration) -> Value:
    """What is in the brackets."""
    if len(node.parts) != 1:
        what = (
            "brackets with commas are the arguments of a tensor or function in front of them"
            if node.parts
            else "there is nothing in these brackets"
        )
        raise state.error(what, node.span)
    return repeated_summed(meaning(node.parts[0], state), state)


@meaning.register
def _sum(node: tree.Sum, state: Elaboration) -> Value:
    """Terms of one shape."""
    return total(
        [repeated_summed(meaning(term, state), state) for _, term in node.terms],
        [sign for sign, _ in node.terms],
        node.span,
        state,
    )


def total(values: list[Value], signs: list[int], span: Span, state: Elaboration) -> Value:
    """The sum of values: of one shape, with the same free indices."""
    values = same_shape(values, "a sum of terms", span, state)
    names = list(dict.fromkeys(name for value in values for name in value.indices))
    values = [value if value.is_zero else state.with_indices(value, names) for value in values]
    return plus(values, signs, span)


def same_shape(values: list[Value], doing: str, span: Span, state: Elaboration) -> list[Value]:
    """Values made to have one shape: zeros take it, a matrix with one column or row is a vector where others are."""
    others = [value for value in values if not value.is_zero]
    if not others:
        return values
    lowest = min(value.order for value in others)
    if lowest < 2:
        values = [as_vector(value, values, doing, span, state) if value.order == 2 and lowest == 1 else value for value in values]
        others = [value for value in values if not value.is_zero]
    for value in others[1:]:
        state.unify_shapes(others[0], value, doing, span)
    return values


def as_vector(value: Value, others: list[Value], doing: str, span: Span, state: Elaboration) -> Value:
    """A matrix with one column or row as a vector; a row is none where the others are columns."""
    value = known(value, state)
    if value.order != 2 or (value.axes[0] and value.axes[1]):
        return value
    across = value.axes[1] == () if state.symbols.rows else value.axes[0] == ()
    upright = next((other for other in others if other.order == 1 and other.form == "column"), None)
    if across and upright is not None and value.axes != ((), ()):
        what, vectors = ("a column", "rows") if state.symbols.rows else ("a row", "columns")
        shown = state.source.slice(value.span)[:60]
        raise state.error(
            f"{doing} of {shown}, {what}, with {state.source.slice(upright.span)[:60]}: vectors are {vectors}", span
        )
    return unmatrix(value)


def known(value: Value, state: Elaboration) -> Value:
    """The value with what is known of its axes."""
    axes = tuple(map(state.known, value.axes))
    return Value(axes, value.build, value.span, value.form, value.indices, value.is_zero, value.operator)


@meaning.register
def _fraction(node: tree.Fraction_, state: Elaboration) -> Value:
    r"""``\frac{a}{b}``."""
    return quotient(meaning(node.over, state), repeated_summed(meaning(node.under, state), state), node.span, state)


def quotient(over: Value, under: Value, span: Span, state: Elaboration) -> Value:
    """A value over a scalar."""
    if under.order:
        raise state.error(f"what is below a fraction is a scalar; this is {state.shape(under)}", under.span)
    if under.is_zero:
        raise state.error("a division by zero", under.span)
    build = under.build

    def inverse() -> object:
        value = build()
        if value.is_zero:
            raise state.error("a division by zero", under.span)
        return Pow(value, -1)

    return scaled(scalar(inverse, under.span, under.indices), over, span)


@meaning.register
def _root(node: tree.Root, state: Elaboration) -> Value:
    """The square root of a scalar."""
    inside = repeated_summed(meaning(node.inside, state), state)
    if inside.order:
        raise state.error(f"a root is taken of a scalar; this is {state.shape(inside)}", node.span)
    return scalar(lambda: Pow(inside.build(), Rational(1, 2)), node.span, inside.indices)


@meaning.register
def _angle(node: tree.Angle, state: Elaboration) -> Value:
    r""":math:`\langle a, b \rangle`, the sum of products of entries."""
    return inner(meaning(node.left, state), meaning(node.right, state), node.span, state)


def inner(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    """The sum of products of entries of two values of one shape."""
    left, right = same_shape([left, right], "an inner product", span, state)
    if not left.order or not right.order:
        return scaled(left, right, span)
    labels = [f"a{k}" for k in range(left.order)]
    return contracted(span, [labels, labels, []], [left, right], ())


@meaning.register
def _norm(node: tree.Norm, state: Elaboration) -> Value:
    """A norm that is not squared."""
    value = meaning(node.inside, state)
    require_vector(value, node.span, state)
    return scalar(lambda: Pow(inner(value, value, node.span, state).build(), Rational(1, 2)), node.span, value.indices)


def require_vector(value: Value, span: Span, state: Elaboration) -> None:
    """Raise where the norm of a matrix does not say which one it is."""
    if value.order > 1 and all(known(value, state).axes):
        raise state.error("which norm of a matrix? \\|X\\|_F is the Frobenius norm, and spectral norms cannot be read", span)


def as_matrix(value: Value, state: Elaboration, *, plain: bool = False) -> tuple[Build, tuple]:
    """A vector as a matrix with one column; or with one row where vectors are rows (not if ``plain``)."""
    if value.order != 1:
        return value.build, value.axes
    column = column_of(value)
    if state.symbols.rows and not plain:
        return lambda: transposed(column()), ((), value.axes[0])
    return column, (value.axes[0], ())


def transpose(value: Value, span: Span, state: Elaboration) -> Value:
    """The transpose of a matrix; a vector becomes a matrix with one row, or one column where vectors are rows."""
    value = known(value, state)
    if value.order == 0:
        return value
    if value.order > 2:
        raise state.error(f"a transpose exchanges the axes of a matrix; this has {value.order} axes", span)
    build, axes = as_matrix(value, state)
    return Value(axes[::-1], lambda: transposed(build()), span, "plain", value.indices, value.is_zero, value.operator)


def trace(value: Value, span: Span, state: Elaboration) -> Value:
    """The trace of a square matrix."""
    if value.order == 0:
        return value
    if value.order != 2:
        raise state.error(f"a trace is taken of a square matrix; this is {state.shape(value)}", span)
    state.unify(value.axes[0], value.axes[1], "the rows of a matrix under tr", "its columns", span)
    return scalar(lambda: Trace(value.build()), span, value.indices)


def whole_power(atom: Atom, state: Elaboration) -> int:
    """A power, as a number that is not too large."""
    if atom.number is None or atom.number.denominator != 1 or abs(atom.number) > 1000:
        raise state.error("a power is a whole number of at most 1000", atom.span)
    return int(atom.number)


def script_atoms(tokens: tuple, state: Elaboration) -> tuple[Atom, ...]:
    """The parts of a script; an index of a sum that is written out is its number."""
    return tuple(state.as_number(atom) for atom in atoms_of(tokens, state.source))
