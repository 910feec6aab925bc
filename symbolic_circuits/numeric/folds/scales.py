r"""Output scales inside the matrices that write: $s\,(\sum_h A^h X W_V^{hT} W_O^{hT} + b_O) = \sum_h A^h X W_V^{hT} (s W_O^h)^T + s\, b_O$."""

from dataclasses import replace

from symbolic_circuits.numeric.folds.models import with_blocks
from symbolic_circuits.numeric.readers import scaled_output
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention

__all__ = ["fold_scales"]


def fold_scales(weights: Weights) -> Weights:
    """The same model without output scales of attention: W_O and b_O are multiplied by them.

    Examples
    --------
    >>> fold_scales(Weights.random("attn(2, b_O, output_scale)", seed=0)).model
    Transformer.parse('attn(2, b_O)')
    """
    model, arrays = weights.model, dict(weights.arrays)
    scaled = {k: spec for k, spec in model.numbered() if isinstance(spec, Attention) and spec.output_scale}
    for index in scaled:
        arrays[f"attn.{index}.W_O"] = scaled_output(weights, index)
        scale = arrays.pop(f"attn.{index}.scale")
        if f"attn.{index}.b_O" in arrays:
            arrays[f"attn.{index}.b_O"] = arrays[f"attn.{index}.b_O"] * scale
    return Weights(with_blocks(model, {k: replace(spec, output_scale=False) for k, spec in scaled.items()}), arrays)
