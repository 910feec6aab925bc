"""Which models are those of the note: attention with patterns held fixed and bilinear layers, without biases, norms and positions."""

from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.spec import Attention

__all__ = ["is_plain", "is_polynomial"]


def is_plain(expansion: PathExpansion) -> bool:
    """Whether a model has none of what trained ones have beside heads and bilinear layers, and its output is derived.

    >>> from symbolic_circuits.expansion.expansion import path_expansion
    >>> is_plain(path_expansion("attn(2) bilinear")), is_plain(path_expansion("attn(2, b_O)"))
    (True, False)
    """
    model = expansion.model
    said = model.norm or model.output_bias or model.positions == "learned" or expansion.grammar.root is not None
    return not said and not any(is_more(spec) for _, spec in model.numbered())


def is_more(spec: object) -> bool:
    """Whether a block has biases, a scale, gates, or patterns that are expanded."""
    if isinstance(spec, Attention):
        return bool(spec.biases) or spec.output_scale or spec.is_polynomial
    return bool(spec.biases) or spec.gate is not None


def is_polynomial(expansion: PathExpansion) -> bool:
    """Whether there are heads whose patterns are expanded."""
    return any(isinstance(spec, Attention) and spec.is_polynomial for _, spec in expansion.model.numbered())
