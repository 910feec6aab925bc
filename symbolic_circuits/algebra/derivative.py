r"""The derivative of a sum of networks by a tensor: take each factor T away in turn and let its indices be the new legs.

.. math:: \frac{\partial}{\partial T_{a b}} \sum A_{i j} T_{j k} x_k = A_{i a} x_b

An index of the factor that is a leg already, or that other factors have, stays one index: that is the Kronecker delta. An inverse
:math:`N = T^{-1}` has :math:`\partial N_{ij} / \partial T_{ab} = -N_{ia} N_{bj}`, and a scalar in front of a network
:math:`\partial c^k / \partial c = k c^{k-1}`. The entries of T count as independent variables, whatever laws T has.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from symbolic_circuits.algebra.functions import FunctionTensor
from symbolic_circuits.algebra.laws import Law
from symbolic_circuits.algebra.open_terms import Axis, Open, OpenTerm, require_budget
from symbolic_circuits.algebra.scalar import generator, number, power, times
from symbolic_circuits.errors import UnsupportedNodeError

__all__ = ["dependent", "depends", "derivative", "require_constant_functions", "scalar_derivative", "tied"]


def derivative(value: Open, tensor: str, axes: Sequence[Axis], inverted: Mapping[str, bool] | None = None) -> Open:
    """The derivative by every entry of a tensor; its axes follow those of the value.

    Parameters
    ----------
    value : what is differentiated
    tensor, axes : name and axes of the tensor
    inverted : the tensors that are functions of it, with whether they are its inverse or itself again; see :func:`tied`

    Raises
    ------
    UnsupportedNodeError
        A function node depends on the tensor.
    BudgetError
        This makes too many terms.

    Examples
    --------
    >>> from symbolic_circuits.algebra.tensor import Tensor
    >>> x, n = Open.of_tensor(Tensor("x", ("d",))), ("d",)
    >>> norm = x.outer(x).contracted(0, 1)
    >>> [(term.factors, term.legs) for term in derivative(norm, "x", [n]).terms] == [(x.terms[0].factors, (0,))] * 2
    True
    """
    inverted = {tensor: False} | dict(inverted or {})
    require_constant_functions(value.terms, inverted.keys())
    require_budget(sum(factor.name in inverted for term in value.terms for factor, _ in term.factors))
    terms = []
    for term in value.terms:
        for place, (factor, _) in enumerate(term.factors):
            if factor.name in inverted:
                terms.append(through_inverse(term, place, axes) if inverted[factor.name] else without(term, place))
    return Open((*value.axes, *axes), tuple(terms))


def without(term: OpenTerm, place: int) -> OpenTerm:
    """A term without a factor, the indices of which become legs."""
    _, indices = term.factors[place]
    return term._replace(factors=term.factors[:place] + term.factors[place + 1 :], legs=term.legs + indices)


def through_inverse(term: OpenTerm, place: int, axes: Sequence[Axis]) -> OpenTerm:
    r"""A term whose factor :math:`N_{hij}` gives way to :math:`-N_{hia} N_{hbj}`; h, a and b become legs."""
    factor, indices = term.factors[place]
    lead, middle = sum(map(len, axes[:-2])), sum(map(len, axes[:-1]))
    heads, rows, columns = indices[:lead], indices[lead:middle], indices[middle:]
    start = len(term.sizes)
    a = tuple(range(start, start + len(rows)))
    b = tuple(range(start + len(rows), start + len(rows) + len(columns)))
    sizes = term.sizes + tuple(term.sizes[i] for i in columns) + tuple(term.sizes[i] for i in rows)  # T is square
    factors = (*term.factors[:place], (factor, heads + rows + a), (factor, heads + b + columns), *term.factors[place + 1 :])
    return OpenTerm(times(term.scalar, number(-1)), factors, sizes, term.legs + heads + a + b, term.named)


def scalar_derivative(value: Open, name: str) -> Open:
    """The derivative by a scalar symbol.

    Examples
    --------
    >>> root = Open.of_scalar(power(generator("c"), 3))
    >>> scalar_derivative(root, "c").terms[0].scalar == times(number(3), power(generator("c"), 2))
    True
    """
    require_constant_functions(value.terms, (), (name,))
    terms = []
    for term in value.terms:
        exponent = dict(term.scalar.monomial).get(name)
        if exponent:
            factor = times(number(exponent), power(generator(name), -1))
            terms.append(term._replace(scalar=times(term.scalar, factor)))
    return Open(value.axes, tuple(terms))


def tied(tensor: str, laws: Iterable[Law]) -> dict[str, bool]:
    """The tensors that are functions of a tensor by a law: whether each is its inverse; an inverse of an inverse is the tensor.

    >>> tied("M", [Law("M", "inverse", (), "N"), Law("N", "inverse", (), "K")])
    {'M': False, 'N': True, 'K': False}
    """
    pairs = [(law.tensor, law.other) for law in laws if law.kind == "inverse" and law.tensor != law.other]
    found, waiting = {tensor: False}, [tensor]
    while waiting:
        current = waiting.pop()
        for pair in pairs:
            if current in pair:
                other = pair[1 - pair.index(current)]
                if other not in found:
                    found[other] = not found[current]
                    waiting.append(other)
    return found


def depends(terms: Iterable[OpenTerm], tensors: Iterable[str], scalars: Iterable[str] = ()) -> bool:
    """Whether some of these tensors or scalars occur in terms, or in the arguments of functions in them."""
    tensors, scalars = frozenset(tensors), frozenset(scalars)
    return any(name in scalars if kind == "scalar" else name in tensors for term in terms for kind, name in everything_in(term))


def everything_in(term: OpenTerm) -> Iterator[tuple[str, str]]:
    """The names of all scalars and tensors of a term."""
    yield from (("scalar", name) for name, _ in term.scalar.monomial if isinstance(name, str))
    for tensor, _ in term.factors:
        if isinstance(tensor, FunctionTensor):
            for inner in tensor.argument.terms:
                yield from everything_in(inner)
        else:
            yield "tensor", tensor.name


def dependent(definitions: Mapping[str, Open], tensors: Iterable[str], scalars: Iterable[str] = ()) -> set[str]:
    """The defined tensors that depend on some tensors or scalars, directly or through other definitions."""
    tensors, scalars = frozenset(tensors), frozenset(scalars)
    found: set[str] = set()
    grown = True
    while grown:
        new = {name for name, value in definitions.items() if depends(value.terms, tensors | found, scalars)} - found
        found |= new
        grown = bool(new)
    return found


def require_constant_functions(terms: Iterable[OpenTerm], tensors: Iterable[str], scalars: Iterable[str] = ()) -> None:
    """Functions of other tensors are constants; one that depends on these is refused."""
    for term in terms:
        for tensor, _ in term.factors:
            if isinstance(tensor, FunctionTensor) and depends(tensor.argument.terms, tensors, scalars):
                known = ", ".join(sorted({*tensors, *scalars}))
                raise UnsupportedNodeError(
                    f"the function {tensor.function.removeprefix('undefined ')} depends on {known}: "
                    f"only polynomials are differentiated and integrated; hold its value by a symbol of its own"
                )
