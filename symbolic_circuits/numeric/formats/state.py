"""Named arrays as they come: a safetensors or npz file, a state dict, or a PyTorch module; each is converted when it is asked for.

Half precision is read as float32, which holds it exactly. Nothing is unpickled.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from array_api_compat import is_torch_array

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric import files
from symbolic_circuits.numeric.array_library import named_array
from symbolic_circuits.numeric.formats.safetensors_view import bfloat16_to_float32, view_safetensors

__all__ = ["State", "read_state"]

PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl", ".pickle")
WRAPPERS = ("module.", "_orig_mod.")  # what DistributedDataParallel and torch.compile put before every key
HALVES = ("float16", "bfloat16")
BFLOAT16 = "bfloat16"


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Arrays by key.

    >>> state = State({"h.0.w": np.ones((2, 3)), "h.1.w": np.ones((2, 3))})
    >>> state.shape("h.0.w", "m d"), state.layers("h.")
    ((2, 3), 2)
    """

    arrays: Mapping[str, object]  # NumPy arrays or tensors
    where: str = "the state dict"
    path: Path | None = None
    is_ours: bool = False  # whether the file is one that Weights.save wrote
    settings: Mapping[str, object] = field(default_factory=dict)  # that a module carries
    bfloat16: frozenset[str] = field(default=frozenset())  # keys of arrays of 16 bits that are halves of a float32

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def array(self, key: str) -> np.ndarray:
        """The array of a key, half precision as float32.

        Raises
        ------
        WeightsError
            There is none, or it holds no real numbers.
        """
        if key not in self.arrays:
            raise WeightsError(f"{self.where} has no {key}")
        if key in self.bfloat16:
            return bfloat16_to_float32(self.arrays[key])
        array = named_array(key, self.arrays[key])
        if array.dtype.kind not in "fiub":
            raise WeightsError(f"{key} must hold real numbers; got dtype {array.dtype}")
        return array.astype(np.float32) if array.dtype == np.float16 else array

    def type_of(self, key: str) -> str:
        """The name of the type that an array is stored in."""
        if key in self.bfloat16:
            return BFLOAT16
        return str(getattr(self.arrays[key], "dtype", "")).removeprefix("torch.")

    def shape(self, key: str, axes: str) -> tuple[int, ...]:
        """The shape of an array with the axes that are named, ``"V d"``; WeightsError for another number of axes, or an empty one."""
        if key not in self.arrays:
            raise WeightsError(f"{self.where} has no {key}")
        found = tuple(self.arrays[key].shape)
        if len(found) != len(axes.split()) or 0 in found:
            raise WeightsError(f"{key} must have shape ({', '.join(axes.split())}); got shape {found}")
        return found

    def layers(self, prefix: str) -> int:
        """The number of layers with keys ``prefix{l}.``; WeightsError where one in between has none."""
        numbers = {int(found[1]) for key in self.arrays if (found := re.match(rf"{re.escape(prefix)}(\d{{1,6}})\.", key))}
        missing = sorted(set(range(max(numbers, default=-1) + 1)) - numbers)
        if missing:
            have = ", ".join(map(str, sorted(numbers)))
            raise WeightsError(
                f"{self.where} has layers {have} ({prefix}{{l}}); layer {', '.join(map(str, missing[:5]))} is missing"
            )
        return len(numbers)

    def with_arrays(self, new: Mapping[str, np.ndarray], without: Iterable[str] = ()) -> "State":
        """The same with other arrays."""
        left_out = set(without)
        arrays = {key: array for key, array in self.arrays.items() if key not in left_out} | dict(new)
        return replace(self, arrays=arrays, bfloat16=self.bfloat16 - set(new))

    def halves(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that hold half precision."""
        return [key for key in keys if key in self.arrays and self.type_of(key) in HALVES]


def read_state(source: object) -> State:
    """The arrays of a file, a mapping of names to arrays or tensors, or a module with ``state_dict()``.

    Parameters
    ----------
    source : path of a ``.safetensors`` or ``.npz`` file (or the text of one); a mapping; a module

    Raises
    ------
    WeightsError
        The file is a pickle or cannot be read, or the source is none of these.
    """
    if isinstance(source, str | Path):
        return unwrapped(read_file(Path(source)))
    if isinstance(source, Mapping):
        return unwrapped(State(named_arrays(source)))
    if callable(getattr(source, "state_dict", None)):
        where = f"the state dict of {type(source).__name__}"
        return unwrapped(State(named_arrays(source.state_dict()), where, settings=carried_settings(source)))
    raise WeightsError(
        f"weights come from a .safetensors or .npz file, a mapping of names to arrays, or a module; got {type(source).__name__}"
    )


def read_file(path: Path) -> State:
    """The arrays of a file, those of a safetensors file in place."""
    if path.suffix in PICKLES:
        raise WeightsError(
            f"{path.name} may hold a pickle, which can run any code and is never read here; where you trust it, convert it once: "
            f'safetensors.torch.save_file(torch.load({path.name!r}, weights_only=True), "{path.stem}.safetensors")'
        )
    if path.suffix != ".safetensors":
        text, arrays = files.read(path)
        return State(arrays, path.name, path, text is not None)
    view = view_safetensors(path)
    is_ours = view.labels.get("format", "").startswith(files.FORMAT.split()[0])  # others have labels too, such as "pt"
    return State(view.arrays, path.name, path, is_ours, bfloat16=view.bfloat16)


def carried_settings(module: object) -> dict[str, object]:
    """The configuration that a module carries as ``cfg`` or ``config``: a mapping, or something with ``to_dict()``."""
    for found in (getattr(module, name, None) for name in ("cfg", "config")):
        found = found.to_dict() if callable(getattr(found, "to_dict", None)) else found
        if isinstance(found, Mapping):
            return {name: value for name, value in found.items() if isinstance(name, str)}
    return {}


def named_arrays(source: Mapping) -> dict[str, object]:
    """A mapping with names for keys and arrays for values, lists made arrays."""
    bad = [key for key in source if not isinstance(key, str)]
    if bad:
        raise WeightsError(f"arrays have names; got {bad[0]!r} of type {type(bad[0]).__name__}")
    return {key: value if is_torch_array(value) else named_array(key, value) for key, value in source.items()}


def unwrapped(state: State) -> State:
    """The state without what a wrapper put before every key."""
    for prefix in WRAPPERS:
        if state.arrays and all(key.startswith(prefix) for key in state.arrays):
            arrays = {key.removeprefix(prefix): array for key, array in state.arrays.items()}
            return unwrapped(replace(state, arrays=arrays, bfloat16=frozenset(k.removeprefix(prefix) for k in state.bfloat16)))
    return state
