"""Files are written whole or not at all, and an existing one only on request."""

import os
import shutil
from pathlib import Path
from secrets import token_hex

from symbolic_circuits.errors import NotationError, OutputError

__all__ = ["require_format", "require_free", "write_whole"]


def require_format(path: Path, formats: tuple[str, ...]) -> str:
    """The suffix of a path in small letters, if it is one of the formats offered."""
    suffix = path.suffix.lower()
    if suffix not in formats:
        raise NotationError(f"cannot tell the format of {path.name!r}: it ends in none of {', '.join(formats)}")
    return suffix


def require_free(path: Path, *, force: bool = False) -> None:
    """Raise OutputError where a file would not be written: it exists and ``force`` is not set, or there is no such folder."""
    try:
        found, is_folder, has_parent = os.path.lexists(path), path.is_dir(), path.parent.is_dir()
    except OSError as error:  # a name that no file can have
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    if is_folder:
        raise OutputError(f"cannot write {path}: it is a folder; give the name of a file")
    if found and not force:
        raise OutputError(f"{path} exists: give another name, or --force to replace it")
    if not has_parent:
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}")


def write_whole(path: Path, content: str | bytes, *, force: bool = False) -> None:
    """Write a file under another name beside it, then rename it into place; a file that is replaced keeps its mode.

    Raises
    ------
    OutputError
        The file exists and ``force`` is not set, there is no such folder, or writing fails.
    """
    require_free(path, force=force)
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
