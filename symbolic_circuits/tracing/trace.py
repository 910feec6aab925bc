r"""Code as an expression: ``trace(f, X="n x d", W="d x d")`` runs f once on stand-ins for arrays and returns what it computes.

| in code | in the expression |
| --- | --- |
| an argument ``"n x d"`` | the matrix symbol of its name; ``"d"`` a column symbol read as an array of order 1; of more axes an array symbol |
| ``"n"`` in a shape | a size: every statement about the expression is for all sizes |
| ``"scalar"`` | a real symbol; numbers are themselves, a float the decimal that Python writes for it |
| an array of numbers that the function closes over | its entries, exactly |
| a loop over an axis of fixed size | written out |
| a loop over a symbolic axis that adds up | a sum over an index |
"""

import inspect
from collections.abc import Callable, Mapping
from fractions import Fraction
from numbers import Number
from typing import Any

from sympy import Expr, MatrixSymbol, Rational, S, Symbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.axes import size_symbol
from symbolic_circuits.errors import ShapeError, SymbolicCircuitsError, TraceError
from symbolic_circuits.syntax.names import tensor_name
from symbolic_circuits.tracing.coercion import as_value
from symbolic_circuits.tracing.interception import rebuilt
from symbolic_circuits.tracing.refusing import located, refusals
from symbolic_circuits.tracing.shapes import parse_shape
from symbolic_circuits.tracing.sizes import Size, is_whole
from symbolic_circuits.tracing.tracer import Tracer, lifted, turns_of
from symbolic_circuits.tracing.values import Value, from_sympy

__all__ = ["argument", "symbol_of", "trace"]


def trace(function: Callable, arguments: Mapping[str, Any] | None = None, /, **shapes: Any) -> Any:
    r"""The expression that a function of arrays computes.

    Parameters
    ----------
    function : of NumPy or PyTorch arrays. It is run once, on arrays that have shapes and no numbers.
    arguments : name of a parameter -> what it is; for names that Python's keywords cannot be
    **shapes : the same. A shape is a text such as ``"n x d"``, ``"H x n*k x 3"``, ``"d"`` or ``"scalar"``; a SymPy object (a
        MatrixSymbol, a MatrixFamily, an ArraySymbol, any expression; a symbol that is a size) stands for itself, a number for
        itself; tuples, lists and dicts of these too, whose arrays are named ``heads_0``, ``weights_W``.

    Returns
    -------
    A matrix expression for a result of two axes, a scalar for none, an array expression otherwise (of one axis, too); a tuple of
    these for a tuple or list.

    Raises
    ------
    TraceError
        The function does something that has no expression: a branch on data, a write in place, a function that is not known, sizes
        that do not fit; or it raises an error, which is the cause. The message has the operation, the file and the line.
    ShapeError
        A shape cannot be read.

    Notes
    -----
    Of a name with one axis, ``x: d``, the expression has ``contract("i()->i", x)`` with x a column. A loop over a symbolic axis is
    traced if it is a sum: every turn adds the same function of its place (:mod:`symbolic_circuits.tracing.loops`).

    ``x += y`` changes the array that the code has made, under all its names, as in NumPy; on an argument or a view it is an error.
    The function runs with a copy of its module's globals, in which ``range``, ``zip``, ``enumerate``, ``sum``, ``np.zeros``,
    ``np.eye`` and the like know symbolic sizes; helpers of the same module as well. Helpers elsewhere get the arrays only.

    Examples
    --------
    >>> import numpy as np
    >>> def head(X, A, W):
    ...     return X + A @ X @ W.T
    >>> trace(head, X="n x d", A="n x n", W="d x d")
    A*X*W.T + X
    >>> def heads(X, A, W):
    ...     return np.einsum("hst,td,hed->se", A, X, W)
    >>> def by_loop(X, A, W):
    ...     out = np.zeros(X.shape)
    ...     for A_h, W_h in zip(A, W):
    ...         out = out + A_h @ X @ W_h.T
    ...     return out
    >>> shapes = {"X": "n x d", "A": "H x n x n", "W": "H x d x d"}
    >>> from symbolic_circuits import prove
    >>> prove(trace(heads, **shapes), trace(by_loop, **shapes)).verdict
    'proved'
    """
    name = getattr(function, "__name__", type(function).__name__)
    code = getattr(function, "__code__", None)
    given = {**(arguments or {}), **shapes}
    taken: dict[str, Basic] = {}
    values = {key: argument(key, shape, taken) for key, shape in given.items()}
    positional, keywords = bind(function, name, values)
    token = refusals.set([])
    try:
        with_arguments = rebuilt(function)
        found = with_arguments(*positional, **keywords)
        kept = refusals.get() or []
        result = returned(found)
    except Exception as error:
        first = (refusals.get() or [error])[0]
        own = first if isinstance(error, SymbolicCircuitsError) else error
        text = str(own) if isinstance(own, SymbolicCircuitsError) else f"{type(own).__name__}: {own}"
        raise TraceError(f"trace of {located(error, name, code)}: {text}") from error
    finally:
        refusals.reset(token)
    if kept:
        raise TraceError(f"trace of {located(kept[0], name, code)}: {kept[0]} (the code goes on without it)") from kept[0]
    return result


def bind(function: Callable, name: str, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that go by position only, and the others by name."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise TraceError(f"trace of {name}: its parameters are not known; wrap it in a function with named parameters") from None
    names = [one.name for one in parameters if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    open_names = any(one.kind == one.VAR_KEYWORD for one in parameters)
    unknown = [key for key in values if key not in names and not open_names]
    missing = [one.name for one in parameters if one.name in names and one.default is one.empty and one.name not in values]
    if unknown or missing:
        what = [f"no parameter {', '.join(unknown)}"] * bool(unknown) + [f"no shape for {', '.join(missing)}"] * bool(missing)
        raise TraceError(f"trace of {name}({', '.join(names)}): {' and '.join(what)}")
    positional = [values[one.name] for one in parameters if one.kind == one.POSITIONAL_ONLY and one.name in values]
    only = {one.name for one in parameters if one.kind == one.POSITIONAL_ONLY}
    return positional, {key: one for key, one in values.items() if key not in only}


def argument(name: str, shape: Any, taken: dict[str, Basic]) -> Any:
    """What the function gets for a shape: a traced array, a size, or a number."""
    if isinstance(shape, str):
        return Tracer(symbol_of(name, shape, taken), argument=name)
    if isinstance(shape, Rational):
        return int(shape) if shape.is_integer else Fraction(int(shape.p), int(shape.q))
    if isinstance(shape, Basic):
        return Size(shape) if is_size(shape) else Tracer(from_sympy(shape), argument=name)
    if isinstance(shape, tuple | list):
        return type(shape)(argument(f"{name}_{k}", one, taken) for k, one in enumerate(shape))
    if isinstance(shape, Mapping):
        return {key: argument(f"{name}_{key}", one, taken) for key, one in shape.items()}
    if shape is None or isinstance(shape, Number | Fraction) or hasattr(shape, "dtype") or callable(shape):
        return shape
    raise ShapeError(f"{name} is given {shape!r}; an argument is a shape such as 'n x d', a SymPy object, or a number")


def is_size(expr: Basic) -> bool:
    """Whether it is a symbol for a size, or sums and products of such."""
    return isinstance(expr, Expr) and is_whole(expr) and all(known == size_symbol(known.name) for known in expr.free_symbols)


def symbol_of(name: str, shape: str, taken: dict[str, Basic]) -> Value:
    """The symbol of an array of that shape."""
    sizes = parse_shape(shape)
    tensor_name(name)
    if not sizes:
        value = Value(Symbol(name, real=True), ())
    elif len(sizes) < 3:
        value = Value(MatrixSymbol(name, sizes[0], sizes[1] if len(sizes) == 2 else S.One), sizes)
    else:
        value = Value(ArraySymbol(name, sizes), sizes)
    if name in taken:
        raise ShapeError(f"two arguments are called {name}")
    taken[name] = value.expr
    return value


def returned(found: Any) -> Any:
    """The expression of a result."""
    if isinstance(found, tuple | list):
        return tuple(map(returned, found))
    if found is None:
        raise TraceError("it returns None; a function returns what it computes")
    value = as_value(lifted(found))
    still = sorted({str(turn.loop) for turn in turns_of(found)})
    if still:
        raise TraceError(f"a result from the middle of {still[0]}, which is left by break or return")
    return value.exported()
