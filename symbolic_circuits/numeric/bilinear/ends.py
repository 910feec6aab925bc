r"""The ends of two models side by side: $W_E W_E'^T$ between what inputs write and $W_U^T W_U'$ between what outputs read, with b_U and the constant."""

import numpy as np

from symbolic_circuits.errors import ShapeError
from symbolic_circuits.numeric.weights import Weights

__all__ = ["between", "input_width", "joined", "require_same_ends"]


def require_same_ends(a: Weights, b: Weights) -> None:
    """Raise ShapeError unless inputs and outputs have one width."""
    for what, widths in (("inputs", tuple(map(input_width, (a, b)))), ("outputs", tuple(map(output_width, (a, b))))):
        if widths[0] != widths[1]:
            raise ShapeError(f"models are compared on the same {what}; {a!r} and {b!r} have widths {widths[0]} and {widths[1]}")


def input_width(weights: Weights) -> int:
    """V, or d without embedding."""
    return weights.size(weights.model.V if weights.model.embedding else weights.model.d)


def output_width(weights: Weights) -> int:
    """V, or d without unembedding."""
    return weights.size(weights.model.V if weights.model.unembedding else weights.model.d)


def joined(a: Weights, b: Weights, name: str) -> np.ndarray | None:
    """W_U^T W_U' between outputs, or W_E W_E'^T between inputs; None for the identity, where neither model has them."""
    P, Q = (weights.arrays.get(name) for weights in (a, b))
    if P is None and Q is None:
        return None
    P, Q = (np.eye((P if R is None else R).shape[0 if name == "W_U" else 1]) if R is None else R for P, R in ((Q, P), (P, Q)))
    return P.T @ Q if name == "W_U" else P @ Q.T


def between(a: Weights, b: Weights, name: str) -> np.ndarray | None:
    """The same between streams of models, which are one wider where something reads a constant; an input does not reach that coordinate."""
    found = joined(a, b, name)
    rows, columns = (int(weights.model.has_constant) for weights in (a, b))
    if not rows + columns:
        return found
    if found is None:
        found = np.eye(a.size(a.model.d))
    found = np.pad(found, ((0, rows), (0, columns)))
    if name == "W_U" and rows:
        edge = read_by(b, output_bias(a))
        found[-1, : len(edge)] = edge
    if name == "W_U" and columns:
        edge = read_by(a, output_bias(b))
        found[: len(edge), -1] = edge
    if name == "W_U" and rows and columns:
        found[-1, -1] = output_bias(a) @ output_bias(b)
    return found


def read_by(weights: Weights, direction: np.ndarray) -> np.ndarray:
    """W_U^T times a direction on the output, shape (d,)."""
    W_U = weights.arrays.get("W_U")
    return direction if W_U is None else direction @ W_U


def output_bias(weights: Weights) -> np.ndarray:
    """b_U, zero where there is none."""
    return weights.arrays.get("b_U", np.zeros(output_width(weights)))
