"""Functions run twice: traced, and on random arrays of small sizes."""

import inspect

import numpy as np
from traced_values import value

from symbolic_circuits.tracing.shapes import parse_shape, parse_size
from symbolic_circuits.tracing.trace import trace

SIZES = {"n": 3, "d": 2, "m": 4, "H": 5, "k": 2}
SHAPES = {
    "A": "n x n", "X": "n x d", "Y": "n x d", "W": "d x d", "P": "m x d", "x": "d", "y": "d", "b": "d",
    "WH": "H x d x d", "AH": "H x n x n", "B": "d x d x d",
}  # fmt: skip
SIZE_ARGUMENTS = {"k": "k", "width": "k", "heads": "H"}


def numbers(shape: str, seed: int) -> np.ndarray:
    """Random entries of a shape."""
    sizes = [int(size.subs({s: SIZES[s.name] for s in size.free_symbols})) for size in parse_shape(shape)]
    return np.random.default_rng(seed).standard_normal(sizes)


def parameters(function) -> list[str]:
    """The names of the arguments."""
    return [name for name in inspect.signature(function).parameters if name != "scale"]


def traced_and_numbers(function, shapes: dict) -> tuple:
    """The expression, its value, and that of the function."""
    names = parameters(function)
    sizes = {name: SIZE_ARGUMENTS[name] for name in names if name in SIZE_ARGUMENTS}
    shapes = {name: shapes.get(name, SHAPES.get(name)) for name in names if name not in sizes}
    found = trace(function, {**shapes, **{name: parse_size(size) for name, size in sizes.items()}})
    arrays = {name: numbers(shape, seed) for seed, (name, shape) in enumerate(shapes.items())}
    expected = function(**arrays, **{name: SIZES[size] for name, size in sizes.items()})
    return found, value(found, arrays | SIZES), expected
