"""Named arrays and the text form of a model in one file, ``.npz`` without pickle or ``.safetensors``, written whole or not."""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from symbolic_circuits.errors import BudgetError, MissingExtraError, WeightsError
from symbolic_circuits.whole_file import write_whole

__all__ = ["read", "write"]

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


def read(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    """The text form of the model, where the file carries one, and the arrays by name."""
    require_suffix(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    text, version, arrays = read_npz(path) if path.suffix == ".npz" else read_safetensors(path)
    if version is not None and version != FORMAT:
        raise WeightsError(f"{path} is of format {version!r}; this version reads {FORMAT!r}")
    for array in arrays.values():
        array.flags.writeable = False  # nobody else has them, so that they need not be copied
    return text, arrays


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
    """Model, format and arrays of a .safetensors file."""
    safetensors = import_safetensors()
    try:
        with safetensors.safe_open(path, framework="np") as stored:
            labels = stored.metadata() or {}
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (not a mapping)
    except (safetensors.SafetensorError, ValueError, TypeError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as .safetensors (truncated, or of another format): {error}") from error
    return labels.get("model"), labels.get("format"), arrays


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
    write_whole(path, content, force=True)


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
