"""Sheets of weights and matrices: their shapes and sizes, never their entries."""

import numpy as np

from symbolic_circuits.numeric.bilinear.interaction import InteractionMatrix
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer
from symbolic_circuits.numeric.circuits.low_rank import LowRank
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.report.display.sheet import Cell, Name, Sheet, clipped, number

__all__ = ["interaction_sheet", "layer_sheet", "low_rank_sheet", "weights_sheet"]

SHOWN = 24  # arrays


def weights_sheet(weights: Weights) -> Sheet:
    """A row an array."""
    arrays = weights.arrays
    rows = tuple(array_row(name, arrays[name]) for name in list(arrays)[:SHOWN])
    count = sum(int(np.prod(np.shape(array))) for array in arrays.values())
    sizes = ", ".join(f"{name} = {value}" for name, value in weights.sizes.items())
    notes = ((f"and {len(arrays) - SHOWN} arrays more",) if len(arrays) > SHOWN else ()) + ((sizes,) if sizes else ())
    return Sheet(
        f"weights of {str(weights.model)!r}: {count:,} parameters", heads=("array", "shape", "type"), rows=rows, notes=notes
    )


def array_row(name: str, array: object) -> tuple[Cell, ...]:
    """Name, shape and type."""
    return Name(clipped(name)), " x ".join(map(str, np.shape(array))) or "1", str(getattr(array, "dtype", type(array).__name__))


def layer_sheet(layer: BilinearLayer) -> Sheet:
    """The maps of a layer."""
    names = [name for name in ("W_1", "W_2", "W_out", "b_1", "b_2", "b_out") if getattr(layer, name) is not None]
    rows = tuple(array_row(name, getattr(layer, name)) for name in names)
    title = clipped(f"{layer.name}: {layer.width} -> {layer.hidden} -> {layer.outputs}")
    return Sheet(title, heads=("array", "shape", "type"), rows=rows, code=("layer(x, y)", "layer.tensor()"))


def interaction_sheet(matrix: InteractionMatrix) -> Sheet:
    """Size, norm and the largest eigenvalues where the matrix is symmetric."""
    rows: tuple[tuple[Cell, ...], ...] = (("size", f"{matrix.size} x {matrix.size}"), ("norm", number(float(matrix.norm))))
    if matrix.is_symmetric:
        values = matrix.eigen().values[:5]
        rows += (("largest eigenvalues", ", ".join(number(float(value)) for value in values)),)
    return Sheet(clipped(matrix.words), heads=("", ""), rows=rows, code=("matrix.eigen()", "matrix.to_array()"))


def low_rank_sheet(matrix: LowRank) -> Sheet:
    """The chain of factors."""
    rows = tuple((str(k), " x ".join(map(str, factor.shape))) for k, factor in enumerate(matrix.factors))
    title = clipped(f"{matrix.name or 'a matrix'}: {matrix.shape[0]} x {matrix.shape[1]}, rank at most {matrix.width}")
    return Sheet(title, heads=("factor", "shape"), rows=rows, code=("matrix.singular_values()", "matrix.largest()"))
