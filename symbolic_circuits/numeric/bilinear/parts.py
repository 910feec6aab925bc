r"""A layer with biases in four parts: $(W_1 x + b_1) \odot (W_2 x + b_2) = W_1 x \odot W_2 x + b_2 \odot W_1 x + b_1 \odot W_2 x + b_1 \odot b_2$ (C10).

| part | behind W_out | term |
| --- | --- | --- |
| interaction | B(x, x) | bilinear.l(x, y) |
| left-linear | $W_{out} \operatorname{diag}(b_2) W_1$ | bilinear.l(x, one) |
| right-linear | $W_{out} \operatorname{diag}(b_1) W_2$ | bilinear.l(one, x) |
| constant | $W_{out} (b_1 \odot b_2)$ | bilinear.l(one, one) |
| bias | b_out | bias.l |

b_1 and b_2 have the biases of the norm before the layer inside, as W_1 and W_2 have its gains; x is the stream behind its scale.
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer, bilinear_layer
from symbolic_circuits.numeric.weights import Weights

__all__ = ["LayerParts", "layer_parts"]


@displayed
@dataclass(frozen=True, eq=False)
class LayerParts:
    """The parts of a layer, whose sum is the layer; those of biases vanish where there are none. Made by :func:`layer_parts`.

    Examples
    --------
    >>> layer = bilinear_layer(Weights.random("bilinear(bias)", d=8, V=5, seed=0), 0)
    >>> parts, x = layer_parts(layer), np.arange(8.0)
    >>> bool(np.allclose(parts(x), layer(x)))
    True
    >>> bool(np.allclose(layer(x) - layer(0 * x), parts.interaction(x) + parts.linear @ x))
    True
    """

    interaction: BilinearLayer  # without biases
    left: np.ndarray  # (outputs, d)
    right: np.ndarray  # (outputs, d)
    constant: np.ndarray  # (outputs,)
    bias: np.ndarray  # (outputs,)

    @property
    def linear(self) -> np.ndarray:
        """Both linear parts, (outputs, d)."""
        return self.left + self.right

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The layer at inputs (..., d)."""
        return self.interaction(x) + x @ self.linear.T + self.constant + self.bias


def layer_parts(weights: Weights | BilinearLayer, layer: int | str | None = None) -> LayerParts:
    """The interaction, the linear parts and the constants of a layer.

    Parameters
    ----------
    weights, layer : weights and the number or name of a bilinear layer; or a layer

    Raises
    ------
    SpecError
        This is no bilinear layer, or it has a gate.

    Examples
    --------
    >>> parts = layer_parts(Weights.random("bilinear(b_2)", d=8, V=5, seed=0), 0)
    >>> parts.left.shape, bool(parts.left.any()), bool(parts.right.any()), bool(parts.constant.any())
    ((8, 8), True, False, False)
    """
    found = weights if isinstance(weights, BilinearLayer) else bilinear_layer(weights, layer)
    P, (b_1, b_2) = found.W_out, found.inner_biases
    bias = np.zeros(found.outputs) if found.b_out is None else found.b_out
    return LayerParts(found.without_biases(), (P * b_2) @ found.W_1, (P * b_1) @ found.W_2, P @ (b_1 * b_2), bias)
