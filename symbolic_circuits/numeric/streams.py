"""Arrays as an algebra: interpreting an expansion in it is the forward pass with frozen patterns, factored as the model is."""

from collections.abc import Sequence

import numpy as np

from symbolic_circuits.expansion.grammar import Component
from symbolic_circuits.expansion.interpret import Algebra
from symbolic_circuits.numeric.folding import with_column
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.scores import pattern_of, product_of_scores

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
        return self.frozen.leaf(component)

    def norm(self, component: Component, x: np.ndarray) -> np.ndarray:
        return self.frozen.reduce(self.frozen.scales[component.layer][:, None] * self.frozen.gained(component.layer, x))

    def gated(self, component: Component, x: np.ndarray) -> np.ndarray:
        name, arrays, reduce = f"bilinear.{component.layer}", self.frozen.arrays, self.frozen.reduce
        hidden = reduce(self.gates(component) * reduce(x @ arrays[f"{name}.W_2"].T))
        return reduce(hidden @ arrays[f"{name}.W_out"].T) if f"{name}.W_out" in arrays else hidden

    def gates(self, component: Component) -> np.ndarray:
        """G (n, m); a layer without W_out writes 0 into the constant coordinate."""
        G = self.frozen.gates[component.layer]
        return G if G.shape[1] == len(self.frozen.arrays[f"bilinear.{component.layer}.W_2"]) else with_column(G)

    def attention(self, component: Component, inputs: Sequence[np.ndarray]) -> np.ndarray:
        *pairs, value = inputs
        pattern = pattern_of(self.frozen, component, pairs)
        return self.mixed(component, pattern, value)

    def scores(self, component: Component, inputs: Sequence[np.ndarray]) -> np.ndarray:
        return product_of_scores(self.frozen, component, inputs)

    def head(self, component: Component, x: np.ndarray) -> np.ndarray:
        return self.mixed(component, self.frozen.patterns[component.layer][component.head], x)

    def mixed(self, component: Component, pattern: np.ndarray, x: np.ndarray) -> np.ndarray:
        """A x (W_O W_V)^T of a head."""
        name, h, arrays = f"attn.{component.layer}", component.head, self.frozen.arrays
        mixed = self.frozen.reduce(pattern @ self.frozen.reduce(x @ arrays[f"{name}.W_V"][h].T))
        return self.frozen.reduce(mixed @ arrays[f"{name}.W_O"][h].T)

    def bilinear(self, component: Component, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        name, arrays, reduce = f"bilinear.{component.layer}", self.frozen.arrays, self.frozen.reduce
        W_1 = arrays[f"{name}.W_1"]
        W_2 = W_1 if component.is_tied else arrays[f"{name}.W_2"]
        hidden = reduce(reduce(x @ W_1.T) * reduce(y @ W_2.T))
        return reduce(hidden @ arrays[f"{name}.W_out"].T) if f"{name}.W_out" in arrays else hidden

    def zero(self, component: Component) -> np.ndarray:
        return self.scale(0, self.frozen.leaf(component))

    def add(self, values: Sequence[np.ndarray]) -> np.ndarray:
        return self.frozen.reduce(sum(values[1:], values[0]))
