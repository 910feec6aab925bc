r"""Functions and tensors with arguments: ``tr(A B)``, ``softmax(S)``, ``B(x, y)``, ``g(x)`` by its definition, and factors side by side."""

from collections.abc import Sequence

from sympy import DiagMatrix, Dummy, Transpose, cos, exp, log, sin, tanh
from sympy import Function as SymPyFunction

from symbolic_circuits.latex import tree
from symbolic_circuits.latex.actions import scripted_value
from symbolic_circuits.latex.declared import Abbreviation, Key, OpaqueFunction
from symbolic_circuits.latex.elaboration import MAX_CALLS, Elaboration
from symbolic_circuits.latex.meaning import known, meaning, trace
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.summing import repeated_summed
from symbolic_circuits.latex.values import Value, array_of, column_of, contracted, merged, scalar, transposed
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.functions import relu, softmax
from symbolic_circuits.syntax.vec import Vec

__all__ = ["called", "unfolded"]

OF_ENTRIES = {"relu": relu, "exp": exp, "log": log, "sin": sin, "cos": cos, "tanh": tanh}
NOT_LINEAR = {*OF_ENTRIES, "softmax"}


def called(factors: Sequence[tree.Node], state: Elaboration) -> list[Value]:
    """The values of factors, functions being applied to what stands behind them."""
    values: list[Value] = []
    k = 0
    while k < len(factors):
        factor, following = factors[k], factors[k + 1] if k + 1 < len(factors) else None
        function = function_of(factor, state)
        if function is not None:
            value, used = applied(function, factor, factors[k + 1 :], state)
            values.append(value)
            k += 1 + used
        elif (group := arguments(following)) is not None:
            value = multilinear(meaning(factor, state), group, factor.span.to(following.span), state)
            values.append(scripted_value(value, following, state) if isinstance(following, tree.Scripted) else value)
            k += 2
        else:
            values.append(meaning(factor, state))
            k += 1
    return values


def arguments(node: tree.Node | None) -> tree.Group | None:
    """The brackets with arguments that a node is, perhaps with scripts."""
    group = node.base if isinstance(node, tree.Scripted) else node
    return group if isinstance(group, tree.Group) and len(group.parts) > 1 else None


def function_of(node: tree.Node, state: Elaboration) -> object | None:
    """The function that a factor names, or None."""
    if isinstance(node, tree.Function):
        return node.name
    if isinstance(node, tree.Scripted) and not node.sups and len(node.sub) == 1 and node.sub[0].kind == "ODOT":
        inside = node.base
        while isinstance(inside, tree.Group) and len(inside.parts) == 1:
            inside = inside.parts[0]
        return inside if isinstance(inside, tree.Lambda) else function_of(inside, state)
    if isinstance(node, tree.Scripted) and isinstance(node.base, tree.Name) and not node.sups:
        sub = "".join(str(token.value) for token in node.sub if not isinstance(token.value, tuple))
        return declared_function(Key(node.base.text, sub), state)
    return declared_function(Key(node.text), state) if isinstance(node, tree.Name) else None


def declared_function(key: Key, state: Elaboration) -> object | None:
    """A function that is declared or defined."""
    for entry in state.symbols.entries.get(key, ()):
        if isinstance(entry, OpaqueFunction) or (isinstance(entry, Abbreviation) and entry.parameters):
            return entry
    return None


def applied(function: object, node: tree.Node, rest: Sequence[tree.Node], state: Elaboration) -> tuple[Value, int]:
    """A function applied to the brackets behind it, or to all factors behind it; and how many it takes."""
    if not rest:
        raise state.error(f"{state.source.slice(node.span)} is a function and has no argument", node.span)
    first = rest[0]
    if isinstance(first, tree.Scripted) and isinstance(first.base, tree.Group) and first.base.bracket in ("(", "["):
        value, _ = applied(function, node, [first.base], state)  # tr(A)^2 is the square of the trace
        return scripted_value(value, first, state), 1
    if isinstance(first, tree.Group) and (first.bracket != "{" or len(rest) == 1):
        span = node.span.to(first.span)
        values = [repeated_summed(meaning(part, state), state) for part in first.parts]
        return apply(function, values, span, state), 1
    if isinstance(first, tree.Group) and len(first.parts) == 1:
        return apply(function, [meaning(first, state)], node.span.to(first.span), state), 1
    if isinstance(function, Abbreviation | OpaqueFunction | tree.Lambda):
        raise state.error(f"{state.source.slice(node.span)} is a function: its arguments stand in brackets", node.span)
    if function in NOT_LINEAR and any(function_of(factor, state) is not None for factor in rest):
        raise state.error(f"where does the argument of {state.source.slice(node.span)} end? write it in brackets", node.span)
    span = first.span.to(rest[-1].span)
    argument = repeated_summed(meaning(tree.Product(span, tuple(rest)) if len(rest) > 1 else first, state), state)
    return apply(function, [argument], node.span.to(span), state), len(rest)


def apply(function: object, values: list[Value], span: Span, state: Elaboration) -> Value:
    """A function of values."""
    if isinstance(function, Abbreviation):
        return unfolded(function, values, span, state)
    if len(values) != 1:
        raise state.error(f"this function has one argument; got {len(values)}", span)
    value = known(values[0], state)
    if isinstance(function, tree.Lambda):
        return pointwise_lambda(function, value, span, state)
    if isinstance(function, OpaqueFunction):
        return of_entries(SymPyFunction(function.key.base + function.key.sub), value, span, state)
    if function in OF_ENTRIES:
        if function != "relu" and value.order:
            raise state.error(
                f"\\{function} of {state.shape(value)}: functions of entries are written for scalars, as in \\{function}(x_i)",
                span,
            )
        return of_entries(OF_ENTRIES[function], value, span, state)
    return {"tr": trace, "diag": diagonal, "vec": vectorised, "softmax": row_softmax, "DiagonalMatrix": diagonal_part}[function](
        value, span, state
    )


def of_entries(function: object, value: Value, span: Span, state: Elaboration) -> Value:
    """A function of every entry."""
    if value.order == 0:
        return scalar(lambda: function(value.build()), span, value.indices)
    if value.order > 2:
        raise state.error("a function of the entries of an array of three axes or more: write it in indices", span)
    column = column_of(value)
    form = "column" if value.order == 1 else "plain"
    return Value(value.axes, lambda: column().applyfunc(function), span, form, value.indices)


def pointwise_lambda(function: tree.Lambda, value: Value, span: Span, state: Elaboration) -> Value:
    r"""``( x \mapsto f(x) )_\circ(X)``."""
    variable = Dummy(function.variable)
    kept = state.arguments
    state.arguments = {**kept, function.variable: scalar(lambda: variable, function.span)}
    try:
        body = meaning(function.body, state)
    finally:
        state.arguments = kept
    if body.order or body.indices:
        raise state.error("a function of entries is a scalar function of its variable", function.span)
    return of_entries(lambda entry: body.build().xreplace({variable: entry}), value, span, state)


def diagonal_part(value: Value, span: Span, state: Elaboration) -> Value:
    """The matrix of the diagonal entries of a matrix."""
    if value.order != 2:
        raise state.error(f"the diagonal is that of a square matrix; this is {state.shape(value)}", span)
    state.unify(value.axes[0], value.axes[1], "the rows of a matrix", "its columns", span)
    return contracted(span, [["i", "i"], ["i", "i"]], [value], (value.axes[0], value.axes[0]))


def diagonal(value: Value, span: Span, state: Elaboration) -> Value:
    """The diagonal matrix of a vector, or the diagonal of a matrix."""
    if value.order == 1:
        column = column_of(value)
        return Value((value.axes[0],) * 2, lambda: DiagMatrix(column()), span, "plain", value.indices)
    if value.order != 2:
        raise state.error(f"diag takes a vector or a square matrix; this is {state.shape(value)}", span)
    state.unify(value.axes[0], value.axes[1], "the rows of a matrix under diag", "its columns", span)
    return contracted(span, [["i", "i"], ["i"]], [value], value.axes[:1])


def vectorised(value: Value, span: Span, state: Elaboration) -> Value:
    """The column of all entries, row by row (or column by column where that is declared)."""
    if value.order == 1:
        return value
    if value.order != 2:
        raise state.error(f"vec takes a matrix; this is {state.shape(value)}", span)
    rows, cols = value.axes
    if state.symbols.vec_columns:
        return Value(((*cols, *rows),), lambda: Vec(transposed(value.build())), span, "column", value.indices)
    return Value(((*rows, *cols),), lambda: Vec(value.build()), span, "column", value.indices)


def row_softmax(value: Value, span: Span, state: Elaboration) -> Value:
    """The softmax of every row; of a vector, as one row."""
    if value.order == 2:
        return Value(value.axes, lambda: softmax(value.build()), span, "plain", value.indices)
    if value.order != 1:
        raise state.error(f"softmax takes a matrix or vector; this is {state.shape(value)}", span)
    column = column_of(value)
    return Value(value.axes, lambda: Transpose(softmax(transposed(column()))), span, "column", value.indices)


def multilinear(tensor: Value, group: tree.Group, span: Span, state: Elaboration) -> Value:
    """A tensor applied to arguments: vectors, matrices row by row, or columns position by position."""
    tensor = known(tensor, state)
    values = [known(meaning(part, state), state) for part in group.parts]
    count = len(values)
    if tensor.order not in (count, count + 1):
        raise state.error(
            f"{state.source.slice(tensor.span)[:40]} is {state.shape(tensor)}: with {count} arguments it has {count} or {count + 1} axes",
            span,
        )
    out, inputs = tensor.axes[: tensor.order - count], tensor.axes[tensor.order - count :]
    if len({value.order for value in values}) != 1 or values[0].order not in (1, 2):
        shapes = ", ".join(state.shape(value) for value in values)
        raise state.error(f"the arguments are all vectors, or all matrices with one row a position; got {shapes}", span)
    if values[0].order == 1 and len(values[0].axes[0]) > len(inputs[0]) and count == 2 and out:
        return by_position(tensor, values, span, state)
    labels = [f"j{k}" for k in range(count)]
    rows = values[0].order == 2
    for k, (value, axis) in enumerate(zip(values, inputs, strict=True), start=1):
        what = f"argument {k}, {state.source.slice(value.span)[:40]},"
        state.unify(value.axes[-1], axis, what, f"its axis of {state.source.slice(tensor.span)[:40]}", value.span)
        if rows:
            state.unify(value.axes[0], values[0].axes[0], f"argument {k}, in rows,", "argument 1", value.span)
    lists = [["o"] * len(out) + labels, *[[*(["s"] if rows else []), label] for label in labels]]
    result = (["s"] if rows else []) + ["o"] * len(out)
    axes = ((values[0].axes[0],) if rows else ()) + out
    return contracted(span, [*lists, result], [tensor, *values], axes)


def by_position(tensor: Value, values: list[Value], span: Span, state: Elaboration) -> Value:
    """A bilinear layer on columns of n d entries."""
    positions = None
    for value, axis in zip(values, tensor.axes[1:], strict=True):
        column = value.axes[0]
        split = len(column) - len(axis)
        state.unify(column[split:], axis, "a column of positions", "the axis of the layer", value.span)
        if positions is None:
            positions = column[:split]
        state.unify(column[:split], positions, "the positions of one argument", "those of the other", value.span)
    (array, left, right) = (array_of(tensor), *(column_of(value) for value in values))
    axis = (*positions, *tensor.axes[0])
    return Value((axis,), lambda: ApplyBilinear(array(), left(), right()), span, "column", merged([tensor, *values]))


def unfolded(definition: Abbreviation, values: Sequence[Value], span: Span, state: Elaboration) -> Value:
    """The body of a definition with its arguments put in."""
    count = len(definition.parameters)
    if len(values) != count:
        raise state.error(f"{definition.shown} has {count} argument{'s' if count > 1 else ''}; got {len(values)}", span)
    state.calls += 1
    if state.calls > MAX_CALLS:
        raise state.error(f"definitions are put in more than {MAX_CALLS} times", span)
    given = frozenset(name for argument in values for name in argument.indices)
    kept = state.arguments, state.symbols, state.source, state.scopes, state.free, state.summed, state.foreign
    state.arguments = dict(zip(definition.parameters, values, strict=True))
    state.symbols, state.source, state.scopes = definition.symbols, definition.source, []
    state.free, state.summed, state.foreign = {}, frozenset(), state.foreign | given  # indices of the definition are its own
    try:
        value = repeated_summed(meaning(definition.body, state), state)
    finally:
        state.arguments, state.symbols, state.source, state.scopes, state.free, state.summed, state.foreign = kept
    loose = sorted(state.by_symbol[name].name for name in set(value.indices) - given)
    if loose:
        raise state.error(f"the definition of {definition.shown} has the free index {loose[0]}", span)
    return Value(value.axes, value.build, span, value.form, value.indices, value.is_zero, value.operator)
