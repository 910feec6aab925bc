"""Definitions of third-order tensors read as rules for layers: B_{ijk} = sum_p P_{ip} (W_1)_{pj} (W_2)_{pk} folds a layer into B."""

from collections.abc import Iterator
from itertools import product

from sympy import (
    Integer,
    MatrixSymbol,
)
from sympy.core.basic import Basic
from sympy.tensor.array.expressions import ArraySymbol

from symbolic_circuits.derivation.pieces import scaled
from symbolic_circuits.derivation.rules.definitions import FoldIntoB, FoldLayer
from symbolic_circuits.derivation.rules.symmetric_part import SymmetricPart
from symbolic_circuits.errors import SymbolicCircuitsError
from symbolic_circuits.identities.prove import prove
from symbolic_circuits.syntax.contract import contract

__all__ = ["folds_of"]


def folds_of(tensor: Basic, value: Basic) -> Iterator[FoldLayer | FoldIntoB | SymmetricPart]:
    """The definition of a third-order tensor read as a rule for layers, where it is one: found by trying what fits its factors."""
    if not isinstance(tensor, ArraySymbol) or len(tensor.shape) != 3:
        return
    matrices = sorted(value.atoms(MatrixSymbol), key=str)
    arrays = sorted((array for array in value.atoms(ArraySymbol) if len(array.shape) == 3), key=str)
    if not arrays and len(matrices) <= 3:
        for W_1, W_2 in product(matrices, repeat=2):
            if equal(value, "pj,pk->pjk", W_1, W_2):
                yield FoldLayer(tensor, W_1, W_2)
            yield from (FoldLayer(tensor, W_1, W_2, W) for W in matrices if equal(value, "ip,pj,pk->ijk", W, W_1, W_2))
    for B in arrays[:1]:
        if not matrices and equal(scaled(Integer(2), value), "ijk->ijk", B, also="ijk->ikj"):
            yield SymmetricPart(B, tensor)
        if 0 < len(matrices) <= 3:
            yield from folded(tensor, value, B, matrices)


def folded(tensor: ArraySymbol, value: Basic, B: ArraySymbol, matrices: list[MatrixSymbol]) -> Iterator[FoldIntoB]:
    """The ways to read a definition as matrices folded into B."""
    for output, left, right in product([None, *matrices], repeat=3):
        used = [matrix for matrix in (output, left, right) if matrix is not None]
        if set(used) != set(matrices):
            continue
        text = f"{'ai,' if output else ''}ijk{',jb' if left else ''}{',kc' if right else ''}->"
        text += f"{'a' if output else 'i'}{'b' if left else 'j'}{'c' if right else 'k'}"
        operands = ([output] if output else []) + [B] + [matrix for matrix in (left, right) if matrix is not None]
        if equal(value, text, *operands):
            yield FoldIntoB(tensor, B, output, left, right)


def equal(value: Basic, text: str, *operands: Basic, also: str = "") -> bool:
    """Whether an array is a contraction, or the sum of two."""
    try:
        other = contract(text, *operands) + contract(also, *operands) if also else contract(text, *operands)
        return prove(value, other).verdict == "proved"
    except (SymbolicCircuitsError, ValueError, TypeError):
        return False
