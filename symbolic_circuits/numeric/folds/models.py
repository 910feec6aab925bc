"""A model with some of its blocks replaced."""

from collections.abc import Mapping
from dataclasses import replace

from symbolic_circuits.spec import Block, Parallel, Transformer

__all__ = ["with_blocks"]


def with_blocks(model: Transformer, blocks: Mapping[int, Block], **fields: object) -> Transformer:
    """The model with the numbered blocks replaced, and fields of its own.

    >>> from symbolic_circuits.spec import Bilinear
    >>> str(with_blocks(Transformer.parse("attn(2) bilinear"), {1: Bilinear(tied=True)}))
    'attn(2) bilinear(tied)'
    """
    items, index = [], 0
    for item in model.blocks:
        leaves = item.blocks if isinstance(item, Parallel) else (item,)
        changed = tuple(blocks.get(index + k, leaf) for k, leaf in enumerate(leaves))
        items.append(replace(item, blocks=changed) if isinstance(item, Parallel) else changed[0])
        index += len(leaves)
    return replace(model, blocks=tuple(items), **fields)
