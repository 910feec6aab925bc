r"""What a bilinear layer makes of all pairs of two short lists, $W_{out} (W_1 x_s \odot W_2 y_s)$, as one array."""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.numeric.ranking.chains import PairFamily
from symbolic_circuits.numeric.ranking.term_lists import TermList

__all__ = ["PairOutputs", "all_outputs", "pair_numbers"]

CHUNK = 2**22  # entries of hidden activations at a time


@dataclass(frozen=True, slots=True, eq=False)
class PairOutputs:
    """The streams of all terms of a pair family."""

    at: np.ndarray  # (P,) positions
    values: np.ndarray  # (N, P, d)
    orders: np.ndarray  # (N,)
    left: np.ndarray  # (N,) numbers of the inputs in their lists
    right: np.ndarray


def pair_numbers(family: PairFamily, left: int, right: int) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of the inputs of every pair; i <= j where the order does not matter and both are of one list."""
    if family.production.unordered:
        j, i = np.tril_indices(left)
        return i, j
    i, j = np.divmod(np.arange(left * right), right)
    return i, j


def all_outputs(family: PairFamily, left: TermList, right: TermList, at: np.ndarray) -> PairOutputs:
    """All of them, at some positions; a pair that stands for both orders counts twice."""
    i, j = pair_numbers(family, len(left), len(right))
    x, y = left.at_positions(at), right.at_positions(at)
    hidden_left, hidden_right = x @ family.W_1.T, y @ family.W_2.T
    factor = np.where(i == j, 1, 2) if family.production.unordered else np.full(len(i), family.factor)
    size = max(1, CHUNK // max(1, len(at) * len(family.W_1)))
    parts = [np.zeros((0, *y.shape[1:]))]
    for start in range(0, len(i), size):
        rows = slice(start, start + size)
        hidden = hidden_left[i[rows]] * hidden_right[j[rows]] * factor[rows, None, None]
        parts.append(hidden if family.W_out is None else hidden @ family.W_out.T)
    return PairOutputs(at, np.concatenate(parts), 1 + left.orders[i] + right.orders[j], i, j)
