"""The SymPy symbols that the names in a polynomial stand for: tensors, sizes, scalars and open indices; and index symbols not in use."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Self

from sympy import Expr, Indexed, IndexedBase, Integer, MatrixSymbol, Mul, Pow, Rational, Symbol, Tuple
from sympy.core.basic import Basic
from sympy.matrices.matrixbase import MatrixBase
from sympy.tensor.array import NDimArray
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.algebra.scalar import Monomial
from symbolic_circuits.algebra.tensor import SizeName, Tensor
from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.family import MatrixFamily
from symbolic_circuits.syntax.sums import BoundSum

__all__ = ["Symbols", "fresh_indices"]

LEAVES = (MatrixSymbol, ArraySymbol, MatrixFamily, IndexedBase)
LETTERS = {"n": "sutrq", "d": "ijkl", "V": "vwyz", "H": "hgf", "e": "abc", "m": "pqr"}  # of indices, by the name of their size


@dataclass(frozen=True, slots=True)
class Symbols:
    """What names stand for.

    Examples
    --------
    >>> from sympy import MatrixSymbol, symbols
    >>> n, c = symbols("n c", positive=True)
    >>> Symbols.of(c * MatrixSymbol("A", n, n)).scalars
    {'c': c, 'n': n}
    """

    tensors: Mapping[str, tuple[Basic, ...]]  # name -> leaves of that name: matrix and array symbols, families, indexed bases
    scalars: Mapping[str, Symbol]  # name -> size, scalar or index
    products: Mapping[str, Expr]  # text of a size that is not a symbol, such as d*n -> the size

    @classmethod
    def of(cls, *exprs: Basic) -> Self:
        """All that occurs in expressions; a leaf or symbol that they do not have can be given as one more."""
        tensors: dict[str, tuple[Basic, ...]] = {}
        scalars: dict[str, Symbol] = {}
        products: dict[str, Expr] = {}
        for part in chain.from_iterable(map(parts, exprs)):
            if isinstance(part, LEAVES):
                known = tensors.get(leaf_name(part), ())
                tensors[leaf_name(part)] = known if part in known else (*known, part)
            elif isinstance(part, Symbol):
                if not (part.name in scalars and scalars[part.name].is_positive):
                    scalars[part.name] = part
            else:
                products[str(part)] = part
        return cls(tensors, scalars, products)

    def naming(self, name: str, leaf: Basic) -> Self:
        """These, and one more tensor that an expression stands for: an inverse, say."""
        return replace(self, tensors={**self.tensors, name: (*self.tensors.get(name, ()), leaf)})

    def leaf(self, tensor: Tensor) -> tuple[Basic, tuple[int, ...]]:
        """The leaf that a tensor stands for, and how many axes of the tensor each axis of the leaf is."""
        leaves = self.tensors.get(tensor.name, ())
        for leaf in leaves:
            counts = self.counts(tensor, array_shape(leaf))
            if counts is not None:
                return leaf, counts
        shape = " x ".join(map(str, tensor.shape)) or "scalar"
        found = ", ".join(f"{leaf} of shape {array_shape(leaf)}" for leaf in leaves) or "none of that name"
        raise NotationError(f"no symbol is given for the tensor {tensor.name} of shape {shape}; there is {found}")

    def counts(self, tensor: Tensor, shape: Sequence[Expr]) -> tuple[int, ...] | None:
        """How many axes of a tensor each axis of such a shape is; None where they do not fit. An axis of size 1 is none."""
        counts, start = [], 0
        for size in shape:
            if size == 1:
                counts.append(0)
                continue
            end, known = start, Integer(1)
            while end < len(tensor.shape) and (end == start or known != size):
                known *= self.size(tensor.shape[end])
                end += 1
            if known != size:
                return None
            counts.append(end - start)
            start = end
        return tuple(counts) if start == len(tensor.shape) else None

    def size(self, name: SizeName) -> Expr:
        """The size of that name; a product that is not split is named by its text and its place."""
        if isinstance(name, int):
            return Integer(name)
        text = name.split(" at ")[0]
        return self.products[text] if text in self.products else self.scalar(name)

    def scalar(self, name: str) -> Symbol:
        """The symbol of that name."""
        if name not in self.scalars:
            raise NotationError(
                f"no symbol is given for the size or scalar {name}; there are {', '.join(self.scalars) or 'none'}"
            )
        return self.scalars[name]

    def monomial(self, monomial: Monomial) -> Expr:
        """The product of powers that stands in front of a network."""
        powers = []
        for name, exponent in monomial:
            base = Integer(name) if isinstance(name, int) else self.size(name)
            powers.append(Pow(base, Rational(exponent.numerator, exponent.denominator)))
        return Mul(*powers)

    @property
    def names(self) -> frozenset[str]:
        """All names in use."""
        return frozenset(chain(self.tensors, self.scalars))


def parts(expr: object) -> Iterator[Basic]:
    """The leaves and symbols of an expression, and the sizes in it that are neither symbols nor numbers."""
    if isinstance(expr, MatrixBase | NDimArray):
        yield from chain.from_iterable(map(parts, expr.flat() if isinstance(expr, MatrixBase) else expr._array))
        return
    if not isinstance(expr, Basic):
        return
    if isinstance(expr, Symbol):
        yield expr
        return
    if isinstance(expr, BoundSum):
        yield from (high + 1 for _, _, high in expr.limits if not isinstance(high + 1, Symbol | Integer))
    shape = None if isinstance(expr, Indexed) else getattr(expr, "shape", None)
    sizes = shape if isinstance(shape, tuple | Tuple) else ()
    yield from (size for size in sizes if isinstance(size, Expr) and not isinstance(size, Symbol | Integer))
    if isinstance(expr, LEAVES):
        yield expr
    yield from chain.from_iterable(map(parts, sizes if isinstance(expr, LEAVES) else expr.args))


def leaf_name(leaf: Basic) -> str:
    """The name that lowering gives a leaf."""
    return str(leaf.label if isinstance(leaf, IndexedBase) else leaf.name)


def fresh_indices(sizes: Sequence[Expr], taken: frozenset[str]) -> list[Symbol]:
    """An index symbol for each size, none of them taken.

    >>> fresh_indices([Symbol("n"), Symbol("d"), Symbol("n")], frozenset({"u"}))
    [s, i, t]
    """
    used, out = set(taken), []
    for size in sizes:
        letters = LETTERS.get(str(size), "ijklabcpqrst")
        names = chain(letters, (f"{letters[0]}_{k}" for k in count(1)))
        name = next(name for name in names if name not in used)
        used.add(name)
        out.append(Symbol(name, integer=True, nonnegative=True))
    return out
