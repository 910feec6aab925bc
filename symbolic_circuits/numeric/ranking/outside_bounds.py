r"""Bounds from outside: $O_k(s)$ with $|value| \le \sum_s O_k(s) |x_s|$ for every complete term that contains the term x of nonterminal k.

From the output down: a head h takes O to $\|W_{OV}^h\| \, |A^h|^T O$, a bilinear layer takes it to $\sigma O(s) \nu(s)$, with the bound
$\nu$ on its other input, and a norm to $\max |w| \, |r_s| O(s)$. A term x that makes this sum small cannot be a part of any large term.
"""

import numpy as np

from symbolic_circuits.numeric.ranking.lengths import finite
from symbolic_circuits.numeric.ranking.prefix_bounds import PrefixBounds
from symbolic_circuits.numeric.ranking.spectral import norm_bound
from symbolic_circuits.numeric.ranking.through import DIRECT

__all__ = ["outside_bounds"]

ROUNDING = 1 + 1e-9


def outside_bounds(bounds: PrefixBounds, root: np.ndarray, probe: np.ndarray) -> list[np.ndarray]:
    """O (n,) of every nonterminal, for a readout root (q, d) with the weights probe (n,) of positions."""
    chains = bounds.chains
    rules = chains.grammar.nonterminals
    O = [np.zeros(len(probe)) for _ in rules]  # noqa: E741 (the letter of the formula)
    O[-1] = float(norm_bound(root)) * np.abs(probe) * ROUNDING
    heads: dict[int, list] = {}
    pairs: dict[int, list] = {}
    for family in chains.heads:
        heads.setdefault(family.nonterminal, []).append(family)
    for family in chains.pairs:
        pairs.setdefault(family.nonterminal, []).append(family)
    for k in range(len(rules) - 1, -1, -1):
        for production in rules[k]:
            component = production.component
            if component is None or component.kind == "norm":
                source, via = production.inputs[0], DIRECT if component is None else DIRECT.then(chains.frozen, component)
                np.maximum(O[source], via.gain * via.sized(O[k]), out=O[source])
        for family in heads.get(k, ()):
            gains = norm_bound(family.W_O) * norm_bound(family.W_V) * ROUNDING
            found = gains[:, None] * (O[k] @ np.abs(family.A))
            np.maximum(O[family.source], found.max(axis=0), out=O[family.source])
        for family in pairs.get(k, ()):
            gains = bounds.gains[family.number]
            for source, gain in zip(family.inputs, gains if family.gates is None else gains[1:], strict=True):
                np.maximum(O[source], O[k] * gain * ROUNDING, out=O[source])
    for bound in O:
        finite(bound)
    return O
