r"""Identity files: sums of einsum terms that are claimed to be equal, as JSON.

An identity is an object; a file holds one, a list of them, or ``{"version": 1, "identities": [...]}``.

| key | meaning |
| --- | --- |
| ``id`` | a name for reports; optional |
| ``lhs``, ``rhs`` | lists of terms ``[coefficient, einsum, [names]]``; ``[]`` is zero |
| ``shapes`` | tensor -> list of sizes; a name claims all sizes, a number that one |
| ``given`` | tensor -> list of laws, such as ``"symmetric(0,1)"`` (:mod:`symbolic_circuits.algebra.laws`); optional |
| ``defs`` | tensor -> terms; the letters of the output give the order of its axes; optional |

A coefficient is an integer or ``"p/q"``. An einsum is ``"ij,jk->ik"`` with the meaning of numpy.einsum, an output letter may be
repeated (``"i->ii"`` is a diagonal matrix); without ``->`` the output is as numpy.einsum has it. Where 52 letters are too few it is
``[[inputs...], output]`` with lists of numbers or words for letters: ``[[["i", "j"], ["j", "k"]], ["i", "k"]]``.
"""

import json
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from symbolic_circuits.algebra.decide import decide
from symbolic_circuits.algebra.laws import parse_law
from symbolic_circuits.algebra.open_terms import Axis, Open, OpenTerm
from symbolic_circuits.algebra.scalar import number
from symbolic_circuits.algebra.statement import Statement
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.errors import IdentityError, LawError, ShapeError, SymbolicCircuitsError

__all__ = ["Identity", "parse_identity", "printable", "prove_identity", "read_identities", "read_json"]

VERSION = 1
KEYS = {"id", "lhs", "rhs", "shapes", "given", "defs"}
REMARKS = {"version", "comment", "note", "source"}  # read over
EXACT = re.compile(r"\s*[+-]?[0-9]{1,1000}(\s*/\s*[0-9]{1,1000})?\s*")
SIZE = re.compile(r"[^\W\d][\w^.{}']{0,99}")
LIMIT = 10_000  # terms, factors, axes: beyond it something else is meant


class Identity(NamedTuple):
    """An identity as read."""

    id: str
    statement: Statement
    ignored: tuple[str, ...]  # keys that mean nothing here


def read_identities(path: Path | str) -> list[Identity]:
    """The identities of a JSON file (the form is above: :mod:`symbolic_circuits.identities.files`), each with a name.

    Raises
    ------
    IdentityError
        The file is not JSON, or an identity has no meaning; the message says which and where.

    Examples
    --------
    >>> import tempfile
    >>> product = [1, "ij,jk->ik", ["A", "B"]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "trivial.json")
    ...     _ = path.write_text(json.dumps({"lhs": [product], "rhs": [product], "shapes": {"A": ["n", "m"], "B": ["m", "d"]}}))
    ...     found = read_identities(path)
    >>> [(identity.id, decide(identity.statement).verdict) for identity in found]
    [('trivial', 'proved')]
    """
    data = read_json(path)
    if isinstance(data, Mapping) and "identities" in data:
        if data.get("version", VERSION) != VERSION:
            raise IdentityError(f"{path} is of version {data['version']!r}; this package reads version {VERSION}")
        data = data["identities"]
    items = data if isinstance(data, list) else [data]
    return [
        parse_identity(item, default=f"{Path(path).stem}#{k}" if len(items) > 1 else Path(path).stem)
        for k, item in enumerate(items)
    ]


def read_json(path: Path | str) -> Any:
    """A JSON file; a key that occurs twice is an error."""
    try:
        return json.loads(
            Path(path).read_text(encoding="utf-8"), object_pairs_hook=without_duplicates, parse_constant=no_constant
        )
    except RecursionError:
        raise IdentityError(f"{path} is nested too deeply") from None
    except UnicodeDecodeError as error:
        raise IdentityError(f"{path} is not UTF-8 text: {error}") from None
    except json.JSONDecodeError as error:
        raise IdentityError(f"{path} is not JSON: {error}") from None
    except ValueError as error:
        raise IdentityError(f"{path}: {error}") from None


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ."""
    out = dict(pairs)
    if len(out) < len(pairs):
        twice = next(key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1)
        raise IdentityError(f"the key {twice!r} occurs twice in one object")
    return out


def no_constant(text: str) -> None:
    """NaN and infinities are no numbers."""
    raise IdentityError(f"{text} is not a number of JSON")


def prove_identity(identity: Mapping[str, Any], *, seed: int = 0) -> Verdict:
    """The verdict on one identity, given as in an identity file (:func:`read_identities`).

    Parameters
    ----------
    identity : an object with ``lhs``, ``rhs``, ``shapes``, and what is optional
    seed : of the search for a counterexample under laws

    Raises
    ------
    IdentityError, ShapeError, LawError
        It has no meaning; the message says where.

    Examples
    --------
    >>> trace = {"lhs": [[1, "ij,ji->", ["A", "B"]]], "rhs": [[1, "ij,ji->", ["B", "A"]]], "shapes": {"A": ["n", "d"], "B": ["d", "n"]}}
    >>> prove_identity(trace).verdict
    'proved'
    """
    return decide(parse_identity(identity).statement, seed=seed)


def parse_identity(identity: Any, *, default: str = "identity") -> Identity:
    """The statement of an identity.

    Raises
    ------
    IdentityError
        A name is not declared, an einsum is malformed, a size is summed and free, a definition is circular ...
    ShapeError
        Sizes that meet differ.
    LawError
        A law is unknown, does not fit, or contradicts others.
    """
    if not isinstance(identity, Mapping):
        raise IdentityError(f"an identity is an object with {', '.join(sorted(KEYS))}; got {type(identity).__name__}")
    name = identity.get("id", default)
    if not isinstance(name, str | int) or isinstance(name, bool):
        raise IdentityError(f"an id is a word or a number; got {name!r}")
    try:
        statement = Reader(identity).statement()
    except SymbolicCircuitsError as error:
        raise type(error)(f"identity {str(name)!r}: {error}") from error
    return Identity(printable(str(name)), statement, tuple(sorted(str(key) for key in set(identity) - KEYS - REMARKS)))


def printable(text: str) -> str:
    """Text for reports: characters that are not printable are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class Reader:
    """Reads the parts of one identity; shapes of defined tensors are found on the way."""

    def __init__(self, identity: Mapping[str, Any]) -> None:
        self.identity = identity
        self.axes: dict[str, tuple[Axis, ...]] = {name: self.shape(name, sizes) for name, sizes in self.part("shapes").items()}
        self.defs = self.part("defs")
        self.definitions: dict[str, Open] = {}
        self.being_read: list[str] = []

    def part(self, key: str) -> Mapping[str, Any]:
        """An object that may be missing."""
        value = self.identity.get(key, {})
        if not isinstance(value, Mapping):
            raise IdentityError(f"{key} is an object, tensor -> ...; got {type(value).__name__}")
        return value

    def statement(self) -> Statement:
        """The statement."""
        for side in ("lhs", "rhs"):
            if side not in self.identity:
                raise IdentityError(f"there is no {side}; zero is written []")
        for name in self.defs:
            self.define(name)
        left, right = (self.terms(self.identity[side], side) for side in ("lhs", "rhs"))
        left, right = left or Open(right.axes if right else (), ()), right or Open(left.axes if left else (), ())
        laws = []
        for name, texts in self.part("given").items():
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                raise LawError(f"the laws of {name} are a list of words; got {texts!r}")
            if name not in self.axes:
                raise LawError(f"laws are given for {name}, which has no shape; declared are {listed(self.axes)}")
            laws += [parse_law(name, text) for text in texts]
        sizes = frozenset(size for axes in self.axes.values() for axis in axes for size in axis if isinstance(size, str))
        return Statement(left, right, self.axes, tuple(laws), self.definitions, size_symbols=sizes)

    def shape(self, name: str, sizes: Any) -> tuple[Axis, ...]:
        """The axes of a declared tensor; one of size 1 has no leg."""
        if not isinstance(name, str) or not name or name.startswith("unit ") or not name.isprintable():
            raise IdentityError(f"{name!r} is not a name for a tensor")
        if not isinstance(sizes, list):
            raise IdentityError(f"the shape of {name} is a list of sizes; got {sizes!r}")
        return tuple(self.axis(name, size) for size in sizes)

    @staticmethod
    def axis(name: str, size: Any) -> Axis:
        """One axis."""
        if isinstance(size, str) and re.fullmatch(r"[0-9]{1,9}", size):
            size = int(size)
        if isinstance(size, int) and not isinstance(size, bool) and size >= 1:
            return () if size == 1 else (size,)
        if isinstance(size, str) and SIZE.fullmatch(size):
            return (size,)
        raise IdentityError(f"a size of {name} is a positive integer or a name; got {size!r}")

    def define(self, name: str) -> None:
        """Read the definition of a tensor, and first those that it uses."""
        if name in self.definitions:
            return
        if name in self.being_read:
            path = " -> ".join([*self.being_read[self.being_read.index(name) :], name])
            raise IdentityError(f"the definition of {name} is circular: {path}")
        self.being_read.append(name)
        value = self.terms(self.defs[name], f"the definition of {name}")
        self.being_read.pop()
        if value is None and name not in self.axes:
            raise IdentityError(f"{name} is defined as zero, so that its shape must be declared")
        value = value or Open(self.axes[name], ())
        if self.axes.setdefault(name, value.axes) != value.axes:
            raise ShapeError(f"{name} is declared as {show(self.axes[name])} and defined as {show(value.axes)}")
        self.definitions[name] = value

    def terms(self, terms: Any, where: str) -> Open | None:
        """A sum of terms; None where it is empty, so that its shape is not known."""
        if not isinstance(terms, list) or len(terms) > LIMIT:
            raise IdentityError(f"{where} is a list of terms [coefficient, einsum, [names]]; got {str(terms)[:60]!r}")
        values = [self.term(term, f"term {k} of {where}") for k, term in enumerate(terms)]
        for k, value in enumerate(values):
            if value.axes != values[0].axes:
                raise ShapeError(f"{where}: term 0 has the shape {show(values[0].axes)}, term {k} has {show(value.axes)}")
        return Open(values[0].axes, tuple(t for value in values for t in value.terms)) if values else None

    def term(self, term: Any, where: str) -> Open:
        """One term."""
        if not isinstance(term, list) or len(term) != 3:
            raise IdentityError(f"{where} is [coefficient, einsum, [names]]; got {str(term)[:80]}")
        coefficient, einsum, names = term
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > LIMIT:
            raise IdentityError(f"{where}: the operands are a list of names; got {str(names)[:80]}")
        for name in names:
            if name in self.defs:
                self.define(name)
            if name not in self.axes:
                raise IdentityError(f"{where}: {name} is not declared; declared are {listed(self.axes)}")
        inputs, output = split(einsum, len(names), where)
        sizes: dict[str, tuple[Axis, str]] = {}
        for name, letters in zip(names, inputs, strict=True):
            if len(letters) != len(self.axes[name]):
                raise IdentityError(
                    f"{where}: {name} has {len(self.axes[name])} axes, but {len(letters)} indices {shown(letters)}"
                )
            for k, (letter, axis) in enumerate(zip(letters, self.axes[name], strict=True)):
                known, owner = sizes.setdefault(letter, (axis, f"axis {k} of {name}"))
                if known != axis:
                    raise ShapeError(
                        f"{where}: axis {k} of {name} has size {show((axis,))}, but {owner} has size {show((known,))}; "
                        f"both are the index {letter}"
                    )
        for letter in output:
            if letter not in sizes:
                raise IdentityError(f"{where}: the output index {letter} is in none of the inputs")
        return assembled(exact(coefficient, where), names, inputs, output, {k: axis for k, (axis, _) in sizes.items()}, self.axes)


def listed(names: Mapping[str, object]) -> str:
    """Names for an error message."""
    return ", ".join(sorted(names)[:20]) or "none"


def shown(letters: tuple[str, ...]) -> str:
    """Indices for an error message."""
    return ", ".join(letters) or "(none)"


def show(axes: tuple[Axis, ...]) -> str:
    """Sizes for an error message."""
    return " x ".join("*".join(map(str, axis)) or "1" for axis in axes) or "a scalar"


def exact(value: Any, where: str) -> Fraction:
    """A coefficient."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Fraction(value)
    if isinstance(value, str) and EXACT.fullmatch(value):
        try:
            return Fraction("".join(value.split()))
        except ZeroDivisionError:
            raise IdentityError(f"{where}: the coefficient {value!r} divides by zero") from None
    raise IdentityError(f'{where}: a coefficient is an integer or "p/q"; got {value!r}')


def split(einsum: Any, count: int, where: str) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Indices of the inputs and of the output."""
    if isinstance(einsum, str):
        return split_letters(einsum.replace(" ", ""), count, where)
    return split_lists(einsum, count, where)


def split_letters(einsum: str, count: int, where: str) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Indices of an einsum string."""
    body, arrow, output = einsum.partition("->")
    if not re.fullmatch(r"[A-Za-z,]*", body) or not re.fullmatch(r"[A-Za-z]*", output):
        raise IdentityError(f'{where}: an einsum is letters and commas, then "->" and letters; got {einsum!r}')
    inputs = [tuple(part) for part in body.split(",")] if body or count else []
    if len(inputs) != count:
        raise IdentityError(f"{where}: the einsum {einsum!r} has {len(inputs)} inputs for {count} operands")
    letters = [letter for part in inputs for letter in part]
    implied = tuple(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return inputs, tuple(output) if arrow else implied


def split_lists(einsum: Any, count: int, where: str) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Indices given as lists: [[inputs...], output], or the inputs and then the output."""
    if isinstance(einsum, list) and len(einsum) == 2 and isinstance(einsum[0], list) and len(einsum[0]) == count:
        nested = [*einsum[0], einsum[1]]
        if all(isinstance(part, list) for part in nested):
            return lists_of_indices(nested, where)
    if isinstance(einsum, list) and len(einsum) == count + 1 and all(isinstance(part, list) for part in einsum):
        return lists_of_indices(einsum, where)
    raise IdentityError(f"{where}: an einsum is a string, or [[inputs...], output] with {count} inputs; got {str(einsum)[:80]}")


def lists_of_indices(parts: list[list], where: str) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Words for indices."""
    for part in parts:
        if not all(isinstance(index, str | int) and not isinstance(index, bool) for index in part):
            raise IdentityError(f"{where}: indices are words or numbers; got {str(part)[:80]}")
    words = [tuple(map(str, part)) for part in parts]
    return words[:-1], words[-1]


def assembled(
    coefficient: Fraction,
    names: list[str],
    inputs: list[tuple[str, ...]],
    output: tuple[str, ...],
    sizes: Mapping[str, Axis],
    axes: Mapping[str, tuple[Axis, ...]],
) -> Open:
    """The open term of an einsum."""
    number_of: dict[str, int] = {letter: k for k, letter in enumerate(letter for letter, axis in sizes.items() if axis)}
    legs: Callable[[tuple[str, ...]], tuple[int, ...]] = lambda letters: tuple(number_of[x] for x in letters if x in number_of)  # noqa: E731
    flat: Callable[[str], tuple[SizeName, ...]] = lambda name: tuple(size for axis in axes[name] for size in axis)  # noqa: E731
    factors = tuple((Tensor(name, flat(name)), legs(letters)) for name, letters in zip(names, inputs, strict=True))
    shape = tuple(sizes[letter] for letter in output)
    if not coefficient:
        return Open(shape, ())
    term = OpenTerm(number(coefficient), factors, tuple(sizes[letter][0] for letter in number_of), legs(output), ())
    return Open(shape, (term,))
