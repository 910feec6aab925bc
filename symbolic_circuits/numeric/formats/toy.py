"""A bilinear layer alone, as the toy models of Pearce, Dooms et al. have it: x -> W_head((W_left x) . (W_right x)).

Matrices are Linear layers of PyTorch, out x in. A model here has one width d, so that d = max(d_in, d_out): inputs of fewer coordinates, and
outputs, are padded with zeros. Inputs are residual inputs (n, d).

| key | shape | ours |
| --- | --- | --- |
| left.weight, right.weight | (m, d_in) | W_1, W_2 |
| head.weight | (d_out, m) | W_out |
| left.bias, right.bias, head.bias | (m,), (m,), (d_out,) | b_1, b_2, b_out |
"""

from collections.abc import Mapping

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.planned import Arranged, Planned
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.formats.weight_format import StoredArray, WeightFormat
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Bilinear, Transformer

__all__ = ["FORMAT", "arrange", "plan"]

FORMAT = "toy"
TABLE = (
    StoredArray("bilinear.{mlp}.W_1", "left.weight", "m d -> m d"),
    StoredArray("bilinear.{mlp}.W_2", "right.weight", "m d -> m d"),
    StoredArray("bilinear.{mlp}.W_out", "head.weight", "d m -> d m"),
    StoredArray("bilinear.{mlp}.b_1", "left.bias", "m -> m"),
    StoredArray("bilinear.{mlp}.b_2", "right.bias", "m -> m"),
    StoredArray("bilinear.{mlp}.b_out", "head.bias", "d -> d"),
)
PADDED = {"left.weight": 1, "right.weight": 1, "head.weight": 0, "head.bias": 0}  # key -> the axis of length d


def plan(state: State, settings: Settings) -> Planned:
    """The model of a state, and where its arrays are once they are padded."""
    m, d_in = state.shape("left.weight", "m d_in")
    d_out = state.shape("head.weight", "d_out m")[0]
    if "right.weight" in state and state.shape("right.weight", "m d_in") != (m, d_in):
        raise WeightsError(
            f"left.weight has shape {(m, d_in)}, but right.weight has shape {state.shape('right.weight', 'm d_in')}"
        )
    d, names = max(d_in, d_out), {"b_1": "left.bias", "b_2": "right.bias", "b_out": "head.bias"}
    block = Bilinear(m, residual=False, biases=tuple(name for name, key in names.items() if key in state))
    new = {key: padded(state.array(key), axis, d) for key, axis in PADDED.items() if key in state and d_in != d_out}
    model = Transformer((block,), d=d, embedding=False, unembedding=False)
    return Planned(model, WeightFormat(FORMAT, TABLE), state.with_arrays(new))


def padded(array: np.ndarray, axis: int, length: int) -> np.ndarray:
    """An array with zeros after its entries along an axis."""
    return np.pad(array, [(0, length - array.shape[k] if k == axis else 0) for k in range(array.ndim)])


def arrange(weights: Weights, settings: Settings) -> Arranged:
    """How weights are stored in this format, of ``n_inputs`` and ``n_outputs`` coordinates where fewer than d are set.

    Raises
    ------
    WeightsError
        What is left out is not zero.
    """
    d = weights.size(weights.model.d)
    kept = {"n_inputs": settings.count("n_inputs", default=d), "n_outputs": settings.count("n_outputs", default=d)}
    sides = {"W_1": (1, "n_inputs"), "W_2": (1, "n_inputs"), "W_out": (0, "n_outputs"), "b_out": (0, "n_outputs")}
    arrays = {name: cut(name, array, sides, kept) for name, array in weights.arrays.items()}
    return Arranged(WeightFormat(FORMAT, TABLE), arrays, kept)


def cut(name: str, array: np.ndarray, sides: Mapping[str, tuple[int, str]], kept: Mapping[str, int]) -> np.ndarray:
    """The first entries of an array along its axis of length d."""
    letter = name.rpartition(".")[2]
    if letter not in sides:
        return array
    axis, setting = sides[letter]
    first, rest = np.split(array, [kept[setting]], axis)
    if rest.any():
        raise WeightsError(f"{name} is not zero beyond {setting}={kept[setting]}")
    return first
