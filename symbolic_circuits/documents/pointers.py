"""Tests that a document points to: ``tests/a.py::test_pairs`` exists if the file, seen from the document or a folder above, defines it."""

import ast
import re
from dataclasses import replace
from pathlib import Path

from symbolic_circuits.documents.results import Result
from symbolic_circuits.documents.source import MAX_BYTES

__all__ = ["looked_up", "missing_tests"]


def looked_up(document: Path, result: Result) -> Result:
    """A result as it is now: that of a pointer to tests depends on other files than the document."""
    if result.relation != "tested":
        return result
    missing = missing_tests(document, result.source)
    status, verdict, words = ("failed", "error", missing) if missing else ("tested", "", result.source)
    return replace(result, status=status, verdict=verdict, words=words, explanation=missing)


def missing_tests(document: Path, tests: str) -> str:
    """Why a list of tests, separated by commas, is not there; empty if all of them are."""
    return "; ".join(filter(None, (problem_of(document, test.strip()) for test in tests.split(","))))


def problem_of(document: Path, test: str) -> str:
    """Why a test is not there."""
    name, *inner = re.sub(r"\[.*\]$", "", test).split("::")
    path = found_path(document, name)
    if path is None:
        return f"there is no file {name} in the folder of the document or above it"
    if not inner:
        return ""
    try:
        if path.stat().st_size > MAX_BYTES:
            return f"{name} is too large"
        body = ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{name} cannot be read: {type(error).__name__}"
    for depth, part in enumerate(inner):
        kinds = (ast.ClassDef,) if depth < len(inner) - 1 else (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        node = next((node for node in body if isinstance(node, kinds) and node.name == part), None)
        if node is None:
            return f"{name} does not define {'::'.join(inner[: depth + 1])}"
        body = node.body
    return ""


def found_path(document: Path, name: str) -> Path | None:
    """A file seen from the folder of a document, or from a folder above it."""
    if not name or "\0" in name or Path(name).is_absolute():
        return None
    try:
        folder = document.resolve().parent
        return next((path for parent in (folder, *folder.parents) if (path := parent / name).is_file()), None)
    except (OSError, RuntimeError):
        return None
