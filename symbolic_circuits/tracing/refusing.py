"""Where code cannot be traced: errors that name the operation, and the file and line in the user's function."""

import linecache
import sys
from contextvars import ContextVar
from pathlib import Path
from types import CodeType, FrameType, TracebackType

from symbolic_circuits.errors import TraceError

__all__ = ["LIBRARIES", "UnknownAttribute", "located", "refuse", "refusals", "user_frame"]

HERE = str(Path(__file__).parent)
STANDARD = str(Path(linecache.__file__).parent)
LIBRARIES = ("numpy", "torch", "opt_einsum", "einops", "scipy", "sympy", "symbolic_circuits")

refusals: ContextVar[list[TraceError] | None] = ContextVar("refusals", default=None)


class UnknownAttribute(TraceError, AttributeError):
    """A traced array has no such attribute; ``hasattr`` is False."""


def refuse(message: str) -> TraceError:
    """The error, to be raised; it is kept, so that code that catches it does not go on as if nothing had been."""
    error, kept = TraceError(message), refusals.get()
    if kept is not None and not in_library(sys._getframe(1), ("sympy",)):
        kept.append(error)
    return error


def in_library(frame: FrameType | None, names: tuple[str, ...] = LIBRARIES) -> bool:
    """Whether the first frame outside of this package is one of a library, which asks what an object can do."""
    while frame is not None and frame.f_code.co_filename.startswith(HERE):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in names


def is_user(frame: FrameType) -> bool:
    """Whether a frame runs code that is of neither this package, an array library nor Python's own."""
    path = frame.f_code.co_filename
    if path.startswith(HERE) or (path.startswith(STANDARD) and "-packages" not in path):
        return False
    return frame.f_globals.get("__name__", "").split(".")[0] not in LIBRARIES or "doctest" in path


def user_frame() -> FrameType | None:
    """The innermost frame of the user's code."""
    frame = sys._getframe(1)
    while frame is not None and not is_user(frame):
        frame = frame.f_back
    return frame


def located(error: BaseException, name: str, code: CodeType | None = None) -> str:
    """``name, file.py, line 3: `source` `` for the innermost line of the user's code that an error passed through, or for the code."""
    found, step = None, error.__traceback__
    while step is not None:
        if is_user(step.tb_frame):
            found = step
        step = step.tb_next
    if found is None:
        return f"{name}, {Path(code.co_filename).name}, line {code.co_firstlineno}" if code else name
    return f"{name}, {place(found)}"


def place(step: TracebackType) -> str:
    """File, line and text of a step of a traceback."""
    path = step.tb_frame.f_code.co_filename
    text = linecache.getline(path, step.tb_lineno).strip()
    return f"{Path(path).name}, line {step.tb_lineno}" + (f": `{text}`" if text else "")
