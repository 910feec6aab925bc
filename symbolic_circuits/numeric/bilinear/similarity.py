r"""Are two layers the same function? $\langle f_a, f_b \rangle = E_{x \sim N(0, I)}[f_a(x) \cdot f_b(x)]$, exactly from weights, and the cosine of it.

By Isserlis' theorem, with $B^{sym}$ the tensors symmetrised in their inputs and $t_a = \sum_i B_{aii}$,

.. math:: E[f_a \cdot f_b] = t_a \cdot t_b + 2 \langle B_a^{sym}, B_b^{sym} \rangle.

The inner product of the tensors themselves is another measure (``weight_similarity``): it is the expectation where left and right inputs
are independent, which those of a layer are not. Both need m x m' matrices only.

With biases $f(x) = B(x, x) + \Lambda x + k$, $\Lambda = W_{out} (\operatorname{diag}(b_2) W_1 + \operatorname{diag}(b_1) W_2)$ and
$k = W_{out}(b_1 \odot b_2) + b_{out}$. Odd moments vanish, so that

.. math:: E[f_a \cdot f_b] = (t_a + k_a) \cdot (t_b + k_b) + 2 \langle B_a^{sym}, B_b^{sym} \rangle + \langle \Lambda_a, \Lambda_b \rangle.

Of weights, the tensors with biases are those of inputs (x, 1). x is what the norm before a layer gives, without its weights.
"""

from dataclasses import dataclass

import numpy as np

from symbolic_circuits.display import displayed
from symbolic_circuits.numeric.bilinear.gram import require_alike, tensor_inner, trace_vector
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer
from symbolic_circuits.numeric.bilinear.parts import layer_parts

__all__ = ["Similarity", "layer_similarity", "weight_similarity"]


@displayed
@dataclass(frozen=True, slots=True)
class Similarity:
    """An inner product of two functions, and that of each with itself.

    >>> Similarity(inner=3.0, square_a=4.0, square_b=9.0, measure="weights").cosine
    0.5
    """

    inner: float  # <a, b>
    square_a: float  # <a, a>
    square_b: float  # <b, b>
    measure: str  # what the inner product is

    @property
    def cosine(self) -> float:
        """<a, b> over the norms; NaN where one of them vanishes."""
        sizes = np.sqrt(self.square_a) * np.sqrt(self.square_b)
        return float(self.inner / sizes) if sizes > 0 else float("nan")

    @property
    def distance(self) -> float:
        """The norm of the difference of the two functions."""
        return float(np.sqrt(max(0.0, self.square_a + self.square_b - 2 * self.inner)))

    def __str__(self) -> str:
        return f"cosine {self.cosine:.6g}, norms {np.sqrt(self.square_a):.4g} and {np.sqrt(self.square_b):.4g} ({self.measure})"


def layer_similarity(a: BilinearLayer, b: BilinearLayer) -> Similarity:
    """The similarity of two layers (without their residual connections) on standard normal inputs; exact.

    Raises
    ------
    ShapeError
        Inputs or outputs have different widths, or these are no layers.

    Examples
    --------
    >>> from symbolic_circuits.numeric.bilinear.layer import bilinear_layer
    >>> from symbolic_circuits.numeric.weights import Weights
    >>> a = bilinear_layer(Weights.example(), 1)
    >>> exchanged = BilinearLayer(a.W_2, a.W_1, a.W_out)
    >>> round(layer_similarity(a, exchanged).cosine, 12), weight_similarity(a, exchanged, symmetric=False).cosine < 0.99
    (1.0, True)
    """
    require_alike(a, b)
    return Similarity(*(gaussian(x, y) for x, y in ((a, b), (a, a), (b, b))), "standard normal inputs")


def gaussian(a: BilinearLayer, b: BilinearLayer) -> float:
    """E[f_a . f_b]."""
    if not (a.has_biases or b.has_biases):
        return float(trace_vector(a) @ trace_vector(b)) + 2 * tensor_inner(a, b)
    one, other = layer_parts(a), layer_parts(b)
    means = [trace_vector(layer) + parts.constant + parts.bias for layer, parts in ((a, one), (b, other))]
    return float(means[0] @ means[1]) + 2 * tensor_inner(a, b) + float(np.vdot(one.linear, other.linear))


def weight_similarity(a: BilinearLayer, b: BilinearLayer, *, symmetric: bool = True) -> Similarity:
    r"""The similarity of the tensors as arrays, $\sum_{ijk} B_{ijk} B'_{ijk}$; not an expectation over the inputs that a layer has.

    Of layers with biases the tensors of inputs (x, 1) are compared (``layer.with_constant()``).

    Parameters
    ----------
    symmetric : of the tensors symmetrised in their inputs; otherwise of the tensors as they are, which is
        :math:`E[f_a(x, y) \cdot f_b(x, y)]` over independent x and y, and tells a layer from itself with its branches exchanged

    Raises
    ------
    ShapeError
        Inputs or outputs have different widths, or these are no layers.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> layer = sc.bilinear_layer(weights, 1)
    >>> f"{weight_similarity(layer, layer).cosine:.3f}"
    '1.000'
    """
    require_alike(a, b)
    if a.has_biases or b.has_biases:
        a, b = a.with_constant(), b.with_constant()
    inner = (tensor_inner(x, y, symmetric=symmetric) for x, y in ((a, b), (a, a), (b, b)))
    return Similarity(*inner, "symmetrised tensors" if symmetric else "tensors, left and right inputs independent")
