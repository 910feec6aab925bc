"""Sheets of weights and matrices: their shapes and sizes, never their entries."""

import numpy as np

from symbolic_circuits.numeric.array_library import as_numpy
from symbolic_circuits.numeric.bilinear.interaction import InteractionMatrix
from symbolic_circuits.numeric.bilinear.layer import BilinearLayer
from symbolic_circuits.numeric.bilinear.parts import LayerParts
from symbolic_circuits.numeric.circuits.bias_effects import BiasEffects
from symbolic_circuits.numeric.circuits.low_rank import LowRank
from symbolic_circuits.numeric.circuits.qk_parts import QKParts
from symbolic_circuits.numeric.formats.export import Exported
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.report.display.sheet import Cell, Name, Sheet, clipped, number

__all__ = [
    "bias_effects_sheet",
    "exported_sheet",
    "frozen_sheet",
    "interaction_sheet",
    "layer_parts_sheet",
    "layer_sheet",
    "low_rank_sheet",
    "qk_parts_sheet",
    "weights_sheet",
]

SHOWN = 24  # arrays
MAX_TOKENS = 60  # characters


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


def frozen_sheet(frozen: Frozen) -> Sheet:
    """What is held fixed: a row an array, of patterns, scales and gates."""
    kinds = (("patterns", "attn"), ("scales", "norm"), ("gates", "bilinear"))
    held = [(f"{kind} of {name}.{k}", array) for kind, name in kinds for k, array in getattr(frozen, kind).items()]
    source = " ".join(map(str, as_numpy(frozen.source))) if frozen.model.embedding else "a residual input"
    modulus = (f"modulo {frozen.modulus}",) if frozen.modulus else ()
    return Sheet(
        f"{clipped(repr(str(frozen.model)))} with its patterns held fixed at {clipped(source, MAX_TOKENS)}",
        heads=("held fixed", "shape", "type") if held else (),
        rows=tuple(array_row(*pair) for pair in held[:SHOWN]),
        notes=((f"and {len(held) - SHOWN} arrays more",) if len(held) > SHOWN else ()) + modulus,
        code=("total(expansion, frozen)", "contributions(expansion, frozen, position=, direction=)"),
    )


def layer_parts_sheet(parts: LayerParts) -> Sheet:
    """The size of each part."""
    arrays = (
        ("left", "linear, of b_2", parts.left),
        ("right", "linear, of b_1", parts.right),
        ("constant", "of b_1 and b_2", parts.constant),
        ("bias", "b_out", parts.bias),
    )
    layer = parts.interaction
    rows: list[tuple[Cell, ...]] = [("interaction", "B(x, x)", f"{layer.outputs} x {layer.width} x {layer.width}", "")]
    rows += [(name, words, " x ".join(map(str, array.shape)), norm_text(array)) for name, words, array in arrays]
    heads = ("part", "", "shape", "norm")
    return Sheet(clipped(f"parts of {layer.name}"), heads=heads, rows=tuple(rows), code=("parts.linear", "parts(x)"))


def qk_parts_sheet(parts: QKParts) -> Sheet:
    """The size of each part."""
    rows: tuple[tuple[Cell, ...], ...] = (
        ("interaction", "query and key", " x ".join(map(str, parts.interaction.shape)), ""),
        ("query", "query alone", str(len(parts.query)), norm_text(parts.query)),
        ("key", "key alone", str(len(parts.key)), norm_text(parts.key)),
        ("constant", "neither", "1", number(abs(float(parts.constant)))),
    )
    title = clipped(f"parts of the score of {parts.interaction.name or 'a head'}")
    return Sheet(title, heads=("part", "depends on", "shape", "norm"), rows=rows, code=("parts(x, y)",))


def bias_effects_sheet(effects: BiasEffects) -> Sheet:
    """The size of the effect of each bias."""
    found = [(name, "with the norm's scale", array) for name, array in effects.scaled.items()]
    found += [(name, "as it is", array) for name, array in effects.constant.items()]
    rows = tuple((Name(clipped(name)), words, norm_text(array)) for name, words, array in found[:SHOWN])
    notes = (f"and {len(found) - SHOWN} more",) if len(found) > SHOWN else ()
    title = f"direct effects of {len(found)} {'bias' if len(found) == 1 else 'biases'} on the output"
    heads = ("written by", "added", "norm") if found else ()
    return Sheet(title, heads=heads, rows=rows, notes=notes, code=("effects.scaled", "effects.constant"))


def exported_sheet(exported: Exported) -> Sheet:
    """A row an array, by the keys of the other program."""
    arrays = list(exported.arrays.items())
    rows = tuple(array_row(*pair) for pair in arrays[:SHOWN])
    notes = (f"and {len(arrays) - SHOWN} arrays more",) if len(arrays) > SHOWN else ()
    code = ("exported.save(path)", "exported.config")
    return Sheet(f"weights for {exported.format}", heads=("array", "shape", "type"), rows=rows, notes=notes, code=code)


def norm_text(array: np.ndarray) -> str:
    """The Euclidean norm."""
    return number(float(np.linalg.norm(array)))
