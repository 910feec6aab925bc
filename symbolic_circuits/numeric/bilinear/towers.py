r"""The inner product of the tensors of two towers of bilinear layers, of any height, by a recursion on Gram matrices of inner wires:

.. math:: G_0 = W_E W_E'^T, \quad G_{l+1} = P_l \left( (L_l G_l L_l'^T) \odot (R_l G_l R_l'^T) \right) P_l'^T, \quad \langle T, T' \rangle = \operatorname{tr}(W_U G_h W_U'^T).

It is the expectation of f . f' where all copies of the input are independent, which those of a model are not: a measure of weights.
"""

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.bilinear.ends import joined, require_same_ends
from symbolic_circuits.numeric.bilinear.layer import bilinear_layer
from symbolic_circuits.numeric.bilinear.model_similarity import require_polynomial
from symbolic_circuits.numeric.bilinear.similarity import Similarity
from symbolic_circuits.numeric.weights import Weights

__all__ = ["tower_weight_similarity"]


def tower_weight_similarity(a: Weights, b: Weights) -> Similarity:
    """The similarity of the tensors of two towers: bilinear layers in sequence without residual connections, equally many.

    Raises
    ------
    SpecError
        A model has attention, a residual connection or parallel layers, or the heights differ: their tensors have different orders.
    ShapeError
        Inputs or outputs differ in width.

    Examples
    --------
    >>> tower = Weights.random("bilinear(no residual)*6", seed=0)
    >>> round(tower_weight_similarity(tower, tower).cosine, 12)
    1.0
    """
    for weights in (a, b):
        require_polynomial(weights)
        if any(step.residual or len(step.blocks) > 1 for step in weights.model.steps):
            raise SpecError(
                f"{str(weights.model)!r} is no tower: every block must be a bilinear layer without residual connection"
            )
        biased = [f"bilinear.{index}" for index, spec in weights.model.numbered() if spec.biases]
        if biased or weights.model.output_bias:
            raise SpecError(
                f"{str(weights.model)!r} has biases ({', '.join([*biased, *(['b_U'] if weights.model.output_bias else [])])}), so that its terms have "
                "several orders and no one tensor: compare by model_similarity, or fold_biases first, whose inputs are (x, 1)"
            )
    if a.model.number_of_blocks != b.model.number_of_blocks:
        heights = f"{a.model.number_of_blocks} and {b.model.number_of_blocks}"
        raise SpecError(f"towers of one height are compared, whose tensors have one order; got {heights} layers")
    require_same_ends(a, b)
    return Similarity(*(inner(x, y) for x, y in ((a, b), (a, a), (b, b))), "tensors, all copies of the input independent")


def inner(a: Weights, b: Weights) -> float:
    """<T, T'>."""
    gram = joined(a, b, "W_E")
    gram = np.eye(a.size(a.model.d)) if gram is None else gram
    for index, _ in a.model.numbered():
        one, other = bilinear_layer(a, index), bilinear_layer(b, index)
        gram = one.W_out @ ((one.W_1 @ gram @ other.W_1.T) * (one.W_2 @ gram @ other.W_2.T)) @ other.W_out.T
    ends = joined(a, b, "W_U")
    return float(np.trace(gram) if ends is None else np.sum(ends * gram))
