"""Arrays as an algebra: interpreting an expansion in it is the forward pass with frozen patterns, factored as the model is."""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.numeric.frozen import Frozen

__all__ = ["Streams"]


class Streams(Algebra[np.ndarray]):
    """Residual streams (n, d); ``fold`` gives that of one term, ``interpret`` the sum of all of them. Tensors where the weights are.

    >>> import symbolic_circuits as sc
    >>> frozen = sc.freeze(sc.Weights.example(), [3, 4, 31])
    >>> stream = sc.interpret(sc.path_expansion(frozen.model), Streams(frozen))
    >>> bool(np.allclose(stream, frozen.forward().streams[-1]))
    True
    """

    def __init__(self, frozen: Frozen) -> None:
        self.frozen = frozen

    def input(self, component: Component) -> np.ndarray:
        return self.frozen.x0

    def head(self, component: Component, x: np.ndarray) -> np.ndarray:
        name, h, arrays = f"attn.{component.layer}", component.head, self.frozen.arrays
        mixed = self.frozen.reduce(self.frozen.patterns[component.layer][h] @ self.frozen.reduce(x @ arrays[f"{name}.W_V"][h].T))
        return self.frozen.reduce(mixed @ arrays[f"{name}.W_O"][h].T)

    def bilinear(self, component: Component, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        name, arrays, reduce = f"bilinear.{component.layer}", self.frozen.arrays, self.frozen.reduce
        W_1 = arrays[f"{name}.W_1"]
        W_2 = W_1 if component.is_tied else arrays[f"{name}.W_2"]
        hidden = reduce(reduce(x @ W_1.T) * reduce(y @ W_2.T))
        return reduce(hidden @ arrays[f"{name}.W_out"].T) if f"{name}.W_out" in arrays else hidden

    def add(self, values: Sequence[np.ndarray]) -> np.ndarray:
        return self.frozen.reduce(sum(values[1:], values[0]))
