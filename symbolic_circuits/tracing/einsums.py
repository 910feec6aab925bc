r"""einsum as NumPy reads it: ``"...ij,jk"``, implicit output, lists of indices, an ellipsis that is broadcast."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from sympy import Expr

from symbolic_circuits.tracing.contracting import contracted
from symbolic_circuits.tracing.operations import broadcast
from symbolic_circuits.tracing.refusing import refuse
from symbolic_circuits.tracing.shapes import shown_shape
from symbolic_circuits.tracing.values import Value

__all__ = ["einsum", "labelled"]


def einsum(*operands: Any) -> Value:
    """The einsum of values: the text first, or each value followed by its list of indices and the output's at the end."""
    if operands and isinstance(operands[0], str):
        text, values = operands[0], list(operands[1:])
        parts, output = parsed(text, len(values))
    else:
        values = list(operands[0::2]) if len(operands) % 2 == 0 else list(operands[0:-1:2])
        lists = [list(map(index_name, part)) for part in operands[1::2]]
        text = "einsum of lists"
        parts, output = lists, list(map(index_name, operands[-1])) if len(operands) % 2 else implied(lists)
    return labelled(f"einsum {text!r}", values, parts, output)


def index_name(index: Any) -> str:
    """The label of an index that is a number."""
    return "..." if index is Ellipsis else f"{int(index):05d}"


def parsed(text: str, count_of_values: int) -> tuple[list[list[str]], list[str]]:
    """The labels of the operands and of the output."""
    body, arrow, output = "".join(text.split()).partition("->")
    parts = [letters_of(part, text) for part in body.split(",")]
    if len(parts) != count_of_values:
        raise refuse(f"einsum {text!r} is for {len(parts)} arrays; got {count_of_values}")
    return parts, letters_of(output, text) if arrow else implied(parts)


def letters_of(part: str, text: str) -> list[str]:
    """The labels in a part of an einsum text."""
    head, dots, tail = part.partition("...")
    found = [*head, *([dots] if dots else []), *tail]
    for one in found:
        if one != "..." and not (one.isalpha() and one.isascii()):
            raise refuse(f"einsum {text!r}: {one!r} is not a letter")
    return found


def implied(parts: Sequence[Sequence[str]]) -> list[str]:
    """The output that is not written: an ellipsis, then the labels that occur once, in order."""
    flat = [one for part in parts for one in part]
    once = sorted(one for one in set(flat) - {"..."} if flat.count(one) == 1)
    return [*(["..."] if "..." in flat else []), *once]


def labelled(what: str, values: Sequence[Value], parts: Sequence[Sequence[str]], output: Sequence[str]) -> Value:
    """The contraction of values whose axes are labelled, with what an ellipsis stands for broadcast."""
    dots: list[tuple[Expr, ...]] = []
    for value, part in zip(values, parts, strict=True):
        extra = value.order - (len(part) - ("..." in part))
        if extra < 0 or (extra and "..." not in part):
            raise refuse(f"{what}: {len(part)} indices for an array of shape {shown_shape(value.shape)}")
        at = part.index("...") if "..." in part else 0
        dots.append(value.shape[at : at + extra] if "..." in part else ())
    common = broadcast(dots, what)
    sizes: dict[str, Expr] = {f"... {k}": size for k, size in enumerate(common)}
    where: dict[str, str] = {}
    operands = []
    for number, (value, part, own) in enumerate(zip(values, parts, dots, strict=True)):
        labels, place = [], count()
        for one in part:
            if one == "...":
                start = len(common) - len(own)
                labels += [() if own[k] == 1 else (f"... {start + k}",) for k in range(len(own)) if next(place) >= 0]
                continue
            size = value.shape[next(place)]
            source = f"array {number} of shape {shown_shape(value.shape)}"
            if sizes.setdefault(one, size) != size:
                raise refuse(f"{what}: the index {one} has size {sizes[one]} in {where[one]}, but {size} in {source}")
            where.setdefault(one, source)
            labels.append((one,))
        operands.append((value, labels))
    out: list[tuple[str, ...]] = []
    for one in output:
        if one == "...":
            out += [(f"... {k}",) if size != 1 else () for k, size in enumerate(common)]
        elif one not in sizes:
            raise refuse(f"{what}: the output has the index {one}, which no array has")
        else:
            out.append((one,))
    if len(set(output)) < len(output):
        raise refuse(f"{what}: an index occurs twice in the output")
    if "..." not in output and common:
        raise refuse(f"{what}: the ellipsis is missing in the output")
    return contracted(operands, out, sizes)
