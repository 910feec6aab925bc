r"""Queries and keys of rotary positions: the score of positions s and t is $x_s^T W_Q^T R_{t - s} W_K x_t$, one circuit for each offset t - s.

$R_s^T R_t = R_{t - s}$, since each pair of coordinates k and k + pairs turns by position times frequency; further ones do not turn. An
offset is the position of the key less that of the query: 0 for a position itself, -1 for the one before it.
"""

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.weights import Weights

__all__ = ["turned_keys"]


def turned_keys(weights: Weights, W_K: np.ndarray, offset: int | None) -> np.ndarray:
    """R(offset) W_K for keys (..., e, d); W_K itself in a model without rotary positions.

    Raises
    ------
    SpecError
        The model has rotary positions and there is no offset; or the other way round; or it is no integer.
    """
    model = weights.model
    if model.positions != "rotary":
        if offset is not None:
            raise SpecError(
                f"QK circuits of {str(model)!r} are the same at every offset, since its positions are not rotary: give no offset"
            )
        return W_K
    if offset is None:
        raise SpecError(
            f"{str(model)!r} has rotary positions, so that queries and keys match by another matrix at each offset, W_Q^T R(offset) W_K: give offset=, "
            "the position of the key less that of the query (0: itself, -1: the one before)"
        )
    if isinstance(offset, bool) or not hasattr(offset, "__index__"):
        raise SpecError(f"an offset is an integer, the position of the key less that of the query; got {offset!r}")
    frequencies = weights.arrays["rotary.inv_freq"]
    pairs = len(frequencies)
    cosine, sine = np.cos(int(offset) * frequencies)[:, None], np.sin(int(offset) * frequencies)[:, None]
    first, second, rest = W_K[..., :pairs, :], W_K[..., pairs : 2 * pairs, :], W_K[..., 2 * pairs :, :]
    return np.concatenate([first * cosine - second * sine, second * cosine + first * sine, rest], axis=-2)
