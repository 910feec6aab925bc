"""Attention patterns of the heads that a page shows, as bytes: 255 stands for an attention of 1.

Of many positions, a cell stands for a square of them and has the largest attention in it, so that all patterns stay under a limit.
"""

import base64
from collections.abc import Iterable

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.frozen import Frozen

__all__ = ["pattern_data", "pooled"]

LIMIT = 600_000  # bytes of all patterns
MAX_CELLS = 64  # along a side
MAX_TOKENS = 2048  # whose names are written


def pattern_data(frozen: Frozen, heads: Iterable[Component]) -> dict[str, object]:
    """Positions, tokens, and the patterns of heads in base64, row by row.

    Heads whose patterns are expanded, or that are left open, have none.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> data = pattern_data(frozen, [sc.path_expansion(frozen.model)[1].component])
    >>> data["positions"], data["step"], list(data["heads"])
    (3, 1, ['attn.0[0]'])
    """
    n = frozen.positions
    known = [head for head in heads if head.head is not None and head.layer in frozen.patterns]
    side = int(min(MAX_CELLS, (LIMIT / max(1, len(known))) ** 0.5))
    step = max(1, -(-n // max(1, side)))
    tokens = frozen.source.tolist() if frozen.model.embedding and n <= MAX_TOKENS else None
    found = {head.name: encoded(frozen.patterns[head.layer][head.head], step) for head in known}
    return {"positions": n, "step": step, "cells": -(-n // step), "tokens": tokens, "heads": found}


def encoded(pattern: np.ndarray, step: int) -> str:
    """A pattern as text."""
    cells = np.nan_to_num(pooled(np.asarray(pattern, dtype=float), step))
    return base64.b64encode(np.rint(255 * cells.clip(0, 1)).astype(np.uint8).tobytes()).decode("ascii")


def pooled(pattern: np.ndarray, step: int) -> np.ndarray:
    """The largest entry of each square of so many rows and columns.

    >>> pooled(np.arange(9.0).reshape(3, 3), 2).tolist()
    [[4.0, 5.0], [7.0, 8.0]]
    """
    cells = -(-len(pattern) // step)
    padded = np.full((cells * step, cells * step), -np.inf)
    padded[: len(pattern), : len(pattern)] = pattern
    return padded.reshape(cells, step, cells, step).max(axis=(1, 3))
