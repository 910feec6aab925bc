"""Files are written whole or not at all, and an existing one only on request."""

import os
import tempfile
from pathlib import Path

from symbolic_circuits.errors import NotationError, OutputError

__all__ = ["require_format", "require_free", "write_whole"]


def require_format(path: Path, formats: tuple[str, ...]) -> str:
    """The suffix of a path, if it is one of the formats offered."""
    if path.suffix not in formats:
        raise NotationError(f"cannot tell the format of {path.name!r}: it ends in none of {', '.join(formats)}")
    return path.suffix


def require_free(path: Path, *, force: bool = False) -> None:
    """Raise OutputError where a file would not be written: it exists and ``force`` is not set, or there is no such folder."""
    if path.exists() and not force:
        raise OutputError(f"{path} exists: give another name, or --force to replace it")
    if not path.parent.is_dir():
        raise OutputError(f"cannot write {path}: there is no folder {path.parent}")


def write_whole(path: Path, content: str | bytes, *, force: bool = False) -> None:
    """Write a file under another name beside it, then rename it into place.

    Raises
    ------
    OutputError
        The file exists and ``force`` is not set, there is no such folder, or writing fails.
    """
    require_free(path, force=force)
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            temporary = Path(file.name)
            file.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
