"""Explicit numbers put for sizes and tensors give explicit values, in every notation, equal to the forward pass."""

import numpy as np
import pytest
from evaluation import is_linear, source
from strategies import freeze_at_random
from sympy import Add, ImmutableDenseNDimArray, ImmutableMatrix, Rational
from sympy.core.basic import Basic

import symbolic_circuits as sc
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.numeric.frozen import Frozen

NOTATIONS = ["operator", "matrix", "index", "tensor"]
MODELS = [
    "[n=2, d=2, V=2] attn(2, e=1) bilinear(m=2)",
    "[n=2, d=2, V=2] attn(1, e=1) attn(2, e=1)",
    "[n=2, d=2] bilinear(tied, m=2)",
]


def integers(frozen: Frozen) -> Frozen:
    """The same with small integers for weights and patterns."""
    generator = np.random.default_rng(3)
    arrays = {name: generator.integers(-2, 3, array.shape) for name, array in frozen.arrays.items()}
    patterns = {block: generator.integers(-2, 3, pattern.shape) for block, pattern in frozen.patterns.items()}
    return Frozen(frozen.model, arrays, patterns, frozen.source)


def exact(symbol: Basic, array: np.ndarray) -> Basic:
    """An array as an exact SymPy object."""
    entries = array.astype(int).tolist() if array.shape else int(array)
    if array.ndim == 0:
        return Rational(entries)
    return ImmutableMatrix(entries) if array.ndim == 2 else ImmutableDenseNDimArray(entries)


@pytest.mark.parametrize("text", MODELS)
@pytest.mark.parametrize("notation", NOTATIONS)
def test_explicit_values(text: str, notation: str) -> None:
    frozen = integers(freeze_at_random(text))
    model, expected = frozen.model, frozen.forward().output
    values = {symbol: exact(symbol, array) for symbol, array in sc.operands(frozen).items()}
    tensors = {symbol: value for symbol, value in values.items() if not value.is_Rational}
    expr = sc.path_expansion(model).closed_form(notation).subs(values).subs(tensors)
    n, width = expected.shape
    position, v = output_indices(model)
    if notation == "index":
        found = [[expr.subs({position: s, v: k}).doit() for k in range(width)] for s in range(n)]
    elif notation == "tensor":
        rows = [[summand.subs(position, s).doit() for summand in Add.make_args(expr)] for s in range(n)]
        found = [list(sum(row[1:], row[0])) for row in rows]  # SymPy's Add does not add explicit arrays
    else:
        value = expr.doit().as_explicit()
        if notation == "operator" and is_linear(model):
            value = value * ImmutableMatrix(source(frozen).astype(int).reshape(-1, 1))
        found = np.array(value.tolist()).reshape(n, width).tolist()
    assert [[int(x) for x in row] for row in found] == expected.astype(int).tolist()
