r"""Lowering of contractions by index lists, sum_j A_{ij} B_{jk}: labels of one name are one index; and of families and bases."""

from collections.abc import Iterable
from functools import reduce

from sympy import Expr, IndexedBase, Integer, Symbol
from sympy.tensor.array.expressions import Reshape

from symbolic_circuits.algebra.open_terms import Axis, Open
from symbolic_circuits.algebra.tensor import SizeName
from symbolic_circuits.errors import ShapeError
from symbolic_circuits.syntax.contract import Contracted
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.lowering.context import Lowering, NumbersMeet, SplitNeeded, join, open_form, require_meeting

__all__: list[str] = []


@open_form.register(Contracted)
def _contracted(expr: Contracted, lowering: Lowering) -> Open:
    *inputs, output = expr.lists
    operands = [lowering.open(operand) for operand in expr.operands]
    axes = label_axes(expr, [value.axes for value in operands], lowering)
    value = reduce(Open.outer, (split(*pair, axes) for pair in zip(operands, inputs, strict=True)))
    labels = [label for part in inputs for axis in part for label in axis]
    value, labels = united(value, labels)
    order = []
    for label in (label for axis in output for label in axis):
        if labels.index(label) in order:  # an output label that repeats: a copy of the index
            value = join(value.outer(Open.of_identity(axes[label])), labels.index(label), len(value.axes))
            order.append(len(value.axes) - 1)
        else:
            order.append(labels.index(label))
    value = value.permuted([*order, *(k for k in range(len(value.axes)) if k not in order)])
    value = value.summed(*range(len(order), len(value.axes)))
    return value.grouped([sum((axes[label] for label in axis), ()) for axis in output])


def united(value: Open, labels: list[str]) -> tuple[Open, list[str]]:
    """Axes of one label made one, and the labels that are left."""
    left: list[str] = []
    for label in labels:
        if label in left:
            value = join(value, left.index(label), len(left))
        else:
            left.append(label)
    return value, left


def label_axes(expr: Contracted, found: list[tuple[Axis, ...]], lowering: Lowering) -> dict[str, Axis]:
    """The axis that each label runs along: that of an operand, or what its size says."""
    axes: dict[str, Axis] = {}
    for part, operand_axes in zip(expr.lists, found, strict=False):
        for labels, axis in zip(part, operand_axes, strict=True):
            if len(labels) == 1 and (labels[0] not in axes or is_whole(axes[labels[0]])):
                axes[labels[0]] = axis
    return {label: axes.get(label) or lowering.axis(size, f"index {label} of {expr}") for label, size in expr.sizes.items()}


def is_whole(axis: Axis) -> bool:
    """Whether an axis is a product that has not been split."""
    return len(axis) == 1 and isinstance(axis[0], str) and " at " in axis[0]


def split(value: Open, labels: tuple[tuple[str, ...], ...], axes: dict[str, Axis]) -> Open:
    """An operand with an axis for each label: products split into their parts."""
    out: list[Axis] = []
    for group, axis in zip(labels, value.axes, strict=True):
        parts = [axes[label] for label in group]
        if len(group) != 1 and sum(parts, ()) != axis:
            require_meeting(axis, sum(parts, ()))
            raise ShapeError(f"an axis over {axis} is split into {parts}")
        out += [axis] if len(group) == 1 else parts
    return value.grouped(out)


@open_form.register(Reshape)
def _reshape(expr: Reshape, lowering: Lowering) -> Open:
    value = lowering.open(expr.expr)
    legs = [leg for axis in value.axes for leg in axis]
    sizes, axes = list(expr.shape), []
    while sizes:
        axes.append(taken(sizes.pop(0), legs, sizes, expr, lowering))
    return value.grouped(axes)


def taken(size: Expr, legs: list[SizeName], rest: list[Expr], expr: Reshape, lowering: Lowering) -> Axis:
    """Take legs whose sizes have this product off the front; a leg that is a product itself is split where it has to be."""
    known, axis = Integer(1), []
    while legs and known != size:
        if is_whole((legs[0],)) and lowering.whole[legs[0]] != size:
            raise SplitNeeded(legs[0], parts_of(lowering.whole[legs[0]], [size, *rest], expr, lowering))
        known *= size_of(legs[0], lowering)
        axis.append(legs.pop(0))
        if isinstance(known, Integer) and isinstance(size, Integer) and known > size:
            raise NumbersMeet
    if known != size:
        raise ShapeError(f"{expr} has an axis of size {size}, which is no product of sizes of {expr.expr} in their order")
    return tuple(axis)


def parts_of(whole: Expr, sizes: Iterable[Expr], expr: Reshape, lowering: Lowering) -> Axis:
    """The first sizes, as far as their product is that of the axis."""
    known, parts = Integer(1), []
    for size in sizes:
        if known == whole:
            break
        known *= size
        parts.append(size)
    if known != whole or not all(isinstance(size, Symbol | Integer) for size in parts):
        raise ShapeError(f"{expr} splits an axis of size {whole} into {parts}")
    return sum((lowering.axis(size, f"{expr}") for size in parts), ())


def size_of(leg: SizeName, lowering: Lowering) -> Expr:
    """The size of a leg."""
    if isinstance(leg, int):
        return Integer(leg)
    return lowering.whole[leg] if leg in lowering.whole else lowering.symbols[leg]


@open_form.register(MatrixFamily)
def _family(expr: MatrixFamily, lowering: Lowering) -> Open:
    return lowering.open_leaf(expr)


@open_form.register(IndexedBase)
def _base(expr: IndexedBase, lowering: Lowering) -> Open:
    return lowering.open_leaf(expr)
