r"""Four notations for the value of a term, each an algebra of SymPy expressions.

| notation | a term reads | value |
| --- | --- | --- |
| operator | (A^h (x) W_U W_OV^h W_E) | on vec(t): n V' x n V without bilinear layers, else the column vec of the output |
| matrix | A^h t W_E^T (W_OV^h)^T W_U^T | n x V' |
| index | sum_{u,i,...} A_{su} ... | entry (s, v), a scalar with free index symbols s and v |
| tensor | W_U ._21 (x ._12 B ._21 y) | row s, an array of shape (V',), with the free index symbol s |

V' is V, or d for a model without unembedding; V at the input likewise. Positions, the last axis, and heads count from 0.

Scores have entries (s, u) for a query at s and a key at u: n x n, the column of all entries in operator notation, in tensor notation a
number with these two free symbols. What biases, norms, gates and attention without softmax look like is said at each notation.
"""

from symbolic_circuits.errors import NotationError
from symbolic_circuits.expansion.notation.index import IndexNotation
from symbolic_circuits.expansion.notation.matrix import MatrixNotation
from symbolic_circuits.expansion.notation.operator import OperatorNotation
from symbolic_circuits.expansion.notation.tensor import TensorNotation
from symbolic_circuits.expansion.notation.writer import Notation
from symbolic_circuits.expansion.tensors import ModelTensors

__all__ = ["NOTATIONS", "Notation", "notation_for"]

NOTATIONS = {
    "operator": OperatorNotation,
    "matrix": MatrixNotation,
    "index": IndexNotation,
    "tensor": TensorNotation,
}


def notation_for(name: str, tensors: ModelTensors) -> Notation:
    """The notation called ``name``, writing with the symbols of a model.

    Raises
    ------
    NotationError
        There is no such notation; the message lists those there are.
    """
    if name not in NOTATIONS:
        raise NotationError(f"there is no notation {name!r}; there are {', '.join(map(repr, NOTATIONS))}")
    return NOTATIONS[name](tensors)
