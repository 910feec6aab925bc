r"""SymPy trees multiplied out naively into raw terms, c * sum over indices of prod_f T_f[indices].

Entries are written down by definition (:mod:`symbolic_circuits.identities.expansion_entries`) with equations between indices, which
are solved here, term by term. An axis that is split in one place is split alike in all: into factors n d, or into blocks n + m, one
term for each block.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

from sympy import Add, Expr, Integer, Mul, Symbol

from symbolic_circuits.errors import ShapeError, UnsupportedNodeError
from symbolic_circuits.identities import expansion_blocks, expansion_entries
from symbolic_circuits.identities.checker_data import Axes, Node, Size, Term, size_scalar, times, unit_place
from symbolic_circuits.identities.expansion_indices import Apart, Bindings, Entry, Index, Variable
from symbolic_circuits.identities.expansion_walk import Walk, entries, shape_of

__all__ = ["Expanded", "expanded", "raw_terms"]

RULES = (expansion_blocks, expansion_entries)  # what is known of the nodes of trees

Shape: TypeAlias = tuple[
    Expr | tuple[Expr, ...], ...
]  # the sizes that an axis is split into; all of them where it is one of blocks


class Expanded(NamedTuple):
    """Expressions multiplied out."""

    sides: tuple[tuple[Term, ...], ...]
    tensors: Mapping[str, Axes]  # the parts that each axis is split into
    nodes: Mapping[str, Node]  # functions of expressions, those in arguments first
    inverses: Mapping[str, str]  # matrices by the names of their inverses


class Solved(NamedTuple):
    """A term, its output, and its equations solved."""

    entry: Entry
    output: tuple[Index, ...]
    bindings: Bindings
    node: str | None = None  # the function node in whose argument it stands

    def places(self) -> Iterator[tuple[tuple, Index]]:
        """The axes that must be split alike in all terms."""
        own = ("output",) if self.node is None else ("tensor", self.node)
        yield from (((*own, k), index) for k, index in enumerate(self.output))
        yield from ((("name", name), index) for name, index in self.entry.names)
        for name, axes in self.entry.factors:
            yield from ((("tensor", name, k), index) for k, index in enumerate(axes) if unit_place(name) is None)


def raw_terms(*exprs: Expr) -> list[tuple[Term, ...]]:
    """The terms of each expression, multiplied out: identities fused, indices that nothing uses as factors of their size.

    Parameters
    ----------
    exprs : expressions of one shape, which are to be compared: composite axes are split alike in all of them

    Raises
    ------
    UnsupportedNodeError
        A node has no rule; the message names it.
    ShapeError
        Sizes that meet differ, an axis is split in two ways, or an open index is not in every term.

    Examples
    --------
    >>> from sympy import Identity, MatrixSymbol, Symbol
    >>> n = Symbol("n", integer=True, positive=True)
    >>> A, B = MatrixSymbol("A", n, n), MatrixSymbol("B", n, n)
    >>> [terms] = raw_terms((A + Identity(n)) * B)
    >>> [(term.factors, term.output) for term in terms]
    [((('B', (0, 1)),), (0, 1)), ((('A', (0, 1)), ('B', (1, 2))), (0, 2))]
    """
    return list(expanded(exprs).sides)


def expanded(exprs: Sequence[Expr]) -> Expanded:
    """Expressions multiplied out, their composite axes split alike."""
    walk = Walk()
    sides: list[list[Solved]] = []
    for expr in exprs:
        output = tuple(walk.fresh(size) for size in shape_of(expr))
        sides.append(all_solved(entries(expr, output, walk), output))
    if len({len(shape_of(expr)) for expr in exprs}) > 1:
        raise ShapeError(f"the expressions have the shapes {', '.join(str(shape_of(expr)) for expr in exprs)}")
    open_names = {frozenset(name for name, _ in term.entry.names) for side in sides for term in side}
    if len(open_names) > 1:
        some = sorted(frozenset.union(*open_names) - frozenset.intersection(*open_names))
        raise ShapeError(f"the open index {some[0]} is not in every term")
    values = [*sides, *(all_solved(node.argument, node.legs, name) for name, node in walk.opaque.items())]
    split = split_alike(values, walk)
    alike = by_size(split)
    tensors: dict[str, Axes] = {}
    for name, shape in walk.tensors.items():
        tensors |= parts_of(name, [split.get(("tensor", name, k), parts(size, alike)) for k, size in enumerate(shape)])
    terms = [tuple(map(to_raw, value)) for value in values]
    nodes = {}
    for (name, node), argument in zip(walk.opaque.items(), terms[len(sides) :], strict=True):
        wholes = (Mul(*(variable.size for variable in leg)) for leg in node.legs)
        axes = [split.get(("tensor", name, k), parts(size, alike)) for k, size in enumerate(wholes)]
        if any(isinstance(size, tuple) for axis in axes for size in axis):
            raise UnsupportedNodeError(f"{node.function} of a block matrix: apply it to the blocks")
        nodes[name] = Node(node.function, node.rows, tuple(size_name(size) for axis in axes for size in axis), argument, None, ())
    return Expanded(tuple(terms[: len(sides)]), tensors, nodes, walk.inverses)


def all_solved(terms: Iterable[Entry], output: tuple[Index, ...], node: str | None = None) -> list[Solved]:
    """Terms with their equations solved, without those that are zero."""
    out = []
    for term in terms:
        try:
            out.append(solved(term, output, node))
        except Apart:
            continue
    return out


def solved(entry: Entry, output: tuple[Index, ...], node: str | None) -> Solved:
    """A term with its equations solved; one that cannot be solved yet waits for others, which may split its variables."""
    bindings = Bindings(held=dict(entry.held))
    waiting = list(entry.equations)
    while waiting:
        later = []
        for left, right in waiting:
            try:
                bindings.unify(left, right)
            except ShapeError:
                later.append((left, right))
        if len(later) == len(waiting):
            bindings.unify(*later[0])
        waiting = later
    names: dict[str, Index] = {}
    for name, index in entry.names:
        bindings.unify(names.setdefault(name, index), index)
    return Solved(entry._replace(names=tuple(sorted(names.items()))), output, bindings, node)


# --- axes that are split ----------------------------------------------------------------------------------------------


def split_alike(values: list[list[Solved]], walk: Walk) -> dict[tuple, Shape]:
    """Split axes in each term as they are split in others, until nothing changes; what each axis is split into.

    An axis of size n d that is split nowhere is a pair of indices in any case, one for each factor of its size; one of size n + m is
    one of blocks. Where a term is split into blocks, a term for each block takes its place.
    """
    while True:
        finest: dict[tuple, Shape] = {}
        for term in (term for value in values for term in value):
            for key, index in term.places():
                shape = term.bindings.shape(index)
                if key not in finest or fineness(shape) > fineness(finest[key]):
                    finest[key] = shape
        changed = False
        for value in values:
            value[:] = [new for term in value for new in split_term(term, finest, walk)]
            changed |= any(term.bindings.shape(index) != finest[key] for term in value for key, index in term.places())
        if changed:
            continue
        alike = by_size(finest)
        for value in values:
            whole = [next(unsplit(term, alike), None) for term in value]
            if any(variable is not None for variable in whole):
                changed = True
                pairs = list(zip(value, whole, strict=True))
                value[:] = [
                    new for term, v in pairs for new in ([term] if v is None else bound(term, (v,), parts(v.size, alike), walk))
                ]
        if not changed:
            return finest


def fineness(shape: Shape) -> int:
    """How many variables an index of a shape has."""
    return sum(2 if isinstance(size, tuple) else 1 for size in shape)


def split_term(term: Solved, finest: Mapping[tuple, Shape], walk: Walk) -> list[Solved]:
    """A term with its axes split as they are split elsewhere."""
    out = [term]
    for key, index in term.places():
        out = [
            new
            for one in out
            for new in ([one] if one.bindings.shape(index) == finest[key] else bound(one, index, finest[key], walk))
        ]
    return out


def bound(term: Solved, index: Index, shape: Shape, walk: Walk) -> list[Solved]:
    """A term with an index split into variables of these sizes; a term for each choice of blocks."""
    blocks = [range(len(size)) if isinstance(size, tuple) else [None] for size in shape]
    choices = list(product(*blocks))
    walk.count(len(choices) - 1)
    out = []
    for chosen in choices:
        new = term._replace(bindings=term.bindings.copy()) if len(choices) > 1 else term
        pieces: Index = ()
        for size, number in zip(shape, chosen, strict=True):
            pair, held = walk.in_block(number, size) if isinstance(size, tuple) else (walk.fresh(size), ())
            new.bindings.held.update(held)
            pieces += pair
        try:
            new.bindings.unify(index, pieces)
        except Apart:
            continue
        out.append(new)
    return out


def by_size(splits: Mapping[tuple, Shape]) -> dict[Expr, Shape]:
    """What axes of a size are split into where some are."""
    out: dict[Expr, Shape] = {}
    for shape in splits.values():
        if fineness(shape) > 1:
            out.setdefault(Mul(*(Add(*size) if isinstance(size, tuple) else size for size in shape)), shape)
    return out


def unsplit(term: Solved, alike: Mapping[Expr, Shape]) -> Iterator[Variable]:
    """The variables of a term whose size is a product or a sum."""
    for index in indices_of(term):
        for variable in term.bindings.resolve(index):
            if variable.size != 1 and parts(variable.size, alike) != (variable.size,):
                yield variable


def parts(size: Expr, alike: Mapping[Expr, Shape]) -> Shape:
    """What an axis of a size is split into where nothing else says so: as another one of its size, or by names."""
    if size in alike and not isinstance(size, Integer):
        return alike[size]
    if not isinstance(size, Add):
        return factors_of(size)
    if not all(isinstance(part, Symbol | Integer) for part in size.args):
        raise UnsupportedNodeError(f"a part of the size {size} is neither a symbol nor a number")
    return (tuple(sorted(size.args, key=str)),)


def factors_of(size: Expr) -> tuple[Expr, ...]:
    """The symbols and the number that a size is a product of, by name; the size itself where it is not one; none for 1."""
    powers = sorted(size.as_powers_dict().items(), key=lambda item: str(item[0]))
    if isinstance(size, Integer) or not all(
        isinstance(b, Symbol | Integer) and isinstance(e, Integer) and e > 0 for b, e in powers
    ):
        return (size,) if size != 1 else ()
    return tuple(base for base, exponent in powers for _ in range(int(exponent)) if base != 1)


def parts_of(name: str, shape: Sequence[Shape]) -> dict[str, Axes]:
    """The axes of a tensor; along axes of blocks every choice of blocks is a tensor of its own, each leg of it an axis."""
    legs = [size for axis in shape for size in axis]
    if not any(isinstance(size, tuple) for size in legs):
        return {name: tuple(tuple(map(size_name, axis)) for axis in shape)}
    out = {}
    for chosen in product(*(range(len(size)) if isinstance(size, tuple) else [None] for size in legs)):
        sizes = (size if number is None else size[number] for size, number in zip(legs, chosen, strict=True))
        out[part_name(name, chosen)] = tuple((size_name(size),) for size in sizes)
    return out


def part_name(name: str, chosen: Iterable[int | None]) -> str:
    """The name of a tensor held at some blocks."""
    words = [":" if number is None else str(number) for number in chosen]
    return f"{name} [{','.join(words)}]" if any(word != ":" for word in words) else name


def indices_of(term: Solved) -> list[Index]:
    """All indices of a term, as they were before its equations were solved."""
    entry = term.entry
    legs = [index for _, axes in entry.factors for index in axes]
    return [*legs, *term.output, *(index for _, index in entry.names), *entry.summed]


# --- numbers for indices ----------------------------------------------------------------------------------------------


def to_raw(term: Solved) -> Term:
    """A solved term with numbered indices."""
    bindings, held = term.bindings, term.bindings.held
    number: dict[Variable, int] = {}
    sizes: list[Size] = []

    def numbered(variables: Iterable[Variable]) -> tuple[int, ...]:
        variables = tuple(variables)
        for variable in variables:
            if variable not in number:
                number[variable] = len(sizes)
                sizes.append(size_name(variable.size))
        return tuple(number[variable] for variable in variables)

    factors = []
    for name, axes in term.entry.factors:
        legs = [variable for axis in axes for variable in bindings.resolve(axis)]
        if unit_place(name) is not None and len(legs) != 1:
            raise ShapeError(f"{name} stands on an axis that is a product or a sum")
        blocks = [
            held[before].number if before in held else None
            for before, v in zip([None, *legs], legs, strict=False)
            if v not in held
        ]
        factors.append((part_name(name, blocks), numbered(v for v in legs if v not in held)))
    output = numbered(variable for index in term.output for variable in bindings.resolve(index))
    for name, index in term.entry.names:
        if len(bindings.resolve(index)) != 1:
            raise ShapeError(f"the index {name} runs along an axis that is a product or a sum")
    names = tuple((name, numbered(bindings.resolve(index))[0]) for name, index in term.entry.names)
    factors += [(f"unit {part.number}", (number[variable],)) for variable, part in held.items() if variable in number]
    summed = dict.fromkeys(variable for index in term.entry.summed for variable in bindings.resolve(index))
    value = term.entry.scalar
    for variable in summed:  # a sum of 1 over the index
        if variable not in number and variable not in held:
            value = times(value, size_scalar(size_name(variable.size)))
    return Term(value, tuple(factors), tuple(sizes), output, names)


def size_name(size: Expr) -> Size:
    """A size as a certificate has it; the text of one that is neither number nor symbol."""
    return int(size) if isinstance(size, Integer) else size.name if isinstance(size, Symbol) else str(size)
