r"""Virtual weights $M_{h h'} = W_V^h W_O^{h'}$, by which head h reads what head h' writes, for all heads of two families.

They act on the narrow spaces of the heads: a functional v on what h reads is v M on what h' mixes. With norms between the two,
$M = W_V^h G W_O^{h'}$ (:mod:`symbolic_circuits.numeric.ranking.through`).
"""

import numpy as np

from symbolic_circuits.numeric.ranking.chains import Chains, HeadFamily

__all__ = ["VirtualWeights"]

MAX_KEPT = 2**26  # entries that are kept


class VirtualWeights:
    """M of two families, (H, H', r, r'), kept while there is room."""

    def __init__(self, chains: Chains) -> None:
        self.chains, self.kept, self.entries = chains, {}, 0

    def between(self, reader: HeadFamily, writer: HeadFamily) -> np.ndarray:
        """M_{h h'} for h in one family and h' in the other."""
        key = reader.number, writer.number
        if key not in self.kept:
            (h, r, d), (g, _, q) = reader.W_V.shape, writer.W_O.shape
            W_V = self.chains.readings[reader.source].heads[writer.number].turned(reader.W_V)
            flat = W_V.reshape(h * r, d) @ writer.W_O.transpose(1, 0, 2).reshape(d, g * q)
            found = np.ascontiguousarray(flat.reshape(h, r, g, q).transpose(0, 2, 1, 3))
            if self.entries + found.size > MAX_KEPT:
                return found
            self.entries += found.size
            self.kept[key] = found
        return self.kept[key]
