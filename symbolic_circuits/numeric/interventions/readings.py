r"""What the blocks of a frozen model read of a stream x: $r_s C x_s \cdot w + b$ where norms come before blocks, x itself elsewhere, and the constant 1.

Queries and keys of polynomial attention read positions too, where only they do (shortformer). Scales being held fixed, a norm is linear up to its
bias, which is a writer of its own.
"""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.expansion.grammar import Component, component_of
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.spec import Attention, NumberedBlock, Step

__all__ = ["Readings"]


class Readings:
    """The norms and constants between the streams of a frozen model and its blocks.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.random("[layer_norm, gains] attn(1) bilinear(b_1)", seed=0), [1, 2])
    >>> [[c.name for c in Readings(frozen).constants(block)] for block in frozen.model.numbered()]
    [['normbias.0'], ['normbias.1', 'one']]
    """

    def __init__(self, frozen: Frozen) -> None:
        self.frozen, self.model, self.streams = frozen, frozen.model, Streams(frozen)
        self.has_norms_before = self.model.norm is not None and not self.model.post_norm

    def normed(self, number: int, x: np.ndarray) -> np.ndarray:
        """The norm before block ``number``, without its bias, of streams (..., n, width); the streams where there is none."""
        return self.norm(number, x) if self.has_norms_before else x

    def behind(self, step: Step, x: np.ndarray) -> np.ndarray:
        """The norm after a step, without its bias; the streams where there is none."""
        return self.norm(step.blocks[-1].index, x) if self.model.post_norm else x

    def norm(self, number: int, x: np.ndarray) -> np.ndarray:
        """A norm without its bias."""
        return self.streams.norm(component_of(self.model, "norm", number), x)

    def pulled_back(self, number: int, g: np.ndarray) -> np.ndarray:
        """The transpose of a norm at gradients (..., n, width)."""
        g = g * self.frozen.arrays[f"norm.{number}.w"] * self.frozen.scales[number][:, None]
        if self.model.norm == "rms":
            return g
        d = self.frozen.width - self.model.has_constant
        mean = g[..., :d].mean(axis=-1, keepdims=True)
        return np.concatenate([g[..., :d] - mean, g[..., d:]], axis=-1)

    @property
    def has_norm_biases(self) -> bool:
        """Whether norms have biases."""
        return self.model.gains and self.model.norm == "layer"

    def constants(self, block: NumberedBlock | None) -> list[Component]:
        """The leaves that a block (None: the output) reads beside the stream: the bias of its norm, the constant, positions."""
        number, found = (self.model.number_of_blocks, []) if block is None else (block.index, [])
        if self.has_norm_biases and (self.has_norms_before if block is not None else self.model.has_final_norm):
            found.append(component_of(self.model, "normbias", number))
        if self.model.output_bias if block is None else is_biased(block.spec):
            found.append(component_of(self.model, "one"))
        if block is not None and self.model.positions == "shortformer" and self.is_polynomial(block):
            found.append(component_of(self.model, "position"))
        return found

    @staticmethod
    def is_polynomial(block: NumberedBlock) -> bool:
        """Whether a block is attention whose patterns are expanded."""
        return isinstance(block.spec, Attention) and block.spec.is_polynomial

    def slots(self, block: NumberedBlock) -> tuple[str, ...]:
        """The inputs of the components of a block."""
        return components_of(self.model, block)[0].slots

    def reads(self, constant: Component, slot: str) -> bool:
        """Whether an input reads a constant (which it may multiply by zero)."""
        return constant.kind != "position" or not slot.startswith("value")

    def read(self, block: NumberedBlock, x: np.ndarray) -> list[np.ndarray]:
        """What each input of the components of a block reads of a stream (n, width)."""
        constants, x = self.constants(block), self.normed(block.index, x)
        return [sum((self.frozen.leaf(c) for c in constants if self.reads(c, slot)), x) for slot in self.slots(block)]

    def written(self, block: NumberedBlock, outputs: np.ndarray, constants: Sequence[Component]) -> list[np.ndarray]:
        """What each input reads of outputs of components (writers, n, width), and of constants; (writers + constants, n, width)."""
        outputs = self.normed(block.index, outputs)
        if not constants:
            return [outputs] * len(self.slots(block))
        leaves = [self.frozen.leaf(c) for c in constants]
        nothing = np.zeros_like(leaves[0])
        rows = [
            [leaf if self.reads(c, slot) else nothing for leaf, c in zip(leaves, constants, strict=True)]
            for slot in self.slots(block)
        ]
        return [np.concatenate([outputs, np.stack(row)]) for row in rows]

    def at_output(self, outputs: np.ndarray, constants: Sequence[Component]) -> np.ndarray:
        """What the output reads of outputs of components (writers, n, width), and of constants."""
        outputs = self.norm(self.model.number_of_blocks, outputs) if self.model.has_final_norm else outputs
        return np.concatenate([outputs, *(self.frozen.leaf(c)[None] for c in constants)]) if constants else outputs


def is_biased(spec: object) -> bool:
    """Whether a block reads the constant: a bias that is neither inside a softmax or a gate nor added to the output."""
    if isinstance(spec, Attention):
        return any(name != "b_O" for name in spec.biases) if spec.is_polynomial else "b_V" in spec.biases
    return "b_2" in spec.biases or ("b_1" in spec.biases and spec.gate is None)


def components_of(model: object, block: NumberedBlock) -> list[Component]:
    """The heads of a block, or its layer."""
    if isinstance(block.spec, Attention):
        return [component_of(model, "attn", block.index, head) for head in range(block.spec.heads)]
    return [component_of(model, "bilinear" if block.spec.gate is None else "gated", block.index)]
