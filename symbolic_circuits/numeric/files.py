"""Named arrays and the text form of a model in one file, ``.npz`` without pickle or ``.safetensors``, written whole or not."""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from symbolic_circuits.errors import BudgetError, MissingExtraError, WeightsError
from symbolic_circuits.whole_file import write_whole

__all__ = ["LENGTH", "TYPES", "Unshared", "read", "read_header", "write"]

FORMAT = "symbolic_circuits weights 1"
MAX_BYTES = 32 * 2**30  # of the arrays, unpacked
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    OSError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
)
SUFFIXES = (".npz", ".safetensors")
LENGTH = 8  # bytes of the length of the header of a .safetensors file
TYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U64": "<u8",
    "U32": "<u4",
}
TYPES |= {"U16": "<u2", "U8": "u1", "BOOL": "?"}


class Unshared(dict):
    """Arrays that nobody else has, so that they need not be copied."""


def read(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    """The text form of the model, where the file carries one, and the arrays by name."""
    require_suffix(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    text, version, arrays = read_npz(path) if path.suffix == ".npz" else read_safetensors(path)
    if version is not None and version != FORMAT:
        raise WeightsError(f"{path} is of format {version!r}; this version reads {FORMAT!r}")
    return text, Unshared(arrays)


def read_npz(path: Path) -> tuple[str | None, str | None, dict[str, np.ndarray]]:
    """Model, format and arrays of an .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > MAX_BYTES:
                raise BudgetError(f"{path} unpacks to {size:,} bytes; the limit is {MAX_BYTES:,}")
            for entry in archive.infolist():
                require_honest_header(archive, entry)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except BudgetError:
        raise
    except UNREADABLE as error:
        raise WeightsError(f"{path} cannot be read as .npz (truncated, or of another format): {error}") from error
    labels = [str(arrays.pop(key)) if key in arrays and arrays[key].dtype.kind == "U" else None for key in ("model", "format")]
    return labels[0], labels[1], arrays


def require_honest_header(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Raise ValueError where the header of an array promises more, or less, than its file holds."""
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            raise ValueError(f"{entry.filename} is of array format {version}")
        shape, _, dtype = read(file)
        if dtype.hasobject or math.prod(shape) * dtype.itemsize != entry.file_size - file.tell():
            raise ValueError(f"{entry.filename} does not hold an array of shape {shape} and type {dtype}")


def read_safetensors(path: Path) -> tuple[str | None, str | None, dict[str, np.ndarray]]:
    """Model, format and arrays of a .safetensors file, each array read once: the whole file is never in memory beside them."""
    safetensors = import_safetensors()
    try:
        with safetensors.safe_open(path, framework="np") as stored:  # checks header and offsets
            labels = stored.metadata() or {}
        header, start = read_header(path)
        arrays = {name: read_array(path, entry, start) for name, entry in header.items()}
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as .safetensors (truncated, or of another format): {error}") from error
    return labels.get("model"), labels.get("format"), arrays


def read_header(path: Path) -> tuple[dict[str, Mapping], int]:
    """The entries of the header of a .safetensors file by key, and where the arrays begin."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(LENGTH), "little")
        header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, LENGTH + length


def read_array(path: Path, entry: Mapping, start: int) -> np.ndarray:
    """One array of a .safetensors file."""
    array = np.empty(entry["shape"], dtype=TYPES[entry["dtype"]])
    with path.open("rb") as file:
        file.seek(start + entry["data_offsets"][0])
        if file.readinto(array.reshape(-1).view(np.uint8)) != array.nbytes:
            raise ValueError("it ends inside an array")
    return array


def write(path: Path, model: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a file, replacing one that exists."""
    require_suffix(path)
    labels = {"model": model, "format": FORMAT}
    if path.suffix == ".npz":
        stream = io.BytesIO()
        np.savez(stream, **{name: np.array(text) for name, text in labels.items()}, **arrays)
        content = stream.getvalue()
    else:
        safetensors = import_safetensors()
        from safetensors.numpy import save

        try:
            content = save({name: np.asarray(array, order="C") for name, array in arrays.items()}, metadata=labels)
        except (KeyError, ValueError, TypeError, safetensors.SafetensorError) as error:
            raise WeightsError(f"cannot write {path}: a .safetensors file does not hold these types ({error})") from error
        content = with_sorted_labels(content)
    write_whole(path, content, force=True)


def with_sorted_labels(content: bytes) -> bytes:
    """The same .safetensors file with its labels in order, so that equal weights make equal files."""
    length = int.from_bytes(content[:LENGTH], "little")
    header = json.loads(content[LENGTH : LENGTH + length])
    ordered = {"__metadata__": dict(sorted(header.pop("__metadata__").items())), **header}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
    padded = text + b" " * (-len(text) % LENGTH)
    return len(padded).to_bytes(LENGTH, "little") + padded + content[LENGTH + length :]


def require_suffix(path: Path) -> None:
    """Raise WeightsError for other kinds of files."""
    if path.suffix not in SUFFIXES:
        raise WeightsError(f"weights are {' or '.join(SUFFIXES)} files, never pickles; got {path.name!r}")


def import_safetensors() -> object:
    """The optional dependency, or the command that installs it."""
    try:
        import safetensors
    except ImportError as error:
        raise MissingExtraError(
            ".safetensors files need the extra 'weights': pip install 'symbolic_circuits[weights]'"
        ) from error
    return safetensors
