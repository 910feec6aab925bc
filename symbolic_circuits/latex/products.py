r"""Products: side by side, ``\cdot``, elementwise, Kronecker, inner products of axes, and tensors applied to arguments.

| left, right | product |
| --- | --- |
| scalar, anything | scaled |
| matrix m x d, vector d | vector m (vectors are columns; or rows: vector d, matrix d x m) |
| matrix m x d, matrix d x k | matrix m x k |
| operator n e x n d, matrix X of n x d | matrix n x e: the operator on the rows of X under one another |
"""

from functools import reduce

from sympy import Expr, KroneckerProduct, Trace
from sympy.tensor.array.expressions import OneArray

from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import tree
from symbolic_circuits.latex.calls import called
from symbolic_circuits.latex.elaboration import Elaboration
from symbolic_circuits.latex.meaning import as_matrix, inner, known, meaning, quotient, same_shape
from symbolic_circuits.latex.sizes import axis_text
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
            f"the product needs {axis_text(state.known(inside))} = {axis_text(state.known(other))}",
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


def acts(left: Value, right: Value, state: Elaboration) -> bool:
    """Whether an operator meets a matrix whose entries it acts on."""
    if not left.operator or right.operator or left.order != 2 or right.order != 2:
        return False
    columns, shape = left.axes[1], right.axes
    return len(columns) == sum(map(len, shape)) and all(len(axis) == 1 for axis in shape)


def acted(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``(A \otimes W) X``: the matrix whose rows under one another are the operator on those of X."""
    rows, columns = left.axes
    if len(rows) != 2:
        raise state.error(f"the operator has {axis_text(rows)} rows, which are not those of a matrix", left.span)
    doing = (f"the operator acts on {axis_text(columns)}", f"the matrix is {state.shape(right)}")
    for part, axis in zip(columns, right.axes, strict=True):
        state.unify((part,), axis, *doing, span)
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
    rule = {"CDOT": dot, "ODOT": elementwise, "OTIMES": kronecker}[node.operation]
    return reduce(lambda left, right: rule(left, right, left.span.to(right.span), state), values)


def dot(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\cdot``: the inner product of vectors, the product of everything else."""
    left, right = known(left, state), known(right, state)
    if left.order == 1 and right.order == 1:
        return inner(left, right, span, state)
    return times(left, right, span, state)


def elementwise(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\odot``: products of entries."""
    left, right = same_shape([left, right], "an elementwise product", span, state)
    if left.is_zero and right.order:
        left = Value(right.axes, left.build, left.span, right.form, left.indices, True)
    return hadamard(known(left, state), known(right, state), span)


def kronecker(left: Value, right: Value, span: Span, state: Elaboration) -> Value:
    r"""``\otimes``: the Kronecker product of matrices or of vectors; an axis of the left, then that of the right."""
    if left.order == 0 or right.order == 0:
        return scaled(left, right, span) if left.order == 0 else scaled(right, left, span)
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
