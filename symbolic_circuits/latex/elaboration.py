r"""The state while a formula gets its meaning: what is declared, which indices are bound, which sizes are known."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from sympy import Expr, Identity, Integer, Symbol
from sympy.tensor.array.expressions import OneArray

from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex.atoms import Atom
from symbolic_circuits.latex.declared import Family, Index, Key, Symbols
from symbolic_circuits.latex.sizes import Axis, Mismatch, Sizes, Unknown, axis_text, shape_text, size_expr, unknowns
from symbolic_circuits.latex.source import Source, Span
from symbolic_circuits.latex.values import Value, scalar, scaled
from symbolic_circuits.syntax.arrays import Row
from symbolic_circuits.syntax.contract import contract

__all__ = ["BoundIndex", "Elaboration"]

MAX_CALLS = 400


@dataclass
class BoundIndex:
    """An index in force: its symbol and its range; a number where a sum is written out."""

    name: str
    symbol: Expr
    axis: Axis
    span: Span
    declared: bool
    from_one: bool = False  # of a sum that is written out from 1


class Elaboration:
    """What is known while one chain of equations is read."""

    def __init__(self, symbols: Symbols, source: Source) -> None:
        self.symbols, self.source = symbols, source
        self.sizes = Sizes()
        self.scopes: list[dict[str, BoundIndex]] = []
        self.free: dict[str, BoundIndex] = {}
        self.by_symbol: dict[str, BoundIndex] = {}
        self.arguments: dict[str, Value] = {}
        self.calls = 0
        self.written = 0
        self.fresh_sizes: set[str] = set()
        self.any_size: set[Unknown] = set()  # unknown sizes of the sides themselves, which may be any
        self.zeros_are_blocks = False  # whether a 0 in a column of numbers may be a block of zeros
        self.summed: frozenset[str] | None = None  # with the Einstein convention: the indices that are free
        self.foreign: frozenset[str] = frozenset()  # symbols of indices that came into a definition with its arguments

    # ---- errors
    def error(self, message: str, span: Span) -> LatexError:
        """An error at a place of the formula."""
        return self.source.error(message, span)

    def undeclared(self, name: str, key: Key, span: Span) -> LatexError:
        """A name that nothing is known of."""
        if any(later.base == key.base and (later == key or later.sub == key.sub) for later in self.symbols.later):
            return self.error(f"{name} is defined further down: definitions are circular or in the wrong order", span)
        close = nearest(name, self.symbols.names())
        hint = f"; did you mean {close}?" if close else ""
        known = ", ".join(self.symbols.names()[:12]) or "nothing"
        return self.error(f"{name} is not declared{hint} (declared: {known})", span)

    # ---- sizes
    def unify(self, left: Axis, right: Axis, what_left: str, what_right: str, span: Span) -> None:
        """Two axes have one size."""
        try:
            self.sizes.unify(left, right, (what_left, what_right, span, self.source))
        except Mismatch as error:
            raise self.error(
                f"{what_left} {has(what_left)} size {axis_text(self.known(error.left))}, "
                f"but {what_right} {has(what_right)} size {axis_text(self.known(error.right))}",
                span,
            ) from None

    def unify_shapes(self, left: Value, right: Value, doing: str, span: Span) -> None:
        """Two values have one shape."""
        shapes = f"{self.shape(left)} and {self.shape(right)}"
        if left.order != right.order:
            raise self.error(f"{doing} of different shapes: {shapes}", span)
        for a, b in zip(left.axes, right.axes, strict=True):
            try:
                self.sizes.unify(a, b, (doing, shapes, span, self.source))
            except Mismatch:
                raise self.error(f"{doing} of different shapes: {shapes}", span) from None

    def known(self, axis: Axis) -> Axis:
        """An axis with what is known of it."""
        return self.sizes.known(axis)

    def shape(self, value: Value) -> str:
        """A shape for messages."""
        return shape_text(self.known(axis) for axis in value.axes)

    def size(self, axis: Axis, span: Span, what: str) -> Expr:
        """The size of an axis when everything is read."""
        found = self.known(axis)
        for unknown in unknowns(found):
            if unknown.is_free and unknown in self.any_size:
                self.sizes.bound[unknown] = (self.fresh_size(),)
        found = self.known(found)
        if unknowns(found):
            raise self.error(
                f"the size of {what} does not follow from the formula: write it, as in I_d or \\sum_{{i \\in d}}", span
            )
        return size_expr(found)

    def settle(self) -> None:
        """Everything is read: sizes that wait are found or differ."""
        try:
            self.sizes.settle()
            if self.sizes.waiting:
                left, right, (first, second, span, source) = self.sizes.waiting[0]
                raise source.error(
                    f"{axis_text(self.known(left))} and {axis_text(self.known(right))} are equal sizes ({first}; {second}), which can be so in "
                    "several ways: write the sizes of identity matrices, as in I_d",
                    span,
                )
        except Mismatch as error:
            left, right, span, source = error.mark
            raise source.error(
                f"sizes differ: {axis_text(self.known(error.left))} and {axis_text(self.known(error.right))} ({left}; {right})",
                span,
            ) from None

    def fresh_size(self) -> str:
        """A name for a size that may be any."""
        taken = self.symbols.sizes | self.fresh_sizes
        name = next(f"N_{k}" for k in range(1, 1000) if f"N_{k}" not in taken)
        self.fresh_sizes.add(name)
        return name

    # ---- indices
    def lookup(self, name: str) -> BoundIndex | None:
        """An index that is in force."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return self.free.get(name)

    def declared_range(self, name: str) -> Axis | None:
        """The range that an index is declared with."""
        for entry in self.symbols.entries.get(key_of_word(name), ()):
            if isinstance(entry, Index):
                return entry.range
        labelled = {
            e.heads for group in self.symbols.entries.values() for e in group if isinstance(e, Family) and e.label == name
        }
        return labelled.pop() if len(labelled) == 1 else None

    def as_number(self, atom: Atom) -> Atom:
        """The number of an index of a sum that is written out; other parts of scripts as they are."""
        index = self.lookup(atom.text) if atom.kind == "word" else None
        if index is None or not isinstance(index.symbol, Integer):
            return atom
        number = Fraction(int(index.symbol))
        return Atom("number", str(number), atom.span, number, index.from_one)

    def may_be_index(self, atom: Atom) -> bool:
        """Whether a part of a script can be an index: in force, declared, a number, or a small letter that means nothing else."""
        if atom.kind == "number":
            return atom.number.denominator == 1
        if atom.kind != "word":
            return False
        if self.lookup(atom.text) is not None or self.declared_range(atom.text) is not None:
            return True
        letter = atom.text.split("_")[0].replace("prime", "")
        is_letter = (len(letter) == 1 and letter.islower()) or letter in (
            "alpha",
            "beta",
            "gamma",
            "mu",
            "nu",
            "rho",
            "sigma",
            "tau",
            "ell",
        )
        return is_letter and not self.is_known(atom.text)

    def is_known(self, name: str) -> bool:
        """Whether a word is declared as something other than an index."""
        return bool(self.symbols.entries.get(key_of_word(name))) or name in self.arguments

    def index(self, atom: Atom) -> BoundIndex:
        """The index that a word stands for; a free one is made at its first use."""
        found = self.lookup(atom.text)
        if found is None:
            declared = self.declared_range(atom.text)
            axis = declared if declared is not None else (Unknown(f"the index {atom.text}", is_free=True),)
            found = self.new_index(atom.text, axis, atom.span, declared is not None)
            self.free[atom.text] = found
        return found

    def new_index(self, name: str, axis: Axis, span: Span, declared: bool) -> BoundIndex:
        """An index with a symbol of its own."""
        found = BoundIndex(name, self.fresh_symbol(name), axis, span, declared)
        self.by_symbol[found.symbol.name] = found
        return found

    def fresh_symbol(self, name: str) -> Symbol:
        """A symbol for an index; another one where the name is in use further out."""
        used, count = name, 0
        while used in self.by_symbol:
            count += 1
            used = f"{name}_{count}"
        return Symbol(used, integer=True, nonnegative=True)

    def attempt(self, read: Callable[[], Value]) -> Value:
        """What a reading gives; where it fails, nothing of it is kept."""
        kept = dict(self.sizes.bound), list(self.sizes.waiting), dict(self.free), dict(self.by_symbol), list(self.scopes)
        try:
            return read()
        except LatexError:
            self.sizes.bound, self.sizes.waiting, self.free, self.by_symbol, self.scopes = kept
            raise

    @contextmanager
    def bound(self, indices: Sequence[BoundIndex]) -> Iterator[None]:
        """The indices of a sum are in force."""
        self.scopes.append({index.name: index for index in indices})
        try:
            yield
        finally:
            self.scopes.pop()

    def place(self, atom: Atom, axis: Axis, what: str) -> tuple[Expr, tuple[str, ...]]:
        """The symbol or number of an index that stands at an axis, and the free name that it adds."""
        if atom.kind == "number":
            if atom.from_one:
                raise self.error(
                    "a sum that starts at 1 runs over all of a range here; positions and heads count from 0", atom.span
                )
            size = self.known(axis)
            number = int(atom.number)
            if (len(size) == 1 and isinstance(size[0], int) and number >= size[0]) or (not size and number):
                raise self.error(f"{what} has positions 0 to {axis_text(size)} - 1; got {number}", atom.span)
            return Integer(number), ()
        index = self.index(atom)
        self.unify(index.axis, axis, f"the index {atom.text}", what, atom.span)
        return index.symbol, (index.symbol.name,)

    def with_indices(self, value: Value, names: Sequence[str], where: str | None = None) -> Value:
        """The value for all of some indices: those that it lacks are put in as ones; if they must be declared, ``where`` says why."""
        for name in names:
            if name in value.indices:
                continue
            index = self.by_symbol[name]
            if where is not None and not index.declared:
                raise self.error(
                    f"the index {index.name} is not in {where}; declare it with its range ({index.name} in n) if this is meant for all "
                    f"{index.name}, or sum over it",
                    value.span,
                )
            value = scaled(self.one(index, value.span), value, value.span)
        return value

    def one(self, index: BoundIndex, span: Span) -> Value:
        """The number one, with a free index."""

        def build() -> Expr:
            size = self.size(index.axis, span, f"the index {index.name}")
            return contract([["i"], ["i"], []], OneArray(size), Row(Identity(size), index.symbol))

        return scalar(build, span, {index.symbol.name: 1})


def key_of_word(word: str) -> Key:
    """The key of a word with a subscript: ``h_2``."""
    base, _, sub = word.partition("_")
    return Key(base, sub)


def nearest(name: str, names: Sequence[str]) -> str | None:
    """The name that is most like one; neither script signs nor case are compared.

    >>> nearest("w_{O}", ["W_{OV}", "X"])
    'W_{OV}'
    """
    plain = {re.sub(r"[_^{}]", "", other).lower(): other for other in reversed(names) if other != name}
    close = get_close_matches(re.sub(r"[_^{}]", "", name).lower(), list(plain), n=1, cutoff=0.5)
    return plain[close[0]] if close else None


def has(what: str) -> str:
    """The verb behind a thing or things."""
    return "have" if re.match(r"(?:the|its) (?:rows|columns|heads|positions)\b", what) else "has"
