"""What a change of weights is, the random matrices that changes are made of, and how a matrix and its bias are changed together."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from symbolic_circuits.numeric.readers import bias_name
from symbolic_circuits.spec import Transformer

__all__ = ["Arrays", "Change", "derangement", "is_felt", "moved", "random_invertible", "scaled_rows"]

Arrays = dict[str, np.ndarray]


class Change(NamedTuple):
    """A change of weights, and what is claimed of it."""

    name: str  # of the block, or "stream"
    words: str
    is_gauge: bool  # whether the model is claimed to stay the same function
    apply: Callable[[Arrays], Arrays]  # all arrays -> those that are new
    stream: np.ndarray | None = None  # M of a change of the residual basis, for inputs and outputs in its coordinates


def random_invertible(size: int, generator: np.random.Generator) -> np.ndarray:
    """An orthogonal matrix times a diagonal one with entries between 1/2 and 2."""
    Q, _ = np.linalg.qr(generator.standard_normal((size, size)))
    return Q * generator.uniform(0.5, 2.0, size)


def derangement(size: int, generator: np.random.Generator) -> np.ndarray:
    """A permutation that leaves nothing in place: a cycle through all, in random order."""
    order = generator.permutation(size)
    found = np.empty(size, dtype=int)
    found[order] = np.roll(order, 1)
    return found


def moved(arrays: Arrays, name: str, M: np.ndarray) -> Arrays:
    """M W, and M b of its bias where there is one."""
    found, bias = {name: M @ arrays[name]}, bias_name(name)
    return found | ({bias: (M @ arrays[bias][..., None])[..., 0]} if bias in arrays else {})


def scaled_rows(arrays: Arrays, scales: dict[str, np.ndarray]) -> Arrays:
    """Matrices with their rows scaled, and their biases with them."""
    found = {name: arrays[name] * scale[:, None] for name, scale in scales.items()}
    return found | {
        bias_name(name): arrays[bias_name(name)] * scale for name, scale in scales.items() if bias_name(name) in arrays
    }


def is_felt(model: Transformer, index: int) -> bool:
    """Whether the size of what a block writes can be felt: a norm behind a dropped stream takes it away."""
    step = next(step for step in model.steps for block in step.blocks if block.index == index)
    return step.residual or model.norm is None
