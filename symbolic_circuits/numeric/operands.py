r"""The arrays behind the symbols of a model, by symbol or by the names that einsums use: t, W_E, A, A[0], W_OV, W_1, B.

W_OV^h = W_O^h W_V^h and B_{ijk} = sum_p (W_out)_{ip} (W_1)_{pj} (W_2)_{pk} are computed here.
"""

import numpy as np
from sympy import MatrixSymbol
from sympy.core.basic import Basic

from symbolic_circuits.expansion.tensors import AttentionTensors, ModelTensors
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.weights import find_sizes, layout
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["named_operands", "operands"]


def operands(frozen: Frozen) -> dict[Basic, np.ndarray]:
    """The array of every symbol of the model, and the number of every size; arguments and values for ``lambdify``.

    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.random("attn(2) bilinear", seed=0)
    >>> {str(symbol): array.shape for symbol, array in operands(sc.freeze(weights, [3, 1, 4])).items()}["B"]
    (16, 16, 16)
    """
    tensors, arrays = ModelTensors(frozen.model), frozen.arrays
    out: dict[Basic, np.ndarray] = {tensors.source: frozen.source}
    if frozen.model.embedding:
        out[tensors.source] = np.eye(arrays["W_E"].shape[1], dtype=arrays["W_E"].dtype)[frozen.source]
        out[tensors.W_E] = arrays["W_E"]
    for index, block in enumerate(tensors.blocks):
        if isinstance(block, AttentionTensors):
            out[block.A] = frozen.patterns[index]
            out[block.W_OV] = frozen.reduce(arrays[f"attn.{index}.W_O"] @ arrays[f"attn.{index}.W_V"])
        else:
            left = arrays[f"bilinear.{index}.W_1"]
            right = left if block.W_2 == block.W_1 else arrays[f"bilinear.{index}.W_2"]
            last = np.eye(len(left), dtype=left.dtype) if block.W_out is None else arrays[f"bilinear.{index}.W_out"]
            out |= {block.W_1: left, block.W_2: right}
            if block.W_out is not None:
                out[block.W_out] = last
            pairs = frozen.reduce(left[:, :, None] * right[:, None, :])
            out[block.B] = frozen.reduce(np.tensordot(last, pairs, axes=(1, 0)))
    out |= {size: np.array(value) for size, value in sizes_of(frozen).items()}
    if isinstance(tensors.W_U, MatrixSymbol):
        out[tensors.W_U] = arrays["W_U"]
    return out


def sizes_of(frozen: Frozen) -> dict[Basic, int]:
    """The number that every size symbol of the model stands for."""
    sizes = find_sizes(layout(frozen.model), frozen.weights)
    sizes |= {frozen.model.n: frozen.positions, frozen.model.d: frozen.x0.shape[1]}
    return {size: sizes[size] for size in frozen.model.symbolic_sizes if size in sizes}


def named_operands(frozen: Frozen) -> dict[str, np.ndarray]:
    """The same by name, members of families such as ``A[0]`` included, for the operand names of ``Term.to_einsum``.

    >>> import symbolic_circuits as sc
    >>> arrays = named_operands(sc.freeze(sc.Weights.random("attn(2)", seed=0), [3, 1, 4]))
    >>> subscripts, names = sc.path_expansion("attn(2)")[2].to_einsum()
    >>> np.einsum(subscripts, *(arrays[name] for name in names)).shape
    (3, 11)
    """
    out = {str(2**k): np.array(2**k) for k in range(1, 63)}  # coefficients of terms through tied layers
    for symbol, array in operands(frozen).items():
        out[str(symbol)] = array
        if isinstance(symbol, MatrixFamily):
            out |= {f"{symbol.name}[{h}]": member for h, member in enumerate(array)}
    return out
