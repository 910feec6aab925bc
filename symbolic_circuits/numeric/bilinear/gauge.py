r"""Changes of weights that leave a model the same function, and some that look as if they did: each with the law that it rests on.

| letter | meaning | shape |
| --- | --- | --- |
| M | a random invertible matrix, an orthogonal one times scales between 1/2 and 2 | of the wire that it is on |
| alpha, beta | random scales of hidden units, of both signs | m |
| pi | a random permutation, not the identity | m, H or d |

A change is a function of arrays; on the residual stream M also acts on inputs and outputs that are in its coordinates. Biases go with
the matrices that they stand beside.
"""

from collections.abc import Iterator

import numpy as np

from symbolic_circuits.numeric.bilinear.changes import Change, derangement, random_invertible
from symbolic_circuits.numeric.bilinear.gauge_attention import of_attention
from symbolic_circuits.numeric.bilinear.gauge_layers import of_layer
from symbolic_circuits.numeric.bilinear.gauge_norms import of_norms
from symbolic_circuits.numeric.bilinear.gauge_stream import of_stream, stream_width
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Attention

__all__ = ["Change", "all_changes", "derangement", "random_invertible", "stream_width"]


def all_changes(weights: Weights, seed: int) -> Iterator[Change]:
    """Every change of a model, block by block, then of the residual stream and of norms; the same for the same seed."""
    generator = np.random.default_rng(seed)
    for index, spec in weights.model.numbered():
        changes = of_attention if isinstance(spec, Attention) else of_layer
        yield from changes(weights, index, spec, generator)
    yield from of_stream(weights, generator)
    yield from of_norms(weights, generator)
