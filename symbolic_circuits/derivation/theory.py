"""What a derivation takes as given: laws, and definitions that define each tensor once and never by itself.

A definition is an abbreviation only if nothing else is said of the tensor: else two definitions, or a lemma that starts from something
else, would prove anything. The name of a lemma is such a tensor, defined by the first line of the lemma.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sympy import IndexedBase, MatrixSymbol
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.errors import DerivationError, ShapeError
from symbolic_circuits.identities.prove import Given, name_of, sorted_given
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.family import MatrixFamily

if TYPE_CHECKING:
    from symbolic_circuits.derivation.derivation import Derivation

__all__ = ["Stated", "assumed_by", "stated", "tensors_in"]

Stated = tuple[tuple[Basic, tuple[str | Basic, ...]], ...]  # laws and definitions of each tensor
TENSORS = (MatrixSymbol, ArraySymbol, MatrixFamily, IndexedBase)


def tensors_in(expr: Basic) -> list[Basic]:
    """The tensors in an expression, by name."""
    return sorted(expr.atoms(*TENSORS), key=lambda tensor: (name_of(tensor), str(tensor)))


def stated(given: Given, *exprs: Basic) -> Stated:
    """Laws and definitions by tensor; a tensor that is named by text is one of the expressions or definitions.

    Raises
    ------
    DerivationError
        A law of another kind is given, or a name is that of no tensor.
    """
    laws, definitions, rewrites = sorted_given(given)
    if rewrites:
        raise DerivationError("a derivation takes laws and definitions of tensors; state what else is given as a claim")
    known = {name_of(tensor): tensor for expr in (*definitions.values(), *exprs) for tensor in tensors_in(expr)}
    found: dict[Basic, list] = {}
    for tensor, law in [*laws, *definitions.items()]:
        if isinstance(tensor, str) and tensor not in known:
            raise DerivationError(f"{law} is given for {tensor}, but the tensors are {', '.join(sorted(known)) or 'none'}")
        found.setdefault(known[tensor] if isinstance(tensor, str) else tensor, []).append(law)
    return tuple((tensor, tuple(values)) for tensor, values in found.items())


def assumed_by(derivation: "Derivation") -> dict[Any, list[Any]]:
    """The laws and definitions of a derivation and its lemmas, by tensor.

    Raises
    ------
    DerivationError
        A tensor is defined in two ways, or by itself; a lemma or the derivation has a name that does not fit its first line.
    """
    assumed: dict[Any, list[Any]] = {}
    names: set[Basic] = set()
    for part in (*derivation.lemmas, derivation):
        require_lemma(part, names)
        own = dict(part.given)
        if isinstance(part.name, TENSORS):
            own[part.name] = (*(value for value in own.get(part.name, ()) if value != part.start), part.start)
        for tensor, values in own.items():
            known = assumed.setdefault(tensor, [])
            known += [value for value in values if value not in known]
    for tensor, values in assumed.items():
        definitions = [value for value in values if isinstance(value, Basic)]
        if len(definitions) > 1:
            raise DerivationError(f"{name_of(tensor)} is defined as {definitions[0]} and as {definitions[1]}")
    require_no_circle(assumed)
    return assumed


def require_lemma(part: "Derivation", names: set[Basic]) -> None:
    """The name of a chain of lines fits its first line, and no other has it."""
    if part.name is None:
        return
    if part.name in names:
        raise DerivationError(f"{part.name} is derived twice")
    names.add(part.name)
    if part.name == part.start:
        return
    inside = {tensor for tensor in tensors_in(part.name) if part.start.has(tensor)}
    if inside:
        raise DerivationError(f"{part.name} is the name of {part.start}, which has {name_of(min(inside, key=str))} in it")
    try:
        shapes = [array_shape(expr) for expr in (part.name, part.start)]
    except (ShapeError, TypeError):
        return
    if len(shapes[0]) != len(shapes[1]) or any((a - b).expand() != 0 for a, b in zip(*shapes, strict=True)):
        raise DerivationError(f"{part.name} has shape {shapes[0]}, but its first line {part.start} has shape {shapes[1]}")


def require_no_circle(assumed: Mapping[Any, Iterable[Any]]) -> None:
    """No tensor is defined by itself, by way of others either."""
    below = {
        tensor: [inner for value in values if isinstance(value, Basic) for inner in tensors_in(value) if inner in assumed]
        for tensor, values in assumed.items()
    }
    done: set[Any] = set()
    for start in below:
        stack: list[tuple[Any, Iterable[Any]]] = [(start, iter(below[start]))] if start not in done else []
        path = [start]
        while stack:
            tensor, rest = stack[-1]
            inner = next(rest, None)
            if inner is None:
                done.add(tensor)
                stack.pop()
                path.pop()
            elif inner in path:
                raise DerivationError(f"the definition of {name_of(inner)} has {name_of(inner)} in it")
            elif inner not in done:
                stack.append((inner, iter(below[inner])))
                path.append(inner)
