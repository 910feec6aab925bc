"""The token that a model predicts at a position, and its runner-up: the largest logits, of equal ones that of the lower token."""

import numpy as np

from symbolic_circuits.errors import SpecError, TokensError
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.output_places import places

__all__ = ["PREDICTION", "RUNNER_UP", "predicted", "runner_up"]

PREDICTION, RUNNER_UP = "prediction", "runner-up"  # in place of a token


def predicted(frozen: Frozen, position: int = -1) -> int:
    """The token with the largest logit.

    Raises
    ------
    SpecError
        The model has no unembedding, so that it predicts nothing.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> predicted(frozen), runner_up(frozen, 7) == 7
    (7, False)
    """
    return int(logits_at(frozen, position).argmax())


def runner_up(frozen: Frozen, token: int, position: int = -1) -> int:
    """The token with the largest logit but for one token.

    Raises
    ------
    SpecError, TokensError
        The model has no unembedding; there is no other token.
    """
    logits = logits_at(frozen, position).copy()
    if not 0 <= token < len(logits) or len(logits) == 1:
        raise TokensError(f"token {token} has no runner-up in range({len(logits)})")
    logits[token] = -np.inf
    return int(logits.argmax())


def logits_at(frozen: Frozen, position: int) -> np.ndarray:
    """The logits (V,) of the forward pass."""
    if not frozen.model.unembedding:
        raise SpecError(
            f"{str(frozen.model)!r} has no unembedding, so that it predicts no token: leave tokens out for its output"
        )
    with np.errstate(all="ignore"):  # what overflows is an error of what comes next
        return frozen.forward().output[places(frozen, [position])[0]]
