"""Named arrays and the text form of a model in one file, ``.npz`` without pickle or ``.safetensors``, written whole or not."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from symbolic_circuits.errors import BudgetError, MissingExtraError, WeightsError
from symbolic_circuits.whole_file import write_whole

__all__ = ["read", "write"]

FORMAT = "symbolic_circuits weights 1"
MAX_BYTES = 32 * 2**30  # of the arrays, unpacked
SUFFIXES = (".npz", ".safetensors")


def read(path: Path) -> tuple[str | None, dict[str, np.ndarray]]:
    """The text form of the model, where the file carries one, and the arrays by name."""
    require_suffix(path)
    if not path.is_file():
        raise WeightsError(f"there is no weights file {path}")
    text, version, arrays = read_npz(path) if path.suffix == ".npz" else read_safetensors(path)
    if version is not None and version != FORMAT:
        raise WeightsError(f"{path} is of format {version!r}; this version reads {FORMAT!r}")
    return text, arrays


def read_npz(path: Path) -> tuple[str | None, str | None, dict[str, np.ndarray]]:
    """Model, format and arrays of an .npz file."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MAX_BYTES:
            raise BudgetError(f"{path} unpacks to {size:,} bytes; the limit is {MAX_BYTES:,}")
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, KeyError, NotImplementedError) as error:
        raise WeightsError(f"{path} cannot be read as .npz (truncated, or of another format): {error}") from error
    labels = [str(arrays.pop(key)) if key in arrays and arrays[key].dtype.kind == "U" else None for key in ("model", "format")]
    return labels[0], labels[1], arrays


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
        import_safetensors()
        from safetensors.numpy import save

        content = save({name: np.ascontiguousarray(array) for name, array in arrays.items()}, metadata=labels)
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
