"""Positions and tokens at which an output is read, the right tokens there, and a highest grade: checked, counted from 0."""

from collections.abc import Iterable, Sequence

import numpy as np

from symbolic_circuits.errors import SpecError, TermIndexError, TokensError
from symbolic_circuits.numeric.frozen import Frozen

__all__ = ["places", "require_grade", "targets_read", "tokens_read"]


def require_grade(up_to: object) -> None:
    """Raise unless this is a grade, or None."""
    if up_to is None:
        return
    if isinstance(up_to, bool) or not hasattr(up_to, "__index__"):
        raise TypeError(f"up_to is a grade, an integer; got {up_to!r}")
    if up_to < 0:
        raise TermIndexError(f"grades begin with 0; got up_to={up_to}")


def places(frozen: Frozen, positions: Sequence[int] | None) -> list[int]:
    """Positions counted from the start, checked."""
    n = frozen.positions
    if positions is None:
        return list(range(n))
    if not len(positions):
        raise TokensError("no positions are asked for: leave positions out for all of them")
    for position in positions:
        if not hasattr(position, "__index__") or not -n <= position < n:
            raise TokensError(f"position {position} is outside a sequence of {n} positions")
    return [int(position) % n for position in positions]


def tokens_read(frozen: Frozen, tokens: Iterable[int] | None, what: str) -> list[int]:
    """Tokens of the output, checked; all of them by default, none without unembedding."""
    if not frozen.model.unembedding:
        if tokens is not None:
            raise SpecError(f"{what} are of tokens, but {str(frozen.model)!r} has no unembedding")
        return []
    width = len(frozen.arrays["W_U"])
    if tokens is None:
        return list(range(width))
    tokens = list(np.atleast_1d(np.asarray(tokens)))
    for token in tokens:
        if not isinstance(token, np.integer) or not 0 <= token < width:
            raise TokensError(f"{what} are of tokens in range({width}); got {token}")
    return [int(token) for token in tokens]


def targets_read(frozen: Frozen, targets: Sequence[int] | None, positions: int) -> list[int] | None:
    """The right token at each position, checked."""
    if targets is None:
        return None
    read = tokens_read(frozen, targets, "targets")
    if len(read) != positions:
        raise TokensError(f"there is one target a position; got {len(read)} for {positions} positions")
    return read
