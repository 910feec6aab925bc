r"""The arrays behind the symbols of a model, by symbol or by the names that einsums use: t, W_E, A, A[0], W_OV, W_1, B.

W_OV^h = W_O^h W_V^h and B_{ijk} = sum_p (W_out)_{ip} (W_1)_{pj} (W_2)_{pk} are computed here.
"""

import numpy as np
from sympy import MatrixSymbol
from sympy.core.basic import Basic

from symbolic_circuits.expansion.code import scale_of_scores
from symbolic_circuits.expansion.tensors import AttentionTensors, BilinearTensors, ModelTensors, NormTensors, ScoreTensors
from symbolic_circuits.numeric.frozen import Frozen
from symbolic_circuits.numeric.scores import rotated
from symbolic_circuits.numeric.weights import find_sizes, layout
from symbolic_circuits.spec import Attention
from symbolic_circuits.syntax.family import MatrixFamily

__all__ = ["named_operands", "operands"]


def operands(frozen: Frozen) -> dict[Basic, np.ndarray]:
    """The array of every symbol of the model, and the number of every size; arguments and values for ``lambdify``.

    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.random("attn(2) bilinear", seed=0)
    >>> {str(symbol): array.shape for symbol, array in operands(sc.freeze(weights, [3, 1, 4])).items()}["B"]
    (16, 16, 16)
    """
    tensors, arrays = ModelTensors(frozen.model), frozen.weights
    out: dict[Basic, np.ndarray] = {tensors.source: frozen.source}
    if frozen.model.embedding:
        out[tensors.source] = np.eye(arrays["W_E"].shape[1], dtype=arrays["W_E"].dtype)[frozen.source]
        out[tensors.W_E] = arrays["W_E"]
    for index, block in enumerate(tensors.blocks):
        out |= heads(frozen, index, block) if isinstance(block, AttentionTensors) else layer(frozen, index, block)
    for number, norm in zip(tensors.norm_numbers, tensors.norms, strict=True):
        out |= norm_operands(frozen, number, norm)
    out |= {size: np.array(value) for size, value in sizes_of(frozen).items()}
    if frozen.model.positions in ("learned", "shortformer"):
        out[tensors.W_pos] = arrays["W_pos"][: frozen.positions]
    if isinstance(tensors.W_U, MatrixSymbol):
        out[tensors.W_U] = arrays["W_U"]
    if frozen.model.output_bias:
        out[tensors.b_U] = column(arrays["b_U"])
    return out


def column(vector: np.ndarray) -> np.ndarray:
    """A vector, or one for each head, as a matrix of one column."""
    return vector[..., None]


def heads(frozen: Frozen, index: int, block: AttentionTensors) -> dict[Basic, np.ndarray]:
    """The operands of an attention block."""
    arrays, reduce, name = frozen.weights, frozen.reduce, f"attn.{index}"
    out: dict[Basic, np.ndarray] = {} if index not in frozen.patterns else {block.A: frozen.patterns[index]}
    out[block.W_OV] = reduce(arrays[f"{name}.W_O"] @ arrays[f"{name}.W_V"])
    if block.b_OV is not None:
        out[block.b_OV] = reduce(arrays[f"{name}.W_O"] @ column(arrays[f"{name}.b_V"]))
    if block.b_O is not None:
        out[block.b_O] = column(arrays[f"{name}.b_O"])
    if block.scale is not None:
        out[block.scale] = arrays[f"{name}.scale"]
    tensors = ModelTensors(frozen.model)
    if index not in frozen.patterns:
        out[tensors.mask] = np.tri(frozen.positions, dtype=arrays[f"{name}.W_O"].dtype)
    for scores, pair in zip(block.scores, ("",) if len(block.scores) == 1 else ("1", "2"), strict=True):
        out |= queries_and_keys(frozen, name, pair, scores)
    return out


def queries_and_keys(frozen: Frozen, name: str, pair: str, scores: ScoreTensors) -> dict[Basic, np.ndarray]:
    """The operands of one product of queries and keys."""
    W_Q, W_K = (frozen.weights[f"{name}.W_{letter}{pair}"] for letter in "QK")
    if scores.W_QK is not None:
        return {scores.W_QK: frozen.reduce(np.swapaxes(W_Q, 1, 2) @ W_K)}
    out = {scores.W_Q: W_Q, scores.W_K: W_K}
    out |= {b: column(frozen.weights[f"{name}.b_{x}{pair}"]) for x, b in (("Q", scores.b_Q), ("K", scores.b_K)) if b is not None}
    if scores.R is not None:
        units = np.eye(W_Q.shape[1], dtype=W_Q.dtype)[:, None, :].repeat(frozen.positions, axis=1)
        out[scores.R] = rotated(frozen, units).transpose(1, 2, 0)  # of unit vector c it is column c
    return out


def layer(frozen: Frozen, index: int, block: BilinearTensors) -> dict[Basic, np.ndarray]:
    """The operands of a layer, with what stands for products of its arrays."""
    arrays, reduce, name = frozen.weights, frozen.reduce, f"bilinear.{index}"
    left = arrays[f"{name}.W_1"]
    right = left if block.W_2 == block.W_1 else arrays[f"{name}.W_2"]
    last = np.eye(len(left), dtype=left.dtype) if block.W_out is None else arrays[f"{name}.W_out"]
    out: dict[Basic, np.ndarray] = {block.W_1: left, block.W_2: right}
    if block.W_out is not None:
        out[block.W_out] = last
    gated = block.G is not None
    if gated:
        out[block.G] = frozen.gates[index]
    pairs = (
        np.eye(len(right), dtype=right.dtype)[:, :, None] * right[:, None, :]
        if gated
        else reduce(left[:, :, None] * right[:, None, :])
    )
    out[block.B] = reduce(np.tensordot(last, pairs, axes=(1, 0)))
    biases = {
        symbol: arrays[f"{name}.{key}"]
        for key, symbol in (("b_1", block.b_1), ("b_2", block.b_2))
        if symbol is not None and f"{name}.{key}" in arrays
    }
    out |= {symbol: column(bias) for symbol, bias in biases.items()}
    if block.b_out is not None:
        out[block.b_out] = column(arrays[f"{name}.b_out"])
    if block.W_L is not None:
        out[block.W_L] = reduce(last * biases[block.b_2]) if gated else reduce(reduce(last * biases[block.b_2]) @ left)
    if block.W_R is not None:
        out[block.W_R] = reduce(reduce(last * biases[block.b_1]) @ right)
    if block.b_B is not None:
        out[block.b_B] = column(reduce(last @ reduce(biases[block.b_1] * biases[block.b_2])))
    return out


def norm_operands(frozen: Frozen, number: int, norm: NormTensors) -> dict[Basic, np.ndarray]:
    """The operands of a norm."""
    out: dict[Basic, np.ndarray] = {norm.r: column(frozen.scales[number])}
    if norm.C is not None:
        d = frozen.width - frozen.model.has_constant
        share = pow(d, -1, frozen.modulus) if frozen.modulus else 1 / d
        out[norm.C] = frozen.reduce(np.eye(d, dtype=frozen.x0.dtype) - np.full((d, d), share, dtype=frozen.x0.dtype))
    if norm.w is not None:
        out[norm.w] = column(frozen.weights[f"norm.{number}.w"])
    if norm.b is not None:
        out[norm.b] = column(frozen.weights[f"norm.{number}.b"])
    return out


def sizes_of(frozen: Frozen) -> dict[Basic, int]:
    """The number that every size symbol of the model stands for."""
    sizes = find_sizes(layout(frozen.model), frozen.weights)
    sizes |= {frozen.model.n: frozen.positions, frozen.model.d: frozen.width - frozen.model.has_constant}
    return {size: sizes[size] for size in frozen.model.symbolic_sizes if size in sizes}


def named_operands(frozen: Frozen) -> dict[str, np.ndarray]:
    """The same by name, members of families such as ``A[0]`` included, for the operand names of ``Term.to_einsum``.

    Beside them there are the numbers that stand in front of terms: ``2``, ``1/sqrt(e)`` of products of queries and keys; and ``ones``, a
    one at every position, for biases.

    >>> import symbolic_circuits as sc
    >>> arrays = named_operands(sc.freeze(sc.Weights.random("attn(2)", seed=0), [3, 1, 4]))
    >>> subscripts, names = sc.path_expansion("attn(2)")[2].to_einsum()
    >>> np.einsum(subscripts, *(arrays[name] for name in names)).shape
    (3, 11)
    """
    arrays = operands(frozen)
    out = {
        str(size): arrays[size] for size in frozen.model.symbolic_sizes if size in arrays
    }  # first: a tensor may have that name
    out |= {str(2**k): np.array(2**k) for k in range(1, 63)}  # coefficients of terms through tied layers
    out["ones"] = np.ones(frozen.positions, dtype=frozen.x0.dtype)
    for index, spec in frozen.model.numbered():
        if isinstance(spec, Attention):
            out[scale_of_scores(spec)] = np.asarray(frozen.factor(index))
    for symbol, array in arrays.items():
        if symbol not in frozen.model.symbolic_sizes:
            out[str(symbol)] = array
        if isinstance(symbol, MatrixFamily):
            out |= {f"{symbol.name}[{h}]": member for h, member in enumerate(array)}
    return out
