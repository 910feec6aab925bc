"""A model with its attention patterns held fixed at one input: arrays ready for evaluation, in floats or modulo a prime."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.reference import Forward, forward
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention, Transformer

__all__ = ["Frozen", "freeze"]


@dataclass(frozen=True, eq=False)
class Frozen:
    """Everything that the value of a term depends on."""

    model: Transformer
    arrays: Mapping[str, np.ndarray]  # weights by name
    patterns: Mapping[int, np.ndarray]  # attention block -> (H, n, n)
    source: np.ndarray  # tokens (n,) or residual input (n, d)
    modulus: int | None = None  # arithmetic modulo a prime; None for floating point

    @property
    def x0(self) -> np.ndarray:
        """The residual stream (n, d) before the first step."""
        return self.arrays["W_E"].T[self.source] if self.model.embedding else self.source

    @property
    def positions(self) -> int:
        """n."""
        return len(self.source)

    def reduce(self, array: np.ndarray) -> np.ndarray:
        """The array modulo the prime, or as it is."""
        return array if self.modulus is None else array % self.modulus

    def forward(self) -> Forward:
        """The reference forward pass with these patterns; modulo a prime it computes with Python's integers."""
        if self.modulus is None:
            return forward(self.model, self.arrays, self.source, patterns=self.patterns)
        arrays = {name: array.astype(object) for name, array in self.arrays.items()}
        patterns = {block: pattern.astype(object) for block, pattern in self.patterns.items()}
        source = self.source if self.model.embedding else self.source.astype(object)
        return forward(self.model, arrays, source, patterns=patterns, modulus=self.modulus)

    def astype(self, dtype: object) -> Self:
        """The same in another floating-point type."""
        arrays = {name: array.astype(dtype) for name, array in self.arrays.items()}
        patterns = {block: pattern.astype(dtype) for block, pattern in self.patterns.items()}
        source = self.source if self.model.embedding else self.source.astype(dtype)
        return type(self)(self.model, arrays, patterns, source, self.modulus)


def freeze(weights: Weights, tokens: object) -> Frozen:
    """Run the forward pass on one sequence and hold its attention patterns fixed.

    Parameters
    ----------
    tokens : (n,) integers, or the residual input (n, d) for a model without embedding

    Raises
    ------
    TokensError
        The tokens do not fit the weights.
    """
    model = weights.model
    if model.has_symbolic_heads:
        heads = {spec.heads for _, spec in model.numbered() if isinstance(spec, Attention) and not isinstance(spec.heads, int)}
        values = ", ".join(f"{h}={weights.size(h)}" for h in sorted(heads, key=str))
        raise SpecError(f"the number of heads of {str(model)!r} is a symbol, but the weights have {values}: use model.subs")
    source = weights.source(tokens)
    run = forward(model, weights.arrays, source)
    return Frozen(model, dict(weights.arrays), run.patterns, source)
