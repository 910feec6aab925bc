r"""Sums and products over indices: ``\sum_{j,k}``, ``\sum_{h \in H_1 \cup H_2}``, ``\sum_{i=1}^{n}``, ``\prod_{l=0}^{2}``."""

from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

from sympy import Integer

from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex import tree
from symbolic_circuits.latex.atoms import Atom, atoms_of
from symbolic_circuits.latex.elaboration import BoundIndex, Elaboration
from symbolic_circuits.latex.meaning import meaning, total
from symbolic_circuits.latex.products import times
from symbolic_circuits.latex.scanner import Token
from symbolic_circuits.latex.sizes import Axis, Unknown
from symbolic_circuits.latex.summing import summed_over
from symbolic_circuits.latex.values import Value

__all__: list[str] = []

MAX_WRITTEN_OUT = 64  # of one sum
MAX_WRITTEN = 1000  # of a formula


class Range(NamedTuple):
    """An index of a sum: what it runs over."""

    atom: Atom
    axes: tuple[Axis, ...] | None = None  # one after the other; None where it follows from the body
    numbers: tuple[int, int] | None = None  # from, to, where the sum is written out


@meaning.register
def _big(node: tree.Big, state: Elaboration) -> Value:
    """A sum or product."""
    ranges = ranges_of(node, state)
    if node.name == "prod":
        return product(node, ranges, state)
    return over(ranges, node, state)


def over(ranges: Sequence[Range], node: tree.Big, state: Elaboration) -> Value:
    """The sum over the ranges, first one outermost."""
    written = next((r for r in ranges if r.numbers is not None), None)
    if written is not None and written.numbers[0] in (0, 1):
        whole = [
            r._replace(axes=(((written.numbers[1] - written.numbers[0] + 1),),), numbers=None) if r is written else r
            for r in ranges
        ]
        try:
            return state.attempt(lambda: over(whole, node, state))
        except LatexError:
            pass  # not the whole of a range
    if written is not None:
        rest = [r for r in ranges if r is not written]
        values = [over_number(written, number, rest, node, state) for number in numbers_of(written, node, state)]
        return total(values, [1] * len(values), node.span, state)
    union = next((r for r in ranges if r.axes is not None and len(r.axes) > 1), None)
    if union is not None:
        parts = [over([r._replace(axes=(axis,)) if r is union else r for r in ranges], node, state) for axis in union.axes]
        return total(parts, [1] * len(parts), node.span, state)
    indices = [bound_index(r, state) for r in ranges]
    with state.bound(indices):
        body = meaning(node.body, state)
    return summed_over(indices, body, node.span, state)


def over_number(written: Range, number: int, rest: Sequence[Range], node: tree.Big, state: Elaboration) -> Value:
    """The summand at one number."""
    state.written += 1
    if state.written > MAX_WRITTEN:
        raise state.error(f"more than {MAX_WRITTEN} summands or factors are to be written out", node.span)
    name = written.atom.text
    axis: Axis = (Unknown(f"the index {name}"),)
    index = BoundIndex(name, Integer(number), axis, written.atom.span, True, written.numbers[0] == 1)
    with state.bound([index]):
        return over(rest, node, state) if rest else meaning(node.body, state)


def bound_index(r: Range, state: Elaboration) -> BoundIndex:
    """The index of a range."""
    name = r.atom.text
    axis = r.axes[0] if r.axes else state.declared_range(name)
    if axis is None:
        axis = (Unknown(f"the index {name}"),)
    return state.new_index(name, axis, r.atom.span, True)


def product(node: tree.Big, ranges: Sequence[Range], state: Elaboration) -> Value:
    """A product from one number to another, written out from left to right."""
    if len(ranges) != 1 or ranges[0].numbers is None:
        axes = ranges[0].axes if len(ranges) == 1 else None
        if axes is None or len(axes) != 1 or len(axes[0]) != 1 or not isinstance(axes[0][0], int):
            raise state.error(
                "a product runs from one number to another, as in \\prod_{l=0}^{2}: its factors are written out", node.span
            )
        ranges = [ranges[0]._replace(numbers=(0, axes[0][0] - 1))]
    values = [over_number(ranges[0], number, (), node, state) for number in numbers_of(ranges[0], node, state)]
    return reduce(lambda left, right: times(left, right, node.span, state), values)


def numbers_of(r: Range, node: tree.Big, state: Elaboration) -> range:
    """The numbers of a range that is written out."""
    first, last = r.numbers
    if not 0 < last - first + 1 <= MAX_WRITTEN_OUT:
        raise state.error(
            f"from {first} to {last} are {last - first + 1} summands; between 1 and {MAX_WRITTEN_OUT} are written out", node.span
        )
    return range(first, last + 1)


def ranges_of(node: tree.Big, state: Elaboration) -> list[Range]:
    """The indices under a sum, each with its range."""
    if not node.sub:
        raise state.error(f"\\{node.name} over what? expected an index below it, as in \\{node.name}_{{i}}", node.span)
    pieces = split([token for token in node.sub if token.kind not in ("LBRACE", "RBRACE")], "ROWSEP")  # of a \\substack
    if all(sum(is_at_most(token) for token in piece) == 2 for piece in pieces):
        return [between(piece, node, state) for piece in pieces]
    for token in node.sub:
        if token.kind in ("UNCHECKED", "COLON") or (token.kind == "RELATION" and token.value != "="):
            raise state.error(
                "a condition under a sum cannot be read: split the sum, or subtract what does not belong to it", token.span
            )
    relation = next((k for k, token in enumerate(node.sub) if token.kind == "RELATION"), None)
    if relation is not None:
        return [from_to(node, relation, state)]
    if node.sup:
        raise state.error("a sum with an upper end has a lower one, as in \\sum_{i=1}^{n}", node.span)
    return listed([token._replace(kind="COMMA") if token.kind == "ROWSEP" else token for token in node.sub], node, state)


def listed(tokens: Sequence[Token], node: tree.Big, state: Elaboration) -> list[Range]:
    """Names, with ``\\in`` and a range behind those that it holds for."""
    found: list[Range] = []
    waiting: list[Atom] = []
    part: list[Token] = []
    for place, token in enumerate([*tokens, Token("IN", "", node.span)]):
        if token.kind != "IN":
            part.append(token)
            continue
        if place == len(tokens):
            waiting += names_only(part, node, state)
            break
        waiting += names_only(part, node, state)
        end = range_end(tokens, place + 1)
        axes = tuple(axis_of(piece, node, state) for piece in split(tokens[place + 1 : end], "CUP"))
        found += [Range(atom, axes) for atom in waiting]
        rest = listed(tokens[end + 1 :], node, state) if end + 1 < len(tokens) else []
        return [*found, *rest]
    found += [Range(atom) for atom in waiting]
    if not found:
        raise state.error("a sum has an index below it", node.span)
    return found


def range_end(tokens: Sequence[Token], k: int) -> int:
    """Where the range ends: at a comma, or at the end."""
    while k < len(tokens) and tokens[k].kind != "COMMA":
        k += 1
    return k


def split(tokens: Sequence[Token], kind: str) -> list[Sequence[Token]]:
    """Parts between tokens of one kind."""
    out: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == kind:
            out.append([])
        else:
            out[-1].append(token)
    return out


def names_only(tokens: Sequence[Token], node: tree.Big, state: Elaboration) -> list[Atom]:
    """The names of indices."""
    atoms = atoms_of(tokens, state.source)
    for atom in atoms:
        if atom.kind != "word":
            raise state.error(f"{atom.text} is no name of an index", atom.span)
    return list(atoms)


def axis_of(tokens: Sequence[Token], node: tree.Big, state: Elaboration) -> Axis:
    """A range: a size by name or number, also in brackets as [n]."""
    inside = [token for token in tokens if token.kind not in ("OPEN", "CLOSE", "LBRACE", "RBRACE")]
    atoms = atoms_of(inside, state.source)
    if len(atoms) != 1 or atoms[0].kind not in ("word", "number"):
        raise state.error("the range of an index is a size, as in h \\in H or i \\in [n]", node.span)
    [atom] = atoms
    if atom.kind == "number":
        return (int(atom.number),)
    if atom.text not in state.symbols.sizes:
        raise state.error(
            f"{atom.text} is no size that is declared; sizes are {', '.join(sorted(state.symbols.sizes)) or 'none'}", atom.span
        )
    return (atom.text,)


def from_to(node: tree.Big, relation: int, state: Elaboration) -> Range:
    r"""``\sum_{i=1}^{n}`` and ``\sum_{i=0}^{n-1}`` are over the whole range n; from number to number it is written out."""
    if not node.sup:
        raise state.error("a sum with a lower end has an upper one, as in \\sum_{i=1}^{n}", node.span)
    return ends(node.sub[:relation], node.sub[relation + 1 :], node.sup, node, state)


def is_at_most(token: Token) -> bool:
    """Whether a token is a less-or-equal sign."""
    return token.kind == "UNCHECKED" and token.value in ("leq", "le")


def between(tokens: Sequence[Token], node: tree.Big, state: Elaboration) -> Range:
    r"""``0 \leq i \leq n - 1``."""
    first, second = (k for k, token in enumerate(tokens) if is_at_most(token))
    return ends(tokens[first + 1 : second], tokens[:first], tokens[second + 1 :], node, state)


def ends(name: Sequence[Token], lowest: Sequence[Token], highest: Sequence[Token], node: tree.Big, state: Elaboration) -> Range:
    """The range of an index from its lowest to its highest value."""
    names, low = names_only(name, node, state), number_of(lowest)
    if len(names) != 1 or low is None or not highest:
        raise state.error("a sum runs from a number, as in \\sum_{i=1}^{n}", node.span)
    high = number_of(highest)
    if high is not None:
        return Range(names[0], None, (low, high))
    tokens = [token for token in highest if token.kind not in ("LBRACE", "RBRACE")]
    minus = len(tokens) > 2 and tokens[-2].kind == "MINUS" and tokens[-1].kind == "NUMBER" and tokens[-1].value == 1
    if low == 1 and not minus:
        return Range(names[0], (axis_of(tokens, node, state),))
    if low == 0 and minus:
        return Range(names[0], (axis_of(tokens[:-2], node, state),))
    raise state.error("a sum runs over a whole range: from 1 to n, or from 0 to n - 1", node.span)


def number_of(tokens: Sequence[Token]) -> int | None:
    """A whole number."""
    found = [token for token in tokens if token.kind not in ("LBRACE", "RBRACE")]
    if len(found) == 1 and found[0].kind == "NUMBER" and isinstance(found[0].value, Fraction) and found[0].value.denominator == 1:
        return int(found[0].value)
    return None
