"""Bilinear image models of Pearce, Dooms et al.: x = W_embed picture, then x <- (W_1 x) . (W_2 x) (or x + that), then W_head x.

Every matrix is a Linear layer of PyTorch, out x in. A picture is no sequence of tokens: the model reads residual inputs, one picture a
position, which :func:`image_input` computes; layers do not mix positions.

| key | shape | ours |
| --- | --- | --- |
| embed.weight | (d, d_in) | not an array of the model: it makes the input |
| blocks.{l}.weight, .bias | (2d, d), (2d,) | W_1, then W_2; b_1, then b_2 |
| head.weight | (d_out, d) | W_U |

Setting: ``residual`` (false unless set).
"""

import numpy as np

from symbolic_circuits.errors import TokensError, WeightsError
from symbolic_circuits.numeric.formats.planned import Arranged, Planned
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State, read_state
from symbolic_circuits.numeric.formats.weight_format import StoredArray, WeightFormat, layers_of
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Bilinear, Transformer

__all__ = ["FORMAT", "arrange", "image_input", "plan"]

FORMAT = "image"
EMBED, HEAD, BLOCK, BIAS = "embed.weight", "head.weight", "blocks.{l}.weight", "blocks.{l}.bias"
TABLE = (
    *(StoredArray(f"bilinear.{{mlp}}.W_{k + 1}", BLOCK, "m d -> m d", (k, 2)) for k in (0, 1)),
    *(StoredArray(f"bilinear.{{mlp}}.b_{k + 1}", BIAS, "m -> m", (k, 2)) for k in (0, 1)),
    StoredArray("W_U", HEAD, "V d -> V d"),
)


def plan(state: State, settings: Settings) -> Planned:
    """The model of a state, and where its arrays are."""
    d = state.shape(EMBED, "d d_in")[0]
    V = state.shape(HEAD, "d_out d")[0]
    biases = ("b_1", "b_2") if BIAS.format(l=0) in state else ()
    block = Bilinear(output=False, residual=settings.flag("residual", default=False), biases=biases)
    model = Transformer((block,) * state.layers("blocks."), d=d, V=V, embedding=False)
    return Planned(model, WeightFormat(FORMAT, TABLE, skipped=(EMBED,)), state)


def arrange(weights: Weights, settings: Settings) -> Arranged:
    """How weights are stored in this format; the array ``embed.weight`` is the user's to add."""
    layers = [spec for _, spec in weights.model.numbered() if isinstance(spec, Bilinear)]
    config = {"n_layer": layers_of(weights.model), "residual": any(spec.residual for spec in layers)}
    return Arranged(WeightFormat(FORMAT, TABLE), weights.arrays, config)


def image_input(source: object, pictures: object) -> np.ndarray:
    """The residual input (n, d) that an image model makes of n pictures: x W_embed^T.

    Parameters
    ----------
    source : what ``load_weights`` takes
    pictures : (n, ...), of d_in numbers each

    Raises
    ------
    WeightsError
        There is no ``embed.weight``.
    TokensError
        Pictures have another number of numbers.

    Examples
    --------
    >>> image_input({"embed.weight": np.array([[1.0, 2.0], [0.0, 1.0]])}, [[1.0, 1.0]])
    array([[3., 1.]])
    """
    state = read_state(source)
    d_in = state.shape(EMBED, "d d_in")[1]
    flat = np.asarray(pictures)
    flat = flat.reshape(len(flat), -1) if flat.ndim > 1 else flat
    if flat.ndim != 2 or flat.shape[1] != d_in:
        raise TokensError(
            f"pictures have shape (n, ...) with {d_in} numbers each, the columns of {EMBED}; got shape {np.shape(pictures)}"
        )
    W_embed = state.array(EMBED)
    if not np.isfinite(W_embed).all():
        raise WeightsError(f"{EMBED} has entries that are NaN or infinite")
    return flat @ W_embed.T
