r"""Subscripts of a contraction: which index each axis of each operand runs along, and the size of each index.

``"ij,(jk)->ik"`` is read as label lists, one an operand and then the output's: an axis is one label, or several in parentheses
where its size is a product (row-major), or none where its size is 1.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple, TypeAlias

from sympy import Expr, Integer, Mul, Tuple, cancel
from sympy.core.basic import Basic
from sympy.core.symbol import Str

from symbolic_circuits.axes import require_same_size
from symbolic_circuits.errors import NotationError, ShapeError
from symbolic_circuits.syntax.arrays import array_shape

__all__ = ["Labels", "Lists", "as_tuple", "call", "read", "sizes_of", "written"]

Labels: TypeAlias = tuple[str, ...]  # of one axis: one label, or those of a product, or none (size 1)
Lists: TypeAlias = tuple[tuple[Labels, ...], ...]  # the axes of each operand, then those of the output

LABEL = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)?\Z|[0-9]+\Z")


def read(subscripts: str | Sequence) -> Lists:
    """The label lists of subscripts.

    >>> read("ij,(jk)->i")
    ((('i',), ('j',)), (('j', 'k'),), (('i',),))
    >>> read("jk,ij") == read([["j", "k"], ["i", "j"], ["i", "k"]])
    True
    """
    if isinstance(subscripts, str):
        return read_text(subscripts)
    if isinstance(subscripts, Sequence | Tuple) and len(subscripts):
        return tuple(tuple(read_axis(axis) for axis in axes_in(part, subscripts)) for part in subscripts)
    raise NotationError(f"subscripts are a text such as 'ij,jk->ik' or a list of label lists; got {subscripts!r}")


def axes_in(part: object, subscripts: object) -> Iterable:
    """The axes of one label list."""
    if isinstance(part, str | Str) or not isinstance(part, Iterable):
        raise NotationError(f"each part of the subscripts {subscripts} is a list of labels; got {part!r}")
    return part


def read_axis(axis: object) -> Labels:
    """The labels of one axis: a label, or a list of them."""
    if isinstance(axis, list | tuple | Tuple):
        return tuple(chain.from_iterable(map(read_axis, axis)))
    text = str(axis) if isinstance(axis, str | Str | int | Integer) else ""
    if not (LABEL.match(text) or (len(text) == 1 and text.isalpha())):
        raise NotationError(f"a label is a letter, or a word of letters and digits; got {axis!r}")
    return (text,)


def read_text(text: str) -> Lists:
    """The label lists of an einsum string."""
    inputs, arrow, output = "".join(text.split()).partition("->")
    lists = [read_part(part, text) for part in inputs.split(",")]
    if arrow:
        return (*lists, read_part(output, text))
    letters = [label for part in lists for axis in part for label in axis]
    return (*lists, tuple((label,) for label in sorted(set(letters)) if letters.count(label) == 1))


def read_part(part: str, text: str) -> tuple[Labels, ...]:
    """The axes in a text such as ``i(jk)``."""
    axes: list[Labels] = []
    group: list[str] | None = None
    for character in part:
        if character == "(" and group is None:
            group = []
        elif character == ")" and group is not None:
            axes.append(tuple(group))
            group = None
        elif not character.isalpha():
            hint = "; there is no ellipsis: name every axis" if character == "." else ""
            raise NotationError(f"{character!r} in the subscripts {text!r} is not a letter{hint}")
        elif group is None:
            axes.append((character,))
        else:
            group.append(character)
    if group is not None:
        raise NotationError(f"a parenthesis in the subscripts {text!r} is not closed")
    return tuple(axes)


def written(lists: Lists) -> str | list:
    """Label lists as a user writes them: a text where each label is one letter."""
    if all(len(label) == 1 and label.isalpha() for part in lists for axis in part for label in axis):
        parts = ["".join(axis[0] if len(axis) == 1 else f"({''.join(axis)})" for axis in part) for part in lists]
        return f"{','.join(parts[:-1])}->{parts[-1]}"
    return [[axis[0] if len(axis) == 1 else axis for axis in part] for part in lists]


def sizes_of(lists: Lists, operands: Sequence[Basic]) -> dict[str, Expr]:
    """The size of each label.

    Raises
    ------
    NotationError, ShapeError
        As for :func:`contract`.
    """
    require_counts(lists, operands)
    places = [
        (labels, size, Where(k, operand))
        for part, operand in zip(lists, operands, strict=False)
        for k, (labels, size) in enumerate(zip(part, array_shape(operand), strict=True))
    ]
    sizes: dict[str, Expr] = {}
    source: dict[str, str] = {}
    for (label,), size, where in (place for place in places if len(place[0]) == 1):
        if label in sizes:
            require_same_size(sizes[label], lambda k=label: f"{k}, which is {source[k]},", size, lambda w=where: w)
        sizes.setdefault(label, size)
        source.setdefault(label, where)
    split(sizes, [place for place in places if len(place[0]) != 1])
    for label in chain.from_iterable(lists[-1]):
        if label not in sizes:
            raise NotationError(f"the output has the label {label}, which no operand has")
    return sizes


class Where(NamedTuple):
    """An axis of an operand; it is written out only in an error, as large operands take long to print."""

    axis: int
    operand: Basic

    def __str__(self) -> str:
        return f"axis {self.axis} of {self.operand}"


def require_counts(lists: Lists, operands: Sequence[Basic]) -> None:
    """Raise ShapeError unless there is a label list for each operand, and labels for each of its axes."""
    if len(lists) - 1 != len(operands):
        raise ShapeError(f"the subscripts are for {len(lists) - 1} operands; there are {len(operands)}")
    for part, operand in zip(lists, operands, strict=False):
        order = len(array_shape(operand))
        if len(part) != order:
            shown = ", ".join("".join(axis) if len(axis) == 1 else f"({' '.join(axis)})" for axis in part) or "none"
            raise ShapeError(f"{operand} has {order} axes, but its labels are for {len(part)}: {shown}")


def split(sizes: dict[str, Expr], groups: Sequence[tuple[Labels, Expr, object]]) -> None:
    """Add the sizes of labels that only stand in groups: the one that is missing is what the others leave."""
    waiting = list(groups)
    while waiting:
        ready = [place for place in waiting if sum(label not in sizes for label in place[0]) <= 1]
        if not ready:
            labels, size, where = waiting[0]
            raise ShapeError(f"{where}, of size {size}, is split into {' and '.join(labels)}, whose sizes no other axis says")
        waiting = [place for place in waiting if place not in ready]
        for labels, size, where in ready:
            known = Mul(*(sizes[label] for label in labels if label in sizes))
            missing = [label for label in labels if label not in sizes]
            rest = cancel(size / known)
            if missing and rest.is_integer is not False:
                sizes[missing[0]] = rest
            require_same_size(size, lambda w=where: w, known * (rest if missing else 1), lambda k=labels: f"({' '.join(k)})")
            if missing and rest.is_integer is False:
                raise ShapeError(f"{where} has size {size}, which {known} does not divide")


def as_tuple(lists: Lists) -> Tuple:
    """Label lists as SymPy arguments: a label is a Str, a group a Tuple."""
    axis = lambda labels: Str(labels[0]) if len(labels) == 1 else Tuple(*map(Str, labels))  # noqa: E731
    return Tuple(*(Tuple(*map(axis, part)) for part in lists))


def call(lists: Lists, operands: Iterable[object]) -> str:
    """The call that makes a contraction."""
    return f"contract({', '.join([repr(written(lists)), *map(str, operands)])})"
