r"""A basis of the residual stream: $x \to M x$ with all that reads it or writes it, as far as norms and layers without output matrix let it pass.

| model | M that leave it the same |
| --- | --- |
| without norms | any invertible |
| RMSNorm without gains | orthogonal: $\|M x\| = \|x\|$ |
| LayerNorm without gains | orthogonal that fix $\mathbf{1}$, the direction that is taken away |
| gains, or a layer without output matrix | permutations |

Gains that fold into what reads them (``fold_norms``) are no obstacle once they are folded.
"""

from collections.abc import Iterator

import numpy as np

from symbolic_circuits.numeric.bilinear.changes import Arrays, Change, derangement, random_invertible
from symbolic_circuits.numeric.weights import Weights, norms_of
from symbolic_circuits.spec import Bilinear, Transformer

__all__ = ["of_stream", "stream_width"]


def of_stream(weights: Weights, generator: np.random.Generator) -> Iterator[Change]:
    """A basis of the residual stream, with everything that reads or writes it; only a permutation where a layer has no output matrix."""
    model, d = weights.model, stream_width(weights)
    if d is None or d < 2:
        return
    M, pi = random_invertible(d, generator), derangement(d, generator)
    ends = "" if model.embedding and model.unembedding else " and the input or output in its coordinates"
    obstacles = obstacles_of(model)
    words = f", all that reads or writes the stream{ends}{'; ' if obstacles else ''}{'; '.join(obstacles)}"
    normed = bool(norms_of(model))
    yield Change(
        "stream", f"an invertible change of basis{words}", not obstacles and not normed, lambda w: rebased(weights, w, M), M
    )
    P = np.eye(d)[pi]
    yield Change("stream", f"a permutation of its coordinates{ends}", True, lambda w: rebased(weights, w, P), P)
    reads = "W_U" if model.unembedding else next((name for name in weights.arrays if name[-3:] in ("W_1", "W_V")), None)
    if reads is not None and weights.arrays[reads].any():
        inverse = np.linalg.inv(M)
        yield Change("stream", f"{reads} -> {reads} M^-1 alone", False, lambda w: {reads: w[reads] @ inverse})
    if normed:
        yield from of_rotations(weights, d, words, not obstacles, generator)


def obstacles_of(model: Transformer) -> list[str]:
    """What only a permutation passes, in words."""
    bare = [f"bilinear.{k}" for k, spec in model.numbered() if isinstance(spec, Bilinear) and not spec.output]
    found = [f"{', '.join(bare)} has no output matrix"] if bare else []
    return found + (["norms have gains"] if model.gains and norms_of(model) else [])


def of_rotations(weights: Weights, d: int, words: str, free: bool, generator: np.random.Generator) -> Iterator[Change]:
    """Orthogonal changes of basis in a model with norms: any, and those that fix the direction of the mean."""
    Q, _ = np.linalg.qr(generator.standard_normal((d, d)))
    layer = weights.model.norm == "layer"
    if d > 2 or not layer:  # two coordinates less their mean have one direction
        yield Change("stream", f"an orthogonal change of basis{words}", free and not layer, lambda w: rebased(weights, w, Q), Q)
    if layer:
        U, _ = np.linalg.qr(np.column_stack([np.ones(d), generator.standard_normal((d, d - 1))]))
        turn, _ = np.linalg.qr(generator.standard_normal((d - 1, d - 1)))
        fixing = U[:, :1] @ U[:, :1].T + U[:, 1:] @ turn @ U[:, 1:].T
        words = f"an orthogonal change of basis that fixes the direction of the mean{words}"
        if d > 2 or free:
            yield Change("stream", words, free, lambda w: rebased(weights, w, fixing), fixing)


def stream_width(weights: Weights) -> int | None:
    """d, where the weights say it."""
    d = weights.model.d
    return d if isinstance(d, int) else weights.sizes.get(d)


def rebased(weights: Weights, arrays: Arrays, M: np.ndarray) -> Arrays:
    """All arrays in the basis in which the stream is M x; a layer without output matrix writes what its two maps write."""
    inverse, found = np.linalg.inv(M), {}
    bare = [k for k, spec in weights.model.numbered() if isinstance(spec, Bilinear) and not spec.output]
    for name, array in arrays.items():
        letter, inside = name.rsplit(".", 1)[-1], name.startswith("bilinear.") and int(name.split(".")[1]) in bare
        if letter in ("W_E", "W_O", "W_out", "b_O", "b_out") or (name.startswith("norm.") and letter in ("w", "b")):
            found[name] = M @ array
        elif letter == "W_pos":
            found[name] = array @ M.T
        elif letter.startswith("W_"):
            found[name] = M @ array @ inverse if inside else array @ inverse
        elif inside:
            found[name] = M @ array
    return found
