r"""Entries and slices ``(W x)_i``, ``X_s``, ``B_{ijk}``, and the other way: ``(\ldots)_{ik}``, the array whose entries are given."""

from collections.abc import Sequence

from sympy import Expr, Identity, IndexedBase, Integer
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array.expressions import ArraySymbol
from sympy.tensor.array.expressions.array_expressions import ArrayElement

from symbolic_circuits.latex.atoms import Atom
from symbolic_circuits.latex.elaboration import BoundIndex, Elaboration
from symbolic_circuits.latex.sizes import Axis
from symbolic_circuits.latex.source import Span
from symbolic_circuits.latex.values import Build, Value, array_of, scalar
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import contract
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum

__all__ = ["abstracted", "entry"]


def entry(value: Value, atoms: Sequence[Atom], span: Span, state: Elaboration) -> Value:
    """The entry of an array at indices; with fewer indices than axes, the slice."""
    if not atoms:
        return value
    if not value.order and all(is_free(atom, value, state) for atom in atoms):
        return abstracted(value, [state.index(atom) for atom in atoms], span, state)
    shown = state.source.slice(value.span)[:60] or state.source.slice(span)[:60]
    if len(atoms) > value.order:
        axes = "1 axis" if value.order == 1 else f"{value.order} axes"
        raise state.error(f"{shown} has {axes} ({state.shape(value)}), but {len(atoms)} indices", span)
    require_separate(atoms, value.order, shown, span, state)
    places, names = [], []
    for k, (atom, axis) in enumerate(zip(atoms, value.axes, strict=False), start=1):
        if not state.may_be_index(atom):
            raise state.error(f"{atom.text} is no index: declare it with its range ({atom.text} in n), or sum over it", atom.span)
        place, name = state.place(atom, axis, f"axis {k} of {shown}")
        places.append(place)
        names += name
    indices = {**value.indices}
    for name in names:
        indices[name] = indices.get(name, 0) + 1
    if len(atoms) == value.order:
        return scalar(element(value, places, state), span, indices)
    rest = value.axes[len(atoms) :]
    return Value(rest, sliced(value, places, state), span, "array" if len(rest) == 1 else "plain", indices, value.is_zero)


def require_separate(atoms: Sequence[Atom], order: int, shown: str, span: Span, state: Elaboration) -> None:
    """Digits side by side are one number; raise where they could be several, and where they begin with 0."""
    for atom in atoms:
        digits = atom.text
        if atom.kind != "number" or len(digits) < 2 or not digits.isdecimal():
            continue
        text = state.source.text
        alone = "," not in (text[: atom.span.start].rstrip()[-1:], text[atom.span.end :].lstrip()[:1])
        if digits[0] == "0" or (alone and len(atoms) + len(digits) - 1 <= order):
            raise state.error(
                f"is {digits} one position or {', '.join(digits)}? write {{{','.join(digits)}}} for several, and {{{int(digits)},}} for one",
                atom.span,
            )


def is_free(atom: Atom, value: Value, state: Elaboration) -> bool:
    """Whether a word is a free index of a value."""
    index = state.lookup(atom.text) if atom.kind == "word" else None
    return index is not None and index is state.free.get(atom.text) and getattr(index.symbol, "name", None) in value.indices


def element(value: Value, places: Sequence[Expr], state: Elaboration) -> Build:
    """The entry itself."""
    if value.order <= 2 and value.form != "array":
        at = [*places, Integer(0)] if value.order == 1 else places
        return lambda: entry_of(value.build(), at)

    def build() -> Expr:
        array = value.build()
        if isinstance(array, ArraySymbol):
            return ArrayElement(array, tuple(places))
        labels = [f"a{k}" for k in range(value.order)]
        return contract([labels, *[[label] for label in labels], []], array, *rows(value, places, state))

    return build


def entry_of(matrix: Expr, at: Sequence[Expr]) -> Expr:
    """The entry of a matrix."""
    return matrix[tuple(at)] if isinstance(matrix, IndexedBase) else MatrixElement(matrix, *at)


def sliced(value: Value, places: Sequence[Expr], state: Elaboration) -> Build:
    """The part of an array at its first indices."""
    array = array_of(value)

    def build() -> Expr:
        if value.order == 2:
            return Row(array(), places[0])
        labels = [f"a{k}" for k in range(value.order)]
        first, rest = labels[: len(places)], labels[len(places) :]
        return contract([labels, *[[label] for label in first], rest], array(), *rows(value, places, state))

    return build


def rows(value: Value, places: Sequence[Expr], state: Elaboration) -> list[Expr]:
    """A unit vector for each index."""
    sizes = [state.size(axis, value.span, "this axis") for axis in value.axes[: len(places)]]
    return [Row(Identity(size), place) for size, place in zip(sizes, places, strict=True)]


def abstracted(value: Value, indices: Sequence[BoundIndex], span: Span, state: Elaboration) -> Value:
    """The array over some free indices of a value, in front of the axes that it has."""
    axes: list[Axis] = [index.axis for index in indices]
    inner = array_of(value)

    def build() -> Expr:
        sizes = [state.size(index.axis, span, f"the index {index.name}") for index in indices]
        body, own = [f"b{k}" for k in range(value.order)], [f"a{k}" for k in range(len(indices))]
        units = [Row(Identity(size), index.symbol) for index, size in zip(indices, sizes, strict=True)]
        product = contract([body, *[[label] for label in own], [*own, *body]], inner(), *units)
        limits = [(index.symbol, 0, size - 1) for index, size in zip(indices, sizes, strict=True)]
        if len(own) + len(body) == 2:
            return MatrixSum(product, *limits)
        return IndexSum(product, *limits)

    names = {index.symbol.name for index in indices}
    rest = {name: count for name, count in value.indices.items() if name not in names}
    order = len(axes) + value.order
    return Value((*axes, *value.axes), build, span, "array" if order == 1 else "plain", rest, value.is_zero)
