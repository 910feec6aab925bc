"""The value of an expression in a notation at a frozen model, as the (n, V) or (n, d) output that it stands for."""

import numpy as np
import opt_einsum
from strategies import size_values
from sympy import Expr

import symbolic_circuits as sc
from symbolic_circuits.expansion.notation.index import output_indices
from symbolic_circuits.numeric.frozen import Frozen

NOTATIONS = ("operator", "matrix", "index", "tensor")


def value(expr: Expr, notation: str, frozen: Frozen) -> np.ndarray:
    """By ``lambdify`` and ``operands``; entry by entry in index notation, row by row in tensor notation."""
    model, known = frozen.model, sc.operands(frozen) | size_values(frozen.model)
    n, width = frozen.positions, len(frozen.arrays["W_U"]) if model.unembedding else frozen.x0.shape[1]
    if notation == "index":
        f = sc.lambdify([*known, *output_indices(model)], expr)
        return np.array([[f(*known.values(), s, v) for v in range(width)] for s in range(n)])
    if notation == "tensor":
        f = sc.lambdify([*known, output_indices(model)[0]], expr)
        return np.array([f(*known.values(), s) for s in range(n)])
    found = sc.lambdify(list(known), expr)(*known.values())
    if notation == "matrix":
        return found
    if is_linear(model):
        assert found.shape == (n * width, source(frozen).size)
        found = found @ source(frozen).reshape(-1, 1)
    assert found.shape == (n * width, 1)
    return found.reshape(n, width)


def is_linear(model: sc.Transformer) -> bool:
    """Whether the model has no bilinear layer."""
    return not any(isinstance(block, sc.Bilinear) for _, block in model.numbered())


def source(frozen: Frozen) -> np.ndarray:
    """t as an (n, V) array, or X."""
    return sc.operands(frozen)[sc.path_expansion(frozen.model).tensors.source]


def term_value(term: sc.Term, frozen: Frozen) -> np.ndarray:
    """The output of one term, by the definition of its components."""
    x = stream(term, frozen)
    return term.coefficient * (x @ frozen.arrays["W_U"].T if frozen.model.unembedding else x)


def stream(term: sc.Term, frozen: Frozen) -> np.ndarray:
    """The stream (n, d) of one term, without coefficient."""
    component, arrays = term.component, frozen.arrays
    inputs = [stream(x, frozen) for x in term.inputs]
    if component.kind == "input":
        return frozen.x0
    if component.kind == "attn":
        name, h = f"attn.{component.layer}", component.head
        return frozen.patterns[component.layer][h] @ inputs[0] @ (arrays[f"{name}.W_O"][h] @ arrays[f"{name}.W_V"][h]).T
    name = f"bilinear.{component.layer}"
    left, right = arrays[f"{name}.W_1"], arrays[f"{name}.W_1" if component.is_tied else f"{name}.W_2"]
    hidden = (inputs[0] @ left.T) * (inputs[1] @ right.T)
    return hidden @ arrays[f"{name}.W_out"].T if f"{name}.W_out" in arrays else hidden


def einsum_value(term: sc.Term, frozen: Frozen) -> np.ndarray:
    """The output of one term, by its einsum string."""
    subscripts, names = term.to_einsum()
    known = sc.named_operands(frozen)
    return opt_einsum.contract(subscripts, *(known[name] if name in known else np.array(int(name)) for name in names))
