r"""Rotary positions: position s turns coordinates k and k + r/2 of a query and a key by the angle s f_k, f_k = base^(-2k/r).

Where neighbours turn together instead, the coordinates of a head are put in another order: of queries and keys alike, so that no score changes.
"""

import numpy as np

from symbolic_circuits.errors import WeightsError

__all__ = ["coordinate_order", "frequencies", "rotary_base"]

FIRST_SHOWN = 4  # of so many coordinates the second frequency is not 1, and tells the base


def frequencies(r: int, base: float) -> np.ndarray:
    """f (r/2,) of the r coordinates that turn.

    >>> frequencies(4, 100)
    array([1. , 0.1])

    Raises
    ------
    WeightsError
        r is odd.
    """
    if r % 2:
        raise WeightsError(f"rotary positions turn an even number of the coordinates of a head; got {r}")
    return np.float64(base) ** (-np.arange(0, r, 2) / r)


def coordinate_order(e: int, r: int) -> np.ndarray:
    """For each of our coordinates (e,) the stored one, where neighbours turn together: first one of each pair, then the others, then the rest.

    >>> coordinate_order(5, 4)
    array([0, 2, 1, 3, 4])
    """
    return np.concatenate([np.arange(0, r, 2), np.arange(1, r, 2), np.arange(r, e)])


def rotary_base(found: np.ndarray) -> float:
    """The base of frequencies (r/2,), rounded to an integer where it is one but for rounding.

    >>> rotary_base(frequencies(6, 10000))
    10000

    Raises
    ------
    WeightsError
        The frequencies are not those of a base.
    """
    r = 2 * len(found)
    with np.errstate(all="ignore"):
        base = 10000.0 if r < FIRST_SHOWN else float(np.float64(found[1]) ** (-r / 2))
    is_base = 0 < base < np.inf
    if is_base and abs(base - round(base)) < 1e-4 * base:
        base = round(base)
    if not is_base or not np.allclose(frequencies(r, base), found, rtol=1e-6, atol=0):
        raise WeightsError(f"rotary.inv_freq is not base^(-2k/{r}) for any base, as the format has it")
    return base
