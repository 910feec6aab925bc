r"""What an intervened run holds fixed: attention patterns, scales of norms, gates; those of the input at hand, or those of its own streams.

| held | of what | shape |
| --- | --- | --- |
| A | patterns of a block at the stream that it reads, unless they are polynomials and expanded | H x n x n |
| r | 1 / root mean square of the stream that a norm reads (less its mean in a LayerNorm) | n |
| G | gate(W_1 x + b_1) of the stream that a gated layer reads | n x m |

Biases of queries and keys inside a softmax, and b_1 inside a gate, are no terms: a query does not take them out.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.numeric.folding import with_column
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.reference import ACTIVATIONS, HeldFixed, Run

__all__ = ["Intervened", "held_of_runs", "linear"]


class Intervened:
    """The run at the input at hand: everything that is held, found block by block as its streams are.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> head = sc.path_expansion(frozen.model).components["attn.0[1]"]
    >>> bool(np.allclose(Intervened(frozen, True).of(head, frozen.x0), frozen.patterns[0][1]))
    True
    """

    def __init__(self, frozen: Frozen, recomputed: bool) -> None:
        self.before, self.recomputed = frozen, recomputed
        self.run = Run(frozen.model, frozen.weights, HeldFixed(factors=frozen.factors, rotation=frozen.rotation), None)

    def of(self, component: Component, stream: np.ndarray) -> np.ndarray:
        """A of a head, r of a norm or G of a gated layer that reads a stream (n, width)."""
        if component.kind == "attn":
            return self.found("patterns", component, stream)[component.head]
        if component.kind == "norm":
            return self.found("scales", component, stream)
        return self.found("gates", component, stream)

    def found(self, name: str, component: Component, stream: np.ndarray) -> np.ndarray:
        """What is held of a block or a norm, computed once."""
        if not self.recomputed:
            return getattr(self.before, name)[component.layer]
        known, layer = getattr(self.run, name), component.layer
        if layer not in known:
            x = stream[:, : self.before.width - self.before.model.has_constant]
            if name == "patterns":
                known[layer] = self.run.pattern(layer, component.spec, x)
            elif name == "scales":
                self.run.norm(layer, x)  # which keeps its scale
            else:
                known[layer] = ACTIVATIONS[component.spec.gate](self.run.affine(f"bilinear.{layer}", "1", x))
        return known[layer]

    def frozen(self) -> Frozen:
        """The input at hand with what is held in the intervened run."""
        if not self.recomputed:
            return self.before
        found = {name: {**getattr(self.before, name), **getattr(self.run, name)} for name in ("patterns", "scales", "gates")}
        return replace(self.before, **found)


def held_of_runs(component: Component, runs: Sequence[Frozen]) -> np.ndarray:
    """A, r or G of several runs, one more axis in front."""
    if component.kind == "attn":
        return np.stack([run.patterns[component.layer][component.head] for run in runs])
    name = "scales" if component.kind == "norm" else "gates"
    return np.stack([getattr(run, name)[component.layer] for run in runs])


def linear(frozen: Frozen, component: Component, held: np.ndarray, x: np.ndarray) -> np.ndarray:
    """A component with one input at streams (..., n, width), of what is held of it."""
    layer, arrays = component.layer, frozen.arrays
    if component.kind == "norm":
        return held[..., None] * frozen.gained(layer, x)
    if component.kind == "attn":
        W_V, W_O = (arrays[f"attn.{layer}.W_{letter}"][component.head] for letter in "VO")
        return held @ (x @ W_V.T) @ W_O.T
    W_2, W_out = arrays[f"bilinear.{layer}.W_2"], arrays.get(f"bilinear.{layer}.W_out")
    held = held if held.shape[-1] == len(W_2) else with_column(held)  # without W_out nothing is written into the constant
    hidden = held * (x @ W_2.T)
    return hidden if W_out is None else hidden @ W_out.T
