"""What rankings and explanations compute with: weights with their attention patterns, NumPy's, in double precision."""

import numpy as np

from symbolic_circuits.errors import SpecError, TokensError
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.weights import Weights

__all__ = ["held_fixed"]


def held_fixed(weights: Weights | Frozen, tokens: object) -> Frozen:
    """The weights with their patterns at the tokens, whatever they are stored in.

    Raises
    ------
    TokensError
        Weights that are frozen come with tokens.
    SpecError
        The arithmetic is modulo a prime.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> held_fixed(sc.Weights.example().astype(np.float32), [3, 4, 31]).x0.dtype
    dtype('float64')
    """
    if isinstance(weights, Frozen) and tokens is not None:
        raise TokensError("weights that are frozen have their tokens already; leave tokens out")
    with np.errstate(all="ignore"):  # what overflows is an error of its own
        frozen = weights if isinstance(weights, Frozen) else freeze(weights, tokens)
    if frozen.modulus is not None:
        raise SpecError(f"values modulo {frozen.modulus} have no size: they can neither be ranked nor be a fraction of a total")
    return frozen.to_numpy().astype(np.float64)
