r"""The sum of all terms of an expansion, or of those of a query, on weights: one pass with frozen patterns, none listed."""

import numpy as np

from symbolic_circuits.expansion.expansion import PathExpansion, path_expansion
from symbolic_circuits.numeric.array_library import library_of
from symbolic_circuits.numeric.frozen import Frozen, freeze
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.streams import Streams
from symbolic_circuits.numeric.weights import Weights
from symbolic_circuits.spec import Transformer

__all__ = ["total"]


def total(expansion: PathExpansion | Transformer | str, weights: Weights | Frozen, tokens: object = None) -> np.ndarray:
    """The sum of the outputs of all terms, shape (n, V), or (n, d) without unembedding; of no terms it is zero.

    Of terms of scores it is the scores (n, n), before the mask.

    Parameters
    ----------
    expansion : of the model of the weights, perhaps of a query: ``expansion.where("attn.0[1]")``
    weights, tokens : attention patterns are those of the forward pass on these tokens; or weights that are frozen already

    Returns
    -------
    array
        A NumPy array; a tensor on the device of the weights where they are frozen tensors (``frozen.to_torch(device)``).

    Raises
    ------
    SpecError, WeightsError, TokensError
        The expansion is of another model, or the tokens are none of it.

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> expansion = sc.path_expansion(weights.model)
    >>> through, past = (total(expansion.where(query), weights, [3, 4, 31]) for query in ("attn.0[1]", "not attn.0[1]"))
    >>> bool(np.allclose(through + past, sc.freeze(weights, [3, 4, 31]).forward().output, atol=1e-3))  # weights in float32
    True
    """
    expansion = expansion if isinstance(expansion, PathExpansion) else path_expansion(expansion)
    frozen = weights if isinstance(weights, Frozen) else freeze(weights, tokens)
    require_match(expansion, frozen.model, frozen.weights, frozen.positions)
    if expansion.is_empty and expansion.grammar.root is not None:
        return library_of(frozen.x0).zeros_like(frozen.x0[:, :1] @ frozen.x0[:, :1].T)
    return frozen.finished(expansion.grammar.root, expansion.interpret(Streams(frozen)))
