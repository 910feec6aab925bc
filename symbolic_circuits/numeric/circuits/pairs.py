"""Scores of what reads and what is written, side by side, collected into one table of readers x writers."""

import numpy as np

from symbolic_circuits.numeric.circuits.baseline import deviations
from symbolic_circuits.numeric.circuits.products import norms_of_products
from symbolic_circuits.numeric.circuits.sides import Side

__all__ = ["Pairs"]


class Pairs:
    """Norms of products, one array for each side that reads and each that it reads; factors are not kept."""

    def __init__(self, d: int) -> None:
        self.d = d
        self.read: list[tuple[str, ...]] = []  # names of sides
        self.written: list[tuple[str, ...]] = []
        self.spreads: dict[int, tuple[Side, np.ndarray]] = {}  # of what the last one read, by identity
        self.found: dict[tuple[tuple[str, ...], tuple[str, ...]], tuple[np.ndarray, np.ndarray]] = {}

    def add(self, side: Side, writers: list[Side]) -> None:
        """What one side reads."""
        self.read.append(side.names)
        self.spreads = {id(writer): self.spreads.get(id(writer)) or (writer, writer.spreads()) for writer in writers}
        spreads = side.spreads()
        for writer in writers:
            if writer.names not in self.written:
                self.written.append(writer.names)
            scores = norms_of_products(side.factors, writer.factors)
            self.found[side.names, writer.names] = scores, deviations(scores, spreads, self.spreads[id(writer)][1], self.d)

    def table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores, where there are some, and their deviations, (readers, writers); nan where there is none."""
        shape = sum(map(len, self.read)), sum(map(len, self.written))
        scores, reads, away, row = np.full(shape, np.nan), np.zeros(shape, dtype=bool), np.full(shape, np.nan), 0
        for side in self.read:
            column = 0
            for writer in self.written:
                if (side, writer) in self.found:
                    place = slice(row, row + len(side)), slice(column, column + len(writer))
                    reads[place] = True
                    scores[place], away[place] = self.found[side, writer]
                column += len(writer)
            row += len(side)
        return scores, reads, away
