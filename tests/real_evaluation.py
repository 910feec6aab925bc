"""The value of an expression in a notation at a frozen model with all that trained ones have, and of einsums and code of its terms."""

import numpy as np
import opt_einsum
from sympy import Expr

import symbolic_circuits as sc
from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.notation.index import output_indices, score_indices
from symbolic_circuits.expansion.notation.operator import is_linear
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.syntax.names import identifier

NOTATIONS = ("operator", "matrix", "index", "tensor")


def real_value(expr: Expr, notation: str, frozen: Frozen, root: Component | None = None) -> np.ndarray:
    """By ``lambdify`` and ``operands``: the output (n, V) or (n, d), or scores (n, n) of a root."""
    model, known, n = frozen.model, sc.operands(frozen), frozen.positions
    width = frozen.output_width if root is None else n
    indices = output_indices(model) if root is None else score_indices(model)
    if notation == "index" or (notation == "tensor" and root is not None):
        f = sc.lambdify([*known, *indices], expr)
        return np.array([[f(*known.values(), s, v) for v in range(width)] for s in range(n)])
    if notation == "tensor":
        f = sc.lambdify([*known, indices[0]], expr)
        return np.array([f(*known.values(), s) for s in range(n)])
    found = sc.lambdify(list(known), expr)(*known.values())
    if notation == "operator" and root is None and is_linear(model):
        found = found @ known[sc.path_expansion(model).tensors.source].reshape(-1, 1)
    return found.reshape(n, width)


def require_agreement(
    expr: Expr, notation: str, frozen: Frozen, expected: np.ndarray, scale: float, root: Component | None = None
) -> None:
    """The value of an expression is the expected one; in index notation at the corners and one entry more."""
    atol = 1e-12 * max(1, scale)
    if notation != "index":
        np.testing.assert_allclose(real_value(expr, notation, frozen, root), expected, atol=atol, rtol=0)
        return
    known = sc.operands(frozen)
    indices = output_indices(frozen.model) if root is None else score_indices(frozen.model)
    f, (n, width) = sc.lambdify([*known, *indices], expr), expected.shape
    for s, v in {(0, 0), (n - 1, width - 1), (n - 1, 0), (n // 2, width // 2)}:
        np.testing.assert_allclose(f(*known.values(), s, v), expected[s, v], atol=atol, rtol=0)


def real_einsum_value(term: sc.Term, frozen: Frozen) -> np.ndarray:
    """The output of one term by its einsum string; every operand is one by name."""
    subscripts, names = term.to_einsum()
    known = sc.named_operands(frozen)
    return opt_einsum.contract(subscripts, *(known[name] for name in names))


def code_value(code: str, frozen: Frozen, wrap=np.asarray) -> np.ndarray:
    """The result of the function in ``code``, its arguments by name."""
    scope: dict = {}
    exec(code, scope)
    function = scope["path_expansion"]
    arrays = {identifier(str(symbol)): array for symbol, array in sc.operands(frozen).items()}
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    return np.asarray(function(*(wrap(arrays[name]) for name in names)))
