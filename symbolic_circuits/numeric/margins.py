"""How much every term adds to the margin of the right answer: its logit minus the mean logit, averaged over sequences."""

from collections.abc import Callable

import numpy as np

from symbolic_circuits.errors import TokensError
from symbolic_circuits.expansion.expansion import PathExpansion
from symbolic_circuits.numeric.checking import as_batch
from symbolic_circuits.numeric.evaluate import contributions
from symbolic_circuits.numeric.frozen import freeze
from symbolic_circuits.numeric.matching import require_match
from symbolic_circuits.numeric.weights import Weights

__all__ = ["margins"]


def margins(
    expansion: PathExpansion,
    weights: Weights,
    tokens: object,
    targets: object,
    *,
    position: int = -1,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The mean over sequences of what each term adds to logit[target] - mean(logits); shape (terms,), their sum is the margin.

    Parameters
    ----------
    tokens : one sequence (n,), or several (b, n)
    targets : the token that is right, of each sequence
    position : where it is read
    progress : called with the number of sequences done and of all

    Examples
    --------
    >>> import symbolic_circuits as sc
    >>> weights = sc.Weights.example()
    >>> expansion = sc.path_expansion(weights.model)
    >>> by_term = margins(expansion, weights, [[3, 4, 31], [30, 5, 31]], [7, 4])
    >>> print(expansion[int(by_term.argmax())])
    bilinear.1(attn.0[0](embed), attn.0[1](embed))
    """
    expansion.enumeration  # noqa: B018 (an error where the heads are symbols)
    require_match(expansion, weights.model, weights.arrays, None)
    sequences, targets = as_batch(weights, tokens), np.atleast_1d(np.asarray(targets))
    if targets.dtype.kind not in "iu":
        raise TokensError(f"targets are token numbers; got dtype {targets.dtype}")
    if targets.shape != (len(sequences),):
        raise TokensError(f"there is one target a sequence; got {targets.shape} for {len(sequences)} sequences")
    width = len(weights.arrays["W_U"]) if weights.model.unembedding else weights.size(weights.model.d)
    total = np.zeros(expansion.number_of_terms)
    for done, (sequence, target) in enumerate(zip(sequences, targets, strict=True), start=1):
        if not 0 <= target < width:
            raise TokensError(f"target {target} is outside range({width})")
        direction = np.full(width, -1 / width)
        direction[target] += 1
        total += contributions(expansion, freeze(weights, sequence), position=position, direction=direction)
        if progress is not None:
            progress(done, len(sequences))
    return total / len(sequences)
