"""Arrays for every tensor that may be declared, by its name in SymPy and its shape, and the values of formulas and claims at them."""

import zlib

import numpy as np
from latex_values import over_places, value
from sympy import Basic, IndexedBase, MatrixSymbol
from sympy.tensor.array.expressions import ArraySymbol

import symbolic_circuits as sc
from symbolic_circuits.latex import Claim
from symbolic_circuits.syntax.family import MatrixFamily

SIZES = {"n": 3, "d": 2, "m": 4, "H": 5, "k": 6, "H_1": 2, "H_2": 4, "e": 7, "N_1": 3}


def array(name: str, *shape: int) -> np.ndarray:
    """Whole numbers that are the same for each use of a name, few of them 0."""
    return np.random.default_rng(zlib.crc32(f"{name} {shape}".encode())).integers(-4, 6, shape)


def known_for(*expressions: Basic) -> dict[object, object]:
    """An array for each tensor, a number for each size and scalar."""
    known: dict[object, object] = dict(SIZES)
    tensors = set()
    for expr in expressions:
        for leaf in expr.atoms(MatrixSymbol, ArraySymbol, MatrixFamily, IndexedBase):
            shape = [int(size.subs({s: SIZES[s.name] for s in size.free_symbols})) for size in leaf.shape]
            is_vector = len(shape) == 2 + isinstance(leaf, MatrixFamily) and shape[-1] == 1
            tensors.add(str(leaf.name))
            known[str(leaf.name)] = array(str(leaf.name), *(shape[:-1] if is_vector else shape))
        for symbol in expr.free_symbols:
            if getattr(symbol, "is_Symbol", False) and not symbol.is_integer and symbol.name not in tensors:
                known[symbol.name] = scalar(symbol.name)
    return known


def scalar(name: str) -> int:
    """The number that stands for a scalar."""
    return 3 + len(name)


def read(text: str, symbols: str, free: str = "", shape: tuple[int, ...] = ()) -> np.ndarray:
    """The value of a formula; over the free indices named, which run over the first sizes of the shape."""
    return at_arrays(sc.read_latex(text, symbols), free, shape)


def at_arrays(expr: Basic, free: str, shape: tuple[int, ...], known: dict[object, object] | None = None) -> np.ndarray:
    """The value of an expression; columns are vectors where the shape is that of a vector."""
    known = known_for(expr) if known is None else known
    symbols = [free_index(expr, name) for name in free.split()]
    found = np.asarray(over_places(expr, symbols, shape, known) if symbols else value(expr, known))
    return found[..., 0] if found.ndim == len(shape) + 1 and found.shape[-1] == 1 else found


def free_index(expr: Basic, name: str) -> object:
    """The index of that name, which has a number behind it where a bound one came first."""
    own = [s for s in expr.free_symbols if s.is_nonnegative and s.name.removesuffix("_1") == name]
    return own[0] if own else name


def claims(text: str, symbols: str) -> list[Claim]:
    """The claims of equations."""
    return [claim for chain in sc.read_equations(text, sc.Declarations.parse(symbols)) for claim in chain.claims]


def verdicts(text: str, symbols: str) -> list[str]:
    """What the prover says to the claims of equations."""
    return [sc.prove(claim.lhs, claim.rhs, given=claim.given, at=claim.at).verdict for claim in claims(text, symbols)]
