r"""Shapes as they are declared: ``n x d``, ``m x d x d``, ``n*d x d + 1``; a size is a name, a number, a product or a sum."""

import re
from dataclasses import replace

from symbolic_circuits.latex.declared import (
    Symbols,
)
from symbolic_circuits.latex.sizes import Axis, Blocks
from symbolic_circuits.latex.source import Source, Span

__all__ = ["axes_of", "axis_of", "size_name", "split_commas", "with_sizes"]

SIZE = re.compile(r"([A-Za-z][A-Za-z0-9]{0,7})(?:_\{?(?:\\(?:mathrm|text)\{)?([A-Za-z0-9]{1,7})\}{0,2})?\Z")
TIMES = re.compile(r"\s*(?:×|\\times\b)\s*|\s+x\s+|(?<=[0-9])\s*x\s*(?=[0-9])")
NO_SIZES = {
    "x",
    "size",
    "sizes",
    "integer",
    "vector",
    "matrix",
    "tensor",
    "array",
    "for",
    "in",
}  # what is meant is something else


def split_commas(text: str) -> list[str]:
    """Parts between commas outside of brackets."""
    out, depth = [""], 0
    for c in text:
        depth += (c in "({[") - (c in ")}]")
        if c == "," and depth <= 0:
            out.append("")
        else:
            out[-1] += c
    return out


def axes_of(shape: str, statement: Source) -> tuple[Axis, ...]:
    """A shape: ``n x d``, ``m x d x d``, ``n*d x d + 1``."""
    if not shape:
        raise statement.error("a shape was expected behind the colon, as in A : n x d", Span(0, len(statement.text)))
    return tuple(axis_of(part, statement) for part in TIMES.split(shape))


def axis_of(text: str, statement: Source) -> Axis:
    """An axis: a size, a product ``n*d``, a sum ``d + 1``."""
    text = text.strip().strip("()")
    if "+" in text:
        return (Blocks(tuple(axis_of(part, statement) for part in text.split("+"))),)
    out: list = []
    for part in re.split(r"\s*\*\s*|\s*\\cdot\s*", text):
        if re.fullmatch(r"[0-9]{1,6}", part):
            if int(part) == 0:
                raise statement.error("a size is at least 1", Span(0, len(statement.text)))
            out += [int(part)] if int(part) > 1 else []
        else:
            out.append(size_name(part, statement))
    return tuple(out)


def size_name(text: str, statement: Source) -> str:
    """The name of a size."""
    found = SIZE.match(text.strip())
    if not found or text.strip() in NO_SIZES:
        raise statement.error(
            f"{text.strip()[:40]!r} is no size: a size is a name (n, d, d_{{model}}), a number, a product n*d or a sum d + 1; shapes are joined by x",
            Span(0, len(statement.text)),
        )
    return found.group(1) + (f"_{found.group(2)}" if found.group(2) else "")


def with_sizes(symbols: Symbols, *axes: Axis) -> Symbols:
    """With the names in axes known as sizes."""
    found = set(symbols.sizes)

    def add(axis: Axis) -> None:
        for part in axis:
            if isinstance(part, str):
                found.add(part)
            elif isinstance(part, Blocks):
                for inner in part.parts:
                    add(inner)

    for axis in axes:
        add(axis)
    return replace(symbols, sizes=frozenset(found))
