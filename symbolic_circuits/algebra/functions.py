r"""Function nodes: f applied to every entry of a tensor expression, or to every row of one, as a tensor that is known by its argument.

Nothing is assumed of f: two nodes are equal if their arguments are equal, up to an exchange of axes that the node's axes follow.
relu(S + S^T) is its own transpose because S + S^T is. A node's canonical name is the normal form of its argument, least over the
orders of its axes; the exchanges that leave the argument as it is are exchanges of the node. Axes that the argument does not depend
on are dropped.

Counterexamples need values: rational functions have exact ones, others are enclosed in intervals, and an undefined function has none.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
from mpmath import iv

from symbolic_circuits.algebra.fixed import open_terms
from symbolic_circuits.algebra.open_terms import Open, OpenTerm
from symbolic_circuits.algebra.polynomial import Polynomial, order_key
from symbolic_circuits.algebra.tensor import Tensor

__all__ = [
    "FunctionTensor",
    "applied",
    "canonical_function",
    "function_tensor",
    "functions_of",
    "has_values",
    "is_exact",
    "settled",
]

UNDEFINED = "undefined "


@dataclass(frozen=True, slots=True)
class FunctionTensor(Tensor):
    """f of an expression; its axes are the legs of the expression."""

    function: str = ""
    rows: bool = False  # applied along the last axis as a whole, such as softmax
    argument: Open | None = field(default=None, repr=False)

    def __hash__(self) -> int:
        return hash((self.name, self.shape))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FunctionTensor) and (self.name, self.shape) == (other.name, other.shape)


def function_tensor(function: str, argument: Open, *, rows: bool = False) -> FunctionTensor:
    """The node of an argument without open names, one leg an axis."""
    shape = tuple(size for axis in argument.axes for size in axis)
    return FunctionTensor(
        f"{function}{'[rows]' * rows} of {shape} {argument.terms!r}", shape, function=function, rows=rows, argument=argument
    )


def functions_of(terms: tuple[OpenTerm, ...]) -> Iterator[FunctionTensor]:
    """All function nodes in some terms, those in arguments first."""
    for term in terms:
        for tensor, _ in term.factors:
            if isinstance(tensor, FunctionTensor):
                yield from functions_of(tensor.argument.terms)
                yield tensor


def canonical_function(node: FunctionTensor, normal: Callable[[Open], Polynomial]) -> tuple[FunctionTensor, tuple[int, ...]]:
    """The canonical node, and which leg of the node each of its legs is.

    Parameters
    ----------
    node : as written
    normal : the normal form of an expression without open names
    """
    first = normal(node.argument)
    free = free_legs(first, len(node.shape))
    kept = [leg for leg in range(len(node.shape)) if leg not in free or (node.rows and leg == len(node.shape) - 1)]
    argument = without_legs(Open(node.argument.axes, tuple(open_terms(first))), kept)
    moving = kept[:-1] if node.rows else kept
    best: tuple | None = None
    for order in permutations(range(len(moving))):
        full = (*order, len(kept) - 1) if node.rows else order
        moved = argument.permuted(full)
        form = normal(moved)
        word = repr(
            tuple(sorted(((key, coefficient) for key, coefficient in form.terms.items()), key=lambda pair: order_key(pair[0])))
        )
        mark = (word, tuple(str(axis) for axis in moved.axes))
        if best is None or mark < best[0]:
            best, same = (mark, moved, full), [full]
        elif mark == best[0]:
            same.append(full)
    (word, _), moved, order = best
    groups = exchangeable(order, same)
    shape = tuple(size for axis in moved.axes for size in axis)
    label = f"{node.function}{'[rows]' * node.rows}"
    tensor = FunctionTensor(f"{label} of {shape} {word}", shape, groups, function=node.function, rows=node.rows, argument=moved)
    return tensor, tuple(kept[k] for k in order)


def free_legs(form: Polynomial, count: int) -> set[int]:
    """Legs that no term depends on."""
    free = set(range(count))
    for (factors, output, _), _ in form.terms:
        used = {i for _, indices in factors for i in indices}
        free -= {leg for leg, index in enumerate(output) if index in used or output.count(index) > 1}
    return free


def without_legs(argument: Open, kept: list[int]) -> Open:
    """An argument in normal form at any place along the legs that it does not depend on; one axis a leg."""
    sizes = [size for axis in argument.axes for size in axis]
    terms = []
    for term in argument.terms:
        new = term._replace(legs=tuple(term.legs[leg] for leg in kept))
        used = {i for _, indices in term.factors for i in indices} | set(new.legs)
        gone = [leg for k, leg in enumerate(term.legs) if k not in kept and leg not in used]
        sizes_left = tuple(1 if k in gone else size for k, size in enumerate(term.sizes))
        terms.append(new._replace(sizes=sizes_left).closed())
    return Open(tuple((sizes[leg],) for leg in kept), tuple(terms))


def exchangeable(order: tuple[int, ...], same: list[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Groups of legs any two of which can be exchanged."""
    groups: list[set[int]] = []
    for other in same:
        moved = [k for k, (a, b) in enumerate(zip(order, other, strict=True)) if a != b]
        if len(moved) == 2:
            pair = set(moved)
            for group in [g for g in groups if g & pair]:
                groups.remove(group)
                pair |= group
            groups.append(pair)
    return tuple(sorted(tuple(sorted(group)) for group in groups))


def softmax(row: np.ndarray) -> np.ndarray:
    """exp(x_j) / sum_k exp(x_k)."""
    powers = np.array([iv.exp(x) for x in row], dtype=object)
    return powers / powers.sum()


def whole_power(exponent: int) -> Callable[[Any], Any]:
    """A power with a whole exponent; ZeroDivisionError where there is none."""
    return lambda x: Fraction(x) ** exponent if isinstance(x, int | Fraction) else x**exponent


EXACT: dict[str, Callable[[Any], Any]] = {
    "relu": lambda x: max(x, 0),
    "Abs": abs,
    "sign": lambda x: (x > 0) - (x < 0),
    "floor": lambda x: Fraction(x).__floor__(),
    "ceiling": lambda x: Fraction(x).__ceil__(),
    "Heaviside": lambda x: Fraction((x > 0) - (x < 0) + 1, 2),
}
ENCLOSED: dict[str, Callable[[Any], Any]] = {
    "exp": iv.exp,
    "log": iv.log,
    "sin": iv.sin,
    "cos": iv.cos,
    "tan": iv.tan,
    "sinh": lambda x: (iv.exp(x) - iv.exp(-x)) / 2,
    "cosh": lambda x: (iv.exp(x) + iv.exp(-x)) / 2,
    "tanh": lambda x: 1 - 2 / (iv.exp(2 * x) + 1),
}
ROWS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"softmax": softmax}


def values_of(node: FunctionTensor) -> tuple[Callable[[Any], Any] | None, bool]:
    """The function, and whether its values are exact; None where it has no values."""
    name = node.function
    if node.rows:
        return ROWS.get(name), False
    if name.startswith("power "):
        exponent = Fraction(name.removeprefix("power "))
        if exponent.denominator == 1:
            return whole_power(int(exponent)), True
        return lambda x: iv.exp(iv.log(x) * exponent.numerator / exponent.denominator), False
    if name in EXACT:
        return EXACT[name], True
    return ENCLOSED.get(name), False


def has_values(node: FunctionTensor) -> bool:
    """Whether entries can be computed or enclosed."""
    return values_of(node)[0] is not None


def is_exact(node: FunctionTensor) -> bool:
    """Whether rational arguments give rational values."""
    return values_of(node)[1]


def applied(node: FunctionTensor, argument: np.ndarray) -> np.ndarray:
    """The node at an argument.

    Raises
    ------
    ArithmeticError, ValueError
        The argument is outside of the domain.
    """
    function, _ = values_of(node)
    if not is_exact(node):
        argument = np.vectorize(as_interval, otypes=[object])(argument) if argument.size else argument
    if node.rows:
        rows = argument.reshape(-1, argument.shape[-1])
        return np.array([function(row) for row in rows], dtype=object).reshape(argument.shape)
    out = np.empty(argument.shape, dtype=object)
    for place in np.ndindex(argument.shape):
        try:
            out[place] = function(argument[place])
        except (TypeError, NotImplementedError) as error:  # an interval on both sides of a jump
            raise ValueError(f"{node.function} of {argument[place]} is not known") from error
    return out


def as_interval(value: Any) -> Any:
    """A rational number as an interval."""
    if not isinstance(value, int | Fraction):
        return value
    return iv.mpf(Fraction(value).numerator) / Fraction(value).denominator


def settled(term: OpenTerm, known: Mapping[str, tuple[FunctionTensor, tuple[int, ...]]]) -> OpenTerm:
    """A term with canonical function nodes."""
    factors = []
    for tensor, indices in term.factors:
        if isinstance(tensor, FunctionTensor):
            tensor, legs = known[tensor.name]
            indices = tuple(indices[leg] for leg in legs)
        factors.append((tensor, indices))
    return term._replace(factors=tuple(factors))
