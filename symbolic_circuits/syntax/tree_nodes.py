r"""Nodes put together over children that are known: checked on *stand-ins*, symbols of the shapes of the children, never on what is below.

The class of a node checks its arguments, asks for their shapes and prints them in its errors, all of which goes down the tree, and down
every path of it. So it is given symbols of the same shapes; then the node is made with the children themselves, as it stands.

A number that evaluation would make is bounded before: :math:`10^{10^9}` is refused.
"""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sympy
from sympy import Add, Expr, Function, Integer, Lambda, Mul, Pow, Rational, Sum, Symbol, Tuple
from sympy.combinatorics import Permutation
from sympy.core.basic import Basic
from sympy.core.function import AppliedUndef
from sympy.core.symbol import Str
from sympy.functions.elementary.miscellaneous import MinMaxBase
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.tensor.array import ImmutableDenseNDimArray
from sympy.tensor.array import expressions as arrays

from symbolic_circuits.errors import NotationError
from symbolic_circuits.syntax.arrays import Row, TensorDot, array_shape
from symbolic_circuits.syntax.bilinear import ApplyBilinear
from symbolic_circuits.syntax.contract import MatrixContraction, ScalarContraction, TensorContraction
from symbolic_circuits.syntax.family import FamilyMember, MatrixFamily
from symbolic_circuits.syntax.functions import RowFunction, relu
from symbolic_circuits.syntax.sums import IndexSum, MatrixSum
from symbolic_circuits.syntax.vec import Vec

__all__ = ["MAX_RANK", "PATTERNS", "Known", "described", "made", "over", "shown"]

MAX_BITS = 100_000  # of a number that evaluation would make
MAX_SMALL = 64  # terms times degree, or bits, of a size or an index
MAX_FUNCTION = 1000  # terms times degree of the body of a function of entries, which may be applied
MAX_TUPLE = 4000  # the same of limits, shapes and labels together
MAX_RANK = 1000  # axes
HUGE = 10**9

KINDS = {  # what a node is to those above it
    "y": "symbol",
    "i": "small scalar: a size, an index",
    "s": "other scalar",
    "m": "matrix",
    "v": "array",
    "c": "operation on arrays of SymPy",
    "e": "explicit array",
    "f": "family",
    "b": "indexed base",
    "t": "tuple of symbols and small scalars",
    "l": "tuple of names, and of such tuples",
    "T": "other tuple",
    "n": "name",
    "p": "permutation",
    "L": "function of entries",
}
INDEX, SCALAR, ARRAY, OPERAND = "[yi]", "[yis]", "[mvce]", "[yismvce]"
SOME = "{1,1000}"
PATTERNS: dict[str, tuple[type[Basic], str]] = {  # node -> its class, and the kinds of children that it takes
    cls.__name__: (cls, pattern)
    for pattern, classes in {
        "[yisv]{2,}": (Add, Mul),
        f"{SCALAR}{{2}}": (Pow, sympy.Mod),
        SCALAR: (relu, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.sinh, sympy.cosh, sympy.tanh, sympy.atan)
        + (sympy.erf, sympy.erfc, sympy.Abs, sympy.sign, sympy.floor, sympy.ceiling),
        f"{SCALAR}{{2,1000}}": (sympy.Max, sympy.Min),
        f"{INDEX}{{2}}t?": (sympy.KroneckerDelta,),
        INDEX: (sympy.Identity,),
        f"{INDEX}{{2}}": (sympy.ZeroMatrix, sympy.OneMatrix),
        f"n{INDEX}{{2}}": (sympy.MatrixSymbol,),
        "m+": (sympy.MatAdd, sympy.HadamardProduct),
        f"{SCALAR}{{0,100}}m+(?:{SCALAR}m*){{0,100}}": (sympy.MatMul,),
        f"m{INDEX}": (sympy.MatPow, sympy.HadamardPower, sympy.Inverse, Row),
        f"m{SOME}": (sympy.KroneckerProduct, sympy.BlockDiagMatrix),
        "m": (sympy.Transpose, sympy.Adjoint, sympy.Trace, sympy.DiagMatrix, sympy.DiagonalMatrix, sympy.DiagonalOf, Vec),
        f"m{INDEX}{{2}}": (MatrixElement,),
        "Lm": (ElementwiseApplyFunction,),
        "nm": (RowFunction,),
        f"t{SCALAR}": (Lambda,),
        "[yn]t": (arrays.ArraySymbol,),
        f"{INDEX}{SOME}": (arrays.ZeroArray, arrays.OneArray),
        f"{ARRAY}t": (arrays.ArrayElement, arrays.Reshape),
        f"{OPERAND}{SOME}": (arrays.ArrayTensorProduct,),
        f"{ARRAY}+": (arrays.ArrayAdd,),
        f"{ARRAY}t*": (arrays.ArrayContraction, arrays.ArrayDiagonal),
        f"{ARRAY}p": (arrays.PermuteDims,),
        "yt?": (sympy.IndexedBase,),
        f"b{INDEX}{SOME}": (sympy.Indexed,),
        f"{INDEX}t?": (sympy.Idx,),
        f"{SCALAR}t{SOME}": (Sum,),
        f"mt{SOME}": (MatrixSum,),
        f"{OPERAND}t{SOME}": (IndexSum,),
        f"{ARRAY}i{ARRAY}i": (TensorDot,),
        f"{ARRAY}mm": (ApplyBilinear,),
        f"n{INDEX}{{3}}": (MatrixFamily,),
        f"[fe]{INDEX}": (FamilyMember,),
        "l[yismvcefb]{0,1000}": (ScalarContraction, MatrixContraction, TensorContraction),
        ".*": (Tuple,),
    }.items()
    for cls in classes
}

THEMSELVES = (sympy.MatrixSymbol, sympy.Identity, sympy.ZeroMatrix, sympy.OneMatrix, arrays.ArraySymbol)
ARITHMETIC = (Add, Mul, Pow, sympy.floor, sympy.ceiling, sympy.Mod, sympy.KroneckerDelta)  # what an index is computed by
ENTRIES = (Rational, sympy.Idx, sympy.Indexed, MatrixElement, arrays.ArrayElement)  # and of, beside symbols
GROWING = (sympy.exp, sympy.sinh, sympy.cosh)


class Known(NamedTuple):
    """A node as read."""

    tree: Basic
    kind: str  # a letter of the table of kinds
    stand_in: Basic  # a symbol of the same shape, or the tree where that is small itself
    bits: int  # of the rational coefficient that evaluation would make, at most
    constant: bool  # whether it is a number
    terms: int  # terms times degree of it multiplied out, about


def shown(value: object) -> str:
    """The beginning of a value, for messages."""
    if isinstance(value, Mapping | list) and len(value) > 8:
        value = [*list(value)[:8], "..."]
    try:
        text = str(value) if isinstance(value, Exception) else repr(value)
    except (RecursionError, ValueError):
        text = type(value).__name__
    return text if len(text) <= 200 else f"{text[:200]}..."


def made(name: str, children: list[Known]) -> tuple[Basic, Basic]:
    """A node of a class, and the same over the stand-ins of its children."""
    cls, pattern = PATTERNS[name]
    kinds = "".join(child.kind for child in children)
    if not re.fullmatch(pattern, kinds):
        words = ", ".join(f"{letter} {KINDS[letter]}" for letter in KINDS if letter in pattern + kinds[:9])
        raise NotationError(f"the children of {name} have the kinds {pattern}; got {shown(kinds)} ({words})")
    trees = [child.tree for child in children]
    if cls is Tuple:
        return Tuple(*trees), Tuple()
    if cls in (Add, Mul):
        return cls._from_args(trees), cls._from_args([child.stand_in for child in children])
    if cls is Pow:
        return power(*trees), trees[0]
    if issubclass(cls, MinMaxBase):
        return extreme(cls, trees), trees[0]
    if cls is RowFunction and not trees[0].name.isidentifier():
        raise NotationError("a function of rows has an identifier for a name")
    if cls in (Sum, IndexSum) and isinstance(trees[0], cls):
        raise NotationError(f"a {name} of a {name} is one sum with more limits")
    if cls is Lambda and children[1].terms > MAX_FUNCTION:
        raise NotationError(f"a function of entries has at most {MAX_FUNCTION} terms; this one has about {children[1].terms}")
    return over(cls, children)


def power(base: Expr, exponent: Expr) -> Expr:
    """A power as it stands."""
    tree = Expr.__new__(Pow, base, exponent)
    tree.is_commutative = base.is_commutative and exponent.is_commutative
    return tree


def extreme(cls: type[MinMaxBase], args: list[Expr]) -> Expr:
    """A maximum or minimum as it stands."""
    tree = Expr.__new__(cls, *args)
    tree._argset = frozenset(args)
    if len(tree._argset) != len(args):
        raise NotationError(f"an argument of {cls.__name__} occurs twice")
    return tree


def over(cls: type[Basic], children: list[Known]) -> tuple[Basic, Basic]:
    """A node that its class checks over stand-ins; put together over the children where these are larger."""
    inside = (arrays.ArrayContraction, arrays.ArrayDiagonal)  # look at the parts of an array operation
    stand_ins = [child.tree if cls in inside and child.kind == "c" else child.stand_in for child in children]
    shallow = cls(*stand_ins, evaluate=False) if issubclass(cls, Function) else cls(*stand_ins)
    if type(shallow) is not cls or shallow.args != tuple(stand_ins):
        raise NotationError(f"{cls.__name__} makes something else of its children")
    if all(child.tree is stand_in for child, stand_in in zip(children, stand_ins, strict=True)):
        return shallow, shallow
    tree = Basic.__new__(cls, *(child.tree for child in children))
    for name, value in getattr(shallow, "__dict__", {}).items():  # shapes, mostly
        setattr(tree, name, next((child.tree for child in children if child.stand_in is value), value))
    if cls is Sum:
        tree.is_commutative = shallow.is_commutative
    return tree, shallow


def described(tree: Basic, shallow: Basic, children: list[Known], k: int) -> Known:
    """A node with its kind and its stand-in."""
    scalar = isinstance(tree, Expr) and not isinstance(tree, Lambda)
    if not isinstance(tree, Tuple):  # its hash is not kept
        _ = hash(tree), scalar and tree.is_commutative  # SymPy keeps both, so that neither has to go down a deep tree later
    constant = scalar and is_number(tree, children)
    bits = coefficient(tree, children, constant)
    if bits > MAX_BITS:
        raise NotationError(f"evaluated, it could be a number of {shown(bits)} bits; the limit is {MAX_BITS}")
    terms = size(tree, [child.terms for child in children])
    kind, shape = sort(tree, shallow, terms, "".join(child.kind for child in children))
    if len(shape) > MAX_RANK or any(size_of(part) > MAX_SMALL for part in shape):
        raise NotationError(f"an axis has a size of more than {MAX_SMALL} terms or bits, or there are more than {MAX_RANK} axes")
    return Known(tree, kind, stand_in(tree, kind, shape, f"node {k}"), bits, constant, terms)


def sort(tree: Basic, shallow: Basic, terms: int, below: str) -> tuple[str, tuple[Expr, ...]]:
    """The kind of a node, and its shape."""
    if isinstance(tree, Tuple):
        if re.fullmatch(f"{INDEX}*", below):
            return ("t" if terms <= MAX_TUPLE else "T"), ()
        return ("l" if re.fullmatch("[nlt]*", below) and terms <= MAX_TUPLE else "T"), ()
    kinds = {Str: "n", Symbol: "y", Permutation: "p", Lambda: "L", MatrixFamily: "f", sympy.IndexedBase: "b"}
    known = next((kind for cls, kind in kinds.items() if isinstance(tree, cls)), None)
    if known:
        return known, tree.shape if known == "f" or (known == "b" and tree.shape) else ()
    shape = array_shape(shallow)
    if isinstance(tree, ImmutableDenseNDimArray):
        return "e", shape
    if getattr(tree, "is_Matrix", False):
        return "m", shape
    if not isinstance(tree, Expr):
        return "c", shape
    return ("v" if shape else "i" if is_small(tree, terms, below) else "s"), shape


def is_small(tree: Expr, terms: int, below: str) -> bool:
    """Whether a scalar may be a size or an index: what SymPy knows of one that it would write otherwise is left to chance."""
    if isinstance(tree, ARITHMETIC) and not (isinstance(tree, Pow) and not isinstance(tree.exp, Integer)):
        return terms <= MAX_SMALL and "s" not in below and tree.func(*tree.args) == tree
    return terms <= MAX_SMALL and isinstance(tree, ENTRIES)


def stand_in(tree: Basic, kind: str, shape: tuple[Expr, ...], name: str) -> Basic:
    """What stands for a node in the checks of those above."""
    if kind in "vc" and not isinstance(tree, THEMSELVES):
        return arrays.ArraySymbol(Symbol(name), shape)
    if kind == "m" and not isinstance(tree, THEMSELVES):
        return sympy.MatrixSymbol(Str(name), *shape)
    if kind == "e":
        return ImmutableDenseNDimArray([0] * len(tree._array), [int(part) for part in shape])
    return Symbol(name, commutative=tree.is_commutative) if kind == "s" else tree


def is_number(tree: Expr, children: list[Known]) -> bool:
    """Whether a scalar is made of numbers only."""
    if isinstance(tree, Add | Mul | Pow | MinMaxBase | Function) and not isinstance(tree, AppliedUndef):
        return all(child.constant for child in children)
    return tree.is_Number or tree.is_NumberSymbol


def coefficient(tree: Basic, children: list[Known], constant: bool) -> int:
    """A bound on the bits of the number, or of the coefficient in front, that evaluating a node would make."""
    below = sum(child.bits for child in children)
    if isinstance(tree, Rational):
        return abs(tree.p).bit_length() + int(tree.q).bit_length() if tree.q > 1 or abs(tree.p) > 1 else 0
    if isinstance(tree, Pow):
        base, exponent = children
        if not base.bits or not exponent.constant:
            return base.bits
        value = tree.exp if isinstance(tree.exp, Rational) else Integer(2) ** min(exponent.bits, 64)
        return min(HUGE, base.bits * (int(abs(value)) + 1))
    if isinstance(tree, Mul):
        return below
    if not constant:
        return 0
    if isinstance(tree, Add):
        return sum({id(child): child.bits for child in children}.values()) + len(children).bit_length()
    return 2 ** min(below, 64) if isinstance(tree, GROWING) else below + 2


def size(tree: Basic, parts: Sequence[int]) -> int:
    """About how many terms, and of what degree, a scalar has when it is multiplied out; at least the number of its leaves."""
    if isinstance(tree, Rational):
        return max(1, abs(tree.p).bit_length(), int(tree.q).bit_length())
    total = sum(parts)
    if isinstance(tree, Mul):
        product = 1
        for part in parts:
            product = min(HUGE, product * part)
        total = max(total, product)
    if isinstance(tree, Pow) and isinstance(tree.exp, Rational):
        exponent = int(min(abs(tree.exp), HUGE)) + 1
        total = exponent if parts[0] == 1 else min(HUGE, parts[0] ** min(exponent, 32) * exponent)
    return min(HUGE, total + (not isinstance(tree, Add | Mul)))


def size_of(expr: Expr) -> int:
    """The same of a tree that is not deep."""
    return size(expr, [size_of(arg) for arg in expr.args])
