r"""Trees as plain data: X + X is the nodes [["Str", "X"], ["Integer", "2"], ["MatrixSymbol", 0, 1, 1], ["MatAdd", 2, 2]], roots [3].

A node is ``[class, what it holds..., numbers of its children...]``; children come before it, and what occurs twice is stored once.

| node | holds |
| --- | --- |
| ``Symbol``, ``Function`` (undefined) | name, declared assumptions |
| ``Dummy`` | name, a number that tells the dummies of one file apart (in their order), declared assumptions |
| ``Integer``; ``Rational`` | digits; digits of numerator and of denominator |
| ``Str``; ``Permutation`` | the text; the list of images |
| ``ImmutableDenseMatrix``, ``BlockMatrix``; ``ImmutableDenseNDimArray`` | rows and columns; the list of sizes; entries are children |

Nothing is evaluated, and time grows with the data, not with the paths through the tree (a sum shared 3000 levels deep has
:math:`2^{3000}`). Which nodes there are, and how each is put together, says :mod:`symbolic_circuits.syntax.tree_nodes`.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from math import gcd, prod

import sympy
from sympy import Dummy, Function, Integer, Rational, S, Symbol
from sympy.combinatorics import Permutation
from sympy.core.assumptions import _assume_defined as ASSUMPTIONS
from sympy.core.basic import Basic
from sympy.core.facts import InconsistentAssumptions
from sympy.core.function import AppliedUndef
from sympy.core.symbol import Str
from sympy.tensor.array import ImmutableDenseNDimArray

from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax.tree_nodes import MAX_RANK, PATTERNS, Known, described, made, over, shown

__all__ = ["from_data", "to_data"]

MAX_NODES = 1_000_000
MAX_NAME = 100  # characters
MAX_DIGITS = 4000  # of an integer
HELD = {  # node -> how many things it holds before its children
    **dict.fromkeys(["Integer", "Str", "Permutation", "ImmutableDenseNDimArray"], 1),
    **dict.fromkeys(["Symbol", "Rational", "Function", "ImmutableDenseMatrix", "BlockMatrix"], 2),
    "Dummy": 3,
}
CONSTANTS = {"Pi": S.Pi, "Exp1": S.Exp1, "ImaginaryUnit": S.ImaginaryUnit, "IdentityFunction": S.IdentityFunction}


def to_data(*exprs: Basic) -> dict[str, list]:
    """Trees as data that JSON can hold: ``{"nodes": [...], "roots": [a number for each tree]}``.

    Raises
    ------
    NotationError
        A tree has a node that is not one of the package's or of those of SymPy that it lowers, or could not be read again.

    Examples
    --------
    >>> from sympy import symbols
    >>> x, n = symbols("x n")
    >>> to_data(x * x + n)["nodes"]
    [['Symbol', 'n', {}], ['Symbol', 'x', {}], ['Integer', '2'], ['Pow', 1, 2], ['Add', 0, 3]]
    >>> from_data(to_data(x + n, n))
    [n + x, n]
    """
    nodes: list[list] = []
    numbers: dict[tuple, int] = {}  # equal nodes have one number; found without comparing trees, whose paths may be too many
    visited: dict[int, tuple[Basic, int]] = {}  # by identity; the tree is kept, so that its identity stays its own

    def number(tree: Basic, held: list, children: Sequence[Basic]) -> None:
        below = [visited[id(child)][1] for child in children]
        key = (json.dumps(held, sort_keys=True), *below)
        if key not in numbers:
            numbers[key] = len(nodes)
            nodes.append([*held, *below])
        visited[id(tree)] = tree, numbers[key]

    stack = [(tree, None, ()) for tree in reversed(exprs)]
    while stack:
        tree, held, children = stack.pop()
        if held is not None:
            number(tree, held, children)
        elif id(tree) not in visited:
            held, children = parts(tree)
            stack.append((tree, held, children))
            stack += [(child, None, ()) for child in reversed(children)]
    order = {index: k for k, index in enumerate(sorted(node[2] for node in nodes if node[0] == "Dummy"))}
    nodes = [["Dummy", node[1], order[node[2]], node[3]] if node[0] == "Dummy" else node for node in nodes]
    data = {"nodes": nodes, "roots": [visited[id(tree)][1] for tree in exprs]}
    from_data(data)  # what is written can be read
    return data


def parts(tree: Basic) -> tuple[list, Sequence[Basic]]:
    """What a node holds, and its children."""
    name = type(tree).__name__
    if isinstance(tree, Rational):
        if max(abs(tree.p), tree.q).bit_length() > 3 * MAX_DIGITS:  # before Python refuses to write it
            raise NotationError(f"a number of {int(tree.p).bit_length()} bits is too long; the limit is {MAX_DIGITS} digits")
        return (["Integer", str(tree.p)] if tree.q == 1 else ["Rational", str(tree.p), str(tree.q)]), ()
    if isinstance(tree, AppliedUndef):
        return ["Function", name, dict(type(tree)._kwargs)], tree.args
    if type(tree) in (Symbol, Dummy):
        index = [tree.dummy_index] if isinstance(tree, Dummy) else []
        return [name, tree.name, *index, dict(tree._assumptions_orig)], ()
    if type(tree) is Str:
        return [name, tree.name], ()
    if type(tree) is Permutation:
        return [name, tree.array_form], ()
    if isinstance(tree, ImmutableDenseNDimArray):
        return [name, [int(size) for size in tree.shape]], tree._array
    if type(tree) in (sympy.ImmutableDenseMatrix, sympy.BlockMatrix):
        entries = tree.blocks if isinstance(tree, sympy.BlockMatrix) else tree
        return [name, *entries.shape], entries.flat()
    if CONSTANTS.get(name) is tree:
        return [name], ()
    if PATTERNS.get(name, (None,))[0] is not type(tree):
        raise NotationError(f"a node of type {name} cannot be written as data")
    if isinstance(tree, sympy.IndexedBase) and (tree.offset != 0 or tree.strides is not None):
        raise NotationError(f"the base {tree.name} has an offset or strides, which its arguments do not say")
    return [name], tree.args


def from_data(data: object) -> list[Basic]:
    """The trees of data, as they were written: nothing is evaluated.

    Dummy symbols are new ones, that equal no others; within the data each stays one symbol.

    Raises
    ------
    NotationError
        The data are malformed, a node is unknown or too large, or its class refuses its children; the message has its number.
    """
    if not (isinstance(data, Mapping) and data.keys() == {"nodes", "roots"}):
        raise NotationError(f"trees are an object with nodes and roots; got {shown(data)}")
    nodes, roots = data["nodes"], data["roots"]
    if not isinstance(nodes, list) or not isinstance(roots, list) or max(len(nodes), len(roots)) > MAX_NODES:
        raise NotationError(f"nodes and roots are lists of at most {MAX_NODES}; got {shown(nodes)} and {shown(roots)}")
    reader = Reader(nodes)
    for k, node in enumerate(nodes):
        try:
            reader.read(k, node)
        except Exception as error:  # SymPy refuses with many kinds of them
            raise NotationError(f"node {k}, {shown(node)}: {shown(error)}") from error
    return [reader.known[reader.child(root, len(nodes), "a root")].tree for root in roots]


class Reader:
    """Reads nodes one after the other."""

    def __init__(self, nodes: list) -> None:
        self.known: list[Known] = []
        self.same: dict[tuple, Known] = {}  # nodes that are written twice are one
        dummies = (node for node in nodes if isinstance(node, list) and len(node) == 4 and node[0] == "Dummy")
        places = {node[2] for node in dummies if isinstance(node[2], int)}
        self.dummies = {place: Dummy().dummy_index for place in sorted(places)}  # new ones, in the order of the old ones

    def read(self, k: int, node: object) -> None:
        """Read node k."""
        if not isinstance(node, list) or not node or not isinstance(node[0], str):
            raise NotationError("a node is a list that begins with the name of its class")
        name, start = node[0], 1 + HELD.get(node[0], 0)
        held, children = node[1:start], [self.known[self.child(c, k, "a child")] for c in node[start:]]
        if name not in PATTERNS and name not in CONSTANTS and name not in HELD:
            raise NotationError("no node that can be read has this name")
        if len(held) < start - 1:
            raise NotationError(f"{name} holds {start - 1} things before its children")
        key = (name, json.dumps(held, sort_keys=True), *(id(child.tree) for child in children))
        if key not in self.same:
            tree, shallow = self.special(name, held, children) if name not in PATTERNS else made(name, children)
            self.same[key] = described(tree, shallow, children, k)
        self.known.append(self.same[key])

    def child(self, place: object, count: int, what: str) -> int:
        """The number of a node before."""
        if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < count:
            raise NotationError(f"{what} is the number of a node before, from 0 to {count - 1}; got {shown(place)}")
        return place

    def special(self, name: str, held: list, children: list[Known]) -> tuple[Basic, Basic]:
        """A node that holds more than its children; and the same over stand-ins."""
        if name in CONTAINERS:
            return CONTAINERS[name](*held, children)
        if children:
            raise NotationError(f"{name} has no children; got {len(children)}")
        if name == "Dummy":
            place = held[1]
            if isinstance(place, bool) or not isinstance(place, int):
                raise NotationError(f"dummies are told apart by a number; got {shown(place)}")
            tree = Dummy(plain(held[0]), dummy_index=self.dummies[place], **assumptions(held[2]))
        else:
            tree = CONSTANTS[name] if name in CONSTANTS else LEAVES[name](*held)
        return tree, tree


def plain(name: object) -> str:
    """A name without control characters."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise NotationError(f"a name has 1 to {MAX_NAME} printable characters; got {shown(name)}")
    return name


def assumptions(given: object) -> dict[str, bool]:
    """Declared assumptions."""
    if not isinstance(given, Mapping) or not given.keys() <= ASSUMPTIONS or not all(isinstance(v, bool) for v in given.values()):
        raise NotationError(f"assumptions are an object such as {{'real': true}}; got {shown(given)}")
    try:
        Symbol("x", **given)
    except InconsistentAssumptions:
        raise NotationError(f"the assumptions {shown(given)} contradict each other") from None
    return dict(given)


def whole(digits: object) -> int:
    """An integer."""
    if not isinstance(digits, str) or not re.fullmatch(rf"-?[0-9]{{1,{MAX_DIGITS}}}", digits, re.ASCII):
        raise NotationError(f"an integer is written as a text of at most {MAX_DIGITS} digits; got {shown(digits)}")
    return int(digits)


def rational(over: object, under: object) -> Rational:
    """A fraction in lowest terms."""
    p, q = whole(over), whole(under)
    if q < 2 or gcd(p, q) != 1:
        raise NotationError("a fraction is in lowest terms, its denominator at least 2")
    return Rational(p, q)


def counts(values: object) -> list[int]:
    """Sizes, or images of a permutation."""
    if not isinstance(values, list) or len(values) > MAX_RANK:
        raise NotationError(f"expected a list of at most {MAX_RANK} numbers; got {shown(values)}")
    if not all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= MAX_NODES for v in values):
        raise NotationError(f"expected numbers from 0 to {MAX_NODES}; got {shown(values)}")
    return values


def permutation(images: object) -> Permutation:
    """A permutation by its images."""
    if sorted(counts(images)) != list(range(len(images))):
        raise NotationError("a permutation has each of its places as an image once")
    return Permutation(images)


LEAVES: dict[str, Callable[..., Basic]] = {
    "Symbol": lambda name, given: Symbol(plain(name), **assumptions(given)),
    "Integer": lambda digits: Integer(whole(digits)),
    "Rational": rational,
    "Str": lambda name: Str(plain(name)),
    "Permutation": permutation,
}


def require_entries(sizes: list[int], children: list[Known], kinds: str) -> None:
    """The shape of an explicit array has a place for each entry."""
    if prod(counts(sizes)) != len(children):
        raise NotationError(f"the shape {sizes} has {prod(sizes)} entries; there are {len(children)}")
    if any(child.kind not in kinds for child in children):
        raise NotationError(f"the entries of an array are {'scalars' if 's' in kinds else 'matrices'}")


def dense(rows: object, cols: object, children: list[Known]) -> tuple[Basic, Basic]:
    """An explicit matrix; a symbol of its shape."""
    require_entries([rows, cols], children, "yis")
    return sympy.ImmutableDenseMatrix(rows, cols, [child.tree for child in children]), sympy.MatrixSymbol("X", rows, cols)


def blocks(rows: object, cols: object, children: list[Known]) -> tuple[Basic, Basic]:
    """A block matrix; its constructor checks the shapes of blocks in a list of rows."""
    require_entries([rows, cols], children, "m")
    shallow = sympy.BlockMatrix([[child.stand_in for child in children[k * cols : (k + 1) * cols]] for k in range(rows)])
    entries = sympy.ImmutableDenseMatrix(rows, cols, [child.tree for child in children], evaluate=False)
    return Basic.__new__(sympy.BlockMatrix, entries), shallow


def explicit(sizes: object, children: list[Known]) -> tuple[Basic, Basic]:
    """An explicit array; zeros of its shape."""
    require_entries(sizes, children, "yis")
    entries = [child.tree for child in children]
    return ImmutableDenseNDimArray(entries, sizes), ImmutableDenseNDimArray([0] * len(entries), sizes)


def undefined(name: object, given: object, children: list[Known]) -> tuple[Basic, Basic]:
    """An undefined function of scalars."""
    if not plain(name).isidentifier() or not children or any(child.kind not in "yis" for child in children):
        raise NotationError("a function has an identifier for a name, and one or more scalars for arguments")
    return over(Function(name, **assumptions(given)), children)


CONTAINERS: dict[str, Callable[..., tuple[Basic, Basic]]] = {
    "ImmutableDenseMatrix": dense,
    "BlockMatrix": blocks,
    "ImmutableDenseNDimArray": explicit,
    "Function": undefined,
}
