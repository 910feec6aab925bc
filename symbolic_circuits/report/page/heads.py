"""A model with other numbers of heads: few, where a picture shows one for all, or many, so that any number names a head."""

from collections.abc import Callable
from dataclasses import replace

from symbolic_circuits.axes import Size
from symbolic_circuits.spec import Attention, Bilinear, Parallel, Transformer

__all__ = ["with_heads"]


def with_heads(model: Transformer, count: Callable[[Attention], Size]) -> Transformer:
    """The model with so many heads in each attention block.

    >>> str(with_heads(Transformer.parse("attn(12) bilinear attn(2)|bilinear"), lambda spec: 1))
    'attn(1) bilinear attn(1)|bilinear'
    """

    def changed(item: Attention | Bilinear | Parallel) -> Attention | Bilinear | Parallel:
        if isinstance(item, Parallel):
            return replace(item, blocks=tuple(map(changed, item.blocks)))
        return replace(item, heads=count(item)) if isinstance(item, Attention) else item

    return replace(model, blocks=tuple(map(changed, model.blocks)))
