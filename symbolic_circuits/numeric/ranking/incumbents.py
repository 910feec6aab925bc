"""The largest values found so far, and where they come from; a value at most the smallest of them needs no further look."""

from collections.abc import Sequence

import numpy as np

__all__ = ["Incumbents"]


class Incumbents:
    """At most ``top`` keys with the largest absolute values."""

    def __init__(self, top: int, threshold: float = 0.0) -> None:
        self.top = top
        self.values: dict[tuple, float] = {}  # key -> absolute value, falling
        self.threshold = threshold  # what a new value must exceed

    def offer(self, values: np.ndarray, keys: Sequence[np.ndarray]) -> None:
        """Keep those of the values (N,) that belong to the largest; ``keys`` are columns or matrices of N rows of integers."""
        sizes = np.abs(values)
        chosen = np.flatnonzero(sizes > self.threshold)
        if not len(chosen):
            return
        if len(chosen) > self.top:
            chosen = chosen[np.argpartition(-sizes[chosen], self.top - 1)[: self.top]]
        rows = np.column_stack([np.asarray(key)[chosen] for key in keys]).tolist()
        self.values |= {tuple(row): float(sizes[k]) for row, k in zip(rows, chosen, strict=True)}
        kept = sorted(self.values.items(), key=lambda item: (-item[1], item[0]))[: self.top]
        self.values = dict(kept)
        if len(kept) == self.top:
            self.threshold = kept[-1][1]
