r"""Identities between einsum strings: ``prove_einsum(("ij,jk->ik", "A", "B"), ("kj,ji->ik", "B.T", "A.T"))``, for all sizes."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from sympy import Expr, Symbol
from sympy.core.basic import Basic

from symbolic_circuits.algebra.verdicts import Verdict
from symbolic_circuits.errors import IdentityError, ShapeError, SymbolicCircuitsError
from symbolic_circuits.identities.prove import Given, prove, zero_like
from symbolic_circuits.tracing import operations, patterns
from symbolic_circuits.tracing.coercion import as_value
from symbolic_circuits.tracing.einsums import einsum, parsed
from symbolic_circuits.tracing.shapes import parse_size
from symbolic_circuits.tracing.sizes import size_of
from symbolic_circuits.tracing.table import FUNCTIONS
from symbolic_circuits.tracing.trace import symbol_of
from symbolic_circuits.tracing.values import Value, from_sympy

__all__ = ["prove_einsum"]

Term = tuple[Fraction | float | str, str, tuple[str, ...], dict[str, Any]]


def prove_einsum(
    lhs: Any, rhs: Any, given: Given = (), *, at: Mapping[Any, int] | None = None, seed: int = 0, **shapes: str
) -> Verdict:
    r"""The verdict on an identity between einsums of named arrays.

    Parameters
    ----------
    lhs, rhs : a term ``(einsum, name, ...)``, with a coefficient ``(2, einsum, name, ...)``; a list of terms is their sum, ``[]`` zero; or
        a SymPy expression. ``"A.T"`` is the transpose of A. An einsum is NumPy's (``"ij,jk->ik"``, with an ellipsis where the
        shapes are given) or einops' where names are joined by blanks (``"i j, j k -> i k"``); of one array it is also a pattern of
        rearrange, reduce (a sum) and repeat: ``("n (h e) -> h n e", "X", {"h": "H"})``, the mapping giving sizes.
    given, at, seed : as of :func:`symbolic_circuits.identities.prove.prove`; laws are given by name, ``{"A": "symmetric"}``
    **shapes : name of an array -> its shape, ``"n x d"``; without it the indices say which axes have one size, and any sizes are meant

    Raises
    ------
    IdentityError
        A term has no meaning; the message has it and the reason.

    Examples
    --------
    >>> prove_einsum(("ij,jk->ik", "A", "B"), ("kj,ji->ik", "B.T", "A.T")).verdict
    'proved'
    >>> prove_einsum(("ij,jk->ik", "A", "B"), ("ij,kj->ik", "A", "B")).verdict
    'refuted'
    >>> prove_einsum([("i,i->", "x", "x"), (2, "i,i->", "x", "y"), ("i,i->", "y", "y")],
    ...              [("i,j,ij->", "x", "x", "S"), (2, "i j, i, j ->", "S", "x", "y"), ("i,i->", "y", "y")],
    ...              given={"S": ["identity"]}).verdict
    'proved'
    """
    sides = [side if isinstance(side, Basic) else list(terms_of(side)) for side in (lhs, rhs)]
    for name, shape in shapes.items():
        if not isinstance(shape, str):
            raise ShapeError(f"the shape of {name} is a text such as 'n x d'; got {shape!r}")
    arrays = arrays_of([term for side in sides if isinstance(side, list) for term in side], shapes)
    left, right = (side if isinstance(side, Basic) else total(side, arrays) for side in sides)
    if left is None and right is None:
        raise IdentityError("both sides are empty sums, whose shape is not known")
    return prove(zero_like(right) if left is None else left, zero_like(left) if right is None else right, given, at=at, seed=seed)


def terms_of(side: Any) -> Iterator[Term]:
    """The terms of a side."""
    for term in side if isinstance(side, list) else [side]:
        parts = list(term) if isinstance(term, tuple | list) else []
        coefficient = parts.pop(0) if parts and not isinstance(parts[0], str) else 1
        sizes = parts.pop() if parts and isinstance(parts[-1], Mapping) else {}
        if not parts or not all(isinstance(one, str) for one in parts) or isinstance(coefficient, bool):
            raise IdentityError(f"a term is (einsum, name, ...), or (coefficient, einsum, name, ...); got {str(term)[:80]}")
        yield coefficient, parts[0], tuple(parts[1:]), dict(sizes)


def labels_of(term: Term) -> tuple[list[list[str]] | None, list[str | None] | None]:
    """The index of each axis of each array, and of each axis of the result; None where the text does not say it alone."""
    _, text, names, _ = term
    if len(names) == 1 and patterns.is_einops(text):
        groups, out = patterns.read_pattern(text)
    elif patterns.is_einops(text):
        inputs, _, output = text.partition("->")
        parts = [patterns.names_in(part, text) for part in inputs.split(",")]
        return (None if dotted(*parts) else parts), (None if dotted(*parts) else list(patterns.names_in(output, text)))
    else:
        parts, output = parsed(text, len(names))
        return (None, None) if dotted(*parts) else (parts, list(output))
    plain = None if dotted(*groups) or any(len(group) != 1 for group in groups) else [[group[0] for group in groups]]
    return plain, None if dotted(*out) else [group[0] if len(group) == 1 else None for group in out]


def dotted(*parts: Sequence[str]) -> bool:
    """Whether there is an ellipsis."""
    return any("..." in part for part in parts)


def arrays_of(terms: Sequence[Term], shapes: Mapping[str, str]) -> dict[str, Value]:
    """The symbols of all names; sizes that are not declared are those of the indices."""
    orders: dict[str, int] = {}
    same: dict[Any, Any] = {}

    def root(one: Any) -> Any:
        while one in same:
            one = same[one]
        return one

    for number, term in enumerate(terms):
        found, output = with_error(term, lambda term=term: labels_of(term))
        for k, label in enumerate(output or ()):  # all terms have one shape
            a, b = root(("->", k)), root((number, label))
            if label is not None and a != b:
                same[b] = a
        for name, labels in zip(term[2], found or (), strict=False):
            plain, axes = name.removesuffix(".T"), labels[::-1] if name.endswith(".T") else labels
            if plain not in shapes and orders.setdefault(plain, len(axes)) != len(axes):
                raise IdentityError(f"{plain} has {orders[plain]} axes in one term and {len(axes)} in {term[1]!r}")
            for k, label in enumerate(axes):
                a, b = root((plain, k)), root((number, label))
                if a != b:
                    same[b] = a
    arrays: dict[str, Value] = {}
    taken: dict[str, Basic] = {}
    for name in dict.fromkeys(name.removesuffix(".T") for term in terms for name in term[2]):
        if name not in shapes and name not in orders:
            raise IdentityError(f"the shape of {name} is not said by its indices; give {name}='n x d'")
        arrays[name] = symbol_of(name, shapes[name], taken) if name in shapes else Value(*unnamed(name, orders[name]))
    sizes = {root((name, k)): size for name in shapes if name in arrays for k, size in enumerate(arrays[name].shape)}
    used = {str(symbol) for value in arrays.values() for size in value.shape if size is not None for symbol in size.free_symbols}
    for name, value in arrays.items():
        if name not in shapes:
            shape = [sizes.setdefault(root((name, k)), fresh(root((name, k)), terms, same, used)) for k in range(value.order)]
            arrays[name] = symbol_of(name, " x ".join(str(size).replace(" ", "") for size in shape), taken)
    return arrays


def unnamed(name: str, order: int) -> tuple[Basic, tuple]:
    """A name whose sizes are not known yet."""
    return Symbol(name), (None,) * order


def fresh(place: Any, terms: Sequence[Term], same: Mapping[Any, Any], used: set[str]) -> Expr:
    """A size named by the first index that runs along the axis, unless that name is taken."""
    labels = [label for label in same if isinstance(label[0], int) and ends(label, same) == place]
    wish = sorted(labels, key=lambda one: one[0])[0][1] if labels else "n"
    base = wish if wish.isidentifier() and len(wish) <= 8 and "_" not in wish and wish != "no" else "n"
    name = next(one for one in (base, *(f"{base}_{k}" for k in range(1, 10_000))) if one not in used)
    used.add(name)
    return parse_size(name)


def ends(one: Any, same: Mapping[Any, Any]) -> Any:
    """What a place is united with."""
    while one in same:
        one = same[one]
    return one


def with_error(term: Term, work: Any) -> Any:
    """What a piece of work returns; an error says which term it is about."""
    try:
        return work()
    except SymbolicCircuitsError as error:
        raise IdentityError(f"the term {term[1]!r} of {', '.join(term[2]) or 'nothing'}: {error}") from error


def total(terms: Sequence[Term], arrays: Mapping[str, Value]) -> Basic | None:
    """The sum of terms; None if there are none."""
    values = [with_error(term, lambda term=term: value_of(term, arrays)) for term in terms]
    found = None
    for term, value in zip(terms, values, strict=True):
        if found is not None and value.shape != found.shape:
            raise IdentityError(f"the term {term[1]!r} has the shape {value.shape}, the terms before it {found.shape}")
        found = value if found is None else operations.added(found, value)
    return None if found is None else found.exported()


def value_of(term: Term, arrays: Mapping[str, Value]) -> Value:
    """One term."""
    coefficient, text, names, sizes = term
    operands = [FUNCTIONS["transpose"](arrays[name[:-2]]) if name.endswith(".T") else arrays[name] for name in names]
    given = {key: size_of(parse_size(str(size))) for key, size in sizes.items()}
    if len(names) == 1 and patterns.is_einops(text):
        groups, out = patterns.read_pattern(text)
        before, after = ({name for group in side for name in group} for side in (groups, out))
        kind = patterns.repeat if after - before else patterns.rearrange
        found = patterns.reduce(operands[0], text, "sum", **given) if before - after else kind(operands[0], text, **given)
    elif patterns.is_einops(text):
        found = patterns.einops_einsum(*operands, text)
    else:
        found = einsum(text, *operands)
    factor = from_sympy(coefficient) if isinstance(coefficient, Basic) else as_value(coefficient)
    return operations.times(found, factor.expr)
