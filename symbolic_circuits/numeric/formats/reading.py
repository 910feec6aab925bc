"""Stored arrays -> arrays of a model by the table of a format: every key used once or said to carry nothing, every shape checked by its key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from symbolic_circuits.axes import Size
from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric.formats.state import State
from symbolic_circuits.numeric.formats.weight_format import Place, WeightFormat, layers_of, numbered, places
from symbolic_circuits.numeric.weights import layout
from symbolic_circuits.spec import Transformer

__all__ = ["Reading", "listed", "read_arrays", "zero_keys"]

SHOWN = 6  # keys that a message lists


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What was read."""

    arrays: dict[str, np.ndarray]  # ours, by name; views of the stored ones where that is possible
    keys: dict[str, str]  # name -> key that it was read from
    repeated: dict[str, int]  # key -> how many heads share each stored one


def read_arrays(format: WeightFormat, model: Transformer, state: State, skip: Sequence[str] = ()) -> Reading:
    """The arrays of a model from a state, in the layout of ``Weights``.

    Parameters
    ----------
    skip : keys to leave out beside those that the format skips, with ``*`` for any text

    Raises
    ------
    WeightsError
        Keys are missing or not known, an array has another shape than the format says, copies differ, or zeros are not.
    """
    where = places(format, model)
    constants = {name: value for text, value in format.constants.items() for name, _ in numbered(text, model)}
    shapes = layout(model)
    require_keys(format, model, state, {name: where.get(name) for name in shapes if name not in constants}, skip)
    reading, bound = Reading({}, {}, {}), {}
    for name, shape in shapes.items():
        if name not in constants:
            reading.arrays[name] = read_one(name, shape, where[name], state, bound, reading)
    kind = np.result_type(np.float32, *(array.dtype for array in reading.arrays.values() if array.dtype.kind == "f"))
    reading.arrays.update({name: np.asarray(constants[name], dtype=kind) for name in shapes if name in constants})
    return reading


def read_one(
    name: str, shape: tuple[Size, ...], where: list[Place], state: State, bound: dict[str, int], reading: Reading
) -> np.ndarray:
    """One array of ours, checked against the sizes of the model and those found so far."""
    found = []
    for place in where:
        array, key, (k, of) = state.array(place.key), place.key, place.stored.part
        letters = place.stored.pattern.ours
        if len(letters) != len(shape):
            raise WeightsError(f"{name} has axes ({', '.join(map(str, shape))}), but its format says ({', '.join(letters)})")
        known = {letter: size for letter, size in zip(letters, shape, strict=True) if isinstance(size, int)}
        known |= {letter: bound[str(size)] for letter, size in zip(letters, shape, strict=True) if str(size) in bound}
        lengths, r = place.stored.pattern.lengths(array.shape, known, of, key)
        bound.update(
            {str(size): lengths[letter] for letter, size in zip(letters, shape, strict=True) if not isinstance(size, int)}
        )
        if r > 1:
            reading.repeated[key] = r
        rows = array if of == 1 else array[k * (len(array) // of) : (k + 1) * (len(array) // of)]
        found.append(place.stored.pattern.read(rows, lengths, r))
        if len(found) > 1 and not np.array_equal(found[0], found[-1]):
            raise WeightsError(f"{key} differs from {where[0].key}, but there is one {name} for all layers")
    reading.keys[name] = where[0].key
    return found[0]


def require_keys(
    format: WeightFormat, model: Transformer, state: State, where: Mapping[str, list[Place] | None], skip: Sequence[str]
) -> None:
    """Raise WeightsError for arrays without a place, keys that are missing, zeros that are not, and keys that nothing is read from."""
    homeless = [name for name, found in where.items() if found is None]
    if homeless:
        raise WeightsError(f"the format {format.name} says nothing of {listed(homeless)}, which {str(model)!r} has")
    used = dict.fromkeys(place.key for found in where.values() for place in found)
    missing = [key for key in used if key not in state]
    if missing:
        raise WeightsError(f"{state.where} lacks {listed(missing)}, which the format {format.name} has for {str(model)!r}")
    zeros = zero_keys(format, model)
    nonzero = [key for key in zeros if key in state and state.array(key).any()]
    if nonzero:
        raise WeightsError(f"{listed(nonzero)} should be zero in {state.where}: {str(model)!r} has no such array")
    known, patterns = {*used, *zeros}, (*format.skipped, *skip)
    extra = [key for key in state if key not in known and not any(fnmatchcase(key, pattern) for pattern in patterns)]
    if extra:
        raise WeightsError(
            f"{state.where} has {listed(extra)}, which the format {format.name} does not know for {str(model)!r}; "
            f"what carries nothing is left out by skip=({extra[0]!r},)"
        )


def zero_keys(format: WeightFormat, model: Transformer) -> dict[str, str]:
    """The keys that hold nothing but zeros, with their axes."""
    layers = range(layers_of(model))
    return {text.replace("{l}", str(layer)): axes for text, axes in format.zeros.items() for layer in layers}


def listed(names: Sequence[str]) -> str:
    """Some names in words.

    >>> listed(list("abcdefgh"))
    'a, b, c, d, e, f and 2 more'
    """
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
