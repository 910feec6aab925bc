r"""How a readout changes when a stream changes: $\delta_{l+1} = \delta_l + \sum_b (b(X_l + \delta_l) - b(X_l))$, many changes at once.

| letter | meaning | shape |
| --- | --- | --- |
| X_l, delta_l | the stream that step l reads, with frozen patterns, scales and gates, and changes of it | n x width, B x n x width |
| g_l | where only what is linear follows: the change of the readout is <g_l, delta_l> | n x width |

The change itself is carried on, not the changed stream: small effects keep their digits. For a bilinear layer it is
$W_{out}(W_1 \delta \cdot W_2 (X + \delta) + W_1 X \cdot W_2 \delta)$, and likewise for a head whose pattern is a polynomial; a norm is linear, its scales
being frozen. Behind the last of these one product with g_l is all that is left.
"""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.expansion.grammar import component_of
from symbolic_circuits.numeric.folding import with_column
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.graded_streams import dtype_of
from symbolic_circuits.numeric.interventions.products import Product
from symbolic_circuits.numeric.interventions.readings import Readings
from symbolic_circuits.numeric.readout import Readout
from symbolic_circuits.spec import Attention, NumberedBlock, Step

__all__ = ["Disturbance", "is_linear"]

CHUNK = 2**26  # bytes of streams that are carried on at a time


def is_linear(spec: object) -> bool:
    """Whether a block is linear in its input, what is held of it being frozen."""
    return not spec.is_polynomial if isinstance(spec, Attention) else spec.gate is not None


class Disturbance:
    """The rest of a frozen model from any step on, as a function of changes of the stream there.

    >>> import symbolic_circuits as sc
    >>> from symbolic_circuits.numeric.readout import readout
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> wanted = readout(frozen, token=7)
    >>> rest = Disturbance(frozen, frozen.forward().streams, wanted)
    >>> nothing = rest.effects(0, -frozen.x0[None])  # without any input the logit is 0
    >>> bool(np.allclose(nothing, -wanted.of(frozen.forward().output)))
    True
    """

    def __init__(self, frozen: Frozen, streams: Sequence[np.ndarray], wanted: Readout) -> None:
        self.frozen, self.steps, self.readings = frozen, frozen.model.steps, Readings(frozen)
        has_constant = frozen.model.has_constant
        self.streams = [with_column(x) if has_constant and x.shape[1] < frozen.width else x for x in streams]
        self.work = 0  # steps of single streams
        last = np.zeros(frozen.x0.shape, dtype=dtype_of(frozen))
        last[wanted.position] = wanted.on_stream(frozen)
        self.direction = last  # on what the output itself reads
        if frozen.model.has_final_norm:
            last = self.readings.pulled_back(frozen.model.number_of_blocks, last)
        self.gradients = [last]  # g_l of the last streams, the last one first
        for step in reversed(self.steps):
            if not all(is_linear(spec) for _, spec in step.blocks):
                break
            self.gradients.append(self.before(step, self.gradients[-1]))

    def before(self, step: Step, after: np.ndarray) -> np.ndarray:
        """g before a step of linear blocks."""
        after = self.readings.pulled_back(step.blocks[-1].index, after) if self.frozen.model.post_norm else after
        before = sum((self.pulled_back(block, after) for block in step.blocks), np.zeros_like(after))
        return before + after if step.residual else before

    @property
    def linear_from(self) -> int:
        """The first stream that only what is linear follows."""
        return len(self.steps) + 1 - len(self.gradients)

    def passes(self, level: int) -> int:
        """How many steps a change of a stream is carried through."""
        return max(0, self.linear_from - level)

    def pieces(self, number: int) -> list[slice]:
        """So many changes in pieces that keep to CHUNK when they are carried on, a piece being one change at least."""
        arrays = self.frozen.arrays.items()
        hidden = [len(array) for name, array in arrays if name.endswith(".W_1")]
        heads = [array.shape[0] * array.shape[1] for name, array in arrays if name.endswith(".W_V")]
        scores = [
            self.frozen.positions
            for _, spec in self.frozen.model.numbered()
            if isinstance(spec, Attention) and spec.is_polynomial
        ]
        widest = max([self.frozen.x0.shape[1], *hidden, *heads, *scores])
        size = max(1, CHUNK // (4 * self.frozen.positions * widest * dtype_of(self.frozen).itemsize))
        return [slice(start, min(start + size, number)) for start in range(0, number, size)]

    def effects(self, level: int, change: np.ndarray) -> np.ndarray:
        """The change of the readout for each change (B, n, width) of the stream ``level``, all carried on together; shape (B,)."""
        for number in range(level, self.linear_from):
            step = self.steps[number]
            parts = [self.after(block, self.streams[number], change) for block in step.blocks]
            change = self.readings.behind(step, sum(parts, change if step.residual else 0))
            self.work += len(change)
        gradient = self.gradients[len(self.steps) - max(level, self.linear_from)]
        return np.einsum("bnd,nd->b", change, gradient)

    def at_output(self, change: np.ndarray) -> np.ndarray:
        """The change of the readout for changes (B, n, width) of what the output itself reads, behind the last norm."""
        return np.einsum("bnd,nd->b", change, self.direction)

    def after(self, block: NumberedBlock, x: np.ndarray, change: np.ndarray) -> np.ndarray:
        """The change of what a block gives."""
        change, arrays = self.readings.normed(block.index, change), self.frozen.arrays
        if isinstance(block.spec, Attention) and not block.spec.is_polynomial:
            return self.attention(block.index, change)
        if isinstance(block.spec, Attention):
            return self.polynomial(block, x, change)
        if block.spec.gate is not None:
            return self.readings.streams.gated(component_of(self.frozen.model, "gated", block.index), change)
        x = self.readings.read(block, x)[0]
        W_1 = arrays[f"bilinear.{block.index}.W_1"]
        W_2 = W_1 if block.spec.tied else arrays[f"bilinear.{block.index}.W_2"]
        left, right = change @ W_1.T, change @ W_2.T
        hidden = left * (x @ W_2.T + right) + (x @ W_1.T) * right
        out = arrays.get(f"bilinear.{block.index}.W_out")
        return hidden if out is None else hidden @ out.T

    def polynomial(self, block: NumberedBlock, x: np.ndarray, change: np.ndarray) -> np.ndarray:
        """Heads whose patterns are polynomials: one input after the other changes."""
        inputs = self.readings.read(block, x)
        heads = [component_of(self.frozen.model, "attn", block.index, head) for head in range(block.spec.heads)]
        return sum(Product(self.frozen, head).change(inputs, [change] * len(inputs)) for head in heads)

    def attention(self, layer: int, change: np.ndarray) -> np.ndarray:
        """All heads of a block at changes (B, n, width)."""
        W_V, W_O = (self.frozen.arrays[f"attn.{layer}.W_{letter}"] for letter in "VO")
        (h, e, d), (b, n, _) = W_V.shape, change.shape
        values = (change.reshape(b * n, d) @ W_V.reshape(h * e, d).T).reshape(b, n, h, e).transpose(0, 2, 1, 3)
        mixed = self.frozen.patterns[layer] @ values  # (b, h, n, e)
        return (mixed.transpose(0, 2, 1, 3).reshape(b * n, h * e) @ W_O.transpose(1, 0, 2).reshape(d, h * e).T).reshape(b, n, d)

    def pulled_back(self, block: NumberedBlock, gradient: np.ndarray) -> np.ndarray:
        """What a linear block makes of g: sum_h (A^h)^T g W_O^h W_V^h, or (G . (g W_out)) W_2; and the norm before it."""
        arrays = self.frozen.arrays
        if isinstance(block.spec, Attention):
            W_V, W_O = (arrays[f"attn.{block.index}.W_{letter}"] for letter in "VO")
            found = (self.frozen.patterns[block.index].transpose(0, 2, 1) @ gradient @ W_O @ W_V).sum(axis=0)
        else:
            W_2, out = arrays[f"bilinear.{block.index}.W_2"], arrays.get(f"bilinear.{block.index}.W_out")
            G = self.readings.streams.gates(component_of(self.frozen.model, "gated", block.index))
            found = (G * (gradient if out is None else gradient @ out)) @ W_2
        return self.readings.pulled_back(block.index, found) if self.readings.has_norms_before else found
