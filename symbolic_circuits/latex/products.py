r"""Products: side by side, ``\cdot``, elementwise, Kronecker, inner products of axes, and tensors applied to arguments.

| left, right | product |
| --- | --- |
| scalar, anything | scaled |
| matrix m x d, vector d | vector m (vectors are columns; or rows: vector d, matrix d x m) |
| matrix m x d, matrix d x k | matrix m x k |
| operator n e x n d, matrix X of n x d | matrix n x e: the operator on the rows of X under one another |
"""

from collections.abc import Sequence
from functools import reduce
from itertools import pairwise

from sympy import Expr, KroneckerProduct, Trace
from sympy.tensor.array.expressions import OneArray

from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import tree
from symbolic_circuits.latex.calls import called
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.meaning import as_matrix, inner, known, meaning, quotient, same_shape
from symbolic_circuits.latex.sizes import axis_text, unknowns
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.values import (
    Value,
    array_of,
    contracted,
    hadamard,
    merged,
    product_of_matrices,
    scalar,
    scaled,
    transposed,
)
from symbolic_circuits.syntax.arrays import TensorDot
from symbolic_circuits.syntax.contract import contract

__all__ = ["times"]


@meaning.register
def _product(node: tree.Product, state: Elaboration) -> Value:
    """Factors side by side; functions and tensors take the brackets behind them."""
    values = called(node.factors, state)
    require_clear(values, state)
    try:
        return state.attempt(lambda: reduce(lambda a, b: times(a, b, a.span.to(b.span), state), values))
    except LatexError:
        if len(values) < 3:
            raise
        try:  # diag(r) (A (x) W) X: what the operator makes of X has the rows that diag(r) wants
            return state.attempt(lambda: reduce(lambda b, a: times(a, b, a.span.to(b.span), state), reversed(values)))
        except LatexError:
            pass
        raise


def require_clear(values: Sequence[Value], state: Elaboration) -> None:
    """Raise where an operator may act on one matrix, or on its product with what stands behind it."""
    arrays = [value for value in values if value.order]
    for k, (left, right) in enumerate(pairwise(arrays)):
        rest = arrays[k + 2 :]
        if not rest or not acts(known(left, state), known(right, state), state) or any(value.operator for value in rest):
            continue
        for end in range(1, len(rest) + 1):
            if may_act(left, (right, *rest[:end]), state):
                span = left.span.to(rest[end - 1].span)
                raise state.error("what does the operator act on, one matrix or the product? write the brackets", span)


def may_act(left: Value, factors: Sequence[Value], state: Elaboration) -> bool:
    """Whether an operator can act on a product."""

    def whole() -> Value:
        product = reduce(lambda a, b: times(a, b, a.span.to(b.span), state), factors)
        if acts(known(left, state), known(product, state), state):
            acted(known(left, state), known(product, state), left.span, state)
            raise Tried("")
        raise state.error("", left.span)

    try:
        state.attempt(whole)
    except Tried:
        return True
    except LatexError:
        pass
    return False


class Tried(LatexError):
    """What was tried is possible."""


def times(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    """Two factors side by side."""
    left, right = known(left, state), known(right, state)
    if left.order == 0 or right.order == 0:
        return scaled(left, right, span) if left.order == 0 else scaled(right, left, span)
    if left.order == 1 and right.order == 1:
        raise state.error(
            "two vectors side by side: write x^\\top y or x \\cdot y (a number), x y^\\top (a matrix) or x \\odot y (a vector)",
            span,
        )
    if max(left.order, right.order) > 2:
        raise state.error(
            f"an array of {max(left.order, right.order)} axes in a product: write which axes are summed, as in B(x, y), x \\cdot_{{12}} B or B_{{ijk}} x_j",
            span,
        )
    if acts(left, right, state):
        return acted(left, right, span, state)
    return matrix_product(left, right, span, state)


def matrix_product(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    """The product of matrices and vectors."""
    (a, (rows, inside)), (b, (other, cols)) = as_matrix(left, state), as_matrix(right, state)
    here = state.source.slice
    if not state.sizes.agrees(inside, other):
        raise state.error(
            f"{here(left.span)[:60]} is {state.shape(left)} and {here(right.span)[:60]} is {state.shape(right)}: "
            f"the product needs {axis_text(state.known(inside))} = {axis_text(state.known(other))}{as_vectors(left, right, state)}",
            span,
        )
    state.unify(inside, other, f"the columns of {here(left.span)[:60]}", f"the rows of {here(right.span)[:60]}", span)
    rows, cols = state.known(rows), state.known(cols)
    indices, is_zero = merged([left, right]), left.is_zero or right.is_zero

    def build() -> Expr:
        return product_of_matrices(a(), b())

    vectors = left.order == 1 or right.order == 1
    if rows == () and cols == ():
        return scalar(lambda: Trace(build()), span, indices)
    if vectors and cols == () and not state.symbols.rows:
        return Value((rows,), build, span, "column", indices, is_zero)
    if vectors and rows == () and state.symbols.rows:
        return Value((cols,), lambda: transposed(build()), span, "column", indices, is_zero)
    operator = left.operator or right.operator
    return Value((rows, cols), build, span, "plain", indices, is_zero, operator)


def as_vectors(left: Value, right: Value, state: Elaboration) -> str:
    """How vectors stand in products, where one is on the wrong side."""
    if state.symbols.rows and right.order == 1:
        return " (vectors are rows here, as in x W: convention rows)"
    if not state.symbols.rows and left.order == 1:
        return " (vectors are columns here, as in W x; x^\\top is a row)"
    return ""


def acts(left: Value, right: Value, state: Elaboration) -> bool:
    """Whether an operator meets a matrix whose entries it acts on."""
    if not left.operator or right.operator or left.order != 2 or right.order != 2:
        return False
    columns, shape = left.axes[1], right.axes
    if shape[0] == shape[1] and unknowns(shape[0]):
        return False  # an identity matrix, of the size of the operator
    return len(columns) == sum(map(len, shape)) and all(len(axis) == 1 for axis in shape)


def acted(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``(A \otimes W) X``: the matrix whose rows under one another are the operator on those of X."""
    rows, columns = left.axes
    if state.symbols.vec_columns:
        raise state.error("where vec stacks columns, write what the operator acts on as \\operatorname{vec} X", span)
    if len(rows) != 2:
        raise state.error(f"the operator has {axis_text(rows)} rows, which are not those of a matrix", left.span)
    for k, (part, axis) in enumerate(zip(columns, right.axes, strict=True), start=1):
        state.unify((part,), axis, f"axis {k} of what the operator acts on", f"axis {k} of the matrix", span)
    a, b = left.build, right.build

    def build() -> Expr:
        ones = [OneArray(state.size((part,), span, "the result")) for part in rows]
        lists = [[["s", "a"], ["t", "b"]], ["t", "b"], ["s"], ["a"], ["s", "a"]]
        return contract(lists, a(), b(), *ones)

    return Value(((rows[0],), (rows[1],)), build, span, "plain", merged([left, right]), left.is_zero or right.is_zero)


@meaning.register
def _binary(node: tree.Binary, state: Elaboration) -> Value:
    """Parts joined by an operation."""
    values = [meaning(part, state) for part in node.parts]
    if node.operation == "SLASH":
        return quotient(values[0], values[1], node.span, state)
    if node.operation == "DOT":
        return dotted(values[0], values[1], node, state)
    rule = {"CDOT": dot, "TIMES": cross, "STAR": cross, "ODOT": elementwise, "OTIMES": kronecker}[node.operation]
    if node.operation == "STAR" and sum(value.order > 0 for value in values) > 1:
        raise state.error("which product is this? write A B, \\odot (of entries) or \\otimes", node.span)
    return reduce(lambda left, right: rule(left, right, left.span.to(right.span), state), values)


def dot(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\cdot``: the inner product of vectors, the product of everything else."""
    left, right = known(left, state), known(right, state)
    if left.order == 1 and right.order == 1:
        return inner(left, right, span, state)
    return times(left, right, span, state)


def cross(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\times``: a product, but none of two vectors."""
    if left.order == 1 and right.order == 1:
        raise state.error("which product of vectors? write x \\cdot y (a number), x \\odot y (of entries) or x y^\\top", span)
    return dot(left, right, span, state)


def elementwise(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\odot``: products of entries."""
    left, right = same_shape([left, right], "an elementwise product", span, state)
    if left.is_zero and right.order:
        left = Value(right.axes, left.build, left.span, right.form, left.indices, True)
    return hadamard(known(left, state), known(right, state), span)


def kronecker(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\otimes``: the Kronecker product of matrices or of vectors; an axis of the left, then that of the right."""
    if left.order == 0 or right.order == 0:
        raise state.error(
            "\\otimes joins matrices or vectors, and this is a number: an identity matrix is \\mathrm{Id} or I", span
        )
    if max(left.order, right.order) > 2:
        raise state.error("\\otimes joins matrices and vectors: write arrays of three axes in indices", span)
    if left.order != right.order:
        raise state.error(
            f"\\otimes of {state.shape(left)} and {state.shape(right)}: both are matrices or both are vectors", span
        )
    axes = tuple((*a, *b) for a, b in zip(left.axes, right.axes, strict=True))
    (a, _), (b, _) = as_matrix(left, state, plain=True), as_matrix(right, state, plain=True)
    form = "column" if left.order == 1 else "plain"
    is_zero = left.is_zero or right.is_zero
    return Value(axes, lambda: KroneckerProduct(a(), b()), span, form, merged([left, right]), is_zero, left.order == 2)


def dotted(left: Value, right: Value, node: tree.Binary, state: Elaboration) -> Value:
    r"""``U \cdot_{jk} V``: the sum over axis j of U and axis k of V; what is left of U comes first."""
    left, right = known(left, state), known(right, state)
    for value, axis in ((left, node.axes[0]), (right, node.axes[1])):
        if not 1 <= axis <= value.order:
            raise state.error(
                f"{state.source.slice(value.span)[:60]} is {state.shape(value)} and has no axis {axis}; axes count from 1",
                node.span,
            )
    j, k = node.axes
    state.unify(
        left.axes[j - 1],
        right.axes[k - 1],
        f"axis {j} of {state.source.slice(left.span)[:60]}",
        f"axis {k} of {state.source.slice(right.span)[:60]}",
        node.span,
    )
    axes = left.axes[: j - 1] + left.axes[j:] + right.axes[: k - 1] + right.axes[k:]
    a, b = array_of(left), array_of(right)
    indices = merged([left, right])
    if len(axes) == 2:
        labels = [[f"l{p}" for p in range(left.order)], [f"r{p}" for p in range(right.order)]]
        labels[0][j - 1] = labels[1][k - 1] = "b"
        rest = [label for part in labels for label in part if label != "b"]
        return contracted(node.span, [*labels, rest], [left, right], axes)
    return Value(axes, lambda: TensorDot(a(), j, b(), k), node.span, "array" if len(axes) == 1 else "plain", indices)
