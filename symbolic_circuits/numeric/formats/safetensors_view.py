"""The arrays of a safetensors file where they lie: views of the mapped file, copied by nobody until they are used.

The file is 8 bytes (the length of the header, little-endian), the header (JSON: key -> dtype, shape, offsets), and the arrays. The library
``safetensors`` checks that the header and the offsets are consistent. NumPy has no bfloat16: its 16 bits are the upper half of a
float32, so that reading it as such is exact.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from symbolic_circuits.errors import WeightsError
from symbolic_circuits.numeric import files
from symbolic_circuits.numeric.files import import_safetensors, read_header

__all__ = ["SafetensorsView", "bfloat16_to_float32", "view_safetensors"]

TYPES = files.TYPES | {"BF16": "<u2"}


class SafetensorsView(NamedTuple):
    """What a file holds."""

    arrays: dict[str, np.ndarray]  # read-only views
    labels: dict[str, str]  # the texts that the header carries
    bfloat16: frozenset[str]  # keys of arrays that are given by their bits, as 16-bit integers


def view_safetensors(path: Path) -> SafetensorsView:
    """The arrays of a file as read-only views of it.

    Raises
    ------
    WeightsError
        There is no such file, it is truncated or of another format, or has a type that NumPy lacks (of 8 bits or fewer).
    MissingExtraError
        The library ``safetensors`` is not installed.
    """
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    safetensors = import_safetensors()
    try:
        with safetensors.safe_open(path, framework="np") as stored:
            labels = dict(stored.metadata() or {})
        header, start = read_header(path)
        whole = np.memmap(path, dtype=np.uint8, mode="r") if path.stat().st_size else np.zeros(0, np.uint8)
    except (safetensors.SafetensorError, ValueError, TypeError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as .safetensors (truncated, or of another format): {error}") from error
    unknown = [f"{key} ({entry['dtype']})" for key, entry in header.items() if entry["dtype"] not in TYPES]
    if unknown:
        raise WeightsError(
            f"{path} holds types that are not read: {', '.join(unknown[:5])}; use float64, float32, float16 or bfloat16"
        )
    arrays = {key: view(whole, entry, start) for key, entry in header.items()}
    return SafetensorsView(arrays, labels, frozenset(key for key, entry in header.items() if entry["dtype"] == "BF16"))


def view(whole: np.ndarray, entry: Mapping, start: int) -> np.ndarray:
    """One array of the mapped file."""
    begin, end = entry["data_offsets"]
    return np.asarray(whole[start + begin : start + end]).view(TYPES[entry["dtype"]]).reshape(entry["shape"])


def bfloat16_to_float32(bits: np.ndarray) -> np.ndarray:
    """The numbers of 16-bit integers that are the upper halves of float32 numbers.

    >>> bfloat16_to_float32(np.array([0x3F80, 0xC000], dtype=np.uint16))
    array([ 1., -2.], dtype=float32)
    """
    return (bits.astype(np.uint32) << 16).view(np.float32)
