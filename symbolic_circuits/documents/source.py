"""The text of a file, with the place of each offset: decoded as UTF-8, a byte order mark dropped, line ends made one character."""

from bisect import bisect_right
from itertools import accumulate
from pathlib import Path

from symbolic_circuits.errors import DocumentError

__all__ = ["MAX_BYTES", "Source", "read_bytes"]

MAX_BYTES = 10_000_000


class Source:
    """A text whose offsets have a line and a column, counted from 1.

    >>> Source("a.md", "one\\r\\ntwo").place(5)
    (2, 2)
    """

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.text.split("\n"))]

    @classmethod
    def decoded(cls, name: str, data: bytes) -> "Source":
        """The text of bytes.

        Raises
        ------
        DocumentError
            They are not UTF-8; the message has the line.
        """
        try:
            return cls(name, data.decode("utf-8"))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise DocumentError(f"{name}:{line}: not UTF-8 text: byte 0x{data[error.start]:02x} ({error.reason})") from None

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def line(self, offset: int) -> int:
        """The line of an offset."""
        return self.place(offset)[0]

    def line_end(self, offset: int) -> int:
        """The offset of the end of a line, where its line break stands."""
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def error(self, offset: int, message: str) -> DocumentError:
        """An error with file and line."""
        return DocumentError(f"{self.name}:{self.line(offset)}: {message}")


def read_bytes(path: Path, name: str) -> bytes:
    """The content of a file of at most MAX_BYTES.

    Raises
    ------
    DocumentError
        There is no such file, it cannot be read, or it is larger.
    """
    try:
        if not path.is_file():
            raise DocumentError(f"{name}: {'is no file' if path.exists() else 'there is no such file'}")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentError(f"{name}: the file has {size:,} bytes; a document has at most {MAX_BYTES:,}")
        return path.read_bytes()
    except (OSError, ValueError) as error:
        if isinstance(error, DocumentError):
            raise
        raise DocumentError(f"{name}: cannot be read: {error}") from None
