r"""Norms without weights of their own: $W(r\, w \odot C x + b) + b_W = r\, (W \operatorname{diag}(w))\, C x + (W b + b_W)$, whatever reads it.

| letter | meaning | shape |
| --- | --- | --- |
| w, b, r | gains, biases, and the scale of a position | d, d, 1 |
| C | $I - \mathbf{1} \mathbf{1}^T / d$ of LayerNorm, I of RMSNorm | d x d |
| W, b_W | a linear map that reads the norm, and its bias | ... x d |

Exact for queries, keys, values, both sides of a layer with or without gate, and the output, since each is linear up to there. With the
gate of a layer the biases stand inside, $\phi(W_1 \cdot + b_1) \odot (W_2 \cdot + b_2)$, where one layer has them after the product only
(as ``b_in`` of TransformerLens) a norm with biases b has nowhere to go: such a format cannot write the folded model, this one can.

Where everything that writes into the stream has its mean taken away (C W_E, C W_O, C W_out, C b), $C x = x$, so that LayerNorm without weights is
RMSNorm.
"""

from dataclasses import replace

import numpy as np

from symbolic_circuits.errors import SpecError
from symbolic_circuits.numeric.folds.models import with_blocks
from symbolic_circuits.numeric.readers import bias_name
from symbolic_circuits.numeric.weights import Weights, norms_of
from symbolic_circuits.spec import Attention, Bilinear, Block, Transformer

__all__ = ["centre_writers", "fold_norms"]


def fold_norms(weights: Weights, *, centre: bool = False) -> Weights:
    """The same function, its norms without gains and biases: both go into what reads them. A model without gains is returned as it is.

    Parameters
    ----------
    centre : whether LayerNorm is made RMSNorm as well, by taking their means from W_E, W_pos, W_O, W_out, b_O and b_out

    Raises
    ------
    SpecError
        A gain has no reader to go into: the output of a model without unembedding, a stream that is kept after a norm (post_norm); or W_pos of
        a "shortformer" is added behind gains that differ. With ``centre``: norms are not LayerNorm, the input or the output shows its mean.

    Examples
    --------
    >>> weights = Weights.random("[layer_norm, gains] attn(2) bilinear", d=8, V=5, seed=0)
    >>> fold_norms(weights, centre=True).model
    Transformer.parse('[rms_norm, b_U] attn(2, b_Q, b_K, b_V) bilinear(b_1, b_2)')
    """
    found = without_gains(weights) if weights.model.gains else weights
    return centre_writers(found) if centre else found


def without_gains(weights: Weights) -> Weights:
    """Gains and biases of every norm in what reads it."""
    model, arrays = weights.model, dict(weights.arrays)
    require_readers(model)
    arrays |= shared_positions(weights)
    for number, names in readers_of(model).items():
        w, b = arrays.pop(f"norm.{number}.w"), arrays.pop(f"norm.{number}.b", None)
        for name in names:
            W = arrays[name]
            arrays[name] = W * w
            if b is not None:
                arrays[bias_name(name)] = W @ b + arrays.get(bias_name(name), 0)
    blocks = {index: with_reading_biases(spec) for index, spec in model.numbered()} if model.norm == "layer" else {}
    fields = (
        {"output_bias": True} if model.norm == "layer" and any("W_U" in names for names in readers_of(model).values()) else {}
    )
    return Weights(with_blocks(model, blocks, gains=False, **fields), filled(arrays, blocks, model))


def filled(arrays: dict[str, np.ndarray], blocks: dict[int, Block], model: Transformer) -> dict[str, np.ndarray]:
    """With zeros for the biases of blocks that read no norm, as the first does where norms come after."""
    for index, spec in blocks.items():
        for name in reading_names(index, spec):
            arrays.setdefault(bias_name(name), np.zeros(arrays[name].shape[:-1], dtype=arrays[name].dtype))
    return arrays


def with_reading_biases(spec: Block) -> Block:
    """The block with biases wherever it reads."""
    if isinstance(spec, Attention):
        return replace(spec, biases=("b_Q", "b_K", "b_V", *spec.biases))
    return replace(spec, biases=("b_1", *(() if spec.tied else ("b_2",)), *spec.biases))


def reading_names(index: int, spec: Block) -> list[str]:
    """The arrays of a block that read the stream."""
    if isinstance(spec, Bilinear):
        return [f"bilinear.{index}.W_{k}" for k in (("1",) if spec.tied else ("1", "2"))]
    letters = ("Q1", "K1", "Q2", "K2", "V") if spec.scores == "bilinear" else ("Q", "K", "V")
    return [f"attn.{index}.W_{letter}" for letter in letters]


def readers_of(model: Transformer) -> dict[int, list[str]]:
    """Norm -> the arrays that read it."""
    names = {index: reading_names(index, spec) for index, spec in model.numbered()}
    if not model.post_norm:
        return {number: names.get(number, ["W_U"]) for number in norms_of(model)}
    found, steps = {}, model.steps
    for k, number in enumerate(norms_of(model)):
        later = steps[k + 1].blocks if k + 1 < len(steps) else ()
        found[number] = [name for index, _ in later for name in names[index]] or ["W_U"]
    return found


def require_readers(model: Transformer) -> None:
    """Raise SpecError where a gain reaches something that is no linear map."""
    if (model.post_norm or model.has_final_norm) and not model.unembedding:
        raise SpecError(
            f"{str(model)!r} has no unembedding: its output is the last norm itself, so that gains of that one have nothing to go into; "
            "give the model an unembedding, or norms without gains"
        )
    if model.post_norm:
        kept = [step.blocks[0].index for step in model.steps[1:] if step.residual]
        if kept:
            raise SpecError(
                f"{str(model)!r} keeps the stream behind norms with gains (at block {kept[0]}), and a gain does not pass a sum and the next norm: "
                "with post_norm gains fold only where every later step drops the residual; freeze(weights, tokens) holds scales and keeps gains"
            )


def shared_positions(weights: Weights) -> dict[str, np.ndarray]:
    """W_pos of a shortformer over the gains before it, which must then be those of all attention blocks."""
    model = weights.model
    if model.positions != "shortformer":
        return {}
    before = {name: weights.arrays[f"norm.{number}.w"] for number, names in readers_of(model).items() for name in names}
    ones = np.ones_like(weights.arrays["W_pos"][0])
    gains = [before.get(f"attn.{index}.W_V", ones) for index, spec in model.numbered() if isinstance(spec, Attention)]
    if not gains:
        return {}
    if any(not np.array_equal(w, gains[0]) for w in gains) or not gains[0].all():
        raise SpecError(
            f"{str(model)!r} adds W_pos behind the gains, to what queries and keys read: folded gains would stretch it, by w of each block; "
            "that folds only where all attention blocks have one w without zeros"
        )
    return {"W_pos": weights.arrays["W_pos"] / gains[0]}


def centre_writers(weights: Weights) -> Weights:
    """LayerNorm without gains as RMSNorm, where everything that writes the stream has its mean taken away.

    Raises
    ------
    SpecError
        See :func:`fold_norms`.
    """
    model, arrays = weights.model, dict(weights.arrays)
    require_centring(model)
    bare = {index: spec for index, spec in model.numbered() if isinstance(spec, Bilinear) and not spec.output}
    d = weights.size(model.d)
    for index in bare:
        arrays[f"bilinear.{index}.W_out"] = np.eye(d, dtype=arrays[f"bilinear.{index}.W_1"].dtype)
    for name, array in arrays.items():
        letter = name.rpartition(".")[2]
        if letter in ("W_E", "W_O", "W_out"):
            arrays[name] = array - array.mean(-2, keepdims=True)
        elif letter in ("b_O", "b_out") or (letter == "W_pos" and model.positions == "learned"):
            arrays[name] = array - array.mean(-1, keepdims=True)
    blocks = {index: replace(spec, output=True, m=model.d) for index, spec in bare.items()}
    return Weights(with_blocks(model, blocks, norm="rms"), arrays)


def require_centring(model: Transformer) -> None:
    """Raise SpecError where something sees the mean of the stream."""
    if model.norm != "layer":
        raise SpecError(
            f"{str(model)!r} has no LayerNorm (norm='layer'), so that there are no means to take away: give centre=False"
        )
    if model.gains:
        raise SpecError(f"gains of {str(model)!r} come after the mean is taken away: fold them first, by fold_norms")
    if not model.embedding:
        raise SpecError(f"{str(model)!r} has no embedding: its input comes with its mean, which no weights can take away")
    if model.post_norm:
        raise SpecError(
            f"the first blocks of {str(model)!r} (post_norm) read the embedding without a norm, and with it the mean: centring would change them"
        )
    if not model.has_final_norm:
        raise SpecError(
            f"the output of {str(model)!r} reads the last stream without a norm, and with it the mean: centring would change it"
        )
