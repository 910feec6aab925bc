"""Rotary positions of TransformerLens: ``rotary_dim`` coordinates turn, in halves or as neighbours; tables of sines are checked, not read."""

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.rotary import coordinate_order, frequencies, rotary_base
from symbolic_circuits.numeric.formats.settings import Settings
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.weights import Weights

__all__ = ["paired", "unpaired"]

TURNED = ("W_Q", "b_Q", "W_K", "b_K", "_W_K", "_b_K")
TABLE = "blocks.0.attn.rotary_sin"
TOLERANCE = 1e-4  # of sines in single precision
TOLERANCE_HALF = 1e-2
BASE = 10000


def paired(state: State, settings: Settings, layers: int) -> tuple[State, np.ndarray]:
    """The state with the coordinates of queries and keys in our order, and the frequencies (rotary_dim/2,).

    Raises
    ------
    WeightsError
        The settings contradict the table of sines, or e and rotary_dim do not go together.
    """
    e = state.shape("blocks.0.attn.W_Q", "H d e")[2]
    r = settings.count("rotary_dim", default=state.shape(TABLE, "n r")[1] if TABLE in state else e)
    if r > e:
        raise WeightsError(f"rotary_dim={r} coordinates turn, but a head has e = {e}")
    found = frequencies(r, settings.number("rotary_base", BASE))
    is_adjacent = settings.flag("rotary_adjacent_pairs", default=TABLE in state and has_neighbours(state.array(TABLE)))
    require_table(state, found, is_adjacent)
    if not is_adjacent:
        return state, found
    order = coordinate_order(e, r)
    keys = [f"blocks.{layer}.attn.{name}" for layer in range(layers) for name in TURNED]
    return state.with_arrays({key: turned(state.array(key), order, key) for key in keys if key in state}), found


def turned(array: np.ndarray, order: np.ndarray, key: str) -> np.ndarray:
    """An array with its last axis in another order."""
    if array.shape[-1:] != order.shape:
        raise WeightsError(f"the last axis of {key} has e = {len(order)} entries; got shape {array.shape}")
    return array[..., order]


def has_neighbours(table: np.ndarray) -> bool:
    """Whether neighbours have one frequency, and others do not."""
    return len(table) > 1 and table.shape[1] > 2 and bool(table[1, 0] == table[1, 1])


def require_table(state: State, found: np.ndarray, is_adjacent: bool) -> None:
    """Raise WeightsError where the sines at position 1 are of other frequencies."""
    if TABLE not in state or len(state.array(TABLE)) < 2:
        return
    table = state.array(TABLE)[1]
    expected = np.sin(np.repeat(found, 2) if is_adjacent else np.tile(found, 2))
    tolerance = TOLERANCE_HALF if state.halves([TABLE]) else TOLERANCE
    if table.shape != expected.shape or not np.allclose(table, expected, rtol=0, atol=tolerance):
        raise WeightsError(
            f"{TABLE} is not the table of the rotary settings: give config={{'rotary_base': ..., 'rotary_dim': ..., 'rotary_adjacent_pairs': ...}} "
            f"as in the model (base {BASE} and no adjacent pairs unless set)"
        )


def unpaired(weights: Weights, settings: Settings) -> tuple[dict[str, np.ndarray], dict[str, object]]:
    """The arrays of weights with the coordinates of queries and keys in the stored order, and the rotary settings."""
    arrays, found = dict(weights.arrays), weights.arrays["rotary.inv_freq"]
    is_adjacent = settings.flag("rotary_adjacent_pairs", default=False)
    if is_adjacent:
        for name, array in weights.arrays.items():
            if name.endswith((".W_Q", ".W_K", ".b_Q", ".b_K")):
                arrays[name] = array[:, np.argsort(coordinate_order(array.shape[1], 2 * len(found)))]
    return arrays, {"rotary_dim": 2 * len(found), "rotary_base": rotary_base(found), "rotary_adjacent_pairs": is_adjacent}
