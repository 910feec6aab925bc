r"""The declarations that SymPy expressions imply: what their symbols would be declared as, so that printed LaTeX can be read back."""

from collections.abc import Iterator, Mapping

from sympy import Basic, IndexedBase, KroneckerProduct, MatrixSymbol, Symbol
from sympy.core.function import AppliedUndef
from sympy.core.symbol import Str
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.errors import LatexError
from symbolic_circuits.latex.declarations import Declarations, with_sizes
from symbolic_circuits.latex.declared import Entry, Family, Key, OpaqueFunction, Scalar, Symbols, Tensor
from symbolic_circuits.latex.sizes import Axis, Blocks
from symbolic_circuits.syntax.arrays import array_shape
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.vec import Vec

__all__ = ["declarations_of"]

TENSORS = (MatrixSymbol, ArraySymbol, IndexedBase)


def declarations_of(*expressions: Basic) -> Declarations:
    r"""Declarations of all tensors, families, scalars and sizes in expressions.

    Raises
    ------
    LatexError
        Two symbols have one name in LaTeX.

    Examples
    --------
    >>> from sympy import MatrixSymbol, latex, symbols
    >>> from symbolic_circuits.latex.reading import read_latex
    >>> n, d = symbols("n d", integer=True, positive=True)
    >>> A, X = MatrixSymbol("A", n, n), MatrixSymbol("X", n, d)
    >>> read_latex(latex(A * X), declarations_of(A * X))
    A*X
    """
    symbols = Symbols()
    orders = {frozenset(order): order for expr in expressions for order in orders_in(expr)}
    found = [atom for expr in expressions for atom in sorted(atoms_in(expr), key=str)]
    tensors = {name_of(atom) for atom in found if isinstance(atom, TENSORS)}
    for atom in dict.fromkeys(found):
        if isinstance(atom, Symbol) and atom.name in tensors:
            continue  # what SymPy keeps the name of a tensor in
        symbols = with_entry(symbols, atom, orders)
    return Declarations(symbols)


def atoms_in(expr: Basic) -> set[Basic]:
    """The symbols of an expression."""
    return expr.atoms(MatrixSymbol, ArraySymbol, IndexedBase, MatrixFamily, FamilyMember, AppliedUndef, Symbol)


def orders_in(expr: Basic) -> Iterator[Axis]:
    """The products of sizes whose order an expression shows: those of Kronecker products, and of what has a row a position."""
    for node in expr.atoms(KroneckerProduct):
        for sizes in ([factor.rows for factor in node.args], [factor.cols for factor in node.args]):
            yield tuple(part for size in sizes for part in axis_of(size))
    for node in expr.atoms(Vec):
        yield tuple(part for size in node.args[0].shape for part in axis_of(size))
    for node in expr.atoms(ApplyBilinear):
        width = array_shape(node.args[0])[1]
        yield axis_of(node.args[1].rows / width) + axis_of(width)


def with_entry(symbols: Symbols, atom: Basic, orders: Mapping[frozenset, Axis]) -> Symbols:
    """The declarations with one more symbol."""
    if isinstance(atom, TENSORS):
        axes = tuple(orders.get(frozenset(axis), axis) for axis in map(axis_of, atom.shape))
        axes = axes[:1] if isinstance(atom, MatrixSymbol) and axes[1] == () else axes
        return added(with_sizes(symbols, *axes), Tensor(key_of(name_of(atom)), 0, axes, atom))
    if isinstance(atom, MatrixFamily):
        return with_family(symbols, atom, key_of(atom.name), "")
    if isinstance(atom, FamilyMember):
        if not isinstance(atom.head, Symbol) or not isinstance(atom.family, MatrixFamily):
            return symbols
        return with_family(symbols, atom.family, key_of(atom.name.split("^")[0].split("[")[0]), label_of(atom.head.name))
    if isinstance(atom, AppliedUndef):
        return added(symbols, OpaqueFunction(key_of(type(atom).__name__), 0))
    if atom.is_integer and atom.is_positive:
        return with_sizes(symbols, (atom.name,))
    if atom.is_integer:
        return symbols  # an index
    return added(symbols, Scalar(key_of(atom.name), 0, atom))


def with_family(symbols: Symbols, family: MatrixFamily, key: Key, label: str) -> Symbols:
    """The declarations with a family; with a label, as it is printed for a symbol as head: without the label of its block."""
    heads, *axes = map(axis_of, family.shape)
    member = tuple(axes[:1] if axes[1] == () else axes)
    return added(with_sizes(symbols, heads, *axes), Family(key, 0, member, heads, "sup", label, family))


def label_of(name: str) -> str:
    """A label as it is read: ``h1_0`` is printed as h_{1 0}."""
    key = key_of(name)
    letters = key.base.rstrip("0123456789")
    sub = key.base[len(letters) :] + key.sub if letters else key.sub
    return f"{letters or key.base}_{sub}" if sub else key.base


def added(symbols: Symbols, entry: Entry) -> Symbols:
    """The declarations with an entry whose name is not taken."""
    there = symbols.entries.get(entry.key, ())
    if entry in there:
        return symbols
    both_families = isinstance(entry, Family) and all(isinstance(other, Family) for other in there)
    if both_families and any(other.symbol == entry.symbol for other in there) and not entry.label:
        return symbols
    if there and not both_families:
        raise LatexError(f"two symbols are called {entry.shown} in LaTeX")
    return symbols.with_entry(entry)


def name_of(atom: Basic) -> str:
    """The name of a tensor."""
    name = atom.label if isinstance(atom, IndexedBase) else atom.name
    return name.name if isinstance(name, Str) else str(name)


def key_of(name: str) -> Key:
    """The parts of a symbol's name.

    >>> key_of("W_OV^0")
    Key(base='W', sub='OV', sup='0')
    """
    bottom, _, sup = name.partition("^")
    base, *sub = bottom.split("_")
    if not sub:
        letters = base.rstrip("0123456789")  # SymPy prints X0 as X_{0}
        base, sub = (letters, [base[len(letters) :]]) if letters and letters != base else (base, [])
    return Key(base, "".join(sub), sup)


def axis_of(size: Basic) -> Axis:
    """The axis of a size."""
    if size.is_Integer:
        return (int(size),) if size > 1 else ()
    if size.is_Symbol:
        return (size.name,)
    if size.is_Mul:
        return tuple(part for factor in size.args for part in axis_of(factor))
    if size.is_Add:
        return (Blocks(tuple(axis_of(term) for term in size.args)),)
    raise LatexError(f"{size} is no size that can be declared")
